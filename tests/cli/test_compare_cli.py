"""`relcon compare` through the real command line, on runs that the real `relcon train` wrote."""

import json
import shutil
import subprocess
import sys

import pytest

SEEDS = ["--protocol.@protocols", "relcon.Seeds.v1", "--protocol.seeds", "[1, 2]"]


def change(folder, function):
    """Change every prediction of a folder. The file is written anew: its twin in the stage's folder stays as it was."""
    path = folder / "predictions.jsonl"
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    path.unlink()
    path.write_text("".join(json.dumps(function(record)) + "\n" for record in records), encoding="utf-8")
    return len(records)


def right(record):
    return {**record, "predicted": record["gold"]}


def wrong(record):
    return {**record, "predicted": "none" if record["gold"] != "none" else next(name for name in record["scores"] if name != "none")}


def message(ended):
    """What a refused comparison said: one message, exit code 2, no traceback, nothing on standard output."""
    assert (ended.code, ended.out) == (2, ""), ended
    assert ended.err.startswith("error: ") and "Traceback" not in ended.err
    return ended.err


@pytest.fixture
def run(train, tmp_path):
    """A folder with a finished run."""
    assert train(tmp_path / "run").code == 0
    return tmp_path / "run"


@pytest.fixture
def copy(run):
    """`copy("b", right)`: the run once more, its predictions changed."""

    def made(name, function=dict):
        shutil.copytree(run, run.parent / name)
        change(run.parent / name, function)
        return run.parent / name

    return made


def test_a_run_and_its_like(relcon, run, copy):
    ended = relcon("compare", run, copy("twin"), "--examples", "3")
    assert (ended.code, ended.err) == (0, "")
    assert "p = 1.0000" in ended.out and "No difference at the 5 % level." in ended.out
    assert "The predictions differ 0 times" in ended.out
    assert ended.out.splitlines()[-1] == f"Next: relcon predict {run} INPUT --output predictions.jsonl"
    evaluation = run / "stages" / "evaluate"
    ended = relcon("compare", evaluation, evaluation, "--examples", "3")
    assert ended.code == 0 and "Next" not in ended.out, "an evaluation has no model to predict with"


def test_a_difference_and_its_examples(relcon, run, copy):
    good, bad = copy("good", right), copy("bad", wrong)
    count = len((good / "predictions.jsonl").read_text(encoding="utf-8").splitlines())
    ended = relcon("compare", good, bad, "--examples", "2", "--profile", "accuracy")
    assert (ended.code, ended.err) == (0, "")
    assert f"f1 (accuracy), {count} instances" in ended.out and "+1.0000" in ended.out
    assert f"only A right {count}, only B right 0, neither right 0." in ended.out
    assert f"only A right (2 of {count}):" in ended.out and ended.out.count("  gold ") == 2
    first = json.loads((good / "predictions.jsonl").read_text(encoding="utf-8").split("\n")[0])
    assert f"\n      {first['text']}\n" in ended.out
    again = relcon("compare", bad, good, "--examples", "2", "--profile", "accuracy")
    assert f"only B right (2 of {count}):" in again.out and "-1.0000" in again.out


def test_the_same_words_give_the_same_answer(relcon, run, copy):
    words = ("compare", run, copy("good", right), "--trials", "500")
    assert relcon(*words).out == relcon(*words).out


def test_runs_over_seeds_as_the_protocol_leaves_them(relcon, train, tmp_path):
    for name, words in (("a", []), ("b", ["--stages.finetune.optimizer.lr", "1e-2"])):
        assert train(tmp_path / name, *SEEDS, *words).code == 0
    ended = relcon("compare", tmp_path / "a", tmp_path / "b")
    assert (ended.code, ended.err) == (0, "")
    assert "seeds/seed_1" in ended.out and "seeds/seed_2" in ended.out and "mean" in ended.out
    stage = relcon("compare", tmp_path / "a" / "stages" / "evaluate", tmp_path / "b" / "stages" / "evaluate")
    assert stage.code == 0 and stage.out.splitlines()[2:-1] == ended.out.splitlines()[2:-1], "one evaluation: the same by its own path"
    shown = relcon("compare", tmp_path / "a", tmp_path / "b", "--examples", "1").out
    assert f"Next: relcon predict {tmp_path / 'a' / 'seeds' / 'seed_1'} INPUT" in shown
    one = relcon("compare", tmp_path / "a" / "seeds" / "seed_1", tmp_path / "b" / "seeds" / "seed_1")
    assert one.code == 0 and "t-test" not in one.out
    shutil.rmtree(tmp_path / "b" / "seeds" / "seed_2")
    assert "The runs cannot be paired" in message(relcon("compare", tmp_path / "a", tmp_path / "b"))


@pytest.mark.parametrize(
    "name, function, said",
    [
        ("other", lambda record: {**record, "id": record["id"] + "x"}, "they have different instances"),
        ("gold", lambda record: {**record, "gold": "none", "predicted": "none"}, "gold labels differ"),
        ("label", lambda record: {**record, "predicted": "nonne"}, "jsonl:1: 'nonne' is not a label of this task. Did you mean 'none'?"),
        ("odd", lambda record: {"id": record["id"]}, 'predictions.jsonl:1: expected {"id": TEXT, "gold": LABEL'),
    ],
)
def test_mistakes_end_with_2(relcon, run, copy, name, function, said):
    assert said in message(relcon("compare", run, copy(name, function)))


def test_missing_runs_and_profiles(relcon, run, copy, tmp_path):
    assert "nowhere is no folder" in message(relcon("compare", run, tmp_path / "nowhere"))
    assert "holds no predictions.jsonl: the run is not finished" in message(relcon("compare", tmp_path / "data", run))
    assert "Did you mean 'micro'?" in message(relcon("compare", run, run, "--profile", "mikro"))
    assert "'chemprot.cpr5' counts CPR:3" in message(relcon("compare", run, run, "--profile", "chemprot.cpr5"))
    other = copy("other")
    scores = json.loads((other / "scores.json").read_text(encoding="utf-8"))
    (other / "scores.json").unlink()
    (other / "scores.json").write_text(json.dumps({**scores, "profile": "macro"}), encoding="utf-8")
    assert "different profiles (macro, micro). Choose one: --profile macro." in message(relcon("compare", run, other))
    assert relcon("compare", run, other, "--profile", "micro").code == 0


@pytest.mark.parametrize("words", [["--metric", "f2"], ["--examples", "-1"], ["--trials", "3"], ["--seed", "-1"], []])
def test_words_that_are_no_options(relcon, run, words):
    ended = relcon("compare", run, *([run, *words] if words else []))
    assert ended.code == 2 and "Traceback" not in ended.err
    assert (words[0] if words else "missing argument 'run_b'") in ended.err.lower()


def test_help_teaches_without_torch():
    script = (
        "import sys\nfrom relcon.cli.main import main\n"
        "try:\n    main(['compare', '--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('torch', 'transformers', 'spacy', 'numpy', 'scipy') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "Next: relcon" in shown and shown.splitlines()[-1] == "[]"
