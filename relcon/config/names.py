"""Names in a stage that must point somewhere: streams, encoders, poolers, splits, and what earlier stages hand on."""

from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from relcon.components import arguments, component_of, kind_of, nested
from relcon.config.source import Keys
from relcon.data.joining import split_names
from relcon.errors import RelconError, did_you_mean
from relcon.interfaces import Sampler, Stage

Mistake = Tuple[Keys, str]
"""The way to a value, and what is wrong with it."""

POINTERS: Dict[str, Dict[str, str]] = {
    "tasks": {"stream": "streams"},
    "towers": {"encoder": "encoders", "pooler": "poolers"},
    "stages": {"classifier": "tasks"},
}
"""Kind of a block -> its key -> the section of the stage in which the named thing must stand."""

HANDED_ON = ("encoders", "poolers")
"""Sections of a stage in which a text "STAGE.NAME" takes what an earlier stage hands on."""

READS = ("split", "validation")
"""Keys of a stage that name a split of its corpus, or a sum of splits."""


def stage_mistakes(stages: Mapping[str, Any]) -> Iterator[Mistake]:
    """Every name that points nowhere, with the way to it."""
    earlier: List[str] = []
    for name, stage in stages.items():
        if isinstance(stage, dict):
            keys = ("stages", name)
            yield from _pointers(stage, keys, stage)
            yield from _handed_on(stage, keys, stages, earlier)
            yield from _model(stage, keys, earlier)
            yield from _declared(stage, keys, stages, earlier)
            yield from _handed_over(stage, keys, earlier)
        earlier.append(name)


def _pointers(block: Dict[str, Any], keys: Keys, stage: Dict[str, Any]) -> Iterator[Mistake]:
    for key, section in POINTERS.get(kind_of(block) or "", {}).items():
        name, there = block.get(key), stage.get(section)
        if isinstance(name, str) and isinstance(there, dict) and name not in there:
            yield (*keys, key), f"'{name}' is none of the {section} of this stage.{did_you_mean(name, there)}"
    for key, value in block.items():
        if isinstance(value, dict):
            yield from _pointers(value, (*keys, key), stage)


def _handed_on(stage: Dict[str, Any], keys: Keys, stages: Mapping[str, Any], earlier: List[str]) -> Iterator[Mistake]:
    for section in HANDED_ON:
        for name, value in (stage.get(section) or {}).items() if isinstance(stage.get(section), dict) else ():
            if isinstance(value, str):
                yield from (((*keys, section, name), message) for message in _source(value, section, stages, earlier))


def _declared(stage: Dict[str, Any], keys: Keys, stages: Mapping[str, Any], earlier: List[str]) -> Iterator[Mistake]:
    """What the stage's own class says that it takes from earlier ones."""
    component = component_in(stage)
    if not (isinstance(component, type) and issubclass(component, Stage)):
        return
    for key, section in component.takes.items():
        if isinstance(stage.get(key), str):
            wrong = _giver(stage[key], earlier) if section is None else _source(stage[key], section, stages, earlier)
            yield from (((*keys, key), message) for message in wrong)
    for key in component.counts_on:
        yield from (((*keys, key), message) for message in _figure(stage.get(key), stages, earlier))


def _source(value: str, section: str, stages: Mapping[str, Any], earlier: List[str]) -> Iterator[str]:
    """What is wrong with "STAGE.NAME"."""
    giver, dot, part = value.partition(".")
    there = stages[giver].get(section) if isinstance(stages.get(giver), dict) else None
    offers = [f"{stage}.{each}" for stage in earlier for each in _offered(stages[stage], section)]
    if not dot or not part:
        yield f"expected a block or \"STAGE.NAME\", what an earlier stage hands on, got '{value}'.{did_you_mean(value, offers)}"
    elif giver in stages and giver not in earlier:
        yield f"'{value}': stage '{giver}' comes later. Only an earlier stage hands something on.{did_you_mean(value, offers)}"
    elif giver not in earlier:
        yield f"'{value}': there is no stage '{giver}'.{did_you_mean(value, offers)}"
    elif isinstance(there, dict) and value not in offers:
        yield f"'{value}': stage '{giver}' has none of that name in its {section}.{did_you_mean(value, offers)}"


def _offered(stage: Any, section: str) -> List[str]:
    """What a stage hands on: the parts of this section, and the copies of them that its towers make."""
    own = stage.get(section) if isinstance(stage, dict) else None
    return [*own, *(copy for copy, name in _copies(stage, section.removesuffix("s")) if name in own)] if isinstance(own, dict) else []


