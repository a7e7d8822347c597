"""ERICA's pre-training as a bare loop: relation pairs on one half of the documents, entity tails on the other, masked words on both, AdamW.

python benchmarks/baselines/finecl_pretrain.py BATCHES.jsonl MODEL [--head HEAD.safetensors]

A line of BATCHES.jsonl is a step, a list of streams, each with `texts`, the words of each; `entities`, [text, word spans]; `anchors` and
`candidates`, the entities of each; for each anchor its `positives` (one candidate) and `negatives` (several); and `masked`: [text, word,
piece of the word, piece that is shown, true piece]. --head: start with these weights, without dropout, so that losses can be compared.
"""

import argparse

import torch
import torch.nn.functional as F
from common import Clock, entity_vectors, positions, read
from safetensors.torch import load_file
from torch import nn
from transformers import AutoModel, AutoTokenizer

parser = argparse.ArgumentParser()
parser.add_argument("batches")
parser.add_argument("model")
parser.add_argument("--head")
parser.add_argument("--steps", type=int, default=1000)
parser.add_argument("--warm-up", type=int, default=0)
given = parser.parse_args()

torch.manual_seed(0)
batches = read(given.batches)[: given.steps]
tokenizer, model = AutoTokenizer.from_pretrained(given.model), AutoModel.from_pretrained(given.model).train(given.head is None)
embeddings, guess = model.get_input_embeddings().weight, nn.Module()
guess.states, guess.bias = nn.Sequential(nn.Linear(384, 384), nn.GELU(), nn.LayerNorm(384)), nn.Parameter(torch.zeros(len(embeddings)))
if given.head is not None:
    guess.load_state_dict(load_file(given.head))
parameters = [*model.parameters(), *guess.parameters()]
optimizer = torch.optim.AdamW(parameters, lr=5e-5, weight_decay=1e-5)
losses = []

clock = Clock(given.warm_up)
for batch in batches:
    for stream in batch:
        inputs = tokenizer(stream["texts"], is_split_into_words=True, padding=True, return_tensors="pt")
        masked = [(text, positions(inputs, text, word, word + 1)[0] + piece, *ids) for text, word, piece, *ids in stream["masked"]]
        row, column, shown, true = torch.tensor(masked).T
        inputs["input_ids"][row, column] = shown
        states = model(**inputs).last_hidden_state
        vectors = entity_vectors(states, inputs, stream["entities"])
        anchors, candidates = (F.normalize(vectors[torch.tensor(stream[side])].flatten(1), dim=1) for side in ("anchors", "candidates"))
        compared = torch.zeros(len(anchors), len(candidates), dtype=torch.bool)
        for number, (positive, negatives) in enumerate(zip(stream["positives"], stream["negatives"], strict=True)):
            compared[number, [positive, *negatives]] = True
        similarity = (anchors @ candidates.T / 0.05).masked_fill(~compared, -torch.inf)
        guesses = guess.states(states[row, column]) @ embeddings.T + guess.bias
        loss = F.cross_entropy(similarity, torch.tensor(stream["positives"])) + F.cross_entropy(guesses, true)
        loss.backward()
        losses.append(loss.item())
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    clock.tick()
clock.tell(sum(len(stream["texts"]) for stream in batches[0]), first_loss=sum(losses[: len(batches[0])]))
