"""The file format of the released code: one sentence a line, with its entities and relations."""

import logging
from collections import Counter
from itertools import combinations
from pathlib import Path
from typing import Any, Dict, Iterator, List, Literal, NamedTuple, Optional, Sequence, Tuple, Union

from relcon.data.document import Document, Entity, Mention, Relation, WordSpan
from relcon.data.fields import inside, items, may, need, pair
from relcon.data.glimpse import Glimpse
from relcon.data.reading import Found, Part
from relcon.data.tokens import split_at_spaces
from relcon.errors import Problem, RecordError, RelconError
from relcon.readers.records import OnError, Record, RecordReader, json_object, lines

logger = logging.getLogger(__name__)

UNPLACED, NOISY = "unplaced", "noisy"
"""Keys of a document's metadata: how many of its mentions its words do not have, and how many of its relations are marked as noise."""

LEFT_OUT = {UNPLACED: "mentions that are not in their sentence", NOISY: "relations that are marked as noise"}


class Annotated(NamedTuple):
    """What is annotated in a sentence. left_out: how much of it could not be kept, by key of `LEFT_OUT`."""

    entities: List[Entity]
    relations: List[Relation]
    left_out: Dict[str, int]


class Sentences(RecordReader):
    """Reads the JSON-lines of PSPE's released code, labelled or not: its ACE05, and the distantly supervised NYT.

    A line is `{"articleId": "...", "sentId": 0, "sentText": "...", "entityMentions": [{"emId", "text", "offset": [start, end], "label"}],
    "relationMentions": [{"em1Id", "em2Id", "em1Text", "em2Text", "label"}]}`: words are separated by single spaces, `offset` counts them
    and its end is exclusive; a relation leads from the first argument to the second. `entityMentions` and `relationMentions` may be absent.
    The word pieces of the format are not read. One document per line, with `articleId` as `metadata["document"]`.

    An offset outside the sentence, a text that differs from the words or, in a relation, from its entity's, and an argument that is no
    entity are bad records. The released code leaves such a sentence out, or, for an unknown argument, the relation alone.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    offsets: "given": as above; the id is `ARTICLE.sN`, N the `sentId`. "found": for files without them (the NYT data of Jia et al., ACL
        2019): a mention stands where its `text` is first found in the sentence, one that is nowhere goes with its relations, and the
        article may be unknown; relations name their arguments by text, and one with `is_noise` true holds not; the id is file and line.
        What is left out is counted in `metadata` and logged.
    overlapping: "keep" sentences in which entities overlap, or "drop" them and log how many, as the released code does. A sentence that is
        dropped is missing from the figures too.

    Source: Wang et al. 2020, and the released code.

    Config::

        [reader]
        @readers = "pspe.Sentences.v1"
        offsets = "given"
        overlapping = "keep"
    """

    expected = 'a JSON-lines file of sentences, each {"articleId", "sentId", "sentText", "entityMentions", "relationMentions"}'

    def __init__(
        self,
        on_error: OnError = "raise",
        offsets: Literal["given", "found"] = "given",
        overlapping: Literal["keep", "drop"] = "keep",
    ):
        super().__init__(on_error)
        if offsets not in ("given", "found"):
            raise RelconError(f"offsets must be 'given' or 'found', not '{offsets}'")
        if overlapping not in ("keep", "drop"):
            raise RelconError(f"overlapping must be 'keep' or 'drop', not '{overlapping}'")
        self.offsets, self.overlapping = offsets, overlapping

    @property
    def cacheable(self) -> bool:
        """Not where something may be left out: every run says what."""
        return super().cacheable and self.offsets == "given" and self.overlapping == "keep"

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Lines with 'sentText'."""
        known = not glimpse.is_array and glimpse.has("sentText")
        return "JSON-lines with 'sentText', as PSPE's code and the NYT data of CoType have them" if known else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The lines that are not blank."""
        return lines(path)

    def outcomes(self, path: Path, part: Part) -> Iterator[Union[Found, Problem]]:
        """The sentences, in order; what was left out is logged after the last one."""
        dropped, left_out = 0, Counter[str]()
        for outcome in super().outcomes(path, part):
            if isinstance(outcome, Found) and self.overlapping == "drop" and overlaps(outcome.document):
                dropped += 1
                continue
            if isinstance(outcome, Found):
                left_out.update({name: outcome.document.metadata.get(name, 0) for name in LEFT_OUT})
            yield outcome
        told = {"sentences in which entities overlap": dropped, **{LEFT_OUT[name]: count for name, count in left_out.items()}}
        for what, count in told.items():
            if count:
                logger.warning("%s: left out %d %s.", path, count, what)

    def document(self, record: Record) -> Document:
        """One sentence."""
        value = json_object(record.value)
        text = need(value, "sentText", str)
        words, offsets = split_at_spaces(text)
        if not words:
            raise RecordError("'sentText' has no word")
        if self.offsets == "given" and " ".join(words) != text.strip():
            raise RecordError("'sentText' has white space other than single spaces between words, so that offsets do not count its words")
        found = _given(value, words) if self.offsets == "given" else _located(value, words)
        name, metadata = _identity(value, record) if self.offsets == "given" else (record.name, _article(value))
        return Document(
            id=name,
            words=words,
            entities=tuple(found.entities),
            relations=tuple(found.relations),
            text=text,
            offsets=offsets,
            source=record.source,
            metadata={**metadata, **{name: count for name, count in found.left_out.items() if count}},
        )


