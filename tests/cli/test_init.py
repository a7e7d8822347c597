"""`relcon init`: packages that install and pass their own tests; configs that are sound, say what each key is, and train."""

import gzip
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, List

import pytest

from relcon.checking import check_config
from relcon.cli.main import main
from relcon.config import load_config, resolve
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.json import write_jsonl
from relcon.scaffold import papers
from relcon.scaffold.commented import first_sentence
from relcon.scaffold.facts import NONE, facts_of
from relcon.scaffold.plugin import PARTS
from relcon.testing import tiny_corpus, tiny_encoder_folder

CONSTRAINED = ("clre", "cldr", "finecl", "pspe", "cloce")


@pytest.fixture
def init(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """`init("plugin", "kit")`: exit code, output and errors, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words: Any) -> Any:
        code: Any = 0
        try:
            main(["init", *map(str, words)])
        except SystemExit as end:
            code = end.code or 0
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def keys_without_comment(text: str) -> List[str]:
    """Keys above which no comment stands, unless their neighbour's holds for them."""
    found, commented = [], False
    for line in text.splitlines():
        if line.startswith("#"):
            commented = True
        elif " = " in line:
            found += [] if commented else [line]
        elif line.startswith("[") or not line:
            commented = False
    return found


@pytest.mark.parametrize("words", [[], ["plugin"], ["config"]])
def test_help_teaches(words: List[str], init: Any) -> None:
    code, out, _ = init(*words, "--help")
    assert code == 0 and "Next: " in out and "relcon init" in out.partition("Options")[0].partition("\n")[2]


# ---- plugins -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package with every part, installed into `installed` beside it, without the network."""
    folder = tmp_path_factory.mktemp("plugin")
    try:
        main(["init", "plugin", "my-kit", "--with", ",".join(PARTS), "--output", str(folder / "relcon-my-kit")])
    except SystemExit as end:
        assert not end.code
    options = ["-q", "--disable-pip-version-check", "--no-deps", "--no-index", "--no-build-isolation", "--target"]
    words = [sys.executable, "-m", "pip", "install", *options, str(folder / "installed"), str(folder / "relcon-my-kit")]
    subprocess.run(words, check=True)
    return folder


def environment(package: Path) -> Dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(package / "installed"), "OMP_NUM_THREADS": "1"}


