"""How often a config's stages run, and on which part of the data: once, per seed, per fold, on a few shots, on a share."""

import glob
import re
from functools import partial
from pathlib import Path
from typing import Callable, Dict, Iterator, List, Literal, Optional, Tuple

import torch

from relcon.data.corpus import PartCorpus
from relcon.data.splits import By, given_folds, group_of, hold_out, k_folds, k_shot, share
from relcon.errors import RelconError
from relcon.interfaces import Corpus, Protocol, Split
from relcon.training.seeding import generator

Run = Tuple[str, Corpus, int]
"""Subfolder, corpus and seed of one run."""


class Single(Protocol):
    """One run on the corpus as it is, with the config's seed. What happens where a config names no protocol.

    Config::

        [protocol]
        @protocols = "relcon.Single.v1"
    """

    def runs(self, corpus: Corpus, seed: int) -> Iterator[Run]:
        """One run, in the run's own folder."""
        yield "", corpus, seed


class Seeds(Protocol):
    """The whole corpus once per seed, in `seeds/seed_N`.

    seeds: each is the seed of one run, in place of the config's.

    Config::

        [protocol]
        @protocols = "relcon.Seeds.v1"
        seeds = [1, 2, 3]
    """

    def __init__(self, seeds: List[int]):
        self.seeds = _distinct(seeds)

    def runs(self, corpus: Corpus, seed: int) -> Iterator[Run]:
        """One run per seed."""
        for each in self.seeds:
            yield _seed_folder(each), corpus, each


class KFold(Protocol):
    """Cross-validation over the train split, in `folds/fold_NN`: each fold's held-out part is the `test` split of its run.

    Every document (or instance) is tested exactly once; labels are spread evenly over the folds. All runs have the config's seed.
    A dev split of the corpus stays as it is; a test split of its own the corpus must not have.

    folds: how many, at least 2.
    by: "document" never puts sentences of one document (`metadata["document"]`, else the id) on both sides; "instance" divides
        pair by pair, as some published figures do: they are higher, since train and test share sentences.
    dev_share: the share of each fold's training part that becomes its dev split, divided in the same way; 0 for none.
    on_rare: "error" refuses a label with fewer documents (instances) than folds; "keep" lets some folds go without it.
    seed: draws the folds. It does not follow the config's seed, so that runs with several seeds have the same folds.

    Config::

        [protocol]
        @protocols = "relcon.KFold.v1"
        folds = 10
        by = "document"
    """

    def __init__(
        self,
        folds: int = 10,
        by: Literal["document", "instance"] = "document",
        dev_share: float = 0.0,
        on_rare: Literal["error", "keep"] = "error",
        seed: int = 0,
    ):
        if folds < 2:
            raise ValueError(f"folds: {folds} is below 2")
        self.folds, self.by, self.dev_share, self.on_rare, self.seed = folds, by, _dev_share(dev_share), on_rare, seed

    def runs(self, corpus: Corpus, seed: int) -> Iterator[Run]:
        """One run per fold. RelconError where a label is too rare, or the corpus has a test split or too few documents."""
        _refuse_test(corpus)
        divided = k_folds(corpus.split("train"), self.folds, generator(self.seed, "folds"), self.by, self.on_rare)
        for number, (train, test) in enumerate(divided, start=1):
            draw = generator(self.seed, "dev", number)
            yield f"folds/fold_{number:02d}", _fold_corpus(corpus, train, test, self.dev_share, draw, self.by), seed


class GivenFolds(Protocol):
    """Cross-validation over folds that the data prescribes, in `folds/fold_NN`: otherwise as `relcon.KFold.v1`.

    key: the documents' metadata that names the fold in which they are tested; folds come in natural order (2 before 10).
    lists: instead, files that name one document a line (`metadata["document"]`, else the id), each the test part of one fold;
        a name may hold wildcards ("splits/test-203-*"), the files then come in natural order. Listed documents that the corpus
        does not have are passed over.
    dev_share: the share of each fold's training part that becomes its dev split; 0 for none. seed: draws it.

    Config::

        [protocol]
        @protocols = "relcon.GivenFolds.v1"
        key = "fold"
    """

    def __init__(self, key: Optional[str] = None, lists: Optional[List[str]] = None, dev_share: float = 0.0, seed: int = 0):
        if (key is None) == (not lists):
            raise ValueError("key, lists: exactly one of the two tells the folds")
        self.key, self.lists, self.dev_share, self.seed = key, lists or [], _dev_share(dev_share), seed

    def runs(self, corpus: Corpus, seed: int) -> Iterator[Run]:
        """One run per fold. RelconError where a document is in no fold or in two, a fold is empty, or a list is missing."""
        _refuse_test(corpus)
        whole = corpus.split("train")
        folds = read_lists(self.lists) if self.key is None else folds_by_key(whole, self.key)
        if len(folds) < 2:
            raise RelconError(f"[protocol] finds {len(folds)} fold; cross-validation needs at least two.")
        for number, (train, test) in enumerate(given_folds(whole, folds).values(), start=1):
            draw = generator(self.seed, "dev", number)
            yield f"folds/fold_{number:02d}", _fold_corpus(corpus, train, test, self.dev_share, draw, "document"), seed


