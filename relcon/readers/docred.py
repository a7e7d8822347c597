"""DocRED's JSON: documents of sentences, entities with all their mentions, and the relations between them."""

from abc import abstractmethod
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Literal, Mapping, NamedTuple, Optional, Sequence, Set, Tuple, Union

from relcon.data.document import Document, Entity, Mention, Relation, Source, WordSpan
from relcon.data.fields import described, inside, items, may, need, of_kind, pair, whole
from relcon.data.glimpse import Glimpse
from relcon.data.relations import IGNORED, Pair
from relcon.data.store import fingerprint_of_path, hashed
from relcon.errors import Problem, RecordError, RelconError, did_you_mean, naming
from relcon.files import read_object
from relcon.readers.records import ArrayReader, OnError, Record

Positions = Literal["sentence", "document"]

LabelNames = Mapping[Union[str, int], str]
"""What a file writes for a relation -> the name of the label."""


class Item(NamedTuple):
    """An item of an array.

    number: its place in its file, from 0. id: of its document. labels: the relations that there are; None for any text.
    uids: the identities of relations that were met so far, in all files.
    """

    number: int
    id: str
    value: Any
    labels: Optional[LabelNames]
    uids: Set[str]


class DocumentArrays(ArrayReader):
    """A reader of JSON arrays of documents: one file, or all `*.json` of a folder in the order of their names, one in memory at a time."""

    takes = "either"

    @abstractmethod
    def read_item(self, value: Mapping[str, Any], item: Item, source: Source) -> Document:
        """The document of an object. RecordError where it is wrong."""

    def label_names(self) -> Optional[LabelNames]:
        """The relations that there are, read from a file where the reader knows one; None for any text."""
        return None

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The items of all arrays, with their ids. RelconError where a folder has no `*.json`."""
        files = sorted(path.glob("*.json")) if path.is_dir() else [path]
        if not files:
            raise RelconError(f"{path} has no file '*.json'; expected {self.expected}.")
        labels, uids, titles = self.label_names(), set[str](), Counter[str]()
        for file in files:
            for number, each in enumerate(ArrayReader.records(self, file)):
                if isinstance(each, Problem):
                    yield each
                else:
                    yield Record(Item(number, _name(each.value, file, number, titles), each.value, labels, uids), each.source)

    def document(self, record: Record) -> Document:
        """One document."""
        item: Item = record.value
        try:
            document = self.read_item(of_kind(item.value, dict, "the record"), item, record.source)
            _note_uids(document, item.uids)
        except RecordError as error:
            raise RecordError(f"record {item.number}: {error}") from error
        return document


class DocRED(DocumentArrays):
    """Reads DocRED and Re-DocRED, labelled or not: a JSON array, or a folder of such `*.json` files.

    A record is `{"title": "...", "sents": [["word", ...], ...], "vertexSet": [[{"name", "sent_id", "pos": [start, end], "type"}, ...]],
    "labels": [{"h", "t", "r", "evidence"}]}`: one list of `vertexSet` is an entity with all its mentions, `pos` counts words, the
    end is exclusive, `h` and `t` are numbers of entities from 0. One document per record. An entity has the type of its first mention,
    and the `id` of the first mention that has one. Words that are nothing but white space are left out and positions moved accordingly.

    The id of a document is its title, `TITLE (2)` where an earlier one has the same title, and FILE-NUMBER without a title. A relation's
    id is the `uid` of its label. Metadata: `title`; `names`, the names of every entity's mentions as the file writes them, which are not
    always its words; `evidence`, `[[head, tail, label, [sentence, ...]], ...]` of the labels that have any; and `ignored`,
    `[[head, tail], ...]`, where the record has such a list: pairs that are neither related nor unrelated.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    positions: what `pos` counts from: the beginning of the sentence (the published files), or of the document (preprocessed ones).
    rel_info: DocRED's file of relations, `{"P6": "head of government", ...}`; a label that is not in it is an error. Null: any is right.
        Labels keep the names of the file (`P6`).

    Source: Yao et al., DocRED: A Large-Scale Document-Level Relation Extraction Dataset, ACL 2019; Tan et al., Revisiting DocRED,
    EMNLP 2022.

    Config::

        [reader]
        @readers = "relcon.DocRED.v1"
        positions = "sentence"
    """

    expected = 'a DocRED file, one JSON array of {"title", "sents", "vertexSet", "labels"}, or a folder of such *.json files'

    def __init__(self, on_error: OnError = "raise", positions: Positions = "sentence", rel_info: Optional[str] = None):
        super().__init__(on_error)
        self.positions, self.rel_info = known_positions(positions), rel_info

    def fingerprint(self) -> str:
        """What its work depends on: its arguments, and the relations that there are."""
        return hashed(self.on_error, self.positions, self.rel_info and fingerprint_of_path(Path(self.rel_info)))

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """An array, or a folder of arrays, of documents with 'sents' and 'vertexSet'."""
        first = glimpse.first("*.json")
        known = first.is_array and first.has("sents", "vertexSet") and not first.has("na_triple")
        return "an array of objects with 'sents' and 'vertexSet', as in DocRED" if known else None

    def label_names(self) -> Optional[LabelNames]:
        """The relations of `rel_info`."""
        if self.rel_info is None:
            return None
        with naming("rel_info:"):
            return {name: name for name in read_object(self.rel_info, 'an object {"P6": "head of government", ...}')}

    def read_item(self, value: Mapping[str, Any], item: Item, source: Source) -> Document:
        """One document."""
        layout = Layout(read_sentences(value))
        entities = read_entities(value, lambda mention, what: [layout.mention(span_of(mention, self.positions, layout, what), what)])
        labels = read_labels(value, len(entities))
        relations = tuple(each.relation(item.labels) for each in labels)
        ignored = read_pairs(value, IGNORED, len(entities))
        related = next((pair for pair in ignored if pair in {(each.head, each.tail) for each in relations}), None)
        if related is not None:
            raise RecordError(f"'{IGNORED}' names the pair {list(related)}, which has a label; a pair is one or the other")
        return Document(
            id=item.id,
            words=layout.words,
            entities=entities,
            relations=relations,
            sentences=layout.sentences,
            source=source,
            metadata=_metadata(value, labels, relations, ignored),
        )


# ---- words and positions -----------------------------------------------------------------------------------------------


@dataclass
class Layout:
    """Where the words of sentences stand in their document.

    given: the sentences as the file has them. Words of white space are no words of the document; positions in the file count them.
    """

    given: Sequence[Sequence[str]]

    def __post_init__(self) -> None:
        flat = [word for sentence in self.given for word in sentence]
        self.starts = list(accumulate(map(len, self.given), initial=0))
        self.kept = [number for number, word in enumerate(flat) if word.strip()]
        self.words = tuple(flat[number] for number in self.kept)
        ends = [bisect_left(self.kept, start) for start in self.starts]
        self.sentences: Tuple[WordSpan, ...] = tuple(pairwise(ends))
        if not self.words:
            raise RecordError("'sents' has no word")

    def mention(self, span: WordSpan, what: str) -> Mention:
        """The mention at words [start, end) of the document as the file counts them."""
        moved = tuple(bisect_left(self.kept, place) for place in span)
        return Mention(*inside(moved, len(self.words), "words", f"{what}, without white space,"))


def read_sentences(value: Mapping[str, Any]) -> List[List[str]]:
    """The words of each sentence."""
    return [items(each, str, f"sentence {number}") for number, each in enumerate(items(need(value, "sents", list), list, "'sents'"))]


def sentence_of(mention: Mapping[str, Any], layout: Layout, what: str) -> int:
    """The sentence that a mention names."""
    number = whole(mention.get("sent_id"), f"'sent_id' of {what}")
    if not 0 <= number < len(layout.given):
        raise RecordError(f"'sent_id' of {what} is {number}, but the record has {len(layout.given)} sentences, numbered from 0")
    return number


def span_of(mention: Mapping[str, Any], positions: Positions, layout: Layout, what: str) -> WordSpan:
    """The span of a mention in the words of the document."""
    span = pair(need(mention, "pos", list, what), f"'pos' of {what}")
    if positions == "document":
        return inside(span, layout.starts[-1], "words", what)
    number = sentence_of(mention, layout, what)
    start, end = inside(span, len(layout.given[number]), f"words of sentence {number}", what)
    return layout.starts[number] + start, layout.starts[number] + end


def known_positions(positions: Positions) -> Positions:
    """Itself; ValueError where it is neither."""
    if positions not in ("sentence", "document"):
        raise ValueError(f"positions: '{positions}' is neither 'sentence' nor 'document'")
    return positions


# ---- entities and labels -----------------------------------------------------------------------------------------------


def read_entities(value: Mapping[str, Any], mentions: Callable[[Mapping[str, Any], str], List[Mention]]) -> Tuple[Entity, ...]:
    """The entities. mentions: of one written mention, and what to call it; one in DocRED's own files."""
    found = []
    for number, each in enumerate(items(need(value, "vertexSet", list), list, "'vertexSet'")):
        written = items(each, dict, f"entity {number}")
        if not written:
            raise RecordError(f"entity {number} has no mention")
        places = [place for at, mention in enumerate(written) for place in mentions(mention, f"mention {at} of entity {number}")]
        kind, names = may(written[0], "type", str, "", f"entity {number}"), (may(mention, "id", str, "") for mention in written)
        found.append(Entity(tuple(places), kind, next(filter(None, names), "")))
    return tuple(found)


