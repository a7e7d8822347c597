"""Tables on the terminal."""

from typing import Any, Mapping, Sequence


def report_table(rows: Sequence[Mapping[str, Any]], title: str = "") -> None:
    """Print rows as a table; columns in the order in which they first appear, '-' where a row has no value."""
    from rich.console import Console
    from rich.table import Table

    columns = list(dict.fromkeys(name for row in rows for name in row))
    table = Table(title=title or None)
    for number, name in enumerate(columns):
        table.add_column(name, justify="left" if number == 0 else "right")
    for row in rows:
        table.add_row(*("-" if row.get(name) is None else str(row[name]) for name in columns))
    Console().print(table)
