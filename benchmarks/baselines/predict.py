"""Relations of marked pairs, one forward per pair: each pair's document with the pair's markers in it.

python benchmarks/baselines/predict.py DOCUMENTS.jsonl MODEL --pairs 500
"""

import argparse

import torch
from common import Clock, read
from transformers import AutoModel, AutoTokenizer

parser = argparse.ArgumentParser()
parser.add_argument("documents")
parser.add_argument("model")
parser.add_argument("--pairs", type=int, default=500)
given = parser.parse_args()

tokenizer, model = AutoTokenizer.from_pretrained(given.model), AutoModel.from_pretrained(given.model).eval()
tokenizer.add_tokens(["[E1]", "[/E1]", "[E2]", "[/E2]"])
model.resize_token_embeddings(len(tokenizer))
starts = torch.tensor(tokenizer.convert_tokens_to_ids(["[E1]", "[E2]"]))
classify = torch.nn.Linear(2 * 384, 9)


def marked(document, relation):
    """The text with markers around both arguments."""
    words, spans = list(document["words"]), [document["entities"][relation[end]]["words"] for end in ("head", "tail")]
    for (start, end), number in sorted(zip(spans, (1, 2), strict=True), reverse=True):
        words[end:end], words[start:start] = [f"[/E{number}]"], [f"[E{number}]"]
    return " ".join(words)


texts = [marked(document, relation) for document in read(given.documents) for relation in document["relations"]][: given.pairs]
clock = Clock(0)
with torch.inference_mode():
    for text in texts:
        inputs = tokenizer(text, truncation=True, max_length=256, return_tensors="pt")
        states = model(**inputs).last_hidden_state[0]
        at = (inputs["input_ids"][0][:, None] == starts).int().argmax(0)
        classify(states[at].flatten()).softmax(0).max()
        clock.tick()
seconds = clock.ends[-1] - clock.ends[0]
clock.tell(1, pairs=len(texts), seconds=seconds, pairs_per_second=len(texts) / seconds)
