"""Joint extraction through the real command line: every config on invented sentences, what their comments say, resuming, bad input."""

import json
import logging
import os
import random
import re
import shlex
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import pytest

from relcon.cli.main import main
from relcon.errors import RelconError
from relcon.model import SavedModel
from relcon.testing import tiny_encoder_folder
from relcon.training.loop import Loop

CONFIGS = Path(__file__).parents[3] / "configs" / "pspe"
NAMES = ["scierc.cfg", "ade.cfg", "ace05.cfg", "spe_ds.cfg", "paper/scierc.cfg", "paper/ace05.cfg", "paper/spe_ds.cfg"]
KINDS = {"scierc": ("Method", "Task", "USED-FOR"), "ace05": ("PER", "ORG", "ORG-AFF"), "nyt": ("PERSON", "LOCATION", "lived in")}
ONES = ["abirol", "betaxin", "wide cedrine", "dolamide", "eprazol"]
OTHERS = ["parsing", "deep tagging", "naming", "very long drawing"]
FRAMES = ["we use {1} for {2} .", "{2} needs {1}", "for {2} they took {1} in vain .", "{1} rose .", "nothing was seen ."]
Words = Sequence[Any]


def sentence(number: int) -> Dict[str, Any]:
    """Tokens, and the spans of both arguments as far as they are there; these are then related, the first one the head."""
    draw = random.Random(number)
    tokens: List[str] = []
    spans: Dict[str, List[int]] = {}
    for word in FRAMES[number % len(FRAMES)].split():
        phrase = draw.choice({"{1}": ONES, "{2}": OTHERS}.get(word, [word])).split()
        if word[0] == "{":
            spans[word[1]] = [len(tokens), len(tokens) + len(phrase)]
        tokens += phrase
    return {"tokens": tokens, "spans": spans}


# ---- the formats of the configs ----------------------------------------------------------------------------------------------


def dygie(numbers: Sequence[int], kinds: Sequence[str]) -> str:
    """Documents of three sentences."""
    rows = []
    for number in numbers:
        parts, start = [sentence(3 * number + place) for place in range(3)], 0
        row: Dict[str, Any] = {"doc_key": f"d{number}", "sentences": [], "ner": [], "relations": []}
        for part in parts:
            ends = {name: [start + first, start + last - 1] for name, (first, last) in part["spans"].items()}
            row["sentences"].append(part["tokens"])
            row["ner"].append([[*span, kinds[int(name) - 1]] for name, span in ends.items()])
            row["relations"].append([[*ends["1"], *ends["2"], kinds[2]]] if len(ends) == 2 else [])
            start += len(part["tokens"])
        rows.append(json.dumps(row))
    return "\n".join(rows) + "\n"


def released(numbers: Sequence[int], kinds: Sequence[str], unrelated: str = "") -> str:
    """unrelated: what the other direction of each related pair is called, where it is written down."""
    rows = []
    for number in numbers:
        each = sentence(number)
        texts = {name: " ".join(each["tokens"][slice(*span)]) for name, span in each["spans"].items()}
        mentions = [
            {"emId": name, "text": texts[name], "offset": span, "label": kinds[int(name) - 1]} for name, span in each["spans"].items()
        ]
        fact = {"em1Id": "1", "em2Id": "2", "em1Text": texts.get("1"), "em2Text": texts.get("2"), "label": kinds[2]}
        back = {"em1Id": "2", "em2Id": "1", "em1Text": texts.get("2"), "em2Text": texts.get("1"), "label": unrelated}
        facts = [fact, back][: 1 + bool(unrelated)] if len(texts) == 2 else []
        record = {"sentId": number, "articleId": "a", "sentText": " ".join(each["tokens"]), "entityMentions": mentions}
        rows.append(json.dumps({**record, "relationMentions": facts}))
    return "\n".join(rows) + "\n"


def docred(numbers: Sequence[int]) -> str:
    rows = []
    for number in numbers:
        each = sentence(number)
        types = {"1": "PER", "2": "LOC"}
        vertices = [
            [{"name": " ".join(each["tokens"][slice(*span)]), "pos": span, "sent_id": 0, "type": types[name]}]
            for name, span in sorted(each["spans"].items())
        ]
        facts = [{"h": 0, "t": 1, "r": "P1", "evidence": []}] if len(vertices) == 2 else []
        rows.append({"title": f"t{number}", "sents": [each["tokens"]], "vertexSet": vertices, "labels": facts})
    return json.dumps(rows)


