"""BigBio's `kb` schema: the one form into which it brings biomedical corpora of entities, relations, events and coreference."""

from collections import Counter
from typing import Any, Dict, List, Literal, Mapping, Optional, Set

from relcon.data.document import Document, Relation, Source
from relcon.data.fields import items, may, need, pair
from relcon.data.glimpse import Glimpse
from relcon.data.relations import LEFT_OUT
from relcon.data.tokens import CharSpan
from relcon.errors import RecordError, RelconError, did_you_mean
from relcon.readers.entities import Gathered, Named, chained, gather
from relcon.readers.marks import Mark, Piece, found_sentences, lay_out, place_marks
from relcon.readers.records import JSONReader, OnError, Record, object_of
from relcon.readers.standoff import label_of, numbers_of, written_id

Value = Mapping[str, Any]

Coreferences = Literal["entity", "count"]


class BigBio(JSONReader):
    """Reads records of BigBio's `kb` schema, labelled or not, from a JSON array or JSON-lines.

    A record is `{"id", "document_id", "passages": [{"id", "type", "text": [...], "offsets": [[start, end]]}], "entities": [{"id", "type",
    "text": [...], "offsets": [[start, end], ...], "normalized": [{"db_name", "db_id"}]}], "relations": [{"id", "type", "arg1_id",
    "arg2_id", "normalized"}], "events": [...], "coreferences": [{"id", "entity_ids"}]}`. Offsets count characters of the document, ends
    are exclusive; several make a discontinuous mention; passages and entities must match their texts. One document per record, its id the
    `document_id`, or the `id` without one. The text has spaces where passages do not reach. Sentences are found by rule, and a passage
    begins one. A relation leads from `arg1_id` to `arg2_id`. Pairs without a relation are not in the data: `relcon.EntityPairs.v1` makes
    them.

    Metadata: `normalized`, `{entity id: ["MESH:D1", ...]}` (database and id); `left_out` counts what a document cannot hold: events,
    entities without offsets, and relations and coreferences of either.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    coreferences: "entity": the entities of a coreference are one with several mentions, of the type and id of the first; "count": they
        stay apart, and the coreference is counted in `left_out`.

    Source: Fries et al., BigBio: a framework for data-centric biomedical natural language processing, NeurIPS 2022 (datasets and
    benchmarks).

    Config::

        [reader]
        @readers = "relcon.BigBio.v1"
        coreferences = "entity"
    """

    expected = 'a BigBio kb file, each record {"id", "document_id", "passages": [...], "entities": [...], "relations": [...]}'

    def __init__(self, on_error: OnError = "raise", coreferences: Coreferences = "entity"):
        super().__init__(on_error)
        if coreferences not in ("entity", "count"):
            raise RelconError(f"coreferences must be 'entity' or 'count', not '{coreferences}'")
        self.coreferences = coreferences

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Records with the keys of the schema."""
        found = glimpse.has("document_id", "passages", "entities", "relations")
        return "records with 'document_id', 'passages', 'entities' and 'relations', as in BigBio's kb schema" if found else None

    def document(self, record: Record) -> Document:
        """One document."""
        value = object_of(record)
        name = written_id(value, "document_id" if value.get("document_id") else "id")
        try:
            return self._document(value, name, record.source)
        except RecordError as error:
            raise RecordError(f"document '{name}': {error}") from error

    def _document(self, value: Value, name: str, source: Source) -> Document:
        pieces = [piece for number, each in enumerate(_objects(value, "passages")) for piece in _pieces(each, f"passage {number}")]
        text = lay_out(pieces)
        parts = Parts(value)
        placed = place_marks(text, [_mark(each, name) for name, each in zip(parts.names, parts.entities, strict=True)])
        chains = parts.chains() if self.coreferences == "entity" else []
        parts.left_out["coreference"] = len(_objects(value, "coreferences")) if self.coreferences == "count" else 0
        firsts = chained(parts.names, chains)
        found = gather(
            Named(mention, may(each, "type", str, "", f"entity '{name}'"), name, (firsts[name],) if name in firsts else ())
            for mention, each, name in zip(placed.mentions, parts.entities, parts.names, strict=True)
        )
        relations = parts.relations(found)
        said = {"normalized": parts.normalized(), LEFT_OUT: {cause: count for cause, count in parts.left_out.items() if count}}
        return Document(
            id=name,
            words=placed.words,
            entities=found.entities,
            relations=tuple(relations),
            sentences=found_sentences(placed, [piece.start for piece in pieces]),
            text=text,
            offsets=placed.offsets,
            source=source,
            metadata={key: each for key, each in said.items() if each},
        )


class Parts:
    """What is annotated in a record. entities: those with offsets, and their ids in `names`. elsewhere: ids of events and of entities
    without offsets. left_out: counts what a document cannot hold."""

    def __init__(self, value: Value):
        self.value = value
        events = [written_id(each, "id", f"event {number}") for number, each in enumerate(_objects(value, "events"))]
        entities = _objects(value, "entities")
        names = [written_id(each, "id", f"entity {number}") for number, each in enumerate(entities)]
        numbers_of([*names, *events], "entities or events")
        self.entities = [each for each in entities if each.get("offsets")]
        self.names = [name for name, each in zip(names, entities, strict=True) if each.get("offsets")]
        self.elsewhere: Set[str] = {*names, *events} - set(self.names)
        self.left_out = Counter({"event": len(events), "entity without offsets": len(entities) - len(self.entities)})

    def chains(self) -> List[List[str]]:
        """The coreferences as lists of ids."""
        found = []
        for number, each in enumerate(_objects(self.value, "coreferences")):
            what = f"coreference {number}"
            names = [self._known(name, what) for name in items(need(each, "entity_ids", list, what), str, f"'entity_ids' of {what}")]
            if any(name in self.elsewhere for name in names):
                self.left_out["coreference of an event or an entity without offsets"] += 1
            else:
                found.append(names)
        return found

    def relations(self, found: Gathered) -> List[Relation]:
        """The relations between two entities."""
        numbers = {name: number for number, name in enumerate(self.names)}
        relations = []
        for number, each in enumerate(_objects(self.value, "relations")):
            what = f"relation {number}"
            names = [self._known(written_id(each, key, what), what) for key in ("arg1_id", "arg2_id")]
            if any(name in self.elsewhere for name in names):
                self.left_out["relation of an event or an entity without offsets"] += 1
                continue
            own = written_id(each, "id", what) if each.get("id") is not None else ""
            pairs = found.pairs(*(numbers[name] for name in names))
            relations += [Relation(head, tail, label_of(each, "type", what), own) for head, tail in pairs]
        return relations

    def normalized(self) -> Dict[str, List[str]]:
        """Id of an entity -> its references, database and id."""
        found: Dict[str, List[str]] = {}
        for name, each in zip(self.names, self.entities, strict=True):
            what = f"'normalized' of entity '{name}'"
            references = items(may(each, "normalized", list, [], f"entity '{name}'"), dict, what)
            if references:
                found[name] = [f"{may(one, 'db_name', str, '', what)}:{may(one, 'db_id', str, '', what)}" for one in references]
        return found

    def _known(self, name: str, what: str) -> str:
        """The id of an entity or event that there is."""
        if name not in self.elsewhere and name not in self.names:
            raise RecordError(f"{what} names '{name}', which is the id of no entity.{did_you_mean(name, self.names)}")
        return name


def _objects(value: Value, key: str) -> List[Dict[str, Any]]:
    return items(may(value, key, list, []), dict, f"'{key}'")


def _pieces(value: Value, what: str) -> List[Piece]:
    """A passage: its texts where they begin."""
    texts, offsets = _texts(value, what), _offsets(value, what)
    if len(texts) != len(offsets):
        raise RecordError(f"{what} has {len(texts)} texts and {len(offsets)} offsets; expected as many")
    for text, (start, end) in zip(texts, offsets, strict=True):
        if end - start != len(text):
            raise RecordError(f"{what} has a text of {len(text)} characters, {text[:20]!r}, at the characters [{start}, {end})")
    return [Piece(start, text, what) for text, (start, _) in zip(texts, offsets, strict=True)]


def _mark(value: Value, name: str) -> Mark:
    """An entity; some corpora write one text for several offsets."""
    what = f"entity '{name}'"
    return Mark(what, _offsets(value, what), " ".join(_texts(value, what)))


def _texts(value: Value, what: str) -> List[str]:
    return items(need(value, "text", list, what), str, f"'text' of {what}")


def _offsets(value: Value, what: str) -> List[CharSpan]:
    return [pair(each, f"an offset of {what}") for each in items(need(value, "offsets", list, what), list, f"'offsets' of {what}")]
