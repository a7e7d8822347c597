"""Triples and names: what a line may be, what repeats, what is wrong where."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcon.distant.knowledge import Triples, read_names, read_triples, surface
from relcon.errors import DataError, RelconError

WORD = st.text(st.characters(categories=("L", "N", "P")), min_size=1, max_size=6)
ROWS = st.lists(st.tuples(WORD, WORD, WORD), min_size=1, max_size=30)


def write(path, text):
    path.write_text(text, encoding="utf-8")
    return path


@given(ROWS)
def test_triples_are_what_a_dictionary_says(tmp_path_factory, rows):
    path = write(tmp_path_factory.mktemp("t") / "t.tsv", "".join("\t".join(row) + "\n" for row in rows))
    every, last = read_triples(path), read_triples(path, multi_label=False)
    for head in {row[0] for row in rows}:
        for tail in {row[2] for row in rows}:
            found = [relation for h, relation, t in rows if (h, t) == (head, tail)]
            assert every.between(head, tail) == tuple(dict.fromkeys(found))
            assert last.between(head, tail) == tuple(found[-1:])
    assert set(every.entities) == {name for row in rows for name in (row[0], row[2])}


@given(st.lists(st.tuples(WORD, WORD), min_size=1, max_size=30))
def test_of_two_ids_the_first_counts(tmp_path_factory, rows):
    path = write(tmp_path_factory.mktemp("n") / "n.tsv", "".join("\t".join(row) + "\n" for row in rows))
    names = read_names(path)
    for form, name in names.ids.items():
        assert name == next(each for said, each in rows if surface(said) == form)
    assert names.repeated == sum(names.ids[surface(form)] != name for form, name in rows)


def test_strangers_and_reversed_pairs_have_nothing_between_them():
    triples = Triples()
    triples.add("a", "r", "b")
    assert (triples.between("a", "b"), triples.between("b", "a"), triples.between("a", "z")) == (("r",), (), ())


def test_names_are_lower_cased_with_single_spaces(tmp_path):
    assert read_names(write(tmp_path / "n.tsv", "New   York\tQ60\r\n\n")).ids == {"new york": "Q60"}


def test_only_some_relations(tmp_path):
    path = write(tmp_path / "t.tsv", "a\tr\tb\na\ts\tb\n")
    assert read_triples(path, relations=["s"]).between("a", "b") == ("s",)
    with pytest.raises(RelconError, match="holds no triple of the relations"):
        read_triples(path, relations=["q"])


@pytest.mark.parametrize(
    "text, line, message",
    [
        ("a\tr\tb\na\tb\n", 2, "expected head<TAB>relation<TAB>tail, the line has 2 columns"),
        ("a r b\n", 1, "the line has no tab"),
        ("\na\t\tb\n", 2, "the relation is empty"),
        ("a\tr\tb\tc\n", 1, "the line has 4 columns"),
    ],
)
def test_bad_triples_are_named(tmp_path, text, line, message):
    path = write(tmp_path / "t.tsv", text)
    with pytest.raises(DataError) as caught:
        read_triples(path)
    assert [problem.where for problem in caught.value.problems] == [f"{path}:{line}"]
    assert message in str(caught.value)


def test_a_bad_name_and_bytes_that_are_no_text(tmp_path):
    with pytest.raises(DataError, match=r"n\.tsv:1: expected surface form<TAB>id, the line has no tab"):
        read_names(write(tmp_path / "n.tsv", "New York Q60\n"))
    (tmp_path / "b.tsv").write_bytes(b"a\xff\tQ1\n")
    with pytest.raises(DataError, match=r"b\.tsv:1: not UTF-8"):
        read_names(tmp_path / "b.tsv")


def test_missing_and_empty_files(tmp_path):
    with pytest.raises(RelconError, match="does not exist"):
        read_triples(tmp_path / "none.tsv")
    with pytest.raises(RelconError, match=r"e\.tsv is empty; expected lines head<TAB>relation<TAB>tail"):
        read_triples(write(tmp_path / "e.tsv", "\n"))