def _copies(block: Dict[str, Any], key: str) -> Iterator[Tuple[str, str]]:
    """(copy, name) of every part that a tower below this block copies from the tower it follows (`TowerPlan.follows`).

    key: under which a tower names such a part, `encoder` or `pooler`.
    """
    for inner in (each for each in block.values() if isinstance(each, dict)):
        yield from _copies(inner, key)
        follows, suffix = getattr(component_in(inner), "follows", None), inner.get("suffix", _default(inner, "suffix"))
        followed = block.get(follows) if isinstance(follows, str) else None
        if isinstance(followed, dict) and isinstance(followed.get(key), str):
            yield f"{followed[key]}_{suffix}", followed[key]


def _model(stage: Dict[str, Any], keys: Keys, earlier: List[str]) -> Iterator[Mistake]:
    """`model = "finetune"` names the earlier stage whose model is used."""
    name = stage.get("model")
    if isinstance(name, str) and name not in earlier:
        yield (*keys, "model"), f"'{name}' is no earlier stage, whose model could be used.{did_you_mean(name, earlier)}"


def _handed_over(block: Dict[str, Any], keys: Keys, earlier: List[str]) -> Iterator[Mistake]:
    """Stages that samplers take something from (`Sampler.takes`), those of nested samplers included."""
    component = component_in(block)
    for key in component.takes if isinstance(component, type) and issubclass(component, Sampler) else ():
        if isinstance(block.get(key), str):
            yield from (((*keys, key), message) for message in _giver(block[key], earlier))
    for key, value in block.items():
        if isinstance(value, dict):
            yield from _handed_over(value, (*keys, key), earlier)


def _giver(name: str, earlier: List[str]) -> Iterator[str]:
    """What is wrong with the name of a stage that is to hand something on."""
    if name not in earlier:
        yield f"'{name}' is no earlier stage, which could hand something on.{did_you_mean(name, earlier)}"


def _figure(value: Any, stages: Mapping[str, Any], earlier: List[str]) -> Iterator[str]:
    """What is wrong with "STAGE.FIGURE", as far as it can be told before anything was measured."""
    if not isinstance(value, str):
        return
    giver, dot, figure = value.partition(".")
    known = {stage: _measured(stages[stage]) for stage in earlier}
    offers = [f"{stage}.{name}" for stage, names in known.items() for name in names or ()]
    measured = known.get(giver)
    if not dot or not figure:
        yield f"expected a number or \"STAGE.FIGURE\", what an earlier stage measures, got '{value}'.{did_you_mean(value, offers)}"
    elif giver in stages and giver not in earlier:
        yield f"'{value}': stage '{giver}' comes later. Only what an earlier stage measures is known.{did_you_mean(value, offers)}"
    elif giver not in earlier:
        yield f"'{value}': there is no stage '{giver}'.{did_you_mean(value, offers)}"
    elif measured is not None and figure not in measured:
        chooses = "('epoch' is measured by a stage that chooses among its epochs: with a validation or a selection.)"
        yield f"'{value}': stage '{giver}' measures no '{figure}'.{did_you_mean(value, offers)} {chooses}"


def _measured(stage: Any) -> Optional[List[str]]:
    """The figures that a stage measures; None where they cannot be told."""
    component = component_in(stage)
    return component.measures(stage) if isinstance(component, type) and issubclass(component, Stage) else None


def missing_splits(tree: Mapping[str, Any]) -> Iterator[Mistake]:
    """Splits that a stage reads and its corpus leaves null, with the way to the null.

    Only for a corpus that takes its splits as arguments of their names (`train`, `dev`, `test`); where one changes another, that is the
    other. A share (`dev_share`) makes a split of its own, and a protocol may make any but `train`.
    """
    for name, stage in (tree.get("stages") or {}).items():
        if not isinstance(stage, dict):
            continue
        way: Keys = ("stages", name, "data") if stage.get("data") else ("data",)
        block: Any = stage.get("data") or tree.get("data")
        while inner := nested(block, "corpora"):
            way, block = (*way, inner), block[inner]
        for split in _splits_read(stage):
            if split != "train" and tree.get("protocol"):
                continue
            if split in _arguments(block) and block.get(split) is None and not block.get(f"{split}_share"):
                yield (*way, split), f"stage '{name}' reads the split '{split}', which is null."


def _splits_read(stage: Dict[str, Any]) -> List[str]:
    """The splits that a stage's arguments name; a model is selected on development data."""
    texts = [stage.get(argument, _default(stage, argument)) for argument in READS] + ["dev"] * (stage.get("selection") is not None)
    return [split for text in texts if isinstance(text, str) for split in split_names(text)]


def _default(block: Any, name: str) -> Any:
    known = _arguments(block)
    return known[name].default if name in known else None


def _arguments(block: Any) -> Dict[str, Any]:
    """What a block's component takes; nothing where it cannot be had."""
    component = component_in(block)
    return {} if component is None else dict(arguments(component))


def component_in(block: Any) -> Any:
    """A block's component; None where it cannot be had, which is reported elsewhere."""
    kind = kind_of(block)
    try:
        return None if kind is None else component_of(kind, block[f"@{kind}"])
    except RelconError:
        return None
