"""FineCL's first stage as a bare loop: pairs of entities with their distance, a bilinear layer, a yes or no per label, AdamW, the order.

python benchmarks/baselines/finecl_order.py BATCHES.jsonl MODEL [--head HEAD.safetensors]

A line of BATCHES.jsonl is a batch: `texts`, the words of each; `entities`, [text, word spans]; and of each pair `heads` and `tails`
(entities), `labels` (the class drawn), `targets` (multi-hot) and `uids` (null for an unrelated pair). --head: start with these weights,
without dropout, so that losses can be compared.
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
for part in (model.embeddings, *model.encoder.layer[:2]):
    part.requires_grad_(False)
bilinear = nn.Bilinear(148, 148, len(batches[0]["targets"][0]))
head = nn.ModuleDict({"linear": nn.Linear(384, 128), "distances": nn.Embedding(20, 20, padding_idx=10), "bilinear": bilinear})
if given.head is not None:
    head.load_state_dict(load_file(given.head))
trained = [weight for weight in model.parameters() if weight.requires_grad]
optimizer = torch.optim.AdamW([{"params": trained}, {"params": head.parameters(), "lr": 1e-3}], lr=1e-4, weight_decay=0.0)
buckets, order, losses = torch.tensor([1, 2, 4, 8, 16, 32, 64, 128, 256]), {}, []

clock = Clock(given.warm_up)
for batch in batches:
    inputs = tokenizer(batch["texts"], is_split_into_words=True, padding=True, return_tensors="pt")
    vectors = head["linear"](entity_vectors(model(**inputs).last_hidden_state, inputs, batch["entities"]))
    start = torch.tensor([positions(inputs, text, *spans[0])[0] for text, spans in batch["entities"]])
    one, two = torch.tensor(batch["heads"]), torch.tensor(batch["tails"])
    distance = start[one] - start[two]
    bucket = torch.bucketize(distance.abs(), buckets, right=True) * distance.sign()
    sides = [torch.cat([vectors[side], head["distances"](10 + sign * bucket)], 1) for side, sign in ((one, 1), (two, -1))]
    scores = head["bilinear"](*sides)
    loss = F.binary_cross_entropy_with_logits(scores, torch.tensor(batch["targets"]))
    loss.backward()
    nn.utils.clip_grad_norm_([*trained, *head.parameters()], 1.0)
    optimizer.step()
    optimizer.zero_grad()
    right = (scores.argmax(1) == torch.tensor(batch["labels"])).tolist()
    order.update({uid: 0 for uid, told in zip(batch["uids"], right, strict=True) if told and uid is not None})
    losses.append(loss.item())
    clock.tick()
timed = batches[given.warm_up :]
clock.tell(sum(uid is not None for batch in timed for uid in batch["uids"]) / len(timed), first_loss=losses[0], learned=len(order))
