"""Scores of facts of documents."""

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.config import resolve
from relcon.data.candidates import EntityPairs
from relcon.data.corpus import PartCorpus
from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.data.splits import hold_out
from relcon.errors import RelconError
from relcon.evaluators.documents import DocumentScores, area, macro, micro
from relcon.evaluators.scoring import Counts
from relcon.evaluators.thresholds import prefixes
from relcon.interfaces import Model, Split
from relcon.stages.threshold import chosen

NAME = "relcon.DocumentScores.v1"

LABELS = LabelSet.of(["P17", "P19", "P27", "P36", "P206"], negative=["Na"])

Fact = Tuple[str, int, int, str]


class Scorer(Model):
    """Scores by fact, 0 for all others; the label for 'no relation' always scores highest."""

    def __init__(self, scores: Dict[Fact, float], threshold: Optional[float] = None):
        self.labels, self.scores, self.threshold = LABELS, scores, threshold

    def probabilities(self, instances: Sequence[Instance]) -> torch.Tensor:
        rows = torch.zeros(len(instances), len(LABELS))
        rows[:, LABELS.number("Na")] = 0.99
        places = {(each.document.id, each.head, each.tail): row for row, each in enumerate(instances)}
        for (name, head, tail, label), score in self.scores.items():
            rows[places[name, head, tail], LABELS.number(label)] = score
        return rows

    def embed(self, instances: Sequence[Instance]) -> torch.Tensor:
        raise NotImplementedError


def document(name: str, entities: Sequence[Sequence[str]], facts: Sequence[Tuple[int, int, str]], **metadata: Any) -> Document:
    """A document of nothing but its mentions."""
    words: List[str] = []
    found = []
    for names in entities:
        mentions = []
        for each in names:
            mentions.append(Mention(len(words), len(words) + len(each.split())))
            words += each.split()
        found.append(Entity(tuple(mentions)))
    return Document(name, tuple(words), tuple(found), tuple(Relation(*fact) for fact in facts), metadata=metadata)


def split(*documents: Document, rule: Optional[EntityPairs] = None, name: str = "dev") -> Split:
    rule = rule or EntityPairs(scope="document", directed=True, several="kept")
    instances = [instance for each in documents for instance in rule.instances(each, LABELS)[0]]
    return Split(name, list(documents), instances, LABELS)


TRAIN = split(document("t1", [["Obama"], ["USA"]], [(0, 1, "P27")]), document("t2", [["Paris"], ["France"]], [(0, 1, "P17")]), name="train")

D1 = document("d1", [["Barack Obama", "Obama"], ["USA"], ["Hawaii"]], [(0, 1, "P27"), (0, 2, "P19")])
D2 = document("d2", [["Paris"], ["France"], ["Seine"]], [(0, 1, "P17"), (2, 1, "P17"), (0, 2, "P206")])

SCORES: Dict[Fact, float] = {
    ("d1", 0, 1, "P27"): 0.9,
    ("d2", 0, 1, "P17"): 0.8,
    ("d1", 0, 2, "P19"): 0.7,
    ("d2", 1, 0, "P36"): 0.6,
    ("d2", 2, 1, "P17"): 0.55,
    ("d1", 2, 1, "P17"): 0.4,
}


def figures(scores: Dict[Fact, float] = SCORES, threshold: Optional[float] = None, folder: Optional[Path] = None, **arguments: Any) -> Any:
    evaluator = resolve({"@evaluators": NAME, **arguments}, "[evaluator]")
    return evaluator.evaluate(Scorer(scores, threshold), split(D1, D2), folder, TRAIN)


def test_finecl_a08_f1_and_ign_f1_at_the_threshold_of_the_model() -> None:
    found = figures(threshold=0.4)
    wanted = {"precision": 0.666667, "recall": 0.8, "f1": 0.727273, "ign_precision": 0.5, "ign_f1": 0.615385}
    assert {name: found[name] for name in wanted} == pytest.approx(wanted, abs=1e-6)
    assert (found["threshold"], found["threshold_is_oracle"]) == (0.4, 0.0)
    assert (found["facts"], found["predicted"], found["right"]) == (5, 6, 4)


