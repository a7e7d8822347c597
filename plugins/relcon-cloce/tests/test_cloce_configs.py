"""Every config of CLoCE through the real command line, on invented sentences, with every override that its head names."""

import json
import os
import random
import re
import runpy
import shlex
from pathlib import Path

import pytest
import spacy
from relcon_cloce.prompt import Prompt
from transformers import RobertaConfig, RobertaForMaskedLM

from relcon.cli.main import main
from relcon.config import load_config, resolve
from relcon.encoders.loading import quiet
from relcon.evaluators.profiles import DIRECTED
from relcon.testing import tiny_encoder_folder

CONFIGS = Path(__file__).parents[3] / "configs" / "cloce"
NAMES = sorted(str(file.relative_to(CONFIGS)) for file in CONFIGS.rglob("*.cfg"))
PAGE = (CONFIGS.parents[1] / "docs/papers/cloce.md").read_text(encoding="utf-8")
SIZES = {"train": 60, "dev": 20, "test": 20}
TACRED = ["no_relation", "per:title", "per:city_of_birth", "org:parents"]
LABELS = "rel2id.json"
RETACRED = {"no_relation": "no_relation", "per:title": "per:title", "per:city_of_birth": "per:identity"}
"""What the patches make of TACRED's labels; instances of the fourth are left out."""

SEMEVAL = ["Other", *DIRECTED]
UNLEARNT = "Entity-Destination(e2,e1)"
"""The label of SemEval that OpenNRE's division has in dev and test alone."""

PEOPLE = ["Ilva", "Orrin", "Tamsin", "Ubbe"]
PLACES = ["Tarn", "Ostby", "Velden", "Quill"]


def sentence(number, labels):
    """Words, the spans of both arguments, and the label."""
    draw = random.Random(number)
    label = labels[number % len(labels)]
    words = f"{draw.choice(PEOPLE)} Venn was seen {label.lower()[:9].replace('_', ' ')} by {draw.choice(PLACES)} ."
    size = len(words.split())
    return words.split(), (0, 2), (size - 2, size - 1), label


def tacred(number):
    words, head, tail, label = sentence(number, TACRED)
    spans = {"subj_start": head[0], "subj_end": head[1] - 1, "obj_start": tail[0], "obj_end": tail[1] - 1}
    return {"id": f"e{number}", "token": words, "relation": label, **spans, "subj_type": "PERSON", "obj_type": "CITY"}


def opennre(number, labels):
    words, head, tail, label = sentence(number, labels)
    return {"token": words, "h": {"pos": list(head), "type": "PERSON"}, "t": {"pos": list(tail), "type": "GPE"}, "relation": label}


def semeval(number):
    words, _, _, label = sentence(number, SEMEVAL)
    return f'{number}\t"<e1>{words[0]}</e1> {" ".join(words[1:-2])} <e2>{words[-2]}</e2> ."\n{label}\nComment:\n'


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with all corpora, patches and encoders."""
    folder = tmp_path_factory.mktemp("cloce")
    start = 0
    for part, size in SIZES.items():
        numbers = range(start, start + size)
        start += size
        records = [tacred(number) for number in numbers]
        labels = [label for label in SEMEVAL if part != "train" or label != UNLEARNT]
        new = {each["id"]: RETACRED[each["relation"]] for each in records if each["relation"] in RETACRED}
        files = {
            f"tacred-{part}": json.dumps(records),
            f"retacred-{part}_patch": json.dumps(new),
            f"tacrev-{part}_patch": json.dumps([{"id": f"e{numbers[1]}", "relation": "no_relation"}]),
            f"fewshot-{part}": "\n".join(repr(opennre(number, TACRED)) for number in numbers),
            f"semeval-{part}": "\n".join(json.dumps(opennre(number, labels)) for number in numbers),
            f"wiki80-{part}": "\n".join(json.dumps(opennre(number, ["crosses", "place of birth"])) for number in numbers),
            f"official-{part}": "\n".join(semeval(number + 1) for number in range(size * 4)),
        }
        for name, text in files.items():
            (folder / name).write_text(text + "\n", encoding="utf-8")
    (folder / LABELS).write_text(json.dumps({label: number for number, label in enumerate(SEMEVAL)}), encoding="utf-8")
    tiny_encoder_folder(folder / "bert", layers=1)
    tiny_encoder_folder(folder / "roberta", "roberta", layers=1, positions=256)
    with quiet():
        RobertaForMaskedLM(RobertaConfig.from_pretrained(folder / "roberta")).save_pretrained(folder / "roberta")
    return folder


def relcon(*words):
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        if end.code:
            raise


def given(name, place, corpus=""):
    """Overrides that give a config its files, and make it tiny. corpus: another one than the config's name says."""
    stem = Path(name).stem
    tacred = stem in ("tacred", "tacrev", "retacred")
    words = []
    for key, value in load_config(CONFIGS / name).tree["paths"].items():
        assert value is None
        if key == "labels":
            continue
        kind = stem if "patch" in key else corpus or ("tacred" if tacred else stem)
        words += [f"--paths.{key}", place / ("roberta" if key == "encoder" else f"{kind}-{key}")]
    return [*words, *tiny(None if "paper" in name else place / "bert")]


