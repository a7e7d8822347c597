"""Fixtures of the config and command-line tests: a sound config of toy components, and ways to change it."""

from pathlib import Path
from typing import Any, Callable

import pytest

TESTS = Path(__file__).parent


@pytest.fixture(scope="session")
def toy_code() -> Path:
    """A `--code` file with toy components."""
    return TESTS / "toy_parts.py"


@pytest.fixture(scope="session")
def toy_cfg() -> Path:
    """A config of the toy components, sound once `--paths.train` is given."""
    return TESTS / "toy.cfg"


@pytest.fixture
def toy(toy_cfg: Path, toy_code: Path) -> Callable[..., Any]:
    """`toy("--training.seed", "3")`: the toy config with these overrides."""
    from relcon.config import load_config

    return lambda *words: load_config(toy_cfg, ["--paths.train", "train.txt", *words], [toy_code])


@pytest.fixture
def load(tmp_path: Path, toy_code: Path) -> Callable[..., Any]:
    """`load(text, "--a.b", "1", suffix=".yaml")`: a config from its text."""
    from relcon.config import load_config

    def from_text(text: str, *words: str, suffix: str = ".cfg") -> Any:
        path = tmp_path / f"my{suffix}"
        path.write_text(text, encoding="utf-8")
        return load_config(path, words, [toy_code])

    return from_text


@pytest.fixture
def edited(toy_cfg: Path, load: Callable[..., Any]) -> Callable[..., Any]:
    """`edited(("seed = 0", "seed = 1"))`: the toy config with pieces of its text replaced, each of which must be there once."""

    def edit(*changes: Any, words: Any = ()) -> Any:
        text = toy_cfg.read_text(encoding="utf-8")
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in the toy config"
            text = text.replace(old, new)
        return load(text, "--paths.train", "train.txt", *words)

    return edit
