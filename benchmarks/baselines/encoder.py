"""Forward and backward of the encoder alone over the views that the contrast encodes, tokenised beforehand: nobody can be faster.

python benchmarks/baselines/encoder.py PAIRS.jsonl MODEL --batch 64 --tokens 1024 --steps 6
"""

import argparse

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

pairs = read(given.pairs)[: given.batch * given.steps]
tokenizer, model = AutoTokenizer.from_pretrained(given.model), AutoModel.from_pretrained(given.model).train()
steps = []
for start in range(0, len(pairs), given.batch):
    views = [view for pair in pairs[start : start + given.batch] for view in pair]
    ids = tokenizer(views, truncation=True, max_length=given.length)["input_ids"]
    numbers = parts([len(each) for each in ids], given.tokens)
    steps.append([tokenizer.pad({"input_ids": [ids[number] for number in part]}, return_tensors="pt") for part in numbers])

clock = Clock(1)
for step in steps:
    sum(model(**inputs).last_hidden_state[:, 0].sum() for inputs in step).backward()
    clock.tick()
clock.tell(2 * given.batch)
