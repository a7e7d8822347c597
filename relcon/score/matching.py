"""Predictions laid over what is right, by document and entity: one material for each kind of metric profile that they can have."""

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Collection, Dict, FrozenSet, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from relcon.data.candidates import SECOND
from relcon.data.document import Document, Mention
from relcon.data.labels import LabelSet
from relcon.errors import DataError, Problem, RelconError, did_you_mean
from relcon.evaluators.documents import known_facts, named_facts
from relcon.evaluators.extracted import Extracted
from relcon.evaluators.facts import Spans, spans_of
from relcon.evaluators.profiles import KINDS, Kind, PairProfile
from relcon.interfaces import Lost, Split
from relcon.score.gold import Gold, Pair, as_marked
from relcon.score.material import Extractions, Fact, Facts, Material, Measured, Pairs
from relcon.score.predictions import Claim, Found, Predicted

WITH_NAMES = 10
"""So many unknown documents are said with the nearest name."""


class Rules(NamedTuple):
    """What files do not say.

    negative: labels that mean 'no relation', beside those that a profile says. complete: whether pairs that are not marked have no
    relation, so that predicting one is wrong. skip_unknown: whether predictions for what is not there are left out. train: training
    data, whose facts Ign F1 leaves out.
    """

    negative: Sequence[str] = ()
    complete: bool = False
    skip_unknown: bool = False
    train: Optional[Sequence[Document]] = None


