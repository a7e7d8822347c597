"""The check for adjusters: bare vectors through a few steps."""

from dataclasses import replace
from typing import Callable, List, NamedTuple, Tuple

import torch
from torch import Tensor

from relcon.contrast import WHOLE, Contrast, Pairing, Tags, Text, View
from relcon.errors import RelconError
from relcon.interfaces import Adjuster
from relcon.testing.promises import expect, generator

LOST = 5
"""The view of every batch that was cropped away."""

MARK = 77.0
"""What its vector is full of: nothing that is compared with anything may be."""


class Turn(NamedTuple):
    """One batch: vectors [6, D], what the sampler wrote, and the pairing without the lost view."""

    vectors: Tensor
    contrast: Contrast
    pairing: Pairing


Adjusted = Tuple[Tensor, Pairing]


def check_adjuster(make: Callable[[], Adjuster]) -> None:
    """The batch's candidates come first and untouched, with their gradients; the pairing fits and is sound; groups and weights
    stay, ignored pairs stay ignored, no pair changes sides, no anchor loses its last positive; views that were cropped away take
    no part, then or later; only training leaves traces; what is remembered is in the state dict; without tags it works the same or
    says what it misses.

    make: builds the adjuster, as a config would.
    """
    for dtype in (torch.float32, torch.float64):
        turns = [_turn(number, dtype) for number in range(4)]
        plain = _run(make(), turns)
        for turn, (candidates, pairing) in zip(turns, plain, strict=True):
            _check_candidates(turn, candidates)
            _check_pairing(turn, candidates, pairing)
            _check_lost(candidates, pairing)
        _check_traces(make, turns, plain)
        _check_state(make, turns, plain)
        _check_tags(make, turns, plain)


def _turn(number: int, dtype: torch.dtype) -> Turn:
    """Six views of three classes, other sentences in every turn; the last view is lost."""
    vectors = torch.randn(6, 4, generator=generator(number), dtype=torch.double).to(dtype)
    vectors[LOST] = MARK
    label = torch.tensor([0, 0, 1, 1, 2, 2])
    same = (label[:, None] == label[None, :]).to(dtype)
    pairing = Pairing.of(same - torch.eye(6), 1 - same, torch.linspace(1, 2, 6).to(dtype))
    tags = Tags(torch.zeros(6, dtype=torch.long), 6 * number + torch.arange(6), label)
    views = [View(Text((f"word{view}",)), ((WHOLE,),)) for view in range(6)]
    alive = torch.arange(6) != LOST
    return Turn(vectors, Contrast(views, pairing, anchor_tags=tags), pairing.keep(alive, alive))


def _run(adjuster: Adjuster, turns: List[Turn], first: int = 0, glance: bool = False) -> List[Adjusted]:
    """What comes out of training steps. first: the number of the first turn. glance: look at each batch in evaluation mode before."""
    outcomes = []
    for number, turn in enumerate(turns, first):
        with torch.random.fork_rng():
            if glance:
                adjuster.eval()(turn.vectors, turn.vectors, turn.contrast, turn.pairing)
            torch.manual_seed(number)
            outcomes.append(adjuster.train()(turn.vectors, turn.vectors.clone().requires_grad_(), turn.contrast, turn.pairing))
            adjuster.after_step()
    return outcomes


def _same(one: List[Adjusted], other: List[Adjusted]) -> bool:
    """Whether candidates and masks are alike."""
    return all(
        mine[0].shape == theirs[0].shape
        and torch.equal(mine[0], theirs[0])
        and torch.equal(mine[1].positives, theirs[1].positives)
        and torch.equal(mine[1].negatives, theirs[1].negatives)
        for mine, theirs in zip(one, other, strict=True)
    )


def _check_candidates(turn: Turn, candidates: Tensor) -> None:
    given = turn.vectors
    fits = candidates.dim() == 2 and candidates.shape[1] == given.shape[1] and len(candidates) >= len(given)
    expect(fits, f"candidates of the shape {tuple(candidates.shape)} came out for {tuple(given.shape)}: keep those given, append others")
    expect(candidates.dtype == given.dtype, f"candidates of {given.dtype} came out as {candidates.dtype}")
    expect(torch.equal(candidates[: len(given)], given), "the batch's own candidates must come out first and unchanged")
    expect(candidates.requires_grad, "no gradient reaches the batch's candidates")


def _check_pairing(turn: Turn, candidates: Tensor, pairing: Pairing) -> None:
    before, rows = turn.pairing, len(turn.vectors)
    shape = (rows, len(candidates))
    fits = pairing.positives.shape == shape and pairing.negatives.shape == shape
    expect(fits, f"a pairing {tuple(pairing.positives.shape)}, {tuple(pairing.negatives.shape)} for {shape} anchors and candidates")
    try:
        pairing.check()
    except ValueError as error:
        raise AssertionError(f"the pairing is not sound: {error}") from error
    expect(torch.equal(pairing.groups, before.groups), "the adjuster changed the groups")
    expect(torch.equal(pairing.weights, before.weights), "the adjuster changed the weights of the terms")
    positives, negatives = pairing.positives[:, :rows] > 0, pairing.negatives[:, :rows] > 0
    ignored = (before.positives == 0) & (before.negatives == 0)
    expect(not bool((ignored & (positives | negatives)).any()), "a pair of the batch that was ignored came out attracting or repelling")
    swapped = (positives & (before.negatives > 0)) | (negatives & (before.positives > 0))
    expect(not bool(swapped.any()), "a pair of the batch changed sides")
    lonely = (before.positives > 0).any(1) & ~(pairing.positives > 0).any(1)
    expect(not bool(lonely.any()), "an anchor lost its last positive")


def _check_lost(candidates: Tensor, pairing: Pairing) -> None:
    paired = (pairing.positives > 0) | (pairing.negatives > 0)
    expect(not bool(paired[LOST].any()), "an anchor that was cropped away was given pairs")
    expect(not bool((candidates == MARK).all(1)[paired.any(0)].any()), "a view that was cropped away came back as a candidate")


def _check_traces(make: Callable[[], Adjuster], turns: List[Turn], plain: List[Adjusted]) -> None:
    glanced = _run(make(), turns, glance=True)
    expect(_same(plain, glanced), "a batch that was looked at in evaluation mode changed what the next one got")


def _check_state(make: Callable[[], Adjuster], turns: List[Turn], plain: List[Adjusted]) -> None:
    stopped, fresh = make(), make()
    _run(stopped, turns[:2])
    fresh.load_state_dict(stopped.state_dict())
    resumed = _run(fresh, turns[2:], first=2)
    expect(_same(plain[2:], resumed), "an adjuster loaded from a state dict goes on differently: keep in buffers what it remembers")


def _check_tags(make: Callable[[], Adjuster], turns: List[Turn], plain: List[Adjusted]) -> None:
    bare = [turn._replace(contrast=replace(turn.contrast, anchor_tags=None)) for turn in turns]
    try:
        expect(_same(plain, _run(make(), bare)), "without tags it gave something else than with them: raise RelconError if it needs them")
    except RelconError:
        return  # it said so
