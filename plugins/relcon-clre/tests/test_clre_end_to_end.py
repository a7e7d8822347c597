"""CLRE through the real command line: train, evaluate, predict, folds, seeds, snapshots, interruption."""

import json
import shutil
from pathlib import Path

import pytest

from relcon.cli.main import main
from relcon.sample import path as sample
from relcon.statistics import estimate
from relcon.testing import tiny_encoder_folder

DATA = Path(__file__).parent / "data"
AUGMENTER = "--stages.pretrain.streams.views.augmenter.@augmenters"
SNAPSHOTS = ["--stages.pretrain.snapshots", "[1, 2]", "--stages.finetune.choose_snapshot", "true"]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    """A folder with a tiny random BERT."""
    return tiny_encoder_folder(tmp_path_factory.mktemp("encoder") / "bert")


@pytest.fixture(scope="module")
def relcon(encoder):
    """`relcon("train", out, ...)`: the command line; SystemExit with a code other than 0 goes through."""

    def command(*words):
        try:
            main([str(word) for word in words])
        except SystemExit as end:
            if end.code:
                raise

    return command


@pytest.fixture(scope="module")
def train(relcon, encoder):
    """`train(folder, "--training.seed", 3)`: a run of the tiny config; returns its folder."""

    def run(folder, *words):
        relcon("train", DATA / "tiny.cfg", "--output", folder, "--paths.encoder", encoder, *words)
        return folder

    return run


@pytest.fixture(scope="module")
def first(train, tmp_path_factory):
    """A whole run with seed 1, for all who only look."""
    return train(tmp_path_factory.mktemp("runs") / "first")


def read(file):
    return json.loads(file.read_text(encoding="utf-8"))


