"""Training data that another corpus reads, changed: with noise of a known kind, or with a part of their labels.

Both change documents alone; which of their pairs are candidates is decided anew by the rule of the corpus that reads the files.
"""

import logging
from abc import abstractmethod
from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from itertools import chain, count
from pathlib import Path
from random import Random
from typing import Callable, Collection, Dict, Iterable, Iterator, List, Literal, Mapping, NamedTuple, Optional, Sequence, Set, Tuple

import numpy as np

from relcon.data.changed import ChangedCorpus, Written
from relcon.data.document import Document, Relation
from relcon.data.relations import IGNORED, Pair, ignored_pairs, pair_labels, relation_instances
from relcon.data.sequences import pairs_of
from relcon.data.store import fingerprint_of_path, hashed
from relcon.errors import RelconError, naming
from relcon.interfaces import Corpus, Split
from relcon_finecl.order import CORRUPTED, read_order

log = logging.getLogger(__name__)

Change = Callable[[int, Document], Document]
"""The place of a document in its split, and the document -> what becomes of it."""

Fact = Tuple[int, int, str]
"""Head, tail and label within a document."""


class ChangedTraining(ChangedCorpus):
    """A corpus whose training documents are those of another one, changed. Labels and other splits are the other's.

    corpus: the other one.
    """

    @abstractmethod
    def change(self, train: Split) -> Change:
        """What becomes of each training document."""

    def documents(self, split: Split) -> Optional[Written]:
        """The training documents, changed."""
        if split.name != "train":
            return None
        change = self.change(split)
        return lambda: map(change, count(), split.documents)


# ---- noise -------------------------------------------------------------------------------------------------------------

Mode = Literal["symmetric", "prior", "pairflip", "ds_false_positive", "kb_sentence"]

MODES = ("symmetric", "prior", "pairflip", "ds_false_positive", "kb_sentence")


class Place(NamedTuple):
    """A relation instance: the place of its document in the split, head, tail and label."""

    document: int
    head: int
    tail: int
    label: str


@dataclass
class Plan:
    """What is to be made wrong in one document.

    labels: fact -> its new label. added: facts of pairs without relation. donor: the document whose text takes the place of its own.
    """

    labels: Dict[Fact, str] = field(default_factory=dict)
    added: List[Fact] = field(default_factory=list)
    donor: Optional[int] = None