def spert(numbers: Sequence[int]) -> str:
    rows = []
    for number in numbers:
        each = sentence(number)
        kinds = {"1": "Drug", "2": "Adverse-Effect"}
        entities = [{"type": kinds[name], "start": start, "end": end} for name, (start, end) in sorted(each["spans"].items())]
        facts = [{"type": "Adverse-Effect", "head": 1, "tail": 0}] if len(entities) == 2 else []
        rows.append({"tokens": each["tokens"], "entities": entities, "relations": facts, "orig_id": number})
    return json.dumps(rows)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all corpora and an encoder."""
    folder = tmp_path_factory.mktemp("joint")
    words = sorted({word for number in range(200) for word in sentence(number)["tokens"]})
    tiny_encoder_folder(folder / "bert", words=words, layers=1)
    text = [" ".join(sentence(number)["tokens"]) for number in range(100, 160)]
    ids = [str(number) for number in range(40)]
    files = {
        "sentences.txt": "\n".join(text) + "\n",
        "nyt.json": released(range(60, 90), KINDS["nyt"], unrelated="None"),
        "distant.json": docred(range(60, 90)),
        "ade.json": spert(range(40)),
        "folds.json": json.dumps({f"split_{n + 1}": {"train set": ids[20 * (1 - n):][:20], "test set": ids[20 * n:][:20]} for n in (0, 1)}),
    }
    for part, numbers in {"train": range(16), "dev": range(16, 20), "test": range(20, 24)}.items():
        files[f"scierc-{part}.json"] = dygie(numbers, KINDS["scierc"])
        files[f"ace05-{part}.json"] = released([3 * number + n for number in numbers for n in range(3)], KINDS["ace05"])
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def relcon(*words: Any) -> None:
    """The command line in this process; SystemExit with another code than 0 goes through."""
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        if end.code:
            raise


SPANS = {"state": 32, "channels": 4, "out": 12, "attention": 16, "positions": 4}


def tiny(name: str, place: Path) -> List[Any]:
    """Overrides that make a config tiny and give it its files."""
    text = (CONFIGS / name).read_text(encoding="utf-8")
    stem = Path(name).stem
    kind = {"spe_ds": "ace05" if "paper" in name else "scierc"}.get(stem, stem)
    files: Dict[str, Path] = {part: place / f"{kind}-{part}.json" for part in ("train", "dev", "test")}
    if stem == "ade":
        files = {"train": place / "ade.json", "folds": place / "folds.json"}
    known = {"text": "sentences.txt", "distant": "distant.json", "nyt": "nyt.json", "encoder": "bert"}
    files |= {key: place / file for key, file in known.items() if re.search(rf"^{key} = null$", text, re.MULTILINE)}
    words: List[Any] = [word for key, file in files.items() for word in (f"--paths.{key}", file)]
    words += ["--training.batch_size", 8, "--training.epochs", 2, "--training.device", "cpu", "--training.log_every", 1]
    for stage in re.findall(r"^\[stages\.(\w+)\.poolers\.spans\]$", text, re.MULTILINE):
        words += small_spans(stage)
        words += small_encoder(stage, place)
    if "[stages.pretrain.tasks.contrast.anchors]" in text:
        words += ["--stages.pretrain.streams.sentences.batch_size", 8, "--stages.pretrain.max_steps", 3]
        words += ["--stages.pretrain.tasks.contrast.anchors.head", "[12]"]
        words += ["--stages.pretrain.tasks.contrast.adjusters.queue.size", 32]
    for stage in re.findall(r"^\[stages\.(\w+)\.tasks\.joint\]$", text, re.MULTILINE):
        words += [f"--stages.{stage}.tasks.joint.head", "[12, 8]"]
    return words + (["--stages.distant.epochs", 1] if stem == "spe_ds" else [])


def small_spans(stage: str) -> List[Any]:
    return [word for key, value in SPANS.items() for word in (f"--stages.{stage}.poolers.spans.{key}", value)]


def small_encoder(stage: str, place: Path) -> List[Any]:
    encoder = f"--stages.{stage}.encoders.text"
    return [f"{encoder}.@encoders", "relcon.Transformer.v1", f"{encoder}.path", place / "bert", f"{encoder}.max_length", 64]


@pytest.fixture(scope="module")
def run(place: Path) -> Callable[..., Path]:
    """`run(name, folder, ...)`: a tiny run of a config."""

    def made(name: str, folder: Path, *words: Any) -> Path:
        relcon("train", CONFIGS / name, "--output", folder, *tiny(name, place), *words)
        return folder

    return made


@pytest.fixture(scope="module")
def whole(run: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that pre-trains, and then learns enough to find something."""
    words = ["--training.epochs", 12, "--stages.joint.optimizer.lr", 5e-3, "--stages.joint.optimizer.head_lr", 5e-3]
    return run("scierc.cfg", tmp_path_factory.mktemp("runs") / "scierc", *words)