def lines(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def weights(run):
    """All weights that a run's stages handed on, as bytes."""
    return {str(file.relative_to(run)): file.read_bytes() for file in sorted(run.rglob("stages/*/model/**/*.safetensors"))}


def results(run):
    """What must be the same in two runs of one config and seed."""
    return read(run / "metrics.json"), (run / "predictions.jsonl").read_bytes(), weights(run)


def losses(run, stage="pretrain"):
    return [record["loss"] for record in lines(run / "log.jsonl") if record["event"] == "step" and record["stage"] == stage]


# ---- one run -----------------------------------------------------------------------------------------------------------


def test_a_run_holds_what_it_promises(first):
    metrics = read(first / "metrics.json")
    assert metrics["pretrain"]["steps"] == len(losses(first)) > 2
    assert {"scores.f1", "shift.rate", "shift.size"} <= set(metrics["evaluate"])
    state = read(first / "run.json")
    assert [stage["state"] for stage in state["stages"].values()] == ["done"] * 3
    assert [(look["stage"], look["model"]) for look in state["test_reads"]] == [("evaluate", "finetune")]
    assert (first / "stages/evaluate/shift/shifts.jsonl").exists()
    assert not list((first / "checkpoints").glob("*/*"))  # only of use while a stage runs


def test_the_projection_head_ends_with_its_stage(first):
    pretrained, tuned = (read(first / f"stages/{stage}/model/model.json") for stage in ("pretrain", "finetune"))
    assert (pretrained["classifier"], list(pretrained["tasks"])) == (None, ["contrast"])
    assert (tuned["classifier"], list(tuned["tasks"])) == ("relation", ["relation"])


def test_the_config_of_a_run_repeats_it(first, relcon, tmp_path):
    relcon("train", first / "config.cfg", "--output", tmp_path / "again")
    assert results(tmp_path / "again") == results(first)


def test_evaluate_gives_the_figures_of_the_run(first, relcon, capsys, tmp_path):
    relcon("evaluate", first, "--split", "test", "--output", tmp_path / "tables")
    scores = read(first / "metrics.json")["evaluate"]
    assert read(tmp_path / "tables/scores/scores.json") == read(first / "scores.json")
    assert f"{scores['scores.f1']:.4f}" in capsys.readouterr().out
    assert [look["stage"] for look in read(first / "run.json")["test_reads"]] == ["evaluate", "relcon evaluate"]


def test_predict_says_of_the_test_split_what_the_run_said(first, relcon, tmp_path):
    head = sample("test.jsonl").read_text(encoding="utf-8").splitlines()[:20]
    (tmp_path / "new.jsonl").write_text("\n".join(head), encoding="utf-8")
    relcon("predict", first, tmp_path / "new.jsonl", "--output", tmp_path / "out.jsonl")
    found = lines(tmp_path / "out.jsonl")
    assert [record["label"] for record in found] == [record["predicted"] for record in lines(first / "predictions.jsonl")]
    assert {(record["head"]["type"], record["tail"]["type"]) for record in found} == {("PERSON", "FIRM")}
    assert all(0 < record["probability"] <= 1 for record in found)


def test_predict_reads_text_without_labels(first, relcon, tmp_path):
    relcon("predict", first, sample("unlabelled.jsonl"), "--output", tmp_path / "out.jsonl")
    assert len(lines(tmp_path / "out.jsonl")) == 756  # every person with every firm of its sentence


# ---- one line of config ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["clre.PathPreservingSwap.v1", "clre.PathPreservingDeletion.v1"])
def test_one_override_swaps_the_augmentation(first, train, tmp_path, name):
    run = train(tmp_path / "run", AUGMENTER, name, "--training.epochs", "0")
    assert name in (run / "config.cfg").read_text(encoding="utf-8")
    assert len(losses(run)) == len(losses(first)) and losses(run)[0] != losses(first)[0]


def test_without_a_contrastive_step_the_encoder_is_handed_on_as_it_is(train, encoder, tmp_path):
    run = train(tmp_path / "run", "--stages.pretrain.epochs", "0", "--training.epochs", "1")
    assert read(run / "metrics.json")["pretrain"] == {"steps": 0}
    assert (run / "stages/pretrain/model/text/model.safetensors").read_bytes() == (encoder / "model.safetensors").read_bytes()


def test_paths_are_given_on_the_command_line(first, train, tmp_path):
    shutil.copy(sample("train.jsonl"), tmp_path / "mine.jsonl")
    run = train(tmp_path / "run", "--paths.train", tmp_path / "mine.jsonl")
    assert read(run / "metrics.json") == read(first / "metrics.json")
    assert str(tmp_path / "mine.jsonl") in (run / "config.cfg").read_text(encoding="utf-8")


def test_a_path_that_leads_nowhere_is_said_before_anything_is_written(train, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        train(tmp_path / "run", "--paths.train", "nowhere.jsonl")
    message = capsys.readouterr().err
    assert end.value.code == 2 and "nowhere.jsonl" in message and "does not exist" in message
    assert not (tmp_path / "run").exists()


# ---- seeds and folds ---------------------------------------------------------------------------------------------------


def test_one_seed_one_result(first, train, tmp_path):
    assert results(train(tmp_path / "same")) == results(first)
    _, predictions, other = results(train(tmp_path / "other", "--training.seed", "2"))
    assert predictions != (first / "predictions.jsonl").read_bytes()
    assert other["stages/pretrain/model/text/model.safetensors"] != weights(first)["stages/pretrain/model/text/model.safetensors"]


def test_seeds_are_runs_of_their_own(first, train, tmp_path):
    run = train(tmp_path / "run", "--protocol.@protocols", "relcon.Seeds.v1", "--protocol.seeds", "[1, 2]")
    assert results(run / "seeds/seed_1") == results(first)
    assert read(run / "seeds/seed_2/run.json")["seed"] == 2
    assert_summary(run, [run / "seeds/seed_1", run / "seeds/seed_2"])
    assert not (run / "pooled.json").exists()  # both test the same instances


def test_folds_test_every_pair_once(train, tmp_path):
    words = ["--data.test", "null", "--data.limit", "40", "--training.epochs", "1", "--stages.pretrain.epochs", "1"]
    run = train(tmp_path / "run", *words, "--protocol.@protocols", "relcon.KFold.v1", "--protocol.folds", "3")
    folds = [run / f"folds/fold_{number:02d}" for number in (1, 2, 3)]
    assert sorted(run.glob("folds/*")) == folds
    tested = [record["id"] for fold in folds for record in lines(fold / "predictions.jsonl")]
    assert len(tested) == len(set(tested)) == sum(read(fold / "metrics.json")["evaluate"]["scores.instances"] for fold in folds)
    assert_summary(run, folds)
    assert_pooled(run, [record for fold in folds for record in lines(fold / "predictions.jsonl")])


def assert_pooled(run, predictions):
    """Beside the mean of the folds' figures, those of all predictions in one heap, counted here by hand."""
    right = sum(each["gold"] == each["predicted"] != "none" for each in predictions)
    gold, predicted = (sum(each[side] != "none" for each in predictions) for side in ("gold", "predicted"))
    found = read(run / "pooled.json")["evaluate.scores"]
    assert gold and found["recall"] == pytest.approx(right / gold)
    assert found["precision"] == pytest.approx(right / predicted if predicted else 0)
    assert (found["instances"], found["lost"]) == (len(predictions), 0)


def assert_summary(run, parts):
    """The top folder's figures are mean, deviation and interval over its parts, which the table shows."""
    summary = read(run / "metrics.json")["evaluate"]
    for name in ("scores.f1", "shift.rate", "shift.shifts", "shift.size", "scores.instances"):
        values = [read(part / "metrics.json")["evaluate"][name] for part in parts]
        assert summary[name] == pytest.approx(estimate(values)._asdict())
        assert summary[name]["mean"] == pytest.approx(sum(values) / len(values))
        assert summary[name]["sum"] == pytest.approx(sum(values))


# ---- epochs chosen on development data ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chosen(train, tmp_path_factory):
    """A run that fine-tunes from two snapshots of the contrastive step."""
    return train(tmp_path_factory.mktemp("runs") / "chosen", *SNAPSHOTS)


@pytest.mark.parametrize("higher", [True, False])
def test_the_best_snapshot_on_development_data_is_kept(train, tmp_path, higher):
    """Chosen by a figure that differs between any two models, of which more or less is better."""
    figure = ["--stages.finetune.selection.@evaluators", "test.Certainty.v1", "--stages.finetune.selection.higher_is_better"]
    run = train(tmp_path / "run", "--code", DATA / "clre_test_parts.py", *SNAPSHOTS, *figure, json.dumps(higher))
    figures = read(run / "metrics.json")["finetune"]
    found = {number: figures[f"dev.snapshot_{number}"] for number in (1, 2)}
    best = (max if higher else min)(found, key=found.get)
    assert found[1] != found[2] and (figures["snapshot"], figures["dev"]) == (best, found[best])
    kept = (run / "stages/finetune/model/text/model.safetensors").read_bytes()
    of = {number: (run / f"stages/finetune/snapshot_{number}/model/text/model.safetensors").read_bytes() for number in (1, 2)}
    assert of[1] != of[2] and kept == of[best]


def test_the_last_snapshot_is_the_run_without_snapshots(first, chosen):
    """Snapshots change nothing in what they are taken of, and fine-tuning from the last one is fine-tuning from the end."""
    assert weights(first)["stages/pretrain/model/text/model.safetensors"] == weights(chosen)["stages/pretrain/model/text/model.safetensors"]
    assert read(chosen / "metrics.json")["finetune"]["dev.snapshot_2"] == read(first / "metrics.json")["finetune"]["dev"]


def test_a_choice_without_snapshots_says_what_to_give(train, tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        train(tmp_path / "run", "--stages.finetune.choose_snapshot", "true")
    assert end.value.code == 2 and "snapshots = [1, 2]" in capsys.readouterr().err


# ---- interruption ------------------------------------------------------------------------------------------------------


@pytest.fixture
def interrupted(train, tmp_path, monkeypatch):
    """`interrupted("finetune", 7, ...)`: the folder of a run that ended at that step of the stage and was resumed, and its `run.json`
    in between. passes: how many trainings go past that step before."""

    def run(stage, at, *words, passes=0):
        stops, folder = tmp_path / "stops", tmp_path / "run"
        stops.write_text(str(passes))
        monkeypatch.setenv("RELCON_TEST_STOPS", str(stops))
        block = f"--stages.{stage}.schedule"
        words = ["--code", DATA / "clre_test_parts.py", f"{block}.@schedules", "test.Stopping.v1", f"{block}.at", at, *words]
        with pytest.raises(SystemExit) as end:
            train(folder, *words)
        assert end.value.code == 130
        before = read(folder / "run.json")
        stops.unlink()
        return train(folder, "--resume", *words), before

    return run


def epochs(run, stage):
    """The epochs of a stage that were finished, in the order in which they were."""
    return [record["epoch"] for record in lines(run / "log.jsonl") if record["event"] == "epoch" and record["stage"] == stage]


def second_epoch(run, stage):
    """A step in the middle of a stage's second epoch."""
    return int(read(run / "metrics.json")[stage]["steps"]) // 2 + 1


def test_a_resumed_contrastive_step_ends_like_one_that_was_not_interrupted(first, interrupted):
    run, before = interrupted("pretrain", second_epoch(first, "pretrain"))
    assert before["stages"]["pretrain"]["state"] == "running" and "finetune" not in before["stages"]
    assert results(run) == results(first)
    assert epochs(run, "pretrain") == [1, 2]  # the first epoch was not trained again
    assert len(read(run / "run.json")["resumed"]) == 1


def test_resuming_in_fine_tuning_leaves_the_finished_stage_alone(first, interrupted):
    run, before = interrupted("finetune", second_epoch(first, "finetune"))
    after = read(run / "run.json")
    assert after["stages"]["pretrain"] == before["stages"]["pretrain"]  # not even its time changed
    assert (epochs(run, "pretrain"), epochs(run, "finetune")) == ([1, 2], [1, 2])
    assert results(run) == results(first)


@pytest.mark.parametrize("passes", [0, 1])
def test_a_choice_of_snapshots_is_resumed(chosen, interrupted, passes):
    """Interrupted in the first or the second of two fine-tunings: each is trained once, and the same one is chosen."""
    steps = int(read(chosen / "metrics.json")["finetune"]["steps"])
    run, before = interrupted("finetune", steps // 2 + 1, *SNAPSHOTS, passes=passes)
    assert before["stages"]["finetune"]["state"] == "running"
    assert epochs(run, "finetune") == [1, 2, 1, 2]
    assert results(run) == results(chosen)


def test_resumed_folds_end_like_uninterrupted_ones(train, interrupted, tmp_path):
    words = ["--data.test", "null", "--stages.finetune.selection", "null", "--protocol.@protocols", "relcon.KFold.v1"]
    words += ["--protocol.folds", "2", "--training.epochs", "1", "--stages.pretrain.epochs", "1"]
    whole = train(tmp_path / "whole", *words)
    run, _ = interrupted("finetune", 1, *words, passes=1)
    for fold in ("folds/fold_01", "folds/fold_02"):
        assert results(run / fold) == results(whole / fold)
        assert (epochs(run / fold, "pretrain"), epochs(run / fold, "finetune")) == ([1], [1])
    assert read(run / "metrics.json") == read(whole / "metrics.json")


def test_a_finished_run_resumed_trains_nothing(first, train, tmp_path):
    shutil.copytree(first, tmp_path / "run")
    log = lines(tmp_path / "run/log.jsonl")
    train(tmp_path / "run", "--resume")
    assert lines(tmp_path / "run/log.jsonl") == log
    assert results(tmp_path / "run") == results(first)


def test_resuming_with_another_config_repeats_the_stages_that_it_changes(first, train, tmp_path):
    shutil.copytree(first, tmp_path / "run")
    train(tmp_path / "run", "--resume", "--stages.finetune.optimizer.lr", "1e-4")
    logged = [epochs(tmp_path / "run", stage) for stage in ("pretrain", "finetune")]
    assert logged == [[1, 2], [1, 2]], "the log is that of a run with the new config"
    same, changed = weights(first), weights(tmp_path / "run")
    assert same["stages/pretrain/model/text/model.safetensors"] == changed["stages/pretrain/model/text/model.safetensors"]
    assert same["stages/finetune/model/text/model.safetensors"] != changed["stages/finetune/model/text/model.safetensors"]
