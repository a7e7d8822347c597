"""Tables on the terminal."""

import sys
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence

if TYPE_CHECKING:
    from relcon.score import Line

WIDE = 200
"""Columns where the output is no terminal, so that a table in a log is not cut to a narrow one's."""


def report_table(rows: Sequence[Mapping[str, Any]], title: str = "") -> None:
    """Print rows as a table; columns in the order in which they first appear, '-' where a row has no value."""
    from rich.console import Console
    from rich.table import Table

    table = Table(title=title or None, title_justify="left")
    for number, name in enumerate(dict.fromkeys(name for row in rows for name in row)):
        table.add_column(name, justify="left" if number == 0 else "right")
    names = [str(column.header) for column in table.columns]
    for row in rows:
        table.add_row(*("-" if row.get(name) is None else str(row[name]) for name in names))
    Console(markup=False, highlight=False, width=None if sys.stdout.isatty() else WIDE).print(table)


def report_profiles(lines: Sequence["Line"], title: str = "", selected: Optional[str] = None) -> None:
    """Print what metric profiles give, the selected one marked with `*`, and below why others do not apply."""
    import typer

    names = ("f1", "precision", "recall", "accuracy", "entity_f1")
    rows = [
        {
            "profile": f"{line.profile.name} *" if line.profile.name == selected else line.profile.name,
            **{name: f"{line.figures[name]:.4f}" for name in names if name in line.figures},
            "negative": ", ".join(line.negative) or None,
            "remark": line.why or None,
        }
        for line in lines
        if line.figures is not None
    ]
    if rows:
        report_table(rows, title)
    if any(line.profile.name == selected for line in lines):
        typer.echo("* is what the config selects.")
    for line in lines:
        if line.figures is None:
            typer.echo(f"{line.profile.name}: does not apply; it {line.why}.")


def report_classes(figures: Mapping[str, float]) -> None:
    """Print the figures of each class (`f1/CLASS`), where there are any."""
    classes = [name for kind, _, name in (key.partition("/") for key in figures) if kind == "support"]
    digits = {"f1": 4, "precision": 4, "recall": 4, "support": 0, "predicted": 0}
    rows = [{"class": name, **{kind: f"{figures[f'{kind}/{name}']:.{places}f}" for kind, places in digits.items()}} for name in classes]
    if rows:
        report_table(rows)
