"""Words for labels: derived from the labels' names, or read from a file of verbalisations."""

import re
from pathlib import Path
from typing import Dict, List, NamedTuple, Optional

import yaml

from relcon.data.labels import LabelSet
from relcon.errors import RelconError, did_you_mean, place

PREFIXES = {"per:": "person ", "org:": "organization "}
REVERSED = re.compile(r"\(e2,e1\)$")


def derived_words(labels: LabelSet) -> List[str]:
    """Words for each label, in order, from its name (KnowPrompt's rules: Chen et al., WWW 2022; CLoCE takes trainable vectors for them).

    A negative label is `no relation`, but `Other` is `other`. Any other is taken in small letters up to its first `(`, with `person` and
    `organization` for the prefixes `per:` and `org:`, and spaces for `:` and `_`. In a label that ends in `(e2,e1)` (SemEval-2010) words
    around a hyphen change places, so that its two directions differ. RelconError where nothing is left of a name.
    """
    words = [derived(label, label in labels.negative) for label in labels.names]
    for label, found in zip(labels.names, words, strict=True):
        if not found:
            raise RelconError(f"The name of the label '{label}' gives no words. Give every label words in a file: words = \"FILE.yaml\".")
    return words


def derived(label: str, negative: bool = False) -> str:
    """The words of one label; "" where its name has none. negative: whether it means that there is no relation."""
    if negative and label.lower() != "other":
        return "no relation"
    name = label.lower().partition("(")[0]
    for prefix, word in PREFIXES.items():
        name = word + name.removeprefix(prefix) if name.startswith(prefix) else name
    name = re.sub("[:_]", " ", name)
    words = ["-".join(reversed(word.split("-"))) if REVERSED.search(label.lower()) else word for word in name.split()]
    return " ".join(words)


def written_words(path: Path, labels: LabelSet) -> List[str]:
    """Words for each label, in order, from a .yaml file of `LABEL: words`.

    RelconError with file and line where it is no such file, a label is not among those of the data or stands there twice, or has no words;
    and where labels of the data are missing.
    """
    known = read_words(path)
    for label, written in known.items():
        if label not in labels.names:
            raise RelconError(f"{place(path, written.line)}: '{label}' is not a label of the data.{did_you_mean(label, labels.names)}")
    missing = [label for label in labels.names if label not in known]
    if missing:
        raise RelconError(f"{path} has no words for {', '.join(repr(label) for label in missing)}. Add a line for each: LABEL: words")
    return [known[label].words for label in labels.names]


class Written(NamedTuple):
    """The words of a label in a file, and the line on which they stand."""

    words: str
    line: int


def read_words(path: Path) -> Dict[str, Written]:
    """Label -> its words. RelconError with file and line where it is no .yaml file of `LABEL: words`."""
    root = _root(path)
    if not isinstance(root, yaml.MappingNode) or not root.value:
        raise RelconError(f"{path} must be a mapping with a line for each label, LABEL: words.")
    found: Dict[str, Written] = {}
    for key, value in root.value:
        line = key.start_mark.line + 1
        if not isinstance(key, yaml.ScalarNode) or not isinstance(value, yaml.ScalarNode):
            raise RelconError(f"{place(path, line)}: expected LABEL: words, both of them texts.")
        if key.value in found:
            raise RelconError(f"{place(path, line)}: the label '{key.value}' has words on line {found[key.value].line} already.")
        words = " ".join(value.value.split())
        if not words:
            raise RelconError(f"{place(path, line)}: the label '{key.value}' has no words. Write some behind the colon.")
        found[key.value] = Written(words, line)
    return found


def _root(path: Path) -> Optional[yaml.Node]:
    """The file as YAML sees it; scalars stay texts, so that `no` is a word."""
    try:
        return yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
    except OSError as error:
        raise RelconError(f"{path} cannot be read ({error.strerror}). `words` must be a .yaml file with a line for each label.") from error
    except UnicodeDecodeError as error:
        raise RelconError(f"{path} is not UTF-8. Save it so.") from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise RelconError(f"{place(path, line)}: not valid YAML: {error.problem}.") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise RelconError(f"{path}: not valid YAML: {error}.") from None
