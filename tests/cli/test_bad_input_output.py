"""Where a run may write, and what is left of one that fails."""

import os
import shutil

import pytest
import torch
from safetensors.torch import load_file

from relcon.model import SavedModel

BROKEN = '''
import torch
from relcon.interfaces import Task
from relcon.tasks.classification import Classification

@Task.register("broken.NaN.v1")
class NaN(Classification):
    """NaN from a given batch on."""

    seen = 0

    def part(self, value, vectors, numbers, more):
        NaN.seen += 1
        return super().part(value, vectors, numbers, more) * (float("nan") if NaN.seen >= {first} else 1.0)
'''


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def former(tmp_path, train):
    """A finished run in `tmp_path/run`."""
    assert train(tmp_path / "run").code == 0
    return tmp_path / "run"


# ---- folders -----------------------------------------------------------------------------------------------------------


def test_another_run_is_refused_kept_and_replaced(former, train, refused, tmp_path):
    said = refused("--training.seed", "5")
    assert f"--output {former} holds another run. Go on with it (--resume), replace it (--overwrite)" in said
    said = refused("--overwrite", "--paths.encoder", "./nowhere")
    assert "There is no encoder folder" in said, "a run that cannot start replaces nothing"
    (former / "notes.txt").write_text("mine")
    assert "holds files that relcon did not write (notes.txt)" in refused("--overwrite")
    (former / "notes.txt").unlink()
    before = files(former)
    assert train(former, "--resume").code == 0
    assert {name for name, content in files(former).items() if content != before[name]} <= {"run.json", "config.as-written.cfg"}
    assert train(former, "--overwrite", "--training.seed", "5").code == 0
    assert set(files(former)) == set(before) and files(former)["model/model.json"] == before["model/model.json"]
    assert files(former)["run.json"] != before["run.json"]


@pytest.mark.parametrize("option", [[], ["--overwrite"], ["--resume"]])
def test_a_folder_with_foreign_files_is_never_touched(refused, tmp_path, option):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("years of work")
    assert "holds files that are no relcon run. Choose an empty or new folder." in refused(*option)


def test_nothing_to_resume(refused):
    assert "There is no run to resume in" in refused("--resume")


def test_a_file_in_the_way(train, tmp_path):
    (tmp_path / "file").write_text("mine")
    for output, said in (("file", "is a file; a folder is needed"), ("file/run", "is a file, not a folder. Choose another folder")):
        ended = train(tmp_path / output)
        assert (ended.code, ended.out) == (2, "") and said in ended.err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder(refused, tmp_path):
    (tmp_path / "run").mkdir(mode=0o500)
    assert "cannot be written (permission denied for" in refused()


# ---- a loss that is not finite -----------------------------------------------------------------------------------------


@pytest.fixture
def stops(train, tmp_path):
    """`stops(2)`: what a run said whose loss is NaN from its second batch on, of two batches an epoch."""

    def run(first):
        code = tmp_path / f"broken_{first}.py"
        code.write_text(BROKEN.format(first=first).replace("broken.NaN", f"broken.NaN{first}"))
        words = ["--code", code, "--stages.finetune.tasks.relation.@tasks", f"broken.NaN{first}.v1", "--stages.finetune.epochs", "2"]
        ended = train(tmp_path / "run", *words)
        assert ended.code == 2 and "Traceback" not in ended.err, ended.err
        return ended.err

    return run


def is_finite_model(folder):
    """Whether a folder loads as a relation classifier whose weights are all finite."""
    tower = SavedModel(folder).load().tower
    return all(bool(weight.isfinite().all()) for weight in tower.parameters())


def test_a_loss_that_is_not_finite_names_its_batch(stops, tmp_path):
    said = stops(2)
    kept = tmp_path / "run" / "stages" / "finetune" / "last_good_model"
    assert "[stages.finetune] the loss of step 2 is nan. Its batch held tiny-" in said and "optimizer.lr" in said
    assert f"The model as it was before the stage began is kept in {kept}." in said
    assert is_finite_model(kept)


