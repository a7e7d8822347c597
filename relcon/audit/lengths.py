"""Texts that are longer than what the encoders take."""

from collections import Counter
from typing import Any, Dict, Iterator, List, Mapping, Optional

from relcon.audit.check import Cases, Check, Seen, Subject, number
from relcon.audit.finding import Finding
from relcon.audit.lines import argument
from relcon.config.source import Keys
from relcon.data.document import Instance
from relcon.renderers.context import Context, window


class Shown:
    """What a stage shows of a pair to its tightest encoder.

    stage: its name. keys: the way to the encoder's block. limit: its `max_length`. context: the sentences of the pair, or the document.
    """

    def __init__(self, stage: str, keys: Keys, limit: int, context: Context):
        self.stage, self.keys, self.limit, self.context = stage, keys, limit, context
        self.over, self.cases, self.longest = Counter[str](), Cases(), 0


class Lengths(Check):
    """Pairs whose text has more words than an encoder takes pieces. A word is one piece or more, so at least these are cropped: the words
    nearest to the two arguments are kept, and a pair whose arguments alone do not fit is lost."""

    def __init__(self, subject: Subject):
        super().__init__(subject)
        self.stages = list(_stages(subject))

    def see(self, seen: Seen) -> None:
        """Measure the text of each pair."""
        for shown in self.stages:
            if len(seen.document.words) <= shown.limit:
                continue
            for head, tail, _ in seen.pairs:
                start, end = window(Instance(seen.document, head, tail), shown.context)
                if end - start > shown.limit:
                    shown.over[seen.split] += 1
                    shown.longest = max(shown.longest, end - start)
                    shown.cases.add(seen.split, seen.document, f"{number(end - start, 'word')}: {' '.join(seen.document.words[start:end])}")

    def findings(self) -> Iterator[Finding]:
        """One for each stage and split."""
        for shown in self.stages:
            for split, count in shown.over.items():
                of = len(self.subject.splits[split].instances)
                yield Finding(
                    "longer than the encoder takes",
                    "warning",
                    split,
                    f"{number(count, 'pair')} of {of:,}: stage {shown.stage} shows more words than its encoder takes ({shown.limit}). "
                    f"That counts pieces, these are words, so more may be cropped. The longest {shown.context} has {shown.longest}.",
                    count,
                    shown.cases.examples([split]),
                    self.subject.lines.setting((*shown.keys, "max_length"), shown.longest),
                )


def _stages(subject: Subject) -> Iterator[Shown]:
    """The stages that train encoders on the corpus; of several with one encoder and context the first."""
    known: Dict[Any, None] = {}
    for stage in subject.lines.stages:
        renderers = [block for _, block in subject.lines.blocks(stage, "renderers")]
        context: Context = "document" if any(argument(block, "context") == "document" for block in renderers) else "sentence"
        found = _tightest(subject, stage)
        if found is not None and (found, context) not in known:
            known[found, context] = None
            yield Shown(stage, found, _limit(_at(subject, found)) or 0, context)


def _tightest(subject: Subject, stage: str) -> Optional[Keys]:
    """The way to the encoder block of a stage with the smallest limit; an encoder of an earlier stage is followed to its block."""
    found: List[Keys] = []
    for name, value in (subject.lines.stages[stage].get("encoders") or {}).items():
        keys: Keys = ("stages", stage, "encoders", name)
        while isinstance(value, str) and (block := _at(subject, keys := ("stages", *_handed_on(value)))) is not None:
            value = block
        if isinstance(value, Mapping) and _limit(value) is not None:
            found.append(keys)
    return min(found, key=lambda keys: _limit(_at(subject, keys)) or 0, default=None)


def _handed_on(value: str) -> Keys:
    """`pretrain.text` -> the way from [stages] to it."""
    stage, _, name = value.partition(".")
    return stage, "encoders", name


def _at(subject: Subject, keys: Keys) -> Any:
    """What stands in the config at the end of a way; None where nothing does."""
    value: Any = subject.lines.loaded.tree
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _limit(block: Mapping[str, Any]) -> Optional[int]:
    """How many pieces an encoder takes; None where its block does not say so by `max_length`."""
    limit = argument(block, "max_length")
    return limit if isinstance(limit, int) else None

