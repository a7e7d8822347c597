"""docs/errors.md: every message that it shows is what its command says."""

import re
import shlex
from pathlib import Path
from typing import List, Tuple

import pytest

from relcon.cli.main import main
from relcon.sample import folder as sample_folder

ROOT = Path(__file__).parent.parent
SHOWN: List[Tuple[str, str]] = re.findall(
    r"^<!-- error: ([^\n]+) -->\n```text\n(.*?)^```", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
)
RECORDS = {
    "bad.jsonl": [
        '{"id": "a", "words": ["Zorvane", "runs", "Orsk"], "entities": [{"words": [0, 1]}, {"words": [2, 9]}], "relations": []}',
        '{"id": "b", "words": "Zorvane runs Orsk"}',
    ],
    "unlabelled.jsonl": ['{"id": "a", "words": ["Zorvane", "runs", "Orsk"], "entities": [{"words": [0, 1]}, {"words": [2, 3]}]}'],
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the page speaks of."""
    (tmp_path / "mine.cfg").write_text((ROOT / "configs" / "quickstart.cfg").read_text(encoding="utf-8"), encoding="utf-8")
    for name, lines in RECORDS.items():
        (tmp_path / name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (tmp_path / "zeros.bin").write_bytes(bytes(64))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "letters.txt").write_text("mine")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_page_shows_some() -> None:
    assert len(SHOWN) >= 15


@pytest.mark.parametrize("command, message", SHOWN, ids=[command for command, _ in SHOWN])
def test_the_message_is_that_of_the_page(command: str, message: str, place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(path.name for path in place.rglob("*"))
    with pytest.raises(SystemExit) as end:
        main(shlex.split(command)[1:])
    said = capsys.readouterr().err
    said = said.replace(str(sample_folder()), "SAMPLE").replace(str(place), "DIR")
    assert end.value.code == 2 and said[said.index("error: ") :] == message
    assert sorted(path.name for path in place.rglob("*")) == before, "a mistake leaves everything as it was"
