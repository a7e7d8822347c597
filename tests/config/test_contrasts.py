"""Contrastive tasks whose parts do not fit together, said by the config alone."""

from copy import deepcopy

import pytest

from relcon.config.contrasts import contrast_mistakes

TEXTS = {"@encoders": "relcon.MiniLM.v1"}
VIEWS = {"@samplers": "relcon.TwoViews.v1"}
LABELS = {"@samplers": "relcon.SameLabel.v1"}
SPANS = {"@samplers": "pspe.SpanPairs.v1"}
GRAPHS = {"@samplers": "cldr.RelationGraphs.v1", "types": ["A", "B"]}
WORDS = {"@samplers": "cldr.BalancedTokens.v1", "types": ["A", "B"]}
COUPLES = {"@samplers": "finecl.RelationPairs.v1"}
NTXENT, INFONCE, MARGIN = ({"@objectives": f"relcon.{name}.v1"} for name in ("NTXent", "InfoNCE", "MarginPairs"))
QUEUE = {"queue": {"@adjusters": "relcon.Queue.v1", "size": 8}}
MINER = {"miner": {"@adjusters": "relcon.HardestNegatives.v1", "k": 8}}
TEXT_TOWER, GRAPH_TOWER = ({"@towers": "relcon.Tower.v1", "encoder": name, "pooler": "pair"} for name in ("text", "graph"))


def stages(sampler, objective, **task):
    contrast = {"@tasks": "relcon.Contrastive.v1", "stream": "all", "anchors": TEXT_TOWER, "objective": objective, **task}
    graph = {"@encoders": "cldr.GraphConvolution.v1", "features": TEXTS}
    return {"pretrain": {"encoders": {"text": TEXTS, "graph": graph}, "streams": {"all": sampler}, "tasks": {"contrast": contrast}}}


def said(*arguments, **task):
    return [message for _, message in contrast_mistakes(stages(*arguments, **task))]


@pytest.mark.parametrize(
    "sampler, objective, task, message",
    [
        (GRAPHS, INFONCE, {"candidates": GRAPH_TOWER, "adjusters": QUEUE}, "the adjuster 'queue' (relcon.Queue.v1) needs to know it"),
        (SPANS, NTXENT, {}, "gives an anchor no negative beside its positive, and relcon.NTXent.v1 teaches only"),
        (SPANS, INFONCE, {"adjusters": MINER}, "Let a queue bring some (relcon.Queue.v1, lanes = 2)."),
        (LABELS, NTXENT, {}, "gives an anchor several positives, and relcon.NTXent.v1 takes one."),
        (WORDS, NTXENT, {}, "several positives"),
        (GRAPHS, INFONCE, {}, "candidates that are graphs, and their encoder (relcon.MiniLM.v1) reads texts."),
        (VIEWS, NTXENT, {"candidates": GRAPH_TOWER}, "that are texts, and their encoder (cldr.GraphConvolution.v1) reads graphs."),
        (GRAPHS, INFONCE, {"candidates": {"@towers": "relcon.Momentum.v1"}}, "candidates that are graphs"),
        ({"@samplers": "relcon.MaskedPieces.v1", "sampler": LABELS}, NTXENT, {}, "'all' (relcon.MaskedPieces.v1) gives an anchor several"),
    ],
)
def test_what_cannot_work_is_one_mistake(sampler, objective, task, message):
    (found,) = said(sampler, objective, **task)
    assert message in found and "\n" not in found


@pytest.mark.parametrize(
    "sampler, objective, task",
    [
        (VIEWS, NTXENT, {"adjusters": QUEUE}),
        (VIEWS, NTXENT, {"candidates": {"@towers": "relcon.Momentum.v1"}}),
        (LABELS, INFONCE, {"adjusters": MINER}),
        (SPANS, INFONCE, {"adjusters": QUEUE}),
        (SPANS, MARGIN, {}),
        (GRAPHS, MARGIN, {"candidates": GRAPH_TOWER}),
        (COUPLES, NTXENT, {"adjusters": QUEUE}),
        (WORDS, INFONCE, {"adjusters": MINER}),
        ({"@samplers": "relcon.Instances.v1"}, NTXENT, {}),  # says nothing of contrasts
        ({"@samplers": "no.Such.v1"}, NTXENT, {}),  # reported elsewhere
        (GRAPHS, {"@objectives": "no.Such.v1"}, {"candidates": GRAPH_TOWER}),
    ],
)
def test_what_works_or_cannot_be_told_is_no_mistake(sampler, objective, task):
    assert said(sampler, objective, **task) == []


def test_the_way_to_the_mistake_and_an_encoder_that_was_handed_on():
    later = deepcopy(stages(GRAPHS, NTXENT))
    later["finetune"] = deepcopy(later["pretrain"])
    later["finetune"]["encoders"] = {"text": "pretrain.graph"}
    assert [keys for keys, _ in contrast_mistakes(later)] == [("stages", "pretrain", "tasks", "contrast", "stream")]


def test_parts_that_are_no_blocks_are_passed_over():
    assert list(contrast_mistakes({"pretrain": None, "other": {"tasks": {"contrast": "x"}, "streams": 3}})) == []
    assert said("nothing", "nothing") == []
