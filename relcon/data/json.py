"""Documents as JSON: relcon's own format, which `relcon.JSONLines.v1` reads, and the store and `relcon predict` write.

Every span says its unit by its key: `"words": [2, 4]` or `"chars": [10, 18]`, ends exclusive; several parts make a discontinuous
mention: `"chars": [[10, 18], [25, 30]]`. `docs/formats.md` describes the format, `document.schema.json` beside the readers is its
JSON schema.
"""

import json
import os
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Type

from relcon.data.document import Document, Entity, Mention, Parse, Relation, Source, WordSpan
from relcon.data.fields import described, inside, items, may, need, of_kind, only, pair
from relcon.data.tokens import SOLID, CharSpan, annotate, mention_at, mention_of, split_sentences, word_span
from relcon.errors import RecordError, RelconError

KEYS = ("id", "text", "words", "offsets", "sentences", "entities", "relations", "parse", "source", "metadata")


# ---- writing -------------------------------------------------------------------------------------------------------------


def document_to_json(document: Document) -> Dict[str, Any]:
    """The document as a JSON object, spans in words; what is absent or empty is left out."""
    record: Dict[str, Any] = {"id": document.id, "words": list(document.words)}
    if document.text is not None:
        record["text"] = document.text
    if document.offsets is not None:
        record["offsets"] = [list(span) for span in document.offsets]
    record["sentences"] = {"words": [list(span) for span in document.sentences]}
    record["entities"] = [_entity_to_json(document, entity) for entity in document.entities]
    record["relations"] = [_relation_to_json(relation) for relation in document.relations]
    if document.parse is not None:
        record["parse"] = {key: list(getattr(document.parse, key)) for key in ("heads", "labels", "tags")}
    record["source"] = None if document.source is None else {"path": document.source.path, "line": document.source.line}
    if document.metadata:
        record["metadata"] = dict(document.metadata)
    return record


def write_jsonl(documents: Iterable[Document], path: Path) -> int:
    """Write documents to a JSON-lines file, one object a line; returns how many.

    The file appears whole or not at all. RelconError where the folder cannot be written to.
    """
    path, count = Path(path), 0
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as error:
        raise RelconError(f"{path} cannot be written: {error.strerror or error}.") from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            for document in documents:
                file.write(json.dumps(document_to_json(document), ensure_ascii=False) + "\n")
                count += 1
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise
    return count


def _entity_to_json(document: Document, entity: Entity) -> Dict[str, Any]:
    record: Dict[str, Any] = {"id": entity.id} if entity.id else {}
    if entity.type:
        record["type"] = entity.type
    record["mentions"] = [
        {"words": [list(span) for span in m.fragments] or [m.start, m.end], "text": document.mention_text(m)} for m in entity.mentions
    ]
    return record


def _relation_to_json(relation: Relation) -> Dict[str, Any]:
    record: Dict[str, Any] = {"head": relation.head, "tail": relation.tail, "label": relation.label}
    if relation.id:
        record["id"] = relation.id
    if relation.score is not None:
        record["score"] = relation.score
    return record


# ---- reading -------------------------------------------------------------------------------------------------------------


def document_from_json(record: Mapping[str, Any], source: Optional[Source] = None, name: str = "", sentences: bool = False) -> Document:
    """The document of a JSON object.

    source: where it was read, unless the object says so itself. name: its id where the object has none. sentences: find
    sentences in raw text that comes without them (a document is one sentence otherwise). RecordError where the object is wrong.
    """
    only(record, KEYS)
    entities = [_EntityRecord(value, number) for number, value in enumerate(items(record.get("entities", []), dict, "'entities'"))]
    words, offsets, mentions = _words(record, [mention for entity in entities for mention in entity.mentions])
    counts = iter(mentions)
    found = tuple(Entity(tuple(next(counts) for _ in entity.mentions), entity.type, entity.id) for entity in entities)
    document = {
        "id": may(record, "id", str, name),
        "words": words,
        "entities": found,
        "relations": _relations(record, found),
        "sentences": _sentences(record, words, offsets, mentions, sentences),
        "text": may(record, "text", str),
        "offsets": offsets,
        "parse": _parse(record, len(words)),
        "source": _source(record, source),
        "metadata": may(record, "metadata", dict, {}),
    }
    try:
        return Document(**document)
    except ValueError as fault:
        raise RecordError(str(fault)) from fault


class _MentionRecord:
    """A mention as written: its unit, its parts, what to call it, and the text that it claims to cover."""

    def __init__(self, record: Mapping[str, Any], what: str):
        self.what = what
        self.unit, self.parts = _span(record, what)
        self.text: Optional[str] = may(record, "text", str, owner=what)


