"""Data that are missing, broken or unfit: one message with file and line, exit code 2, nothing written."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

TINY = Path(__file__).parent / "data" / "tiny.cfg"
MARKERS = ["--stages.finetune.streams.train.renderer.@renderers", "relcon.EntityMarkers.v1"]


def lines(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def logged(run, key):
    """The sum of a figure over the logged steps."""
    return sum(record["figures"][key] for record in lines(run / "log.jsonl") if record["event"] == "step")


# ---- files -------------------------------------------------------------------------------------------------------------


def test_a_missing_file(refused):
    said = refused("--paths.train", "nowhere.jsonl")
    assert '[data] train = "nowhere.jsonl" does not exist (looked in ' in said


def test_a_missing_file_of_another_split(refused):
    assert '[data] test = "nowhere.jsonl" does not exist' in refused("--paths.test", "nowhere.jsonl")


@pytest.mark.parametrize("content", ["", "\n \n"])
def test_an_empty_file(refused, data, content):
    (data / "dev.jsonl").write_text(content)
    assert "dev.jsonl holds no record; expected a JSON-lines file of documents" in refused()


def test_a_folder_in_place_of_a_file(refused, data):
    assert "data is a folder; expected a JSON-lines file" in refused("--paths.train", data)


# ---- records -----------------------------------------------------------------------------------------------------------


def test_a_broken_line_among_good_ones(refused, data):
    found = (data / "train.jsonl").read_text().splitlines()
    found[4] = found[4][:-7]
    (data / "train.jsonl").write_text("\n".join(found))
    said = refused()
    assert "1 of 16 records of" in said and "train.jsonl:5: not JSON: " in said


def test_many_broken_lines_are_counted_and_ten_shown(refused, data):
    (data / "train.jsonl").write_text("[1]\n" * 12)
    said = refused()
    assert "12 of 12 records" in said and "train.jsonl:10: expected a JSON object" in said
    assert "train.jsonl:11" not in said and "and 2 more (12 in all)" in said


@pytest.mark.parametrize("span, what", [([900, 901], "outside the"), ([3, 1], "empty or reversed"), ([2, 2], "empty or reversed")])
def test_a_span_outside_its_sentence_or_reversed(refused, change, span, what):
    change("train", lambda record: record["entities"][1].update(mentions=[{"words": span}]), 2)
    said = refused()
    assert "train.jsonl:3: entity 1" in said and what in said


def test_text_and_offsets_that_disagree(refused, change):
    spoken = {"text": "Abirol blocks KAP2.", "relations": [{"head": 0, "tail": 1, "label": "inhibits"}]}
    entities = [{"chars": [0, 6], "text": "Abirol"}, {"chars": [13, 17], "text": "KAP2"}]
    change("train", lambda record: (record.clear(), record.update(spoken, entities=entities)), 6)
    said = refused()
    assert "train.jsonl:7: entity 1" in said and "'KAP2'" in said and "' KAP'" in said


def test_words_and_text_that_disagree(refused, change):
    change("train", lambda record: record.update(text="Something else altogether."), 0)
    assert "train.jsonl:1: " in refused()


# ---- labels ------------------------------------------------------------------------------------------------------------


def test_an_unknown_label(refused, change):
    change("train", lambda record: record["relations"][0].update(label="inhibts"), 5)
    said = refused("--data.labels", '["none", "inhibits", "activates"]')
    assert "train.jsonl:6: label 'inhibts' is unknown. Did you mean 'inhibits'? Correct it, or add it to [data] labels." in said


def test_an_empty_label(refused, change):
    change("train", lambda record: record["relations"][0].update(label=""), 5)
    assert "train.jsonl:6: the label of relation 0 is empty; expected its name, or null where it is to be predicted" in refused()


@pytest.mark.parametrize("declared", [[], ["--data.labels", '["none", "inhibits", "activates"]']])
def test_a_mistyped_negative_label(refused, declared):
    said = refused("--data.negative", '["nome"]', *declared)
    assert "[data] negative names 'nome', a label that no pair of the data has. Did you mean 'none'?" in said


def test_a_mistyped_symmetric_label(refused):
    said = refused("--data.symmetric", '["inhibts"]')
    assert "[data] symmetric names 'inhibts', a label that no pair of the data has. Did you mean 'inhibits'?" in said


def test_a_negative_label_that_only_the_candidate_rule_gives(train, tmp_path):
    ended = train(tmp_path / "run", "--data.negative", '["nothing"]', "--data.candidates.@candidates", "relcon.EntityPairs.v1")
    assert ended.code == 0, ended.err


def test_a_negative_label_that_only_another_split_has(train, change, tmp_path):
    change("test", lambda record: record["relations"][0].update(label="nothing"), 0)
    ended = train(tmp_path / "run", "--data.negative", '["none", "nothing"]')
    assert ended.code == 0, ended.err


def test_skipped_records_are_reported_in_every_run(train, data, tmp_path, caplog):
    """A cache that has the good records must not silence the bad ones."""
    found = (data / "train.jsonl").read_text().splitlines()
    (data / "train.jsonl").write_text("\n".join([*found[:4], found[4][:-7], *found[5:]]))
    for number in (1, 2):
        ended = train(tmp_path / f"run-{number}", "--data.reader.on_error", "skip", "--data.cache", tmp_path / "cache")
        assert ended.code == 0 and "Skipped: 1 of 16 records of" in caplog.text and "train.jsonl:5: not JSON" in caplog.text
        caplog.clear()


def test_label_sets_that_differ_between_splits(refused, change):
    change("test", lambda record: record["relations"][0].update(label="binds"), 1)
    said = refused()
    assert "[data] test has labels that are not in the label set:" in said and "test.jsonl:2: label 'binds' is unknown." in said


def test_no_relations_at_all(refused, change):
    change("train", lambda record: record.update(relations=[]))
    assert "has no relations: none of its 16 documents has a labelled one" in refused()


def test_no_candidate_pair_at_all(refused):
    said = refused("--data.candidates.@candidates", "relcon.EntityPairs.v1", "--data.candidates.types", '[["GENE", "GENE"]]')
    assert "has no candidate pair in 16 documents" in said and "CHEMICAL, PROTEIN" in said and "[data.candidates]" in said


KFOLD = ["--protocol.@protocols", "relcon.KFold.v1", "--protocol.folds", "3", "--paths.test", "null", "--paths.dev", "null"]
SHOTS = ["--protocol.@protocols", "relcon.KShot.v1", "--protocol.shots", "2", "--protocol.seeds", "[1]"]


@pytest.mark.parametrize("protocol", [KFOLD, SHOTS], ids=["folds", "shots"])
def test_a_class_with_one_example(refused, change, protocol):
    change("train", lambda record: record["relations"][0].update(label="binds"), 3)
    said = refused(*protocol)
    assert "binds" in said and "1" in said and "Use fewer" in said


LISTS = ["--protocol.@protocols", "relcon.GivenFolds.v1", "--paths.test", "null", "--protocol.lists"]


def test_a_list_of_documents_that_is_none(refused, tmp_path):
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists" / "fold-1").write_bytes(b"tiny-0\n\xff\xfe\x00")
    said = refused(*LISTS, json.dumps([str(tmp_path / "lists")]))
    assert f"[protocol] lists: {tmp_path / 'lists'} is a folder; expected a text file with one document a line." in said
    said = refused(*LISTS, json.dumps([str(tmp_path / "lists" / "fold-*")]))
    assert "fold-1 is not UTF-8 text (byte 8); expected a text file with one document a line." in said


# ---- what must work ----------------------------------------------------------------------------------------------------


def entangled(record):
    """Two entities of one sentence, the second inside the first, and a third that overlaps it."""
    words = ["The", "alpha", "beta", "gamma", "kinase", "complex", "binds", "the", "other", "one"]
    entities = [{"words": [1, 6]}, {"words": [2, 4]}, {"words": [3, 8]}]
    relations = [{"head": h, "tail": t, "label": "inhibits"} for h, t in ((0, 1), (1, 2), (2, 0))]
    record.update(words=words, entities=entities, relations=relations)
    for key in ("parse", "sentences"):
        record.pop(key, None)


@pytest.mark.parametrize("renderer", [[], MARKERS], ids=["blinded", "markers"])
def test_nested_and_overlapping_entities_work(train, relcon, change, data, tmp_path, renderer):
    for split in ("train", "test"):
        change(split, entangled, 1)
    ended = train(tmp_path / "run", *renderer)
    assert ended.code == 0, ended.err
    told = lines(tmp_path / "run" / "predictions.jsonl")
    assert len(told) == 3 + 3, "three pairs of the entangled sentence, one of each other"
    ended = relcon("predict", tmp_path / "run", data / "test.jsonl", "-o", tmp_path / "out.jsonl")
    assert ended.code == 0, ended.err
    found = [(each["head"]["words"], each["tail"]["words"]) for each in lines(tmp_path / "out.jsonl")][1:4]
    assert found == [([[1, 6]], [[2, 4]]), ([[2, 4]], [[3, 8]]), ([[3, 8]], [[1, 6]])]


def stretched(words_between):
    """A record whose arguments lie so many words apart."""

    def change(record):
        words = ["abirol", *["very"] * words_between, "blocks", "KAP2", *["indeed"] * 30]
        entities = [{"words": [0, 1]}, {"words": [words_between + 2, words_between + 3]}]
        record.update(words=words, entities=entities, relations=[{"head": 0, "tail": 1, "label": "inhibits"}])
        for key in ("parse", "sentences"):
            record.pop(key, None)

    return change


@pytest.mark.parametrize("renderer", [[], MARKERS], ids=["blinded", "markers"])
def test_a_long_sentence_is_cropped_and_counted(train, change, tmp_path, renderer):
    """Arguments 60 words apart in an encoder of 40 pieces: both are kept, the middle goes."""
    change("train", stretched(60), 0)
    change("test", stretched(60), 0)
    ended = train(tmp_path / "run", *renderer)
    assert ended.code == 0, ended.err
    assert (logged(tmp_path / "run", "cropped"), logged(tmp_path / "run", "lost_views")) == (1, 0)
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["evaluate"]["lost_views"] == 0


def endless(record):
    """An argument that alone is longer than the encoder's limit."""
    record.update(words=["kinase"] * 50 + ["blocks", "KAP2"], entities=[{"words": [0, 50]}, {"words": [51, 52]}])
    record.update(relations=[{"head": 0, "tail": 1, "label": "inhibits"}])
    for key in ("parse", "sentences"):
        record.pop(key, None)


