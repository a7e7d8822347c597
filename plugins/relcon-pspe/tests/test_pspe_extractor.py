"""A trained joint extractor: it finds what it learnt, document by document, and encodes every sentence once."""

from dataclasses import replace
from pathlib import Path
from typing import Any, List, Sequence, Tuple

import pytest
import torch
from relcon_pspe.extractor import JointExtractor

from relcon.config import resolve
from relcon.data.document import Document, Entity, Instance, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.encoding import step
from relcon.errors import RelconError
from relcon.interfaces import Draw, Parts, Split
from relcon.model import SavedModel, Trained
from relcon.testing import tiny_encoder

LABELS = LabelSet(("none", "binds", "beside"), frozenset({"none"}), frozenset({"beside"}))
TYPES = ["Drug", "Protein"]
POOLER = {"@poolers": "pspe.SpanPair.v1", "state": 32, "channels": 8, "out": 16, "attention": 16, "positions": 4, "dropout": 0.0}
TASK = {"@tasks": "pspe.JointExtraction.v1", "stream": "s", "encoder": "text", "types": TYPES, "head": [16], "dropout": 0.0}


def document(name: str, text: str, spans: Sequence[Tuple[int, int, str]], facts: Sequence[Tuple[int, int, str]] = ()) -> Document:
    entities = tuple(Entity((Mention(start, end),), kind) for start, end, kind in spans)
    return Document(name, tuple(text.split()), entities, tuple(Relation(*fact) for fact in facts))


GOLD = [
    document("a", "abirol blocks beta kinase in cells", [(0, 1, "Drug"), (2, 4, "Protein")], [(0, 1, "binds")]),
    document("b", "KAP2 is raised by abirol", [(0, 1, "Protein"), (4, 5, "Drug")], [(1, 0, "binds")]),
    document("c", "KAP2 and beta kinase rose", [(0, 1, "Protein"), (2, 4, "Protein")], [(0, 1, "beside")]),
    document("d", "The samples were frozen .", []),
    document("e", "abirol rose", [(0, 1, "Drug")]),
    document("f", "rose", []),
]


def whole(*documents: Document) -> Document:
    """The sentences as one document, with the text and what is annotated."""
    words: List[str] = []
    entities: List[Entity] = []
    relations: List[Relation] = []
    bounds = []
    for each in documents:
        start, before = len(words), len(entities)
        words += each.words
        bounds.append((start, len(words)))
        entities += [Entity((Mention(e.mentions[0].start + start, e.mentions[0].end + start),), e.type) for e in each.entities]
        relations += [replace(fact, head=fact.head + before, tail=fact.tail + before) for fact in each.relations]
    return Document("whole", tuple(words), tuple(entities), tuple(relations), tuple(bounds))


def built(max_length: int = 64) -> Trained:
    torch.manual_seed(0)
    encoder = tiny_encoder(dropout=0.0, max_length=max_length)
    blocks = {"poolers": {"spans": POOLER}, "tasks": {"joint": TASK}, "renderer": None}
    parts = Parts({"text": encoder}, {"spans": resolve(POOLER, "[pooler]")}, LABELS)
    task = resolve(TASK, "[task]")
    task.build(parts)
    return Trained(parts, {"joint": task}, blocks, classifier="joint")


@pytest.fixture(scope="module")
def trained() -> Trained:
    """A model that has learnt its few sentences by heart."""
    made = built()
    sampler = resolve({"@samplers": "pspe.JointSentences.v1", "sampling": "predicted"}, "[sampler]")
    optimizer = torch.optim.AdamW(made.modules().parameters(), lr=5e-3)
    made.modules().train()
    for epoch in range(80):
        (batch,) = sampler.batches(Split("train", GOLD, [], LABELS), Draw(epoch, torch.Generator().manual_seed(epoch)))
        step(made.tasks, batch)
        optimizer.step()
        optimizer.zero_grad()
    return made


@pytest.fixture
def model(trained: Trained) -> JointExtractor:
    made = trained.model()
    assert isinstance(made, JointExtractor)
    return made


