"""The methods through the real command line: every config, the page's commands and the benchmarks, on invented documents and sentences."""

import csv
import importlib.util
import json
import math
import random
import re
import shlex
import shutil
import sys
from collections import Counter
from pathlib import Path
from types import SimpleNamespace

import pytest
from transformers import RobertaConfig, RobertaForMaskedLM

from relcon.cli.main import main
from relcon.config import resolve
from relcon.testing import tiny_encoder_folder

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs" / "finecl"
NAMES = sorted(str(file.relative_to(CONFIGS)) for file in CONFIGS.rglob("*.cfg"))

PEOPLE = ["Arlo", "Bettina", "Corvin", "Delphia", "Edric", "Fiora", "Gustaf", "Halina"]
FIRMS = ["Abelco", "Brightor", "Cindel", "Dromex", "Elvar", "Fenwick", "Gorsel", "Hexar"]
CITIES = ["Norhaven", "Ostby", "Quillmere", "Tarn", "Velden", "Wexcombe"]
RELATIONS = {"P1": "founder of", "P2": "works for", "P3": "has its seat in", "P4": "lives in", "P5": "neighbour of"}
VERBS = {"founded": "founder", "joined": "worker", "praised": "Other"}
UNSEEN = {"document": "P5", "sentence": "owner"}
"""Labels that only development data have, as in OpenNRE's division of SemEval-2010 Task 8."""
SENTENCE_LABELS = [*VERBS.values(), UNSEEN["sentence"]]

PARTS = {"text": (0, 16), "train": (100, 112), "dev": (200, 206), "test": (13, 17)}
"""File of documents -> their numbers; some of the test documents say what the text says."""

# ---- invented data -------------------------------------------------------------------------------------------------------


def document(number):
    """A document in DocRED's form: a person, a firm and two towns, three of them mentioned twice. Founders of even documents work there,
    too."""
    draw = random.Random(number)
    person, firm, (city, town) = draw.choice(PEOPLE), draw.choice(FIRMS), draw.sample(CITIES, 2)
    verb = draw.choice(["founded", "joined"])
    names, entities, sentences = {"P": person, "F": firm, "C": city, "T": town}, {key: [] for key in "PFCT"}, []
    for place, frame in enumerate((f"P {verb} F .", "F has its seat in C .", "P lives in T near C .")):
        for start, key in enumerate(frame.split()):
            if key in names:
                entities[key].append({"name": names[key], "sent_id": place, "pos": [start, start + 1], "type": key})
        sentences.append([names.get(word, word) for word in frame.split()])
    said = [(0, 1, "P1" if verb == "founded" else "P2"), (1, 2, "P3"), (0, 3, "P4")]
    if verb == "founded" and number % 2 == 0:
        said.append((0, 1, "P2"))
    labels = [{"h": head, "t": tail, "r": relation, "evidence": []} for head, tail, relation in said]
    return {"title": f"d{number}", "sents": sentences, "vertexSet": list(entities.values()), "labels": labels}


def sentence(number):
    """A sentence in OpenNRE's form; every pair of entities comes again and again."""
    draw = random.Random(number)
    head, tail, verb = draw.choice(PEOPLE[:3]), draw.choice(FIRMS[:3]), draw.choice(sorted(VERBS))
    words = f"{head} {verb} {tail} in {draw.choice(CITIES)} .".split()
    arguments = {"h": {"name": head, "pos": [0, 1]}, "t": {"name": tail, "pos": [2, 3]}}
    return {"token": words, **arguments, "relation": VERBS[verb]}


