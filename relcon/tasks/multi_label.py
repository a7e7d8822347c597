"""Classification of relations where a pair may have several: a yes or no per label."""

import torch.nn.functional as F
from torch import Tensor

from relcon.contrast import Labelled
from relcon.errors import RelconError
from relcon.interfaces import TowerPlan
from relcon.tasks.labelled import RelationTask


class MultiLabelClassification(RelationTask):
    """Binary cross-entropy of every label of every pair, divided by their number (labels times pairs).

    The loss of document-level classifiers (Yao et al. 2019, arXiv 1906.06127; the released code of Hogan, Li and Shang, EMNLP 2022).
    A pair that cropping took counts for nothing. For one label per pair, and a softmax, read the same value with
    relcon.Classification.v1 (`reads = "pairs"`).

    stream: the sampler that feeds it (relcon.DocumentPairs.v1). reads: which value of its batches, with multi-hot `targets`
    [U, labels] beside the labels. weight: its factor in the stage's loss.
    tower: encoder, pooler and head; gives one logit per label.

    The model it trains has a score per label, sigmoid of its logit, and predicts every label that scores at least its threshold
    (relcon.ChooseThreshold.v1). `recorders` (`relcon.interfaces.Recorder`) are told every prediction made in training, with the
    label that the sampler drew for the pair. The log gets `accuracy`, the share of drawn labels that have the largest logit.
    RelconError where the value has no targets.

    Config::

        [task]
        @tasks = "relcon.MultiLabelClassification.v1"
        stream = "train"
        [task.tower]
        @towers = "relcon.Tower.v1"
        encoder = "text"
        pooler = "pair"
    """

    multi_label = True

    def __init__(self, stream: str, tower: TowerPlan, reads: str = "pairs", weight: float = 1.0):
        super().__init__(stream, tower, reads, weight)

    def summed_loss(self, logits: Tensor, labels: Tensor, value: Labelled, numbers: Tensor) -> Tensor:
        """The binary cross-entropy of the labels of each pair, as a mean, summed over the pairs."""
        if "targets" not in value.extra:
            raise RelconError(
                f"The value '{self.reads}' of stream '{self.stream}' has no targets, which relcon.MultiLabelClassification.v1 needs. "
                "Let relcon.DocumentPairs.v1 feed it, or train with relcon.Classification.v1."
            )
        targets = value.extra["targets"][numbers.to(value.extra["targets"].device)].to(logits)
        return F.binary_cross_entropy_with_logits(logits, targets, reduction="sum") / logits.shape[1]
