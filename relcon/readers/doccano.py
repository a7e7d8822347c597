"""doccano's JSON-lines with relations."""

from typing import Any, Dict, List, Mapping, Optional

from relcon.data.document import Document, Entity, Relation
from relcon.data.fields import items, may, need
from relcon.data.glimpse import Glimpse
from relcon.data.spans import WrittenMention, place_mentions
from relcon.errors import RecordError
from relcon.readers.records import JSONReader, OnError, Record, object_of
from relcon.readers.standoff import argument, label_of, numbers_of, sentences_of, written_id

KEYS = ("id", "text", "entities", "relations")


class Doccano(JSONReader):
    """Reads what doccano exports of a sequence labelling project with relations, as JSON-lines or one JSON array, labelled or not.

    A record is `{"id", "text", "entities": [{"id", "label", "start_offset", "end_offset"}], "relations": [{"id", "from_id", "to_id",
    "type"}]}`: offsets count characters, the end is exclusive; a relation leads from `from_id` to `to_id`; ids are whole numbers or
    strings. `entities` and `relations` may be absent, and so may the `type` of a relation that is to be predicted. Entities that overlap
    are kept. All other keys (`Comments`, `cats`, your own metadata) go to `metadata`. One document per record, its id the record's, or file
    and line where it has none. Pairs without a relation are not in the data: `relcon.EntityPairs.v1` makes them.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    split_sentences: find sentences in the text; otherwise a document is one sentence.

    Source: Nakayama et al., doccano: Text Annotation Tool for Human, 2018 (software).

    Config::

        [reader]
        @readers = "relcon.Doccano.v1"
        split_sentences = true
    """

    expected = 'a file of doccano with relations, each record {"id", "text", "entities": [{"start_offset", ...}], "relations": [...]}'

    def __init__(self, on_error: OnError = "raise", split_sentences: bool = False):
        super().__init__(on_error)
        self.split_sentences = split_sentences

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Entities with 'start_offset', or, without any, the 'Comments' that doccano writes."""
        entities = glimpse.objects("entities")
        if entities is None or not glimpse.has("text") or not all("start_offset" in each for each in entities):
            return None
        known = entities or glimpse.has("Comments")
        return "records with 'text' and 'entities' that have a 'start_offset', as doccano exports them" if known else None

    def document(self, record: Record) -> Document:
        """One text."""
        value = object_of(record)
        if "entities" not in value and ("label" in value or "labels" in value):
            raise RecordError("'label' in place of 'entities': such an export of doccano has no relations; export a project with relations")
        text, written = need(value, "text", str), _objects(value, "entities")
        base, mentions = place_mentions({"text": text}, [_mention(each, f"entity {number}") for number, each in enumerate(written)])
        ids = [written_id(each, "id", f"entity {number}") for number, each in enumerate(written)]
        numbers = numbers_of(ids, "entities")
        return Document(
            id=written_id(value, "id") if value.get("id") is not None else record.name,
            words=base.words,
            entities=tuple(
                Entity((mention,), may(each, "label", str, "", f"entity '{name}'"), name)
                for mention, each, name in zip(mentions, written, ids, strict=True)
            ),
            relations=tuple(_relation(each, f"relation {number}", numbers) for number, each in enumerate(_objects(value, "relations"))),
            sentences=sentences_of(base, mentions, self.split_sentences),
            text=base.text,
            offsets=base.offsets,
            source=record.source,
            metadata={key: kept for key, kept in value.items() if key not in KEYS},
        )


def _objects(value: Mapping[str, Any], key: str) -> List[Dict[str, Any]]:
    return items(may(value, key, list, []), dict, f"'{key}'")


def _mention(value: Mapping[str, Any], what: str) -> WrittenMention:
    span = need(value, "start_offset", int, what), need(value, "end_offset", int, what)
    return WrittenMention(what, "chars", [span], may(value, "text", str, owner=what))


def _relation(value: Mapping[str, Any], what: str, numbers: Mapping[str, int]) -> Relation:
    head, tail = (argument(value, key, what, numbers) for key in ("from_id", "to_id"))
    return Relation(head, tail, label_of(value, "type", what), written_id(value, "id", what) if value.get("id") is not None else "")
