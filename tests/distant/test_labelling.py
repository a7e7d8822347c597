"""Linked text -> labelled documents: keys, labels, leakage, the limit per relation."""

from dataclasses import replace
from itertools import permutations
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcon.config import resolve
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.relations import ignored_pairs, relation_instances, unrelated_pairs
from relcon.distant.entities import sentences_of, within_sentences
from relcon.distant.knowledge import Triples
from relcon.distant.labelling import labelled, named_pairs, of_labels, places, without_leaked
from relcon.errors import RelconError
from relcon.interfaces import KnowledgeBase, Linked


def triples_of(rows, multi_label=True):
    made = Triples(multi_label)
    for row in rows:
        made.add(*row)
    return made


def linked(document, rows, table=None, **arguments):
    builder = resolve({"@distant": "relcon.LinkedText.v1", **arguments}, "[linker]")
    (found,) = builder.link([document], KnowledgeBase(table or {}, triples_of(rows).entities))
    return found


def instances(document):
    return [(each.head, each.tail, each.label) for each in relation_instances(document)]


def test_ids_are_looked_up(small):
    document = labelled(linked(small.about(), small.triples), triples_of(small.triples))
    assert instances(document) == [(0, 1, "P19"), (0, 2, "P27"), (1, 2, "P17")]
    assert len(list(unrelated_pairs(document))) == 9
    assert [each.uid for each in relation_instances(document)] == ["d#0-1", "d#0-2", "d#1-2"]


def test_names_stand_in_for_ids(small):
    bare = small.about(ids="   ")
    by_table = linked(bare, small.triples, {"ada holm": "Q1", "wick": "Q2"})
    assert (by_table.keys, [entity.id for entity in by_table.document.entities]) == ([("Q1",), ("Q2",), (), ()], ["Q1", "Q2", "", ""])
    by_name = linked(bare, [("she", "r", "wick"), ("ada holm", "s", "norland")])
    assert by_name.keys == [("ada holm",), ("wick",), ("norland",), ()]
    every = linked(bare, [("she", "r", "wick"), ("ada holm", "s", "norland")], names="every")
    assert every.keys[0] == ("ada holm", "she")
    assert [entity.id for entity in every.document.entities] == ["", "", "", ""]


@pytest.mark.parametrize("last", ["she", "ada holm"])
def test_a_single_label_is_that_of_the_last_line_whatever_the_name(small, last):
    bare = small.about(ids="   ")
    rows = sorted([("she", "r", "wick"), ("ada holm", "s", "wick"), ("ada holm", "t", "norland")], key=lambda row: row[0] == last)
    document = labelled(linked(bare, rows, names="every"), triples_of(rows, multi_label=False))
    assert instances(document) == [(0, 1, "r" if last == "she" else "s"), (0, 2, "t")]
    assert (0, 1, "r") in instances(labelled(linked(bare, rows, names="every"), triples_of(rows)))


def test_the_table_of_names_goes_before_the_name_itself(small):
    found = linked(small.about(ids="   "), [("Q1", "r", "wick"), ("ada holm", "s", "wick")], {"ada holm": "Q1"})
    assert found.keys == [("Q1",), ("wick",), (), ()]


def test_entities_of_one_id_become_one(small):
    document = small.about(ids="Q1 Q2 Q2 Q1")
    found = linked(document, small.triples)
    assert [[tuple(mention[:2]) for mention in entity.mentions] for entity in found.document.entities] == [
        [(0, 2), (12, 13), (14, 16)], [(5, 6), (10, 11)],
    ]  # fmt: skip


def test_annotated_relations_and_ignored_pairs_go(small):
    said = replace(small.about(), relations=(Relation(3, 0, "said"),), metadata={"ignored": [[1, 0]]})
    document = labelled(linked(said, small.triples), triples_of(small.triples))
    assert "said" not in [label for *_, label in instances(document)] and not ignored_pairs(document)


def test_an_unknown_way_to_name():
    with pytest.raises(RelconError, match="neither 'first' nor 'every'"):
        resolve({"@distant": "relcon.LinkedText.v1", "names": "all"}, "[linker]")


