"""Pairs of any corpus: sentences cut out of documents, every pair of mentions in them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from relcon.builders.keys import blinded_key
from relcon.builders.pairs import keys_to_exclude
from relcon.data.document import Document, Entity, Mention, Parse, Relation
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader, PairBuilder
from relcon.sample import path


class Given(DatasetReader):
    """Reads what it was given."""

    def __init__(self, *documents):
        self.documents = documents

    def read(self, path):
        return iter(self.documents)


def entity(type, *spans, id=""):
    return Entity(tuple(Mention(*span) for span in spans), type, id)


TWO = Document(
    id="d",
    words=("A", "met", "B", ".", "B", "and", "C", "met", "A", "."),
    entities=(entity("P", (0, 1), (8, 9), id="a"), entity("Q", (2, 3), (4, 5)), entity("P", (6, 7))),
    relations=(Relation(0, 1, "knows"),),
    sentences=((0, 4), (4, 10)),
    text="A met B. B and C met A.",
    offsets=((0, 1), (2, 5), (6, 7), (7, 8), (9, 10), (11, 14), (15, 16), (17, 20), (21, 22), (22, 23)),
    parse=Parse((1, 1, 1, 1, 7, 6, 4, 7, 7, 7), ("x",) * 10),
    metadata={"fold": 3},
)


def pairs_of(*documents, types, **arguments):
    builder = PairBuilder.registry.get("relcon.CorpusPairs.v1")(Given(*documents), "unused", types, **arguments)
    return list(builder.build()), builder


def test_every_pair_of_the_types():
    documents, builder = pairs_of(TWO, types=[["P", "Q"]])
    assert [each.id for each in documents] == ["d.s0", "d.s1"]
    assert [each.relations for each in documents] == [(Relation(0, 1),), (Relation(1, 0), Relation(2, 0))]
    assert builder.skipped() == {}


def test_two_mentions_of_one_entity_are_no_pair():
    same = Document("d", ("A", "saw", "A"), (entity("P", (0, 1), (2, 3)),))
    documents, builder = pairs_of(same, types=[["P", "P"]])
    assert (documents, builder.skipped()) == ([], {"sentences without a pair of the types": 1})


def test_limits_and_duplicates():
    documents, builder = pairs_of(TWO, TWO, types=[["P", "Q"]], max_pairs_per_sentence=1, label="x")
    assert [[relation.label for relation in each.relations] for each in documents] == [["x"], ["x"], ["x"]]
    assert builder.skipped() == {"above max_pairs_per_sentence": 1, "the same blinded text a second time": 2}
    with pytest.raises(RelconError, match="max_pairs_per_sentence: 0 is below 1"):
        pairs_of(TWO, types=[["P", "Q"]], max_pairs_per_sentence=0)
    with pytest.raises(RelconError, match="types: expected"):
        pairs_of(TWO, types=[["P"]])


def test_evaluation_sentences_are_left_out():
    """One whole sentence, under another id and white space."""
    evaluation = Given(Document("other", ("Amet", "B."), (entity("P", (0, 1)),)))
    documents, builder = pairs_of(TWO, types=[["P", "Q"]], exclude=["x"], exclude_reader=evaluation)
    assert [each.id for each in documents] == ["d.s1"]
    assert builder.skipped() == {"texts of an evaluation set": 1}


def test_a_blinded_pair_of_the_evaluation_is_left_out():
    blinded = Document("e", ("@X$", "and", "C", "met", "@Y$", "."), (entity("X", (0, 1)), entity("Y", (4, 5))), (Relation(0, 1),))
    documents, _ = pairs_of(TWO, types=[["P", "Q"]], exclude=["x"], exclude_reader=Given(blinded))
    assert [(relation.head, relation.tail) for relation in documents[1].relations] == [(1, 0)]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_equal_keys_for_equal_blinded_text(data):
    """The key does not depend on names, types or white space, and tells apart which mentions are blinded."""
    size = data.draw(st.integers(3, 8))
    first, second = sorted(data.draw(st.lists(st.integers(0, size - 1), min_size=2, max_size=2, unique=True)))
    names = [data.draw(st.sampled_from(["A", "Bb", "C d"])).split() for _ in range(2)]
    words, spans = [], []
    for number in range(size):
        if number in (first, second):
            name = names[number == second]
            spans.append((len(words), len(words) + len(name)))
            words += name
        else:
            words.append(f"w{number}")
    document = Document("d", tuple(words), (entity("P", spans[0]), entity("Q", spans[1])), (Relation(0, 1),))
    plain = [f"w{number}" for number in range(size)]
    plain[first] = plain[second] = "\0"
    assert blinded_key(document, (0, 1)) == blinded_key(document, (1, 0)) == "".join(plain)
    assert keys_to_exclude([document]) == {"".join(words), "".join(plain)}


def test_sample_as_input():
    builder = PairBuilder.registry.get("relcon.CorpusPairs.v1")
    reader = DatasetReader.registry.get("relcon.JSONLines.v1")()
    made = list(builder(reader, "sample:dev.jsonl", [["PERSON", "FIRM"]], deduplicate=False).build())
    asked = sum(len({entity.type for entity in each.entities} & {"PERSON", "FIRM"}) == 2 for each in reader.read(path("dev.jsonl")))
    assert len(made) == asked and all(each.parse is not None for each in made)
