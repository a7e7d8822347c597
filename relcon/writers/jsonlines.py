"""relcon's own JSON-lines."""

from pathlib import Path
from typing import Dict, Iterable

from relcon.data.document import Document
from relcon.data.json import write_jsonl
from relcon.interfaces import Writer


class JSONLines(Writer):
    """Writes relcon's own JSON-lines, which hold everything: words and text, discontinuous mentions, entities with several mentions,
    parses, probabilities, metadata, and where a document was read.

    Config::

        [writer]
        @writers = "relcon.JSONLines.v1"
    """

    reader = "relcon.JSONLines.v1"

    def losses(self, document: Document) -> Dict[str, int]:
        """Nothing."""
        return {}

    def write(self, documents: Iterable[Document], path: Path) -> int:
        """See `Writer`. The file appears whole or not at all."""
        return write_jsonl(documents, path)
