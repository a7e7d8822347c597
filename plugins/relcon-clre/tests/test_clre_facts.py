"""Every acceptance fact of the method's specification has a test, whose name carries its number."""

FACTS = {
    1: "NT-Xent: terms, scaling, scale invariance",
    2: "collapse",
    3: "gradient",
    4: "masks",
    5: "projection head",
    6: "shortest dependency path",
    7: "what each operation may change",
    8: "limits of deletion, number of changes",
    9: "WordNet",
    10: "external-knowledge enumeration",
    11: "steps and schedules",
    12: "micro metrics",
    13: "mean of the folds",
    14: "prediction shift",
    15: "sizes of augmented training sets",
}


def test_every_fact_has_a_test(facts):
    missing = [f"{number}: {what}" for number, what in FACTS.items() if number not in facts("clre_fact_")]
    assert not missing, "facts without a test, named test_clre_fact_NN_..."


def test_no_test_claims_a_fact_that_there_is_not(facts):
    assert facts("clre_fact_") <= set(FACTS)
