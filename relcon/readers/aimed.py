"""AIMed, the original files: abstracts with inline tags for proteins and for the sides of their interactions."""

import logging
import re
from itertools import pairwise
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from relcon.data.document import Document, Entity, Mention, Relation, Source, WordSpan
from relcon.data.glimpse import Glimpse
from relcon.data.tokens import split_at_spaces, word_span
from relcon.errors import Problem, RecordError, RelconError
from relcon.readers.records import Record, RecordReader, lines
from relcon.readers.tags import without_tags

logger = logging.getLogger(__name__)

TAG = re.compile(r"<(?P<closing>/?)(?P<name>prot|p1|p2)(?:\s+pair=(?P<pair>[0-9]+))?\s*>")

MENTION = re.compile(r"<prot>[^`\n]*</prot>")
"""What AIMed's files have. A page about them quotes the tags, in back-quotes as Markdown has it."""

POSITIVE = "positive"


class Line(NamedTuple):
    """A sentence: words, proteins, sides of interactions (pair, p1 or p2, span); spans count words of the document."""

    words: Tuple[str, ...]
    proteins: List[WordSpan]
    sides: List[Tuple[str, str, WordSpan]]


class AIMed(RecordReader):
    """Reads the original AIMed corpus: the folder of its `abstract*` files, or one of them, labelled or not.

    One document per file, its id and `metadata["file"]` the file's name; every line is a sentence; words are what spaces
    separate, cut at tags. `<prot>` is a mention, each an entity of type PROTEIN; tags may nest and repeat. `<p1 pair=N>` and
    `<p2 pair=N>` around two mentions make a relation `positive` between them. The corpus lists no pairs without an interaction: a
    candidate rule makes them (negative label `negative`). A side that is no `<prot>` (nine in the corpus) is a mention of its own; an
    interaction with one side only (four in the corpus) is left out and logged; both sides around one mention is a protein that
    interacts with itself (54).

    on_error: "raise" reports the first ten bad files and the count of all; "skip" leaves them out and logs them.

    Source: Bunescu et al., Comparative experiments on learning information extractors for proteins and their interactions,
    Artificial Intelligence in Medicine 33, 2005.

    Config::

        [reader]
        @readers = "relcon.AIMed.v1"
        on_error = "raise"
    """

    expected = "the folder of AIMed's 'abstract*' files (one sentence a line, tags <prot>, <p1 pair=N>, <p2 pair=N>), or one of them"
    takes = "either"

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A file with a mention in <prot>, or a folder of files 'abstract*' with it; no page that quotes the tag."""
        text = glimpse.first("abstract*").text
        return "text with the tags <prot>, as in AIMed" if MENTION.search(text) and "`<prot>`" not in text else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The files, in the order of their names."""
        files = sorted(file for file in path.glob("abstract*") if file.is_file()) if path.is_dir() else [path]
        if not files:
            raise RelconError(f"{path} has no file 'abstract*'; expected {self.expected}.")
        for file in files:
            found = list(lines(file))
            problem = next((line for line in found if isinstance(line, Problem)), None)
            yield problem or Record(found, Source(str(file)))

    def document(self, record: Record) -> Document:
        """One abstract."""
        read: List[Line] = []
        ends = [0]
        for line in record.value:
            read.append(_line(line, ends[-1]))
            ends.append(ends[-1] + len(read[-1].words))
        entities = sorted({span for line in read for span in [*line.proteins, *(span for *_, span in line.sides)]})
        name = Path(record.source.path).name
        return Document(
            id=name,
            words=tuple(word for line in read for word in line.words),
            entities=tuple(Entity((Mention(*span),), "PROTEIN") for span in entities),
            relations=tuple(_relations(read, entities, record)),
            sentences=tuple(pairwise(ends)),
            source=record.source,
            metadata={"file": name},
        )


def _line(record: Record, first: int) -> Line:
    """A sentence whose words are counted from `first`."""
    text, tags = without_tags(record.value, TAG)
    words, offsets = split_at_spaces(text, (position for _, position in tags))
    line = Line(words, [], [])
    for tag, start, end in _elements(tags, record):
        begin, stop = word_span(offsets, start, end, f"'{tag.group()}'")
        span = (first + begin, first + stop)
        if tag["name"] == "prot":
            line.proteins.append(span)
        elif tag["pair"]:
            line.sides.append((tag["pair"], tag["name"], span))
        else:
            raise RecordError(f"'{tag.group()}' names no pair; expected '<{tag['name']} pair=N>'", record.place)
    return line


def _elements(tags: List[Tuple[re.Match[str], int]], record: Record) -> Iterator[Tuple[re.Match[str], int, int]]:
    """Each opening tag with the characters [start, end) up to the tag that closes it."""
    waiting: List[Tuple[re.Match[str], int]] = []
    for tag, position in tags:
        if not tag["closing"]:
            waiting.append((tag, position))
        elif waiting and waiting[-1][0]["name"] == tag["name"]:
            opening, start = waiting.pop()
            yield opening, start, position
        else:
            raise RecordError(f"'{tag.group()}' does not close the tag that was opened last", record.place)
    if waiting:
        raise RecordError(f"'{waiting[-1][0].group()}' is not closed on its line", record.place)


def _relations(read: List[Line], entities: List[WordSpan], record: Record) -> Iterator[Relation]:
    """The interactions of a file that have both sides, in the order of their numbers."""
    pairs: Dict[str, Dict[str, WordSpan]] = {}
    for pair, side, span in (each for line in read for each in line.sides):
        if pairs.setdefault(pair, {}).setdefault(side, span) != span:
            raise RecordError(f"interaction {pair} has the side {side} twice; expected <p1 pair={pair}> and <p2 pair={pair}> once each")
    for pair, sides in sorted(pairs.items(), key=lambda item: (len(item[0]), item[0])):
        if len(sides) == 2:
            yield Relation(entities.index(sides["p1"]), entities.index(sides["p2"]), POSITIVE, id=pair)
        else:
            logger.warning("%s: interaction %s has the side %s only and is left out", record.place, pair, next(iter(sides)))
