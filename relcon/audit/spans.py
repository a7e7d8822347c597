"""Mentions that look like slips of the annotation, and those that share words."""

import unicodedata
from collections import Counter
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from relcon.audit.check import Cases, Check, Seen, Subject, number
from relcon.audit.finding import Finding, Severity
from relcon.data.document import Document, Mention

BLANK = "a mention without a letter, digit or sign"
PUNCTUATION = "a mention of punctuation alone"
EDGE = "a mention that begins or ends in punctuation"
CUT = "a mention that begins or ends inside a word of the text"
BORDER = "a mention across a sentence border"
FAULTS: Dict[str, Severity] = {BLANK: "warning", PUNCTUATION: "warning", CUT: "warning", BORDER: "note", EDGE: "note"}
"""What may be wrong with a mention, and how much that matters."""

BRACKETS = ("()", "[]", "{}", "“”", "«»")


class Mentions(Check):
    """Mentions whose text is not what one would call an entity."""

    def __init__(self, subject: Subject):
        super().__init__(subject)
        self.faults = {fault: Cases() for fault in FAULTS}
        self.mentions: Counter[str] = Counter()

    def see(self, seen: Seen) -> None:
        """Look at every mention."""
        for entity in seen.document.entities:
            for mention in entity.mentions:
                self.mentions[seen.split] += 1
                for fault in faults_of(seen.document, mention):
                    self.faults[fault].add(seen.split, seen.document, quoted(seen.document, mention))

    def findings(self) -> Iterator[Finding]:
        """One for each fault and split."""
        for fault, cases in self.faults.items():
            for split, count in cases.counts.items():
                yield Finding(
                    fault.removeprefix("a "),
                    FAULTS[fault],
                    split,
                    f"{number(count, 'mention')} of {self.mentions[split]:,}: {fault}.",
                    count,
                    cases.examples([split]),
                    f"Correct the data: {self.subject.lines.files([split])}",
                )


def faults_of(document: Document, mention: Mention) -> Iterator[str]:
    """What looks wrong with a mention."""
    text = document.mention_text(mention)
    if not text.strip():
        yield BLANK
    elif all(_is(each, "PZC") for each in text):
        yield PUNCTUATION
    elif _ragged(text, closes=any(end == mention.end for _, end in document.sentences)):
        yield EDGE
    if _cuts(document, mention):
        yield CUT
    if document.sentence_of(mention.start) != document.sentence_of(mention.end - 1):
        yield BORDER


def _is(character: str, categories: str) -> bool:
    """Whether a character is of one of Unicode's major categories (P punctuation, Z separators, C control)."""
    return unicodedata.category(character)[0] in categories


def _ragged(text: str, closes: bool) -> bool:
    """Whether a text begins or ends in `,;:!?`, in white space or a bracket without its partner; or in the full stop of its sentence,
    which it closes."""
    alone = any(text.count(pair[0]) != text.count(pair[1]) and (text[0] in pair or text[-1] in pair) for pair in BRACKETS)
    return alone or text != text.strip() or text[0] in ",;:!?." or text[-1] in ",;:!?" or (closes and text.endswith("."))


def _cuts(document: Document, mention: Mention) -> bool:
    """Whether a letter or digit follows on another at an end of the mention. Scripts without case do not part words by spaces."""
    if document.text is None or document.offsets is None:
        return False
    ends = [place for start, end in mention.spans for place in (document.offsets[start][0], document.offsets[end - 1][1])]
    text = document.text
    return any(0 < place < len(text) and _letter(text[place - 1]) and _letter(text[place]) for place in ends)


def _letter(character: str) -> bool:
    return unicodedata.category(character) in ("Lu", "Ll", "Lt", "Nd")


def quoted(document: Document, mention: Mention) -> str:
    """A mention with a few words on both sides of it."""
    return f"'{document.mention_text(mention)}' in {' '.join(document.words[max(mention.start - 4, 0) : mention.end + 4])}"


# ---- shared words ------------------------------------------------------------------------------------------------------


class Shared(NamedTuple):
    """Two mentions of different entities that share a word. how: "the same words", "nested" or "crossing"."""

    entities: Tuple[int, int]
    mentions: Tuple[Mention, Mention]
    how: str


