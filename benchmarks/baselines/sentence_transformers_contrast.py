"""In-batch negatives over pairs of sentences by sentence-transformers' own trainer, plain or with its gradient caching.

python benchmarks/baselines/sentence_transformers_contrast.py PAIRS.jsonl MODEL --batch 64 --steps 6 [--cached 32]
"""

import argparse
import tempfile

from common import Clock, read
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.losses import CachedMultipleNegativesRankingLoss, MultipleNegativesRankingLoss
from transformers import TrainerCallback

parser = argparse.ArgumentParser()
parser.add_argument("pairs")
parser.add_argument("model")
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--steps", type=int, default=6)
parser.add_argument("--length", type=int, default=128)
parser.add_argument("--cached", type=int, default=0, help="texts of a micro-batch; 0: without caching")
given = parser.parse_args()

pairs = read(given.pairs)
pairs = pairs * (given.batch * given.steps // len(pairs) + 1)
model = SentenceTransformer(given.model, device="cpu")
model.max_seq_length = given.length
loss = CachedMultipleNegativesRankingLoss(model, mini_batch_size=given.cached) if given.cached else MultipleNegativesRankingLoss(model)
clock = Clock(1)


class Ticking(TrainerCallback):
    """Tells the clock of every step."""

    def on_step_end(self, args, state, control, **rest):
        clock.tick()


with tempfile.TemporaryDirectory() as folder:
    arguments = SentenceTransformerTrainingArguments(
        output_dir=folder,
        per_device_train_batch_size=given.batch,
        max_steps=given.steps,
        learning_rate=5e-5,
        save_strategy="no",
        logging_strategy="no",
        report_to="none",
        disable_tqdm=True,
        use_cpu=True,
        seed=0,
    )
    data = Dataset.from_dict({"anchor": [one for one, _ in pairs], "positive": [other for _, other in pairs]})
    SentenceTransformerTrainer(model, arguments, train_dataset=data, loss=loss, callbacks=[Ticking()]).train()
clock.tell(2 * given.batch)
