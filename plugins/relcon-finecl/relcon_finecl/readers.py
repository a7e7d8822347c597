"""The documents that ERICA and FineCL pre-train on."""

from pathlib import Path
from typing import Any, Iterable, List, Literal, Mapping, Optional, Sequence, Set

from relcon.data.document import Document, Entity, Relation, Source, WordSpan
from relcon.data.fields import described, items, need
from relcon.data.glimpse import Glimpse
from relcon.data.relations import IGNORED, Pair
from relcon.data.store import fingerprint_of_path, hashed
from relcon.errors import RecordError, RelconError, naming
from relcon.files import read_object
from relcon.readers.docred import (
    DocumentArrays,
    Item,
    LabelNames,
    Layout,
    Positions,
    WrittenLabel,
    known_positions,
    read_entities,
    read_labels,
    read_pairs,
    read_sentences,
    span_of,
)
from relcon.readers.records import OnError

HELD_OUT = "in_test+dev_set"
"""The key of a label that says whether the dev or test set of a later task has it."""


class PretrainingDocuments(DocumentArrays):
    """Reads the pre-training files of ERICA and FineCL: a JSON array of documents, or a folder of such `*.json` files.

    A record is `{"sents": [["word", ...]], "vertexSet": [[{"id", "type", "sent_id", "pos"}]], "labels": [{"h", "t", "r", "uid",
    "in_test+dev_set"}], "na_triple": [[h, t]]}`, otherwise as of `relcon.DocRED.v1`. In place of `sents` it may have `tokenized_sents`, the
    word pieces of every word, of which the words are put together again. The type `None` is no type. A label that says true at
    `in_test+dev_set` is left out. Where there is `na_triple`, the pairs that are neither labelled nor in it are to be ignored
    (`metadata["ignored"]`), else those whose label was left out. Documents have no title there, so each is named after its file and its
    place in it, from 0.

    pos_level: what `pos` counts from: the beginning of the sentence (ERICA) or of the document (FineCL).
    pos_form: "span" is one mention [start, end); "list" are the numbers of all words at which the mention's text stands, of which every
        run without a gap becomes a mention (the files before their last step; texts that touch become one mention).
    relation_form: "pid" is a text, the property (ERICA); "id" its number in `label_map` (FineCL).
    label_map: JSON file `{"P17": 5, ...}`; for "id".
    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.

    Source: Qin et al., ERICA: Improving Entity and Relation Understanding for Pre-trained Language Models via Contrastive Learning, ACL
    2021; Hogan, Li and Shang, Fine-grained Contrastive Learning for Relation Extraction, EMNLP 2022.

    Config::

        [reader]
        @readers = "finecl.PretrainingDocuments.v1"
        pos_level = "document"
        relation_form = "pid"
    """

    expected = 'a pre-training file, one JSON array of {"sents", "vertexSet", "labels", "na_triple"}, or a folder of such *.json files'

    def __init__(
        self,
        pos_level: Positions = "sentence",
        pos_form: Literal["span", "list"] = "span",
        relation_form: Literal["pid", "id"] = "pid",
        label_map: Optional[str] = None,
        on_error: OnError = "raise",
    ):
        super().__init__(on_error)
        if pos_form not in ("span", "list"):
            raise ValueError(f"pos_form: '{pos_form}' is neither 'span' nor 'list'")
        if relation_form not in ("pid", "id"):
            raise ValueError(f"relation_form: '{relation_form}' is neither 'pid' nor 'id'")
        if (relation_form == "id") != (label_map is not None):
            raise ValueError('relation_form, label_map: numbers ("id") need the file that names them, texts ("pid") have none')
        self.pos_level, self.pos_form, self.label_map = known_positions(pos_level), pos_form, label_map

    def fingerprint(self) -> str:
        """What its work depends on: its arguments, and the map of labels."""
        labels = self.label_map and fingerprint_of_path(Path(self.label_map))
        return hashed(self.on_error, self.pos_level, self.pos_form, labels)

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """An array, or a folder of arrays, of documents with 'vertexSet' and what only pre-training files have."""
        first = glimpse.first("*.json")
        known = first.is_array and first.has("vertexSet") and (first.has("na_triple") or first.has("tokenized_sents"))
        return "an array of objects with 'vertexSet' and 'na_triple' or 'tokenized_sents', as of ERICA and FineCL" if known else None

    def label_names(self) -> Optional[LabelNames]:
        """Number -> property, of `label_map`. RelconError where it is no such map, or two properties have one number."""
        if self.label_map is None:
            return None
        with naming("label_map:"):
            found = read_object(self.label_map, 'an object {"P17": 5, ...}')
        try:
            numbers = items(list(found.values()), int, "the map")
        except RecordError as error:
            raise RelconError(f"label_map: {self.label_map}: {error}.") from None
        twice = sorted({number for number in numbers if numbers.count(number) > 1})
        if twice:
            raise RelconError(f"label_map: {self.label_map} gives the number {twice[0]} to several relations; expected a number for each.")
        return {number: name for name, number in found.items()}

    def read_item(self, value: Mapping[str, Any], item: Item, source: Source) -> Document:
        """One document."""
        layout = Layout(_joined_sentences(value) if "tokenized_sents" in value else read_sentences(value))
        entities = read_entities(value, lambda mention, what: [layout.mention(each, what) for each in self._spans(mention, layout, what)])
        labels = read_labels(value, len(entities))
        kept = [label for label in labels if not _held_out(label)]
        relations = tuple(label.relation(item.labels) for label in kept)
        ignored = _ignored(value, labels, relations, len(entities))
        return Document(
            id=item.id,
            words=layout.words,
            entities=tuple(Entity(each.mentions, "" if each.type == "None" else each.type, each.id) for each in entities),
            relations=relations,
            sentences=layout.sentences,
            source=source,
            metadata={IGNORED: ignored} if ignored else {},
        )

    def _spans(self, mention: Mapping[str, Any], layout: Layout, what: str) -> List[WordSpan]:
        """The spans of a written mention in the words of the document."""
        if self.pos_form == "span":
            return [span_of(mention, self.pos_level, layout, what)]
        runs = runs_of(items(need(mention, "pos", list, what), int, f"'pos' of {what}"))
        if not runs:
            raise RecordError(f"'pos' of {what} is empty; expected the numbers of its words")
        return [span_of({**mention, "pos": list(run)}, self.pos_level, layout, what) for run in runs]


