"""Configs as a person begins with them: of a paper, or of core components; for data that are looked at first, or named only."""

from pathlib import Path
from typing import Any, Dict, List, Mapping, NamedTuple, Optional

from relcon.config.interpolation import Section
from relcon.config.loaded import LoadedConfig
from relcon.config.reading import parse_cfg
from relcon.config.source import Keys
from relcon.interfaces import DatasetReader
from relcon.scaffold.commented import commented, placed
from relcon.scaffold.facts import Facts, Found, find, read
from relcon.scaffold.papers import Paper, paper, plain

SHARE = 0.1
"""Of training data without a dev split, what becomes one."""


class Made(NamedTuple):
    """A config. text: of the file. said: what was found in the data, in lines for people."""

    text: str
    said: List[str]


def of_names(name: Optional[str], reader: Optional[str], files: Mapping[str, str], path: Path) -> Made:
    """The config of a paper, its data named and not looked at.

    name: the paper; None for core components alone. reader: a registered name; None for the one that the paper's config has. files: split
    -> path; where some are given, the other splits are none. path: what the config will be called.
    """
    base = plain("pairs") if name is None else paper(name)
    changes = _files_changes(base, files) if files else {}
    if reader is not None:
        DatasetReader.registry.get(reader)
        changes["data.reader.@readers"] = reader
    text = commented(base.text, placed(changes), {}, [*_title(base), *_how(path)], path)
    return Made(text, [])


def of_data(name: Optional[str], data: Path, reader: Optional[str], files: Mapping[str, str], path: Path) -> Made:
    """A config for data that are read first.

    name: the paper; None for core components alone. data: a file or folder of training data, or a folder with splits; it may be an archive,
    or of the sample (`sample:train.jsonl`), and is called so in the config. reader: a registered name; None for the likeliest. files: split
    -> path, beside or in place of what `data` holds. path: what the config will be called.
    RelconError where no reader knows the data, or they have no labelled relation.
    """
    found = find(data, reader)
    found = found._replace(files={**found.files, **{split: Path(file) for split, file in files.items()}})
    facts = read(found)
    base = paper(name) if name is not None else plain("documents" if facts.multi_label or not facts.within else "pairs")
    changes = {**_files_changes(base, {split: str(file) for split, file in found.files.items()}), **_data_changes(base, found, facts)}
    said = _said(found, facts)
    text = commented(base.text, placed(changes), _notes(found, facts), [*_title(base), *_how(path), "", *said], path)
    return Made(text, said)


def _tree(base: Paper) -> Section:
    return LoadedConfig(parse_cfg(Path(f"{base.name}.cfg"), base.text), []).tree


# ---- changes -------------------------------------------------------------------------------------------------------------


def _files_changes(base: Paper, files: Mapping[str, str]) -> Dict[str, Any]:
    """The paths of the splits; without dev a share of train, without test the stages that measure look at dev."""
    tree = _tree(base)
    changes: Dict[str, Any] = {f"paths.{split}": files.get(split) for split in ("train", "dev", "test")}
    if "dev" not in files:
        changes["data.dev_share"] = SHARE
    if "test" not in files:
        measuring = [name for name, stage in tree["stages"].items() if stage["@stages"] == "relcon.Evaluate.v1"]
        changes.update({f"stages.{name}.split": "dev" for name in measuring})
    return changes


def _data_changes(base: Paper, found: Found, facts: Facts) -> Dict[str, Any]:
    """Reader, labels, candidate rule, and what a paper asks about in its `[vars]`."""
    changes: Dict[str, Any] = {"data.reader.@readers": found.reader, "data.negative": facts.negative or ["none"]}
    if facts.annotated and not facts.multi_label:
        changes["data.candidates.@candidates"] = "relcon.AnnotatedPairs.v1"
        changes["data.negative"] = facts.negative
    else:
        changes.update({f"data.candidates.{key}": value for key, value in _pairs(facts).items()})
    asked = {"entity_types": facts.entity_types, "relation": facts.labels.most_common(1)[0][0]}
    there = _tree(base).get("vars") or {}
    return {**changes, **{f"vars.{key}": value for key, value in asked.items() if key in there}}


def _pairs(facts: Facts) -> Dict[str, Any]:
    return {
        "@candidates": "relcon.EntityPairs.v1",
        "scope": "sentence" if facts.within else "document",
        "types": facts.types,
        "directed": facts.directed,
        "several": "kept" if facts.multi_label else "lost",
    }


# ---- words ---------------------------------------------------------------------------------------------------------------


def _title(base: Paper) -> List[str]:
    """The comments that a config begins with."""
    lines = base.text.splitlines()
    return [line.lstrip("# ") for line in lines[: next(number for number, line in enumerate(lines) if not line.startswith("#"))]]


def _how(path: Path) -> List[str]:
    return [f"relcon check {path}", f"relcon train {path} --output runs/{path.stem}"]


def _said(found: Found, facts: Facts) -> List[str]:
    """What was found, in lines."""
    labels = ", ".join(f"{label} {count:,}" for label, count in facts.labels.most_common(12))
    more = f", and {len(facts.labels) - 12} more" if len(facts.labels) > 12 else ""
    return [
        f"Reader: {found.reader} ({found.reason}).",
        f"{found.files['train']}: {facts.documents:,} documents, {sum(facts.labels.values()):,} labelled relations.",
        f"Labels: {labels}{more}.",
        f"No relation: {', '.join(facts.negative) or 'no label is called so'}.",
        f"Within one sentence: {facts.positive - facts.across:,} of {facts.positive:,} relations.",
        f"Pairs with several labels: {facts.several:,}.",
    ]


def _notes(found: Found, facts: Facts) -> Dict[Keys, List[str]]:
    """Counts, above the keys that they decided."""
    negative = [f"'{label}': {facts.labels[label]:,} of {sum(facts.labels.values()):,}" for label in facts.negative]
    types = [f"{head or '?'} -> {tail or '?'} {count:,}" for (head, tail), count in facts.pairs.most_common(10)]
    named = f"{', '.join(negative)} labelled pairs." if negative else "No label of the data is called so; pairs without a relation get it."
    given = facts.annotated and not facts.multi_label
    rule = "The data name the pairs that are asked about." if given else "Pairs without a relation count as negative."
    return {
        ("data", "negative"): [named],
        ("data", "reader", "@readers"): [f"Found because: {found.reason}."],
        ("data", "candidates", "@candidates"): [rule, f"Types of related entities: {', '.join(types)}."],
        ("data", "candidates", "directed"): [f"The head stands first in {facts.forward:,} of {facts.positive:,} relations."],
        ("data", "candidates", "scope"): [f"{facts.across:,} of {facts.positive:,} relations are across sentences."],
        ("data", "candidates", "several"): [f"{facts.several:,} pairs have several labels."],
    }
