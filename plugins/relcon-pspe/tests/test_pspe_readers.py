"""The released code's format (Wang et al. 2020), with offsets and without."""

import json
import logging
from pathlib import Path
from typing import Any, Callable, Dict, List

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from relcon_pspe.readers import place_of

from relcon.config import resolve
from relcon.data.document import Document
from relcon.errors import DataError, RelconError


def record(**changes: Any) -> Dict[str, Any]:
    """A baker and his town, with the fields of word pieces that nobody reads; a change to None leaves a field out."""
    value: Dict[str, Any] = {
        "sentId": 4,
        "articleId": "NEWS_1",
        "sentText": "the baker orm lives in new orsk .",
        "entityMentions": [mention("E1-1", "baker orm", 1, 3, "PER"), mention("E2-7", "new orsk", 5, 7, "GPE")],
        "relationMentions": [related("E2-7", "E1-1", em1Text="new orsk", em2Text="baker orm")],
        "wordpieceSentText": "[CLS] the baker or ##m lives in new or ##sk . [SEP]",
        "wordpieceTokensIndex": [[1, 2], [2, 3], [3, 5], [5, 6], [6, 7], [7, 8], [8, 10], [10, 11]],
    }
    return {key: each for key, each in {**value, **changes}.items() if each is not None}


def mention(name: str, text: str, start: int, end: int, label: str) -> Dict[str, Any]:
    return {"emId": name, "text": text, "offset": [start, end], "label": label}


def related(one: str, two: str, **more: Any) -> Dict[str, Any]:
    return {"em1Id": one, "em2Id": two, "label": "GEN-AFF", **more}


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., List[Document]]:
    """`read(record, ..., offsets="found")`: what the reader of a config block makes of these lines."""

    def of(*records: Any, **arguments: Any) -> List[Document]:
        path = tmp_path / "train.json"
        path.write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
        return list(resolve({"@readers": "pspe.Sentences.v1", **arguments}, "[data.reader]").read(path))

    return of


def found(document: Document) -> List[Any]:
    """The relations in words."""
    texts = [document.mention_text(entity.mentions[0]) for entity in document.entities]
    return [(texts[each.head], each.label, texts[each.tail]) for each in document.relations]


def test_a_line_is_a_sentence(read: Callable[..., Any]) -> None:
    [document] = read(record())
    assert (document.id, dict(document.metadata), document.source.line) == ("NEWS_1.s4", {"document": "NEWS_1"}, 1)
    assert document.words == ("the", "baker", "orm", "lives", "in", "new", "orsk", ".")
    assert [document.text[start:end] for start, end in document.offsets] == list(document.words)
    assert [(each.mentions[0][:2], each.type, each.id) for each in document.entities] == [((1, 3), "PER", "E1-1"), ((5, 7), "GPE", "E2-7")]
    assert found(document) == [("new orsk", "GEN-AFF", "baker orm")]


def test_unlabelled_text(read: Callable[..., Any]) -> None:
    [document] = read(record(entityMentions=None, relationMentions=None, sentText="it rains .\n"))
    assert (document.words, document.entities, document.relations) == (("it", "rains", "."), (), ())


BAD = [
    ({"sentText": None}, "'sentText' is missing"),
    ({"sentText": " "}, "'sentText' has no word"),
    ({"sentText": "the baker orm  lives in new orsk ."}, "white space other than single spaces"),
    ({"articleId": None}, "'articleId' is missing"),
    ({"sentId": "4"}, "'sentId' of the record must be a whole number"),
    ({"entityMentions": [mention("E1-1", "orm", 2, 2, "PER")]}, "entity mention 0 has the span [2, 2), which is empty or reversed"),
    ({"entityMentions": [mention("E1-1", "orm", 7, 9, "PER")]}, "entity mention 0 has the span [7, 9) outside the 8 words"),
    ({"entityMentions": [mention("E1-1", "baker orm", 1, 2, "PER")]}, "is said to be 'baker orm', but its offset covers 'baker'"),
    ({"entityMentions": [mention("E1", "orm", 2, 3, "PER"), mention("E1", "the", 0, 1, "PER")]}, "mentions have the 'emId' 'E1'"),
    ({"relationMentions": [related("E1-1", "E9-9")]}, "'em2Id' of relation mention 0 is 'E9-9', which no entity mention"),
    ({"relationMentions": [related("E1-1", "E2-7", em1Text="orm")]}, "is 'orm', but the text of 'E1-1' is another"),
    ({"relationMentions": [related("E1-1", "E2-7", label="")]}, "the 'label' of relation mention 0 is empty"),
]


