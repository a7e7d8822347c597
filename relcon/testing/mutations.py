"""Damaged files for readers: bytes, lines, numbers, JSON values, tags and encodings of a sound example, changed at random.

A reader answers a damaged file with documents whose spans are true to their text, the same as before or others, or with a RelconError that
names the file. It never raises anything else, so that a user never sees a traceback for a broken file:

    from random import Random
    from relcon.testing.mutations import check_hardened

    def test_my_reader_survives_damage(tmp_path):
        check_hardened(MyReader(), {"train.txt": "..."}, tmp_path, Random(0), cases=500)
"""

import json
import re
from pathlib import Path
from random import Random
from typing import Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from relcon.data.document import Document
from relcon.errors import DataError, RelconError
from relcon.interfaces import DatasetReader
from relcon.testing.promises import check_sound, expect

Files = Dict[str, bytes]
"""Name -> content."""

MOST_CHARACTERS = 20_000
"""A message longer than this prints a file where it should name it."""

NUMBER = re.compile(rb"(?<![\w.])\d+(?![\w.])")
TAG = re.compile(rb"<[^<>]*>")
ATTRIBUTE = re.compile(rb"""\s[\w:]+=("[^"]*"|'[^']*')""")

PIECES = (*(bytes([each]) for each in b'\x00\xff\xc3 \t\n\r"<[},0'), "\u2028".encode(), "\u0663".encode(), "\U0001f30a".encode())
"""What is inserted: control characters, halves of characters, marks of formats, a line separator, an Arabic digit, one beyond 16 bits."""

STRANGE = (
    *("null", "true", "0", "7", "-1", "0.5", "1e999", "NaN", "-Infinity", "123456789012345678901234567890", "9" * 5000),
    *('""', '" "', '"x"', r'"\ud800"', r'"\u0000"', '"' + "x" * 5000 + '"'),
    *("[]", "{}", "[0, 1]", "[[0, 1]]", '["x"]', '{"x": 1}', "[" * 200 + "]" * 200, "[" * 900 + "]" * 900, "[" * 2000 + "]" * 2000),
)
"""JSON in place of a value."""


class Mutation(NamedTuple):
    """What was done, in words, and the files after it."""

    what: str
    files: Files


def check_hardened(
    reader: DatasetReader, files: Mapping[str, str], folder: Path, random: Random, cases: int = 200, whole: bool = False
) -> None:
    """A reader answers damaged files as it should (`check_answer`), case after case.

    files: name -> content of a sound example. folder: where they are written, an empty one. whole: the reader is given that folder, not
        the first file. AssertionError says which mutation it did not survive.
    """
    sound = {name: text.encode() for name, text in files.items()}
    path = folder if whole else folder / next(iter(sound))
    for _ in range(cases):
        mutation = mutated(sound, random)
        write(mutation.files, folder)
        try:
            check_answer(reader, path)
        except Exception as error:
            raise AssertionError(f"{mutation.what}: {type(error).__name__}: {error}\n{mutation.files}") from error


def check_answer(reader: DatasetReader, path: Path) -> Optional[List[Document]]:
    """The documents, which are sound, or None where there was a RelconError that names the path; AssertionError otherwise. What else the
    reader raises is let through."""
    try:
        documents = list(reader.read(path))
    except RelconError as error:
        expect(str(path) in str(error), f"the message does not name {path}: {error}")
        expect(len(str(error)) <= MOST_CHARACTERS, f"the message has {len(str(error))} characters: {str(error)[:300]}")
        for problem in error.problems if isinstance(error, DataError) else ():
            expect(problem.where.startswith(str(path)), f"a problem lies at '{problem.where}', not in {path}")
        return None
    for document in documents:
        check_document(document)
    return documents


def check_document(document: Document) -> None:
    """Words, text, sentences and mentions of a document agree; AssertionError where they do not."""
    name = document.id
    check_sound(document, f"document '{name}'")
    expect(all(word.strip() for word in document.words), f"document '{name}' has a word of white space")
    places = [place for span in document.offsets or () for place in span]
    expect(places == sorted(places) and min(places, default=0) >= 0, f"the offsets of document '{name}' overlap")
    for mention in (mention for entity in document.entities for mention in entity.mentions):
        parts = [place for part in mention.spans for place in part]
        expect((mention.start, mention.end) == (min(parts), max(parts)), f"a mention of document '{name}' is not the hull of its parts")
    for relation in document.relations:
        expect(relation.label != "", f"a relation of document '{name}' has an empty label")


