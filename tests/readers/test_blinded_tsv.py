"""Blinded sentences, tab-separated. Columns, headers and messages are tested with CLRE's files in its plugin as well."""

from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.data.glimpse import Glimpse
from relcon.errors import RelconError
from relcon.readers.blinded_tsv import BlindedTSV, Blinding, blinded_words

READER = "relcon.BlindedTSV.v1"


def shape(document: Any) -> Any:
    """id, words, entity types and places, label."""
    entities = [(entity.type, entity.mentions[0].start) for entity in document.entities]
    return document.id, " ".join(document.words), entities, document.relations[0].label


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("index\tsentence\tlabel\n7.T1.T3\t@CHEMICAL$-like @GENE$\tCPR:4\n", ("7.T1.T3", "CPR:4")),
        ("7.T1.T3\t@CHEMICAL$-like @GENE$\tfalse\r\n", ("7.T1.T3", "false")),
        ("@CHEMICAL$-like @GENE$\t1\n", ("a-1", "1")),
        ("7.T1.T3\t@CHEMICAL$-like @GENE$\n", ("7.T1.T3", None)),
        ("@CHEMICAL$-like @GENE$\n", ("a-1", None)),
        ("label\tsentence\n\t@CHEMICAL$-like @GENE$\n", ("a-2", None)),
    ],
)
def test_columns(text: str, expected: Any, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.tsv", text))
    assert shape(document) == (expected[0], "@CHEMICAL$ -like @GENE$", [("CHEMICAL", 0), ("GENE", 2)], expected[1])
    assert document.metadata == ({"document": "7"} if expected[0] == "7.T1.T3" else {})


def test_a_merged_tag_is_two_entities(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.tsv", "4\tThe @CHEM-GENE$ test\tfalse\n"), types={"CHEM": "CHEMICAL"}, head="GENE")
    assert shape(document) == ("4", "The @CHEM-GENE$ test", [("GENE", 1), ("CHEMICAL", 1)], "false")


@pytest.mark.parametrize(
    ("head", "order"),
    [(None, ["GENE", "CHEMICAL"]), ("CHEMICAL", ["CHEMICAL", "GENE"]), ("GENE", ["GENE", "CHEMICAL"])],
)
def test_the_head_is_as_set(head: Any, order: List[str], write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.tsv", "@GENE$ and @CHEMICAL$\t1\n"), head=head)
    assert [entity.type for entity in document.entities] == order


def test_of_two_heads_the_first_is_it(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.tsv", "@DRUG$ and @DRUG$\t1\n"), head="DRUG")
    assert [entity.mentions[0].start for entity in document.entities] == [0, 2]


def test_other_placeholders(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    """PROTEIN10 is no PROTEIN1."""
    path = write("a.tsv", "PROTEIN10 of PROTEIN2-PROTEIN1.\t1\n")
    [document] = read(READER, path, placeholders=["PROTEIN1", "PROTEIN2"], types={"PROTEIN2": "P"}, head="PROTEIN1")
    assert shape(document)[1:3] == ("PROTEIN10 of PROTEIN2 - PROTEIN1 .", [("PROTEIN1", 4), ("P", 2)])


@pytest.mark.parametrize(
    ("row", "arguments", "message"),
    [
        ("@A$ alone\t1", {}, "expected two tags such as @PROTEIN$, or one merged tag such as @CHEM-GENE$; found @A$"),
        ("@A$ @B$ @C$\t1", {}, "found @A$, @B$, @C$"),
        ("no tag\t1", {}, "found none"),
        ("@A$ @C$\t1", {"head": "B"}, "no tag is the head 'B': they are A and C"),
        ("4\t@A$ @B$\t1", {}, "3 columns; expected sentence, label, with tabs between"),
    ],
)
def test_bad_rows_are_named(
    row: str, arguments: Dict[str, Any], message: str, write: Callable[..., Path], faults: Callable[..., Any]
) -> None:
    [(where, found)] = faults(READER, write("a.tsv", f"@A$ @B$\t1\n{row}\n"), **arguments)
    assert where == "a.tsv:2" and message in found


def test_a_header_that_names_no_sentence(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    with pytest.raises(RelconError, match=r"a\.tsv:1: a header must name 'sentence'.*'guid', 'text'"):
        read(READER, write("a.tsv", "guid\ttext\n1\t@A$ @B$\n"), header="yes")


@pytest.mark.parametrize(
    "arguments", [{"header": "maybe"}, {"columns": ["label"]}, {"columns": ["sentence", "sentence"]}, {"placeholders": [""]}]
)
def test_arguments_are_checked(arguments: Dict[str, Any]) -> None:
    with pytest.raises(RelconError, match=r"must (not )?be "):
        BlindedTSV(**arguments)


def test_sniff() -> None:
    def told(text: str) -> Any:
        return BlindedTSV.sniff(Glimpse(Path("a"), raw=text.encode()))

    assert told("index\tsentence\tlabel\n1\t@A$ @B$\t1\n") and told("@A$ @B$\t1\n")
    assert not told("1\t@A$ @B$\t@A$ @B$\n") and not told('{"text": "a"}\n') and not told("")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(["@DRUG$", "@CHEM-GENE$", "PR1", "a-b", "(x)", "$", "@", "don't", "é", "\u00a0", " "]), max_size=8))
def test_words_cover_the_sentence(pieces: List[str]) -> None:
    """Every character that is not white space lies in one word; tags stay whole."""
    sentence = "".join(pieces)
    words, offsets, tags = blinded_words(sentence, Blinding(placeholders=("PR1",)))
    assert "".join(words) == "".join(sentence.split())
    assert all(sentence[start:end] == word for word, (start, end) in zip(words, offsets, strict=True))
    assert [words[tag.place] for tag in tags] == [tag.text for tag in tags]
    assert sorted(offsets) == list(offsets)