class _EntityRecord:
    """An entity as written; one with a span of its own has one mention."""

    def __init__(self, record: Mapping[str, Any], number: int):
        self.id = may(record, "id", str, "", f"entity {number}")
        self.type = may(record, "type", str, "", f"entity {number}")
        what = f"entity {number} ('{self.id}')" if self.id else f"entity {number}"
        if "mentions" in record:
            only(record, ("id", "type", "mentions"), what)
            listed = items(record["mentions"], dict, f"'mentions' of {what}")
            for mention in listed:
                only(mention, ("words", "chars", "text"), f"a mention of {what}")
        else:
            only(record, ("id", "type", "words", "chars", "text"), what)
            listed = [record]
        if not listed:
            raise RecordError(f"{what} has no mention")
        self.mentions = [_MentionRecord(mention, what) for mention in listed]


def _span(record: Mapping[str, Any], what: str) -> Tuple[str, List[Tuple[int, int]]]:
    """`"words": [s, e]` or `"chars": [[s, e], ...]` -> unit and parts."""
    units = [unit for unit in ("words", "chars") if unit in record]
    if len(units) != 1:
        raise RecordError(f"{what} must have its span as either 'words' or 'chars', here it has {' and '.join(units) or 'neither'}")
    value = of_kind(record[units[0]], list, f"'{units[0]}' of {what}")
    parts = value if value and isinstance(value[0], list) else [value]
    return units[0], [pair(part, f"a span of {what}") for part in parts]


def _words(
    record: Mapping[str, Any], mentions: Sequence[_MentionRecord]
) -> Tuple[Tuple[str, ...], Optional[Tuple[CharSpan, ...]], Tuple[Mention, ...]]:
    """Words, their characters in the text where there is one, and the mentions in words; all checked against each other."""
    text = may(record, "text", str)
    if "words" in record:
        words = tuple(items(record["words"], str, "'words'"))
        offsets = _offsets(record, words, text)
        placed = tuple(_placed(mention, words, offsets, text) for mention in mentions)
    elif text is not None:
        if any(mention.unit == "words" for mention in mentions) or "offsets" in record or "parse" in record:
            raise RecordError("spans in 'words', 'offsets' and 'parse' need the 'words' that they count; give them or use 'chars'")
        words, offsets, placed = annotate(text, [(mention.what, mention.parts) for mention in mentions])
    else:
        raise RecordError("'text' or 'words' is missing in the record; give one of them or both")
    for mention, place in zip(mentions, placed):
        _compare(mention, place, words, offsets, text)
    return words, offsets, placed


def _offsets(record: Mapping[str, Any], words: Sequence[str], text: Optional[str]) -> Optional[Tuple[CharSpan, ...]]:
    """Where the given words stand in the given text: as said, else one after the other with only white space between."""
    blank = next((number for number, word in enumerate(words) if not word.strip()), None)
    if blank is not None:
        raise RecordError(f"word {blank} is empty or white space; leave it out and count the spans without it")
    if text is None:
        if record.get("offsets") is not None:
            raise RecordError("'offsets' need the 'text' that they count characters of")
        return None
    if record.get("offsets") is None:
        return _found(words, text)
    offsets = tuple(pair(span, f"offset {number}") for number, span in enumerate(items(record["offsets"], list, "'offsets'")))
    if len(offsets) != len(words):
        raise RecordError(f"{len(offsets)} 'offsets' for {len(words)} 'words'")
    for number, (start, end) in enumerate(offsets):
        if not 0 <= start < end <= len(text) or text[start:end] != words[number]:
            raise RecordError(f"word {number} is {words[number]!r}, but the characters [{start}, {end}) of the text are {text[max(start, 0):end]!r}")
    return offsets


def _found(words: Sequence[str], text: str) -> Tuple[CharSpan, ...]:
    offsets, end = [], 0
    for number, word in enumerate(words):
        start = _solid(text, end)
        if not text.startswith(word, start):
            raise RecordError(f"the text goes on with {text[start:start + 20]!r} where word {number} is {word!r}; the words must spell the text")
        end = start + len(word)
        offsets.append((start, end))
    if _solid(text, end) < len(text):
        raise RecordError(f"the text goes on with {text[end:end + 20]!r} after the last word; the words must spell the text")
    return tuple(offsets)


def _solid(text: str, start: int) -> int:
    """Where the next character that is not white space stands."""
    found = SOLID.search(text, start)
    return found.start() if found else len(text)


def _placed(mention: _MentionRecord, words: Sequence[str], offsets: Optional[Sequence[CharSpan]], text: Optional[str]) -> Mention:
    """A mention in given words."""
    if mention.unit == "words":
        return mention_of([inside(part, len(words), "words", mention.what) for part in mention.parts])
    if offsets is None or text is None:
        raise RecordError(f"{mention.what} has its span in 'chars', but the record has no 'text' to count them in")
    return mention_at(offsets, [inside(part, len(text), "characters", mention.what) for part in mention.parts], mention.what)