class WrittenLabel(NamedTuple):
    """An item of `labels`. what: what to call it."""

    head: int
    tail: int
    value: Mapping[str, Any]
    what: str

    def relation(self, names: Optional[LabelNames]) -> Relation:
        """The relation. names: those that there are; None for any text."""
        name = need(self.value, "r", str, self.what) if names is None else self._known(names)
        if not name:
            raise RecordError(f"'r' of {self.what} is empty; expected the name of a relation")
        uid = self.value.get("uid")
        if uid is not None and (isinstance(uid, bool) or not isinstance(uid, (int, str))):
            raise RecordError(f"'uid' of {self.what} must be a whole number or a string, here it is {described(uid)}")
        return Relation(self.head, self.tail, name, "" if uid is None else str(uid))

    def evidence(self) -> List[int]:
        """The sentences that support it."""
        return items(may(self.value, "evidence", list, [], self.what), int, f"'evidence' of {self.what}")

    def _known(self, names: LabelNames) -> str:
        said = self.value.get("r")
        if isinstance(said, bool) or not isinstance(said, (int, str)) or said not in names:
            near = did_you_mean(str(said), map(str, names))
            raise RecordError(f"'r' of {self.what} is {said!r}, which is none of the {len(names)} relations.{near}")
        return names[said]