def test_finecl_a08_the_best_threshold_is_used_where_the_model_has_none() -> None:
    found = figures()
    assert found["best_threshold"] == found["threshold"] == pytest.approx(0.55) and found["threshold_is_oracle"] == 1
    assert found["max_f1"] == found["f1"] == pytest.approx(0.8) and found["ign_f1"] == pytest.approx(0.727273, abs=1e-6)


def test_finecl_a08_f1_after_each_prefix() -> None:
    prefixes = [figures(threshold=score)["f1"] for score in SCORES.values()]
    assert prefixes == pytest.approx([0.333333, 0.571429, 0.75, 0.666667, 0.8, 0.727273], abs=1e-6)


def test_finecl_a08_strict_predicts_one_less() -> None:
    found = figures(strict=True)
    assert found["predicted"] == 4 and found["max_f1"] == pytest.approx(0.8)
    assert (found["f1"], found["ign_f1"]) == (pytest.approx(0.666667, abs=1e-6), pytest.approx(0.545455, abs=1e-6))


def test_finecl_a09_macro_f1() -> None:
    counts = Counts(*(torch.tensor(each).numpy() for each in ([6, 1, 0, 2], [8, 2, 0, 5], [10, 4, 2, 4])))
    assert macro(counts, "gold") == pytest.approx({"macro_f1": 0.361111, "weighted_macro_f1": 0.488889}, abs=1e-6)
    assert macro(counts, "predicted") == pytest.approx({"macro_f1": 0.481481, "weighted_macro_f1": 0.543210}, abs=1e-6)
    assert micro(counts)["f1"] == pytest.approx(0.514286, abs=1e-6)


def test_macro_means_of_a_model() -> None:
    """At 0.4: P17 has 2 gold, 3 predicted, 2 right; P19 and P27 are right; P36 is predicted without gold; P206 is never predicted."""
    gold, predicted = figures(threshold=0.4), figures(threshold=0.4, macro_classes="predicted")
    assert gold["macro_f1"] == pytest.approx((0.8 + 1 + 1 + 0) / 4) and predicted["macro_f1"] == pytest.approx((0.8 + 1 + 1 + 0) / 4)
    assert gold["weighted_macro_f1"] == pytest.approx((1.6 + 2) / 5) and predicted["weighted_macro_f1"] == pytest.approx((1.6 + 2) / 4)


def test_figures_of_some_labels() -> None:
    found = figures(threshold=0.4, only=["P17", "P206"])
    assert {name: found[f"only.{name}"] for name in ("precision", "recall", "f1")} == pytest.approx(
        {"precision": 2 / 3, "recall": 2 / 3, "f1": 2 / 3}
    )


def test_area_goes_from_threshold_to_threshold() -> None:
    """Points (recall, precision): (.2, 1), (.4, 1), (.6, 1), (.6, .75), (.8, .8), (.8, 4/6), and (.8, 4/30) or (1, 5/60) at the score 0."""
    last = (0.8 - 0.8) * 0 + (1 - 0.8) * (4 / 6 + 5 / 60) / 2  # all other candidates, the fifth fact among them, go in together
    assert figures()["pr_auc"] == pytest.approx(0.4 * 1 + 0.2 * (0.75 + 0.8) / 2 + last)


def test_equal_scores_go_in_together() -> None:
    """0.9 right, then two at 0.5 of which one is right: no threshold has the one alone."""
    found = figures({("d1", 0, 1, "P27"): 0.9, ("d1", 1, 0, "P36"): 0.5, ("d1", 0, 2, "P19"): 0.5})
    assert found["max_f1"] == pytest.approx(2 * 2 / (3 + 5)) and found["best_threshold"] == 0.5 and found["predicted"] == 3


