"""Blinding (CLRE, section 3: arguments are replaced by tags of their types)."""

from dataclasses import replace

import pytest

from relcon.contrast import WHOLE
from relcon.data.document import Mention
from relcon.errors import RelconError


def test_arguments_become_tags_and_other_words_stay(renderer, pair, shown):
    instance = pair("beta kinase of mice binds abirol acid .", (5, 7), (0, 2), ("chemical", "PROTEIN"))
    (view,) = renderer("Blinded")([instance])
    assert shown(view) == "@PROTEIN$ of mice binds @CHEMICAL$ ."
    assert view.unit == ((WHOLE,),)
    assert view.input.keep == ((0, 1), (4, 5))


def test_one_type_gives_one_tag_and_the_units_keep_the_direction(renderer, pair, shown, slots):
    forward = renderer("Blinded", unit="mentions")([pair("A binds B", (0, 1), (2, 3), ("DRUG", "DRUG"))])[0]
    backward = renderer("Blinded", unit="mentions")([pair("A binds B", (2, 3), (0, 1), ("DRUG", "DRUG"))])[0]
    assert shown(forward) == shown(backward) == "@DRUG$ binds @DRUG$"
    assert [slot[0].start for slot in forward.unit] == [0, 2]
    assert [slot[0].start for slot in backward.unit] == [2, 0]


def test_tags_are_mapped_by_type_and_untyped_entities_have_one_too(renderer, pair, shown):
    instance = pair("A binds B", (0, 1), (2, 3), ("GENE-Y", ""))
    assert shown(renderer("Blinded", tags={"GENE-Y": "PROTEIN"})([instance])[0]) == "@PROTEIN$ binds @ENTITY$"


@pytest.mark.parametrize("head, tail", [((1, 4), (2, 3)), ((1, 3), (2, 4)), ((1, 4), (1, 4))])
def test_arguments_that_share_a_word_become_one_merged_tag(renderer, pair, shown, head, tail):
    view = renderer("Blinded", unit="mentions")([pair("the GABA A receptor binds", head, tail, ("CHEMICAL", "PROTEIN"))])[0]
    assert shown(view) == "the @CHEMICAL-PROTEIN$ binds"
    assert view.unit[0] == view.unit[1] and view.input.keep == ((1, 2),)


def test_neighbouring_arguments_stay_apart(renderer, pair, shown):
    assert shown(renderer("Blinded")([pair("insulin receptor", (0, 1), (1, 2), ("DRUG", "PROTEIN"))])[0]) == "@DRUG$ @PROTEIN$"


@pytest.mark.parametrize("head, tail", [((0, 1), (1, 2)), ((1, 2), (0, 1))])
@pytest.mark.parametrize("gap, merged", [(0, True), (1, False)])
def test_arguments_without_a_character_between_them_become_one_merged_tag(renderer, pair, shown, head, tail, gap, merged):
    """CLRE, specification 2.4: character spans that touch count as overlapping. Known where the document has offsets."""
    instance = pair("insulin receptor binds", head, tail, ("DRUG", "PROTEIN"))
    offsets = ((0, 7), (7 + gap, 15 + gap), (16 + gap, 21 + gap))
    instance = replace(instance, document=replace(instance.document, offsets=offsets))
    names = ("DRUG", "PROTEIN") if head < tail else ("PROTEIN", "DRUG")
    words = f"@{names[0]}-{names[1]}$" if merged else f"@{names[0]}$ @{names[1]}$"
    assert shown(renderer("Blinded")([instance])[0]) == f"{words} binds"


def test_a_repeated_name_is_replaced_where_the_mention_is(renderer, pair, shown):
    instance = pair("TNF and TNF receptor and TNF", (5, 6), (2, 4), ("PROTEIN", "PROTEIN"))
    assert shown(renderer("Blinded")([instance])[0]) == "TNF and @PROTEIN$ and @PROTEIN$"


def test_a_discontinuous_mention_is_replaced_with_the_words_between(renderer, pair, shown):
    instance = pair("ganglionic or other blocking drugs and X", Mention(0, 5, ((0, 1), (3, 5))), (6, 7), ("GROUP", "DRUG"))
    assert shown(renderer("Blinded")([instance])[0]) == "@GROUP$ and @DRUG$"


def test_context_is_from_the_first_sentence_of_the_pair_to_the_last(renderer, pair, shown):
    instance = pair("one . A two . three B . four .", (2, 3), (6, 7), sentences=((0, 2), (2, 5), (5, 8), (8, 10)))
    assert shown(renderer("Blinded")([instance])[0]) == "@ENTITY$ two . three @ENTITY$ ."
    assert shown(renderer("Blinded", context="document")([instance])[0]) == "one . @ENTITY$ two . three @ENTITY$ . four ."


def test_the_closest_mentions_are_the_arguments(renderer, pair, shown):
    instance = pair("A far away from B and A .", [(0, 1), (6, 7)], (4, 5))
    assert shown(renderer("Blinded")([instance])[0]) == "A far away from @ENTITY$ and @ENTITY$ ."


def test_tags_enter_the_vocabulary_on_demand(renderer):
    assert renderer("Blinded").special_tokens == ()
    assert tuple(renderer("Blinded", whole_tags=["@PROTEIN$"]).special_tokens) == ("@PROTEIN$",)


@pytest.mark.parametrize("wrong, named", [({"unit": "word"}, "unit"), ({"context": "page"}, "context")])
def test_wrong_arguments_are_named(renderer, wrong, named):
    with pytest.raises(RelconError, match=named):
        renderer("Blinded", **wrong)
