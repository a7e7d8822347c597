"""Every config that ships: sound under `relcon check`, and running, cut short by overrides."""

import json
import shlex
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest

from relcon.cli.main import main

CONFIGS = Path(__file__).parents[2] / "configs"
ROOT = CONFIGS.parent
ALL = sorted(str(file.relative_to(CONFIGS)) for file in CONFIGS.rglob("*.cfg"))
EVERYWHERE = sorted(
    str(file.relative_to(ROOT))
    for folder in ("configs", "docs/examples", "benchmarks")
    for file in (ROOT / folder).rglob("*.cfg")
    if "\n[stages." in file.read_text(encoding="utf-8")
)
"""Every config of a run that ships, from the root of the repository."""

PAPER = [name for name in ALL if name.startswith("clre/paper/")]
METHOD = [name for name in ALL if name.startswith("clre/") and name not in PAPER]
"""Those of CLRE; those of other methods run in the tests of their plugins."""

PLACES = (
    "stages.pretrain.streams.views.augmenter",
    "stages.evaluate.evaluators.shift.augmenter",
    "stages.finetune.streams.train.augmenter",
)
SHORT = ["--training.max_steps", "2", "--training.batch_size", "4"]
REAL = {
    "chemprot": (
        "data/chemprot/ChemProt_Corpus",
        {"train": "chemprot_training", "dev": "chemprot_development", "test": "chemprot_test_gs"},
        4,
    ),
    "ddi": ("data/ddi2013", {"train": "Train", "test": "Test"}, 60),
    "semeval": (
        "data/semeval2010_task8/SemEval2010_task8_all_data",
        {"train": "SemEval2010_task8_training/TRAIN_FILE.TXT", "test": "SemEval2010_task8_testing_keys/TEST_FILE_FULL.TXT"},
        40,
    ),
}
"""Task -> its corpus below RELCON_SHARED, the splits in it, and how many documents of each are enough here."""


def relcon(*words: Any) -> None:
    """The command line; SystemExit with another code than 0 goes through."""
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        if end.code:
            raise


def task_of(name: str) -> str:
    """The corpus that a config reads: `clre/paper/ddi_biobert.cfg` -> `ddi`."""
    stem = Path(name).stem.split("_")[0]
    return "chemprot" if stem == "augmented" else stem


def given(paths: Dict[str, Any]) -> List[str]:
    """Overrides of `[paths]`."""
    return [word for name, value in paths.items() for word in (f"--paths.{name}", str(value))]


def in_config(name: str, text: str) -> bool:
    return text in (CONFIGS / name).read_text(encoding="utf-8")


def tiny(name: str, encoder: Path) -> List[str]:
    """Overrides that make any config tiny: a random encoder, two steps, batches of four."""
    words = list(SHORT)
    if in_config(name, "[stages.pretrain]"):
        words += ["--stages.pretrain.streams.views.batch_size", "4"]
    if in_config(name, "${paths.encoder}"):
        return [*words, "--paths.encoder", str(encoder)]
    block = f"--stages.{'pretrain' if in_config(name, '[stages.pretrain]') else 'finetune'}.encoders.text"
    return [*words, f"{block}.@encoders", "relcon.Transformer.v1", f"{block}.path", str(encoder)]


def lexicon(name: str) -> List[str]:
    """Overrides that take synonyms from the sample's lexicon instead of WordNet."""
    places = [place for place in PLACES if in_config(name, f"[{place}.synonyms]")]
    return [
        word
        for place in places
        for word in (f"--{place}.synonyms.@synonyms", "relcon.Lexicon.v1", f"--{place}.synonyms.path", "sample:synonyms.tsv")
    ]


def figures(run: Path) -> Dict[str, Any]:
    found: Dict[str, Any] = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return found


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """What `relcon build-pairs` makes of the plugin's invented abstracts."""
    example = CONFIGS.parent / "plugins/relcon-clre/examples"
    records = CONFIGS.parent / "plugins/relcon-clre/tests/data"
    paths = {"text": records / "abstracts.jsonl", "database": records / "biogrid.chemtab.txt"}
    relcon("build-pairs", example / "chemprot.cfg", "--output", tmp_path / "pairs.jsonl", *given(paths))
    return tmp_path / "pairs.jsonl"


