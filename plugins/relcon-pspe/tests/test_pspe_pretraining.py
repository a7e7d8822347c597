"""Pre-training through the real command line: every config on invented sentences, what their heads say, what is handed on, mistakes."""

import json
import math
import random
import re
import shlex
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
from relcon_pspe.sampler import SpanPairs
from safetensors.torch import load_file

from relcon.cli.main import main
from relcon.model import SavedModel
from relcon.testing import tiny_encoder_folder

ROOT = Path(__file__).parents[3]
CONFIGS = ROOT / "configs" / "pspe"
NAMES = sorted(str(file.relative_to(CONFIGS)) for file in CONFIGS.rglob("pretrain*.cfg"))

PEOPLE, FIRMS = ["Arlo", "Bettina", "Corvin", "Delphia"], ["Abelco", "Brightor", "Cindel", "Dromex"]
VERBS = ["founded", "joined", "left", "praised"]


def sentence(number: int) -> str:
    """Eleven words, most of several pieces."""
    draw = random.Random(number)
    return f"{draw.choice(PEOPLE)} {draw.choice(VERBS)} {draw.choice(FIRMS)} in {1900 + number} after a long war ."


def nyt(number: int) -> str:
    """A sentence in the form of the NYT data."""
    text = sentence(number)
    head, _, tail, *_ = text.split()
    mentions = [{"text": head, "label": "PERSON"}, {"text": tail, "label": "ORGANIZATION"}]
    relations = [{"em1Text": head, "em2Text": tail, "label": "/business/company"}]
    return json.dumps({"sentText": text, "entityMentions": mentions, "relationMentions": relations})


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dict[str, Path]:
    """The paths that configs ask for."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "sentences.txt").write_text("".join(f"{sentence(number)}\n" for number in range(24)), encoding="utf-8")
    (folder / "nyt.json").write_text("".join(f"{nyt(number)}\n" for number in range(24)), encoding="utf-8")
    encoder = tiny_encoder_folder(folder / "bert", layers=1)
    return {"text": folder / "sentences.txt", "nyt": folder / "nyt.json", "encoder": encoder}


def relcon(*words: Any) -> None:
    """The command line; SystemExit with another code than 0 goes through."""
    try:
        main([str(word) for word in words])
    except SystemExit as end:
        if end.code:
            raise


def paths(name: str, data: Dict[str, Path]) -> List[Any]:
    """Overrides of all paths of a config."""
    asked = re.search(r"\[paths\]\n((?:\w+ = null\n)+)", (CONFIGS / name).read_text(encoding="utf-8"))
    assert asked is not None
    return [word for path in re.findall(r"\w+(?= = null)", asked[1]) for word in (f"--paths.{path}", data[path])]


STAGE = "--stages.pretrain"
TEXT = f"{STAGE}.encoders.text"


def tiny(name: str, data: Dict[str, Path]) -> List[Any]:
    """Overrides that make a config tiny: a random encoder, four steps."""
    words: List[Any] = ["--training.device", "cpu", "--training.batch_size", 4, "--training.max_steps", 4, "--training.log_every", 1]
    words += [f"{STAGE}.poolers.spans.state", 32, f"{STAGE}.poolers.spans.channels", 4]
    if name.startswith("paper/"):
        return [*words, f"{STAGE}.accumulate", 2]
    return [*words, f"{TEXT}.@encoders", "relcon.Transformer.v1", f"{TEXT}.path", data["encoder"]]


def train(name: str, data: Dict[str, Path], folder: Path, *words: Any) -> Path:
    relcon("train", CONFIGS / name, "--output", folder, *paths(name, data), *tiny(name, data), *words)
    return folder


def lines(file: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def steps(run: Path) -> List[Dict[str, Any]]:
    return [record for record in lines(run / "log.jsonl") if record["event"] == "step"]


@pytest.mark.parametrize("name", NAMES)
def test_every_config_runs(name: str, data: Dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    relcon("check", CONFIGS / name, *paths(name, data), *tiny(name, data))
    assert "is sound" in capsys.readouterr().out
    run = train(name, data, tmp_path / "run")
    found = steps(run)
    assert len(found) == 4 and all(math.isfinite(record["loss"]) for record in found)
    for record in found:
        parts = record["parts"]
        total = 0.5 * parts["boundary"] + parts["permutation"] + 0.3 * parts["contrast"]
        assert record["loss"] == pytest.approx(total), "the weights of fact F16"
        assert 0 <= record["figures"]["boundary.accuracy"] <= 1 and 0 <= record["figures"]["permutation.accuracy"] <= 1
    contrasts = [record["parts"]["contrast"] for record in found]
    assert contrasts[0] == 0 and all(loss > 0 for loss in contrasts[1:]), "the queue is empty in the first step alone"
    check_model(run / "stages/pretrain/model")


def check_model(folder: Path) -> None:
    """Encoder and pooler, each twice, and the projections; the other heads end with training."""
    tensors = load_file(folder / "parts.safetensors")
    assert {name.split(".")[1] for name in tensors if name.startswith("tasks.")} <= {"contrast"}
    fast, slow = ([name for name in tensors if name.startswith(f"poolers.{part}.")] for part in ("spans", "spans_momentum"))
    assert slow and len(slow) == len(fast)
    saved = SavedModel(folder)
    for part in ("spans", "spans_momentum"):
        assert saved.pooler(part).width(32) == 300
    assert saved.encoder("text").width == saved.encoder("text_momentum").width == 32


def said(name: str) -> Iterator[List[str]]:
    """The overrides that the head of a config names, line by line."""
    head = (CONFIGS / name).read_text(encoding="utf-8").split("\n\n")[0]
    for line in head.splitlines():
        if "--" in line and "relcon train" not in line:
            yield shlex.split(re.sub(r"^.*?(?=--)", "", line))


SAID = [(name, words) for name in NAMES for words in said(name)]


def test_heads_name_overrides() -> None:
    assert len(SAID) >= 15


@pytest.mark.parametrize(("name", "words"), SAID, ids=[f"{name}: {' '.join(words)}" for name, words in SAID])
def test_what_heads_say_runs(name: str, words: List[str], data: Dict[str, Path], tmp_path: Path) -> None:
    run = train(name, data, tmp_path / "run", *words, "--training.max_steps", 2)
    left_out = {words[place].split(".")[-1] for place in range(len(words)) if words[place + 1 : place + 2] == ["null"]}
    assert all(set(record["parts"]) == {"contrast", "permutation", "boundary"} - left_out for record in steps(run))
    model = SavedModel(run / "stages/pretrain/model")
    assert ("spans_momentum" in model.about["poolers"]) == ("contrast" not in left_out)


# ---- mistakes and limits -------------------------------------------------------------------------------------------------


def refused(capsys: pytest.CaptureFixture[str], *words: Any) -> str:
    """What the command says that ends with a mistake."""
    with pytest.raises(SystemExit) as end:
        main([str(word) for word in words])
    assert end.value.code
    return " ".join(capsys.readouterr().err.split())


def test_a_queue_that_an_epoch_never_fills(data: Dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One step an epoch: in the first one there is no negative."""
    words = [*paths("pretrain_text.cfg", data), *tiny("pretrain_text.cfg", data), "--training.max_steps", 2, "--training.batch_size", 24]
    message = refused(capsys, "train", CONFIGS / "pretrain_text.cfg", "--output", tmp_path / "run", *words)
    assert "[stages.pretrain.tasks.contrast] taught nothing: none of the 48 terms of an epoch had both" in message
    assert "gives no negatives in the first optimizer step, in which it fills" in message
    assert "lower batch_size, accumulate or warm_up, or give more sentences" in message and "one label" not in message


