"""Scores of plain files by hand: look-alike profiles on one output, forms of predictions, what is unknown."""

import contextlib
import json
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.errors import DataError, RelconError
from relcon.evaluators.profiles import CHEMPROT
from relcon.score import Sources, score_files

KEY = "1\tCause-Effect(e1,e2)\n2\tCause-Effect(e2,e1)\n3\tMessage-Topic(e1,e2)\n4\tOther\n"
ANSWERS = "1\tCause-Effect(e1,e2)\n2\tCause-Effect(e1,e2)\n3\tMessage-Topic(e1,e2)\n4\tMessage-Topic(e1,e2)\n"

WORDS = ["Zorvane", "blocks", "KLR2", "not", "Orsk", "."]
SPANS = [("Drug", 0), ("Gene", 2), ("Gene", 4)]


def document(name, *relations, words=WORDS, spans=SPANS, **more):
    """A record of relcon's own format with an entity at each place."""
    entities = [{"type": kind, "words": [place, place + 1]} for kind, place in spans]
    return {"id": name, "words": words, "entities": entities, **more,
            "relations": [{"head": head, "tail": tail, "label": label} for head, tail, label in relations]}  # fmt: skip


def answer(uid, label):
    """A line of a classifier's `predictions.jsonl`."""
    return {"id": uid, "gold": "?", "predicted": label}


def f1s(scoring):
    return {line.profile.name: round(line.figures.get("f1", -1), 4) for line in scoring.lines if line.figures is not None}


def why(scoring, name):
    return next(line.why for line in scoring.lines if line.profile.name == name and line.figures is None)


# ---- look-alikes -------------------------------------------------------------------------------------------------------


def test_semeval_three_ways(written, scored):
    """Cause-Effect: 1 of 2 predicted and of 2 gold is right in direction, F 1/2. Message-Topic: 1 of 2 predicted, 1 of 1 gold, F 2/3.
    official: (1/2 + 2/3) / 2 = 7/12. micro18: 2 right of 4 predicted and 3 gold, F 4/7. Micro with Other as a class: 2 of 4, F 1/2."""
    found = scored(written("key.txt", KEY), written("answers.txt", ANSWERS))
    assert f1s(found) == {
        "semeval2010.official": round(7 / 12, 4), "semeval2010.micro18": round(4 / 7, 4), "micro": 0.5, "accuracy": 0.5,
        "macro": round((1 / 1.5 + 0 + 2 / 3 + 0) / 4, 4),
    }  # fmt: skip
    negative = {line.profile.name: list(line.negative) for line in found.lines if line.figures}
    assert negative["semeval2010.micro18"] == ["Other"] and negative["micro"] == []
    assert f1s(scored(written("key.txt", KEY), written("answers.txt", ANSWERS), "micro", negative=["Other"])) == {"micro": round(4 / 7, 4)}


def test_a_label_that_no_relation_has_is_said(written, scored):
    key, told = written("key.txt", KEY), written("answers.txt", ANSWERS)
    found = scored(key, told, "micro", negative=["other"], symmetric=["Other"])
    assert found.notes == ["--negative other: no relation has this label. Did you mean 'Other'?"]
    assert scored(key, told, "micro", negative=["Other"]).notes == []
    gold = written("gold.jsonl", [document("a", (0, 1, "blocks"))])
    assert scored(gold, gold, "e2e.strict.micro", pred_reader="relcon.JSONLines.v1", symmetric=["block"]).notes[-1] == (
        "--symmetric block: no relation has this label. Did you mean 'blocks'?"
    )


def test_chemprot_accuracy_is_not_macro(written, scored):
    """9 INHIBITOR and 1 AGONIST, all called INHIBITOR: 9 of 10 right. Macro of the two that occur: (18/19 + 0) / 2."""
    gold = written("gold.jsonl", [document(f"d{n}", (0, 1, "INHIBITOR" if n else "AGONIST")) for n in range(10)])
    told = written("pred.jsonl", [answer(f"d{n}#0-1", "INHIBITOR") for n in range(10)])
    found = f1s(scored(gold, told))
    assert found["chemprot.13acc"] == 0.9 and found["macro"] == round(9 / 19, 4)
    assert len(CHEMPROT) == 13
    assert "13 labels alone, but this task has false too" in why(scored(gold, told, negative=["false"]), "chemprot.13acc")