def test_the_model_of_the_last_whole_epoch_is_kept(stops, tmp_path):
    said = stops(3)
    kept = tmp_path / "run" / "stages" / "finetune" / "last_good_model"
    assert "the loss of step 3 is nan" in said and f"The model of step 2 is kept in {kept}." in said
    assert is_finite_model(kept)
    trained = load_file(tmp_path / "run/checkpoints/finetune/step-2/model/text/model.safetensors")["embeddings.word_embeddings.weight"]
    table = "embeddings.word_embeddings.weight"
    (loaded,) = (weight for name, weight in SavedModel(kept).encoder("text").state_dict().items() if name.endswith(table))
    assert torch.equal(trained, loaded)


def test_a_learning_rate_that_is_far_too_large(train, tmp_path):
    ended = train(tmp_path / "run", "--stages.finetune.optimizer.lr", "1e30", "--stages.finetune.epochs", "3")
    assert ended.code == 2 and "Traceback" not in ended.err
    assert "finite" in ended.err or "is nan" in ended.err
    assert is_finite_model(tmp_path / "run" / "stages" / "finetune" / "last_good_model")


# ---- predict and evaluate ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["predict", "evaluate"])
def test_a_folder_that_is_no_run(relcon, data, tmp_path, command):
    words = [data / "test.jsonl", "-o", tmp_path / "out.jsonl"] if command == "predict" else []
    ended = relcon(command, data, *words)
    assert (ended.code, ended.out) == (2, "")
    assert "Give the folder" in ended.err and str(data) in ended.err
    assert not (tmp_path / "out.jsonl").exists()


def bare(record):
    """Without labels: the pair is asked about."""
    record["relations"] = [{"head": 0, "tail": 1}]


OPENNRE = '{"token": ["abirol", "blocks", "KAP2"], "h": {"pos": [0, 1]}, "t": {"pos": [2, 3]}}\n'
SEMEVAL = '1\t"The <e1>abirol</e1> blocks the <e2>kinase</e2>."\n'
TACRED = (
    '[{"id": "a", "token": ["abirol", "blocks", "KAP2"], "subj_start": 0, "subj_end": 0, "obj_start": 2, "obj_end": 2, '
    '"subj_type": "C", "obj_type": "P", "stanford_pos": ["N", "V", "N"], "stanford_ner": ["O", "O", "O"], '
    '"stanford_head": [2, 0, 2], "stanford_deprel": ["nsubj", "ROOT", "obj"]}]'
)
SPERT = (
    '[{"tokens": ["abirol", "blocks", "KAP2"], "relations": [{"head": 0, "tail": 1}], '
    '"entities": [{"type": "C", "start": 0, "end": 1}, {"type": "P", "start": 2, "end": 3}]}]'
)


