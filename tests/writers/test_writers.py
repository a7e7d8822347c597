"""What is written is read back, and what does not come back is named."""

import json
from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import accumulate, islice, pairwise
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Set, Tuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.data.document import Document, Entity, Mention, Parse, Relation, Source
from relcon.data.relations import LEFT_OUT
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader, Writer
from relcon.writers.brat import BRAT, annotation_lines
from relcon.writers.doccano import Doccano
from relcon.writers.dygie import DyGIE
from relcon.writers.jsonlines import JSONLines
from relcon.writers.label_studio import LabelStudio
from relcon.writers.opennre import OpenNRE
from relcon.writers.prodigy import Prodigy
from relcon.writers.spert import SpERT

WORDS = st.sampled_from(["Zorvane", "blocks", "KLR2", ".", "(", "Orsk", "can't", "a-b", "𝛂-fen", "ß", "Dr.", "1,5"])
SPACES = st.sampled_from([" ", " ", "", "  ", "\n", "\n\n", "\r\n", "\t", "\u2028"])
NAMES = st.sampled_from(["DRUG", "KLR2", "a b", "T1", "T2", "7", "R1", "x:y", "é"])
SCORES = st.none() | st.sampled_from([0.0, 0.25, 1.0])
METADATA = st.fixed_dictionaries(
    {},
    optional={
        "document": st.sampled_from(["d", "one", 3]),
        "fold": st.integers(0, 3),
        "text": NAMES,
        "meta": st.sampled_from([{}, {"a": 1}, "a"]),
        "annotator": st.sampled_from(["ada", ""]),
        "normalized": st.sampled_from([{"T1": ["DB:1", "DB:2"]}, {"T1": []}, {"T9": ["DB:1"]}, {}]),
        "roles": st.sampled_from([{"R1": ["Agent", "Theme"]}, {"R1": ["Arg1", "Arg2"]}]),
    },
)


@st.composite
def mentions(draw: st.DrawFn, size: int) -> Mention:
    """One span, or several with words between them."""
    edges = sorted(draw(st.sets(st.integers(0, size), min_size=2, max_size=6)))
    spans = list(zip(edges[::2], edges[1::2], strict=False))
    return Mention(spans[0][0], spans[-1][1], tuple(spans) if len(spans) > 1 else ())


@st.composite
def documents(draw: st.DrawFn, name: str = "one") -> Document:
    """With and without text, nested, repeated and discontinuous mentions, ids, labels, sentences, parse, metadata, source."""
    words = tuple(draw(st.lists(WORDS, min_size=draw(st.sampled_from([0, 1, 1, 1])), max_size=8)))
    size = len(words)
    gaps = draw(st.lists(SPACES, min_size=size + 1, max_size=size + 1))
    places = [start + len(gaps[0]) for start in accumulate(map(len, map("".join, zip(words, gaps[1:], strict=True))), initial=0)]
    in_text = draw(st.booleans())
    found = draw(st.lists(st.lists(mentions(size), min_size=1, max_size=3, unique=True), max_size=4)) if size else []
    kinds = [(draw(NAMES | st.just("")), draw(NAMES | st.just("")), draw(SCORES)) for _ in found]
    numbers = st.integers(0, max(len(found) - 1, 0))
    relation = st.builds(Relation, numbers, numbers, st.none() | NAMES, NAMES | st.just(""), SCORES)
    borders = [0, *sorted(draw(st.sets(st.integers(1, max(size, 1)), max_size=2)) - {size}), size]
    return Document(
        id=name,
        words=words,
        entities=tuple(Entity(tuple(each), *kind) for each, kind in zip(found, kinds, strict=True)),
        relations=tuple(draw(st.lists(relation, max_size=3))) if found else (),
        sentences=tuple(pairwise(borders)) if size else (),
        text=gaps[0] + "".join(map("".join, zip(words, gaps[1:], strict=True))) if in_text else None,
        offsets=tuple((start, start + len(word)) for start, word in zip(places, words, strict=False)) if in_text else None,
        parse=Parse((0,) * size, ("x",) * size) if size and draw(st.booleans()) else None,
        source=draw(st.sampled_from([None, Source("other.txt", 7), Source(f"{name.rpartition('-')[0]}.x", 1)])),
        metadata=draw(METADATA),
    )


