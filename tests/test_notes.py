"""What components log reaches the user once, and stays in the run."""

import json
import logging
from pathlib import Path
from typing import List

import pytest

from relcon.notes import noted
from relcon.runs import RunFolder


def test_each_message_is_shown_once(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # a program that set up no logging, as the command line is
    log = logging.getLogger("relcon.somewhere")
    with noted():
        for _ in range(2):
            log.info("%d documents have no relation", 3)
        log.warning("a label is rare")
        log.debug("of no interest")
        logging.getLogger("stranger").info("not a component's")
    log.info("afterwards nobody listens")
    assert capsys.readouterr().err == "3 documents have no relation\nwarning: a label is rare\n"
    assert logging.getLogger("relcon").level == logging.NOTSET and logging.getLogger().handlers == []


def test_a_program_with_handlers_of_its_own_shows_what_it_likes(capsys: pytest.CaptureFixture[str]) -> None:
    with noted() as notes:  # pytest listens
        logging.getLogger("relcon.somewhere").info("said")
    assert list(notes.messages) == ["said"] and capsys.readouterr().err == ""


def test_what_was_said_stays_in_the_run(tmp_path: Path) -> None:
    """What was said before there is a folder, and afterwards; a resumed run adds to it."""

    def notes() -> List[str]:
        found: List[str] = json.loads((tmp_path / "run.json").read_text())["notes"]
        return found

    log = logging.getLogger("relcon.somewhere")
    with noted() as listening:
        log.info("of the data")
        listening.kept_by(RunFolder.open(tmp_path, seed=1).note)
        assert notes() == ["of the data"]
        log.warning("of a stage")
    assert notes() == ["of the data", "warning: of a stage"]
    with noted() as listening:
        listening.kept_by(RunFolder.open(tmp_path, seed=1, resume=True).note)
        log.info("of the data")
        log.info("of the next stage")
    assert notes() == ["of the data", "warning: of a stage", "of the next stage"]
