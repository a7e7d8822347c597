"""How often a config's stages run, and on which part of the data: once, per seed, per fold, on a few shots, on a share."""

import glob
import json
import re
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Literal, Optional, Sequence, Tuple

from relcon.data import fields
from relcon.data.corpus import PartCorpus
from relcon.data.splits import (
    Fold,
    complete_folds,
    exact_share,
    given_folds,
    group_of,
    hold_out,
    hold_out_sample,
    k_folds,
    k_shot,
    k_shots_in_turn,
    share,
)
from relcon.errors import RecordError, RelconError
from relcon.interfaces import Corpus, Protocol, Split
from relcon.training.seeding import generator

Run = Tuple[str, Corpus, int]
"""Subfolder, corpus and seed of one run."""

HoldOut = Callable[[Split], Tuple[Split, Split]]
"""Takes the dev split out of a training part: (rest, dev)."""

FOLD_FILE = 'a JSON object {"split_1": {"train set": ["document", ...], "test set": ["document", ...]}, ...}'


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
        self.seeds = _distinct("seeds", seeds)

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
    only: run these folds alone, by number from 1; they are those of a run over all. Null for all.

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
        only: Optional[List[int]] = None,
    ):
        if folds < 2:
            raise ValueError(f"folds: {folds} is below 2")
        self.folds, self.by, self.dev_share, self.on_rare, self.seed = folds, by, _dev_share(dev_share), on_rare, seed
        self.only = None if only is None else _distinct("only", only)

    def runs(self, corpus: Corpus, seed: int) -> Iterator[Run]:
        """One run per fold. RelconError where a label is too rare, the corpus has a test split or too few documents, or `only`
        names a fold that there is not."""
        _refuse_test(corpus)
        divided = k_folds(corpus.split("train"), self.folds, generator(self.seed, "folds"), self.by, self.on_rare)
        for number in _numbers(len(divided), self.only):
            yield _fold_folder(number), _fold_corpus(corpus, *divided[number - 1], self._hold_out(number)), seed

    def _hold_out(self, number: int) -> Optional[HoldOut]:
        """How the dev split of a fold is drawn; None where there is none."""
        if not self.dev_share:
            return None
        return partial(hold_out, fraction=self.dev_share, generator=generator(self.seed, "dev", number), by=self.by)


class GivenFolds(Protocol):
    """Cross-validation over folds that the data prescribes, in `folds/fold_NN`: otherwise as `relcon.KFold.v1`.

    One of three tells the folds. Folds come in natural order of their names (2 before 10); documents are named by
    `metadata["document"]`, else by id.

    key: the documents' metadata that names the fold in which they are tested.
    lists: files that name one document a line, each the test part of one fold; a name may hold wildcards ("splits/test-203-*").
        Listed documents that the corpus does not have are passed over.
    file: a JSON file that says of every fold what it trains on and what it tests on, `{"split_1": {"train set": ["12", ...],
        "test set": ["7", ...]}, ...}`; a fold trains on nothing else. Documents that the corpus does not have are an error.
    dev_share: the share of each fold's training part that becomes its dev split; 0 for none.
    dev_draw: "spread" keeps the proportions of the labels; "sample" draws `int(dev_share * n)` of the n documents with Python's
        `random.Random(seed).sample`, by their places in the "train set" of `file` (with `key` and `lists`: in the corpus), as CLDR's
        authors do with seed 42.
    seed: draws the dev split.
    only: run these folds alone, by number from 1; they are those of a run over all. Null for all.

    Source of "sample": the released code of Theodoropoulos et al., Imposing Relation Structure in Language-Model Embeddings Using
    Contrastive Learning, CoNLL 2021.

    Config::

        [protocol]
        @protocols = "relcon.GivenFolds.v1"
        key = "fold"
    """

    def __init__(
        self,
        key: Optional[str] = None,
        lists: Optional[List[str]] = None,
        file: Optional[str] = None,
        dev_share: float = 0.0,
        dev_draw: Literal["spread", "sample"] = "spread",
        seed: int = 0,
        only: Optional[List[int]] = None,
    ):
        if [key is not None, bool(lists), file is not None].count(True) != 1:
            raise ValueError("key, lists, file: exactly one of the three tells the folds")
        if dev_draw not in ("spread", "sample"):
            raise ValueError(f"dev_draw: '{dev_draw}' is neither 'spread' nor 'sample'")
        self.key, self.lists, self.file = key, lists or [], file
        self.dev_share, self.dev_draw, self.seed = _dev_share(dev_share), dev_draw, seed
        self.only = None if only is None else _distinct("only", only)

    def runs(self, corpus: Corpus, seed: int) -> Iterator[Run]:
        """One run per fold. RelconError where a document is tested in no fold or in two, a fold is empty, tests what it trains on or
        names what there is not, a file is missing or no such file, or `only` names a fold that there is not."""
        _refuse_test(corpus)
        whole = corpus.split("train")
        folds = self._folds(whole)
        if len(folds) < 2:
            raise RelconError(f"[protocol] finds {len(folds)} fold; cross-validation needs at least two.")
        divided = given_folds(whole, folds)
        names = list(folds)
        for number in _numbers(len(names), self.only):
            name = names[number - 1]
            yield _fold_folder(number), _fold_corpus(corpus, *divided[name], self._hold_out(folds[name], number)), seed

    def _folds(self, whole: Split) -> Dict[str, Fold]:
        """The folds by name, in natural order."""
        if self.file is not None:
            return read_folds(self.file)
        return complete_folds(whole, read_lists(self.lists) if self.key is None else folds_by_key(whole, self.key))

    def _hold_out(self, fold: Fold, number: int) -> Optional[HoldOut]:
        """How the dev split of a fold is drawn; None where there is none."""
        if not self.dev_share:
            return None
        if self.dev_draw == "sample":
            return partial(hold_out_sample, fraction=self.dev_share, seed=self.seed, order=fold.train)
        return partial(hold_out, fraction=self.dev_share, generator=generator(self.seed, "dev", number))


