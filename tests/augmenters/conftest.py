"""Augmenters as a config builds them, and a lexicon to build them with."""

from pathlib import Path
from typing import Any, Callable

import pytest

from relcon.config import load_config, resolve

LEXICON = "data\tfacts\tfindings\nclearly\tplainly\nsuggest\thint\tpoint to\ndirectly\tat once\tstraight\nyeast\tbarm\ncells\tunits\n"


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    path = tmp_path / "lexicon.tsv"
    path.write_text(LEXICON)
    return path


@pytest.fixture
def configured(tmp_path: Path) -> Callable[[str], Any]:
    """`configured(TEXT)`: the component of the `[augmenter]` section of a config."""

    def build(text: str) -> Any:
        path = tmp_path / "run.cfg"
        path.write_text(text)
        return resolve(load_config(path).tree["augmenter"], "[augmenter]")

    return build
