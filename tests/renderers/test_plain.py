"""The text as it is."""

from dataclasses import replace

from relcon.contrast import WHOLE
from relcon.data.document import Document, Entity, Instance, Mention


def test_instances_of_a_document_share_one_input_and_equal_documents_do_not(renderer, pair):
    one = pair("a b c", (0, 1), (2, 3))
    twin = replace(one, document=replace(one.document))
    views = renderer("Plain")([one, replace(one, head=1, tail=0), twin])
    assert views[0].input is views[1].input and views[0].input is not views[2].input
    assert views[0].unit == views[1].unit[::-1]


def test_the_unit_has_all_mentions_and_their_parts(renderer, pair, slots):
    instance = pair("a b c d e a", [(0, 1), (5, 6)], Mention(1, 4, ((1, 2), (3, 4))))
    assert slots(renderer("Plain")([instance])[0]) == [["a", "a"], ["b", "d"]]
    assert renderer("Plain", unit="sentence")([instance])[0].unit == ((WHOLE,),)


def test_sentence_context_shows_the_window_and_its_mentions(renderer, shown, slots):
    entities = (Entity((Mention(0, 1), Mention(3, 4))), Entity((Mention(4, 5),)), Entity((Mention(2, 3),)))
    document = Document("d", tuple(["A", ".", "C", "A", "B", "."]), entities, sentences=((0, 2), (2, 6)))
    first, second = renderer("Plain", context="sentence")([Instance(document, 0, 1), Instance(document, 2, 1)])
    assert shown(first) == "C A B ." and slots(first) == [["A"], ["B"]]
    assert first.input is second.input and slots(second) == [["C"], ["B"]]
