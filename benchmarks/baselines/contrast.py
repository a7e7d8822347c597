"""Contrast between two views of each sentence as a bare loop: tokenise, encode in length-sorted micro-batches, NT-Xent, AdamW.

python benchmarks/baselines/contrast.py PAIRS.jsonl MODEL --batch 64 --tokens 1024 --steps 6
"""

import argparse

import torch
import torch.nn.functional as F
from common import Clock, parts, read
from transformers import AutoModel, AutoTokenizer

parser = argparse.ArgumentParser()
parser.add_argument("pairs")
parser.add_argument("model")
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--tokens", type=int, default=1024, help="positions of a micro-batch, padding included")
parser.add_argument("--steps", type=int, default=6)
parser.add_argument("--length", type=int, default=128)
given = parser.parse_args()

torch.manual_seed(0)
pairs = read(given.pairs)
tokenizer, model = AutoTokenizer.from_pretrained(given.model), AutoModel.from_pretrained(given.model).train()
head = torch.nn.Sequential(torch.nn.Linear(384, 384), torch.nn.ReLU(), torch.nn.Linear(384, 384))
parameters = [*model.parameters(), *head.parameters()]
optimizer = torch.optim.AdamW(parameters, lr=5e-5)

clock, held, shown = Clock(1), 0, 0
for step in range(given.steps):
    views = [view for pair in pairs[step * given.batch : (step + 1) * given.batch] for view in pair]
    ids = tokenizer(views, truncation=True, max_length=given.length)["input_ids"]
    vectors = [None] * len(views)
    for part in parts([len(each) for each in ids], given.tokens):
        inputs = tokenizer.pad({"input_ids": [ids[number] for number in part]}, return_tensors="pt")
        held, shown = held + int(inputs["attention_mask"].sum()), shown + inputs["attention_mask"].numel()
        for number, vector in zip(part, head(model(**inputs).last_hidden_state[:, 0]), strict=True):
            vectors[number] = vector
    z = F.normalize(torch.stack(vectors), dim=1)
    similarity = (z @ z.T / 0.1).fill_diagonal_(-torch.inf)
    F.cross_entropy(similarity, torch.arange(len(z)) ^ 1).backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    clock.tick()
clock.tell(2 * given.batch, padding=1 - held / shown)
