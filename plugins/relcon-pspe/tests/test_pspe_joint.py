"""The joint task: its loss against slow formulas, its candidates, what is shared, and training data that it refuses."""

from dataclasses import replace
from typing import Any, Dict, List, Sequence, Tuple

import pytest
import torch
from relcon_pspe.joint_sampler import Sentences, word_views
from relcon_pspe.network import AtHand
from relcon_pspe.pairs import SpanPairEncoder
from torch.nn import functional

from relcon.config import resolve
from relcon.contrast import WHOLE, Labelled, Span, Text, View
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.encoding import encode, step
from relcon.errors import RelconError
from relcon.interfaces import Draw, Parts, Split, Tower
from relcon.testing import check_step, tiny_encoder

LABELS = LabelSet(("none", "binds", "part of"), frozenset({"none"}))
SIZES = {"state": 32, "channels": 4, "out": 12, "attention": 16, "positions": 4}


def sentence(name: str, text: str, spans: Sequence[Tuple[int, int, str]], facts: Sequence[Tuple[int, int, str]] = ()) -> Document:
    entities = tuple(Entity((Mention(start, end),), kind) for start, end, kind in spans)
    return Document(name, tuple(text.split()), entities, tuple(Relation(*fact) for fact in facts))


FIRST = sentence("first", "abirol blocks beta kinase in cells", [(0, 1, "Drug"), (2, 4, "Protein"), (5, 6, "Place")], [(1, 0, "binds")])
SECOND = sentence("second", "KAP2 is a part of TORN1", [(0, 1, "Protein"), (5, 6, "Protein")], [(0, 1, "part of")])
BARE = sentence("bare", "Nothing", [])
TYPES = ["Drug", "Protein", "Place"]


def parts(dropout: float = 0.0, seed: int = 0, **pooler: Any) -> Parts:
    torch.manual_seed(seed)
    encoder = tiny_encoder(dropout=dropout)
    made = resolve({"@poolers": "pspe.SpanPair.v1", **SIZES, "dropout": dropout, **pooler}, "[pooler]")
    return Parts({"text": encoder}, {"spans": made}, LABELS)


def task_over(there: Parts, **arguments: Any) -> Any:
    block = {"@tasks": "pspe.JointExtraction.v1", "stream": "s", "encoder": "text", "types": TYPES, "head": [10, 6], "dropout": 0.0}
    task = resolve({**block, **arguments}, "[task]")
    task.build(there)
    return task


def value_of(*documents: Document, **arguments: Any) -> Sentences:
    sampler = resolve({"@samplers": "pspe.JointSentences.v1", "shuffle": False, **arguments}, "[sampler]")
    (batch,) = sampler.batches(Split("train", list(documents), [], LABELS), Draw(0, torch.Generator().manual_seed(0)))
    return batch["sentences"]  # type: ignore[no-any-return]


def loss_of(task: Any, value: Labelled, tokens: int = 0) -> float:
    return step({"joint": task}, {"sentences": value}, tokens=tokens, backward=False).loss


def vectors(tower: Tower, text: Text, *units: Any) -> torch.Tensor:
    return encode(tower, [View(text, unit) for unit in units])[0]


# ---- the loss --------------------------------------------------------------------------------------------------------------


def slow_loss(task: Any, pooler: SpanPairEncoder, documents: Sequence[Document], tags: Sequence[str], scheme: str) -> List[float]:
    """Three cross-entropies, sentence by sentence and pair by pair, of annotated spans and all pairs of them. Contexts are those of the
    shared span encoder, so that the pair encoder of pre-training gives the pairs."""
    encoder, network = task.network.words.encoder, task.network
    found: Dict[str, List[torch.Tensor]] = {"tags": [], "types": [], "pairs": []}
    names = ["none", *(label + end for label in ("binds", "part of") for end in ("@>", "@<"))]
    for document, letters in zip(documents, tags, strict=True):
        text = Text(document.words)
        for word, letter in enumerate(letters):
            logits = vectors(network.words, text, ((Span(word, word + 1),),))
            found["tags"].append(functional.cross_entropy(logits, torch.tensor([scheme.index(letter)])))
        spans = sorted((each.mentions[0].start, each.mentions[0].end, each.type) for each in document.entities)
        for start, end, kind in spans:
            vector = vectors(Tower(encoder, pooler.span), text, ((Span(start, end),),))
            found["types"].append(functional.cross_entropy(network.typing(vector), torch.tensor([1 + TYPES.index(kind)])))
        facts = {}
        for relation in document.relations:
            head, tail = (document.entities[number].mentions[0][:2] for number in (relation.head, relation.tail))
            facts[min(head, tail), max(head, tail)] = f"{relation.label}{'@>' if head < tail else '@<'}"
        for number, one in enumerate(spans):
            for other in spans[number + 1 :]:
                vector = vectors(Tower(encoder, pooler), text, ((Span(*one[:2]),), (Span(*other[:2]),)))
                label = facts.get((one[:2], other[:2]), "none")
                found["pairs"].append(functional.cross_entropy(network.relating(vector), torch.tensor([names.index(label)])))
    return [float(torch.stack(losses).mean()) for losses in found.values()]


