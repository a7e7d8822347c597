"""Every acceptance fact of the method's specification has a test, whose name carries its number."""

FACTS = {
    1: "symmetric InfoNCE with a queue",
    2: "gradient flow",
    3: "queue",
    4: "momentum update",
    5: "position-aware attention",
    6: "rows of relative positions",
    7: "permutation classes",
    8: "span convolutions",
    9: "MLP block",
    10: "span lengths",
    11: "views and token boundaries of a worked sentence",
    12: "tag decoding",
    13: "scheduled sampling",
    14: "learning rates",
    15: "metrics",
    16: "total loss",
    17: "shapes",
}


def test_every_fact_has_a_test(facts):
    missing = [f"{number}: {what}" for number, what in FACTS.items() if number not in facts("pspe_fact_")]
    assert not missing, "facts without a test, named test_pspe_fact_NN_..."


def test_no_test_claims_a_fact_that_there_is_not(facts):
    assert facts("pspe_fact_") <= set(FACTS)