# ---- what may be lost ----------------------------------------------------------------------------------------------------


def place(document: Document, start: int, end: int) -> Tuple[int, int]:
    """Words as characters that are no white space, so that it does not matter how a text is cut into words."""
    ends = [0, *accumulate(len("".join(word.split())) for word in document.words)]
    return ends[start], ends[end]


def spans(document: Document, mention: Mention) -> Tuple[Tuple[int, int], ...]:
    return tuple(place(document, *span) for span in mention.spans)


def chain(document: Document, number: int) -> Tuple[Any, ...]:
    """An entity by its mentions."""
    return tuple(sorted(spans(document, mention) for mention in document.entities[number].mentions))


Facts = Dict[str, Tuple[Callable[[Document], Any], Sequence[str]]]

GONE = ("entity without a relation", "relation that shares its document", "argument once more", "mention beside")

MOVED = (*GONE, "gap in a mention", "belongs to an entity", "argument that shares")

FACTS: Facts = {
    "letters": (lambda d: "".join("".join(d.words).split()), ()),
    "words": (lambda d: d.words, ("words that are not",)),
    "text": (lambda d: d.text, ("text around",)),
    "sentences": (
        lambda d: {place(d, *span)[0] for span in d.sentences},
        ("border between", "sentences that are not", "words that are not"),
    ),
    "parse": (lambda d: d.parse, ("dependency parse",)),
    "mentions": (lambda d: Counter(spans(d, m) for e in d.entities for m in e.mentions), ("gap in a mention", *GONE)),
    "entities": (
        lambda d: Counter(chain(d, number) for number in range(len(d.entities))),
        ("gap in a mention", "belongs to an entity", *GONE),
    ),
    "types": (lambda d: Counter(e.type for e in d.entities), ("white space in a type", "belongs to an entity", *GONE)),
    "entity ids": (lambda d: Counter(e.id for e in d.entities if e.id), ("id of an entity", *GONE)),
    "entity scores": (
        lambda d: Counter(e.score for e in d.entities if e.score is not None),
        ("probability of an entity", "belongs to an entity", *GONE),
    ),
    "relations": (
        lambda d: Counter((chain(d, r.head), chain(d, r.tail), r.label) for r in d.relations),
        ("pair without a label", "white space in a label", *MOVED),
    ),
    "relation ids": (lambda d: Counter(r.id for r in d.relations if r.id), ("id of a relation", "pair without", *GONE)),
    "relation scores": (
        lambda d: Counter(r.score for r in d.relations if r.score is not None),
        ("probability of a relation", "pair without", *GONE),
    ),
}
"""What a document says -> a function of it, and the losses one of which must be named where it comes back otherwise."""


def unnamed(before: Document, after: Document, losses: Dict[str, int]) -> Set[str]:
    """The facts that came back otherwise and that no loss names. What was absent before may be there."""
    wrong = {
        name
        for name, (fact, causes) in FACTS.items()
        if _differs(name, fact(before), fact(after)) and not any(cause in loss for cause in causes for loss in losses)
    }
    metadata = {key for key, value in before.metadata.items() if not _is_in(value, after.metadata.get(key))}
    metadata -= {"document"} if before.metadata.get("document") == before.id else set()
    return wrong | {f"metadata {key}" for key in metadata if f"metadata '{key}'" not in losses}


def _is_in(before: Any, after: Any) -> bool:
    """The same value; a dictionary may have more."""
    return before.items() <= after.items() if isinstance(before, dict) and isinstance(after, dict) else before == after


