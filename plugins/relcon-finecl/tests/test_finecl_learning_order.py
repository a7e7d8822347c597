"""The stage that records a learning order, in whole runs: what it writes, that it changes nothing, that it can be interrupted."""

import csv
import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import relcon_finecl.stage

import relcon.stages.training
import relcon.training.predicting
from relcon.checking import check_config
from relcon.config import load_config
from relcon.dry_run import dry_run
from relcon.errors import Interrupted, RelconError
from relcon.pipeline import train
from relcon.testing import tiny_encoder_folder

VERBS = {"founded": "founded", "left": "left", "bought": "owns"}
PLACES = ["Norhaven", "Ostby", "Quillmere", "Tarn", "Velden", "Wexcombe"]
FIRMS = ["Abelco", "Brightor", "Cindel", "Dromex", "Elvar", "Fenwick"]

CONFIG = """
[paths]
train = null
encoder = null
[training]
seed = 4
device = "cpu"
log_every = 1

[data]
@corpora = "relcon.Corpus.v1"
train = ${paths.train}
negative = ["Na"]
cache = "none"
[data.reader]
@readers = "relcon.JSONLines.v1"
[data.candidates]
@candidates = "relcon.EntityPairs.v1"
scope = "document"
directed = true
several = "kept"

[stages.order]
@stages = "finecl.LearningOrder.v1"
epochs = 3
recording = "both"
cuts = [1, 2, 5]
classifier = "relation"
clip = 1.0
[stages.order.encoders.text]
@encoders = "relcon.Transformer.v1"
path = ${paths.encoder}
[stages.order.poolers.pair]
@poolers = "relcon.SpanPool.v1"
slots = 2
[stages.order.optimizer]
@optimizers = "relcon.AdamW.v1"
lr = 0.01
[stages.order.streams.train]
@samplers = "relcon.DocumentPairs.v1"
batch_size = 2
negatives = 1
[stages.order.streams.train.renderer]
@renderers = "relcon.Plain.v1"
[stages.order.tasks.relation]
@tasks = "relcon.MultiLabelClassification.v1"
stream = "train"
[stages.order.tasks.relation.tower]
@towers = "relcon.Tower.v1"
encoder = "text"
pooler = "pair"
"""

REPORT = """
[stages.report]
@stages = "finecl.OrderReport.v1"
order = "order"
sheet = 2
"""

WEIGHTED = """
[stages.weighted]
@stages = "relcon.Pretrain.v1"
[stages.weighted.encoders]
text = "order.text"
[stages.weighted.poolers]
pair = "order.pair"
[stages.weighted.streams.pairs]
@samplers = "finecl.RelationPairs.v1"
weighting = "learning_order"
order = "order"
[stages.weighted.streams.pairs.renderer]
@renderers = "relcon.Plain.v1"
[stages.weighted.tasks.contrast]
@tasks = "relcon.Contrastive.v1"
stream = "pairs"
[stages.weighted.tasks.contrast.anchors]
@towers = "relcon.Tower.v1"
encoder = "text"
pooler = "pair"
[stages.weighted.tasks.contrast.objective]
@objectives = "relcon.InfoNCE.v1"
denominator = "own"
"""

SINGLE = CONFIG.replace("DocumentPairs", "Instances").replace("negatives = 1\n", "").replace("MultiLabelClassification", "Classification")
"""The same with one label per pair."""


