"""One set of predictions under one metric profile, or under all of them side by side."""

from dataclasses import dataclass
from statistics import fmean
from typing import List, Mapping, Optional, Sequence

from relcon.errors import RelconError
from relcon.evaluators.profiles import KINDS, PROFILES, Profile, profile_of
from relcon.evaluators.scoring import Figures
from relcon.score.material import Material


@dataclass(frozen=True)
class Line:
    """What a profile gives.

    figures: None where it does not apply. why: why it does not, or what is special about the figures; "" for nothing.
    negative: labels that mean 'no relation' under it.
    """

    profile: Profile
    figures: Optional[Figures]
    why: str = ""
    negative: Sequence[str] = ()


@dataclass(frozen=True)
class Predictions:
    """Predictions as materials, at most one of each kind.

    whole: all of them. folds: those of each fold by its name; {} where they are not divided.
    """

    whole: Sequence[Material]
    folds: Mapping[str, Sequence[Material]]

    def under(self, profile: Profile, alone: bool = False) -> Line:
        """What a profile gives. alone: also of undivided data where it is a mean over folds; `why` then says so."""
        if profile.folds and (self.folds or not alone):
            return self._mean(profile)
        if profile.folds:
            return _of_one(profile, self.whole, f"of these data alone; the profile is the mean over {profile.folds} folds")
        return _of_one(profile, self.whole, "all folds together" if self.folds else "")

    def side_by_side(self, selected: Optional[str] = None) -> List[Line]:
        """A line for every profile, in the order of the table.

        selected: the profile that a config names: shown of undivided data, too, and beside the table where it is another of FewRel's.
        """
        others = [] if selected is None or selected in PROFILES else [profile_of(selected)]
        return [self.under(profile, alone=profile.name == selected) for profile in [*PROFILES.values(), *others]]

    def _mean(self, profile: Profile) -> Line:
        """The mean over the folds."""
        if len(self.folds) != profile.folds:
            return Line(profile, None, f"is the mean over {profile.folds} folds, and there are {len(self.folds) or 'none'}")
        found = {name: _of_one(profile, part) for name, part in self.folds.items()}
        parts = []
        for name, line in found.items():
            if line.figures is None:
                return Line(profile, None, f"{line.why} (fold {name})")
            parts.append(line.figures)
        shared = [name for name in parts[0] if all(name in part for part in parts)]
        mean = {name: fmean(part[name] for part in parts) for name in shared}
        return Line(profile, mean, f"mean over {len(parts)} folds", next(iter(found.values())).negative)


def _of_one(profile: Profile, materials: Sequence[Material], why: str = "") -> Line:
    """What a profile gives of predictions that are not divided."""
    material = next((each for each in materials if each.kind == profile.kind), None)
    if material is None:
        there = " or ".join(KINDS[each.kind] for each in materials)
        return Line(profile, None, f"scores {KINDS[profile.kind]}, and these are {there}")
    fault = material.fault(profile)
    return Line(profile, None, fault) if fault else Line(profile, material.figures(profile), why, material.negative(profile))


def required(line: Line) -> Figures:
    """The figures of a line; RelconError where the profile does not apply."""
    if line.figures is None:
        raise RelconError(f"The metric profile '{line.profile.name}' {line.why}. --all-profiles shows which ones apply.")
    return line.figures
