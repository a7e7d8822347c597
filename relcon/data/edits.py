"""Changes to a document's words, with every annotation put right.

An augmenter says which words stand where; what that means for entities, sentences and offsets is worked out here, once.
"""

from dataclasses import replace
from typing import Dict, Iterable, List, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

from relcon.data.document import Document, Entity, Mention, WordSpan


class Piece(NamedTuple):
    """A word of the changed document.

    text: the word. sources: the old words that it stands for (a replaced mention: all of its words); () for an insertion.
    """

    text: str
    sources: Tuple[int, ...] = ()


Edits = Mapping[int, Sequence[Piece]]
"""Old word number -> what stands in its place; `[]` deletes it. Words that are not named stay as they are."""


class Layout(NamedTuple):
    """Where everything went. What lies before old word `first` stayed, what lies from old word `last` on moved by `shift`.

    words: all new words. landed: new positions of each old word in [first, last). starts: new positions at which the places of
    those old words begin.
    """

    words: List[str]
    first: int
    last: int
    shift: int
    landed: List[List[int]]
    starts: List[int]


def apply_edits(document: Document, edits: Edits) -> Document:
    """The document with changed words and repaired annotations; always a new object, the given one is untouched.

    A mention covers the words that stand for its old words: it moves, grows and shrinks with them. Where they end up apart it
    becomes discontinuous, where none is left it is dropped. An entity never loses its last mention, because relations and
    candidate pairs count entities: the words of its first mention are then kept after all.
    Sentences keep their places; one that lost all words is dropped. Text, offsets and parse described the old words and go,
    unless there is nothing to change (see `keep_touching`).
    """
    if not edits:
        return replace(document)
    edits = _keep_entities(document, edits)
    if _in_place(edits):
        words = list(document.words)
        for number, (piece,) in edits.items():
            words[number] = piece.text
        entities, sentences = document.entities, document.sentences
    else:
        layout = _lay_out(document.words, edits)
        words = layout.words
        entities = tuple(_moved_entity(entity, layout) for entity in document.entities)
        sentences = _moved_sentences(document.sentences, layout)
    changed = replace(document, words=tuple(words), entities=entities, sentences=sentences, text=None, offsets=None, parse=None)
    return keep_touching(document, changed)


def keep_touching(before: Document, after: Document) -> Document:
    """The changed document, which has no offsets, with some where mentions touched before and still stand side by side: they are
    one argument to whoever blinds them, before and after. Offsets then run over the words with a space between, but for those."""
    touching = _touching(before)
    borders = {
        one.end
        for left, right in touching
        for one in after.entities[left].mentions
        for other in after.entities[right].mentions
        if one.end == other.start
    }
    if not borders:
        return after
    offsets: List[Tuple[int, int]] = []
    at = 0
    for number, word in enumerate(after.words):
        at += 0 if number == 0 or number in borders else 1
        offsets.append((at, at + len(word)))
        at += len(word)
    return replace(after, offsets=tuple(offsets))


def _touching(document: Document) -> Set[Tuple[int, int]]:
    """Pairs of entities of which a mention of the first ends where one of the second begins, without a character between them."""
    if document.offsets is None:
        return set()
    starts: Dict[int, List[int]] = {}
    for number, entity in enumerate(document.entities):
        for mention in entity.mentions:
            starts.setdefault(mention.start, []).append(number)
    return {
        (number, other)
        for number, entity in enumerate(document.entities)
        for mention in entity.mentions
        for other in starts.get(mention.end, ())
        if document.offsets[mention.end - 1][1] == document.offsets[mention.end][0]
    }


def replaced(words: Sequence[int], new: Sequence[str]) -> Dict[int, List[Piece]]:
    """The edits that put the words `new` in the place of the old words numbered `words` (ascending; they need not be adjacent)."""
    sources = tuple(words)
    edits: Dict[int, List[Piece]] = {word: [] for word in words}
    edits[sources[0]] = [Piece(text, sources) for text in new]
    return edits


