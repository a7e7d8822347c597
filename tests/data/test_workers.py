"""Several processes: the same documents, pairs, lost relations and errors as one, in the same order."""

import importlib
import json
import logging
import pickle
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any, Dict, Iterator, List, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.data.candidates import AnnotatedPairs, EntityPairs
from relcon.data.corpus import FileCorpus
from relcon.data.reading import PartedReader
from relcon.data.workers import Workers
from relcon.errors import DataError, Problem, RelconError
from relcon.interfaces import DatasetReader, Split
from relcon.readers import records
from relcon.readers.jsonlines import JSONLines
from relcon.readers.records import cut_lines, lines

PARTS = '''
import os
from dataclasses import replace

from relcon.data.document import Parse
from relcon.interfaces import Parser


class Stars(Parser):
    """Every word hangs on the first; what has the wrong id ends the process."""

    def parse(self, documents):
        if any(each.id == "deadly" for each in documents):
            os._exit(1)
        return [replace(each, parse=Parse((0,) * len(each.words), ("dep",) * len(each.words))) for each in documents]
'''


@pytest.fixture
def stars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A parser of a module that other processes can import too."""
    (tmp_path / "parts_of_workers.py").write_text(PARTS)
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("parts_of_workers").Stars()
    del sys.modules["parts_of_workers"]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every few lines are a part, and every few documents a record batch."""
    monkeypatch.setattr(records, "PART_BYTES", 700)
    monkeypatch.setattr("relcon.data.reading.BATCH_DOCUMENTS", 7)


def record(name: str, label: str = "A") -> str:
    entities = [{"words": [0, 1]}, {"words": [1, 2]}, {"words": [4, 5]}]
    relations = [{"head": 0, "tail": 1, "label": label}, {"head": 1, "tail": 2, "label": "B"}]
    sentences = {"words": [[0, 3], [3, 5]]}
    words = ["ä", "b", ".", "c", "d"]
    return json.dumps({"id": name, "words": words, "entities": entities, "relations": relations, "sentences": sentences})


def write(path: Path, rows: List[str]) -> Path:
    path.write_text("\n".join(rows), encoding="utf-8")
    return path


def split_of(path: Path, workers: int, cache: Path, **more: Any) -> Split:
    usual: Dict[str, Any] = {"reader": JSONLines(), "candidates": EntityPairs(), "negative": ["none"]}
    return FileCorpus(**{**usual, **more}, train=str(path), cache=str(cache / str(workers)), workers=workers).split("train")


def both(path: Path, cache: Path, caplog: pytest.LogCaptureFixture, **more: Any) -> Tuple[Any, Any]:
    """What one process and what two make of a file: documents, pairs, lost relations, and what was said; or the error."""
    found = []
    for workers in (1, 2):
        caplog.clear()
        try:
            split = split_of(path, workers, cache, **more)
            made: List[Any] = [list(split.documents), [(each.uid, each.label) for each in split.instances], split.lost, split.fingerprint()]
        except RelconError as error:
            made = [type(error), str(error), getattr(error, "problems", None)]
        found.append([*made, [entry.getMessage() for entry in caplog.records if entry.levelno >= logging.WARNING]])
    return found[0], found[1]


GOOD = [record(f"d{number}", "AB"[number % 2]) for number in range(40)]


def test_a_file_is_read_in_parts() -> None:
    assert isinstance(JSONLines(), PartedReader) and isinstance(DatasetReader.registry.get("relcon.OpenNRE.v1")(), PartedReader)


def test_two_processes_make_what_one_makes(tmp_path: Path, stars: Any, caplog: pytest.LogCaptureFixture) -> None:
    path = write(tmp_path / "train.jsonl", ["\ufeff" + GOOD[0], "", *GOOD[1:], "  "])
    assert len(JSONLines().parts(path)) > 5
    one, two = both(path, tmp_path, caplog, parser=stars)
    assert one == two and len(one[0]) == 40 and one[0][39].parse is not None and one[0][39].source.line == 41
    assert len(one[2]) == 40 and "40 gold relations are no candidates" in one[-1][0]


BAD = {
    "bad records": [*GOOD[:10], *["{"] * 12, *GOOD[10:], '{"id": 3}'],
    "ids twice, far apart": [*GOOD, record("d0"), record("new"), record("d0")],
    "ids twice, near each other": [*GOOD[:20], GOOD[19], *GOOD[20:], GOOD[19]],
    "not UTF-8": [*GOOD[:30], "\udcff", *GOOD[30:]],
    "nothing good": ["{"] * 300,
    "an unknown label": [*GOOD, record("x", "C"), record("y", "D")],
}


