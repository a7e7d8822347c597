"""Metric profiles: which classes count, and that one that does not fit the labels is refused."""

import dataclasses
from typing import get_args

import pytest

from relcon.checking import check_example
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.evaluators.profiles import (
    CHEMPROT,
    CPR,
    DDI,
    DIRECTED,
    PAIR_PROFILES,
    PROFILES,
    SEMEVAL,
    EpisodeProfile,
    ProfileName,
    episode_profile,
    pair_profile,
    profile_of,
)

SPECIFIED = {
    "semeval2010.official", "semeval2010.micro18", "tacred.micro", "chemprot.cpr5", "chemprot.13acc", "ddi.micro4", "ddi.macro4",
    "ppi.cv10", "ppi.cv10.instance", "micro", "macro", "accuracy",
}  # fmt: skip
OF_OTHERS = {
    "facts": {"docred.f1", "docred.ign_f1"},
    "extractions": {
        "e2e.strict.micro", "e2e.strict.macro", "e2e.boundaries", "ade.strict.cv10", "ade.strict.cv10.without_overlaps",
    },
    "episodes": {
        "fewrel.5way1shot", "fewrel.5way5shot", "fewrel.10way1shot", "fewrel.10way5shot", "fewrel.5way1shot.na15",
        "fewrel.5way1shot.na50", "fewrel.5way5shot.na15", "fewrel.5way5shot.na50",
    },
}  # fmt: skip
LABELS = {
    "semeval2010": LabelSet((*DIRECTED, "Other"), frozenset({"Other"})),
    "tacred": LabelSet(("no_relation", "per:age", "org:members"), frozenset({"no_relation"})),
    "chemprot": LabelSet(("false", *CPR), frozenset({"false"})),
    "chemprot13": LabelSet(CHEMPROT),
    "ddi": LabelSet(("DDI-false", *DDI), frozenset({"DDI-false"})),
    "ppi": LabelSet(("negative", "positive"), frozenset({"negative"})),
}


def corpus(name):
    """The corpus of a profile."""
    return "chemprot13" if name == "chemprot.13acc" else name.partition(".")[0]


def test_the_names_that_configs_may_say_are_those_that_there_are():
    assert set(PAIR_PROFILES) == SPECIFIED == set(get_args(ProfileName))
    for kind, names in {"pairs": SPECIFIED, **OF_OTHERS}.items():
        assert {profile.name for profile in PROFILES.values() if profile.kind == kind} == names
    assert all(PROFILES[name].name == name and PROFILES[name].note and PROFILES[name].users for name in PROFILES)


@pytest.mark.parametrize("name", sorted(SPECIFIED - {"micro", "macro", "accuracy"}))
def test_a_profile_fits_its_own_corpus_and_no_other(name):
    profile, own = pair_profile(name), corpus(name)
    assert not profile.faults(LABELS[own])
    assert not set(profile.counted(LABELS[own])) & LABELS[own].negative
    for other in set(LABELS) - {own}:
        assert profile.faults(LABELS[other]), f"{name} fits {other}"


@pytest.mark.parametrize("name, classes", [
    ("semeval2010.official", SEMEVAL), ("semeval2010.micro18", DIRECTED), ("tacred.micro", ("per:age", "org:members")),
    ("chemprot.cpr5", CPR), ("ddi.micro4", DDI), ("ddi.macro4", DDI), ("ppi.cv10", ("positive",)),
])  # fmt: skip
def test_what_counts(name, classes):
    assert profile_of(name).counted(LABELS[name.partition(".")[0]]) == classes


def test_the_generic_profiles_never_number_the_negative_label():
    """The scorer of other code takes class 0 as negative; here class 0 is a relation, and the last label is negative."""
    labels = LabelSet(("INHIBITOR", "AGONIST", "none"), frozenset({"none"}))
    assert profile_of("micro").counted(labels) == profile_of("macro").counted(labels) == ("INHIBITOR", "AGONIST")
    assert profile_of("accuracy").counted(labels) == labels.names


def test_the_error_names_profile_and_labels():
    with pytest.raises(RelconError) as caught:
        profile_of("chemprot.cpr5").counted(LABELS["ddi"])
    for word in ("chemprot.cpr5", "CPR:3", "CPR:9", "DDI-effect", "negative: DDI-false", "micro"):
        assert word in str(caught.value)


def test_tacred_needs_its_negative_label_declared():
    with pytest.raises(RelconError, match=r"leaves out no_relation.*negative: none"):
        profile_of("tacred.micro").counted(LabelSet(("no_relation", "per:age")))


def test_ppi_takes_the_positive_label_whatever_its_name():
    assert profile_of("ppi.cv10").counted(LabelSet(("0", "1"), frozenset({"0"}))) == ("1",)
    with pytest.raises(RelconError, match="counts one positive label, but this task has 2"):
        profile_of("ppi.cv10").counted(LabelSet(("0", "1")))


def test_unknown_profile():
    with pytest.raises(RelconError, match=r"no metric profile 'chemprot.cpr'\. Did you mean 'chemprot.cpr5'\?"):
        profile_of("chemprot.cpr")


def test_relcon_check_reports_an_unknown_profile_without_building():
    problems = check_example('[evaluator]\n@evaluators = "relcon.Scores.v1"\nprofile = "micr"\n')
    assert len(problems) == 1 and "micro" in problems[0].message


def test_profiles_are_plain_data():
    for profile in PROFILES.values():
        values = dataclasses.asdict(profile).values()
        assert all(isinstance(value, (str, bool, int, tuple, type(None))) for value in values)


def test_any_number_of_ways_and_shots():
    assert episode_profile("fewrel.7way3shot.na30") == EpisodeProfile.of(7, 3, 30)
    assert EpisodeProfile.of(7, 3, 30).name == "fewrel.7way3shot.na30"
    for wrong in ("fewrel.0way1shot", "fewrel.5way1shot.na0", "fewrel.5way1shot.na100", "fewrel.5way"):
        with pytest.raises(RelconError, match="no metric profile"):
            episode_profile(wrong)


def test_a_profile_of_another_kind_is_refused():
    with pytest.raises(RelconError, match=r"'docred\.f1' scores facts of documents with given entities, not one label for each given pair"):
        pair_profile("docred.f1")
    with pytest.raises(RelconError, match=r"'micro' scores one label for each given pair; expected fewrel\.NwayKshot"):
        episode_profile("micro")


def test_chemprot_of_13_labels_is_of_positive_pairs_alone():
    with pytest.raises(RelconError, match="13 labels alone, but this task has false too"):
        pair_profile("chemprot.13acc").counted(LabelSet((*CHEMPROT, "false"), frozenset({"false"})))
