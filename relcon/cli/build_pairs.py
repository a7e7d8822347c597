"""`relcon build-pairs`: pairs for contrastive pre-training from a corpus, or from a knowledge base and text."""

from pathlib import Path
from typing import List

import typer


def build_pairs_cli(
    ctx: typer.Context,
    config: Path = typer.Argument(..., help="A config with a [builder] section, .cfg or .yaml."),
    output: Path = typer.Option(..., "--output", "-o", help="The JSON-lines file to write."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace the file in --output."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own; may be given several times."),
) -> None:
    """Build candidate pairs with a registered builder and write them as relcon JSON-lines.

    The config has a block of @builders (and [paths], where it refers to them); `relcon components` lists the builders. Its keys are
    overridden by their paths:

    \b
    relcon build-pairs pairs.cfg -o pairs.jsonl --builder.max_pairs_per_sentence 4

    The file has one document per sentence, with a relation for every pair. `relcon.JSONLines.v1` reads it.

    Next: relcon train CONFIG --output DIR, with the pairs as the text of a pre-training stage
    """
    from relcon.checking import count
    from relcon.cli.overrides import overrides_of
    from relcon.config import load_config
    from relcon.pairs import build_pairs

    counts = build_pairs(load_config(config, overrides_of(ctx), code), output, overwrite)
    typer.echo(f"{output}: {count(counts.sentences, 'sentence')}, {count(counts.pairs, 'pair')}.")
    for cause, number in sorted(counts.skipped.items()):
        typer.echo(f"left out: {number} ({cause})")
    typer.echo(f"Next: relcon train CONFIG --output DIR, where a corpus of the config reads {output} with relcon.JSONLines.v1")