class Overlaps(Check):
    """Entities that share words, mentions in several pieces, and entities with several mentions: what a method that tags words, or looks at
    one span for each entity, cannot use."""

    def __init__(self, subject: Subject):
        super().__init__(subject)
        self.sharing, self.pieces, self.several, self.related = Cases(), Cases(), Cases(), Cases()
        self.ways: Dict[str, Counter[str]] = {name: Counter() for name in subject.splits}
        self.mentions: Counter[str] = Counter()

    def see(self, seen: Seen) -> None:
        """Look at all mentions of the document."""
        document, entities = seen.document, seen.document.entities
        shared = shared_words(document)
        if shared:
            self.ways[seen.split].update(each.how for each in shared)
            self.sharing.add(seen.split, document, " / ".join(f"'{document.mention_text(each)}'" for each in shared[0].mentions))
        linked = {frozenset(each.entities) for each in shared}
        for relation in document.relations:
            if relation.label not in (None, *self.subject.negative) and frozenset((relation.head, relation.tail)) in linked:
                names = [document.mention_text(entities[number].mentions[0]) for number in (relation.head, relation.tail)]
                self.related.add(seen.split, document, f"{names[0]} | {relation.label} | {names[1]}")
        for entity in entities:
            if len(entity.mentions) > 1:
                self.several.add(seen.split, document, " / ".join(document.mention_text(each) for each in entity.mentions))
            for mention in entity.mentions:
                if mention.fragments:
                    self.pieces.add(seen.split, document, quoted(document, mention))

    def findings(self) -> Iterator[Finding]:
        """One for each kind and split."""
        for split, count in self.sharing.counts.items():
            of, ways = len(self.subject.splits[split].documents), self.ways[split]
            told = (
                f"{number(count, 'document has', 'documents have')} entities that share words, of {of:,} "
                f"({number(ways.total(), 'pair')} of mentions: {_ways(ways)})."
            )
            yield self._finding("overlapping entities", "note", split, told, self.sharing, self._extraction())
        for split, count in self.related.counts.items():
            told = f"{number(count, 'relation')} between entities that share words, so that the marker or tag of one stands in the other."
            yield self._finding("related entities that overlap", "warning", split, told, self.related)
        for split, count in self.pieces.counts.items():
            told = f"{number(count, 'mention')} in several pieces; a method that looks at one span takes all from first to last word."
            yield self._finding("discontinuous mentions", "note", split, told, self.pieces)
        for split, count in self.several.counts.items():
            told = f"{number(count, 'entity has', 'entities have')} several mentions; sentence-level methods see the closest two of a pair."
            yield self._finding("entities with several mentions", "note", split, told, self.several)

    @staticmethod
    def _finding(check: str, severity: Severity, split: str, told: str, cases: Cases, remedy: str = "") -> Finding:
        return Finding(check, severity, split, told, cases.counts[split], cases.examples([split]), remedy)

    def _extraction(self) -> str:
        """The line of the config's first extraction score, which can be measured without such sentences."""
        lines = self.subject.lines
        for stage in lines.stages:
            for keys, block in lines.blocks(stage, "evaluators"):
                if block["@evaluators"] == "relcon.Extraction.v1":
                    return f"To score without them: {lines.setting((*keys, 'overlapping'), 'drop')}"
        return ""


def shared_words(document: Document) -> List[Shared]:
    """All mentions of different entities that share a word, two by two."""
    found: List[Shared] = []
    open_ones: List[Tuple[Mention, int]] = []
    mentions = sorted((mention, entity) for entity, each in enumerate(document.entities) for mention in each.mentions)
    for mention, entity in mentions:
        open_ones = [each for each in open_ones if each[0].end > mention.start]
        for other, of in open_ones:
            how = _how(other, mention) if of != entity else None
            if how is not None:
                found.append(Shared((of, entity), (other, mention), how))
        open_ones.append((mention, entity))
    return found


def _how(one: Mention, other: Mention) -> Optional[str]:
    """In which way two mentions share words; None where they do not."""
    first, second = ({word for start, end in each.spans for word in range(start, end)} for each in (one, other))
    if not first & second:
        return None
    return "the same words" if first == second else "nested" if first <= second or second <= first else "crossing"


def _ways(ways: "Counter[str]") -> str:
    return ", ".join(f"{count:,} {how}" for how, count in ways.most_common())