def overlaps(document: Document) -> bool:
    """Whether two entities share a word and are not the same span with the same type (whose tags would be the same)."""
    found = [(entity.mentions[0], entity.type) for entity in document.entities]
    return any(one != other and one[0].overlaps(other[0]) for one, other in combinations(found, 2))


def _identity(value: Dict[str, Any], record: Record) -> Tuple[str, Dict[str, Any]]:
    """Id and metadata of a sentence of which the article is known."""
    article = need(value, "articleId", str)
    return f"{article}.s{need(value, 'sentId', int)}", {"document": article}


def _article(value: Dict[str, Any]) -> Dict[str, Any]:
    """The metadata of a sentence of which the article may be unknown."""
    article = may(value, "articleId", str)
    return {} if article is None else {"document": article}


def _objects(value: Dict[str, Any], key: str) -> List[Dict[str, Any]]:
    return items(may(value, key, list, []), dict, f"'{key}'")


# ---- with offsets ------------------------------------------------------------------------------------------------------


def _given(value: Dict[str, Any], words: Sequence[str]) -> Annotated:
    """Entities at their offsets, relations between their ids."""
    entities: List[Entity] = []
    numbers: Dict[str, int] = {}
    for place, mention in enumerate(_objects(value, "entityMentions")):
        entity = _entity(mention, f"entity mention {place}", words)
        if numbers.setdefault(entity.id, place) != place:
            raise RecordError(f"two entity mentions have the 'emId' '{entity.id}'; expected one of each")
        entities.append(entity)
    texts = ["".join(words[start:end]) for entity in entities for start, end in entity.mentions[0].spans]
    written = enumerate(_objects(value, "relationMentions"))
    return Annotated(entities, [_relation(each, f"relation mention {place}", numbers, texts) for place, each in written], {})


def _entity(value: Dict[str, Any], what: str, words: Sequence[str]) -> Entity:
    span = inside(pair(need(value, "offset", list, what), f"'offset' of {what}"), len(words), "words", what)
    text, there = need(value, "text", str, what), " ".join(words[span[0] : span[1]])
    if _squeezed(text) != _squeezed(there):
        raise RecordError(f"{what} is said to be {text!r}, but its offset covers {there!r}; offsets count words, the end is exclusive")
    return Entity((Mention(*span),), need(value, "label", str, what), need(value, "emId", str, what))


def _relation(value: Dict[str, Any], what: str, numbers: Dict[str, int], texts: Sequence[str]) -> Relation:
    arguments = []
    for side in ("em1", "em2"):
        name = need(value, f"{side}Id", str, what)
        if name not in numbers:
            raise RecordError(f"'{side}Id' of {what} is '{name}', which no entity mention of the sentence has as its 'emId'")
        text = may(value, f"{side}Text", str, owner=what)
        if text is not None and _squeezed(text) != texts[numbers[name]]:
            raise RecordError(f"'{side}Text' of {what} is {text!r}, but the text of '{name}' is another")
        arguments.append(numbers[name])
    head, tail = arguments
    return Relation(head, tail, _label(value, what))


def _label(value: Dict[str, Any], what: str) -> str:
    label: str = need(value, "label", str, what)
    if not label:
        raise RecordError(f"the 'label' of {what} is empty; expected its name")
    return label


def _squeezed(text: str) -> str:
    """Without white space."""
    return "".join(text.split())


# ---- without offsets ---------------------------------------------------------------------------------------------------


def _located(value: Dict[str, Any], words: Sequence[str]) -> Annotated:
    """Entities where their texts are found, relations between their texts."""
    mentions = [_named(each, f"entity mention {place}") for place, each in enumerate(_objects(value, "entityMentions"))]
    placed = [(place_of(text.split(), words), text, kind) for text, kind in mentions]
    entities: Dict[Entity, int] = {}
    numbers: Dict[str, Optional[int]] = {}
    for span, text, kind in placed:
        number = None if span is None else entities.setdefault(Entity((Mention(*span),), kind), len(entities))
        numbers.setdefault(text, number)
    noisy, relations = 0, []
    for place, each in enumerate(_objects(value, "relationMentions")):
        relation = _named_relation(each, f"relation mention {place}", numbers)
        if may(each, "is_noise", bool, False, f"relation mention {place}"):
            noisy += 1
        elif relation is not None:
            relations.append(relation)
    return Annotated(list(entities), relations, {UNPLACED: sum(span is None for span, *_ in placed), NOISY: noisy})


def _named(value: Dict[str, Any], what: str) -> Tuple[str, str]:
    """Text and type of a mention."""
    text = need(value, "text", str, what)
    if not text.strip():
        raise RecordError(f"the 'text' of {what} is empty or white space")
    return text, need(value, "label", str, what)


def _named_relation(value: Dict[str, Any], what: str, numbers: Dict[str, Optional[int]]) -> Optional[Relation]:
    """A relation between entities that are named by their texts; None where one of them is not in the sentence."""
    arguments = []
    for side in ("em1Text", "em2Text"):
        text = need(value, side, str, what)
        if text not in numbers:
            raise RecordError(f"'{side}' of {what} is {text!r}, which is the text of no entity mention of the sentence")
        arguments.append(numbers[text])
    head, tail = arguments
    return None if head is None or tail is None else Relation(head, tail, _label(value, what))


def place_of(wanted: Sequence[str], words: Sequence[str]) -> Optional[WordSpan]:
    """Where some words first follow each other in a sentence; None where they do not."""
    size = len(wanted)
    return next(((at, at + size) for at in range(len(words) - size + 1) if list(words[at : at + size]) == list(wanted)), None)
