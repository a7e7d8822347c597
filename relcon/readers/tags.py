"""Inline tags: `<e1>word</e1>` -> `word` and where the tags stood."""

import re
from typing import Dict, List, Tuple

from relcon.data.tokens import CharSpan
from relcon.errors import RecordError

PAIR = re.compile(r"</?e[12]>")


def without_tags(text: str, pattern: re.Pattern[str]) -> Tuple[str, List[Tuple[re.Match[str], int]]]:
    """The text without all matches of the pattern, and each match with its character position in what is left."""
    kept: List[str] = []
    found: List[Tuple[re.Match[str], int]] = []
    end, length = 0, 0
    for match in pattern.finditer(text):
        kept.append(text[end : match.start()])
        length += match.start() - end
        found.append((match, length))
        end = match.end()
    return "".join([*kept, text[end:]]), found


def marked_pair(sentence: str) -> Tuple[str, Dict[str, CharSpan]]:
    """A sentence of SemEval without its tags, and the characters between <e1> and </e1>, <e2> and </e2>. RecordError where not each tag
    stands there once."""
    text, tags = without_tags(sentence, PAIR)
    places = {tag.group(): position for tag, position in tags}
    if len(tags) != 4 or len(places) != 4:
        raise RecordError("expected each of <e1>, </e1>, <e2>, </e2> once in the sentence, here: " + " ".join(t.group() for t, _ in tags))
    return text, {name: (places[f"<{name}>"], places[f"</{name}>"]) for name in ("e1", "e2")}


def unquoted(sentence: str, item: str) -> str:
    """A sentence without its outer quotation marks; inner ones stay. RecordError, which names the item, where it has none."""
    quoted = sentence.strip()
    if len(quoted) < 2 or not (quoted.startswith('"') and quoted.endswith('"')):
        raise RecordError(f"the sentence of item {item} must stand between quotation marks, here it is {quoted[:40]!r}")
    return quoted[1:-1]
