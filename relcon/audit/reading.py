"""The splits of a corpus as an audit takes them: why some cannot be read is told, and a label that is unknown costs its relations alone."""

from dataclasses import replace
from typing import Collection, Dict, FrozenSet, Iterable, Iterator, List, NamedTuple, Optional, Tuple

from relcon.audit.check import listed, number
from relcon.audit.finding import MOST, Example, Finding
from relcon.audit.lines import ConfigLines
from relcon.config import resolve
from relcon.config.source import Keys
from relcon.data.changed import ChangedCorpus
from relcon.data.labels import LabelSet, UnknownLabels
from relcon.data.sequences import labels_of, take
from relcon.errors import ProblemsError, RelconError
from relcon.interfaces import Corpus, Split


class Broken(NamedTuple):
    """Why some splits cannot be read. splits: their names."""

    error: RelconError
    splits: List[str]


class Unknown(NamedTuple):
    """Labels that a label set lacks. splits: the names of those that cannot be read because of them."""

    error: UnknownLabels
    splits: List[str]


class Reading(NamedTuple):
    """What came of reading a corpus. splits: those that can be read, by name. broken, unknown: why others cannot, by what is said of it."""

    splits: Dict[str, Split]
    broken: Dict[str, Broken]
    unknown: Dict[str, Unknown]


class Read(NamedTuple):
    """The splits that an audit looks at.

    splits: by name. whole: whether these are all. left_out: unknown labels; no pair has them, relations of documents may.
    findings: which labels are unknown, and why splits cannot be read.
    """

    splits: Dict[str, Split]
    whole: bool
    left_out: FrozenSet[str]
    findings: List[Finding]


def read(lines: ConfigLines) -> Read:
    """The splits of a corpus. Where labels are unknown, they are read with these declared, and cut down to the pairs of known labels.

    RelconError where the corpus itself cannot be built.
    """
    corpus: Corpus = resolve(lines.outer, lines.name)
    first = _reading(corpus)
    last = _wider(lines, corpus, first) if first.unknown else first
    left_out = frozenset(label for each in first.unknown.values() for label in each.error.counts)
    splits = {name: _without(split, left_out) for name, split in last.splits.items()} if left_out else last.splits
    unknown = {**first.unknown, **last.unknown}.values()
    findings = [_broken(each, lines) for each in last.broken.values()]
    findings += [_unknown(each, lines, _lacking(lines, corpus, each.error.labels), splits) for each in unknown]
    return Read(splits, set(splits) == set(corpus.splits()), left_out, findings)


def _reading(corpus: Corpus) -> Reading:
    """The splits that can be read, and why the others cannot; what stops several is told once."""
    reading = Reading({}, {}, {})
    for name in corpus.splits():
        try:
            reading.splits[name] = corpus.split(name)
        except UnknownLabels as error:
            reading.unknown.setdefault(str(error), Unknown(error, [])).splits.append(name)
        except RelconError as error:
            reading.broken.setdefault(str(error), Broken(error, [])).splits.append(name)
    return reading


# ---- unknown labels ----------------------------------------------------------------------------------------------------


def _wider(lines: ConfigLines, corpus: Corpus, first: Reading) -> Reading:
    """The corpus read with unknown labels declared; what was read first, where that would lose a split."""
    declared = _declared(lines, corpus, first.unknown.values())
    wider = _reading(resolve(lines.with_labels(declared), lines.name))
    return wider if first.splits.keys() <= wider.splits.keys() else first


def _declared(lines: ConfigLines, corpus: Corpus, unknown: Iterable[Unknown]) -> Dict[Keys, List[str]]:
    """All labels that corpora of the chain have to know, by the way to each."""
    found: Dict[Keys, Dict[str, None]] = {}
    for error, _ in unknown:
        for way in _lacking(lines, corpus, error.labels):
            found.setdefault(way, {}).update(dict.fromkeys((*error.labels.names, *error.counts)))
    return {way: list(names) for way, names in found.items()}


def _lacking(lines: ConfigLines, corpus: Corpus, labels: LabelSet) -> List[Keys]:
    """The ways to the corpora that have a label set and can declare another: where two have it, either may refuse what is unknown."""
    chain = zip(lines.chain, _chain(corpus), strict=False)
    return [way for way, each in chain if lines.takes(way, "labels") and _labels(each) == labels]


def _chain(corpus: Corpus) -> Iterator[Corpus]:
    """A corpus and those that each changes, outermost first."""
    yield corpus
    if isinstance(corpus, ChangedCorpus):
        yield from _chain(corpus.corpus)


def _labels(corpus: Corpus) -> Optional[LabelSet]:
    """The label set; None where what it is taken from cannot be read."""
    try:
        return corpus.labels
    except RelconError:
        return None


def _without(split: Split, left_out: FrozenSet[str]) -> Split:
    """A split without some labels, and without the pairs and lost relations that have them; its documents stay as they are."""
    places = [place for place, label in enumerate(labels_of(split.instances)) if label not in left_out]
    lost = [each for each in split.lost if each.label not in left_out]
    return replace(split, instances=take(split.instances, places), labels=split.labels.without(left_out), lost=lost)


# ---- findings ----------------------------------------------------------------------------------------------------------


def _broken(broken: Broken, lines: ConfigLines) -> Finding:
    """What stops the reading of some splits."""
    error, names = broken
    problems = error.problems if isinstance(error, ProblemsError) else []
    heading = error.heading if isinstance(error, ProblemsError) else str(error)
    return Finding("unreadable", "error", ", ".join(names), heading, len(problems) or 1, _examples(error), lines.files(names))


def _unknown(unknown: Unknown, lines: ConfigLines, ways: List[Keys], splits: Collection[str]) -> Finding:
    """Labels of some splits that the label set lacks. ways: to the corpora that would declare them. splits: the names of what was read."""
    error, names = unknown
    count, unread = sum(error.counts.values()), [name for name in names if name not in splits]
    rest = f"{' and '.join(unread)} could not be looked at." if unread else "They are left out of what is looked at here."
    declared = " and ".join(lines.setting((*way, "labels"), [*error.labels.names, *error.counts]) for way in ways)
    changing = ", ".join(lines.section(way) for way in ((*lines.corpus, "reader"), *reversed(lines.chain[:-1])))
    data = f"the data ({lines.files(names)}) or what reads or changes them: {changing}"
    return Finding(
        "unknown labels",
        "error",
        ", ".join(names),
        f"{number(count, 'relation has', 'relations have')} {number(len(error.counts), 'label')} that the label set lacks "
        f"({listed(error.counts)}), which ends the training. {rest}",
        count,
        _examples(error),
        f"{declared}; or, where they are other names of known labels, correct {data}" if declared else f"Correct {data}",
    )


def _examples(error: RelconError) -> Tuple[Example, ...]:
    problems = error.problems if isinstance(error, ProblemsError) else []
    return tuple(Example(each.where, each.message) for each in problems[:MOST])