def shown(document: Document) -> Any:
    """What is said of a document, without scores."""
    entities = [(each.mentions, each.type) for each in document.entities]
    return entities, sorted((each.head, each.tail, each.label) for each in document.relations)


def test_it_finds_what_it_learnt(trained: Trained, model: JointExtractor) -> None:
    bare = [replace(each, entities=(), relations=()) for each in GOLD]
    found = model.extract(bare)
    assert [shown(each) for each in found] == [shown(each) for each in GOLD], "both directions, and sentences without entities"
    scores = [fact.score for each in found for fact in (*each.entities, *each.relations)]
    assert all(score is not None and 0.3 < score <= 1 for score in scores)
    assert trained.tasks["joint"].training, "training goes on as it was"
    assert model.extract(bare) == found and model.lost_views == 0


def test_a_saved_model_finds_the_same(trained: Trained, model: JointExtractor, tmp_path: Path) -> None:
    """The context encoder, which goes its own way, is saved with the heads, and nothing is written twice."""
    trained.save(tmp_path / "model")
    loaded = SavedModel(tmp_path / "model").load()
    assert isinstance(loaded, JointExtractor)
    for known, found in zip(model.extract(GOLD), loaded.extract(GOLD), strict=True):
        assert shown(found) == shown(known)
        assert [each.score for each in found.entities] == pytest.approx([each.score for each in known.entities], abs=1e-5)
    heads = trained.heads()
    assert not any("encoder" in name.split(".")[3] or ".pair." in name or ".network.spans." in name for name in heads)
    assert any(name.startswith("tasks.joint.network.contexts.pooler.") for name in heads)


def test_tags_by_themselves(model: JointExtractor) -> None:
    """The model tags `U O B E O O`; annotated is `U O O U O O`, and a sentence without entities stands beside it."""
    scores = resolve({"@evaluators": "pspe.TagScores.v1"}, "[evaluator]")
    other = replace(GOLD[0], entities=tuple(Entity((Mention(*span),), "Drug") for span in ((0, 1), (3, 4))), relations=())
    found = scores.evaluate(model, Split("test", [other], [], LABELS))
    assert found == pytest.approx(
        {"precision": 1 / 3, "recall": 1 / 2, "f1": 2 / 5, "accuracy": 4 / 6, "words": 6}
        | {"span_precision": 1 / 2, "span_recall": 1 / 2, "span_f1": 1 / 2}
    )
    all_right = scores.evaluate(model, Split("test", [whole(*GOLD)], [], LABELS))
    assert all_right == pytest.approx({**dict.fromkeys(found, 1.0), "words": 24}), "a document is tagged sentence by sentence"


def test_tags_of_words_that_the_encoder_does_not_see_are_outside() -> None:
    model = built(max_length=4).model()
    assert isinstance(model, JointExtractor)
    outside = model.network.scheme.index("O")
    (tags,) = model.tags([("a",) * 30])
    assert len(tags) == 30 and set(tags[10:]) == {outside}


def test_tags_of_what_does_not_tag_or_is_empty_are_refused(model: JointExtractor) -> None:
    scores = resolve({"@evaluators": "pspe.TagScores.v1"}, "[evaluator]")
    with pytest.raises(RelconError, match=r"measures the tags of pspe\.JointExtraction\.v1"):
        scores.evaluate(object(), Split("test", GOLD, [], LABELS))
    with pytest.raises(RelconError, match="no word in the split 'test'"):
        scores.evaluate(model, Split("test", [], [], LABELS))


def test_annotation_is_replaced(model: JointExtractor) -> None:
    wrong = replace(GOLD[4], entities=(Entity((Mention(1, 2),), "Protein"),), metadata={"ignored": [[0, 0]], "document": "e"})
    (found,) = model.extract([wrong])
    assert shown(found) == shown(GOLD[4]) and found.metadata == {"document": "e"}


def test_documents_of_several_sentences(model: JointExtractor) -> None:
    joined = whole(*GOLD)
    (found,) = model.extract([replace(joined, entities=(), relations=())])
    assert shown(found) == shown(joined) and found.sentences == joined.sentences
    alone = model.extract(GOLD)
    scores = [fact.score for each in alone for fact in each.entities]
    assert [fact.score for fact in found.entities] == pytest.approx(scores, abs=1e-5), "a sentence is read by itself"


