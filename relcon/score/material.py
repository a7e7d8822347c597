"""What predictions of one kind are scored from: the part of a metric profile's work that depends on where they come from."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import AbstractSet, Callable, Collection, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from relcon.data.labels import LabelSet
from relcon.evaluators.documents import ignoring, micro
from relcon.evaluators.extracted import Extracted, profile_figures
from relcon.evaluators.profiles import ExtractionProfile, FactProfile, Kind, PairProfile, Profile
from relcon.evaluators.scoring import Counts, Figures, score
from relcon.interfaces import Lost


class Material(ABC):
    """Predictions beside what is right.

    kind: of the profiles that can score them.
    """

    kind: Kind

    @abstractmethod
    def fault(self, profile: Profile) -> Optional[str]:
        """Why a profile of this kind does not apply, as the end of a sentence; None where it does."""

    @abstractmethod
    def figures(self, profile: Profile) -> Figures:
        """The figures under a profile that applies, by their short names: `f1`, `precision` and `recall` or `accuracy`, and others."""

    def negative(self, profile: Profile) -> Sequence[str]:
        """The labels that mean 'no relation' under a profile; none unless overridden."""
        return ()


@dataclass(frozen=True)
class Pairs(Material):
    """One label for each given pair.

    gold, predicted: labels [N]; None where there is none. lost: labels of gold relations that were not asked about. labels: the label
    set under a profile. several: what has more labels than one, in words, so that no profile of pairs applies; "" for nothing.
    """

    kind = "pairs"
    gold: Sequence[Optional[str]]
    predicted: Sequence[Optional[str]]
    lost: Sequence[Lost]
    labels: Callable[[PairProfile], LabelSet]
    several: str = ""

    def fault(self, profile: Profile) -> Optional[str]:
        """Labels that do not fit, or pairs with several."""
        assert isinstance(profile, PairProfile)
        if self.several:
            return self.several
        labels = self.labels(profile)
        if profile.average == "accuracy" and None in self.gold and _only(labels) is None:
            return "counts every pair, and some have no gold label: name the negative label"
        return next(iter(profile.faults(labels)), None) or self._uncounted(profile)

    def figures(self, profile: Profile) -> Figures:
        """As of `relcon.Scores.v1`."""
        assert isinstance(profile, PairProfile)
        labels = self.labels(profile)
        gold, predicted = ([_only(labels) if label is None else label for label in column] for column in (self.gold, self.predicted))
        return score(gold, predicted, labels, profile.name, self.lost)

    def negative(self, profile: Profile) -> Sequence[str]:
        """Those of the label set."""
        assert isinstance(profile, PairProfile)
        return sorted(self.labels(profile).negative)

    def _uncounted(self, profile: PairProfile) -> Optional[str]:
        """What to say where no gold relation is of a class that counts."""
        there = {profile.class_of(label) for label in (*self.gold, *(each.label for each in self.lost)) if label is not None}
        if profile.classes is None or there & set(profile.classes):
            return None
        some = ", ".join(profile.classes[:3]) + (", ..." if len(profile.classes) > 3 else "")
        return f"counts {some}, and no gold relation is one of these"


def _only(labels: LabelSet) -> Optional[str]:
    """The negative label; None where there is none, or several."""
    return next(iter(labels.negative)) if len(labels.negative) == 1 else None


class Fact(NamedTuple):
    """A relation of a document, said or predicted. head, tail: numbers of its entities."""

    document: str
    head: int
    tail: int
    label: str


@dataclass(frozen=True)
class Facts(Material):
    """Facts of documents. gold, predicted: without negative labels. known: those of the gold facts that the training data have too; None
    where no training data are given."""

    kind = "facts"
    gold: AbstractSet[Fact]
    predicted: AbstractSet[Fact]
    known: Optional[AbstractSet[Fact]] = None

    def fault(self, profile: Profile) -> Optional[str]:
        """Missing training data."""
        assert isinstance(profile, FactProfile)
        return "leaves out facts of the training data: name them with --train" if profile.ignore_seen and self.known is None else None

    def figures(self, profile: Profile) -> Figures:
        """Micro figures over the facts."""
        assert isinstance(profile, FactProfile)
        right = self.gold & self.predicted
        counts = Counts(*(np.array([len(some)]) for some in (right, self.predicted, self.gold)))
        figures = micro(counts)
        if profile.ignore_seen and self.known is not None:
            shares = ignoring(counts, len(right & self.known))
            figures.update(precision=shares["ign_precision"], f1=shares["ign_f1"])
        return figures


@dataclass(frozen=True)
class Extractions(Material):
    """Entities and relations that were found. undirected: labels whose direction does not count."""

    kind = "extractions"
    documents: Sequence[Extracted]
    undirected: Collection[str]

    def fault(self, profile: Profile) -> Optional[str]:
        """Nothing: these profiles fit any labels."""
        return None

    def figures(self, profile: Profile) -> Figures:
        """Of relations, and of entities beside them."""
        assert isinstance(profile, ExtractionProfile)
        return profile_figures([sentence for each in self.documents for sentence in each.parts(self.undirected)], profile)


class Measured(Material):
    """Figures that an evaluator left without the predictions.

    by_profile: those there are, by the name of the profile. why: what to say of any other.
    """

    def __init__(self, kind: Kind, by_profile: Mapping[str, Figures], why: str):
        self.kind, self.by_profile, self.why = kind, by_profile, why

    def fault(self, profile: Profile) -> Optional[str]:
        """That it was not measured."""
        return None if profile.name in self.by_profile else self.why

    def figures(self, profile: Profile) -> Figures:
        """As they were left."""
        return self.by_profile[profile.name]
