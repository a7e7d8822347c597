"""Blinded sentences, tab-separated: tags such as `@GENE$` in place of the two mentions (BLUE, BLURB, BioBERT)."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Literal, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from relcon.data.document import Document, Entity, Mention, Relation, Source
from relcon.data.glimpse import Glimpse
from relcon.data.tokens import CharSpan, split_words
from relcon.errors import Problem, RecordError, RelconError
from relcon.readers.records import OnError, Record, RecordReader, lines

NAME = r"[A-Za-z][A-Za-z0-9_]*"

TAG = re.compile(rf"@(?P<one>{NAME})(?:-(?P<other>{NAME}))?\$")
"""`@PROTEIN$`, or `@CHEM-GENE$` for two mentions that overlap."""

COLUMNS = ("index", "sentence", "label")

DOCUMENT = re.compile(r"(?P<document>.+?)(?:\.T\d+\.T\d+|\.s\d+\.[ep]\d+(?:\.e\d+)?)")
"""An index that names its document: `10064839.T1.T11`, `DDI-DrugBank.d481.s0.p0`."""


class Argument(NamedTuple):
    """One of the two mentions of a sentence: its word, the name in its tag, and its type."""

    place: int
    name: str
    type: str


class Tag(NamedTuple):
    """A tag of a sentence: its word, its text, and the names in it, two where it is merged."""

    place: int
    text: str
    names: Tuple[str, ...]


@dataclass(frozen=True)
class Blinding:
    """How sentences are blinded.

    types: name in a tag -> entity type; those that are not named are kept. placeholders: what stands for a mention beside tags of the form
    `@NAME$`, as written ("PROTEIN1"), its own name. head: name or type of the head; None for whatever comes first in the text.
    """

    types: Mapping[str, str] = field(default_factory=dict)
    placeholders: Tuple[str, ...] = ()
    head: Optional[str] = None

    @property
    def pattern(self) -> "re.Pattern[str]":
        """Finds a tag, or a placeholder that no letter or digit touches."""
        known = "".join(rf"|(?<!\w){re.escape(each)}(?!\w)" for each in sorted(self.placeholders, key=len, reverse=True))
        return re.compile(TAG.pattern + known)

    def arguments(self, tags: Sequence[Tag]) -> List[Argument]:
        """Head and tail. RecordError where there are not two tags or one merged tag, or none is the head."""
        found = [Argument(tag.place, name, self.types.get(name, name)) for tag in tags for name in tag.names]
        if len(found) != 2:
            shown = ", ".join(tag.text for tag in tags) or "none"
            raise RecordError(f"expected two tags such as @PROTEIN$, or one merged tag such as @CHEM-GENE$; found {shown}")
        if self.head is None:
            return found
        if not any(map(self._is_head, found)):
            raise RecordError(f"no tag is the head '{self.head}': they are {found[0].name} and {found[1].name}; see `head` and `types`")
        return sorted(found, key=lambda each: not self._is_head(each))  # stable: of two heads the first in the text

    def _is_head(self, argument: Argument) -> bool:
        return self.head in (argument.name, argument.type)


class BlindedTSV(RecordReader):
    """Reads sentences whose two mentions are blinded, as BLUE, BLURB and BioBERT have them: tab-separated, no quoting, labelled or not.

    Columns are `index<TAB>sentence<TAB>label` (ChemProt, DDI, GAD), `sentence<TAB>label` (GAD's and EU-ADR's training files), or without a
    label `index<TAB>sentence` and `sentence`, with a header line or without. Each line is a document of one sentence. Its two tags,
    `@CHEMICAL$` and `@GENE$`, are single words and the two entities, typed by the tag. A merged tag, `@CHEM-GENE$`, stands for two
    overlapping mentions: two entities with the same mention. There is one relation from head to tail, its label as written (`CPR:3`, `1`),
    None where it is absent or empty. The index is the id; one such as `10064839.T1.T11` also names the document
    (`metadata["document"]`). Where indices are not unique, call their column "-": lines are then named by file and number. A candidate rule
    that goes with it is `relcon.AnnotatedPairs.v1`.

    header: "yes", "no", or "auto": the first line is one if it consists of the names of columns.
    columns: names of the columns, from "index", "sentence", "label" and "-" (not read); by default as the header says, else by
        their number and, of two, by which one has the tags.
    types: name in a tag -> entity type (`{"CHEM": "CHEMICAL"}`); names that are not there are kept.
    placeholders: what stands for a mention beside tags of the form `@NAME$`, as written (`["PROTEIN1", "PROTEIN2"]`).
    head: the name in the head's tag, or its type; the other one is the tail. Null: the first in the text is the head.
    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.

    Source: Peng et al., Transfer Learning in Biomedical Natural Language Processing (BLUE), BioNLP 2019.

    Config::

        [reader]
        @readers = "relcon.BlindedTSV.v1"
        types = {"CHEM": "CHEMICAL"}
        head = "CHEMICAL"
    """

    expected = "a tab-separated file of blinded sentences: index, sentence, label, or sentence, label"

    def __init__(
        self,
        header: Literal["auto", "yes", "no"] = "auto",
        columns: Optional[List[str]] = None,
        types: Optional[Dict[str, str]] = None,
        placeholders: Optional[List[str]] = None,
        head: Optional[str] = None,
        on_error: OnError = "raise",
    ):
        super().__init__(on_error)
        if header not in ("auto", "yes", "no"):
            raise RelconError(f"header must be 'auto', 'yes' or 'no', not '{header}'")
        if columns is not None and not _are_columns(columns):
            raise RelconError(f"columns must be named 'index', 'sentence', 'label' or '-', with 'sentence' among them; here {columns}")
        if not all(each.strip() for each in placeholders or []):
            raise RelconError(f"placeholders must not be empty; here {placeholders}")
        self.header, self.columns, self.types = header, columns, types or {}
        self.placeholders, self.head = placeholders or [], head

    @property
    def blinding(self) -> Blinding:
        """How the sentences are blinded."""
        return Blinding(self.types, tuple(self.placeholders), self.head)

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Lines of one to three columns, of which one has the tags."""
        rows = [line.split("\t") for line in glimpse.lines[:2]]
        tagged = rows and len(rows[-1]) <= 3 and sum(bool(TAG.search(cell)) for cell in rows[-1]) == 1
        return "tab-separated sentences with tags such as @PROTEIN$" if tagged else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The rows, each a dictionary of its columns."""
        columns: Optional[Sequence[str]] = self.columns
        for number, record in enumerate(lines(path)):
            if isinstance(record, Problem):
                yield record
                continue
            cells = record.value.split("\t")
            if number == 0 and self._is_header(cells):
                columns = self.columns or _header(cells, record)
                continue
            columns = columns or self._columns(cells)
            if columns is None or len(cells) != len(columns):
                wanted = ", ".join(columns) if columns else "1 to 3 columns, or `columns` in the config"
                yield Problem(record.place, f"{len(cells)} columns; expected {wanted}, with tabs between")
                continue
            yield Record(dict(zip(columns, cells, strict=True)), record.source)

    def document(self, record: Record) -> Document:
        """One row."""
        row: Dict[str, str] = record.value
        index = row.get("index", "").strip()
        named = DOCUMENT.fullmatch(index)
        metadata = {"document": named["document"]} if named else {}
        return blinded_document(row["sentence"], row.get("label"), index or record.name, record.source, self.blinding, metadata)

    def _is_header(self, cells: Sequence[str]) -> bool:
        names = [cell.strip().lower() for cell in cells]
        return self.header == "yes" or (self.header == "auto" and "sentence" in names and set(names) <= set(COLUMNS))

    def _columns(self, cells: Sequence[str]) -> Optional[Sequence[str]]:
        """What a file without a header has: its number of columns says it, and of two which one has the tags."""
        pattern = self.blinding.pattern
        indexed = len(cells) == 2 and not pattern.search(cells[0]) and pattern.search(cells[1])
        two = ("index", "sentence") if indexed else ("sentence", "label")
        return {1: ("sentence",), 2: two, 3: COLUMNS}.get(len(cells))


def _are_columns(names: Sequence[str]) -> bool:
    """Whether columns may be called so: 'sentence' is there, and each column that is read once."""
    known = [name for name in names if name != "-"]
    return "sentence" in known and set(known) <= set(COLUMNS) and len(set(known)) == len(known)


def _header(cells: Sequence[str], record: Record) -> List[str]:
    """The columns that a header names. RelconError where it names others."""
    names = [cell.strip().lower() for cell in cells]
    if not _are_columns(names):
        raise RelconError(f"{record.place}: a header must name 'sentence', and may name 'index' and 'label'; here {names}. See `columns`.")
    return names


def blinded_document(
    sentence: str, label: Optional[str], name: str, source: Source, blinding: Blinding, metadata: Mapping[str, Any]
) -> Document:
    """A blinded sentence as a document. RecordError where it has not two tags or one merged tag."""
    words, offsets, tags = blinded_words(sentence, blinding)
    return Document(
        id=name,
        words=words,
        entities=tuple(Entity((Mention(each.place, each.place + 1),), each.type) for each in blinding.arguments(tags)),
        relations=(Relation(0, 1, (label or "").strip() or None),),
        text=sentence,
        offsets=offsets,
        source=source,
        metadata=metadata,
    )


def blinded_words(sentence: str, blinding: Blinding) -> Tuple[Tuple[str, ...], Tuple[CharSpan, ...], List[Tag]]:
    """Words of a blinded sentence, their characters, and its tags. A tag is one word."""
    offsets: List[CharSpan] = []
    tags, end = [], 0
    for found in blinding.pattern.finditer(sentence):
        offsets += _between(sentence, end, found.start())
        tags.append(Tag(len(offsets), found[0], tuple(name for name in (found["one"], found["other"]) if name) or (found[0],)))
        offsets.append(found.span())
        end = found.end()
    offsets += _between(sentence, end, len(sentence))
    return tuple(sentence[start:end] for start, end in offsets), tuple(offsets), tags


def _between(sentence: str, start: int, end: int) -> List[CharSpan]:
    return [(start + first, start + last) for first, last in split_words(sentence[start:end]).offsets]
