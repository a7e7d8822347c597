"""BioC, XML or JSON: collections of documents with passages, annotations and relations, also BioRED and what PubTator exports."""

import json
from collections import Counter
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, Union

from relcon.data.document import Document, Relation, Source
from relcon.data.fields import described, items, may, need, of_kind
from relcon.data.glimpse import Glimpse
from relcon.data.relations import LEFT_OUT
from relcon.data.tokens import SOLID
from relcon.errors import Problem, RecordError, RelconError, did_you_mean, place
from relcon.readers.elements import Element, elements
from relcon.readers.entities import EntitiesFrom, Gathered, Named, concepts_of, gather, known_entities
from relcon.readers.marks import Mark, Piece, found_sentences, given_sentences, lay_out, number_of, place_marks
from relcon.readers.records import OnError, Record, RecordReader, array_items, begins_array, numbered, whole_text
from relcon.readers.standoff import written_id

ARGUMENTS: List[str] = ["entity1", "entity2"]

COMPOSITE: List[str] = [","]

HEADS: List[str] = []

COLLECTIONS = ("documents", "PubTator3")
"""Keys under which a JSON object holds documents; the second is what PubTator's service answers."""

LEAVES = ("id", "offset", "text")

LISTS = {
    "passage": "passages",
    "sentence": "sentences",
    "annotation": "annotations",
    "location": "locations",
    "relation": "relations",
    "node": "nodes",
}
"""Tags of elements that an element holds its value in, and of those of which it may have several with the key of their list in JSON."""

DEPTH = 4
"""A <location> of an <annotation> of a <sentence> of a <passage> stands so deep in a <document>."""

Value = Mapping[str, Any]


class Unit(NamedTuple):
    """A stretch of text with its annotations: a passage, or a sentence of one. what: what to call it in messages."""

    value: Value
    what: str


