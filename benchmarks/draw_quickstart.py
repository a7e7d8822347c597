"""Draws what the quickstart printed, for the README: python benchmarks/draw_quickstart.py runs/quickstart docs/quickstart.svg"""

import re
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from relcon.files import read_json

STAGES = {"without_contrast": "fine-tuning alone", "with_contrast": "after contrastive pre-training"}


def main(run: Path, target: Path) -> None:
    """The run's two evaluations as a table, in one SVG."""
    metrics = read_json(run / "metrics.json")
    table = Table(title="relcon train configs/quickstart.cfg", title_justify="left")
    table.add_column("stage")
    table.add_column("")
    for name in ("scores.f1", "shift.rate"):
        table.add_column(name, justify="right")
    for stage, words in STAGES.items():
        table.add_row(stage, words, *(f"{metrics[stage][name]:.4f}" for name in ("scores.f1", "shift.rate")))
    console = Console(record=True, width=88, file=open("/dev/null", "w"))  # noqa: SIM115 (only recorded)
    console.print(table)
    drawing = re.sub(r"@font-face \{.*?\}", "", console.export_svg(title="relcon"), flags=re.DOTALL)  # no font from elsewhere
    target.write_text(drawing, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
