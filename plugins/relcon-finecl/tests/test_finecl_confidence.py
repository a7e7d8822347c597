"""WCL: a classifier weighs distant labels, and what it says weighs the contrast of a later stage; all in one run."""

import json
import random

import pytest
import torch
from relcon_finecl.confidence import confidences, tuples

from relcon.config import load_config
from relcon.config.names import stage_mistakes
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.dry_run import dry_run
from relcon.errors import RelconError
from relcon.interfaces import Model, Split
from relcon.pipeline import train
from relcon.testing import tiny_encoder_folder

LABELS = LabelSet.of(["born", "owns"], ["none"])


class Sure(Model):
    """Says what it is told: [N, 3] for none, born, owns."""

    labels = LABELS

    def __init__(self, rows):
        self.rows = torch.tensor(rows)

    def probabilities(self, instances):
        return self.rows[: len(instances)]

    def embed(self, instances):
        raise NotImplementedError


def document(name, *relations):
    made = tuple(Entity((Mention(n, n + 1),)) for n in range(3))
    return Document(name, ("Ann", "Bob", "Cid"), made, tuple(Relation(*each) for each in relations))


DATA = Split("train", [document("a", (0, 1, "born"), (1, 2, "owns")), document("b", (0, 1, "sold"), (1, 0, "none"))], [], LABELS)
ROWS = [[0.5, 0.2, 0.3], [0.1, 0.3, 0.6]]


def test_the_probability_of_the_label_or_the_largest():
    found = confidences(Sure(ROWS), tuples(DATA), by_label=True)
    assert found.weights == {"a#0-1": pytest.approx(0.2), "a#1-2": pytest.approx(0.6), "b#0-1": pytest.approx(0.4)}
    assert found.unknown == {"sold": 1} and found.mean == pytest.approx(0.4)
    assert confidences(Sure(ROWS), tuples(DATA), by_label=False).weights["a#0-1"] == pytest.approx(0.5)


def test_a_classifier_that_knows_none_of_the_labels_is_refused():
    strange = Split("train", [document("a", (0, 1, "sold"))], [], LABELS)
    with pytest.raises(RelconError, match=r"knows none of the 1 relations of the data \(the first is 'sold'\)"):
        confidences(Sure(ROWS), tuples(strange), by_label=True)


# ---- a run ---------------------------------------------------------------------------------------------------------------

FRAMES = {"born": "{0} was born in {1} .", "owns": "{0} owns all of {1} .", "sold": "{0} sold his part of {1} ."}


def record(number, labels):
    """An invented document of three sentences, each with a pair of its own."""
    draw = random.Random(number)
    words, sentences, entities, relations = [], [], [], []
    for _ in range(3):
        label, start = draw.choice(labels), len(words)
        for word in FRAMES[label].split():
            if word[0] == "{":
                entities.append({"mentions": [{"words": [len(words), len(words) + 1]}]})
                word = draw.choice(["Ann", "Bob", "Cid"] if word == "{0}" else ["Rome", "Oslo", "Lima"])
            words.append(word)
        sentences.append([start, len(words)])
        relations.append({"head": len(entities) - 2, "tail": len(entities) - 1, "label": label})
    return {"id": f"d{number}", "words": words, "sentences": {"words": sentences}, "entities": entities, "relations": relations}