class BioC(RecordReader):
    """Reads BioC, labelled or not: an XML or JSON file, or a folder with all `*.xml` and `*.json` below it.

    XML is a `<collection>` of `<document>`; JSON is the same as `{"documents": [{"id", "passages": [{"offset", "text", "annotations":
    [{"id", "infons": {"type", "identifier"}, "locations": [{"offset", "length"}], "text"}]}], "relations": [{"id", "infons": {"type"},
    "nodes": [{"refid", "role"}]}]}]}`, such documents in one array, or one after the other. XML is read document by document, the text of
    a JSON file is held in memory. One document per document, its id the same. Offsets count characters from the beginning of the document,
    and an annotation must match its text; several locations are a discontinuous mention. The text has spaces where passages do not reach.
    Where all of the text is in `<sentence>`, these are the sentences; else they are found by rule, and a passage begins one.

    Annotations with one identifier are one entity, with that identifier as id and the type of its first annotation. One that has several
    (`7,9`) is a mention of each; one without (`-` or none) is an entity of its own, with the annotation's id. A relation leads from its
    first node to its second, or, as in BioRED, from the concept `entity1` to the concept `entity2`, which its infons name. Relations stand
    at documents, passages or sentences. Their label is the infon `type`, None without one. Pairs without a relation are not in the data:
    `relcon.EntityPairs.v1` makes them, for BioRED with `scope = "document"`.

    Metadata: `novel`, `[[head, tail, label, "No"], ...]` of the relations that say it; `left_out` counts what a document cannot hold:
    relations with other than two nodes, relations of relations, annotations without a location and relations of them, and with
    `entities = "mentions"` relations between concepts.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them. A record is a document.
    entities: "concepts" as above; "mentions": each annotation is an entity, its identifiers stand in `metadata["normalized"]`.
    identifier: the infon of an annotation with its identifier: `MESH` in BC5CDR.
    composite: what separates several identifiers.
    arguments: the infons of a relation that name the concepts of head and tail: `["Chemical", "Disease"]` in BC5CDR, `["role1", "role2"]`
        in what PubTator 3 exports. Nodes are read where a relation has not both.
    label: the infon of a relation with its label: `relation` in BC5CDR.
    head_roles: roles of nodes that are heads although they stand second.

    Source: Comeau et al., BioC: a minimalist approach to interoperability for biomedical text processing, Database 2013; Luo et al.,
    BioRED: a rich biomedical relation extraction dataset, Briefings in Bioinformatics 23(5), 2022.

    Config::

        [reader]
        @readers = "relcon.BioC.v1"
        identifier = "identifier"
        arguments = ["entity1", "entity2"]
        label = "type"
    """

    expected = 'a BioC file, XML (<collection><document><passage>...) or JSON ({"documents": [{"passages": ...}]}), or a folder of them'
    takes = "either"

    def __init__(
        self,
        on_error: OnError = "raise",
        entities: EntitiesFrom = "concepts",
        identifier: str = "identifier",
        composite: List[str] = COMPOSITE,
        arguments: List[str] = ARGUMENTS,
        label: str = "type",
        head_roles: List[str] = HEADS,
    ):
        super().__init__(on_error)
        if len(arguments) != 2:
            raise RelconError(f"arguments must name two infons, those of head and tail, not {len(arguments)}")
        self.entities, self.identifier, self.composite = known_entities(entities), identifier, composite
        self.arguments, self.label, self.head_roles = arguments, label, head_roles

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """A collection of passages in XML, or passages with infons in JSON."""
        text = glimpse.first("**/*.xml").text or glimpse.first("**/*.json").text
        if "<collection" in text and "<passage" in text:
            return "XML with <collection> and <passage>, as in BioC"
        if text.lstrip().startswith(("{", "[")) and '"passages"' in text and '"infons"' in text:
            return "JSON with 'passages' and 'infons', as in BioC"
        return None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The documents of all files, files in the order of their names."""
        files = [path]
        if path.is_dir():
            files = sorted(each for each in path.rglob("*") if each.suffix in (".xml", ".json") and each.is_file())
        for file in files:
            yield from json_documents(file, self.expected) if is_json(file) else xml_documents(file)

    def document(self, record: Record) -> Document:
        """One document."""
        value: Value = of_xml(record.value) if isinstance(record.value, Element) else of_kind(record.value, dict, "the record")
        name = written_id(value, "id")
        try:
            return self._document(value, name, record.source)
        except RecordError as error:
            raise RecordError(f"document '{name}': {error}", error.where) from error

    def _document(self, value: Value, name: str, source: Source) -> Document:
        units, only_sentences = _units(value)
        pieces = [Piece(_number(unit.value, "offset", unit.what), may(unit.value, "text", str, "", unit.what), unit.what) for unit in units]
        text = lay_out(pieces)
        annotations = Annotations(units)
        placed = place_marks(text, annotations.marks)
        starts = [piece.start for piece in pieces]
        concepts = [concepts_of(_infon(each, self.identifier, "an annotation"), self.composite) for each in annotations.placed]
        found = gather(
            Named(mention, _infon(each, "type", f"annotation '{name}'"), name, own if self.entities == "concepts" else ())
            for mention, each, name, own in zip(placed.mentions, annotations.placed, annotations.names, concepts, strict=True)
        )
        relations = Relations(self, annotations, found, _relations(value))
        normalized = {name: list(own) for name, own in zip(annotations.names, concepts, strict=True) if name and own}
        said = {
            "normalized": normalized if self.entities == "mentions" else {},
            "novel": relations.novel,
            LEFT_OUT: dict(annotations.left_out + relations.left_out),
        }
        return Document(
            id=name,
            words=placed.words,
            entities=found.entities,
            relations=tuple(relations.found),
            sentences=given_sentences(placed, starts) if only_sentences else found_sentences(placed, starts),
            text=text,
            offsets=placed.offsets,
            source=source,
            metadata={key: each for key, each in said.items() if each},
        )


# ---- annotations and relations -----------------------------------------------------------------------------------------


class Annotations:
    """The annotations of a document. placed: those with a location; names, marks: their ids and what they mark. elsewhere: ids of the
    others, which `left_out` counts."""

    def __init__(self, units: Iterable[Unit]):
        self.placed: List[Value] = []
        self.names: List[str] = []
        self.marks: List[Mark] = []
        self.elsewhere: Set[str] = set()
        self.left_out: Counter[str] = Counter()
        for unit in units:
            for number, each in enumerate(_objects(unit.value, "annotations", unit.what)):
                what = f"annotation {number} of {unit.what}"
                self._add(each, written_id(each, "id", what) if each.get("id") is not None else "", what)

    def _add(self, value: Value, name: str, what: str) -> None:
        what = f"annotation '{name}'" if name else what
        spans = []
        for each in _objects(value, "locations", what):
            start = _number(each, "offset", f"a location of {what}")
            spans.append((start, start + _number(each, "length", f"a location of {what}")))
        if not spans:
            self.elsewhere.add(name)
            self.left_out["annotation without a location"] += 1
            return
        self.placed.append(value)
        self.names.append(name)
        self.marks.append(Mark(what, spans, may(value, "text", str, owner=what)))

    def number(self, name: str, what: str) -> int:
        """The number of an annotation that a relation names. RecordError where none or several have this id."""
        count = self.names.count(name)
        if count != 1:
            near = did_you_mean(name, self.names)
            raise RecordError(f"{what} names '{name}', the id of {count or 'no'} annotations; expected that of one.{near}")
        return self.names.index(name)


class Relations:
    """The relations of a document. novel: `[head, tail, label, novel]` of those that say it. left_out: counts what is none between two
    entities."""

    def __init__(self, reader: BioC, annotations: Annotations, entities: Gathered, written: Sequence[Value]):
        self.reader, self.annotations, self.entities = reader, annotations, entities
        self.found: List[Relation] = []
        self.novel: List[List[Any]] = []
        self.left_out: Counter[str] = Counter()
        self.names = {str(each["id"]) for each in written if each.get("id") is not None}
        for number, each in enumerate(written):
            self._add(each, f"relation '{each['id']}'" if each.get("id") is not None else f"relation {number}")

    def _add(self, value: Value, what: str) -> None:
        label = _infon(value, self.reader.label, what) or None
        for head, tail in self._pairs(value, what):
            self.found.append(Relation(head, tail, label, "" if value.get("id") is None else written_id(value, "id", what)))
            if _infon(value, "novel", what):
                self.novel.append([head, tail, label, _infon(value, "novel", what)])

    def _pairs(self, value: Value, what: str) -> Iterable[Tuple[int, int]]:
        """The pairs of entities between which a relation holds; none where it is left out."""
        ends = [_concept(value, key, what) for key in self.reader.arguments]
        if all(ends):
            return self._between_concepts(ends, what)
        nodes = _objects(value, "nodes", what)
        if not nodes:
            infons = ", ".join(may(value, "infons", dict, {}, what)) or "none"
            wanted = " and ".join(f"'{key}'" for key in self.reader.arguments)
            raise RecordError(f"{what} has neither nodes nor the infons {wanted} (it has: {infons}); set arguments to those of the file")
        return self._between_nodes(nodes, what)

    def _between_concepts(self, ends: Sequence[str], what: str) -> Iterable[Tuple[int, int]]:
        if self.reader.entities == "mentions":
            self.left_out["relation between concepts"] += 1
            return ()
        for name in ends:
            if name not in self.entities.concepts:
                near = did_you_mean(name, self.entities.concepts)
                raise RecordError(f"{what} names '{name}', which is the identifier of no annotation.{near}")
        return [(self.entities.concepts[ends[0]], self.entities.concepts[ends[1]])]

    def _between_nodes(self, nodes: Sequence[Value], what: str) -> Iterable[Tuple[int, int]]:
        names = [written_id(node, "refid", f"a node of {what}") for node in nodes]
        known = set(self.annotations.names)
        if len(nodes) != 2:
            self.left_out[f"relation with {len(nodes)} nodes"] += 1
        elif any(name in self.names and name not in known for name in names):
            self.left_out["relation of a relation"] += 1
        elif any(name in self.annotations.elsewhere and name not in known for name in names):
            self.left_out["relation of an annotation without a location"] += 1
        else:
            head, tail = (self.annotations.number(name, what) for name in names)
            first, second = (may(node, "role", str, "", f"a node of {what}") for node in nodes)
            turned = second in self.reader.head_roles and first not in self.reader.head_roles
            return self.entities.pairs(*((tail, head) if turned else (head, tail)))
        return ()


def _units(value: Value) -> Tuple[List[Unit], bool]:
    """The passages in order, their sentences in place of those that have any; and whether all are sentences."""
    found, only_sentences = [], True
    for number, passage in enumerate(items(need(value, "passages", list, "the document"), dict, "'passages' of the document")):
        what = f"passage {number}"
        inner = [Unit(each, f"sentence {at} of {what}") for at, each in enumerate(_objects(passage, "sentences", what))]
        only_sentences = only_sentences and bool(inner)
        if inner and (may(passage, "text", str, "", what) or may(passage, "annotations", list, [], what)):
            raise RecordError(f"{what} has sentences, and text or annotations of its own beside them; expected one or the other")
        found += inner or [Unit(passage, what)]
    return found, only_sentences


def _relations(value: Value) -> List[Value]:
    """The relations of a document, its passages and their sentences."""
    owners = [(value, "the document")]
    for number, passage in enumerate(_objects(value, "passages", "the document")):
        what = f"passage {number}"
        owners += [(passage, what), *((each, f"a sentence of {what}") for each in _objects(passage, "sentences", what))]
    return [each for owner, what in owners for each in _objects(owner, "relations", what)]


# ---- fields ------------------------------------------------------------------------------------------------------------


def _objects(value: Value, key: str, owner: str) -> List[Any]:
    return items(may(value, key, list, [], owner), dict, f"'{key}' of {owner}")


def _number(value: Value, key: str, owner: str) -> int:
    """A whole number, in XML and in some JSON a string of digits."""
    written = value.get(key)
    number: int = number_of(written.strip(), f"'{key}' of {owner}") if isinstance(written, str) else need(value, key, int, owner)
    return number


def _infon(value: Value, key: str, owner: str) -> str:
    """An infon as text, "" where it is absent."""
    said = may(value, "infons", dict, {}, owner).get(key)
    if isinstance(said, bool) or not isinstance(said, (str, int, type(None))):
        raise RecordError(f"the infon '{key}' of {owner} must be a string, here it is {described(said)}")
    return "" if said is None else str(said)


def _concept(value: Value, key: str, owner: str) -> str:
    """The identifier of an argument that infons name: a string, or an object with an `identifier`, as PubTator 3 writes it."""
    said = may(value, "infons", dict, {}, owner).get(key)
    return may(said, "identifier", str, "", f"'{key}' of {owner}") if isinstance(said, dict) else _infon(value, key, owner)


# ---- files -------------------------------------------------------------------------------------------------------------


def is_json(path: Path) -> bool:
    """Whether the first character of a file, white space aside, opens an array or an object of JSON."""
    with path.open("rb") as file:
        first = next((line for line in file if line.strip()), b"")
    return first.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"[", b"{")


def json_documents(path: Path, expected: str) -> Iterator[Union[Record, Problem]]:
    """The documents of a JSON file, numbered."""
    text = whole_text(path, expected)
    values = array_items(text, path) if begins_array(path) else json_values(text, path)
    return numbered(each for value in values for each in _of_collection(value))


def json_values(text: str, path: Path) -> Iterator[Union[Record, Problem]]:
    """JSON values that follow each other, with the lines on which they begin. Where one is broken a Problem comes last."""
    decoder, at, line = json.JSONDecoder(), 0, 1
    while solid := SOLID.search(text, at):
        start = solid.start()
        line += text.count("\n", at, start)
        try:
            value, at = decoder.raw_decode(text, start)
        except (ValueError, RecursionError) as error:
            yield Problem(place(path, getattr(error, "lineno", line)), f"not JSON: {error}; nothing after it was read")
            return
        yield Record(value, Source(str(path), line))
        line += text.count("\n", start, at)


def _of_collection(value: Union[Record, Problem]) -> List[Union[Record, Problem]]:
    """The documents of a collection; what is none is itself a document."""
    key = next((key for key in COLLECTIONS if isinstance(value, Record) and isinstance(value.value, dict) and key in value.value), None)
    if isinstance(value, Problem) or key is None:
        return [value]
    documents = value.value[key]
    return [value._replace(value=each) for each in documents] if isinstance(documents, list) else [value]


def xml_documents(path: Path) -> Iterator[Union[Record, Problem]]:
    """The documents of an XML file."""
    for each in elements(path, "document"):
        yield each if isinstance(each, Problem) else Record(each, each.source)


def of_xml(element: Element, depth: int = 0) -> Dict[str, Any]:
    """An element as JSON has it."""
    if depth > DEPTH:
        raise RecordError(f"<{element.tag}> stands deeper than anything of BioC", element.place)
    found: Dict[str, Any] = dict(element.attributes)
    for tag in LEAVES:
        leaf = element.only(tag)
        if leaf is not None:
            found[tag] = leaf.text
    found["infons"] = {each.get("key"): each.text for each in element.all("infon")}
    for tag, key in LISTS.items():
        found[key] = [of_xml(each, depth + 1) for each in element.all(tag)]
    return found