@dataclass(frozen=True)
class Matching:
    """Predictions and what is right, of all documents or of a part. notes: what is to be said beside the figures, once each."""

    gold: Gold
    predicted: Predicted
    rules: Rules
    notes: Dict[str, None] = field(default_factory=dict)

    def only(self, ids: Collection[str]) -> "Matching":
        """The part in these documents; what is to be said was said of the whole."""
        return Matching(self.gold.only(ids), self.predicted.only(ids), self.rules)

    def material(self, kind: Kind) -> Material:
        """The material of a kind, which says itself where there is none. DataError for predictions of what is not there."""
        return {"pairs": self.pairs, "facts": self.facts, "extractions": self.extractions, "episodes": _no_episodes}[kind]()

    def materials(self) -> List[Material]:
        """One of each kind. Where predictions of what is not there leave none of a kind, it says that; where they leave none at all, the
        DataError of the first."""
        found: List[Material] = []
        errors: List[DataError] = []
        for kind in KINDS:
            try:
                found.append(self.material(kind))
            except DataError as error:
                errors.append(error)
                found.append(Measured(kind, {}, f"cannot be taken: {error.heading} {error.problems[0]}"))
        if all(isinstance(each, Measured) for each in found):
            raise errors[0]
        return found

    # ---- one kind each ---------------------------------------------------------------------------------------------------

    def pairs(self) -> Pairs:
        """The marked pairs with the labels that are predicted for them; unmarked ones, too, where the annotation is complete."""
        gold, symmetric = self.gold, self.gold.symmetric
        said: Dict[Pair, Dict[str, None]] = {}
        problems = []
        for claim in self._claims():
            pair = as_marked((claim.document, claim.head, claim.tail), claim.label, gold.pairs, symmetric)
            if pair in gold.pairs or self.rules.complete:
                said.setdefault(pair, {})[claim.label] = None
            else:
                text = f"the pair of entities {claim.head} and {claim.tail} of '{claim.document}' is not marked"
                problems.append(Problem(claim.where, text))
        self._refuse(problems, "pairs", "Where GOLD annotates all relations, so that unmarked pairs have none, say --complete.")
        missing = sum(pair not in said for pair in gold.pairs)
        if missing:
            self._say(f"{missing} of {len(gold.pairs)} pairs have no prediction and count as no relation.")
        pairs = list(dict.fromkeys([*gold.pairs, *said]))
        several = next((pair for pair in said if len(said[pair]) > 1), None)
        return Pairs(
            gold=[gold.pairs[pair][0] if pair in gold.pairs else None for pair in pairs],
            predicted=[next(iter(said.get(pair, ())), None) for pair in pairs],
            lost=[Lost(*pair, label, SECOND) for pair, labels in gold.pairs.items() for label in labels[1:]],
            labels=partial(label_set, self._seen(said.values()), self.rules.negative, symmetric),
            several="" if several is None else f"scores one label a pair, and {several[1]}-{several[2]} of '{several[0]}' has several",
        )

    def facts(self) -> Material:
        """The relations of documents."""
        if not self.gold.documents:
            return _none("facts", "a key of answers has no documents")
        gold = {Fact(*pair, label) for pair, labels in self.gold.pairs.items() for label in labels}
        predicted = {
            Fact(*as_marked((claim.document, claim.head, claim.tail), claim.label, self.gold.pairs, self.gold.symmetric), claim.label)
            for claim in self._claims()
        }
        related, found = (frozenset(fact for fact in some if fact.label not in self.rules.negative) for some in (gold, predicted))
        return Facts(related, found, None if self.rules.train is None else self._known(related, self.rules.train))

    def extractions(self) -> Material:
        """What was found in each document."""
        if self.predicted.found is None or not self.gold.documents:
            return _none("extractions", "these predictions are for given entities")
        by_id = {found.document: found for found in self.predicted.found}
        strangers = [found for found in by_id.values() if found.document not in self.gold.documents]
        self._refuse([self._unknown(each.document, each.where, number) for number, each in enumerate(strangers)], "documents")
        missing = [name for name in self.gold.documents if name not in by_id]
        if missing:
            self._say(f"In {len(missing)} of {len(self.gold.documents)} documents nothing is predicted (the first is '{missing[0]}').")
        pairs = [(document, _laid_over(by_id.get(name), document)) for name, document in self.gold.documents.items()]
        if all(set(document.entities) == set(found.entities) for document, found in pairs):
            self._say("All entities are those that are annotated: if the model was given them, e2e profiles are not end to end.")
        return Extractions([Extracted.of(document, found, self.rules.negative) for document, found in pairs], self.gold.symmetric)

    @property
    def seen(self) -> FrozenSet[str]:
        """The labels of all relations, right ones and predicted ones."""
        said = {claim.label for claim in self.predicted.claims or ()}
        found = {relation.label for each in self.predicted.found or () for relation in each.relations if relation.label is not None}
        return frozenset({label for labels in self.gold.pairs.values() for label in labels} | said | found)

    # ---- what they are made of -------------------------------------------------------------------------------------------

    def _claims(self) -> List[Claim]:
        """The predictions as labels of pairs of the right documents' entities."""
        claims, problems = list(self.predicted.claims or ()), []
        for found in self.predicted.found or ():
            if found.document in self.gold.documents:
                some, others = _between_given(found, self.gold.documents[found.document])
                claims += some
                problems += others
            else:
                problems.append(self._unknown(found.document, found.where, len(problems)))
        known = []
        for claim in claims:
            problem = self._stranger(claim, len(problems))
            if problem is None:
                known.append(claim)
            else:
                problems.append(problem)
        self._refuse(problems, "documents or entities")
        return known

    def _stranger(self, claim: Claim, before: int) -> Optional[Problem]:
        """What is wrong with a claim about what is not there. before: how many problems there are already."""
        if claim.document not in self.gold.ids:
            return self._unknown(claim.document, claim.where, before)
        count = self.gold.entities(claim.document)
        strange = next((end for end in (claim.head, claim.tail) if not 0 <= end < count), None)
        if strange is None:
            return None
        return Problem(claim.where, f"names entity {strange} of '{claim.document}', which has {count}, numbered from 0")

    def _say(self, note: str) -> None:
        self.notes[note] = None

    def _unknown(self, document: str, where: str, before: int) -> Problem:
        """A document that is not there; the nearest name takes long to find, so that only the first problems have it."""
        near = did_you_mean(document, self.gold.ids) if before < WITH_NAMES else ""
        return Problem(where, f"{self.gold.path} has no document '{document}'.{near}")

    def _refuse(self, problems: Sequence[Problem], what: str, advice: str = "") -> None:
        """DataError for predictions of what is not there; a note where they are to be skipped."""
        if problems and not self.rules.skip_unknown:
            message = f"{len(problems)} predictions are for {what} that {self.gold.path} does not have (--skip-unknown leaves them out):"
            raise DataError([*problems, Problem("", advice)] if advice else problems, message)
        if problems:
            self._say(f"{len(problems)} predictions for unknown {what} were skipped (the first: {problems[0]}).")

    def _seen(self, said: Collection[Collection[str]]) -> FrozenSet[str]:
        """All labels, right ones and predicted ones."""
        return frozenset(label for labels in [*self.gold.pairs.values(), *said] for label in labels)

    def _known(self, facts: FrozenSet[Fact], train: Sequence[Document]) -> FrozenSet[Fact]:
        """Those of the facts that the training data have under some name of their arguments."""
        labels = LabelSet.of((), self.rules.negative)
        known = known_facts(Split("train", train, [], labels))
        return frozenset(fact for fact in facts if not known.isdisjoint(named_facts(self.gold.documents[fact.document], *fact[1:])))


