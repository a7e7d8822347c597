"""Data in archives: `corpus.zip`, or a place in it (`corpus.zip/data/train.json`), as a path that readers can read.

An archive is unpacked once, into the cache folder under a name made of its content, never beside the archive. What is in it is not
trusted: a member that would leave the folder, a device, and an archive that unpacks to far more than it is are refused.
"""

import gzip
import lzma
import shutil
import stat
import struct
import tarfile
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, Iterator, Optional, Union, cast

from relcon.data.store import cache_folder, fingerprint_of_path
from relcon.errors import RelconError, did_you_mean
from relcon.files import whole_folder
from relcon.sample import resolve as resolve_sample

SUFFIXES = (".tar.gz", ".tgz", ".tar", ".zip", ".gz")
"""What the name of an archive ends with; the longest first."""

MOST_BYTES = 8 << 30
"""An archive that unpacks to more is refused: 8 GiB."""

MOST_RATIO, SMALL_BYTES = 200, 64 << 20
"""So is one that unpacks to more than so many times its own size, once that is over 64 MiB. Corpora unpack to about ten times."""

BROKEN = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError, struct.error, ValueError)
"""What a damaged archive may raise."""

BESIDES = "__MACOSX"
"""A folder that macOS puts into archives beside what they hold."""


def resolve(value: Union[str, Path], cache: Optional[str] = None) -> Path:
    """A path as a user writes it, as one that can be read: `sample:train.jsonl`, a place in an archive, or itself.

    cache: as `unpacked` takes it. RelconError where the sample has no such file; otherwise as of `unpacked`.
    """
    return unpacked(resolve_sample(value), cache)


def unpacked(path: Path, cache: Optional[str] = None) -> Path:
    """Where the file or folder lies: itself, or, in an archive (.zip, .tar, .tar.gz, .tgz, .gz of one file), its place in a copy that is
    unpacked. A path that leads to nothing is itself.

    An archive with one file or folder at its top stands for that. cache: the folder in which copies are kept, as
    `relcon.data.store.cache_folder` takes it; "none" for one that is gone at the end. RelconError where the archive is damaged or not to
    be trusted, or has no such place; WriteError where it cannot be unpacked.
    """
    archive = _archive_of(path)
    if archive is None:
        return path
    folder = _copy_of(archive, cache)
    if not folder.exists():
        with whole_folder(folder, replace=False) as temporary:
            _unpack(archive, temporary)
            if not any(temporary.iterdir()):
                raise RelconError(f"{archive} holds nothing. Get the file again.")
    inner = path.relative_to(archive)
    return _place(folder, inner, archive) if inner.parts else _entered(folder)


def origin(value: Union[str, Path]) -> Path:
    """What `resolve` reads from: the archive in which a path lies, or the path itself. It is what no output may replace."""
    path = resolve_sample(value)
    return _archive_of(path) or path


def called(value: Union[str, Path], inside: Path) -> Path:
    """What a user calls a path that is, or lies in, what `resolve(value)` made of a value: the place in the archive, or the path itself."""
    archive = _archive_of(resolve_sample(value))
    return inside if archive is None else archive / inside.relative_to(_copy_of(archive, None))


def suffix_of(path: Path) -> Optional[str]:
    """What makes a path the name of an archive (`.tar.gz`); None where nothing does."""
    return next((suffix for suffix in SUFFIXES if path.name.lower().endswith(suffix)), None)


def _archive_of(path: Path) -> Optional[Path]:
    """The archive that a path is or lies in; None where there is none."""
    return next((each for each in (path, *path.parents) if each.is_file() and suffix_of(each)), None)


def _copy_of(archive: Path, cache: Optional[str]) -> Path:
    """Where an archive is unpacked."""
    return _copies(cache) / fingerprint_of_path(archive) / archive.name


def _copies(cache: Optional[str]) -> Path:
    """The folder of all unpacked copies."""
    kept = cache_folder(cache)
    return Path(_temporary_folder().name) if kept is None else kept / "archives"


@lru_cache(maxsize=1)
def _temporary_folder() -> "tempfile.TemporaryDirectory[str]":
    """A folder of this process, removed at its end."""
    return tempfile.TemporaryDirectory(prefix="relcon-", ignore_cleanup_errors=True)


# ---- places --------------------------------------------------------------------------------------------------------------


def _entered(folder: Path) -> Path:
    """The one file or folder at the top, or the folder itself where there are several."""
    found = [each for each in folder.iterdir() if each.name != BESIDES]
    return found[0] if len(found) == 1 else folder


