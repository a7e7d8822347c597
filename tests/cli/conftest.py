"""The real command line in process, over a tiny corpus, a tiny encoder and the smallest config that trains."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import pytest

from relcon.cli.main import main
from relcon.data.json import document_to_json
from relcon.testing import tiny_corpus, tiny_encoder_folder

TINY = Path(__file__).parent / "data" / "tiny.cfg"


@dataclass
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def relcon(capfd: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    """`relcon("train", config, "-o", folder)`: exit code, standard output and standard error, those of subprocesses included."""

    def run(*words: Any) -> Ended:
        code = 0
        try:
            main([str(word) for word in words])
        except SystemExit as end:
            code = int(end.code or 0)
        return Ended(code, *capfd.readouterr())

    return run


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny random BERT."""
    return tiny_encoder_folder(tmp_path_factory.mktemp("encoder") / "bert", layers=1)


@pytest.fixture(scope="session")
def records() -> List[Dict[str, Any]]:
    """24 sentences as relcon's own records, each label several times. Copy before changing one."""
    return [document_to_json(document) for document in tiny_corpus(24)]


def write(path: Path, records: Sequence[Dict[str, Any]]) -> Path:
    """Records as a JSON-lines file."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


@pytest.fixture
def data(tmp_path: Path, records: List[Dict[str, Any]]) -> Path:
    """A folder with train.jsonl, dev.jsonl and test.jsonl."""
    folder = tmp_path / "data"
    folder.mkdir()
    for name, part in (("train", records[:16]), ("dev", records[16:20]), ("test", records[20:])):
        write(folder / f"{name}.jsonl", [{**record, "source": None} for record in part])
    for name in ("train", "dev", "test"):
        rewrite(folder / f"{name}.jsonl", lambda record: record.pop("source"))
    return folder


@pytest.fixture
def change(data: Path) -> Callable[..., None]:
    """`change("train", function, 3)`: a function over record 3 (or over every record) of a split, in place."""
    return lambda split, function, number=-1: rewrite(data / f"{split}.jsonl", function, number)


def rewrite(path: Path, change: Callable[[Dict[str, Any]], Any], number: int = -1) -> None:
    """Change every record of a file in place, or only that of one number (from 0)."""
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    for place, record in enumerate(found):
        if number in (-1, place):
            change(record)
    write(path, found)


@pytest.fixture
def train(relcon: Callable[..., Ended], data: Path, encoder: Path) -> Callable[..., Ended]:
    """`train(output, "--training.seed", 3)`: a run of the tiny config."""

    def run(output: Path, *words: Any, config: Path = TINY) -> Ended:
        files = [word for name in ("train", "dev", "test") for word in (f"--paths.{name}", data / f"{name}.jsonl")]
        return relcon("train", config, "--output", output, *files, "--paths.encoder", encoder, *words)

    return run


@pytest.fixture
def refused(train: Callable[..., Ended], data: Path, tmp_path: Path) -> Callable[..., str]:
    """`refused("--data.train", "nowhere")`: the message of a run that must be refused, whole and alone, and must leave nothing."""

    def run(*words: Any, **options: Any) -> str:
        output = tmp_path / "run"
        before = contents(tmp_path)
        ended = train(output, *words, **options)
        assert contents(tmp_path) == before, "a refused run left something behind or changed its input"
        return message(ended)

    return run


def message(ended: Ended) -> str:
    """What a refused command said: exit code 2, one message on standard error, no traceback, nothing on standard output."""
    assert (ended.code, ended.out) == (2, ""), ended
    assert ended.err.count("error: ") == 1 and ended.err.startswith("error: "), ended.err
    assert "Traceback" not in ended.err
    return ended.err


def contents(folder: Path) -> Dict[str, bytes]:
    """Every file below a folder, and every folder as an empty one."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"" for path in sorted(folder.rglob("*"))}
