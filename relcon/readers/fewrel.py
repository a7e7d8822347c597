"""FewRel's JSON: relation -> its instances, each a tokenised sentence with head and tail."""

import json
import re
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from relcon.data.document import Document, Entity, Mention, Relation, Source, WordSpan
from relcon.data.fields import items, need, of_kind
from relcon.data.glimpse import Glimpse
from relcon.data.store import fingerprint_of_path, hashed
from relcon.data.tokens import mention_of
from relcon.errors import Problem, RecordError, RelconError, did_you_mean, naming, place
from relcon.files import read_object
from relcon.readers.opennre import bare
from relcon.readers.records import OnError, Record, RecordReader, array_items, numbered, whole_text
from relcon.readers.white_space import Solid

BEGINNING = re.compile(r"\s*(?:\{\s*\"[^\"\\]*\"\s*:\s*)?\[\s*(?=\{)")
"""What stands before the first instance: of a file by relation, or of an array."""

OPENING, COMMA, COLON, CLOSING = (re.compile(rf"\s*{sign}\s*") for sign in (r"\{", ",", ":", r"\}"))

Names = Dict[str, str]
"""Relation -> the name of its label."""

NAMES_FORM = 'an object {"P177": ["name", "description"], ...}'
"""What the file of names holds, for messages."""


class Item(NamedTuple):
    """An instance: its relation as the file has it, None in an array, its number among the relation's, and what stands there."""

    relation: Optional[str]
    number: int
    value: Any
    names: Optional[Names]


class Member(NamedTuple):
    """A key of a JSON object, its value, and the line on which it begins."""

    key: str
    value: Any
    line: int


class FewRel(RecordReader):
    """Reads FewRel's JSON: an object `{"P177": [instance, ...], ...}`, or an array of instances without a label.

    An instance is `{"tokens": [...], "h": [name, id, [[number, ...], ...]], "t": [...]}`: each list of numbers is one mention, all of
    whose tokens it gives, counted from 0, rising; with gaps the mention is discontinuous. One document per instance, named after the file
    and the number of the instance in it; entity 0 is h, entity 1 is t, each with all its mentions and its id, and one relation from h to t.
    `metadata["names"]` are the two names, which must agree with every mention in letters and digits (case, spaces and
    punctuation aside). Tokens that are nothing but white space are left out and positions moved accordingly. The text of the file is held
    in memory, and the instances of one relation at a time. A candidate rule that goes with it is `relcon.AnnotatedPairs.v1`.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    pid2name: FewRel's file of names, `{"P177": ["crosses", "..."], ...}`: labels are then these names, and `metadata["relation"]` is the
        relation as the file has it. A relation that is not in it is an error. Null: labels are the relations as the file has them.

    Source: Han et al., FewRel: A Large-Scale Supervised Few-Shot Relation Classification Dataset, EMNLP 2018.

    Config::

        [reader]
        @readers = "relcon.FewRel.v1"
        pid2name = null
    """

    expected = 'a FewRel file, one JSON object {"P177": [{"tokens": [...], "h": [name, id, [[0, 1]]], "t": [...]}, ...], ...}'

    def __init__(self, on_error: OnError = "raise", pid2name: Optional[str] = None):
        super().__init__(on_error)
        self.pid2name = pid2name

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A first instance with 'tokens', and with lists as 'h' and 't'."""
        found = BEGINNING.match(glimpse.text)
        try:
            value = json.JSONDecoder().raw_decode(glimpse.text, found.end())[0] if found else None
        except (ValueError, RecursionError):
            return None
        known = isinstance(value, dict) and "tokens" in value and all(isinstance(value.get(side), list) for side in "ht")
        return "instances with 'tokens', and with lists as 'h' and 't', as FewRel has them" if known else None

    def fingerprint(self) -> str:
        """What its work depends on: its arguments, and the names of the relations."""
        return hashed(self.on_error, self.pid2name and fingerprint_of_path(Path(self.pid2name)))

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The instances of all relations, numbered. RelconError where the file is not UTF-8, or `pid2name` is no such file."""
        text, names = whole_text(path, self.expected), self._names()
        found = _unlabelled(text, path) if text.lstrip().startswith("[") else _labelled(text, path, names)
        return numbered(found)

    def document(self, record: Record) -> Document:
        """One instance."""
        item: Item = record.value
        try:
            return _document(item, record)
        except RecordError as error:
            where = "" if item.relation is None else f"instance {item.number} of '{item.relation}': "
            raise RecordError(f"{where}{error}") from error

    def _names(self) -> Optional[Names]:
        """The names of `pid2name`."""
        if self.pid2name is None:
            return None
        with naming("pid2name:"):
            found = read_object(self.pid2name, NAMES_FORM)
        if not all(isinstance(each, list) and each and isinstance(each[0], str) for each in found.values()):
            raise RelconError(f"pid2name: {self.pid2name} is no such file. Expected {NAMES_FORM}.")
        return {key: value[0] for key, value in found.items()}


