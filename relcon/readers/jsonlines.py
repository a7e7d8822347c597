"""relcon's own JSON-lines format: one document a line (`docs/formats/jsonlines.md`, `document.schema.json`)."""

from typing import Optional

from relcon.data.document import Document
from relcon.data.glimpse import Glimpse
from relcon.data.json import KEYS, document_from_json
from relcon.readers.records import LineReader, OnError, Record, json_object

SPANS = frozenset({"chars", "words", "mentions"})
"""An entity has its place under one of these keys."""


class JSONLines(LineReader):
    """Reads relcon's own JSON-lines: one document a line, with `text` or `words`, `entities` and `relations`.

    Spans say their unit by their key, `"chars": [4, 10]` or `"words": [1, 2]`, ends exclusive; relations name entities by number
    or id; `label` null or absent marks a pair to be predicted, no `relations` an unlabelled text. Words, characters and texts that
    disagree are refused. Text without words is tokenised (`relcon.data.tokens`).

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    split_sentences: find sentences in raw text that comes without `sentences`; otherwise such a document is one sentence.

    Config::

        [reader]
        @readers = "relcon.JSONLines.v1"
        split_sentences = false
    """

    expected = 'a JSON-lines file of documents, each {"text": ..., "entities": [...], "relations": [...]}'

    def __init__(self, on_error: OnError = "raise", split_sentences: bool = False):
        super().__init__(on_error)
        self.split_sentences = split_sentences

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Lines with none but relcon's own keys."""
        if glimpse.is_array or not (glimpse.has("text") or glimpse.has("words")) or not set(glimpse.record or ()) <= set(KEYS):
            return None
        entities = glimpse.objects("entities") if glimpse.has("entities") else []
        if entities is None or any(SPANS.isdisjoint(each) for each in entities):
            return None
        return "JSON-lines with 'text' or 'words' and no key that relcon's own format does not have"

    def document(self, record: Record) -> Document:
        """The document of one line."""
        return document_from_json(json_object(record.value), record.source, record.name, self.split_sentences)
