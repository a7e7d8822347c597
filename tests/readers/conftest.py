"""Fixtures of the reader tests: write a file, read it, collect what is wrong with it."""

from pathlib import Path
from typing import Any, Callable, List, Tuple

import pytest

from relcon.data.document import Document
from relcon.errors import DataError
from relcon.interfaces import DatasetReader


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """`write("train.txt", text)`: a UTF-8 file of exactly these characters."""

    def to_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode("utf-8"))
        return path

    return to_file


@pytest.fixture
def read() -> Callable[..., List[Document]]:
    """`read("relcon.OpenNRE.v1", path, check_names=False)`: all documents, through the registered reader."""
    return lambda name, path, **arguments: list(DatasetReader.registry.get(name)(**arguments).read(path))


@pytest.fixture
def faults(read: Callable[..., Any]) -> Callable[..., List[Tuple[str, str]]]:
    """`faults("relcon.OpenNRE.v1", path)`: the problems, as (file name and line, message)."""

    def of(name: str, path: Path, **arguments: Any) -> List[Tuple[str, str]]:
        with pytest.raises(DataError) as caught:
            read(name, path, **arguments)
        return [(Path(problem.where).name, problem.message) for problem in caught.value.problems]

    return of