def end_to_end(written):
    """Three relations, two found; one of the found ones has an argument of a wrong type."""
    gold = written("gold.jsonl", [document("a", (0, 1, "blocks")), document("b", (0, 1, "raises"), (0, 2, "raises"))])
    wrong = [("Drug", 0), ("Disease", 2)]
    told = written("found.jsonl", [document("a", (0, 1, "blocks"), spans=wrong), document("b", (0, 1, "raises"))])
    return gold, told


def test_strict_boundaries_micro_and_macro(written, scored):
    """Boundaries: 2 right of 2 found and 3 there, F 4/5. Strict: 1 right of 2 and 3, F 2/5. Strict by label: blocks 0, raises 1 of 1 and
    1 of 2, F 2/3; their mean is 1/3. Entities: a has Drug and 'Disease' for Drug, Gene, Gene, b all three: 4 right of 5 and 6, F 8/11."""
    gold, told = end_to_end(written)
    found = scored(gold, told, pred_reader="relcon.JSONLines.v1", complete=True)
    kept = {name: value for name, value in f1s(found).items() if name.startswith("e2e")}
    assert kept == {"e2e.boundaries": 0.8, "e2e.strict.micro": 0.4, "e2e.strict.macro": round(1 / 3, 4)}
    (line,) = scored(gold, told, "e2e.strict.micro", pred_reader="relcon.JSONLines.v1").lines
    assert line.figures["entity_f1"] == pytest.approx(8 / 11) and line.figures["relations"] == 3


def test_given_entities_are_not_end_to_end(written, scored):
    gold, _ = end_to_end(written)
    told = written("pred.jsonl", [answer("a#0-1", "blocks"), answer("b#0-1", "raises"), answer("b#0-2", "raises")])
    assert "these predictions are for given entities" in why(scored(gold, told), "e2e.strict.micro")
    same = scored(gold, gold, "e2e.strict.micro", pred_reader="relcon.JSONLines.v1")
    assert f1s(same) == {"e2e.strict.micro": 1.0} and "All entities are those that are annotated" in same.notes[0]


def test_docred_f1_and_ign_f1(written, scored):
    """Facts: 3 gold; found 3, of which 2 are right, one of them known from the training data. F1 = 2/3. Ign: precision (2-1)/(3-1) = 1/2,
    recall 2/3, F 4/7."""
    train = written("train.jsonl", [document("t", (0, 1, "blocks"))])
    gold = written("gold.jsonl", [document("a", (0, 1, "blocks"), (0, 1, "binds"), (0, 2, "blocks"))])
    triples = [("a", 0, 1, "blocks"), ("a", 0, 2, "blocks"), ("a", 2, 1, "binds")]
    told = written("result.json", [dict(zip(("title", "h_idx", "t_idx", "r"), triple, strict=True)) for triple in triples])
    found = scored(gold, told, train=train)
    assert f1s(found) == {"docred.f1": round(2 / 3, 4), "docred.ign_f1": round(4 / 7, 4)}
    assert "is not marked" in why(found, "micro"), "one pair of the three is not marked"
    assert "--train" in why(scored(gold, told), "docred.ign_f1")
    with pytest.raises(RelconError, match=r"'docred\.ign_f1' leaves out facts of the training data: name them with --train"):
        scored(gold, told, "docred.ign_f1")