@pytest.mark.parametrize("scheme, tags", [("BIEOU", ["UOBEOU", "UOOOOU", "O"]), ("BIO", ["BOBIOB", "BOOOOB", "O"])])
@torch.no_grad()
def test_the_loss_is_the_sum_of_three_means(scheme: str, tags: List[str]) -> None:
    there = parts()
    task = task_over(there, context="shared", scheme=scheme).eval()
    documents = [FIRST, SECOND, BARE]
    expected = slow_loss(task, there.poolers["spans"], documents, tags, scheme)  # type: ignore[arg-type]
    assert loss_of(task, value_of(*documents)) == pytest.approx(sum(expected), abs=1e-5)
    figures = task.figures()
    assert [figures[f"{level}_loss"] for level in ("tag", "type", "relation")] == pytest.approx(expected, abs=1e-5)
    assert all(0 <= figures[f"{level}_accuracy"] <= 1 for level in ("tag", "type", "relation")) and not task.figures()


def finding_words(there: Parts) -> Any:
    """A task that tags every word as a span and takes some of them, by their words, for entities."""
    task = task_over(there)
    set_bias(task.network.words.head[-1], "BIEOU".index("U"))
    with torch.no_grad():
        task.network.typing.weight.mul_(50)
    return task


@pytest.mark.parametrize("sampling", ["gold", "predicted"])
@pytest.mark.parametrize("tokens", [1, 24])
def test_the_loss_is_that_of_the_batch_however_it_is_cut(sampling: str, tokens: int) -> None:
    """Sentences differ in candidates for each word, so means over parts are something else."""
    task, gradients, losses = finding_words(parts()).eval(), {}, {}
    value = value_of(FIRST, SECOND, BARE, sampling=sampling)
    for size in (0, tokens):
        task.zero_grad()
        losses[size] = step({"joint": task}, {"sentences": value}, tokens=size).loss
        gradients[size] = {name: each.grad.clone() for name, each in task.named_parameters()}
        losses[size, "levels"] = task.figures()
    assert losses[tokens] == pytest.approx(losses[0], abs=1e-5)
    assert losses[tokens, "levels"] == pytest.approx(losses[0, "levels"], abs=1e-5)
    for name, each in gradients[0].items():
        torch.testing.assert_close(gradients[tokens][name], each, rtol=1e-3, atol=1e-5)


def test_a_cut_batch_is_looked_at_only_where_annotation_does_not_say_its_candidates() -> None:
    task = finding_words(parts())
    rows = Counted(task.network.words.pooler)
    for sampling, looked in (("gold", 0), ("predicted", 13)):
        loss_of(task, value_of(FIRST, SECOND, BARE, sampling=sampling), tokens=1)
        assert sum(rows.rows) == 13 + looked and task.network.training
        rows.rows.clear()


def test_a_cut_batch_in_mixed_precision_reaches_every_part() -> None:
    """What autocast keeps of the first look, which has no gradients, must not stand in for weights."""
    task = finding_words(parts())
    value = value_of(FIRST, SECOND, sampling="predicted")
    step({"joint": task}, {"sentences": value}, tokens=1, autocast=lambda: torch.autocast("cpu", torch.bfloat16))
    assert not [name for name, each in task.named_parameters() if each.grad is None]


@pytest.mark.parametrize("sampling", ["gold", "predicted"])
def test_cached_steps_give_the_plain_gradients(sampling: str) -> None:
    task = task_over(parts(dropout=0.1), dropout=0.1).train()
    check_step({"joint": task}, {"sentences": value_of(FIRST, SECOND, BARE, sampling=sampling)}, tokens=16)


def test_every_part_learns_and_a_sentence_without_entities_has_a_loss() -> None:
    there = parts()
    task = task_over(there)
    step({"joint": task}, {"sentences": value_of(FIRST, SECOND)})
    assert not [name for name, each in task.named_parameters() if each.grad is None]
    assert loss_of(task, value_of(BARE)) > 0


