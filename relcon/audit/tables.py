"""The counts of an audit as rows of tables, for the terminal and the page."""

from typing import Any, Dict, List

from relcon.audit.finding import Audit

Row = Dict[str, Any]

TYPE_PAIRS = 12
"""So many pairs of types are shown."""


def tables_of(audit: Audit) -> Dict[str, List[Row]]:
    """All tables by title, but for those without a row."""
    tables = {
        "Splits": split_rows(audit),
        "Labels": label_rows(audit),
        "Entities": entity_rows(audit),
        "Types of head and tail": type_rows(audit),
    }
    return {title: rows for title, rows in tables.items() if rows}


def split_rows(audit: Audit) -> List[Row]:
    """How much is in each split."""
    return [
        {
            "split": split.name,
            "documents": split.documents,
            "sentences": split.sentences,
            "words": split.words,
            "entities": sum(split.entities.values()),
            "relations": sum(count for label, count in split.relations.items() if label not in audit.negative),
            "pairs": split.pairs,
            "unlabelled": split.unlabelled,
            "negative": _share(sum(split.labels.get(label, 0) for label in audit.negative), sum(split.labels.values())),
            "lost": sum(split.lost.values()),
        }
        for split in audit.splits
    ]


def label_rows(audit: Audit) -> List[Row]:
    """Candidate pairs and relations of each label in each split; of a negative label the pairs."""
    labels = dict.fromkeys(label for split in audit.splits for label in (*split.labels, *split.relations))
    return [
        {"label": label, **{f"{split.name}: {what}": getattr(split, part).get(label) for split in audit.splits for what, part in _PARTS}}
        for label in labels
    ]


_PARTS = (("pairs", "labels"), ("relations", "relations"))


def entity_rows(audit: Audit) -> List[Row]:
    """Entities of each type in each split."""
    types = dict.fromkeys(each for split in audit.splits for each in split.entities)
    return [{"type": each or "(none)", **{split.name: split.entities.get(each) for split in audit.splits}} for each in types]


def type_rows(audit: Audit) -> List[Row]:
    """The most frequent pairs of types: candidates, and those of them with a relation, in each split."""
    rows: Dict[str, Row] = {}
    for split in audit.splits:
        for each in split.type_pairs:
            name = f"{each.head or '(none)'} -> {each.tail or '(none)'}"
            row = rows.setdefault(name, {"head -> tail": name})
            row[f"{split.name}: pairs"] = each.pairs
            row[f"{split.name}: related"] = sum(count for label, count in each.labels.items() if label not in audit.negative)
    return list(rows.values())[:TYPE_PAIRS]


def _share(part: int, whole: int) -> Any:
    return f"{part / whole:.1%}" if whole else None
