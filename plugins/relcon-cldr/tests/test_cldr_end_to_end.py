"""The method through the real command line: every config on invented sentences, prediction with its neighbours, bad input."""

import json
import random
import re
import shlex
import shutil
from pathlib import Path

import pytest
from relcon_cldr.extractor import tag_tower

from relcon.cli.main import main
from relcon.config import resolve
from relcon.data.document import Document
from relcon.errors import RelconError
from relcon.interfaces import Tower
from relcon.model import SavedModel
from relcon.tasks.masked_language_model import MaskedLanguageModel
from relcon.testing import tiny_character_bert_folder, tiny_encoder_folder

CONFIGS = Path(__file__).parents[3] / "configs" / "cldr"
DRUGS = ["abirol", "betaxin", "cedrine", "dolamide", "eprazol"]
EFFECTS = [["rash"], ["severe", "rash"], ["nausea"], ["renal", "failure"], ["acute", "pain"]]
FRAMES = ["{e} was seen after {d} .", "{d} caused {e} in one patient .", "we report {e} due to {d} therapy .", "{d} - induced {e}"]


def sentence(number):
    """An invented sentence in SpERT's form; every fourth names two drugs."""
    draw = random.Random(number)
    tokens, spans = [], {}
    for word in draw.choice(FRAMES).split():
        if word in ("{e}", "{d}"):
            phrase = draw.choice(EFFECTS) if word == "{e}" else [draw.choice(DRUGS)]
            spans[word] = [len(tokens), len(tokens) + len(phrase)]
            tokens += phrase
        else:
            tokens.append(word)
    entities = [{"type": "Adverse-Effect", "start": spans["{e}"][0], "end": spans["{e}"][1]}]
    entities.append({"type": "Drug", "start": spans["{d}"][0], "end": spans["{d}"][1]})
    if number % 4 == 0:
        tokens += ["and", draw.choice(DRUGS)]
        entities.append({"type": "Drug", "start": len(tokens) - 1, "end": len(tokens)})
    relations = [{"type": "Adverse-Effect", "head": 0, "tail": tail} for tail in range(1, len(entities))]
    return {"tokens": tokens, "entities": entities, "relations": relations, "orig_id": number}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory):
    """The corpus file and its two folds."""
    folder = tmp_path_factory.mktemp("corpus")
    ids = [str(number) for number in range(48)]
    (folder / "sentences.json").write_text(json.dumps([sentence(number) for number in range(48)]), encoding="utf-8")
    folds = {f"split_{n + 1}": {"train set": ids[: n * 24] + ids[n * 24 + 24 :], "test set": ids[n * 24 : n * 24 + 24]} for n in (0, 1)}
    (folder / "folds.json").write_text(json.dumps(folds), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def encoder(tmp_path_factory):
    words = {word for number in range(48) for word in sentence(number)["tokens"]}
    return tiny_encoder_folder(tmp_path_factory.mktemp("encoder") / "bert", words=sorted(words))


def relcon(*words):
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        if end.code:
            raise


@pytest.fixture(scope="module")
def train(corpus, encoder):
    """`train(name, folder, ...)`: a config of the method, tiny."""

    def run(name, folder, *words):
        paths = ["--paths.train", corpus / "sentences.json", "--paths.folds", corpus / "folds.json"]
        relcon("train", CONFIGS / name, "--output", folder, *paths, *tiny(name, encoder), *words)
        return folder / "folds/fold_01"

    return run


def tiny(name, encoder):
    """Overrides that make a config tiny."""
    text = (CONFIGS / name).read_text(encoding="utf-8")
    words = ["--training.epochs", 2]
    for stage in ("relations", "tags", "finetune"):
        if f"[stages.{stage}]" in text:
            places = ["encoders.text"] + (["encoders.graph.features"] if f"[stages.{stage}.encoders.graph]" in text else [])
            for place in (f"--stages.{stage}.{block}" for block in places):
                words += [f"{place}.@encoders", "relcon.Transformer.v1", f"{place}.path", encoder, f"{place}.max_length", 64]
            words += [f"--stages.{stage}.encoders.text.freeze_layers", 1, f"--stages.{stage}.optimizer.lr", 0.003]
    return [*words, *(["--stages.tags.tasks.contrast.anchors.head", "[32]"] if "[stages.tags]" in text else [])]


@pytest.fixture(scope="module")
def joint(train, tmp_path_factory):
    """A run with both spaces."""
    return train("joint.cfg", tmp_path_factory.mktemp("runs") / "joint")


def metrics(run):
    return json.loads((run / "metrics.json").read_text(encoding="utf-8"))


def lines(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def test_joint_reads_entities_and_relations_off_two_spaces(joint):
    found = metrics(joint)
    assert {"k_relations", "k_tags", "relations_f1", "tags_f1"} <= set(found["neighbours"])
    figures = found["evaluate"]
    for name in ("entities", "listed_entities", "strict", "authors", "joint", "pairs"):
        assert {f"extraction.{name}_{figure}" for figure in ("precision", "recall", "f1")} <= set(figures)
    assert figures["extraction.entities_f1"] > 0.5 and figures["extraction.pairs_f1"] > 0.3
    assert figures["extraction.authors_recall"] >= figures["extraction.strict_recall"]
    assert (figures["extraction.overlapping_pairs"], figures["extraction.lost_entities"]) == (0, 0)
    model = joint / "model"
    assert (model / "relations/text/model.safetensors").exists() and (model / "tags/text/model.safetensors").exists()


def test_training_lowers_the_loss_on_held_out_sentences(joint):
    looks = [line for line in lines(joint / "log.jsonl") if line["event"] == "validation"]
    for stage in ("relations", "tags"):
        losses = [line["loss"] for line in looks if line["stage"] == stage]
        assert len(losses) == 2 and losses[1] < losses[0]


def test_predict_finds_entities_in_plain_text_and_shows_neighbours(joint, tmp_path, capsys):
    """Characters are those of the line."""
    text = tmp_path / "new.txt"
    text.write_text("\n  Dolamide caused severe rash in one patient.\n", encoding="utf-8")
    out = tmp_path / "out.jsonl"
    relcon("predict", joint, text, "--reader", "relcon.PlainText.v1", "--output", out, "--neighbours", 3)
    (found,) = lines(out)
    assert (found["document"], found["text"]) == ("new-2", "  Dolamide caused severe rash in one patient.")
    (relation,) = found["relations"]
    head, tail = (found["entities"][relation[side]] for side in ("head", "tail"))
    assert (head["text"], head["type"]) == ("severe rash", "Adverse-Effect")
    assert (tail["text"], tail["type"], tail["characters"]) == ("Dolamide", "Drug", [[2, 10]])
    assert relation["label"] == "Adverse-Effect" and relation["probability"] > 0.5
    assert len(relation["neighbours"]) == 3
    distances = [each["distance"] for each in relation["neighbours"]]
    assert distances == sorted(distances)
    assert all(each["text"].count("[") == 2 for each in relation["neighbours"])
    assert f"1 documents with {len(found['entities'])} entities and 1 relations written" in capsys.readouterr().out


def test_evaluate_measures_a_finished_run_again(joint, capsys):
    relcon("evaluate", joint, "--split", "dev")
    assert "strict_f1" in capsys.readouterr().out


def test_the_commands_of_the_page_run(corpus, encoder, tmp_path, monkeypatch):
    """From a folder in which everything has the names that the page uses."""
    page = (CONFIGS.parents[1] / "docs/papers/cldr.md").read_text(encoding="utf-8")
    block = re.search(r"```bash\n(.*?)```", page, re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    Path("configs").symlink_to(CONFIGS.parent)
    Path("ade_full_spert.json").symlink_to(corpus / "sentences.json")
    Path("cv_splits.json").symlink_to(corpus / "folds.json")
    Path("new.txt").write_text("Dolamide caused severe rash in one patient.\n", encoding="utf-8")
    for line in block.splitlines():
        words = shlex.split(line)
        relcon(*words[1:], *(tiny("joint.cfg", encoder) if words[1] == "train" else []))
    assert (tmp_path / "runs/joint/folds/fold_01/plots/relations-test-tsne.png").stat().st_size > 5000
    assert len(lines(tmp_path / "predictions.jsonl")) == 1


def test_strict_figures_with_the_entities_of_another_model(train, corpus, tmp_path):
    """Given the gold entities, a pair is strictly right wherever it is right."""
    file = tmp_path / "entities.jsonl"
    records = [sentence(number) for number in range(48)]
    file.write_text(
        "".join(
            json.dumps(
                {
                    "id": str(record["orig_id"]),
                    "words": record["tokens"],
                    "entities": [{"words": [each["start"], each["end"]], "type": each["type"]} for each in record["entities"]],
                }
            )
            + "\n"
            for record in records
        ),
        encoding="utf-8",
    )
    found = metrics(train("cldr.cfg", tmp_path / "run", "--stages.evaluate.evaluators.extraction.entities_from", file))["evaluate"]
    assert found["extraction.entities_f1"] == 1
    assert found["extraction.strict_f1"] == found["extraction.pairs_f1"] > 0


@pytest.mark.parametrize("name", ["joint.cfg", "clgs.cfg"])
def test_a_dry_run_shows_the_plan(name, train, tmp_path, capsys):
    train(name, tmp_path / "run", "--dry-run")
    said = capsys.readouterr().out
    assert "relations" in said and "evaluate" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("space", ["relations_5", "words", "entities"])
def test_pictures_of_all_spaces(joint, space, tmp_path):
    relcon("plot", joint, "--space", space, "--method", "pca", "--split", "dev", "--output", tmp_path / "plots")
    figures = json.loads((tmp_path / f"plots/{space}-dev-pca.json").read_text(encoding="utf-8"))
    assert -1 <= figures["silhouette"] <= 1


@pytest.mark.parametrize("name", ["joint.cfg", "joint_code.cfg", "clgs.cfg"])
def test_published_runs_with_a_tiny_character_bert(name, corpus, tmp_path):
    """Two trainings of every space: until the loss rises, and anew on everything for as many epochs."""
    encoder = tiny_character_bert_folder(tmp_path / "encoder", positions=160)
    text = (CONFIGS / "paper" / name).read_text(encoding="utf-8")
    words = ["--paths.train", corpus / "sentences.json", "--paths.folds", corpus / "folds.json", "--paths.encoder", encoder]
    words += ["--protocol.only", "[2]", "--training.epochs", 2]
    for stage in re.findall(r"\[stages\.(\w+)\.encoders\.text\]", text):
        words += [f"--stages.{stage}.encoders.text.freeze_layers", 1]
    for stage in re.findall(r"\[stages\.(tags\w*)\]", text):
        words += [f"--stages.{stage}.tasks.contrast.anchors.head", "[32]"]
    relcon("train", CONFIGS / "paper" / name, "--output", tmp_path / "run", *words)
    found = metrics(tmp_path / "run/folds/fold_02")
    assert found["relations"]["steps"] == found["relations_tuning"]["epoch"] * 3
    if name != "clgs.cfg":
        assert {"k_relations", "k_tags"} == set(found["neighbours"])
        assert found["neighbours"]["k_relations"] == found["neighbours_tuning"]["k_relations"]
        assert "extraction.authors_f1" in found["evaluate"]


def test_resumed_where_it_was_stopped(train, joint, tmp_path):
    """Without its last stages, a run makes them again from what the others handed on."""
    run = tmp_path / "run"
    shutil.copytree(joint.parents[1], run)
    shutil.rmtree(run / "folds/fold_01/stages/evaluate")
    state = json.loads((run / "folds/fold_01/run.json").read_text(encoding="utf-8"))
    before = metrics(joint)
    assert "evaluate" in before and state
    train("joint.cfg", run, "--resume")
    assert metrics(run / "folds/fold_01") == before


@pytest.mark.parametrize("name, figure", [("cldr.cfg", "pairs_f1"), ("clner.cfg", "entities_f1")])
def test_one_space_alone(name, figure, train, tmp_path):
    assert f"extraction.{figure}" in metrics(train(name, tmp_path / "run"))["evaluate"]


def test_a_linear_layer_reads_relations(train, tmp_path):
    probe = "--stages.probe.evaluators.linear"
    words = [f"{probe}.lr", 0.05, f"{probe}.epochs", 40, f"{probe}.patience", 20, f"{probe}.held_out", 0.25]
    found = metrics(train("cldr.cfg", tmp_path / "run", "--training.epochs", 6, *words))["probe"]
    assert found["linear.f1"] > 0.2 and found["linear.candidates"] > 100


def test_a_linear_layer_with_the_encoder_trained_along(train, tmp_path):
    words = ["--training.epochs", 25, "--stages.finetune.optimizer.head_lr", 0.03]
    found = metrics(train("linear.cfg", tmp_path / "run", *words))["evaluate"]
    assert found["pairs.f1"] > 0.3 and found["pairs.candidates"] > 100


def test_clgs_finds_graphs_more_often_than_by_chance(train, tmp_path):
    found = metrics(train("clgs.cfg", tmp_path / "run", "--training.epochs", 6))["evaluate"]
    assert found["graphs.terms"] == 24
    assert found["graphs.accuracy"] > found["graphs.chance"] + 0.1


def test_a_neighbours_stage_takes_what_an_earlier_one_chose(train, tmp_path):
    words = ["--stages.neighbours.k_relations", 3, "--stages.neighbours.fit", "train+dev", "--stages.neighbours.choose", "null"]
    found = metrics(train("cldr.cfg", tmp_path / "run", *words))["neighbours"]
    assert found == {"k_relations": 3}


# ---- bad input -----------------------------------------------------------------------------------------------------------


def refused(capsys, command, *words):
    with pytest.raises(SystemExit) as end:
        command(*words)
    assert end.value.code == 2
    return capsys.readouterr().err


def test_more_neighbours_than_examples(train, tmp_path, capsys):
    said = refused(capsys, train, "cldr.cfg", tmp_path / "run", "--stages.neighbours.k_relations", 100000)
    assert "k_relations: 100000 neighbours are asked for, but 'train' has" in said


def test_a_stage_that_is_not_there_is_found_before_anything_is_trained(train, tmp_path, capsys):
    said = refused(capsys, train, "cldr.cfg", tmp_path / "run", "--stages.neighbours.relations", "relation.text")
    assert "there is no stage 'relation'" in said and "relations.text" in said
    said = refused(capsys, train, "cldr.cfg", tmp_path / "run", "--stages.neighbours.k_relations", "relations.k")
    assert "stage 'relations' measures no 'k'" in said


def test_entities_of_another_model_that_are_not_there_are_missed_before_anything_is_trained(train, tmp_path, capsys):
    (tmp_path / "none.jsonl").write_text('{"id": "elsewhere", "words": ["rash"]}\n', encoding="utf-8")
    said = refused(
        capsys, train, "cldr.cfg", tmp_path / "run", "--stages.evaluate.evaluators.extraction.entities_from", tmp_path / "none.jsonl"
    )
    assert "none.jsonl lacks 24 of 24 documents" in said and not (tmp_path / "run").exists()


def test_freezing_everything(train, tmp_path, capsys):
    said = refused(capsys, train, "clner.cfg", tmp_path / "run", "--stages.tags.encoders.text.freeze_layers", 2)
    assert "no trainable encoder parameter" in said


def test_types_that_the_data_do_not_have(train, tmp_path, capsys):
    said = refused(capsys, train, "cldr.cfg", tmp_path / "run", "--stages.relations.streams.graphs.types", '["Drug", "Dose"]')
    assert "No sentence of the split 'train' can be used" in said and "no relation between Drug and Dose" in said


def test_a_task_that_does_not_contrast_words_is_no_space_of_tags(joint, monkeypatch):
    saved = SavedModel(joint / "stages/tags/model")
    assert isinstance(tag_tower(saved, "contrast"), Tower)
    monkeypatch.setattr(SavedModel, "task", lambda *_: MaskedLanguageModel("train", "text"))
    with pytest.raises(RelconError, match="'contrast' does not contrast words"):
        tag_tower(saved, "contrast")


def test_a_model_of_relations_alone_finds_no_entities(train, tmp_path, capsys):
    run = train("cldr.cfg", tmp_path / "run")
    text = tmp_path / "new.jsonl"
    text.write_text(json.dumps({"id": "new", "text": "Dolamide caused rash."}) + "\n", encoding="utf-8")
    words = ["predict", run, text, "--reader", "relcon.JSONLines.v1", "--output", tmp_path / "out.jsonl"]
    assert "it finds no entities" in refused(capsys, relcon, *words)


def test_words_that_cropping_took_are_in_no_relation_and_no_entity(train, encoder, tmp_path):
    place = "--stages.{}.encoders.text.max_length"
    run = train("joint.cfg", tmp_path / "run", place.format("relations"), 6, place.format("tags"), 6)
    block = json.loads((run / "model/model.json").read_text(encoding="utf-8"))["extractor"]
    model = resolve({**block, "path": str(run / "model")}, "extractor")
    document = Document("long", tuple(["dolamide", "caused", "severe", "rash", "in", "one", "patient", "and", "eprazol"]))
    (read,) = model.read([document])
    assert model.lost_views > 0 and len(read.pairs) == 36
    assert all(tag == model.tag_set.outside for tag in read.tags[6:])
    assert not bool(read.shares[(read.pairs >= 6).any(1)].any())
    assert block["head"] == "Adverse-Effect"