def object_members(text: str, path: Path) -> Iterator[Union[Member, Problem]]:
    """The members of a JSON object, decoded one by one; none of a text that is empty. Where the object is broken a Problem comes last."""
    decoder = json.JSONDecoder()
    at, line, counted, before = 0, 1, 0, OPENING
    if not text.strip():
        return
    while found := before.match(text, at):
        if before is OPENING and CLOSING.match(text, found.end()):
            at = found.end()
            break
        line, counted = line + text.count("\n", counted, found.end()), found.end()
        try:
            key, at = decoder.raw_decode(text, found.end())
            colon = COLON.match(text, at)
            if not isinstance(key, str) or not colon:
                there = text[counted : counted + 20]
                yield Problem(place(path, line), f"expected '\"name\": value' here, not {there!r}; nothing after it was read")
                return
            value, at = decoder.raw_decode(text, colon.end())
        except (ValueError, RecursionError) as error:
            yield Problem(place(path, getattr(error, "lineno", line)), f"not JSON: {error}; nothing after it was read")
            return
        yield Member(key, value, line)
        before = COMMA
    if not CLOSING.fullmatch(text, at):
        wanted = "',' or the closing '}'" if before is COMMA else "a JSON object, {...},"
        yield Problem(place(path, line), f"expected {wanted} here, not {text[at : at + 20].strip()!r}; nothing after it was read")


def _labelled(text: str, path: Path, names: Optional[Names]) -> Iterator[Union[Record, Problem]]:
    """The instances of a file by relation."""
    for member in object_members(text, path):
        if isinstance(member, Problem):
            yield member
        elif not isinstance(member.value, list) or not member.key:
            yield Problem(place(path, member.line), f"'{member.key}' must be the name of a relation, with the list of its instances")
        else:
            for number, value in enumerate(member.value):
                yield Record(Item(member.key, number, value, names), Source(str(path), member.line))


def _unlabelled(text: str, path: Path) -> Iterator[Union[Record, Problem]]:
    """The instances of an array."""
    for number, each in enumerate(array_items(text, path)):
        yield each if isinstance(each, Problem) else each._replace(value=Item(None, number, each.value, None))


def _document(item: Item, record: Record) -> Document:
    value = of_kind(item.value, dict, "the record")
    solid = Solid(items(need(value, "tokens", list), str, "'tokens'"))
    names, entities = zip(*(_entity(value, side, solid) for side in "ht"), strict=True)
    return Document(
        id=record.name,
        words=solid.words,
        entities=entities,
        relations=(Relation(0, 1, _label(item)),),
        source=record.source,
        metadata={"names": list(names), **({"relation": item.relation} if item.names else {})},
    )


def _label(item: Item) -> Optional[str]:
    if item.names is None or item.relation is None:
        return item.relation
    if item.relation not in item.names:
        raise RecordError(f"'{item.relation}' is not in the file of `pid2name`.{did_you_mean(item.relation, item.names)}")
    return item.names[item.relation]


def _entity(value: Dict[str, Any], side: str, solid: Solid) -> Tuple[str, Entity]:
    """`[name, id, mentions]` as an entity, and its name."""
    fields = need(value, side, list)
    if len(fields) != 3:
        raise RecordError(f"'{side}' must be [name, id, [[number, ...], ...]], here it has {len(fields)} values")
    name, identity = of_kind(fields[0], str, f"the name of '{side}'"), of_kind(fields[1] or "", str, f"the id of '{side}'")
    written = items(fields[2], list, f"the mentions of '{side}'")
    if not written:
        raise RecordError(f"'{side}' has no mention")
    mentions = tuple(_mention(each, name, f"mention {number} of '{side}'", solid) for number, each in enumerate(written))
    return name, Entity(mentions, id=identity)


def _mention(value: List[Any], name: str, what: str, solid: Solid) -> Mention:
    """A list of token numbers as a mention of this name."""
    numbers = items(value, int, what)
    if not numbers or any(one >= other for one, other in pairwise(numbers)):
        raise RecordError(f"{what} must be a list of token numbers that rise, here it is {str(numbers)[:60]}")
    solid.span(numbers[0], numbers[-1] + 1, what)
    words = [place for number in numbers for place in range(solid.place(number), solid.place(number + 1))]
    mention = mention_of(_runs(words)) if words else None
    there = " ".join(solid.words[word] for word in words)
    if mention is None or bare(name) != bare(there):
        raise RecordError(f"{what} is said to be {name!r}, but its tokens are {there!r}; each has its number there, counted from 0")
    return mention


def _runs(words: List[int]) -> List[WordSpan]:
    """Rising numbers as spans, one for all that follow each other."""
    runs = [list(run) for _, run in groupby(enumerate(words), lambda each: each[1] - each[0])]
    return [(run[0][1], run[-1][1] + 1) for run in runs]
