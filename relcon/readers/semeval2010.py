"""SemEval-2010 Task 8, the official text (Hendrickx et al., SemEval 2010)."""

import re
from pathlib import Path
from typing import Dict, Iterator, List, Optional, Tuple, Union

from relcon.data.document import Document, Entity, Relation
from relcon.data.tokens import CharSpan, annotate
from relcon.errors import Problem, RecordError
from relcon.readers.records import Record, RecordReader, lines
from relcon.readers.tags import without_tags

FIRST = re.compile(r"(\d+)\t(.*)")
TAG = re.compile(r"</?e[12]>")
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

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """Blocks of lines: a new one begins at every numbered line and after every gap in the line numbers."""
        block: List[Record] = []
        for line in lines(path):
            if isinstance(line, Problem):
                yield line
            elif block and not FIRST.match(line.value) and line.source.line == (block[-1].source.line or 0) + 1:
                block.append(line)
            else:
                yield from _block(block)
                block = [line]
        yield from _block(block)

    def document(self, record: Record) -> Document:
        """One marked sentence."""
        first, *rest = record.value
        number, sentence = _sentence(first)
        text, spans = _marked(sentence)
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


def _block(block: List[Record]) -> Iterator[Record]:
    if block:
        yield Record([line.value for line in block], block[0].source)


def _sentence(line: str) -> Tuple[str, str]:
    """`id TAB "sentence"` -> id, sentence without its outer quotation marks (inner ones stay)."""
    found = FIRST.fullmatch(line)
    if not found:
        raise RecordError(f"expected 'id TAB \"sentence\"' with a number as id, here the block begins {line[:40]!r}")
    number, quoted = found.group(1), found.group(2).strip()
    if len(quoted) < 2 or not (quoted.startswith('"') and quoted.endswith('"')):
        raise RecordError(f"the sentence of item {number} must stand between quotation marks, here it is {quoted[:40]!r}")
    return number, quoted[1:-1]


def _marked(sentence: str) -> Tuple[str, Dict[str, CharSpan]]:
    """The sentence without tags, and the characters between <e1> and </e1>, <e2> and </e2>."""
    text, tags = without_tags(sentence, TAG)
    places = {tag.group(): position for tag, position in tags}
    if len(tags) != 4 or len(places) != 4:
        raise RecordError("expected each of <e1>, </e1>, <e2>, </e2> once in the sentence, here: " + " ".join(t.group() for t, _ in tags))
    return text, {name: (places[f"<{name}>"], places[f"</{name}>"]) for name in ("e1", "e2")}


def _label_and_comment(rest: List[str]) -> Tuple[Optional[str], str]:
    """The lines after the sentence: a label, then a comment; both may be absent."""
    label = rest.pop(0).strip() if rest and not rest[0].startswith("Comment:") else None
    if label is not None and not LABEL.fullmatch(label):
        raise RecordError(f"expected a label such as 'Cause-Effect(e1,e2)' or 'Other' below the sentence, here it is {label[:40]!r}")
    comment = " ".join(rest).strip()
    if comment and not comment.startswith("Comment:"):
        raise RecordError(f"expected 'Comment: ...' below the label, here it is {comment[:40]!r}")
    return label, comment.removeprefix("Comment:").strip()
