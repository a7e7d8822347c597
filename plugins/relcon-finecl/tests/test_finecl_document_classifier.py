"""The document-level classifier: pooling, distances, loss, sizes; and the sizes of its subsets and the ends of its schedules."""

from typing import Dict, List, Sequence, Tuple

import pytest
import torch
from torch import Tensor, nn

from relcon.config import resolve
from relcon.contrast import Encoded, Labelled, Span, Spans, Text, View
from relcon.data.corpus import PartCorpus
from relcon.data.document import Document, Entity, Instance, Mention
from relcon.data.labels import LabelSet
from relcon.encoding import step
from relcon.errors import RelconError
from relcon.interfaces import Parts, Recorder, Split, Tower, TowerPlan
from relcon.testing import check_pooler, tiny_encoder

POOLER = {"@poolers": "finecl.PairWithDistance.v1"}
PAIR = {"@towers": "finecl.BilinearTower.v1", "encoder": "text", "pooler": "pair"}
RELATIONS = LabelSet(("Na", "r1", "r2"), frozenset({"Na"}))


def spans(*units: Sequence[Sequence[Tuple[int, int]]]) -> Spans:
    """Units of two slots with position spans, all in row 0."""
    flat = [(start, end, 2 * unit + slot) for unit, slots in enumerate(units) for slot, found in enumerate(slots) for start, end in found]
    start, end, slot = torch.tensor(flat).T
    home = torch.zeros(len(units), dtype=torch.long)
    return Spans(torch.zeros_like(start), start, end, slot, len(units), 2, home == 0, home)


def encoded(states: Tensor) -> Encoded:
    return Encoded(states[None], torch.ones(1, len(states), dtype=torch.bool))


# ---- pooling -------------------------------------------------------------------------------------------------------------

STATES = torch.tensor([[0.0, 0], [1, 2], [3, 4], [5, -2], [2, 0], [4, 6], [0, 1]])
ZERO, ONE = [(1, 3), (4, 5)], [(5, 7)]


def test_finecl_a02_pooling() -> None:
    pooler = resolve({"@poolers": "relcon.SpanPool.v1", "inside": "mean", "slots": 2}, "[pooler]")
    there, back = pooler(encoded(STATES), spans([ZERO, ONE], [ONE, ZERO]))
    assert there.tolist() == [2, 1.5, 2, 3.5] and back.tolist() == [2, 3.5, 2, 1.5]
    assert float(torch.cosine_similarity(there, back, dim=0)) == pytest.approx(0.822222, abs=5e-7)


def test_finecl_a02_entity_vectors_of_the_classifier() -> None:
    """The linear layer set to the identity; every distance embedding 7 but that of distance 0."""
    pooler = resolve({**POOLER, "state": 2, "size": 2, "distance": 1}, "[pooler]")
    with torch.no_grad():
        pooler.linear.weight.copy_(torch.eye(2))
        pooler.linear.bias.zero_()
        pooler.distances.weight.copy_(torch.arange(20.0)[:, None])
    there, back = pooler(encoded(STATES), spans([ZERO, ONE], [ONE, ZERO]))
    assert there.tolist() == [2, 1.5, 7, 2, 3.5, 13] and back.tolist() == [2, 3.5, 13, 2, 1.5, 7], "first positions 1 and 5: bucket 3"


# ---- distances -----------------------------------------------------------------------------------------------------------

ROWS: Dict[int, Tuple[int, int]] = {
    0: (10, 10), 1: (11, 9), 3: (12, 8), 4: (13, 7), -7: (7, 13), 100: (17, 3), -255: (2, 18), 256: (19, 1)
}  # fmt: skip


