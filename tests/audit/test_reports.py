"""The audit on the terminal, as a page, and as JSON; and on the real corpora."""

import json
from html.parser import HTMLParser

import pytest

from relcon.cli.main import main

HOSTILE = '<script>alert("x")</script>&\ud800\x1b[31m'


def sells(seller, buyer, label="supplies", type="FIRM"):
    entities = [{"type": type, "words": [0, 1]}, {"type": "FIRM", "words": [3, 4]}]
    return {"words": [seller, "sells", "to", buyer, "."], "entities": entities, "relations": [{"head": 0, "tail": 1, "label": label}]}


@pytest.fixture
def check(capsys, config):
    def run(*words, path=config):
        code = 0
        try:
            main(["check", str(path), *map(str, words)])
        except SystemExit as end:
            code = end.code or 0
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


SOUND = [
    "--stages.contrast.poolers.first.@poolers", "relcon.CLS.v1",
    "--stages.contrast.tasks.c.@tasks", "relcon.Contrastive.v1",
    "--stages.contrast.tasks.c.stream", "labels",
    "--stages.contrast.tasks.c.anchors.@towers", "relcon.Tower.v1",
    "--stages.contrast.tasks.c.anchors.encoder", "text",
    "--stages.contrast.tasks.c.anchors.pooler", "first",
    "--stages.contrast.tasks.c.objective.@objectives", "relcon.SupCon.v1",
]  # fmt: skip
"""What the config of these tests lacks to be a whole one."""


def test_terminal_and_files_say_the_same(check, split_files, tmp_path):
    words = [*SOUND, *split_files(train=[sells("Orsk", "Zorvane"), sells("Orsk", "Zorvane")])]
    page, values = tmp_path / "audit.html", tmp_path / "audit.json"
    code, out, err = check("--data", "--html", page, "--json", values, *words)
    assert (code, err) == (0, "")
    told = json.loads(values.read_text())
    (data,) = told["corpora"]
    assert [split["documents"] for split in data["splits"]] == [2] and data["section"] == "[data]"
    assert "repeated examples" in {finding["check"] for finding in data["findings"]}
    assert "[data] (stage contrast)" in out and "[data] (stage contrast)" in page.read_text()
    for finding in data["findings"]:
        assert f"{finding['severity']}: {finding['check']} ({finding['where']})" in out
        assert finding["message"] in out and finding["remedy"] in out and finding["check"] in page.read_text()
    assert "\x1b" not in out, "no colours where there is no terminal"


def test_the_page_needs_nothing_and_shows_hostile_text_as_text(check, split_files, tmp_path):
    bad = {"id": "<i>one", **sells(HOSTILE[:-6], "Zorvane", "<b>", HOSTILE[:-6])}
    page = tmp_path / "audit.html"
    code, _, _ = check("--data", "--html", page, *SOUND, *split_files(train=[bad, sells("A", "B", "<b>")]))
    text = page.read_text(encoding="utf-8")
    tags = set()

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            tags.add(tag)
            assert not {"src", "href", "onload"} & {name for name, _ in attrs}

    Tags().feed(text)
    assert code == 0 and tags <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "h4", "p",
        "table", "tr", "th", "td", "section", "ul", "li", "code",
    }  # fmt: skip
    assert "&lt;script&gt;" in text and "<b>" not in text


def test_text_that_no_file_can_hold_is_written_all_the_same():
    from relcon.audit.check import printable

    assert printable(HOSTILE).encode("utf-8") and "\x1b" not in printable(HOSTILE)
    assert len(printable("word " * 100)) <= 160


def test_exit_code_2_where_the_training_would_end(check, split_files):
    code, out, _ = check("--data", *SOUND, *split_files(train=[sells("Orsk", "Zorvane")], test=[sells("A", "B", "suplies")]))
    assert code == 2 and "error: unknown labels (test)" in out and "1 error" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--html", "x.html"], "Add --data"), (["--data", "--html", "{there}"], "exists"), (["--data", "--json", "{folder}"], "exists")],
)
def test_files_are_not_replaced_and_options_belong_together(check, split_files, tmp_path, words, said):
    (tmp_path / "there").write_text("mine")
    words = [each.format(there=tmp_path / "there", folder=tmp_path) for each in words]
    code, _, err = check(*words, *SOUND, *split_files(train=[sells("Orsk", "Zorvane")]))
    assert code == 2 and said in err and (tmp_path / "there").read_text() == "mine"


def test_overwrite_replaces_a_report(check, split_files, tmp_path):
    (tmp_path / "a.json").write_text("old")
    code, _, _ = check("--data", "--overwrite", "--json", tmp_path / "a.json", *SOUND, *split_files(train=[sells("Orsk", "Zorvane")]))
    assert code == 0 and json.loads((tmp_path / "a.json").read_text())["corpora"]


def test_what_is_audited_is_never_replaced(check, split_files, config, tmp_path):
    words = split_files(train=[sells("Orsk", "Zorvane")])
    for path in (config, tmp_path / "train.jsonl"):
        before = path.read_bytes()
        code, _, err = check("--data", "--overwrite", "--html", path, *SOUND, *words)
        assert code == 2 and "is the config or its data, which would be lost" in err and path.read_bytes() == before


def test_the_data_of_a_stage_are_never_replaced(check, split_files, tmp_path):
    words, pairs = split_files(train=[sells("Orsk", "Zorvane")]), tmp_path / "pairs.jsonl"
    own = ["@corpora", "relcon.Corpus.v1", "train", str(pairs), "labelled", "false", "reader.@readers", "relcon.JSONLines.v1"]
    pairs.write_text("{}")
    more = [f"--stages.contrast.data.{each}" if number % 2 == 0 else each for number, each in enumerate(own)]
    code, _, err = check("--data", "--overwrite", "--html", pairs, *SOUND, *words, *more)
    assert code == 2 and "is the config or its data, which would be lost" in err and pairs.read_text() == "{}"


def test_whatever_a_config_reads_is_never_replaced(check, config, tmp_path):
    """The patch of a corpus, an archive, what a reader looks up, lists of folds by wildcards; a text that is no path is none."""
    files = {name: tmp_path / name for name in ("patch.json", "corpus.zip", "rel_info.json", "fold-1.txt")}
    for file in files.values():
        file.write_text("mine")
    outer = f'[data]\n@corpora = "relcon.PatchedCorpus.v1"\ntrain = "{files["patch.json"]}"\n'
    config.write_text(outer + config.read_text().replace("[data", "[data.corpus"))
    words = ["--paths.train", files["corpus.zip"] / "train.json", "--data.corpus.labels", json.dumps(["", "none", 300 * "x"])]
    words += ["--data.corpus.reader.@readers", "relcon.DocRED.v1", "--data.corpus.reader.rel_info", files["rel_info.json"]]
    words += ["--protocol.@protocols", "relcon.GivenFolds.v1", "--protocol.lists", json.dumps([str(tmp_path / "fold-*")])]
    for file in files.values():
        code, _, err = check("--data", "--overwrite", "--json", file, *SOUND, *words)
        assert code == 2 and f"{file} is the config or its data" in err and file.read_text() == "mine"


def test_a_sweep_has_no_data_of_its_own(check):
    code, _, err = check("--data", path="configs/sweep_quickstart.cfg")
    assert code == 2 and "is a sweep" in err


def test_a_data_file_that_is_missing_is_an_error_of_the_audit(check, tmp_path):
    code, out, _ = check("--data", *SOUND, "--paths.train", tmp_path / "nothing.jsonl")
    assert code == 2 and "does not exist" in out
