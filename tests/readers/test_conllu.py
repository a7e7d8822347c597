"""CoNLL-U with relations, as flair writes it."""

from pathlib import Path
from typing import Any, Callable

import pytest

from relcon.data.glimpse import Glimpse
from relcon.readers.conllu import CoNLLU

READER = "relcon.CoNLLU.v1"

SENTENCE = """# sentence_id = s1
# relations = 1;2;4;4;Live_In|4;4;1;2;Has
1\tAda\tB-Peop
2\tOrm\tE-Peop
3\tof\tO
4\tOrland\tS-Loc
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_sentences(end: str, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    text = "# global.columns = id form ner\n\n" + SENTENCE + "\n# relations = \n1\t#\tO\n"
    one, other = read(READER, write("a.conllup", text.replace("\n", end)))
    assert one.words == ("Ada", "Orm", "of", "Orland") and other.words == ("#",) and not other.relations
    assert [(entity.type, entity.mentions[0][:2]) for entity in one.entities] == [("Peop", (0, 2)), ("Loc", (3, 4))]
    assert [(r.head, r.tail, r.label) for r in one.relations] == [(0, 1, "Live_In"), (1, 0, "Has")]
    assert (one.id, one.metadata, other.id, other.metadata) == ("a-3", {"sentence": "s1"}, "a-10", {})


def test_columns_are_as_named(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    text = "# global.columns = FORM NER upos\n# relations = 1;1;2;2;r\n#\tB-x\tN\na\tB-y\tN\n\nb\tO\tN\n"
    one, other = read(READER, write("a.conllup", text))
    assert one.words == ("#", "a") and [entity.type for entity in one.entities] == ["x", "y"] and other.words == ("b",)


def test_without_ner_the_arguments_are_the_entities(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    text = "# global.columns = id form\n# relations = 2;3;1;1;r|1;1;2;3;s\n1\ta\n2\tb\n3\tc\n"
    [document] = read(READER, write("a.conllup", text))
    assert [(entity.type, entity.mentions[0][:2]) for entity in document.entities] == [("", (0, 1)), ("", (1, 3))]
    assert [(r.head, r.tail) for r in document.relations] == [(1, 0), (0, 1)]


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("1;2;4;4;Live_In", "1;1;4;4;Live_In", 1, "the argument 1;1 of the relation '1;1;4;4;Live_In' is no entity of the column 'ner'"),
        ("1;2;4;4;Live_In", "0;2;4;4;Live_In", 1, "has a span outside of the tokens 1 to 4"),
        ("1;2;4;4;Live_In", "1;2;5;5;Live_In", 1, "has a span outside of the tokens 1 to 4"),
        ("1;2;4;4;Live_In", "2;1;4;4;Live_In", 1, "or a reversed one"),
        ("1;2;4;4;Live_In", "1;2;4;Live_In", 1, "a relation must be 'first;last;first;last;Label'"),
        ("|4;4;1;2;Has", "|", 1, "a relation must be 'first;last;first;last;Label' (tokens of head and tail, from 1), here it is ''"),
        ("3\tof\tO", "3\tof", 5, "2 columns; expected id form ner"),
        ("3\tof\tO", "3\t \tO", 5, "the token is empty"),
        ("S-Loc", "I-Loc", 1, "the tag 'I-Loc' of token 3 continues no 'Loc'"),
        ("# sentence_id", "# global.columns = id word\n#", 1, "'global.columns' must name 'form'"),
    ],
)
def test_bad_sentences_are_named(
    old: str, new: str, line: int, message: str, write: Callable[..., Path], faults: Callable[..., Any]
) -> None:
    [(where, found)] = faults(READER, write("a.conllup", SENTENCE.replace(old, new, 1)))
    assert where == f"a.conllup:{line}" and message in found


def test_sniff() -> None:
    def told(text: str) -> Any:
        return CoNLLU.sniff(Glimpse(Path("a"), raw=text.encode()))

    assert told("# global.columns = id form ner\n" + SENTENCE) and not told("1\tAda\tO\n") and not told("#doc 7\n0\tAda\tO\n")