def test_texts_without_anything(model: JointExtractor) -> None:
    empty = Document("empty", ())
    found = model.extract([empty, GOLD[3], GOLD[5]])
    assert all(not each.entities and not each.relations for each in found) and found[0] == empty
    assert model.extract([]) == []


def test_a_sentence_is_encoded_once(trained: Trained, model: JointExtractor) -> None:
    rows = []
    encoder = trained.parts.encoders["text"]
    hook = encoder.register_forward_hook(lambda _, given, out: rows.append(len(out.mask)))
    model.extract(GOLD)
    hook.remove()
    assert sum(rows) == len(GOLD)


def test_micro_batches_and_chunks_change_nothing(trained: Trained, model: JointExtractor, monkeypatch: pytest.MonkeyPatch) -> None:
    known = model.extract(GOLD)
    monkeypatch.setattr("relcon_pspe.extractor.SENTENCES", 2)
    monkeypatch.setattr("relcon_pspe.extractor.PAIRS", 1)
    model.tokens = 8
    found = model.extract(GOLD)
    model.tokens = 4096
    assert [shown(each) for each in found] == [shown(each) for each in known]


def test_what_is_cropped_is_counted(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trained.model()
    encoder: Any = trained.parts.encoders["text"]
    monkeypatch.setattr(encoder.words, "limit", 5)
    found = made.extract([GOLD[0], GOLD[4]])  # type: ignore[attr-defined]
    assert (made.lost_views, made.lost_unit) == (3, "words"), "three words fit between [CLS] and [SEP]; the first sentence has six"
    assert all(entity.mentions[0].end <= 3 for entity in found[0].entities) and shown(found[1]) == shown(GOLD[4])


# ---- given pairs -----------------------------------------------------------------------------------------------------------


def pair(document: Document, head: int, tail: int) -> Instance:
    return Instance(document, head, tail, None, f"{document.id}#{head}-{tail}")


def test_probabilities_of_given_pairs(model: JointExtractor) -> None:
    pairs = [pair(GOLD[0], 0, 1), pair(GOLD[0], 1, 0), pair(GOLD[1], 1, 0), pair(GOLD[2], 0, 1), pair(GOLD[2], 1, 0)]
    table = model.probabilities(pairs)
    assert table.shape == (5, 3) and torch.allclose(table.sum(1), torch.ones(5))
    assert model.predict(pairs) == ["binds", "none", "binds", "beside", "beside"], "a symmetric label holds both ways"
    found = model.extract(GOLD)
    assert table[0, 1].item() == pytest.approx(found[0].relations[0].score, abs=1e-5)
    assert model.embed(pairs).shape == (5, 16) and model.embed([]).shape == (0, 16) and model.probabilities([]).shape == (0, 3)
    assert model.embed(pairs)[0].equal(model.embed(pairs)[1]), "in textual order"


def test_pairs_that_cannot_be_asked_about(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    made = trained.model()
    joined = whole(GOLD[0], GOLD[1])
    twice = document("twice", "abirol rose", [(0, 1, "Drug"), (0, 2, "Drug")])
    pairs = [pair(joined, 0, 3), pair(twice, 0, 1), pair(joined, 3, 2)]
    assert made.predict(pairs) == ["none", "none", "binds"] and made.lost_views == 0
    monkeypatch.setattr(trained.parts.encoders["text"].words, "limit", 5)
    assert made.predict([pair(GOLD[1], 1, 0)]) == ["none"] and made.lost_views == 3, "words, here too"
    assert not made.embed(pairs[:2]).any()


def test_without_a_negative_label_rows_still_sum_to_one(model: JointExtractor) -> None:
    model.labels = LabelSet(("binds", "beside"))
    table = model.probabilities([pair(GOLD[0], 0, 1), pair(whole(GOLD[0], GOLD[1]), 0, 3)])
    assert torch.allclose(table.sum(1), torch.ones(2)) and table[1].tolist() == [0.5, 0.5]
