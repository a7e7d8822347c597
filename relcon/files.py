"""Files are written whole or not at all."""

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Union

from relcon.errors import RelconError

PathLike = Union[str, Path]


@contextmanager
def atomic(path: PathLike, mode: str = "w") -> Iterator[IO[Any]]:
    """A file to write; it appears under `path` when the block ends well and not at all otherwise.

    mode: 'w' (UTF-8 text) or 'wb'. RelconError where the folder cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = temporary.open(mode, encoding=None if "b" in mode else "utf-8")
    except OSError as error:
        below_file = isinstance(error, (FileExistsError, NotADirectoryError))
        reason = f"{path.parent} is a file or lies below one" if below_file else error.strerror
        raise RelconError(f"{path} cannot be written: {reason}. Choose another place or change its permissions.") from error
    try:
        with file:
            yield file
        _put(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _put(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except OSError as error:
        raise RelconError(f"{path} cannot be written: {error.strerror}. Choose another place.") from error


def write_json(path: PathLike, value: Any) -> None:
    """A value as indented JSON, atomically."""
    with atomic(path) as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.write("\n")


def read_json(path: PathLike) -> Any:
    """The value of a JSON file; RelconError where it is missing or broken."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RelconError(f"{path} does not exist.") from None
    except json.JSONDecodeError as error:
        raise RelconError(f"{path}:{error.lineno}: not valid JSON ({error.msg}).") from None


def append_jsonl(path: PathLike, record: Dict[str, Any]) -> None:
    """One more line of a log."""
    with Path(path).open("a", encoding="utf-8") as file:
        file.write(json.dumps(record, ensure_ascii=False) + "\n")


def read_jsonl(path: PathLike) -> List[Dict[str, Any]]:
    """The records of a log; a last line that was cut off in the middle is left out."""
    lines = Path(path).read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]