def from_run(folder: Path) -> Words:
    """Overrides that take what a run pre-trained, whose encoder is tiny."""
    return ["--paths.pretrained", folder / "stages/pretrain/model", "--stages.joint.encoders.text.max_length", 64]


def metrics(folder: Path) -> Dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text(encoding="utf-8"))  # type: ignore[no-any-return]


def lines(file: Path) -> List[Any]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


# ---- the whole way -----------------------------------------------------------------------------------------------------------


def test_pre_training_then_joint_extraction(whole: Path) -> None:
    found = metrics(whole)
    assert found["pretrain"]["steps"] == 3 and found["joint"]["epoch"] >= 5
    assert found["evaluate"]["extraction.entity_f1"] > 0.5, "these sentences are easy"
    looks = [line for line in lines(whole / "log.jsonl") if line["event"] == "dev"]
    assert [line["epoch"] for line in looks] == list(range(5, 13))
    assert max(line["entity_and_strict"] for line in looks) == found["joint"]["dev"]
    steps = [line["figures"] for line in lines(whole / "log.jsonl") if line["event"] == "step" and line["stage"] == "joint"]
    assert {f"joint.{level}_{what}" for level in ("tag", "type", "relation") for what in ("loss", "accuracy")} <= set(steps[0])
    assert steps[-1]["joint.tag_loss"] < steps[0]["joint.tag_loss"]