def test_a_package_passes_its_own_tests(package: Path) -> None:
    """As written."""
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(package / "relcon-my-kit")]
    done = subprocess.run(words, env=environment(package), cwd=package / "relcon-my-kit", capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout and "skipped" not in done.stdout


def test_a_package_is_listed_and_trains(package: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.syspath_prepend(str(package / "installed"))
    monkeypatch.chdir(package / "relcon-my-kit")
    for part in PARTS.values():
        with pytest.raises(SystemExit) as end:
            main(["components", f"my_kit.{part.component}.v1"])
        assert not end.value.code and "relcon-my-kit 0.1.0" in capsys.readouterr().out
    bert = tiny_encoder_folder(package / "bert")
    tiny = ["--stages.pretrain.encoders.text.@encoders", "relcon.Transformer.v1", "--stages.pretrain.encoders.text.path", str(bert)]
    with pytest.raises(SystemExit) as end:
        main(["train", "example.cfg", "--output", str(package / "run"), *tiny, "--training.max_steps", "2", "--data.limit", "24"])
    assert not end.value.code
    figures = json.loads((package / "run" / "metrics.json").read_text())
    assert set(figures["evaluate"]) >= {"scores.accuracy", "scores.accuracy_of_relations"}


@pytest.mark.parametrize("parts", ["augmenter", "reader", "objective,evaluator", "sampler, pooler, candidates"])
def test_a_package_has_what_was_chosen(parts: str, init: Any, tmp_path: Path) -> None:
    code, out, _ = init("plugin", "relcon-few", "--with", parts)
    assert code == 0 and out.splitlines()[-1] == "Next: pip install -e relcon-few, then pytest relcon-few"
    modules = {path.stem for path in (tmp_path / "relcon-few" / "relcon_few").glob("*.py")} - {"__init__"}
    assert modules == {PARTS[part.strip()].registry for part in parts.split(",")}
    assert (tmp_path / "relcon-few" / "data").exists() == ("reader" in parts)
    for path in (tmp_path / "relcon-few").rglob("*"):
        assert path.is_dir() or "$" not in path.read_text().replace("${", ""), f"{path} has a variable that was not filled in"


@pytest.mark.parametrize(
    "words, message",
    [
        (["My Kit"], "Did you mean 'my-kit'?"),
        (["2fast"], "Did you mean 'fast'?"),
        (["clre"], "those of relcon-clre"),
        (["relcon"], "Choose another name"),
        (["kit", "--with", "augmentor"], "Did you mean 'augmenter'?"),
        (["kit", "--with", ","], "names no part"),
    ],
)
def test_mistaken_names(words: List[str], message: str, init: Any, tmp_path: Path) -> None:
    code, _, err = init("plugin", *words)
    assert code == 2 and message in err and not list(tmp_path.iterdir())


def test_nothing_is_replaced(init: Any, tmp_path: Path) -> None:
    (tmp_path / "relcon-kit").mkdir()
    (tmp_path / "relcon-kit" / "mine.py").write_text("")
    code, _, err = init("plugin", "kit")
    assert code == 2 and "exists and is not empty" in err and [path.name for path in (tmp_path / "relcon-kit").iterdir()] == ["mine.py"]
    (tmp_path / "config.cfg").write_text("mine")
    code, _, err = init("config", "--paper", "clre")
    assert code == 2 and "config.cfg exists" in err and (tmp_path / "config.cfg").read_text() == "mine"


# ---- configs of papers ---------------------------------------------------------------------------------------------------


def test_papers_come_from_the_plugins() -> None:
    assert set(CONSTRAINED) <= set(papers.names())
    assert papers.names()["clre"] == "relcon-clre" and papers.paper("clre").package == "relcon-clre"


@pytest.mark.parametrize("name", CONSTRAINED)
def test_a_config_of_a_paper_is_sound_and_explained(name: str, init: Any, tmp_path: Path) -> None:
    reader = "relcon.DocRED.v1" if name == "finecl" else "relcon.TACRED.v1"
    code, out, err = init("config", "--paper", name, "--reader", reader, "--train", "a.json", "--dev", "b.json", "--test", "c.json")
    assert code == 0, err
    text = (tmp_path / "config.cfg").read_text()
    loaded = load_config(tmp_path / "config.cfg")
    assert check_config(loaded) == [] and keys_without_comment(text) == []
    assert [loaded.tree["paths"][split] for split in ("train", "dev", "test")] == ["a.json", "b.json", "c.json"]
    assert loaded.tree["data"]["reader"]["@readers"] == reader
    assert out.splitlines()[-1] == "Next: relcon train config.cfg --output runs/config"


def test_without_dev_and_test_a_share_is_held_out(init: Any, tmp_path: Path) -> None:
    assert init("config", "--paper", "clre", "--train", "a.jsonl")[0] == 0
    tree = load_config(tmp_path / "config.cfg").tree
    assert tree["data"]["dev"] is None and tree["data"]["dev_share"] == 0.1 and tree["stages"]["evaluate"]["split"] == "dev"


def test_all_defaults_are_those_of_the_components(init: Any, tmp_path: Path) -> None:
    """What is written out changes nothing: a run saves the same config."""
    assert init("config", "--paper", "clre", "-o", "full.cfg")[0] == 0
    load_config(tmp_path / "full.cfg").save(tmp_path / "saved.cfg")
    before, after = (load_config(tmp_path / name).tree for name in ("full.cfg", "saved.cfg"))
    assert before == after


def test_a_package_that_offers_a_paper_and_lacks_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, init: Any) -> None:
    info = tmp_path / "odd-0.1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: odd\nVersion: 0.1\n")
    (info / "entry_points.txt").write_text("[relcon_papers]\nodd = odd_papers\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    code, _, err = init("config", "--paper", "odd")
    assert code == 2 and "odd_papers of package odd does not give odd.cfg" in err


@pytest.mark.parametrize(
    "words, message",
    [
        (["--paper", "clrr"], "Did you mean 'clre'?"),
        (["--paper", "clre", "--reader", "relcon.TACRD.v1"], "Did you mean 'relcon.TACRED.v1'?"),
        (["--paper", "clre", "--dev", "d.json"], "without training data"),
        (["--from", "nowhere"], "does not exist"),
        (["--from", "a", "--train", "b"], "Give one of the two"),
        (["--output", "a.cfg"], "Say what the config is for"),
        (["--paper", "clre", "--output", "a.yaml"], "ends in .cfg"),
    ],
)
def test_mistakes(words: List[str], message: str, init: Any, tmp_path: Path) -> None:
    code, _, err = init("config", *words)
    assert code == 2 and message in err and not list(tmp_path.iterdir())


# ---- configs from data ---------------------------------------------------------------------------------------------------


def test_from_data_with_splits(init: Any, tmp_path: Path) -> None:
    """Trained to the end."""
    (tmp_path / "data").mkdir()
    for split, count in (("train", 24), ("dev", 8), ("test", 8)):
        documents = [replace(each, id=f"{split}-{each.id}", parse=None) for each in tiny_corpus(count)]
        write_jsonl(documents, tmp_path / "data" / f"my_{split}.jsonl")
    code, out, err = init("config", "--from", "data")
    assert code == 0, err
    assert "data/my_train.jsonl: 24 documents, 24 labelled relations." in out and "No relation: none." in out
    text = (tmp_path / "config.cfg").read_text()
    loaded = load_config(tmp_path / "config.cfg")
    assert check_config(loaded) == [] and keys_without_comment(text) == []
    assert loaded.tree["paths"] == {split: f"data/my_{split}.jsonl" for split in ("train", "dev", "test")}
    assert loaded.tree["data"]["negative"] == ["none"] and "# 'none': 6 of 24 labelled pairs." in text
    assert loaded.tree["data"]["candidates"] == {"@candidates": "relcon.AnnotatedPairs.v1"}
    assert "CHEMICAL -> PROTEIN 18" in text
    bert = tiny_encoder_folder(tmp_path / "bert")
    tiny = ["--stages.pretrain.encoders.text.@encoders", "relcon.Transformer.v1", "--stages.pretrain.encoders.text.path", str(bert)]
    tiny += ["--stages.pretrain.encoders.text.max_length", "64", "--stages.pretrain.tasks.contrast.anchors.head", "[8]"]
    tiny += [ "--training.max_steps", "2", "--training.batch_size", "4"]
    with pytest.raises(SystemExit) as end:
        main(["train", "config.cfg", "--output", "run", *tiny])
    assert not end.value.code
    assert "scores.f1" in json.loads((tmp_path / "run" / "metrics.json").read_text())["evaluate"]


@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
def test_from_an_archive_under_its_own_name(ending: str, init: Any, tmp_path: Path) -> None:
    for split in ("train", "dev"):
        (tmp_path / "corpus").mkdir(exist_ok=True)
        write_jsonl([related(f"{split}{number}") for number in range(6)], tmp_path / "corpus" / f"my_{split}.jsonl")
    shutil.make_archive("data", {".zip": "zip", ".tar.gz": "gztar"}[ending], tmp_path, "corpus")
    shutil.rmtree(tmp_path / "corpus")
    code, out, err = init("config", "--from", f"data{ending}")
    assert code == 0 and f"data{ending}/corpus/my_train.jsonl: 6 documents" in out, err
    loaded = load_config(tmp_path / "config.cfg")
    inside = f"data{ending}/corpus"
    assert loaded.tree["paths"] == {"train": f"{inside}/my_train.jsonl", "dev": f"{inside}/my_dev.jsonl", "test": None}
    assert len(resolve(loaded.tree["data"], "[data]").split("train").documents) == 6


def test_from_a_compressed_file_and_from_the_sample(init: Any, tmp_path: Path) -> None:
    write_jsonl([related(f"d{number}") for number in range(6)], tmp_path / "data.jsonl")
    (tmp_path / "data.jsonl.gz").write_bytes(gzip.compress((tmp_path / "data.jsonl").read_bytes()))
    for name, file in (("data.jsonl.gz", "a.cfg"), ("sample:train.jsonl", "b.cfg")):
        code, out, err = init("config", "--from", name, "-o", file)
        assert code == 0 and f"{name}: " in out, err
        assert load_config(tmp_path / file).tree["paths"]["train"] == name
    assert "Did you mean 'train.jsonl'?" in init("config", "--from", "sample:trian.jsonl", "-o", "c.cfg")[2]


def related(name: str, sentences: int = 1, labels: Any = ("met",), types: Any = ("PER", "ORG", "ORG")) -> Document:
    """Three entities, each in a sentence of its own where there are several; relations from the first to the second."""
    words = ("Zorvane", "met", "Orsk", "and", "Velm", ".")
    entities = tuple(Entity((Mention(2 * place, 2 * place + 1),), kind) for place, kind in enumerate(types))
    bounds = ((0, 2), (2, 4), (4, 6)) if sentences > 1 else ((0, 6),)
    return Document(name, words, entities, tuple(Relation(0, 1, label) for label in labels), bounds)


def made_from(documents: List[Document], init: Any, tmp_path: Path) -> Any:
    write_jsonl(documents, tmp_path / "data.jsonl")
    code, _, err = init("config", "--from", "data.jsonl")
    assert code == 0, err
    return load_config(tmp_path / "config.cfg").tree


def test_from_data_that_annotate_all_relations(init: Any, tmp_path: Path) -> None:
    tree = made_from([related(f"d{number}") for number in range(6)], init, tmp_path)
    rule = tree["data"]["candidates"]
    assert rule["@candidates"] == "relcon.EntityPairs.v1" and rule["types"] == [["PER", "ORG"]]
    assert (rule["scope"], rule["directed"], rule["several"]) == ("sentence", False, "lost")
    assert tree["data"]["negative"] == ["none"] and tree["data"]["dev_share"] == 0.1


def test_from_data_with_both_directions_of_a_type(init: Any, tmp_path: Path) -> None:
    documents = [related(f"d{number}", types=("PER", "PER", "ORG")) for number in range(6)]
    assert made_from(documents, init, tmp_path)["data"]["candidates"]["directed"] is True


def test_from_documents_with_several_labels(init: Any, tmp_path: Path) -> None:
    tree = made_from([related(f"d{number}", 3, ("met", "paid")) for number in range(6)], init, tmp_path)
    rule = tree["data"]["candidates"]
    assert (rule["scope"], rule["several"]) == ("document", "kept")
    assert tree["stages"]["evaluate"]["evaluators"]["documents"]["@evaluators"] == "relcon.DocumentScores.v1"


def test_from_data_for_a_paper_that_asks_for_types(init: Any, tmp_path: Path) -> None:
    write_jsonl([related(f"d{number}") for number in range(6)], tmp_path / "data.jsonl")
    assert init("config", "--paper", "cldr", "--from", "data.jsonl")[0] == 0
    tree = load_config(tmp_path / "config.cfg").tree
    assert tree["vars"] == {"entity_types": ["PER", "ORG"], "relation": "met"}


@pytest.mark.parametrize(
    "content, message",
    [
        ('{"id": "a", "words": ["x"]}\n', "no labelled relation"),
        ("\x00\x01", "No reader"),
    ],
)
def test_data_that_give_no_config(content: str, message: str, init: Any, tmp_path: Path) -> None:
    (tmp_path / "data.jsonl").write_text(content)
    code, _, err = init("config", "--from", "data.jsonl")
    assert code == 2 and message in err and not (tmp_path / "config.cfg").exists()


def test_two_files_for_one_split(init: Any, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for name in ("train_a.jsonl", "train_b.jsonl"):
        write_jsonl([related("d")], tmp_path / "data" / name)
    code, _, err = init("config", "--from", "data")
    assert code == 2 and "several that could be the train split: train_a.jsonl, train_b.jsonl" in err


def test_names_of_no_relation() -> None:
    yes = ("none", "Other", "NA", "no_relation", "false", "DDI-false", "negative", "not related")
    no = ("Cause-Effect(e1,e2)", "per:title", "none_of_these", "notes", "nothing", "positive")
    assert all(NONE.fullmatch(label) for label in yes) and not any(NONE.fullmatch(label) for label in no)


def test_counts() -> None:
    facts = facts_of([related("a"), related("b", 3, ("met", "other")), related("c", labels=(None,))])
    assert (facts.documents, facts.unlabelled, facts.several, facts.across) == (3, 1, 1, 1)
    assert facts.labels == {"met": 2, "other": 1} and facts.negative == ["other"] and facts.positive == 2
    assert facts.pairs == {("PER", "ORG"): 2} and facts.forward == 2


@pytest.mark.parametrize(
    "text, first",
    [
        ("one. two.", "one."),
        ("of Gao et al. 2021, by steps. More.", "of Gao et al. 2021, by steps."),
        ("no end", "no end"),
        ("0.1 of them\nor more. Rest", "0.1 of them or more."),
        ("A line\n\nanother", "A line"),
    ],
)
def test_first_sentences(text: str, first: str) -> None:
    assert first_sentence(text) == first
