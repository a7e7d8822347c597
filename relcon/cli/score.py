"""`relcon score`: a file of predictions under a metric profile, without a model."""

from pathlib import Path
from typing import List, Optional

import typer


def score_cli(
    gold: Path = typer.Argument(..., help="What is right: labelled documents, or a SemEval key of lines ID<TAB>Label."),
    predicted: Path = typer.Argument(..., help="Predictions: of a run, of relcon predict, of a reader, of DocRED's or SemEval's scorer."),
    profile: Optional[str] = typer.Option(None, "--profile", help="A metric profile: semeval2010.official, e2e.strict.micro, ..."),
    all_profiles: bool = typer.Option(False, "--all-profiles", help="Every metric profile that applies, side by side."),
    reader: Optional[str] = typer.Option(None, "--reader", help="The reader of GOLD (relcon.JSONLines.v1 unless said)."),
    pred_reader: Optional[str] = typer.Option(None, "--pred-reader", help="The reader of PREDICTED, where it holds documents."),
    negative: List[str] = typer.Option([], "--negative", help="A label that means 'no relation'; may be given several times."),
    symmetric: List[str] = typer.Option([], "--symmetric", help="A label that holds in both directions; may be given several times."),
    complete: bool = typer.Option(False, "--complete", help="GOLD annotates all relations: a pair that it does not mark has none."),
    skip_unknown: bool = typer.Option(False, "--skip-unknown", help="Leave out predictions for what GOLD does not have."),
    folds: Optional[str] = typer.Option(None, "--folds", help="Metadata key of the fold, or a pattern of files in two folders."),
    train: Optional[Path] = typer.Option(None, "--train", help="Training data, read as GOLD is: for docred.ign_f1."),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="A folder for scores.json and tables."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace files of the same names in --output."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own."),
) -> None:
    """Score predictions in a file; no model is needed.

    relcon score gold.jsonl predictions.jsonl --profile micro --negative none

    Pairs are matched by the ids of documents and by the numbers of entities, or by their spans where PREDICTED has entities of its own. A
    pair without a prediction counts as no relation; a prediction for a document, entity or pair that GOLD does not have is a mistake.

    --folds fold takes the fold of each document from its metadata "fold"; --folds "fold-*.json" takes GOLD and PREDICTED for folders with
    the same files, one for each fold.

    Next: relcon compare RUN_A RUN_B (where the predictions come from runs)
    """
    from relcon.cli.tables import report_classes, report_profiles
    from relcon.config import import_code
    from relcon.data.archives import resolve
    from relcon.errors import RelconError
    from relcon.files import refuse_filling
    from relcon.score import Sources, score_files, write_scoring

    if (profile is None) != all_profiles:
        raise RelconError("Name one metric profile (--profile micro), or ask for all of them (--all-profiles).")
    import_code(code)
    if output is not None:
        refuse_filling(output, predicted, overwrite)
    sources = Sources(resolve(gold), resolve(predicted), reader, pred_reader, folds, None if train is None else resolve(train))
    found = score_files(
        sources, profile, negative=negative, symmetric=symmetric, complete=complete, skip_unknown=skip_unknown
    )  # fmt: skip
    report_profiles(found.lines)
    if profile is not None and found.lines[0].figures is not None:
        report_classes(found.lines[0].figures)
    for note in found.notes:
        typer.echo(note)
    if output is not None:
        write_scoring(output, found)
        typer.echo(f"Written to {output}.")
