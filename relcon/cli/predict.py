"""`relcon predict`: relations for new text."""

from pathlib import Path
from typing import List, Optional

import typer


def predict_cli(
    run: Path = typer.Argument(..., help="The folder of a finished run."),
    input: Path = typer.Argument(..., help="A file or folder that the reader reads, labelled or not (sample:test.jsonl: of the sample)."),
    output: Path = typer.Option(..., "--output", "-o", help="JSON-lines, one object per candidate pair."),
    reader: Optional[str] = typer.Option(None, "--reader", help="Another reader than the run's: relcon.JSONLines.v1"),
    candidates: Optional[str] = typer.Option(None, "--candidates", help="Another candidate rule than the run's: relcon.EntityPairs.v1"),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace the file in --output."),
    positive_only: bool = typer.Option(False, "--positive-only", help="Leave out pairs predicted to have no relation."),
    neighbours: int = typer.Option(0, "--neighbours", help="Show so many of the nearest training examples with each prediction.", min=0),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own."),
) -> None:
    """Predict relations between the entities of new documents.

    relcon predict runs/first new.jsonl --output predictions.jsonl

    Of a run over folds or seeds name one: runs/first/folds/fold_01.

    Each line holds the document's id, both arguments with text, type, word and character spans, the label and its probability. Where a
    pair may have several relations, each has a line of its own.

    A model that finds entities by itself (an extractor) replaces those of the input, and may be given plain text. --neighbours adds
    training examples with their distances, where the model keeps them.

    Next: relcon evaluate runs/first --data new.jsonl (where the new documents are labelled)
    """
    import json

    from relcon.config import import_code
    from relcon.errors import RelconError
    from relcon.files import atomic, refuse_replacing
    from relcon.interfaces import Extractor
    from relcon.prediction import Predictor, as_records
    from relcon.sample import resolve

    import_code(code)
    source = resolve(input)
    if not source.exists():
        raise RelconError(f"{input} does not exist. Give a file or folder to predict on.")
    refuse_replacing(output, source, overwrite)
    blocks = {"@readers": reader} if reader else None, {"@candidates": candidates} if candidates else None
    predictor = Predictor(run, *blocks)
    count = 0
    with atomic(output) as file:
        for document in predictor.predict(predictor.read(source)):
            near = predictor.neighbours(document, neighbours) if neighbours else None
            for record in as_records(document, predictor.model.labels.negative, not positive_only, near):
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
                count += 1
    typer.echo(f"{count} pairs written to {output}.")
    if not count and isinstance(predictor.model, Extractor):
        typer.echo("The model finds no relation in these documents.")
    elif not count and not positive_only:
        typer.echo(
            "The candidate rule asks about no pair of these documents; --candidates relcon.EntityPairs.v1 asks about all of a sentence."
        )
    if predictor.model.lost_views:
        typer.echo(f"{predictor.model.lost_views} pairs did not fit into the encoder's limit and were given no relation.")
    typer.echo(f"Next: relcon evaluate {run} --data {input} (where it is labelled)")