def test_folds_are_averaged_and_not_pooled(written, scored):
    """One fold of ten has one relation found out of three (F 1/2), the others have theirs: mean (9 + 1/2) / 10 = 0.95; pooled, 10 right
    of 10 found and 12 there, F 10/11."""
    def row(n):
        relations = [(0, 1, "1")] if n else [(0, 1, "1"), (0, 2, "1"), (1, 2, "1")]
        return document(f"d{n}", *relations, metadata={"fold": n})

    gold = written("gold.jsonl", [row(n) for n in range(10)])
    told = written("pred.jsonl", [answer(f"d{n}#0-1", "1") for n in range(10)])
    assert f1s(scored(gold, told, "ppi.cv10", negative=["0"], folds="fold")) == {"ppi.cv10": 0.95}
    assert f1s(scored(gold, told, "micro", negative=["0"])) == {"micro": round(10 / 11, 4)}
    with pytest.raises(RelconError, match="is the mean over 10 folds, and there are none"):
        scored(gold, told, "ppi.cv10", negative=["0"])
    with pytest.raises(RelconError, match="--folds part: the document 'd0' has no such metadata"):
        scored(gold, told, "ppi.cv10", folds="part")


def test_ade_over_files_of_folds_with_and_without_overlaps(written, scored):
    """Nine folds are perfect. In fold 0 one sentence is found, and a second one, in which entities overlap, is not: 1 right of 1 found
    and 2 there, F 2/3. Mean (9 + 2/3) / 10; without that sentence 1."""
    spans = [("Drug", 0), ("Gene", 2)]
    whole = document("s", (0, 1, "adverse"), spans=spans)
    nested = document("n", (0, 1, "adverse"), spans=spans)
    nested["entities"].append({"type": "Drug", "words": [0, 2]})
    for n in range(10):
        written(f"gold/fold-{n}.jsonl", [whole, *([nested] if n == 0 else [])])
        written(f"pred/fold-{n}.jsonl", [whole])
    folder = written("gold/other.txt", "").parent
    options = {"pred_reader": "relcon.JSONLines.v1", "folds": "fold-*.jsonl"}
    for name, mean in (("ade.strict.cv10", (9 + 2 / 3) / 10), ("ade.strict.cv10.without_overlaps", 1.0)):
        assert f1s(scored(folder, folder.parent / "pred", name, **options)) == {name: round(mean, 4)}
    (folder.parent / "pred" / "fold-3.jsonl").unlink()
    with pytest.raises(RelconError, match=r"'fold-3\.jsonl' is in one of them only"):
        scored(folder, folder.parent / "pred", "ade.strict.cv10", **options)


# ---- forms of predictions ----------------------------------------------------------------------------------------------


def test_every_form_of_the_same_predictions(written, scored):
    gold = written("gold.jsonl", [document("a", (0, 1, "blocks"), (0, 2, "none"))])

    def argument(entity):
        return {"entity": entity, "text": WORDS[2 * entity], "type": SPANS[entity][0], "words": [[2 * entity, 2 * entity + 1]]}

    said = {"entities": [argument(n) for n in range(3)], "relations": [{"head": 0, "tail": 1, "label": "blocks"}]}
    forms = {
        "run.jsonl": [answer("a#0-1", "blocks"), answer("a#0-2", "none")],
        "predict.jsonl": [{"document": "a", "head": argument(0), "tail": argument(1), "label": "blocks"}],
        "extract.jsonl": [{"document": "a", **said}],
        "extraction.jsonl": [{"id": "a", "text": " ".join(WORDS), "words": WORDS, "sentences": [[0, 6]], "gold": said, "predicted": said}],
        "submission.json": [{"title": "a", "h_idx": 0, "t_idx": 1, "r": "blocks"}],
    }
    for name, content in forms.items():
        assert f1s(scored(gold, written(name, content), "micro", negative=["none"])) == {"micro": 1.0}, name
    for name in ("extract.jsonl", "extraction.jsonl"):
        assert f1s(scored(gold, written(name, forms[name]), "e2e.strict.micro")) == {"e2e.strict.micro": 0.6667}, "none is a label here"


