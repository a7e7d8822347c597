"""Files and folders are written whole or not at all; a disk that refuses is named."""

import json
import os
import re
import reprlib
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Dict, Iterator, List, Optional, Union

from relcon.errors import RelconError, WriteError

PathLike = Union[str, Path]

LEFTOVER = re.compile(r"\..+\.\d+\.part")
"""What a file or folder is called until it is whole. One that is still there was left by a process that was killed."""


def part_of(path: Path, what: str = "") -> Path:
    """The name under which this process writes a file or folder before it is whole."""
    return path.with_name(f".{path.name}{what}.{os.getpid()}.part")


def remove_leftovers(folder: Path) -> None:
    """Delete what killed processes left half-written below a folder."""
    for path in [path for path in folder.rglob(".*.part") if LEFTOVER.fullmatch(path.name)]:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


# ---- a disk that refuses -------------------------------------------------------------------------------------------------


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Errors of the disk below become one WriteError that names what was being written."""
    try:
        yield
    except Exception as error:
        reason = refusal(error, path)
        if reason is None:
            raise
        advice = "Make room there, change its permissions, or choose another place."
        raise WriteError(f"{path} cannot be written: {reason}. {advice}") from error


def refusal(error: Exception, path: Path) -> Optional[str]:
    """Why the disk refused, or None where an error says something else.

    Python's own errors of writing have no file name; one that has the name of what is no part of the path, and no folder around it, is
    about reading that. The libraries in Rust (safetensors, tokenizers) tell the number in their text.
    """
    if isinstance(error, OSError):
        return error.strerror if error.filename is None or _is_written(Path(error.filename), path) else None
    found = re.search(r"\(os error (\d+)\)", str(error))
    return os.strerror(int(found[1])) if found and not isinstance(error, RelconError) else None


def _is_written(named: Path, path: Path) -> bool:
    """Whether a file is the path or in it, as which a part that has no name yet counts, or a folder around it."""
    below = named.relative_to(path.parent).parts if named.is_relative_to(path.parent) else ()
    return path.is_relative_to(named) or (below[:1] != () and (below[0] == path.name or bool(LEFTOVER.fullmatch(below[0]))))


# ---- files ---------------------------------------------------------------------------------------------------------------


@contextmanager
def atomic(path: PathLike, mode: str = "w") -> Iterator[IO[Any]]:
    """A file to write; it appears under `path` when the block ends well and not at all otherwise.

    mode: 'w' (UTF-8 text) or 'wb'. RelconError where the folder cannot be written, WriteError where the disk is full.
    """
    path = Path(path)
    temporary = part_of(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = temporary.open(mode, encoding=None if "b" in mode else "utf-8")
    except OSError as error:
        below_file = isinstance(error, (FileExistsError, NotADirectoryError))
        reason = f"{path.parent} is a file or lies below one" if below_file else error.strerror
        raise WriteError(f"{path} cannot be written: {reason}. Choose another place or change its permissions.") from error
    try:
        with naming(path), file:
            yield file
            file.flush()
            os.fsync(file.fileno())  # a power cut must not leave the new name on an empty file
        _put(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _put(temporary: Path, path: Path) -> None:
    try:
        temporary.replace(path)
    except OSError as error:
        raise WriteError(f"{path} cannot be written: {error.strerror}. Choose another place.") from error


def refuse_replacing(output: Path, read: Optional[Path] = None, overwrite: bool = False) -> None:
    """RelconError where a file to be written is a folder or a device, is what is read or a file of it, or exists and is not to be
    replaced."""
    if output.is_dir():
        raise RelconError(f"{output} is a folder. Give a file to write.")
    if output.exists() and not output.is_file():
        raise RelconError(f"{output} is no regular file, and would be replaced by one. Give a file to write.")
    if output.exists() and read is not None and within(output, read):
        raise RelconError(f"{output} is the input, which would be lost. Give another file to write.")
    if output.exists() and not overwrite:
        raise RelconError(f"{output} exists. Give another file to write, or --overwrite to replace it.")


def refuse_filling(output: Path, read: Path, overwrite: bool = False) -> None:
    """RelconError where a folder to be written to is a file, is what is read or lies in it, or has files and none are to be replaced."""
    if output.exists() and within(output, read):
        raise RelconError(f"{output} is the input, or lies in it. Give another folder to write to.")
    if output.exists() and not output.is_dir():
        raise RelconError(f"{output} is a file; a folder to write to is needed.")
    if output.is_dir() and any(output.iterdir()) and not overwrite:
        raise RelconError(f"{output} holds files. Give another folder, or --overwrite to replace those of the same names.")


def refuse_replacing_folder(output: Path, read: Path, overwrite: bool = False) -> None:
    """RelconError where a folder that appears as a whole is a file, is what is read, lies in it or around it, or has files and is not to be
    replaced."""
    if within(output, read):
        raise RelconError(f"{output} is the input, or lies in it. Give another folder to write to.")
    if output.is_dir() and within(read, output):
        raise RelconError(f"{output} holds the input, which would be lost. Give another folder to write to.")
    if output.exists() and not output.is_dir():
        raise RelconError(f"{output} is a file; a folder to write to is needed.")
    if output.is_dir() and any(output.iterdir()) and not overwrite:
        raise RelconError(f"{output} holds files. Give another folder, or --overwrite to replace it with all that is in it.")


def within(path: Path, other: Path) -> bool:
    """Whether a path is another one that exists, under whatever name, or lies below it."""
    above = (path.resolve(), *path.resolve().parents)
    return other.exists() and any(each.samefile(other) for each in above if each.exists())


def write_json(path: PathLike, value: Any) -> None:
    """A value as indented JSON, atomically."""
    with atomic(path) as file:
        json.dump(value, file, indent=2, ensure_ascii=False)
        file.write("\n")


def read_json(path: PathLike, expected: str = "") -> Any:
    """The value of a JSON file.

    expected: what should be there, for messages ('an object {"P17": "country", ...}'). RelconError, with line and column where they are
    known, where the file is missing or cannot be read, is no UTF-8 text or no JSON, or nests deeper than Python reads.
    """
    advice = f" Expected {expected}." if expected else ""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise RelconError(f"{path} does not exist.{advice}") from None
    except OSError as error:
        raise RelconError(f"{path} cannot be read: {error.strerror or error}.{advice}") from error
    except UnicodeDecodeError as error:
        raise RelconError(f"{path} is not UTF-8 text (byte {error.start + 1}).{advice}") from None
    except json.JSONDecodeError as error:
        raise RelconError(f"{path}:{error.lineno}: not valid JSON ({error.msg}, column {error.colno}).{advice}") from None
    except (ValueError, RecursionError) as error:  # a number of thousands of digits; brackets in thousands of brackets
        raise RelconError(f"{path} is not JSON that can be read: {error}.{advice}") from None


def read_object(path: PathLike, expected: str = "an object, {...}") -> Dict[str, Any]:
    """The value of a JSON file that is one object. RelconError as of `read_json`, and where it is another value."""
    value = read_json(path, expected)
    if not isinstance(value, dict):
        raise RelconError(f"{path}: expected {expected}, here it is {reprlib.repr(value)}.")
    return value


def append_jsonl(path: PathLike, record: Dict[str, Any]) -> None:
    """One more line of a log, or none of it where the disk is full."""
    path, line = Path(path), (json.dumps(record, ensure_ascii=False) + "\n").encode("utf-8")
    before = size(path)
    with naming(path):
        try:
            with path.open("ab") as file:
                file.write(line)
        except OSError:
            cut(path, before)
            raise


def read_jsonl(path: PathLike) -> List[Dict[str, Any]]:
    """The records of a log; a last line that was cut off in the middle is left out."""
    lines = Path(path).read_text(encoding="utf-8").split("\n")
    return [json.loads(line) for line in lines[:-1] if line]


def size(path: Path) -> int:
    """The length of a file in bytes, 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def cut(path: Path, length: int) -> None:
    """Take away what a file has beyond a length in bytes."""
    if size(path) > length:
        os.truncate(path, length)


