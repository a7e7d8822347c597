"""The documentation is true: files that pages show are the files, commands that pages give run, names and links lead somewhere.

In a page, `<!-- run -->` before a bash block marks commands that run here; `<!-- file PATH -->` before a block says that it
shows that file.
"""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List, Tuple

import pytest

import relcon.interfaces  # noqa: F401  (defines the registries)
from relcon.cli.main import main
from relcon.registry import INTERFACES
from relcon.testing import tiny_encoder_folder

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
CORPORA = ("docs/papers", "docs/results", "docs/formats", "docs/reference", "plugins")
BESIDE = [file for place in CORPORA for file in sorted((ROOT / place).rglob("*.md"))]
"""Pages whose commands need a corpus: the tests of the plugins run them on sentences of their own."""

EXAMPLE = ROOT / "docs" / "examples" / "relcon-shuffle"
page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
every_page = pytest.mark.parametrize("path", PAGES + BESIDE, ids=lambda path: str(path.relative_to(ROOT)))


def commands(path: Path) -> List[str]:
    """The commands of a page's blocks that are marked to run, one by one."""
    blocks = re.findall(r"^<!-- run -->\n+```bash\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line.strip() and not line.startswith("#")]


def shown_files(path: Path) -> List[Tuple[str, str]]:
    """The files that a page shows, each with its text there."""
    return re.findall(r"^<!-- file (\S+) -->\n+```\w*\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def tiny(config: str, encoder: Path) -> List[str]:
    """Overrides with which a config trains a tiny encoder; the quickstart has two stages with an encoder of their own."""
    stages = ("baseline", "pretrain") if "quickstart" in config else ("pretrain",)
    places = [f"--stages.{stage}.encoders.text" for stage in stages]
    few = ["--training.max_steps", "2"] if "quickstart" in config else []
    words = {"@encoders": "relcon.Transformer.v1", "path": str(encoder), "freeze_layers": "0"}
    return [word for place in places for key, value in words.items() for word in (f"{place}.{key}", value)] + few


def first_command() -> List[str]:
    """The training of the README's first command, as the tests can run it: without setting anything up."""
    line = next(line for line in (ROOT / "README.md").read_text(encoding="utf-8").splitlines() if ".venv/bin/relcon train" in line)
    return shlex.split(line.split("&& .venv/bin/")[-1])


def run(words: List[str], encoder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One command of a page; `relcon` runs in this process, where torch is loaded. Trainings get a tiny random encoder."""
    if words[0] == "cd":
        monkeypatch.chdir(words[1])
    elif words[0] == "relcon":
        try:
            main([*words[1:], *(tiny(words[2], encoder) if words[1] == "train" else [])])
        except SystemExit as end:
            assert not end.code, f"{shlex.join(words)} ended with exit code {end.code}"
    else:
        subprocess.run(words, check=True)


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the example plugin was installed, as any package is; without the network."""
    source, target = tmp_path_factory.mktemp("source") / "relcon-shuffle", tmp_path_factory.mktemp("installed")
    shutil.copytree(EXAMPLE, source)
    options = ["-q", "--disable-pip-version-check", "--no-deps", "--no-index", "--no-build-isolation", "--target", str(target)]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, str(source)], check=True)
    return target


def test_pages_have_commands_and_files():
    """So that a changed marker does not leave the tests below without anything to do."""
    counts = {path.name: (len(commands(path)), len(shown_files(path))) for path in PAGES}
    assert counts["README.md"][0] >= 6 and first_command()[:2] == ["relcon", "train"]
    assert counts["tutorial.md"][0] >= 6
    assert counts["writing-a-plugin.md"][0] >= 4 and counts["writing-a-plugin.md"][1] >= 5
    assert counts["config.md"][0] >= 3


@page
def test_shown_files_are_the_files(path):
    for name, text in shown_files(path):
        assert text == (ROOT / name).read_text(encoding="utf-8"), f"{path.name} does not show {name} as it is"


@pytest.mark.parametrize("path", [path for path in PAGES if commands(path)], ids=lambda path: path.name)
def test_commands_run(path, tmp_path, monkeypatch, installed):
    """From a folder that holds what the repository's does; runs go there."""
    encoder = tiny_encoder_folder(tmp_path / "tiny")
    for name in ("docs", "configs"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(installed))
    if path.name == "README.md":
        run(first_command(), encoder, monkeypatch)
    for command in commands(path):
        run(shlex.split(command, comments=True), encoder, monkeypatch)


def test_the_example_plugin_passes_its_own_tests(installed):
    environment = {"PYTHONPATH": str(installed), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE / "tests")]
    done = subprocess.run(tests, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


@every_page
def test_links_lead_to_files(path):
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name} links to {target}, which is not there"


@every_page
def test_registered_names_exist(path):
    """Those of the core and its plugins, except where the page shows a mistake."""
    known = {name for interface in INTERFACES.values() for name in interface.registry.names()}
    packages = {name.split(".")[0] for name in known}
    for line in path.read_text(encoding="utf-8").splitlines():
        if "Did you mean" not in line:
            for name in re.findall(r"\b[a-z][a-z0-9]*\.[A-Z]\w*\.v\d+\b", line):
                assert name.split(".")[0] not in packages or name in known, f"{path.name} names {name}, which is not registered"


def test_the_page_on_objectives_knows_all_of_them():
    text = (ROOT / "docs" / "objectives.md").read_text(encoding="utf-8")
    for kind in ("objectives", "samplers", "adjusters"):
        for name in INTERFACES[kind].registry.names():
            assert not name.startswith("relcon.") or name in text, f"docs/objectives.md says nothing of {name}"
