"""Documents and instances that are decoded on access: equal to plain ones, one object each while somebody holds it, few in memory."""

import json
import pickle
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relcon.contrast import Labelled
from relcon.data import stored
from relcon.data.candidates import AnnotatedPairs, EntityPairs
from relcon.data.columns import DocumentRows, to_batch
from relcon.data.corpus import FileCorpus, describe
from relcon.data.document import Document, Entity, Instance, Mention, Parse, Relation, Source
from relcon.data.labels import LabelSet
from relcon.data.reading import batches_of
from relcon.data.sequences import labels_of, pairs_of
from relcon.data.splits import hold_out, k_folds, k_shot, share
from relcon.data.store import DocumentStore
from relcon.data.stored import StoredDocuments, StoredInstances
from relcon.interfaces import CandidateRule, Draw, Lost, Split
from relcon.readers.jsonlines import JSONLines
from relcon.renderers.plain import Plain
from relcon.samplers.instances import Instances as InstancesSampler

# ---- any document ------------------------------------------------------------------------------------------------------

text = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
words = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=12)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=5,
)


@st.composite
def spans(draw: st.DrawFn, size: int) -> Tuple[int, int]:
    start = draw(st.integers(0, size - 1))
    return start, draw(st.integers(start + 1, size))


@st.composite
def mentions(draw: st.DrawFn, size: int) -> Mention:
    start, end = draw(spans(size))
    return Mention(start, end, draw(st.just(()) | st.lists(spans(size), min_size=1, max_size=3).map(tuple)))


@st.composite
def documents(draw: st.DrawFn) -> Document:
    """A document that uses whatever a document may have."""
    its_words = tuple(draw(words))
    size = len(its_words)
    entity = st.builds(Entity, st.lists(mentions(size), min_size=1, max_size=3).map(tuple), text, text)
    entities = draw(st.lists(entity, max_size=4)) if size else []
    ends = st.integers(0, len(entities) - 1)
    relation = st.builds(Relation, ends, ends, st.none() | text, text, st.none() | st.floats(allow_nan=False))
    column = st.lists(text, min_size=size, max_size=size).map(tuple)
    heads = st.lists(st.integers(0, max(size - 1, 0)), min_size=size, max_size=size).map(tuple)
    offsets = st.lists(st.tuples(st.integers(0, 2**31 - 1), st.integers(0, 2**31 - 1)), min_size=size, max_size=size).map(tuple)
    return Document(
        id=draw(text),
        words=its_words,
        entities=tuple(entities),
        relations=tuple(draw(st.lists(relation, max_size=4))) if entities else (),
        sentences=tuple(draw(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), max_size=3))),
        text=draw(st.none() | text),
        offsets=draw(st.none() | offsets),
        parse=draw(st.none() | st.builds(Parse, heads, column, st.just(()) | column)),
        source=draw(st.none() | st.builds(Source, st.sampled_from(["/data/a.txt", "/data/sub/ä.txt"]), st.none() | st.integers(1, 2**40))),
        metadata=draw(st.dictionaries(text, json_values, max_size=3)),
    )


@given(made=st.lists(documents(), min_size=1, max_size=6))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_every_document_comes_back_as_it_was(made: List[Document]) -> None:
    rows = DocumentRows(to_batch(made, Path("/data")), Path("/data"))
    assert [rows[number] for number in range(len(made))] == made


def test_every_document_comes_back_from_a_file(tmp_path: Path) -> None:
    """Through the disk, and with a gap where a record was left out."""
    made = [Document(str(n), ("ä", "b" * n), (Entity((Mention(0, 1),)),), (Relation(0, 0, None, "", n / 3),)) for n in range(9)]
    batch = to_batch(made, tmp_path)
    kept = DocumentStore(str(tmp_path)).get("key", tmp_path, lambda: [batch.slice(4), batch.take([0, 2])])
    assert list(kept) == [*made[4:], made[0], made[2]]


# ---- a corpus ----------------------------------------------------------------------------------------------------------