class KShot(Protocol):
    """A few training instances of every label, drawn anew for each seed, in `seeds/seed_N`. Other splits stay whole.

    shots: instances of every label of the label set, negative ones included.
    seeds: each draws its own instances and is the seed of its run.
    dev_shots: so many of every label of the dev split, too; null leaves it whole.
    on_rare: "error" refuses a label that has fewer; "keep" takes what there is, nothing included.
    draw: "independent": what a seed draws depends on the data and the seed alone. "cumulative" gives the instances of published splits, if
        the data come in the published order: one list is shuffled again and again, with one seed after the other, so that what a seed
        draws depends on those in front of it in `seeds`.

    Source of "cumulative": the released code of KnowPrompt (Chen et al., WWW 2022), with seeds 1 to 5.

    Config::

        [protocol]
        @protocols = "relcon.KShot.v1"
        shots = 8
        seeds = [1, 2, 3, 4, 5]
    """

    def __init__(
        self,
        shots: int,
        seeds: List[int],
        dev_shots: Optional[int] = None,
        on_rare: Literal["error", "keep"] = "error",
        draw: Literal["independent", "cumulative"] = "independent",
    ):
        if shots < 1 or (dev_shots is not None and dev_shots < 1):
            raise ValueError(f"shots, dev_shots: {shots} and {dev_shots} must be at least 1")
        if draw not in ("independent", "cumulative"):
            raise ValueError(f"draw: '{draw}' is neither 'independent' nor 'cumulative'")
        if draw == "cumulative" and not all(0 <= seed < 2**32 for seed in seeds):
            raise ValueError(f"seeds: with draw = \"cumulative\" they lie from 0 to 2**32 - 1, not {seeds}")
        self.shots, self.seeds, self.dev_shots, self.on_rare, self.draw = shots, _distinct("seeds", seeds), dev_shots, on_rare, draw

    def runs(self, corpus: Corpus, seed: int) -> Iterator[Run]:
        """One run per seed. RelconError where a label has too few instances."""
        wanted = {"train": self.shots} if self.dev_shots is None else {"train": self.shots, "dev": self.dev_shots}
        drawn = {name: self._drawn(corpus.split(name), shots) for name, shots in wanted.items()}
        for each in self.seeds:
            yield _seed_folder(each), _replaced(corpus, {name: next(splits) for name, splits in drawn.items()}), each

    def _drawn(self, split: Split, shots: int) -> Iterator[Split]:
        """What each seed draws of a split."""
        if self.draw == "cumulative":
            return k_shots_in_turn(split, shots, self.seeds, self.on_rare)
        return (k_shot(split, shots, generator(seed, "shots", split.name), self.on_rare) for seed in self.seeds)


class Share(Protocol):
    """A share of the training data, drawn anew for each seed or once for all, in `seeds/seed_N`. Other splits stay whole.

    share: between 0 and 1.
    seeds: each is the seed of its run, and draws its own share unless there is a `draw_seed`.
    draw_seed: draws one share for all runs.
    by: "instance"; "document" to keep documents (`metadata["document"]`, else the id) whole; or "sentence" to keep each document whole as
        it was read, where sentences of one document may part (for joint extraction).
    draw: "spread" keeps the proportions of the labels and at least one instance of each. "exact" gives the sizes of ERICA's and FineCL's
        low-resource subsets (Hogan, Li and Shang, EMNLP 2022): by instance `ceil(share * n)` of the n instances of each label, by
        document or sentence `int(share * n)` of the n of them, whatever their labels (for documents with several labels).

    A share depends on the data and its seed alone, so that all models see the same. Exact shares of one seed are nested: 10 % lies in 20 %,
    which lies in 50 %. Those that are spread are not: how labels are dealt out depends on the share.

    Config::

        [protocol]
        @protocols = "relcon.Share.v1"
        share = 0.1
        seeds = [1, 2, 3]
    """

    def __init__(
        self,
        share: float,
        seeds: List[int],
        by: Literal["document", "sentence", "instance"] = "instance",
        draw: Literal["spread", "exact"] = "spread",
        draw_seed: Optional[int] = None,
    ):
        if not 0 < share < 1:
            raise ValueError(f"share: {share} is not between 0 and 1")
        if draw not in ("spread", "exact"):
            raise ValueError(f"draw: '{draw}' is neither 'spread' nor 'exact'")
        self.share, self.seeds, self.by, self.draw, self.draw_seed = share, _distinct("seeds", seeds), by, draw, draw_seed

    def runs(self, corpus: Corpus, seed: int) -> Iterator[Run]:
        """One run per seed. RelconError where an exact share is no document or sentence."""
        for each in self.seeds:
            rule = exact_share if self.draw == "exact" else share
            drawing = generator(each if self.draw_seed is None else self.draw_seed, "share")
            take = partial(rule, fraction=self.share, generator=drawing, by=self.by)
            yield _seed_folder(each), _replaced(corpus, {"train": take(corpus.split("train"))}), each


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


