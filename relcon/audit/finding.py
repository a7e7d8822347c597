"""What a data audit found: values only, the same for the terminal, the page and the JSON file."""

from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List, Literal, NamedTuple, Tuple

Severity = Literal["error", "warning", "note"]
"""error: the training would end with it. warning: it will cost something, or means a mistake. note: worth knowing."""

SEVERITIES: Tuple[Severity, ...] = ("error", "warning", "note")
"""In the order in which findings are told."""

MOST = 3
"""So many examples of a finding are kept."""


class Example(NamedTuple):
    """One case of a finding. where: file and line (`train.jsonl:12`). text: what stands there. document: its id, "" where it is unknown."""

    where: str
    text: str
    document: str = ""

    @property
    def place(self) -> str:
        """`train.jsonl:12 (document 'd7')`: files that are one line name their documents by ids alone."""
        return f"{self.where} (document '{self.document}')" if self.document else self.where


@dataclass(frozen=True)
class Finding:
    """One thing that the data are, or lack.

    check: what was looked at, the same words in every audit ("overlapping entities"). where: the split, or several ("train, test"), or
    a section of the config. message: what was found, whole sentences. count: in how many cases. examples: the first of them.
    remedy: what would change it, with the line of the config where that is one (`run.cfg:9: [data.candidates] scope = "window"`).
    """

    check: str
    severity: Severity
    where: str
    message: str
    count: int
    examples: Tuple[Example, ...] = ()
    remedy: str = ""


@dataclass
class TypePair:
    """Candidate pairs whose head and tail are of these types. pairs: how many. labels: those of them that have a label, by label."""

    head: str
    tail: str
    pairs: int = 0
    labels: Dict[str, int] = field(default_factory=dict)


@dataclass
class SplitCounts:
    """What is in a split.

    entities: by type. relations: labelled relations of the documents, by label, candidates or not. pairs: candidate pairs; unlabelled:
    those without a label; labels: the others, by label. type_pairs: the most frequent first. lost: gold relations without a candidate,
    by cause. left_out: what the reader could not keep, by cause.
    """

    name: str
    documents: int = 0
    sentences: int = 0
    words: int = 0
    entities: Dict[str, int] = field(default_factory=dict)
    relations: Dict[str, int] = field(default_factory=dict)
    pairs: int = 0
    unlabelled: int = 0
    labels: Dict[str, int] = field(default_factory=dict)
    type_pairs: List[TypePair] = field(default_factory=list)
    lost: Dict[str, int] = field(default_factory=dict)
    left_out: Dict[str, int] = field(default_factory=dict)


@dataclass
class CorpusAudit:
    """What is in a corpus. section: where the config has it (`[data]`, `[vars.distant]`). stages: those that work on it.
    negative: labels that mean 'no relation'. findings: errors first."""

    section: str
    stages: List[str]
    negative: List[str]
    splits: List[SplitCounts]
    findings: List[Finding]

    @property
    def title(self) -> str:
        """`[vars.distant] (stages order, pretrain)`."""
        named = f" ({'stage' if len(self.stages) == 1 else 'stages'} {', '.join(self.stages)})"
        return self.section + (named if self.stages else "")


@dataclass
class Audit:
    """All of it. config: the file. corpora: that of `[data]` first, then those of stages' own."""

    config: str
    corpora: List[CorpusAudit]

    @property
    def findings(self) -> List[Finding]:
        """Those of all corpora."""
        return [each for corpus in self.corpora for each in corpus.findings]

    @property
    def errors(self) -> int:
        """How many findings would end the training."""
        return sum(each.severity == "error" for each in self.findings)

    def as_json(self) -> Dict[str, Any]:
        """Plain values, an object for each example."""
        value = asdict(self)
        for finding in (each for corpus in value["corpora"] for each in corpus["findings"]):
            finding["examples"] = [each._asdict() for each in finding["examples"]]
        return value

    def summary(self) -> str:
        """`1 error, 2 warnings, 3 notes`."""
        counts = {name: sum(each.severity == name for each in self.findings) for name in SEVERITIES}
        return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts.items())
