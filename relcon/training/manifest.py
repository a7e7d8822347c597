"""A list of a folder's files with sizes and hashes, so that damage is seen before it is read."""

import hashlib
from pathlib import Path
from typing import Any, Dict, Optional

from relcon.errors import RelconError
from relcon.files import read_json, write_json

NAME = "manifest.json"


def write_manifest(folder: Path) -> None:
    """Write `manifest.json`: every file below a folder, its size in bytes and its SHA-256. Comes last, when all is there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    write_json(folder / NAME, {"files": {path.relative_to(folder).as_posix(): facts(path) for path in files}})


def facts(path: Path) -> Dict[str, Any]:
    """Size and hash of one file."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return {"bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def damage(folder: Path) -> Optional[str]:
    """What is wrong with a folder that has a manifest, in words; None where it is as it was written."""
    if not folder.is_dir():
        return f"{folder.name} is missing"
    try:
        listed = read_json(folder / NAME)["files"]
        return next((found for name, noted in listed.items() if (found := difference(folder, name, noted))), None)
    except (RelconError, OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return f"{NAME} cannot be read ({error})" if (folder / NAME).exists() else f"it has no {NAME}"


def difference(folder: Path, name: str, noted: Dict[str, Any]) -> Optional[str]:
    """How one file differs from what the manifest says of it."""
    path = folder / name
    if not path.is_file():
        return f"{name} is missing"
    if path.stat().st_size != noted["bytes"]:
        return f"{name} has {path.stat().st_size} bytes instead of {noted['bytes']}"
    return None if facts(path) == noted else f"{name} is not what was written (its SHA-256 differs)"