@torch.no_grad()
def test_mixed_precision() -> None:
    task = task_over(parts()).eval()
    value = value_of(FIRST, SECOND, BARE)
    half = step({"joint": task}, {"sentences": value}, backward=False, autocast=lambda: torch.autocast("cpu", torch.bfloat16)).loss
    assert half == pytest.approx(loss_of(task, value), rel=0.05)


# ---- tags ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "letters, spans",
    [("BEUOIEOBBO", [(0, 2), (2, 3), (4, 6), (7, 8), (8, 9)]), ("IIE", [(0, 3)]), ("BOE", [(0, 1), (2, 3)])],
)
def test_pspe_fact_12_the_tasks_tags_stand_for_spans(letters: str, spans: List[Tuple[int, int]]) -> None:
    text = Text(("word",) * len(letters))
    hand = AtHand.of(torch.arange(len(letters)), [0], word_views(text), lambda tower, views: torch.zeros(0))
    best = functional.one_hot(torch.tensor(["BIEOU".index(letter) for letter in letters]), 5)
    assert task_over(parts()).network.tagged(hand, best) == [spans]


# ---- candidates ------------------------------------------------------------------------------------------------------------


class Counted:
    """How many rows pass through a module."""

    def __init__(self, module: torch.nn.Module):
        self.rows: List[int] = []
        module.register_forward_hook(lambda _, given, out: self.rows.append(len(out)))


def set_bias(layer: Any, number: int) -> None:
    """The layer gives this class, whatever it reads."""
    with torch.no_grad():
        layer.weight.zero_()
        layer.bias.zero_()
        layer.bias[number] = 10.0


@pytest.mark.parametrize(
    "gold_tags, gold_entities, kind, spans, pairs",
    [
        (True, True, 0, 3, 3),
        (False, True, 0, 7, 3),
        (False, False, 0, 7, 1),
        (False, False, 1, 7, 20),
        (True, False, 1, 3, 3),
    ],
)
def test_candidates(gold_tags: bool, gold_entities: bool, kind: int, spans: int, pairs: int) -> None:
    """Every word is tagged as a span; all spans are of one type, or none. Annotated spans and related pairs are always there. Of the seven
    spans two begin together."""
    task = task_over(parts())
    set_bias(task.network.words.head[-1], "BIEOU".index("U"))
    set_bias(task.network.typing, kind)
    typed, related = Counted(task.network.typing), Counted(task.network.relating)
    value = replace(value_of(FIRST), gold_tags=[gold_tags], gold_entities=[gold_entities])
    loss_of(task, value)
    assert typed.rows == [spans] and related.rows == [pairs]


def test_without_complete_annotation_pairs_that_nobody_labelled_are_no_candidates() -> None:
    text = sentence(
        "some",
        "abirol blocks beta kinase in cells",
        [(0, 1, "Drug"), (2, 4, "Protein"), (5, 6, "Place")],
        [(1, 0, "binds"), (0, 2, "none")],
    )
    task, loss = task_over(parts()), {}
    related = Counted(task.network.relating)
    for complete in (True, False):
        (batch,) = resolve({"@samplers": "pspe.JointSentences.v1"}, "[sampler]").batches(
            Split("train", [text], [], LABELS, complete_annotation=complete), Draw(0, torch.Generator().manual_seed(0))
        )
        loss[complete] = loss_of(task, batch["sentences"])
    assert related.rows == [3, 2] and loss[True] != loss[False]


@pytest.mark.parametrize("complete", [True, False])
@pytest.mark.parametrize("ignored", [(0, 2), (2, 0)])
def test_pairs_that_are_to_be_ignored_are_no_candidates(ignored: Tuple[int, int], complete: bool) -> None:
    """Neither as related nor as unrelated, in either direction, whether entities are annotated or found; a related pair stays one."""
    facts = (*FIRST.relations, Relation(0, 2, "none"), Relation(1, 2, "none"))
    told = replace(FIRST, relations=facts, metadata={"ignored": [list(ignored), [0, 1]]})
    task = task_over(parts())
    set_bias(task.network.typing, 1)
    related = Counted(task.network.relating)
    for gold in (True, False):
        value = replace(value_of(told), gold_tags=[True], gold_entities=[gold], complete=complete)
        loss_of(task, value)
        loss_of(task, replace(value, documents=[replace(told, metadata={})]))
    assert related.rows == [2, 3, 2, 3]


def test_nested_entities_are_candidates_where_they_are_kept() -> None:
    nested = sentence("nested", "beta kinase TORN1", [(0, 2, "Protein"), (1, 2, "Drug"), (2, 3, "Drug")], [(0, 1, "binds")])
    task = task_over(parts())
    typed, related = Counted(task.network.typing), Counted(task.network.relating)
    assert loss_of(task, value_of(nested, overlapping="keep")) > 0
    assert typed.rows == [3] and related.rows == [3]


