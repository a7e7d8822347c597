"""The file formats of CLRE's authors, and text with mentions for the builders."""

import re
from pathlib import Path
from typing import Dict, Iterator, List, Literal, Optional, Sequence, Tuple, Union

from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.fields import items, may, need, only
from relcon.data.tokens import CharSpan, annotate, split_sentences, split_words
from relcon.errors import Problem, RecordError, RelconError
from relcon.readers.records import OnError, Record, RecordReader, json_object, lines

TAG = re.compile(r"@(?P<one>[A-Za-z][A-Za-z0-9_]*)(?:-(?P<other>[A-Za-z][A-Za-z0-9_]*))?\$")
"""`@PROTEIN$`, or `@CHEM-GENE$` for two mentions that overlap."""

COLUMNS = ("index", "sentence", "label")
BY_NUMBER: Dict[int, Sequence[str]] = {1: ("sentence",), 2: ("sentence", "label"), 3: COLUMNS}
"""What a file without a header has, by its number of columns."""

DOCUMENT = re.compile(r"(?P<document>.+?)(?:\.T\d+\.T\d+|\.s\d+\.[ep]\d+(?:\.e\d+)?)")
"""An index that names its document: `10064839.T1.T11`, `DDI-DrugBank.d481.s0.p0`."""


class BlindedTSV(RecordReader):
    """Reads the blinded sentences of CLRE's authors (and of BLUE and BLURB): tab-separated, no quoting, labelled or not.

    `index<TAB>sentence<TAB>label` with a header line (ChemProt, DDI, AIMed's test files) or without (AIMed as a whole), and
    `sentence<TAB>label` (AIMed's folds, external-knowledge files). Each line is a document of one sentence. Its two tags,
    `@PROTEIN$`, are single words and the two entities, typed by the tag; the first in the text is the head. A merged tag,
    `@CHEM-GENE$`, stands for two overlapping mentions: two entities with the same mention. The index is the id; one such as
    `10064839.T1.T11` also names the document (`metadata["document"]`). Where it is not unique (the authors' augmented test sets
    alternate original and copy), call its column "-" and lines are named by file and number.

    header: "yes", "no", or "auto": the first line is one if it consists of the names of columns.
    columns: names of the columns, from "index", "sentence", "label" and "-" (not read); by default as the header says, else by
        their number: 1 sentence, 2 sentence and label, 3 index, sentence and label.
    types: tag -> entity type (`{"GENE": "PROTEIN"}`); tags that are not named are kept.
    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.

    Config::

        [reader]
        @readers = "clre.BlindedTSV.v1"
        types = {"GENE": "PROTEIN"}
    """

    expected = "a tab-separated file of blinded sentences: index, sentence, label, or sentence, label"

    def __init__(
        self,
        header: Literal["auto", "yes", "no"] = "auto",
        columns: Optional[List[str]] = None,
        types: Optional[Dict[str, str]] = None,
        on_error: OnError = "raise",
    ):
        super().__init__(on_error)
        if header not in ("auto", "yes", "no"):
            raise RelconError(f"header must be 'auto', 'yes' or 'no', not '{header}'")
        if columns is not None and ("sentence" not in columns or not set(columns) <= {*COLUMNS, "-"}):
            raise RelconError(f"columns must be named 'index', 'sentence', 'label' or '-', with 'sentence' among them; here {columns}")
        self.header, self.columns, self.types = header, columns, types or {}

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The rows, each a dictionary of its columns."""
        columns: Optional[Sequence[str]] = self.columns
        for number, record in enumerate(lines(path)):
            if isinstance(record, Problem):
                yield record
                continue
            cells = record.value.split("\t")
            if number == 0 and self._is_header(cells):
                columns = self.columns or [cell.strip().lower() for cell in cells]
                continue
            columns = columns or BY_NUMBER.get(len(cells))
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
        return blinded_document(row["sentence"], row.get("label"), index or record.name, record, self.types, named and named["document"])

    def _is_header(self, cells: Sequence[str]) -> bool:
        names = [cell.strip().lower() for cell in cells]
        return self.header == "yes" or (self.header == "auto" and "sentence" in names and set(names) <= set(COLUMNS))


class AugmentationTSV(RecordReader):
    """Reads the augmentation output of CLRE's authors: `label<TAB>original<TAB>copy 1 ... copy k`, no header.

    use: "original": the original sentences, for training whose views are drawn anew; "copies": the augmented copies; "all": both,
        each copy with the label of its original (the data-augmentation study of the paper's Table 4).
    copies: numbers of the copies that are read, from 1; null for all. A file of the authors has the synonym copies first, then
        those by swap, then those by deletion.
    types: tag -> entity type; tags that are not named are kept.
    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.

    Every sentence is a document; a copy's id is that of its original with `.c1`, and `metadata` has the original's id
    (`original`) and the copy's number (`copy`, 0 for the original).

    Config::

        [reader]
        @readers = "clre.AugmentationTSV.v1"
        use = "all"
    """

    expected = "a tab-separated file of label, original sentence and its copies"

    def __init__(
        self,
        use: Literal["original", "copies", "all"] = "original",
        copies: Optional[List[int]] = None,
        types: Optional[Dict[str, str]] = None,
        on_error: OnError = "raise",
    ):
        super().__init__(on_error)
        if use not in ("original", "copies", "all"):
            raise RelconError(f"use must be 'original', 'copies' or 'all', not '{use}'")
        if copies is not None and (not copies or min(copies) < 1):
            raise RelconError(f"copies are numbered from 1; here {copies}")
        self.use, self.copies, self.types = use, copies, types or {}

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """(label, sentence, number of the copy) of each sentence that is wanted."""
        for record in lines(path):
            if isinstance(record, Problem):
                yield record
                continue
            label, *sentences = record.value.split("\t")
            missing = [number for number in self._wanted(len(sentences)) if number >= len(sentences)]
            if not sentences or missing or (self.use != "original" and len(sentences) == 1):
                yield Problem(record.place, f"{len(sentences)} sentences after the label; expected the original and its copies")
                continue
            for number in self._wanted(len(sentences)):
                yield Record((label, sentences[number], number), record.source)

    def document(self, record: Record) -> Document:
        """One sentence of a line."""
        label, sentence, number = record.value
        name = record.name if number == 0 else f"{record.name}.c{number}"
        return blinded_document(sentence, label, name, record, self.types, None, {"original": record.name, "copy": number})

    def _wanted(self, size: int) -> List[int]:
        """Places among the sentences of a line."""
        copies = self.copies if self.copies is not None else range(1, size)
        return ([0] if self.use != "copies" else []) + (list(copies) if self.use != "original" else [])


class MentionedText(RecordReader):
    """Reads text with the mentions of a recogniser: JSON-lines, without labels.

    `{"id": "8618430", "text": "...", "mentions": [{"start": 0, "end": 4, "type": "PROTEIN", "kb_id": "P04637"}], "relation": "..."}`:
    characters, ends exclusive; `kb_id` and `relation` (kept in `metadata`) may be absent. Each mention is an entity, its id the `kb_id`.

    split_sentences: find the sentences of a text; otherwise each is one sentence.
    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.

    Config::

        [reader]
        @readers = "clre.MentionedText.v1"
        split_sentences = true
    """

    expected = 'a JSON-lines file of {"id", "text", "mentions": [{"start", "end", "type", "kb_id"}]}'

    def __init__(self, split_sentences: bool = True, on_error: OnError = "raise"):
        super().__init__(on_error)
        self.split_sentences = split_sentences

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The lines that are not blank."""
        return lines(path)

    def document(self, record: Record) -> Document:
        """One text."""
        row = json_object(record.value)
        only(row, ("id", "text", "mentions", "relation"))
        text, mentions = need(row, "text", str), items(need(row, "mentions", list), dict, "'mentions'")
        for number, mention in enumerate(mentions):
            only(mention, ("start", "end", "type", "kb_id"), f"mention {number}")
        spans = [_span(mention, f"mention {number}") for number, mention in enumerate(mentions)]
        words, offsets, placed = annotate(text, spans)
        found = [
            Entity((place,), need(mention, "type", str, f"mention {number}"), may(mention, "kb_id", str, "", f"mention {number}"))
            for number, (mention, place) in enumerate(zip(mentions, placed, strict=True))
        ]
        return Document(
            id=may(row, "id", str, record.name),
            words=words,
            entities=tuple(found),
            sentences=split_sentences(words, [(each.start, each.end) for each in placed]) if self.split_sentences else (),
            text=text,
            offsets=offsets,
            source=record.source,
            metadata={"relation": row["relation"]} if row.get("relation") is not None else {},
        )


def _span(mention: Dict[str, object], what: str) -> Tuple[str, List[CharSpan]]:
    return what, [(need(mention, "start", int, what), need(mention, "end", int, what))]


def blinded_document(
    sentence: str,
    label: Optional[str],
    name: str,
    record: Record,
    types: Dict[str, str],
    document: Optional[str] = None,
    metadata: Optional[Dict[str, object]] = None,
) -> Document:
    """A blinded sentence as a document. RecordError where it has not two tags or one merged tag."""
    words, offsets, tags = blinded_words(sentence)
    kinds = [(place, kind) for place, tag in tags for kind in (tag["one"], tag["other"]) if kind]
    if len(kinds) != 2:
        found = ", ".join(tag[0] for _, tag in tags) or "none"
        raise RecordError(f"expected two tags such as @PROTEIN$, or one merged tag such as @CHEM-GENE$; found {found}")
    return Document(
        id=name,
        words=words,
        entities=tuple(Entity((Mention(place, place + 1),), types.get(kind, kind)) for place, kind in kinds),
        relations=(Relation(0, 1, (label or "").strip() or None),),
        text=sentence,
        offsets=offsets,
        source=record.source,
        metadata={**({"document": document} if document else {}), **(metadata or {})},
    )


def blinded_words(sentence: str) -> Tuple[Tuple[str, ...], Tuple[CharSpan, ...], List[Tuple[int, "re.Match[str]"]]]:
    """Words of a blinded sentence, their characters, and the tags with their places among the words. A tag is one word."""
    offsets: List[CharSpan] = []
    tags = []
    end = 0
    for tag in TAG.finditer(sentence):
        offsets += _between(sentence, end, tag.start())
        tags.append((len(offsets), tag))
        offsets.append(tag.span())
        end = tag.end()
    offsets += _between(sentence, end, len(sentence))
    return tuple(sentence[start:end] for start, end in offsets), tuple(offsets), tags


def _between(sentence: str, start: int, end: int) -> List[CharSpan]:
    return [(start + first, start + last) for first, last in split_words(sentence[start:end]).offsets]
