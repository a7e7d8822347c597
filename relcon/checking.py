"""`relcon check`: every mistake of a config at once, without building anything.

The walk goes through the config as its components' signatures describe it. A value found wrong is not looked into further,
so that one mistake is one message.
"""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Set, Tuple

from relcon.components import REQUIRED, Argument, arguments, component_of, kind_of
from relcon.config.contrasts import contrast_mistakes
from relcon.config.loaded import LoadedConfig
from relcon.config.names import missing_splits, stage_mistakes
from relcon.config.reading import parse_cfg
from relcon.config.source import VARIABLE, Entry, Keys, Override
from relcon.config.types import alternatives, choices, expected, fits, is_dict, is_list, parameter, shown
from relcon.errors import ConfigError, Problem, RelconError, did_you_mean
from relcon.interfaces import Corpus, Protocol, Stage
from relcon.registry import interface_of
from relcon.settings import FREE, LEAST, SECTIONS, Training, too_small


def check_config(loaded: LoadedConfig) -> List[Problem]:
    """All mistakes of a config, in the order of its lines, those of overrides last. Builds nothing, reads no data."""
    walk = Walk(loaded)
    walk.config()
    return sorted(loaded.problems + walk.problems, key=_order)


def require_sound(loaded: LoadedConfig) -> None:
    """ConfigError with all mistakes where there are any."""
    problems = check_config(loaded)
    if problems:
        raise ConfigError(problems, f"{loaded.path}: {count(len(problems), 'mistake')}", most=len(problems))


def check_example(text: str) -> List[Problem]:
    """All mistakes of a piece of a config as a docstring shows it: any sections, their blocks checked against the components.

    It may refer to `${paths.ANYTHING}` and to the keys of `[training]`.
    """
    walk = Walk(read_example(text))
    for name in walk.loaded.tree:
        walk.value((name,), walk.loaded.tree[name], Any)
    return sorted(walk.loaded.problems + walk.problems, key=_order)


def read_example(text: str) -> LoadedConfig:
    """A piece of a config as a docstring shows it, with what it may refer to put beside it."""
    source = parse_cfg(Path("example.cfg"), text)
    settings = {name: json.dumps(each.default) for name, each in arguments(Training).items()}
    paths = {name.partition(".")[2]: '"PATH"' for name in VARIABLE.findall(text) if name.startswith("paths.")}
    for section, values in (("paths", paths), ("training", settings)):
        source.section((section,), "example.cfg")
        for name, value in values.items():
            source.entries.setdefault((section, name), Entry(value, "example.cfg"))
    source.check_notation()
    return LoadedConfig(source, [])


