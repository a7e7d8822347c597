"""Saved models: what is written is what is loaded, and pairs that the encoder cannot see are no relation."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Optional

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoTokenizer, BertConfig, BertForMaskedLM

from relcon.config import resolve
from relcon.contrast import Encoded, Spans, Text
from relcon.data.document import Document, Entity, Mention
from relcon.data.labels import LabelSet
from relcon.encoders.transformer import Transformer
from relcon.errors import RelconError
from relcon.interfaces import Parts, Pooler, Split
from relcon.model import MultiLabelModel, SavedModel, Trained
from relcon.poolers.sentence import CLS
from relcon.testing import tiny_encoder, tiny_encoder_folder, tiny_instances, tiny_split

RENDERER = {"@renderers": "relcon.EntityMarkers.v1", "unit": "markers"}
TOWER = {"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "pair", "head": [8]}
TASKS = {
    "relation": {"@tasks": "relcon.Classification.v1", "stream": "train", "tower": TOWER},
    "masked": {"@tasks": "relcon.MaskedLanguageModel.v1", "stream": "train", "encoder": "text"},
}
STATES = ("0.weight", "0.bias", "2.weight", "2.bias")
POOLERS = {"pair": {"@poolers": "relcon.SpanPool.v1", "inside": "first"}}


def trained(labels: LabelSet, max_length: int = 64) -> Trained:
    torch.manual_seed(1)
    encoder = tiny_encoder(max_length=max_length)
    renderer = resolve(RENDERER, "renderer")
    encoder.add_tokens(renderer.special_tokens)
    parts = Parts({"text": encoder}, {name: resolve(block, name) for name, block in POOLERS.items()}, labels)
    tasks = {name: resolve(block, name) for name, block in TASKS.items()}
    for task in tasks.values():
        task.build(parts)
    blocks = {"poolers": POOLERS, "tasks": TASKS, "renderer": RENDERER}
    return Trained(parts, tasks, blocks, renderer.special_tokens, "relation", renderer)


def test_a_loaded_model_predicts_what_the_saved_one_did(tmp_path: Path) -> None:
    made = trained(tiny_split().labels)
    made.save(tmp_path / "model")
    loaded = SavedModel(tmp_path / "model").load()
    instances = tiny_instances()
    assert loaded.labels == made.parts.labels
    assert torch.allclose(loaded.probabilities(instances), made.model().probabilities(instances), atol=1e-6)
    assert torch.allclose(loaded.embed(instances), made.model().embed(instances), atol=1e-6)
    assert not torch.allclose(loaded.probabilities(instances)[0], loaded.probabilities(instances)[1], atol=1e-6)


def test_the_encoder_loads_without_relcon_and_weights_are_written_once(tmp_path: Path) -> None:
    made = trained(tiny_split().labels)
    made.save(tmp_path / "model")
    assert AutoTokenizer.from_pretrained(tmp_path / "model" / "text").convert_tokens_to_ids("[E1]") > 0
    model = AutoModel.from_pretrained(tmp_path / "model" / "text")
    assert torch.equal(model.get_input_embeddings().weight, made.parts.encoders["text"].model.get_input_embeddings().weight)
    heads = made.heads()
    assert all("embeddings" not in name and "encoder" not in name.split(".", 2)[2] for name in heads)
    assert any(name.startswith("tasks.relation.") for name in heads) and any(name.startswith("heads.text.") for name in heads)
    assert not any(name.startswith("tasks.masked.") for name in heads), "the head goes with its encoder"


def test_a_head_over_word_pieces_opens_with_its_task_also_from_older_models(tmp_path: Path) -> None:
    made = trained(tiny_split().labels)
    with torch.no_grad():
        made.parts.heads["text"].bias.normal_()
    made.save(tmp_path / "model")
    saved = SavedModel(tmp_path / "model")
    head, known = saved.head("text"), made.parts.heads["text"].state_dict()
    assert head is not None and all(torch.equal(known[name], tensor) for name, tensor in head.state_dict().items())
    assert saved.head("other") is None
    older = tmp_path / "older"
    shutil.copytree(tmp_path / "model", older)
    state = load_file(older / "parts.safetensors")
    names = {"heads.text.bias": "tasks.masked.bias", **{f"heads.text.states.{key}": f"tasks.masked.tower.head.{key}" for key in STATES}}
    save_file({names.get(name, name): tensor for name, tensor in state.items()}, older / "parts.safetensors")
    about = json.loads((older / "model.json").read_text())
    del about["heads"]
    (older / "model.json").write_text(json.dumps(about))
    assert SavedModel(older).head("text") is None and SavedModel(older).predicts
    for folder in (tmp_path / "model", older):
        task = SavedModel(folder).task("masked")
        assert torch.equal(task.bias, known["bias"])
        assert torch.equal(task.tower.head[0].weight, known["states.0.weight"])  # type: ignore[attr-defined]
    assert torch.equal(SavedModel(older).load().probabilities(tiny_instances()), saved.load().probabilities(tiny_instances()))


def test_a_model_that_started_from_a_checkpoints_head_opens_without_the_checkpoint(tmp_path: Path) -> None:
    tiny_encoder_folder(tmp_path / "bert")
    BertForMaskedLM(BertConfig.from_pretrained(tmp_path / "bert")).save_pretrained(tmp_path / "bert")
    block = {**TASKS["masked"], "head": "checkpoint"}
    parts = Parts({"text": Transformer(str(tmp_path / "bert"))}, {}, tiny_split().labels)
    task = resolve(block, "masked")
    task.build(parts)
    Trained(parts, {"masked": task}, {"poolers": {}, "tasks": {"masked": block}}).save(tmp_path / "model")
    shutil.rmtree(tmp_path / "bert")
    loaded = SavedModel(tmp_path / "model").task("masked")
    assert torch.equal(loaded.bias, task.bias) and torch.equal(loaded.tower.head[2].weight, task.tower.head[2].weight)  # type: ignore[attr-defined]


@Pooler.register("testmodel.Scaled.v1")
class Scaled(CLS):
    """The first position, scaled by a learnt number."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(1))

    def forward(self, encoded: Encoded, spans: Spans) -> torch.Tensor:
        """Vectors [U, D]."""
        return self.scale * super().forward(encoded, spans)


