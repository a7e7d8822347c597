"""Embedding spaces in the plane, of hand-made points: places, pictures, tables and figures."""

import json
import struct
from typing import Sequence

import numpy as np
import pytest
import torch
from sklearn.metrics import silhouette_score

from relcon.errors import RelconError
from relcon.interfaces import Points
from relcon.plotting import draw, figures_of, files_of, project, sample, write


def points(vectors: Sequence[Sequence[float]], labels: Sequence[str]) -> Points:
    """Points with these vectors and labels, named by their number."""
    return Points(torch.tensor(vectors), list(labels), [f"point {number}" for number in range(len(labels))])


def clusters(count: int) -> Points:
    """So many points in eight dimensions, in two clusters far apart, `a` and `b` by turns."""
    vectors = torch.randn(count, 8, generator=torch.Generator().manual_seed(1))
    vectors[::2, 0] += 50
    return Points(vectors, ["a" if number % 2 == 0 else "b" for number in range(count)], [str(number) for number in range(count)])


# ---- choosing ----------------------------------------------------------------------------------------------------------


def test_a_sample_keeps_points_whole_and_in_order():
    every = clusters(50)
    some = sample(every, 10, seed=3)
    numbers = [int(name) for name in some.names]
    assert len(set(numbers)) == 10 and numbers == sorted(numbers)
    assert torch.equal(some.vectors, every.vectors[numbers]) and some.labels == [every.labels[number] for number in numbers]
    assert sample(every, 10, seed=3).names == some.names != sample(every, 10, seed=4).names
    assert sample(every, 50, seed=3).names == sample(every, 99, seed=3).names == every.names


def test_every_point_is_as_likely_as_any_other():
    drawn = [name for seed in range(400) for name in sample(clusters(8), 4, seed).names]
    counts = [drawn.count(str(number)) for number in range(8)]
    assert sum(counts) == 1600 and all(160 < count < 240 for count in counts), counts  # four standard deviations about 200


# ---- projecting --------------------------------------------------------------------------------------------------------


def test_principal_components_of_a_line():
    places = project(points([[0, 0, 1], [3, 4, 1], [6, 8, 1]], "aab"), "pca", seed=0)
    assert np.allclose(np.abs(places[:, 0]), [5, 0, 5]) and places[0, 0] == pytest.approx(-places[2, 0])
    assert np.allclose(places[:, 1], 0, atol=1e-5)


@pytest.mark.parametrize("method", ["tsne", "pca"])
def test_what_is_near_stays_near_and_the_same_again(method):
    given = clusters(100)
    places = project(given, method, seed=0)
    assert places.shape == (100, 2) and np.isfinite(places).all()
    apart = np.linalg.norm(places[:, None] - places[None], axis=2) + np.diag([np.inf] * 100)
    assert [given.labels[number] for number in apart.argmin(1)] == given.labels
    assert np.array_equal(places, project(given, method, seed=0))


def test_few_points_take_a_lower_perplexity(caplog):
    assert np.isfinite(project(clusters(10), "tsne", seed=0)).all()
    assert "t-SNE of 10 points takes a perplexity of 3.0 instead of 30." in caplog.text
    caplog.clear()
    project(clusters(91), "tsne", seed=0)
    assert not caplog.text


@pytest.mark.parametrize(
    "given, method, message",
    [
        (clusters(3), "tsne", "tsne needs 4 points or more, and there are 3"),
        (clusters(1), "pca", "pca needs 2 points or more, and there are 1"),
        (clusters(0), "tsne", "and there are 0"),
        (points([[1, 2]] * 5, "aabbb"), "tsne", "All 5 points are one and the same vector"),
        (clusters(9), "tsen", "no method 'tsen' .* Did you mean 'tsne'"),
    ],
)
def test_what_cannot_be_projected(given, method, message):
    with pytest.raises(RelconError, match=message):
        project(given, method, seed=0)


# ---- figures -----------------------------------------------------------------------------------------------------------


def test_the_silhouette_of_two_pairs():
    """Of 0 and 2 against 10 and 12: (11 - 2) / 11 for the outer points, (9 - 2) / 9 for the inner ones."""
    figures = figures_of(points([[0.0], [10.0], [2.0], [12.0]], "baba"), seed=0)
    assert figures["points"] == {"a": 2, "b": 2} and list(figures["points"]) == ["a", "b"]
    assert figures["silhouette"] == pytest.approx(79 / 99)


def test_the_silhouette_of_many_is_that_of_2000():
    given = clusters(2200)
    some = sample(given, 2000, seed=5)
    figures = figures_of(given, seed=5)
    assert figures["points"] == {"a": 1100, "b": 1100}
    assert figures["silhouette"] == pytest.approx(silhouette_score(some.vectors.double().numpy(), some.labels))


@pytest.mark.parametrize("labels", ["aaa", "abc"])
def test_without_two_labels_or_two_points_of_one_there_is_no_silhouette(labels):
    assert figures_of(points([[0.0], [1.0], [2.0]], labels), seed=0) == {"points": {label: labels.count(label) for label in labels}}


# ---- drawing and writing -----------------------------------------------------------------------------------------------


def test_labels_have_their_looks_in_sorted_order():
    names = [f"label {number:02}" for number in range(12)]
    places = np.zeros((13, 2))

    def looks(labels):
        groups = draw(points([[0.0]] * len(labels), labels), places[: len(labels)], "").axes[0].collections
        return [(tuple(group.get_facecolor()[0]), group.get_paths()[0].vertices.tobytes()) for group in groups]

    found = looks([*reversed(names), "label 03"])
    assert len(set(found)) == 12 and len({colour for colour, _ in found}) == 10
    assert looks(names) == found and looks(names[:2]) == found[:2]


def test_the_legend_counts_and_takes_labels_as_they_are():
    labels = ["_none", "$x$", "_none", "a"]
    figure = draw(points([[0.0]] * 4, labels), np.zeros((4, 2)), "50 $ or 60 $")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["1 $x$", "2 _none", "1 a"]
    assert figure.axes[0].get_title() == "50 $ or 60 $"
    assert not any(text.get_parse_math() for text in (*figure.legends[0].get_texts(), figure.axes[0].title))
    assert [len(group.get_offsets()) for group in figure.axes[0].collections] == [1, 2, 1]


def test_the_files(tmp_path):
    given = Points(torch.zeros(2, 3), ["a", "b"], ["one\nname", 'a "second"\tname'])
    files = files_of(tmp_path / "plots", "relations-new.jsonl-pca")
    write(files, given, np.array([[0.5, -1.25], [1e-7, 123456.7]]), "title", {"points": {"a": 1, "b": 1}})
    assert sorted((tmp_path / "plots").iterdir()) == sorted(files)
    assert files.table.name == "relations-new.jsonl-pca.tsv"
    picture = files.picture.read_bytes()
    assert picture[:8] == b"\x89PNG\r\n\x1a\n" and struct.unpack(">II", picture[16:24]) == (1200, 900)
    assert files.table.read_text().splitlines() == [
        "x\ty\tlabel\tname",
        "0.5\t-1.25\ta\tone name",
        '1e-07\t123457\tb\t"a ""second"" name"',
    ]
    assert json.loads(files.figures.read_text()) == {"points": {"a": 1, "b": 1}}
