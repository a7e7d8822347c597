"""Files are written whole or not at all."""

import json
import os
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Optional, Union

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


def refuse_replacing(output: Path, read: Optional[Path] = None, overwrite: bool = False) -> None:
    """RelconError where a file to be written is a folder, is what is read or a file of it, or exists and is not to be replaced."""
    if output.is_dir():
        raise RelconError(f"{output} is a folder. Give a file with --output.")
    if output.exists() and read is not None and _within(output, read):
        raise RelconError(f"--output {output} is the input, which would be lost. Give another --output.")
    if output.exists() and not overwrite:
        raise RelconError(f"{output} exists. Give another --output, or --overwrite to replace it.")


def refuse_filling(output: Path, read: Path, overwrite: bool = False) -> None:
    """RelconError where a folder to be written to is a file, is what is read or lies in it, or has files and none are to be replaced."""
    if output.exists() and _within(output, read):
        raise RelconError(f"--output {output} is the input, or lies in it. Give another folder.")
    if output.exists() and not output.is_dir():
        raise RelconError(f"--output {output} is a file; a folder is needed.")
    if output.is_dir() and any(output.iterdir()) and not overwrite:
        raise RelconError(f"--output {output} holds files. Give another folder, or --overwrite to replace those of the same names.")


def _within(path: Path, other: Path) -> bool:
    """Whether a path that exists is another one, under whatever name, or lies below it."""
    return other.exists() and any(each.samefile(other) for each in (path.resolve(), *path.resolve().parents))


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