def test_momentum_copies_are_saved_once_and_load_like_other_parts(tmp_path: Path) -> None:
    block = {
        "@tasks": "relcon.Contrastive.v1",
        "stream": "views",
        "anchors": {**TOWER, "pooler": "first"},
        "candidates": {"@towers": "relcon.Momentum.v1"},
        "adjusters": {"queue": {"@adjusters": "relcon.Queue.v1", "size": 3}},
        "objective": {"@objectives": "relcon.NTXent.v1"},
    }
    poolers = {"first": {"@poolers": "testmodel.Scaled.v1"}}
    parts = Parts({"text": tiny_encoder()}, {"first": Scaled()}, tiny_split().labels)
    task = resolve(block, "contrast")
    task.build(parts)
    blocks = {"poolers": {**poolers, "first_momentum": poolers["first"]}, "tasks": {"contrast": block}}
    made = Trained(parts, {"contrast": task}, blocks)
    with torch.no_grad():
        for number, parameter in enumerate(task.candidate_tower.parameters()):
            parameter.fill_(number)
    made.save(tmp_path / "model")
    head = {f"tasks.contrast.{side}.head.0.{name}" for side in ("tower", "candidate_tower") for name in ("weight", "bias")}
    assert made.heads().keys() == {"poolers.first.scale", "poolers.first_momentum.scale"} | head
    saved = SavedModel(tmp_path / "model")
    for name, loaded in (("text", saved.encoder("text")), ("text_momentum", saved.encoder("text_momentum"))):
        assert all(torch.equal(mine, theirs) for mine, theirs in zip(loaded.parameters(), parts.encoders[name].parameters(), strict=True))
        assert all(parameter.requires_grad for parameter in loaded.parameters())
    assert saved.pooler("first").scale.tolist() == [1]  # type: ignore[attr-defined]
    assert saved.pooler("first_momentum").scale.tolist() == parts.poolers["first_momentum"].scale.tolist() != [1]  # type: ignore[attr-defined]


def test_probabilities_sum_to_one_and_evaluation_leaves_training_mode_alone() -> None:
    made = trained(tiny_split().labels)
    made.modules().train()
    rows = made.model().probabilities(tiny_instances())
    assert rows.shape == (len(tiny_instances()), len(made.parts.labels))
    assert torch.allclose(rows.sum(1), torch.ones(len(rows)))
    assert made.parts.encoders["text"].training
    assert made.model().probabilities([]).shape == (0, len(made.parts.labels))


def test_a_pair_that_does_not_fit_is_no_relation_and_is_counted() -> None:
    labels = tiny_split().labels
    assert labels.negative
    model = trained(labels, max_length=6).model()
    predicted = model.predict(tiny_instances())
    assert model.lost_views > 0
    assert sum(name in labels.negative for name in predicted) >= model.lost_views


