"""Pictures of embedding spaces, for `relcon plot`: a model's points in two dimensions, as a picture, as a table, and in figures."""

import csv
import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, Dict, Mapping, NamedTuple, Optional

import numpy as np
import torch
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.metrics import silhouette_score
from threadpoolctl import threadpool_limits

from relcon.errors import RelconError, did_you_mean
from relcon.evaluation import config_of, corpus_of, labelled_data, own_split
from relcon.files import atomic, refuse_replacing, write_json
from relcon.interfaces import Points
from relcon.prediction import Predictor

if TYPE_CHECKING:
    from matplotlib.figure import Figure

log = logging.getLogger(__name__)

LEAST = {"tsne": 4, "pca": 2}
"""How many points a method needs; t-SNE for a perplexity of 1."""

PERPLEXITY = 30.0
"""Of t-SNE: about how many neighbours a point keeps near. scikit-learn's default."""

SCORED = 2000
"""The most points of which a silhouette score is computed: it compares each with each."""

WIDTH, HEIGHT, DPI = 8.0, 6.0, 150
"""A picture in inches, and pixels per inch."""

MARKERS = "o^sDvP*X"
"""One for every ten labels, which are told apart by colour."""

ROWS = 30
"""Labels in one column of the legend."""


class Files(NamedTuple):
    """Where a space is drawn to: the picture (PNG), the table of its points (TSV), the figures (JSON)."""

    picture: Path
    table: Path
    figures: Path


class Drawn(NamedTuple):
    """What `plot` made: the files, and the figures as they stand in one of them."""

    files: Files
    figures: Dict[str, Any]


def plot(
    run: Path,
    space: str,
    *,
    output: Path,
    method: str = "tsne",
    data: Optional[Path] = None,
    split: str = "test",
    limit: int = 2000,
    seed: int = 0,
    overwrite: bool = False,
) -> Drawn:
    """Draw one of the spaces of a run's model.

    run: the folder of a finished run, or of one fold or seed. space: one of the model's `spaces`. output: the folder that gets the files
        SPACE-SPLIT-METHOD.png, .tsv and .json; others in it stay. method: as of `project`. data: labelled data for the run's reader;
        else `split` of its own. limit: how many points are drawn, chosen at random where there are more. seed: of the choice and
        of the projection. overwrite: replace files of these names.

    RelconError where the run, the space or the data are not there, a file is not to be replaced, or there are too few points.
    """
    loaded = config_of(run)
    files = files_of(output, f"{space}-{split if data is None else data.name}-{method}")
    for file in files:
        refuse_replacing(file, data, overwrite)
    predictor = Predictor(run)
    predictor.model.require_space(space)
    part = labelled_data(predictor, data) if data is not None else own_split(run, corpus_of(run, loaded), split, "relcon plot")
    points = sample(predictor.model.points(space, part), limit, seed)
    places = project(points, method, seed)
    figures = {"space": space, "split": part.name, "method": method, "seed": seed, **figures_of(points, seed)}
    write(files, points, places, f"{run.resolve().name}: {space} of {part.name} by {method}", figures)
    return Drawn(files, figures)


def files_of(folder: Path, name: str) -> Files:
    """The files of a picture of this name."""
    return Files(*(folder / f"{name}.{ending}" for ending in ("png", "tsv", "json")))


def sample(points: Points, limit: int, seed: int) -> Points:
    """At most `limit` of the points, each as likely as any other, in the order in which they were."""
    generator = torch.Generator().manual_seed(seed)
    numbers = torch.randperm(len(points.labels), generator=generator)[:limit].sort().values
    kept = numbers.tolist()
    return Points(points.vectors[numbers], [points.labels[number] for number in kept], [points.names[number] for number in kept])


