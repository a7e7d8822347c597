"""Documents as JSON: relcon's own format, which `relcon.JSONLines.v1` reads.

`docs/formats/jsonlines.md` describes it for people, `document.schema.json` beside the readers for machines.
"""

import json
import re
from pathlib import Path
from typing import Any, Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Tuple, Type

from relcon.data.document import Document, Entity, Mention, Parse, Relation, Source
from relcon.data.fields import described, items, may, need, only
from relcon.data.spans import WrittenMention, place_mentions, place_sentences, written_mention
from relcon.errors import RecordError
from relcon.files import atomic

KEYS = ("id", "text", "words", "offsets", "sentences", "entities", "relations", "parse", "source", "metadata")

SURROGATE = re.compile("[\ud800-\udfff]")


# ---- writing -------------------------------------------------------------------------------------------------------------


def document_to_json(document: Document) -> Dict[str, Any]:
    """The document as a JSON object, spans in words; what it has not is left out."""
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
    """Write documents to a JSON-lines file, one a line; returns how many.

    The file appears whole or not at all. RelconError where it cannot be written.
    """
    count = 0
    with atomic(path) as file:
        for document in documents:
            file.write(json_line(document_to_json(document)) + "\n")
            count += 1
    return count


def json_line(value: Any) -> str:
    """A value as JSON on one line, in its own letters; half a surrogate pair, which no file can hold, is escaped."""
    return SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", json.dumps(value, ensure_ascii=False))


def _entity_to_json(document: Document, entity: Entity) -> Dict[str, Any]:
    record: Dict[str, Any] = {key: value for key, value in (("id", entity.id), ("type", entity.type)) if value}
    record["mentions"] = [_mention_to_json(document, mention) for mention in entity.mentions]
    if entity.score is not None:
        record["score"] = entity.score
    return record


def _mention_to_json(document: Document, mention: Mention) -> Dict[str, Any]:
    parts = [list(span) for span in mention.spans]
    return {"words": parts if mention.fragments else parts[0], "text": document.mention_text(mention)}


def _relation_to_json(relation: Relation) -> Dict[str, Any]:
    record: Dict[str, Any] = {"head": relation.head, "tail": relation.tail, "label": relation.label}
    if relation.id:
        record["id"] = relation.id
    if relation.score is not None:
        record["score"] = relation.score
    return record


# ---- reading -------------------------------------------------------------------------------------------------------------


class WrittenEntity(NamedTuple):
    """An entity as a record has it."""

    id: str
    type: str
    mentions: List[WrittenMention]
    score: Optional[float]


def document_from_json(record: Mapping[str, Any], source: Optional[Source] = None, name: str = "", sentences: bool = False) -> Document:
    """The document of a JSON object. RecordError where the object is wrong.

    source: where it was read, unless the object says so itself. name: its id where the object has none. sentences: find
    sentences in raw text that comes without them; such a document is one sentence otherwise.
    """
    only(record, KEYS)
    entities = [_written_entity(value, number) for number, value in enumerate(_objects(record, "entities"))]
    base, mentions = place_mentions(record, [mention for entity in entities for mention in entity.mentions])
    placed = iter(mentions)
    found = tuple(Entity(tuple(next(placed) for _ in entity.mentions), entity.type, entity.id, entity.score) for entity in entities)
    return Document(
        id=may(record, "id", str, name),
        words=base.words,
        entities=found,
        relations=tuple(_relation(value, f"relation {number}", found) for number, value in enumerate(_objects(record, "relations"))),
        sentences=place_sentences(record, base, mentions, find=sentences),
        text=base.text,
        offsets=base.offsets,
        parse=_parse(record, len(base.words)),
        source=_source(record, source),
        metadata=may(record, "metadata", dict, {}),
    )


def _objects(record: Mapping[str, Any], key: str) -> List[Dict[str, Any]]:
    return items(may(record, key, list, []), dict, f"'{key}'")


def _written_entity(record: Mapping[str, Any], number: int) -> WrittenEntity:
    """An entity with `mentions`, or with the span of its only mention."""
    name, what = may(record, "id", str, "", f"entity {number}"), f"entity {number}"
    what += f" ('{name}')" if name else ""
    if "mentions" in record:
        only(record, ("id", "type", "mentions", "score"), what)
        listed = items(record["mentions"], dict, f"'mentions' of {what}")
        for mention in listed:
            only(mention, ("words", "chars", "text"), f"a mention of {what}")
    else:
        only(record, ("id", "type", "words", "chars", "text", "score"), what)
        listed = [record]
    if not listed:
        raise RecordError(f"{what} has no mention")
    placed = [written_mention(mention, what) for mention in listed]
    return WrittenEntity(name, may(record, "type", str, "", what), placed, may(record, "score", float, owner=what))


def _relation(record: Mapping[str, Any], what: str, entities: Sequence[Entity]) -> Relation:
    only(record, ("head", "tail", "label", "id", "score"), what)
    if record.get("label") == "":
        raise RecordError(f"the label of {what} is empty; expected its name, or null where it is to be predicted")
    return Relation(
        _argument(record, "head", what, entities),
        _argument(record, "tail", what, entities),
        label=may(record, "label", str, owner=what),
        id=may(record, "id", str, "", what),
        score=may(record, "score", float, owner=what),
    )


def _argument(relation: Mapping[str, Any], side: str, what: str, entities: Sequence[Entity]) -> int:
    """The number of the entity that a relation names by number or by id."""
    value = relation.get(side)
    if isinstance(value, str):
        numbers = [number for number, entity in enumerate(entities) if entity.id == value]
        if len(numbers) != 1:
            raise RecordError(f"the {side} of {what} is '{value}'; {len(numbers) or 'no'} entities have that id, expected one")
        return numbers[0]
    if isinstance(value, bool) or not isinstance(value, int):
        raise RecordError(f"the {side} of {what} must be the number or the id of an entity, here it is {described(value)}")
    if not 0 <= value < len(entities):
        raise RecordError(f"the {side} of {what} is entity {value}, but the record has {len(entities)} entities, numbered from 0")
    return value


def _parse(record: Mapping[str, Any], size: int) -> Optional[Parse]:
    value = may(record, "parse", dict)
    if value is None:
        return None
    only(value, ("heads", "labels", "tags"), "'parse'")
    heads, labels = _column(value, "heads", int, size), _column(value, "labels", str, size)
    for word, head in enumerate(heads):
        if not 0 <= head < size:
            raise RecordError(f"'heads' of 'parse' gives word {word} the head {head}; expected 0 to {size - 1}, a root is its own head")
    return Parse(heads, labels, _column(value, "tags", str, size) if value.get("tags") else ())


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
