"""CoNLL-U with relations in a comment, as flair reads and writes it."""

import re
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from relcon.data.document import Document, Entity, Mention, Relation, WordSpan
from relcon.data.fields import digits
from relcon.data.glimpse import Glimpse
from relcon.errors import Problem, RecordError, place
from relcon.readers.bio import entities_of_tags
from relcon.readers.records import Record, RecordReader, blocks, lines

COMMENT = re.compile(r"#\s*(?P<key>[\w.]+)\s*=\s*(?P<value>.*)")

COLUMNS = ("id", "form", "ner")

RELATION = re.compile(r"(\d+);(\d+);(\d+);(\d+);([^;|]+)")


class Sentence(NamedTuple):
    """The lines of a sentence, and the names of their columns."""

    columns: Tuple[str, ...]
    lines: List[str]


class CoNLLU(RecordReader):
    """Reads CoNLL-U and CoNLL-U Plus with relations in a comment, as flair does, labelled or not.

    Sentences are parted by empty lines. `# global.columns = id form ner` at the top names the columns, which tabs separate (those three
    where it is absent); `form` and, where it is there, `ner` (BIO or BIOES) are read. A comment of the sentence,
    `# relations = 7;8;5;5;Live_In|...`, has a relation between each two bars: first and last token of the head, first and last token of the
    tail, counted from 1, ends **inclusive**, and the label. Each of the two spans must be an entity of `ner`; without that column each is
    one, without a type. A sentence without the comment, or with an empty one, has no relations. One document per sentence, named after file
    and line; `# sentence_id` and `# sent_id` go to `metadata["sentence"]`, other comments are not read. Pairs without a relation are
    not in the data: `relcon.EntityPairs.v1` makes them.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.

    Source: Akbik et al., FLAIR: An Easy-to-Use Framework for State-of-the-Art NLP, NAACL 2019 (demonstrations).

    Config::

        [reader]
        @readers = "relcon.CoNLLU.v1"
        on_error = "raise"
    """

    expected = "a CoNLL-U file (comments '# relations = 1;2;5;5;Label|...', then tokens with tabs between, sentences parted by empty lines)"

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A comment with relations."""
        found = [COMMENT.match(line) for line in glimpse.lines[:1000]]
        known = any(each and each["key"] == "relations" for each in found)
        return "tokens in columns with a comment '# relations = ', as flair writes them" if known else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The sentences, each with the columns that hold for it."""
        columns: Tuple[str, ...] = COLUMNS
        for block in blocks(lines(path)):
            if isinstance(block, Problem):
                yield block
                continue
            named = _comments(block.value).get("global.columns")
            columns = tuple(named.lower().split()) if named is not None else columns
            if not all(map(_is_comment, block.value)):
                yield block._replace(value=Sentence(columns, block.value))

    def document(self, record: Record) -> Document:
        """One sentence."""
        sentence: Sentence = record.value
        comments = _comments(sentence.lines)
        if "form" not in sentence.columns:
            raise RecordError(f"'global.columns' must name 'form', the column of the tokens; here it names {' '.join(sentence.columns)}")
        rows = list(_rows(sentence, record))
        words = tuple(row["form"] for row in rows)
        typed = entities_of_tags([row["ner"] for row in rows]) if "ner" in sentence.columns else None
        written = _relations(comments.get("relations", ""), len(words))
        entities = _untyped(written) if typed is None else typed
        numbers = {entity.mentions[0][:2]: number for number, entity in enumerate(entities)}
        name = comments.get("sentence_id", comments.get("sent_id"))
        return Document(
            id=record.name,
            words=words,
            entities=tuple(entities),
            relations=tuple(_relation(each, numbers) for each in written),
            source=record.source,
            metadata={"sentence": name} if name else {},
        )


class Written(NamedTuple):
    """A relation as a comment has it, its spans as words of ours."""

    text: str
    spans: Tuple[WordSpan, WordSpan]
    label: str


def _is_comment(line: str) -> bool:
    """Whether a line is no token; a token may be '#'."""
    return line.startswith("#") and not line.startswith("#\t")


def _comments(found: Sequence[str]) -> Dict[str, str]:
    """The comments of the form `# key = value`."""
    return {match["key"]: match["value"].strip() for line in found if (match := COMMENT.match(line))}


def _rows(sentence: Sentence, record: Record) -> Iterator[Dict[str, str]]:
    """The tokens, each a dictionary of its columns."""
    for number, line in enumerate(sentence.lines):
        if _is_comment(line):
            continue
        cells = [cell.strip() for cell in line.split("\t")]
        where = place(record.source.path, (record.source.line or 1) + number)
        if len(cells) != len(sentence.columns):
            raise RecordError(f"{len(cells)} columns; expected {' '.join(sentence.columns)}, with tabs between", where)
        row = dict(zip(sentence.columns, cells, strict=True))
        if not row["form"]:
            raise RecordError("the token is empty", where)
        yield row


def _relations(comment: str, size: int) -> List[Written]:
    return [_written(each.strip(), size) for each in comment.split("|")] if comment else []


def _written(text: str, size: int) -> Written:
    """`1;2;5;5;Label`, its positions among so many tokens."""
    found = RELATION.fullmatch(text)
    if not found:
        raise RecordError(f"a relation must be 'first;last;first;last;Label' (tokens of head and tail, from 1), here it is {text[:40]!r}")
    one, two, three, four = (digits(each) for each in found.groups()[:4])
    return Written(text, (_span(one, two, size, text), _span(three, four, size, text)), found[5])


def _span(first: Optional[int], last: Optional[int], size: int, text: str) -> WordSpan:
    """An inclusive span from 1 as words of ours."""
    if first is None or last is None or not 1 <= first <= last <= size:
        raise RecordError(f"the relation {text[:40]!r} has a span outside of the tokens 1 to {size}, or a reversed one; ends are inclusive")
    return first - 1, last


def _untyped(written: Sequence[Written]) -> List[Entity]:
    """The arguments of all relations, each span once, in text order."""
    return [Entity((Mention(*span),)) for span in sorted({span for each in written for span in each.spans})]


def _relation(written: Written, numbers: Dict[WordSpan, int]) -> Relation:
    for start, end in written.spans:
        if (start, end) not in numbers:
            raise RecordError(f"the argument {start + 1};{end} of the relation {written.text[:40]!r} is no entity of the column 'ner'")
    return Relation(numbers[written.spans[0]], numbers[written.spans[1]], written.label)