def test_relations_without_a_candidate_cost_recall() -> None:
    near = EntityPairs(scope="document", directed=True, max_distance=0, several="kept")
    data = split(D1, D2, rule=near)
    assert len(data.instances) < 12
    found = DocumentScores().evaluate(Scorer({("d1", 0, 1, "P27"): 0.9}, 0.5), data, None, TRAIN)
    assert found["facts"] == 5 and found["recall"] == pytest.approx(0.2)


def test_a_part_of_documents_counts_its_own_relations() -> None:
    """What other parts ask about costs no recall here."""
    parts = hold_out(split(D1, D2), 0.5, torch.Generator().manual_seed(1), by="instance")
    right = {("d1", 0, 1, "P27"), ("d1", 0, 2, "P19"), ("d2", 0, 1, "P17"), ("d2", 2, 1, "P17"), ("d2", 0, 2, "P206")}
    found = []
    for part in parts:
        asked = {(each.document.id, each.head, each.tail) for each in part.instances}
        model = Scorer({fact: 0.9 for fact in right if fact[:3] in asked}, 0.5)
        found.append(DocumentScores().evaluate(model, part, None, TRAIN))
        assert chosen(model, part).f1 == 1.0
    assert [each["recall"] for each in found] == [1.0, 1.0] and sum(each["facts"] for each in found) == 5


def test_a_fact_is_known_by_its_written_names_and_their_case() -> None:
    written = document("d", [["Barack H. Obama"], ["USA"]], [(0, 1, "P27")], names=[["Obama"], ["USA"]])
    spelt = document("e", [["OBAMA"], ["USA"]], [(0, 1, "P27")])
    scores = {("d", 0, 1, "P27"): 0.9, ("e", 0, 1, "P27"): 0.8}
    found = DocumentScores().evaluate(Scorer(scores, 0.5), split(written, spelt), None, TRAIN)
    assert (found["precision"], found["right"]) == (1.0, 2.0)
    assert found["ign_precision"] == 1.0  # of the one that is left
    alone = DocumentScores().evaluate(Scorer({("d", 0, 1, "P27"): 0.9}, 0.5), split(written), None, TRAIN)
    assert (alone["f1"], alone["ign_f1"]) == (1.0, 0.0)


def test_facts_are_known_of_the_whole_train_split_whatever_share_of_it_is_learned() -> None:
    part = replace(TRAIN, documents=TRAIN.documents[:0], instances=TRAIN.instances[:0])
    scorer, data = Scorer({("d1", 0, 1, "P27"): 0.9}, 0.5), split(D1, D2)
    found = [DocumentScores().evaluate(scorer, data, None, train)["ign_precision"] for train in (TRAIN, part, replace(part, whole=TRAIN))]
    assert found == [0.0, 1.0, 0.0]


def test_facts_of_a_further_corpus_are_known_too() -> None:
    scorer, data, nothing = Scorer({("d1", 0, 1, "P27"): 0.9}, 0.5), split(D1, D2), replace(TRAIN, documents=TRAIN.documents[:0])
    further = PartCorpus({"train": nothing, "dev": TRAIN})
    found = [DocumentScores(known=known).evaluate(scorer, data, None, nothing)["ign_precision"] for known in (None, further)]
    assert found == [1.0, 0.0]


def test_a_relation_said_twice_is_one_fact() -> None:
    twice = document("d", [["a"], ["b"]], [(0, 1, "P17"), (0, 1, "P17"), (0, 1, "Na"), (0, 1, "P19")])
    found = DocumentScores().evaluate(Scorer({("d", 0, 1, "P17"): 0.9}, 0.5), split(twice), None, TRAIN)
    assert found["facts"] == 2 and found["recall"] == 0.5