def test_finecl_a12_distance_rows() -> None:
    pooler = resolve({**POOLER, "state": 2, "size": 2, "distance": 1}, "[pooler]")
    with torch.no_grad():
        pooler.distances.weight.copy_(torch.arange(20.0)[:, None])
    units = [[[(300 + delta, 301 + delta), (10, 11)], [(300, 302), (1, 2)]] for delta in ROWS]
    found = pooler(encoded(torch.zeros(600, 2)), spans(*units))[:, [2, 5]]
    assert found.tolist() == [list(rows) for rows in ROWS.values()], "between the first mentions, not the nearest ones"


def test_finecl_a12_distance_zero_is_zero_and_stays_so() -> None:
    pooler = resolve({**POOLER, "state": 2}, "[pooler]")
    assert not bool(pooler.distances.weight[10].any()) and bool(pooler.distances.weight[[0, 9, 11, 19]].any(1).all())
    vectors = pooler(encoded(torch.ones(9, 2)), spans([[(3, 4)], [(3, 5)]], [[(3, 4)], [(4, 5)]]))
    assert not bool(vectors[0, [*range(128, 148), *range(276, 296)]].any())
    vectors.sum().backward()
    touched = pooler.distances.weight.grad.any(1).nonzero().flatten().tolist()
    assert touched == [9, 11]


class Wide(nn.Module):
    """What a tower asks of an encoder."""

    width = 768

    def __init__(self) -> None:
        super().__init__()
        self.any = nn.Linear(1, 1)


def test_finecl_a12_parameters() -> None:
    pooler = resolve({**POOLER, "state": 768}, "[pooler]")
    labels = LabelSet(tuple(f"r{number}" for number in range(97)))
    tower = resolve(PAIR, "[tower]").build(Parts({"text": Wide()}, {"pair": pooler}, labels), out=97)  # type: ignore[dict-item]
    sizes = [sum(parameter.numel() for parameter in module.parameters()) for module in (pooler.linear, pooler.distances, tower.head)]
    assert sizes == [98_432, 400, 2_124_785] and pooler.width(768) == 2 * 148


def test_the_bilinear_layer_has_a_matrix_and_a_bias_per_class() -> None:
    tower = resolve(PAIR, "[tower]").build(Parts({"text": Wide()}, {"pair": resolve({**POOLER}, "p")}, RELATIONS), out=3)  # type: ignore[dict-item]
    vectors = torch.randn(4, 296)
    head, tail = vectors[:, :148], vectors[:, 148:]
    weight, bias = tower.head.bilinear.weight, tower.head.bilinear.bias  # type: ignore[union-attr]
    torch.testing.assert_close(tower.head(vectors), torch.einsum("ni,cij,nj->nc", head, weight, tail) + bias, rtol=1e-4, atol=1e-5)  # type: ignore[misc]


def test_pooler_contract() -> None:
    check_pooler(resolve({**POOLER, "state": 8, "size": 4, "distance": 3}, "[pooler]"), slots=2)


def test_mistakes_of_the_classifier_are_named() -> None:
    parts = Parts({"text": tiny_encoder()}, {"pair": resolve(POOLER, "p"), "cls": resolve({"@poolers": "relcon.CLS.v1"}, "p")}, RELATIONS)
    for block, out, message in (
        (PAIR, 3, r"has state = 768, but the encoder's states are 32 wide\. Write state = 32"),
        ({**PAIR, "pooler": "pairs"}, 3, "pooler 'pairs'.*Did you mean 'pair'"),
        ({**PAIR, "pooler": "cls"}, None, "for a classification task"),
    ):
        with pytest.raises(RelconError, match=message):
            resolve(block, "[tower]").build(parts, out)


# ---- the loss ------------------------------------------------------------------------------------------------------------

LOGITS = torch.tensor([[2, -1, 0.5], [-0.5, 1.5, 0], [0, 0, 0]])


@TowerPlan.register("testfinecl.Given.v1")
class Given(TowerPlan):
    """A tower that gives the logits above, in the order of the texts of one micro-batch."""

    def build(self, parts: Parts, out: "int | None" = None) -> Tower:
        class Table(Tower):
            def pool(self, encoded: Encoded, spans: Spans) -> Tensor:
                return LOGITS[: spans.units].clone().requires_grad_()

        return Table(parts.encoders["text"], parts.poolers["pair"])