def test_arguments_that_do_not_fit_are_lost_views_and_predicted_no_relation(train, relcon, change, data, tmp_path):
    for split in ("train", "test"):
        change(split, endless, 2)
    ended = train(tmp_path / "run", *MARKERS)
    assert ended.code == 0, ended.err
    assert logged(tmp_path / "run", "lost_views") == 1
    assert json.loads((tmp_path / "run" / "metrics.json").read_text())["evaluate"]["lost_views"] == 1
    assert lines(tmp_path / "run" / "predictions.jsonl")[2]["predicted"] == "none"
    ended = relcon("predict", tmp_path / "run", data / "test.jsonl", "-o", tmp_path / "out.jsonl")
    assert "1 pairs did not fit into the encoder's limit" in ended.out
    assert lines(tmp_path / "out.jsonl")[2]["label"] == "none"


# ---- a real process ----------------------------------------------------------------------------------------------------


def test_as_a_process(data, encoder, tmp_path):
    (data / "train.jsonl").write_text('{"words": ["a"\n')
    files = [word for name in ("train", "dev", "test") for word in (f"--paths.{name}", data / f"{name}.jsonl")]
    words = [TINY, "-o", tmp_path / "run", *files, "--paths.encoder", encoder]
    done = subprocess.run([sys.executable, "-m", "relcon", "train", *map(str, words)], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert "train.jsonl:1: not JSON: " in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
