"""Entities of a knowledge base in text that has none: hyperlinks and a recogniser of names (the procedure of ERICA)."""

from functools import lru_cache
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union
from urllib.parse import unquote

from relcon.data.document import Document, Entity, Mention, WordSpan
from relcon.data.parsing import pipeline_fingerprint, sentence_starts, spaces_after
from relcon.data.reading import where
from relcon.data.store import hashed
from relcon.data.tokens import split_words
from relcon.distant.knowledge import surface
from relcon.errors import RelconError
from relcon.interfaces import DistantBuilder, KnowledgeBase, Linked, Rejected

Form = Tuple[str, ...]
"""The lower-cased words of a surface form."""

AMBIGUOUS = "one surface form with two links in a sentence"
UNUSED = ["tagger", "parser", "lemmatizer", "senter", "sentencizer", "textcat", "textcat_multilabel", "entity_linker", "spancat"]
"""Parts of a pipeline that are not needed to recognise names."""


class Recognised(NamedTuple):
    """A name in the text: its words [start, end) of the document, and its type."""

    start: int
    end: int
    type: str


class Anchor(NamedTuple):
    """A hyperlink: its text, the page that it leads to, and the number of its sentence, None for every one in which its text occurs."""

    text: str
    page: str
    sentence: Optional[int]


class Link(NamedTuple):
    """A surface form that stands for an entity of the knowledge base."""

    form: Form
    id: str
    type: str = ""


class EntityLinker(DistantBuilder):
    """Links text to a knowledge base, sentence by sentence.

    Hyperlinks whose text occurs in the sentence are linked by the name of their page (decoded, lower-cased, `_` as a space) where the
    table of names has it, else by their text where it has that. Then names that a recogniser finds are linked where the table has them
    and no hyperlink has the same text. Ids that no triple has, and surface forms that are too short, are dropped, then forms that are a
    substring of another one of the sentence. Each occurrence of a form that is left is a mention, also one that ends at the last word;
    mentions with one id are one entity, its type the first that a recogniser gave. A document in which a form of a sentence has two
    different links is left out.

    Hyperlinks stand in a document's metadata, `"anchors": [["Bay of Fundy", "Bay_of_Fundy"], ...]`, each the text and the name of the page;
    a third item, a number from 0, says in which sentence it is. The text is cut into sentences by the reader (`split_sentences` of
    `relcon.JSONLines.v1`). Needs `--names`.

    pipeline: a spaCy pipeline that recognises names, an installed package ("en_core_web_sm") or a directory; null takes the entities
        that the reader found in place of recognised ones.
    min_characters: shorter surface forms are dropped.
    batch_size: documents that spaCy takes at once.

    Source: Qin et al., ERICA, ACL 2021, whose corpus FineCL builds on (Hogan, Li and Shang, EMNLP 2022). ERICA's own loop stops one word
    early and misses a mention that ends at the last word; this one does not.

    Config::

        [linker]
        @distant = "finecl.EntityLinker.v1"
        pipeline = "en_core_web_sm"
        min_characters = 3
    """

    def __init__(self, pipeline: Optional[str] = None, min_characters: int = 3, batch_size: int = 64):
        if min_characters < 1 or batch_size < 1:
            raise ValueError(f"min_characters = {min_characters} and batch_size = {batch_size} must be at least 1")
        self.pipeline, self.min_characters, self.batch_size = pipeline, min_characters, batch_size

    def fingerprint(self) -> str:
        """What its links depend on; "missing" where the pipeline is not installed."""
        pipeline = None if self.pipeline is None else pipeline_fingerprint(self.pipeline) or "missing"
        return hashed(pipeline, self.min_characters)

    def check(self, base: KnowledgeBase) -> None:
        """RelconError where there are no names to link by, or the pipeline is missing."""
        if not base.names:
            raise RelconError("finecl.EntityLinker.v1 links by name: give a table of names with --names.")
        if self.pipeline is not None:
            load_recogniser(self.pipeline)

    def link(self, documents: Sequence[Document], base: KnowledgeBase) -> List[Union[Linked, Rejected]]:
        """The documents with the entities that were found in place of annotated ones."""
        return [self._linked(*each, base) for each in zip(documents, self._recognised(documents), strict=True)]

    def _recognised(self, documents: Sequence[Document]) -> Iterator[List[Recognised]]:
        if self.pipeline is None:
            return map(annotated, documents)
        nlp = load_recogniser(self.pipeline)
        docs = nlp.pipe((_spacy_doc(nlp.vocab, document) for document in documents), batch_size=self.batch_size)
        return ([Recognised(each.start, each.end, each.label_) for each in doc.ents] for doc in docs)

    def _linked(self, document: Document, recognised: Sequence[Recognised], base: KnowledgeBase) -> Union[Linked, Rejected]:
        anchors = anchors_of(document)
        found: Dict[str, List[Tuple[Mention, str]]] = {}
        for number, span in enumerate(document.sentences):
            here = [each for each in anchors if each.sentence in (None, number)]
            links = self._links(document, span, here, recognised, base)
            if len({link.form for link in links}) < len(links):
                return Rejected(AMBIGUOUS)
            for link in links:
                mentions = [(mention, link.type) for mention in occurrences(document, span, link.form)]
                if mentions:
                    found.setdefault(link.id, []).extend(mentions)
        entities = sorted((_entity(name, mentions) for name, mentions in found.items()), key=lambda entity: entity.mentions)
        made = Document(document.id, document.words, tuple(entities), (), document.sentences, document.text, document.offsets,
                        source=document.source)
        return Linked(made, [(entity.id,) for entity in entities])

    def _links(
        self, document: Document, span: WordSpan, anchors: Sequence[Anchor], recognised: Sequence[Recognised], base: KnowledgeBase
    ) -> List[Link]:
        """The different links of a sentence that are left."""
        by_anchor = [link for each in anchors if (link := _by_anchor(each, base)) and occurrences(document, span, link.form)]
        taken = {link.form for link in by_anchor}
        by_name: Dict[Form, Link] = {}
        for each in recognised:
            link = _by_name(document, each, base) if span[0] <= each.start and each.end <= span[1] else None
            if link is not None and link.form not in taken:
                by_name.setdefault(link.form, link)
        links = dict.fromkeys([*by_anchor, *by_name.values()])
        known = [link for link in links if link.id in base.entities and len(" ".join(link.form)) >= self.min_characters]
        texts = {" ".join(link.form) for link in known}
        return [link for link in known if not any(" ".join(link.form) in text for text in texts - {" ".join(link.form)})]


