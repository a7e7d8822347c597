"""`relcon build-pairs`: a config with a `[builder]` -> a file of documents with candidate pairs."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List

from tqdm import tqdm

from relcon.checking import Walk, count
from relcon.config import LoadedConfig, resolve
from relcon.data.archives import origin
from relcon.data.document import Document
from relcon.data.json import write_jsonl
from relcon.errors import ConfigError, Problem, RelconError, did_you_mean
from relcon.files import refuse_replacing
from relcon.interfaces import PairBuilder

SECTIONS = ("paths", "vars", "builder")
"""The sections of a builder's config."""


@dataclass
class PairCounts:
    """What was written (sentences and pairs), and what was left out, by cause."""

    sentences: int
    pairs: int
    skipped: Dict[str, int]


def check_builder_config(loaded: LoadedConfig) -> List[Problem]:
    """All mistakes of a config with `[builder]`, and perhaps `[paths]` and `[vars]`. Builds nothing, reads no data."""
    walk = Walk(loaded)
    for name in loaded.tree:
        if name not in (*SECTIONS, "training"):
            walk.unknown((name,), (name,), "is no section of a builder's config", did_you_mean(name, SECTIONS))
    for name in ("paths", "vars"):
        walk.free(name)
    if isinstance(loaded.tree.get("builder"), dict):
        walk.value(("builder",), loaded.tree["builder"], PairBuilder)
    else:
        walk.problems.append(Problem(loaded.where(()), "there is no section [builder]: what builds the pairs, a block of @builders."))
    walk.settle_overrides()
    return loaded.problems + walk.problems


def build_pairs(loaded: LoadedConfig, output: Path, overwrite: bool = False) -> PairCounts:
    """Run the config's builder and write its documents as relcon JSON-lines; the file appears whole or not at all.

    ConfigError with every mistake of the config. RelconError where `output` exists and is not to be overwritten, or where no
    pair is left; what the builder raises where its data are wrong.
    """
    problems = check_builder_config(loaded)
    if problems:
        raise ConfigError(problems, f"{loaded.path}: {count(len(problems), 'mistake')}", most=len(problems))
    for read in (loaded.path, *_paths(loaded.tree["builder"])):
        refuse_replacing(output, read, overwrite)
    builder: PairBuilder = resolve(loaded.tree["builder"], "[builder]")
    counts = PairCounts(0, 0, {})
    write_jsonl(_counted(_at_least_one(builder), counts), output)
    counts.skipped = builder.skipped()
    return counts


def _paths(value: Any) -> Iterator[Path]:
    """The texts of a block that are paths of something: what the builder may read."""
    if isinstance(value, (dict, list)):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _paths(each)
    elif isinstance(value, str) and value and origin(value).exists():
        yield origin(value)


def _at_least_one(builder: PairBuilder) -> Iterator[Document]:
    """The builder's documents; RelconError, before anything is written, where there are none."""
    documents = iter(builder.build())
    first = next(documents, None)
    if first is None:
        causes = "".join(f"\n{number} left out: {cause}" for cause, number in sorted(builder.skipped().items()))
        raise RelconError(f"The builder found no pair, so nothing was written. Compare its types with those of the text.{causes}")
    yield first
    yield from documents


def _counted(documents: Iterable[Document], counts: PairCounts) -> Iterator[Document]:
    for document in tqdm(documents, desc="pairs", unit=" sentences", disable=None):
        counts.sentences += 1
        counts.pairs += len(document.relations)
        yield document