def test_vectors_of_pairs_that_do_not_fit_are_counted_too() -> None:
    model, other = (trained(tiny_split().labels, max_length=6).model() for _ in range(2))
    model.predict(tiny_instances())
    other.embed(tiny_instances())
    assert other.lost_views == model.lost_views > 0


def test_without_a_negative_label_a_lost_pair_is_undecided() -> None:
    model = trained(LabelSet(("a", "b", "c")), max_length=6).model()
    rows = model.probabilities(tiny_instances())
    assert model.lost_views > 0
    assert any(torch.allclose(row, torch.full((3,), 1 / 3)) for row in rows)


def test_a_fingerprint_tells_models_apart(tmp_path: Path) -> None:
    made = trained(tiny_split().labels)
    made.save(tmp_path / "a")
    made.save(tmp_path / "b")
    assert SavedModel(tmp_path / "a").fingerprint() == SavedModel(tmp_path / "b").fingerprint()
    with torch.no_grad():
        next(iter(made.tasks["relation"].tower.head.parameters()))[0] += 1  # type: ignore[union-attr]
    made.save(tmp_path / "b")
    assert SavedModel(tmp_path / "a").fingerprint() != SavedModel(tmp_path / "b").fingerprint()


def test_what_is_no_model_is_said(tmp_path: Path) -> None:
    with pytest.raises(RelconError, match="no relcon model"):
        SavedModel(tmp_path)
    made = trained(tiny_split().labels)
    made.classifier = None
    made.save(tmp_path / "model")
    with pytest.raises(RelconError, match="no relation classifier"):
        SavedModel(tmp_path / "model").load()
    with pytest.raises(RelconError, match=r"no pooler 'pairs'.*Did you mean 'pair'"):
        SavedModel(tmp_path / "model").pooler("pairs")
    about = json.loads((tmp_path / "model" / "model.json").read_text())
    (tmp_path / "model" / "model.json").write_text(json.dumps({**about, "schema": 99}))
    with pytest.raises(RelconError, match="too old"):
        SavedModel(tmp_path / "model")


# ---- several labels ------------------------------------------------------------------------------------------------------


def several(labels: LabelSet, max_length: int = 64, threshold: Optional[float] = None) -> MultiLabelModel:
    """The same model, its logits read as a yes or no per label."""
    made = trained(labels, max_length)
    return MultiLabelModel(made.tasks["relation"].classifier(), resolve(RENDERER, "renderer"), labels, threshold)


def test_scores_of_a_multi_label_model_are_sigmoids_and_its_labels_those_above_the_threshold() -> None:
    labels, instances = tiny_split().labels, tiny_instances()
    chances, scores = trained(labels).model().probabilities(instances), several(labels).probabilities(instances)
    assert torch.allclose(torch.logit(scores).softmax(1), chances, atol=1e-5)
    middle = float(scores[:, 1:].median())
    held = several(labels, threshold=middle).decide(instances)
    wanted = [{name for name, score in zip(labels.names[1:], row[1:].tolist(), strict=True) if score >= middle} for row in scores]
    assert [{name for name, _ in each} for each in held] == wanted and {len(each) for each in wanted} >= {0, 1}
    assert all(each == sorted(each, key=lambda pair: -pair[1]) for each in held) and labels.names[0] == "none"
    assert [len(each) for each in several(labels, threshold=0.0).decide(instances)] == [2] * len(instances)
    assert several(labels).decide([]) == []


def test_the_threshold_itself_is_enough() -> None:
    model, instances = several(tiny_split().labels), tiny_instances()
    model.threshold = float(model.probabilities(instances)[3, 1])
    assert ("activates", model.threshold) in model.decide(instances)[3]


def test_without_a_threshold_one_half_is_taken_and_said_once(caplog: pytest.LogCaptureFixture) -> None:
    model, instances = several(tiny_split().labels), tiny_instances()
    assert model.decide(instances) == several(tiny_split().labels, threshold=0.5).decide(instances)
    model.decide(instances)
    assert caplog.text.count("No threshold was chosen") == 1


def test_a_pair_that_a_multi_label_model_cannot_see_has_only_the_negative_label() -> None:
    model = several(tiny_split().labels, max_length=6, threshold=0.0)
    rows, held = model.probabilities(tiny_instances()), model.decide(tiny_instances())
    assert model.lost_views > 0 and [1.0, 0.0, 0.0] in rows.tolist()
    assert several(LabelSet(("a", "b")), max_length=6).probabilities(tiny_instances()).min() == 0
    assert all(held), "a threshold of 0 is met by a score of 0"


