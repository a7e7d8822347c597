"""Entity discrimination: the text that is read, who attracts whom, the loss."""

import json

import pytest
import torch

from relcon.config import resolve
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import Draw, Parts, Split
from relcon.poolers.spans import SpanPool
from relcon.testing import check_sampler, check_step, tiny_encoder

LABELS = LabelSet.of(["P17", "P19"], ["Na"])
WORDS = ["Lake", "Orla", "lies", "in", "Vendia", ",", "north", "of", "Lake", "Orla", "and", "Tarn", "City", "."]
LAKE, LAND, CITY = Entity((Mention(0, 2), Mention(8, 10))), Entity((Mention(4, 5),)), Entity((Mention(11, 13),))


def document(name="d", entities=(LAKE, LAND, CITY), relations=((0, 1, "P17"),)):
    return Document(name, tuple(WORDS), tuple(entities), tuple(Relation(*each) for each in relations))


def split(*documents):
    return Split("train", list(documents), [], LABELS)


def sampler(**arguments):
    return resolve({"@samplers": "finecl.EntityTails.v1", **arguments}, "[sampler]")


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module", params=["bert", "roberta"])
def encoder(request):
    return tiny_encoder(request.param)


def only(sampler, encoder, *documents):
    (batch,) = sampler.batches(split(*documents), Draw(0, generator(), encoder.vocabulary))
    return batch["contrast"]


def test_finecl_a05_entity_discrimination(encoder):
    contrast = only(sampler(), encoder, document())
    vectors = {0: (1, 2, 0), 1: (1, 1.5, 0.5), 2: (2, 3, 2)}
    more = torch.tensor([[-1, 1, 2]], dtype=torch.float64)  # a fourth entity
    anchors, candidates = (torch.tensor([vectors[each] for each in side], dtype=torch.float64) for side in ([0], [1, 2]))
    pairing = contrast.pairing.widened(torch.zeros(1, 1), torch.ones(1, 1))
    for arguments, expected in (({}, 0.157402), ({"own_weight": 2.0}, 0.774942)):
        loss = resolve({"@objectives": "relcon.InfoNCE.v1", "temperature": 0.05, **arguments}, "[objective]")
        assert loss(anchors, torch.cat([candidates, more]), pairing).item() == pytest.approx(expected, abs=1e-6)
        assert loss(3 * anchors, 3 * torch.cat([candidates, more]), pairing).item() == pytest.approx(expected, abs=1e-6)


def test_finecl_a05_the_tail_alone(encoder):
    contrast = only(sampler(), encoder, document(entities=(LAKE, LAND)))
    assert len(contrast.candidates) == 1
    anchors, candidates = torch.tensor([[1.0, 2, 0]]), torch.tensor([[1, 1.5, 0.5]])
    for arguments, expected in (({}, 0.0), ({"own_weight": 2.0}, 0.693147)):
        loss = resolve({"@objectives": "relcon.InfoNCE.v1", "temperature": 0.05, **arguments}, "[objective]")
        assert loss(anchors, candidates, contrast.pairing).item() == pytest.approx(expected, abs=1e-6)


def test_the_question_stands_before_the_text_and_all_mentions_move(encoder, tmp_path):
    (tmp_path / "names.json").write_text(json.dumps({"P17": "is in country"}))
    contrast = only(sampler(names=str(tmp_path / "names.json")), encoder, document())
    (anchor,) = contrast.anchors
    separator = encoder.vocabulary.separator
    assert anchor.input.words == ("is", "in", "country", "Lake", "Orla", separator, *WORDS)
    shown = [[anchor.input.words[span.start : span.end] for span in view.unit[0]] for view in (anchor, *contrast.candidates)]
    assert shown == [[("Lake", "Orla")] * 2, [("Vendia",)], [("Tarn", "City")]]
    assert [span.start for span in anchor.unit[0]] == [6, 14]
    assert contrast.pairing.positives.tolist() == [[1, 0]] and contrast.pairing.negatives.tolist() == [[0, 1]]
    assert encoder.vocabulary.pieces(separator) == [encoder.vocabulary.tokenizer.sep_token_id]


