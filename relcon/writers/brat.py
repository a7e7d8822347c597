"""brat's stand-off files."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Sequence, Tuple
from urllib.parse import quote

from relcon.data.document import Document, Mention, Relation, WordSpan
from relcon.data.tokens import Annotated, mention_of
from relcon.errors import RelconError
from relcon.files import whole_folder
from relcon.readers.brat import BLANK_LINE, PLAIN_ROLES
from relcon.readers.marks import found_sentences
from relcon.writers import keeping
from relcon.writers.base import StepWriter
from relcon.writers.keeping import Kept, Step

SPACE = re.compile(r"\s+")

PLAIN_NAME = re.compile(r"[^/\\\x00-\x1f\x7f\ud800-\udfff.][^/\\\x00-\x1f\x7f\ud800-\udfff]*")
"""A part of a path that is no hidden file and that file systems take."""

LONGEST_NAME = 240
"""Bytes of a part of a path; file systems take 255, and an ending comes behind."""


class Spot(NamedTuple):
    """A mention and its id in the file (`T1`)."""

    id: str
    mention: Mention


class BRAT(StepWriter):
    """Writes a folder of brat's stand-off annotation: `ID.txt` and `ID.ann` for each document; an id with slashes is a path.

    Positions count characters of the text; where a document has words alone, these are joined by spaces. Discontinuous mentions are kept
    (`T1<TAB>Type 0 4;9 12<TAB>text`); the mentions of one entity are said to be the same (`*<TAB>Equiv T1 T2`). Entities have ids T1, T2,
    ... and relations R1, R2, ...; others are replaced. White space in types and labels becomes "_"; an entity without a type gets ENTITY.
    `normalized` and `roles` of the metadata, as the reader makes them, are written. What is lost: parses, probabilities, pairs without a
    label, other metadata, characters in ids that no file name has. Words and sentences come back as relcon finds them, documents in the
    order of their ids. To show the files brat wants an `annotation.conf` beside them, which names the types.

    Source: Stenetorp et al., BRAT: a Web-based Tool for NLP-Assisted Text Annotation, EACL 2012.

    Config::

        [writer]
        @writers = "relcon.BRAT.v1"
    """

    reader = "relcon.BRAT.v1"
    options = {"equivalent": "entity"}
    folder = True

    @property
    def steps(self) -> Sequence[Step]:
        """See `StepWriter`."""
        return (
            named_as_file,
            keeping.with_text,
            without_idle_gaps,
            keeping.only_labelled,
            keeping.typed,
            without_spaces,
            keeping.entity_ids(re.compile("T[0-9]+").fullmatch, "T"),
            keeping.relation_ids(re.compile("R[0-9]+").fullmatch, "R"),
            keeping.without_scores,
            keeping.without_parse,
            known_metadata,
        )

    @property
    def read_as(self) -> Sequence[Step]:
        """See `StepWriter`."""
        return (as_read,)

    def unfit(self, document: Document) -> str:
        """See `Writer`."""
        return keeping.torn(document)

    def write(self, documents: Iterable[Document], path: Path) -> int:
        """See `Writer`. The folder appears whole or not at all, in place of one that holds such files alone. RelconError where two
        documents would be one file, or a text is no Unicode."""
        count = 0
        refuse_others(path)
        with whole_folder(path) as folder:
            for document in self.fit(documents):
                _write(folder / f"{document.id}.txt", document.text or "", document)
                _write(folder / f"{document.id}.ann", "".join(f"{line}\n" for line in annotation_lines(document)), document)
                count += 1
        return count


def refuse_others(path: Path) -> None:
    """RelconError where a folder that would be replaced holds other files than such as are written, a text and its annotation each."""
    files = {each for each in path.rglob("*") if each.is_file()} if path.is_dir() else set()
    beside = {".txt": ".ann", ".ann": ".txt"}
    other = min((each for each in files if each.suffix not in beside or each.with_suffix(beside[each.suffix]) not in files), default=None)
    if other is not None:
        raise RelconError(f"{path} would be replaced, but holds {other.relative_to(path)}, which would be lost. Give another folder.")


def _write(path: Path, text: str, document: Document) -> None:
    """A file that is new; a text that begins with a byte-order mark gets one more, since the first is not read."""
    try:
        raw = text.encode("utf-8-sig" if text.startswith("\ufeff") else "utf-8")
    except UnicodeEncodeError as error:
        raise RelconError(f"document '{document.id}' has half a surrogate pair in a type or a label, which no file can hold.") from error
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(raw)
    except FileExistsError:
        raise RelconError(f"two documents would be the file '{path.name}'. Give them ids of their own.") from None


# ---- lines -------------------------------------------------------------------------------------------------------------


def annotation_lines(document: Document) -> Iterator[str]:
    """The lines of the file `.ann`."""
    spots = spots_of(document)
    for entity, own in zip(document.entities, spots, strict=True):
        yield from (_span(document, spot, entity.type) for spot in own)
    yield from (_relation(document, relation, spots) for relation in document.relations)
    yield from (f"*\tEquiv {' '.join(spot.id for spot in own)}" for own in spots if len(own) > 1)
    references = [(name, each) for name, listed in document.metadata.get("normalized", {}).items() for each in listed]
    yield from (f"N{number}\tReference {name} {each}\t{each}" for number, (name, each) in enumerate(references, start=1))


def spots_of(document: Document) -> List[List[Spot]]:
    """The mentions of each entity, the first with the entity's id, the others with ids that are free."""
    further = sum(len(entity.mentions) - 1 for entity in document.entities)
    names, _ = keeping.renamed([*(each.id for each in document.entities), *([""] * further)], bool, "T")
    free = iter(names[len(document.entities) :])
    return [
        [Spot(next(free) if number else each.id, mention) for number, mention in enumerate(each.mentions)] for each in document.entities
    ]


