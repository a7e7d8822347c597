"""Contrastive tasks whose parts do not fit together: what a sampler gives against what adjusters, objective and encoders need."""

from typing import Any, Dict, Iterator, Mapping, Optional

from relcon.components import kind_of
from relcon.config.names import Mistake, component_in
from relcon.config.source import Keys
from relcon.interfaces import Contrasts


def contrast_mistakes(stages: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every contrastive task that could not run, or would learn nothing, with the way to its stream. What cannot be told is passed over."""
    for name, stage in stages.items():
        for task, block in _section(stage, "tasks").items():
            sampler = _part(stage, "streams", block, "stream")
            given = contrasts_of(sampler)
            if given is not None and kind_of(block.get("objective")) == "objectives":
                keys: Keys = ("stages", name, "tasks", task, "stream")
                said = f"'{block['stream']}' ({sampler['@samplers']})"
                yield from ((keys, f"{said} {message}") for message in _unfit(given, block, stage, stages))


def _unfit(given: Contrasts, task: Mapping[str, Any], stage: Mapping[str, Any], stages: Mapping[str, Any]) -> Iterator[str]:
    """What is missing."""
    adjusters = {name: block for name, block in _section(task, "adjusters").items() if kind_of(block) == "adjusters"}
    yield from _without_tags(given, adjusters)
    yield from _without_negatives(given, task["objective"], adjusters)
    yield from _several_positives(given, task["objective"])
    yield from _misread(given, _candidate_encoder(task, stage, stages))


def _without_tags(given: Contrasts, adjusters: Mapping[str, Any]) -> Iterator[str]:
    """Adjusters that need to know which views are the same sentence."""
    for name, block in adjusters.items():
        if _says(block, "needs_tags") and not given.tags:
            yield (
                f"does not say of which sentence or label a view is, and the adjuster '{name}' ({block['@adjusters']}) needs to know it of "
                "vectors of other steps. Leave the adjuster out, or take another sampler, such as relcon.TwoViews.v1."
            )


def _without_negatives(given: Contrasts, objective: Mapping[str, Any], adjusters: Mapping[str, Any]) -> Iterator[str]:
    """A softmax over the positive alone."""
    fed = given.negatives or any(_says(block, "adds_negatives") for block in adjusters.values())
    if _says(objective, "competes") and not fed:
        yield (
            f"gives an anchor no negative beside its positive, and {objective['@objectives']} teaches only that the one wins against the "
            f"other. {given.advice or 'Let a queue bring some (relcon.Queue.v1).'} Or take an objective that judges every pair by itself, "
            "such as relcon.MarginPairs.v1."
        )


def _several_positives(given: Contrasts, objective: Mapping[str, Any]) -> Iterator[str]:
    """More positives than the objective takes."""
    if _says(objective, "one_positive") and given.several:
        yield f"gives an anchor several positives, and {objective['@objectives']} takes one. Take relcon.SupCon.v1 or relcon.InfoNCE.v1."


def _misread(given: Contrasts, encoder: Any) -> Iterator[str]:
    """Candidates that their encoder cannot read."""
    reads = getattr(component_in(encoder), "reads", given.candidates)
    if reads != given.candidates:
        yield (
            f"gives candidates that are {given.candidates}, and their encoder ({encoder['@encoders']}) reads {reads}. "
            f"Give the candidates of this task a tower over an encoder that reads {given.candidates}."
        )


def _says(block: Any, name: str) -> bool:
    """Whether a block's component says so of itself."""
    return bool(getattr(component_in(block), name, False))


def contrasts_of(sampler: Any) -> Optional[Contrasts]:
    """What the contrasts of a sampler's block are like; None where that cannot be told, or it is no such block."""
    tell = getattr(component_in(sampler), "contrasts", None)
    return None if tell is None else tell(sampler)


def _candidate_encoder(task: Mapping[str, Any], stage: Mapping[str, Any], stages: Mapping[str, Any]) -> Any:
    """The block of the encoder that the candidates go through; None where it cannot be told."""
    tower = task.get("candidates")
    if tower is None or getattr(component_in(tower), "follows", None) is not None:
        tower = task.get("anchors")
    found = _part(stage, "encoders", tower, "encoder")
    if isinstance(found, str):  # handed on by an earlier stage
        giver, _, part = found.partition(".")
        found = _section(stages.get(giver), "encoders").get(part)
    return found if kind_of(found) == "encoders" else None


def _part(stage: Any, section: str, block: Any, key: str) -> Any:
    """What a key of a block names in a section of its stage; None where it names nothing there."""
    name = block.get(key) if isinstance(block, dict) else None
    return _section(stage, section).get(name) if isinstance(name, str) else None


def _section(block: Any, name: str) -> Dict[str, Any]:
    """A section of a block; empty where it is none."""
    section = block.get(name) if isinstance(block, dict) else None
    return section if isinstance(section, dict) else {}
