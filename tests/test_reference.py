"""docs/reference: made from the registry, and up to date."""

import subprocess
import sys
from pathlib import Path

import pytest

from relcon.cli.main import main
from relcon.reference import pages
from relcon.registry import INTERFACES

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
SHIPPED = ("relcon", "relcon-clre", "relcon-cloce", "relcon-cldr", "relcon-finecl", "relcon-pspe")


def test_the_reference_is_up_to_date() -> None:
    made = pages(SHIPPED)
    there = {path.name: path.read_text(encoding="utf-8") for path in REFERENCE.iterdir()}
    stale = sorted(name for name in {*made, *there} if made.get(name) != there.get(name))
    assert not stale, f"{stale} differ from what the docstrings say: relcon components --markdown docs/reference"


def test_every_component_has_an_entry_with_its_arguments() -> None:
    made = pages(("relcon",))
    for kind, interface in INTERFACES.items():
        for offer in interface.registry.offers():
            if offer.package == "relcon":
                assert f"\n## {offer.name}\n" in made[f"{kind}.md"]
    adam = made["optimizers.md"].partition("## relcon.AdamW.v1")[2].partition("## ")[0]
    assert "| `weight_decay` | a number | `0.01` | decoupled decay of matrices. |" in adam
    assert "layer_decay: in (0, 1]" not in adam, "what the table says of arguments is not said twice"


def test_the_command_writes_it(tmp_path: Path) -> None:
    """In a process of its own, since components of other tests' code have no example."""
    command = [sys.executable, "-m", "relcon", "components"]
    done = subprocess.run([*command, "--markdown", str(tmp_path / "reference")], capture_output=True, text=True)
    assert done.returncode == 0 and (tmp_path / "reference" / "README.md").exists() and "pages lie in" in done.stdout, done.stderr


def test_one_component_is_no_reference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end:
        main(["components", "NTXent", "--markdown", str(tmp_path / "again")])
    assert end.value.code == 2 and not (tmp_path / "again").exists() and "Leave out the name" in capsys.readouterr().err
