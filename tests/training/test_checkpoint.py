"""Checkpoints: at every step of an epoch, exactly; tensors are not written twice, and nothing is pickled."""

import hashlib
import json
from pathlib import Path
from typing import Any, Dict, Iterator, List

import pytest
import torch
from accelerate import Accelerator
from safetensors.torch import load_file

from relcon.errors import RelconError
from relcon.interfaces import Parts
from relcon.model import Trained
from relcon.poolers.sentence import CLS
from relcon.renderers.markers import EntityMarkers
from relcon.samplers.instances import Instances
from relcon.tasks.classification import Classification
from relcon.testing import tiny_encoder, tiny_split
from relcon.towers import HeadedTower
from relcon.training.checkpoint import checkpoints, resume, save_best, save_checkpoint
from relcon.training.loop import Loop, Stream
from relcon.training.packing import Packer, Unpacker
from relcon.training.position import EpochSums, Position
from relcon.training.schedules import LinearWarmup


class Attempt:
    """A loop with dropout, two streams of which one goes round, accumulated batches, and AdamW, from the weights of a seed."""

    def __init__(self, seed: int = 0):
        torch.manual_seed(seed)
        encoder = tiny_encoder(dropout=0.3)
        encoder.add_tokens(EntityMarkers().special_tokens)
        data = tiny_split(12)
        parts = Parts({"text": encoder}, {"sentence": CLS()}, data.labels)
        tasks = {name: Classification(name, HeadedTower("text", "sentence")) for name in ("first", "second")}
        for task in tasks.values():
            task.build(parts)
        self.trained = Trained(parts, tasks, {"poolers": {}, "tasks": {}})
        streams = {
            name: Stream(Instances(EntityMarkers(), size), data, None) for name, size in (("first", 2), ("second", 5))
        }  # 6 and 3 batches
        modules = self.trained.modules()
        self.loop = Loop(
            "stage",
            modules,
            tasks,
            streams,
            torch.optim.AdamW(modules.parameters(), lr=1e-2),
            LinearWarmup(0.3),
            Accelerator(cpu=True),
            steps=5,
            seed=3,
            accumulate=2 if len(data.instances) % 2 == 0 else 1,
        )
        self.position = Position()

    def steps(self, random: Any = None) -> Iterator[Dict[str, Any]]:
        """All steps, as the stage takes them; times left out."""
        while self.loop.done < self.loop.steps or self.position.running.steps:
            for record in self.loop.epoch(self.position.epoch, self.position.running.steps, random):
                self.position.running.add(record)
                yield {**vars(record), "seconds": 0}
            self.position = Position(self.position.epoch + 1, EpochSums())

    def save(self, folder: Path, **options: Any) -> None:
        """A checkpoint of this moment."""
        save_checkpoint(folder, self.trained, self.loop, self.position, log=17, **options)

    def weights(self) -> Dict[str, Any]:
        """All of them, and the optimizer's."""
        state = self.loop.optimizer.state_dict()["state"]
        moments = {f"{number}.{name}": tensor for number, each in state.items() for name, tensor in each.items()}
        return {name: tensor.tolist() for name, tensor in {**self.loop.modules.state_dict(), **moments}.items()}


@pytest.fixture(scope="module")
def whole() -> Any:
    """What happens without an interruption: the records of the steps, and the weights."""
    attempt = Attempt()
    return list(attempt.steps()), attempt.weights()


@pytest.mark.parametrize("stop", [1, 2, 3, 4, 5])
def test_it_goes_on_exactly_from_every_step(tmp_path: Path, whole: Any, stop: int) -> None:
    first, second = Attempt(), Attempt(seed=1)
    taken = first.steps()
    before = [next(taken) for _ in range(stop)]
    first.save(tmp_path)
    torch.manual_seed(99)
    found = resume(tmp_path, second.loop)
    assert found is not None and (found.log, found.position, found.damaged) == (17, first.position, [])
    second.position = found.position
    assert before + list(second.steps(found.random)) == whole[0]
    assert second.weights() == whole[1]


def test_saving_changes_nothing(tmp_path: Path, whole: Any) -> None:
    attempt, records = Attempt(), []
    for record in attempt.steps():
        records.append(record)
        attempt.save(tmp_path)
    assert (records, attempt.weights()) == whole


