"""State of any shape as JSON and safetensors: nothing is pickled, so nothing that is loaded can run.

A tree of dicts, lists, tuples, plain values and tensors becomes JSON in which a tensor is named by its file and its name there.
A tensor whose very bytes stand in a file already is not written again.
"""

import hashlib
from pathlib import Path
from typing import Any, Dict, Hashable, Mapping, Tuple

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from relcon.errors import RelconError

Place = Tuple[str, str]
"""A file, relative to the checkpoint, and the name of a tensor in it."""


class Packer:
    """Packs trees and gathers their tensors.

    folder: of the checkpoint. file: the name of the file that the tensors go to which stand nowhere else yet.
    """

    def __init__(self, folder: Path, file: str):
        self.folder, self.file = folder, file
        self.tensors: Dict[str, Tensor] = {}
        self.places: Dict[str, Place] = {}
        self._met: Dict[Hashable, Tuple[Place, Tensor]] = {}

    def know(self, file: str) -> None:
        """Take note of the tensors of a file that is written already."""
        with safe_open(self.folder / file, framework="pt") as tensors:
            for name in tensors.keys():  # noqa: SIM118 (no mapping)
                self.places.setdefault(digest(tensors.get_tensor(name)), (file, name))

    def pack(self, value: Any, name: str, seek: bool = False) -> Any:
        """A tree as JSON. name: what it is called in error messages, and the beginning of its tensors' names. seek: look for its
        tensors in the files that are written already.

        RelconError where it holds something that is neither a plain value nor a tensor.
        """
        if isinstance(value, Tensor):
            return {"tensor": list(self._place(value, name, seek))}
        if isinstance(value, Mapping):
            return {"items": [[self._key(key, name), self.pack(each, f"{name}.{key}", seek)] for key, each in value.items()]}
        if isinstance(value, (list, tuple)):
            packed = [self.pack(each, f"{name}.{number}", seek) for number, each in enumerate(value)]
            return {"tuple": packed} if isinstance(value, tuple) else packed
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        raise RelconError(
            f"A checkpoint cannot keep {name}: a {type(value).__name__} is neither a plain value nor a tensor. "
            "State of a component must be made of these."
        )

    def write(self) -> None:
        """Write the gathered tensors."""
        save_file(self.tensors, self.folder / self.file)

    def _place(self, tensor: Tensor, name: str, seek: bool) -> Place:
        """Where a tensor stands, or will stand. One that several names share is written once."""
        where = (tensor.device, tensor.data_ptr(), tuple(tensor.shape), tensor.stride(), tensor.dtype)
        if where not in self._met:
            found = self.places.get(digest(tensor)) if seek else None
            if found is None:
                self.tensors[name] = alone(tensor.detach().cpu().contiguous())
            self._met[where] = (found or (self.file, name), tensor)  # kept, so that no other comes to lie at its address
        return self._met[where][0]

    @staticmethod
    def _key(key: Any, name: str) -> Any:
        if not isinstance(key, (int, str)):
            raise RelconError(f"A checkpoint cannot keep {name}: its key {key!r} is neither a text nor a whole number.")
        return key


def digest(tensor: Tensor) -> str:
    """A hash of type, shape and bytes."""
    found = hashlib.sha256(f"{tensor.dtype} {tuple(tensor.shape)} ".encode())
    found.update(tensor.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
    return found.hexdigest()


def alone(tensor: Tensor) -> Tensor:
    """The tensor, copied where it is a part of a larger storage: safetensors writes no views."""
    return tensor if tensor.untyped_storage().nbytes() == tensor.nbytes else tensor.clone()


class Unpacker:
    """Builds trees again. folder: of the checkpoint; each file is read once."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._files: Dict[str, Dict[str, Tensor]] = {}

    def unpack(self, value: Any) -> Any:
        """The tree that was packed."""
        if isinstance(value, list):
            return [self.unpack(each) for each in value]
        if not isinstance(value, dict):
            return value
        if "tensor" in value:
            return self._tensor(*value["tensor"])
        if "tuple" in value:
            return tuple(self.unpack(each) for each in value["tuple"])
        return {key: self.unpack(each) for key, each in value["items"]}

    def _tensor(self, file: str, name: str) -> Tensor:
        if file not in self._files:
            self._files[file] = load_file(self.folder / file)
        return self._files[file][name]