def read_folds(file: str) -> Dict[str, Fold]:
    """Fold name -> what it trains and tests on, from a JSON file. RelconError where it is missing, no JSON, or of another shape."""
    if not Path(file).exists():
        raise RelconError(f"[protocol] file: {file} does not exist (looked in {Path.cwd()}).")
    text = _text(Path(file), "file", FOLD_FILE)
    try:
        folds = fields.of_kind(json.loads(text), dict, "the file")
        return {name: _stated_fold(folds[name], f"fold '{name}'") for name in sorted(folds, key=natural)}
    except RecordError as error:
        raise RelconError(f"[protocol] file: expected {FOLD_FILE} in {file}, but {error}") from None
    except (ValueError, RecursionError) as error:
        raise RelconError(f"[protocol] file: expected {FOLD_FILE} in {file}, but it is not JSON that can be read: {error}") from None


def _stated_fold(value: Any, what: str) -> Fold:
    """A fold of the file. RecordError where it has another shape."""
    sides = ("train set", "test set")
    fields.only(fields.of_kind(value, dict, what), sides, what)
    train, test = (fields.items(fields.need(value, side, list, what), str, f"the '{side}' of {what}") for side in sides)
    return Fold(train, test)


def _listed(file: Path) -> List[str]:
    """The documents that a file names. RelconError where it is a folder, no text, or may not be read."""
    text = _text(file, "lists", "a text file with one document a line")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _text(file: Path, argument: str, expected: str) -> str:
    """The text of a file that an argument names. RelconError where it is missing, a folder, no text, or may not be read."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise RelconError(f"[protocol] {argument}: {file} is not UTF-8 text (byte {error.start + 1}); expected {expected}.") from None
    except OSError as error:
        reason = "is a folder" if file.is_dir() else f"cannot be read ({error.strerror})"
        raise RelconError(f"[protocol] {argument}: {file} {reason}; expected {expected}.") from None


def natural(name: str) -> List[Tuple[int, int, str]]:
    """A sort key under which `test-2` comes before `test-10`."""
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]


def _numbers(count: int, only: Optional[List[int]]) -> Sequence[int]:
    """The numbers of the folds to run, from 1. RelconError where `only` names one that there is not."""
    there = range(1, count + 1)
    for number in only or ():
        if number not in there:
            raise RelconError(f"[protocol] only names fold {number}, but the folds are numbered from 1 to {count}.")
    return there if only is None else sorted(only)


def _fold_folder(number: int) -> str:
    return f"folds/fold_{number:02d}"


def _fold_corpus(corpus: Corpus, train: Split, test: Split, divide: Optional[HoldOut]) -> Corpus:
    """The splits of one fold. divide: takes its dev split out of train."""
    if divide is None:
        kept = {name: corpus.split(name) for name in corpus.splits() if name != "train"}
        return PartCorpus({"train": train, **kept, "test": test})
    if "dev" in corpus.splits():
        raise RelconError("[protocol] dev_share makes a dev split, but [data] has one already: leave out one of the two.")
    rest, dev = divide(train)
    return PartCorpus({"train": rest, "dev": dev, "test": test})


def _refuse_test(corpus: Corpus) -> None:
    if "test" in corpus.splits():
        raise RelconError(
            "Cross-validation makes its test splits out of train, but [data] has a test split too, which nothing would read. "
            "Leave out [data] test, or use another [protocol]."
        )


# ---- seeds -------------------------------------------------------------------------------------------------------------


def _replaced(corpus: Corpus, drawn: Dict[str, Split]) -> Corpus:
    """The corpus with parts in place of some of its splits."""
    parts = {name: replace(part, whole=corpus.split(name)) for name, part in drawn.items()}
    return PartCorpus({**{name: corpus.split(name) for name in corpus.splits()}, **parts})


def _seed_folder(seed: int) -> str:
    return f"seeds/seed_{seed}"


def _distinct(argument: str, numbers: List[int]) -> List[int]:
    if not numbers or len(set(numbers)) != len(numbers):
        raise ValueError(f"{argument}: {numbers} must be one or several different numbers")
    return list(numbers)


def _dev_share(dev_share: float) -> float:
    if not 0 <= dev_share < 1:
        raise ValueError(f"dev_share: {dev_share} is not from 0 to below 1")
    return dev_share
