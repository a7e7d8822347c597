"""Shortest dependency paths between two mentions.

The parse is taken as an undirected graph: one edge between each word and its head. In a tree the path between two words is
unique: both walk up to where they meet.
"""

from typing import List, Optional, Set

from relcon.data.document import Document, Mention, Parse
from relcon.errors import RelconError


def shortest_path(parse: Parse, a: int, b: int) -> Optional[List[int]]:
    """Word numbers from a to b, both included; None where they are in different trees."""
    up_from_a, up_from_b = chain(parse, a), chain(parse, b)
    above_a = {word: steps for steps, word in enumerate(up_from_a)}
    meeting = next((steps for steps, word in enumerate(up_from_b) if word in above_a), None)
    if meeting is None:
        return None
    return up_from_a[: above_a[up_from_b[meeting]]] + up_from_b[: meeting + 1][::-1]


def chain(parse: Parse, word: int) -> List[int]:
    """The word, its head, the head's head, ... up to the root. RelconError where the heads run in a circle."""
    found = [word]
    while parse.heads[found[-1]] != found[-1]:
        found.append(parse.heads[found[-1]])
        if len(found) > len(parse.heads):
            raise RelconError(f"The parse is no tree: from word {word} the heads run in a circle. Mend the data, or drop its parses.")
    return found


def syntactic_head(parse: Parse, mention: Mention) -> int:
    """The word that stands for a mention: the leftmost whose head lies outside the mention (a root counts as such).

    Fragments of a discontinuous mention count as one set of words.
    """
    words = sorted({word for start, end in mention.spans for word in range(start, end)})
    inside = set(words)
    outer = [word for word in words if parse.heads[word] == word or parse.heads[word] not in inside]
    if not outer:
        chain(parse, words[0])  # says what is wrong: a circle of heads inside the mention
    return outer[0]


def dependency_path(
    document: Document, head: Mention, tail: Mention, collapse_prepositions: bool = True, join_sentences: bool = False
) -> Optional[List[int]]:
    """The shortest dependency path from one mention to the other as word numbers, the syntactic head of each at its ends.

    collapse_prepositions: leave out a preposition between its two arguments, as spaCy's English scheme has them on the path and
        Universal Dependencies has not; of no effect under the latter.
    join_sentences: go from root to root over the sentences between two mentions that no tree connects (Quirk and Poon, Distant
        supervision for relation extraction beyond the sentence boundary, EACL 2017).
    Returns None where there is no path. Mentions that overlap may have one and the same head, which is then the whole path.
    RelconError where the document has no parse.
    """
    if document.parse is None:
        raise RelconError(f"Document '{document.id}' has no dependency parse. Name a parser in the config ([data.parser]).")
    a, b = syntactic_head(document.parse, head), syntactic_head(document.parse, tail)
    path = shortest_path(document.parse, a, b)
    if path is None and join_sentences:
        path = _joined(document, document.parse, a, b)
    if path is not None and collapse_prepositions:
        path = [word for place, word in enumerate(path) if not _is_preposition(document.parse, path, place)]
    return path


def _joined(document: Document, parse: Parse, a: int, b: int) -> List[int]:
    """Up to the root of a, along the roots of the sentences between, down to b."""
    up, down = chain(parse, a), chain(parse, b)[::-1]
    first, last = document.sentence_of(a), document.sentence_of(b)
    step = 1 if first <= last else -1
    between = [root for number in range(first + step, last, step) for root in roots(document, parse, number)[:1]]
    return up + between + down


def roots(document: Document, parse: Parse, sentence: int) -> List[int]:
    """The roots of a sentence, in order; there is one, unless the parser cut what the document takes for one sentence."""
    return [word for word in range(*document.sentences[sentence]) if parse.heads[word] == word]


def _is_preposition(parse: Parse, path: List[int], place: int) -> bool:
    """Whether an inner node is joined to one neighbour by `prep` (or `agent`) and to the other by `pobj` (or `pcomp`)."""
    if not 0 < place < len(path) - 1:
        return False
    first, second = (_arcs(parse, path[place], neighbour) for neighbour in (path[place - 1], path[place + 1]))
    above, below = {"prep", "agent"}, {"pobj", "pcomp"}
    return bool((first & above and second & below) or (first & below and second & above))


def _arcs(parse: Parse, a: int, b: int) -> Set[str]:
    """The label of the arc between two neighbours: that of whichever hangs on the other; empty where roots were joined."""
    return {parse.labels[child] for child, parent in ((a, b), (b, a)) if parse.heads[child] == parent}
