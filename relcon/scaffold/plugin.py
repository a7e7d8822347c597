"""A package of components, as a plugin's author begins with it."""

import re
from pathlib import Path
from string import Template
from typing import Dict, List, Mapping, NamedTuple, Sequence

import relcon.interfaces  # noqa: F401  (defines the registries)
from relcon import __version__
from relcon.errors import RelconError, did_you_mean
from relcon.files import whole_folder
from relcon.registry import INTERFACES

TEMPLATES = Path(__file__).parent / "templates" / "plugin"
NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Part(NamedTuple):
    """A component that a package may have.

    registry: where it is registered, which is what its module is called, too. component: its class. what: it in words.
    otherwise: what the example config has in its place where it is not chosen.
    """

    registry: str
    component: str
    what: str
    otherwise: str


PARTS: Dict[str, Part] = {
    "reader": Part("readers", "MarkedLines", "a reader of sentences with a marked pair", "relcon.JSONLines.v1"),
    "candidates": Part("candidates", "Neighbours", "a rule that asks about neighbouring entities", "relcon.AnnotatedPairs.v1"),
    "augmenter": Part("augmenters", "Blanks", "an augmenter that blanks words out", "relcon.RandomSwap.v1"),
    "sampler": Part("samplers", "OriginalsAndCopies", "a sampler of originals and their copies", "relcon.TwoViews.v1"),
    "pooler": Part("poolers", "WholeMean", "a pooler that takes the mean of an input", "relcon.CLS.v1"),
    "objective": Part("objectives", "AttractRepel", "an objective with a margin", "relcon.NTXent.v1"),
    "evaluator": Part("evaluators", "RightAnswers", "an evaluator of right answers", "relcon.Scores.v1"),
}
"""What `--with` may name."""

USUAL = ("reader", "augmenter", "sampler", "objective", "evaluator")
"""What a package has unless its author says otherwise."""

SAMPLE = {"train": "sample:train.jsonl", "dev": "sample:dev.jsonl", "test": "sample:test.jsonl", "corpus": "the sample corpus of relcon"}
OWN = {"train": "data/train.txt", "dev": "data/dev.txt", "test": "data/test.txt", "corpus": "the invented sentences in data/"}
"""What the example config reads: without a reader of the package's own, and with one."""


def write_plugin(name: str, parts: Sequence[str], output: Path) -> List[Path]:
    """Write a package `relcon-NAME` that installs, registers its components and passes its own tests; the files, from its folder.

    name: in small letters, figures and dashes, with or without `relcon-`. parts: of `PARTS`. output: its folder, new or empty.
    RelconError where a name is none or belongs to another package, a part is unknown, or the folder holds something.
    """
    prefix = require_name(name)
    chosen = require_parts(parts)
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise RelconError(f"{output} exists and is not empty. Give another folder with --output.")
    files = _files(prefix, chosen)
    with whole_folder(output) as folder:
        for file, text in files.items():
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, encoding="utf-8")
    return [Path(file) for file in files]


def require_name(name: str) -> str:
    """The name of a plugin without `relcon-`. RelconError with the nearest valid one where it is none, or another package has it."""
    bare = name.removeprefix("relcon-")
    if not NAME.fullmatch(bare):
        near = re.sub(r"[^a-z0-9]+", "-", bare.lower()).strip("-0123456789")
        hint = f" Did you mean '{near}'?" if near else ""
        raise RelconError(f"'{name}' cannot be the name of a plugin: small letters, figures and dashes, a letter first.{hint}")
    offers = [offer for interface in INTERFACES.values() for offer in interface.registry.offers()]
    owners = sorted({offer.package for offer in offers if offer.name.split(".")[0] == prefix_of(bare)})
    if owners or bare == "relcon":
        raise RelconError(f"Names that begin with '{prefix_of(bare)}.' are those of {', '.join(owners) or 'relcon'}. Choose another name.")
    return bare


def prefix_of(name: str) -> str:
    """What the registered names of a plugin begin with: `my-plugin` -> `my_plugin`."""
    return name.replace("-", "_")


def require_parts(parts: Sequence[str]) -> List[str]:
    """The parts in the order of `PARTS`. RelconError where one is unknown, or there is none."""
    for part in parts:
        if part not in PARTS:
            raise RelconError(f"--with {part}: there is no such part.{did_you_mean(part, PARTS)}")
    if not parts:
        raise RelconError(f"--with names no part. Valid: {', '.join(PARTS)}.")
    return [part for part in PARTS if part in parts]


def _files(name: str, parts: Sequence[str]) -> Dict[str, str]:
    """The files of a package: their places -> their texts."""
    values = _values(name, parts)
    places = {
        "setup.py": "setup.py",
        "README.md": "README.md",
        ".gitignore": "gitignore",
        "example.cfg": "example.cfg",
        f"{values['module']}/__init__.py": "package.py",
        "tests/test_config.py": "tests/config.py",
    }
    for part in parts:
        places[f"{values['module']}/{PARTS[part].registry}.py"] = f"parts/{part}.py"
        places[f"tests/test_{PARTS[part].registry}.py"] = f"tests/{part}.py"
    if "reader" in parts:
        places.update({OWN[split]: f"data/{split}.txt" for split in ("train", "dev", "test")})
    return {place: _filled(template, values) for place, template in places.items()}


def _filled(template: str, values: Mapping[str, str]) -> str:
    return Template((TEMPLATES / f"{template}.template").read_text(encoding="utf-8")).substitute(values)


def _values(name: str, parts: Sequence[str]) -> Dict[str, str]:
    """What stands for the variables of the templates."""
    prefix = prefix_of(name)
    module = f"relcon_{prefix}"
    names = {part: f"{prefix}.{PARTS[part].component}.v1" for part in parts}
    rows = [f"| `@{PARTS[part].registry} = \"{names[part]}\"` | {PARTS[part].what} |" for part in parts]
    points = [_entry_point(module, names[part], PARTS[part]) for part in parts]
    return {
        **{part: names.get(part, each.otherwise) for part, each in PARTS.items()},
        **(OWN if "reader" in parts else SAMPLE),
        "prefix": prefix,
        "module": module,
        "distribution": f"relcon-{name}",
        "version": __version__,
        "listed": ", ".join(PARTS[part].what for part in parts),
        "table": "\n".join(rows),
        "entry_points": "\n".join(points),
    }


def _entry_point(module: str, name: str, part: Part) -> str:
    """A line of `setup.py`."""
    return f'        "relcon_{part.registry}": ["{name} = {module}.{part.registry}:{part.component}"],'
