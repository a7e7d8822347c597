"""What a test's process does: the command line with its output in files, on a disk with a limit where one is given.

WORDS: of the command. OUT, ERR: files. LIMIT: the largest file in bytes, 0 for none. SLOW: seconds that every step takes longer.
"""

import os
import resource
import time
from typing import Any

OUT: str = globals()["OUT"]
ERR: str = globals()["ERR"]
LIMIT: int = globals()["LIMIT"]
SLOW: float = globals()["SLOW"]

for number, name in ((1, OUT), (2, ERR)):
    os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
if LIMIT:
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, LIMIT))

from relcon.cli.main import main  # noqa: E402
from relcon.training.loop import Loop  # noqa: E402

update = Loop.update


def slow(self: Loop, *words: Any) -> Any:
    """A step that takes its time."""
    time.sleep(SLOW)
    return update(self, *words)


if SLOW:
    Loop.update = slow  # type: ignore[method-assign]
main(globals()["WORDS"])
