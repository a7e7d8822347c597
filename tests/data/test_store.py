"""What was read is kept by content, rebuilt where it is damaged, and safe for several processes."""

import gc
import logging
import multiprocessing
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Iterator, List

import pyarrow as pa
import pytest

from relcon.data.columns import DOCUMENTS, DocumentRows, NotStorable, to_batch
from relcon.data.document import Document, Entity, Mention, Parse, Relation, Source
from relcon.data.sequences import content_hash
from relcon.data.store import AnswerStore, Codec, DocumentStore, cache_folder, describe_component, document_key, fingerprint_of_path
from relcon.errors import RelconError


def documents(path: Path) -> List[Document]:
    """Two documents that use every field."""
    whole = Document(
        id="1",
        words=("TNF", "-", "α", "binds", "it"),
        entities=(Entity((Mention(0, 3, ((0, 1), (2, 3))),), "GENE", "T1", 0.75), Entity((Mention(0, 1), Mention(4, 5)))),
        relations=(Relation(0, 1, "binds", "R1", 0.25), Relation(1, 0)),
        sentences=((0, 3), (3, 5)),
        text="TNF-α binds it",
        offsets=((0, 3), (3, 4), (4, 5), (6, 11), (12, 14)),
        parse=Parse((3, 2, 0, 3, 3), ("a", "b", "c", "root", "d"), ("NN", ":", "NN", "VBZ", "PRP")),
        source=Source(str(path), 7),
        metadata={"fold": 3, "document": "pmid", "list": [1, "two"]},
    )
    return [whole, Document("2", ("no", "source"))]


class Reader:
    """A component with arguments, one of them a component."""

    def __init__(self, lower: bool = False, inner: Any = None):
        self.lower, self.inner = lower, inner


def batches(path: Path, below: Any = None) -> Callable[[], List[pa.RecordBatch]]:
    """What makes them: two record batches, of one document each."""
    return lambda: [to_batch([each], below or path) for each in documents(path)]


def forbidden() -> List[pa.RecordBatch]:
    raise AssertionError("the cache was not used")


def test_what_is_kept_comes_back_the_same(tmp_path: Path) -> None:
    path = tmp_path / "train.txt"
    store = DocumentStore(str(tmp_path / "cache"))
    assert store.get("key", path, batches(path)) == documents(path)
    assert store.get("key", path, forbidden) == documents(path)


def test_sources_follow_the_files(tmp_path: Path) -> None:
    """Made below one folder, asked for below another."""
    store = DocumentStore(str(tmp_path / "cache"))
    store.get("key", tmp_path / "old", batches(tmp_path / "old" / "sub" / "a.txt", tmp_path / "old"))
    moved = store.get("key", tmp_path / "new", forbidden)
    assert moved[0].source == Source(str(tmp_path / "new" / "sub" / "a.txt"), 7)


