"""What components say beside their results, through `logging`: shown once, and kept in the run's `run.json`.

A component counts what it leaves out, or names a choice that it made (which head a language model has), and logs that: at level INFO
what is as it should be, as a WARNING what may not be.
"""

import logging
import sys
from contextlib import contextmanager
from typing import Callable, Dict, Iterator, List, Optional, Set

from relcon import processes
from relcon.registry import INTERFACES


class Notes(logging.Handler):
    """Hears what is logged; each message counts once.

    messages: so far, in their order. keep: called with all of them whenever there is a new one.
    """

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.messages: Dict[str, None] = {}
        self.keep: Optional[Callable[[List[str]], None]] = None

    def emit(self, record: logging.LogRecord) -> None:
        """Take in a message, and show it unless the program has handlers of its own."""
        said = f"warning: {record.getMessage()}" if record.levelno >= logging.WARNING else record.getMessage()
        if said in self.messages:
            return
        self.messages[said] = None
        if not self.among_others():
            sys.stderr.write(f"{said}\n")
        if self.keep is not None:
            self.keep(list(self.messages))

    def among_others(self) -> bool:
        """Whether somebody else hears the same, or another process says it."""
        return logging.getLogger().handlers != [self] or not processes.is_main()

    def kept_by(self, keep: Callable[[List[str]], None]) -> None:
        """Hand over what was said so far, and whatever is said from now on."""
        self.keep = keep
        if self.messages:
            keep(list(self.messages))


@contextmanager
def noted() -> Iterator[Notes]:
    """While this holds, what the packages log that offer components is noted."""
    notes, root, names = Notes(), logging.getLogger(), packages()
    notes.addFilter(lambda record: record.name.partition(".")[0] in names or record.levelno >= logging.WARNING)
    quiet = [logger for logger in map(logging.getLogger, sorted(names)) if logger.level == logging.NOTSET]
    root.addHandler(notes)
    for logger in quiet:
        logger.setLevel(logging.INFO)
    try:
        yield notes
    finally:
        root.removeHandler(notes)
        for logger in quiet:
            logger.setLevel(logging.NOTSET)


def packages() -> Set[str]:
    """relcon, and the top modules of whatever else is registered."""
    offers = [offer for interface in INTERFACES.values() for offer in interface.registry.offers()]
    return {"relcon", *(offer.target.partition(":")[0].partition(".")[0] for offer in offers)}