def test_files(tmp_path: Path) -> None:
    figures(threshold=0.6, folder=tmp_path)
    assert json.loads((tmp_path / "result.json").read_text()) == [
        {"title": "d1", "h_idx": 0, "t_idx": 1, "r": "P27"},
        {"title": "d1", "h_idx": 0, "t_idx": 2, "r": "P19"},
        {"title": "d2", "h_idx": 0, "t_idx": 1, "r": "P17"},
        {"title": "d2", "h_idx": 1, "t_idx": 0, "r": "P36"},
    ]
    told = json.loads((tmp_path / "scores.json").read_text())
    assert told["labels"] == ["P17", "P19", "P206", "P27", "P36"] and told["figures"]["f1"] == pytest.approx(2 / 3)
    rows = (tmp_path / "per_class.tsv").read_text().splitlines()
    assert rows[0].split("\t") == ["class", "precision", "recall", "f1", "support", "predicted"]
    assert rows[1].split("\t") == ["P17", "1.0000", "0.5000", "0.6667", "2", "1"]


def test_the_primary_figure_is_chosen() -> None:
    assert DocumentScores().primary == "max_f1" and DocumentScores(primary="f1").primary == "f1"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"known": PartCorpus({"train": TRAIN}), "ignore_train": False}, "known: its facts are not ignored"),
        ({"primary": "ign_f1", "ignore_train": False}, "'ign_f1' is not measured with ignore_train = false"),
        ({"primary": "only.f1"}, "'only.f1' is not measured without labels"),
        ({"macro_classes": "all"}, "'all' is neither 'gold' nor 'predicted'"),
    ],
)
def test_bad_arguments_are_refused(arguments: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DocumentScores(**arguments)


@pytest.mark.parametrize(
    ("arguments", "data", "message"),
    [
        ({"only": ["P2O6"]}, split(D1), "only: 'P2O6' is no relation of this task. Did you mean 'P206'"),
        ({"only": ["Na"]}, split(D1), "only: 'Na' is no relation of this task"),
        ({}, split(document("d", [["a"], ["b"]], [])), "No document of the split 'dev' has a relation"),
        ({}, split(document("d", [["a"]], [(0, 0, "P17")])), "has no candidate pair"),
    ],
)
def test_what_cannot_be_measured_is_refused(arguments: Any, data: Split, message: str) -> None:
    with pytest.raises(RelconError, match=message):
        DocumentScores(**arguments).check(data, TRAIN)


def test_a_missing_train_split_is_refused_or_passed_over() -> None:
    with pytest.raises(RelconError, match="Name one, or write ignore_train = false"):
        DocumentScores().check(split(D1))
    found = DocumentScores(ignore_train=False).evaluate(Scorer(SCORES, 0.4), split(D1, D2))
    assert "ign_f1" not in found and found["f1"] == pytest.approx(0.727273, abs=1e-6)


facts = st.tuples(st.sampled_from(["d1", "d2"]), st.integers(0, 2), st.integers(0, 2), st.sampled_from(LABELS.positive))


@settings(max_examples=60, deadline=None)
@given(scores=st.dictionaries(facts.filter(lambda fact: fact[1] != fact[2]), st.sampled_from([0.2, 0.5, 0.7]), min_size=1))
def test_no_threshold_is_better_than_the_best(scores: Dict[Fact, float]) -> None:
    found = figures(scores)
    tried = {score: figures(scores, threshold=score)["f1"] for score in (0.2, 0.5, 0.7, 1.0)}
    assert math.isclose(found["f1"], found["max_f1"]) and found["max_f1"] >= max(tried.values()) - 1e-12
    assert 0 <= found["pr_auc"] <= 1 and found["ign_f1"] <= found["f1"] + 1e-12


def test_area_of_perfect_scores_lacks_the_first_step() -> None:
    assert area(prefixes([0.9, 0.8, 0.1], [True, True, False]), 2) == 0.5