def write(path: Path, count: int) -> Path:
    """Documents of three entities and three relations, four to a group, and one relation that no rule of sentences finds."""
    labels = ("none", "A", "B")
    with path.open("w", encoding="utf-8") as file:
        for n in range(count):
            entities = [{"type": "T", "words": [place, place + 1]} for place in (0, 2, 4, 8)]
            relations = [{"head": 0, "tail": tail, "label": labels[(n + tail) % 3]} for tail in (1, 2)]
            far = [{"head": 0, "tail": 3, "label": "B"}] if n % 5 == 0 else []
            record: Dict[str, Any] = {"id": f"d{n}", "words": [f"w{n}", "é", "x", "y", "z", ".", "a", "b", "c"], "entities": entities}
            record.update(relations=relations + far, sentences={"words": [[0, 6], [6, 9]]}, metadata={"document": f"g{n // 4}"})
            file.write(json.dumps(record) + "\n")
    return path


@pytest.fixture
def train(tmp_path: Path) -> Path:
    return write(tmp_path / "train.jsonl", 60)


def corpus(train: Path, cache: str = "none", **more: Any) -> FileCorpus:
    usual = {"reader": JSONLines(), "candidates": EntityPairs(), "train": str(train), "negative": ["none"], "cache": cache}
    return FileCorpus(**{**usual, **more})


@pytest.fixture
def lazy(train: Path, tmp_path: Path) -> Split:
    """The split of a second start: nothing of it is decoded yet."""
    corpus(train, str(tmp_path / "cache")).split("train")
    return corpus(train, str(tmp_path / "cache")).split("train")


@pytest.fixture
def plain(lazy: Split) -> Split:
    """The same split as lists."""
    made = list(lazy.documents)
    rule, labels = EntityPairs(), lazy.labels
    found = [rule.instances(document, labels) for document in made]
    return Split("train", made, [each for one, _ in found for each in one], labels, [each for _, two in found for each in two])


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> List[int]:
    """The rows that are decoded from here on."""
    rows: List[int] = []
    decode = DocumentRows.__getitem__
    monkeypatch.setattr(DocumentRows, "__getitem__", lambda batch, row: rows.append(row) or decode(batch, row))
    return rows


def values(instance: Instance) -> Tuple[Any, ...]:
    return instance.document, instance.head, instance.tail, instance.label, instance.uid


def same(one: Split, other: Split) -> bool:
    """Whether two splits hold the same, whatever they are made of."""
    instances = [[values(each) for each in split.instances] for split in (one, other)]
    return list(one.documents) == list(other.documents) and instances[0] == instances[1] and tuple(one.lost) == tuple(other.lost)


def test_a_stored_split_is_the_plain_one(lazy: Split, plain: Split) -> None:
    assert isinstance(lazy.documents, StoredDocuments) and isinstance(lazy.instances, StoredInstances)
    assert same(lazy, plain) and lazy.fingerprint() == plain.fingerprint()
    assert lazy.documents == plain.documents and lazy.lost and lazy.documents[-1].id == "d59" and lazy.instances[-1].document.id == "d59"
    assert labels_of(lazy.instances) == labels_of(plain.instances) and len(lazy.instances[10:20:3]) == 4
    with pytest.raises(IndexError):
        lazy.instances[len(lazy.instances)]
    with pytest.raises(IndexError):
        lazy.documents[60]


def test_what_is_changed_changes_the_fingerprint(lazy: Split, plain: Split) -> None:
    some = range(0, len(lazy.instances), 2)
    other = [replace(lazy, instances=lazy.instances[::2]), replace(lazy, documents=lazy.documents[:59]), replace(lazy, lost=())]
    assert other[0].fingerprint() == replace(plain, instances=[plain.instances[n] for n in some]).fingerprint()
    assert len({lazy.fingerprint(), *(each.fingerprint() for each in other[:2])}) == 3 and other[2].fingerprint() == lazy.fingerprint()


def test_columns_are_those_of_the_lists(lazy: Split, plain: Split) -> None:
    for documents in (lazy.documents, plain.documents, lazy.documents[7:30], plain.documents[7:30]):
        ours, theirs = pairs_of(lazy.instances, documents), pairs_of(plain.instances, documents)
        assert ours.labels == theirs.labels and [each.tolist() for each in ours[:4]] == [each.tolist() for each in theirs[:4]]


