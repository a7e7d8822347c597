"""Every pair of mentions of the right types in a sentence: what the builders have in common."""

from collections import Counter
from dataclasses import replace
from typing import Callable, Dict, Iterable, Iterator, List, Optional, Set, Tuple

from relcon.builders.keys import blinded_key, plain_key
from relcon.data.candidates import EntityPairs
from relcon.data.document import Document, Relation
from relcon.data.sentences import cut_sentences
from relcon.errors import RelconError

Filter = Callable[[Document, Tuple[int, int]], Optional[str]]
"""A sentence and a pair of its entities -> why the pair is left out, or None."""

EVALUATION = "texts of an evaluation set"
DUPLICATE = "the same blinded text a second time"
TOO_MANY = "above max_pairs_per_sentence"
NO_PAIR = "sentences without a pair of the types"


class SentencePairs:
    """Documents -> their sentences, each with a relation for every pair of mentions whose types are asked for.

    types: [head type, tail type] pairs. label: of every relation, None for none. most: at most so many pairs of a sentence, the
    first in text order. deduplicate: a pair whose blinded sentence came before is left out. excluded: keys of sentences that
    must not come. skip: a further filter. skipped: how many were left out so far, by cause.
    """

    def __init__(
        self,
        types: List[List[str]],
        label: Optional[str] = None,
        most: Optional[int] = None,
        deduplicate: bool = True,
        excluded: Iterable[str] = (),
        skip: Optional[Filter] = None,
    ):
        self.rule = EntityPairs(scope="sentence", types=types)
        self.label, self.most, self.deduplicate, self.skip = label, most, deduplicate, skip
        self.excluded, self.seen = set(excluded), set[str]()
        self.skipped: Dict[str, int] = Counter()

    def of(self, document: Document) -> Iterator[Document]:
        """The sentences of the document that have a pair."""
        for sentence, origins, _ in cut_sentences(document):
            if plain_key(sentence) in self.excluded:
                self.skipped[EVALUATION] += 1
                continue
            found = [(each.head, each.tail) for each in self.rule.instances(sentence)[0] if origins[each.head] != origins[each.tail]]
            kept = self._kept(sentence, found)
            if kept:
                yield replace(sentence, relations=tuple(Relation(head, tail, self.label) for head, tail in kept))
            elif not found:
                self.skipped[NO_PAIR] += 1

    def _kept(self, sentence: Document, pairs: List[Tuple[int, int]]) -> List[Tuple[int, int]]:
        kept: List[Tuple[int, int]] = []
        for pair in pairs:
            key = blinded_key(sentence, pair)
            cause = self._cause(sentence, pair, key) or (TOO_MANY if self.most is not None and len(kept) >= self.most else None)
            if cause is None:
                kept.append(pair)
                self.seen.add(key)
            else:
                self.skipped[cause] += 1
        return kept

    def _cause(self, sentence: Document, pair: Tuple[int, int], key: str) -> Optional[str]:
        if key in self.excluded:
            return EVALUATION
        if self.deduplicate and key in self.seen:
            return DUPLICATE
        return self.skip(sentence, pair) if self.skip is not None else None


def keys_to_exclude(documents: Iterable[Document]) -> Set[str]:
    """The keys of all sentences of evaluation data, plain, and blinded for every pair that is asked about there."""
    keys: Set[str] = set()
    for document in documents:
        keys |= {plain_key(sentence) for sentence, *_ in cut_sentences(document)}
        for sentence, origins, _ in cut_sentences(document):
            asked = {(relation.head, relation.tail) for relation in document.relations}
            pairs = [(h, t) for h, head in enumerate(origins) for t, tail in enumerate(origins) if (head, tail) in asked]
            keys |= {blinded_key(sentence, pair) for pair in pairs}
    return keys


def check_arguments(types: List[List[str]], most: Optional[int]) -> None:
    """RelconError where the types are no pairs, or the limit leaves nothing."""
    if not types or any(len(pair) != 2 for pair in types):
        raise RelconError(f"types: expected [head type, tail type] pairs such as [[\"DRUG\", \"DRUG\"]], got {types}")
    if most is not None and most < 1:
        raise RelconError(f"max_pairs_per_sentence: {most} is below 1")
