"""The text of multi-head selection, and entities as tags."""

from pathlib import Path
from typing import Any, Callable, List

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcon.data.glimpse import Glimpse
from relcon.errors import RecordError
from relcon.readers.bio import entities_of_tags
from relcon.readers.conll04 import CoNLL04

READER = "relcon.CoNLL04.v1"

SENTENCE = """#doc 7
0\tAda\tB-Peop\t['N']\t[0]
1\tOrm\tI-Peop\t['Live_In', "Work_For"]\t[3, 4]
2\tof\tO\t['N']\t[2]
3\tOrland\tB-Loc\t['N']\t[3]
4\tKLR\tB-Org\t['OrgBased_In']\t[3]
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_labelled_file(end: str, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    text = SENTENCE + "#doc 8\n0\ta\tO\t['N']\t[0]\n\n0\tb\tO\t['N']\t[0]\n"
    one, two, three = read(READER, write("train.txt", text.replace("\n", end)))
    assert one.words == ("Ada", "Orm", "of", "Orland", "KLR")
    assert [(entity.type, entity.mentions[0][:2]) for entity in one.entities] == [("Peop", (0, 2)), ("Loc", (3, 4)), ("Org", (4, 5))]
    assert [(r.head, r.tail, r.label) for r in one.relations] == [(0, 1, "Live_In"), (0, 2, "Work_For"), (2, 1, "OrgBased_In")]
    assert (one.id, one.metadata, two.id, three.id, three.metadata) == ("train-1", {"document": "7"}, "train-7", "train-10", {})


def test_a_file_without_relations(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.txt", "#doc 7\n0\tAda\tB-Peop\n1\t#\tO\n"))
    assert document.words == ("Ada", "#") and len(document.entities) == 1 and not document.relations


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("2\tof", "3\tof", 4, "the line is numbered '3' where token 2 comes next"),
        ("2\tof", "2\t ", 4, "token 2 is empty"),
        ("\t[2]", "", 4, "4 columns; expected number, token, BIO tag"),
        ("[3, 4]", "[3]", 3, "2 relations, ['Live_In', \"Work_For\"], but 1 heads, [3]"),
        ("[3, 4]", "[3, 2]", 3, "'Work_For' leads from token 1 to token 2, but 2 ends no entity"),
        ("[3, 4]", "[3, 0]", 3, "'Work_For' leads from token 1 to token 0, but 0 ends no entity"),
        ("[3, 4]", "[3, 9]", 3, "but 9 ends no entity"),
        ("[3, 4]", "[3, 4", 3, "the heads must be a list such as ['Live_In'] or [5], here it is '[3, 4'"),
        ("[3, 4]", "__import__('os')", 3, "the heads must be a list"),
        ("[3, 4]", "[3, '4']", 3, "item 1 of the heads must be a whole number"),
        ("['N']\t[0]", "['N']\t[1]", 2, "'N' says that token 0 has no relation, but its head is 1; expected 0"),
        ("['N']\t[0]", "['']\t[1]", 2, "a relation is empty"),
        ("I-Peop", "I-Loc", 1, "the tag 'I-Loc' of token 1 continues no 'Loc'"),
        ("I-Peop", "Peop", 1, "the tag of token 1 must be 'O', 'B-TYPE'"),
    ],
)
def test_bad_lines_are_named(old: str, new: str, line: int, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, found)] = faults(READER, write("a.txt", SENTENCE.replace(old, new, 1) + "#doc 8\n0\ta\tO\n"))
    assert where == f"a.txt:{line}" and message in found


def test_a_heading_without_tokens(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    assert faults(READER, write("a.txt", "#doc 6\n" + SENTENCE)) == [("a.txt:1", "no token stands below '#doc 6'")]


def test_sniff() -> None:
    def told(text: str) -> Any:
        return CoNLL04.sniff(Glimpse(Path("a"), raw=text.encode()))

    assert told(SENTENCE) and told(SENTENCE.partition("\n")[2]) and told("#doc 7\n0\tAda\tO\n")
    assert not told("0\tAda\tO\n") and not told("#doc 7\n") and not told("") and not told("0\ta\tb\tc\td\n")


TAGS = st.sampled_from(["O", "B-x", "I-x", "E-x", "S-x", "B-y", "I-y"])


@given(st.lists(TAGS, max_size=8))
def test_tags_are_entities_or_refused(tags: List[str]) -> None:
    """Entities do not overlap and cover the words that are not O, with their types."""
    try:
        entities = entities_of_tags(tags)
    except RecordError:
        return
    covered = [(place, entity.type) for entity in entities for place in range(*entity.mentions[0][:2])]
    assert covered == [(place, tag[2:]) for place, tag in enumerate(tags) if tag != "O"]


@given(st.lists(st.tuples(st.sampled_from(["", "x", "y"]), st.integers(1, 3)), max_size=5), st.booleans())
def test_written_entities_come_back(runs: Any, ends: bool) -> None:
    """Entities written as BIO, or as BIOES with `ends`, are those that were written."""
    tags, expected = [], []
    for kind, size in runs:
        if kind:
            expected.append((len(tags), len(tags) + size, kind))
        last = "E" if ends else "I"
        prefixes = ["S" if ends else "B"] if size == 1 else ["B", *["I"] * (size - 2), last]
        tags += [f"{prefix}-{kind}" if kind else "O" for prefix in prefixes]
    assert [(*entity.mentions[0][:2], entity.type) for entity in entities_of_tags(tags)] == expected