class NoisyCorpus(ChangedTraining):
    """A corpus with noise of a known kind and rate in its training labels, so that it can be measured how well noise is found.

    Relation instances are made wrong, never labels that mean 'no relation'. Which, and what would be right, stands in the documents:
    `metadata["corrupted"] = {uid: true label}`, null where the pair has no relation. Other splits stay as they are.

    corpus: the clean data.
    rate: the share of wrong instances, from 0 to below 1: exactly `round(rate * n)` of n, drawn at random.
    mode: "symmetric": a label drawn evenly from the others; "prior": drawn as often as it occurs; "pairflip": the next one in
        the order of the label set, behind the last the first; all three pass over the labels that the pair has. "ds_false_positive":
        nothing is changed, but `round(rate * n / (1 - rate))` candidate pairs without a label get one, drawn as often as it
        occurs: the mistake of distant supervision. "kb_sentence": for documents with one pair: the text becomes that of another
        document which has the same two entities (by id, else by name) in another relation.
    per_class: the share of every label instead of all, rounded for each ("ds_false_positive": of the labels given).
    seed: draws all of it. It does not follow `[training] seed`.

    RelconError where the data have too few pairs or texts for the rate, or no relation.

    Source: for "symmetric" and "pairflip" Han et al., Co-teaching, NeurIPS 2018; for the mistake of distant supervision Mintz et al., ACL
    2009. The task is to find the instances that Hogan, Li and Shang (EMNLP 2022) learn late.

    Config::

        [data]
        @corpora = "finecl.NoisyCorpus.v1"
        rate = 0.3
        mode = "symmetric"

        [data.corpus]
        @corpora = "relcon.Corpus.v1"
        train = "train.json"
        negative = ["Na"]

        [data.corpus.reader]
        @readers = "relcon.DocRED.v1"

        [data.corpus.candidates]
        @candidates = "relcon.EntityPairs.v1"
        scope = "document"
        directed = true
        several = "kept"
    """

    def __init__(self, corpus: Corpus, rate: float, mode: Mode = "symmetric", per_class: bool = False, seed: int = 0):
        if not 0 <= rate < 1:
            raise ValueError(f"rate: {rate} is not from 0 to below 1")
        if mode not in MODES:
            raise ValueError(f"mode: '{mode}' is none of {', '.join(MODES)}")
        super().__init__(corpus)
        self.rate, self.mode, self.per_class, self.seed = rate, mode, per_class, seed

    def fingerprint(self) -> str:
        """Its arguments."""
        return hashed(self.rate, self.mode, self.per_class, self.seed)

    def change(self, train: Split) -> Change:
        """Noise, drawn for the whole split."""
        places = [Place(number, *each[:3]) for number, each in _instances(train)]
        if not places:
            raise RelconError("The train split has no relation, so none can be made wrong. Look at [data] negative and labelled.")
        plans: Dict[int, Plan] = defaultdict(Plan)
        if self.mode == "ds_false_positive":
            self._false_positives(train, places, plans)
        elif self.mode == "kb_sentence":
            self._foreign_texts(train, places, plans)
        else:
            self._wrong_labels(train, places, plans)
        wrong = sum(len(plan.labels) + len(plan.added) + (plan.donor is not None) for plan in plans.values())
        log.info("[data] train: %d relation instances are wrong, beside %d that were there (%s).", wrong, len(places), self.mode)
        return lambda number, document: corrupt(document, plans[number], train) if number in plans else document

    def _wrong_labels(self, train: Split, places: List[Place], plans: Dict[int, Plan]) -> None:
        """Other labels for some instances; two labels of a pair never become one."""
        random, counts = Random(self.seed), Counter(each.label for each in places)
        taken: Dict[Tuple[int, int, int], Set[str]] = defaultdict(set)
        for each in places:
            taken[each[:3]].add(each.label)
        for each in self._drawn(random, places, places):
            label = self._other(random, each, taken[each[:3]], train.labels.positive, counts)
            taken[each[:3]].add(label)
            plans[each.document].labels[each[1:]] = label

    def _other(self, random: Random, place: Place, taken: Collection[str], labels: Sequence[str], counts: Mapping[str, int]) -> str:
        """A wrong label for an instance. taken: the labels that its pair has."""
        at = labels.index(place.label)
        others = [label for label in (*labels[at + 1 :], *labels[:at]) if label not in taken]
        weights = [counts[label] for label in others] if self.mode == "prior" else [1] * len(others)
        if not any(weights):
            raise RelconError(f"There is no other label for '{place.label}', so it cannot be made wrong. Noise needs two labels or more.")
        return others[0] if self.mode == "pairflip" else random.choices(others, weights)[0]

    def _false_positives(self, train: Split, places: List[Place], plans: Dict[int, Plan]) -> None:
        """Labels for some candidate pairs of which nothing is said."""
        random, counts = Random(self.seed), Counter(each.label for each in places)
        ratio, pairs = self.rate / (1 - self.rate), unsaid_pairs(train)
        if self.per_class:
            labels = [label for label, number in sorted(counts.items()) for _ in range(round(ratio * number))]
        else:
            labels = random.choices(sorted(counts), [counts[label] for label in sorted(counts)], k=round(ratio * len(places)))
        if len(labels) > len(pairs):
            raise RelconError(f"A rate of {self.rate:g} needs {len(labels)} candidate pairs without a relation; there are {len(pairs)}.")
        for place, label in zip(random.sample(range(len(pairs)), len(labels)), labels, strict=True):
            document, head, tail = pairs[place].tolist()
            plans[document].added.append((head, tail, label))

    def _foreign_texts(self, train: Split, places: List[Place], plans: Dict[int, Plan]) -> None:
        """Another document's text for some instances."""
        random, donors, names = Random(self.seed), defaultdict(list), {}
        for each in places:
            names[each] = _single_pair(train.documents[each.document], each)
            donors[names[each]].append(each)
        able = [each for each in places if any(other.label != each.label for other in donors[names[each]])]
        for each in self._drawn(random, places, able):
            others = [other for other in donors[names[each]] if other.label != each.label]
            plans[each.document].donor = random.choice(others).document

    def _drawn(self, random: Random, places: List[Place], able: List[Place]) -> List[Place]:
        """The share of the instances that is made wrong. able: those that can be."""
        if not self.per_class:
            return _sampled(random, able, round(self.rate * len(places)))
        counts = Counter(each.label for each in places)
        able_by_label = {label: [each for each in able if each.label == label] for label in sorted(counts)}
        return [each for label, some in able_by_label.items() for each in _sampled(random, some, round(self.rate * counts[label]))]