def _differs(name: str, before: Any, after: Any) -> bool:
    if name == "text" and before is None:
        return False
    if name == "types":
        return bool(Counter({kind: n for kind, n in before.items() if kind}) - after)
    return bool(before - after) if name.endswith("ids") else before != after


# ---- writing and reading -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def there_and_back(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., List[Document]]:
    """`there_and_back(writer, documents)`: what the writer's reader makes of what it writes."""
    folder: Path = tmp_path_factory.mktemp("written")

    def of(writer: Writer, documents: Sequence[Document]) -> List[Document]:
        path = folder / ("out" if writer.folder else "out.json")
        written = writer.write(documents, path)
        if not written:
            return []
        found = list(DatasetReader.registry.get(writer.reader)(**writer.options).read(path))
        return found

    return of


# ---- properties ----------------------------------------------------------------------------------------------------------

WHOLE = [SpERT(), DyGIE(), BRAT(), LabelStudio(), LabelStudio(predictions=True), Prodigy(), Doccano()]
"""Formats in which a document stays one."""

NAMELESS = ("OpenNRE", "Prodigy")
"""Formats in which a document has no id."""

called = {"ids": lambda writer: type(writer).__name__ + ("-predictions" if getattr(writer, "predictions", False) else "")}


@pytest.mark.parametrize("writer", WHOLE, **called)
@settings(max_examples=40, deadline=None)
@given(documents())
def test_what_comes_back_is_what_was_kept(writer: Writer, there_and_back: Callable[..., Any], document: Document) -> None:
    """To the last field; and each field that differs from the document is named among the losses, or was absent before."""
    found, losses = there_and_back(writer, [document]), writer.losses(document)
    if not found:
        assert list(losses) == ["document without words"] and not document.words
        return
    [back], kept = found, writer.kept(document).document
    name = back.id if type(writer).__name__ in NAMELESS else kept.id
    assert replace(back, source=None) == replace(kept, source=None, id=name)
    assert unnamed(document, back, losses) == set()
    assert all(number > 0 for number in losses.values())


@settings(max_examples=40, deadline=None)
@given(st.booleans(), documents())
def test_opennre_has_a_line_for_each_pair(there_and_back: Callable[..., Any], words: bool, document: Document) -> None:
    """Two entities each; of a document with one pair everything that differs is named."""
    writer = OpenNRE(words)
    found, losses, kept = there_and_back(writer, [document]), writer.losses(document), writer.kept(document).document
    assert len(found) == len(document.relations)
    assert found or list(losses) == ["document without a pair"]
    for number, back in enumerate(found):
        relation = replace(kept.relations[number], head=0, tail=1)
        pair = replace(kept, entities=kept.entities[2 * number : 2 * number + 2], relations=(relation,))
        if words or document.text is None:  # what a text is cut into depends on its mentions
            assert replace(back, source=None, id="") == replace(pair, source=None, id="")
        assert (back.relations, [each.type for each in back.entities]) == (pair.relations, [each.type for each in pair.entities])
        assert [back.mention_text(each.mentions[0]) for each in back.entities] == [kept.mention_text(e.mentions[0]) for e in pair.entities]
    if len(found) == 1:
        assert unnamed(document, found[0], losses) == set()


@settings(max_examples=40, deadline=None)
@given(documents())
def test_our_own_format_loses_nothing(there_and_back: Callable[..., Any], document: Document) -> None:
    [back] = there_and_back(JSONLines(), [document])
    assert (back, JSONLines().losses(document)) == (document if document.source else replace(document, source=None), {})


@pytest.mark.parametrize("writer", [*WHOLE, OpenNRE()], **called)
@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(), max_size=4), st.data())
def test_several_documents(writer: Writer, there_and_back: Callable[..., Any], numbers: List[int], data: st.DataObject) -> None:
    """All that have words (and a pair) come back."""
    some = [data.draw(documents(f"one-{number}")) for number in range(len(numbers))]
    lines = sum(len(each.relations) if isinstance(writer, OpenNRE) else not writer.unfit(each) for each in some)
    assert len(there_and_back(writer, some)) == lines


