"""The filters of a corpus, one by one."""

from dataclasses import replace

import pytest

from relcon.config import load_config
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.distant.config import parts_of, preset
from relcon.distant.corpus import build_distant
from relcon.distant.filters import Filters, load_tokenizer
from relcon.errors import RelconError
from relcon.testing import tiny_encoder_folder

TEN = Document("d", tuple("abcdefghij"), tuple(Entity((Mention(n, n + 1),)) for n in range(4)),
               tuple(Relation(0, n, "r") for n in range(1, 4)), text="a b c d e f g h ij")  # fmt: skip


@pytest.mark.parametrize(
    "limit, number, fault",
    [
        ("max_tokens", 9, None), ("max_tokens", 8, "tokens above max_tokens"),
        ("min_words", 10, None), ("min_words", 11, "words below min_words"),
        ("max_words", 10, None), ("max_words", 9, "words above max_words"),
        ("min_entities", 4, None), ("min_entities", 5, "entities below min_entities"),
        ("max_entities", 4, None), ("max_entities", 3, "entities above max_entities"),
    ],
)  # fmt: skip
def test_limits_of_the_text(limit, number, fault):
    assert Filters(**{limit: number}).fault_of_text(TEN) == fault


@pytest.mark.parametrize(
    "limits, fault",
    [
        ({"min_labels": 3}, None), ({"min_labels": 4}, "labels below min_labels"),
        ({"max_labels": 3}, None), ({"max_labels": 2}, "labels above max_labels"),
    ],
)  # fmt: skip
def test_limits_of_the_labels(limits, fault):
    assert Filters(**limits).fault_of_labels(TEN) == fault


def test_nothing_but_unlabelled_documents_is_left_out_unless_said():
    assert Filters().fault_of_text(Document("d", ("w",))) is None
    assert Filters().fault_of_labels(replace(TEN, relations=())) == "labels below min_labels"
    assert Filters(min_labels=None).fault_of_labels(replace(TEN, relations=())) is None


def test_overlaps_and_empty_words():
    nested = replace(TEN, entities=(Entity((Mention(0, 3),)), Entity((Mention(1, 2),))), relations=())
    beside = replace(TEN, entities=(Entity((Mention(0, 1),)), Entity((Mention(1, 2),))), relations=())
    faults = [Filters(overlapping_mentions=False).fault_of_text(each) for each in (nested, beside)]
    assert faults == ["mentions that overlap", None] and Filters().fault_of_text(nested) is None
    blank = Document("d", ("a", " ", "b"), (Entity((Mention(0, 2),)),))
    faults = [Filters(empty_words=False).fault_of_text(each) for each in (blank, replace(blank, entities=(Entity((Mention(0, 1),)),)))]
    assert faults == ["an empty word in a mention", None] and Filters().fault_of_text(blank) is None


def test_word_pieces_are_those_of_the_tokenizer(tmp_path):
    folder = str(tiny_encoder_folder(tmp_path / "tiny", layers=1))
    number = len(load_tokenizer(folder).tokenize("a b c d e f g h i j"))
    assert Filters(min_pieces=number, max_pieces=number, tokenizer=folder).fault_of_text(TEN) is None
    assert Filters(min_pieces=number + 1, tokenizer=folder).fault_of_text(TEN) == "pieces below min_pieces"
    assert Filters(max_pieces=number - 1, tokenizer=folder).fault_of_text(TEN) == "pieces above max_pieces"
    with pytest.raises(RelconError, match="there is no folder"):
        Filters(max_pieces=3, tokenizer=str(tmp_path / "none")).fault_of_text(TEN)


@pytest.mark.parametrize(
    "values, message",
    [
        ({"min_words": 5, "max_words": 4}, "min_words = 5 is above max_words = 4"),
        ({"max_entities": -1}, "max_entities = -1 is below 0"),
        ({"max_pieces": 490}, "give the tokenizer"),
        ({"max_per_relation": 0}, "max_per_relation = 0"),
    ],
)
def test_filters_that_cannot_be(values, message):
    with pytest.raises(RelconError, match=message):
        Filters(**values)


def test_presets_are_the_published_values(tmp_path):
    folder = str(tiny_encoder_folder(tmp_path / "tiny", layers=1))
    erica = parts_of(load_config(preset("erica"), ["--filters.tokenizer", folder]))["filters"]
    assert erica == Filters(max_tokens=519, min_words=129, max_words=510, min_pieces=128, max_pieces=490, tokenizer=folder, min_entities=4,
                            max_entities=20, min_labels=4, max_labels=30, overlapping_mentions=False, empty_words=False)  # fmt: skip
    assert parts_of(load_config(preset("docred")))["filters"] == Filters(min_words=128, min_entities=4, min_labels=4)
    assert parts_of(load_config(preset("sentences")))["filters"] == Filters("sentence", max_words=36, min_entities=2, max_per_relation=5000)
    assert parts_of(load_config(preset("none")))["filters"] == Filters()
    with pytest.raises(RelconError, match=r"no preset 'ericca'\. Did you mean 'erica'"):
        preset("ericca")


def test_rejected_documents_are_counted_by_filter(world, small, tmp_path):
    short = Document("short", ("Wick", "in", "Norland"), (Entity((Mention(0, 1),), "", "Q2"), Entity((Mention(2, 3),), "", "Q3")))
    strange = Document("strange", ("a",) * 20, ())
    job = world([small.about("a"), short, strange, small.about("b")], filters={"min_words": 4})
    manifest = build_distant(job, tmp_path / "out")
    assert manifest["rejected"] == {"labels below min_labels": 1, "words below min_words": 1}
    assert (manifest["documents_read"], manifest["documents"]) == (4, 2)


def test_sentences_as_documents(world, small, tmp_path):
    """Only Ada Holm and Bo Lind stand in the second sentence, and nothing relates them."""
    manifest = build_distant(world([small.about()], filters={"unit": "sentence", "max_words": 12, "min_entities": 2}), tmp_path / "out")
    (record,) = small.records(tmp_path / "out")
    assert (record["title"], len(record["sents"]), len(record["labels"])) == ("d.s0", 1, 3)
    assert manifest["rejected"] == {"labels below min_labels": 1}


def test_only_some_relations(world, small, tmp_path):
    assert build_distant(world([small.about()], filters={"relations": ["P17"]}), tmp_path / "out")["relations"] == {"P17": 1}