def triples(documents):
    """What the documents say, keyed by lower-cased names."""
    for each in documents:
        names = [entity[0]["name"].lower() for entity in each["vertexSet"]]
        yield from (f"{names[label['h']]}\t{label['r']}\t{names[label['t']]}" for label in each["labels"])


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder of documents and sentences, under the names that the page uses."""
    folder = tmp_path_factory.mktemp("data")
    documents = {name: [document(number) for number in range(*span)] for name, span in PARTS.items()}
    documents["dev"][0]["labels"].append({"h": 2, "t": 3, "r": UNSEEN["document"], "evidence": []})
    for name, part in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(part), encoding="utf-8")
    (folder / "triples.tsv").write_text("".join(f"{line}\n" for line in triples(documents["text"])), encoding="utf-8")
    (folder / "rel_info.json").write_text(json.dumps(RELATIONS), encoding="utf-8")
    (folder / "rel2id.json").write_text(json.dumps({label: number for number, label in enumerate(SENTENCE_LABELS)}), encoding="utf-8")
    for name, span in {"sentences": (0, 60), "train": (100, 140), "dev": (200, 220), "test": (300, 320)}.items():
        records = [sentence(number) for number in range(*span)]
        if name == "dev":
            records[0]["relation"] = UNSEEN["sentence"]
        (folder / f"{name}.txt").write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def encoders(data, tmp_path_factory):
    """Folders with a tiny random BERT and RoBERTa, as deep as the configs freeze layers and as long as they read; RoBERTa with a head for
    masked words."""
    folder = tmp_path_factory.mktemp("encoders")
    words = sorted({word.lower() for number in range(320) for part in document(number)["sents"] for word in part})
    made = {kind: tiny_encoder_folder(folder / kind, kind, layers=4, words=words, positions=512) for kind in ("bert", "roberta")}
    RobertaForMaskedLM(RobertaConfig.from_pretrained(made["roberta"])).save_pretrained(made["roberta"])
    return made


# ---- tiny runs -------------------------------------------------------------------------------------------------------------


def relcon(*words):
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        if end.code:
            raise


def tiny(config, encoders):
    """Overrides that make a config tiny: a random encoder, three steps, two epochs of those that are whole."""
    text = config.read_text(encoding="utf-8")
    words = ["--training.epochs", 2, "--training.max_steps", 3, "--training.log_every", 1]
    if "@encoders" in text and "${paths.encoder}" not in text:
        for stage in re.findall(r"\[stages\.(\w+)\.encoders\.text\]", text):
            place = f"--stages.{stage}.encoders.text"
            words += [f"{place}.@encoders", "relcon.Transformer.v1", f"{place}.path", encoders["bert"]]
    for pooler in re.findall(r'\[([\w.]+)\]\n@poolers = "finecl.PairWithDistance.v1"', text):
        words += [f"--{pooler}.state", 32]
    return words


def paths(config, data, encoders):
    """Overrides of all paths of a config."""
    text = config.read_text(encoding="utf-8")
    sentences = "relcon.OpenNRE.v1" in text
    form = "txt" if sentences else "json"
    files = {name: data / f"{name}.{form}" for name in ("train", "dev", "test")}
    files |= {"distant": data / ("sentences.txt" if sentences else "text.json"), "names": data / "rel_info.json"}
    files["labels"] = data / ("rel2id.json" if sentences else "rel_info.json")
    files["encoder"] = encoders["roberta" if config.parent.name == "paper" else "bert"]
    asked = re.search(r"\[paths\]\n((?:\w+ = null\n)+)", text)[1]
    return [word for name in re.findall(r"\w+(?= = null)", asked) for word in (f"--paths.{name}", files[name])]


FAST = ["--stages.order.optimizer.lr", 0.01, "--stages.order.optimizer.head_lr", 0.01]
OWN = {
    "finecl.cfg": FAST,
    "denoise.cfg": ["--training.epochs", 4, *FAST],
    "paper/finecl.cfg": ["--stages.pretrain.max_steps", 3, "--stages.pretrain.accumulate", 2, "--protocol.seeds", "[42, 43]"],
    "paper/sentence.cfg": ["--protocol.seeds", "[42, 43]"],
}
"""Further overrides of single configs: so few steps must teach something, and published lengths be short."""


@pytest.fixture(scope="module")
def train(data, encoders):
    """`train("erica.cfg", folder, ...)`: a tiny run of a config; its folder."""

    def run(name, folder, *words):
        config = CONFIGS / name
        given = [*paths(config, data, encoders), *tiny(config, encoders), *OWN.get(name, ())]
        relcon("train", config, "--output", folder, *given, *words)
        return folder

    return run


@pytest.fixture(scope="module")
def made(train, tmp_path_factory):
    """`made("erica.cfg")`: the folder of a tiny run of the config as it is, trained once."""
    runs = {}

    def once(name):
        if name not in runs:
            runs[name] = train(name, tmp_path_factory.mktemp("runs") / "run")
        return runs[name]

    return once


def read(file):
    return json.loads(file.read_text(encoding="utf-8"))


def lines(file):
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def losses(run, stage="pretrain"):
    return [record["loss"] for record in lines(run / "log.jsonl") if record["event"] == "step" and record["stage"] == stage]


def numbers(value):
    """All numbers of a value of JSON."""
    if isinstance(value, dict):
        return [number for each in value.values() for number in numbers(each)]
    return [] if value is None else [value]


# ---- every config ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_every_config_runs(name, made, data, encoders, capsys):
    config = CONFIGS / name
    relcon("check", config, *paths(config, data, encoders), *tiny(config, encoders))
    assert "is sound" in capsys.readouterr().out
    found = read(made(name) / "metrics.json")
    values = numbers(found)
    assert values and all(math.isfinite(value) for value in values)
    text = config.read_text(encoding="utf-8")
    assert set(found) == set(re.findall(r"\[stages\.(\w+)\]", text))
    for figure in ("documents.f1", "scores.f1"):
        assert (figure in found.get("evaluate", {})) == (f"[stages.evaluate.evaluators.{figure.split('.')[0]}]" in text)


def said(config):
    """The overrides that the head of a config names, line by line."""
    head = config.read_text(encoding="utf-8").split("\n\n")[0].replace("\\\n#", " ")
    for line in head.splitlines():
        words = re.sub(r"--output \S+|^.*?(?=--)", "", line) if "--" in line else ""
        if "build-distant" not in line and words:
            yield shlex.split(words.replace("NAME", "relcon.TACRED.v1"))


@pytest.mark.parametrize("name", NAMES)
def test_what_heads_say_is_sound(name, data, encoders, capsys):
    every = list(said(CONFIGS / name))
    assert every
    for words in every:
        relcon("check", CONFIGS / name, *paths(CONFIGS / name, data, encoders), *words)
        assert "is sound" in capsys.readouterr().out


def test_a_share_of_the_gold_documents(train, tmp_path):
    """As the head of the config says, of which half is six documents."""
    words = "--protocol.@protocols relcon.Share.v1 --protocol.share 0.5 --protocol.seeds [1] --protocol.by document --protocol.draw exact"
    run = train("erica.cfg", tmp_path / "run", *words.split(), "--training.max_steps", 1)
    assert read(run / "seeds/seed_1/metrics.json")["finetune"]["steps"] == 1
    assert "documents.f1" in read(run / "metrics.json")["evaluate"]


# ---- weights from the order ------------------------------------------------------------------------------------------------

SAMPLER = "--stages.pretrain.streams.relations.sampler"


def test_without_weights_finecl_is_erica(train, made, tmp_path):
    """The stage in front of it changes nothing in what follows."""
    run = train("finecl.cfg", tmp_path / "run", "--training.epochs", 1, f"{SAMPLER}.weighting", "none", f"{SAMPLER}.order", "null")
    erica = made("erica.cfg")
    assert len(losses(run)) == 3 and losses(run) == losses(erica)
    ours, theirs = (read(each / "metrics.json") for each in (run, erica))
    assert {name: ours[name] for name in theirs} == theirs


def test_the_contrast_weighs_as_the_order_on_disk_says(train, made, tmp_path):
    """Where one order is everybody's, and pairs without a relation weigh 1, too, nothing is left but ERICA."""
    run = tmp_path / "run"
    shutil.copytree(made("finecl.cfg"), run)
    before = losses(run)
    assert before[0] != losses(made("erica.cfg"))[0]
    rows = lines(run / "stages/order/instances.jsonl")
    (run / "stages/order/order.json").write_text(json.dumps({row["uid"]: 1 for row in rows}), encoding="utf-8")
    train("finecl.cfg", run, "--resume", f"{SAMPLER}.na_exponent", 0.0)
    assert read(run / "run.json")["resumed"] and losses(run) == losses(made("erica.cfg"))


