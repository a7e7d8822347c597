import pytest
import torch
from relcon_shuffle.augmenters import WindowShuffle
from relcon_shuffle.objectives import AlignUniform

from relcon.contrast import Pairing
from relcon.testing import check_augmenter, check_objective, tiny_corpus


def test_the_augmenter_keeps_its_contract():
    check_augmenter(WindowShuffle(), tiny_corpus())


def test_words_stay_in_their_window():
    document = tiny_corpus()[0]
    shuffled = WindowShuffle(window=2)(document, [(0, 1)], torch.Generator().manual_seed(0))
    assert sorted(shuffled.words) == sorted(document.words)
    assert shuffled.words != document.words
    free = [n for n, word in enumerate(document.words) if not any(m.start <= n < m.end for e in document.entities for m in e.mentions)]
    for start in range(0, len(free), 2):
        window = free[start : start + 2]
        assert {shuffled.words[n] for n in window} == {document.words[n] for n in window}


def test_a_window_of_one_is_refused():
    with pytest.raises(ValueError, match="window must be at least 2"):
        WindowShuffle(window=1)


def test_the_objective_keeps_its_contract():
    check_objective(AlignUniform())


def test_the_objective_of_three_points_worked_out_by_hand():
    points = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    positives = torch.tensor([[0.0, 1.0, 0.0]] * 3).triu(1)  # 0 and 1: distance 2
    negatives = torch.tensor([[0.0, 0.0, 1.0]] * 3).triu(1)  # 0 and 2: 4; 1 and 2: 2
    expected = 2 + 0.5 * torch.log((torch.tensor(-8.0).exp() + torch.tensor(-4.0).exp()) / 2)
    assert torch.isclose(AlignUniform(uniformity=0.5)(points, points, Pairing.of(positives, negatives)), expected)