def tiny(encoder):
    """Overrides that make a config short, with this encoder where it has one of its own."""
    words = ["--training.epochs", 2, "--training.max_steps", 6, "--training.log_every", 1, "--training.device", "cpu"]
    if encoder is not None:
        text = "--stages.pretrain.encoders.text"
        words += [f"{text}.@encoders", "relcon.Transformer.v1", f"{text}.path", encoder, f"{text}.max_length", 64]
    return words


def named(name):
    """The overrides that the head of a config names: (what is said of them, words)."""
    found, said = [], ""
    head = (CONFIGS / name).read_text(encoding="utf-8").partition("\n[")[0].replace(" \\\n#", "")
    for line in head.splitlines():
        text = line.removeprefix("#").strip()
        inline = re.search(r": (--\S.*)$", text)
        if text.startswith("--"):
            found.append((said, shlex.split(text)))
        elif inline:
            found.append((text[: inline.start()], shlex.split(inline[1])))
        said = text
    return found


OVERRIDES = [(name, number) for name in NAMES for number in range(len(named(name)))]


OTHERS = {"relcon.SemEval2010.v1": "official", "relcon.TACRED.v1": "tacred", '["Other"]': "semeval"}
"""A word of an override -> the corpus that it is for."""


def figures(run):
    return json.loads((run / "metrics.json").read_text(encoding="utf-8"))


def lines(run, event):
    logged = [json.loads(line) for line in (run / "log.jsonl").read_text(encoding="utf-8").splitlines()]
    return [each for each in logged if each.get("event") == event]


def test_heads_name_what_there_is_to_name():
    """So that the tests below have something to run."""
    assert all(len(named(name)) >= 3 for name in NAMES), "CLoCE-S, KI and few shots at least"
    assert all(word.startswith("--") for name in NAMES for _, words in named(name) for word in words[::2])


@pytest.mark.parametrize("name", NAMES)
def test_cloce_config_runs(name, place, tmp_path):
    short = ["--protocol.seeds", "[2]"] if "paper/" in name else []
    relcon("train", CONFIGS / name, "--output", tmp_path / "run", *given(name, place), *short)
    found = figures(tmp_path / "run")
    assert {"scores.f1", "scores.accuracy"} <= set(found["evaluate"]) and {"steps", "after_steps", "dev"} <= set(found["finetune"])
    assert "paper/" in name or found["pretrain"]["steps"] == 6
    folder = tmp_path / "run" / ("seeds/seed_2" if "paper/" in name else "")
    looks = lines(folder, "dev")
    assert looks and all({"f1", "accuracy"} <= set(look) for look in looks), "both, after each epoch"
    model = json.loads((folder / "stages/finetune/model/model.json").read_text(encoding="utf-8"))
    assert model["reader"]["@readers"] == f"relcon.{'TACRED' if 'tac' in name else 'OpenNRE'}.v1", "patched or not"