def _compare(mention: _MentionRecord, place: Mention, words: Sequence[str], offsets: Optional[Sequence[CharSpan]], text: Optional[str]) -> None:
    """RecordError where the mention claims to cover another text than it does."""
    if mention.text is None:
        return
    if text is not None and mention.unit == "chars":
        there = " ".join(text[start:end] for start, end in sorted(mention.parts))
    elif text is not None and offsets is not None:
        there = " ".join(text[offsets[start][0]:offsets[end - 1][1]] for start, end in place.spans)
    else:
        there = " ".join(word for start, end in place.spans for word in words[start:end])
    if there.split() != mention.text.split():
        raise RecordError(f"{mention.what} is said to be {mention.text!r}, but its span covers {there!r}")


def _relations(record: Mapping[str, Any], entities: Sequence[Entity]) -> Tuple[Relation, ...]:
    by_id: Dict[str, List[int]] = {}
    for number, entity in enumerate(entities):
        by_id.setdefault(entity.id, []).append(number)
    found = []
    for number, value in enumerate(items(record.get("relations", []), dict, "'relations'")):
        what = f"relation {number}"
        only(value, ("head", "tail", "label", "id", "score"), what)
        head, tail = (_argument(value, side, by_id, len(entities), what) for side in ("head", "tail"))
        label, name = may(value, "label", str, owner=what), may(value, "id", str, "", what)
        found.append(Relation(head, tail, label, name, may(value, "score", float, owner=what)))
    return tuple(found)


def _argument(relation: Mapping[str, Any], side: str, by_id: Mapping[str, List[int]], size: int, what: str) -> int:
    """An entity number from a number or an id."""
    if side not in relation:
        raise RecordError(f"'{side}' is missing in {what}; expected the number or the id of an entity")
    value = relation[side]
    if isinstance(value, str):
        numbers = by_id.get(value, [])
        if len(numbers) != 1 or not value:
            raise RecordError(f"the {side} of {what} is '{value}', the id of {len(numbers) if value else 'no'} entities; it must be that of one")
        return numbers[0]
    if isinstance(value, bool) or not isinstance(value, int):
        raise RecordError(f"the {side} of {what} must be the number or the id of an entity, here it is {described(value)}")
    number = value
    if not 0 <= number < size:
        raise RecordError(f"the {side} of {what} is entity {number}, but the entities are numbered from 0 to {size - 1}")
    return number


def _sentences(
    record: Mapping[str, Any], words: Sequence[str], offsets: Optional[Sequence[CharSpan]], mentions: Sequence[Mention], find: bool
) -> Tuple[WordSpan, ...]:
    if record.get("sentences") is None:
        return split_sentences(words, [(m.start, m.end) for m in mentions]) if find and "words" not in record else ()
    value = need(record, "sentences", dict)
    only(value, ("words", "chars"), "'sentences'")
    if not words:
        return ()
    unit, spans = _span(value, "'sentences'")
    if unit == "chars":
        if offsets is None:
            raise RecordError("'sentences' are in 'chars', but the record has no 'text' to count them in")
        spans = [word_span(offsets, start, end, "a sentence") for start, end in spans]
    borders = [0, *(end for _, end in spans)]
    if [tuple(span) for span in spans] != list(zip(borders, borders[1:])) or borders[-1] != len(words) or any(s >= e for s, e in spans):
        raise RecordError(f"'sentences' must cover the {len(words)} words in order and without gaps, here they are {[list(s) for s in spans]}")
    return tuple(spans)


def _parse(record: Mapping[str, Any], size: int) -> Optional[Parse]:
    value = may(record, "parse", dict)
    if value is None:
        return None
    only(value, ("heads", "labels", "tags"), "'parse'")
    heads = _column(value, "heads", int, size)
    for word, head in enumerate(heads):
        if not 0 <= head < size:
            raise RecordError(f"the head of word {word} is {head}, but the words are numbered from 0 to {size - 1} (a root is its own head)")
    return Parse(heads, _column(value, "labels", str, size), _column(value, "tags", str, size) if value.get("tags") else ())


def _column(parse: Mapping[str, Any], key: str, kind: Type, size: int) -> Tuple[Any, ...]:
    """One value per word."""
    values = tuple(items(need(parse, key, list, "'parse'"), kind, f"'{key}' of 'parse'"))
    if len(values) != size:
        raise RecordError(f"'{key}' of 'parse' has {len(values)} values for {size} words")
    return values


def _source(record: Mapping[str, Any], source: Optional[Source]) -> Optional[Source]:
    """The source that the record names (null: none), else where it was read."""
    if "source" not in record:
        return source
    value = may(record, "source", dict)
    return None if value is None else Source(need(value, "path", str, "'source'"), may(value, "line", int, owner="'source'"))
