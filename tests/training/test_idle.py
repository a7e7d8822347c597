"""A contrast that had nothing to compare says why."""

import pytest

from relcon.errors import RelconError
from relcon.objectives.infonce import InfoNCE
from relcon.stages.training import refuse_idle
from relcon.tasks.contrastive import Contrastive
from relcon.towers import HeadedTower
from relcon.training.position import EpochSums


def test_a_contrast_that_taught_nothing_says_what_cropping_took() -> None:
    task = Contrastive("views", HeadedTower("text", "pair"), InfoNCE(0.1))
    sums = EpochSums(terms={"contrast.terms": 6.0, "contrast.idle_terms": 6.0})
    with pytest.raises(RelconError, match=r"none of the 6 terms .* pairs instances of one label\.$"):
        refuse_idle("pretrain", sums, {"contrast": task})
    sums.lost = 589.0
    with pytest.raises(RelconError, match=r"Cropping took an entity of 589 views, .* max_length\.$"):
        refuse_idle("pretrain", sums, {"contrast": task})