def test_spert_predictions_against_other_documents_of_the_same_words(written, scored):
    """Entities are matched by their words, whatever their numbers."""
    gold = written("gold.jsonl", [document("7", (0, 1, "blocks"))])
    entities = [{"type": "Gene", "start": 2, "end": 3}, {"type": "Drug", "start": 0, "end": 1}]
    told = {"orig_id": "7", "tokens": WORDS, "entities": entities, "relations": [{"type": "blocks", "head": 1, "tail": 0}]}
    assert f1s(scored(gold, written("pred.json", [told]), "micro", pred_reader="relcon.SpERT.v1")) == {"micro": 1.0}
    other = {**told, "tokens": ["Zorvane", "stops", *WORDS[2:]]}
    with pytest.raises(RelconError, match=r"pred\.json.*the words of '7' are not those that are annotated"):
        scored(gold, written("pred.json", [other]), "e2e.strict.micro", pred_reader="relcon.SpERT.v1")


def test_symmetric_labels_match_either_order(written, scored):
    gold = written("gold.jsonl", [document("a", (0, 1, "binds"))])
    told = written("pred.jsonl", [answer("a#1-0", "binds")])
    assert f1s(scored(gold, told, "micro", symmetric=["binds"])) == {"micro": 1.0}
    assert f1s(scored(gold, told, "docred.f1", symmetric=["binds"])) == {"docred.f1": 1.0}
    assert f1s(scored(gold, told, "docred.f1")) == {"docred.f1": 0.0}
    turned = written("found.jsonl", [document("a", (1, 0, "binds"))])
    for symmetric, right in (([], 0.0), (["binds"], 1.0)):
        found = scored(gold, turned, "e2e.strict.micro", pred_reader="relcon.JSONLines.v1", symmetric=symmetric)
        assert f1s(found) == {"e2e.strict.micro": right}


# ---- what is missing, and what is not there ----------------------------------------------------------------------------


def test_a_missing_prediction_counts_as_the_negative_label_and_is_said(written, scored):
    """Two pairs are answered, of which one rightly; the third, 'none', is right by silence: accuracy 2/3."""
    gold = written("gold.jsonl", [document("a", (0, 1, "blocks"), (0, 2, "none"), (1, 2, "blocks"))])
    told = written("pred.jsonl", [answer("a#0-1", "blocks"), answer("a#1-2", "none")])
    found = scored(gold, told, "accuracy", negative=["none"])
    assert f1s(found) == {"accuracy": 0.6667}
    assert found.notes == ["1 of 3 pairs have no prediction and count as no relation."]


def test_an_unmarked_pair_is_a_mistake_unless_the_annotation_is_complete(written, scored):
    """Complete: 1 right of 2 predicted and 1 gold, F 2/3. Skipped: F 1."""
    gold = written("gold.jsonl", [document("a", (0, 1, "blocks"))])
    told = written("pred.jsonl", [answer("a#0-1", "blocks"), answer("a#0-2", "blocks")])
    with pytest.raises(DataError, match=r"(?s)pred\.jsonl:2: the pair of entities 0 and 2 of 'a' is not marked.*--complete"):
        scored(gold, told, "micro")
    assert f1s(scored(gold, told, "micro", complete=True)) == {"micro": 0.6667}
    skipped = scored(gold, told, "micro", skip_unknown=True)
    assert f1s(skipped) == {"micro": 1.0} and "1 predictions for unknown pairs were skipped" in skipped.notes[0]


@pytest.mark.parametrize("uid, message", [
    ("b1#0-1", r"has no document 'b1'\. Did you mean 'b'\?"),
    ("a#0-7", "names entity 7 of 'a', which has 3, numbered from 0"),
    ("a", "'id' must be DOCUMENT#HEAD-TAIL, here it is 'a'"),
])  # fmt: skip
def test_what_is_unknown_is_named_with_its_line(written, scored, uid, message):
    gold = written("gold.jsonl", [document("a", (0, 1, "x")), document("b", (0, 1, "x"))])
    told = written("pred.jsonl", [answer("a#0-1", "x"), answer(uid, "x")])
    with pytest.raises(DataError, match=r"pred\.jsonl:2: .*" + message):
        scored(gold, told, "micro")