def read_labels(value: Mapping[str, Any], entities: int) -> List[WrittenLabel]:
    """The labels; none where the record has no such list."""
    found = []
    for number, label in enumerate(items(may(value, "labels", list, []), dict, "'labels'")):
        head, tail = (_entity(need(label, key, int, f"label {number}"), entities, f"'{key}' of label {number}") for key in ("h", "t"))
        found.append(WrittenLabel(head, tail, label, f"label {number}"))
    return found


def read_pairs(value: Mapping[str, Any], key: str, entities: int) -> List[Pair]:
    """A list of pairs of entities; empty where the record has no such key."""
    found = []
    for number, each in enumerate(items(may(value, key, list, []), list, f"'{key}'")):
        what = f"item {number} of '{key}'"
        head, tail = (_entity(end, entities, what) for end in pair(each, what))
        found.append((head, tail))
    return found


def _entity(number: int, entities: int, what: str) -> int:
    """The number of an entity that there is."""
    if not 0 <= number < entities:
        raise RecordError(f"{what} is entity {number}, but the record has {entities} entities, numbered from 0")
    return number


# ---- what stands beside them -------------------------------------------------------------------------------------------


def _name(value: Any, file: Path, number: int, titles: "Counter[str]") -> str:
    """The id of a record's document. titles: how often each was met, which is brought up to date."""
    title = value.get("title") if isinstance(value, dict) else None
    if not isinstance(title, str) or not title:
        return f"{file.stem}-{number}"
    titles[title] += 1
    return title if titles[title] == 1 else f"{title} ({titles[title]})"


def _note_uids(document: Document, uids: Set[str]) -> None:
    """Add the identities of a document's relations; RecordError where one is another relation's."""
    own = Counter(each.id for each in document.relations if each.id)
    again = next((uid for uid, count in own.items() if count > 1 or uid in uids), None)
    if again is not None:
        raise RecordError(f"the uid '{again}' stands at two labels; a uid is the identity of one")
    uids.update(own)


def _metadata(value: Mapping[str, Any], labels: List[WrittenLabel], relations: Sequence[Relation], ignored: List[Pair]) -> Dict[str, Any]:
    """Title, names, evidence and pairs to be ignored."""
    found: Dict[str, Any] = {}
    title = may(value, "title", str, "")
    if title:
        found["title"] = title
    found["names"] = [
        [need(mention, "name", str, f"mention {at} of entity {number}") for at, mention in enumerate(entity)]
        for number, entity in enumerate(value["vertexSet"])
    ]
    evidence = [
        [each.head, each.tail, each.label, list(sentences)]
        for each, sentences in zip(relations, (label.evidence() for label in labels), strict=True)
        if sentences
    ]
    if evidence:
        found["evidence"] = evidence
    if ignored:
        found[IGNORED] = [list(each) for each in ignored]
    return found