@pytest.mark.parametrize("writer", WHOLE, **called)
@settings(max_examples=15, deadline=None)
@given(documents())
def test_a_second_time_nothing_is_lost(writer: Writer, there_and_back: Callable[..., Any], document: Document) -> None:
    """What was read from a format, the format can hold."""
    for back in there_and_back(writer, [document]):
        [again] = there_and_back(writer, [back])
        assert writer.losses(back) == {}
        assert replace(again, source=None) == replace(back, source=None)


# ---- examples ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def document() -> Document:
    """Two sentences; an entity with two mentions, one discontinuous, a relation between them, probabilities."""
    return Document(
        id="K/1",
        words=("Renal", "and", "hepatic", "stones", "respond", "to", "zorvane", ".", "It", "helps", "."),
        entities=(
            Entity((Mention(0, 4, ((0, 1), (3, 4))),), "DISEASE", "d", 0.5),
            Entity((Mention(6, 7), Mention(8, 9)), "DRUG", "T7", 0.75),
        ),
        relations=(Relation(1, 0, "helps with", score=0.9), Relation(0, 1)),
        sentences=((0, 8), (8, 11)),
        metadata={"fold": 3, LEFT_OUT: {"event": 2}},
    )


def written(writer: Writer, document: Document, folder: Path) -> Any:
    assert writer.write([document], folder / "out.json") == 1
    return json.loads((folder / "out.json").read_text(encoding="utf-8"))


def test_spert_by_hand(document: Document, tmp_path: Path) -> None:
    [record] = written(SpERT(), document, tmp_path)
    assert record["entities"] == [
        {"type": "DISEASE", "start": 0, "end": 4},
        {"type": "DRUG", "start": 6, "end": 7},
        {"type": "DRUG", "start": 8, "end": 9},
    ]
    assert record["relations"] == [{"type": "helps with", "head": 1, "tail": 0}, {"type": None, "head": 0, "tail": 1}]
    assert record["orig_id"] == "K/1"
    assert SpERT().losses(document) == {
        "mention that belongs to an entity with others (each is an entity)": 1,
        "gap in a mention": 1,
        "border between sentences": 1,
        "id of an entity": 2,
        "probability of an entity": 3,
        "probability of a relation": 1,
        "metadata 'fold'": 1,
    }


def test_dygie_by_hand(document: Document, tmp_path: Path) -> None:
    """Inclusive ends, counted through the document; the mentions of one entity are a cluster."""
    assert written(DyGIE(), document, tmp_path) == {
        "doc_key": "K/1",
        "sentences": [list(document.words[:8]), list(document.words[8:])],
        "ner": [[[0, 3, "DISEASE"], [6, 6, "DRUG"]], [[8, 8, "DRUG"]]],
        "relations": [[[6, 6, 0, 3, "helps with"]], []],
        "clusters": [[[6, 6], [8, 8]]],
    }


def test_opennre_by_hand(document: Document, tmp_path: Path) -> None:
    OpenNRE().write([document], tmp_path / "out.txt")
    first, second = map(json.loads, (tmp_path / "out.txt").read_text(encoding="utf-8").splitlines())
    drug = {"name": "zorvane", "id": "T7", "type": "DRUG", "pos": [6, 7]}
    disease = {"name": "Renal and hepatic stones", "id": "d", "type": "DISEASE", "pos": [0, 4]}
    assert first == {"token": list(document.words), "h": drug, "t": disease, "relation": "helps with"}
    assert second["t"] == drug and "relation" not in second


