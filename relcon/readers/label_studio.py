"""Label Studio's JSON export: tasks with the regions and relations that people, or models, marked in them."""

from collections import Counter
from typing import Any, Dict, Iterator, List, Literal, Mapping, NamedTuple, Optional, Sequence

from relcon.data.document import Document, Entity, Relation
from relcon.data.fields import items, may, need
from relcon.data.glimpse import Glimpse
from relcon.data.relations import LEFT_OUT
from relcon.data.spans import WrittenMention, place_mentions
from relcon.errors import RecordError, RelconError
from relcon.readers.records import JSONReader, OnError, Record, object_of
from relcon.readers.standoff import argument, sentences_of, written_id

REGIONS = ("labels", "hypertextlabels")
"""Types of results that mark a piece of text."""

Annotation = Literal["only", "first", "last"]


class Region(NamedTuple):
    """A piece of text that one annotation marks. what: what to call it in messages."""

    id: str
    what: str
    mention: WrittenMention
    labels: List[str]
    score: Optional[float]


class LabelStudio(JSONReader):
    """Reads Label Studio's export as JSON (not JSON-MIN, which has no relations): one array of tasks, or one task a line, labelled or not.

    A task is `{"id", "data": {"text": ...}, "annotations": [{"result": [...]}], "predictions": [...]}`. A result of type `labels` or
    `hypertextlabels` is an entity: `{"id", "type", "value": {"start", "end", "text", "labels": [T]}}`, for hypertext at
    `value.globalOffsets`. Positions count characters of the text as it is shown, the end is exclusive; `value.text`, where it is there (of
    hypertext it must be), is compared with the text at them, so that a text that is shown otherwise (HTML with tags) is refused and not
    misread. A region with several labels is that many entities; its relations are those of the first.

    A result of type `relation` leads from `from_id` to `to_id` where its `direction` is "right" (or absent), back where it is "left", and
    is two relations where it is "bi"; each of its `labels` is a relation. Results of other types (`choices`, `textarea`) are counted in
    `metadata["left_out"]`, and so are annotations that are cancelled or not chosen. A task without annotations is a text without entities.
    The other values of `data` go to `metadata`. One document per task, its id the task's, or file and line where it has none. Pairs
    without a relation are not in the data: `relcon.EntityPairs.v1` makes them.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    text: the key of the text in a task's `data`.
    annotation: which of a task's annotations is read, those that were cancelled aside: "only" refuses a task that has several; "first" or
        "last" in the order of the file.
    predictions: read the `predictions` of models in place of the annotations; entities and relations keep their `score`.
    unlabelled: the label of relations without labels; null where they are to be predicted.
    split_sentences: find sentences in the text; otherwise a document is one sentence.

    Source: Tkachenko et al., Label Studio: Data labeling software, 2020 (software).

    Config::

        [reader]
        @readers = "relcon.LabelStudio.v1"
        annotation = "last"
        unlabelled = "related"
    """

    expected = 'an export of Label Studio as JSON, each task {"id", "data": {"text": ...}, "annotations": [{"result": [...]}]}'

    def __init__(
        self,
        on_error: OnError = "raise",
        text: str = "text",
        annotation: Annotation = "only",
        predictions: bool = False,
        unlabelled: Optional[str] = None,
        split_sentences: bool = False,
    ):
        super().__init__(on_error)
        if annotation not in ("only", "first", "last"):
            raise RelconError(f"annotation must be 'only', 'first' or 'last', not '{annotation}'")
        if unlabelled == "":
            raise RelconError("unlabelled must be the name of a label, or null where relations without labels are to be predicted")
        self.text, self.annotation, self.predictions = text, annotation, predictions
        self.unlabelled, self.split_sentences = unlabelled, split_sentences

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Tasks with 'data' and 'annotations' or 'predictions'."""
        if glimpse.has("data") and (glimpse.has("annotations") or glimpse.has("predictions")):
            return "tasks with 'data' and 'annotations' or 'predictions', as Label Studio exports them"
        return None

    def document(self, record: Record) -> Document:
        """One task."""
        value = object_of(record)
        name = written_id(value, "id") if value.get("id") is not None else record.name
        data, left_out = _data(value), Counter[str]()
        results = self._results(value, left_out)
        regions = [region for number, each in enumerate(results) for region in self._regions(each, f"result {number}", left_out)]
        base, mentions = place_mentions({"text": self._text(data)}, [region.mention for region in regions])
        entities = [
            (region.id, Entity((mention,), label, region.id, region.score))
            for region, mention in zip(regions, mentions, strict=True)
            for label in region.labels or [""]
        ]
        numbers = {identity: number for number, (identity, _) in reversed(list(enumerate(entities)))}
        return Document(
            id=name,
            words=base.words,
            entities=tuple(entity for _, entity in entities),
            relations=tuple(
                relation
                for number, each in enumerate(results)
                if each.get("type") == "relation"
                for relation in self._relations(each, f"result {number}", numbers)
            ),
            sentences=sentences_of(base, mentions, self.split_sentences),
            text=base.text,
            offsets=base.offsets,
            source=record.source,
            metadata={
                **{key: kept for key, kept in data.items() if key != self.text},
                **({LEFT_OUT: dict(+left_out)} if +left_out else {}),
            },
        )

    def _text(self, data: Mapping[str, Any]) -> str:
        if self.text not in data:
            texts = ", ".join(f"'{key}'" for key, value in data.items() if isinstance(value, str)) or "none"
            raise RecordError(f"'data' has no '{self.text}'; name the key of the text in `text`. Keys with text: {texts}")
        found: str = need(data, self.text, str, "'data'")
        return found

    def _results(self, value: Mapping[str, Any], left_out: "Counter[str]") -> List[Dict[str, Any]]:
        """The results of the annotation, or prediction, that is read; none of a task without."""
        key = "predictions" if self.predictions else "annotations"
        written = items(may(value, key, list, []), dict, f"'{key}'")
        valid = [each for each in written if not may(each, "was_cancelled", bool, False, "an annotation")]
        if len(valid) > 1 and self.annotation == "only":
            raise RecordError(f"the task has {len(valid)} {key}; say which is read with annotation = 'first' or 'last'")
        left_out.update({"cancelled annotation": len(written) - len(valid), f"further one of the {key}": max(len(valid) - 1, 0)})
        if not valid:
            unread = [] if self.predictions else may(value, "predictions", list, [])
            left_out["prediction of a task without annotations (predictions = true reads it)"] += len(unread)
            return []
        chosen = valid[-1 if self.annotation == "last" else 0]
        return items(need(chosen, "result", list, f"one of the {key}"), dict, "'result'")

    def _regions(self, result: Mapping[str, Any], what: str, left_out: "Counter[str]") -> Iterator[Region]:
        """The region of a result that is one."""
        kind = need(result, "type", str, what)
        if kind in REGIONS:
            yield _region(result, kind, what, self.predictions)
        elif kind != "relation":
            left_out[f"result of type '{kind}'"] += 1

    def _relations(self, result: Mapping[str, Any], what: str, numbers: Mapping[str, int]) -> Iterator[Relation]:
        """The relations of a result of type `relation`: for each label and direction."""
        one, other = (argument(result, key, what, numbers) for key in ("from_id", "to_id"))
        score = may(result, "score", float, owner=what) if self.predictions else None
        labels: List[Optional[str]] = [*_labels(result, "labels", what)]
        for label in labels or [self.unlabelled]:
            for head, tail in _directed(one, other, may(result, "direction", str, "right", what), what):
                yield Relation(head, tail, label, score=score)


def _data(value: Mapping[str, Any]) -> Dict[str, Any]:
    """What a task is about."""
    if "data" not in value and ("label" in value or "annotator" in value):
        raise RecordError("the task has no 'data': this is JSON-MIN, which has no relations; export as JSON")
    data: Dict[str, Any] = need(value, "data", dict)
    return data


def _region(result: Mapping[str, Any], kind: str, what: str, scored: bool) -> Region:
    value, whose = need(result, "value", dict, what), f"'value' of {what}"
    hypertext = kind == "hypertextlabels"
    place = need(value, "globalOffsets", dict, whose) if hypertext else value
    span = need(place, "start", int, whose), need(place, "end", int, whose)
    claimed = need(value, "text", str, whose) if hypertext else may(value, "text", str, owner=whose)
    identity = written_id(result, "id", what)
    mention = WrittenMention(f"region '{identity}'", "chars", [span], claimed)
    return Region(identity, what, mention, _labels(value, kind, whose), may(result, "score", float, owner=what) if scored else None)


def _labels(value: Mapping[str, Any], key: str, what: str) -> List[str]:
    """The labels; none where there is no such key. RecordError where one is empty."""
    labels: List[str] = items(may(value, key, list, [], what), str, f"'{key}' of {what}")
    if "" in labels:
        raise RecordError(f"a label of {what} is empty; expected its name")
    return labels


def _directed(one: int, other: int, direction: str, what: str) -> Sequence[Any]:
    """Head and tail in each direction in which a relation holds."""
    forth, back = (one, other), (other, one)
    directions = {"right": [forth], "left": [back], "bi": [forth, back]}
    if direction not in directions:
        raise RecordError(f"'direction' of {what} must be 'right', 'left' or 'bi', here it is '{direction}'")
    return directions[direction]