def write(files: Mapping[str, bytes], folder: Path) -> None:
    """Put files into a folder."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


# ---- mutations -----------------------------------------------------------------------------------------------------------


def mutated(files: Mapping[str, bytes], random: Random) -> Mutation:
    """The files with one of them changed, once or twice, in ways that are drawn."""
    changed, done = dict(files), []
    for _ in range(random.choice((1, 1, 2))):
        name, change = random.choice(sorted(changed)), random.choice(CHANGES)
        changed[name] = change(changed[name], random)
        done.append(f"{change.__name__.strip('_')} in {name}")
    return Mutation(", ".join(done), changed)


def shifted(files: Mapping[str, bytes], random: Random) -> Mutation:
    """The files with one number in one of them changed; no other character."""
    name = random.choice(sorted(files))
    return Mutation(f"a number in {name}", {**files, name: _number(files[name], random)})


def _cut(data: bytes, random: Random) -> bytes:
    start = _place(data, random)
    return data[:start] + data[start + random.choice((1, 1, 2, 5, 30, 1000)) :]


def _end(data: bytes, random: Random) -> bytes:
    return data[: _place(data, random)]


def _insert(data: bytes, random: Random) -> bytes:
    start = _place(data, random)
    return data[:start] + random.choice(PIECES) * random.choice((1, 1, 3)) + data[start:]


def _flip(data: bytes, random: Random) -> bytes:
    start = _place(data, random)
    return data[:start] + bytes(each ^ (1 << random.randrange(8)) for each in data[start : start + 1]) + data[start + 1 :]


def _lines(data: bytes, random: Random) -> bytes:
    lines = data.splitlines(keepends=True)
    one, other = (random.randrange(len(lines) or 1) for _ in range(2))
    kind = random.choice(("drop", "double", "swap"))
    if kind == "drop":
        return b"".join(lines[:one] + lines[one + 1 :])
    if kind == "double":
        return b"".join(lines[: one + 1] + lines[one:])
    order = list(range(len(lines)))
    order[one : one + 1], order[other : other + 1] = order[other : other + 1], order[one : one + 1]
    return b"".join(lines[number] for number in order)


def _number(data: bytes, random: Random) -> bytes:
    found = list(NUMBER.finditer(data))
    if not found:
        return data
    at = random.choice(found)
    value = at.group() if len(at.group()) > 18 else b"%d" % max(0, int(at.group()) + random.choice((-3, -2, -1, 1, 2, 3)))
    written = random.choice((value, value, value, value, b"0", b"-1", b"99999", b"9" * 5000))
    return data[: at.start()] + written + data[at.end() :]


def _cells(data: bytes, random: Random) -> bytes:
    """Two pieces between the same separators change places."""
    separator = random.choice((b"\t", b"|", b" ", b",", b":", b"<"))
    pieces = data.split(separator)
    one, other = (random.randrange(len(pieces)) for _ in range(2))
    pieces[one], pieces[other] = pieces[other], pieces[one]
    return separator.join(pieces)


def _tag(data: bytes, random: Random) -> bytes:
    """A tag, or an attribute, is taken away, doubled or put elsewhere."""
    found = list(random.choice((TAG, ATTRIBUTE)).finditer(data))
    if not found:
        return data
    at, elsewhere = random.choice(found), random.choice(found)
    kept = random.choice((b"", b"", at.group() * 2, elsewhere.group()))
    return data[: at.start()] + kept + data[at.end() :]


def _encoding(data: bytes, random: Random) -> bytes:
    """The same text in another encoding, or with other line ends."""
    text = data.decode("utf-8", "replace")
    place = random.randrange(len(text) + 1)
    return random.choice(
        (
            (text[:place] + "\u00e9" + text[place:]).encode("latin-1", "replace"),
            text.encode("utf-16"),
            text.encode("utf-8-sig"),
            b"\xef\xbb\xbf" + text.encode("utf-8-sig"),
            data.replace(b"\r\n", b"\n").replace(b"\n", b"\r"),
            data.replace(b"\n", b"\r\n"),
            data.replace(b" ", b"\x00"),
        )
    )


def _value(data: bytes, random: Random) -> bytes:
    """A JSON value is replaced, taken away, doubled or put in another's place; of a file of lines, one in one line."""
    lines = data.splitlines(keepends=True)
    for start, end in [(0, len(lines)), random.choice([(number, number + 1) for number in range(len(lines))] or [(0, 0)])]:
        try:
            value = json.loads(b"".join(lines[start:end]))
        except (ValueError, RecursionError):
            continue
        return b"".join([*lines[:start], _changed_json(value, random), b"\n", *lines[end:]])
    return data


MARK = "\ue000"
"""Stands for what `json` cannot write; no example has it."""


def _changed_json(value: Any, random: Random) -> bytes:
    """A JSON value with one value in it changed, as text."""
    places, strange = list(_places(value)), random.choice(STRANGE)
    if not places:
        return strange.encode()
    (owner, key), (other, elsewhere) = random.choice(places), random.choice(places)
    kind = random.choice(("replace", "replace", "replace", "remove", "copy", "repeat"))
    if kind == "replace":
        owner[key] = MARK
    elif kind == "remove":
        del owner[key]
    elif kind == "copy":
        owner[key] = json.loads(json.dumps(other[elsewhere]))
    elif isinstance(owner, list):
        owner.insert(key, owner[key])
    else:
        owner[f"{key}s"] = owner.pop(key)  # an object has each key once; a misspelt one is as near
    return json.dumps(value, ensure_ascii=False).replace(f'"{MARK}"', strange).encode("utf-8", "replace")


def _places(value: Any) -> Iterator[Tuple[Any, Any]]:
    """Every list or object in a value with every place in it."""
    inner = enumerate(value) if isinstance(value, list) else value.items() if isinstance(value, dict) else ()
    for key, each in inner:
        yield value, key
        yield from _places(each)


def _place(data: bytes, random: Random) -> int:
    return random.randrange(len(data) + 1)


CHANGES: Tuple[Callable[[bytes, Random], bytes], ...] = (
    *(_cut, _end, _insert, _flip, _lines, _number, _number, _cells, _tag, _encoding),
    *(_value, _value, _value),
)
"""What may be done to a file; numbers and JSON values, where most mistakes are, more often."""
