"""The stage that evaluates: what it makes of the figures of its evaluators."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, Optional

import pytest
import torch

import relcon.stages.evaluate
from relcon.errors import RelconError
from relcon.interfaces import Evaluator, Model, Split
from relcon.stages.evaluate import Evaluate
from relcon.testing import tiny_split


class Cropping:
    """A model that cannot see three of the pairs it is given, whoever asks."""

    lost_views = 0

    def predict(self, instances: Any) -> None:
        self.lost_views += 3


class Asking(Evaluator):
    """Asks the model so often, and gives one figure."""

    primary = "figure"

    def __init__(self, figure: Any = 1.0, times: int = 1):
        self.figure, self.times = figure, times

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        for _ in range(self.times):
            model.predict(data.instances)
        return {"figure": self.figure}


@pytest.fixture
def figures(monkeypatch: pytest.MonkeyPatch) -> Any:
    """`figures(name=evaluator, ...)`: what the stage measures with them."""

    def run(**evaluators: Evaluator) -> Dict[str, float]:
        saved = SimpleNamespace(open=Cropping)
        monkeypatch.setattr(relcon.stages.evaluate, "SavedModel", lambda folder: saved)
        corpus = SimpleNamespace(split=lambda name: tiny_split(), splits=lambda: ["dev"])
        context: Any = SimpleNamespace(
            name="evaluate", corpus=corpus, folder=Path("nowhere"), run=SimpleNamespace(writes=False), saved_model=lambda stage: Path(stage)
        )
        return dict(Evaluate("tune", dict(evaluators), split="dev").run(context).figures)

    return run


def test_pairs_that_the_model_cannot_see_count_once_however_many_evaluators_ask(figures: Any) -> None:
    assert figures(one=Asking(), other=Asking()) == {"one.figure": 1.0, "other.figure": 1.0, "lost_views": 3.0}
    assert figures(one=Asking(times=2), other=Asking())["lost_views"] == 6


def test_figures_are_plain_numbers(figures: Any) -> None:
    found = figures(one=Asking(torch.tensor(0.5)))
    assert type(found["one.figure"]) is float and found["one.figure"] == 0.5


@pytest.mark.parametrize("figure", ["good", None, [0.5, 0.5]])
def test_a_figure_that_is_no_number_is_named(figure: Any, figures: Any) -> None:
    with pytest.raises(RelconError, match=r"\[stages.evaluate.evaluators.one\] gives the figure 'figure' as .*, which is no number"):
        figures(one=Asking(figure))
