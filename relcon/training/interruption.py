"""SIGINT and SIGTERM while a command trains: the first asks it to end well, a second one ends it at once.

Handlers are there only within `handled()`, which the command line uses; a program that uses relcon as a library keeps its own.
"""

import os
import signal
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Iterator, Optional

from relcon.errors import Interrupted

SAME = 1.0
"""Seconds within which further signals are the same request: `timeout` and terminals may send one to the process and to its group."""


@dataclass
class _Request:
    """signal: the one that asked, or None. since: when. deferred: whether somebody looks for it at moments that suit."""

    signal: Optional[int] = None
    since: float = 0.0
    deferred: bool = False


_request = _Request()


@contextmanager
def handled() -> Iterator[None]:
    """Within, SIGINT and SIGTERM raise Interrupted, or wait where they are deferred. The handlers that were there are put back.

    Nothing outside the main thread, where Python allows no handlers.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    _request.signal, _request.deferred = None, False
    former = {number: signal.signal(number, _receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
        _request.signal = None


def _receive(number: int, frame: Optional[FrameType]) -> None:
    if _request.signal is None:
        _request.signal, _request.since = number, time.monotonic()
        if not _request.deferred:
            raise Interrupted(number)
    elif time.monotonic() - _request.since > SAME:
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)


def asked() -> Optional[int]:
    """The signal that asked the command to end, or None."""
    return _request.signal


@contextmanager
def deferred(wait: bool = True) -> Iterator[None]:
    """Within, a signal waits until somebody who looks (`asked`) ends the work in good order, at the latest at the end of the block.

    wait: False lets signals through again within a part of such a block.
    """
    before = _request.deferred
    _request.deferred = wait
    try:
        if not wait:
            _raise_if_asked()
        yield
    finally:
        _request.deferred = before
    if wait and not before:
        _raise_if_asked()


def _raise_if_asked() -> None:
    if _request.signal is not None:
        raise Interrupted(_request.signal)
