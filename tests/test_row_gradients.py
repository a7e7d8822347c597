"""Gradients of embedding tables that are added row by row are those that autograd would add."""

import pytest
import torch
from torch import nn

from relcon.row_gradients import row_gradients

NUMBERS = torch.tensor([[3, 0, 3], [1, 5, 0]])


class Tied(nn.Module):
    """A table that is looked up in and multiplied with, as a masked language model's."""

    def __init__(self, **options):
        super().__init__()
        torch.manual_seed(0)
        self.table = nn.Embedding(7, 4, **options)
        self.kept = nn.Embedding(7, 4).requires_grad_(False)

    def forward(self, numbers):
        """[B, L, 7] logits."""
        return torch.tanh(self.table(numbers) + self.kept(numbers)) @ self.table.weight.T


def gradient(module, by_rows, forwards=2):
    """The table's gradient after a few forwards and backwards."""
    for number in range(forwards):
        if by_rows:
            with row_gradients([module]):
                loss = module(NUMBERS.roll(number)).square().sum()
                loss.backward()
        else:
            module(NUMBERS.roll(number)).square().sum().backward()
    assert module.kept.weight.grad is None
    return module.table.weight.grad


@pytest.mark.parametrize("options", [{}, {"padding_idx": 0}, {"max_norm": 0.5}, {"scale_grad_by_freq": True}])
@pytest.mark.parametrize("forwards", [1, 3])
def test_the_gradient_is_autograds(options, forwards):
    torch.testing.assert_close(gradient(Tied(**options), True, forwards), gradient(Tied(**options), False, forwards))


def test_it_is_added_in_place_and_without_a_table_of_zeros():
    module = nn.Embedding(7, 4)
    module.weight.grad = kept = torch.ones(7, 4)
    with row_gradients([module]):
        rows = module(NUMBERS)
        assert "RowsAdded" in type(rows.grad_fn).__name__
        rows.sum().backward()
    assert module.weight.grad is kept
    assert kept[:, 0].tolist() == [3, 2, 1, 3, 1, 2, 1]


def test_outside_and_without_gradients_the_table_is_as_it_was():
    module = nn.Embedding(7, 4)
    with row_gradients([module]), torch.no_grad():
        assert module(NUMBERS).grad_fn is None
    assert type(module(NUMBERS).grad_fn).__name__ == "EmbeddingBackward0"


def test_a_tables_gradient_stays_in_its_own_precision():
    module = nn.Embedding(7, 4)
    with row_gradients([module]):
        module(NUMBERS).to(torch.bfloat16).sum().backward()
    assert module.weight.grad.dtype == torch.float32
