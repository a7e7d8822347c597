"""PSPE's pre-training step as a bare loop: two views with gradient, two keys without, three losses, a queue, AdamW.

python benchmarks/baselines/pspe_pretrain.py BATCHES.jsonl MODEL [--weights WEIGHTS.safetensors] [--queue 65536]

A line of BATCHES.jsonl is a step, with lists over its views, all targets and then all contexts: `ids`, the pieces; `first`, where words
begin; `pairs`, two word spans; `permuted`: [view, start, end, class, weight] and `masked`: [view, position, offset, piece, weight] of each.
--weights: start with these, without dropout, so that losses can be compared.
"""

import argparse
from copy import deepcopy
from itertools import pairwise

import torch
import torch.nn.functional as F
from common import Clock, read
from safetensors.torch import load_file
from torch import nn, tensor
from transformers import AutoModel, AutoTokenizer

parser = argparse.ArgumentParser()
parser.add_argument("batches")
parser.add_argument("model")
parser.add_argument("--weights")
parser.add_argument("--queue", type=int, default=65536)
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--warm-up", type=int, default=0)
given = parser.parse_args()


def block(into, out):
    return nn.Sequential(nn.Linear(into, out), nn.GELU(), nn.LayerNorm(out, eps=1e-12), nn.Dropout(0.1))


class Pairs(nn.Module):
    def __init__(self, text, width):
        super().__init__()
        self.text, self.dropout, self.positions = text, nn.Dropout(0.1), nn.Embedding(7, 100)
        self.convolutions = nn.ModuleList(nn.Conv1d(width, 100, kernel, padding=kernel) for kernel in (2, 3, 4))
        self.mlp, self.head = block(300, 300), nn.Sequential(block(300, 768), block(768, 768))
        self.of_segment, self.of_sentence, self.of_positions = (nn.Linear(into, 500, bias=False) for into in (300, width, 200))
        self.score = nn.Linear(500, 1, bias=False)

    def spans(self, states, spans):
        words = nn.utils.rnn.pad_sequence([states[row, positions] for row, positions in spans], True).transpose(1, 2)
        return self.mlp(self.dropout(torch.cat([F.gelu(each(words)).amax(2) for each in self.convolutions], 1)))

    def forward(self, inputs, first, pairs):
        out = self.text(**inputs)
        cuts = [(0, *first_span, *second_span, len(begins)) for begins, (first_span, second_span) in zip(first, pairs, strict=True)]
        segments = [(row, first[row][start:end]) for row, places in enumerate(cuts) for start, end in pairwise(places)]
        vectors = self.spans(out.last_hidden_state, segments).view(len(pairs), 5, -1)
        places = self.of_positions(torch.cat([self.positions(torch.arange(2, 7)), self.positions(torch.arange(5))], 1))
        inside = self.of_segment(vectors) + self.of_sentence(out.pooler_output)[:, None] + places
        return out.last_hidden_state, self.head(self.dropout((self.score(F.gelu(inside)).softmax(1) * vectors).sum(1)))


torch.manual_seed(0)
batches, tokenizer = read(given.batches)[: given.steps], AutoTokenizer.from_pretrained(given.model)
text = AutoModel.from_pretrained(given.model)
width = text.config.hidden_size
pairs, order = Pairs(text, width), nn.Sequential(block(300, 300), nn.Linear(300, 6))
offsets, pieces = nn.Embedding(150, 200), nn.Sequential(block(width + 200, width), nn.Linear(width, len(tokenizer)))
model = nn.ModuleDict({"pairs": pairs, "order": order, "offsets": offsets, "pieces": pieces}).train()
if given.weights is not None:
    model.eval().load_state_dict(load_file(given.weights))
keys, queues, losses = deepcopy(pairs).requires_grad_(False), [torch.zeros(0, 768)] * 2, []
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)

clock = Clock(given.warm_up)
for batch in batches:
    inputs = tokenizer.pad({"input_ids": batch["ids"]}, return_tensors="pt")
    states, queries = pairs(inputs, batch["first"], batch["pairs"])
    targets, contexts = keys(inputs, batch["first"], batch["pairs"])[1].chunk(2)
    loss = 0.0
    for found, others, queue in zip(queries.chunk(2), (contexts, targets), queues, strict=True):
        similarity = torch.cat([(found * others).sum(1, keepdim=True), found @ queue.T], 1) / 0.2
        loss += 0.3 / 2 * F.cross_entropy(similarity, torch.zeros(len(found), dtype=torch.long))
    if batch["permuted"]:
        view, start, end, classes, weight = zip(*batch["permuted"], strict=True)
        spans = [(row, batch["first"][row][a:b]) for row, a, b in zip(view, start, end, strict=True)]
        loss += (F.cross_entropy(order(pairs.spans(states, spans)), tensor(classes), reduction="none") * tensor(weight)).mean()
    if batch["masked"]:
        view, position, offset, piece, weight = zip(*batch["masked"], strict=True)
        guesses = pieces(torch.cat([states[view, position], offsets(tensor(offset))], 1))
        loss += 0.5 * (F.cross_entropy(guesses, tensor(piece), reduction="none") * tensor(weight)).mean()
    loss.backward()
    nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
    optimizer.zero_grad()
    for mine, theirs in zip(keys.parameters(), pairs.parameters(), strict=True):
        mine.data.lerp_(theirs.data, 0.001)
    queues = [torch.cat(each)[-given.queue :] for each in zip(queues, (contexts, targets), strict=True)]
    losses.append(loss.item())
    clock.tick()
clock.tell(len(targets), losses=losses[:2])