def corrupt(document: Document, plan: Plan, train: Split) -> Document:
    """The document as a plan makes it, with what is wrong in its metadata."""
    negative = train.labels.negative
    wrong: Dict[Fact, Optional[str]]
    if plan.donor is not None:
        changed, wrong = _with_text_of(document, train.documents[plan.donor], negative)
    else:
        relations = tuple(
            each if each.label is None else replace(each, label=plan.labels.get((each.head, each.tail, each.label), each.label))
            for each in document.relations
        )
        changed = replace(document, relations=(*relations, *(Relation(*fact) for fact in plan.added)))
        wrong = {(head, tail, label): true for (head, tail, true), label in plan.labels.items()}
        wrong.update(dict.fromkeys(plan.added))
    uids = {each[:3]: each.uid for each in relation_instances(changed, negative)}
    found = {**document.metadata.get(CORRUPTED, {}), **{uids[fact]: true for fact, true in wrong.items()}}
    return replace(changed, metadata={**document.metadata, CORRUPTED: found})


def _with_text_of(document: Document, donor: Document, negative: Iterable[str]) -> Tuple[Document, Dict[Fact, Optional[str]]]:
    """A document of one pair with the text of another, and its fact with the label that the text bears out."""
    [own], [other] = (list(relation_instances(each, negative)) for each in (document, donor))
    identity = next(each.id for each in document.relations if each.label == own.label)
    relations = (Relation(other.head, other.tail, own.label, identity),)
    return replace(donor, id=document.id, relations=relations, source=document.source), {(other.head, other.tail, own.label): other.label}


def unsaid_pairs(train: Split) -> np.ndarray:
    """[N, 3] document, head and tail of the candidate pairs that have a label for 'no relation' which no data gave them."""
    pairs = pairs_of(train.instances, train.documents)
    rows = np.stack([pairs.document, pairs.head, pairs.tail], 1).astype(np.int64)
    negative = [number for number, name in enumerate(pairs.labels) if name in train.labels.negative]
    rows = rows[np.isin(pairs.label, negative)]
    said = [(number, *pair) for number, document in enumerate(train.documents) for pair in pair_labels(document)]
    size = 1 + max([int(rows.max(initial=0)), *chain.from_iterable(said)])
    return rows[~np.isin(_codes(rows, size), _codes(np.array(said, dtype=np.int64).reshape(-1, 3), size))]


def _codes(rows: np.ndarray, size: int) -> np.ndarray:
    """[N] one number for each row of three below `size`."""
    codes: np.ndarray = (rows[:, 0] * size + rows[:, 1]) * size + rows[:, 2]
    return codes


def _single_pair(document: Document, place: Place) -> Tuple[str, str]:
    """Who head and tail are, of a document with one pair; RelconError where it has more."""
    if len(document.entities) != 2 or len({(each.head, each.tail, each.label) for each in document.relations}) != 1:
        raise RelconError(f"mode: 'kb_sentence' is for documents with one pair and one label; '{document.id}' has more. Take another mode.")
    head, tail = (document.entities[number] for number in (place.head, place.tail))
    name, other = (entity.id or document.mention_text(entity.mentions[0]).lower() for entity in (head, tail))
    return name, other


def _sampled(random: Random, places: List[Place], number: int) -> List[Place]:
    if number > len(places):
        raise RelconError(f"{number} relation instances are to be made wrong, but only {len(places)} can be. Lower the rate.")
    return random.sample(places, number)


def _instances(train: Split) -> Iterator[Tuple[int, Tuple[int, int, str, str]]]:
    """The relation instances of all documents, each with the place of its document."""
    for number, document in enumerate(train.documents):
        for each in relation_instances(document, train.labels.negative):
            yield number, each


# ---- a part of the labels ----------------------------------------------------------------------------------------------


