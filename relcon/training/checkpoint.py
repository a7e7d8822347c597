"""Checkpoints: written whole or not at all, each a complete, loadable model beside what training needs to go on."""

import os
import shutil
from pathlib import Path
from typing import Any, Dict, Optional

import torch

from relcon.errors import RelconError
from relcon.model import Trained
from relcon.training.loop import Loop


def save_checkpoint(folder: Path, epoch: int, trained: Trained, loop: Loop, best: Dict[str, Any]) -> None:
    """Write `folder/epoch-N`: `model/` (complete) and `training.pt` (weights, optimizer, step); older ones go when it is there.

    epoch: how many epochs are done. best: what model selection remembers.
    """
    target, temporary = folder / f"epoch-{epoch}", folder / f".epoch-{epoch}.{os.getpid()}.part"
    shutil.rmtree(temporary, ignore_errors=True)
    trained.save(temporary / "model")
    state = {
        "epoch": epoch,
        "done": loop.done,
        "modules": loop.modules.state_dict(),
        "optimizer": loop.optimizer.state_dict(),
        "best": best,
    }
    torch.save(state, temporary / "training.pt")
    shutil.rmtree(target, ignore_errors=True)
    temporary.rename(target)
    for old in folder.iterdir():
        if old != target and old.name != "best":
            shutil.rmtree(old, ignore_errors=True)


def newest_checkpoint(folder: Path) -> Optional[Path]:
    """The newest whole checkpoint, or None."""
    found = sorted(folder.glob("epoch-*"), key=lambda path: int(path.name.split("-")[1])) if folder.is_dir() else []
    return found[-1] if found else None


def load_checkpoint(path: Path, loop: Loop) -> Dict[str, Any]:
    """Bring a loop back to where a checkpoint was written; returns its epoch and what model selection remembered."""
    try:
        state = torch.load(path / "training.pt", map_location="cpu", weights_only=True)
    except (OSError, RuntimeError) as error:
        raise RelconError(f"{path} cannot be read ({error}). Remove the folder to go on from the start of the stage.") from error
    loop.modules.load_state_dict(state["modules"])
    loop.optimizer.load_state_dict(state["optimizer"])
    loop.done = state["done"]
    return {"epoch": state["epoch"], "best": state["best"]}
