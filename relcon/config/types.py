"""Which values fit an annotation, and how messages say what was expected. The annotations that components may use: int, float,
bool, str, Any, None, Literal, Union, Optional, List, Dict with text keys, and interfaces."""

import inspect
import json
import types
from typing import Any, Dict, List, Literal, Tuple, Union, get_args, get_origin

from relcon.registry import interface_of

PLAIN: Dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "a text",
    type(None): "null",
    Any: "anything",
}


def alternatives(annotation: Any) -> Tuple[Any, ...]:
    """The branches of a union, flat; the annotation alone where it is none."""
    if get_origin(annotation) in (Union, types.UnionType):
        return tuple(inner for branch in get_args(annotation) for inner in alternatives(branch))
    return (annotation,)


def parameter(annotation: Any) -> Any:
    """What a list holds, or the values of a dictionary; Any where the annotation does not say."""
    return get_args(annotation)[-1] if get_args(annotation) else Any


def is_list(annotation: Any) -> bool:
    """`List[T]` or `list`."""
    return list in (annotation, get_origin(annotation))


def is_dict(annotation: Any) -> bool:
    """`Dict[str, T]` or `dict`."""
    return dict in (annotation, get_origin(annotation))


def is_supported(annotation: Any) -> bool:
    """Whether a component may use this annotation, so that its values can be checked."""
    for branch in alternatives(annotation):
        if is_list(branch) or is_dict(branch):
            if is_dict(branch) and get_args(branch)[:1] not in ((), (str,)):
                return False
            if not is_supported(parameter(branch)):
                return False
        elif branch not in PLAIN and get_origin(branch) is not Literal and interface_of(branch) is None:
            return False
    return True


def fits(value: Any, branch: Any) -> bool:
    """Whether a plain value (no block, list or dictionary) is of this type. A whole number is a number; true is neither."""
    if get_origin(branch) is Literal:
        return any(value == choice and type(value) is type(choice) for choice in get_args(branch))
    if branch is float:
        return type(value) in (int, float)
    return branch is Any or type(value) is branch


def expected(annotation: Any) -> str:
    """An annotation in words: 'a whole number', "one of 'cls', 'mean'", 'a block of @samplers', 'a list of numbers'."""
    branches = sorted(alternatives(annotation), key=_rank)  # Python keeps a union in the order in which it first met its parts
    return " or ".join(dict.fromkeys(map(_words, branches)))


def _rank(branch: Any) -> int:
    """Blocks, lists and choices first, then plain values in the order of `PLAIN`."""
    return list(PLAIN).index(branch) if branch in PLAIN else -1


def _words(branch: Any) -> str:
    interface = interface_of(branch)
    if interface is not None:
        return f"a block of @{interface[0]}"
    if get_origin(branch) is Literal:
        choices = [json.dumps(choice) for choice in get_args(branch)]
        return choices[0] if len(choices) == 1 else f"one of {', '.join(choices)}"
    if is_list(branch):
        return f"a list, each {expected(parameter(branch))}"
    if is_dict(branch):
        return f"a section of names, each {expected(parameter(branch))}"
    return PLAIN.get(branch, branch.__name__ if inspect.isclass(branch) else str(branch))


def shown(value: Any) -> str:
    """A value as messages show it, cut where long."""
    if isinstance(value, dict):
        named = next((f"a block of {key}" for key in value if key.startswith("@")), None)
        return named or "a section"
    text = json.dumps(value, ensure_ascii=False, default=repr)  # a strange default is shown, where a config could not hold it
    return text if len(text) <= 80 else text[:77] + "..."


def choices(annotation: Any) -> List[str]:
    """The texts that an annotation's literals allow."""
    branches = alternatives(annotation)
    return [choice for branch in branches if get_origin(branch) is Literal for choice in get_args(branch) if isinstance(choice, str)]