def test_brat_by_hand(document: Document, tmp_path: Path) -> None:
    assert BRAT().write([document], tmp_path / "out") == 1
    assert (tmp_path / "out/K/1.txt").read_text() == "Renal and hepatic stones respond to zorvane . It helps ."
    assert (tmp_path / "out/K/1.ann").read_text().splitlines() == [
        "T1\tDISEASE 0 5;18 24\tRenal stones",
        "T7\tDRUG 36 43\tzorvane",
        "T2\tDRUG 46 48\tIt",
        "R1\thelps_with Arg1:T7 Arg2:T1",
        "*\tEquiv T7 T2",
    ]
    assert {"white space in a label", "pair without a label", "id of an entity"} <= set(BRAT().losses(document))


def test_label_studio_by_hand(document: Document, tmp_path: Path) -> None:
    """Predictions have scores; the text is where a project looks for it."""
    [task] = written(LabelStudio(predictions=True, text="body", labels="kinds"), document, tmp_path)
    assert task["data"] == {"body": "Renal and hepatic stones respond to zorvane . It helps .", "fold": 3}
    [prediction] = task["predictions"]
    assert prediction["result"][1] == {
        "id": "T7",
        "type": "labels",
        "from_name": "kinds",
        "to_name": "body",
        "value": {"start": 36, "end": 43, "text": "zorvane", "labels": ["DRUG"]},
        "score": 0.75,
    }
    assert prediction["result"][-2] == {
        "type": "relation",
        "from_id": "T7",
        "to_id": "d",
        "direction": "right",
        "labels": ["helps with"],
        "score": 0.9,
    }
    assert prediction["result"][-1]["labels"] == []


def test_prodigy_by_hand(document: Document, tmp_path: Path) -> None:
    """Tokens with inclusive ends, arguments by their last tokens."""
    line = written(Prodigy(), document, tmp_path)
    assert line["tokens"][6] == {"text": "zorvane", "start": 36, "end": 43, "id": 6, "ws": True, "disabled": False}
    assert line["spans"][0] == {"start": 0, "end": 24, "token_start": 0, "token_end": 3, "label": "DISEASE"}
    [relation] = line["relations"]
    assert (relation["head"], relation["child"], relation["label"], relation["child_span"]) == (6, 3, "helps with", line["spans"][0])
    assert line["meta"] == {"document": "K/1"}


def test_doccano_by_hand(document: Document, tmp_path: Path) -> None:
    record = written(Doccano(), document, tmp_path)
    assert record["entities"][1] == {"id": 2, "label": "DRUG", "start_offset": 36, "end_offset": 43}
    assert record["relations"] == [{"id": 1, "from_id": 2, "to_id": 1, "type": "helps with"}]
    assert (record["id"], record["fold"]) == ("K/1", 3)


@pytest.mark.parametrize(("name", "file"), [("a:b c", "a:b c"), ("../up", "%2E%2E%2Fup"), (".x", "%2Ex"), ("", "%"), ("a//b", "a%2F%2Fb")])
def test_an_id_becomes_a_file_in_the_folder(name: str, file: str, tmp_path: Path) -> None:
    document = Document(name, ("Orsk",))
    BRAT().write([document], tmp_path / "out")
    assert sorted(each.name for each in (tmp_path / "out").iterdir()) == [f"{file}.ann", f"{file}.txt"]
    assert ("id of a document" in BRAT().losses(document)) == (name != file)


