"""A model of another run as a stage."""

from pathlib import Path

import pytest

from relcon.config import load_config
from relcon.data.json import write_jsonl
from relcon.dry_run import dry_run
from relcon.errors import RelconError
from relcon.model import SavedModel
from relcon.pipeline import train
from relcon.testing import tiny_corpus, tiny_encoder_folder

CONFIG = Path(__file__).parents[1] / "cli" / "data" / "tiny.cfg"
SAVED = """
[stages.first]
@stages = "relcon.Saved.v1"
path = "{model}"

"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with data, an encoder, and a run that trained it for one step."""
    folder = tmp_path_factory.mktemp("saved")
    tiny_encoder_folder(folder / "bert", layers=1)
    write_jsonl(tiny_corpus(16), folder / "data.jsonl")
    train(load_config(CONFIG, words(folder)), folder / "first")
    return folder


def words(folder: Path) -> list:
    data = [word for name in ("train", "dev", "test") for word in (f"--paths.{name}", str(folder / "data.jsonl"))]
    return [*data, "--paths.encoder", str(folder / "bert"), "--training.max_steps", "1"]


def taking(folder: Path, model: str) -> Path:
    """The config whose fine-tuning starts from what another run saved."""
    text = CONFIG.read_text(encoding="utf-8")
    own = '[stages.finetune.encoders.text]\n@encoders = "relcon.Transformer.v1"\npath = ${paths.encoder}\nmax_length = 40\n'
    assert own in text
    text = text.replace(own, '[stages.finetune.encoders]\ntext = "first.text"\n')
    config = folder / "taking.cfg"
    config.write_text(text.replace("[stages.finetune]", SAVED.format(model=model) + "[stages.finetune]"), encoding="utf-8")
    return config


def test_another_runs_encoder_is_the_start(place: Path) -> None:
    model = place / "first/stages/finetune/model"
    config = taking(place, str(model))
    train(load_config(config, [*words(place), "--stages.finetune.epochs", "0", "--training.max_steps", "0"]), place / "second")
    weights = SavedModel(model).encoder("text").state_dict()
    handed_on = SavedModel(place / "second/stages/finetune/model").encoder("text").state_dict()
    assert all(weights[name].equal(value) for name, value in handed_on.items())
    assert (place / "second/stages/first/model/model.json").exists(), "the other run may go"


def test_a_dry_run_says_where_it_comes_from(place: Path) -> None:
    model = place / "first/stages/finetune/model"
    plan = dry_run(load_config(taking(place, str(model)), words(place)))
    assert plan.stages["first"].notes == [f"takes {model}"]


def test_no_model_there(place: Path) -> None:
    with pytest.raises(RelconError, match=r"\[stages.first\].*nowhere holds no relcon model"):
        train(load_config(taking(place, "nowhere"), words(place)), place / "third")
    assert not (place / "third").exists()
