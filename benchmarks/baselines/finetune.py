"""Fine-tuning on sentences with marked entities as a plain loop: length-bucketed batches, dynamic padding, AdamW.

python benchmarks/baselines/finetune.py MARKED.jsonl MODEL --batch 16
"""

import argparse
import random

import torch
import torch.nn.functional as F
from common import Clock, read
from transformers import AutoModel, AutoTokenizer

parser = argparse.ArgumentParser()
parser.add_argument("marked", help='one {"text": ..., "label": number} a line, the text with the four markers in it')
parser.add_argument("model")
parser.add_argument("--batch", type=int, default=16)
given = parser.parse_args()

random.seed(0)
torch.manual_seed(0)
records = read(given.marked)
tokenizer, model = AutoTokenizer.from_pretrained(given.model), AutoModel.from_pretrained(given.model).train()
tokenizer.add_tokens(["[E1]", "[/E1]", "[E2]", "[/E2]"])
model.resize_token_embeddings(len(tokenizer))
starts = torch.tensor(tokenizer.convert_tokens_to_ids(["[E1]", "[E2]"]))
classify = torch.nn.Linear(2 * 384, 1 + max(record["label"] for record in records))
parameters = [*model.parameters(), *classify.parameters()]
optimizer = torch.optim.AdamW(parameters, lr=1e-4)


def batches():
    """An epoch: batches of like length from shuffled pools, in random order."""
    random.shuffle(records)
    for first in range(0, len(records), 16 * given.batch):
        pool = sorted(records[first : first + 16 * given.batch], key=lambda record: record["text"].count(" "))
        cut = [pool[start : start + given.batch] for start in range(0, len(pool), given.batch)]
        random.shuffle(cut)
        yield from cut


clock = Clock(2)
for batch in batches():
    inputs = tokenizer([record["text"] for record in batch], padding=True, truncation=True, max_length=128, return_tensors="pt")
    states = model(**inputs).last_hidden_state
    at = (inputs["input_ids"][:, :, None] == starts).int().argmax(1)  # [B, 2]
    pair = states[torch.arange(len(batch))[:, None], at].flatten(1)
    F.cross_entropy(classify(pair), torch.tensor([record["label"] for record in batch])).backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    optimizer.zero_grad()
    clock.tick()
clock.tell(given.batch)
