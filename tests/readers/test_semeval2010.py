"""The official text of SemEval-2010 Task 8."""

from pathlib import Path
from typing import Any, Callable

import pytest

READER = "relcon.SemEval2010.v1"

BLOCKS = """7\t"The <e1>storm</e1> of "old" days left <e2>anti-heroes and <x></e2>."
Cause-Effect(e2,e1)
Comment: two words: yes

8\t"pre<e1>war</e1>time <e2>life</e2>"
Other
Comment:
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_labelled_file(end: str, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    first, second = read(READER, write("train.txt", BLOCKS.replace("\n", end)))
    assert first.id == "7" and first.source.line == 1 and second.source.line == 5
    assert first.text == 'The storm of "old" days left anti-heroes and <x>.'
    head, tail = first.entities
    assert [first.mention_text(entity.mentions[0]) for entity in (head, tail)] == ["storm", "anti-heroes and <x>"]
    assert [(r.head, r.tail, r.label) for r in first.relations] == [(0, 1, "Cause-Effect(e2,e1)")]
    assert first.metadata == {"comment": "two words: yes"} and second.metadata == {}
    assert first.sentences == ((0, len(first.words)),)


def test_a_tag_inside_a_word_cuts_it(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    document = read(READER, write("train.txt", BLOCKS))[1]
    assert document.words == ("pre", "war", "time", "life") and document.text == "prewartime life"
    assert document.entities[0].mentions[0][:2] == (1, 2)


def test_unlabelled_lines_have_a_pair_without_label(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    documents = read(READER, write("clean.txt", '1\t"<e1>a</e1> <e2>b</e2>"\r\n2\t"<e2>a</e2> <e1>b</e1>"\r\n'))
    assert [d.relations[0].label for d in documents] == [None, None]
    assert [d.entities[0].mentions[0].start for d in documents] == [0, 1]


def test_nested_mentions_are_kept(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("nested.txt", '1\t"the <e1>sea <e2>water</e2></e1> rose"\nOther\n'))
    assert [entity.mentions[0][:2] for entity in document.entities] == [(1, 3), (2, 3)]


@pytest.mark.parametrize(
    ("block", "line", "message"),
    [
        ('1 "<e1>a</e1> <e2>b</e2>"', 1, "expected 'id TAB"),
        ("1\t<e1>a</e1> <e2>b</e2>", 1, "must stand between quotation marks"),
        ('1\t"<e1>a</e1> b"', 1, "each of <e1>, </e1>, <e2>, </e2> once"),
        ('1\t"<e1>a</e1> <e1>b</e1>"', 1, "each of <e1>, </e1>, <e2>, </e2> once"),
        ('1\t"</e1>a<e1> <e2>b</e2>"', 1, "e1 has the span [1, 0), which is empty or reversed"),
        ('1\t"<e1></e1> <e2>b</e2>"', 1, "e1 has the span [0, 0), which is empty"),
        ('1\t"<e1> </e1> <e2>b</e2>"', 1, "e1 covers no whole word"),
        ('1\t"<e1>a</e1> <e2>b</e2>"\nCause-Effect(e1,e3)', 1, "expected a label such as"),
        ('1\t"<e1>a</e1> <e2>b</e2>"\nOther\nanother line', 1, "expected 'Comment: ...' below the label"),
    ],
)
def test_bad_blocks_are_named(block: str, line: int, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    found = faults(READER, write("bad.txt", f'{block}\n\n9\t"<e1>a</e1> <e2>b</e2>"\nOther\nComment:\n'))
    assert [where for where, _ in found] == [f"bad.txt:{line}"] and message in found[0][1]


def test_the_key_file_is_refused_with_the_reason(write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    found = faults(READER, write("TEST_FILE_KEY.TXT", "8001\tMessage-Topic\n8002\tOther\n"))
    assert len(found) == 2 and "the sentence of item 8001 must stand between quotation marks" in found[0][1]