def test_a_queue_larger_than_the_data_takes_what_there_is(data: Dict[str, Path], tmp_path: Path) -> None:
    """65,536 places, 24 sentences: keys of an anchor's own sentence stay out of the second epoch's softmax."""
    queue = f"{STAGE}.tasks.contrast.adjusters.queue.size"
    run = train("pretrain_text.cfg", data, tmp_path / "run", queue, 65536, "--training.max_steps", 9)
    assert len(steps(run)) == 9 and all(record["parts"]["contrast"] > 0 for record in steps(run)[1:])
    notes = json.loads((run / "run.json").read_text(encoding="utf-8"))["notes"]
    assert sum("queue of 65536 vectors a lane (relcon.Queue.v1)" in note for note in notes) == 2, "when it is full, and that it never is"


@pytest.mark.parametrize(
    ("text", "message"), [("", "sentences.txt"), ("word\n\nother\n", "no sentence of 2 to 128 words (2 shorter than 2 words)")]
)
def test_text_without_sentences(
    text: str, message: str, data: Dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "sentences.txt").write_text(text, encoding="utf-8")
    given = paths("pretrain_text.cfg", {**data, "text": tmp_path / "sentences.txt"})
    said = refused(capsys, "train", CONFIGS / "pretrain_text.cfg", "--output", tmp_path / "run", *given, *tiny("pretrain_text.cfg", data))
    assert message in said and not (tmp_path / "run").exists()


