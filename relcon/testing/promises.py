"""What all checks share: a promise that is kept or not, randomness, and documents that must be sound."""

import copy
import random
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Container, Dict, Iterator, Mapping, Sequence, Tuple, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from relcon.data.document import Document

Module = TypeVar("Module", bound=nn.Module)


def expect(kept: Any, promise: str) -> None:
    """AssertionError with the promise that was broken."""
    if not kept:
        raise AssertionError(promise)


def generator(seed: int = 0) -> torch.Generator:
    """A CPU generator."""
    return torch.Generator().manual_seed(seed)


@contextmanager
def no_global_randomness(who: str) -> Iterator[None]:
    """Within, nobody may draw from a random stream that belongs to all."""
    before = _streams()
    yield
    expect(before == _streams(), f"{who} drew from torch's, numpy's or Python's global random stream")


@contextmanager
def other_global_randomness() -> Iterator[None]:
    """Within, the global random streams give other numbers than outside; those of outside are put back."""
    python, numbers = random.getstate(), np.random.get_state()
    with torch.random.fork_rng():
        torch.manual_seed(20_011)
        random.seed(20_011)
        np.random.seed(20_011)
        try:
            yield
        finally:
            random.setstate(python)
            np.random.set_state(numbers)


def _streams() -> Tuple[Any, ...]:
    numbers: Any = np.random.get_state(legacy=True)
    return torch.get_rng_state().tolist(), random.getstate(), numbers[1].tolist(), numbers[2:]


def check_sound(document: Document, what: str) -> None:
    """A document without faults: spans inside the words, sentences that cover them in order, offsets that give the words where there is
    a text. what: the document in words, for messages."""
    expect(not document.faults(), f"{what} is not sound: {document.faults()}")
    covered = [word for start, end in document.sentences for word in range(start, end)]
    expect(covered == list(range(len(document.words))), f"the sentences of {what} do not cover its words")
    if document.text is not None and document.offsets is not None:
        shown = tuple(document.text[start:end] for start, end in document.offsets)
        expect(shown == document.words, f"text and offsets of {what} do not give its words")


def bare(document: Document) -> Document:
    """A document without what is annotated on it."""
    return replace(document, entities=(), relations=())


def copies(documents: Sequence[Document]) -> Sequence[Document]:
    """Documents of their own, to see afterwards whether the others were modified."""
    return copy.deepcopy(list(documents))


def check_reached(module: nn.Module, what: str, idle: Container[str] = ()) -> None:
    """After a backward pass: every trainable parameter has a gradient, but for those that are named."""
    without = [name for name, parameter in module.named_parameters() if parameter.requires_grad and parameter.grad is None]
    missed = [name for name in without if name not in idle]
    expect(not missed, f"no gradient reaches {missed[:3]} of {what}: freeze what is not used, or use it")


def disturbed(module: Module) -> Module:
    """A copy of a module with other weights and buffers, to see whether a state dict brings those of the original back."""
    twin = copy.deepcopy(module)
    with torch.no_grad():
        for tensor in [*twin.parameters(), *twin.buffers()]:
            tensor.copy_(tensor + 1 if tensor.is_floating_point() else tensor)
    return twin


def check_state(module: nn.Module, twin: nn.Module, what: str) -> None:
    """The state dict of a module fits another of its kind."""
    try:
        twin.load_state_dict(module.state_dict())
    except RuntimeError as error:
        raise AssertionError(f"the state of {what} does not load into another one: {error}") from error


def same_figures(one: Mapping[str, float], other: Mapping[str, float]) -> Dict[str, Tuple[Any, Any]]:
    """The figures that differ, with both values."""
    return {name: (one.get(name), other.get(name)) for name in sorted({*one, *other}) if one.get(name) != other.get(name)}


def same_tensors(one: Tensor, other: Tensor) -> bool:
    """Whether two tensors have the same shape and values."""
    return one.shape == other.shape and bool(torch.equal(one, other))
