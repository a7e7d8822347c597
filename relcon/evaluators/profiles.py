"""Named metric profiles: the same words, 'F1 on ChemProt', stand for different numbers; a profile's name says which.

A profile is data: which classes count, how they are averaged, whether direction is part of a class. `relcon.evaluators.scoring`
does the arithmetic for all of them.
"""

from dataclasses import dataclass
from typing import Dict, List, Literal, Optional, Tuple

from relcon.data.labels import LabelSet
from relcon.errors import RelconError, did_you_mean

ProfileName = Literal[
    "micro", "macro", "accuracy",
    "semeval2010.official", "semeval2010.micro18", "tacred.micro", "chemprot.cpr5", "ddi.micro4", "ddi.macro4",
    "ppi.cv10", "ppi.cv10.instance",
]  # fmt: skip
"""The names of `PROFILES`, so that `relcon check` knows them."""

SEMEVAL = (
    "Cause-Effect", "Component-Whole", "Content-Container", "Entity-Destination", "Entity-Origin",
    "Instrument-Agency", "Member-Collection", "Message-Topic", "Product-Producer",
)  # fmt: skip
DIRECTED = tuple(f"{relation}({order})" for relation in SEMEVAL for order in ("e1,e2", "e2,e1"))
CPR = ("CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9")
DDI = ("DDI-advise", "DDI-effect", "DDI-int", "DDI-mechanism")


@dataclass(frozen=True)
class Profile:
    """How predictions become one figure.

    name: what configs call it. note: who uses it, in a few words.
    average: micro over the counted classes, macro (mean over them), or accuracy (share of right answers, negatives included).
    classes: the classes that count; None for every label that is not negative.
    negative: labels that the task must have declared as negative.
    single: the task must have exactly one class that counts, whatever its name.
    undirected: labels that differ in their direction are one class ("Cause-Effect(e1,e2)" is Cause-Effect), while a prediction
        is right only with the right direction.
    macro_over: which counted classes enter a macro mean: those with a `gold` instance, or `all`.
    """

    name: str
    note: str
    average: Literal["micro", "macro", "accuracy"]
    classes: Optional[Tuple[str, ...]] = None
    negative: Tuple[str, ...] = ()
    single: bool = False
    undirected: bool = False
    macro_over: Literal["gold", "all"] = "all"

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
        return found


_PROFILES: Tuple[Profile, ...] = (
    Profile("micro", "micro average over all labels that are not negative", "micro"),
    Profile("macro", "mean of the figures of all labels that are not negative; one that nobody has or predicts is 0", "macro"),
    Profile("accuracy", "share of right answers, negative labels included", "accuracy"),
    Profile("semeval2010.official", "the task's scorer: macro over nine relations, a wrong direction is an error, Other is left out",
            "macro", SEMEVAL, undirected=True, macro_over="gold"),
    Profile("semeval2010.micro18", "micro over 18 directed labels, Other is left out (CP, ERICA, FineCL)", "micro", DIRECTED),
    Profile("tacred.micro", "micro over all labels but no_relation", "micro", negative=("no_relation",)),
    Profile("chemprot.cpr5", "micro over the five evaluated groups (BioCreative VI, BLURB, CLRE)", "micro", CPR),
    Profile("ddi.micro4", "micro over the four types (SemEval-2013 task 9, BLURB, CLRE)", "micro", DDI),
    Profile("ddi.macro4", "macro over the four types (BLUE since August 2019)", "macro", DDI),
    Profile("ppi.cv10", "F1 of the positive class in each document-level fold, then the mean of the folds", "micro", single=True),
    Profile("ppi.cv10.instance", "the same over folds of instances, as CLRE published it", "micro", single=True),
)  # fmt: skip

PROFILES: Dict[str, Profile] = {profile.name: profile for profile in _PROFILES}
"""Profiles by the name that an evaluator's `profile` gives."""


def profile_of(name: str) -> Profile:
    """The profile of this name; RelconError with the nearest name where there is none."""
    if name not in PROFILES:
        raise RelconError(f"There is no metric profile '{name}'.{did_you_mean(name, PROFILES)}")
    return PROFILES[name]
