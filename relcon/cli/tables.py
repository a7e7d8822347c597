"""Tables on the terminal."""

import sys
from typing import Any, Mapping, Sequence

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
