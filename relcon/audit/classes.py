"""Labels that are too rare: for a split, for the protocol, for a sampler."""

from collections import Counter
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional

from relcon.audit.check import Subject, listed, number
from relcon.audit.finding import Finding, SplitCounts
from relcon.audit.lines import argument, title
from relcon.config.source import Keys
from relcon.data.sequences import labels_of
from relcon.interfaces import Corpus, Protocol
from relcon.protocols import KShot

LabelCounts = Mapping[Optional[str], int]


class Part(NamedTuple):
    """A run of the protocol. name: its subfolder, "" for the only one. train, test: its instances by label; None without such a split."""

    name: str
    train: Optional[LabelCounts]
    test: Optional[LabelCounts]


def class_findings(subject: Subject, counts: Dict[str, SplitCounts], protocol: Optional[Protocol]) -> Iterator[Finding]:
    """Everything that concerns single labels. protocol: which made the subject's runs; None where there are none."""
    yield from _absent(subject, counts)
    parts = [_part(*run) for run in subject.runs]
    if any(part.name for part in parts):
        yield from _thin_runs(subject, parts)
    if isinstance(protocol, KShot):
        yield from _too_few_shots(subject, protocol, parts)
    for stage in subject.lines.stages:
        yield from _samplers(subject, stage, parts)


def _part(name: str, corpus: Corpus, seed: int) -> Part:
    train, test = (Counter(labels_of(corpus.split(each).instances)) if each in corpus.splits() else None for each in ("train", "test"))
    return Part(name, train, test)


# ---- splits ------------------------------------------------------------------------------------------------------------


def _absent(subject: Subject, counts: Dict[str, SplitCounts]) -> Iterator[Finding]:
    """Labels that some labelled split lacks."""
    labelled = {name: split.labels for name, split in counts.items() if split.labels}
    for name, labels in labelled.items():
        elsewhere: Counter[str] = Counter()
        for other in labelled:
            elsewhere.update({label: count for label, count in labelled[other].items() if label not in labels})
        missing = {label: elsewhere[label] for label in subject.labels.names if label not in labels and elsewhere[label]}
        if missing:
            severity = "warning" if name == "train" else "note"
            cost = "no model can learn it" if name == "train" else "nothing is measured of it"
            yield Finding(
                "labels in other splits alone",
                severity,  # type: ignore[arg-type]  # one of two literals
                name,
                f"{name} has no pair of {number(len(missing), 'label')} that other splits have ({listed(missing)}): {cost}.",
                sum(missing.values()),
                (),
                f"Divide the data anew, or name the labels of the task: {subject.lines.key('labels')}",
            )
    nowhere = [label for label in subject.labels.names if labelled and not any(label in labels for labels in labelled.values())]
    if nowhere:
        yield Finding(
            "labels without a pair",
            "warning",
            ", ".join(labelled),
            f"{number(len(nowhere), 'label has', 'labels have')} no candidate pair in any split: {', '.join(nowhere[:10])}.",
            len(nowhere),
            (),
            f"{subject.lines.key('labels')}; {subject.lines.key('negative')}; {subject.lines.key('candidates')}",
        )


# ---- runs of the protocol ----------------------------------------------------------------------------------------------


def _thin_runs(subject: Subject, parts: List[Part]) -> Iterator[Finding]:
    """Labels that the training or the test part of some runs lacks."""
    whole = {label for part in parts for side in (part.train, part.test) if side is not None for label in side if label is not None}
    for side in ("train", "test"):
        sides: List[LabelCounts] = [found for part in parts if (found := getattr(part, side)) is not None]
        without = {label: sum(not found.get(label) for found in sides) for label in whole}
        without = {label: runs for label, runs in without.items() if runs}
        if without:
            yield Finding(
                "runs without a label",
                "warning" if side == "train" else "note",
                side,
                f"The {side} part of some of the {len(parts)} runs has no pair of a label (label, runs without it): {listed(without)}.",
                sum(without.values()),
                (),
                f"Use fewer or larger parts: {subject.lines.protocol()}",
            )


def _too_few_shots(subject: Subject, protocol: KShot, parts: List[Part]) -> Iterator[Finding]:
    """Labels with fewer instances than shots, where that is allowed."""
    train: LabelCounts = parts[0].train or {}
    few = {label: train.get(label, 0) for label in subject.labels.names if train.get(label, 0) < protocol.shots}
    if few:
        yield Finding(
            "labels below the shots",
            "warning",
            "train",
            f"{number(len(few), 'label has', 'labels have')} fewer than {protocol.shots} instances (label, instances): {listed(few)}.",
            len(few),
            (),
            subject.lines.setting(("protocol", "shots"), max(min(few.values()), 1)),
        )


# ---- samplers ----------------------------------------------------------------------------------------------------------


def _samplers(subject: Subject, stage: str, parts: List[Part]) -> Iterator[Finding]:
    """Batches larger than the data, and labels of one instance where instances of a label attract each other."""
    trains = [part.train for part in parts if part.train is not None]
    if not trains or subject.rule is None:  # a text without pairs is drawn from by its sentences
        return
    smallest = min(trains, key=lambda counts: sum(counts.values()))
    for keys, block in subject.lines.blocks(stage, "samplers"):
        size, instances = argument(block, "batch_size"), sum(smallest.values())
        if isinstance(size, int) and size > instances:
            yield Finding(
                "batch above the data",
                "warning",
                title(keys),
                f"A batch of {size:,} is more than the {number(instances, 'training pair')} of a run.",
                1,
                (),
                subject.lines.setting((*keys, "batch_size"), max(instances, 1)),
            )
        if block["@samplers"] == "relcon.SameLabel.v1" and block.get("augmenter") is None:
            yield from _lonely(subject, keys, block, smallest)


def _lonely(subject: Subject, keys: Keys, block: Mapping[str, Any], train: LabelCounts) -> Iterator[Finding]:
    """Labels whose only instance has nothing of its label to attract."""
    passed_over = subject.negative if argument(block, "negative") != "own" else frozenset()
    lonely = [label for label, count in train.items() if label is not None and count == 1 and label not in passed_over]
    if lonely:
        yield Finding(
            "labels of one instance",
            "warning",
            title(keys),
            f"{number(len(lonely), 'label has', 'labels have')} one training instance, which has no other of its label to attract: "
            f"{', '.join(sorted(lonely)[:10])}.",
            len(lonely),
            (),
            "An augmenter gives each instance a second view: "
            + subject.lines.setting((*keys, "augmenter", "@augmenters"), "relcon.RandomSwap.v1"),
        )

