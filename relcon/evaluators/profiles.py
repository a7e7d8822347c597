"""Named metric profiles: the same words, 'F1 on ChemProt', stand for different numbers; a profile's name says which.

A profile is data, of one of four kinds, after what is scored:

- pairs: one label for each given pair of entities (`relcon.Scores.v1`, arithmetic in `relcon.evaluators.scoring`).
- facts: any number of labels for each pair of a document's entities (`relcon.DocumentScores.v1`).
- extractions: entities and relations that a model finds by itself (`relcon.Extraction.v1`).
- episodes: the relation of a sentence among a few that are shown by examples (`relcon.FewShotEpisodes.v1`).

`PROFILES` is the one table of them all.
"""

import re
from dataclasses import dataclass
from typing import ClassVar, Dict, List, Literal, Mapping, Optional, Tuple

from relcon.data.labels import LabelSet
from relcon.errors import RelconError, did_you_mean

ProfileName = Literal[
    "micro", "macro", "accuracy",
    "semeval2010.official", "semeval2010.micro18", "tacred.micro", "chemprot.cpr5", "chemprot.13acc", "ddi.micro4", "ddi.macro4",
    "ppi.cv10", "ppi.cv10.instance",
]  # fmt: skip
"""The names of the profiles of pairs, so that `relcon check` knows them."""

Kind = Literal["pairs", "facts", "extractions", "episodes"]

KINDS: Mapping[Kind, str] = {
    "pairs": "one label for each given pair",
    "facts": "facts of documents with given entities",
    "extractions": "entities and relations that a model finds by itself",
    "episodes": "few-shot episodes",
}
"""What each kind of profile scores, in words."""

