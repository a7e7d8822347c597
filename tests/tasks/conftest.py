"""A tiny encoder with a tokenizer of its own, and the parts of a stage over it."""

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from relcon.contrast import WHOLE, Span, Text, View
from relcon.data.labels import LabelSet
from relcon.interfaces import Encoder, Parts, Pooler, Recorder, TowerPlan

WORDS = ["the", "a", "cat", "dog", "sees", "hears", "bird", "today", "##s", "##ing"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """A BERT with two layers and random weights, as `save_pretrained` writes it."""
    path = tmp_path_factory.mktemp("bert")
    (path / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]))
    BertTokenizerFast(str(path / "vocab.txt")).save_pretrained(path)
    torch.manual_seed(0)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32, "max_position_embeddings": 32}
    BertModel(BertConfig(vocab_size=15, **sizes)).save_pretrained(path)
    return path


@pytest.fixture
def make(folder):
    """`make(max_length, dropout)`: the parts of a stage with the encoder "text" and the poolers "sentence" and "mention"."""

    def parts(max_length=16, dropout=0.0):
        encoder = Encoder.registry.get("relcon.Transformer.v1")(str(folder), max_length=max_length, dropout=dropout)
        pool = Pooler.registry.get("relcon.SpanPool.v1")
        poolers = {"sentence": Pooler.registry.get("relcon.CLS.v1")(), "mention": pool("mean", slots=1)}
        return Parts({"text": encoder}, poolers, LabelSet(("none", "binds", "blocks"), frozenset(["none"])))

    return parts


@pytest.fixture
def plan():
    """`plan(pooler, head)`: a tower plan over the encoder "text"."""
    return lambda pooler="sentence", head=(): TowerPlan.registry.get("relcon.Tower.v1")("text", pooler, head=list(head))


class Told(Recorder):
    """Keeps what it is told: (uid, predicted class, label), and in a buffer how many."""

    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(()))
        self.told = []

    def forward(self, uids, logits, labels):
        assert not logits.requires_grad
        self.told += zip(uids, logits.argmax(1).tolist(), labels.tolist(), strict=True)
        self.count += len(uids)


@pytest.fixture
def recorder():
    """A recorder; `told` lists (uid, predicted, label)."""
    return Told()


@pytest.fixture
def view():
    """`view("the cat sees", word=1)`: the whole text, or one word of it."""
    return lambda text, word=None: View(Text(tuple(text.split())), (((WHOLE if word is None else Span(word, word + 1)),),))