def project(points: Points, method: str, seed: int) -> np.ndarray:
    """Places [N, 2] of points in the plane, the same for the same points, seed and version of scikit-learn.

    method: `tsne` keeps near what is near (van der Maaten and Hinton, "Visualizing Data using t-SNE", JMLR 2008; scikit-learn's defaults,
        with a perplexity of at most a third of the other points, which is logged); `pca` gives the first two principal components.

    RelconError for another method, and where there are too few points or all of them are one.
    """
    if method not in LEAST:
        raise RelconError(f"There is no method '{method}' to project points with.{did_you_mean(method, LEAST)}")
    count = len(points.labels)
    if count < LEAST[method]:
        raise RelconError(f"{method} needs {LEAST[method]} points or more, and there are {count}. Give more data, or a higher limit.")
    if bool((points.vectors == points.vectors[0]).all()):
        raise RelconError(f"All {count} points are one and the same vector, so there is nothing to draw: this space has collapsed.")
    with threadpool_limits(1):  # several threads would add up in any order, and t-SNE makes another picture of another last digit
        return _projector(method, seed, count).fit_transform(points.vectors.double().numpy())


def _projector(method: str, seed: int, count: int) -> Any:
    """scikit-learn's estimator for so many points."""
    if method == "pca":
        return PCA(2, random_state=seed)
    perplexity = min(PERPLEXITY, (count - 1) / 3)  # beyond a third, every point would be a neighbour of every other
    if perplexity < PERPLEXITY:
        log.warning("t-SNE of %d points takes a perplexity of %.1f instead of %.0f.", count, perplexity, PERPLEXITY)
    return TSNE(2, perplexity=perplexity, random_state=seed)


def figures_of(points: Points, seed: int) -> Dict[str, Any]:
    """`points`: how many there are of each label. `silhouette`: the mean silhouette coefficient of the labels.

    It is computed by Euclidean distance between the vectors themselves, not between their places in a picture (Rousseeuw, "Silhouettes",
    J. Comput. Appl. Math. 20, 1987): 1 where labels are compact and far apart, 0 where they lie on each other, below 0 where points are
    nearer to another label than to their own. Of more than 2,000 points so many are sampled by the seed. It is left out where these
    have one label, or each its own.
    """
    figures: Dict[str, Any] = {"points": dict(sorted(Counter(points.labels).items()))}
    some = sample(points, SCORED, seed)
    if 1 < len(set(some.labels)) < len(some.labels):
        figures["silhouette"] = float(silhouette_score(some.vectors.double().numpy(), some.labels))
    return figures


def draw(points: Points, places: np.ndarray, title: str) -> "Figure":
    """A scatter plot with a legend that counts the points of each label.

    places: [N, 2]. Labels take their colours and markers in sorted order, so that pictures with the same labels can be compared.
    """
    import matplotlib
    from matplotlib.figure import Figure  # not pyplot, which keeps pictures and looks for a screen

    labels, counts = np.array(points.labels), Counter(points.labels)
    with matplotlib.rc_context({"text.parse_math": False}):  # a dollar sign in a label is no formula
        figure = Figure(figsize=(WIDTH, HEIGHT), layout="constrained")
        axes = figure.add_subplot(title=title)
        groups = []
        for number, label in enumerate(sorted(counts)):
            x, y = places[labels == label].T
            groups.append(axes.scatter(x, y, s=16, alpha=0.8, linewidths=0, **_style(number)))
        entries = [f"{counts[label]} {label}" for label in sorted(counts)]
        columns = 1 + (len(entries) - 1) // ROWS
        figure.legend(groups, entries, loc="outside right upper", ncols=columns, fontsize="small", markerscale=1.5)
    return figure


def _style(number: int) -> Dict[str, Any]:
    """Colour and marker of a label."""
    from matplotlib import colormaps

    return {"color": colormaps["tab10"](number % 10), "marker": MARKERS[number // 10 % len(MARKERS)]}


def write(files: Files, points: Points, places: np.ndarray, title: str, figures: Mapping[str, Any]) -> None:
    """The picture (PNG, 1200 x 900 pixels), the table (TSV: x, y, label, name of each point) and the figures (JSON), each whole or not at
    all. places: [N, 2]. WriteError where the disk refuses.
    """
    with atomic(files.picture, "wb") as file:
        draw(points, places, title).savefig(file, format="png", dpi=DPI)
    with atomic(files.table) as file:
        rows = csv.writer(file, dialect="excel-tab", lineterminator="\n")
        rows.writerow(["x", "y", "label", "name"])
        for (x, y), label, name in zip(places.tolist(), points.labels, points.names, strict=True):
            rows.writerow([f"{x:.6g}", f"{y:.6g}", label, " ".join(name.split())])
    write_json(files.figures, figures)