def count(number: int, thing: str) -> str:
    """'1 mistake', '2 mistakes'."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _order(problem: Problem) -> Tuple[bool, str, int]:
    if problem.where.startswith("--"):
        return True, "", 0
    file, _, line = problem.where.rpartition(":")
    return (False, file, int(line)) if line.isdigit() else (False, problem.where, 0)


def _remedy(keys: Keys, argument: Argument) -> str:
    """How to give a missing argument."""
    way = ".".join(keys)
    kinds = [found[0] for found in map(interface_of, alternatives(argument.annotation)) if found is not None]
    return f"Add [{way}] with @{kinds[0]}." if kinds else f"Add it, or give --{way} VALUE."


class Walk:
    """One walk through a config.

    problems: what it found. wrong: the values found wrong, so that what refers to them is not reported again. walked: the blocks
    looked into, likewise for their copies. valid: every way that an override may take. unplaced: overrides that landed nowhere.
    """

    def __init__(self, loaded: LoadedConfig):
        self.loaded = loaded
        self.problems: List[Problem] = []
        self.wrong: Set[Keys] = set()
        self.walked: Set[Keys] = set()
        self.valid: List[str] = []
        self.unplaced: Dict[Override, str] = {}

    # ---- reports ----

    def report(self, keys: Keys, message: str) -> None:
        """A mistake in the value of a key."""
        self.wrong.add(keys)
        self.problems.append(Problem(self.loaded.where(keys), f"[{'.'.join(keys[:-1])}] {keys[-1]}: {message}"))

    def report_section(self, keys: Keys, message: str) -> None:
        """A mistake of a section as a whole."""
        self.problems.append(Problem(self.loaded.where(keys), f"[{'.'.join(keys)}] {message}"))

    def report_component(self, keys: Keys, kind: str, message: str) -> None:
        """A mistake in which component a block names."""
        self.problems.append(Problem(self.loaded.where((*keys, f"@{kind}")), f"[{'.'.join(keys)}] {message}"))

    def unknown(self, keys: Keys, section: Keys, reason: str, near: str = "") -> None:
        """Something that has no place in a section. near: the nearest valid name. Where an override brought it, the nearest valid
        way is named instead, at the end of the walk."""
        said = f"[{'.'.join(section)}] {reason}."
        override = self.loaded.added(keys)
        if override is not None:
            self.unplaced.setdefault(override, said)
        else:
            self.problems.append(Problem(self.loaded.where(keys), said + near))

    def settle_overrides(self) -> None:
        """Report the overrides that landed nowhere, now that every valid way is known."""
        for override, said in self.unplaced.items():
            near = did_you_mean(override.named(".".join(override.keys)), map(override.named, self.valid))
            named = said if override.written else f"does not override anything: {said}"
            self.problems.append(Problem(override.place, named + near))

    # ---- the config's sections ----

    def config(self) -> None:
        """Everything."""
        tree = self.loaded.tree
        for name in tree:
            if name not in SECTIONS:
                self.unknown((name,), (name,), "is no section of a config", did_you_mean(name, SECTIONS))
            elif not isinstance(tree[name], dict) and tree[name] is not None:
                self.problems.append(Problem(self.loaded.where((name,)), f"[{name}] must be a section: {SECTIONS[name]}."))
        for name in FREE:
            self.free(name)
        self.training()
        self.component_section("data", Corpus, "what to train on")
        if tree.get("protocol") is not None:
            self.component_section("protocol", Protocol, "")
        self.stages()
        self.settle_overrides()

    def section(self, name: str) -> Dict[str, Any]:
        """A top-level section, empty where it is missing or none."""
        value = self.loaded.tree.get(name)
        return value if isinstance(value, dict) else {}

    def free(self, name: str) -> None:
        """`[paths]` and `[vars]`: the user's own keys, which an override must find there, or something must refer to."""
        for key, value in self.section(name).items():
            if self.loaded.added((name, key)) and not self.loaded.refers_to((name, key)):
                self.unknown((name, key), (name,), f"has no '{key}'")
                continue
            self.valid.append(f"{name}.{key}")
            if name == "paths" and value is not None and not isinstance(value, str):
                self.report((name, key), f"expected a text in double quotes or null, got {shown(value)}.")

    def training(self) -> None:
        """`[training]`: known keys, of their types, not below their least."""
        section = self.section("training")
        self.keys(("training",), section, arguments(Training), "this section")
        for key, least in LEAST.items():
            value = section.get(key)
            if isinstance(value, (int, float)) and value < least and ("training", key) not in self.wrong:
                self.report(("training", key), too_small(key, value))

    def component_section(self, name: str, interface: Any, purpose: str) -> None:
        """`[data]` and `[protocol]`: one block each."""
        block = self.loaded.tree.get(name)
        if isinstance(block, dict):
            self.value((name,), block, interface)
        elif block is None:
            self.problems.append(Problem(self.loaded.where(()), f"there is no section [{name}], {purpose}: {SECTIONS[name]}."))

    def stages(self) -> None:
        """`[stages.*]`: blocks, and the names in them."""
        stages = self.section("stages")
        if not stages:
            self.problems.append(Problem(self.loaded.where(("stages",)), f"there are no [stages.NAME]: {SECTIONS['stages']}."))
        for name, block in stages.items():
            self.value(("stages", name), block, Stage)
        for keys, message in (*stage_mistakes(stages), *contrast_mistakes(stages)):
            self.report(keys, message)
        for keys, message in missing_splits(self.loaded.tree):
            self.missing(keys, message)

    # ---- blocks ----

    def block(self, keys: Keys, block: Dict[str, Any], kind: str) -> None:
        """A component block: the component exists, its keys are known, of their types, and complete."""
        if self.loaded.origin(keys) in self.walked:
            return
        self.walked.add(self.loaded.origin(keys))
        named = [key for key in block if key.startswith("@")]
        if len(named) > 1:
            self.report_section(keys, f"names {len(named)} components ({', '.join(named)}); one block is one component.")
            return
        self.valid.append(".".join((*keys, named[0])))
        try:
            component = component_of(kind, block[named[0]])
            known = arguments(component)
        except RelconError as error:
            self.report_component(keys, kind, str(error))
            return
        self.keys(keys, {key: value for key, value in block.items() if key not in named}, known, f"'{block[named[0]]}'")

    def keys(self, keys: Keys, block: Dict[str, Any], known: Dict[str, Argument], owner: str) -> None:
        """The keys of a block or of `[training]` against what its owner takes."""
        self.valid += [".".join((*keys, name)) for name in known]
        for key, value in block.items():
            if key in known:
                self.value((*keys, key), value, known[key].annotation)
            else:
                self.unknown((*keys, key), keys, f"{owner} takes no '{key}'", did_you_mean(key, known))
        for name, argument in known.items():
            if argument.default is REQUIRED and name not in block:
                self.report_section(keys, f"{owner} needs '{name}' ({expected(argument.annotation)}). {_remedy((*keys, name), argument)}")

    # ---- values ----

    def value(self, keys: Keys, value: Any, annotation: Any) -> None:
        """A value against the type that was declared for it."""
        branches = alternatives(annotation)
        if self.loaded.broken(keys) or self.loaded.origin(keys) in self.wrong:
            return
        if kind_of(value) is not None:
            self.component(keys, value, annotation)
        elif isinstance(value, dict):
            self.section_value(keys, value, annotation)
        elif isinstance(value, list):
            self.list_value(keys, value, annotation)
        elif value is None and not any(fits(value, branch) for branch in branches):
            self.missing(keys, f"needs a value ({expected(annotation)}), but is null.")
        elif not any(fits(value, branch) for branch in branches):
            near = did_you_mean(value, choices(annotation)) if isinstance(value, str) and choices(annotation) else ""
            self.report(keys, f"expected {expected(annotation)}, got {shown(value)}.{near}")

    def missing(self, keys: Keys, message: str) -> None:
        """Null where a value is needed: name the override that gives it, at the end of the references, once."""
        origin = self.loaded.origin(keys)
        if origin not in self.wrong:
            self.wrong.add(origin)
            what = "FILE" if origin[0] == "paths" else "VALUE"
            self.report(keys, f"{message} Give --{'.'.join(origin)} {what}.")

    def component(self, keys: Keys, value: Dict[str, Any], annotation: Any) -> None:
        """A block where something of this annotation is expected."""
        kind = str(kind_of(value))
        branches = alternatives(annotation)
        offered = [found for found in map(interface_of, branches) if found is not None]
        if kind in [name for name, _ in offered] or Any in branches:
            self.block(keys, value, kind)
        elif offered:
            wanted = " or ".join(f"@{name}" for name, _ in offered)
            self.report_component(keys, kind, f"expected a block of {wanted}, got one of @{kind}.")
        else:
            self.report_component(keys, kind, f"expected {expected(annotation)}, got a block of @{kind}.")

    def section_value(self, keys: Keys, value: Dict[str, Any], annotation: Any) -> None:
        """A dictionary: names to values, or a block that forgot to say which component it is."""
        branches = alternatives(annotation)
        branch = next((branch for branch in branches if is_dict(branch) or branch is Any), None)
        offered = [found for found in map(interface_of, branches) if found is not None]
        if branch is not None:
            inner = parameter(branch) if is_dict(branch) else Any
            self.valid.append(".".join(keys))
            for key, item in value.items():
                self.value((*keys, key), item, inner)
        elif offered:
            self.unknown(keys, keys, f'needs @{offered[0][0]} = "NAME" to say which component it is')
        else:
            self.unknown(keys, keys, f"expected {expected(annotation)}, got a section")

    def list_value(self, keys: Keys, value: List[Any], annotation: Any) -> None:
        """A list, each of whose items is looked at."""
        branch: Optional[Any] = next((branch for branch in alternatives(annotation) if is_list(branch) or branch is Any), None)
        if branch is None:
            self.report(keys, f"expected {expected(annotation)}, got the list {shown(value)}.")
            return
        for item in value:
            self.value(keys, item, parameter(branch) if is_list(branch) else Any)
