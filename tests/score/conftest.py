"""Small files of what is right and what is predicted."""

import json
from pathlib import Path
from typing import Any, Callable

import pytest

from relcon.score import Scoring, Sources, score_files


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str, Any], Path]:
    """`written("gold.jsonl", [record, ...])`: JSON-lines, one array (`.json`), or text."""

    def made(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_text(content, encoding="utf-8")
        elif name.endswith(".json"):
            path.write_text(json.dumps(content), encoding="utf-8")
        else:
            path.write_text("".join(json.dumps(each) + "\n" for each in content), encoding="utf-8")
        return path

    return made


@pytest.fixture
def scored() -> Callable[..., Scoring]:
    """`scored(gold, predicted, "micro", reader=None, negative=["none"])`."""

    def run(gold: Path, predicted: Path, profile: Any = None, **options: Any) -> Scoring:
        places = {name: options.pop(name) for name in ("reader", "pred_reader", "folds", "train") if name in options}
        return score_files(Sources(gold, predicted, **places), profile, **options)

    return run
