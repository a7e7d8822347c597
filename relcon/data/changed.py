"""Corpora that change the documents of another corpus; which of their pairs are candidates, the other one's rule decides anew."""

from abc import abstractmethod
from typing import Any, Callable, Dict, Iterable, List, Optional

from relcon.data.document import Document
from relcon.data.labels import LabelSet
from relcon.data.store import describe_component
from relcon.interfaces import Corpus, Split

Written = Callable[[], Iterable[Document]]
"""Yields documents, each time from the beginning."""


class ChangedCorpus(Corpus):
    """A corpus whose documents are those of another one, changed. Labels and splits are the other's unless overridden.

    corpus: the other one.
    """

    def __init__(self, corpus: Corpus):
        self.corpus = corpus
        self._splits: Dict[str, Split] = {}

    @abstractmethod
    def fingerprint(self) -> str:
        """What the change depends on, beside the documents."""

    @abstractmethod
    def documents(self, split: Split) -> Optional[Written]:
        """What takes the place of a split's documents; None where it stays as it is. RelconError where the data cannot be changed so."""

    @property
    def labels(self) -> LabelSet:
        """Those of the other corpus."""
        return self.corpus.labels

    def splits(self) -> List[str]:
        """Those of the other corpus."""
        return self.corpus.splits()

    def split(self, name: str) -> Split:
        """A split: of the other corpus, or changed. RelconError where there is none of that name, or the data cannot be changed so."""
        if name not in self._splits:
            before = self.corpus.split(name)
            written = self.documents(before)
            self._splits[name] = before if written is None else self._written(name, written, describe_component(self))
        return self._splits[name]

    def rewritten(self, name: str, documents: Written, key: Any, labels: Optional[LabelSet] = None) -> Split:
        """A split with other documents in place of its own."""
        return self._written(name, documents, [describe_component(self), key], labels)

    def _written(self, name: str, documents: Written, key: Any, labels: Optional[LabelSet] = None) -> Split:
        return self.corpus.rewritten(name, documents, key, self.labels if labels is None else labels)
