"""relcon's own JSON-lines."""

import json
from pathlib import Path
from typing import Any, Callable, Dict

import pytest

from relcon.data.document import Mention, Parse, Source

READER = "relcon.JSONLines.v1"


def plain(**changes: Any) -> Dict[str, Any]:
    """Raw text with characters."""
    return {"text": "𝛂-fen blocks KLR2 (a kinase). It is old.", "entities": [{"chars": [0, 5]}, {"id": "G", "chars": [13, 17]}], **changes}


def counted(**changes: Any) -> Dict[str, Any]:
    """Words with word spans."""
    return {"words": ["Fenlor", "blocks", "KLR2", "."], "entities": [{"words": [0, 1]}, {"words": [2, 3]}], **changes}


@pytest.fixture
def document(write: Callable[..., Path], read: Callable[..., Any]) -> Callable[..., Any]:
    """`document(record)`: the document of a record."""
    return lambda record, **arguments: read(READER, write("my.jsonl", json.dumps(record)), **arguments)[0]


def test_characters_become_words(document: Callable[..., Any]) -> None:
    found = document(plain())
    assert found.id == "my-1" and found.source.line == 1
    assert [found.mention_text(entity.mentions[0]) for entity in found.entities] == ["𝛂-fen", "KLR2"]
    assert found.words[found.entities[1].mentions[0].start] == "KLR2"


def test_entities_with_mentions_and_fragments(document: Callable[..., Any]) -> None:
    entities = [
        {"id": "E", "type": "T", "mentions": [{"chars": [0, 5]}, {"chars": [30, 32], "text": "It"}]},
        {"chars": [[18, 20], [13, 17]]},
    ]
    found = document(plain(entities=entities))
    assert [(entity.id, entity.type) for entity in found.entities] == [("E", "T"), ("", "")]
    assert [found.mention_text(mention) for mention in found.entities[0].mentions] == ["𝛂-fen", "It"]
    assert found.mention_text(found.entities[1].mentions[0]) == "KLR2 (a"


def test_relations_name_entities_by_number_or_id(document: Callable[..., Any]) -> None:
    relations = [{"head": 0, "tail": "G", "label": "blocks", "id": "R1"}, {"head": "G", "tail": 0}, {"head": 1, "tail": 0, "score": 1}]
    found = document(plain(relations=relations)).relations
    assert [(r.head, r.tail, r.label, r.id, r.score) for r in found] == [
        (0, 1, "blocks", "R1", None),
        (1, 0, None, "", None),
        (1, 0, None, "", 1),
    ]


def test_sentences_as_said_as_found_or_one(document: Callable[..., Any]) -> None:
    size = len(document(plain()).words)
    assert document(plain()).sentences == ((0, size),)
    assert document(plain(), split_sentences=True).sentences == ((0, size - 4), (size - 4, size))
    assert document(plain(sentences={"chars": [[0, 29], [30, 40]]})).sentences == ((0, size - 4), (size - 4, size))
    assert document(counted(sentences={"words": [[0, 1], [1, 4]]}), split_sentences=True).sentences == ((0, 1), (1, 4))
    assert document(counted(), split_sentences=True).sentences == ((0, 4),)


def test_words_find_their_place_in_the_text(document: Callable[..., Any]) -> None:
    found = document(counted(text=" Fenlor  blocks KLR2.", entities=[{"chars": [1, 7]}, {"words": [2, 3]}]))
    assert found.offsets == ((1, 7), (9, 15), (16, 20), (20, 21))
    assert [entity.mentions[0] for entity in found.entities] == [Mention(0, 1), Mention(2, 3)]