@pytest.mark.parametrize(("changes", "message"), BAD)
def test_what_is_wrong_is_named(changes: Any, message: str, read: Callable[..., Any]) -> None:
    good = record(articleId="NEWS_0")
    wrong = record(**{**({"relationMentions": None} if "entityMentions" in changes else {}), **changes})
    with pytest.raises(DataError) as caught:
        read(good, wrong)
    [problem] = caught.value.problems
    assert problem.where.endswith("train.json:2") and message in problem.message
    assert [each.id for each in read(good, wrong, on_error="skip")] == ["NEWS_0.s4"]


def test_overlapping_entities_are_kept_or_dropped_with_their_sentence(read: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    """The same span with the same type twice is no overlap: its tags are the same."""
    same = [mention("E1", "orm", 2, 3, "PER"), mention("E2", "orm", 2, 3, "PER"), mention("E3", "orsk", 6, 7, "GPE")]
    nested = [mention("E1", "baker orm", 1, 3, "PER"), mention("E2", "orm", 2, 3, "PER")]
    lines = [record(sentId=number, entityMentions=each, relationMentions=None) for number, each in enumerate([same, nested])]
    assert [len(each.entities) for each in read(*lines)] == [3, 2]
    with caplog.at_level(logging.WARNING):
        assert [each.id for each in read(*lines, overlapping="drop")] == ["NEWS_1.s0"]
    assert "left out 1 sentences in which entities overlap" in caplog.text


NYT: Dict[str, Any] = {
    "sentText": "Orm of New Orsk , New Orsk and Irum met Orm .\r\n",
    "entityMentions": [
        {"text": "New Orsk", "label": "LOC"},
        {"text": "Orm", "label": "PER"},
        {"text": "Orm", "label": "PER"},
        {"text": "Old Irum", "label": "LOC"},
    ],
    "relationMentions": [
        {"em1Text": "Orm", "em2Text": "New Orsk", "label": "/people/person/place_lived"},
        {"em1Text": "Orm", "em2Text": "Old Irum", "label": "None"},
        {"em1Text": "New Orsk", "em2Text": "Orm", "label": "/location/location/contains", "is_noise": True},
    ],
}


def test_mentions_without_offsets_stand_where_they_are_first_found(read: Callable[..., Any], caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        [document] = read(NYT, offsets="found")
    assert (document.id, dict(document.metadata)) == ("train-1", {"unplaced": 1, "noisy": 1})
    assert [(each.mentions[0][:2], each.type) for each in document.entities] == [((2, 4), "LOC"), ((0, 1), "PER")]
    assert found(document) == [("Orm", "/people/person/place_lived", "New Orsk")]
    assert "left out 1 mentions that are not in their sentence" in caplog.text and "1 relations that are marked as noise" in caplog.text


def test_a_relation_of_a_text_that_is_no_entity(read: Callable[..., Any]) -> None:
    wrong = {**NYT, "relationMentions": [{"em1Text": "Orm", "em2Text": "Irum", "label": "None"}]}
    with pytest.raises(DataError, match="'em2Text' of relation mention 0 is 'Irum', which is the text of no entity mention"):
        read(wrong, offsets="found")


@pytest.mark.parametrize(("arguments", "cached"), [({}, True), ({"offsets": "found"}, False), ({"overlapping": "drop"}, False)])
def test_what_leaves_out_says_so_in_every_run(arguments: Any, cached: bool) -> None:
    assert resolve({"@readers": "pspe.Sentences.v1", **arguments}, "[data.reader]").cacheable == cached


@pytest.mark.parametrize("wrong", [{"offsets": "guessed"}, {"overlapping": "merge"}])
def test_arguments_that_are_none(wrong: Any) -> None:
    with pytest.raises(RelconError):
        resolve({"@readers": "pspe.Sentences.v1", **wrong}, "[data.reader]")


@settings(max_examples=100, deadline=None)
@given(st.lists(st.sampled_from("abc"), max_size=8), st.lists(st.sampled_from("abc"), min_size=1, max_size=3))
def test_the_first_place_of_words(words: List[str], wanted: List[str]) -> None:
    """As finding text in text does, since every word is one letter."""
    at = "".join(words).find("".join(wanted))
    assert place_of(wanted, words) == (None if at < 0 else (at, at + len(wanted)))
