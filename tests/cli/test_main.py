"""The shell around the commands: help that is quick and teaches, errors without traceback, exit code 2."""

import subprocess
import sys

import pytest

from relcon.cli.main import COMMANDS, app, main
from relcon.cli.overrides import parse_overrides
from relcon.errors import RelconError

HEAVY = ("torch", "transformers", "spacy", "sklearn", "accelerate", "nltk", "matplotlib")


def listed():
    return [command.name for command in app.registered_commands]


def test_help_loads_nothing_heavy():
    """In one fresh process: the help of relcon and of every command."""
    code = (
        "import sys\nfrom relcon.cli.main import main\n"
        f"for words in {[['--help'], *[[name, '--help'] for name in listed()]]}:\n"
        "    try: main(words)\n    except SystemExit as end: assert not end.code\n"
        f"loaded = {set(HEAVY)} & set(sys.modules)\nassert not loaded, loaded\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for name in listed():
        assert f"Usage: relcon {name}" in done.stdout


def test_the_commands_are_those_of_the_table():
    commands = ["train", "sweep", "evaluate", "score", "predict", "compare", "plot", "convert", "check", "components"]
    commands += ["build-pairs", "build-distant"]
    assert listed() == list(COMMANDS) == commands


@pytest.mark.parametrize("name", ["", *listed()])
def test_help_teaches(name, capsys):
    with pytest.raises(SystemExit):
        main([name, "--help"] if name else ["--help"])
    shown = capsys.readouterr().out
    assert "Next: " in shown, "help ends with the next command"
    assert f"relcon {name}" in shown.partition("Options:")[0].partition("\n")[2], "help shows an example"


def test_an_error_is_one_message_and_exit_code_2(capsys):
    with pytest.raises(SystemExit) as end:
        main(["check", "nowhere.cfg"])
    assert end.value.code == 2
    assert capsys.readouterr().err == "error: nowhere.cfg does not exist. Give the path of a .cfg or .yaml config.\n"


@pytest.mark.parametrize("by", ["option", "environment"])
def test_debug_lets_the_error_through(by, monkeypatch):
    if by == "environment":
        monkeypatch.setenv("RELCON_DEBUG", "1")
    with pytest.raises(RelconError):
        main(["check", "nowhere.cfg", *(["--debug"] if by == "option" else [])])


def test_a_mistyped_command(capsys):
    with pytest.raises(SystemExit) as end:
        main(["chekc", "x.cfg"])
    assert end.value.code == 2
    assert "chekc" in capsys.readouterr().err


def test_version(capsys):
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.startswith("relcon 0.")


def test_overrides_among_the_words():
    assert parse_overrides(["--a.b", "-3", "--c.d=x"]) == ["--a.b", "-3", "--c.d=x"]


@pytest.mark.parametrize(
    "words, message",
    [
        (["--outptu", "x"], r"no option --outptu. Did you mean '--output'\?"),
        (["--hepl"], r"no option --hepl. Did you mean '--help'\?"),
        (["x.cfg"], "'x.cfg' stands alone"),
        (["--a.b", "--c.d", "1", "2"], "'2' stands alone"),
    ],
)
def test_words_that_are_no_override(words, message):
    with pytest.raises(RelconError, match=message):
        parse_overrides(words, ["--output"])
