"""SemEval-2010 Task 8, the official text (Hendrickx et al., SemEval 2010)."""

import re
from pathlib import Path
from typing import Iterator, List, Optional, Tuple, Union

from relcon.data.document import Document, Entity, Relation
from relcon.data.glimpse import Glimpse
from relcon.data.tokens import annotate
from relcon.errors import Problem, RecordError
from relcon.readers.records import Record, RecordReader, blocks, lines
from relcon.readers.tags import marked_pair, unquoted

FIRST = re.compile(r"(\d+)\t(.*)")
LABEL = re.compile(r"[A-Za-z_-]+(\(e[12],e[12]\))?")


class SemEval2010(RecordReader):
    """Reads the official files of SemEval-2010 Task 8, `TRAIN_FILE.TXT` and `TEST_FILE_FULL.TXT`, labelled or not.

    A block is `id TAB "sentence"`, the label, `Comment: ...` and an empty line; unlabelled files (`TEST_FILE_CLEAN.TXT`) have the
    first line only. LF or CRLF. One document per sentence; entity 0 is e1, entity 1 is e2, one relation with head e1 and tail
    e2 and the label as written (`Cause-Effect(e2,e1)`, `Other`), None where the file has none. A comment goes to
    `metadata["comment"]`. Words are those of `relcon.data.tokens`: the corpus is not tokenised.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.

    Source: Hendrickx et al., SemEval-2010 Task 8, ACL 2010.

    Config::

        [reader]
        @readers = "relcon.SemEval2010.v1"
        on_error = "raise"
    """

    expected = "a SemEval-2010 Task 8 text file (blocks of 'id TAB \"sentence\"', label, comment, empty line)"

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A numbered sentence with tags."""
        marked = any(FIRST.match(line) and "<e1>" in line and "<e2>" in line for line in glimpse.lines[:1])
        return "a numbered sentence with <e1> and <e2>, as in SemEval-2010 Task 8" if marked else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """Blocks of lines: a new one begins at every numbered line and after every gap in the line numbers."""
        return blocks(lines(path), FIRST)

    def document(self, record: Record) -> Document:
        """One marked sentence."""
        first, *rest = record.value
        number, sentence = _sentence(first)
        text, spans = marked_pair(sentence)
        label, comment = _label_and_comment(rest)
        words, offsets, (head, tail) = annotate(text, [("e1", [spans["e1"]]), ("e2", [spans["e2"]])])
        return Document(
            id=number,
            words=words,
            entities=(Entity((head,), id="e1"), Entity((tail,), id="e2")),
            relations=(Relation(0, 1, label),),
            text=text,
            offsets=offsets,
            source=record.source,
            metadata={"comment": comment} if comment else {},
        )


def _sentence(line: str) -> Tuple[str, str]:
    """`id TAB "sentence"` -> id, sentence without its outer quotation marks (inner ones stay)."""
    found = FIRST.fullmatch(line)
    if not found:
        raise RecordError(f"expected 'id TAB \"sentence\"' with a number as id, here the block begins {line[:40]!r}")
    return found.group(1), unquoted(found.group(2), found.group(1))


def _label_and_comment(rest: List[str]) -> Tuple[Optional[str], str]:
    """The lines after the sentence: a label, then a comment; both may be absent."""
    label = rest.pop(0).strip() if rest and not rest[0].startswith("Comment:") else None
    if label is not None and not LABEL.fullmatch(label):
        raise RecordError(f"expected a label such as 'Cause-Effect(e1,e2)' or 'Other' below the sentence, here it is {label[:40]!r}")
    comment = " ".join(rest).strip()
    if comment and not comment.startswith("Comment:"):
        raise RecordError(f"expected 'Comment: ...' below the label, here it is {comment[:40]!r}")
    return label, comment.removeprefix("Comment:").strip()
