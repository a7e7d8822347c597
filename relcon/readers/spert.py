"""SpERT's JSON: tokenised sentences with typed entities and relations, complete annotation."""

from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Tuple, Union

from relcon.data.document import Document, Entity, Mention, Relation, Source
from relcon.data.fields import described, inside, items, may, need, of_kind
from relcon.data.glimpse import Glimpse
from relcon.errors import Problem, RecordError
from relcon.readers.records import ArrayReader, Record


class Item(NamedTuple):
    """An item of the array, its number from 0, and the id that its document gets."""

    number: int
    id: str
    value: Any


class SpERT(ArrayReader):
    """Reads SpERT's JSON arrays, labelled or not: ADE, CoNLL04 and SciERC as they are used for joint extraction.

    A record is `{"tokens": [...], "entities": [{"type", "start", "end"}], "relations": [{"type", "head", "tail"}], "orig_id": ...}`: spans
    count tokens, the end is exclusive; `head` and `tail` are the numbers of entities, from 0. `entities` and `relations` may be
    absent, and so may the `type` of a relation that is to be predicted. Entities that overlap or are the same are kept. Other
    keys are not read. One document per record, of one sentence. Its id is its `orig_id` as text where every record of the file
    has one of its own, else the record's number, from 0; `metadata["document"]` is the `orig_id` where there is one. The file is
    held in memory.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.

    Source: Eberts and Ulges, Span-based Joint Entity and Relation Extraction with Transformer Pre-training, ECAI 2020.

    Config::

        [reader]
        @readers = "relcon.SpERT.v1"
        on_error = "raise"
    """

    expected = 'a SpERT file: one JSON array of {"tokens": [...], "entities": [...], "relations": [...]}'

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """An array of records with 'tokens' and 'entities' or 'relations'."""
        known = glimpse.is_array and glimpse.has("tokens") and any(glimpse.objects(key) is not None for key in ("entities", "relations"))
        return "an array of objects with 'tokens', 'entities' and 'relations', as SpERT takes them" if known else None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The items of the array with their numbers and ids."""
        found = list(super().records(path))
        names = _names([each.value for each in found if isinstance(each, Record)])
        for number, each in enumerate(found):  # a Problem is the last
            yield each if isinstance(each, Problem) else Record(Item(number, names[number], each.value), each.source)

    def document(self, record: Record) -> Document:
        """One sentence."""
        item: Item = record.value
        try:
            return _document(item, record.source)
        except RecordError as error:
            raise RecordError(f"record {item.number}: {error}") from error


def _names(values: List[Any]) -> List[str]:
    """The ids: `orig_id` where every record has one of its own, else the numbers."""
    given = [str(value["orig_id"]) for value in values if isinstance(value, dict) and isinstance(value.get("orig_id"), (int, str))]
    return given if len(set(given)) == len(values) else [str(number) for number in range(len(values))]


def _document(item: Item, source: Source) -> Document:
    value = of_kind(item.value, dict, "the record")
    words = _words(value)
    entities = tuple(_entity(each, f"entity {number}", len(words)) for number, each in enumerate(_objects(value, "entities")))
    return Document(
        id=item.id,
        words=words,
        entities=entities,
        relations=tuple(_relation(each, f"relation {number}", len(entities)) for number, each in enumerate(_objects(value, "relations"))),
        source=source,
        metadata=_metadata(value),
    )


def _words(value: Dict[str, Any]) -> Tuple[str, ...]:
    """The tokens, of which there is one at least, none of them white space."""
    tokens = items(need(value, "tokens", list), str, "'tokens'")
    if not tokens:
        raise RecordError("'tokens' is empty; expected at least one token")
    for number, token in enumerate(tokens):
        if not token.strip():
            raise RecordError(f"token {number} is empty or white space")
    return tuple(tokens)


def _objects(value: Dict[str, Any], key: str) -> List[Dict[str, Any]]:
    return items(may(value, key, list, []), dict, f"'{key}'")


def _entity(value: Dict[str, Any], what: str, size: int) -> Entity:
    span = need(value, "start", int, what), need(value, "end", int, what)
    return Entity((Mention(*inside(span, size, "tokens", what)),), need(value, "type", str, what))


def _relation(value: Dict[str, Any], what: str, entities: int) -> Relation:
    if value.get("type") == "":
        raise RecordError(f"the 'type' of {what} is empty; expected its name, or null where it is to be predicted")
    head, tail = _argument(value, "head", what, entities), _argument(value, "tail", what, entities)
    return Relation(head, tail, may(value, "type", str, owner=what))


def _argument(value: Dict[str, Any], side: str, what: str, entities: int) -> int:
    """The number of an entity that there is."""
    number: int = need(value, side, int, what)
    if not 0 <= number < entities:
        raise RecordError(f"the {side} of {what} is entity {number}, but the record has {entities} entities, numbered from 0")
    return number


def _metadata(value: Dict[str, Any]) -> Dict[str, Any]:
    """The `orig_id` as the name of what the sentence was taken from: where several share one, they stay on one side of a division."""
    name = value.get("orig_id")
    if name is None:
        return {}
    if isinstance(name, bool) or not isinstance(name, (int, str)):
        raise RecordError(f"'orig_id' must be a whole number or a string, here it is {described(name)}")
    return {"document": str(name)}
