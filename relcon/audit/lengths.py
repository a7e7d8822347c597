"""Texts that are longer than what the encoders take."""

from collections import Counter
from dataclasses import dataclass
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from relcon.audit.check import Cases, Check, Seen, Subject, number
from relcon.audit.finding import Finding
from relcon.audit.lines import argument, arguments_in, block_at, title
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


class Place(NamedTuple):
    """Where the config says what is shown to an encoder. stage: its name. encoder: the way to the block of the stage's tightest encoder.
    renderer: that to the block of what shows pairs to it, or to the stage, where it has none and sentences are shown as they are."""

    stage: str
    encoder: Keys
    renderer: Keys


class Shown:
    """What a stage shows of a pair to its tightest encoder.

    place: where the config says so. renderer: shows pairs. words: cuts texts into pieces; why_words: why it is words that are counted, ""
    where it is pieces. refused: why some pairs cannot be shown, "" where all can.
    """

    def __init__(self, place: Place, encoder: Mapping[str, Any], renderer: Renderer):
        self.place, self.renderer = place, renderer
        self.words, self.why_words = _cutting(encoder, renderer)
        self.over, self.lost, self.cases, self.longest = Counter[str](), Counter[str](), Cases(), 0
        self.refused = ""

    @property
    def unit(self) -> str:
        """What is counted."""
        return "word" if self.why_words else "piece"

    def see(self, seen: Seen) -> None:
        """Measure the text of each pair of a document; what cannot be shown is told."""
        try:
            self._measure(seen)
        except RelconError as error:
            self.refused = self.refused or str(error)

    def _measure(self, seen: Seen) -> None:
        """Look for texts that are too long; pairs may share one."""
        lengths: Dict[Text, int] = {}
        for view in self.renderer([Instance(seen.document, head, tail) for head, tail, _ in seen.pairs]):
            text = view.input
            if isinstance(text, Text):
                if text not in lengths:
                    lengths[text] = whole_length(self.words, text)
                if lengths[text] > self.words.limit:
                    self._crop(seen, view, text, lengths[text])

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
        self.shown: List[Shown] = []
        self.refused: List[Finding] = []
        for place in _places(subject):
            try:
                renderer = _renderer(subject, place)
            except RelconError as error:
                self.refused.append(self._refusal(place, str(error)))
            else:
                self.shown.append(Shown(place, block_at(subject.lines.loaded, place.encoder), renderer))

    def see(self, seen: Seen) -> None:
        """Measure the text of each pair."""
        for shown in self.shown if seen.pairs else ():
            shown.see(seen)

    def findings(self) -> Iterator[Finding]:
        """One for each stage and split, and what stands in the way of measuring."""
        yield from self.refused
        for shown in self.shown:
            yield from self._over(shown)
            if shown.refused:
                yield self._refusal(shown.place, shown.refused)
            elif shown.why_words and self.subject.rule is not None:
                yield Finding(
                    "lengths in words",
                    "note",
                    title(("stages", shown.place.stage)),
                    f"Texts are measured in words, not in the pieces that the encoder takes, so more may be too long. {shown.why_words}",
                    1,
                    (),
                    self.subject.lines.section(shown.place.encoder),
                )

    def _refusal(self, place: Place, why: str) -> Finding:
        remedy = self.subject.lines.section(place.renderer)
        return Finding("pairs that cannot be shown", "error", title(("stages", place.stage)), why, 1, (), remedy)

    def _over(self, shown: Shown) -> Iterator[Finding]:
        for split, count in shown.over.items():
            of = len(self.subject.splits[split].instances)
            yield Finding(
                "longer than the encoder takes",
                "warning",
                split,
                f"{number(count, 'pair')} of {of:,}: stage {shown.place.stage} shows more {shown.unit}s than its encoder takes "
                f"({shown.words.limit}). {number(shown.lost[split], 'pair loses', 'pairs lose')} an argument and cannot be learnt or "
                f"found, the others lose other words. The longest of all splits has {number(shown.longest, shown.unit)}.",
                count,
                shown.cases.examples([split]),
                self.subject.lines.setting((*shown.place.encoder, "max_length"), shown.longest),
            )


def loses(row: Row, view: View) -> bool:
    """Whether a cropped text lost all that some slot of a view looks at."""
    return any(slot and not any(_there(span, row) for span in slot) for slot in view.unit)


def _there(span: Span, row: Row) -> bool:
    if span == WHOLE:
        return not row.lost
    return CROPPED not in (row.places[span.start], row.places[span.end - 1])


# ---- stages --------------------------------------------------------------------------------------------------------------


def _places(subject: Subject) -> Iterator[Place]:
    """Of the stages that train encoders on the corpus; of several that show the same to one encoder the first."""
    known: List[Any] = []
    for stage in subject.lines.stages:
        encoder = _tightest(subject, stage)
        if encoder is None:
            continue
        for renderer, block in list(subject.lines.blocks(stage, "renderers")) or [(("stages", stage), {})]:
            if (encoder, block) not in known:
                known.append((encoder, block))
                yield Place(stage, encoder, renderer)


def _renderer(subject: Subject, place: Place) -> Renderer:
    """What shows pairs; where the stage has no renderer, sentences as they are. RelconError where it cannot be built."""
    block = block_at(subject.lines.loaded, place.renderer)
    renderer: Renderer = resolve(dict(block), title(place.renderer)) if "@renderers" in block else Plain(context="sentence")
    return renderer


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
