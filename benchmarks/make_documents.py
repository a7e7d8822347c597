"""Invented documents of any number in relcon's JSON-lines, for measuring what large data cost.

Run: python benchmarks/make_documents.py --documents 100000 --words 200 --instances 15 --seed 1 OUT.jsonl
"""

import argparse
import json
import random
from pathlib import Path
from typing import Any, Dict, List

ENTITIES = 8
"""Entities of a document; its relations join pairs of them."""

LABELS = ("none", "binds", "blocks", "carries", "feeds", "follows", "holds", "moves", "raises")
TYPES = ("AGENT", "PLACE", "STUFF")
SENTENCE = 20
"""Words of a sentence."""

SYLLABLES = ("ba", "cro", "den", "fi", "gu", "hal", "jo", "kem", "li", "mor", "ne", "pru", "qua", "ris", "ste", "tu", "vol", "wy", "zan")


def main() -> None:
    arguments = parser().parse_args()
    write(arguments.out, arguments.documents, arguments.words, arguments.instances, arguments.seed)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("out", type=Path)
    for name, default in (("documents", 100_000), ("words", 200), ("instances", 15), ("seed", 1)):
        made.add_argument(f"--{name}", type=int, default=default)
    return made


def write(out: Path, documents: int, words: int, instances: int, seed: int) -> None:
    """Write so many documents of so many words with so many relations each. One seed, one file.

    ValueError where the entities of a document do not make so many pairs.
    """
    most = ENTITIES * (ENTITIES - 1) // 2
    if not 0 < instances <= most:
        raise ValueError(f"instances: {instances} is not from 1 to {most}, the pairs of {ENTITIES} entities")
    draw = random.Random(seed)
    vocabulary = ["é", *sorted({"".join(draw.choices(SYLLABLES, k=draw.randint(1, 3))) for _ in range(30_000)})]
    with out.open("w", encoding="utf-8") as file:
        for number in range(documents):
            file.write(json.dumps(document(number, words, instances, vocabulary, draw), ensure_ascii=False) + "\n")


def document(number: int, words: int, instances: int, vocabulary: List[str], draw: random.Random) -> Dict[str, Any]:
    """One document: words, text, sentences of twenty words, entities of one or two words, relations between distinct pairs."""
    chosen = draw.choices(vocabulary, k=words)
    starts = sorted(draw.sample(range(0, words - 2, 2), ENTITIES))
    entities = [{"id": f"T{n}", "type": draw.choice(TYPES), "words": [s, s + draw.randint(1, 2)]} for n, s in enumerate(starts)]
    pairs = draw.sample([(head, tail) for head in range(ENTITIES) for tail in range(head + 1, ENTITIES)], instances)
    return {
        "id": f"made-{number}",
        "text": " ".join(chosen),
        "words": chosen,
        "sentences": {"words": [[start, min(start + SENTENCE, words)] for start in range(0, words, SENTENCE)]},
        "entities": entities,
        "relations": [{"head": head, "tail": tail, "label": draw.choice(LABELS)} for head, tail in pairs],
        "metadata": {"document": f"group-{number // 4}"},
    }


if __name__ == "__main__":
    main()