@torch.no_grad()
def test_each_context_is_encoded_once() -> None:
    """Three pairs of three spans have nine contexts, of which some are the same: L and R of each span, and what is empty."""
    task = task_over(parts()).eval()
    encoded = Counted(task.network.contexts.pooler)
    loss_of(task, value_of(FIRST))
    # before: nothing, "abirol blocks"; between: "blocks", "in", "blocks ... in"; behind: "in cells", nothing
    assert encoded.rows == [6]


# ---- what is shared ----------------------------------------------------------------------------------------------------------


def test_the_context_encoder_is_a_copy_a_new_one_or_the_same() -> None:
    there = parts()
    span = there.poolers["spans"].span  # type: ignore[union-attr]
    copy, fresh, shared = (task_over(there, context=kind).network.contexts.pooler.pooler for kind in ("copy", "fresh", "shared"))
    assert shared is span and copy is not span and fresh is not span
    mine, theirs, new = (each.state_dict() for each in (span, copy, fresh))
    assert all(mine[name].equal(theirs[name]) for name in mine) and mine.keys() == new.keys()
    assert not mine["convolutions.0.weight"].equal(new["convolutions.0.weight"])
    assert {name: value.shape for name, value in mine.items()} == {name: value.shape for name, value in new.items()}


@torch.no_grad()
def test_an_empty_context_as_the_released_code_reads_it() -> None:
    """All of these begin with the same weights."""
    there = parts()
    usual = loss_of(task_over(there), value_of(FIRST))
    assert usual == pytest.approx(loss_of(task_over(parts(), context="shared"), value_of(FIRST)))
    assert usual != pytest.approx(loss_of(task_over(parts(), empty="zero"), value_of(FIRST)))
    assert there.poolers["spans"].span.empty == "cnn"  # type: ignore[union-attr]
    with pytest.raises(RelconError, match='empty = "cnn", and cannot have empty = "zero"'):
        task_over(there, context="shared", empty="zero")
    task_over(parts(empty="zero"), context="shared", empty="zero")


@torch.no_grad()
def test_the_sentence_vector_is_the_poolers() -> None:
    """The classes of pairs depend on h_cls as the pooler says it."""
    first, pooled = (parts(vector=vector) for vector in ("first", "pooler"))
    vector = [vectors(task_over(each).network.sentences, Text(FIRST.words), ((WHOLE,),)) for each in (first, pooled)]
    assert not vector[0].allclose(vector[1])


# ---- mistakes --------------------------------------------------------------------------------------------------------------


def test_a_type_that_nobody_named() -> None:
    wrong = sentence("strange", "one", [(0, 1, "Protien")])
    task = task_over(parts())
    message = "Document 'strange' has an entity of the type 'Protien', which `types` does not name. Did you mean 'Protein'?"
    with pytest.raises(RelconError) as early:
        task.check(Split("train", [FIRST, wrong], [], LABELS))
    with pytest.raises(RelconError) as late:
        loss_of(task, value_of(wrong))
    assert message in str(early.value) and message in str(late.value)
    task.check(Split("train", [FIRST, SECOND, BARE], [], LABELS))


def test_parts_that_are_not_there() -> None:
    there = parts()
    with pytest.raises(RelconError, match=r"encoder = 'texts': the stage has no encoder of that name\. Did you mean 'text'"):
        task_over(there, encoder="texts")
    with pytest.raises(RelconError, match=r"pooler = 'span': the stage has no pooler of that name\. Did you mean 'spans'"):
        task_over(there, pooler="span")
    there.poolers["mean"] = resolve({"@poolers": "relcon.CLS.v1"}, "[pooler]")
    with pytest.raises(RelconError, match=r"a CLS encodes no span pairs\. Take pspe\.SpanPair\.v1"):
        task_over(there, pooler="mean")
    with pytest.raises(RelconError, match="state = 32"):
        task_over(parts(state=48))


def test_another_samplers_value() -> None:
    with pytest.raises(RelconError, match=r"let pspe\.JointSentences\.v1 feed it"):
        value = value_of(FIRST)
        loss_of(task_over(parts()), Labelled(value.views, value.labels))


@pytest.mark.parametrize(
    "wrong", [{"types": []}, {"types": ["A", "A"]}, {"scheme": "IOB"}, {"context": "own"}, {"head": [0]}, {"dropout": 1.0}, {"empty": "no"}]
)
def test_arguments_out_of_range(wrong: dict) -> None:
    with pytest.raises((RelconError, ValueError), match=next(iter(wrong))):
        task_over(parts(), **wrong)
