"""`relcon evaluate`: a finished run's model on a split or on other data."""

from pathlib import Path
from typing import List, Optional

import typer


def evaluate_cli(
    run: Path = typer.Argument(..., help="The folder of a finished run."),
    data: Optional[Path] = typer.Option(None, "--data", help="Labelled data for the run's reader, instead of a split of its own."),
    split: Optional[str] = typer.Option(None, "--split", help="A split of the run's data: train, dev (unless said) or test."),
    profile: Optional[str] = typer.Option(None, "--profile", help="A metric profile (micro, ...) instead of the run's."),
    all_profiles: bool = typer.Option(False, "--all-profiles", help="Show what every metric profile gives, instead of the run's figures."),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="A folder for tables and predictions; none are kept without it."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace tables of the same names in --output."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own."),
) -> None:
    """Evaluate the model of a finished run.

    relcon evaluate runs/first --data new.jsonl --output runs/first-on-new

    --all-profiles scores the same predictions under every metric profile, marks the one that the run's config selects, and says why others
    do not apply.

    Of a run over folds or seeds name one: runs/first/folds/fold_01. A look at the split test is noted in the run's run.json.

    Next: relcon compare RUN_A RUN_B
    """
    from relcon.cli.tables import report_profiles, report_table
    from relcon.config import import_code
    from relcon.data.archives import resolve
    from relcon.errors import RelconError
    from relcon.evaluation import evaluate, side_by_side

    if data is not None and split is not None:
        raise RelconError("--data and --split exclude each other: give data of your own, or name a split of the run's data.")
    if profile is not None and all_profiles:
        raise RelconError("--profile and --all-profiles exclude each other: name one, or see all.")
    import_code(code)
    source = None if data is None else resolve(data)
    if all_profiles:
        for name, found in side_by_side(run, data=source, split=split or "dev", output=output, overwrite=overwrite).items():
            report_profiles(found.lines, name, found.selected)
        return
    figures = evaluate(run, data=source, split=split or "dev", profile=profile, output=output, overwrite=overwrite)
    report_table([{"figure": name, "value": f"{value:.4f}"} for name, value in figures.items()])
    typer.echo(f"Next: relcon compare {run} OTHER_RUN")
