"""Every acceptance fact of the method's specification has a test, whose name carries its number."""

FACTS = {
    1: "weight function",
    2: "pooling",
    3: "relation discrimination, one anchor",
    4: "relation discrimination, micro-batch",
    5: "entity discrimination",
    6: "bookkeeping and minimum share",
    7: "cumulative Jaccard",
    8: "F1 and IgF1",
    9: "macro F1",
    10: "sentence metrics",
    11: "loss of stage 1",
    12: "distance rows",
    13: "noise measurement",
    14: "distant supervision",
    15: "subsets, schedule, baselines",
}


def test_every_fact_has_a_test(facts):
    missing = [f"{number}: {what}" for number, what in FACTS.items() if number not in facts("finecl_a")]
    assert not missing, "facts without a test, named test_finecl_aNN_..."


def test_no_test_claims_a_fact_that_there_is_not(facts):
    assert facts("finecl_a") <= set(FACTS)
