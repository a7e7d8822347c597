"""Reads files that are made to exhaust a machine, each in a process of its own, and prints what that took; for test_hostile_input.py.

Run: python tests/readers/hostile.py FOLDER [READER ...]
"""

import json
import os
import runpy
import signal
import sys
import time
from pathlib import Path
from typing import Any, Dict, Iterator

from relcon.data.tokens import split_words
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader

SIZE = 10_000_000
MOST_SECONDS = 20
"""A process that takes longer is ended."""


DEEP = {b"<": b"<document>" + b"<a>" * 200_000, b"[": b"[" + (b"9" * 499 + b",") * (SIZE // 500) + b"[" * 200_000}
"""By how a file begins, what is nested 200,000 deep in it: elements, or lists, after twenty thousand items."""


def inputs(sound: bytes) -> Dict[str, bytes]:
    """Files of about ten million bytes, most of them one line. sound: an example of the format."""
    lines = (
        *(b"x" * SIZE, b" " * (SIZE // 2) + b"x", b'"' + b"x" * (SIZE // 4) + b'"', b'{"a":' * 200_000),
        *(b"1\t" * (SIZE // 400), b"<prot>" * (SIZE // 100), b"{'a': [" + b"1," * (SIZE // 8) + b"1]}"),
    )
    return {
        "long lines": b"\n".join(lines),
        "deep": DEEP.get(sound[:1], b'{"a":' * 200_000),
        "a long text": with_long_text(sound, b"x" * (SIZE - SIZE // 20) + b" word" * (SIZE // 100)),
    }


def with_long_text(sound: bytes, text: bytes) -> bytes:
    """The example with its longest word or quoted string in that length."""
    pieces = max((b'"', b"\t", b" "), key=sound.count)
    parts = sound.split(pieces)
    longest = max(range(len(parts)), key=lambda number: len(parts[number]))
    return pieces.join([*parts[:longest], parts[longest] + text, *parts[longest + 1 :]])


def measured(seed: Any, folder: Path, what: str) -> Dict[str, Any]:
    """What reading took, in a process of its own: seconds, megabytes, and how it ended."""
    begun = time.monotonic()
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        signal.alarm(MOST_SECONDS)
        os.write(writing, json.dumps(ending(seed, folder)).encode())
        os._exit(0)
    os.close(writing)
    _, status, usage = os.wait4(process, 0)
    with os.fdopen(reading) as stream:
        end = json.loads(stream.read() or json.dumps({"documents": None, "error": None, "raised": f"died with status {status}"}))
    seconds = round(time.monotonic() - begun, 2)
    return {"reader": seed.reader, "input": what, "seconds": seconds, "megabytes": usage.ru_maxrss // 1024, **end}


def ending(seed: Any, folder: Path) -> Dict[str, Any]:
    """How reading ends: the number of documents, that of the characters of a RelconError, or what else was raised."""
    try:
        return {"documents": sum(1 for _ in seed.make().read(seed.path(folder))), "error": None}
    except RelconError as error:
        return {"documents": None, "error": len(str(error))}
    except BaseException as error:
        return {"documents": None, "error": None, "raised": f"{type(error).__name__}: {str(error)[:200]}"}


def cases(folder: Path, wanted: Any) -> Iterator[Dict[str, Any]]:
    """Every reader with the first file of its example replaced by every input."""
    page = runpy.run_path(str(Path(__file__).with_name("test_mutations.py")))
    split_words("spaCy is loaded before the processes are made")
    for name in sorted({seed.reader for seed in page["SEEDS"]} & set(wanted or DatasetReader.registry.names())):
        seed = next(seed for seed in page["SEEDS"] if seed.reader == name)
        place = page["fresh"](folder, seed)
        file, sound = next(iter(seed.files.items()))
        for what, data in inputs(sound).items():
            (place / file).write_bytes(data)
            yield measured(seed, place, what)


if __name__ == "__main__":
    for each in cases(Path(sys.argv[1]), sys.argv[2:]):
        print(json.dumps(each), flush=True)
