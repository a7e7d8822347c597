"""Work on the pieces of a corpus, in this process or in several, with the same result in the same order."""

import logging
import os
import pickle
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from multiprocessing import get_all_start_methods, get_context, parent_process
from multiprocessing.context import BaseContext
from threading import Thread
from typing import Any, Callable, Deque, Iterator, List, Optional, Sequence, Tuple

from relcon.errors import RelconError

log = logging.getLogger(__name__)

AHEAD = 2
"""So many pieces per process are under way or wait to be taken, so that memory stays bounded however slow the taker is."""


class Workers:
    """Processes for pieces of work. They start when there is more than one piece, and end with `close`.

    count: how many; 1 does everything in this process. They are forked from a server process that has imported relcon once and does
    nothing else; a fork of this process, which may have threads of PyTorch, may hang.
    """

    def __init__(self, count: int = 1):
        self.count = count
        self._pool: Optional[ProcessPoolExecutor] = None

    def map(self, work: Callable[..., Any], common: Tuple[Any, ...], pieces: Sequence[Any]) -> Iterator[Any]:
        """`work(*common, piece)` of every piece, in their order. What a piece raises is raised when its turn comes.

        work: a function of a module. Where it or `common` cannot be sent to another process (a component of a `--code` file, a class made
        within a function), this process does the work, with a warning. RelconError where a process dies.
        """
        sent = self._packed(work, common) if self.count > 1 and len(pieces) > 1 else None
        if sent is None:
            return (work(*common, piece) for piece in pieces)
        return self._ordered(sent, pieces)

    def close(self) -> None:
        """End the processes; another `map` starts new ones."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None

    def _packed(self, work: Callable[..., Any], common: Tuple[Any, ...]) -> Optional[bytes]:
        """What a process needs beside the piece; None where it cannot be sent there."""
        try:
            packed = pickle.dumps((work, common))
            self._pool = self._pool or ProcessPoolExecutor(self.count, _context(), _end_with_parent)
            reason = self._pool.submit(_unpacks, packed).result()
        except BrokenProcessPool as error:
            raise _died() from error
        except (pickle.PicklingError, AttributeError, TypeError) as error:
            reason = str(error)
        if reason is None:
            return packed
        log.warning("[data] workers = %d: one process does the work, because it cannot be sent to another (%s).", self.count, reason)
        return None

    def _ordered(self, packed: bytes, pieces: Sequence[Any]) -> Iterator[Any]:
        assert self._pool is not None
        waiting: Deque[Future[Any]] = deque()
        left: List[Any] = list(reversed(pieces))
        try:
            while left or waiting:
                while left and len(waiting) < AHEAD * self.count:
                    waiting.append(self._pool.submit(_done, packed, left.pop()))
                yield waiting.popleft().result()
        except BrokenProcessPool as error:
            raise _died() from error
        finally:
            for each in waiting:
                each.cancel()


def _context() -> BaseContext:
    """How processes start: from a fork server, or spawned where the system has none."""
    if "forkserver" not in get_all_start_methods():
        return get_context("spawn")
    context = get_context("forkserver")
    context.set_forkserver_preload(["relcon.data.building", "relcon.data.reading"])
    return context


def _end_with_parent() -> None:
    """A process does not outlive the one that it works for, however that one ends: it would wait for work for ever."""
    parent = parent_process()

    def follow() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    Thread(target=follow, daemon=True).start()


def _unpacks(packed: bytes) -> Optional[str]:
    """Why a process cannot unpack what it is sent; None where it can."""
    try:
        _unpacked(packed)
    except Exception as error:  # a stranger's component may raise anything
        return f"{type(error).__name__}: {error}"
    return None


def _done(packed: bytes, piece: Any) -> Any:
    work, common = _unpacked(packed)
    return work(*common, piece)


@lru_cache(maxsize=1)
def _unpacked(packed: bytes) -> Any:
    return pickle.loads(packed)


def _died() -> RelconError:
    return RelconError(
        "A process that reads the data ended without a word; memory may have run out. Write [data] workers = 1, or give it more memory. A "
        'script that starts relcon itself needs its work below `if __name__ == "__main__":`.'
    )