IDS = st.lists(st.sampled_from(["a", "b", "c", "d", ""]), min_size=1, max_size=6)
STORE = st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from("rs"), st.sampled_from("abcd")), min_size=1, max_size=12)


@given(IDS, STORE, st.booleans())
def test_every_ordered_pair_is_looked_up(ids, store, multi_label):
    document = Document("d", ("w",) * len(ids), tuple(Entity((Mention(n, n + 1),), "", id) for n, id in enumerate(ids)))
    keys = [(id,) if id else () for id in ids]
    found = labelled(Linked(document, keys), triples_of(store, multi_label))
    expected = set()
    for head, tail in permutations(range(len(ids)), 2):
        labels = [r for h, r, t in store if (h, t) == (ids[head], ids[tail])]
        expected |= {(head, tail, label) for label in (labels if multi_label else labels[-1:])}
    assert set(instances(found)) == expected and len(instances(found)) == len(expected)
    assert len({each.uid for each in relation_instances(found)}) == len(expected)
    related = {(head, tail) for head, tail, _ in expected}
    assert set(unrelated_pairs(found)) == set(permutations(range(len(ids)), 2)) - related


@pytest.mark.parametrize("direction", [(0, 1), (1, 0)])
def test_leaked_pairs_are_ignored_in_both_directions(direction, small):
    """Each name of one with each of the other; white space and case do not count."""
    test = Document("t", ("NOR", "land", "saw", "she"), (Entity((Mention(0, 2),)), Entity((Mention(3, 4),))),
                    (Relation(*direction, "x"),))
    document = labelled(Linked(small.about(), [("Q1",), ("Q2",), ("Q3",), ("Q4",)]), triples_of([*small.triples, ("Q3", "P1", "Q1")]))
    clean = without_leaked(document, named_pairs([test]))
    assert (2, 0, "P1") in instances(document)
    assert instances(clean) == [(0, 1, "P19"), (1, 2, "P17")] and ignored_pairs(clean) == {(0, 2), (2, 0)}
    assert without_leaked(document, set()) is document


def test_names_that_do_not_count():
    test = Document("t", ("Wick", "Norland"), (Entity((Mention(0, 1),)), Entity((Mention(1, 2),))), (Relation(0, 1, "none"),))
    assert named_pairs([test]) == {("norland", "wick")} and named_pairs([test], ["none"]) == set()
    unlabelled = replace(test, relations=(Relation(0, 1),))
    assert named_pairs([unlabelled]) == set()


def test_at_most_so_many_documents_of_a_relation(small):
    documents = [labelled(Linked(small.about(f"d{n}"), [("Q1",), ("Q2",), ("Q3",), ()]), triples_of(small.triples)) for n in range(40)]
    kept = places(iter(documents), 5, Random("1"))
    trimmed = [of_labels(document, kept.get(number, ())) for number, document in enumerate(documents)]
    for label in ("P19", "P27", "P17"):
        assert sum(label in [each.label for each in document.relations] for document in trimmed) == 5
    assert all(len(document.relations) + len(ignored_pairs(document)) == 3 for document in trimmed)
    assert any(document.relations for document in trimmed[20:]), "later ones replace earlier ones"
    assert places(documents, 5, Random("1")) == kept


def test_a_sentence_is_a_document(small):
    first, second = sentences_of(Linked(small.about(), [("Q1",), ("Q2",), (), ("Q4",)]))
    assert (first.document.id, first.keys) == ("d.s0", [("Q1",), ("Q2",), ()])
    assert (second.document.words[0], second.keys) == ("She", [("Q1",), ("Q4",)])
    assert [entity.id for entity in second.document.entities] == ["Q1", "Q4"]


def test_mentions_that_no_file_holds_are_left_out(small):
    crossing = Entity((Mention(10, 13),), "X", "Q9")
    pieces = Entity((Mention(0, 6, ((0, 2), (5, 6))), Mention(3, 4)), "X", "Q8")
    document = replace(small.about(), entities=(crossing, pieces))
    found, lost = within_sentences(Linked(document, [("Q9",), ("Q8",)]))
    assert (lost, found.keys, [entity.mentions for entity in found.document.entities]) == (2, [("Q8",)], [(Mention(3, 4),)])