CONFIG = """
[paths]
gold = null
distant = null
encoder = null

[training]
seed = 1
micro_batch_tokens = 512

[data]
@corpora = "relcon.Corpus.v1"
train = ${paths.gold}
[data.reader]
@readers = "relcon.JSONLines.v1"
[data.candidates]
@candidates = "relcon.AnnotatedPairs.v1"

[stages.gold]
@stages = "relcon.Finetune.v1"
classifier = "relation"
[stages.gold.encoders.text]
@encoders = "relcon.Transformer.v1"
path = ${paths.encoder}
[stages.gold.poolers.pair]
@poolers = "relcon.SpanPool.v1"
[stages.gold.streams.train]
@samplers = "relcon.Instances.v1"
[stages.gold.streams.train.renderer]
@renderers = "relcon.Plain.v1"
[stages.gold.tasks.relation]
@tasks = "relcon.Classification.v1"
stream = "train"
[stages.gold.tasks.relation.tower]
@towers = "relcon.Tower.v1"
encoder = "text"
pooler = "pair"

[stages.confidence]
@stages = "finecl.Confidence.v1"
model = "gold"
[stages.confidence.data]
@corpora = "relcon.Corpus.v1"
train = ${paths.distant}
[stages.confidence.data.reader]
@readers = "relcon.JSONLines.v1"
[stages.confidence.data.candidates]
@candidates = "relcon.AnnotatedPairs.v1"

[stages.contrast]
@stages = "relcon.Pretrain.v1"
data = ${stages.confidence.data}
[stages.contrast.encoders.text]
@encoders = "relcon.Transformer.v1"
path = ${paths.encoder}
[stages.contrast.poolers.pair]
@poolers = "relcon.SpanPool.v1"
[stages.contrast.poolers.entity]
@poolers = "relcon.SpanPool.v1"
slots = 1
[stages.contrast.streams.relations]
@samplers = "relcon.MaskedPieces.v1"
[stages.contrast.streams.relations.sampler]
@samplers = "finecl.RelationPairs.v1"
batch_size = 4
half = "first"
weighting = "confidence"
confidence = "confidence"
[stages.contrast.streams.relations.sampler.renderer]
@renderers = "relcon.Plain.v1"
[stages.contrast.streams.entities]
@samplers = "relcon.MaskedPieces.v1"
[stages.contrast.streams.entities.sampler]
@samplers = "finecl.EntityTails.v1"
batch_size = 4
half = "second"
[stages.contrast.tasks.relations]
@tasks = "relcon.Contrastive.v1"
stream = "relations"
[stages.contrast.tasks.relations.anchors]
@towers = "relcon.Tower.v1"
encoder = "text"
pooler = "pair"
[stages.contrast.tasks.relations.objective]
@objectives = "relcon.InfoNCE.v1"
temperature = 0.05
denominator = "own"
[stages.contrast.tasks.entities]
@tasks = "relcon.Contrastive.v1"
stream = "entities"
[stages.contrast.tasks.entities.anchors]
@towers = "relcon.Tower.v1"
encoder = "text"
pooler = "entity"
[stages.contrast.tasks.entities.objective]
@objectives = "relcon.InfoNCE.v1"
temperature = 0.05
[stages.contrast.tasks.words]
@tasks = "relcon.MaskedLanguageModel.v1"
stream = "relations"
encoder = "text"
[stages.contrast.tasks.other_words]
@tasks = "relcon.MaskedLanguageModel.v1"
stream = "entities"
encoder = "text"
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wcl")
    for name, labels, numbers in (("gold", ["born", "owns"], range(8)), ("distant", list(FRAMES), range(100, 116))):
        lines = [json.dumps(record(number, labels)) for number in numbers]
        (folder / f"{name}.jsonl").write_text("\n".join(lines), encoding="utf-8")
    (folder / "run.cfg").write_text(CONFIG, encoding="utf-8")
    encoder = tiny_encoder_folder(folder / "bert", words=["ann", "bob", "cid", "rome", "oslo", "lima", "was", "born", "owns"])
    paths = {"gold": folder / "gold.jsonl", "distant": folder / "distant.jsonl", "encoder": encoder}
    return load_config(folder / "run.cfg", [word for name, path in paths.items() for word in (f"--paths.{name}", str(path))])


def test_confidences_of_one_stage_weigh_the_contrast_of_a_later_one(loaded, tmp_path):
    (figures,) = train(loaded, tmp_path / "run").figures.values()
    assert figures["confidence"]["instances"] == 48 and 0 < figures["confidence"]["mean"] < 1
    stage = tmp_path / "run/stages/confidence"
    weights, manifest = (json.loads((stage / name).read_text()) for name in ("confidence.json", "manifest.json"))
    assert len(weights) == 48 and all(0 <= weight <= 1 for weight in weights.values())
    assert manifest["unknown"] == {"sold": figures["confidence"]["unknown"]} and manifest["unknown"]["sold"] > 0
    assert manifest["mean"] == pytest.approx(figures["confidence"]["mean"])
    steps = [json.loads(line) for line in (tmp_path / "run/log.jsonl").read_text().splitlines()]
    steps = [each for each in steps if each.get("stage") == "contrast" and each["event"] == "step"]
    assert figures["contrast"]["steps"] == 2 == steps[-1]["step"]
    assert set(steps[-1]["parts"]) == {"relations", "entities", "words", "other_words"}


def test_a_dry_run_walks_through_all_of_it(loaded):
    plan = dry_run(loaded)
    assert plan.stages["confidence"].instances == 48 and plan.stages["contrast"].steps == 2


def test_relcon_check_finds_a_stage_that_is_not_there(loaded):
    stages = json.loads(json.dumps(loaded.tree["stages"]))
    assert list(stage_mistakes(stages)) == []
    stages["contrast"]["streams"]["relations"]["sampler"]["confidence"] = "confidense"
    ((keys, message),) = stage_mistakes(stages)
    assert keys == ("stages", "contrast", "streams", "relations", "sampler", "confidence")
    assert message == "'confidense' is no earlier stage, which could hand something on. Did you mean 'confidence'?"