@pytest.mark.parametrize("name", [name for name in EVERYWHERE if "relcon-shuffle" not in name])
def test_sound(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """That of the example plugin, which must be installed first, is checked by tests/test_docs.py."""
    from relcon.config import load_config

    missing = {key: "FILE" for key, value in load_config(ROOT / name).tree["paths"].items() if value is None}
    relcon("check", ROOT / name, *given(missing))
    assert "is sound" in capsys.readouterr().out


@pytest.mark.parametrize("name", ALL)
def test_says_how_it_is_run(name: str) -> None:
    text = (CONFIGS / name).read_text(encoding="utf-8")
    command = "sweep" if "\n[sweep]\n" in text else "train"
    assert text.startswith("# ") and f"relcon {command} configs/{name} --output " in text


@pytest.mark.parametrize("name", EVERYWHERE)
def test_has_the_keys_that_all_have(name: str) -> None:
    from relcon.config import load_config

    tree = load_config(ROOT / name).tree
    assert {"seed", "batch_size", "max_steps"} <= set(tree["training"]) and tree["paths"] and tree["stages"]


def test_quickstart_runs_with_its_own_encoder(tmp_path: Path) -> None:
    relcon(
        "train",
        CONFIGS / "quickstart.cfg",
        "--output",
        tmp_path / "run",
        *SHORT,
        "--data.limit",
        "10",
        "--stages.pretrain.data.limit",
        "60",
    )
    found = figures(tmp_path / "run")
    assert {"scores.f1", "shift.rate"} <= set(found["with_contrast"]) == set(found["without_contrast"])
    assert found["pretrain"]["steps"] == found["baseline"]["steps"] == found["finetune"]["steps"] == 2


def test_sweep_quickstart_runs(tmp_path: Path, encoder: Path) -> None:
    words = ["--vars.encoder.@encoders", "relcon.Transformer.v1", "--vars.encoder.path", encoder, "--vars.encoder.freeze_layers", "0"]
    words += [*SHORT, "--data.limit", "10", "--vars.pairs.limit", "40"]
    relcon("sweep", CONFIGS / "sweep_quickstart.cfg", "--output", tmp_path / "sweep", *words)
    table = json.loads((tmp_path / "sweep/table.json").read_text(encoding="utf-8"))
    assert [row["state"] for row in table["rows"]] == ["done"] * 5 and table["baseline"] == "none+unchanged"
    pairs = [row["measured"]["pairs"].get("pretrain.contrast") for row in table["rows"]]
    assert pairs == [None, [1, 6], [1, 6], [1, 6], [1, 6]], "two views of each of four pairs"


def test_moco_runs_and_its_queue_fills(tmp_path: Path, encoder: Path) -> None:
    limits = ["--data.limit", "10", "--stages.pretrain.data.limit", "60", "--training.max_steps", "6"]
    relcon("train", CONFIGS / "moco.cfg", "--output", tmp_path / "run", *tiny("moco.cfg", encoder), *limits)
    assert "scores.f1" in figures(tmp_path / "run")["evaluate"] and figures(tmp_path / "run")["pretrain"]["steps"] == 6
    assert (tmp_path / "run/stages/pretrain/model/text_momentum/model.safetensors").exists()


def test_few_shot_runs_on_relations_that_it_never_saw(tmp_path: Path, encoder: Path) -> None:
    for name, relations in (("train", "ab"), ("test", "cdefg")):
        items = {
            each: [{"tokens": [f"{each}{n}", "and", "it"], "h": [f"{each}{n}", f"Q{n}", [[0]]], "t": ["it", "Q", [[2]]]} for n in range(4)]
            for each in relations
        }
        (tmp_path / f"{name}.json").write_text(json.dumps(items), encoding="utf-8")
    block = "--stages.train.encoders.text"
    words = [*SHORT, "--stages.train.streams.alike.per_label", "2", f"{block}.@encoders", "relcon.Transformer.v1", f"{block}.path", encoder]
    paths = given({name: tmp_path / f"{name}.json" for name in ("train", "test")})
    words += ["--stages.evaluate.evaluators.episodes.episodes", "300"]
    for run, more in (("trained", []), ("untouched", ["--training.epochs", "0", "--training.max_steps", "0"])):
        relcon("train", CONFIGS / "few_shot.cfg", "--output", tmp_path / run, *paths, *words, *more)
        found = figures(tmp_path / run)["evaluate"]
        assert found["episodes.episodes"] == 300 and found["episodes.relations"] == 5 and 0 < found["episodes.accuracy"] < 1


@pytest.mark.parametrize("name", METHOD)
def test_method_runs_on_small_records(
    name: str, small: Callable[..., Any], encoder: Path, parser: Path, pairs: Path, tmp_path: Path
) -> None:
    paths = {**small(task_of(name)), "parser": parser, **({"pairs": pairs} if in_config(name, "pairs = null") else {})}
    relcon("train", CONFIGS / name, "--output", tmp_path / "run", *given(paths), *tiny(name, encoder), *lexicon(name))
    assert {"scores.f1", "scores.precision", "scores.recall", "shift.rate"} <= set(figures(tmp_path / "run")["evaluate"])


@pytest.mark.parametrize("name", PAPER)
def test_published_runs_with_a_random_encoder(name: str, small: Callable[..., Any], encoder: Path, parser: Path, tmp_path: Path) -> None:
    words = [*given({**small(task_of(name)), "parser": parser}), *tiny(name, encoder), *lexicon(name)]
    words += ["--training.micro_batch_tokens", "64"]
    words += ["--protocol.folds", "2"] if task_of(name) == "ppi" else ["--stages.pretrain.snapshots", "[1]"]
    relcon("train", CONFIGS / name, "--output", tmp_path / "run", *words)
    found = figures(tmp_path / "run")
    assert {"scores.f1", "shift.rate"} <= set(found["evaluate"])
    assert task_of(name) == "ppi" or found["finetune"]["snapshot"] == 1


@pytest.mark.parametrize("task", REAL)
def test_runs_on_the_real_corpus(task: str, shared: Callable[[str], Path], encoder: Path, tmp_path: Path) -> None:
    folder, splits, limit = REAL[task]
    paths = {name: shared(folder) / place for name, place in splits.items()}
    paths |= {"parser": shared("models/en_ud_small"), "wordnet": shared("nltk_data")}
    name = f"clre/{task}.cfg"
    relcon("train", CONFIGS / name, "--output", tmp_path / "run", *given(paths), *tiny(name, encoder), "--data.limit", limit)
    assert figures(tmp_path / "run")["evaluate"]["shift.size"] > 0


def test_ppi_runs_on_the_real_corpus(shared: Callable[[str], Path], encoder: Path, tmp_path: Path) -> None:
    """The first pairs of two of its folds."""
    (tmp_path / "folds").mkdir()
    for fold in ("test_0.json", "test_1.json"):
        head = (shared("data/aimed/folds_json") / fold).read_text(encoding="utf-8").splitlines()[:40]
        (tmp_path / "folds" / fold).write_text("\n".join(head), encoding="utf-8")
    paths = {"train": tmp_path / "folds", "parser": shared("models/en_ud_small"), "wordnet": shared("nltk_data")}
    relcon("train", CONFIGS / "clre/ppi.cfg", "--output", tmp_path / "run", *given(paths), *tiny("clre/ppi.cfg", encoder))
    assert figures(tmp_path / "run")["evaluate"]["scores.instances"]["mean"] == 40


def test_ppi_reads_the_original_files_as_its_header_says(
    shared: Callable[[str], Path], encoder: Path, parser: Path, tmp_path: Path
) -> None:
    folder = shared("data/aimed/aimed")
    files = sorted(file.name for file in folder.glob("abstract*") if "<p1" in file.read_text(encoding="utf-8"))[:8]
    (tmp_path / "aimed").mkdir()
    for number, file in enumerate(files):
        (tmp_path / "aimed" / file).write_bytes((folder / file).read_bytes())
        with (tmp_path / f"test-{number % 2}").open("a") as fold:
            fold.write(f"{file}\n")
    words = ["--data.reader.@readers", "relcon.AIMed.v1", "--data.candidates.@candidates", "relcon.EntityPairs.v1"]
    words += ["--protocol.key", "null", "--protocol.lists", json.dumps([str(tmp_path / "test-*")])]
    paths = {"train": tmp_path / "aimed", "parser": parser}
    name = "clre/ppi.cfg"
    relcon("train", CONFIGS / name, "--output", tmp_path / "run", *given(paths), *words, *tiny(name, encoder), *lexicon(name))
    assert len(list((tmp_path / "run/folds").iterdir())) == 2


# ---- what headers and the plugin's README say about overrides ----------------------------------------------------------


def test_baseline_of_the_published_settings(small: Callable[..., Any], encoder: Path, parser: Path, tmp_path: Path) -> None:
    name = "clre/paper/ddi_biobert.cfg"
    words = ["--stages.pretrain.epochs", "0", "--stages.pretrain.snapshots", "null", "--stages.finetune.choose_snapshot", "false"]
    words += ["--stages.pretrain.max_steps", "0"]  # SHORT has set it; the config's own is 0
    relcon(
        "train",
        CONFIGS / name,
        "-o",
        tmp_path / "run",
        *given({**small("ddi"), "parser": parser}),
        *tiny(name, encoder),
        *lexicon(name),
        *words,
    )
    assert figures(tmp_path / "run")["pretrain"]["steps"] == 0


def test_external_pairs_are_all_that_the_contrastive_step_reads(
    small: Callable[..., Any], encoder: Path, parser: Path, pairs: Path, tmp_path: Path
) -> None:
    """Six pairs of an abstract and no more: one batch of four, whatever the size of the corpus."""
    name = "clre/chemprot_external.cfg"
    paths = {**small("chemprot"), "parser": parser, "pairs": pairs}
    words = [*given(paths), *tiny(name, encoder), *lexicon(name), "--training.max_steps", "0", "--training.epochs", "0"]
    relcon("train", CONFIGS / name, "--output", tmp_path / "run", *words)
    found = sum(len(json.loads(line)["relations"]) for line in pairs.read_text(encoding="utf-8").splitlines())
    assert figures(tmp_path / "run")["pretrain"]["steps"] == found // 4


def test_the_overrides_of_the_readme_make_any_config_read_external_pairs(
    small: Callable[..., Any], encoder: Path, parser: Path, pairs: Path, tmp_path: Path
) -> None:
    readme = (CONFIGS.parent / "plugins/relcon-clre/README.md").read_text(encoding="utf-8")
    block = readme[readme.index("    --stages.pretrain.data.@corpora") :].partition("\n\n")[0]
    words = [str(pairs) if word == "pairs.jsonl" else word for word in shlex.split(block.replace("\\\n", " "))]
    words += ["--training.max_steps", "0", "--training.epochs", "0", "--stages.pretrain.epochs", "1"]
    words += ["--stages.pretrain.snapshots", "null", "--stages.finetune.choose_snapshot", "false"]
    name = "clre/paper/ddi_biobert.cfg"
    paths = given({**small("ddi"), "parser": parser})
    relcon("train", CONFIGS / name, "--output", tmp_path / "run", *paths, *tiny(name, encoder), *lexicon(name), *words)
    found = sum(len(json.loads(line)["relations"]) for line in pairs.read_text(encoding="utf-8").splitlines())
    assert figures(tmp_path / "run")["pretrain"]["steps"] == found // 4


def test_augmented_training_has_four_times_as_many_instances(
    small: Callable[..., Any], encoder: Path, parser: Path, tmp_path: Path
) -> None:
    name = "clre/augmented_training.cfg"
    words = [*given({**small("chemprot"), "parser": parser}), *tiny(name, encoder), *lexicon(name), "--training.max_steps", "0"]
    words += ["--training.epochs", "1", "--training.batch_size", "1"]
    relcon("train", CONFIGS / name, "--output", tmp_path / "copies", *words)
    plain = ["--stages.finetune.streams.train.copies", "0", "--stages.finetune.streams.train.augmenter", "null"]
    words = [word for word in words if "streams.train.augmenter" not in word and word not in ("relcon.Lexicon.v1", "sample:synonyms.tsv")]
    shift = "--stages.evaluate.evaluators.shift.augmenter.synonyms"
    words = [word for word in words if not word.startswith(shift)]
    relcon(
        "train",
        CONFIGS / name,
        "-o",
        tmp_path / "plain",
        *words,
        *plain,
        f"{shift}.@synonyms",
        "relcon.Lexicon.v1",
        f"{shift}.path",
        "sample:synonyms.tsv",
    )
    steps = [figures(tmp_path / run)["finetune"]["steps"] for run in ("copies", "plain")]
    assert steps == [48, 12]
