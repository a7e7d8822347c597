"""Label Studio's JSON export."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from relcon.data.document import Entity, Mention, Relation
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader

READER = "relcon.LabelStudio.v1"

TEXT = "Zorvane blocks KLR2."


def region(name: str, start: int, end: int, *labels: str, **changes: Any) -> Dict[str, Any]:
    value = {"start": start, "end": end, "text": TEXT[start:end], "labels": list(labels)}
    return {"id": name, "type": "labels", "from_name": "label", "to_name": "text", "value": value, **changes}


def relation(*labels: str, **changes: Any) -> Dict[str, Any]:
    return {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right", "labels": list(labels), **changes}


REGIONS = [region("a", 0, 7, "DRUG"), region("b", 15, 19, "PROTEIN")]


def task(result: List[Any], **changes: Any) -> Dict[str, Any]:
    return {"id": 3, "data": {"text": TEXT, "file": "f"}, "annotations": [{"id": 1, "result": result}], **changes}


@pytest.fixture
def one(write: Callable[..., Path], read: Callable[..., Any]) -> Callable[..., Any]:
    """The document of a task."""
    return lambda value, **arguments: read(READER, write("export.json", json.dumps([value])), **arguments)[0]


def test_a_task(one: Callable[..., Any]) -> None:
    document = one(task([*REGIONS, relation("inhibits")]))
    assert (document.id, document.text, document.metadata) == ("3", TEXT, {"file": "f"})
    assert document.entities == (Entity((Mention(0, 1),), "DRUG", "a"), Entity((Mention(2, 3),), "PROTEIN", "b"))
    assert document.relations == (Relation(0, 1, "inhibits"),)


@pytest.mark.parametrize(
    ("changes", "pairs"),
    [({}, [(0, 1)]), ({"direction": "left"}, [(1, 0)]), ({"direction": "bi"}, [(0, 1), (1, 0)]), ({"direction": None}, [(0, 1)])],
)
def test_directions(changes: Dict[str, Any], pairs: List[Any], one: Callable[..., Any]) -> None:
    assert [(each.head, each.tail) for each in one(task([*REGIONS, relation("r", **changes)])).relations] == pairs


def test_each_label_of_a_relation_is_one(one: Callable[..., Any]) -> None:
    assert [each.label for each in one(task([relation("r", "s"), *REGIONS])).relations] == ["r", "s"]


def test_a_relation_without_labels_gets_that_of_the_config(one: Callable[..., Any]) -> None:
    value = task([*REGIONS, relation(), relation(labels=None)])
    assert [each.label for each in one(value).relations] == [None, None]
    assert [each.label for each in one(value, unlabelled="related").relations] == ["related", "related"]


def test_a_region_with_several_labels_is_several_entities(one: Callable[..., Any]) -> None:
    document = one(task([region("a", 0, 7, "DRUG", "BRAND"), region("b", 15, 19), relation("r")]))
    assert [(each.type, each.id) for each in document.entities] == [("DRUG", "a"), ("BRAND", "a"), ("", "b")]
    assert document.relations == (Relation(0, 2, "r"),)


def test_hypertext_is_read_at_its_global_offsets(one: Callable[..., Any]) -> None:
    value = {"start": "/div[1]/text()[1]", "end": "/div[1]/text()[1]", "startOffset": 0, "endOffset": 7, "text": "Zorvane"}
    value |= {"globalOffsets": {"start": 0, "end": 7}, "hypertextlabels": ["DRUG"]}
    [entity] = one(task([{"id": "a", "type": "hypertextlabels", "value": value}])).entities
    assert entity == Entity((Mention(0, 1),), "DRUG", "a")


def test_other_results_and_annotations_are_counted(one: Callable[..., Any]) -> None:
    choice = {"id": "c", "type": "choices", "value": {"choices": ["good"]}}
    annotations = [{"result": [], "was_cancelled": True}, {"result": [choice]}, {"result": [*REGIONS, choice]}]
    document = one(task([], annotations=annotations), annotation="last")
    left_out = {"cancelled annotation": 1, "further one of the annotations": 1, "result of type 'choices'": 1}
    assert document.metadata["left_out"] == left_out and len(document.entities) == 2
    assert not one(task([], annotations=annotations), annotation="first").entities


def test_a_cancelled_annotation_is_none(one: Callable[..., Any]) -> None:
    annotations = [{"result": REGIONS, "was_cancelled": True}]
    document = one(task([], annotations=annotations))
    assert document.entities == () and document.metadata["left_out"] == {"cancelled annotation": 1}


def test_predictions_that_are_not_read_are_counted_where_nothing_else_is_there(one: Callable[..., Any]) -> None:
    predicted = {"predictions": [{"result": REGIONS}]}
    cause = "prediction of a task without annotations (predictions = true reads it)"
    assert one(task([], annotations=[], **predicted)).metadata["left_out"] == {cause: 1}
    assert "left_out" not in one(task(REGIONS, **predicted)).metadata


def test_predictions_keep_their_scores(one: Callable[..., Any]) -> None:
    result = [region("a", 0, 7, "DRUG", score=0.5), region("b", 15, 19, "PROTEIN"), relation("r", score=0.25)]
    document = one(task(REGIONS, predictions=[{"result": result}]), predictions=True)
    assert [entity.score for entity in document.entities] == [0.5, None] and document.relations == (Relation(0, 1, "r", score=0.25),)
    gold = one(task(result))
    assert [entity.score for entity in gold.entities] == [None, None] and gold.relations[0].score is None


def test_the_key_of_the_text_is_told(one: Callable[..., Any]) -> None:
    document = one({"data": {"body": TEXT, "text": "other"}, "annotations": [{"result": REGIONS}]}, text="body")
    assert (document.id, document.text, document.metadata) == ("export-0", TEXT, {"text": "other"})


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"id": 1, "text": TEXT, "label": [{"start": 0, "end": 7}], "annotator": 1}, "this is JSON-MIN, which has no relations"),
        ({"id": 1}, "'data' is missing in the record"),
        ({"data": {"body": TEXT}}, "'data' has no 'text'; name the key of the text in `text`. Keys with text: 'body'"),
        (task([], annotations=[{"result": []}] * 2), "the task has 2 annotations; say which is read"),
        (task([region("a", 1, 8, value={"start": 1, "end": 8, "text": "Zorvane"})]), "is said to be 'Zorvane', but its span covers"),
        (task([*REGIONS, relation("r", to_id="c")]), "'to_id' of result 2 is 'c', which is the id of nothing"),
        (task([*REGIONS, relation("r", direction="up")]), "'direction' of result 2 must be 'right', 'left' or 'bi'"),
        (task([*REGIONS, relation("")]), "a label of result 2 is empty"),
        (task([{"id": "a"}]), "'type' is missing in result 0"),
        (task([{"id": "a", "type": "hypertextlabels", "value": {"start": 0, "end": 7}}]), "'globalOffsets' is missing"),
        (
            task([{"id": "a", "type": "hypertextlabels", "value": {"globalOffsets": {"start": 0, "end": 7}}}]),
            "'text' is missing in 'value' of result 0",
        ),
    ],
)
def test_bad_tasks_are_named(value: Any, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("export.json", "[" + json.dumps(task([], id="good")) + ",\n" + json.dumps(value) + "]"))
    assert where == "export.json:2" and said.startswith("record 1: ") and message in said


@pytest.mark.parametrize("arguments", [{"annotation": "all"}, {"unlabelled": ""}])
def test_arguments_are_checked(arguments: Dict[str, Any]) -> None:
    with pytest.raises(RelconError, match="must be"):
        DatasetReader.registry.get(READER)(**arguments)