def test_a_single_label_model_decides_for_its_best_label() -> None:
    model, instances = trained(tiny_split().labels).model(), tiny_instances()
    scores, classes = model.probabilities(instances).max(1)
    assert model.decide(instances) == [[(model.labels.names[c], s)] for c, s in zip(classes.tolist(), scores.tolist(), strict=True)]
    assert model.decide([]) == [] and model.threshold is None and not model.multi_label


def test_a_threshold_is_kept_in_model_json_beside_the_same_weights(tmp_path: Path) -> None:
    made = trained(tiny_split().labels)
    blocks = {**made.blocks, "tasks": {**TASKS, "relation": {**TASKS["relation"], "@tasks": "relcon.MultiLabelClassification.v1"}}}
    Trained(made.parts, made.tasks, blocks, made.tokens, "relation", made.renderer, {"stage": "finetune"}).save(tmp_path / "model")
    saved = SavedModel(tmp_path / "model")
    saved.hand_on(tmp_path / "chosen", stage="choice", threshold=0.25)
    chosen = SavedModel(tmp_path / "chosen")
    assert chosen.fingerprint() == saved.fingerprint() and chosen.about == {**saved.about, "stage": "choice", "threshold": 0.25}
    assert isinstance(chosen.load(), MultiLabelModel)
    assert (chosen.load().threshold, SavedModel(tmp_path / "model").load().threshold) == (0.25, None)


# ---- spaces --------------------------------------------------------------------------------------------------------------


def test_the_space_of_relations_has_the_labelled_pairs() -> None:
    model, split = trained(tiny_split().labels).model(), tiny_split(6)
    unlabelled = replace(split.instances[1], label=None)
    points = model.points("relations", replace(split, instances=[split.instances[0], unlabelled, *split.instances[2:]]))
    known = [split.instances[0], *split.instances[2:]]
    assert torch.equal(points.vectors, model.embed(known)) and points.labels == [instance.label for instance in known]
    assert points.names[:2] == ["abirol -> KAP2 (tiny-0)", "duvate -> MELB (tiny-2)"]


def test_the_space_of_entities_has_the_mean_states_of_first_mentions() -> None:
    made = trained(tiny_split().labels)
    points = made.model().points("entities", tiny_split(2))
    assert points.labels == ["CHEMICAL", "PROTEIN"] * 2
    assert points.names == ["abirol (tiny-0)", "KAP2 (tiny-0)", "cenofan acid (tiny-1)", "TORN1 (tiny-1)"]
    for document, vectors in zip(tiny_split(2).documents, points.vectors.split(2), strict=True):
        encoder = made.parts.encoders["text"].eval()
        prepared = encoder.prepare([Text(document.words)])
        with torch.no_grad():
            states = encoder(prepared).states[0]
        for entity, vector in zip(document.entities, vectors, strict=True):
            mention = entity.mentions[0]
            start, end = prepared.where[0, mention.start, 1], prepared.where[0, mention.end - 1, 2]
            assert torch.allclose(vector, states[start:end].mean(0), atol=1e-5)


def test_a_discontinuous_mention_is_the_mean_of_its_fragments() -> None:
    words = ("abirol", "blocks", "KAP2", "receptors")
    entities = (Entity((Mention(0, 3, ((0, 1), (2, 3))),)), Entity((Mention(0, 1),)), Entity((Mention(2, 3),)))
    split = Split("test", [Document("one", words, entities)], [], tiny_split().labels)
    points = trained(split.labels).model().points("entities", split)
    assert points.labels == ["untyped"] * 3 and points.names[0] == "abirol KAP2 (one)"
    assert torch.allclose(points.vectors[0], points.vectors[1:].mean(0), atol=1e-5)
    assert trained(split.labels).model().points("relations", split).vectors.shape == (0, 64)


@pytest.mark.parametrize("space, room", [("relations", 9), ("entities", 6)])
def test_what_was_cropped_away_is_no_point_and_counted(space: str, room: int, caplog: pytest.LogCaptureFixture) -> None:
    whole = trained(tiny_split().labels).model().points(space, tiny_split())
    assert not caplog.records
    points = trained(tiny_split().labels, max_length=room).model().points(space, tiny_split())
    assert 0 < len(points.labels) == len(points.names) == len(points.vectors) < len(whole.labels)
    assert f"{len(whole.labels) - len(points.labels)} of {len(whole.labels)} points are left out" in caplog.text
    assert set(points.names) < set(whole.names) and bool(points.vectors.any(1).all())


def test_an_unknown_space_is_refused_by_name() -> None:
    with pytest.raises(RelconError, match=r"no space 'entity'. Its spaces: 'relations', 'entities'\."):
        trained(tiny_split().labels).model().points("entity", tiny_split())