def annotated(document: Document) -> List[Recognised]:
    """The mentions of the entities that a document has, in place of recognised names."""
    return [Recognised(mention.start, mention.end, entity.type) for entity in document.entities for mention in entity.mentions]


def anchors_of(document: Document) -> List[Anchor]:
    """The hyperlinks in a document's metadata; RelconError with its place where they are none."""
    listed = document.metadata.get("anchors", [])
    fine = isinstance(listed, (list, tuple)) and all(_is_anchor(each) for each in listed)
    if not fine:
        raise RelconError(f"{where(document)}: the metadata 'anchors' must be a list of [text, page] or [text, page, sentence number].")
    return [Anchor(each[0], each[1], each[2] if len(each) == 3 else None) for each in listed]


def _is_anchor(value: Any) -> bool:
    sound = isinstance(value, (list, tuple)) and len(value) in (2, 3) and all(isinstance(each, str) for each in value[:2])
    return sound and all(type(each) is int for each in value[2:])


def _by_anchor(anchor: Anchor, base: KnowledgeBase) -> Optional[Link]:
    """By the name of the page, else by its text; None where the table has neither, or the text has no word."""
    form = tuple(word.lower() for word in split_words(anchor.text).words)
    page, text = surface(unquote(anchor.page).replace("_", " ")), surface(anchor.text)
    name = base.names.get(page, base.names.get(text))
    return Link(form, name) if form and name is not None else None


def _by_name(document: Document, name: Recognised, base: KnowledgeBase) -> Optional[Link]:
    found = base.names.get(surface(document.mention_text(Mention(name.start, name.end))))
    form = tuple(word.lower() for word in document.words[name.start : name.end])
    return None if found is None else Link(form, found, name.type)


def occurrences(document: Document, span: WordSpan, form: Form) -> List[Mention]:
    """Where the words of a form stand in a sentence, lower-cased, from left to right and none within another."""
    words = tuple(word.lower() for word in document.words[span[0] : span[1]])
    found: List[Mention] = []
    at = 0
    while at + len(form) <= len(words):
        here = words[at : at + len(form)] == form
        if here:
            found.append(Mention(span[0] + at, span[0] + at + len(form)))
        at += len(form) if here else 1
    return found


def _entity(name: str, mentions: Sequence[Tuple[Mention, str]]) -> Entity:
    ordered = tuple(sorted({mention for mention, _ in mentions}))
    return Entity(ordered, next((type for _, type in mentions if type), ""), name)


@lru_cache(maxsize=4)
def load_recogniser(pipeline: str) -> Any:
    """The spaCy pipeline, loaded once per process. RelconError where it is missing or recognises no names."""
    import spacy  # slow to import: only where names are recognised

    try:
        nlp = spacy.load(pipeline, exclude=UNUSED)
    except (OSError, ValueError) as error:
        raise RelconError(
            f'The spaCy pipeline "{pipeline}" cannot be loaded ({str(error).splitlines()[0]}). Get one with '
            "`python -m spacy download en_core_web_sm`, or give the directory of a pipeline (`pipeline` in the linker's section)."
        ) from error
    if not {"ner", "entity_ruler"} & set(nlp.pipe_names):
        raise RelconError(f'The spaCy pipeline "{pipeline}" recognises no names (its parts: {", ".join(nlp.pipe_names) or "none"}).')
    return nlp


def _spacy_doc(vocab: Any, document: Document) -> Any:
    from spacy.tokens import Doc

    starts: Any = [*sentence_starts(len(document.words), document.sentences)]
    return Doc(vocab, words=list(document.words), spaces=list(spaces_after(document)), sent_starts=starts)