def label_set(seen: Collection[str], negative: Sequence[str], symmetric: Collection[str], profile: PairProfile) -> LabelSet:
    """The labels of a task as a profile sees it: all that occur, and those that it counts; negative are those that are named, and those
    that occur and the profile says so."""
    none = {*negative, *(name for name in profile.says_negative if name in seen)}
    return LabelSet.of({*seen, *(profile.classes or ())}, sorted(none), sorted(set(symmetric) & set(seen)))


def _laid_over(found: Optional[Found], document: Document) -> Document:
    """The document with what was found in place of what is annotated. RelconError where words or spans are others."""
    if found is None:
        return replace(document, entities=(), relations=())
    if found.words is not None and found.words != document.words:
        raise RelconError(f"{found.where}: the words of '{document.id}' are not those that are annotated, so spans cannot be compared.")
    try:
        laid = replace(document, entities=found.entities, relations=found.relations)
    except ValueError as error:
        raise RelconError(f"{found.where}: {error}.") from error
    for entity, text in zip(laid.entities, found.texts, strict=False):
        if laid.mention_text(entity.mentions[0]) != text:
            there = laid.mention_text(entity.mentions[0])
            raise RelconError(f"{found.where}: an entity of '{document.id}' is '{text}' there, but its words are '{there}'.")
    return laid


def _between_given(found: Found, document: Document) -> Tuple[List[Claim], List[Problem]]:
    """The relations that were found, between annotated entities of the same spans, and what is wrong with the others."""
    laid = _laid_over(found, document)
    places: Dict[Tuple[Spans, str], int] = {}
    for number, entity in enumerate(document.entities):
        for mention in entity.mentions:
            places.setdefault((spans_of(mention), entity.type), number)
            places.setdefault((spans_of(mention), ""), number)
    number_of = [_place(entity.mentions, entity.type, places) for entity in laid.entities]
    claims, problems = [], []
    for relation in laid.relations:
        head, tail = number_of[relation.head], number_of[relation.tail]
        if head is None or tail is None:
            strange = laid.entities[relation.head if head is None else relation.tail].mentions[0]
            text = f"'{laid.mention_text(strange)}' (words {strange.start} to {strange.end}) is no annotated entity of '{document.id}'"
            problems.append(Problem(found.where, text))
        elif relation.label is not None:
            claims.append(Claim(document.id, head, tail, relation.label, found.where))
    return claims, problems


def _place(mentions: Sequence[Mention], kind: str, places: Mapping[Tuple[Spans, str], int]) -> Optional[int]:
    """The annotated entity with one of these mentions: that of the same type where there is one, else any."""
    spans = [spans_of(mention) for mention in mentions]
    keys = [(each, wanted) for wanted in (kind, "") for each in spans]
    return next((places[key] for key in keys if key in places), None)


def _no_episodes() -> Material:
    return _none("episodes", "these are drawn over a model's vectors (relcon.FewShotEpisodes.v1)")


def _none(kind: Kind, why: str) -> Measured:
    """The material of a kind that there is not. why: what to say of it."""
    return Measured(kind, {}, f"scores {KINDS[kind]}, and {why}")