def test_what_predict_and_evaluate_refuse_and_take(former, relcon, change, data, tmp_path):
    """One run for all: training is the dear part."""
    out = tmp_path / "out.jsonl"

    def refuses(*words):
        ended = relcon(*words)
        assert (ended.code, ended.out, out.exists()) == (2, "", False), ended
        assert ended.err.startswith("error: ") and "Traceback" not in ended.err
        return ended.err

    damaged = tmp_path / "damaged"
    shutil.copytree(former / "model", damaged)
    (damaged / "parts.safetensors").write_bytes(b"half")
    assert "parts.safetensors cannot be read" in refuses("predict", damaged, data / "test.jsonl", "-o", out)
    (damaged / "model.json").write_text("{}")
    assert "model.json is not whole: it has no schema" in refuses("predict", damaged, data / "test.jsonl", "-o", out)
    before = files(former)
    assert "nowhere.jsonl does not exist" in refuses("predict", former, "nowhere.jsonl", "-o", out)
    assert "relcon.SemEval2010.v1" in refuses("predict", former, data / "test.jsonl", "-o", out, "--reader", "relcon.SemEval210.v1")
    (data / "empty.jsonl").write_text("")
    assert "holds no record" in refuses("predict", former, data / "empty.jsonl", "-o", out)
    (data / "broken.jsonl").write_text((data / "test.jsonl").read_text() + "{\n")
    assert "broken.jsonl:5: not JSON" in refuses("predict", former, data / "broken.jsonl", "-o", out)
    assert "is a file" in refuses("predict", former, data / "test.jsonl", "-o", data / "test.jsonl" / "out.jsonl")
    assert "does not exist" in refuses("evaluate", former, "--data", data / "nowhere.jsonl")
    assert "no split 'tset'. Did you mean 'test'?" in refuses("evaluate", former, "--split", "tset")
    assert "--data and --split exclude each other" in refuses("evaluate", former, "--data", data / "test.jsonl", "--split", "test")
    assert "Did you mean 'tacred.micro'" in refuses("evaluate", former, "--profile", "tacred.mirco")
    change("test", lambda record: record["relations"][0].update(label="inhibts"), 1)
    said = refuses("evaluate", former, "--data", data / "test.jsonl")
    assert "test.jsonl:2: label 'inhibts' is none that the model was trained on. Did you mean 'inhibits'?" in said
    change("test", bare, 1)
    assert "test.jsonl:2: a pair has no label" in refuses("evaluate", former, "--data", data / "test.jsonl")
    change("test", bare)
    assert "has no labelled relation" in refuses("evaluate", former, "--data", data / "test.jsonl")
    assert files(former) == before, "neither command changes the run"
    change("test", lambda record: record.pop("relations"))
    said = relcon("predict", former, data / "test.jsonl", "-o", out).out
    assert "0 pairs written" in said and "--candidates relcon.EntityPairs.v1 asks about all" in said
    said = relcon("predict", former, data / "test.jsonl", "-o", out, "--overwrite", "--candidates", "relcon.EntityPairs.v1").out
    assert "4 pairs written" in said

    assert f"{out} exists. Give another file to write, or --overwrite" in relcon("predict", former, data / "test.jsonl", "-o", out).err
    change("test", bare)
    for name, content, reader in (
        ("plain.jsonl", (data / "test.jsonl").read_text(), "relcon.JSONLines.v1"),
        ("open.jsonl", OPENNRE, "relcon.OpenNRE.v1"),
        ("semeval.txt", SEMEVAL, "relcon.SemEval2010.v1"),
        ("tacred.json", TACRED, "relcon.TACRED.v1"),
        ("spert.json", SPERT, "relcon.SpERT.v1"),
    ):
        (data / name).write_text(content)
        ended = relcon("predict", former, data / name, "-o", out, "--overwrite", "--reader", reader)
        assert ended.code == 0, ended.err
        count = 4 if name == "plain.jsonl" else 1
        assert f"{count} pairs written" in ended.out and len(out.read_text().splitlines()) == count


def test_what_is_read_is_never_replaced(former, relcon, data, tmp_path):
    """Neither the input, whatever it is called, nor a file of it, nor tables of another evaluation."""
    (tmp_path / "link.jsonl").symlink_to(data / "test.jsonl")
    before = {**files(former), **files(data)}

    def refuses(*words):
        ended = relcon(*words)
        assert (ended.code, ended.out) == (2, "") and "Traceback" not in ended.err, ended
        assert {**files(former), **files(data)} == before
        return ended.err

    for option in ([], ["--overwrite"]):
        for output in (data / "test.jsonl", tmp_path / "link.jsonl"):
            said = refuses("predict", former, data / "test.jsonl", "-o", output, *option)
            assert f"error: {output} is the input, which would be lost" in said
        assert "lies in the run that predicts" in refuses("predict", former, data / "test.jsonl", "-o", former / "mine.jsonl", *option)
        for output, source in ((former, []), (former / "stages", []), (data, ["--data", data]), (former, ["--data", data])):
            assert "is the input, or lies in it" in refuses("evaluate", former, *source, "-o", output, *option)
        assert "is a file; a folder to write to is needed" in refuses("evaluate", former, "-o", data / "dev.jsonl", *option)
        assert "is a folder. Give a file" in refuses("predict", former, data / "test.jsonl", "-o", data, *option)
    assert "train.jsonl exists. Give another file to write" in refuses("predict", former, data / "test.jsonl", "-o", data / "train.jsonl")
    assert relcon("evaluate", former, "-o", tmp_path / "tables").code == 0
    assert "tables holds files" in refuses("evaluate", former, "-o", tmp_path / "tables")
    assert relcon("evaluate", former, "-o", tmp_path / "tables", "--overwrite").code == 0
