"""Texts that are longer than what the encoders take."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional, Tuple

from relcon.audit.check import Cases, Check, Seen, Subject, number
from relcon.audit.finding import Finding
from relcon.audit.lines import argument, arguments_in, block_at
from relcon.components import component_of
from relcon.config import resolve
from relcon.config.source import Keys
from relcon.contrast import WHOLE, Span, Text, View
from relcon.data.document import Instance
from relcon.encoders.pieces import Frame, Pieces
from relcon.encoders.text import CROPPED, Row, TextEncoder, Words, row_of, whole_length
from relcon.errors import RelconError
from relcon.interfaces import Renderer
from relcon.renderers.plain import Plain

NO_FRAME = Frame((), (), ())


@dataclass
class WholeWords:
    """Cuts nothing: a word is one piece, and there are no special tokens. An encoder takes no fewer pieces for any text."""

    limit: int
    one: Frame = NO_FRAME
    two: Frame = NO_FRAME
    padding: int = 0
    typed: bool = False

    def cut(self, words: Iterable[str]) -> List[Pieces]:
        """Each word as its one piece."""
        return [(word,) for word in words]

    def piece(self, number: int) -> int:
        """What an edit names."""
        return number


class Shown:
    """What a stage shows of a pair to its tightest encoder.

    stage: its name. keys: the way to the encoder's block. renderer: shows pairs. words: cuts texts into pieces; why_words: why it is words
    that are counted, "" where it is pieces.
    """

    def __init__(self, stage: str, keys: Keys, encoder: Mapping[str, Any], renderer: Renderer):
        self.stage, self.keys, self.renderer = stage, keys, renderer
        self.words, self.why_words = _cutting(encoder, renderer)
        self.over, self.lost, self.cases, self.longest = Counter[str](), Counter[str](), Cases(), 0
        self.refused = ""

    @property
    def unit(self) -> str:
        """What is counted."""
        return "word" if self.why_words else "piece"

    def see(self, seen: Seen) -> None:
        """Measure the text of each pair of a document; pairs may share one."""
        lengths: Dict[Text, int] = {}
        for view in self._views(seen):
            text = view.input
            if isinstance(text, Text):
                if text not in lengths:
                    lengths[text] = whole_length(self.words, text)
                if lengths[text] > self.words.limit:
                    self._crop(seen, view, text, lengths[text])

    def _views(self, seen: Seen) -> List[View]:
        """The pairs as the renderer shows them; none where it cannot, which is told."""
        try:
            return self.renderer([Instance(seen.document, head, tail) for head, tail, _ in seen.pairs])
        except RelconError as error:
            self.refused = self.refused or str(error)
            return []

    def _crop(self, seen: Seen, view: View, text: Text, length: int) -> None:
        """One more pair that is too long."""
        self.over[seen.split] += 1
        self.lost[seen.split] += loses(row_of(self.words, text), view)
        self.longest = max(self.longest, length)
        self.cases.add(seen.split, seen.document, f"{number(length, self.unit)}: {' '.join(text.words)}")


class Lengths(Check):
    """Pairs whose text has more pieces than an encoder takes, as the stage's renderer shows it: words far from the two arguments are
    cropped, and a pair whose arguments do not fit is lost. Where the encoder's tokenizer cannot be had, words are counted: a word is one
    piece or more, so at least these are cropped."""

    def __init__(self, subject: Subject):
        super().__init__(subject)
        self.stages = list(_stages(subject))

    def see(self, seen: Seen) -> None:
        """Measure the text of each pair."""
        for shown in self.stages if seen.pairs else ():
            shown.see(seen)

    def findings(self) -> Iterator[Finding]:
        """One for each stage and split, and what stands in the way of measuring."""
        for shown in self.stages:
            yield from self._over(shown)
            where = f"[stages.{shown.stage}]"
            if shown.refused:
                yield Finding("pairs that cannot be shown", "error", where, shown.refused, 1)
            elif shown.why_words and self.subject.rule is not None:
                yield Finding(
                    "lengths in words",
                    "note",
                    where,
                    f"Texts are measured in words, not in the pieces that the encoder takes, so more may be too long. {shown.why_words}",
                    1,
                    (),
                    self.subject.lines.section(shown.keys),
                )

    def _over(self, shown: Shown) -> Iterator[Finding]:
        for split, count in shown.over.items():
            of = len(self.subject.splits[split].instances)
            yield Finding(
                "longer than the encoder takes",
                "warning",
                split,
                f"{number(count, 'pair')} of {of:,}: stage {shown.stage} shows more {shown.unit}s than its encoder takes "
                f"({shown.words.limit}). {number(shown.lost[split], 'pair loses', 'pairs lose')} an argument and cannot be learnt or "
                f"found, the others lose other words. The longest of all splits has {number(shown.longest, shown.unit)}.",
                count,
                shown.cases.examples([split]),
                self.subject.lines.setting((*shown.keys, "max_length"), shown.longest),
            )


def loses(row: Row, view: View) -> bool:
    """Whether a cropped text lost all that some slot of a view looks at."""
    return any(slot and not any(_there(span, row) for span in slot) for slot in view.unit)


def _there(span: Span, row: Row) -> bool:
    if span == WHOLE:
        return not row.lost
    return CROPPED not in (row.places[span.start], row.places[span.end - 1])


# ---- stages --------------------------------------------------------------------------------------------------------------


def _stages(subject: Subject) -> Iterator[Shown]:
    """The stages that train encoders on the corpus; of several that show the same to one encoder the first."""
    known: List[Any] = []
    for stage in subject.lines.stages:
        keys = _tightest(subject, stage)
        if keys is None:
            continue
        for block, renderer in _renderers(subject, stage):
            if (keys, block) not in known:
                known.append((keys, block))
                yield Shown(stage, keys, block_at(subject.lines.loaded, keys), renderer)


def _renderers(subject: Subject, stage: str) -> List[Tuple[Mapping[str, Any], Renderer]]:
    """The renderers of a stage with their blocks; where it has none, sentences as they are."""
    blocks = subject.lines.blocks(stage, "renderers")
    return [(block, resolve(dict(block), f"[{'.'.join(keys)}]")) for keys, block in blocks] or [({}, Plain(context="sentence"))]


def _cutting(encoder: Mapping[str, Any], renderer: Renderer) -> Tuple[Words, str]:
    """How an encoder cuts texts, and why only words can be counted, "" where pieces can."""
    component, arguments = component_of("encoders", encoder["@encoders"]), arguments_in(encoder)
    if not (isinstance(component, type) and issubclass(component, TextEncoder)):
        return WholeWords(arguments["max_length"]), f"{encoder['@encoders']} does not say how it cuts words."
    try:
        return component.cutting(arguments, renderer.special_tokens), ""
    except RelconError as error:
        return WholeWords(arguments["max_length"]), str(error)


def _tightest(subject: Subject, stage: str) -> Optional[Keys]:
    """The way to the encoder block of a stage with the smallest limit; an encoder of an earlier stage is followed to its block."""
    loaded, found = subject.lines.loaded, []
    for name, value in (subject.lines.stages[stage].get("encoders") or {}).items():
        keys: Keys = ("stages", stage, "encoders", name)
        while isinstance(value, str) and (block := block_at(loaded, keys := ("stages", *_handed_on(value)))) is not None:
            value = block
        if isinstance(value, Mapping) and _limit(value) is not None:
            found.append(keys)
    return min(found, key=lambda keys: _limit(block_at(loaded, keys)) or 0, default=None)


def _handed_on(value: str) -> Keys:
    """`pretrain.text` -> the way from [stages] to it."""
    stage, _, name = value.partition(".")
    return stage, "encoders", name


def _limit(block: Mapping[str, Any]) -> Optional[int]:
    """How many pieces an encoder takes; None where its block does not say so by `max_length`."""
    limit = argument(block, "max_length")
    return limit if isinstance(limit, int) else None
