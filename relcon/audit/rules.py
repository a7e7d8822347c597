"""Whether the candidate rule fits the data: what it loses, what it asks in vain, and how much of it is 'no relation'."""

from collections import Counter
from typing import Any, Dict, Iterator, List, NamedTuple, Tuple

from relcon.audit.check import Subject, example, listed, number
from relcon.audit.finding import MOST, Example, Finding, SplitCounts
from relcon.config import resolve
from relcon.data.candidates import DISTANCE, REVERSED, SECOND, SENTENCES, TYPES, WINDOW, EntityPairs
from relcon.data.document import Document
from relcon.data.sequences import ids_of
from relcon.interfaces import Lost, Split

MANY_NEGATIVES = 0.9
"""From such a share of negative pairs on it is said."""


class Change(NamedTuple):
    """A key of the candidate rule with a value that may win lost relations."""

    key: str
    value: Any


def rule_findings(subject: Subject, counts: Dict[str, SplitCounts]) -> Iterator[Finding]:
    """Everything that concerns the rule."""
    for name, split in subject.splits.items():
        yield from lost_findings(subject, name, split)
    yield from _asked_in_vain(subject, counts)
    yield from _no_negative(subject, counts)
    yield from _negative_share(subject, counts)
    yield from _left_out(counts)


# ---- lost relations ----------------------------------------------------------------------------------------------------


def lost_findings(subject: Subject, name: str, split: Split) -> Iterator[Finding]:
    """The gold relations of a split without a candidate, by cause."""
    by_cause: Dict[str, List[Lost]] = {}
    for each in split.lost:
        by_cause.setdefault(each.cause, []).append(each)
    place = {each: number for number, each in enumerate(ids_of(split.documents))} if by_cause else {}
    gold = len(split.lost) + sum(1 for _ in _positive(subject, name))
    for cause, lost in sorted(by_cause.items(), key=lambda each: -len(each[1])):
        documents = {each.document: subject.document(name, place[each.document]) for each in lost}
        yield Finding(
            "lost relations",
            "warning",
            name,
            f"{number(len(lost), 'gold relation is', 'gold relations are')} no candidate ({cause}; {len(lost) / gold:.1%} of all) and "
            f"{'costs' if len(lost) == 1 else 'cost'} recall: {listed(Counter(each.label for each in lost))}.",
            len(lost),
            tuple(_lost_example(documents[each.document], each) for each in lost[:MOST]),
            _won_by(subject, cause, lost, documents),
        )


def _positive(subject: Subject, name: str) -> Iterator[str]:
    """The labels of the candidates that are relations."""
    for place in range(len(subject.splits[name].documents)):
        for pair in subject.pairs[name][place]:
            if pair.label is not None and pair.label not in subject.negative:
                yield pair.label


def _lost_example(document: Document, lost: Lost) -> Example:
    head, tail = (document.entities[each] for each in (lost.head, lost.tail))
    texts = [f"{document.mention_text(each.mentions[0])}{f' ({each.type})' if each.type else ''}" for each in (head, tail)]
    return example(document, f"{texts[0]} | {lost.label} | {texts[1]}")


def _won_by(subject: Subject, cause: str, lost: List[Lost], documents: Dict[str, Document]) -> str:
    """The lines of the config that would make candidates of lost relations, with how many of them each wins."""
    section = subject.lines.section((*subject.lines.corpus, "candidates"))
    if not isinstance(subject.rule, EntityPairs):
        return section
    told = []
    for change in _changes(subject.rule, cause, lost, documents):
        won = len(lost) - _still_lost(subject, change, lost, documents)
        if won:
            told.append(f"{subject.lines.candidates(change.key, change.value)} wins {won:,}")
    if cause == REVERSED:
        told.append(f"or, of labels without a direction: {subject.lines.data('symmetric', sorted({each.label for each in lost}))}")
    return "; ".join(told) or section


def _changes(rule: EntityPairs, cause: str, lost: List[Lost], documents: Dict[str, Document]) -> List[Change]:
    """What may win relations that were lost for a cause, the smallest change first."""
    types = sorted({_types(documents[each.document], each) for each in lost})
    return {
        TYPES: [Change("types", [*(rule.types or []), *map(list, types)])],
        SENTENCES: [Change("scope", "window"), Change("scope", "document")],
        WINDOW: [Change("window", rule.window + 1), Change("scope", "document")],
        DISTANCE: [Change("max_distance", 2 * (rule.max_distance or 0) + 1), Change("max_distance", None)],
        REVERSED: [Change("directed", True)],
        SECOND: [Change("several", "kept")],
    }.get(cause, [])


