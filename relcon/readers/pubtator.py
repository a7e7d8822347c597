"""PubTator's text files: titles and abstracts with mentions and relations between concepts, also BC5CDR and BioRED."""

import re
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Union

from relcon.data.document import Document, Mention, Relation
from relcon.data.glimpse import Glimpse
from relcon.data.relations import LEFT_OUT
from relcon.errors import Problem, RecordError, did_you_mean
from relcon.readers.entities import UNKNOWN, EntitiesFrom, Gathered, Named, concepts_of, gather, known_entities
from relcon.readers.marks import SHOWN, Mark, Piece, at, found_sentences, lay_out, number_of, place_marks
from relcon.readers.records import OnError, Record, RecordReader, lines

PART = re.compile(r"(?P<name>[^|\t]+)\|(?P<part>[ta])\|(?P<text>.*)", re.DOTALL)

COMPOSITE: List[str] = ["|"]

Lines = List[Union[Record, Problem]]


class Row(NamedTuple):
    """A line of tab-separated cells and its place (`file:line`)."""

    cells: List[str]
    place: str


class Block(NamedTuple):
    """An abstract with the rows below it."""

    name: str
    title: str
    abstract: str
    mentions: List[Row]
    relations: List[Row]


class PubTator(RecordReader):
    """Reads PubTator's text files, labelled or not: BC5CDR, BioRED, and what PubTator exports of an abstract.

    A block is `PMID|t|title`, `PMID|a|abstract`, and below them, separated by tabs, mentions `PMID, start, end, text, type, identifier`
    and relations `PMID, type, identifier, identifier`, with a fifth column in BioRED that says whether they are novel. Positions are
    characters of title, one character, abstract; ends are exclusive; a mention must match its text. One document per block, its id the
    PubMed id; the text has a space between title and abstract. Sentences are found by rule.

    Relations hold between concepts, so the mentions of one identifier are one entity, with that identifier as id and the type of its
    first mention. A composite mention (`D1|D2`) is one of each of its concepts; one without an identifier (`-1`, `-`, or none) is an
    entity of its own. A relation's head is the concept that stands first. The file lists no pairs without a relation: a candidate rule
    makes them, `relcon.EntityPairs.v1` with `scope = "document"`.

    Metadata: `novel`, `[[head, tail, label, "Novel"], ...]` of the relations that say it; `left_out` counts what a document cannot hold:
    the texts of the parts of a composite mention (a seventh column), and with `entities = "mentions"` the relations.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them. A record is a block.
    entities: "concepts" as above; "mentions": each mention is an entity, with its identifier as id, and there are no relations, since the
        file does not say between which mentions they hold.
    composite: what separates the identifiers of a composite mention: `|` in BC5CDR, `,` in BioRED, whose variants have identifiers with
        `|` in them.

    Source: Li et al., BioCreative V CDR task corpus, Database 2016; Luo et al., BioRED: a rich biomedical relation extraction dataset,
    Briefings in Bioinformatics 23(5), 2022.

    Config::

        [reader]
        @readers = "relcon.PubTator.v1"
        entities = "concepts"
        composite = ["|"]
    """

    expected = "a PubTator file: PMID|t|title, PMID|a|abstract, and lines of mentions and relations, separated by tabs"

    def __init__(self, on_error: OnError = "raise", entities: EntitiesFrom = "concepts", composite: List[str] = COMPOSITE):
        super().__init__(on_error)
        self.entities, self.composite = known_entities(entities), composite

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A first line `PMID|t|...`."""
        found = PART.match(glimpse.lines[0]) if glimpse.lines else None
        return "a first line of the form PMID|t|title, as in PubTator's files" if found and found["part"] == "t" else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The blocks, each with all its lines; a title begins one."""
        block: Lines = []
        for line in lines(path):
            if block and isinstance(line, Record) and _begins(line.value):
                yield _record(block)
                block = []
            block.append(line)
        if block:
            yield _record(block)

    def document(self, record: Record) -> Document:
        """One abstract."""
        block = _block(record.value)
        pieces = [Piece(0, block.title, "the title"), Piece(len(block.title) + 1, block.abstract, "the abstract")]
        text = lay_out(pieces)
        placed = place_marks(text, [_mark(row) for row in block.mentions])
        found = gather(self._named(row, mention) for row, mention in zip(block.mentions, placed.mentions, strict=True))
        novel: List[List[Any]] = []
        left_out = Counter({"text of a part of a composite mention": sum(len(row.cells) == 7 for row in block.mentions)})
        left_out["relation between concepts"] = len(block.relations) if self.entities == "mentions" else 0
        return Document(
            id=block.name,
            words=placed.words,
            entities=found.entities,
            relations=() if self.entities == "mentions" else tuple(_relation(row, found, novel) for row in block.relations),
            sentences=found_sentences(placed, [piece.start for piece in pieces]),
            text=text,
            offsets=placed.offsets,
            source=record.source,
            metadata=_metadata(novel, left_out),
        )

    def _named(self, row: Row, mention: Mention) -> Named:
        written = row.cells[5] if len(row.cells) > 5 else ""
        concepts = concepts_of(written, self.composite) if self.entities == "concepts" else ()
        return Named(mention, row.cells[4], "" if written in UNKNOWN else written, concepts)


