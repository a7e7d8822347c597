"""SciBERT's JSON-lines: one sentence a line, its two mentions between `<< >>` and `[[ ]]`."""

import re
from itertools import pairwise
from typing import Any, Dict, List, Literal, NamedTuple, Optional, Tuple

from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.fields import items, need
from relcon.data.glimpse import Glimpse
from relcon.data.tokens import Annotated, CharSpan, annotate, mention_at, split_at_spaces
from relcon.errors import RecordError, RelconError
from relcon.readers.records import LineReader, OnError, Record, json_object
from relcon.readers.standoff import label_of

Marker = Literal["[[", "<<"]

MARKERS: Dict[Marker, Tuple[str, str]] = {"[[": ("[[ ", " ]]"), "<<": ("<< ", " >>")}
"""What opens and closes a mention; the space belongs to the marker."""


class Marked(NamedTuple):
    """A sentence without its markers, and the characters of the mention in each of them."""

    text: str
    spans: Dict[Marker, CharSpan]


class SciBERT(LineReader):
    """Reads the JSON-lines of SciBERT's and DAPT's classification tasks (ChemProt, SciERC), labelled or not.

    A line is `{"text": "... [[ mention ]] ... << mention >> ...", "label": "...", "metadata": [...]}`; `label` and `metadata` may be
    absent. Each marker, with its inner space, opens once; the first one that closes it after that ends the mention. Mentions may nest or
    cross. One document per line, named after file and line; entity 0 is the head, entity 1 the tail, one relation from head to tail. A
    candidate rule that goes with it is `relcon.AnnotatedPairs.v1`.

    Where `metadata` is `[start, end, start, end]`, as in SciERC, the text is tokenised already: words are what white space separates, and
    the positions (words without the markers, from 0, ends **inclusive**, of `[[ ]]` first) must be those of the markers. Words of any other
    text are those of `relcon.data.tokens`. `metadata` that is not empty is kept under that name.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    head: the marker of the head. "[[" in SciERC, where the other one is the tail. ChemProt's `<<` is but the mention that comes first: its
        markers tell neither type nor direction.

    Source: Beltagy et al., SciBERT: A Pretrained Language Model for Scientific Text, EMNLP-IJCNLP 2019.

    Config::

        [reader]
        @readers = "relcon.SciBERT.v1"
        head = "[["
    """

    expected = 'a JSON-lines file, each line {"text": "... [[ mention ]] ... << mention >> ...", "label": "...", "metadata": []}'

    def __init__(self, on_error: OnError = "raise", head: Marker = "[["):
        super().__init__(on_error)
        if head not in MARKERS:
            raise RelconError(f"head must be '[[' or '<<', not '{head}'")
        self.head = head

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A text with both markers."""
        text = None if glimpse.is_array else glimpse.value("text")
        marked = isinstance(text, str) and all(tag in text for tags in MARKERS.values() for tag in tags)
        return "JSON-lines whose 'text' has << >> and [[ ]] around two mentions, as SciBERT's" if marked else None

    def document(self, record: Record) -> Document:
        """One marked sentence."""
        value = json_object(record.value)
        marked = unmarked(need(value, "text", str))
        positions = _positions(value)
        placed = _words(marked) if positions is None else _tokens(marked, positions)
        mentions = dict(zip(MARKERS, placed.mentions, strict=True))
        tail: Marker = "<<" if self.head == "[[" else "[["
        return Document(
            id=record.name,
            words=placed.words,
            entities=(Entity((mentions[self.head],)), Entity((mentions[tail],))),
            relations=(Relation(0, 1, label_of(value, "label", "the record")),),
            text=marked.text,
            offsets=placed.offsets,
            source=record.source,
            metadata={"metadata": value["metadata"]} if value.get("metadata") else {},
        )


def unmarked(text: str) -> Marked:
    """A text without the two markers. RecordError where one is missing or opens twice."""
    tags = {marker: _tags(text, marker) for marker in MARKERS}
    cuts = sorted(tag for pair in tags.values() for tag in pair)
    if any(one[1] > other[0] for one, other in pairwise(cuts)):
        raise RecordError("two markers share a space; expected one space after '<<' and '[[' and one before '>>' and ']]'")
    edges = [0, *(edge for cut in cuts for edge in cut), len(text)]
    kept = "".join(text[start:end] for start, end in zip(edges[::2], edges[1::2], strict=True))
    return Marked(kept, {marker: (_moved(opening[1], cuts), _moved(closing[0], cuts)) for marker, (opening, closing) in tags.items()})


def _tags(text: str, marker: Marker) -> Tuple[CharSpan, CharSpan]:
    """Where a marker opens and where it closes."""
    opening, closing = MARKERS[marker]
    form = f"'{opening}mention{closing}'"
    if text.count(opening) != 1:
        raise RecordError(f"expected one {form} in 'text'; '{opening}' stands there {text.count(opening)} times")
    found = re.compile(rf"{re.escape(opening)}.*?({re.escape(closing)})", re.DOTALL).search(text)
    if not found:
        raise RecordError(f"expected {form} in 'text'; nothing closes the '{opening}'")
    return (found.start(), found.start() + len(opening)), found.span(1)


def _moved(place: int, cuts: List[CharSpan]) -> int:
    """A character position of the marked text in the text without these pieces, none of which it lies inside."""
    return place - sum(end - start for start, end in cuts if end <= place)


def _positions(value: Dict[str, Any]) -> Optional[Dict[Marker, Tuple[int, int]]]:
    """The inclusive positions in a list of four numbers; None where `metadata` is something else, or nothing."""
    found = value.get("metadata")
    if not isinstance(found, list) or not found:
        return None
    numbers = items(found, int, "'metadata'")
    if len(numbers) != 4:
        raise RecordError(f"'metadata' must be [] or [start, end, start, end], here it has {len(numbers)} numbers")
    return {"[[": (numbers[0], numbers[1]), "<<": (numbers[2], numbers[3])}


def _words(marked: Marked) -> Annotated:
    return annotate(marked.text, [(f"the mention in '{marker}'", [span]) for marker, span in marked.spans.items()])


def _tokens(marked: Marked, positions: Dict[Marker, Tuple[int, int]]) -> Annotated:
    """White space separates words, and mentions are where the positions say."""
    words, offsets = split_at_spaces(marked.text)
    mentions = {marker: mention_at(offsets, [span], f"the mention in '{marker}'") for marker, span in marked.spans.items()}
    for marker, mention in mentions.items():
        _compare(marker, mention, positions[marker])
    return Annotated(words, offsets, tuple(mentions.values()))


def _compare(marker: Marker, mention: Mention, position: Tuple[int, int]) -> None:
    if (mention.start, mention.end - 1) != position:
        raise RecordError(
            f"'metadata' has {list(position)} for the mention in '{marker}', which is [{mention.start}, {mention.end - 1}] in the text; "
            "positions count words without the markers from 0, the end is inclusive, and those of '[[' come first"
        )
