"""`relcon build-distant` through the real command line."""

import json

import pytest

from relcon.cli.main import main

TEXT = [
    {"id": "a", "words": ["Ada", "left", "Wick", "."], "entities": [{"id": "Q1", "words": [0, 1]}, {"id": "Q2", "words": [2, 3]}]},
    {"id": "b", "words": ["Bo", "saw", "Ada", "."], "entities": [{"id": "Q3", "words": [0, 1]}, {"words": [2, 3]}]},
    {"id": "c", "words": ["Nobody", "came", "."], "entities": []},
]


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """`run("--filters.min_words", "4")`: exit code, standard output, standard error, in a folder with triples, names and text."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "kb.tsv").write_text("Q1\tborn\tQ2\nQ1\tleft\tQ2\nQ3\tknows\tQ1\n")
    (tmp_path / "names.tsv").write_text("Ada\tQ1\nada\tQ9\n")
    (tmp_path / "text.jsonl").write_text("".join(json.dumps(record) + "\n" for record in TEXT))
    (tmp_path / "test.jsonl").write_text(json.dumps({**TEXT[0], "relations": [{"head": 1, "tail": 0, "label": "x"}]}) + "\n")

    def command(*words, given=("--triples", "kb.tsv", "--names", "names.tsv", "--text", "text.jsonl", "--output", "out")):
        code = 0
        try:
            main(["build-distant", *given, *words])
        except SystemExit as end:
            code = end.code or 0
        return code, *capsys.readouterr()

    return command


def files(folder):
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def labels(folder):
    records = [record for path in sorted((folder / "documents").iterdir()) for record in json.loads(path.read_text())]
    return {record["title"]: [label["r"] for label in record["labels"]] for record in records}


def test_from_triples_names_and_text_to_a_corpus(run, tmp_path):
    code, out, _ = run()
    assert code == 0
    lines = out.splitlines()
    assert lines[:2] == ["out: 2 of 3 documents, 3 instances of 3 relations.", "left out: 1 (labels below min_labels)"]
    assert lines[-1] == "Next: relcon train CONFIG --output DIR, where a corpus of the config reads out/documents with relcon.DocRED.v1"
    assert files(tmp_path / "out") == ["documents/documents-00000.json", "manifest.json"]
    assert labels(tmp_path / "out") == {"a": ["born", "left"], "b": ["knows"]}
    assert json.loads((tmp_path / "out/manifest.json").read_text())["names_repeated"] == 1


def test_options_reach_the_corpus(run, tmp_path):
    assert run("--single-label", "--filters.relations", '["born", "left"]')[0] == 0
    assert labels(tmp_path / "out") == {"a": ["left"]}
    code, out, _ = run("--exclude", "test.jsonl", "--exclude-reader", "relcon.JSONLines.v1", "--overwrite")
    assert code == 0 and "taken away: 2 labels (leakage filter)" in out
    assert labels(tmp_path / "out") == {"b": ["knows"]}
    assert run("--exclude", "test.jsonl", "--negative", "x", "--overwrite")[0] == 0
    assert labels(tmp_path / "out") == {"a": ["born", "left"], "b": ["knows"]}
    assert run("--resume", "--exclude", "test.jsonl", "--negative", "x", "--workers", "2")[0] == 0


def test_evaluation_data_of_several_formats(run, tmp_path):
    """Each file by its own reader, plain ones by that of --exclude-reader."""
    sentence = {"token": ["Bo", "met", "Ada"], "h": {"name": "Bo", "pos": [0, 1]}, "t": {"name": "Ada", "pos": [2, 3]}, "relation": "met"}
    (tmp_path / "test.txt").write_text(json.dumps(sentence) + "\n")
    files = ("--exclude", "relcon.OpenNRE.v1:test.txt", "--exclude", "test.jsonl")
    code, _, err = run(*files)
    assert code == 2 and "No document is left" in err and "2 left out: no label left after the leakage filter" in err
    assert run("--exclude", "relcon.OpenNRE.v1:test.txt")[0] == 0
    assert labels(tmp_path / "out") == {"a": ["born", "left"]}
    (entry,) = json.loads((tmp_path / "out/manifest.json").read_text())["inputs"]["exclude"]
    assert entry["file"] == "test.txt" and entry["reader"]["class"].endswith("OpenNRE")
    code, _, err = run("--exclude", "relcon.TACRED.v1:test.txt", "--resume")
    assert code == 2


def test_a_config_of_ones_own(run, tmp_path):
    (tmp_path / "my.cfg").write_text('[linker]\n@distant = "relcon.LinkedText.v1"\nnames = "every"\n\n[filters]\nmin_labels = 2\n')
    assert run("--config", "my.cfg", "--linker", "relcon.LinkedText.v1")[0] == 0
    assert labels(tmp_path / "out") == {"a": ["born", "left"]}
    code, _, err = run("--config", "my.cfg", "--preset", "erica", "--overwrite")
    assert code == 2 and "--config and --preset exclude each other" in err


@pytest.mark.parametrize(
    "file, text, message",
    [
        ("kb.tsv", "Q1\tborn\tQ2\nQ1\tQ2\n", "kb.tsv:2: expected head<TAB>relation<TAB>tail, the line has 2 columns"),
        ("names.tsv", "Ada Q1\n", "names.tsv:1: expected surface form<TAB>id, the line has no tab"),
        ("text.jsonl", "", "text.jsonl holds no record"),
        ("text.jsonl", json.dumps(TEXT[0]) + "\n{\n", "text.jsonl:2: not JSON"),
        ("text.jsonl", json.dumps(TEXT[0]) + "\n" + json.dumps(TEXT[0]) + "\n", "text.jsonl:2: the id 'a' stands already at text.jsonl:1"),
        ("kb.tsv", "Q7\tborn\tQ8\n", "No document is left, so nothing was written."),
    ],
)
def test_bad_input_ends_with_2_and_writes_nothing(run, tmp_path, file, text, message):
    (tmp_path / file).write_text(text)
    code, out, err = run()
    assert (code, out) == (2, "") and message in err and "Traceback" not in err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "words, message",
    [
        (["--filters.min_wrods", "4"], "--filters.min_wrods: does not override anything"),
        (["--filters.min_words", "four"], "--filters.min_words: [filters] min_words: expected a whole number or null, got"),
        (["--linker", "relcon.LinkedTxt.v1"], "Did you mean 'relcon.LinkedText.v1'?"),
        (["--linker.names", "all"], "names: expected one of"),
        (["--preset", "ericca"], "Did you mean 'erica'?"),
        (["--preset", "erica"], "give the tokenizer"),
        (["--exclude", "none.jsonl"], "--exclude none.jsonl does not exist."),
        (["--exclude", "relcon.OpenNRE.v1:none.txt"], "--exclude none.txt does not exist."),
        (["--exclude", "relcon.OpenNER.v1:test.jsonl"], "Did you mean 'relcon.OpenNRE.v1'?"),
        (["--text", "none.jsonl"], "--text none.jsonl does not exist."),
        (["--triples", "none.tsv"], "none.tsv does not exist"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_mistakes_end_with_2(run, tmp_path, words, message):
    code, out, err = run(*words)
    assert (code, out) == (2, "") and message in err and "Traceback" not in err
    assert not (tmp_path / "out").exists()