def _span(document: Document, spot: Spot, kind: str) -> str:
    parts = keeping.characters(document, spot.mention)
    covered = " ".join((document.text or "")[start:end] for start, end in parts)
    return f"{spot.id}\t{kind} {';'.join(f'{start} {end}' for start, end in parts)}\t{SPACE.sub(' ', covered)}"


def _relation(document: Document, relation: Relation, spots: Sequence[Sequence[Spot]]) -> str:
    """Between the closest mentions."""
    sides = zip((relation.head, relation.tail), keeping.closest(document, relation), strict=True)
    named = [next(spot.id for spot in spots[side] if spot.mention == mention) for side, mention in sides]
    roles = document.metadata.get("roles", {}).get(relation.id, PLAIN_ROLES)
    return f"{relation.id}\t{relation.label} " + " ".join(f"{role}:{name}" for role, name in zip(roles, named, strict=True))


# ---- what the files hold -------------------------------------------------------------------------------------------------


def named_as_file(document: Document) -> Kept:
    """With an id that is a path; other characters are written as in addresses (`%3A`). RelconError where it is too long for a file."""
    name = document.id
    if not all(map(PLAIN_NAME.fullmatch, name.split("/"))):
        name = quote(name, safe="", errors="surrogatepass").replace(".", "%2E") or "%"
    if any(len(part.encode("utf-8", "surrogatepass")) > LONGEST_NAME for part in name.split("/")):
        raise RelconError(f"the id '{document.id[:40]}...' is too long for the name of a file; give the document a shorter one.")
    return Kept(replace(document, id=name), {"id of a document": int(name != document.id)})


def without_idle_gaps(document: Document) -> Kept:
    """Parts of mentions that share words, or have none between them, as one part."""
    lost = 0
    entities = []
    for entity in document.entities:
        whole = tuple(mention_of(_united(mention.spans)) for mention in entity.mentions)
        lost += sum(new != old for new, old in zip(whole, entity.mentions, strict=True))
        entities.append(replace(entity, mentions=whole))
    return Kept(replace(document, entities=tuple(entities)), {"parts of a mention without a word between them": lost})


def _united(spans: Sequence[WordSpan]) -> List[WordSpan]:
    found: List[WordSpan] = []
    for start, end in sorted(spans):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def without_spaces(document: Document) -> Kept:
    """Types and labels that are one word."""
    entities = tuple(replace(each, type=SPACE.sub("_", each.type)) for each in document.entities)
    relations = tuple(replace(each, label=SPACE.sub("_", each.label or "")) for each in document.relations)
    lost = {
        "white space in a type": sum(new != old for new, old in zip(entities, document.entities, strict=True)),
        "white space in a label": sum(new != old for new, old in zip(relations, document.relations, strict=True)),
    }
    return Kept(replace(document, entities=entities, relations=relations), lost)


def known_metadata(document: Document) -> Kept:
    """`normalized` and `roles` where they are what the reader makes of lines, and name entities and relations that there are."""
    checks: Dict[str, Tuple[set, Callable[[Any], bool]]] = {
        "normalized": ({each.id for each in document.entities}, _is_references),
        "roles": ({each.id for each in document.relations}, _is_roles),
    }
    known = [name for name, (ids, check) in checks.items() if _names(document.metadata.get(name), ids, check)]
    return keeping.only_metadata(*known)(document)


def _names(value: Any, ids: set, check: Callable[[Any], bool]) -> bool:
    """Whether a value is a dictionary, not empty, whose keys are ids and whose values are sound."""
    return isinstance(value, Mapping) and bool(value) and value.keys() <= ids and all(map(check, value.values()))


def _is_references(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_word, value))


def _is_roles(value: Any) -> bool:
    return _is_references(value) and len(value) == 2 and value != PLAIN_ROLES and not any(":" in role for role in value)


def _is_word(value: Any) -> bool:
    return isinstance(value, str) and bool(value) and SPACE.search(value) is None


def as_read(document: Document) -> Kept:
    """With the words and sentences that the reader finds."""
    found, lost = keeping.words_found(document)
    mentions = tuple(mention for entity in found.entities for mention in entity.mentions)
    placed = Annotated(found.words, found.offsets or (), mentions)
    sentences = found_sentences(placed, (blank.end() for blank in BLANK_LINE.finditer(found.text or "")))
    read = replace(found, sentences=sentences)
    other = int(_starts(read) != _starts(document))
    return Kept(read, {**lost, "sentences that are not those which relcon finds in the text": other})


def _starts(document: Document) -> List[int]:
    """The characters at which sentences begin."""
    offsets = document.offsets or ()
    return [offsets[start][0] for start, _ in document.sentences]
