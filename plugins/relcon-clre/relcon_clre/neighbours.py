"""Neighbours of test instances as a file: what was changed, not the whole document, which many pairs may share.

A line of `neighbours.jsonl` is `{"id": ..., "text": ..., "neighbour": ..., "replaced": [start, end], "words": [...]}`: in the
document of the instance `id` the words [start, end) became `words`. `text` and `neighbour` show the sentence before and after.
Where annotations did more than move along with their words, `entities` gives the changed entities' mentions, by number, each
mention as its spans (`{"2": [[[4, 6]], [[7, 8], [9, 10]]]}`), and `sentences` all sentences.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

from relcon.data.document import Document, Entity, Instance, Mention, WordSpan
from relcon.data.edits import keep_touching
from relcon.data.fields import items, may, need, only, pair
from relcon.errors import DataError, Problem, RecordError, RelconError, place
from relcon.evaluators.tables import shown, write_lines

KEYS = ("id", "text", "neighbour", "replaced", "words", "entities", "sentences")
MAKE_NEW = "Leave out `neighbours` to make new ones."


class Window(NamedTuple):
    """The words [start, end) of a document, in whose place others stand; what lies behind them moves by `shift`."""

    start: int
    end: int
    shift: int

    def entity(self, entity: Entity) -> Entity:
        """The entity with the mentions behind the window moved along; those that it touches stay as they are."""
        spans = [[self._moved(span) for span in mention.spans] for mention in entity.mentions]
        return replace(entity, mentions=tuple(map(_mention, spans)))

    def sentences(self, sentences: Sequence[WordSpan]) -> Tuple[WordSpan, ...]:
        """The sentence that holds the window grown or shrunk, those behind it moved."""
        return tuple((self._moved((start, end))[0] if start > self.start else start, self._end(end)) for start, end in sentences)

    def _moved(self, span: WordSpan) -> WordSpan:
        start, end = span
        return (start + self.shift, end + self.shift) if start >= self.end else span

    def _end(self, end: int) -> int:
        return end + self.shift if end >= self.end else end


# ---- writing -------------------------------------------------------------------------------------------------------------


def write_neighbours(path: Path, instances: Sequence[Instance], near: Sequence[Instance]) -> None:
    """What `read_neighbours` needs to make `near` again. Parses of neighbours are not kept."""
    write_lines(path, (_written(*each) for each in zip(instances, near, strict=True)))


def _written(instance: Instance, other: Instance) -> Dict[str, Any]:
    old, new = instance.document, other.document
    window = _window(old.words, new.words)
    record = {
        "id": instance.uid, "text": shown(instance), "neighbour": shown(other),
        "replaced": [window.start, window.end], "words": list(new.words[window.start:window.end + window.shift]),
    }  # fmt: skip
    entities = {
        str(number): [[list(span) for span in mention.spans] for mention in after.mentions]
        for number, (before, after) in enumerate(zip(old.entities, new.entities, strict=True))
        if window.entity(before) != after
    }
    return {
        **record,
        **({"entities": entities} if entities else {}),
        **({"sentences": [list(span) for span in new.sentences]} if window.sentences(old.sentences) != new.sentences else {}),
    }


def _window(old: Sequence[str], new: Sequence[str]) -> Window:
    """The smallest run of words that holds every difference."""
    shorter = min(len(old), len(new))
    start = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    same = next((n for n in range(shorter - start) if old[-1 - n] != new[-1 - n]), shorter - start)
    return Window(start, len(old) - same, len(new) - len(old))


# ---- reading -------------------------------------------------------------------------------------------------------------


def read_neighbours(path: Path, instances: Sequence[Instance]) -> List[Instance]:
    """The neighbour of each instance, in order, out of a file that `write_neighbours` wrote.

    RelconError where the file is missing or lacks an instance, DataError where lines are broken or are about other sentences.
    """
    lines = _lines(path)
    wanted = {instance.uid: instance for instance in instances}
    found: Dict[str, Instance] = {}
    problems = []
    for number, line in enumerate(lines, start=1):
        try:
            record = _record(line)
            if record["id"] in found:
                raise RecordError(f"the instance {record['id']} occurs twice")
            if record["id"] in wanted:
                found[record["id"]] = _neighbour(wanted[record["id"]], record)
        except (ValueError, RecursionError, RecordError) as error:
            problems.append(Problem(place(path, number), str(error)))
    if problems:
        raise DataError(problems)
    missing = [uid for uid in wanted if uid not in found]
    if missing:
        raise RelconError(f"{path} has no neighbour of {missing[0]} ({len(missing)} of {len(wanted)} are missing). {MAKE_NEW}")
    return [found[instance.uid] for instance in instances]


def _lines(path: Path) -> List[str]:
    try:
        with path.open(encoding="utf-8") as file:
            return list(file)  # not splitlines(), which also cuts at characters that may stand in a word
    except OSError as error:
        raise RelconError(f"The neighbours file {path} cannot be read: {error.strerror}. {MAKE_NEW}") from None
    except UnicodeDecodeError as error:
        raise RelconError(f"The neighbours file {path} is not UTF-8 text (byte {error.start + 1}). {MAKE_NEW}") from None


def _record(line: str) -> Mapping[str, Any]:
    """A line as an object with the keys that all have."""
    record = json.loads(line)
    if not isinstance(record, dict):
        raise RecordError("expected an object")
    only(record, KEYS)
    for key in ("id", "text", "neighbour"):
        need(record, key, str)
    return record


def _neighbour(instance: Instance, record: Mapping[str, Any]) -> Instance:
    """The instance in its changed document. RecordError where the line was made of another sentence."""
    if record["text"] != shown(instance):
        raise RecordError(f"{instance.uid} reads '{shown(instance)}' here, but the neighbour is one of '{record['text']}'. {MAKE_NEW}")
    other = replace(instance, document=_document(instance.document, record))
    if record["neighbour"] != shown(other):
        raise RecordError(f"the changes to {instance.uid} give '{shown(other)}', but 'neighbour' says '{record['neighbour']}'")
    return other


def _document(document: Document, record: Mapping[str, Any]) -> Document:
    """The document with the changes of a line."""
    start, end = pair(need(record, "replaced", list), "'replaced'")
    if not 0 <= start <= end <= len(document.words):
        raise RecordError(f"'replaced' is [{start}, {end}), but the document has {len(document.words)} words")
    words = items(need(record, "words", list), str, "'words'")
    entities, sentences = may(record, "entities", dict, {}), may(record, "sentences", list)
    if start == end and not (words or entities or sentences):
        return document
    window = Window(start, end, len(words) - (end - start))
    changed = replace(
        document,
        words=(*document.words[:start], *words, *document.words[end:]),
        entities=tuple(_entity(number, entity, entities, window) for number, entity in enumerate(document.entities)),
        sentences=window.sentences(document.sentences) if sentences is None else _sentences(sentences, len(document.words) + window.shift),
        text=None, offsets=None, parse=None,
    )  # fmt: skip
    return keep_touching(document, changed)


def _entity(number: int, entity: Entity, changed: Mapping[str, Any], window: Window) -> Entity:
    """An entity with the mentions that the line gives it, else moved along."""
    if str(number) not in changed:
        return window.entity(entity)
    mentions = items(changed[str(number)], list, f"the mentions of entity {number}")
    if not all(mentions):
        raise RecordError(f"entity {number} has a mention without words")
    return replace(entity, mentions=tuple(_mention([pair(span, f"a mention of entity {number}") for span in each]) for each in mentions))


def _sentences(written: Sequence[Any], size: int) -> Tuple[WordSpan, ...]:
    spans = tuple(pair(span, "a sentence") for span in written)
    if [word for start, end in spans for word in range(start, end)] != list(range(size)):
        raise RecordError(f"'sentences' must cover the {size} words in order")
    return spans


def _mention(spans: Sequence[WordSpan]) -> Mention:
    return Mention(spans[0][0], spans[-1][1], tuple(spans) if len(spans) > 1 else ())