def document(number):
    """A founder, a firm and a place; every third firm has two relations to its founder. A fifth of the labels are wrong and say so."""
    draw = random.Random(number)
    verb = draw.choice(sorted(VERBS))
    firm, place = draw.choice(FIRMS), draw.choice(PLACES)
    words = f"Mara {verb} {firm} of {place} . She met {firm} ' s people .".split()
    entities = [{"mentions": [[0, 1]]}, {"mentions": [[2, 3], [8, 9]]}, {"mentions": [[4, 5]]}]
    right = VERBS[verb]
    said = right if number % 5 else next(label for label in sorted(VERBS.values()) if label != right)
    relations = [{"head": 0, "tail": 1, "label": said}, {"head": 1, "tail": 2, "label": "seat"}]
    if number % 3 == 0:
        relations.append({"head": 0, "tail": 1, "label": "knows"})
    uid = f"d{number}#0-1" + (f":{said}" if number % 3 == 0 else "")
    metadata = {"corrupted": {} if number % 5 else {uid: right}}
    entities = [{"mentions": [{"words": span} for span in each["mentions"]]} for each in entities]
    return {"id": f"d{number}", "words": words, "entities": entities, "relations": relations, "metadata": metadata}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data and an encoder."""
    folder = tmp_path_factory.mktemp("order")
    documents = [document(number) for number in range(20)]
    (folder / "train.jsonl").write_text("".join(json.dumps(each) + "\n" for each in documents), encoding="utf-8")
    words = sorted({word.lower() for each in documents for word in each["words"]})
    tiny_encoder_folder(folder / "bert", layers=1, words=words)
    return folder


@pytest.fixture(scope="module")
def config(place):
    """`config(text, *overrides)`: a config of the data and the encoder."""

    def load(text, *words):
        path = place / "order.cfg"
        path.write_text(text, encoding="utf-8")
        paths = ["--paths.train", str(place / "train.jsonl"), "--paths.encoder", str(place / "bert")]
        return load_config(path, [*paths, *map(str, words)])

    return load


@pytest.fixture(scope="module")
def whole(place, config):
    """A run that records both ways and reports, its folder."""
    train(config(CONFIG + REPORT), place / "whole")
    return place / "whole"


def read(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))


def lines(path):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


def written(run):
    """All that the stage wrote about the order, by file."""
    folder = run / "stages/order"
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.json*") if "model" not in path.parts}


def weights(run, stage="order"):
    return {path.name: path.read_bytes() for path in (run / f"stages/{stage}/model").rglob("*.safetensors")}


# ---- what is written -------------------------------------------------------------------------------------------------------


def test_the_files_agree_with_each_other(whole):
    folder, manifest = whole / "stages/order", read(whole / "stages/order/manifest.json")
    rows = lines(folder / "instances.jsonl")
    assert len(rows) == manifest["instances"] == 20 * 2 + 7 and len({row["uid"] for row in rows}) == 47
    batch = {row["uid"]: row["learn_epoch"] for row in rows if row["learn_epoch"] is not None}
    order = {row["uid"]: row["learn_order"] for row in rows if row["learn_order"] is not None}
    assert read(folder / "order_batch.json") == batch and read(folder / "order.json") == order
    assert batch.items() <= order.items() and manifest["upsampled"] == len(order) - len(batch) == sum(row["upsampled"] for row in rows)
    epochs = [read(folder / f"epochs/epoch_{epoch:02d}.json") for epoch in range(3)]
    assert {uid: int(epoch) for each in epochs for epoch, uids in each.items() for uid in uids} == batch
    assert (manifest["k"], manifest["recording"], manifest["k_min"]) == (3, "batch", min(order.values()))
    assert manifest["k_max"] == (3 if len(order) < 47 else max(order.values()))
    for name, learned in (("batch", batch), ("epoch", read(folder / "order_epoch.json"))):
        shares = manifest["recordings"][name]["learned"]
        assert shares == pytest.approx([sum(epoch <= at for epoch in learned.values()) / 47 for at in range(3)])
        assert manifest["recordings"][name]["not_learned"] + manifest["recordings"][name]["unseen"] == 47 - len(learned)
    first = [list(read(folder / f"order_{name}.json").values()).count(0) for name in ("batch", "epoch")]
    assert first[0] < first[1] and 0 < len(batch) < 47, "what is asked after the epoch has been learned in it"


def test_cuts_lie_beside_a_manifest_of_their_own(whole):
    folder = whole / "stages/order"
    assert sorted(path.name for path in (folder / "cuts").iterdir()) == ["k01", "k02"]
    batch = read(folder / "order_batch.json")
    for k in (1, 2):
        order, manifest = (read(folder / f"cuts/k{k:02d}/{name}.json") for name in ("order", "manifest"))
        assert manifest["k"] == k and max(order.values()) < k
        assert {uid: epoch for uid, epoch in batch.items() if epoch < k}.items() <= order.items()
        assert manifest["upsampled"] == len(order) - sum(epoch < k for epoch in batch.values())


def test_figures_and_what_is_said_of_them(whole, config):
    figures = read(whole / "metrics.json")["order"]
    component = relcon_finecl.stage.LearningOrder
    assert set(figures) <= set(component.measures(config(CONFIG).tree["stages"]["order"]))
    assert figures["steps"] == 30 and figures["epoch.learned"] >= figures["epoch.learned_1"] > 0
    assert {"auc", "within_class_auc", "average_precision", "precision", "recall", "weight_clean", "weight_corrupted"} <= {
        name.removeprefix("epoch.") for name in figures
    }
    assert component.measures({"recording": "bath"}) is None and component.measures({"epochs": "no"}) is None


def test_the_model_is_handed_on_without_what_was_recorded(whole):
    assert read(whole / "stages/order/model/model.json")["classifier"] == "relation" and (whole / "model").exists()
    assert not any("recorder" in path.read_bytes().decode("latin-1") for path in (whole / "stages/order/model").glob("parts.safetensors"))


def test_sentences_with_one_pair_each_are_recorded_too(place, config):
    text = SINGLE.replace('scope = "document"\ndirected = true\nseveral = "kept"\n', "").replace("EntityPairs", "AnnotatedPairs")
    with pytest.raises(RelconError, match=r"'d\d+#0-1' is none of the 47 relation instances.*relcon.DocumentPairs.v1"):
        train(config(text.replace('negative = ["Na"]\n', "")), place / "several")
    documents = [document(number) for number in range(20)]
    kept = [{**each, "relations": each["relations"][:2], "metadata": {}} for each in documents]
    kept[0]["relations"][1]["label"] = "Na"
    (place / "one.jsonl").write_text("".join(json.dumps(each) + "\n" for each in kept), encoding="utf-8")
    train(config(text, "--paths.train", place / "one.jsonl", "--stages.order.recording", "epoch"), place / "one")
    rows = lines(place / "one/stages/order/instances.jsonl")
    assert {row["uid"] for row in rows} == {f"d{n}#{pair}" for n in range(20) for pair in ("0-1", "1-2")} - {"d0#1-2"}
    assert {row["shown_epoch"] for row in rows} == {0}
    assert not any("auc" in name for name in read(place / "one/metrics.json")["order"])


# ---- that it changes nothing --------------------------------------------------------------------------------------------------


def test_finecl_the_recorder_leaves_training_bit_identical(place, config, whole):
    text = CONFIG.replace("finecl.LearningOrder.v1", "relcon.Finetune.v1").replace('recording = "both"\ncuts = [1, 2, 5]\n', "")
    train(config(text), place / "plain")
    assert weights(place / "plain") == weights(whole)
    logs = [[line for line in lines(run / "log.jsonl") if line["event"] == "step"] for run in (place / "plain", whole)]
    losses = [[(line["step"], line["loss"], line["figures"]["relation.accuracy"]) for line in log] for log in logs]
    assert losses[0] == losses[1] and len(losses[0]) == 30


@pytest.mark.parametrize("recording", ["batch", "epoch"])
def test_one_recording_is_that_of_both(place, config, whole, recording):
    train(config(CONFIG, "--stages.order.recording", recording), place / recording)
    name = f"order_{recording}.json"
    assert read(place / recording / "stages/order" / name) == read(whole / "stages/order" / name)
    assert read(place / recording / "stages/order/manifest.json")["recording"] == recording


def test_two_processes_record_what_one_does(place, config):
    """Each is told of its own share of a batch of two documents; what both were told is brought together."""
    words = ["--training.micro_batch_tokens", "16", "--stages.order.epochs", "2"]
    train(config(CONFIG, *words), place / "alone")
    config(CONFIG)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "relcon", "train"]
    paths = ["-o", place / "both", "--paths.train", place / "train.jsonl", "--paths.encoder", place / "bert"]
    command = [str(word) for word in [*launch, place / "order.cfg", *paths, *words]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr[-3000:]
    assert written(place / "both") == written(place / "alone")


def test_stage_2_reads_the_order(place, config, caplog):
    """In a dry run, too, after a few steps of the first stage."""
    plan = dry_run(config(CONFIG + REPORT + WEIGHTED))
    assert (plan.stages["order"].steps, plan.stages["order"].epochs, plan.stages["order"].instances) == (30, 3, 20 * 6)
    with caplog.at_level("INFO"):
        train(config(CONFIG + WEIGHTED), place / "weighted")
    learned = len(read(place / "weighted/stages/order/order.json"))
    assert f"47 instances, {47 - learned} of them not learned (order 3: max_order)" in caplog.text
    assert (place / "weighted/stages/weighted/model/model.json").exists()


# ---- interruptions ---------------------------------------------------------------------------------------------------------------


def interrupt(monkeypatch, at, place=relcon.stages.training, name="asked"):
    """The nth call of a function asks the command to end."""
    calls = []
    real = getattr(place, name)

    def counted(*given, **named):
        calls.append(1)
        if len(calls) == at:
            if name == "asked":
                return signal.SIGTERM
            raise Interrupted(signal.SIGTERM)
        return real(*given, **named)

    monkeypatch.setattr(place, name, counted)


def test_an_interrupted_run_ends_with_the_same_files(place, config, whole, monkeypatch):
    output = place / "cut"
    interrupt(monkeypatch, 23)
    with pytest.raises(Interrupted, match="at step 23 of stage order"):
        train(config(CONFIG + REPORT), output)
    monkeypatch.undo()
    assert not (output / "stages/order/order.json").exists()
    train(config(CONFIG + REPORT), output, resume=True)
    assert written(output) == written(whole) and weights(output) == weights(whole)
    assert read(output / "metrics.json") == read(whole / "metrics.json")


def test_a_run_interrupted_while_it_passes_over_the_data_goes_on_there(place, config, whole, monkeypatch):
    output = place / "cut in the pass"
    interrupt(monkeypatch, 12, relcon.training.predicting, "encode")  # ten batches an epoch: the second batch of the second pass
    with pytest.raises(Interrupted, match="at step 20 of stage order"):
        train(config(CONFIG + REPORT), output)
    monkeypatch.undo()
    train(config(CONFIG + REPORT), output, resume=True)
    assert written(output) == written(whole) and weights(output) == weights(whole)


# ---- mistakes ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change, message",
    [
        (("epochs = 3", "epochs = 0"), "epochs and cuts are numbers of epochs from 1"),
        (("cuts = [1, 2, 5]", "cuts = [0]"), "epochs and cuts are numbers of epochs from 1"),
        (("epochs = 3", "epochs = 3\nmin_class_share = 101"), "min_class_share is in per cent, from 0 to 100, got 101"),
        (("@stages = \"finecl.LearningOrder.v1\"", "@stages = \"finecl.LearningOrder.v1\"\nsplit = \"dev\""), "dev"),
    ],
)
def test_arguments_out_of_range_are_refused(place, config, change, message):
    with pytest.raises(RelconError, match=message):
        train(config(CONFIG.replace(*change)), place / "wrong")
    assert not (place / "wrong").exists()


@pytest.mark.parametrize(
    "change, message",
    [
        (("epochs = 3", "epochs = 2.5"), "epochs: expected a whole number, got 2.5"),
        (('order = "order"', 'order = "ordr"'), "order: 'ordr' is no earlier stage, which could hand something on. Did you mean 'order'?"),
    ],
)
def test_check_knows_the_stages(config, change, message):
    text = CONFIG + REPORT
    assert text.count(change[0]) == 1
    assert [str(problem) for problem in check_config(config(text))] == []
    assert any(message in str(problem) for problem in check_config(config(text.replace(*change))))


def test_data_without_relations_are_refused(place, config):
    empty = {**document(1), "relations": [{"head": 0, "tail": 1, "label": "Na"}], "metadata": {}}
    (place / "empty.jsonl").write_text(json.dumps(empty) + "\n", encoding="utf-8")
    with pytest.raises(RelconError, match=r"\[stages.order\] the split 'train' asks about no related pair"):
        train(config(SINGLE, "--paths.train", place / "empty.jsonl"), place / "empty")


# ---- the report ----------------------------------------------------------------------------------------------------------------------


def table(path):
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_report_has_the_figures_of_the_paper(whole):
    folder, manifest = whole / "stages/report", read(whole / "stages/order/manifest.json")
    learned = table(folder / "learned.csv")
    assert [float(row["cumulative"]) for row in learned if row["recording"] == "epoch"] == pytest.approx(
        manifest["recordings"]["epoch"]["learned"], abs=1e-6
    )
    assert sum(float(row["newly"]) for row in learned if row["recording"] == "batch") == pytest.approx(
        manifest["recordings"]["batch"]["learned"][-1], abs=1e-5
    )
    relations = table(folder / "relations.csv")
    assert {row["relation"]: int(row["instances"]) for row in relations}["seat"] == 20
    for row in relations:
        shares = [float(row[name]) for name in ("epoch_0", "epoch_1", "epoch_2", "not_learned")]
        assert sum(shares) == pytest.approx(1, abs=1e-5)
        assert 1 - shares[-1] == pytest.approx(manifest["recordings"]["batch"]["learned_by_relation"][row["relation"]][-1], abs=1e-6)
    for name in ("learned", "relations"):
        assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    assert not (folder / "jaccard.csv").exists()


def test_difficult_relations_are_listed(whole):
    found, manifest = read(whole / "stages/report/difficult.json"), read(whole / "stages/order/manifest.json")
    accuracy = manifest["recordings"]["batch"]["accuracy_by_relation"]
    assert found["last_epoch"] == sorted(name for name, value in accuracy.items() if value is not None and value < 0.8)
    figures = read(whole / "metrics.json")["report"]
    assert figures["difficult"] == len(found["last_epoch"]) and figures["difficult_ever"] == len(found["ever_learned"])


def test_the_sheet_is_to_be_filled_in(whole):
    sheet, rows = table(whole / "stages/report/sheet.csv"), {row["uid"]: row for row in lines(whole / "stages/order/instances.jsonl")}
    assert sheet and len(sheet) == read(whole / "metrics.json")["report"]["sheet"] == len({line["uid"] for line in sheet})
    for line in sheet:
        row, epoch = rows[line["uid"]], int(line["epoch"])
        learned = np.inf if row["learn_epoch"] is None else row["learn_epoch"]
        assert learned == epoch if line["predicted"] == "right" else learned > epoch >= row["shown_epoch"]
        assert line["relation"] == row["relation"] and "[e1 " in line["text"] and "[e2 " in line["text"]
        assert line["label is right (yes or no)"] == ""
    assert {(line["epoch"], line["predicted"]) for line in sheet} >= {("0", "wrong"), ("1", "right")}


def test_another_order_beside_it(place, config, whole):
    other = whole / "stages/order/order_batch.json"
    text = CONFIG + REPORT + f'against = "{other}"\n'
    train(config(text, "--stages.report.sheet", 0, "--stages.order.recording", "batch"), place / "against")
    curves = table(place / "against/stages/report/jaccard.csv")
    assert [float(row["union"]) for row in curves] == [1.0] * 3 and (place / "against/stages/report/jaccard.png").exists()
    figures = read(place / "against/metrics.json")["report"]
    assert figures["jaccard.union"] == figures["jaccard.pooled"] == 1.0 and figures["sheet"] == 0
    (place / "foreign.json").write_text('{"x#0-1": 1}')
    with pytest.raises(RelconError, match=r"\[stages.report\] against: .*foreign.json: 1 of its 1 instances are not in the split"):
        train(config(text.replace(str(other), str(place / "foreign.json"))), place / "foreign")


def test_a_stage_without_an_order_has_no_report(place, config):
    text = CONFIG.replace("finecl.LearningOrder.v1", "relcon.Finetune.v1").replace('recording = "both"\ncuts = [1, 2, 5]\n', "")
    with pytest.raises(RelconError, match=r"\[stages.report\] order: stage 'order' records no learning order"):
        train(config(text + REPORT, "--stages.order.epochs", 1), place / "none")
