"""Every acceptance fact of the method's specification has a test, whose name carries its number."""

FACTS = {
    1: "star graph",
    2: "CLDR",
    3: "CLGS",
    4: "CLNER",
    5: "several positives",
    6: "balanced sampling",
    7: "negatives",
    8: "two relations",
    9: "data",
    10: "chunks",
    11: "strict relation extraction",
    12: "nearest neighbours",
    13: "character ids",
    14: "highway",
    15: "encoder",
}


def test_every_fact_has_a_test(facts):
    missing = [f"{number}: {what}" for number, what in FACTS.items() if number not in facts("cldr_fact_")]
    assert not missing, "facts without a test, named test_cldr_fact_NN_..."


def test_no_test_claims_a_fact_that_there_is_not(facts):
    assert facts("cldr_fact_") <= set(FACTS)
