"""`relcon predict`: relations for new text."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Iterator, List, Optional

import typer

if TYPE_CHECKING:
    from relcon.data.document import Document
    from relcon.interfaces import Writer
    from relcon.prediction import Predictor


LOST = {
    "pairs": "pairs did not fit into the encoder's limit and were given no relation.",
    "words": "words lie beyond the encoder's limit and were not read.",
}
"""What is said of lost views, by their unit."""


def predict_cli(
    ctx: typer.Context,
    run: Path = typer.Argument(..., help="The folder of a finished run."),
    input: Path = typer.Argument(..., help="A file or folder that the reader reads, labelled or not (sample:test.jsonl: of the sample)."),
    output: Path = typer.Option(..., "--output", "-o", help="The file to write, or the folder of such a --writer."),
    reader: Optional[str] = typer.Option(None, "--reader", help="Another reader than the run's: relcon.JSONLines.v1"),
    candidates: Optional[str] = typer.Option(None, "--candidates", help="Another candidate rule than the run's: relcon.EntityPairs.v1"),
    writer: Optional[str] = typer.Option(None, "--writer", help="Write documents in this format: relcon.BRAT.v1"),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace what is in --output."),
    positive_only: bool = typer.Option(False, "--positive-only", help="Leave out pairs predicted to have no relation."),
    neighbours: int = typer.Option(0, "--neighbours", help="Show so many of the nearest training examples with each prediction.", min=0),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own."),
) -> None:
    """Predict relations between the entities of new documents.

    relcon predict runs/first new.jsonl --output predictions.jsonl

    Of a run over folds or seeds name one: runs/first/folds/fold_01.

    Each line of the output holds the document's id, both arguments with text, type, word and character spans, the label and its
    probability. Where a pair may have several relations, each has a line of its own.

    A model that finds entities by itself (an extractor) replaces those of the input, and may be given plain text (--reader
    relcon.PlainText.v1): each line then holds a document with its entities, and its relations, which name entities by number.

    --writer writes the documents with what is predicted in the format of an annotation tool, or another (relcon components --kind writers);
    its arguments are overrides (--writer.predictions true), and --positive-only leaves out what a person need not see.

    --neighbours adds training examples with their distances, where the model keeps them.

    Next: relcon evaluate runs/first --data new.jsonl (where the new documents are labelled)
    """
    from relcon.cli.overrides import overrides_of
    from relcon.config import import_code
    from relcon.conversion import components, refuse_output
    from relcon.data.archives import origin, resolve
    from relcon.errors import RelconError
    from relcon.files import refuse_replacing, within
    from relcon.interfaces import Writer
    from relcon.prediction import Predictor

    import_code(code)
    source = resolve(input)
    if not source.exists():
        raise RelconError(f"{input} does not exist. Give a file or folder to predict on.")
    named = ["--writer.@writers", writer] if writer else []
    chosen = components([*named, *overrides_of(ctx)], {"writer": Writer}).get("writer")
    if chosen is None:
        refuse_replacing(output, origin(input), overwrite)
    else:
        refuse_output(chosen, output, origin(input), overwrite)
    if within(output, run):
        raise RelconError(f"{output} lies in the run that predicts, whose files it could replace. Give another place with --output.")
    blocks = {"@readers": reader} if reader else None, {"@candidates": candidates} if candidates else None
    predictor = Predictor(run, *blocks)
    if chosen is None:
        write_lines(predictor, source, output, positive_only, neighbours)
    elif neighbours:
        raise RelconError("--neighbours is for the lines that are written without --writer; leave one of them out.")
    else:
        write_documents(predictor, source, output, positive_only, chosen)
    if predictor.model.lost_views:
        typer.echo(f"{predictor.model.lost_views} {LOST[predictor.model.lost_unit]}")
    typer.echo(f"Next: relcon {shlex.join(['evaluate', str(run), '--data', str(input)])} (where it is labelled)")


def documents_of(predictor: "Predictor", source: Path) -> "Iterator[Document]":
    """The documents of the input. Where the reader reads none of them and the input looks like another reader's, the error says so."""
    from relcon.errors import DataError, RelconError

    read = False
    try:
        for document in predictor.read(source):
            read = True
            yield document
    except DataError as error:
        other = None if read else another_reader(predictor, source)
        if other is None:
            raise
        raise RelconError(f"{error}\n{other}") from error


def another_reader(predictor: "Predictor", source: Path) -> Optional[str]:
    """Which reader to name for an input that the predictor's cannot read, in whole sentences; None where none is likelier. Text without
    entities is of use to an extractor alone."""
    from relcon.interfaces import DatasetReader, Extractor
    from relcon.sniffing import sniff

    for likeness in sniff(source):
        reader = DatasetReader.registry.get(likeness.reader)
        if isinstance(predictor.reader, reader):
            return None
        if not likeness.failure and (isinstance(predictor.model, Extractor) or not reader.last_resort):
            return f"Did you mean --reader {likeness.reader}? The input has {likeness.reason}."
    return None


def write_lines(predictor: "Predictor", source: Path, output: Path, positive_only: bool, neighbours: int) -> None:
    """Predictions as JSON-lines, and what is said of them."""
    import json
    from collections import Counter

    from relcon.files import atomic
    from relcon.interfaces import Extractor

    found = Counter[str]()
    with atomic(output) as file:
        for document in predictor.predict(documents_of(predictor, source)):
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


def write_documents(predictor: "Predictor", source: Path, output: Path, positive_only: bool, writer: "Writer") -> None:
    """Predicted documents in the format of a writer, and what it cannot hold."""
    from relcon.conversion import convert
    from relcon.prediction import related

    documents = predictor.predict(documents_of(predictor, source))
    if positive_only:
        documents = (related(document, predictor.model.labels.negative) for document in documents)
    found = convert(documents, writer, output)
    for line in found.lines():
        typer.echo(line)
    typer.echo(f"{found.written} of {found.documents} documents written to {output}.")