def test_an_entity_that_is_not_annotated(written, scored):
    gold = written("gold.jsonl", [document("a", (0, 1, "x"))])
    told = written("pred.jsonl", [document("a", (0, 1, "x"), spans=[("Drug", 0), ("Gene", 3)])])
    with pytest.raises(DataError, match=r"'not' \(words 3 to 4\) is no annotated entity of 'a'"):
        scored(gold, told, "micro", pred_reader="relcon.JSONLines.v1")
    found = scored(gold, told, pred_reader="relcon.JSONLines.v1")
    assert f1s(found)["e2e.strict.micro"] == 0.0 and "is no annotated entity" in why(found, "micro"), "an extractor may find others"


NONE = {"document": "a", "entities": [], "relations": []}


@pytest.mark.parametrize("content, message", [
    ("no predictions\n", "is no prediction"),
    ([{"document": "a", "head": 1, "tail": 2, "label": "x"}], "'head' of the record must be an object"),
    ([{**NONE, "entities": [{"text": "x", "words": []}]}], "'words' of entity 0 is empty"),
    ([{**NONE, "relations": [{"head": 0, "tail": 1, "label": "x"}]}], "names the entities 0 and 1, but the record has 0"),
    ([{**NONE, "entities": [{"text": "Orsk", "words": [[0, 1]]}]}], "is 'Orsk' there, but its words are 'Zorvane'"),
    ([{**NONE, "entities": [{"text": "x", "words": [[7, 9]]}]}], r"\[7, 9\) outside the 6 words"),
    ([{"id": "a", "gold": {}, "predicted": {}}], "expected"),
    ([NONE, NONE], "the document 'a' occurs twice"),
])  # fmt: skip
def test_bad_predictions(written, scored, content, message):
    gold = written("gold.jsonl", [document("a", (0, 1, "x"))])
    with pytest.raises(RelconError, match=message):
        scored(gold, written("pred.jsonl", content), "e2e.strict.micro")


def test_bad_gold(written, scored):
    told = written("pred.jsonl", [answer("a#0-1", "x")])
    with pytest.raises(DataError, match="the pair of entities 0 and 1 has no label"):
        scored(written("gold.jsonl", [document("a", (0, 1, None))]), told, "micro")
    with pytest.raises(RelconError, match="has no labelled relation"):
        scored(written("gold.jsonl", [document("a")]), told, "micro")


def test_several_labels_of_a_pair(written, scored):
    """Pairs: the second gold label is lost, 1 right of 1 and 2, F 2/3. Where two are predicted, only facts can be scored."""
    gold = written("gold.jsonl", [document("a", (0, 1, "x"), (0, 1, "y"))])
    one = written("one.jsonl", [answer("a#0-1", "x")])
    both = written("both.json", [{"title": "a", "h_idx": 0, "t_idx": 1, "r": label} for label in "xy"])
    assert f1s(scored(gold, one, "micro")) == {"micro": 0.6667}
    found = scored(gold, both)
    assert f1s(found) == {"docred.f1": 1.0} and "0-1 of 'a' has several" in why(found, "micro")


FOUND = {"entities": [{"text": "Zorvane", "type": "Drug", "words": [[0, 1]]}], "relations": []}
WHOLE = [
    json.dumps(answer("a#0-1", "x")),
    json.dumps({"document": "a", "head": {"entity": 0}, "tail": {"entity": 1}, "label": "x"}),
    json.dumps({"document": "a", **FOUND}),
    json.dumps({"id": "a", "text": "", "words": WORDS, "sentences": [[0, 6]], "gold": FOUND, "predicted": FOUND}),
    json.dumps([{"title": "a", "h_idx": 0, "t_idx": 1, "r": "x"}]),
    KEY,
]


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(WHOLE), st.lists(st.tuples(st.integers(0, 250), st.binary(max_size=2)), min_size=1, max_size=3))
def test_damaged_predictions_are_scored_or_refused(text, damage):
    raw = bytearray(text.encode())
    for place, new in damage:
        raw[place % len(raw) : place % len(raw) + 1] = new
    with tempfile.TemporaryDirectory() as folder:
        gold, told = Path(folder) / "gold.jsonl", Path(folder) / "told"
        gold.write_text(json.dumps(document("a", (0, 1, "x"))))
        told.write_bytes(bytes(raw))
        with contextlib.suppress(RelconError):
            score_files(Sources(gold, told), None)