@pytest.mark.parametrize("on_error", ["raise", "skip"])
@pytest.mark.parametrize("name", BAD)
def test_two_processes_complain_as_one(tmp_path: Path, name: str, on_error: str, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "train.jsonl"
    path.write_bytes("\n".join(BAD[name]).encode("utf-8", "surrogateescape"))
    one, two = both(path, tmp_path, caplog, reader=JSONLines(on_error=on_error), labels=["none", "A", "B"])  # type: ignore[arg-type]
    assert one == two
    refused = isinstance(one[0], type) and issubclass(one[0], DataError)
    assert refused == (on_error == "raise" or name in ("nothing good", "an unknown label"))


def test_the_error_of_a_rule_is_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    one, two = both(write(tmp_path / "train.jsonl", GOOD), tmp_path, caplog, negative=[], candidates=EntityPairs(directed=True))
    assert one == two and one[0] is RelconError and "needs the one label" in one[1]


def test_a_limit_is_kept(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """And what is wrong behind it is not looked at."""
    one, two = both(write(tmp_path / "train.jsonl", [*GOOD, "{"]), tmp_path, caplog, limit=15, labels=["none", "A", "B"])
    assert one == two and len(one[0]) == 15


def rule_of(module: str) -> Any:
    """A rule that no other process can have."""
    return type("Local", (AnnotatedPairs,), {"__module__": module})()


@pytest.mark.parametrize("importable", [False, True])
def test_what_cannot_be_sent_is_done_here_and_said(
    tmp_path: Path, importable: bool, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A class that is in no module, and one of a module that is no file of another process (`--code`)."""
    rule = rule_of("relcon_code_mine")
    module = ModuleType("relcon_code_mine")
    monkeypatch.setitem(sys.modules, "relcon_code_mine", module)
    if importable:
        module.Local = type(rule)  # type: ignore[attr-defined]
    split = split_of(write(tmp_path / "train.jsonl", GOOD), 2, tmp_path, candidates=rule, negative=[])
    assert len(split.instances) == 80 and "one process does the work" in caplog.text


def test_a_process_that_dies_is_an_error_for_people(tmp_path: Path, stars: Any) -> None:
    path = write(tmp_path / "train.jsonl", [*GOOD, record("deadly")])
    with pytest.raises(RelconError, match="ended without a word; memory may have run out"):
        split_of(path, 2, tmp_path, parser=stars)
    assert not list(tmp_path.rglob("*.part"))


KILLED = """
import os, signal, sys
from relcon.data.workers import Workers

def pid_of(number):
    return os.getpid()

if __name__ == "__main__":
    print(sorted({*Workers(2).map(pid_of, (), range(50))}), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_processes_end_with_the_one_that_they_work_for(tmp_path: Path) -> None:
    """A process that is left over holds the other end of stdout, so that this would not come to its end."""
    (tmp_path / "killed.py").write_text(KILLED)
    done = subprocess.run([sys.executable, str(tmp_path / "killed.py")], stdout=subprocess.PIPE, text=True, timeout=600)
    assert done.returncode == -signal.SIGKILL and json.loads(done.stdout)


def test_fewer_than_one_is_refused() -> None:
    with pytest.raises(ValueError, match="workers: 0 is below 1"):
        FileCorpus(JSONLines(), AnnotatedPairs(), workers=0)


def test_one_piece_starts_no_process() -> None:
    workers = Workers(2)
    assert list(workers.map(divmod, (7,), [2])) == [(3, 1)] and workers._pool is None


def test_errors_survive_the_way_from_another_process() -> None:
    error = DataError([Problem("a:1", "bad"), Problem("a:2", "worse")], "Wrong:", most=1)
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.problems, type(again)) == (str(error), error.problems, DataError)


CONTENT = st.lists(st.sampled_from(["a", "é", "\n", "\r\n", " ", "\r", "\u2028", "xyz"])).map("".join)


@given(content=CONTENT, size=st.integers(1, 9), mark=st.booleans())
@settings(max_examples=300, deadline=None)
def test_parts_have_every_line_once_with_its_number(content: str, size: int, mark: bool, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "lines.txt"
    path.write_bytes(b"\xef\xbb\xbf" * mark + content.encode())
    parts = cut_lines(path, size)
    assert [line for part in parts for line in lines(path, part)] == list(lines(path))
    assert all(one.end == two.start for one, two in pairwise(parts))