# ---- folders -------------------------------------------------------------------------------------------------------------


@contextmanager
def whole_folder(target: Path, replace: bool = True) -> Iterator[Path]:
    """A folder to fill; it appears as `target`, in place of what was there, when the block ends well and not at all otherwise.

    replace: False leaves a folder that another process made in the meantime, which may be using it, in its place.
    It is on the disk for good before it has its name. WriteError where the disk refuses.
    """
    temporary = part_of(target)
    shutil.rmtree(temporary, ignore_errors=True)
    try:
        with naming(target):
            temporary.mkdir(parents=True)
            yield temporary
            if not any(LEFTOVER.fullmatch(each.name) for each in target.parents):  # else the folder around it does so for all
                settle(temporary)
            if replace:
                replace_folder(temporary, target)
            else:
                put_folder(temporary, target)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def put_folder(source: Path, target: Path) -> None:
    """Rename a whole folder, unless there is one of that name."""
    try:
        source.rename(target)
    except OSError:
        if not target.is_dir():
            raise
    settle_entry(target.parent)


def replace_folder(source: Path, target: Path) -> None:
    """Rename a whole folder. A kill in between leaves the former folder, none, or the new one; never a mixture."""
    former = part_of(target, ".former")
    shutil.rmtree(former, ignore_errors=True)
    if target.exists():
        target.rename(former)
    source.rename(target)
    settle_entry(target.parent)
    shutil.rmtree(former, ignore_errors=True)


def settle(folder: Path) -> None:
    """Wait until a folder and all that is in it are on the disk."""
    for path in folder.rglob("*"):
        settle_entry(path)
    settle_entry(folder)


def settle_entry(path: Path) -> None:
    """Wait until one file, or the list of a folder's entries, is on the disk; where the system can say so (not for folders on
    Windows)."""
    if path.is_dir() and os.name == "nt":
        return
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def link_tree(source: Path, target: Path) -> None:
    """The same files under another folder, which appears whole. They are linked, not copied, where the file system allows it."""
    with whole_folder(target) as temporary:
        for file in sorted(path for path in source.rglob("*") if path.is_file()):
            link(file, temporary / file.relative_to(source))


def link(source: Path, target: Path) -> None:
    """The same file under another name, in place of what was there."""
    with naming(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = part_of(target)
        temporary.unlink(missing_ok=True)
        try:
            try:
                os.link(source, temporary)
            except OSError:  # another device, or a file system without hard links
                shutil.copy2(source, temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
