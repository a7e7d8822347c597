"""Run A against run B."""

from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Dict, List, Mapping, Optional, Sequence, Tuple, Type

from relcon.compare.finding import evaluations, read_results
from relcon.compare.results import Example, Metric, Results, unlike
from relcon.errors import RelconError, did_you_mean
from relcon.significance import bootstrap, mcnemar, paired_t, randomisation


@dataclass(frozen=True)
class Comparison:
    """Run A against run B.

    a, b: where they lie. profile, metric: what is compared. runs: names of folds or seeds, [""] for single runs.
    figures_a, figures_b: the figure of each run; their means are compared. interval: 95 % bootstrap interval of the difference
    A - B. p_randomisation: its two-sided p over `trials` exchanges. p_mcnemar: of right and wrong answers; None where an instance is
    answered in several runs, or has more than one answer (a document). p_t: paired t-test over the runs; None for one.
    instances: how many were paired. asked: what they are ("instances", "documents"). examples: where the predictions differ.
    """

    a: Path
    b: Path
    profile: str
    metric: str
    runs: List[str]
    figures_a: List[float]
    figures_b: List[float]
    interval: Tuple[float, float]
    p_randomisation: float
    p_mcnemar: Optional[float]
    p_t: Optional[float]
    trials: int
    instances: int
    asked: str
    examples: List[Example]

    @property
    def difference(self) -> float:
        """Mean of A minus mean of B."""
        return fmean(self.figures_a) - fmean(self.figures_b)

    def grouped(self) -> Dict[str, List[Example]]:
        """The questions that they answer differently, by who is right."""
        return {group: [each for each in self.examples if each.group == group] for group in ("only A", "only B", "neither")}


def compare_runs(
    a: Path, b: Path, *, metric: Metric = "f1", profile: Optional[str] = None, trials: int = 10_000, seed: int = 0
) -> Comparison:
    """Compare two runs that were measured on the same instances, or documents.

    a, b: run folders, or folders of one evaluation (`RUN/stages/STAGE/EVALUATOR`); runs over folds or seeds must have the same.
    metric: of the profile. profile: instead of the one that both were scored with; of extractors `strict` (unless said), `relation`,
        `entity` or `span`, with `.without_overlaps` behind it to leave out sentences in which annotated entities overlap.
    trials: exchanges and bootstrap samples. seed: draws them.

    RelconError where a run has no predictions, or where evaluators, instances, gold labels, label sets or profiles differ. ValueError
    where trials are fewer than 1.
    """
    if trials < 1:
        raise ValueError(f"trials: {trials} is below 1")
    found = [{name: read_results(folder) for name, folder in evaluations(path).items()} for path in (a, b)]
    runs = _same_runs(a, b, *found)
    pairs = [(found[0][name], found[1][name]) for name in runs]
    kind, rule = _require_like(pairs, profile)
    cells = kind.cells(pairs, rule, metric)
    figures_a, figures_b = cells.observed().tolist()
    examples = [example for name, (one, other) in zip(runs, pairs, strict=True) for example in one.examples(name, other, rule)]
    groups = [example.group for example in examples]
    once = kind.one_answer and sum(len(one.gold) for one, _ in pairs) == int(cells.sizes.sum())
    return Comparison(
        a, b, rule, metric, runs, figures_a, figures_b,
        interval=bootstrap(cells, trials, seed),
        p_randomisation=randomisation(cells, trials, seed),
        p_mcnemar=mcnemar(groups.count("only A"), groups.count("only B")) if once else None,
        p_t=paired_t(figures_a, figures_b),
        trials=trials, instances=int(cells.sizes.sum()), asked=kind.asked, examples=examples,
    )  # fmt: skip


def _same_runs(a: Path, b: Path, one: Mapping[str, Results], other: Mapping[str, Results]) -> List[str]:
    """The folds or seeds that both have."""
    if set(one) != set(other):
        names = [", ".join(filter(None, each)) or "a single run" for each in (one, other)]
        raise RelconError(f"The runs cannot be paired: {a} has {names[0]}, {b} has {names[1]}. Compare runs with the same folds or seeds.")
    return list(one)


def _require_like(pairs: Sequence[Tuple[Results, Results]], profile: Optional[str]) -> Tuple[Type[Results], str]:
    """Of which kind all results are, and under which profile they are compared. RelconError where they cannot be."""
    first, everything = pairs[0][0], [each for pair in pairs for each in pair]
    for each in everything:
        if type(each) is not type(first):
            raise RelconError(f"{unlike(first, each)}: one was measured by {first.evaluator}, the other by {each.evaluator}.")
    rule = _profile(type(first), everything, profile)
    for one, other in pairs:
        first.require_same_task(one)
        one.require_same_task(other)
        one.require_same_gold(other)
    return type(first), rule


def _profile(kind: Type[Results], results: Sequence[Results], asked: Optional[str]) -> str:
    """The profile that was asked for, or the one that all were scored with."""
    if asked is not None:
        if asked not in kind.profiles:
            raise RelconError(f"There is no metric profile '{asked}' of {kind.evaluator}.{did_you_mean(asked, kind.profiles)}")
        return asked
    names = sorted({each.profile for each in results})
    if len(names) > 1:
        raise RelconError(f"The runs were scored under different profiles ({', '.join(names)}). Choose one: --profile {names[0]}.")
    if names[0] not in kind.profiles:
        usual = kind.profiles[0]
        raise RelconError(f"The runs were scored under '{names[0]}', which this relcon does not know. Choose another: --profile {usual}.")
    return names[0]