def _begins(line: str) -> bool:
    found = PART.fullmatch(line)
    return found is not None and found["part"] == "t"


def _record(block: Lines) -> Union[Record, Problem]:
    """The lines of a block as a record; a Problem where one of them is no text."""
    for line in block:
        if isinstance(line, Problem):
            return line
    return Record(block, block[0].source)  # type: ignore[union-attr]


def _block(found: List[Record]) -> Block:
    """RecordError where the first line is no title, or lines are out of place."""
    title = PART.fullmatch(found[0].value)
    if title is None or title["part"] != "t":
        raise RecordError(f"expected a title, PMID|t|..., here it begins {found[0].value[:20]!r}")
    block = Block(title["name"], title["text"], "", [], [])
    for line in found[1:]:
        with at(line.place):
            block = _with(block, line)
    return block


def _with(block: Block, line: Record) -> Block:
    """The block with one more line."""
    part = PART.fullmatch(line.value)
    cells = line.value.split("\t")
    name = cells[0] if part is None else part["name"]
    if name != block.name:
        said = f"expected a line of {block.name}, here it is one of {name[:20]!r}"
        raise RecordError(f"{said}; a new abstract begins with its title, PMID|t|...")
    if part is not None and (block.abstract or block.mentions or block.relations):
        raise RecordError(f"expected one abstract, PMID|a|..., below the title of {block.name}, and before its mentions")
    if part is not None:
        return block._replace(abstract=part["text"])
    if len(cells) in (5, 6, 7) and cells[1].isdecimal():
        block.mentions.append(Row(cells, line.place))
    elif len(cells) in (4, 5) and not cells[1].isdecimal():
        block.relations.append(Row(cells, line.place))
    else:
        raise RecordError(
            "expected a mention (PMID, start, end, text, type, identifier) or a relation (PMID, type, identifier, identifier), separated "
            f"by tabs; here are {len(cells)} columns"
        )
    return block


def _mark(row: Row) -> Mark:
    with at(row.place):
        start, end = (number_of(row.cells[column], f"column {column + 1}") for column in (1, 2))
    return Mark(f"the mention {SHOWN.repr(row.cells[3])}", [(start, end)], row.cells[3], row.place)


def _relation(row: Row, found: Gathered, novel: List[List[Any]]) -> Relation:
    """A relation between two concepts that the block has mentions of. novel: gets what it says of that."""
    label, *names = row.cells[1:4]
    for name in names:
        if name not in found.concepts:
            near = did_you_mean(name, found.concepts)
            raise RecordError(f"the relation names '{name}', which is the identifier of no mention of the abstract.{near}", row.place)
    if not label:
        raise RecordError("the relation has no type in column 2", row.place)
    head, tail = (found.concepts[name] for name in names)
    if len(row.cells) == 5:
        novel.append([head, tail, label, row.cells[4]])
    return Relation(head, tail, label)


def _metadata(novel: List[List[Any]], left_out: "Counter[str]") -> Dict[str, Any]:
    counted = {cause: count for cause, count in left_out.items() if count}
    return {**({"novel": novel} if novel else {}), **({LEFT_OUT: counted} if counted else {})}
