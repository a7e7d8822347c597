"""`relcon convert`: data of one format in another."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, List, Optional

import typer

if TYPE_CHECKING:
    from relcon.interfaces import Writer


def convert_cli(
    ctx: typer.Context,
    input: Path = typer.Argument(..., help="A file, folder or archive that a reader reads (sample:test.jsonl: of the sample)."),
    reader: Optional[str] = typer.Option(None, "--reader", help="Its format; told from the data unless given."),
    writer: Optional[str] = typer.Option(None, "--writer", help="The format to write: relcon.JSONLines.v1"),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="The file or folder to write; or give it as the last word."),
    strict: bool = typer.Option(False, "--strict", help="Write nothing where anything would be missing."),
    sniff: bool = typer.Option(False, "--sniff", help="Say which readers the data may be for, and why; write nothing."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace what is there."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own; may be given several times."),
) -> None:
    """Convert data from the format of a reader to that of a writer.

    \b
    relcon convert IN --sniff
    relcon convert IN --reader relcon.BRAT.v1 --writer relcon.JSONLines.v1 OUT
    relcon convert IN --writer relcon.SpERT.v1 OUT --reader.on_error skip

    Arguments of both are overrides: --reader.on_error skip, --writer.predictions true. `relcon components --kind writers` lists the formats
    that can be written.

    What the new format cannot hold is counted by its cause, with the first place; relcon.JSONLines.v1 holds everything.

    Next: relcon convert OUT --sniff
    """
    from relcon.cli.overrides import overrides_of, take_lone
    from relcon.config import import_code
    from relcon.conversion import components, convert, likely_reader, refuse_output
    from relcon.data.archives import origin, resolve
    from relcon.errors import RelconError
    from relcon.interfaces import DatasetReader, Writer

    import_code(code)
    source = resolve(input)
    if not source.exists():
        raise RelconError(f"{input} does not exist. Give a file or folder to convert.")
    if sniff:
        report_likely(source, input)
        return
    target = take_lone(ctx, output)
    if writer is None or target is None:
        missing = "--writer NAME" if writer is None else "the file or folder to write"
        raise RelconError(f"{missing} is missing: relcon convert IN --writer relcon.JSONLines.v1 OUT (or --sniff to look at IN).")
    if reader is None:
        likely = likely_reader(source)
        reader = likely.reader
        typer.echo(f"Read with {reader}: {likely.reason}.")
    named = ["--reader.@readers", reader, "--writer.@writers", writer]
    parts = components([*named, *overrides_of(ctx)], {"reader": DatasetReader, "writer": Writer})
    refuse_output(parts["writer"], target, origin(input), overwrite)
    found = convert(parts["reader"].read(source), parts["writer"], target, strict, some=True)
    for line in found.lines():
        typer.echo(line)
    if found.documents and not found.written:
        raise RelconError(f"{target} has no document, because {writer} left out all of the {found.documents} that were read.")
    typer.echo(f"{found.written} of {found.documents} documents written to {target}.")
    typer.echo(f"Next: {reading(parts['writer'])}")


def report_likely(path: Path, given: Path) -> None:
    """The readers for which a path may be. given: what the user calls it."""
    from relcon.cli.tables import report_table
    from relcon.errors import RelconError
    from relcon.sniffing import sniff

    found = sniff(path)
    if not found:
        raise RelconError(f"No reader knows {given}. relcon components --kind readers lists them.")
    report_table([{"reader": each.reader, "read": each.read, "because it has": each.reason, "but": each.failure or None} for each in found])
    if found[0].failure:
        typer.echo(f"None of them reads {given} as it is; the last column says why.")
    else:
        typer.echo(f"Next: relcon convert {given} --reader {found[0].reader} --writer relcon.JSONLines.v1 OUT")


def reading(writer: "Writer") -> str:
    """How a config reads what was written."""
    options = "".join(f", {name} = {json.dumps(value)}" for name, value in writer.options.items())
    return f'a corpus of a config reads it with @readers = "{writer.reader}"{options}'
