"""The text as it is."""

from collections.abc import Sequence
from dataclasses import replace

from relcon.contrast import WHOLE
from relcon.data.document import Document, Entity, Instance, Mention


def test_instances_of_a_document_share_one_input_and_equal_documents_do_not(renderer, pair):
    one = pair("a b c", (0, 1), (2, 3))
    twin = replace(one, document=replace(one.document))
    views = renderer("Plain")([one, replace(one, head=1, tail=0), twin])
    assert views[0].input is views[1].input and views[0].input is not views[2].input
    assert views[0].unit == views[1].unit[::-1]


class Fresh(Sequence):
    """Instances on documents that are decoded anew each time, and held by nobody."""

    def __len__(self):
        return 50

    def __getitem__(self, place):
        return Instance(Document(f"d{range(50)[place]}", (f"w{place}", "b"), (Entity((Mention(0, 1),)), Entity((Mention(1, 2),)))), 0, 1)


def test_documents_that_are_decoded_on_access_are_not_mixed_up(renderer, shown):
    assert [shown(view) for view in renderer("Plain")(Fresh())] == [f"w{number} b" for number in range(50)]


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
