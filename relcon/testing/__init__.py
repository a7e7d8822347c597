"""The test kit for authors of components: a tiny encoder, a tiny corpus, and checks that a component keeps its contract.

A plugin's test suite calls the check of each interface that it implements; a check raises AssertionError with one sentence
that says which promise was broken:

    from relcon.testing import check_augmenter, tiny_corpus

    def test_my_augmenter():
        check_augmenter(MyAugmenter(), tiny_corpus())
"""

from relcon.testing.adjusting import check_adjuster
from relcon.testing.checks import check_augmenter, check_evaluator, check_renderer, check_sampler
from relcon.testing.corpora import tiny_corpus, tiny_instances, tiny_split
from relcon.testing.encoders import tiny_character_bert_folder, tiny_encoder, tiny_encoder_folder
from relcon.testing.learning import check_encoder, check_objective, check_pooler, check_step

__all__ = [
    "check_adjuster",
    "check_augmenter",
    "check_encoder",
    "check_evaluator",
    "check_objective",
    "check_pooler",
    "check_renderer",
    "check_sampler",
    "check_step",
    "tiny_character_bert_folder",
    "tiny_corpus",
    "tiny_encoder",
    "tiny_encoder_folder",
    "tiny_instances",
    "tiny_split",
]
