"""CLDR's step as a bare loop: encode sentences, gather pairs, one graph convolution over given features, softmax, Adam.

python benchmarks/baselines/cldr.py BATCHES.jsonl MODEL --steps 40

A line of BATCHES.jsonl is a batch: a list of [words, groups]; a group is the list of a relation's pairs of words, the true one first.
"""

import argparse

import torch
import torch.nn.functional as F
from common import Clock, read
from transformers import AutoModel, AutoTokenizer

parser = argparse.ArgumentParser()
parser.add_argument("batches")
parser.add_argument("model")
parser.add_argument("--steps", type=int, default=40)
parser.add_argument("--warm-up", type=int, default=10)
given = parser.parse_args()

torch.manual_seed(0)
batches = read(given.batches)[: given.steps]
tokenizer, model = AutoTokenizer.from_pretrained(given.model), AutoModel.from_pretrained(given.model).train()
for part in (model.embeddings, *model.encoder.layer[:3], model.pooler):
    part.requires_grad_(False)
weight, bias = torch.nn.Parameter(torch.randn(384, 384) * (2 / 384) ** 0.5), torch.nn.Parameter(torch.zeros(384))
parameters = [parameter for parameter in [*model.parameters(), weight, bias] if parameter.requires_grad]
optimizer = torch.optim.Adam(parameters, lr=5e-5, weight_decay=1e-6)


def states(sentences):
    """[B, L, H] and, for each sentence, the position of every word's first piece."""
    inputs = tokenizer(sentences, is_split_into_words=True, padding=True, return_tensors="pt")
    first = [{word: at for at, word in reversed(list(enumerate(inputs.word_ids(n)))) if word is not None} for n in range(len(sentences))]
    return model(**inputs).last_hidden_state, first


features = []
with torch.no_grad():
    model.eval()
    for batch in batches:
        hidden, first = states([words for words, _ in batch])
        features.append([hidden[n, [first[n][word] for word in range(len(words))]] for n, (words, _) in enumerate(batch)])
    model.train()

clock = Clock(given.warm_up)
for batch, known in zip(batches, features, strict=True):
    hidden, first = states([words for words, _ in batch])
    relations = [(n, group) for n, (_, groups) in enumerate(batch) for group in groups]
    anchors = torch.stack([hidden[n, [first[n][word] for word in group[0]]].flatten() for n, group in relations])
    nodes = torch.cat([known[n][torch.tensor(group)] for n, group in relations]) @ weight  # [all pairs, 2, H]
    graphs = torch.relu(0.8 * nodes + 0.2 * nodes.flip(1) + bias).flatten(1)
    similarity = F.normalize(anchors, dim=1) @ F.normalize(graphs, dim=1).T / 0.1
    sizes = torch.tensor([len(group) for _, group in relations])
    starts = sizes.cumsum(0) - sizes
    place = torch.arange(len(graphs))
    own = (place >= starts[:, None]) & (place < (starts + sizes)[:, None])
    F.cross_entropy(similarity.masked_fill(~own, -torch.inf), starts).backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    clock.tick()
clock.tell(len(batches[0]))