class Learned(Recorder):
    """Whose label had the largest logit."""

    def __init__(self) -> None:
        super().__init__()
        self.uids: List[str] = []

    def forward(self, uids: Sequence[str], logits: Tensor, labels: Tensor) -> None:
        right = (logits.argmax(1) == labels).tolist()
        self.uids += [uid for uid, learned in zip(uids, right, strict=True) if learned]


@pytest.mark.parametrize(("name", "loss"), [("MultiLabelClassification", 0.713817), ("Classification", 1.023834)])
def test_finecl_a11_loss_of_stage_1(name: str, loss: float) -> None:
    """The third pair is one that cropping took: its tail lies behind the encoder's limit."""
    parts = Parts({"text": tiny_encoder(max_length=10)}, {"pair": resolve({"@poolers": "relcon.SpanPool.v1"}, "p")}, RELATIONS)
    task = resolve({"@tasks": f"relcon.{name}.v1", "stream": "train", "reads": "pairs", "tower": {"@towers": "testfinecl.Given.v1"}}, "[t]")
    task.build(parts)
    task.recorders.append(Learned())
    words = [("a", "b"), ("a", "c"), ("a",) * 30]
    views = [View(Text(each), ((Span(0, 1),), (Span(len(each) - 1, len(each)),))) for each in words]
    targets = torch.tensor([[0.0, 0, 1], [0, 1, 0], [0, 0, 0]])
    value = Labelled(views, torch.tensor([2, 1, 0]), {"targets": targets}, ["first", "second", "lost"])
    result = step({"relation": task}, {"pairs": value})
    assert result.lost == 1 and result.loss == pytest.approx(loss, abs=5e-7)
    assert task.recorders[0].uids == ["second"]


# ---- subsets and schedules -----------------------------------------------------------------------------------------------


def corpus(counts: Dict[str, int]) -> PartCorpus:
    """So many documents with one pair of each label."""
    documents, instances = [], []
    for label in counts:
        for number in range(counts[label]):
            document = Document(f"{label}{number}", ("a", "b"), (Entity((Mention(0, 1),)), Entity((Mention(1, 2),))))
            documents.append(document)
            instances.append(Instance(document, 0, 1, label, document.id))
    return PartCorpus({"train": Split("train", documents, instances, LabelSet(tuple(counts)))})


def share_of(counts: Dict[str, int], **arguments: "float | str") -> Split:
    protocol = resolve({"@protocols": "relcon.Share.v1", "seeds": [1], "draw": "exact", **arguments}, "[protocol]")
    ((_, part, _),) = protocol.runs(corpus(counts), 0)
    return part.split("train")  # type: ignore[no-any-return]


def test_finecl_a15_stratified_sizes() -> None:
    counts = {"one": 1, "hundred": 100, "more": 101, "many": 1146}
    labels = [each.label for each in share_of(counts, share=0.01).instances]
    assert [labels.count(name) for name in counts] == [1, 1, 2, 12]


@pytest.mark.parametrize(("share", "size"), [(0.01, 30), (0.1, 305)])
def test_finecl_a15_document_sizes(share: float, size: int) -> None:
    assert len(share_of({"any": 3053}, share=share, by="document").documents) == size


@pytest.mark.parametrize(("horizon", "step", "rate"), [(97_500, 6_000, 2.829897e-5), (6_000, 3_000, 1.636364e-5), (6_000, 6_000, 0)])
def test_finecl_a15_schedule(horizon: int, step: int, rate: float) -> None:
    schedule = resolve({"@schedules": "relcon.LinearWarmup.v1", "warm_steps": 500, "horizon": horizon}, "[schedule]")
    assert 3e-5 * schedule.factor(step, 6_000) == pytest.approx(rate, abs=5e-12)
