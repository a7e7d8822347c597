"""`relcon build-distant`: a distantly supervised corpus from a knowledge base and text."""

from pathlib import Path
from typing import List, Optional

import typer


def build_distant_cli(
    ctx: typer.Context,
    triples: Path = typer.Option(..., "--triples", help="The knowledge base: lines HEAD<TAB>RELATION<TAB>TAIL."),
    text: Path = typer.Option(..., "--text", help="A file or folder of the reader's format."),
    output: Path = typer.Option(..., "--output", "-o", help="The folder of the corpus."),
    names: Optional[Path] = typer.Option(None, "--names", help="Names of its entities: lines SURFACE FORM<TAB>ID."),
    reader: Optional[str] = typer.Option(None, "--reader", help="Format of the text: relcon.JSONLines.v1 unless a config says another."),
    linker: Optional[str] = typer.Option(None, "--linker", help="What finds the entities: relcon.LinkedText.v1, likewise."),
    exclude: List[str] = typer.Option(
        [], "--exclude", metavar="[READER:]FILE", help="Evaluation data whose labelled pairs must get no label; several times."
    ),
    exclude_reader: Optional[str] = typer.Option(
        None, "--exclude-reader", help="Format of evaluation data without a READER of their own; that of the text unless given."
    ),
    negative: List[str] = typer.Option([], "--negative", help="A label of theirs that means 'no relation'; several times."),
    relation_names: Optional[Path] = typer.Option(None, "--relation-names", help='Names for rel_info.json: JSON {"P17": "country"}.'),
    multi_label: bool = typer.Option(True, "--multi-label/--single-label", help="All relations of a pair, or that of the last line alone."),
    preset: str = typer.Option("none", "--preset", help="Filters that ship with relcon: none, erica, docred, sentences."),
    config: Optional[Path] = typer.Option(None, "--config", help="A config with [linker], [reader], [filters], in place of a preset."),
    workers: int = typer.Option(1, "--workers", help="So many processes; the result does not depend on it.", min=1),
    part_documents: int = typer.Option(1000, "--part-documents", help="So many documents of the text become one file.", min=1),
    resume: bool = typer.Option(False, "--resume", help="Go on with a corpus that was cut short."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Build the corpus in --output anew."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own; may be given several times."),
) -> None:
    """Label the pairs of entities in text with the relations that a knowledge base has for them.

    \b
    relcon build-distant --triples kb.tsv --names names.tsv --text text.jsonl --exclude test.jsonl --output corpus
    relcon build-distant --triples kb.tsv --text text.jsonl -o corpus --preset docred --filters.max_words 510 \\
        --exclude relcon.DocRED.v1:docred/test.json --exclude relcon.OpenNRE.v1:semeval/test.txt

    --linker names what finds the entities (relcon components --kind distant); its arguments are overrides: --linker.names every. Nothing is
    filtered but documents without a label, unless a preset, a config or overrides (--filters.min_labels 4) say so.

    The folder gets documents/documents-00000.json and so on in DocRED's form, manifest.json with all counts, and the names of relations
    in rel_info.json.

    Next: relcon train CONFIG --output DIR, where a corpus of the config reads its documents with relcon.DocRED.v1
    """
    from relcon.cli.overrides import overrides_of
    from relcon.config import load_config
    from relcon.data.archives import resolve
    from relcon.distant.config import excluded, parts_of
    from relcon.distant.config import preset as preset_file
    from relcon.distant.corpus import build_distant
    from relcon.distant.parts import Job
    from relcon.errors import RelconError

    if config is not None and preset != "none":
        raise RelconError("--config and --preset exclude each other: copy the preset's filters into the config.")
    chosen = {"--linker.@distant": linker, "--reader.@readers": reader, "--exclude_reader.@readers": exclude_reader}
    words = [word for key, value in chosen.items() if value is not None for word in (key, value)]
    loaded = load_config(config or preset_file(preset), [*words, *overrides_of(ctx)], code)
    job = Job(
        **parts_of(loaded),
        text=resolve(text),
        triples=triples,
        names=names,
        exclude=tuple(map(excluded, exclude)),
        negative=tuple(negative),
        multi_label=multi_label,
        relation_names=relation_names,
        part_documents=part_documents,
    )
    manifest = build_distant(job, output, workers, resume, overwrite)
    for line in summary(output, manifest):
        typer.echo(line)
    typer.echo(f"Next: relcon train CONFIG --output DIR, where a corpus of the config reads {output}/documents with relcon.DocRED.v1")


def summary(output: Path, manifest: dict) -> List[str]:  # type: ignore[type-arg]  # read from JSON
    """The counts of a manifest for people."""
    read, documents, instances = (manifest[name] for name in ("documents_read", "documents", "instances"))
    removed = manifest["labels_removed_for_leakage"]
    return [
        f"{output}: {documents} of {read} documents, {instances} instances of {len(manifest['relations'])} relations.",
        *([f"taken away: {removed} labels (leakage filter)"] if removed else []),
        *(f"left out: {number} ({cause})" for cause, number in manifest["rejected"].items()),
    ]
