"""The words on the shortest dependency path between two arguments, which carry their relation and must not change."""

import inspect
import logging
import sys
from collections import Counter
from functools import cached_property
from typing import Dict, FrozenSet, List, Literal, Optional, Sequence, Set, Tuple

from relcon.augmenters.base import Pairs, argument_words, one_of
from relcon.data.document import Document, Instance, Mention
from relcon.data.paths import dependency_path
from relcon.data.sequences import content_hash
from relcon.data.store import AnswerStore, describe_component, hashed
from relcon.errors import RelconError, place
from relcon.interfaces import Parser
from relcon_clre import blinding
from relcon_clre.blinding import blind

OnMissing = Literal["entities_only", "skip", "all_between", "none"]
ProtectBy = Literal["position", "form"]
Overlap = Literal["merge", "skip"]

Path = Optional[FrozenSet[int]]
"""The words on a path without those of the arguments at its ends; None where there is no path."""

Key = Tuple[str, Tuple[str, ...], Mention, Mention]

logger = logging.getLogger(__name__)


class PathProtection:
    """Which words must not change so that a pair still expresses its relation (Su et al., BioNLP 2021).

    With a parser, the sentence is blinded first and parsed then, so that an argument is one node whatever its words. Without,
    the document's own parse is used, and a mention of several words stands in the tree with its syntactic head.
    A path is looked for once per pair, for all instances together in `prepare`; where the parser keeps its parses on disk, the paths that
    follow from them are kept beside them.

    parser: a parser, or None for documents that carry a parse.
    on_missing_path: what to do for arguments without a path (in different trees): `entities_only` protects only the arguments,
        `all_between` also what stands between them, `skip` leaves the sentence unchanged, `none` protects nothing, as the
        authors' code does (an argument may then move, as a whole; it is never lost).
    protect_by: `position` protects the words on the path, `form` also every other occurrence of their forms (the authors' code
        does so for synonyms and deletion).
    collapse_prepositions: prepositions are no part of the path in parses that put them between verb and noun.
    overlap: overlapping arguments are one protected word (`merge`) or leave the sentence unchanged (`skip`).
    counts: how many pairs had a `path`, had a `missing` one, were `overlapping`.
    """

    def __init__(
        self,
        parser: Optional[Parser] = None,
        on_missing_path: OnMissing = "entities_only",
        protect_by: ProtectBy = "position",
        collapse_prepositions: bool = True,
        overlap: Overlap = "merge",
    ):
        self.parser = parser
        self.on_missing_path = one_of("on_missing_path", on_missing_path, ("entities_only", "skip", "all_between", "none"))
        self.protect_by = one_of("protect_by", protect_by, ("position", "form"))
        self.collapse_prepositions = collapse_prepositions
        self.overlap = one_of("overlap", overlap, ("merge", "skip"))
        self.counts: Dict[str, int] = Counter(path=0, missing=0, overlapping=0)
        self._paths: Dict[Key, Path] = {}

    def check(self, instances: Sequence[Instance]) -> None:
        """RelconError where there is no parser and a document whose path is wanted carries no parse."""
        if self.parser is None:
            for instance in instances:
                if not _overlapping(instance):
                    _refuse_unparsed(instance.document)

    def prepare(self, instances: Sequence[Instance]) -> None:
        """Find the paths of all instances, parsing in one go, and log how many there are not."""
        self._find(instances)
        pairs = sum(self.counts.values())
        logger.debug("%d of %d pairs have a dependency path, %d overlap", self.counts["path"], pairs, self.counts["overlapping"])
        if self.counts["missing"]:
            message = "%d of %d pairs have no dependency path between their arguments; on_missing_path = '%s'"
            logger.warning(message, self.counts["missing"], pairs, self.on_missing_path)

    def protected(self, document: Document, pairs: Pairs) -> Set[int]:
        """The words that must not change: arguments and paths of all pairs."""
        return {word for head, tail in pairs for word in self._protected(Instance(document, head, tail))}

    def path(self, instance: Instance) -> Path:
        """The words between the instance's closest mentions on their path; empty for mentions that overlap."""
        if _key(instance) not in self._paths:
            self._find([instance])
        return self._paths[_key(instance)]

    def _protected(self, instance: Instance) -> Set[int]:
        document = instance.document
        arguments = argument_words(document, [(instance.head, instance.tail)])
        if _overlapping(instance):
            return set(range(len(document.words))) if self.overlap == "skip" else arguments
        path = self.path(instance)
        if path is None:
            return self._without_path(instance, arguments)
        if self.protect_by == "form":
            forms = {document.words[word] for word in path}
            arguments.update(number for number, word in enumerate(document.words) if word in forms)
        return arguments | path

    def _without_path(self, instance: Instance, arguments: Set[int]) -> Set[int]:
        if self.on_missing_path == "skip":
            return set(range(len(instance.document.words)))
        if self.on_missing_path == "all_between":
            head, tail = instance.mentions
            return arguments.union(range(min(head.start, tail.start), max(head.end, tail.end)))
        return set() if self.on_missing_path == "none" else arguments

    def _find(self, instances: Sequence[Instance]) -> None:
        """Find and keep the paths that are not known yet."""
        asked = {_key(instance): instance for instance in instances}
        unknown = {key: instance for key, instance in asked.items() if key not in self._paths}
        apart = {key: instance for key, instance in unknown.items() if not _overlapping(instance)}
        paths = self._parsed_paths(self.parser, list(apart.values())) if self.parser else [self._own_path(each) for each in apart.values()]
        self._paths.update(dict.fromkeys(unknown, frozenset()))
        self._paths.update(zip(apart, paths, strict=True))
        self.counts["missing"] += paths.count(None)
        self.counts["path"] += len(paths) - paths.count(None)
        self.counts["overlapping"] += len(unknown) - len(apart)

    def _parsed_paths(self, parser: Parser, instances: List[Instance]) -> List[Path]:
        """The paths of blinded sentences: those that are kept, the others by the parser."""
        store = self._store
        hashes = {id(each): content_hash(each).hex() for each in {id(i.document): i.document for i in instances}.values()}
        keys = [f"{hashes[id(each.document)]}#{each.head}-{each.tail}" for each in instances]
        found: Dict[str, Path] = {key: None if path is None else frozenset(path) for key, path in store.get(keys).items()}
        missing = {key: each for key, each in zip(keys, instances, strict=True) if key not in found}
        fresh = dict(zip(missing, self._looked_for(parser, list(missing.values())), strict=True))
        store.put({key: None if path is None else sorted(path) for key, path in fresh.items()})
        found.update(fresh)
        return [found[key] for key in keys]

    @cached_property
    def _store(self) -> AnswerStore:
        """Paths by document and pair; under another name where the parser or the code that blinds and looks has changed."""
        cache = "none" if self.parser is None else self.parser.cache
        code = [inspect.getsource(module) for module in (blinding, sys.modules[__name__])]
        return AnswerStore(cache, "paths", hashed(describe_component(self.parser), self.collapse_prepositions, code))

    def _looked_for(self, parser: Parser, instances: List[Instance]) -> List[Path]:
        """The paths of blinded sentences, in order."""
        blinded = [blind(instance) for instance in instances]
        parsed = parser.parse([each.document for each in blinded])
        paths = [self._between(document, document.entities[0].mentions[0], document.entities[1].mentions[0]) for document in parsed]
        return [
            None if path is None else frozenset(word for token in path for word in each.tokens[token])
            for each, path in zip(blinded, paths, strict=True)
        ]

    def _own_path(self, instance: Instance) -> Path:
        """The path in the parse that the document carries."""
        _refuse_unparsed(instance.document)
        return self._between(instance.document, *instance.mentions)

    def _between(self, document: Document, head: Mention, tail: Mention) -> Path:
        path = dependency_path(document, head, tail, self.collapse_prepositions)
        return None if path is None else frozenset(path).difference(range(head.start, head.end), range(tail.start, tail.end))


def _refuse_unparsed(document: Document) -> None:
    """RelconError where a document carries no parse."""
    if document.parse is None:
        where = f" ({place(document.source.path, document.source.line)})" if document.source else ""
        raise RelconError(
            f"Document '{document.id}'{where} has no dependency parse. Give the augmenter a parser: in the config a section "
            '[...augmenter.parser] with @parsers = "relcon.SpacyParser.v1" and pipeline = "en_core_web_sm" '
            "(after `python -m spacy download en_core_web_sm`) or the directory of another spaCy pipeline."
        )


def _overlapping(instance: Instance) -> bool:
    """Whether the two mentions overlap or touch, so that blinding merges them."""
    return instance.document.touch(*instance.mentions)


def _key(instance: Instance) -> Key:
    """Two instances with one key have one path: the same sentence, the same mentions."""
    document = instance.document
    return (document.id, document.words, *instance.mentions)