def _types(document: Document, lost: Lost) -> Tuple[str, str]:
    return document.entities[lost.head].type, document.entities[lost.tail].type


def _still_lost(subject: Subject, change: Change, lost: List[Lost], documents: Dict[str, Document]) -> int:
    """How many of the relations a changed rule loses too, for whatever cause."""
    lines = subject.lines
    changed = resolve({**lines.block["candidates"], change.key: change.value}, lines.rule)
    missed = {each[:4] for document in documents.values() for each in changed.instances(document, subject.labels)[1]}
    return sum(each[:4] in missed for each in lost)


# ---- what is asked -----------------------------------------------------------------------------------------------------


def _asked_in_vain(subject: Subject, counts: Dict[str, SplitCounts]) -> Iterator[Finding]:
    """Pairs of types that never have a relation, in no split."""
    rule = subject.rule
    if not isinstance(rule, EntityPairs) or not rule.complete_annotation:
        return
    pairs, related = Counter[Tuple[str, str]](), Counter[Tuple[str, str]]()
    for each in (each for split in counts.values() for each in split.type_pairs):
        pairs[each.head, each.tail] += sum(each.labels.values())
        related[each.head, each.tail] += sum(count for label, count in each.labels.items() if label not in subject.negative)
    needed = sorted(types for types, count in related.items() if count)
    vain = {f"{head} -> {tail}": pairs[head, tail] for head, tail in pairs if not related[head, tail] and pairs[head, tail]}
    count = sum(vain.values())
    if vain and needed:
        yield Finding(
            "types without a relation",
            "note",
            ", ".join(counts),
            f"{number(count, 'candidate pair is', 'candidate pairs are')} of {pairs.total():,} of types that never have a relation "
            f"(head -> tail): {listed(vain)}.",
            count,
            (),
            subject.lines.candidates("types", [list(types) for types in needed]),
        )


def _no_negative(subject: Subject, counts: Dict[str, SplitCounts]) -> Iterator[Finding]:
    """A rule that asks about related pairs alone."""
    labelled = sum(sum(split.labels.values()) for split in counts.values())
    negative = sum(count for split in counts.values() for label, count in split.labels.items() if label in subject.negative)
    if subject.rule is None or subject.rule.gives_negative or not labelled or negative:
        return
    yield Finding(
        "no negative pair",
        "note",
        ", ".join(counts),
        "Every labelled pair has a relation, so a model learns which one, not whether there is one: on other text it finds a relation "
        "between any two entities.",
        labelled,
        (),
        "Where the data annotate all relations of a text: "
        + subject.lines.candidates("@candidates", "relcon.EntityPairs.v1")
        + " and "
        + subject.lines.data("negative", ["none"]),
    )


def _negative_share(subject: Subject, counts: Dict[str, SplitCounts]) -> Iterator[Finding]:
    """Splits that hold hardly anything but negatives."""
    for name, split in counts.items():
        labelled = sum(split.labels.values())
        negative = sum(count for label, count in split.labels.items() if label in subject.negative)
        if labelled and negative / labelled >= MANY_NEGATIVES:
            yield Finding(
                "share of negatives",
                "note",
                name,
                f"{negative / labelled:.1%} of {number(labelled, 'labelled pair')} have no relation.",
                negative,
                (),
                _nearer(subject),
            )


def _nearer(subject: Subject) -> str:
    """How an enumerating rule asks less."""
    if not isinstance(subject.rule, EntityPairs):
        return ""
    section = subject.lines.section((*subject.lines.corpus, "candidates"))
    incomplete = subject.lines.candidates("complete_annotation", False)
    return f"Ask less by types, max_distance or scope: {section}; or, where the data do not annotate all relations, {incomplete}"


def _left_out(counts: Dict[str, SplitCounts]) -> Iterator[Finding]:
    """What readers could not keep."""
    for name, split in counts.items():
        if split.left_out:
            total = sum(split.left_out.values())
            yield Finding(
                "left out by the reader", "note", name, f"The data say what a document cannot hold: {listed(split.left_out)}.", total
            )

