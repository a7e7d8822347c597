"""The audit as a whole: read the splits of each corpus, look at every document once, sort what was found."""

from typing import Iterator, Sequence

from relcon.audit.check import Check, Subject
from relcon.audit.classes import class_findings
from relcon.audit.counting import Counting
from relcon.audit.directions import Directions
from relcon.audit.finding import SEVERITIES, Audit, CorpusAudit, Finding
from relcon.audit.folds import Folds
from relcon.audit.lengths import Lengths
from relcon.audit.lines import ConfigLines, corpora_of
from relcon.audit.names import EntityPairsOfSplits
from relcon.audit.reading import read
from relcon.audit.rules import rule_findings
from relcon.audit.runs import Runs, runs_of
from relcon.audit.spans import Mentions, Overlaps
from relcon.audit.texts import Texts
from relcon.audit.unrelated import Unrelated
from relcon.config import LoadedConfig, resolve

CHECKS = (Texts, EntityPairsOfSplits, Folds, Directions, Mentions, Overlaps, Unrelated, Lengths)
"""What looks at the documents."""


def audit(loaded: LoadedConfig) -> Audit:
    """What is in the data of a config, and what is wrong with them. No model is built or loaded.

    loaded: a sound config. What would end its training is a finding of its own, not an error; RelconError where a corpus itself, of
    `[data]` or of a stage's own, cannot be built.
    """
    return Audit(str(loaded.path), [_of_corpus(lines) for lines in corpora_of(loaded)])


def _of_corpus(lines: ConfigLines) -> CorpusAudit:
    """What is in one corpus."""
    splits, whole, left_out, refused = read(lines)
    candidates = lines.block.get("candidates")
    rule = resolve(dict(candidates), lines.rule) if candidates is not None else None
    runs = runs_of(lines, splits) if splits and whole else Runs(None, [], [])
    subject = Subject(splits, lines, rule, runs.runs, left_out)
    counting, checks = Counting(subject), [check(subject) for check in CHECKS]
    for seen in subject.seen():
        counting.see(seen)
        for check in checks:
            check.see(seen)
    counts = counting.counts()
    found = [*refused, *runs.refused, *_told(checks)]
    if splits:
        found += rule_findings(subject, counts)
    if splits and whole:
        found += class_findings(subject, counts, runs.protocol)
    found.sort(key=lambda each: SEVERITIES.index(each.severity))
    return CorpusAudit(lines.name, list(lines.stages), sorted(subject.negative), list(counts.values()), found)


def _told(checks: Sequence[Check]) -> Iterator[Finding]:
    for check in checks:
        yield from check.findings()