DIVISIONS = {
    "hold_out": lambda split, draw: hold_out(split, 0.3, draw),
    "hold_out by instance": lambda split, draw: hold_out(split, 0.3, draw, "instance"),
    "share": lambda split, draw: [share(split, 0.2, draw)],
    "k_folds": lambda split, draw: [part for fold in k_folds(split, 3, draw) for part in fold],
    "k_folds by instance": lambda split, draw: [part for fold in k_folds(split, 3, draw, "instance") for part in fold],
    "k_shot": lambda split, draw: [k_shot(split, 5, draw)],
}


@pytest.mark.parametrize("name", DIVISIONS)
def test_divisions_are_those_of_the_lists_and_decode_nothing(lazy: Split, plain: Split, name: str, decoded: List[int]) -> None:
    ours, theirs = (DIVISIONS[name](split, torch.Generator().manual_seed(3)) for split in (lazy, plain))
    fingerprints = [part.fingerprint() for part in ours]
    assert decoded == []
    assert all(same(one, other) for one, other in zip(ours, theirs, strict=True))
    assert fingerprints == [part.fingerprint() for part in theirs]
    assert all(isinstance(part.instances, StoredInstances) for part in ours)


# ---- what is in memory -------------------------------------------------------------------------------------------------


def test_instances_of_one_document_share_it(lazy: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where nothing else keeps documents: renderers share inputs by identity."""
    monkeypatch.setattr(stored, "HELD_WORDS", 0)
    three = [lazy.instances[number] for number in (0, 50, 1)]
    assert three[0].document is three[2].document is lazy.documents[0] is not three[1].document
    views = Plain()(three)
    assert views[0].input is views[2].input is not views[1].input


def test_few_documents_are_alive(lazy: Split, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "HELD_WORDS", 9 * 7)
    assert isinstance(lazy.documents, StoredDocuments)
    source, most = lazy.documents.source, 0
    for _ in lazy.instances:
        most = max(most, len(source.alive))
    assert most == len(source.recent) == len(source.alive) == 7


def test_what_is_asked_for_again_is_not_decoded_again(lazy: Split, decoded: List[int]) -> None:
    for _ in range(3):
        assert len({instance.document.id for instance in lazy.instances}) == 60
    assert len(decoded) == 60


def resident(file: Path) -> int:
    """KiB of a mapped file that count as this process's."""
    regions = Path("/proc/self/smaps").read_text().split("VmFlags:")
    return sum(int(region.split("Rss:")[1].split()[0]) for region in regions if str(file) in region)


@pytest.mark.skipif(not Path("/proc/self/smaps").exists(), reason="reads /proc")
@pytest.mark.parametrize(("after", "held"), [(60, False), (61, True)])
def test_pages_that_were_read_are_let_go(lazy: Split, monkeypatch: pytest.MonkeyPatch, after: int, held: bool) -> None:
    monkeypatch.setattr(stored, "RELEASED_AFTER", after)
    assert isinstance(lazy.documents, StoredDocuments)
    assert len({document.id for document in lazy.documents}) == 60  # each is decoded once
    assert (resident(lazy.documents.source.file.path) > 0) is held


def test_a_second_start_decodes_nothing(train: Path, tmp_path: Path, decoded: List[int]) -> None:
    first = corpus(train, str(tmp_path / "cache"))
    described, prints = describe(first), first.fingerprints()
    decoded.clear()
    again = corpus(train, str(tmp_path / "cache"))
    assert describe(again) == described and again.fingerprints() == prints and decoded == []
    assert described["splits"]["train"]["labels"] == {"none": described["splits"]["train"]["labels"]["none"], "A": 40, "B": 40}


def test_a_second_start_reads_no_record(train: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    corpus(train, str(tmp_path / "cache")).split("train")

    def forbidden(*_: Any) -> Any:
        raise AssertionError("it was done again")

    monkeypatch.setattr(JSONLines, "document", forbidden)
    monkeypatch.setattr(EntityPairs, "_pairs", forbidden)
    assert len(corpus(train, str(tmp_path / "cache")).split("train").instances) == 180
    with pytest.raises(AssertionError, match="done again"):
        corpus(train, str(tmp_path / "cache"), candidates=EntityPairs(max_distance=1)).split("train")


def test_batches_of_stored_and_plain_splits_are_equal(lazy: Split, plain: Split) -> None:
    sampler = InstancesSampler(Plain(), batch_size=8)

    def seen(split: Split) -> Iterator[Any]:
        for batch in sampler.batches(split, Draw(0, torch.Generator().manual_seed(1))):
            value = batch["instances"]
            assert isinstance(value, Labelled)
            yield value.uids, value.labels.tolist(), [view.input for view in value.views]

    assert [(uids, labels) for uids, labels, _ in seen(lazy)] == [(uids, labels) for uids, labels, _ in seen(plain)]


def test_a_split_may_go_to_another_process(lazy: Split) -> None:
    copy = pickle.loads(pickle.dumps(replace(lazy, documents=lazy.documents[3:9])))
    assert copy.documents == lazy.documents[3:9] and [each.uid for each in copy.instances] == [each.uid for each in lazy.instances]
    assert copy.instances[20].document.words == lazy.instances[20].document.words


def test_record_batches_are_cut_by_words_and_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("relcon.data.reading.BATCH_WORDS", 10)
    monkeypatch.setattr("relcon.data.reading.BATCH_DOCUMENTS", 3)
    made = [Document(str(n), ("w",) * size) for n, size in enumerate([4, 6, 1, 1, 1, 30, 2])]
    assert [batch.num_rows for batch in batches_of(made, Path())] == [2, 3, 1, 1]


# ---- what columns cannot hold ------------------------------------------------------------------------------------------


class Renamed(CandidateRule):
    """Instances under names of their own."""

    def instances(self, document: Document, labels: Optional[LabelSet] = None) -> Tuple[List[Instance], List[Lost]]:
        found, lost = AnnotatedPairs().instances(document, labels)
        return [replace(each, uid=f"mine-{each.uid}") for each in found], lost


def test_instances_with_names_of_their_own_are_held_in_memory(train: Path, caplog: pytest.LogCaptureFixture) -> None:
    split = corpus(train, candidates=Renamed()).split("train")
    assert split.instances[0].uid == "mine-d0#0-1" and split.instances[0].document is split.documents[0]
    assert "the candidate pairs are held in memory" in caplog.text


def test_half_characters_are_held_in_memory(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "train.jsonl"
    entities = [{"words": [0, 1]}, {"words": [1, 2]}]
    path.write_text(json.dumps({"words": ["\ud800", "b"], "entities": entities, "relations": [{"head": 0, "tail": 1, "label": "A"}]}))
    split = corpus(path, str(tmp_path / "cache")).split("train")
    assert split.documents[0].words == ("\ud800", "b") and split.instances[0].label == "A" and len(split.fingerprint()) == 16
    assert "nothing is cached, and all documents are held in memory" in caplog.text


GROWTH = """
import sys
from pathlib import Path
import torch
from relcon.data import reading, stored
from relcon.data.candidates import AnnotatedPairs
from relcon.data.corpus import FileCorpus
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.interfaces import DatasetReader


class Made(DatasetReader):
    def read(self, path):
        for number in range(4000):
            words = tuple(f"word{(number * 7919 + place) % 30000}" for place in range(200))
            entities = tuple(Entity((Mention(place, place + 1),)) for place in range(6))
            yield Document(str(number), words, entities, tuple(Relation(0, tail, "A") for tail in range(1, 6)))


def peak():
    return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) // 1024


reading.BATCH_DOCUMENTS, stored.HELD_WORDS = 100, 20_000
file = Path(sys.argv[1])
file.touch()
list(FileCorpus(Made(), AnnotatedPairs(), str(file), cache="none", limit=100).split("train").instances)
Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
start = peak()
split = FileCorpus(Made(), AnnotatedPairs(), str(file), cache="none").split("train")
words = sum(len(instance.document.words) for instance in split.instances)
streamed = peak() - start
held = list(split.documents)
print(words, streamed, peak() - start)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads /proc")
def test_building_and_reading_hold_a_part_of_the_documents(tmp_path: Path) -> None:
    """A process of its own, against what the documents take as a list in that same process."""
    (tmp_path / "growth.py").write_text(GROWTH)
    done = subprocess.run([sys.executable, str(tmp_path / "growth.py"), str(tmp_path / "x")], check=True, stdout=subprocess.PIPE, text=True)
    words, streamed, held = map(int, done.stdout.split())
    assert words == 4000 * 5 * 200
    assert streamed < held / 2, f"{streamed} MiB while streaming, {held} MiB as a list"
