"""The official text of SemEval-2007 Task 4."""

from pathlib import Path
from typing import Any, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relcon.data.glimpse import Glimpse
from relcon.errors import RelconError
from relcon.readers.semeval2007 import SemEval2007, _fields
from relcon.readers.semeval2010 import SemEval2010

READER = "relcon.SemEval2007.v1"

SENSES = 'WordNet(e1) = "orsk%1:06:00::", WordNet(e2) = "jar%1:06:00::"'

BLOCKS = f"""001 "An <e1>orsk</e1> in the "old" <e2>jar</e2>."
{SENSES}, Content-Container(e1, e2) = "true", Query = "the * in the "old" *"
Comment: inside:
still

002\t"A <e1>jar</e1> of <e2>orsk</e2>."
Content-Container(e2,e1) = "false"
003 "A <e1>jar</e1> of <e2>orsk</e2>."
{SENSES}, Content-Container(e1, e2) = "?"
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_blocks(end: str, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    one, two, three = read(READER, write("container.txt", BLOCKS.replace("\n", end)))
    assert (one.id, two.id) == ("container-001", "container-002") and one.text == 'An orsk in the "old" jar.'
    assert [one.mention_text(entity.mentions[0]) for entity in one.entities] == ["orsk", "jar"]
    assert [d.relations[0].label for d in (one, two, three)] == ["Content-Container(e1,e2)", "Other", None]
    assert all((d.relations[0].head, d.relations[0].tail) == (0, 1) for d in (one, two, three))
    assert one.metadata == {
        "asked": "Content-Container(e1,e2)",
        "senses": ["orsk%1:06:00::", "jar%1:06:00::"],
        "query": 'the * in the "old" *',
        "comment": "inside: still",
    }
    assert two.metadata == {"asked": "Content-Container(e2,e1)"}


def test_a_relation_from_e2_to_e1(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    text = '1 "<e1>a</e1> <e2>b</e2>"\nPart-Whole(e2, e1) = "true"\n\n2 "<e1>a</e1> <e2>b</e2>"\nPart-Whole(e2, e1) = "False"\n'
    assert [d.relations[0].label for d in read(READER, write("a.txt", text), negative="none")] == ["Part-Whole(e2,e1)", "none"]
    with pytest.raises(RelconError, match="negative must name"):
        SemEval2007(negative="")


def test_the_first_line_alone(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, write("a.txt", '1 "<e1>a</e1> <e2>b</e2>"\nComment: x\n'))
    assert document.relations[0].label is None and document.metadata == {"comment": "x"}


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ('Origin(e1, e2) = "maybe"', "'Origin(e1,e2)' must be \"true\", \"false\" or \"?\", here it is 'maybe'"),
        ('Origin(e1, e1) = "true"', "unknown field 'Origin(e1,e1)'"),
        ('Wordnet(e1) = "x"', "unknown field 'Wordnet(e1)'"),
        ('Origin(e1, e2) = "true", Origin(e1, e2) = "true"', "the field 'Origin(e1,e2)' stands twice"),
        ('Origin(e1, e2) = "true", Origin(e2, e1) = "true"', "here are Origin(e1,e2) and Origin(e2,e1)"),
        ('Origin(e1, e2) = "true" x', "here it goes on 'Origin(e1, e2) = \"true\" x'"),
        ("Cause-Effect(e1,e2)", "expected 'Name = \"value\"' with commas between"),
        ('Query = "x"\nmore', "expected 'Comment: ...' below the fields"),
    ],
)
def test_bad_blocks_are_named(fields: str, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, found)] = faults(READER, write("a.txt", f'1 "<e1>a</e1> <e2>b</e2>"\n{fields}\n\n2 "<e1>a</e1> <e2>b</e2>"\n'))
    assert where == "a.txt:1" and message in found


@pytest.mark.parametrize(
    ("line", "message"), [("1 a", "expected 'id \"sentence\"'"), ('1 "a', "between quotation marks"), ('1 "a"', "once in the")]
)
def test_bad_sentences_are_named(line: str, message: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, found)] = faults(READER, write("a.txt", f'2 "<e1>a</e1> <e2>b</e2>"\n\n{line}\n'))
    assert where == "a.txt:3" and message in found


def test_sniff() -> None:
    glimpse = Glimpse(Path("a"), raw=BLOCKS.encode())
    assert SemEval2007.sniff(glimpse) and SemEval2010.sniff(glimpse) is None
    assert SemEval2007.sniff(Glimpse(Path("a"), raw=b'1\t"<e1>a</e1> <e2>b</e2>"\nOther\n')) is None
    assert SemEval2007.sniff(Glimpse(Path("a"))) is None


@given(st.dictionaries(st.sampled_from(["Query", "WordNet(e1)", "WordNet(e2)", "Origin(e1,e2)"]), st.text("a*%:, =()", max_size=8)))
def test_fields_come_back(fields: Any) -> None:
    """Values with commas and signs of equality are whole."""
    assert _fields(", ".join(f'{name} = "{value}"' for name, value in fields.items())) == fields
