"""`relcon compare`: pairing of runs, what it refuses, and the command line."""

import json

import pytest

from relcon.cli.main import main
from relcon.compare import compare_runs, evaluations, read_results
from relcon.data.labels import LabelSet
from relcon.errors import DataError, RelconError
from relcon.evaluators.scoring import score

NAMES = ["none", "x", "y"]
LABELS = LabelSet(tuple(NAMES), frozenset({"none"}))
GOLD = ["x", "x", "y", "y", "none", "none", "x", "y"]
A = ["x", "x", "y", "x", "none", "x", "x", "y"]
B = ["x", "y", "y", "y", "none", "y", "none", "none"]


@pytest.fixture
def write(tmp_path):
    """`write("a", A)`: the files of one evaluation below the test's folder."""

    def made(folder, predicted, gold=GOLD, first=0, text=True, **changes):
        path = tmp_path / folder
        path.mkdir(parents=True, exist_ok=True)
        answers = enumerate(zip(gold, predicted, strict=True), start=first)
        records = [{"id": f"i{number}", "gold": truth, "predicted": guess} for number, (truth, guess) in answers]
        for record in records if text else []:
            record["text"] = f"[e1 one] of {record['id']} [/b]"
        (path / "predictions.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
        scores = {"profile": "micro", "labels": NAMES, "negative": ["none"], "symmetric": [], "figures": {}, "lost": [], **changes}
        (path / "scores.json").write_text(json.dumps(scores))
        return path

    return made


@pytest.fixture
def shown(capsys):
    """`shown("compare", ...)`: exit code, standard output, standard error."""

    def run(*words):
        code = 0
        try:
            main([str(word) for word in words])
        except SystemExit as end:
            code = end.code or 0
        return code, *capsys.readouterr()

    return run


def test_figures_groups_and_examples(write):
    found = compare_runs(write("a", A), write("b", B), trials=500)
    assert found.figures_a == [pytest.approx(score(GOLD, A, LABELS, "micro")["f1"])]
    assert found.figures_b == [pytest.approx(score(GOLD, B, LABELS, "micro")["f1"])]
    assert found.difference == pytest.approx(found.figures_a[0] - found.figures_b[0])
    assert {name: [each.id for each in group] for name, group in found.grouped().items()} == {
        "only A": ["i1", "i6", "i7"], "only B": ["i3"], "neither": ["i5"],
    }  # fmt: skip
    assert found.examples[0] == ("", "i1", "x", "x", "y", "[e1 one] of i1 [/b]")
    assert (found.instances, found.p_t, found.p_mcnemar) == (8, None, pytest.approx(2 * 5 / 16))
    assert found.interval[0] < found.difference < found.interval[1]


def test_the_order_of_the_instances_does_not_matter(write):
    a, b = write("a", A), write("b", B)
    expected = compare_runs(a, b, trials=200)
    lines = (b / "predictions.jsonl").read_text().splitlines()
    (b / "predictions.jsonl").write_text("\n".join(reversed(lines)) + "\n")
    assert compare_runs(a, b, trials=200) == expected


def test_lost_relations_and_another_profile_or_metric(write):
    lost = [{"document": "d", "head": 0, "tail": 1, "label": "x", "cause": "too many words"}]
    a, b = write("a", A, lost=lost), write("b", B, lost=lost)
    assert compare_runs(a, b, metric="recall", trials=100).figures_a == [pytest.approx(5 / 7)]
    assert compare_runs(a, b, profile="accuracy", trials=100).figures_a == [pytest.approx(6 / 9)]


def test_folds_are_paired_and_their_mean_compared(write, tmp_path):
    for fold, (predicted_a, predicted_b) in enumerate([(A, B), (B, B), (GOLD, A)]):
        write(f"a/folds/fold_{fold}", predicted_a, first=10 * fold)
        write(f"b/folds/fold_{fold}", predicted_b, first=10 * fold)
    found = compare_runs(tmp_path / "a", tmp_path / "b", trials=300)
    assert found.runs == ["folds/fold_0", "folds/fold_1", "folds/fold_2"]
    assert (found.instances, len(found.figures_a)) == (24, 3)
    assert found.p_mcnemar is not None and found.p_t is not None
    assert {example.run for example in found.examples} == {"folds/fold_0", "folds/fold_2"}


def test_clre_fact_13_in_a_comparison(write, tmp_path):
    """What is compared over folds is the mean of their F1s, 0.575 here, not the pooled 0.615."""
    changes = {"profile": "ppi.cv10", "labels": ["0", "1"], "negative": ["0"]}
    for number, (gold, predicted) in enumerate((("1111000000", "1110100000"), ("1100000000", "1011000000"))):
        for run, answers in (("a", predicted), ("b", gold)):
            write(f"{run}/folds/fold_{number}", answers, gold=gold, first=100 * number, **changes)
    found = compare_runs(tmp_path / "a", tmp_path / "b", trials=100)
    assert (found.figures_a, found.figures_b) == ([pytest.approx(0.75), pytest.approx(0.4)], [1.0, 1.0])
    assert found.difference == pytest.approx(0.575 - 1)


def test_seeds_share_their_instances(write, tmp_path):
    for seed in (1, 2):
        write(f"a/seeds/seed_{seed}", A)
        write(f"b/seeds/seed_{seed}", B)
    found = compare_runs(tmp_path / "a", tmp_path / "b", trials=300)
    assert (found.instances, found.p_mcnemar) == (8, None), "an instance that two seeds answer is no two instances"
    assert found.p_t is None, "the difference is the same in both"


def test_seeds_come_in_their_order(write, tmp_path):
    for seed in (10, 2, 1):
        write(f"a/seeds/seed_{seed}", A)
    assert list(evaluations(tmp_path / "a")) == ["seeds/seed_1", "seeds/seed_2", "seeds/seed_10"]


def test_two_stages_of_one_run(write, tmp_path):
    write("run/stages/plain/scores", A)
    write("run/stages/contrastive/scores", B)
    found = compare_runs(tmp_path / "run/stages/plain", tmp_path / "run/stages/contrastive", trials=100)
    assert found.figures_a != found.figures_b
    with pytest.raises(RelconError, match=r"several evaluations; name one of them: .*stages/contrastive/scores, .*stages/plain/scores"):
        evaluations(tmp_path / "run")


def test_two_stages_of_a_run_over_seeds(write, tmp_path):
    for seed in (1, 2):
        write(f"run/seeds/seed_{seed}/stages/plain/scores", A)
        write(f"run/seeds/seed_{seed}/stages/contrastive/scores", B)
    (tmp_path / "run/run.json").write_text("{}")
    assert evaluations(tmp_path / "run/stages/plain") == {
        f"seeds/seed_{seed}": tmp_path / f"run/seeds/seed_{seed}/stages/plain/scores" for seed in (1, 2)
    }
    assert len(compare_runs(tmp_path / "run/stages/plain", tmp_path / "run/stages/contrastive", trials=100).figures_a) == 2
    with pytest.raises(RelconError, match="stages/plane is no folder"):
        evaluations(tmp_path / "run/stages/plane")


# ---- bad input -----------------------------------------------------------------------------------------------------------


def test_what_cannot_be_paired(write, tmp_path):
    a = write("a", A)
    cases = {
        "3 only in A, the first is i5": write("fewer", B[:5], gold=GOLD[:5]),
        "1 only in A, the first is i0; 1 only in B, the first is i8": write("later", B, first=1),
        "1 gold labels differ (i0 is 'x' in A and 'y' in B)": write("gold", B, gold=["y", *GOLD[1:]]),
        "their labels differ": write("labels", B, labels=[*NAMES, "z"]),
        "negative: none": write("negative", B, negative=[]),
        "0 gold relations were lost as candidates in A, 1 in B": write("lost", B, lost=[{"label": "x"}]),
        "different profiles (accuracy, micro). Choose one: --profile accuracy": write("profile", B, profile="accuracy"),
    }
    for message, other in cases.items():
        with pytest.raises(RelconError) as caught:
            compare_runs(a, other, trials=100)
        assert message in str(caught.value)
    write("folded/folds/fold_1", B)
    with pytest.raises(RelconError, match=r"a has a single run, .*folded has folds/fold_1"):
        compare_runs(a, tmp_path / "folded", trials=100)


def test_incomplete_runs(write, tmp_path):
    (tmp_path / "empty").mkdir()
    write("half/folds/fold_1", A)
    (tmp_path / "half/folds/fold_2").mkdir()
    write("bare", A).joinpath("scores.json").unlink()
    write("odd", A).joinpath("scores.json").write_text("{}")
    write("none", [], gold=[])
    for name, message in {
        "missing": "missing is no folder", "empty": "empty holds no predictions.jsonl: the run is not finished",
        "half": "fold_2 holds no predictions.jsonl", "bare": "bare has no scores.json", "odd": "not what relcon.Scores.v1 writes",
        "none": "is empty",
    }.items():  # fmt: skip
        with pytest.raises(RelconError, match=message):
            compare_runs(tmp_path / name, tmp_path / name, trials=100)


def test_broken_predictions_name_file_and_line(write):
    folder = write("a", A)
    lines = (folder / "predictions.jsonl").read_text().splitlines()
    (folder / "predictions.jsonl").write_text("\n".join([lines[0], "{", lines[0], '{"id": 3}', *lines[1:]]))
    with pytest.raises(DataError) as caught:
        read_results(folder)
    assert [problem.where.rpartition(":")[2] for problem in caught.value.problems] == ["2", "3", "4"]


def test_a_sentence_may_hold_any_character(write):
    folder = write("a", A)
    text = (folder / "predictions.jsonl").read_text().replace("[e1 one]", "[e1 one\u2028two\x85]")
    (folder / "predictions.jsonl").write_text(text, encoding="utf-8")
    assert read_results(folder).predictions["i0"].text == "[e1 one\u2028two\x85] of i0 [/b]"


def test_labels_that_are_none_of_the_task(write):
    """They would count for nothing, and silently."""
    with pytest.raises(DataError, match=r"predictions.jsonl:2: 'Y' is not a label of this task"):
        read_results(write("a", ["x", "Y", *A[2:]]))
    with pytest.raises(DataError, match=r"predictions.jsonl:1: 'z' is not a label of this task"):
        read_results(write("a", A, gold=["z", *GOLD[1:]]))
    with pytest.raises(RelconError, match=r"scores.json is not what relcon.Scores.v1 writes \('z' is not a label"):
        read_results(write("a", A, lost=[{"label": "z"}]))


def test_folds_of_one_run_have_the_same_labels(write, tmp_path):
    for run in ("a", "b"):
        write(f"{run}/folds/fold_1", A)
        write(f"{run}/folds/fold_2", B, labels=[*NAMES, "z"])
    with pytest.raises(RelconError, match=r"fold_1 and .*fold_2 cannot be compared: their labels differ"):
        compare_runs(tmp_path / "a", tmp_path / "b", trials=100)


def test_predictions_that_are_no_utf8(write):
    folder = write("a", A)
    content = (folder / "predictions.jsonl").read_bytes()
    (folder / "predictions.jsonl").write_bytes(content.replace(b"of i1 ", b"of \xe9 "))
    with pytest.raises(DataError, match=r"predictions.jsonl:2: expected"):
        read_results(folder)


# ---- the command line ----------------------------------------------------------------------------------------------------


def test_command(write, shown):
    a, b = write("a", A), write("b", B)
    code, out, err = shown("compare", a, b, "--trials", "200", "--examples", "1")
    assert (code, err) == (0, "")
    assert "f1 (micro), 8 instances" in out and "approximate randomisation" in out and "McNemar" in out and "t-test" not in out
    assert "The predictions differ 5 times: only A right 3, only B right 1, neither right 1." in out
    assert "only A right (1 of 3):\n  i1  gold x  A x  B y\n      [e1 one] of i1 [/b]\n" in out, "brackets are text, not markup"
    assert "Next" not in out, "no model lies there"


def test_command_without_examples_over_seeds(write, shown, tmp_path):
    for seed, other in ((1, B), (2, GOLD)):
        write(f"a/seeds/seed_{seed}", A, text=False)
        write(f"b/seeds/seed_{seed}", other, text=False)
    code, out, _ = shown("compare", tmp_path / "a", tmp_path / "b", "--trials", "200", "--metric", "precision")
    assert code == 0 and "precision (micro)" in out and "mean" in out and "paired t-test over 2 runs" in out
    assert "gold x" not in out
    assert out.splitlines()[-1].startswith("Next: relcon compare") and out.splitlines()[-1].endswith("--examples 10")


def test_command_refuses_with_exit_code_2(write, shown, tmp_path):
    code, out, err = shown("compare", write("a", A), tmp_path / "nowhere")
    assert (code, out) == (2, "")
    assert err == f"error: {tmp_path / 'nowhere'} is no folder. Give the folder of a finished run.\n"
    code, out, err = shown("compare", tmp_path / "a", tmp_path / "a", "--profile", "macr")
    assert (code, out) == (2, "") and "Did you mean 'macro'?" in err