class KShot(Protocol):
    """A few training instances of every label, drawn anew for each seed, in `seeds/seed_N`. Other splits stay whole.

    shots: instances of every label of the label set, negative ones included.
    seeds: each draws its own instances and is the seed of its run.
    dev_shots: so many of every label of the dev split, too; null leaves it whole.
    on_rare: "error" refuses a label that has fewer; "keep" takes what there is.

    Config::

        [protocol]
        @protocols = "relcon.KShot.v1"
        shots = 8
        seeds = [1, 2, 3, 4, 5]
    """

    def __init__(self, shots: int, seeds: List[int], dev_shots: Optional[int] = None, on_rare: Literal["error", "keep"] = "error"):
        if shots < 1 or (dev_shots is not None and dev_shots < 1):
            raise ValueError(f"shots, dev_shots: {shots} and {dev_shots} must be at least 1")
        self.shots, self.seeds, self.dev_shots, self.on_rare = shots, _distinct(seeds), dev_shots, on_rare

    def runs(self, corpus: Corpus, seed: int) -> Iterator[Run]:
        """One run per seed. RelconError where a label has too few instances."""
        wanted = {"train": self.shots} if self.dev_shots is None else {"train": self.shots, "dev": self.dev_shots}
        for each in self.seeds:
            take: Dict[str, Callable[[Split], Split]] = {
                name: partial(k_shot, shots=shots, generator=generator(each, "shots", name), on_rare=self.on_rare)
                for name, shots in wanted.items()
            }
            yield _seed_folder(each), _changed(corpus, take), each


class Share(Protocol):
    """A label-stratified share of the training data, drawn anew for each seed, in `seeds/seed_N`. Other splits stay whole.

    share: between 0 and 1. At least one instance of every label is kept.
    seeds: each draws its own share and is the seed of its run.
    by: "instance", or "document" to keep documents (`metadata["document"]`, else the id) whole.

    Config::

        [protocol]
        @protocols = "relcon.Share.v1"
        share = 0.1
        seeds = [1, 2, 3]
    """

    def __init__(self, share: float, seeds: List[int], by: Literal["document", "instance"] = "instance"):
        if not 0 < share < 1:
            raise ValueError(f"share: {share} is not between 0 and 1")
        self.share, self.seeds, self.by = share, _distinct(seeds), by

    def runs(self, corpus: Corpus, seed: int) -> Iterator[Run]:
        """One run per seed."""
        for each in self.seeds:
            take = partial(share, fraction=self.share, generator=generator(each, "share"), by=self.by)
            yield _seed_folder(each), _changed(corpus, {"train": take}), each


# ---- folds -------------------------------------------------------------------------------------------------------------


def folds_by_key(split: Split, key: str) -> Dict[str, List[str]]:
    """Fold name -> its documents, from the documents' metadata. RelconError names a document that does not have the key."""
    folds: Dict[str, List[str]] = {}
    for document in split.documents:
        if key not in document.metadata:
            known = ", ".join(sorted(document.metadata)) or "none"
            raise RelconError(f"[protocol] key = \"{key}\": document '{document.id}' has no such metadata (it has: {known}).")
        folds.setdefault(str(document.metadata[key]), []).append(group_of(document))
    return {name: list(dict.fromkeys(folds[name])) for name in sorted(folds, key=natural)}


def read_lists(patterns: List[str]) -> Dict[str, List[str]]:
    """File -> the documents that it lists, one a line. RelconError where a pattern finds no file, or a file cannot be read."""
    folds: Dict[str, List[str]] = {}
    for pattern in patterns:
        found = sorted(glob.glob(pattern), key=natural)
        if not found:
            raise RelconError(f"[protocol] lists: no file is named {pattern} (looked in {Path.cwd()}).")
        folds.update({file: _listed(Path(file)) for file in found})
    return folds


def _listed(file: Path) -> List[str]:
    """The documents that a file names. RelconError where it is a folder, no text, or may not be read."""
    wanted = "expected a text file with one document a line"
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise RelconError(f"[protocol] lists: {file} is not UTF-8 text (byte {error.start + 1}); {wanted}.") from None
    except OSError as error:
        reason = "is a folder" if file.is_dir() else f"cannot be read ({error.strerror})"
        raise RelconError(f"[protocol] lists: {file} {reason}; {wanted}.") from None
    return [line.strip() for line in lines if line.strip()]


def natural(name: str) -> List[Tuple[int, int, str]]:
    """A sort key under which `test-2` comes before `test-10`."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def _fold_corpus(corpus: Corpus, train: Split, test: Split, dev_share: float, draw: torch.Generator, by: By) -> Corpus:
    """The splits of one fold."""
    if not dev_share:
        kept = {name: corpus.split(name) for name in corpus.splits() if name != "train"}
        return PartCorpus({"train": train, **kept, "test": test})
    if "dev" in corpus.splits():
        raise RelconError("[protocol] dev_share makes a dev split, but [data] has one already: leave out one of the two.")
    rest, dev = hold_out(train, dev_share, draw, by=by)
    return PartCorpus({"train": rest, "dev": dev, "test": test})


def _refuse_test(corpus: Corpus) -> None:
    if "test" in corpus.splits():
        raise RelconError(
            "Cross-validation makes its test splits out of train, but [data] has a test split too, which nothing would read. "
            "Leave out [data] test, or use another [protocol]."
        )


# ---- seeds -------------------------------------------------------------------------------------------------------------


def _changed(corpus: Corpus, changes: Dict[str, Callable[[Split], Split]]) -> Corpus:
    """The corpus with some of its splits changed."""
    splits = {name: corpus.split(name) for name in corpus.splits()}
    return PartCorpus({**splits, **{name: change(corpus.split(name)) for name, change in changes.items()}})


def _seed_folder(seed: int) -> str:
    return f"seeds/seed_{seed}"


def _distinct(seeds: List[int]) -> List[int]:
    if not seeds or len(set(seeds)) != len(seeds):
        raise ValueError(f"seeds: {seeds} must be one or several different numbers")
    return list(seeds)


def _dev_share(dev_share: float) -> float:
    if not 0 <= dev_share < 1:
        raise ValueError(f"dev_share: {dev_share} is not from 0 to below 1")
    return dev_share
