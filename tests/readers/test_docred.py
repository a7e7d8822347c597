"""DocRED's JSON."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relcon.config import resolve
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.store import describe_component
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader

READER = "relcon.DocRED.v1"


def mention(sentence: Any, start: Any, end: Any, name: str = "x", **more: Any) -> Dict[str, Any]:
    return {"name": name, "sent_id": sentence, "pos": [start, end], "type": "LOC", **more}


def record(**changes: Any) -> Dict[str, Any]:
    base = {
        "title": "Quern Bay",
        "sents": [["Quern", "Bay", "lies", "in", "Orland", "."], ["Its", "bay", "is", "deep", "."]],
        "vertexSet": [
            [mention(0, 0, 2, "Quern Bay"), mention(1, 1, 2, "bay", type="MISC", id="Q7")],
            [mention("0", 4, 5, "Orland")],
        ],
        "labels": [label(), label(r="P131", evidence=[0])],
    }
    return {key: value for key, value in {**base, **changes}.items() if value is not None}


def label(**changes: Any) -> Dict[str, Any]:
    return {"h": 0, "t": 1, "r": "P17", "evidence": [], **changes}


def array(*records: Any) -> str:
    return json.dumps(list(records))


def spans(document: Document) -> List[Any]:
    return [[(each.start, each.end) for each in entity.mentions] for entity in document.entities]


def test_positions_of_sentences_become_those_of_the_document(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("train.json", array(record())))
    assert document == Document(
        "Quern Bay",
        ("Quern", "Bay", "lies", "in", "Orland", ".", "Its", "bay", "is", "deep", "."),
        (Entity((Mention(0, 2), Mention(7, 8)), "LOC", "Q7"), Entity((Mention(4, 5),), "LOC")),
        (Relation(0, 1, "P17"), Relation(0, 1, "P131")),
        ((0, 6), (6, 11)),
        source=document.source,
        metadata={"title": "Quern Bay", "names": [["Quern Bay", "bay"], ["Orland"]], "evidence": [[0, 1, "P131", [0]]]},
    )


def test_positions_of_the_document(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    entities = [[mention(0, 0, 2), mention(1, 7, 8)], [{"name": "Orland", "pos": [4, 5]}]]
    [document] = read(READER, write("train.json", array(record(vertexSet=entities))), positions="document")
    assert spans(document) == [[(0, 2), (7, 8)], [(4, 5)]] and document.entities[1].type == ""


def test_words_of_white_space_are_left_out(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    sents = [[" ", "Quern", "Bay", "\xa0", "sank"], ["\t"], ["Its", " ", "bay"]]
    entities = [[mention(0, 1, 4), mention(2, 2, 3)], [mention(2, 0, 1)]]
    path = write("train.json", array(record(sents=sents, vertexSet=entities)))
    [document] = read(READER, path)
    assert document.words == ("Quern", "Bay", "sank", "Its", "bay")
    assert document.sentences == ((0, 3), (3, 3), (3, 5)) and [document.sentence_of(word) for word in range(5)] == [0, 0, 0, 2, 2]
    assert spans(document) == [[(0, 2), (4, 5)], [(3, 4)]]


def test_ids_are_titles_made_unique(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = write("part.json", array(record(), record(), record(title="Orland"), record(title=None), record(title="")))
    assert [each.id for each in read(READER, path)] == ["Quern Bay", "Quern Bay (2)", "Orland", "part-3", "part-4"]
    assert [each.metadata.get("title") for each in read(READER, path)] == ["Quern Bay", "Quern Bay", "Orland", None, None]


def test_a_folder_is_read_in_the_order_of_its_files(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    folder = write("data/b.json", array(record())).parent
    write("data/a.json", array(record(title="A"), record()))
    write("data/notes.txt", "no record")
    found = [(each.id, Path(each.source.path).name) for each in read(READER, folder)]
    assert found == [("A", "a.json"), ("Quern Bay", "a.json"), ("Quern Bay (2)", "b.json")]


def test_an_empty_folder_is_refused(tmp_path: Path, read: Callable[..., Any]) -> None:
    with pytest.raises(RelconError, match=r"has no file '\*\.json'; expected a DocRED file"):
        read(READER, tmp_path)


def test_labels_may_be_absent(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("test.json", array(record(labels=None))))
    assert document.relations == () and "evidence" not in document.metadata


def test_uids_become_ids(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = write("train.json", array(record(labels=[label(uid=0), label(r="P131", uid="b"), label(r="P1")])))
    assert [each.id for each in read(READER, path)[0].relations] == ["0", "b", ""]


def test_a_uid_that_is_used_again_is_refused(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    folder = write("data/a.json", array(record(labels=[label(uid=3)]))).parent
    write("data/b.json", array(record(labels=[label(uid=4)]), record(labels=[label(uid="3")])))
    [(where, said)] = faults(READER, folder)
    assert where == "b.json:1" and said == "record 1: the uid '3' stands at two labels; a uid is the identity of one"


def test_ignored_pairs_are_kept(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("train.json", array(record(ignored=[[1, 0]]))))
    assert document.metadata["ignored"] == [[1, 0]]


def test_labels_are_those_of_rel_info(write: Callable[..., Path], read: Callable[..., Any], faults: Callable[..., Any]) -> None:
    names = write("rel_info.json", json.dumps({"P17": "country", "P131": "located in"}))
    assert len(read(READER, write("train.json", array(record())), rel_info=str(names))) == 1
    [(_, said)] = faults(READER, write("train.json", array(record(labels=[label(r="P171")]))), rel_info=str(names))
    assert said == "record 0: 'r' of label 0 is 'P171', which is none of the 2 relations. Did you mean 'P17'?"


@pytest.mark.parametrize(
    ("text", "message"),
    [("[]", r"^rel_info: .*rel_info.json: expected an object .*, here it is \[\]"), ("{", "rel_info.json:1: not valid JSON")],
)
def test_a_wrong_rel_info_is_refused(text: str, message: str, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    names = write("rel_info.json", text)
    with pytest.raises(RelconError, match=message):
        read(READER, write("train.json", array(record())), rel_info=str(names))


def test_what_is_cached_depends_on_the_relations(write: Callable[..., Path]) -> None:
    def described() -> Any:
        return describe_component(resolve({"@readers": READER, "rel_info": str(path)}, "[reader]"))

    path = write("rel_info.json", '{"P17": "country"}')
    before = described()
    assert described() == before
    path.write_text('{"P18": "image"}', encoding="utf-8")
    assert described() != before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sents": None}, "'sents' is missing in the record; expected a list"),
        ({"sents": [["a"], "b"]}, "item 1 of 'sents' must be a list, here it is a string, 'b'"),
        ({"sents": [["a", 3]]}, "item 1 of sentence 0 must be a string, here it is a whole number, 3"),
        ({"sents": [[" "], []]}, "'sents' has no word"),
        ({"vertexSet": None}, "'vertexSet' is missing in the record"),
        ({"vertexSet": [[]]}, "entity 0 has no mention"),
        ({"vertexSet": [[mention(2, 0, 1)]]}, "'sent_id' of mention 0 of entity 0 is 2, but the record has 2 sentences, numbered from 0"),
        ({"vertexSet": [[mention("x", 0, 1)]]}, "'sent_id' of mention 0 of entity 0 must be a whole number, here it is a string, 'x'"),
        ({"vertexSet": [[mention(0, 0, 1), mention(1, 3, 6)]]}, "mention 1 of entity 0 has the span [3, 6) outside the 5 words"),
        ({"vertexSet": [[mention(0, 2, 2)]]}, "mention 0 of entity 0 has the span [2, 2), which is empty or reversed"),
        ({"vertexSet": [[{"sent_id": 0, "pos": [0, 1]}]], "labels": []}, "'name' is missing in mention 0 of entity 0"),
        ({"sents": [["a", " "]], "vertexSet": [[mention(0, 1, 2)]]}, "mention 0 of entity 0, without white space, has the span [1, 1)"),
        ({"labels": [label(), label(t=2)]}, "'t' of label 1 is entity 2, but the record has 2 entities, numbered from 0"),
        ({"labels": [label(h=-1)]}, "'h' of label 0 is entity -1"),
        ({"labels": [{"h": 0, "t": 1}]}, "'r' is missing in label 0"),
        ({"labels": [label(r="")]}, "'r' of label 0 is empty; expected the name of a relation"),
        ({"labels": [label(uid=1.5)]}, "'uid' of label 0 must be a whole number or a string, here it is a number, 1.5"),
        ({"labels": [label(evidence=["a"])]}, "item 0 of 'evidence' of label 0 must be a whole number"),
        ({"ignored": [[0, 2]]}, "item 0 of 'ignored' is entity 2, but the record has 2 entities"),
        ({"ignored": [[0]]}, "item 0 of 'ignored' must be [start, end], here it has 1 numbers"),
        ({"ignored": [[0, 1]]}, "'ignored' names the pair [0, 1], which has a label; a pair is one or the other"),
    ],
)
def test_bad_records_are_named(changes: Dict[str, Any], message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("train.json", array(record(title="A"))[:-1] + ",\n" + json.dumps(record(**changes)) + "]"))
    assert where == "train.json:2" and said.startswith("record 1: ") and message in said


def test_positions_is_one_of_two() -> None:
    with pytest.raises(ValueError, match="'word' is neither 'sentence' nor 'document'"):
        DatasetReader.registry.get(READER)(positions="word")


# ---- whatever stands in the file ---------------------------------------------------------------------------------------

SOUND = [record(), record(title="A", labels=None), record(title="B", labels=[label(h=1, t=0, uid=5)])]
TEXT = array(*SOUND).encode()

whole_numbers = st.integers(-2, 8)


@pytest.fixture
def read_bytes(tmp_path: Path) -> Callable[[bytes], List[Document]]:
    """`read_bytes(content)`: the documents of a file of these bytes."""
    path = tmp_path / "train.json"

    def read(content: bytes) -> List[Document]:
        path.write_bytes(content)
        return list(DatasetReader.registry.get(READER)().read(path))

    return read


once = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@once
@given(start=st.integers(0, len(TEXT) - 1), length=st.integers(1, 12))
def test_a_file_with_a_gap_is_read_as_it_stands_or_refused(read_bytes: Callable[..., Any], start: int, length: int) -> None:
    damaged = TEXT[:start] + TEXT[start + length :]
    try:
        found = read_bytes(damaged)
    except RelconError:
        return
    said = json.loads(damaged)
    assert [annotation(each) for each in found] == [written(each) for each in said]


@once
@given(sentence=whole_numbers, start=whole_numbers, end=whole_numbers, head=whole_numbers, tail=whole_numbers)
def test_shifted_positions_are_right_or_refused(
    read_bytes: Callable[..., Any], sentence: int, start: int, end: int, head: int, tail: int
) -> None:
    moved = record(vertexSet=[[mention(0, 0, 1)], [mention(sentence, start, end)]], labels=[label(h=head, t=tail)])
    sound = 0 <= sentence <= 1 and 0 <= start < end <= (6, 5)[sentence] and {head, tail} <= {0, 1}
    if not sound:
        with pytest.raises(RelconError, match=r"train\.json:1: record 0: (mention 0 of entity 1|'sent_id' of|'[ht]' of label 0) "):
            read_bytes(array(moved).encode())
        return
    [document] = read_bytes(array(moved).encode())
    assert annotation(document) == written(moved)


def annotation(document: Document) -> Any:
    """Words, spans of mentions and relations of a document."""
    return document.words, spans(document), [(each.head, each.tail, each.label) for each in document.relations]


def written(value: Dict[str, Any]) -> Any:
    """The same of a record."""
    before = [sum(map(len, value["sents"][:number])) for number in range(len(value["sents"]))]
    flat = [word for sentence in value["sents"] for word in sentence]
    kept = [number for number, word in enumerate(flat) if word.strip()]

    def moved(mention: Dict[str, Any]) -> Any:
        return tuple(sum(number < before[int(mention["sent_id"])] + place for number in kept) for place in mention["pos"])

    places = [[moved(each) for each in entity] for entity in value["vertexSet"]]
    return tuple(flat[number] for number in kept), places, [(each["h"], each["t"], each["r"]) for each in value.get("labels") or []]
