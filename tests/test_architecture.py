"""The floors of docs/architecture.md: the list is the tree, and imports point down."""

import ast
import re
import sys
from pathlib import Path
from typing import Dict, Iterator, List, NamedTuple, Set, Tuple

import pytest

ROOT = Path(__file__).parent.parent
PAGE = ROOT / "docs" / "architecture.md"
PLUGINS = sorted(path.name for path in (ROOT / "plugins").glob("*/") if (path / "setup.py").exists())
LIGHT = {"relcon", "typer", *sys.stdlib_module_names}
"""What `relcon/cli` may import when it is itself imported; of relcon itself, only that which loads nothing heavy."""


class Import(NamedTuple):
    """One imported module: its dotted name, and whether the import stands at the top of the file."""

    name: str
    line: int
    top: bool


def read_floors() -> Dict[str, int]:
    """The list of the page: a file or folder (`relcon/data/`) -> its floor, counted from the bottom."""
    block = re.search(r"^```text floors\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert block, "docs/architecture.md has no block of floors"
    lines = list(reversed(block[1].strip().splitlines()))
    places = [place for line in lines for place in line.split()]
    assert len(places) == len(set(places)), "a module stands on two floors"
    return {place: floor for floor, line in enumerate(lines) for place in line.split()}


FLOORS = read_floors()


def files(folder: str) -> List[str]:
    """The Python files below a folder, as paths from the root."""
    return sorted(path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*.py"))


CORE = [file for file in files("relcon") if not file.startswith("relcon/testing/")]
MODULES = {file.removesuffix(".py").removesuffix("/__init__").replace("/", "."): file for file in files("relcon")}


def imports(path: Path) -> Iterator[Import]:
    """Every import of a file, wherever it stands; `from a import b` gives `a.b`."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    top = {id(node) for node in tree.body}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, node.lineno, id(node) in top) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: imports are absolute here"
            yield from (Import(f"{node.module}.{alias.name}", node.lineno, id(node) in top) for alias in node.names)


def module_file(name: str) -> str:
    """The file behind a dotted name of relcon (`relcon.files.write_json` -> `relcon/files.py`)."""
    while name not in MODULES:
        assert "." in name, f"{name} is no module of relcon"
        name = name.rpartition(".")[0]
    return MODULES[name]


def unit(file: str) -> str:
    """Where a file stands on the page: by its own name, or by that of its folder."""
    folder = "/".join(file.split("/")[:2]) + "/"
    assert file in FLOORS or folder in FLOORS, f"{file} stands on no floor: give it one in docs/architecture.md"
    return file if file in FLOORS else folder


def core_imports(file: str) -> Iterator[Tuple[str, int]]:
    """The other files of the core that a file imports, each with the line."""
    for each in imports(ROOT / file):
        if each.name.split(".")[0] == "relcon" and module_file(each.name) != file:
            yield module_file(each.name), each.line


def test_the_page_lists_the_modules_that_there_are():
    assert {unit(file) for file in CORE} == set(FLOORS), "docs/architecture.md lists other modules than relcon/ has"


@pytest.mark.parametrize("file", CORE)
def test_imports_point_down(file):
    for other, line in core_imports(file):
        mine, theirs = unit(file), unit(other)
        assert mine == theirs or FLOORS[theirs] < FLOORS[mine], f"{file}:{line} imports {other}, which does not stand below it"


def test_no_module_imports_itself_by_a_circle():
    below: Dict[str, Set[str]] = {file: {other for other, _ in core_imports(file)} for file in CORE}
    while below:
        free = [file for file, others in below.items() if not others & below.keys()]
        assert free, f"these modules import each other in a circle: {sorted(below)}"
        below = {file: others for file, others in below.items() if file not in free}


@pytest.mark.parametrize("file", files("relcon"))
def test_the_core_imports_no_plugin(file):
    plugins = {name.replace("-", "_") for name in PLUGINS}
    assert plugins, "there is no plugin to watch"
    for each in imports(ROOT / file):
        assert each.name.split(".")[0] not in plugins, f"{file}:{each.line} imports a plugin: name its component in a config"
        assert not each.name.startswith("relcon.testing") or file.startswith("relcon/testing/"), f"{file}:{each.line} imports the test kit"


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_plugin_imports_the_core_and_itself(plugin):
    package = plugin.replace("-", "_")
    found = files(f"plugins/{plugin}/{package}")
    assert found, f"plugins/{plugin} has no package {package}"
    for file in found:
        for each in imports(ROOT / file):
            top = each.name.split(".")[0]
            assert top == package or not top.startswith("relcon_"), f"{file}:{each.line} imports another plugin"
            assert not each.name.startswith(("relcon.cli", "relcon.testing")), f"{file}:{each.line} imports what a plugin's code must not"


@pytest.mark.parametrize("file", files("relcon/cli"))
def test_the_command_line_imports_heavy_modules_inside_functions(file):
    for each in imports(ROOT / file):
        if each.top:
            assert each.name.split(".")[0] in LIGHT, f"{file}:{each.line} imports {each.name} at the top: move it into the function"
            if each.name.startswith("relcon."):
                light = each.name.startswith(("relcon.cli.", "relcon.errors.", "relcon.__version__"))
                assert light, f"{file}:{each.line} imports {each.name} at the top: move it into the function"
