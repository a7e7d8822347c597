"""Data in archives: unpacked once, by content, and nothing outside of the folder."""

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from relcon import files
from relcon.data import archives
from relcon.data.archives import resolve, unpacked
from relcon.data.candidates import AnnotatedPairs
from relcon.data.corpus import FileCorpus
from relcon.errors import RelconError
from relcon.readers.opennre import OpenNRE

RECORD = '{"token": ["Zorvane", "warms", "Orsk"], "h": {"pos": [0, 1]}, "t": {"pos": [2, 3]}, "relation": "warms"}\n'


@pytest.fixture
def cache(tmp_path: Path) -> str:
    return str(tmp_path / "cache")


def zipped(path: Path, members: Dict[str, str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in members.items():
            file.writestr(name, text)
    return path


def tarred(path: Path, members: Dict[str, str]) -> Path:
    with tarfile.open(path, "w:gz" if path.name.lower().endswith("gz") else "w") as file:
        for name, text in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(text)
            file.addfile(info, io.BytesIO(text.encode()))
    return path


PACKED = [("corpus.zip", zipped), ("corpus.tar", tarred), ("corpus.tar.gz", tarred), ("corpus.TGZ", tarred)]
packed = pytest.mark.parametrize(("name", "pack"), PACKED, ids=[name for name, _ in PACKED])


@packed
def test_a_place_in_an_archive(name: str, pack: Callable[..., Path], tmp_path: Path, cache: str) -> None:
    path = pack(tmp_path / name, {"data/train.txt": "a", "data/sub/dev.txt": "b", "README": "c"})
    assert unpacked(path / "data" / "sub" / "dev.txt", cache).read_text() == "b"
    assert (unpacked(path / "data", cache) / "train.txt").read_text() == "a"
    assert {each.name for each in unpacked(path, cache).iterdir()} == {"data", "README"}
    assert {each.name for each in tmp_path.iterdir()} == {name, "cache"}  # nothing beside the archive


@packed
def test_a_single_folder_or_file_is_entered(name: str, pack: Callable[..., Path], tmp_path: Path, cache: str) -> None:
    path = pack(tmp_path / name, {"top/a.txt": "a", "top/b.txt": "b", "__MACOSX/._a": "x"})
    assert {each.name for each in unpacked(path, cache).iterdir()} == {"a.txt", "b.txt"}
    assert unpacked(pack(tmp_path / name, {"only.txt": "o"}), cache).read_text() == "o"


def test_one_file_that_is_packed(tmp_path: Path, cache: str) -> None:
    path = tmp_path / "train.jsonl.gz"
    path.write_bytes(gzip.compress(b"one line\n"))
    found = unpacked(path, cache)
    assert (found.name, found.read_text()) == ("train.jsonl", "one line\n")


def test_unpacked_once_and_by_content(tmp_path: Path, cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = zipped(tmp_path / "c.zip", {"a.txt": "old"})
    first = unpacked(path, cache)
    monkeypatch.setattr(archives, "_unpack", lambda *_: pytest.fail("unpacked again"))
    assert unpacked(path, cache) == first
    monkeypatch.undo()
    zipped(path, {"a.txt": "new"})
    assert (unpacked(path, cache).read_text(), first.read_text()) == ("new", "old")


def test_who_unpacks_second_uses_what_the_first_unpacked(tmp_path: Path, cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process is done while this one unpacks: its copy stays, since it is reading it."""
    path = zipped(tmp_path / "c.zip", {"a.txt": "a"})
    unpack, opened = archives._unpack, []

    def overtaken(archive: Path, folder: Path) -> None:
        unpack(archive, folder)
        monkeypatch.undo()
        opened.append((unpacked(path, cache), unpacked(path, cache).stat().st_ino))

    monkeypatch.setattr(archives, "_unpack", overtaken)
    monkeypatch.setattr(files, "part_of", lambda path, what="": path.with_name(f".{path.name}.0.part"))
    found = unpacked(path, cache)
    assert [(found, found.stat().st_ino)] == opened and found.read_text() == "a"
    assert not list(Path(cache).rglob("*.part"))


def test_what_is_no_archive_is_itself(tmp_path: Path, cache: str) -> None:
    (tmp_path / "corpus.zip").mkdir()
    for path in (tmp_path / "corpus.zip", tmp_path / "missing.zip", tmp_path / "missing.zip" / "a.txt", tmp_path):
        assert unpacked(path, cache) == path
    assert resolve("sample:train.jsonl", cache).name == "train.jsonl"
    assert not Path(cache).exists()


def test_a_place_that_is_not_there_is_said_with_the_nearest(tmp_path: Path, cache: str) -> None:
    path = zipped(tmp_path / "c.zip", {"data/train.txt": "a", "data/dev.txt": "b"})
    with pytest.raises(RelconError, match=r"c.zip holds no 'data/trian.txt'. Did you mean 'data/train.txt'\?"):
        unpacked(path / "data/trian.txt", cache)
    with pytest.raises(RelconError, match="leads out of the archive"):
        unpacked(path / "../other.txt", cache)


@packed
@pytest.mark.parametrize("member", ["../out.txt", "/tmp/out.txt", "a/../../out.txt", "C:\\out.txt", "..\\out.txt"])
def test_a_member_cannot_leave_its_folder(name: str, pack: Callable[..., Path], member: str, tmp_path: Path, cache: str) -> None:
    path = pack(tmp_path / name, {"good.txt": "a", member: "evil"})
    with pytest.raises(RelconError, match="leads out of its folder"):
        unpacked(path, cache)
    assert not list(tmp_path.rglob("*.txt"))  # neither outside, nor half of it inside


def linked(kind: bytes, target: str) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with tarfile.open(path, "w") as file:
            info = tarfile.TarInfo("member")
            info.type, info.linkname = kind, target
            file.addfile(info)

    return write


@pytest.mark.parametrize(
    ("kind", "target"),
    [(tarfile.SYMTYPE, "/etc"), (tarfile.SYMTYPE, "../../x"), (tarfile.LNKTYPE, "../x"), (tarfile.CHRTYPE, ""), (tarfile.FIFOTYPE, "")],
)
def test_links_out_and_devices_are_refused(kind: bytes, target: str, tmp_path: Path, cache: str) -> None:
    linked(kind, target)(tmp_path / "c.tar")
    with pytest.raises(RelconError, match="member"):
        unpacked(tmp_path / "c.tar", cache)


def test_a_link_in_a_zip_is_refused(tmp_path: Path, cache: str) -> None:
    info = zipfile.ZipInfo("member")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "c.zip", "w") as file:
        file.writestr(info, "/etc/passwd")
    with pytest.raises(RelconError, match="'member', a link or a device"):
        unpacked(tmp_path / "c.zip", cache)


@packed
def test_a_bomb_is_refused(name: str, pack: Callable[..., Path], tmp_path: Path, cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "SMALL_BYTES", 100_000)
    monkeypatch.setattr(archives, "MOST_BYTES", 1_000_000)
    path = pack(tmp_path / name, {"zeros.txt": "0" * 2_000_000})
    with pytest.raises(RelconError, match="unpacks to more than"):
        unpacked(path, cache)
    assert not list(Path(cache).rglob("zeros.txt"))


def test_a_gzip_bomb_is_refused_by_its_ratio(tmp_path: Path, cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "SMALL_BYTES", 100_000)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b"0" * 5_000_000))
    with pytest.raises(RelconError, match="far more than its own"):
        unpacked(tmp_path / "a.jsonl.gz", cache)


def test_a_member_with_holes_counts_as_it_is_declared(tmp_path: Path, cache: str) -> None:
    info = tarfile.TarInfo("holes")
    info.size = 1 << 40
    (tmp_path / "c.tar").write_bytes(info.tobuf() + bytes(1024))
    with pytest.raises(RelconError, match="unpacks to more than"):
        unpacked(tmp_path / "c.tar", cache)


def damaged(raw: bytes) -> Dict[str, bytes]:
    return {"empty": b"", "cut": raw[: len(raw) // 8], "no archive": b"x" * 600, "flipped": raw[:40] + bytes(8) + raw[48:]}


@packed
@pytest.mark.parametrize("kind", ["empty", "cut", "no archive", "flipped"])
def test_a_damaged_archive_is_named(name: str, pack: Callable[..., Path], kind: str, tmp_path: Path, cache: str) -> None:
    path = pack(tmp_path / name, {"a.txt": "word " * 500, "b.txt": "b" * 700})
    path.write_bytes(damaged(path.read_bytes())[kind])
    try:
        found = unpacked(path, cache)
    except RelconError as error:
        assert name in str(error)
    else:
        assert (kind, (found / "b.txt").read_text()) == ("flipped", "b" * 700)  # a byte that nothing depends on


def test_an_encrypted_archive_is_said(tmp_path: Path, cache: str) -> None:
    path = zipped(tmp_path / "c.zip", {"a.txt": "a"})
    raw = bytearray(path.read_bytes())
    for at, offset in ((raw.find(b"PK\x03\x04"), 6), (raw.find(b"PK\x01\x02"), 8)):
        raw[at + offset] |= 1
    path.write_bytes(raw)
    with pytest.raises(RelconError, match=r"cannot be unpacked: .*encrypted"):
        unpacked(path, cache)


def test_an_archive_of_nothing(tmp_path: Path, cache: str) -> None:
    with pytest.raises(RelconError, match="holds nothing"):
        unpacked(zipped(tmp_path / "c.zip", {}), cache)


@pytest.mark.parametrize("kept", [True, False])
def test_a_corpus_is_read_from_an_archive(kept: bool, tmp_path: Path, cache: str) -> None:
    path = zipped(tmp_path / "c.zip", {"d/train.txt": RECORD * 2, "d/test.txt": RECORD})
    where: Dict[str, Any] = {"train": f"{path}/d/train.txt", "test": f"{path}/d/test.txt", "cache": cache if kept else "none"}
    corpus = FileCorpus(OpenNRE(), AnnotatedPairs(), **where)
    assert [len(corpus.split(name).documents) for name in ("train", "test")] == [2, 1]
    assert Path(cache).exists() == kept
    with pytest.raises(RelconError, match=r"holds no 'd/tset\.txt'"):
        FileCorpus(OpenNRE(), AnnotatedPairs(), **{**where, "test": f"{path}/d/tset.txt"}).split("train")