class TrimmedCorpus(ChangedTraining):
    """A corpus with those training labels that were learned in the first epochs (EMNLP 2022, table 2).

    Labels are taken away, never documents. A pair that loses all its labels is neither related nor unrelated from then on
    (`metadata["ignored"]`), so that it is no candidate. Labels that mean 'no relation' stay.

    corpus: the data that the learning order was recorded on.
    order: the file of the learning order, `{uid: epoch}` with epochs from 0 (`order.json` of `finecl.LearningOrder.v1`). An instance
        that it does not name was not learned.
    epochs: keep what was learned in the first so many epochs.
    instead: "random" keeps as many instances, drawn with `seed`, in place of those; null keeps those.
    seed: draws them. It does not follow `[training] seed`.

    RelconError where the file is no such order, or keeps nothing of these data.

    Source: Hogan, Li and Shang, Fine-grained Contrastive Learning for Relation Extraction, EMNLP 2022, section 5.

    Config::

        [data]
        @corpora = "finecl.TrimmedCorpus.v1"
        order = "runs/order/stages/order/order.json"
        epochs = 1

        [data.corpus]
        @corpora = "relcon.Corpus.v1"
        train = "train.json"
        negative = ["Na"]

        [data.corpus.reader]
        @readers = "relcon.DocRED.v1"

        [data.corpus.candidates]
        @candidates = "relcon.EntityPairs.v1"
        scope = "document"
        directed = true
        several = "kept"
    """

    def __init__(self, corpus: Corpus, order: str, epochs: int = 1, instead: Optional[Literal["random"]] = None, seed: int = 0):
        if epochs < 1:
            raise ValueError(f"epochs: {epochs} is below 1")
        if instead not in (None, "random"):
            raise ValueError(f"instead: '{instead}' is neither null nor 'random'")
        super().__init__(corpus)
        self.order, self.epochs, self.instead, self.seed = Path(order), epochs, instead, seed

    def fingerprint(self) -> str:
        """Its arguments, and the file."""
        return hashed(fingerprint_of_path(self.order), self.epochs, self.instead, _stream(self.seed))

    def change(self, train: Split) -> Change:
        """The documents without the labels that go."""
        uids = [each.uid for document in train.documents for each in relation_instances(document, train.labels.negative)]
        with naming("[data] order:"):
            order = read_order(self.order, train)
        kept = {uid for uid in uids if uid in order and order[uid] < self.epochs}
        if not kept:
            known = sum(uid in order for uid in uids)
            raise RelconError(
                f"[data] order: {self.order} keeps no label for epochs = {self.epochs}: it names {known} of the {len(uids)} relation "
                "instances of the train split, none of them learned so early. Was it recorded on these data?"
            )
        if self.instead == "random":
            kept = set(Random(_stream(self.seed)).sample(uids, len(kept)))
        log.info("[data] train: %d of %d relation instances are kept.", len(kept), len(uids))
        return lambda number, document: trimmed(document, kept, train.labels.negative)


def _stream(seed: int) -> str:
    """A random stream of its own: by the bare seed it would draw just the instances that noise of the same seed made wrong."""
    return f"finecl.TrimmedCorpus.v1 {seed}"


def trimmed(document: Document, kept: Collection[str], negative: Collection[str]) -> Document:
    """The document without the relation instances that are not kept; what is known to be wrong of those that stay goes along."""
    before = list(relation_instances(document, negative))
    gone = {each[:3] for each in before if each.uid not in kept}
    if not gone:
        return document
    relations = tuple(each for each in document.relations if (each.head, each.tail, each.label) not in gone)
    changed = replace(document, relations=relations)
    lost: Set[Pair] = {(head, tail) for head, tail, _ in gone} - {(each.head, each.tail) for each in relations}
    metadata = {**document.metadata, IGNORED: [list(pair) for pair in sorted(lost | ignored_pairs(document))]}
    if CORRUPTED in metadata:
        true = {each[:3]: metadata[CORRUPTED][each.uid] for each in before if each.uid in metadata[CORRUPTED]}
        after = {each.uid: each[:3] for each in relation_instances(changed, negative)}
        metadata[CORRUPTED] = {uid: true[fact] for uid, fact in after.items() if fact in true}
    return replace(changed, metadata=metadata)