def damaged(file: Path, damage: str) -> bytes:
    """The bytes of an Arrow file after some accident."""
    whole = file.read_bytes()
    if damage == "other columns":
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, pa.schema([("id", pa.string())])):
            pass
        return sink.getvalue().to_pybytes()
    if damage == "no notes":
        sink = pa.BufferOutputStream()
        with pa.ipc.new_file(sink, DOCUMENTS) as writer:
            writer.write_batch(to_batch(documents(file), file))
        return sink.getvalue().to_pybytes()
    return {"cut": whole[:-20], "half": whole[: len(whole) // 2], "noise": b"no archive", "empty": b"", "zeros": bytes(len(whole))}[damage]


@pytest.mark.parametrize("damage", ["cut", "half", "noise", "empty", "zeros", "other columns", "no notes"])
def test_a_damaged_file_is_made_anew_with_a_warning(tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str) -> None:
    path = tmp_path / "train.txt"
    store = DocumentStore(str(tmp_path / "cache"))
    store.get("key", path, batches(path))
    (file,) = (tmp_path / "cache" / "documents").iterdir()
    file.write_bytes(damaged(file, damage))
    with caplog.at_level(logging.WARNING):
        assert store.get("key", path, batches(path)) == documents(path)
    assert f"{file} is damaged" in caplog.text
    assert store.get("key", path, forbidden) == documents(path)


def test_damage_within_a_file_is_found_before_it_is_read(tmp_path: Path) -> None:
    """Nothing shows when it is opened; the file is removed, so that the next start makes it anew."""
    path = tmp_path / "train.txt"
    store = DocumentStore(str(tmp_path / "cache"))
    store.get("key", path, batches(path))
    (file,) = (tmp_path / "cache" / "documents").iterdir()
    whole = file.read_bytes()
    at = whole.index("α".encode())
    file.write_bytes(whole[:at] + b"\xff" + whole[at + 1 :])
    kept = store.get("key", path, forbidden)
    assert kept[1] == documents(path)[1] and kept.ids() == ["1", "2"]  # another batch, another column: read without the rest
    with pytest.raises(RelconError, match=r"is damaged \(.*It has been removed: start again"):
        kept[0]
    assert store.get("key", path, batches(path)) == documents(path)


def test_an_unwritable_folder_is_said_and_does_no_harm(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("in the way")
    store = DocumentStore(str(tmp_path / "file"))
    assert store.get("key", tmp_path, batches(tmp_path)) == documents(tmp_path)
    assert "Nothing is cached" in caplog.text


@pytest.mark.parametrize("document", [Document("1", ("a",), metadata={"path": Path()}), Document("1", ("\ud800",))])
def test_what_columns_cannot_hold_is_refused_and_leaves_nothing(tmp_path: Path, document: Document) -> None:
    with pytest.raises(NotStorable):
        DocumentStore(str(tmp_path)).get("key", tmp_path, lambda: [to_batch([document], tmp_path)])
    assert list((tmp_path / "documents").iterdir()) == []


def test_what_goes_wrong_while_it_is_made_leaves_nothing(tmp_path: Path) -> None:
    def fails() -> Iterator[pa.RecordBatch]:
        yield to_batch(documents(tmp_path), tmp_path)
        raise RelconError("bad record")

    for cache in (str(tmp_path / "cache"), "none"):
        with pytest.raises(RelconError, match="bad record"):
            DocumentStore(cache).get("key", tmp_path, fails)
    assert list((tmp_path / "cache" / "documents").iterdir()) == []


class Full:
    """A writer of record batches on a disk that takes no more."""

    def write_batch(self, *_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    def __enter__(self) -> "Full":
        return self

    def __exit__(self, *_: Any) -> None:
        pass


def test_a_full_disk_is_said_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The cache is tried, then the temporary folder."""
    monkeypatch.setattr(pa.ipc, "new_file", lambda *_: Full())
    with pytest.raises(RelconError, match=r"cannot be written: No space left on device. Set TMPDIR to a folder with more room."):
        DocumentStore(str(tmp_path)).get("key", tmp_path, batches(tmp_path))
    assert "Nothing is cached" in caplog.text and list((tmp_path / "documents").iterdir()) == []


def test_an_error_of_the_reader_is_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    def fails() -> List[pa.RecordBatch]:
        raise FileNotFoundError("the reader's")

    with pytest.raises(FileNotFoundError, match="the reader's"):
        DocumentStore(str(tmp_path)).get("key", tmp_path, fails)


def test_opening_decodes_no_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = DocumentStore(str(tmp_path))
    store.get("key", tmp_path, batches(tmp_path))
    decoded: List[int] = []
    decode = DocumentRows.__getitem__
    monkeypatch.setattr(DocumentRows, "__getitem__", lambda rows, row: decoded.append(row) or decode(rows, row))
    kept = store.get("key", tmp_path, forbidden)
    assert (len(kept), kept.ids(), kept.groups(), kept.relation_labels()) == (2, ["1", "2"], ["pmid", "2"], {"binds"})
    assert kept.hashes() == [content_hash(each) for each in documents(tmp_path)] and len(kept[1:].ids()) == 1
    assert decoded == []
    assert kept[-1] is kept[1] is kept[1:][0] and decoded == [0]


def test_scores_of_entities_change_the_hash_and_their_absence_does_not() -> None:
    """The hash of a document without them is the one that it had before there were any, so that fingerprints of old runs hold."""
    entities = (Entity((Mention(0, 1),), "PER", "T1"), Entity((Mention(2, 3),)))
    document = Document("d", ("Ann", "met", "Bo"), entities, (Relation(0, 1, "met"),))
    assert content_hash(document).hex() == "63d9b3fa38fd279df414fb10bff32217"
    scored = replace(document, entities=(replace(entities[0], score=0.5), entities[1]))
    assert content_hash(scored) not in (content_hash(document), content_hash(replace(document, entities=entities[::-1])))


def test_a_temporary_file_goes_with_its_documents(tmp_path: Path) -> None:
    kept = DocumentStore("none").get("key", tmp_path, batches(tmp_path))
    file = kept.source.file.path
    assert file.exists() and kept == documents(tmp_path)
    del kept
    gc.collect()
    assert not file.exists()


def test_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RELCON_CACHE", raising=False)
    assert cache_folder(None) == Path.home() / ".cache" / "relcon"
    monkeypatch.setenv("RELCON_CACHE", str(tmp_path))
    assert cache_folder(None) == tmp_path and cache_folder("here") == Path("here") and cache_folder("none") is None
    monkeypatch.setenv("RELCON_CACHE", "none")
    assert cache_folder(None) is None


def test_off_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELCON_CACHE", str(tmp_path))
    DocumentStore("none").get("key", tmp_path, batches(tmp_path))
    AnswerStore("none", "parses", "name").put({"key": 1})
    assert AnswerStore("none", "parses", "name").get(["key"]) == {} and list(tmp_path.iterdir()) == []


# ---- keys ----


def test_keys_follow_content_arguments_and_limit(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "a").write_text("one")
    first = document_key(folder, Reader())
    assert first == document_key(folder, Reader())
    different = [document_key(folder, Reader(lower=True)), document_key(folder, Reader(inner=Reader()))]
    different += [document_key(folder, Reader(), limit=3), document_key(folder, Reader(), parser=Reader())]
    (folder / "a").write_text("two")
    different.append(document_key(folder, Reader()))
    assert len({first, *different}) == 6


def test_moved_files_keep_their_key_and_renamed_ones_do_not(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "a").write_text("text")
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    assert fingerprint_of_path(tmp_path / "one") == fingerprint_of_path(tmp_path / "two")
    (tmp_path / "two" / "a").rename(tmp_path / "two" / "b")
    assert fingerprint_of_path(tmp_path / "one") != fingerprint_of_path(tmp_path / "two")
    assert fingerprint_of_path(tmp_path / "one" / "a") == fingerprint_of_path(tmp_path / "two" / "b")


def test_a_component_may_say_itself_what_it_depends_on() -> None:
    class Model:
        def __init__(self, version: str):
            self.version, self.handle = version, object()

        def fingerprint(self) -> str:
            return self.version

    assert describe_component(Model("1")) == describe_component(Model("1")) != describe_component(Model("2"))


# ---- parses ----


def test_parses_by_key(tmp_path: Path) -> None:
    store = AnswerStore(str(tmp_path), "parses", "name")
    assert store.get(["a"]) == {}
    store.put({str(number): [number, "ä"] for number in range(1200)})
    assert store.get([str(number) for number in range(1200)] + ["x"]) == {str(number): [number, "ä"] for number in range(1200)}
    assert AnswerStore(str(tmp_path), "parses", "other").get(["1"]) == {}


def write(folder: str, first: int) -> None:
    """What each of two processes does."""
    for number in range(first, first + 20):
        AnswerStore(folder, "parses", "name").put({str(number): number, "both": "same"})
        DocumentStore(folder).get("key", Path("x"), lambda: [to_batch([Document("1", ("a",) * 2000)], Path("x"))])


def test_two_processes_may_write_at_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=write, args=(str(tmp_path), first)) for first in (0, 100)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0, 0]
    keys = [str(number) for first in (0, 100) for number in range(first, first + 20)]
    assert AnswerStore(str(tmp_path), "parses", "name").get([*keys, "both"]) == {**{key: int(key) for key in keys}, "both": "same"}
    assert len(DocumentStore(str(tmp_path)).get("key", Path("x"), forbidden)) == 1


def test_answers_may_lie_as_bytes(tmp_path):
    codec = Codec(lambda answer: bytes([answer]), lambda blob: blob[0])
    AnswerStore(str(tmp_path), "states", "name", codec).put({"a": 7, "b": 255})
    assert AnswerStore(str(tmp_path), "states", "name", codec).get(["a", "b", "c"]) == {"a": 7, "b": 255}