def test_parse_source_and_metadata(document: Callable[..., Any]) -> None:
    parse = {"heads": [1, 1, 1, 1], "labels": ["nsubj", "ROOT", "obj", "punct"]}
    found = document(counted(parse=parse, source={"path": "elsewhere", "line": 3}, metadata={"fold": 1}))
    assert found.parse == Parse((1, 1, 1, 1), ("nsubj", "ROOT", "obj", "punct"))
    assert found.source == Source("elsewhere", 3) and found.metadata == {"fold": 1}
    assert document(counted(source=None)).source is None


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ({"entities": []}, "'text' or 'words' is missing in the record"),
        (counted(entitys=[]), "the record has an unknown key 'entitys'. Did you mean 'entities'?"),
        (counted(words="Fenlor"), "'words' must be a list, here it is a string, 'Fenlor'"),
        (counted(words=["Fenlor", " "]), "word 1 is empty or white space"),
        (counted(id=7), "'id' of the record must be a string, here it is a whole number, 7"),
        (counted(entities=[{"words": [2, 1]}]), "entity 0 has the span [2, 1), which is empty or reversed"),
        (counted(entities=[{"id": "G", "words": [3, 5]}]), "entity 0 ('G') has the span [3, 5) outside the 4 words"),
        (counted(entities=[{"words": [-1, 2]}]), "outside the 4 words"),
        (counted(entities=[{"chars": [0, 5]}]), "entity 0 has its span in 'chars', but the record has no 'text'"),
        (counted(entities=[{"words": [0, 1], "chars": [0, 5]}]), "either 'words' or 'chars', here it has both"),
        (counted(entities=[{"start": 0}]), "entity 0 has an unknown key 'start'"),
        (counted(entities=[{"type": "T"}]), "either 'words' or 'chars', here it has neither"),
        (counted(entities=[{"mentions": []}]), "entity 0 has no mention"),
        (counted(entities=[{"words": [0, 1], "text": "KLR2"}]), "entity 0 is said to be 'KLR2', but its span covers 'Fenlor'"),
        (counted(entities=[3]), "item 0 of 'entities' must be an object, here it is a whole number, 3"),
        (plain(entities=[{"chars": [0, 5], "text": "fenlo"}]), "entity 0 is said to be 'fenlo', but its span covers '𝛂-fen'"),
        (plain(entities=[{"chars": [5, 6]}]), "entity 0 covers no whole word at the characters [5, 6)"),
        (plain(entities=[{"chars": [30, 99]}]), "outside the 40 characters"),
        (plain(entities=[{"words": [0, 1]}]), "entity 0 counts words, but the record has only 'text'"),
        (plain(parse={}), "parse counts words, but the record has only 'text'"),
        (counted(text="Fenlor blocks NUP9."), "word 2 is 'KLR2', the text goes on with 'NUP9.'"),
        (counted(text="Fenlor blocks KLR2. More"), "they end before 'More'"),
        (counted(text="Fenlor blocks KLR2.", entities=[{"chars": [0, 4]}]), "entity 0 begins or ends inside a word"),
        (counted(offsets=[[0, 6]]), "'offsets' count the characters of a 'text'"),
        (counted(text="Fenlor blocks KLR2.", offsets=[[0, 6]]), "1 'offsets' for 4 'words'"),
        (counted(text="Fenlor blocks", offsets=[[0, 6], [6, 13]] * 2), "word 1 is 'blocks', but the text has ' blocks' at"),
        (counted(relations=[{"head": 0, "tail": 2}]), "the tail of relation 0 is entity 2, but the record has 2 entities"),
        (counted(relations=[{"head": -1, "tail": 1}]), "the head of relation 0 is entity -1"),
        (counted(relations=[{"head": "G", "tail": 1}]), "the head of relation 0 is 'G'; no entities have that id"),
        (counted(relations=[{"head": 0.5, "tail": 1}]), "must be the number or the id of an entity, here it is a number, 0.5"),
        (counted(relations=[{"head": 0, "tail": 1, "score": float("nan")}]), "'score' of relation 0 must be a number, here"),
        (counted(relations=[{"tail": 1}]), "must be the number or the id of an entity, here it is null"),
        (counted(relations=[{"head": 0, "tail": 1, "label": ["x"]}]), "'label' of relation 0 must be a string"),
        (counted(sentences={"words": [[0, 2], [3, 4]]}), "one is [3, 4) where word 2 comes next"),
        (counted(sentences={"words": [[0, 2]]}), "'sentences' must cover all 4 words, here they end at word 2"),
        (counted(sentences=[[0, 4]]), "'sentences' of the record must be an object"),
        (counted(parse={"heads": [1, 1, 1], "labels": []}), "'heads' of 'parse' has 3 values for 4 words"),
        (counted(parse={"heads": [1, 1, 1, 4], "labels": ["a"] * 4}), "'heads' of 'parse' gives word 3 the head 4"),
        (counted(metadata=[]), "'metadata' of the record must be an object"),
    ],
)
def test_bad_records_are_named(record: Dict[str, Any], message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("my.jsonl", json.dumps(counted()) + "\n" + json.dumps(record)))
    assert where == "my.jsonl:2" and message in said


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "a"', "not JSON: Expecting ',' delimiter at column 13"),
        ('["a"]', "expected a JSON object {...} on the line, here it begins '[\"a\"]'"),
        ('{"text": "a"} {"text": "b"}', "not JSON: Extra data at column 15"),
    ],
)
def test_broken_lines_are_named(line: str, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("my.jsonl", json.dumps(counted()) + "\n\n" + line + "\n"))
    assert where == "my.jsonl:3" and message in said


def test_an_id_that_two_entities_share_names_neither(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    entities = [{"id": "G", "words": [0, 1]}, {"id": "G", "words": [2, 3]}]
    [(_, said)] = faults(READER, write("my.jsonl", json.dumps(counted(entities=entities, relations=[{"head": "G", "tail": 0}]))))
    assert "the head of relation 0 is 'G'; 2 entities have that id, expected one" in said
