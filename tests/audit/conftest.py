"""Audits of made-up records under a config whose every line is known, and whose encoder cuts words without loading anything."""

import json
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import pytest

from relcon.audit import Audit, Finding, audit
from relcon.config import load_config

CONFIG = """[paths]
train = null
dev = null
test = null
[data]
@corpora = "relcon.Corpus.v1"
train = ${paths.train}
dev = ${paths.dev}
test = ${paths.test}
cache = "none"
negative = ["none"]
[data.reader]
@readers = "relcon.JSONLines.v1"
[data.candidates]
@candidates = "relcon.EntityPairs.v1"
[stages.contrast]
@stages = "relcon.Pretrain.v1"
[stages.contrast.encoders.text]
@encoders = "relcon.CharacterBERT.v1"
path = "./none"
max_length = 8
[stages.contrast.streams.labels]
@samplers = "relcon.SameLabel.v1"
batch_size = 4
[stages.contrast.streams.labels.renderer]
@renderers = "relcon.EntityMarkers.v1"
"""

Record = Dict[str, Any]


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """The config above as a file."""
    path = tmp_path / "my.cfg"
    path.write_text(CONFIG, encoding="utf-8")
    return path


@pytest.fixture
def split_files(tmp_path: Path) -> Callable[..., List[str]]:
    """`split_files(train=[...], test=[...])`: the files, and the overrides that name them."""

    def write(**splits: Sequence[Record]) -> List[str]:
        words = []
        for name, records in splits.items():
            path = tmp_path / f"{name}.jsonl"
            path.write_text("".join(json.dumps(each) + "\n" for each in records), encoding="utf-8")
            words += [f"--paths.{name}", str(path)]
        return words

    return write


@pytest.fixture
def write_json(tmp_path: Path) -> Callable[[str, Any], str]:
    """`write_json("dev_patch", VALUE)`: the path of a file that holds the value."""

    def write(name: str, value: Any) -> str:
        path = tmp_path / f"{name}.json"
        path.write_text(json.dumps(value), encoding="utf-8")
        return str(path)

    return write


@pytest.fixture
def audited(config: Path, split_files: Callable[..., List[str]]) -> Callable[..., Audit]:
    """`audited("--a.b", "1", train=[...])`: the audit of these records."""
    return lambda *words, **splits: audit(load_config(config, [*split_files(**splits), *words]))


@pytest.fixture
def told(audited: Callable[..., Audit]) -> Callable[..., List[Finding]]:
    """`told("overlapping entities", train=[...])`: the findings of one check."""
    return lambda check, *words, **splits: [each for each in audited(*words, **splits).findings if each.check == check]
