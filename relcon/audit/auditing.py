"""The audit as a whole: read the splits, look at every document once, sort what was found."""

from typing import Dict, Iterator, List, Sequence, Tuple

from relcon.audit.check import Check, Subject
from relcon.audit.classes import class_findings
from relcon.audit.counting import Counting
from relcon.audit.directions import Directions
from relcon.audit.finding import MOST, SEVERITIES, Audit, Example, Finding
from relcon.audit.lengths import Lengths
from relcon.audit.lines import ConfigLines
from relcon.audit.names import EntityPairsOfSplits
from relcon.audit.rules import rule_findings
from relcon.audit.spans import Mentions, Overlaps
from relcon.audit.texts import Texts
from relcon.audit.unrelated import Unrelated
from relcon.config import LoadedConfig, resolve
from relcon.errors import ProblemsError, RelconError
from relcon.interfaces import Corpus, Split

CHECKS = (Texts, EntityPairsOfSplits, Directions, Mentions, Overlaps, Unrelated, Lengths)
"""What looks at the documents."""


def audit(loaded: LoadedConfig) -> Audit:
    """What is in the data of a config, and what is wrong with them. No model is built or loaded.

    loaded: a sound config. What would end its training is a finding of its own, not an error; RelconError where `[data]` itself cannot be
    built.
    """
    corpus: Corpus = resolve(loaded.tree["data"], "[data]")
    lines = ConfigLines(loaded)
    splits, broken = _read(corpus, lines)
    candidates = lines.block.get("candidates")
    rule = resolve(dict(candidates), "[data.candidates]") if candidates is not None else None
    subject = Subject(corpus, splits, lines, rule)
    counting, checks = Counting(subject), [check(subject) for check in CHECKS]
    for seen in subject.seen():
        counting.see(seen)
        for check in checks:
            check.see(seen)
    counts = counting.counts()
    found = [*broken, *_told(checks)]
    if splits:
        found += rule_findings(subject, counts)
    if splits and not broken:
        found += class_findings(subject, counts)
    found.sort(key=lambda each: SEVERITIES.index(each.severity))
    return Audit(str(loaded.path), sorted(subject.negative), list(counts.values()), found)


def _told(checks: Sequence[Check]) -> Iterator[Finding]:
    for check in checks:
        yield from check.findings()


def _read(corpus: Corpus, lines: ConfigLines) -> Tuple[Dict[str, Split], List[Finding]]:
    """The splits that can be read, and why the others cannot; what stops several is told once."""
    splits: Dict[str, Split] = {}
    faults: Dict[str, Tuple[RelconError, List[str]]] = {}
    for name in corpus.splits():
        try:
            splits[name] = corpus.split(name)
        except RelconError as error:
            faults.setdefault(str(error), (error, []))[1].append(name)
    return splits, [_broken(error, names, lines) for error, names in faults.values()]


def _broken(error: RelconError, names: List[str], lines: ConfigLines) -> Finding:
    """What stops the reading of some splits."""
    problems = error.problems if isinstance(error, ProblemsError) else []
    heading = error.heading if isinstance(error, ProblemsError) else str(error)
    examples = tuple(Example(each.where, each.message) for each in problems[:MOST])
    return Finding("unreadable", "error", ", ".join(names), heading, len(problems) or 1, examples, lines.files(names))