@pytest.mark.parametrize(("name", "number"), OVERRIDES)
def test_cloce_config_runs_as_its_head_says(name, number, place, tmp_path):
    said, words = named(name)[number]
    words = [str(place / LABELS) if word == LABELS else word for word in words]
    other = next((corpus for word, corpus in OTHERS.items() if word in words), "")
    short = ["--training.epochs", 1]
    if "paper/" in name or "--protocol.shots" in words:
        short += ["--protocol.seeds", "[2]"]
    relcon("train", CONFIGS / name, "--output", tmp_path / "run", *given(name, place, other), *words, *short)
    assert "scores.f1" in figures(tmp_path / "run")["evaluate"], said


def test_few_shots_are_drawn_and_the_masked_words_are_of_the_whole(place, tmp_path):
    [(_, words)] = [each for each in named("semeval.cfg") if "--protocol.shots" in each[1]]
    words = [*words, "--protocol.shots", 1, "--protocol.seeds", "[1, 2]", "--training.max_steps", 0, "--training.epochs", 1]
    words += ["--stages.pretrain.epochs", 1]
    relcon("train", CONFIGS / "semeval.cfg", "--output", tmp_path / "run", *given("semeval.cfg", place), *words)
    found = figures(tmp_path / "run")
    assert found["pretrain"]["steps"]["mean"] == 60 // 16 + 1 and found["finetune"]["steps"]["mean"] == 19 // 16 + 1


def test_without_contrast_nothing_of_it_is_left(place, tmp_path):
    [(_, words)] = [each for each in named("tacred.cfg") if "relcon.Finetune.v1" in each[1]]
    relcon("train", CONFIGS / "tacred.cfg", "--output", tmp_path / "run", *given("tacred.cfg", place), *words)
    assert set(figures(tmp_path / "run")["finetune"]) == {"steps", "dev", "epoch"}
    assert "MarginPairs" not in (tmp_path / "run/config.cfg").read_text(encoding="utf-8")


# ---- real files --------------------------------------------------------------------------------------------------------


def real(path):
    """A file or folder below RELCON_SHARED/data; the test is skipped where it is not there."""
    found = Path(os.environ.get("RELCON_SHARED", "../shared")) / "data" / path
    if not found.exists():
        pytest.skip(f"{found} is not there: set RELCON_SHARED to the folder with the corpora")
    return found


@pytest.mark.parametrize(
    ("name", "folder", "files"),
    [
        ("semeval.cfg", "semeval2010_task8/opennre", {"train": "train.txt", "dev": "val.txt", "test": "test.txt"}),
        ("wiki80.cfg", "wiki80", {"train": "train_0.1.txt", "test": "dev.txt"}),
    ],
)
def test_cloce_config_runs_as_it_is(name, folder, files, tmp_path):
    """With its own encoder, on the first lines of the real files."""
    words = []
    for split, file in files.items():
        lines = (real(folder) / file).read_text(encoding="utf-8").splitlines()[: 300 if split == "train" else 16]
        (tmp_path / file).write_text("\n".join(lines), encoding="utf-8")
        words += [f"--paths.{split}", tmp_path / file]
    words += ["--training.max_steps", 2, "--training.batch_size", 4, "--training.device", "cpu"]
    relcon("train", CONFIGS / name, "--output", tmp_path / "run", *words)
    found = figures(tmp_path / "run")
    assert found["finetune"]["steps"] == found["pretrain"]["steps"] == 2 and "scores.f1" in found["evaluate"]


def test_the_official_files_are_divided_as_the_head_says(tmp_path):
    file = real("semeval2010_task8/SemEval2010_task8_all_data/SemEval2010_task8_training/TRAIN_FILE.TXT")
    [(_, words)] = [each for each in named("semeval.cfg") if "--data.dev_share" in each[1]]
    loaded = load_config(CONFIGS / "semeval.cfg", [*words, "--paths.train", str(file), "--data.cache", "none"])
    corpus = resolve(loaded.tree["data"], "[data]")
    assert {name: len(corpus.split(name).instances) for name in ("train", "dev")} == {"train": 6507, "dev": 1493}