def runs_of(numbers: Iterable[int]) -> List[WordSpan]:
    """The stretches [start, end) of whole numbers without a gap, in order."""
    found: List[WordSpan] = []
    for number in sorted(set(numbers)):
        if found and found[-1][1] == number:
            found[-1] = (found[-1][0], number + 1)
        else:
            found.append((number, number + 1))
    return found


def _joined_sentences(value: Mapping[str, Any]) -> List[List[str]]:
    """The words of each sentence, put together from WordPiece's pieces."""
    sentences = items(need(value, "tokenized_sents", list), list, "'tokenized_sents'")
    words = [items(sentence, list, f"sentence {number}") for number, sentence in enumerate(sentences)]
    return [
        [_joined(items(word, str, f"word {place} of sentence {number}")) for place, word in enumerate(sentence)]
        for number, sentence in enumerate(words)
    ]


def _joined(pieces: Sequence[str]) -> str:
    """A word of its pieces, of which those after the first begin with `##`."""
    return "".join([*pieces[:1], *(piece.removeprefix("##") for piece in pieces[1:])])


def _held_out(label: WrittenLabel) -> bool:
    """Whether a later task is evaluated on it."""
    value: Any = label.value.get(HELD_OUT, False)
    if not isinstance(value, bool):
        raise RecordError(f"'{HELD_OUT}' of {label.what} must be true or false, here it is {described(value)}")
    return value


def _ignored(value: Mapping[str, Any], labels: Iterable[WrittenLabel], relations: Iterable[Relation], entities: int) -> List[List[int]]:
    """The pairs that are neither related nor unrelated."""
    related = {(each.head, each.tail) for each in relations}
    if "na_triple" not in value:
        candidates: Set[Pair] = {(label.head, label.tail) for label in labels}
        return [list(pair) for pair in sorted(candidates - related)]
    unrelated = set(read_pairs(value, "na_triple", entities))
    every = ((head, tail) for head in range(entities) for tail in range(entities) if head != tail)
    return [list(pair) for pair in every if pair not in related and pair not in unrelated]
