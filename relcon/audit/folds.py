"""What a run trains on and is tested on alike, where the protocol draws the test part out of the training data."""

from typing import Dict, Iterator, List, NamedTuple

import numpy as np

from relcon.audit.check import Cases, Check, Seen, Subject, number
from relcon.audit.finding import Finding
from relcon.audit.lines import argument
from relcon.audit.names import Fact, KnownByName, Names, known_in, names_of
from relcon.audit.texts import text_key
from relcon.data.sequences import ids_of, pairs_of
from relcon.interfaces import Split
from relcon.protocols import Run


class Fold(NamedTuple):
    """A run by its name, and its two parts."""

    name: str
    train: Split
    test: Split


class Folds(Check):
    """Texts, and pairs of names that are related, on both sides of a fold. What is read twice, or cut into pairs, may fall on both."""

    def __init__(self, subject: Subject):
        super().__init__(subject)
        self.folds = [_fold(run) for run in subject.runs if "test" not in subject.splits and "test" in run[1].splits()]
        self.texts: Dict[str, bytes] = {}
        self.names: Dict[str, List[Names]] = {}

    def see(self, seen: Seen) -> None:
        """Remember text and names by the document's id."""
        if self.folds and seen.split == "train" and seen.pairs:
            self.texts[seen.document.id] = text_key(seen.document)
            self.names[seen.document.id] = [names_of(seen.document, entity) for entity in seen.document.entities]

    def findings(self) -> Iterator[Finding]:
        """Both overlaps, over all folds."""
        if self.folds:
            yield from self._shared_texts()
            yield from self._shared_names()

    def _shared_texts(self) -> Iterator[Finding]:
        cases, of = Cases(), 0
        for fold in self.folds:
            trained = {self.texts[name] for name in self._asked(fold.train).values()}
            tested = self._asked(fold.test)
            of += len(tested)
            for place, name in tested.items():
                if self.texts[name] in trained:
                    document = fold.test.documents[place]
                    cases.add(fold.name, document, " ".join(document.words))
        count = cases.counts.total()
        if count:
            yield Finding(
                "texts on both sides of a fold",
                "warning",
                "[protocol]",
                f"{number(count, 'text')} of {of:,} {'is' if count == 1 else 'are'} tested by a model that was trained on the same text "
                f"({self._where(cases)}).",
                count,
                cases.examples(),
                self._apart(),
            )

    def _shared_names(self) -> Iterator[Finding]:
        found = KnownByName("the training part", "the test parts")
        for fold in self.folds:
            found.compare(fold.name, self._facts(fold.test), known_in(self._facts(fold.train)), fold.test.documents)
        if found.cases.counts:
            yield found.finding("entity pairs on both sides of a fold", "[protocol]", f" ({self._where(found.cases)})")

    def _asked(self, split: Split) -> Dict[int, str]:
        """The documents of `train` in a part that have a candidate pair there: their places and ids."""
        ids = ids_of(split.documents)
        places = np.unique(pairs_of(split.instances, split.documents).document).tolist()
        return {place: ids[place] for place in places if ids[place] in self.texts}

    def _facts(self, split: Split) -> Iterator[Fact]:
        """The related pairs of a part."""
        ids, pairs = ids_of(split.documents), pairs_of(split.instances, split.documents)
        columns = (pairs.document.tolist(), pairs.head.tolist(), pairs.tail.tolist(), pairs.label.tolist())
        for place, head, tail, label in zip(*columns, strict=True):
            if label >= 0 and ids[place] in self.names and pairs.labels[label] not in self.subject.negative:
                names = self.names[ids[place]]
                yield Fact(names[head], names[tail], pairs.labels[label], place)

    def _where(self, cases: Cases) -> str:
        """`in 3 of 10 folds, most in folds/fold_02: 12`."""
        (name, most), *_ = cases.counts.most_common(1)
        return f"in {len(cases.counts)} of {number(len(self.folds), 'fold')}, most in {name}: {most:,}"

    def _apart(self) -> str:
        """How to keep a text on one side."""
        lines = self.subject.lines
        by = argument(lines.loaded.tree["protocol"], "by")
        if by == "instance":
            return lines.setting(("protocol", "by"), "document")
        once = f"Take them out of the file: {lines.files(['train'])}"
        return f'{once}; or give both one metadata["document"], which keeps them on one side' if by == "document" else once


def _fold(run: Run) -> Fold:
    name, corpus, _ = run
    return Fold(name, corpus.split("train"), corpus.split("test"))
