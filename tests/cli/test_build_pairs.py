"""`relcon build-pairs` through the real command line."""

import json
import os
import subprocess
import sys

import pytest

from relcon.cli.main import main
from relcon.sample import path

CONFIG = f"""
[paths]
input = "{path("dev.jsonl")}"

[builder]
@builders = "relcon.CorpusPairs.v1"
input = ${{paths.input}}
types = [["PERSON", "FIRM"]]

[builder.reader]
@readers = "relcon.JSONLines.v1"
"""


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    """`run("--a.b", "1")`: exit code, standard output, standard error, in an empty folder with `pairs.cfg`."""
    monkeypatch.chdir(tmp_path)

    def command(*words, config=CONFIG):
        (tmp_path / "pairs.cfg").write_text(config)
        code = 0
        try:
            main(["build-pairs", "pairs.cfg", "--output", "out/pairs.jsonl", *words])
        except SystemExit as end:
            code = end.code or 0
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return command


def left(tmp_path):
    """All files below the folder beside the config."""
    return sorted(str(file.relative_to(tmp_path)) for file in tmp_path.rglob("*") if file.is_file() and file.name != "pairs.cfg")


def test_writes_pairs_and_says_what_comes_next(run, tmp_path):
    code, out, err = run()
    assert (code, err) == (0, "")
    records = [json.loads(line) for line in (tmp_path / "out/pairs.jsonl").read_text().splitlines()]
    pairs = sum(len(record["relations"]) for record in records)
    lines = out.splitlines()
    assert lines[0] == f"out/pairs.jsonl: {len(records)} sentences, {pairs} pairs."
    assert lines[-1].startswith("Next: relcon train CONFIG --output DIR")
    assert any(line.startswith("left out: ") for line in lines)
    assert {relation["label"] for record in records for relation in record["relations"]} == {None}
    assert left(tmp_path) == ["out/pairs.jsonl"]


def test_overrides_reach_the_builder(run, tmp_path):
    assert run("--builder.label", "x", "--builder.max_pairs_per_sentence=1")[0] == 0
    records = [json.loads(line) for line in (tmp_path / "out/pairs.jsonl").read_text().splitlines()]
    assert all([relation["label"] for relation in record["relations"]] == ["x"] for record in records)


def test_refuses_to_overwrite(run, tmp_path):
    run()
    before = (tmp_path / "out/pairs.jsonl").read_text()
    code, out, err = run("--builder.label", "x")
    assert (code, out, err) == (2, "", "error: out/pairs.jsonl exists. Give another file to write, or --overwrite to replace it.\n")
    assert (tmp_path / "out/pairs.jsonl").read_text() == before
    assert run("--builder.label", "x", "--overwrite")[0] == 0
    assert (tmp_path / "out/pairs.jsonl").read_text() != before


def test_what_is_read_is_never_replaced(run, tmp_path):
    """Neither the config, nor the text that pairs are built from."""
    (tmp_path / "text.jsonl").write_bytes(path("dev.jsonl").read_bytes())
    for output in ("pairs.cfg", "text.jsonl"):
        code, out, err = run("--paths.input", "text.jsonl", "--output", output, "--overwrite")
        assert (code, out) == (2, "") and f"{output} is the input, which would be lost" in err
    assert (tmp_path / "text.jsonl").read_bytes() == path("dev.jsonl").read_bytes() and (tmp_path / "pairs.cfg").read_text() == CONFIG


@pytest.mark.parametrize(
    "words, message",
    [
        (["--builder.tpes", "x"], "--builder.tpes: does not override anything"),
        (["--builder.label", "3"], "--builder.label: [builder] label: expected a text or null, got 3."),
        (["--paths.input", "none.jsonl"], "none.jsonl does not exist"),
        (["--builder.types", '[["PERSON", "DRUG"]]'], "The builder found no pair, so nothing was written."),
        (["--builder.types", '[["PERSON"]]'], "types: expected [head type, tail type] pairs"),
        (["--builder.@builders", "relcon.CorpusPair.v1"], "Did you mean 'relcon.CorpusPairs.v1'?"),
        (["--output", "."], ". is a folder. Give a file to write."),
    ],
)
def test_mistakes_end_with_2_and_write_nothing(run, tmp_path, words, message):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert message in err and "Traceback" not in err
    assert left(tmp_path) == []


@pytest.mark.parametrize(
    "config, message",
    [
        ("[paths]\na = null\n", "pairs.cfg: there is no section [builder]"),
        (CONFIG + "[stages]\n", "[stages] is no section of a builder's config"),
        (CONFIG.replace("[builder.reader]", "[builder.reder]"), "takes no 'reder'. Did you mean 'reader'?"),
    ],
)
def test_mistakes_of_the_config(run, tmp_path, config, message):
    code, _, err = run(config=config)
    assert code == 2 and message in err
    assert left(tmp_path) == []


def test_bad_records_name_file_and_line_and_leave_nothing_half_written(run, tmp_path):
    good = path("dev.jsonl").read_text().splitlines()[:3]
    (tmp_path / "pairs.cfg").parent.joinpath("in.txt").write_text("\n".join([*good, "{", '{"id": "x"}']) + "\n")
    code, _, err = run("--paths.input", "in.txt")
    assert code == 2 and "in.txt:4: not JSON" in err and "in.txt:5: 'text' or 'words' is missing" in err
    assert left(tmp_path) == ["in.txt"]


@pytest.mark.skipif(not os.path.exists("/proc/self"), reason="needs a folder in which not even the superuser can write")
def test_output_that_cannot_be_written(run):
    code, _, err = run("--output", "/proc/none/pairs.jsonl")
    assert code == 2 and "/proc/none/pairs.jsonl cannot be written" in err and "Traceback" not in err


def test_help_teaches_without_torch():
    script = (
        "import sys\nfrom relcon.cli.main import main\n"
        "try:\n    main(['build-pairs', '--help'])\nexcept SystemExit:\n    pass\n"
        "print([name for name in ('torch', 'transformers', 'spacy') if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout
    assert "Next: relcon train" in shown and shown.splitlines()[-1] == "[]"
