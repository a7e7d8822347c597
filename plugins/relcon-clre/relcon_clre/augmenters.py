"""CLRE's three operations: synonyms, swap and deletion away from the dependency path (Su et al., BioNLP 2021)."""

from typing import List, Literal, Optional, Sequence, Set

from relcon.augmenters.base import Pairs, WordAugmenter
from relcon.augmenters.deletion import RandomDeletion
from relcon.augmenters.swap import RandomSwap
from relcon.augmenters.synonyms import SynonymReplacement
from relcon.data.document import Document, Instance
from relcon.interfaces import Parser, SynonymSource
from relcon_clre.path import PathProtection


class PathPreserving(WordAugmenter):
    """What the three share: words on the shortest dependency path between the arguments do not change."""

    paths: PathProtection

    def check(self, instances: Sequence[Instance]) -> None:
        """Every document must carry a parse where there is no parser; what the operation needs must be there."""
        self.paths.check(instances)
        super().check(instances)

    def prepare(self, instances: Sequence[Instance]) -> None:
        """Find all paths (parsing in one go), then whatever the operation prepares."""
        self.paths.prepare(instances)
        super().prepare(instances)

    def protected(self, document: Document, pairs: Pairs) -> Set[int]:
        """The arguments and the words on the path between them."""
        return self.paths.protected(document, pairs)


class PathPreservingSynonyms(PathPreserving, SynonymReplacement):
    """Replaces n = max(minimum, rounding(rate * l)) word forms off the path by random synonyms (SR of CLRE).

    l counts the words of the sentence with each argument as one word, as in the blinded sentence. Every occurrence of a
    drawn form off the path is replaced; stop words never are.

    Args:
        synonyms: where synonyms come from.
        rate: share of words, 0 to 1.
        rounding: of rate * l; `floor`, `round` or `ceil`.
        minimum: at least so many forms, unless the rate is 0.
        stop_words: forms that are never replaced, compared without case; the classic 127 English ones unless given.
        parser: parses the blinded sentences; None uses the parses that the documents carry.
        on_missing_path: `entities_only`, `all_between`, `skip` (no change) or `none`; see `relcon_clre.path.PathProtection`.
        protect_by: `position`, or `form` for all occurrences of the forms on the path.
        collapse_prepositions: leave prepositions out of the path where the parser's scheme puts them on it.
        overlap: `merge` overlapping arguments into one protected word, or `skip` their sentence.

    Raises RelconError where an argument is out of range, WordNet is missing, or there is neither a parser nor a parse.

    Config::

        [augmenter]
        @augmenters = "clre.PathPreservingSynonyms.v1"
        rate = 0.1

        [augmenter.synonyms]
        @synonyms = "relcon.WordNet.v1"

        [augmenter.parser]
        @parsers = "relcon.SpacyParser.v1"
        pipeline = "en_core_web_sm"
    """

    def __init__(
        self,
        synonyms: SynonymSource,
        rate: float = 0.1,
        rounding: Literal["floor", "round", "ceil"] = "floor",
        minimum: int = 1,
        stop_words: Optional[List[str]] = None,
        parser: Optional[Parser] = None,
        on_missing_path: Literal["entities_only", "skip", "all_between", "none"] = "entities_only",
        protect_by: Literal["position", "form"] = "position",
        collapse_prepositions: bool = True,
        overlap: Literal["merge", "skip"] = "merge",
    ):
        SynonymReplacement.__init__(self, synonyms, rate, rounding, minimum, "all", stop_words)
        self.paths = PathProtection(parser, on_missing_path, protect_by, collapse_prepositions, overlap)


class PathPreservingSwap(PathPreserving, RandomSwap):
    """Exchanges the words at two random positions off the path, n = max(minimum, rounding(rate * l)) times (RS of CLRE).

    l counts the words of the sentence with each argument as one word, as in the blinded sentence.

    Args:
        rate: share of words, 0 to 1.
        rounding: of rate * l; `floor`, `round` or `ceil`.
        minimum: at least so many swaps, unless the rate is 0.
        keep_last: the last word, usually the full stop, stays in its place.
        parser: parses the blinded sentences; None uses the parses that the documents carry.
        on_missing_path: `entities_only`, `all_between`, `skip` (no change) or `none`; see `relcon_clre.path.PathProtection`.
        protect_by: `position`, or `form` for all occurrences of the forms on the path.
        collapse_prepositions: leave prepositions out of the path where the parser's scheme puts them on it.
        overlap: `merge` overlapping arguments into one protected word, or `skip` their sentence.

    Raises RelconError where an argument is out of range, or there is neither a parser nor a parse.

    Config::

        [augmenter]
        @augmenters = "clre.PathPreservingSwap.v1"
        rate = 0.1

        [augmenter.parser]
        @parsers = "relcon.SpacyParser.v1"
        pipeline = "en_core_web_sm"
    """

    def __init__(
        self,
        rate: float = 0.1,
        rounding: Literal["floor", "round", "ceil"] = "floor",
        minimum: int = 1,
        keep_last: bool = True,
        parser: Optional[Parser] = None,
        on_missing_path: Literal["entities_only", "skip", "all_between", "none"] = "entities_only",
        protect_by: Literal["position", "form"] = "position",
        collapse_prepositions: bool = True,
        overlap: Literal["merge", "skip"] = "merge",
    ):
        RandomSwap.__init__(self, rate, rounding, minimum, keep_last)
        self.paths = PathProtection(parser, on_missing_path, protect_by, collapse_prepositions, overlap)


class PathPreservingDeletion(PathPreserving, RandomDeletion):
    """Deletes every word off the path with probability `rate` (RD of CLRE).

    Entities that are no arguments lose words like any text, but never all words of their last mention, since relations and
    candidate pairs count entities.

    Args:
        rate: probability with which a word is deleted, 0 to 1.
        parser: parses the blinded sentences; None uses the parses that the documents carry.
        on_missing_path: `entities_only`, `all_between`, `skip` (no change) or `none`; see `relcon_clre.path.PathProtection`.
        protect_by: `position`, or `form` for all occurrences of the forms on the path.
        collapse_prepositions: leave prepositions out of the path where the parser's scheme puts them on it.
        overlap: `merge` overlapping arguments into one protected word, or `skip` their sentence.

    Raises RelconError where an argument is out of range, or there is neither a parser nor a parse.

    Config::

        [augmenter]
        @augmenters = "clre.PathPreservingDeletion.v1"
        rate = 0.1

        [augmenter.parser]
        @parsers = "relcon.SpacyParser.v1"
        pipeline = "en_core_web_sm"
    """

    def __init__(
        self,
        rate: float = 0.1,
        parser: Optional[Parser] = None,
        on_missing_path: Literal["entities_only", "skip", "all_between", "none"] = "entities_only",
        protect_by: Literal["position", "form"] = "position",
        collapse_prepositions: bool = True,
        overlap: Literal["merge", "skip"] = "merge",
    ):
        RandomDeletion.__init__(self, rate)
        self.paths = PathProtection(parser, on_missing_path, protect_by, collapse_prepositions, overlap)
