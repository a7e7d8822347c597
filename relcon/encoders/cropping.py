"""Which words of a text that is too long survive."""

from typing import List, Sequence, Tuple


def survivors(lengths: Sequence[int], room: int, keep: Sequence[Tuple[int, int]] = ()) -> List[int]:
    """Numbers of the words that fit, in text order; [] where the words to keep do not fit themselves.

    lengths: [W] pieces of each word. room: how many pieces there is space for. keep: word spans [start, end) that must
    survive whole. The words nearest to them go along, so that words between two far apart spans may fall out of the
    middle; without `keep` the text is cropped at its end.
    """
    if sum(lengths) <= room:
        return list(range(len(lengths)))
    kept = {word for start, end in keep for word in range(start, end)}
    room -= sum(lengths[word] for word in kept)
    if room < 0:
        return []
    for word in sorted(set(range(len(lengths))) - kept, key=lambda word: (_distance(word, keep), word)):
        room -= lengths[word]
        if room < 0:
            break
        kept.add(word)
    return sorted(kept)


def _distance(word: int, keep: Sequence[Tuple[int, int]]) -> int:
    """How many words it is to the nearest span; to the text's beginning where there is none."""
    if not keep:
        return word
    return min(start - word if word < start else word - end + 1 for start, end in keep)