def test_entities_meet_those_of_their_own_document_alone(encoder):
    other = document("e", relations=[(2, 0, "P19")])
    contrast = only(sampler(half="all"), encoder, document(), other)
    assert contrast.pairing.positives.tolist() == [[1, 0, 0, 0], [0, 1, 0, 0]]
    assert contrast.pairing.negatives.sum(1).tolist() == [1, 1]
    for term, anchor in enumerate(contrast.anchors):
        compared = (contrast.pairing.positives + contrast.pairing.negatives)[term].nonzero().flatten().tolist()
        assert all(contrast.candidates[place].input is anchor.input for place in compared) and len(compared) == 2


def test_of_too_many_candidates_the_tails_stay(encoder):
    documents = [document(f"d{n}") for n in range(4)]
    contrast = only(sampler(batch_size=4, candidates=5), encoder, *documents)
    assert contrast.pairing.positives.sum().item() == 4 and contrast.pairing.negatives.sum().item() == 1
    with pytest.raises(RelconError, match="candidates must be at least batch_size"):
        sampler(batch_size=4, candidates=3)


def test_one_relation_is_drawn_among_those_with_a_name(encoder, tmp_path):
    (tmp_path / "names.json").write_text(json.dumps([{"id": "P17", "name": "country"}]))
    both = document(relations=[(0, 1, "P17"), (0, 2, "P17"), (2, 0, "P19"), (0, 0, "P17")])
    tails = set()
    for seed in range(20):
        (batch,) = sampler(names=str(tmp_path / "names.json")).batches(split(both), Draw(0, generator(seed), encoder.vocabulary))
        assert batch["contrast"].anchors[0].input.words[0] == "country"
        tails.add(batch["contrast"].candidates[0].unit[0][0].start)
    assert len(tails) == 2


def test_without_a_separator_or_a_relation_it_says_so():
    with pytest.raises(RelconError, match="separator"):
        list(sampler().batches(split(document()), Draw(0, generator())))
    with pytest.raises(RelconError, match=r"None of the 1 documents"):
        sampler().check(split(document(relations=())))
    with pytest.raises(RelconError, match="second half of the one document"):
        sampler(half="second").check(split(document()))


def test_it_keeps_the_contract_and_masks_no_mention(encoder):
    data = split(*(document(f"d{n}", relations=[(n % 3, (n + 1) % 3, "P17"), ((n + 2) % 3, n % 3, "P19")]) for n in range(5)))
    check_sampler(sampler(batch_size=2), data)
    inner = {"@samplers": "finecl.EntityTails.v1", "batch_size": 5}
    made = resolve({"@samplers": "relcon.MaskedPieces.v1", "rate": 0.8, "sampler": inner}, "[sampler]")
    made.check(data)
    (batch,) = made.batches(data, Draw(0, generator(), encoder.vocabulary))
    for view in batch["masked"].views:
        start = view.unit[0][0].start
        prefix = view.input.words.index(encoder.vocabulary.separator)
        assert start != prefix  # the question's words may be hidden, the separator not
        assert start < prefix or start - prefix - 1 in (2, 3, 5, 6, 7, 10, 13)
    assert any(view.unit[0][0].start < view.input.words.index(encoder.vocabulary.separator) for view in batch["masked"].views)


def test_gradient_caching_gives_the_same_step():
    encoder = tiny_encoder(dropout=0.1)
    task = resolve(
        {
            "@tasks": "relcon.Contrastive.v1",
            "stream": "tails",
            "anchors": {"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "entity"},
            "objective": {"@objectives": "relcon.InfoNCE.v1", "temperature": 0.05},
        },
        "[task]",
    )
    task.build(Parts({"text": encoder}, {"entity": SpanPool("mean", slots=1)}, LABELS))
    (batch,) = sampler().batches(split(*(document(f"d{n}") for n in range(4))), Draw(0, generator(), encoder.vocabulary))
    check_step({"tails": task}, batch, tokens=64)