def test_a_folder_with_texts_of_other_people_is_not_replaced(document: Document, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(RelconError, match=r"holds notes\.txt, which would be lost"):
        BRAT().write([document], tmp_path)
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_folder_with_other_files_is_not_replaced(document: Document, tmp_path: Path) -> None:
    BRAT().write([document], tmp_path / "out")
    assert BRAT().write([replace(document, id="new")], tmp_path / "out") == 1
    assert not (tmp_path / "out/K").exists()
    (tmp_path / "out/thesis.odt").touch()
    with pytest.raises(RelconError, match=r"holds thesis\.odt, which would be lost"):
        BRAT().write([document], tmp_path / "out")
    assert (tmp_path / "out/new.txt").exists()


@pytest.mark.parametrize(
    ("some", "message"),
    [
        ([Document("a b", ("Orsk",)), Document("a b", ("Orsk",))], "two documents would be the file 'a b.txt'"),
        ([Document("x" * 300, ("Orsk",))], "is too long for the name of a file"),
        ([Document("a", ("Orsk",), (Entity((Mention(0, 1),), "\ud835"),))], "half a surrogate pair in a type or a label"),
    ],
)
def test_what_no_folder_can_hold(some: List[Document], message: str, tmp_path: Path) -> None:
    with pytest.raises(RelconError, match=message):
        BRAT().write(some, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", [JSONLines(), SpERT(), DyGIE(), Prodigy()], **called)
def test_half_a_surrogate_pair_survives_in_words(writer: Writer, there_and_back: Callable[..., Any]) -> None:
    [back] = there_and_back(writer, [Document("a", ("\ud835", "Orsk"))])
    assert back.words == ("\ud835", "Orsk")


@pytest.mark.parametrize("writer", [BRAT(), LabelStudio(), Doccano(), OpenNRE()], **called)
def test_a_text_with_half_a_surrogate_pair_is_left_out(writer: Writer, there_and_back: Callable[..., Any]) -> None:
    """No words would be found in it."""
    whole = Document("b", ("Orsk",), (Entity((Mention(0, 1),), "P"),), (Relation(0, 0, "x"),), text="Orsk", offsets=((0, 4),))
    torn = replace(whole, id="a", words=("Ors\ud835",), text="Ors\ud835")
    assert writer.losses(torn) == {"document with half a surrogate pair": 1}
    assert len(there_and_back(writer, [torn, whole])) == 1


def test_a_text_with_a_byte_order_mark_keeps_its_places(there_and_back: Callable[..., Any]) -> None:
    text = "\ufeffOrsk sank"
    document = Document("a", ("\ufeffOrsk", "sank"), (Entity((Mention(1, 2),), "EVENT", "T1"),), text=text, offsets=((0, 5), (6, 10)))
    [back] = there_and_back(BRAT(), [document])
    assert (back.text, back.mention_text(back.entities[0].mentions[0])) == (text, "sank")


def test_normalisations_and_roles_come_back(tmp_path: Path) -> None:
    metadata = {"normalized": {"T1": ["DB:7", "DB:8"]}, "roles": {"R1": ["Agent", "Theme"]}}
    entities = Entity((Mention(0, 1),), "DRUG", "T1"), Entity((Mention(2, 3),), "CHANNEL", "T2")
    document = Document("a", ("Zorvane", "blocks", "KLR2"), entities, (Relation(0, 1, "Block", "R1"),), metadata=metadata)
    assert list(annotation_lines(BRAT().kept(document).document))[2:] == [
        "R1\tBlock Agent:T1 Theme:T2",
        "N1\tReference T1 DB:7\tDB:7",
        "N2\tReference T1 DB:8\tDB:8",
    ]
    assert "metadata 'roles'" not in BRAT().losses(document)


def test_a_file_appears_whole_or_not_at_all(document: Document, tmp_path: Path) -> None:
    def failing() -> Any:
        yield document
        raise RelconError("broken source")

    for writer in (*WHOLE, OpenNRE(), JSONLines()):
        with pytest.raises(RelconError, match="broken source"):
            writer.write(failing(), tmp_path / "out")
        assert list(tmp_path.iterdir()) == []


# ---- real files ----------------------------------------------------------------------------------------------------------


def read(name: str, path: Path, **options: Any) -> List[Document]:
    return list(DatasetReader.registry.get(name)(**options).read(path))


def test_ade_there_and_back(tmp_path: Path, shared: Callable[[str], Path]) -> None:
    """The same JSON, not only the same documents."""
    path = shared("data/ade/ade_full_spert.json")
    some = read("relcon.SpERT.v1", path)
    assert SpERT().write(some, tmp_path / "ade.json") == 4272
    assert json.loads((tmp_path / "ade.json").read_text()) == json.loads(path.read_text())
    assert not any(map(SpERT().losses, some))


@pytest.mark.parametrize("split", ["dev", "test"])
def test_scierc_there_and_back(split: str, tmp_path: Path, shared: Callable[[str], Path]) -> None:
    """The same entities and relations of each sentence; and with its clusters, where nothing but a label of a pair gets lost."""
    path = shared(f"data/scierc/json/{split}.json")
    some = read("relcon.DyGIE.v1", path, unit="document")
    assert not any(DyGIE().losses(each).keys() - {"argument that shares its place with an entity before it"} for each in some)
    DyGIE().write(some, tmp_path / "out.json")
    lines = [list(map(json.loads, file.read_text().splitlines())) for file in (path, tmp_path / "out.json")]
    for before, after in zip(*lines, strict=True):
        assert [before[key] for key in ("doc_key", "sentences", "ner", "relations")] == [
            after[key] for key in ("doc_key", "sentences", "ner", "relations")
        ]
    joined = read("relcon.DyGIE.v1", path, **DyGIE.options)
    DyGIE().write(joined, tmp_path / "out.json")
    again = read("relcon.DyGIE.v1", tmp_path / "out.json", **DyGIE.options)
    assert [replace(each, source=None) for each in again] == [replace(DyGIE().kept(each).document, source=None) for each in joined]
    assert sum(len(entity.mentions) > 1 for each in joined for entity in each.entities) > 50


@pytest.mark.parametrize("name", ["semeval2010_task8/opennre/val.txt", "wiki80/train_0.01.txt"])
def test_opennre_there_and_back(name: str, tmp_path: Path, shared: Callable[[str], Path]) -> None:
    path = shared(f"data/{name}")
    some = read("relcon.OpenNRE.v1", path)
    assert not any(map(OpenNRE().losses, some))
    OpenNRE().write(some, tmp_path / path.name)
    assert [replace(each, source=None) for each in read("relcon.OpenNRE.v1", tmp_path / path.name)] == [
        replace(each, source=None) for each in some
    ]


CORPORA = {
    "relcon.SemEval2010.v1": "semeval2010_task8/SemEval2010_task8_all_data/SemEval2010_task8_testing_keys/TEST_FILE_FULL.TXT",
    "relcon.ChemProt.v1": "chemprot/ChemProt_Corpus/chemprot_development",
    "relcon.DDI2013.v1": "ddi2013/Test/Test for DDI Extraction task/MedLine",
    "relcon.DocRED.v1": "docred/train_annotated_200.json",
    "relcon.DyGIE.v1": "scierc/json/dev.json",
}


@cache
def first_documents(name: str, path: Path) -> List[Document]:
    return list(islice(DatasetReader.registry.get(name)().read(path), 10))


@pytest.mark.parametrize("name", CORPORA)
@pytest.mark.parametrize("writer", [*WHOLE, JSONLines()], **called)
def test_real_documents_come_back_as_they_were_kept(
    name: str, writer: Writer, there_and_back: Callable[..., Any], shared: Callable[[str], Path]
) -> None:
    some = first_documents(name, shared(f"data/{CORPORA[name]}"))
    back = there_and_back(writer, some)
    kept = [writer.kept(each).document for each in some] if writer in WHOLE else some
    if isinstance(writer, BRAT):  # the order of files
        back, kept = ([*sorted(each, key=lambda one: one.id)] for each in (back, kept))
    nameless = type(writer).__name__ in NAMELESS
    assert [replace(each, source=None, id="" if nameless else each.id) for each in back] == [
        replace(each, source=None, id="" if nameless else each.id) for each in kept
    ]
    for before, after in zip(sorted(some, key=lambda one: one.id) if isinstance(writer, BRAT) else some, back, strict=True):
        assert unnamed(before, after, writer.losses(before)) == set()
