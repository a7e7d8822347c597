"""The file formats of CLRE's authors, and text with mentions for the builders."""

from pathlib import Path
from typing import Dict, Iterator, List, Literal, Optional, Tuple, Union

from relcon.data.document import Document, Entity
from relcon.data.fields import items, may, need, only
from relcon.data.glimpse import Glimpse
from relcon.data.tokens import CharSpan, annotate, split_sentences
from relcon.errors import Problem, RelconError
from relcon.readers import blinded_tsv
from relcon.readers.blinded_tsv import TAG, Blinding, blinded_document
from relcon.readers.records import OnError, Record, RecordReader, json_object, lines


class BlindedTSV(blinded_tsv.BlindedTSV):
    """Reads the blinded sentences of CLRE's authors: `relcon.BlindedTSV.v1` under its first name.

    Their files have `index<TAB>sentence<TAB>label` with a header line (ChemProt, DDI, AIMed's test files) or without (AIMed as a whole),
    and `sentence<TAB>label` (AIMed's folds, external-knowledge files). In their augmented test sets, which alternate original and copy, an
    index is not unique: there, call its column "-".

    header: "yes", "no", or "auto": the first line is one if it consists of the names of columns.
    columns: names of the columns, from "index", "sentence", "label" and "-" (not read); by default as the header says, else by
        their number and, of two, by which one has the tags.
    types: name in a tag -> entity type (`{"GENE": "PROTEIN"}`); names that are not there are kept.
    placeholders: what stands for a mention beside tags of the form `@NAME$`, as written.
    head: the name in the head's tag, or its type. Null: the first in the text is the head.
    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.

    Config::

        [reader]
        @readers = "clre.BlindedTSV.v1"
        types = {"GENE": "PROTEIN"}
    """


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

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A label, and several sentences with the tags."""
        cells = glimpse.lines[0].split("\t")[1:] if glimpse.lines else []
        tagged = len(cells) > 1 and all(TAG.search(cell) for cell in cells)
        return "a label and several sentences with tags such as @PROTEIN$, tab-separated" if tagged else None

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
        metadata = {"original": record.name, "copy": number}
        return blinded_document(sentence, label, name, record.source, Blinding(self.types), metadata)

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

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Lines with 'text' and 'mentions'."""
        known = not glimpse.is_array and glimpse.has("text") and glimpse.objects("mentions") is not None
        return "JSON-lines with 'text' and 'mentions', as clre.MentionedText.v1 takes them" if known else None

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
