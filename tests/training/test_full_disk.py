"""A disk that is full: one message, what was good is kept, nothing half-written; with room, the run goes on and is the same."""

import errno
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any, Iterator

import pytest

from relcon.errors import RelconError, WriteError
from relcon.files import append_jsonl, atomic, whole_folder

STAGE = ["--protocol", "null", "--stages.pretrain", "null", "--stages.finetune.epochs", "2"]


@pytest.fixture
def words(workshop: Any) -> Any:
    """`words(output)`: of a run with one training stage."""
    encoder = [
        "--stages.finetune.encoders.text.@encoders",
        "relcon.Transformer.v1",
        "--stages.finetune.encoders.text.path",
        workshop.folder / "bert",
    ]
    pooler = ["--stages.finetune.poolers.sentence.@poolers", "relcon.CLS.v1"]
    return lambda output: workshop.words(output, *STAGE, *encoder, *pooler)


def fails_well(workshop: Any, command: Any, output: Path, file: str) -> None:
    """One message that names the file and the way on, exit code 2, no leftovers; the way on works."""
    assert command.ended() == 2
    said = command.err.read_text()
    assert said.startswith(f"error: {output / file} cannot be written: ") and said.count("error:") == 1 and "Traceback" not in said, said
    assert [path for path in output.rglob("*.part")] == []
    again = shlex.split(said.partition("with: ")[2])
    assert again[:2] == ["relcon", "train"]


@pytest.fixture(scope="module")
def whole(workshop: Any) -> Path:
    """Where the uninterrupted run lies."""
    return workshop.folder / "whole"


def test_a_file_that_grows_too_large(workshop: Any, words: Any, whole: Path) -> None:
    assert workshop.start(words(whole)).ended() == 0
    weights = (whole / "stages/finetune/model/text/model.safetensors").stat().st_size
    output = workshop.folder / "limited"
    command = workshop.start(words(output), limit=int(1.5 * weights))  # the optimizer's two moments do not fit
    fails_well(workshop, command, output, "checkpoints/finetune/step-2")
    said = command.err.read_text()
    assert "File too large" in said and "Nothing had been kept yet." in said
    assert workshop.start([*words(output), "--resume"]).ended() == 0
    assert workshop.differences(output, whole) == []


@pytest.fixture
def small_disk(tmp_path: Path, workshop: Any, words: Any, whole: Path) -> Iterator[Path]:
    """A disk of its own with room for one checkpoint (three times the weights) and a best model, and not for two."""
    if not whole.exists():
        assert workshop.start(words(whole)).ended() == 0
    size = int(5.5 * sum(file.stat().st_size for file in (whole / "stages/finetune/model").rglob("*") if file.is_file()))
    place = tmp_path / "disk"
    place.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", str(place)], check=True)


def test_a_disk_that_is_full(workshop: Any, words: Any, small_disk: Path, whole: Path) -> None:
    output = small_disk / "run"
    command = workshop.start(words(output))
    assert command.ended() == 2
    said = command.err.read_text()
    assert "cannot be written: No space left on device" in said and "Traceback" not in said
    kept = sorted((output / "checkpoints/finetune").glob("step-*"))
    assert kept and f"Kept: checkpoint {kept[-1]}." in said and "Go on with: relcon train" in said
    assert [path for path in output.rglob("*.part")] == []
    larger = workshop.folder / "larger"
    shutil.copytree(output, larger)
    assert workshop.start([*words(larger), "--resume"]).ended() == 0
    assert workshop.differences(larger, whole) == []


# ---- in this process -----------------------------------------------------------------------------------------------------


def full(*_: Any) -> Any:
    """What a full disk says."""
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_file_names_itself(tmp_path: Path) -> None:
    with pytest.raises(WriteError, match=r"a\.txt cannot be written: No space left on device"), atomic(tmp_path / "a.txt") as file:
        file.write("half")
        full()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), Exception("No space left on device (os error 28)")])
def test_a_folder_names_itself_and_the_former_one_stays(tmp_path: Path, error: Exception) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "a").write_text("former")
    with pytest.raises(WriteError, match="model cannot be written: No space left on device"), whole_folder(tmp_path / "model") as folder:
        (folder / "a").write_text("half")
        raise error
    assert (tmp_path / "model" / "a").read_text() == "former" and [each.name for each in tmp_path.iterdir()] == ["model"]


def test_other_errors_are_not_taken_for_those_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError), atomic(Path("file")):
        Path("beside/weights").read_bytes()
    with pytest.raises(FileNotFoundError), whole_folder(tmp_path / "model"):
        Path("/nowhere/at/all").read_bytes()
    with pytest.raises(ZeroDivisionError), whole_folder(tmp_path / "model"):
        1 / 0  # noqa: B018
    with pytest.raises(RelconError, match="mine"), atomic(tmp_path / "file"):
        raise RelconError("mine")
    assert list(tmp_path.iterdir()) == []


def test_a_line_of_a_log_is_whole_or_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append_jsonl(tmp_path / "log.jsonl", {"step": 1})
    before = (tmp_path / "log.jsonl").read_bytes()
    opened = Path.open

    def half(self: Path, *words: Any, **options: Any) -> Any:
        file = opened(self, *words, **options)

        class Half:
            def __enter__(self) -> Any:
                return self

            def __exit__(self, *error: Any) -> None:
                file.close()

            def write(self, content: bytes) -> None:
                file.write(content[:5])
                full()

        return Half()

    monkeypatch.setattr(Path, "open", half)
    with pytest.raises(WriteError, match=r"log\.jsonl cannot be written"):
        append_jsonl(tmp_path / "log.jsonl", {"step": 2})
    monkeypatch.undo()
    assert (tmp_path / "log.jsonl").read_bytes() == before
