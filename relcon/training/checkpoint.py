"""Checkpoints: written whole or not at all, checked before they are used, each a complete, loadable model beside what training
needs to go on.

    step-N/model/                 the model as a stage hands it on
    step-N/training.safetensors   optimizers, random state, and weights that `model/` does not hold bit for bit
    step-N/training.json          steps, epoch, selection, length of the log, and which tensor stands where
    step-N/manifest.json          size and hash of every file; it comes last
    best/epoch-N/                 the best models on development data, with a manifest each
"""

import logging
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional

from safetensors import SafetensorError
from torch import Tensor

from relcon import __version__
from relcon.errors import RelconError
from relcon.files import read_json, whole_folder, write_json
from relcon.model import Trained
from relcon.training.loop import Loop
from relcon.training.manifest import damage, write_manifest
from relcon.training.packing import Packer, Unpacker
from relcon.training.position import Position
from relcon.training.seeding import random_state

SCHEMA = 2
log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resumed:
    """What a stage goes on with.

    folder: the checkpoint. position: where training stood. log: the length of the log then, in bytes. random: torch's random
    state. damaged: newer checkpoints that cannot be used, each with what is wrong.
    """

    folder: Path
    position: Position
    log: int
    random: Mapping[str, Tensor]
    damaged: List[str]


# ---- writing -------------------------------------------------------------------------------------------------------------


def save_checkpoint(folder: Path, trained: Trained, loop: Loop, position: Position, log: int, keep: int = 2) -> None:
    """Write `folder/step-N` for the step of the loop and its phases, then delete all but the newest `keep`, and
    models that none of them remembers.

    log: the length of `log.jsonl` that belongs to this moment, in bytes. WriteError where the disk refuses; NonFiniteLoss where
    a weight is not finite. Draws nothing from any random stream.
    """
    loop.refuse_broken_weights()
    random = random_state()
    with whole_folder(folder / f"step-{loop.all_done}") as temporary:
        trained.save(temporary / "model")
        packer = Packer(temporary, "training.safetensors")
        for file in sorted((temporary / "model").rglob("*.safetensors")):
            packer.know(file.relative_to(temporary).as_posix())
        state = {name: packer.pack(value, name, seek=name == "modules") for name, value in state_of(loop, random).items()}
        packer.write()
        steps = [turn.done for turn in loop.turns]
        about = {"schema": SCHEMA, "relcon": __version__, "steps": steps, "log": log, "position": position.to_json()}
        write_json(temporary / "training.json", {**about, "state": state})
        write_manifest(temporary)
    prune(folder, loop.all_done, keep)


def state_of(loop: Loop, random: Mapping[str, Tensor]) -> Dict[str, Any]:
    """All that changes in training beside the position."""
    scaler = loop.accelerator.scaler
    return {
        "modules": loop.modules.state_dict(),
        "optimizers": [turn.optimizer.state_dict() for turn in loop.turns],
        "scaler": None if scaler is None else scaler.state_dict(),
        "random": random,
    }


def save_best(folder: Path, name: str, trained: Trained) -> None:
    """Write `folder/name/model`, a model that model selection wants kept."""
    with whole_folder(folder / name) as temporary:
        trained.save(temporary / "model")
        write_manifest(temporary)


def prune(folder: Path, step: int, keep: int) -> None:
    """Delete checkpoints behind `step` (of an attempt that was given up), all but the newest `keep`, and models that none of the
    kept ones remembers: an older checkpoint must find what it remembers, should the newest be damaged."""
    found = checkpoints(folder)
    kept = [path for path in found if step_of(path) <= step][-keep:]
    for path in found:
        if path not in kept:
            shutil.rmtree(path, ignore_errors=True)
    wanted = {name for path in kept for name in remembered(path)}
    for model in folder.glob("best/*"):
        if model.relative_to(folder).as_posix() not in wanted:
            shutil.rmtree(model, ignore_errors=True)


def remembered(path: Path) -> List[str]:
    """The models that a checkpoint remembers; none where it cannot be read."""
    try:
        return Position.from_json(read_json(path / "training.json")["position"]).models
    except (RelconError, OSError, ValueError, KeyError, TypeError):
        return []


# ---- reading -------------------------------------------------------------------------------------------------------------


def step_of(path: Path) -> int:
    """The step of a checkpoint."""
    return int(path.name.partition("-")[2])


def checkpoints(folder: Path) -> List[Path]:
    """The checkpoints in a folder, the newest last."""
    return sorted((path for path in folder.glob("step-*") if path.name[5:].isdigit()), key=step_of)


def newest_checkpoint(folder: Path) -> Optional[Path]:
    """The newest checkpoint that is as it was written, or None."""
    return next((path for path in reversed(checkpoints(folder)) if fault(path) is None), None)


def fault(path: Path) -> Optional[str]:
    """Why a checkpoint cannot be used, or None: its own files and the models that it remembers are checked."""
    return damage(path) or next((f"of its {name}: {found}" for name in remembered(path) if (found := damage(path.parent / name))), None)


def resume(folder: Path, loop: Loop) -> Optional[Resumed]:
    """Bring a loop to where its newest good checkpoint was written. Damaged ones are logged by name and passed over; None where no
    good one is left, and the loop is untouched."""
    damaged: List[str] = []
    for path in reversed(checkpoints(folder)):
        found = fault(path)
        if found is None:
            return load_checkpoint(path, loop, damaged)
        damaged.append(f"{path.name}: {found}")
        log.warning("Checkpoint %s is damaged and not used: %s.", path, found)
    if damaged:
        log.warning("No good checkpoint is left in %s: the stage starts anew.", folder)
    return None


def load_checkpoint(path: Path, loop: Loop, damaged: List[str]) -> Resumed:
    """Bring a loop back to where a whole checkpoint was written. RelconError where it does not fit the loop."""
    try:
        about = read_json(path / "training.json")
        if about["schema"] != SCHEMA:
            raise RelconError(f"it was written by relcon {about['relcon']}, in another form")
        state = Unpacker(path).unpack({"items": list(about["state"].items())})
        loop.modules.load_state_dict(state["modules"])
        for turn, optimizer in zip(loop.turns, state["optimizers"], strict=True):
            turn.optimizer.load_state_dict(optimizer)
        if loop.accelerator.scaler is not None and state["scaler"] is not None:
            loop.accelerator.scaler.load_state_dict(state["scaler"])
        position = Position.from_json(about["position"])
    except (RelconError, SafetensorError, OSError, RuntimeError, ValueError, KeyError, TypeError) as error:
        reason = str(error).strip().rstrip(".")
        raise RelconError(f"Checkpoint {path} does not fit this stage ({reason}). Remove {path.parent} to start the stage anew.") from error
    for turn, steps in zip(loop.turns, about["steps"], strict=True):
        turn.done = steps
    return Resumed(path, position, about["log"], state["random"], damaged)