def test_the_order_is_of_the_distant_documents(made):
    run = made("finecl.cfg")
    manifest, rows = read(run / "stages/order/manifest.json"), lines(run / "stages/order/instances.jsonl")
    expected = Counter(label["r"] for number in range(*PARTS["text"]) for label in document(number)["labels"])
    assert Counter(row["relation"] for row in rows) == expected and manifest["k"] == 2
    several = [row["uid"] for row in rows if row["uid"].endswith(":P2")]
    assert several and all(uid.replace(":P2", ":P1") in {row["uid"] for row in rows} for uid in several)
    assert read(run / "stages/order/order.json").keys() <= {row["uid"] for row in rows}
    labels = {stage: set(read(run / f"stages/{stage}/model/model.json")["labels"]["names"]) for stage in ("order", "finetune")}
    assert labels["finetune"] - labels["order"] == {UNSEEN["document"]}, "labels of the gold data are not those of the distant ones"


def test_confidences_are_of_the_distant_documents(made):
    found = read(made("wcl.cfg") / "stages/confidence/confidence.json")
    assert len(found) == sum(len(document(number)["labels"]) for number in range(*PARTS["text"]))
    assert all(0 <= value <= 1 for value in found.values()) and len(set(found.values())) > 1


def test_the_threshold_of_development_data_is_used(made):
    found = read(made("finecl.cfg") / "metrics.json")
    assert found["evaluate"]["documents.threshold"] == found["threshold"]["threshold"]
    assert found["evaluate"]["documents.threshold_is_oracle"] == 0


