"""`relcon components`: every part with its origin, what failed to load, and one part in detail."""

import re
from pathlib import Path

import pytest

import relcon.interfaces  # noqa: F401  (defines the registries)
from relcon.cli.main import main
from relcon.components import component_of
from relcon.config.code import load_code
from relcon.registry import INTERFACES


@pytest.fixture
def components(toy_code, capsys):
    """`components("NAME")`: exit code, standard output, standard error."""

    def run(*words):
        code = 0
        try:
            main(["components", "--code", str(toy_code), *words])
        except SystemExit as end:
            code = end.code or 0
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def test_every_part_with_package_version_file_and_a_line(components):
    code, out, _ = components()
    assert code == 0
    lines = out.splitlines()
    at = next(n for n, line in enumerate(lines) if "toy.Drop.v1" in line)
    assert re.fullmatch(r"  toy\.Drop\.v1 +--code +.*toy_parts\.py:\d+", lines[at])
    assert lines[at + 1] == "      Drops words."
    for kind in ("@readers", "@augmenters", "@stages", "@protocols"):
        assert kind in lines
    assert re.search(r"relcon\.JSONLines\.v1 +relcon 0\.1\.0 +\S*relcon/readers/\w+\.py:\d+", out)
    assert lines[-1] == "Next: relcon components NAME"


def test_of_one_registry(components):
    _, out, _ = components("--kind", "pooler" + "s")
    assert "toy.First.v1" in out and "toy.Drop.v1" not in out
    code, _, err = components("--kind", "pooler")
    assert code == 2 and "Did you mean 'poolers'?" in err


def test_one_part_in_detail(components):
    code, out, _ = components("toy.Loss.v1")
    assert code == 0
    assert out.startswith("toy.Loss.v1  @objectives  --code  ")
    assert "  temperature      a number; required\n" in out
    assert '  similarity       one of "cosine", "dot"; default "cosine"\n' in out
    assert '[objectives.name]\n@objectives = "toy.Loss.v1"\ntemperature = null\nsimilarity = "cosine"\n' in out


def test_a_default_that_no_config_can_hold_is_shown(components, toy_code, monkeypatch):
    load_code(toy_code)
    monkeypatch.setattr(component_of("objectives", "toy.Loss.v1").__init__, "__defaults__", (Path("x"),))
    code, out, _ = components("toy.Loss.v1")
    assert code == 0 and 'default "PosixPath(\'x\')"' in out


@pytest.mark.parametrize("name", sorted(name for interface in INTERFACES.values() for name in interface.registry.names()))
def test_every_argument_is_explained(components, name):
    """In what stands above the list of arguments; those of a base class, too."""
    code, out, _ = components(name)
    assert code == 0
    text, _, listed = out.partition("\nArguments:\n")
    for argument in re.findall(r"^  (\w+) ", listed.partition("\nConfig:\n")[0], re.MULTILINE):
        assert re.search(rf"(?<![\w.`]){argument}(, \w+)*: ", text), f"relcon components {name} does not explain {argument}"


def test_a_part_of_a_name_will_do(components):
    assert components("corpus.v1")[1].startswith("relcon.Corpus.v1") or "could be any of" in components("corpus.v1")[2]
    assert components("toy.dro")[1].startswith("toy.Drop.v1")
    code, _, err = components("toy.")
    assert code == 2 and "could be any of toy.Contrast.v1, toy.Corpus.v1, toy.Drop.v1" in err


def test_no_such_part(components):
    code, _, err = components("toy.Dorp.v1")
    assert code == 2 and "there is no component 'toy.Dorp.v1'. Did you mean 'toy.Drop.v1'?" in err


def test_what_failed_to_load_is_listed_and_hides_nothing(components, tmp_path, monkeypatch, toy_code):
    load_code(toy_code)
    info = tmp_path / "broken-0.3.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 0.3\n")
    (info / "entry_points.txt").write_text("[relcon_augmenters]\nbroken.Part.v1 = broken_parts:Part\n")
    (tmp_path / "broken_parts.py").write_text("import there_is_no_such_module\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    code, out, _ = components("--kind", "augmenters")
    assert code == 0
    assert re.search(r"broken\.Part\.v1 +broken 0\.3  \(not loaded, see below\)", out)
    assert (
        "Not loaded:\n  'broken.Part.v1' in '@augmenters' could not be loaded from package broken (broken_parts:Part): ModuleNotFoundError"
        in out
    )
    assert "toy.Drop.v1" in out
    code, _, err = components("broken.Part.v1")
    assert code == 2 and "could not be loaded from package broken" in err