def _place(folder: Path, inner: Path, archive: Path) -> Path:
    """A place in an unpacked archive."""
    if ".." in inner.parts:
        raise RelconError(f"{archive / inner} leads out of the archive. Give a place in it.")
    if not (folder / inner).exists():
        known = sorted(each.relative_to(folder).as_posix() for each in folder.rglob("*"))
        raise RelconError(f"{archive} holds no '{inner.as_posix()}'.{did_you_mean(inner.as_posix(), known[:1000])}")
    return folder / inner


# ---- unpacking -----------------------------------------------------------------------------------------------------------


class _Budget:
    """How much an archive may unpack to."""

    def __init__(self, archive: Path):
        self.archive, self.spent = archive, 0
        self.most = min(MOST_BYTES, max(SMALL_BYTES, MOST_RATIO * archive.stat().st_size))

    def spend(self, size: int, name: str) -> None:
        """RelconError where it is used up."""
        self.spent += size
        if self.spent > self.most:
            raise RelconError(
                f"{self.archive} unpacks to more than {self.most:,} bytes ('{name}' goes beyond), far more than its own "
                f"{self.archive.stat().st_size:,}. If you trust it, unpack it yourself and give the folder."
            )


class _Counted:
    """A stream that is read within a budget."""

    def __init__(self, stream: IO[bytes], budget: _Budget, name: str):
        self.stream, self.budget, self.name = stream, budget, name

    def read(self, size: int = -1) -> bytes:
        """The next bytes."""
        block = self.stream.read(size)
        self.budget.spend(len(block), self.name)
        return block


def _unpack(archive: Path, folder: Path) -> None:
    """All that is in an archive, below a folder that is there and empty."""
    suffix, budget = suffix_of(archive), _Budget(archive)
    with _sound(archive):
        if suffix == ".zip":
            _unzip(archive, folder, budget)
        elif suffix == ".tar":
            with archive.open("rb") as stream:
                _untar(stream, archive, folder, budget)
        else:
            with gzip.open(archive) as stream:
                _gunzip(cast(IO[bytes], stream), archive, folder, budget)


@contextmanager
def _sound(archive: Path) -> Iterator[None]:
    """What a damaged archive raises becomes a RelconError."""
    try:
        yield
    except BROKEN as error:
        raise RelconError(f"{archive} is no sound archive: {error or type(error).__name__}. Get the file again.") from error
    except (RuntimeError, NotImplementedError) as error:  # zipfile: encrypted, or packed by a method that it has not
        raise RelconError(f"{archive} cannot be unpacked: {error}. Unpack it yourself and give the folder.") from error


def _unzip(archive: Path, folder: Path, budget: _Budget) -> None:
    with zipfile.ZipFile(archive) as file:
        for member in file.infolist():
            _refuse_leaving(member.filename, archive)
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise RelconError(f"{archive} holds '{member.filename}', a link or a device. Unpack it yourself and give the folder.")
            budget.spend(member.file_size, member.filename)
            file.extract(member, folder)


def _gunzip(stream: IO[bytes], archive: Path, folder: Path, budget: _Budget) -> None:
    """A tar file within, or the one file that it is."""
    if suffix_of(archive) != ".gz":
        _untar(stream, archive, folder, budget)
        return
    name = archive.name[: -len(".gz")]
    with (folder / name).open("wb") as target:
        shutil.copyfileobj(cast(IO[bytes], _Counted(stream, budget, name)), target)


def _untar(stream: IO[bytes], archive: Path, folder: Path, budget: _Budget) -> None:
    """The members of a tar file, one after the other: what is refused is refused before the rest is read."""
    declared = _Budget(archive)  # beside what is read: a member with holes is larger than what is in the file
    with tarfile.open(fileobj=cast(IO[bytes], _Counted(stream, budget, "its members")), mode="r|") as file:
        for member in file:
            _refuse_leaving(member.name, archive)
            declared.spend(member.size, member.name)
            try:
                file.extract(member, folder, filter="data")
            except tarfile.FilterError as error:
                raise RelconError(f"{archive} is not unpacked: {error}. Unpack it yourself and give the folder.") from error


def _refuse_leaving(name: str, archive: Path) -> None:
    """RelconError where a member has a name that leads out of the folder in which the archive is unpacked."""
    windows = PureWindowsPath(name)
    if PurePosixPath(name).is_absolute() or windows.drive or windows.root or ".." in windows.parts:
        raise RelconError(f"{archive} holds '{name}', which leads out of its folder. Unpack it yourself and give the folder.")