# ---- denoising ---------------------------------------------------------------------------------------------------------------


def test_denoising_finds_wrong_labels_both_ways(made):
    run = made("denoise.cfg")
    found = read(run / "metrics.json")["order"]
    for recording in ("batch", "epoch"):
        assert 0 <= found[f"{recording}.auc"] <= 1 and 0 < found[f"{recording}.learned"] <= 1
    assert found["batch.unseen"] == 0
    for name in ("learned.csv", "learned.png", "relations.csv", "relations.png", "sheet.csv", "difficult.json"):
        assert (run / "stages/report" / name).stat().st_size > 0
    with (run / "stages/report/sheet.csv").open(encoding="utf-8", newline="") as file:
        sheet = list(csv.DictReader(file))
    assert len(sheet) == read(run / "metrics.json")["report"]["sheet"] > 0
    assert (run / "stages/order/order_batch.json").exists() and (run / "stages/order/order_epoch.json").exists()


# ---- the page ------------------------------------------------------------------------------------------------------------------


def test_the_commands_of_the_page_run(data, encoders, tmp_path, monkeypatch):
    """From a folder in which everything has the names that the page uses."""
    page = (ROOT / "docs/papers/finecl.md").read_text(encoding="utf-8")
    block = re.search(r"```bash\n(.*?)```", page, re.DOTALL)[1]
    monkeypatch.chdir(tmp_path)
    Path("configs").symlink_to(ROOT / "configs")
    for file in data.iterdir():
        Path(file.name).symlink_to(file)
    for line in block.splitlines():
        words = shlex.split(line)
        relcon(*words[1:], *(tiny(ROOT / words[2], encoders) if words[1] == "train" else []))
    manifest = read(Path("distant/manifest.json"))
    assert set(manifest["relations"]) == set(RELATIONS) - set(UNSEEN.values()) and manifest["labels_removed_for_leakage"] > 0
    threshold = read(Path("runs/finecl/metrics.json"))["threshold"]["threshold"]
    predicted = lines(Path("predictions.jsonl"))
    assert len({(each["document"], each["head"]["entity"], each["tail"]["entity"]) for each in predicted}) == 16 * 12
    found = [each for each in predicted if each["label"] != "Na"]
    assert found and all(each["probability"] >= threshold for each in found)
    assert "batch.auc" in read(Path("runs/denoise/metrics.json"))["order"]


def test_gradient_caching_changes_no_figure(train, made, tmp_path):
    """The page names it as the way to more negatives."""
    run = train("erica.cfg", tmp_path / "run", "--training.gradient_caching", "true")
    assert losses(run) == pytest.approx(losses(made("erica.cfg")), rel=1e-4)


@pytest.mark.parametrize("name", ["finecl.cfg", "denoise.cfg"])
def test_a_dry_run_shows_the_plan_of_every_stage(name, train, tmp_path, capsys):
    train(name, tmp_path / "run", "--dry-run")
    shown = capsys.readouterr().out
    assert all(stage in shown for stage in re.findall(r"\[stages\.(\w+)\]", (CONFIGS / name).read_text(encoding="utf-8")))
    assert "unknown" not in shown and not (tmp_path / "run").exists()


# ---- benchmarks ----------------------------------------------------------------------------------------------------------------


