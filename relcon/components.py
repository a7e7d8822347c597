"""Components as configs see them: their arguments with types, defaults and explanations, and the example block of their docstring."""

import inspect
import re
import textwrap
from typing import Any, Dict, List, NamedTuple, Optional, get_type_hints

import relcon.interfaces  # noqa: F401  (defines the registries)
from relcon.errors import RelconError
from relcon.registry import INTERFACES, registry_of

REQUIRED = inspect.Parameter.empty
_EXPLAINED = re.compile(r"(?:^|(?<=[.;)] )|(?<=; or ))[ ]*(\w+(?:, \w+)*): ", re.MULTILINE)
_COLLECTING = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


class Argument(NamedTuple):
    """One constructor argument: its name, its type, its default (`REQUIRED` where it has none)."""

    name: str
    annotation: Any
    default: Any = REQUIRED


def arguments(component: Any) -> Dict[str, Argument]:
    """What a block of this component may say, in the order of its signature.

    RelconError where an annotation cannot be resolved (a name imported for type checkers only).
    """
    hints = _hints(component.__init__ if inspect.isclass(component) else component, component)
    return {
        name: Argument(name, hints.get(name, Any), parameter.default)
        for name, parameter in inspect.signature(component).parameters.items()
        if parameter.kind not in _COLLECTING
    }


def _hints(function: Any, component: Any) -> Dict[str, Any]:
    """The types that a function of a component names; RelconError where they cannot be resolved."""
    try:
        return get_type_hints(function)
    except Exception as error:  # a stranger's annotation may raise anything when it is evaluated
        raise RelconError(f"the types of {component.__module__}:{component.__qualname__} cannot be read: {error}") from error


def component_of(kind: str, name: Any) -> Any:
    """The component behind `@kind = "name"`, known to be of the registry's interface; RelconError where it cannot be had."""
    registry = registry_of(kind)
    if not isinstance(name, str):
        raise RelconError(f"@{kind} takes a registered name in double quotes, got {name!r}.")
    component = registry.get(name)
    made = component if inspect.isclass(component) else _hints(component, component).get("return")
    interface = INTERFACES[kind]
    if not (inspect.isclass(made) and issubclass(made, interface)):
        raise RelconError(f"'{name}' in '@{kind}' is no {interface.__name__}: its package registered it under the wrong interface.")
    if made is component and inspect.isabstract(made):
        lacks = ", ".join(sorted(made.__abstractmethods__))
        raise RelconError(f"'{name}' in '@{kind}' lacks methods of {interface.__name__}: {lacks}. Its package must define them.")
    return component


def kind_of(value: Any) -> Optional[str]:
    """The registry that a block names (`samplers` for `@samplers = ...`), or None where the value is no component block."""
    keys = [key for key in value if key.startswith("@")] if isinstance(value, dict) else []
    return keys[0][1:] if keys else None


def nested(block: Any, kind: str) -> Optional[str]:
    """The argument of a block that is a block of this registry (`corpora`: the corpus that another one changes); None without one."""
    arguments = block.items() if isinstance(block, dict) else ()
    return next((name for name, value in arguments if kind_of(value) == kind), None)


def docstring_block(component: Any) -> Optional[str]:
    """The config block at the end of a component's docstring (below `Config::`), or None where it has none."""
    parts = re.split(r"^Config::[ ]*\n", inspect.getdoc(component) or "", maxsplit=1, flags=re.MULTILINE)
    return textwrap.dedent(parts[1]).strip() + "\n" if len(parts) == 2 else None


def explanation(component: Any) -> str:
    """A component's docstring without its config block, and below it those of its base classes that it refers to (`see `Base``),
    whose arguments it shares."""
    text = docstring_text(component)
    bases = [base for base in inspect.getmro(component)[1:] if f"see `{base.__name__}`" in text] if inspect.isclass(component) else []
    return "\n\n".join([text, *(f"{base.__name__}: {docstring_text(base)}" for base in bases)])


def argument_texts(component: Any) -> Dict[str, str]:
    """What a component's docstring says of each of its arguments: what follows `name: ` or `name, other: `, to the next one or to the
    end of the paragraph. Those that it does not explain are left out."""
    known = arguments(component)
    found: Dict[str, str] = {}
    for paragraph in re.split(r"\n\s*\n", explanation(component)):
        marks = [mark for mark in _EXPLAINED.finditer(paragraph) if set(_names(mark)) <= set(known)]
        ends = [mark.start() for mark in marks[1:]] + [len(paragraph)]
        for mark, end in zip(marks, ends, strict=False):
            text = " ".join(paragraph[mark.end() : end].split())
            found.update((name, text) for name in _names(mark) if name not in found)
    return found


def _names(mark: "re.Match[str]") -> List[str]:
    """The arguments that a match of `_EXPLAINED` names."""
    return mark[1].split(", ")


def docstring_text(component: Any) -> str:
    """A component's docstring without its config block."""
    return re.split(r"^Config::", inspect.getdoc(component) or "", maxsplit=1, flags=re.MULTILINE)[0].strip()
