"""The splits of a corpus as an audit takes them: why some cannot be read is told, and a label that is unknown costs its relations alone."""

from dataclasses import replace
from typing import Dict, List, NamedTuple, Tuple

from relcon.audit.check import listed, number
from relcon.audit.finding import MOST, Example, Finding
from relcon.audit.lines import ConfigLines
from relcon.config import resolve
from relcon.data.labels import LabelSet, UnknownLabels
from relcon.data.sequences import labels_of, take
from relcon.errors import ProblemsError, RelconError
from relcon.interfaces import Corpus, Split


class Fault(NamedTuple):
    """Why some splits cannot be read. splits: their names."""

    error: RelconError
    splits: List[str]


class Read(NamedTuple):
    """What came of reading. splits: those that can be read, by name. broken: why others cannot. unknown: labels that were left out."""

    splits: Dict[str, Split]
    broken: List[Finding]
    unknown: List[Finding]


def read(lines: ConfigLines) -> Read:
    """The splits of a corpus. Where labels are unknown, they are read with these declared, and cut down to the pairs of known labels.

    RelconError where the corpus itself cannot be built.
    """
    corpus: Corpus = resolve(lines.outer, lines.name)
    splits, faults = _splits(corpus)
    unknown = [(fault.error, fault.splits) for fault in faults if isinstance(fault.error, UnknownLabels)]
    if unknown and lines.takes("labels"):
        declared = [label for error, _ in unknown for label in (*error.labels.names, *error.counts)]
        wider, faults = _splits(resolve(lines.with_labels(list(dict.fromkeys(declared))), lines.name))
        splits = {name: _of_labels(split, corpus.labels) for name, split in wider.items()}
        return Read(splits, [_broken(fault, lines) for fault in faults], [_unknown(*each, lines) for each in unknown])
    return Read(splits, [_broken(fault, lines) for fault in faults], [])


def _splits(corpus: Corpus) -> Tuple[Dict[str, Split], List[Fault]]:
    """The splits that can be read, and why the others cannot; what stops several is told once."""
    splits: Dict[str, Split] = {}
    faults: Dict[str, Fault] = {}
    for name in corpus.splits():
        try:
            splits[name] = corpus.split(name)
        except RelconError as error:
            faults.setdefault(str(error), Fault(error, [])).splits.append(name)
    return splits, list(faults.values())


def _of_labels(split: Split, labels: LabelSet) -> Split:
    """A split without the pairs and lost relations of other labels; its documents stay as they are."""
    known = {*labels.names, None}
    places = [place for place, label in enumerate(labels_of(split.instances)) if label in known]
    lost = [each for each in split.lost if each.label in known]
    return replace(split, instances=take(split.instances, places), labels=labels, lost=lost)


def _broken(fault: Fault, lines: ConfigLines) -> Finding:
    """What stops the reading of some splits."""
    error, names = fault
    problems = error.problems if isinstance(error, ProblemsError) else []
    heading = error.heading if isinstance(error, ProblemsError) else str(error)
    return Finding("unreadable", "error", ", ".join(names), heading, len(problems) or 1, _examples(error), lines.files(names))


def _unknown(error: UnknownLabels, names: List[str], lines: ConfigLines) -> Finding:
    """Labels of some splits that the label set lacks."""
    count = sum(error.counts.values())
    return Finding(
        "unknown labels",
        "error",
        ", ".join(names),
        f"{number(count, 'relation has', 'relations have')} {number(len(error.counts), 'label')} that the label set lacks "
        f"({listed(error.counts)}), which ends the training. They are left out of the pairs that are looked at here.",
        count,
        _examples(error),
        f"{lines.data('labels', [*error.labels.names, *error.counts])}; or, where they are other names of known labels, correct the data "
        f"({lines.files(names)}) or what reads them: {lines.section((*lines.corpus, 'reader'))}",
    )


def _examples(error: RelconError) -> Tuple[Example, ...]:
    problems = error.problems if isinstance(error, ProblemsError) else []
    return tuple(Example(each.where, each.message) for each in problems[:MOST])
