"""`relcon plot`: pictures of the embedding spaces of a finished run."""

from enum import Enum
from pathlib import Path
from typing import List, Optional

import typer


class Projection(str, Enum):
    """What `--method` takes."""

    tsne = "tsne"
    pca = "pca"


def plot_cli(
    run: Path = typer.Argument(..., help="The folder of a finished run."),
    space: str = typer.Option(..., "--space", help="A space of its model: relations, entities, or one that its method adds."),
    method: Projection = typer.Option(Projection.tsne, "--method", help="How the space is laid into the plane."),
    split: Optional[str] = typer.Option(None, "--split", help="A split of the run's data: train, dev or test (unless said)."),
    data: Optional[Path] = typer.Option(None, "--data", help="Labelled data for the run's reader, instead of a split of its own."),
    limit: int = typer.Option(2000, "--limit", min=1, help="Draw so many points, chosen at random where there are more."),
    seed: int = typer.Option(0, "--seed", min=0, max=2**32 - 1, help="Chooses the points and starts t-SNE."),
    output: Optional[Path] = typer.Option(None, "--output", "-o", help="The folder of the pictures; RUN/plots unless said."),
    overwrite: bool = typer.Option(False, "--overwrite", help="Replace a picture of the same name."),
    code: List[Path] = typer.Option([], "--code", help="A Python file with components of your own."),
) -> None:
    """Draw an embedding space of a finished run's model, coloured by label.

    relcon plot runs/first --space relations

    Writes SPACE-SPLIT-METHOD.png, the same points as .tsv (x, y, label, name), and .json with the number of points of each label and the
    silhouette score of the labels in the space itself.

    Of a run over folds or seeds name one: runs/first/folds/fold_01. A look at the split test is noted in the run's run.json.

    Next: relcon compare RUN_A RUN_B
    """
    from relcon.cli.tables import report_table
    from relcon.config import import_code
    from relcon.data.archives import resolve
    from relcon.errors import RelconError
    from relcon.plotting import plot

    if data is not None and split is not None:
        raise RelconError("--data and --split exclude each other: give data of your own, or name a split of the run's data.")
    import_code(code)
    source, folder = None if data is None else resolve(data), output or run / "plots"
    drawn = plot(
        run,
        space,
        output=folder,
        method=method.value,
        data=source,
        split=split or "test",
        limit=limit,
        seed=seed,
        overwrite=overwrite,
    )
    report_table([{"label": label, "points": count} for label, count in drawn.figures["points"].items()])
    if "silhouette" in drawn.figures:
        typer.echo(f"Silhouette of the labels: {drawn.figures['silhouette']:.4f}")
    typer.echo("\n".join(map(str, drawn.files)))
    typer.echo(f"Next: relcon compare {run} OTHER_RUN")
