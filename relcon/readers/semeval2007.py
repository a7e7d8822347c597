"""SemEval-2007 Task 4, the official text: is a sentence's pair of nominals in a given relation?"""

import re
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from relcon.data.document import Document, Entity, Relation
from relcon.data.glimpse import Glimpse
from relcon.data.tokens import annotate
from relcon.errors import Problem, RecordError, RelconError
from relcon.readers.records import OnError, Record, RecordReader, blocks, lines
from relcon.readers.tags import marked_pair, unquoted

FIRST = re.compile(r"(\d+)\s+(\".*)")

NAME = r"[A-Za-z][\w-]*(?:\([^()\"]*\))?"

FIELD = re.compile(rf'\s*({NAME})\s*=\s*"(.*?)"\s*(?=,\s*{NAME}\s*=|$),?')
"""`Name(e1, e2) = "value"`; a value ends where the next field begins, so it may have quotation marks in it."""

RELATION = re.compile(r"([A-Za-z][\w-]*)\(\s*(e[12])\s*,\s*(e[12])\s*\)")

SENSES, QUERY = ("WordNet(e1)", "WordNet(e2)"), "Query"

TRUTH = {"true": True, "false": False, "?": None, "": None}
"""What a field of a relation says; test files leave it open."""


class Answer(NamedTuple):
    """The relation that an item asks about, `Content-Container(e1,e2)`, and whether it holds; None where that is not said."""

    relation: str
    holds: Optional[bool]


class SemEval2007(RecordReader):
    """Reads the official files of SemEval-2007 Task 4, one for each relation, labelled or not.

    A block is `id "sentence"` with tags <e1> and <e2>; a line of fields, `WordNet(e1) = "...", WordNet(e2) = "...", Content-Container(e1,
    e2) = "true", Query = "..."`; and `Comment: ...`. The second and third may be absent. LF or CRLF. One document per sentence, named after
    the file and the id, since ids begin anew in each file; entity 0 is e1, entity 1 is e2, one relation with head e1 and tail e2. Its
    label is the relation as written but for spaces, `Content-Container(e1,e2)` (a relation that goes from e2 to e1 is
    `Content-Container(e2,e1)`), where that is "true"; `negative` where it is "false"; None where it is "?", empty or absent. So labels
    are written as in SemEval-2010. Words are those of `relcon.data.tokens`. A candidate rule that goes with it is
    `relcon.AnnotatedPairs.v1`.

    Metadata: `asked`, the relation that the item asks about, also where it is false; `senses`, `[of e1, of e2]` as WordNet's sense keys;
    `query`; `comment`; each where the file has it.

    negative: the label of a pair of which the relation is false. A file asks about one relation, so that it means "not this one".
    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.

    Source: Girju et al., SemEval-2007 Task 04: Classification of Semantic Relations between Nominals, SemEval 2007.

    Config::

        [reader]
        @readers = "relcon.SemEval2007.v1"
        negative = "Other"
    """

    expected = "a SemEval-2007 Task 4 text file (blocks of 'id \"sentence\"', '..., Relation(e1, e2) = \"true\", ...', comment)"

    def __init__(self, negative: str = "Other", on_error: OnError = "raise"):
        super().__init__(on_error)
        if not negative:
            raise RelconError("negative must name the label of pairs of which the relation is false")
        self.negative = negative

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A numbered sentence with tags, and fields below it."""
        first, second, *_ = [*glimpse.lines[:2], "", ""]
        marked = FIRST.match(first) and "<e1>" in first and "<e2>" in first and FIELD.match(second)
        return "a numbered sentence with <e1> and <e2> and fields below it, as in SemEval-2007 Task 4" if marked else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """Blocks of lines: a new one begins at every numbered line and after every gap in the line numbers."""
        return blocks(lines(path), FIRST)

    def document(self, record: Record) -> Document:
        """One marked sentence."""
        first, *rest = record.value
        number, sentence = _sentence(first)
        text, spans = marked_pair(sentence)
        fields, comment = _fields_and_comment(rest)
        answer = _answer(fields)
        words, offsets, mentions = annotate(text, [(name, [span]) for name, span in spans.items()])
        return Document(
            id=f"{Path(record.source.path).stem}-{number}",
            words=words,
            entities=tuple(Entity((mention,), id=name) for name, mention in zip(spans, mentions, strict=True)),
            relations=(Relation(0, 1, self._label(answer)),),
            text=text,
            offsets=offsets,
            source=record.source,
            metadata=_metadata(fields, answer, comment),
        )

    def _label(self, answer: Optional[Answer]) -> Optional[str]:
        if answer is None or answer.holds is None:
            return None
        return answer.relation if answer.holds else self.negative


def _sentence(line: str) -> Tuple[str, str]:
    """`id "sentence"` -> id, sentence."""
    found = FIRST.fullmatch(line)
    if not found:
        raise RecordError(f"expected 'id \"sentence\"' with a number as id, here the block begins {line[:40]!r}")
    return found.group(1), unquoted(found.group(2), found.group(1))


def _fields_and_comment(rest: List[str]) -> Tuple[Dict[str, str], str]:
    """The lines after the sentence: fields, then a comment; both may be absent."""
    written = rest.pop(0) if rest and not rest[0].startswith("Comment:") else ""
    comment = " ".join(rest).strip()
    if comment and not comment.startswith("Comment:"):
        raise RecordError(f"expected 'Comment: ...' below the fields, here it is {comment[:40]!r}")
    return _fields(written), comment.removeprefix("Comment:").strip()


def _fields(written: str) -> Dict[str, str]:
    """`Name = "value", ...` -> its fields, the names without spaces."""
    fields, at = {}, 0
    while written[at:].strip():
        found = FIELD.match(written, at)
        if not found:
            raise RecordError(f"expected 'Name = \"value\"' with commas between below the sentence, here it goes on {written[at:][:40]!r}")
        name = "".join(found[1].split())
        if name in fields:
            raise RecordError(f"the field '{name}' stands twice below the sentence")
        fields[name], at = found[2], found.end()
    return fields


def _answer(fields: Dict[str, str]) -> Optional[Answer]:
    """The one field that names a relation; None where there is none. RecordError where a field is not known."""
    answers = []
    for name, value in fields.items():
        if name in SENSES or name == QUERY:
            continue
        found = RELATION.fullmatch(name)
        if not found or found[2] == found[3]:
            raise RecordError(f"unknown field '{name}'; expected WordNet(e1), WordNet(e2), Query, or a relation such as 'Origin(e1, e2)'")
        if value.strip().lower() not in TRUTH:
            raise RecordError(f"'{name}' must be \"true\", \"false\" or \"?\", here it is {value[:40]!r}")
        answers.append(Answer(name, TRUTH[value.strip().lower()]))
    if len(answers) > 1:
        raise RecordError(f"expected one relation below the sentence, here are {answers[0].relation} and {answers[1].relation}")
    return answers[0] if answers else None


def _metadata(fields: Dict[str, str], answer: Optional[Answer], comment: str) -> Dict[str, Any]:
    """What is kept beside the label."""
    found = {
        "asked": answer and answer.relation,
        "senses": [fields.get(name, "") for name in SENSES] if any(name in fields for name in SENSES) else None,
        "query": fields.get(QUERY),
        "comment": comment,
    }
    return {key: value for key, value in found.items() if value}
