"""Every case of a step by several processes, its loss and gradients written by the main one.

    python tests/processes/work.py ENCODER OUTPUT PROCESSES OBJECTIVE,OBJECTIVE ... PROCESSES OBJECTIVE ...

Results lie in OUTPUT/PROCESSES. Libraries are loaded once: the processes are forks of this one.
"""

import json
import os
import sys
import traceback
from pathlib import Path

import torch
import torch.distributed as dist
from safetensors.torch import save_file
from torch import nn

from relcon import processes
from relcon.config import resolve
from relcon.contrast import Contrast, Labelled, Pairing
from relcon.encoders.transformer import Transformer
from relcon.encoding import encode, step
from relcon.interfaces import Draw, Parts, Sampler
from relcon.samplers.pairings import by_label, partners
from relcon.testing import tiny_split

TOWER = {"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "pair", "head": [16, 12]}
MARKERS = {"@renderers": "relcon.EntityMarkers.v1"}
OBJECTIVES = {
    "ntxent": {"@objectives": "relcon.NTXent.v1"},
    "infonce": {"@objectives": "relcon.InfoNCE.v1", "denominator": "own"},
    "supcon": {"@objectives": "relcon.SupCon.v1"},
    "bce": {"@objectives": "relcon.PairwiseBCE.v1"},
    "margin": {"@objectives": "relcon.MarginPairs.v1"},
}
WAYS = {"whole": (0, False), "cut": (96, False), "cached": (96, True)}


def parts(dropout, renderer):
    """One encoder and one pooler in double precision."""
    encoder = Transformer(sys.argv[1], dropout=dropout)
    encoder.add_tokens(renderer.special_tokens)
    pooler = resolve({"@poolers": "relcon.SpanPool.v1", "inside": "first"}, "pooler")
    return Parts({"text": encoder.double()}, {"pair": pooler}, tiny_split().labels)


def tasks(shared, objective):
    """A contrast, a classifier and guesses over one encoder."""
    blocks = {
        "contrast": {"@tasks": "relcon.Contrastive.v1", "stream": "it", "anchors": TOWER, "objective": objective},
        "relation": {"@tasks": "relcon.Classification.v1", "stream": "it", "tower": TOWER, "weight": 0.5},
        "guess": {"@tasks": "relcon.MaskedLanguageModel.v1", "stream": "it", "encoder": "text", "weight": 0.1},
    }
    built = {name: resolve(block, name) for name, block in blocks.items()}
    for task in built.values():
        task.build(shared)
    return nn.ModuleDict(built).double()


class Fixed(Sampler):
    """One batch: the contrast and the labels of eleven instances, an odd number, on the same inputs."""

    def __init__(self, pairing):
        self.pairing = pairing

    def batches(self, data, draw):
        views = resolve(MARKERS, "renderer")(data.instances[:11])
        labels = [data.labels.number(each.label) for each in data.instances[:11]]
        yield {"contrast": Contrast(views, self.pairing(labels)), "instances": Labelled(views, torch.tensor(labels))}

    def length(self, data):
        return 1


def with_one_alone(labels):
    """Two views of five instances, and a last view that only repels."""
    count = len(labels)
    pairing = partners(count - 1)
    positives, negatives = torch.zeros(count, count), 1 - torch.eye(count)
    positives[:-1, :-1], negatives[:-1, :-1] = pairing.positives, pairing.negatives
    return Pairing.of(positives, negatives)


def batch(vocabulary, objective):
    """The batch, with masked pieces."""
    masked = Sampler.registry.get("relcon.MaskedPieces.v1")(Fixed(with_one_alone if objective == "ntxent" else by_label))
    (found,) = masked.batches(tiny_split(), Draw(0, torch.Generator().manual_seed(0), vocabulary))
    return found


def case(objective, way, dropout):
    """The loss, its parts and the gradients summed over the processes."""
    tokens, cache = WAYS[way]
    torch.manual_seed(0)
    shared = parts(dropout, resolve(MARKERS, "renderer"))
    modules = tasks(shared, OBJECTIVES[objective])
    found = batch(shared.encoders["text"].vocabulary, objective)
    torch.manual_seed(1)
    result = step(dict(modules.items()), found, tokens=tokens, cache=cache)
    processes.sum_gradients(modules)
    gradients = {name: each.grad.clone() for name, each in modules.named_parameters() if each.grad is not None}
    vectors, alive = encode(modules["contrast"].tower, found["contrast"].anchors, tokens=48)
    counts = [result.inputs, result.views, result.tokens, result.cropped, result.lost, int(alive.sum())]
    figures = {name: task.figures() for name, task in modules.items()}
    return {"loss": result.loss, "parts": result.parts, "counts": counts, "figures": figures}, {**gradients, "vectors": vectors}


def work(output, rank, count, objectives):
    """All cases, as one of so many processes."""
    if count > 1:
        dist.init_process_group("gloo", init_method=f"file://{output}-meeting", rank=rank, world_size=count)
    told, tensors = {}, {}
    for objective in objectives:
        for way, dropout in [(way, 0.0) for way in WAYS] + [("cut", 0.3), ("cached", 0.3)]:
            name = f"{objective}, {way}, dropout {dropout}"
            told[name], gradients = case(objective, way, dropout)
            tensors |= {f"{name}: {key}": tensor for key, tensor in gradients.items()}
    if processes.is_main():
        output.mkdir()
        save_file(tensors, output / "tensors.safetensors")
        (output / "told.json").write_text(json.dumps(told))
    if dist.is_initialized():
        dist.destroy_process_group()


def together(output, count, objectives):
    """All cases by so many processes."""
    started = []
    for rank in range(count):
        process = os.fork()
        if process == 0:
            code = 1
            try:
                work(output, rank, count, objectives)
                code = 0
            except Exception:
                traceback.print_exc()
            finally:
                os._exit(code)  # a fork must not run on into what its parent does next
        started.append(process)
    if any(os.waitpid(process, 0)[1] for process in started):
        sys.exit(1)


if __name__ == "__main__":
    for count, objectives in zip(sys.argv[3::2], sys.argv[4::2], strict=True):
        together(Path(sys.argv[2]) / count, int(count), objectives.split(","))