def test_a_resumed_run_is_the_same(data: Dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both lanes of the queue and all copies come back from the checkpoint of step 7, in the second epoch."""
    words = ["--training.max_steps", 9, "--training.checkpoint_every", 7]
    whole = train("pretrain_text.cfg", data, tmp_path / "whole", *words)
    batch, drawn = SpanPairs._batch, iter(range(100))

    def broken(self: SpanPairs, examples: Any) -> Any:
        if next(drawn) == 8:
            raise RuntimeError("pulled the plug")
        return batch(self, examples)

    with monkeypatch.context() as patch, pytest.raises(RuntimeError, match="pulled the plug"):
        patch.setattr(SpanPairs, "_batch", broken)
        train("pretrain_text.cfg", data, tmp_path / "cut", *words)
    cut = train("pretrain_text.cfg", data, tmp_path / "cut", *words, "--resume")
    assert [record["loss"] for record in steps(cut)] == [record["loss"] for record in steps(whole)]
    for name in ("parts.safetensors", "text/model.safetensors", "text_momentum/model.safetensors"):
        one, other = (load_file(run / "stages/pretrain/model" / name) for run in (whole, cut))
        assert one.keys() == other.keys() and all(one[key].equal(other[key]) for key in one)


def test_a_dry_run(data: Dict[str, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    train("pretrain_text.cfg", data, tmp_path / "run", "--dry-run")
    assert "pretrain" in capsys.readouterr().out and not (tmp_path / "run").exists()


# ---- the page --------------------------------------------------------------------------------------------------------------


def test_commands_and_blocks_of_the_page(data: Dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands of pre-training run from a folder in which the text has its name; blocks of a pre-training stage are those of the config,
    but for the sampler's default."""
    page = (ROOT / "docs/papers/pspe.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    Path("configs").symlink_to(ROOT / "configs")
    Path("sentences.txt").symlink_to(data["text"])
    commands = [line for block in re.findall(r"```bash\n(.*?)```", page, re.DOTALL) for line in block.splitlines() if "/pretrain" in line]
    assert commands
    for line in commands:
        words = shlex.split(line)
        assert words[:2] == ["relcon", "train"]
        relcon(*words[1:], *tiny("pretrain_text.cfg", data))
    config = (CONFIGS / "pretrain_text.cfg").read_text(encoding="utf-8")
    shown = "\n\n".join(re.findall(r"```ini\n(.*?)```", page, re.DOTALL))
    blocks = [block.strip() for block in shown.split("\n\n") if "[stages.pretrain." in block]
    assert len(blocks) >= 8
    for block in blocks:
        head = block.splitlines()[:2]
        assert "\n".join(head) in config, head
        settings = [line for line in block.splitlines()[2:] if line != "batch_size = 16"]
        section = config[config.index(head[0]) :].split("\n\n")[0].splitlines()
        assert set(settings) <= set(section), head
