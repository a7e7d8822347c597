"""The first level of joint extraction by itself: the tags of words."""

from pathlib import Path
from typing import Dict, List, Optional

from torch import tensor

from relcon.data.document import Document
from relcon.data.sentences import cut_sentences
from relcon.errors import RelconError
from relcon.interfaces import Evaluator, Model, Split
from relcon_pspe.extractor import JointExtractor
from relcon_pspe.joint_sampler import hulls_of
from relcon_pspe.tagging import OUTSIDE, Scheme, in_scheme, spans_of, tags_of


class TagScores(Evaluator):
    """How well the tags of a joint extractor find what is annotated, before anything is typed (Wang et al. 2020, and the released code).

    Each sentence is tagged by its annotated entities as in training: of those that overlap the longest has the tags. Words that the
    encoder does not see are outside.

    Figures: `precision`, `recall`, `f1` of tags other than "outside", over all words together: a word is right where its tag is;
    `accuracy` of all tags; `span_precision`, `span_recall`, `span_f1` of the spans that the tags stand for: the candidates of the next
    level, whose recall bounds that of the entities; `words`. Shares lie between 0 and 1, a share of nothing is 0. No files.

    RelconError where the model does not come from `pspe.JointExtraction.v1`, or no document has a word.

    Config::

        [evaluator]
        @evaluators = "pspe.TagScores.v1"
    """

    primary = "f1"

    def check(self, data: Split, train: Optional[Split] = None) -> None:
        """There must be a word to tag."""
        if not any(document.words for document in data.documents):
            raise RelconError(f"pspe.TagScores.v1 finds no word in the split '{data.name}'.")

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """Figures of the model's tags on the split. Neither `folder` nor `train` is looked at."""
        if not isinstance(model, JointExtractor):
            raise RelconError(
                "pspe.TagScores.v1 measures the tags of pspe.JointExtraction.v1: name a stage with that task as `model` of the evaluation."
            )
        self.check(data)
        scheme = model.network.scheme
        sentences = [sentence.document for document in data.documents if document.words for sentence in cut_sentences(document)]
        gold = [gold_tags(sentence, scheme) for sentence in sentences]
        found = model.tags([sentence.words for sentence in sentences])
        pairs = [pair for one, other in zip(gold, found, strict=True) for pair in zip(one, other, strict=True)]
        outside = scheme.index(OUTSIDE)
        right = sum(one == other != outside for one, other in pairs)
        spans = [{(at, span) for at, own in enumerate(tags) for span in spans_of(own, scheme)} for tags in (gold, found)]
        between = figures_of(len(spans[0] & spans[1]), len(spans[1]), len(spans[0]))
        return {
            **figures_of(right, sum(other != outside for _, other in pairs), sum(one != outside for one, _ in pairs)),
            "accuracy": sum(one == other for one, other in pairs) / len(pairs),
            **{f"span_{name}": value for name, value in between.items()},
            "words": float(len(pairs)),
        }


def gold_tags(sentence: Document, scheme: Scheme) -> List[int]:
    """The tags of a sentence's annotated entities."""
    found: List[int] = in_scheme(tensor(tags_of(hulls_of(sentence), len(sentence.words))), scheme).tolist()
    return found


def figures_of(right: int, found: int, gold: int) -> Dict[str, float]:
    """Precision, recall and F1."""
    precision, recall = right / found if found else 0.0, right / gold if gold else 0.0
    return {"precision": precision, "recall": recall, "f1": 2 * right / (found + gold) if right else 0.0}
