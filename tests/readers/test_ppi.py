"""The unified XML of the corpora of protein interactions."""

from pathlib import Path
from typing import Any, Callable, List, Tuple
from xml.sax.saxutils import quoteattr

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from relcon.data.glimpse import glimpse
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader

READER = "relcon.PPI.v1"

CORPUS = """<corpus source="Made">
  <document id="M.d0">
    <sentence id="M.d0.s0" text="KLR2 and KLR3 chains bind &lt;NUP9&gt;.">
      <entity id="M.d0.s0.e0" charOffset="0-3,14-19" type="protein" text="KLR2 chains"/>
      <entity id="M.d0.s0.e1" charOffset="9-19" type="protein" text="KLR3 chains"/>
      <entity id="M.d0.s0.e2" charOffset="27-30" type="gene" text="NUP9"/>
      <pair id="M.d0.s0.p0" e1="M.d0.s0.e0" e2="M.d0.s0.e2" interaction="True"/>
      <pair id="M.d0.s0.p1" e1="M.d0.s0.e2" e2="M.d0.s0.e1" interaction="False"/>
      <pair id="M.d0.s0.p2" e1="M.d0.s0.e0" e2="M.d0.s0.e1"/>
      <sentenceanalyses><tokenizations><token charOffset="0-3" text="KLR2"/></tokenizations></sentenceanalyses>
    </sentence>
  </document>
  <document id="M.d1"><sentence id="M.d1.s0" text="Nothing."/></document>
</corpus>
"""


def changed(old: str, new: str) -> str:
    assert CORPUS.count(old) == 1
    return CORPUS.replace(old, new)


def test_a_sentence_is_a_document_and_every_pair_a_relation(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    first, second = read(READER, write("m.xml", CORPUS))
    assert (first.id, first.source.line, first.metadata, second.metadata) == ("M.d0.s0", 3, {"document": "M.d0"}, {"document": "M.d1"})
    assert [(r.head, r.tail, r.label, r.id) for r in first.relations] == [
        (0, 2, "positive", "M.d0.s0.p0"),
        (2, 1, "negative", "M.d0.s0.p1"),
        (0, 1, None, "M.d0.s0.p2"),
    ]
    assert [(e.type, first.mention_text(e.mentions[0])) for e in first.entities] == [
        ("PROTEIN", "KLR2 chains"),
        ("PROTEIN", "KLR3 chains"),
        ("gene", "NUP9"),
    ]
    assert first.entities[0].mentions[0].fragments == ((0, 1), (3, 4)) and second.words == ("Nothing", ".")


def test_ends_may_be_exclusive(write: Callable[..., Path], read: Callable[..., Any]) -> None:
    text = CORPUS.replace('"0-3,14-19"', '"0-4,14-20"').replace('"9-19"', '"9-20"').replace('"27-30"', '"27-31"')
    path = write("m.xml", text)
    inclusive = read(READER, write("i.xml", CORPUS))
    assert [d.entities for d in read(READER, path, ends="exclusive")] == [d.entities for d in inclusive]
    with pytest.raises(RelconError, match=r"charOffset 27-31 \(inclusive ends\) is said to be 'NUP9'"):
        read(READER, path)
    with pytest.raises(RelconError, match="ends must be 'inclusive' or 'exclusive'"):
        read(READER, path, ends="both")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('"9-19"', '"10-19"', 5, "10-19 (inclusive ends) is said to be 'KLR3 chains', but its characters [10, 20) are 'LR3 chains'"),
        ('"9-19"', f'"9-{"9" * 5000}"', 5, "'charOffset' must be 'a-b' or 'a-b,c-d'"),
        ('"0-3,14-19"', '"0-3;14-19"', 4, "'charOffset' must be 'a-b' or 'a-b,c-d'"),
        ('interaction="False"', 'interaction="no"', 8, "'interaction' must be 'True' or 'False', here it is 'no'"),
        ('e1="M.d0.s0.e2"', 'e1="M.d0.s0.e7"', 8, "the pair names 'M.d0.s0.e7', which is no entity of the sentence. Did you mean"),
        ('id="M.d1.s0" ', "", 13, "the attribute 'id' is missing"),
    ],
)
def test_bad_elements_are_named(
    old: str, new: str, line: int, message: str, write: Callable[..., Path], faults: Callable[..., Any]
) -> None:
    [(where, said)] = faults(READER, write("m.xml", changed(old, new)))
    assert where == f"m.xml:{line}" and message in said


def test_what_stands_before_broken_xml_is_read(write: Callable[..., Path], read: Callable[..., Any], faults: Callable[..., Any]) -> None:
    path = write("m.xml", CORPUS[: CORPUS.index("</corpus>")])
    [(where, said)] = faults(READER, path)
    assert where.startswith("m.xml:") and said.startswith("not XML: ") and said.endswith("nothing after it was read")
    assert [each.id for each in read(READER, path, on_error="skip")] == ["M.d0.s0", "M.d1.s0"]


@pytest.mark.parametrize("doctype", ['<!DOCTYPE c [<!ENTITY a "b">]>', '<!DOCTYPE c [<!ENTITY a SYSTEM "file:///etc/hostname">]>'])
def test_entities_are_refused(doctype: str, write: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, write("m.xml", doctype + changed("Nothing.", "&a;")))
    assert where == "m.xml" and "EntitiesForbidden" in said


def test_what_the_format_looks_like(write: Callable[..., Path]) -> None:
    sniff = DatasetReader.registry.get(READER).sniff
    path = write("all/m.xml", CORPUS)
    assert sniff(glimpse(path)) and sniff(glimpse(path.parent))
    assert sniff(glimpse(write("d.xml", CORPUS.replace("interaction=", "ddi=")))) is None


WORDS = st.lists(st.text("KLRzor9&<\"-", min_size=1, max_size=6), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(words=WORDS, data=st.data())
def test_what_is_written_is_read(words: List[str], data: st.DataObject, write: Callable[..., Path], read: Callable[..., Any]) -> None:
    text = " ".join(words)
    starts = [len(" ".join(words[:number])) + (number > 0) for number in range(len(words))]
    numbers = st.sets(st.integers(0, len(words) - 1), min_size=1, max_size=2)
    chosen = [sorted(each) for each in data.draw(st.lists(numbers, min_size=1, max_size=4))]
    spans: List[List[Tuple[int, int]]] = [[(starts[number], starts[number] + len(words[number])) for number in each] for each in chosen]
    side = st.sampled_from(range(len(chosen)))
    pairs = data.draw(st.lists(st.tuples(side, side, st.booleans()), max_size=4))
    rows = [f"<sentence id='s' text={quoteattr(text)}>"]
    for number, each in enumerate(spans):
        covered = quoteattr(" ".join(text[start:end] for start, end in each))
        rows.append(f"<entity id='e{number}' charOffset='{','.join(f'{s}-{e - 1}' for s, e in each)}' type='t' text={covered}/>")
    rows += [f"<pair id='p{n}' e1='e{h}' e2='e{t}' interaction='{label}'/>" for n, (h, t, label) in enumerate(pairs)]
    [document] = read(READER, write("m.xml", f"<corpus>{''.join(rows)}</sentence></corpus>"))
    assert document.text == text
    offsets = [[(document.offsets[s][0], document.offsets[e - 1][1]) for s, e in entity.mentions[0].spans] for entity in document.entities]
    assert offsets == spans
    labels = {True: "positive", False: "negative"}
    assert [(r.head, r.tail, r.label) for r in document.relations] == [(h, t, labels[label]) for h, t, label in pairs]
