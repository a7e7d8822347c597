"""The test kit for authors of components: tiny encoders and corpora, and checks that a component keeps its contract.

A plugin's test suite calls `check_component` for each name that it registers, and the check of its interface (`CHECKS`); a check raises
AssertionError with one sentence that says which promise was broken:

    from relcon.testing import check_augmenter, check_component, tiny_corpus

    def test_my_augmenter():
        check_component("augmenters", "mine.Typos.v1")
        check_augmenter(MyAugmenter(), tiny_corpus())
"""

from typing import Any, Callable, Dict

from relcon.testing.adjusting import check_adjuster
from relcon.testing.checks import check_augmenter, check_evaluator, check_extractor, check_renderer, check_sampler
from relcon.testing.components import build_example, check_component, example_block
from relcon.testing.corpora import tiny_corpus, tiny_instances, tiny_split
from relcon.testing.data import (
    check_builder,
    check_candidates,
    check_corpus,
    check_distant,
    check_parser,
    check_reader,
    check_synonyms,
    check_writer,
)
from relcon.testing.encoders import tiny_character_bert_folder, tiny_encoder, tiny_encoder_folder
from relcon.testing.learning import check_encoder, check_objective, check_pooler, check_step
from relcon.testing.training import check_optimizer, check_protocol, check_schedule, check_stage, check_task, check_tower, tiny_parts

CHECKS: Dict[str, Callable[..., Any]] = {
    "readers": check_reader,
    "writers": check_writer,
    "candidates": check_candidates,
    "parsers": check_parser,
    "corpora": check_corpus,
    "synonyms": check_synonyms,
    "augmenters": check_augmenter,
    "renderers": check_renderer,
    "samplers": check_sampler,
    "encoders": check_encoder,
    "poolers": check_pooler,
    "towers": check_tower,
    "objectives": check_objective,
    "adjusters": check_adjuster,
    "tasks": check_task,
    "extractors": check_extractor,
    "evaluators": check_evaluator,
    "optimizers": check_optimizer,
    "schedules": check_schedule,
    "stages": check_stage,
    "protocols": check_protocol,
    "builders": check_builder,
    "distant": check_distant,
}
"""Registry -> the check of its interface."""

__all__ = [
    "CHECKS",
    "build_example",
    "check_adjuster",
    "check_augmenter",
    "check_builder",
    "check_candidates",
    "check_component",
    "check_corpus",
    "check_distant",
    "check_encoder",
    "check_evaluator",
    "check_extractor",
    "check_objective",
    "check_optimizer",
    "check_parser",
    "check_pooler",
    "check_protocol",
    "check_reader",
    "check_renderer",
    "check_sampler",
    "check_schedule",
    "check_stage",
    "check_step",
    "check_synonyms",
    "check_task",
    "check_tower",
    "check_writer",
    "example_block",
    "tiny_character_bert_folder",
    "tiny_corpus",
    "tiny_encoder",
    "tiny_encoder_folder",
    "tiny_instances",
    "tiny_parts",
    "tiny_split",
]
