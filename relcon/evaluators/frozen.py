"""What a frozen encoder knows: a simple classifier on its embeddings, fitted on the training split."""

from abc import abstractmethod
from pathlib import Path
from typing import Any, Dict, List, Literal, Optional

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from relcon.errors import RelconError
from relcon.evaluators.profiles import ProfileName, pair_profile
from relcon.evaluators.scoring import score
from relcon.evaluators.tables import gold_labels, write_per_class, write_predictions, write_scores
from relcon.interfaces import Evaluator, Model, Split


class FrozenClassifier(Evaluator):
    """Base: embed both splits, fit on the one, predict and score the other. A subclass says which classifier.

    profile: the metric profile, as in `relcon.Scores.v1`.
    """

    primary = "f1"

    def __init__(self, profile: ProfileName):
        self.profile = pair_profile(profile).name

    @abstractmethod
    def classifier(self, size: int) -> Any:
        """A fresh scikit-learn classifier for `size` training instances."""

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """Figures of the classifier on the split; files as of `relcon.Scores.v1`, where there is a folder. RelconError without
        labelled training data."""
        train = self.needed(train)
        pair_profile(self.profile).counted(data.labels)
        known, gold = gold_labels(train), gold_labels(data)
        probabilities = self.probabilities(model, data, train, known) if gold else None
        predicted = [] if probabilities is None else [data.labels.names[number] for number in probabilities.argmax(1).tolist()]
        figures = score(gold, predicted, data.labels, self.profile, data.lost)
        if folder is not None:
            write_predictions(folder / "predictions.jsonl", data.instances, gold, predicted, probabilities, data.labels)
            write_scores(folder / "scores.json", self.profile, data.labels, figures, data.lost)
            write_per_class(folder, figures)
        return figures

    def check(self, data: Split, train: Optional[Split] = None) -> None:
        """Both splits must have labels, the training split two or more, and the profile must fit the label set."""
        known = gold_labels(self.needed(train))
        pair_profile(self.profile).counted(data.labels)
        if gold_labels(data):
            self.refuse_one_label(known)

    def needed(self, train: Optional[Split]) -> Split:
        """The training split; RelconError where there is none."""
        if train is None or not train.instances:
            raise RelconError(f"{type(self).__name__} fits a classifier, so it needs a train split: give its file, [data] train = \"...\".")
        return train

    def refuse_one_label(self, known: List[str]) -> None:
        """RelconError where there is nothing to tell apart."""
        if len(set(known)) < 2:
            raise RelconError(f"The train split has the label {known[0]} only; {type(self).__name__} needs two labels or more.")

    def probabilities(self, model: Model, data: Split, train: Split, known: List[str]) -> torch.Tensor:
        """[N, labels] of the split's instances; labels without a training instance have probability 0.

        known: the labels of the training instances.
        """
        self.refuse_one_label(known)
        fitted = self.classifier(len(known)).fit(model.embed(train.instances).double().numpy(), known)
        found = torch.from_numpy(fitted.predict_proba(model.embed(data.instances).double().numpy()))
        table = torch.zeros(len(found), len(data.labels), dtype=found.dtype)
        table[:, [data.labels.number(name) for name in fitted.classes_]] = found
        return table


class NearestNeighbours(FrozenClassifier):
    """Labels by the k nearest training instances: shows what the embeddings know without any training of a classifier.

    k: how many neighbours vote, each with the same weight; all training instances where there are fewer. Of labels with as many
        votes, the first of the label set wins.
    metric: `cosine` or `euclidean` distance of the pooled vectors.
    profile: the metric profile, as in `relcon.Scores.v1`.

    Figures and files as of `relcon.Scores.v1`. RelconError without a labelled train split.

    Config::

        [evaluator]
        @evaluators = "relcon.NearestNeighbours.v1"
        k = 5
        profile = "micro"
    """

    def __init__(self, k: int = 5, metric: Literal["cosine", "euclidean"] = "cosine", profile: ProfileName = "micro"):
        super().__init__(profile)
        if k < 1:
            raise RelconError(f"k must be 1 or more, not {k}.")
        if metric not in ("cosine", "euclidean"):
            raise RelconError(f"metric = '{metric}' is not possible. Valid: 'cosine', 'euclidean'.")
        self.k, self.metric = k, metric

    def classifier(self, size: int) -> KNeighborsClassifier:
        """Exact neighbours, compared with every training instance."""
        return KNeighborsClassifier(min(self.k, size), metric=self.metric, algorithm="brute")


class LinearProbe(FrozenClassifier):
    """Logistic regression on the frozen embeddings: how far relations are linearly separable in them.

    profile: the metric profile, as in `relcon.Scores.v1`.
    C: inverse strength of the L2 penalty; a smaller one is stronger.
    standardize: give every dimension mean 0 and variance 1 over the training instances first.
    max_iter: most iterations of the solver.

    Figures and files as of `relcon.Scores.v1`. RelconError without a labelled train split.

    Config::

        [evaluator]
        @evaluators = "relcon.LinearProbe.v1"
        profile = "micro"
        C = 1.0
    """

    def __init__(self, profile: ProfileName = "micro", C: float = 1.0, standardize: bool = True, max_iter: int = 1000):
        super().__init__(profile)
        if C <= 0:
            raise RelconError(f"C must be above 0, not {C}.")
        if max_iter < 1:
            raise RelconError(f"max_iter must be 1 or more, not {max_iter}.")
        self.C, self.standardize, self.max_iter = C, standardize, max_iter

    def classifier(self, size: int) -> Any:
        """Deterministic: the solver (L-BFGS) starts from zeros."""
        regression = LogisticRegression(C=self.C, max_iter=self.max_iter)
        return make_pipeline(StandardScaler(), regression) if self.standardize else regression
