"""How much of a document a view shows."""

from typing import Literal, Tuple

from relcon.data.document import Instance
from relcon.errors import RelconError

Context = Literal["sentence", "document"]


def check_context(context: str) -> None:
    """RelconError where it is none."""
    if context not in ("sentence", "document"):
        raise RelconError(f"context must be 'sentence' or 'document', got '{context}'.")


def window(instance: Instance, context: Context) -> Tuple[int, int]:
    """The words [start, end) that are shown: from the first sentence that holds an argument to the last, or the document."""
    document = instance.document
    if context == "document":
        return 0, len(document.words)
    ends = [word for mention in instance.mentions for word in (mention.start, mention.end - 1)]
    return document.sentences[document.sentence_of(min(ends))][0], document.sentences[document.sentence_of(max(ends))][1]