def loaded(name):
    """A benchmark as a module."""
    spec = importlib.util.spec_from_file_location(f"finecl_{name}", ROOT / f"benchmarks/finecl/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def benchmark(data, encoders, monkeypatch):
    """`benchmark("denoising")`: a module of the benchmarks whose runs are tiny."""

    def load(name):
        module = loaded(name)
        run = module.run

        def tiny_run(config, output, overrides, *more):
            return run(config, output, [*overrides, *(str(word) for word in tiny(config, encoders))], *more)

        monkeypatch.setattr(module, "run", tiny_run)
        return module

    return load


def test_the_denoising_benchmark(benchmark, data, tmp_path, monkeypatch):
    """Every arm once, and the table of what they come to."""
    module = benchmark("denoising")
    (tmp_path / "wiki80").mkdir()
    shutil.copy(data / "sentences.txt", tmp_path / "wiki80/train_0.1.txt")
    shutil.copy(data / "test.txt", tmp_path / "wiki80/dev.txt")
    monkeypatch.setattr(module, "WIKI80", tmp_path / "wiki80")
    order = module.denoise(tmp_path, 0.3, 42)
    assert {f"{recording}.{name}" for recording in ("batch", "epoch") for name in module.FOUND} <= set(order)
    found = {0.3: {"order": [order], **{arm: [{"f1": module.trained(tmp_path, 0.3, 42, arm)}] for arm in module.ARMS}}}
    table = module.table(found)
    assert table.count("| 30% |") == 3 and f"{100 * found[0.3]['all'][0]['f1']:.1f}" in table


@pytest.fixture
def distant(benchmark, data, encoders, tmp_path, monkeypatch):
    """The benchmark of distant supervision, on corpora of the test."""
    module = benchmark("distant")
    corpora = {"docred/test.json": "text.json", "redocred/dev_revised.json": "text.json", "redocred/test_revised.json": "test.json"}
    corpora |= {"docred/rel_info.json": "rel_info.json", "docred/train_annotated_200.json": "train.json"}
    corpora |= {f"semeval2010_task8/opennre/{file}": f"{part}.txt" for part, file in module.FILES.items()}
    corpora |= {"semeval2010_task8/opennre/rel2id.json": "rel2id.json"}
    for name, own in corpora.items():
        (tmp_path / "data" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(data / own, tmp_path / "data" / name)
    monkeypatch.setattr(module, "DATA", tmp_path / "data")
    monkeypatch.setattr(module, "minilm_folder", lambda: encoders["bert"])
    monkeypatch.setattr(module, "subprocess", SimpleNamespace(run=lambda command, check: relcon(*command[3:])))
    return module


def test_the_benchmark_of_distant_supervision(distant, tmp_path):
    """Every arm once, two of them on sentences and on documents."""
    given = SimpleNamespace(output=tmp_path, full=False, words=[])
    weights = {(distant.pretrained(arm, given) / "model.safetensors").read_bytes() for arm in distant.ARMS}
    assert len(weights) == len(distant.ARMS) == 4
    on_documents = distant.fine_tuned("ERICA", "DocRED, 200 documents", given)
    assert "documents.f1" in read(on_documents / "metrics.json")["evaluate"]
    target = "SemEval, 10 %"
    for arm in (distant.NONE, "ERICA"):
        distant.fine_tuned(arm, target, given)
    head, _, *rows = distant.table(target, tmp_path).splitlines()
    assert head.startswith(f"| {target} |") and [row.split(" | ")[0] for row in rows] == [f"| {distant.NONE}", "| ERICA"]


def test_facts_are_keyed_by_all_names(distant, data):
    """A founder with two names of himself, and a firm with one."""
    record = document(1)
    record["vertexSet"][0][0]["name"], record["labels"] = "Arlo  Vane", [{"h": 0, "t": 1, "r": "P1"}]
    file = data / "facts.json"
    file.write_text(json.dumps([record]), encoding="utf-8")
    head, tail = ({mention["name"] for mention in entity} for entity in record["vertexSet"][:2])
    assert set(distant.facts(file)) == {f"{' '.join(one.lower().split())}\tP1\t{other.lower()}" for one in head for other in tail}


def test_a_part_of_a_config(distant, tmp_path):
    text = distant.part_of("erica", ["threshold", "evaluate"], tmp_path, ('split = "dev"', 'split = "train"')).read_text(encoding="utf-8")
    assert re.findall(r"\[stages\.(\w+)\]", text) == ["threshold", "evaluate"] and "[data.reader]" in text
    assert 'split = "train"' in text and 'split = "dev"' not in text


def test_the_benchmark_of_building(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(sys, "path", list(sys.path))
    module = loaded("build")
    words = ["--documents", "6", "--triples", "20", "--workers", "1", "--part-documents", "4", "--folder", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["build.py", *words])
    module.main()
    assert "| 6 | 1 | " in capsys.readouterr().out


# ---- published sizes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("share", "size"), [(0.01, 73), (0.1, 660)])
def test_finecl_a15_semeval_sizes(share, size, shared):
    """SemEval-2010 Task 8 in OpenNRE's division, of which the development part has a label that the training part lacks."""
    folder = shared("data/semeval2010_task8/opennre")
    corpus = resolve(
        {
            "@corpora": "relcon.Corpus.v1",
            "train": str(folder / "train.txt"),
            "dev": str(folder / "val.txt"),
            "negative": ["Other"],
            "labels": str(folder / "rel2id.json"),
            "cache": "none",
            "reader": {"@readers": "relcon.OpenNRE.v1"},
            "candidates": {"@candidates": "relcon.AnnotatedPairs.v1"},
        },
        "[data]",
    )
    protocol = resolve({"@protocols": "relcon.Share.v1", "share": share, "seeds": [42], "draw": "exact"}, "[protocol]")
    ((_, part, _),) = protocol.runs(corpus, 0)
    assert len(part.split("train").instances) == size and len(part.split("dev").instances) == 1493
