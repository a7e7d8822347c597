"""Sentence-level scores as this line of work reports them, by the profiles of the core."""

import pytest

from relcon.config import resolve
from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.evaluators.profiles import DIRECTED
from relcon.interfaces import Split


def figures(gold, predicted, labels, profile):
    """The figures of `relcon.Scores.v1`, from a config block, for these labels."""
    entities = (Entity((Mention(0, 1),)), Entity((Mention(1, 2),)))
    documents = [Document(f"d{n}", ("a", "b"), entities, (Relation(0, 1, label),)) for n, label in enumerate(gold)]
    data = Split("test", documents, [Instance(each, 0, 1, label, each.id) for each, label in zip(documents, gold, strict=True)], labels)
    evaluator = resolve({"@evaluators": "relcon.Scores.v1", "profile": profile}, "[evaluator]")
    return evaluator.figures(gold, predicted, data)


def test_finecl_a10_tacred_micro_f1():
    names = ("no_relation", "per:age", "per:title", "org:founded")
    gold, predicted = ([names[number] for number in row] for row in ([0, 0, 1, 2, 2, 3, 0, 1], [0, 1, 1, 2, 0, 2, 3, 1]))
    found = figures(gold, predicted, LabelSet.of(names, negative=["no_relation"]), "tacred.micro")
    wanted = {"precision": 0.5, "recall": 0.6, "f1": 0.545455, "accuracy": 0.5}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)


CE12, CE21, CW12, CW21 = "Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)", "Component-Whole(e1,e2)", "Component-Whole(e2,e1)"
SEMEVAL = LabelSet.of(DIRECTED, negative=["Other"])
GOLD = [CE12] * 4 + [CW21] * 2 + ["Other"] * 2
PREDICTED = [CE12, CE12, CE12, CE21, CW21, "Other", "Other", CW12]


def test_finecl_a10_semeval_micro_over_directed_labels():
    assert figures(GOLD, PREDICTED, SEMEVAL, "semeval2010.micro18")["f1"] == pytest.approx(0.666667, abs=1e-6)


def test_finecl_a10_semeval_official():
    """The official mean goes over the relations that the gold data have."""
    found = figures(GOLD, PREDICTED, SEMEVAL, "semeval2010.official")
    assert (found["f1/Cause-Effect"], found["f1/Component-Whole"], found["f1"]) == pytest.approx((0.75, 0.5, 0.625))


def test_finecl_a10_semeval_official_over_nine_relations():
    """With one sentence of each of the other seven, none of which is found."""
    rest = sorted({name.partition("(")[0] for name in DIRECTED} - {"Cause-Effect", "Component-Whole", "Other"})
    gold, predicted = GOLD + [f"{relation}(e1,e2)" for relation in rest], PREDICTED + ["Other"] * 7
    assert len(rest) == 7 and figures(gold, predicted, SEMEVAL, "semeval2010.official")["f1"] == pytest.approx(0.138889, abs=1e-6)
