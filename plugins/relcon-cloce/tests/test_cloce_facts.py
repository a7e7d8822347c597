"""Every acceptance fact of the method's specification has a test, whose name carries its number."""

FACTS = {
    1: "margin loss",
    2: "gradients of the margin loss",
    3: "a bare margin only shrinks",
    4: "parametrised margin",
    5: "prompt string",
    6: "encoded pair",
    7: "entity replacement",
    8: "pair construction",
    9: "soft labels",
    10: "pooling",
    11: "metric",
    12: "what trains",
    13: "label words",
    14: "patches",
    15: "sizes of few-shot sets",
}


def test_every_fact_has_a_test(facts):
    missing = [f"{number}: {what}" for number, what in FACTS.items() if number not in facts("cloce_g")]
    assert not missing, "facts without a test, named test_cloce_gNN_..."


def test_no_test_claims_a_fact_that_there_is_not(facts):
    assert facts("cloce_g") <= set(FACTS)