def words_of(mention: Mention) -> List[int]:
    """The words that belong to a mention, ascending."""
    return [word for start, end in mention.spans for word in range(start, end)]


def joined(groups: Iterable[Iterable[int]]) -> List[Tuple[int, ...]]:
    """Groups of words (mentions), those that share a word as one; each group ascending, groups in text order."""
    found: List[Set[int]] = []
    for group in map(set, groups):
        touching = [other for other in found if not other.isdisjoint(group)]
        found = [other for other in found if other.isdisjoint(group)] + [group.union(*touching)]
    return sorted(tuple(sorted(group)) for group in found)


def _keep_entities(document: Document, edits: Edits) -> Edits:
    """The edits without the deletion of an entity's last mention."""
    lost = set(edits).difference(source for pieces in edits.values() for piece in pieces for source in piece.sources)
    if not lost:
        return edits
    kept = dict(edits)
    for entity in document.entities:
        if all(word in lost for mention in entity.mentions for word in words_of(mention)):
            for word in words_of(entity.mentions[0]):
                if not any(word in piece.sources for piece in kept[word]):
                    kept[word] = [Piece(document.words[word], (word,)), *kept[word]]
    return kept


def _in_place(edits: Edits) -> bool:
    """Whether every edit puts one word for one, so that no annotation moves."""
    return all(len(pieces) == 1 and pieces[0].sources == (word,) for word, pieces in edits.items())


def _lay_out(words: Sequence[str], edits: Edits) -> Layout:
    """The new words in order, and where the old ones went; only the part of the text that is touched is walked through."""
    touched = {*edits, *(source for pieces in edits.values() for piece in pieces for source in piece.sources)}
    first, last = min(touched), max(touched) + 1
    new, starts = list(words[:first]), []
    landed: List[List[int]] = [[] for _ in range(first, last)]
    for number in range(first, last):
        starts.append(len(new))
        for text, sources in edits.get(number, ((words[number], (number,)),)):
            for source in sources:
                landed[source - first].append(len(new))
            new.append(text)
    return Layout(new + list(words[last:]), first, last, len(new) - last, landed, starts)


def _moved_entity(entity: Entity, layout: Layout) -> Entity:
    if all(mention.end <= layout.first for mention in entity.mentions):
        return entity
    moved = (_moved_mention(mention, layout) for mention in entity.mentions)
    return replace(entity, mentions=tuple(dict.fromkeys(mention for mention in moved if mention is not None)))


def _moved_mention(mention: Mention, layout: Layout) -> Optional[Mention]:
    if mention.start >= layout.last:
        shifted = tuple((start + layout.shift, end + layout.shift) for start, end in mention.fragments)
        return Mention(mention.start + layout.shift, mention.end + layout.shift, shifted)
    runs = _runs(sorted({place for word in words_of(mention) for place in _landed(word, layout)}))
    if not runs:
        return None
    return Mention(runs[0][0], runs[-1][1], tuple(runs) if len(runs) > 1 else ())


def _landed(word: int, layout: Layout) -> Sequence[int]:
    """The new positions of an old word."""
    if word < layout.first:
        return (word,)
    return layout.landed[word - layout.first] if word < layout.last else (word + layout.shift,)


def _moved_sentences(sentences: Sequence[WordSpan], layout: Layout) -> Tuple[WordSpan, ...]:
    moved = ((_start(start, layout), _start(end, layout)) for start, end in sentences)
    return tuple((start, end) for start, end in moved if start < end)


def _start(word: int, layout: Layout) -> int:
    """The new position at which the place of an old word begins; of the end of the text: its new end."""
    if word < layout.first:
        return word
    return layout.starts[word - layout.first] if word < layout.last else word + layout.shift


def _runs(places: Iterable[int]) -> List[WordSpan]:
    """Ascending positions as spans of neighbours: 3 4 5 9 -> [(3, 6), (9, 10)]."""
    runs: List[WordSpan] = []
    for place in places:
        if runs and runs[-1][1] == place:
            runs[-1] = (runs[-1][0], place + 1)
        else:
            runs.append((place, place + 1))
    return runs