def test_a_weight_is_written_once(tmp_path: Path) -> None:
    attempt = Attempt()
    next(attempt.steps())
    attempt.save(tmp_path)
    (path,) = checkpoints(tmp_path)
    assert sorted(each.name for each in path.iterdir()) == ["manifest.json", "model", "training.json", "training.safetensors"]
    stored = load_file(path / "training.safetensors")
    assert {name.partition(".")[0] for name in stored} == {"optimizers", "random"}
    table = attempt.trained.parts.encoders["text"].state_dict()
    assert len(stored) < 3 * len(table) + 20


def test_what_the_model_folder_does_not_hold_exactly_is_written_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    attempt, other = Attempt(), Attempt(seed=1)
    next(attempt.steps())
    save = type(attempt.trained.parts.encoders["text"]).save

    def lossy(self: Any, folder: Path) -> None:
        save(self, folder)
        (folder / "model.safetensors").unlink()

    monkeypatch.setattr(type(attempt.trained.parts.encoders["text"]), "save", lossy)
    attempt.save(tmp_path)
    assert resume(tmp_path, other.loop) is not None
    assert other.weights() == attempt.weights()


def names(folder: Path) -> List[str]:
    return [path.name for path in checkpoints(folder)]


def test_the_newest_are_kept_with_the_models_that_they_remember(tmp_path: Path) -> None:
    attempt = Attempt()
    for step, models in ((1, ["best/epoch-1"]), (2, ["best/epoch-1"]), (10, ["best/epoch-2"])):
        attempt.loop.done, attempt.position.best = step, {"models": models}
        save_best(tmp_path, models[0], attempt.trained)
        attempt.save(tmp_path, keep=2)
    assert names(tmp_path) == ["step-2", "step-10"]
    assert sorted(path.name for path in (tmp_path / "best").iterdir()) == ["epoch-1", "epoch-2"]
    attempt.loop.done = 11
    attempt.save(tmp_path, keep=2)
    assert [path.name for path in (tmp_path / "best").iterdir()] == ["epoch-2"]
    attempt.loop.done = 4  # an attempt that went back further than step 10
    attempt.save(tmp_path, keep=2)
    assert names(tmp_path) == ["step-4"]


def test_a_checkpoint_of_another_form_is_refused(tmp_path: Path) -> None:
    attempt = Attempt()
    attempt.save(tmp_path)
    (path,) = checkpoints(tmp_path)
    about = json.loads((path / "training.json").read_text())
    text = json.dumps({**about, "schema": 99})
    (path / "training.json").write_text(text)
    manifest = json.loads((path / "manifest.json").read_text())
    manifest["files"]["training.json"] = {"bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
    (path / "manifest.json").write_text(json.dumps(manifest))
    with pytest.raises(RelconError, match=r"step-0 does not fit this stage \(it was written by relcon .*Remove .* to start the stage anew"):
        resume(tmp_path, attempt.loop)


def test_trees_come_back(tmp_path: Path) -> None:
    shared = torch.arange(6.0)
    tree = {
        "numbers": [1, 2.5, None, True, "x", float("inf")],
        3: (0.9, 0.999),
        "tensors": {
            "a": shared,
            "b": shared,
            "twin": shared.clone(),
            "view": shared[2:4],
            "bfloat": shared.bfloat16(),
            "bool": shared > 2,
            "empty": torch.empty(0),
        },
        "scalar": torch.tensor(3),
    }
    packer = Packer(tmp_path, "t.safetensors")
    text = json.dumps(packer.pack(tree, "tree"))
    packer.write()
    back = Unpacker(tmp_path).unpack(json.loads(text))
    assert back["numbers"] == tree["numbers"] and back[3] == tree[3] and list(back) == list(tree)
    for name, tensor in {**tree["tensors"], "scalar": tree["scalar"]}.items():  # type: ignore[dict-item]
        found = back["scalar"] if name == "scalar" else back["tensors"][name]
        assert found.dtype == tensor.dtype and torch.equal(found, tensor), name
    assert len(packer.tensors) == 7, "what two names share is written once"
    assert back["tensors"]["a"] is back["tensors"]["b"]
    assert back["tensors"]["a"] is not back["tensors"]["twin"], "equal ones stay two: an optimizer changes each in place"


@pytest.mark.parametrize("value", [object(), {1.5: 2}, {"deep": [print]}])
def test_what_is_no_plain_value_is_refused(tmp_path: Path, value: Any) -> None:
    with pytest.raises(RelconError, match="A checkpoint cannot keep state"):
        Packer(tmp_path, "t").pack(value, "state")
