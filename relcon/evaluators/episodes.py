"""Few-shot episodes over a model's vectors: which of a few relations, each shown by a few examples, does a sentence express?"""

from pathlib import Path
from typing import Any, Dict, Iterator, List, Literal, NamedTuple, Optional, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from relcon.data.sequences import labels_of, take
from relcon.errors import RelconError
from relcon.evaluators.profiles import EpisodeProfile, episode_profile
from relcon.evaluators.tables import write_lines
from relcon.files import write_json
from relcon.interfaces import Evaluator, Model, Split

WHAT = "episodes"
"""What `scores.json` says under `measures`."""

NONE = "none of them"
"""What `episodes.jsonl` calls the answer of a query without one of the episode's relations."""

AT_ONCE = 256
"""Episodes that are compared together."""

Method = Literal["prototype", "neighbour"]
Similarity = Literal["cosine", "dot", "euclidean"]


class Episodes(NamedTuple):
    """Drawn episodes; places are rows of the vectors.

    relations: [E, N] numbers of relations. supports: [E, N, K] places of their examples. queries: [E] places. answers: [E] which of the
    episode's relations the query has, N for none of them.
    """

    relations: np.ndarray
    supports: np.ndarray
    queries: np.ndarray
    answers: np.ndarray


class FewShotEpisodes(Evaluator):
    """N-way K-shot episodes as FewRel has them, over the vectors of a model that is not trained on their relations.

    An episode draws N relations, K examples of each and one query, which is none of the examples. The query's answer is the relation whose
    prototype (the mean of its examples) or whose nearest example is most similar. Under a profile with `.naP`, P % of the queries have
    another relation of the split than these N ("none of the above"); a query whose greatest similarity is below a threshold is answered so.
    Instances with a negative label take no part; gold relations that are no candidates can be in no episode, and are counted as `lost`.

    profile: `fewrel.NwayKshot` or `fewrel.NwayKshot.naP`, for any N, K and P: `fewrel.5way1shot`, `fewrel.10way5shot.na15`.
    episodes: how many are drawn. seed: draws them; the same for all models. method: "prototype" or "neighbour" (nearest example).
    similarity: "cosine", "dot" or "euclidean" (the negative distance).
    threshold: the similarity below which a query has none of the relations; null chooses the one with the highest accuracy on as many
        episodes of the train split, never on those that are measured. Only under a profile with `.naP`.

    Figures: `accuracy` over the episodes, `interval` (half the width of its 95 % interval over the draw of episodes, not over the choice of
    relations), `episodes`, `relations` (of the split), `lost`; with `.naP` also `threshold`, `none_recall` and `none_precision`. Name the
    split where you report them: FewRel's validation and test relations differ.

    Files: `scores.json`, `episodes.jsonl` (relations, examples, query, answer and prediction of each).

    RelconError where the split, or the train split that a threshold is chosen on, has too few relations with more than K instances.

    Source: Han et al., FewRel: A Large-Scale Supervised Few-Shot Relation Classification Dataset with State-of-the-Art Evaluation, EMNLP
    2018; Gao et al., FewRel 2.0: Towards More Challenging Few-Shot Relation Classification, EMNLP-IJCNLP 2019 (none of the above). What
    their toolkit calls 15 % and 30 % are 1 and 2 such queries beside 5, which is 16.7 % and 28.6 %; here P is the share itself.

    Config::

        [evaluator]
        @evaluators = "relcon.FewShotEpisodes.v1"
        profile = "fewrel.5way1shot"
        episodes = 10000
        method = "prototype"
    """

    primary = "accuracy"

    def __init__(
        self,
        profile: str = "fewrel.5way1shot",
        episodes: int = 10000,
        seed: int = 0,
        method: Method = "prototype",
        similarity: Similarity = "cosine",
        threshold: Optional[float] = None,
    ):
        self.rule = episode_profile(profile)
        if episodes < 1:
            raise ValueError(f"episodes: {episodes} is below 1")
        if seed < 0:
            raise ValueError(f"seed: {seed} is below 0")
        if method not in ("prototype", "neighbour"):
            raise ValueError(f"method: '{method}' is neither 'prototype' nor 'neighbour'")
        if similarity not in ("cosine", "dot", "euclidean"):
            raise ValueError(f"similarity: '{similarity}' is not one of 'cosine', 'dot', 'euclidean'")
        if threshold is not None and not self.rule.none_percent:
            raise ValueError(f"threshold: every query of '{profile}' has one of the relations; name a profile with .naP")
        self.profile, self.episodes, self.seed = self.rule.name, episodes, seed
        self.method: Method = method
        self.similarity: Similarity = similarity
        self.threshold = threshold

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """Figures of the model on the split; files where there is a folder. train: where a threshold is chosen."""
        self.check(data, train)
        relations = _Relations.of(data)
        drawn = self.drawn(relations, 0)
        likeness = self.likeness(model.embed(relations.instances), drawn)
        threshold = self.chosen(model, train) if train is not None and self.needs_train else self.threshold
        predicted = answers(likeness, threshold)
        sizes = {"relations": float(len(relations.names)), "lost": float(len(data.lost))}
        figures = {**figures_of(drawn.answers, predicted, self.rule), **sizes}
        if threshold is not None:
            figures["threshold"] = threshold
        if folder is not None:
            about = {"measures": WHAT, "profile": self.profile, "split": data.name, "method": self.method, "similarity": self.similarity}
            write_json(folder / "scores.json", {**about, "seed": self.seed, "figures": figures})
            write_lines(folder / "episodes.jsonl", told(drawn, predicted, relations))
        return figures

    def check(self, data: Split, train: Optional[Split] = None) -> None:
        """The split must have enough relations, and so must the train split where a threshold is chosen on it."""
        _Relations.of(data).require(self.rule, data.name)
        if not self.needs_train:
            return
        if train is None:
            raise RelconError(
                f"'{self.profile}' needs a threshold, which is chosen on the train split, and there is no such split. Name one, or say the "
                "threshold: threshold = 0.5."
            )
        _Relations.of(train).require(self.rule, train.name)

    @property
    def needs_train(self) -> bool:
        """Whether a threshold is to be chosen."""
        return bool(self.rule.none_percent) and self.threshold is None

    def chosen(self, model: Model, train: Split) -> float:
        """The threshold with the highest accuracy on episodes of the train split."""
        relations = _Relations.of(train)
        drawn = self.drawn(relations, 1)
        return best_threshold(self.likeness(model.embed(relations.instances), drawn), drawn.answers)

    def drawn(self, relations: "_Relations", stream: int) -> Episodes:
        """The episodes of a split. stream: 0 for what is measured, 1 for what a threshold is chosen on."""
        return draw_episodes(relations.places, self.rule, self.episodes, np.random.default_rng([self.seed, stream]))

    def likeness(self, vectors: Tensor, drawn: Episodes) -> np.ndarray:
        """[E, N] how similar the query of an episode is to each of its relations. vectors: [instances, D]."""
        vectors = vectors.double()
        parts = [
            _likeness(vectors[drawn.supports[some]], vectors[drawn.queries[some]], self.method, self.similarity)
            for some in np.array_split(np.arange(len(drawn.queries)), -(-len(drawn.queries) // AT_ONCE))
        ]
        return torch.cat(parts).numpy()


class _Relations(NamedTuple):
    """The instances of a split that have a relation, by uid, so that what is drawn does not depend on their order. names: of the
    relations. places: of each relation the rows of its instances."""

    instances: Sequence[Any]
    names: List[str]
    places: List[np.ndarray]

    @classmethod
    def of(cls, data: Split) -> "_Relations":
        """Of a split. RelconError where an instance has no label."""
        labels = _known(data)
        uids = [instance.uid for instance in data.instances]
        kept = sorted((number for number, label in enumerate(labels) if label not in data.labels.negative), key=lambda n: uids[n])
        column = np.array([labels[number] for number in kept])
        names = sorted(set(column.tolist()))
        return cls(take(data.instances, kept), names, [np.flatnonzero(column == name) for name in names])

    def require(self, rule: EpisodeProfile, split: str) -> None:
        """RelconError where there are too few relations for an episode."""
        needed, enough = rule.ways + bool(rule.none_percent), sum(len(rows) > rule.shots for rows in self.places)
        if enough < needed:
            raise RelconError(
                f"'{rule.name}' needs {needed} relations with {rule.shots + 1} instances or more, and the split '{split}' has {enough} (of "
                f"{len(self.names)} relations). Choose a profile with fewer relations or examples, or give more data."
            )


def _known(data: Split) -> List[str]:
    labels = labels_of(data.instances)
    if None in labels:
        raise RelconError(f"The split '{data.name}' has {labels.count(None)} pairs without a label, so no episodes can be drawn from it.")
    return [str(label) for label in labels]


# ---- episodes ----------------------------------------------------------------------------------------------------------


def draw_episodes(places: Sequence[np.ndarray], rule: EpisodeProfile, count: int, draw: np.random.Generator) -> Episodes:
    """Episodes over relations with more than K instances.

    places: of each relation the rows of its instances. Exactly P % of the episodes, rounded, have a query of none of their relations.
    """
    able = [number for number, rows in enumerate(places) if len(rows) > rule.shots]
    none = draw.permutation(count) < round(count * rule.none_percent / 100)
    found = [_episode(places, able, rule, bool(without), draw) for without in none]
    relations, supports, queries, answers = (np.array(column) for column in zip(*found, strict=True))
    return Episodes(relations, supports, queries, answers)


def _episode(places: Sequence[np.ndarray], able: List[int], rule: EpisodeProfile, without: bool, draw: np.random.Generator) -> Any:
    """Relations, supports, query and answer of one episode. without: the query has none of the relations."""
    drawn = draw.choice(able, rule.ways + without, replace=False)
    answer = rule.ways if without else int(draw.integers(rule.ways))
    rows = [draw.choice(places[relation], rule.shots + (place == answer), replace=False) for place, relation in enumerate(drawn)]
    return drawn[: rule.ways], [each[: rule.shots] for each in rows[: rule.ways]], rows[answer][-1], answer


def _likeness(supports: Tensor, queries: Tensor, method: Method, similarity: Similarity) -> Tensor:
    """[E, N] of supports [E, N, K, D] and queries [E, D]."""
    shown = supports.mean(2, keepdim=True) if method == "prototype" else supports
    asked = queries[:, None, None, :]
    if similarity == "euclidean":
        return -(shown - asked).norm(dim=-1).amin(-1)
    if similarity == "cosine":
        shown, asked = nn.functional.normalize(shown, dim=-1), nn.functional.normalize(asked, dim=-1)
    return (shown * asked).sum(-1).amax(-1)


def answers(likeness: np.ndarray, threshold: Optional[float]) -> np.ndarray:
    """[E] the most similar relation; N where its similarity [E, N] is below the threshold."""
    best = likeness.argmax(1)
    return best if threshold is None else np.where(likeness.max(1) < threshold, likeness.shape[1], best)


def best_threshold(likeness: np.ndarray, truth: np.ndarray) -> float:
    """The threshold of highest accuracy among the queries' greatest similarities, of several the highest. truth: [E] answers."""
    greatest = likeness.max(1)
    order = np.argsort(-greatest, kind="stable")
    right, none = (likeness.argmax(1) == truth)[order], (truth == likeness.shape[1])[order]
    gained = right.cumsum() + none.sum() - none.cumsum()  # answered down to here, none of them below
    last = np.append(np.diff(greatest[order]) != 0, True)  # queries of one similarity go in together
    return float(greatest[order][last][gained[last].argmax()])


# ---- figures and files -------------------------------------------------------------------------------------------------


def figures_of(truth: np.ndarray, predicted: np.ndarray, rule: EpisodeProfile) -> Dict[str, float]:
    """Accuracy with its interval, and precision and recall of none of the relations where there are such queries."""
    right = truth == predicted
    accuracy = float(right.mean())
    found = {"accuracy": accuracy, "interval": 1.96 * (accuracy * (1 - accuracy) / len(right)) ** 0.5, "episodes": float(len(right))}
    if rule.none_percent:
        both, said, there = (float(mask.sum()) for mask in (right & (truth == rule.ways), predicted == rule.ways, truth == rule.ways))
        found.update(none_precision=both / said if said else 0.0, none_recall=both / there if there else 0.0)
    return found


def told(drawn: Episodes, predicted: np.ndarray, relations: _Relations) -> Iterator[Dict[str, Any]]:
    """Each episode as JSON."""
    uids = [instance.uid for instance in relations.instances]
    for shown, supports, query, truth, guess in zip(*drawn, predicted, strict=True):
        names = [relations.names[number] for number in shown]
        yield {
            "relations": names,
            "examples": [[uids[place] for place in rows] for rows in supports],
            "query": uids[query],
            "answer": [*names, NONE][truth],
            "predicted": [*names, NONE][guess],
        }
