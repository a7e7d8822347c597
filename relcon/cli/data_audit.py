"""`relcon check --data`: a data audit on the terminal."""

from pathlib import Path
from typing import TYPE_CHECKING, Optional

import typer

if TYPE_CHECKING:
    from relcon.audit import Audit, Finding
    from relcon.config import LoadedConfig

COLOURS = {"error": typer.colors.RED, "warning": typer.colors.YELLOW, "note": typer.colors.BLUE}


def check_data(loaded: "LoadedConfig", html: Optional[Path], json: Optional[Path], overwrite: bool) -> None:
    """Audit the data of a sound config: on the terminal, and in files where they are asked for. Exit code 2 where training would end.

    RelconError where a file exists and is not to be replaced, or is the config or its data.
    """
    from relcon.audit import audit, inputs_of, write_page
    from relcon.errors import RelconError
    from relcon.files import within, write_json

    read = inputs_of(loaded)
    for option, path in (("--html", html), ("--json", json)):
        if path is not None and path.exists() and not (overwrite and path.is_file()):
            raise RelconError(f"{option} {path} exists. Give another file, or --overwrite to replace it.")
        if path is not None and path.exists() and any(within(path, each) for each in read):
            raise RelconError(f"{option} {path} is the config or its data, which would be lost. Give another file.")
    found = audit(loaded)
    report_audit(found)
    if html is not None:
        write_page(found, html)
        typer.echo(f"Written: {html}")
    if json is not None:
        write_json(json, found.as_json())
        typer.echo(f"Written: {json}")
    typer.echo(f"{found.config}: {found.summary()}.")
    if found.errors:
        raise typer.Exit(2)


def report_audit(audit: "Audit") -> None:
    """Of each corpus tables of what there is, then the findings."""
    from relcon.audit.tables import tables_of
    from relcon.cli.tables import report_table

    for corpus in audit.corpora:
        typer.secho(corpus.title, bold=True)
        for title, rows in tables_of(corpus).items():
            report_table(rows, title)
        for finding in corpus.findings:
            _finding(finding)


def _finding(finding: "Finding") -> None:
    """What was found, a few cases, and what would change it."""
    typer.secho(f"{finding.severity}: {finding.check} ({finding.where})", fg=COLOURS[finding.severity], bold=True)
    typer.echo(f"  {finding.message}")
    for example in finding.examples:
        typer.echo(f"  - {example.place}: {example.text}")
    if finding.remedy:
        typer.echo(f"  To change it: {finding.remedy}")
