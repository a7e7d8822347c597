"""`relcon evaluate`: a finished run's model on a split or on other data."""

from pathlib import Path
from typing import List, Optional

import typer


def evaluate_cli(
    run: Path = typer.Argument(..., help="The folder of a finished run."),
    data: Optional[Path] = typer.Option(None, "--data", help="Labelled data for the run's reader, instead of a split of its own."),
    split: str = typer.Option("dev", "--split", help="A split of the run's data: train, dev or test."),
    profile: Optional[str] = typer.Option(None, "--profile", help="A metric profile (micro, ...) instead of the run's."),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="A folder for tables and predictions; none are kept without it."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own."),
) -> None:
    """Evaluate the model of a finished run.

    relcon evaluate runs/first --data new.jsonl --output runs/first-on-new

    A look at the split test is noted in the run's run.json.

    Next: relcon compare RUN_A RUN_B
    """
    from relcon.cli.tables import report_table
    from relcon.config import import_code
    from relcon.evaluation import evaluate
    from relcon.sample import resolve

    import_code(code)
    figures = evaluate(run, data=None if data is None else resolve(data), split=split, profile=profile, output=output)
    report_table([{"figure": name, "value": f"{value:.4f}"} for name, value in figures.items()])
    typer.echo(f"Next: relcon compare {run} OTHER_RUN")