SEMEVAL = (
    "Cause-Effect", "Component-Whole", "Content-Container", "Entity-Destination", "Entity-Origin",
    "Instrument-Agency", "Member-Collection", "Message-Topic", "Product-Producer",
)  # fmt: skip
DIRECTED = tuple(f"{relation}({order})" for relation in SEMEVAL for order in ("e1,e2", "e2,e1"))
CPR = ("CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9")
CHEMPROT = (
    "ACTIVATOR", "AGONIST", "AGONIST-ACTIVATOR", "AGONIST-INHIBITOR", "ANTAGONIST", "DOWNREGULATOR", "INDIRECT-DOWNREGULATOR",
    "INDIRECT-UPREGULATOR", "INHIBITOR", "PRODUCT-OF", "SUBSTRATE", "SUBSTRATE_PRODUCT-OF", "UPREGULATOR",
)  # fmt: skip
DDI = ("DDI-advise", "DDI-effect", "DDI-int", "DDI-mechanism")


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How predictions become one figure.

    name: what configs and commands call it. users: who uses it. note: exactly what it is.
    folds: the figure is the mean over the figures of so many folds; 0: it is taken once.
    """

    kind: ClassVar[Kind]
    name: str
    users: str
    note: str
    folds: int = 0


@dataclass(frozen=True, kw_only=True)
class Averaged(Profile):
    """A profile that averages over classes.

    average: micro over the counted classes, macro (mean over them), or accuracy (share of right answers, negatives included).
    macro_over: which counted classes enter a macro mean: those with a `gold` instance, or `all`.
    """

    average: Literal["micro", "macro", "accuracy"] = "micro"
    macro_over: Literal["gold", "all"] = "all"


@dataclass(frozen=True, kw_only=True)
class PairProfile(Averaged):
    """One label for each given pair.

    classes: the classes that count; None for every label that is not negative.
    negative: labels that the task must have declared as negative.
    says_negative: labels that mean 'no relation' wherever this profile is used; `relcon score` takes them as negative where they occur.
    single: the task must have exactly one class that counts, whatever its name.
    alone: the task must have no label but `classes`, not even a negative one.
    undirected: labels that differ in their direction are one class ("Cause-Effect(e1,e2)" is Cause-Effect), while a prediction
        is right only with the right direction.
    """

    kind = "pairs"
    classes: Optional[Tuple[str, ...]] = None
    negative: Tuple[str, ...] = ()
    says_negative: Tuple[str, ...] = ()
    single: bool = False
    alone: bool = False
    undirected: bool = False

    def class_of(self, label: str) -> str:
        """The class that a label belongs to."""
        return label.partition("(")[0] if self.undirected else label

    def counted(self, labels: LabelSet) -> Tuple[str, ...]:
        """The classes that count, for this label set. RelconError where the profile does not fit it."""
        for fault in self.faults(labels):
            raise RelconError(
                f"The metric profile '{self.name}' {fault}. The data have the labels {', '.join(labels.names) or '(none)'}"
                f" (negative: {', '.join(sorted(labels.negative)) or 'none'}). Choose another profile (micro, macro and accuracy fit any"
                " data), or say all labels in [data] labels and negative."
            )
        names = labels.names if self.average == "accuracy" else labels.positive
        return self.classes or tuple(dict.fromkeys(map(self.class_of, names)))

    def faults(self, labels: LabelSet) -> List[str]:
        """Why the profile does not fit a label set; empty where it does."""
        found = []
        known = {self.class_of(name) for name in labels.positive}
        missing = [name for name in self.classes or () if name not in known]
        if missing:
            found.append(f"counts {', '.join(missing)}, which is no relation of this task")
        undeclared = [name for name in self.negative if name not in labels.negative]
        if undeclared:
            found.append(f"leaves out {', '.join(undeclared)}, which is no negative label of this task")
        if self.single and len(known) != 1:
            found.append(f"counts one positive label, but this task has {len(known)}")
        others = [name for name in labels.names if name not in (self.classes or ())]
        if self.alone and others:
            some = ", ".join(others[:3]) + (", ..." if len(others) > 3 else "")
            found.append(f"is of pairs of its {len(self.classes or ())} labels alone, but this task has {some} too")
        return found


@dataclass(frozen=True, kw_only=True)
class FactProfile(Profile):
    """Facts of documents: (document, head, tail, label). ignore_seen: right predictions of facts that the training data have too do not
    count for precision."""

    kind = "facts"
    ignore_seen: bool = False


@dataclass(frozen=True, kw_only=True)
class ExtractionProfile(Averaged):
    """Entities and relations that a model finds by itself.

    compared: relations with the words of both arguments ("relation"), and with their types too ("strict").
    drop_overlapping: without sentences in which annotated entities share a word.
    """

    kind = "extractions"
    compared: Literal["relation", "strict"] = "strict"
    drop_overlapping: bool = False


@dataclass(frozen=True, kw_only=True)
class EpisodeProfile(Profile):
    """Mean accuracy over episodes.

    ways: relations of an episode. shots: examples of each. none_percent: how many of a hundred queries have none of these relations.
    """

    kind = "episodes"
    ways: int
    shots: int
    none_percent: int = 0

    @classmethod
    def of(cls, ways: int, shots: int, none_percent: int = 0) -> "EpisodeProfile":
        """`fewrel.NwayKshot`, or `fewrel.NwayKshot.naP` where P % of the queries have none of the relations."""
        none = f"; {none_percent} % of the queries have none of them" if none_percent else ""
        return cls(
            name=f"fewrel.{ways}way{shots}shot" + (f".na{none_percent}" if none_percent else ""),
            users="FewRel 2.0" if none_percent else "FewRel",
            note=f"mean accuracy over episodes of {ways} relations with {shots} example{'s' * (shots > 1)} each and one query{none}",
            ways=ways, shots=shots, none_percent=none_percent,
        )  # fmt: skip


_PROFILES: Tuple[Profile, ...] = (
    PairProfile(name="micro", users="any data", note="micro F1 over all labels that are not negative"),
    PairProfile(name="macro", users="any data", average="macro",
                note="mean of the F1s of all labels that are not negative; one that nobody has or predicts is 0"),
    PairProfile(name="accuracy", users="any data", average="accuracy", note="share of right answers, negative labels included"),
    PairProfile(name="semeval2010.official", users="the task, R-BERT, MTB", average="macro", classes=SEMEVAL, undirected=True,
                macro_over="gold", says_negative=("Other",),
                note="mean of the F1s of the nine relations that have items, Other left out; a right relation with a wrong direction is an"
                     " error for precision and recall"),
    PairProfile(name="semeval2010.micro18", users="CP, ERICA, FineCL, PTR, OpenNRE", classes=DIRECTED, says_negative=("Other",),
                note="micro F1 over the 18 directed labels, Other left out"),
    PairProfile(name="tacred.micro", users="all", negative=("no_relation",), says_negative=("no_relation",),
                note="micro F1 over all labels but no_relation"),
    PairProfile(name="chemprot.cpr5", users="BioCreative VI, BLUE, BLURB, CLRE", classes=CPR, says_negative=("false",),
                note="micro F1 over CPR:3, 4, 5, 6 and 9"),
    PairProfile(name="chemprot.13acc", users="SciBERT, DAPT, CP, ERICA, FineCL", average="accuracy", classes=CHEMPROT, alone=True,
                note="accuracy over pairs of the 13 labels alone, called micro F1 there"),
    PairProfile(name="ddi.micro4", users="SemEval-2013 task 9, BLURB, CLRE", classes=DDI, says_negative=("DDI-false",),
                note="micro F1 over advise, effect, int and mechanism"),
    PairProfile(name="ddi.macro4", users="BLUE since August 2019", average="macro", classes=DDI, says_negative=("DDI-false",),
                note="mean of the F1s of advise, effect, int and mechanism"),
    PairProfile(name="ppi.cv10", users="protein-protein interactions", single=True, folds=10,
                note="F1 of the positive class in each of ten document-level folds, then their mean"),
    PairProfile(name="ppi.cv10.instance", users="CLRE as published", single=True, folds=10,
                note="the same over ten folds of instances, which may part a document"),
    FactProfile(name="docred.f1", users="DocRED, Re-DocRED", note="micro F1 over facts (document, head, tail, label)"),
    FactProfile(name="docred.ign_f1", users="DocRED, Re-DocRED", ignore_seen=True,
                note="the same, right predictions of facts that the training data have too left out of precision (not of recall)"),
    ExtractionProfile(name="e2e.strict.micro", users="SpERT, REBEL; PURE and DyGIE as Rel+",
                      note="micro F1 over relations with the right label, words and types of both arguments"),
    ExtractionProfile(name="e2e.strict.macro", users="older work on CoNLL04", average="macro",
                      note="the same, the mean of the F1s of all labels that are annotated or predicted"),
    ExtractionProfile(name="e2e.boundaries", users="PURE and DyGIE as Rel", compared="relation",
                      note="micro F1 over relations with the right label and words of both arguments, whatever their types"),
    ExtractionProfile(name="ade.strict.cv10", users="SpERT, CLDR", average="macro", folds=10,
                      note="e2e.strict.macro in each of the ten fixed folds, then their mean; overlapping entities count"),
    ExtractionProfile(name="ade.strict.cv10.without_overlaps", users="SpERT and older work", average="macro", folds=10,
                      drop_overlapping=True,
                      note="the same without sentences in which annotated entities share a word"),
    *(EpisodeProfile.of(ways, shots) for ways in (5, 10) for shots in (1, 5)),
    *(EpisodeProfile.of(5, shots, none_percent=percent) for shots in (1, 5) for percent in (15, 50)),
)  # fmt: skip

PROFILES: Dict[str, Profile] = {profile.name: profile for profile in _PROFILES}
"""Profiles by name. Of `fewrel.NwayKshot` the usual ones stand here; `profile_of` knows all."""

PAIR_PROFILES: Dict[str, PairProfile] = {profile.name: profile for profile in _PROFILES if isinstance(profile, PairProfile)}
"""Those that an evaluator of pairs takes."""

EPISODES = re.compile(r"fewrel\.([1-9]\d*)way([1-9]\d*)shot(?:\.na([1-9]\d?))?")


def profile_of(name: str) -> Profile:
    """The profile of this name; RelconError with the nearest name where there is none."""
    episodes = EPISODES.fullmatch(name)
    if name in PROFILES:
        return PROFILES[name]
    if episodes:
        ways, shots, percent = (int(number or 0) for number in episodes.groups())
        return EpisodeProfile.of(ways, shots, percent)
    raise RelconError(f"There is no metric profile '{name}'.{did_you_mean(name, PROFILES)}")


def pair_profile(name: str) -> PairProfile:
    """The profile of pairs of this name; RelconError where there is none, or it is of another kind."""
    profile = profile_of(name)
    if not isinstance(profile, PairProfile):
        raise RelconError(f"The metric profile '{name}' scores {KINDS[profile.kind]}, not {KINDS['pairs']}.")
    return profile


def episode_profile(name: str) -> EpisodeProfile:
    """The profile of episodes of this name; RelconError where there is none, or it is of another kind."""
    profile = profile_of(name)
    if not isinstance(profile, EpisodeProfile):
        raise RelconError(f"The metric profile '{name}' scores {KINDS[profile.kind]}; expected fewrel.NwayKshot, as fewrel.5way1shot.")
    return profile
