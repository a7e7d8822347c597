"""What is compared with what. The first command of a comparison is relcon's; the others are what it is measured against."""

from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Callable, Dict, List, Sequence, Tuple

from commands import (
    CONTRAST,
    SEMEVAL,
    Figures,
    baseline,
    documents,
    first_step,
    help_page,
    marked,
    pairs,
    predict,
    small_encoder,
    train,
)

from relcon.encoders.minilm import minilm_folder

Command = Callable[[Path], Figures]
MINILM = minilm_folder()
SENTENCES = 640
LARGE = ["--batch", 1024, "--length", 32, "--steps", 2]


@dataclass(frozen=True)
class Comparison:
    """commands: by what they are called. speed: the figure whose ratio to the first command's is shown; of `seconds` less is better.
    columns: other figures, with what they are called."""

    commands: Dict[str, Command]
    speed: str = "instances_per_second"
    columns: Sequence[Tuple[str, str]] = (("peak_mib", "peak memory, MiB"), ("padding", "padding"))


def _large(output: Path, *overrides: str) -> Figures:
    """Contrast over 1,024 sentences, 2,048 views, in micro-batches of 1,024 positions: 32 views of 32."""
    encoder = ["--stages.pretrain.encoders.text.@encoders", "relcon.Transformer.v1"]
    encoder += ["--stages.pretrain.encoders.text.path", str(small_encoder(output)), "--stages.pretrain.encoders.text.max_length", "32"]
    sizes = ["--training.batch_size", "1024", "--training.micro_batch_tokens", "1024", "--training.max_steps", "2"]
    return train(output, "contrast.cfg", *CONTRAST, *encoder, *sizes, *overrides)


def _finetune(output: Path) -> Figures:
    words = ["--paths.train", str(SEMEVAL), "--data.limit", str(SENTENCES)]
    return train(output, "finetune.cfg", *words, warm_up=2)


COMPARISONS: Dict[str, Comparison] = {
    "contrast": Comparison(
        {
            "relcon": lambda output: train(output, "contrast.cfg", *CONTRAST),
            "bare loop, the same micro-batches": lambda output: baseline("contrast", pairs(output), MINILM, "--steps", 3),
            "the encoder's forward and backward alone": lambda output: baseline("encoder", pairs(output), MINILM, "--steps", 3),
            "sentence-transformers": lambda output: baseline("sentence_transformers_contrast", pairs(output), MINILM, "--steps", 3),
        }
    ),
    "cached": Comparison(
        {
            "relcon, batch 1,024 cached": lambda output: _large(output, "--training.gradient_caching", "true"),
            "relcon, batch 1,024 plain": _large,
            "relcon, batch 32 plain": lambda output: _large(output, "--training.batch_size", "32", "--training.max_steps", "6"),
            "sentence-transformers, batch 1,024 cached": lambda output: baseline(
                "sentence_transformers_contrast", pairs(output), small_encoder(output), *LARGE, "--cached", 32
            ),
        }
    ),
    "finetune": Comparison(
        {
            "relcon": _finetune,
            "plain loop": lambda output: baseline("finetune", marked(output, SENTENCES), MINILM),
        }
    ),
    "start": Comparison(
        {
            "second start": lambda output: first_step(output, fresh=False),
            "first start": lambda output: first_step(output, fresh=True),
        },
        speed="seconds",
        columns=(),
    ),
    "predict": Comparison(
        {
            "relcon predict, a document's pairs share its forward": predict,
            "one forward per pair (500 of the pairs)": lambda output: baseline("predict", documents(output, 1000, 10), MINILM),
        },
        speed="pairs_per_second",
        columns=(("seconds", "seconds"), ("pairs", "pairs")),
    ),
    "help": Comparison({"relcon --help": help_page}, speed="seconds", columns=()),
}


def measure(comparison: Comparison, output: Path, rounds: int) -> Dict[str, Figures]:
    """The commands in turn, so many times; the median of each figure over the rounds."""
    found: Dict[str, List[Figures]] = {name: [] for name in comparison.commands}
    for _ in range(rounds):
        for name, command in comparison.commands.items():
            found[name].append(command(output))
            print(name, found[name][-1], flush=True)
    return {name: {key: median(each[key] for each in figures) for key in figures[0]} for name, figures in found.items()}


def table(comparison: Comparison, figures: Dict[str, Figures]) -> str:
    """A comparison as Markdown."""
    unit = {"seconds": "seconds", "instances_per_second": "instances/s", "pairs_per_second": "pairs/s"}[comparison.speed]
    versus = "its time against this" if comparison.speed == "seconds" else "its speed against this"
    first, *_ = figures.values()
    head = ["command", unit, *([f"the first: {versus}"] if len(figures) > 1 else []), *(title for _, title in comparison.columns)]
    lines = [head, ["---"] * len(head)]
    for name, each in figures.items():
        ratio = [f"{first[comparison.speed] / each[comparison.speed]:.2f}"] if len(figures) > 1 else []
        lines.append([name, shown(comparison.speed, each), *ratio, *(shown(key, each) for key, _ in comparison.columns)])
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def shown(key: str, figures: Figures) -> str:
    """A figure as it is read."""
    if key not in figures:
        return "-"
    if key == "padding":
        return f"{100 * figures[key]:.0f} %"
    return f"{figures[key]:,.{0 if figures[key] >= 100 else 1 if figures[key] >= 10 else 2}f}"