def test_evaluation_of_the_finished_run(whole: Path, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    relcon("evaluate", whole, "--data", place / "scierc-test.json")
    said = capsys.readouterr().out
    figure = metrics(whole)["evaluate"]["extraction.entity_f1"]
    assert f"{100 * figure:.2f}" in said or f"{figure:.4f}" in said or f"{figure:.3f}" in said


def test_prediction_on_raw_text(whole: Path, tmp_path: Path) -> None:
    text = tmp_path / "new.txt"
    text.write_text("We use abirol for parsing.\n\nnothing was seen .\nabirol\n", encoding="utf-8")
    relcon("predict", whole, text, "--reader", "relcon.PlainText.v1", "--output", tmp_path / "found.jsonl")
    found = lines(tmp_path / "found.jsonl")
    assert len(found) == 3, "one object per document, also where nothing is found"
    assert found[0]["text"] == "We use abirol for parsing." and {"document", "entities", "relations"} <= set(found[1])
    for record in found:
        for entity in record["entities"]:
            ((start, end),) = entity["characters"]
            assert record["text"][start:end] == entity["text"] and 0 < entity["probability"] <= 1
        assert all({fact["head"], fact["tail"]} <= set(range(len(record["entities"]))) for fact in record["relations"])
    assert any(record["entities"] for record in found)


def test_what_is_taken_up_is_what_was_pre_trained(whole: Path) -> None:
    before, after = (SavedModel(whole / f"stages/{stage}/model") for stage in ("pretrain", "joint"))
    assert set(before.about["poolers"]) == {"spans", "spans_momentum"} and set(after.about["poolers"]) == {"spans"}
    assert after.about["poolers"]["spans"] == before.about["poolers"]["spans"] and after.about["renderer"] is None


@pytest.mark.parametrize("name", NAMES)
def test_every_config_runs(name: str, run: Callable[..., Path], whole: Path, tmp_path: Path) -> None:
    if name == "scierc.cfg":
        return  # the fixture
    words = from_run(whole) if "pretrained = null" in (CONFIGS / name).read_text(encoding="utf-8") else []
    folder = run(name, tmp_path / "run", *words)
    found = metrics(folder / "folds/fold_01" if name == "ade.cfg" else folder)["evaluate"]
    assert {"extraction.entity_f1", "extraction.strict_f1", "extraction.relation_f1", "extraction.span_f1"} <= set(found)
    if name == "paper/spe_ds.cfg":
        assert SavedModel(folder / "stages/distant/model").labels.positive == (KINDS["nyt"][2],), '"None" is no relation'


# ---- what the comments of configs say ----------------------------------------------------------------------------------------


def said(name: str, beginning: str) -> List[str]:
    """The overrides of a comment, from the line that begins so up to the next one that begins another."""
    text = (CONFIGS / name).read_text(encoding="utf-8")
    _, _, rest = text.partition(f"# {beginning}")
    assert rest, beginning
    head, *more = rest.splitlines()
    taken = [head.partition(": ")[2] if ": --" in head else ""]
    for line in more:
        if not line.startswith("#   --"):
            break
        taken.append(line[1:])
    return shlex.split(" ".join(taken))


COMMENTS = [
    ("scierc.cfg", "Without pre-training"),
    ("scierc.cfg", "From the pre-training of another run"),
    ("scierc.cfg", "Without the pre-trained span encoders"),
    ("scierc.cfg", "From the slow copies"),
    ("scierc.cfg", "A tenth of the training sentences"),
    ("ade.cfg", "Without pre-training"),
    ("ace05.cfg", "Without pre-training"),
    ("paper/scierc.cfg", "BERT, SpanBERT or SciBERT without pre-training"),
    ("paper/scierc.cfg", "Without the pre-trained span encoders"),
    ("paper/scierc.cfg", "From the slow copies"),
    ("paper/scierc.cfg", "As the paper says it"),
    ("paper/scierc.cfg", "As the released code, zeros"),
]


@pytest.mark.parametrize("name, beginning", COMMENTS)
def test_overrides_of_comments(name: str, beginning: str, run: Callable[..., Path], whole: Path, place: Path, tmp_path: Path) -> None:
    pretrained = str(whole / "stages/pretrain/model")
    words = [word.replace("RUN/stages/pretrain/model", pretrained) for word in said(name, beginning)]
    words = [str(place / "bert") if word == "bert-base-cased" else word for word in words]
    small = small_spans("joint") if "--stages.joint.poolers.spans.@poolers" in words else []
    if "relcon.MiniLM.v1" in words:
        small += small_encoder("joint", place)
    if "--paths.pretrained" in (CONFIGS / name).read_text(encoding="utf-8"):
        small += from_run(whole)
    dropped = ("--stages.pretrain.", "--stages.joint.encoders.text.", "--stages.joint.poolers.spans.")
    keys = {word for word in words if word.startswith("--")}
    base = tiny(name, place)
    pairs = list(zip(base[::2], base[1::2], strict=True))
    kept = [pair for pair in pairs if not (pair[0].startswith(dropped) and any(taken_over(pair[0], key, words) for key in keys))]
    folder = tmp_path / "run"
    relcon("train", CONFIGS / name, "--output", folder, *(word for pair in kept for word in pair), *words, *small)
    (folder,) = [*folder.glob("folds/fold_01"), *folder.glob("seeds/seed_1")] or [folder]
    found = metrics(folder)
    assert "extraction.strict_f1" in found["evaluate"]
    assert found["joint"]["steps"] > 0 and ("--stages.pretrain" not in words or "pretrain" not in found)


def taken_over(small: str, key: str, words: Sequence[str]) -> bool:
    """Whether an override that makes things small has no place any more, since another one put a text or null in place of its block."""
    value = words[words.index(key) + 1]
    gone = value == "null" or value.startswith("pretrain.") or value == "relcon.Saved.v1"
    return gone and small.startswith(key.removesuffix(".@stages") + ".")


def test_the_real_scierc(place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """One step over all of its training sentences; evaluation of a few documents."""
    folder = Path(os.environ.get("RELCON_SHARED", "../shared")) / "data/scierc/json"
    if not folder.exists():
        pytest.skip(f"no SciERC in {folder}; set RELCON_SHARED to the folder of the data")
    few = tmp_path / "few.json"
    few.write_text("".join((folder / "dev.json").read_text(encoding="utf-8").splitlines(keepends=True)[:3]), encoding="utf-8")
    words = ["--paths.train", folder / "train.json", "--paths.dev", few, "--paths.test", few, "--paths.text", few]
    words += [*said("scierc.cfg", "Without pre-training"), *small_encoder("joint", place), *small_spans("joint")]
    with caplog.at_level(logging.WARNING):
        relcon("train", CONFIGS / "scierc.cfg", "--output", tmp_path / "run", *words, "--training.max_steps", 1, "--training.device", "cpu")
    learnt, overlapping = map(int, re.findall(r"(\d+) sentences to learn from .*entities overlap: (\d+)", caplog.text)[0])
    assert learnt + overlapping == 1861 and 0 < overlapping < 200
    assert metrics(tmp_path / "run")["evaluate"]["extraction.entities"] > 20


# ---- resuming ----------------------------------------------------------------------------------------------------------------


def test_a_resumed_run_ends_as_an_uninterrupted_one(
    run: Callable[..., Path], whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With candidates of the model's own, and dropout."""
    sampler = "--stages.joint.streams.sentences"
    words = [*from_run(whole), "--training.checkpoint_every", 2, f"{sampler}.warm_epochs", 0, f"{sampler}.k", 0.5]
    straight = run("ace05.cfg", tmp_path / "straight", *words)
    update, done = Loop.update, []

    def stopping(self: Loop, *rest: Any) -> Any:
        done.append(1)
        if len(done) == 10:
            raise RuntimeError("the power went")
        return update(self, *rest)

    monkeypatch.setattr(Loop, "update", stopping)
    with pytest.raises(RuntimeError, match="the power went"):
        run("ace05.cfg", tmp_path / "cut", *words)
    monkeypatch.undo()
    cut = run("ace05.cfg", tmp_path / "cut", *words, "--resume")
    weights = [SavedModel(folder / "model").fingerprint() for folder in (straight, cut)]
    assert weights[0] == weights[1] and metrics(straight) == metrics(cut)
    assert json.loads((cut / "run.json").read_text(encoding="utf-8"))["resumed"]


# ---- bad input -----------------------------------------------------------------------------------------------------------------


def changed(file: Path, to: Path, change: Callable[[Dict[str, Any]], None]) -> Path:
    """A copy whose first record is changed."""
    rows = lines(file)
    change(rows[0])
    to.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return to


def test_nested_entities(run: Callable[..., Path], place: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A training sentence is left out and counted; in the test split the sentence counts, and is left out of the other figures."""

    def nest(row: Dict[str, Any]) -> None:
        start, end, _ = row["ner"][0][1]
        row["ner"][0] += [[start - 1, end, "Generic"]]

    train, test = (changed(place / f"scierc-{part}.json", tmp_path / part, nest) for part in ("train", "test"))
    alone = ["--stages.pretrain", "null", *small_encoder("joint", place), "--stages.joint.poolers.spans.@poolers", "pspe.SpanPair.v1"]
    words = tiny("scierc.cfg", place)
    words = [word for pair in zip(words[::2], words[1::2], strict=True) for word in pair if not pair[0].startswith("--stages.pretrain")]
    words += ["--paths.train", train, "--paths.test", test, *alone, *small_spans("joint")]
    with caplog.at_level(logging.WARNING):
        relcon("train", CONFIGS / "scierc.cfg", "--output", tmp_path / "run", *words)
    assert "47 sentences to learn from (sentences left out: entities overlap: 1)" in caplog.text
    found = metrics(tmp_path / "run")["evaluate"]
    assert found["extraction.overlapping_sentences"] == 1
    assert found["extraction.entities"] == found["extraction.entities.without_overlaps"] + 3


def failing(capsys: pytest.CaptureFixture[str], *words: Any) -> str:
    """What a command says that fails."""
    with pytest.raises((SystemExit, RelconError)) as caught:
        main([str(word) for word in words])
    out = capsys.readouterr()
    return f"{caught.value} {out.err} {out.out}".replace("\n", " ")


def test_records_that_make_no_sense(whole: Path, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def point_nowhere(row: Dict[str, Any]) -> None:
        row["relationMentions"][0]["em2Id"] = "9"

    def rename(row: Dict[str, Any]) -> None:
        row["entityMentions"][0]["label"] = "PERS"

    def relabel(row: Dict[str, Any]) -> None:
        row["relationMentions"][0]["label"] = "ART"

    for part, change, message in (
        ("train", point_nowhere, "9"),
        ("train", rename, "has an entity of the type 'PERS', which `types` does not name. Did you mean 'PER'?"),
        ("test", relabel, "ART"),
    ):
        file = changed(place / f"ace05-{part}.json", tmp_path / f"{change.__name__}.json", change)
        words = [*tiny("ace05.cfg", place), *from_run(whole), f"--paths.{part}", file]
        told = failing(capsys, "train", CONFIGS / "ace05.cfg", "--output", tmp_path / "wrong", *words)
        assert message in re.sub(r"\s+", " ", told), told
        assert not (tmp_path / "wrong").exists()


def test_a_label_that_training_never_saw_is_missed(whole: Path, place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def relabel(row: Dict[str, Any]) -> None:
        row["relations"][0][0][4] = "PART-OF"
        row["ner"][0][0][2] = "Unheard"

    file = changed(place / "scierc-test.json", tmp_path / "new.json", relabel)
    relcon("evaluate", whole, "--data", file, "--output", tmp_path / "measured")
    figures = json.loads((tmp_path / "measured/extraction/scores.json").read_text(encoding="utf-8"))["figures"]
    assert figures["strict_recall/PART-OF"] == 0 and figures["entity_recall/Unheard"] == 0
    assert figures["strict_support/PART-OF"] == 1
