"""Metric profiles: which classes count, and that one that does not fit the labels is refused."""

import dataclasses
from typing import get_args

import pytest

from relcon.checking import check_example
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.evaluators.profiles import CPR, DDI, DIRECTED, PROFILES, SEMEVAL, ProfileName, profile_of

SPECIFIED = {
    "semeval2010.official", "semeval2010.micro18", "tacred.micro", "chemprot.cpr5", "ddi.micro4", "ddi.macro4", "ppi.cv10",
    "ppi.cv10.instance", "micro", "macro", "accuracy",
}  # fmt: skip
LABELS = {
    "semeval2010": LabelSet((*DIRECTED, "Other"), frozenset({"Other"})),
    "tacred": LabelSet(("no_relation", "per:age", "org:members"), frozenset({"no_relation"})),
    "chemprot": LabelSet(("false", *CPR), frozenset({"false"})),
    "ddi": LabelSet(("DDI-false", *DDI), frozenset({"DDI-false"})),
    "ppi": LabelSet(("negative", "positive"), frozenset({"negative"})),
}


def test_the_names_that_configs_may_say_are_those_that_there_are():
    assert set(PROFILES) == SPECIFIED == set(get_args(ProfileName))
    assert all(PROFILES[name].name == name and PROFILES[name].note for name in PROFILES)


@pytest.mark.parametrize("name", sorted(SPECIFIED - {"micro", "macro", "accuracy"}))
def test_a_profile_fits_its_own_corpus_and_no_other(name):
    profile, own = profile_of(name), name.partition(".")[0]
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
        assert all(isinstance(value, (str, bool, tuple, type(None))) for value in values)
