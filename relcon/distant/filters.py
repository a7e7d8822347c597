"""Which documents a distantly supervised corpus takes."""

from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Dict, List, Literal, Optional

from relcon.data.document import Document
from relcon.errors import RelconError

LIMITS = ("tokens", "words", "pieces", "entities", "labels")
"""What has a smallest and a largest number (tokens only the latter), in the order in which they are looked at."""

OVERLAP = "mentions that overlap"
EMPTY = "an empty word in a mention"


@dataclass(frozen=True)
class Filters:
    """The section `[filters]` of `relcon build-distant`. null is no limit; each limit is itself allowed.

    unit: what becomes a document of the corpus, each "document" of the text or each "sentence" of it.
    max_tokens: of the text, separated by white space. min_words, max_words: of the document. min_pieces, max_pieces: word pieces of
    `tokenizer`, without special ones. tokenizer: a folder or name that transformers loads. min_entities, max_entities, min_labels,
    max_labels: of the document; labels are counted after the leakage filter.
    overlapping_mentions: false leaves out documents in which two mentions share a word. empty_words: false, those in which a mention
    holds a word without a character.
    relations: only these relations of the triples.
    max_per_relation: so many documents of one relation in the whole corpus, however many files the text has; each further one takes the
    place of a random stored one with probability 1/2. seed: what that is drawn with.
    """

    unit: Literal["document", "sentence"] = "document"
    max_tokens: Optional[int] = None
    min_words: Optional[int] = None
    max_words: Optional[int] = None
    min_pieces: Optional[int] = None
    max_pieces: Optional[int] = None
    tokenizer: Optional[str] = None
    min_entities: Optional[int] = None
    max_entities: Optional[int] = None
    min_labels: Optional[int] = 1
    max_labels: Optional[int] = None
    overlapping_mentions: bool = True
    empty_words: bool = True
    relations: Optional[List[str]] = None
    max_per_relation: Optional[int] = None
    seed: int = 0

    def __post_init__(self) -> None:
        for name in LIMITS:
            least, most = self._limits(name)
            if least is not None and most is not None and least > most:
                raise RelconError(f"[filters] min_{name} = {least} is above max_{name} = {most}: no document would be left.")
        for name, value in asdict(self).items():
            if name.startswith(("min_", "max_")) and value is not None and value < 0:
                raise RelconError(f"[filters] {name} = {value} is below 0.")
        if self._limits("pieces") != (None, None) and self.tokenizer is None:
            raise RelconError("[filters] min_pieces and max_pieces count word pieces: give the tokenizer, --filters.tokenizer FOLDER.")
        if self.max_per_relation == 0:
            raise RelconError("[filters] max_per_relation = 0 would leave no document.")

    def fault_of_text(self, document: Document) -> Optional[str]:
        """Why a document is left out whatever its labels are, in one of a few fixed phrases; None where it is not."""
        counts = {
            "tokens": lambda: len(text_of(document).split()),
            "words": lambda: len(document.words),
            "pieces": lambda: len(load_tokenizer(str(self.tokenizer)).tokenize(" ".join(document.words))),
            "entities": lambda: len(document.entities),
        }
        for name, number in counts.items():
            fault = self._fault(name, number()) if self._limits(name) != (None, None) else None
            if fault is not None:
                return fault
        if not self.overlapping_mentions and overlap(document):
            return OVERLAP
        if not self.empty_words and empty_words(document):
            return EMPTY
        return None

    def fault_of_labels(self, document: Document) -> Optional[str]:
        """Why a document is left out because of its labels; None where it is not."""
        return self._fault("labels", len(document.relations))

    def _limits(self, name: str) -> Any:
        values: Dict[str, Any] = vars(self)
        return values.get(f"min_{name}"), values.get(f"max_{name}")

    def _fault(self, name: str, number: int) -> Optional[str]:
        least, most = self._limits(name)
        if least is not None and number < least:
            return f"{name} below min_{name}"
        if most is not None and number > most:
            return f"{name} above max_{name}"
        return None


def text_of(document: Document) -> str:
    """The text as it was read, or its words joined by spaces where the format has words only."""
    return document.text if document.text is not None else " ".join(document.words)


def overlap(document: Document) -> bool:
    """Whether two mentions, of whatever entities, share a word."""
    end = 0
    for mention in sorted(mention for entity in document.entities for mention in entity.mentions):
        if mention.start < end:
            return True
        end = mention.end
    return False


def empty_words(document: Document) -> bool:
    """Whether a mention holds a word without a character."""
    mentions = (mention for entity in document.entities for mention in entity.mentions)
    return any(not word.strip() for mention in mentions for word in document.words[mention.start : mention.end])


@lru_cache(maxsize=2)
def load_tokenizer(path: str) -> Any:
    """A tokenizer, loaded once per process. RelconError where it is missing."""
    from transformers import AutoTokenizer  # slow to import: only where word pieces are counted

    from relcon.encoders.loading import attempt, quiet

    if path.startswith(("/", "./", "../", "~")) and not Path(path).expanduser().is_dir():
        raise RelconError(f"[filters] tokenizer: there is no folder '{path}'.")
    with quiet():
        return attempt(path, "tokenizer", AutoTokenizer.from_pretrained, str(Path(path).expanduser()), trust_remote_code=False)
