"""Heads over word pieces: what a masked language model has beside its encoder. The tasks of a stage share them, and stages hand them on."""

import logging
from typing import Any, Dict, Literal, Mapping

import torch
from torch import Tensor, nn
from transformers.activations import ACT2FN

from relcon.encoders.loading import MaskedHead, masked_head
from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Encoder, Parts, PieceHead

log = logging.getLogger(__name__)

Start = Literal["fresh", "checkpoint", "handed_on"]
"""What a head starts with: random weights, those that the encoder's checkpoint came with, or those that an earlier stage left."""


def shared_head(parts: Parts, name: str, start: Start) -> PieceHead:
    """The head over the word pieces of an encoder of the stage: the first task that asks makes it, the others share it.

    name: the encoder's. start: what the head starts with; the bias of pieces that a checkpoint or an earlier stage did not know is 0.
    RelconError where the stage has no encoder of that name, or one without word pieces; where there is no such head to start with; and
    where another task asked for another start.
    """
    encoder = encoder_of_pieces(parts, name)
    if name not in parts.heads:
        parts.heads[name] = _made(parts, encoder, name, start)
        log.info("encoder '%s': the masked language model has a %s head", name, start.replace("_", " "))
    head = parts.heads[name]
    if head.start != start:
        raise RelconError(f"encoder = '{name}': its tasks share one head over word pieces: \"{head.start}\" in all of them.")
    return head


def encoder_of_pieces(parts: Parts, name: str) -> Encoder:
    """The encoder of the stage that has this name; RelconError where there is none, or it has no embeddings of word pieces."""
    encoder = parts.encoders.get(name)
    if encoder is None:
        raise RelconError(f"encoder = '{name}': the stage has no encoder of that name.{did_you_mean(name, parts.encoders)}")
    if encoder.vocabulary is None or not hasattr(getattr(encoder, "model", None), "get_input_embeddings"):
        raise RelconError(
            f"encoder = '{name}': {type(encoder).__name__} has no embeddings of word pieces. "
            "Choose one with a tokenizer, such as relcon.Transformer.v1."
        )
    return encoder


def piece_embeddings(encoder: Encoder) -> Tensor:
    """[vocabulary, H] the embeddings of word pieces of an encoder that has them."""
    return encoder.model.get_input_embeddings().weight  # type: ignore[operator, union-attr, return-value]


def restored_head(about: Mapping[str, Any], state: Mapping[str, Tensor]) -> PieceHead:
    """A head as it was saved. about: what `description` said of it. state: its weights."""
    with torch.device("meta"):  # no random number is drawn for weights that are put in
        states = _layers(len(state["states.0.bias"]), **about["design"])
    head = PieceHead(states, state["bias"], about["start"], about["design"])
    head.load_state_dict(state, assign=True)
    return head


def description(head: PieceHead) -> Dict[str, Any]:
    """What a saved model says of a head."""
    return {"start": head.start, "design": dict(head.design)}


def _made(parts: Parts, encoder: Encoder, name: str, start: Start) -> PieceHead:
    """A head for this encoder."""
    table = piece_embeddings(encoder)
    found = _start(parts, encoder, name, start)
    bias = table.new_zeros(len(table))
    bias[: len(found.bias)] = found.bias
    design = {"activation": found.activation, "epsilon": found.layers[2].eps}
    return PieceHead(found.layers.to(table), bias, start, design)


def _start(parts: Parts, encoder: Encoder, name: str, start: Start) -> MaskedHead:
    """What a head starts with."""
    if start == "fresh":
        return MaskedHead(_layers(encoder.width), torch.zeros(0), "gelu")
    if start == "checkpoint":
        return masked_head(encoder.model.name_or_path)  # type: ignore[union-attr, arg-type]
    if name not in parts.handed_on:
        raise RelconError(
            f"encoder = '{name}': no earlier stage handed on a head over its word pieces. Take the encoder from a stage that trains "
            'relcon.MaskedLanguageModel.v1 over it (STAGE.NAME), or start with "checkpoint" or "fresh".'
        )
    known = parts.handed_on[name]
    return MaskedHead(known.states, known.bias.detach(), known.design["activation"])


def _layers(width: int, activation: str = "gelu", epsilon: float = 1e-5) -> nn.Sequential:
    """Linear layer, activation and layer normalisation. width: H. activation: what transformers calls it."""
    return nn.Sequential(nn.Linear(width, width), ACT2FN[activation], nn.LayerNorm(width, eps=epsilon))
