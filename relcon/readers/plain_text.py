"""Plain text, one sentence or paragraph a line: for pre-training, and for models that find entities by themselves."""

import re
from typing import Literal, Optional

from relcon.data.document import Document
from relcon.data.glimpse import Glimpse
from relcon.data.tokens import split_at_spaces, split_sentences, split_words
from relcon.errors import RecordError, RelconError
from relcon.readers.records import LineReader, OnError, Record

ESCAPES = re.compile(r"(?:\\u[0-9a-fA-F]{4})+")
"""Characters written as a backslash, `u` and four hexadecimal digits, as many as follow each other: two may be one character."""


class PlainText(LineReader):
    r"""Reads text without any annotation: every line that is not blank is a document, named after file and line.

    The text of a line is kept as it stands, and predictions give characters of it. Blank lines are passed over.

    on_error: "raise" reports the first ten lines that are no text and the count of all; "skip" leaves them out and logs them.
    sentences: "line": each line is one sentence; "split": each is a paragraph in which relcon finds the sentences.
    words: "tokens" finds them by relcon's own rules (`relcon.data.tokens`); "spaces" takes what white space separates, for text that is
        tokenised already.
    escapes: decode characters written as `\u00e9` (a backslash, `u`, four hexadecimal digits), as in the sample corpus of PSPE's
        released code (Wang et al., EMNLP 2020).

    Config::

        [reader]
        @readers = "relcon.PlainText.v1"
        sentences = "line"
        words = "tokens"
    """

    expected = "a UTF-8 text file with a sentence or a paragraph on each line"
    last_resort = True

    def __init__(
        self,
        on_error: OnError = "raise",
        sentences: Literal["line", "split"] = "line",
        words: Literal["tokens", "spaces"] = "tokens",
        escapes: bool = False,
    ):
        super().__init__(on_error)
        if sentences not in ("line", "split"):
            raise RelconError(f"sentences must be 'line' or 'split', not '{sentences}'")
        if words not in ("tokens", "spaces"):
            raise RelconError(f"words must be 'tokens' or 'spaces', not '{words}'")
        self.sentences, self.words, self.escapes = sentences, words, escapes

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Text that is no JSON, no XML and no table."""
        if not glimpse.lines or "\0" in glimpse.text or "\ufffd" in glimpse.text or glimpse.text.lstrip().startswith(("{", "[", "<")):
            return None
        return "text that is nothing else: each line becomes a document without entities"

    def document(self, record: Record) -> Document:
        """The document of one line."""
        text = unescaped(record.value) if self.escapes else record.value
        words, offsets = split_words(text) if self.words == "tokens" else split_at_spaces(text)
        if not words:
            raise RecordError("the line has no word once its escapes are decoded")
        return Document(
            id=record.name,
            words=words,
            sentences=split_sentences(words) if self.sentences == "split" else (),
            text=text,
            offsets=offsets,
            source=record.source,
        )


def unescaped(text: str) -> str:
    r"""The text with every `\uXXXX` as the character that it names. RecordError where one is half of a character."""
    try:
        return ESCAPES.sub(lambda found: _characters(found[0]), text)
    except UnicodeDecodeError as error:
        raise RecordError(
            r"an escape names half of a character (\ud800 to \udfff); two such halves must follow each other. Set escapes = false to keep "
            "escapes as they are written"
        ) from error


def _characters(escapes: str) -> str:
    """The characters of escapes in UTF-16, in which one beyond 16 bits is two escapes."""
    return bytes.fromhex(escapes.replace("\\u", "")).decode("utf-16-be")