# ---- types from a pipeline ---------------------------------------------------------------------------------------------


def test_new_files_get_the_types_of_training(place, tmp_path, monkeypatch):
    """What is read for prediction and evaluation has the prompts that it had in training."""
    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "HUMAN", "pattern": "Venn"}, {"label": "SPOT", "pattern": "Tarn"}])
    nlp.to_disk(tmp_path / "ruler")
    rendered = []
    fill = Prompt._view

    def noted(self, instance):
        view = fill(self, instance)
        rendered.append(view.input.second)
        return view

    monkeypatch.setattr(Prompt, "_view", noted)
    file, reader = place / "semeval-dev", "--data.reader"
    words = [f"{reader}.@readers", "cloce.SpacyTypes.v1", f"{reader}.pipeline", tmp_path / "ruler", "--vars.types", "gold"]
    words += [f"{reader}.reader.@readers", "relcon.OpenNRE.v1", f"{reader}.reader.untyped", '["PERSON", "GPE"]', *tiny(place / "bert")]
    words += ["--paths.train", file, "--paths.dev", file, "--paths.test", file, "--stages.finetune.tasks.contrast", "null"]
    words += ["--stages.finetune.@stages", "relcon.Finetune.v1", "--stages.finetune.streams.pairs", "null"]
    relcon("train", CONFIGS / "semeval.cfg", "--output", tmp_path / "run", *words)
    trained = set(rendered)
    assert {"human", "spot"} <= {word for prompt in trained for word in prompt} and len(trained) > 5
    for command in (["predict", tmp_path / "run", file, "-o", tmp_path / "found.jsonl"], ["evaluate", tmp_path / "run", "--data", file]):
        rendered.clear()
        relcon(*command)
        assert set(rendered) == trained, command[0]


# ---- the page ----------------------------------------------------------------------------------------------------------


def test_the_commands_of_the_page_run(place, tmp_path, monkeypatch):
    """From a folder in which everything has the names that the page uses."""
    monkeypatch.chdir(tmp_path)
    Path("configs").symlink_to(CONFIGS.parent)
    for file, corpus in {"train.txt": "train", "val.txt": "dev", "test.txt": "test", "new.txt": "test"}.items():
        Path(file).symlink_to(place / f"semeval-{corpus}")
    [block] = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    for line in block.splitlines():
        words = shlex.split(line)
        relcon(*words[1:], *(tiny(place / "bert") if words[1] == "train" else []))
    found = Path("found.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(found) == SIZES["test"] and "label" in found[0]


def test_the_blocks_of_the_page_are_those_of_a_config():
    """But for what a component takes where nothing is said, and for the reader around another one."""
    written = "\n\n".join((CONFIGS / name).read_text(encoding="utf-8") for name in ("semeval.cfg", "tacrev.cfg"))
    known = {(block.splitlines()[0], line) for block in written.split("\n\n") for line in block.splitlines() if block.startswith("[")}
    defaults = {"batch_size = 16", "epochs = 5", *re.findall(r"^(?:template|types|pipeline) = .*$", PAGE, re.MULTILINE)}
    blocks = [block for shown in re.findall(r"```ini\n(.*?)```", PAGE, re.DOTALL) for block in shown.strip().split("\n\n")]
    assert len(blocks) > 10
    for block in blocks:
        head, *settings = block.splitlines()
        strange = {line for line in settings if (head, line) not in known} - defaults
        assert strange <= {'@readers = "cloce.SpacyTypes.v1"', '@readers = "relcon.OpenNRE.v1"'}, head


def test_the_figure_of_the_page_is_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["figure.py", str(tmp_path / "cloce.png")])
    runpy.run_path(str(CONFIGS.parents[1] / "benchmarks/cloce/figure.py"), run_name="__main__")
    assert (tmp_path / "cloce.png").read_bytes().startswith(b"\x89PNG")
