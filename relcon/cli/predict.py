"""`relcon predict`: relations for new text."""

from pathlib import Path
from typing import List, Optional

import typer


def predict_cli(
    run: Path = typer.Argument(..., help="The folder of a finished run."),
    input: Path = typer.Argument(..., help="A file or folder that the reader reads, labelled or not (sample:test.jsonl: of the sample)."),
    output: Path = typer.Option(..., "--output", "-o", help="JSON-lines, one object per pair, or per document where entities are found."),
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

    A model that finds entities by itself (an extractor) replaces those of the input, and may be given plain text (--reader
    relcon.PlainText.v1): each line then holds a document with its entities, and its relations, which name entities by number.

    --neighbours adds training examples with their distances, where the model keeps them.

    Next: relcon evaluate runs/first --data new.jsonl (where the new documents are labelled)
    """
    import json
    from collections import Counter

    from relcon.config import import_code
    from relcon.errors import RelconError
    from relcon.files import atomic, refuse_replacing
    from relcon.interfaces import Extractor
    from relcon.prediction import Predictor
    from relcon.sample import resolve

    import_code(code)
    source = resolve(input)
    if not source.exists():
        raise RelconError(f"{input} does not exist. Give a file or folder to predict on.")
    refuse_replacing(output, source, overwrite)
    blocks = {"@readers": reader} if reader else None, {"@candidates": candidates} if candidates else None
    predictor = Predictor(run, *blocks)
    found = Counter[str]()
    with atomic(output) as file:
        for document in predictor.predict(predictor.read(source)):
            found.update(entities=len(document.entities), relations=len(document.relations))
            for record in predictor.records(document, not positive_only, neighbours):
                file.write(json.dumps(record, ensure_ascii=False) + "\n")
                found["written"] += 1
    if isinstance(predictor.model, Extractor):
        counted = f"{found['written']} documents with {found['entities']} entities and {found['relations']} relations"
        typer.echo(f"{counted} written to {output}.")
    else:
        typer.echo(f"{found['written']} pairs written to {output}.")
    if not found["written"] and not positive_only:
        typer.echo(
            "The candidate rule asks about no pair of these documents; --candidates relcon.EntityPairs.v1 asks about all of a sentence."
        )
    if predictor.model.lost_views:
        typer.echo(f"{predictor.model.lost_views} pairs did not fit into the encoder's limit and were given no relation.")
    typer.echo(f"Next: relcon evaluate {run} --data {input} (where it is labelled)")
