"""The counts of an audited corpus as rows of tables, for the terminal and the page."""

from typing import Any, Dict, List

from relcon.audit.finding import CorpusAudit

Row = Dict[str, Any]

TYPE_PAIRS = 12
"""So many pairs of types are shown."""


def tables_of(corpus: CorpusAudit) -> Dict[str, List[Row]]:
    """All tables by title, but for those without a row."""
    tables = {
        "Splits": split_rows(corpus),
        "Labels": label_rows(corpus),
        "Entities": entity_rows(corpus),
        "Types of head and tail": type_rows(corpus),
    }
    return {title: rows for title, rows in tables.items() if rows}


def split_rows(corpus: CorpusAudit) -> List[Row]:
    """How much is in each split."""
    return [
        {
            "split": split.name,
            "documents": split.documents,
            "sentences": split.sentences,
            "words": split.words,
            "entities": sum(split.entities.values()),
            "relations": sum(count for label, count in split.relations.items() if label not in corpus.negative),
            "pairs": split.pairs,
            "unlabelled": split.unlabelled,
            "negative": _share(sum(split.labels.get(label, 0) for label in corpus.negative), sum(split.labels.values())),
            "lost": sum(split.lost.values()),
        }
        for split in corpus.splits
    ]


def label_rows(corpus: CorpusAudit) -> List[Row]:
    """Candidate pairs and relations of each label in each split; of a negative label the pairs."""
    labels = dict.fromkeys(label for split in corpus.splits for label in (*split.labels, *split.relations))
    return [
        {"label": label, **{f"{split.name}: {what}": getattr(split, part).get(label) for split in corpus.splits for what, part in _PARTS}}
        for label in labels
    ]


_PARTS = (("pairs", "labels"), ("relations", "relations"))


def entity_rows(corpus: CorpusAudit) -> List[Row]:
    """Entities of each type in each split."""
    types = dict.fromkeys(each for split in corpus.splits for each in split.entities)
    return [{"type": each or "(none)", **{split.name: split.entities.get(each) for split in corpus.splits}} for each in types]


def type_rows(corpus: CorpusAudit) -> List[Row]:
    """The most frequent pairs of types: candidates, and those of them with a relation, in each split."""
    rows: Dict[str, Row] = {}
    for split in corpus.splits:
        for each in split.type_pairs:
            name = f"{each.head or '(none)'} -> {each.tail or '(none)'}"
            row = rows.setdefault(name, {"head -> tail": name})
            row[f"{split.name}: pairs"] = each.pairs
            row[f"{split.name}: related"] = sum(count for label, count in each.labels.items() if label not in corpus.negative)
    return list(rows.values())[:TYPE_PAIRS]


def _share(part: int, whole: int) -> Any:
    return f"{part / whole:.1%}" if whole else None
