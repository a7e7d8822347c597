"""Fixtures for the tests of shipped configs: small corpora of invented sentences in each corpus's own format, a parser, an encoder."""

import json
from pathlib import Path
from typing import Callable, Dict, List, Sequence, Tuple

import pytest

from relcon.testing import tiny_encoder_folder

PLACES = ("yeast", "cells", "mice", "serum")


def sentences(labels: Sequence[str], each: int, before: str, after: str) -> List[Tuple[str, str]]:
    """(label, sentence) pairs, `each` of every label; `before` and `after` are the arguments, with {n} in their names."""
    pairs = [(label, number) for number in range(each) for label in labels]
    return [
        (label, f"{before} strongly changed {after} number {labels.index(label)} in {PLACES[number % 4]}.".replace("{n}", str(number)))
        for label, number in pairs
    ]


@pytest.fixture(scope="session")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random BERT that reads up to 256 word pieces."""
    return tiny_encoder_folder(tmp_path_factory.mktemp("encoder") / "bert", positions=256)


@pytest.fixture(scope="session")
def parser(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A spaCy pipeline whose dependency parser has seen one sentence: its trees are trees, and no more."""
    import spacy
    from spacy.training import Example

    nlp = spacy.blank("en")
    nlp.add_pipe("parser", config={"min_action_freq": 1})
    annotation = {"heads": [1, 1, 1, 4, 1], "deps": ["nsubj", "ROOT", "obj", "case", "obl"]}
    example = Example.from_dict(nlp.make_doc("Fen blocked Kap in yeast"), annotation)
    nlp.initialize(lambda: [example])
    folder = tmp_path_factory.mktemp("parser") / "en_tiny"
    nlp.to_disk(folder)
    return folder


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Dict[str, Path]]:
    """`small("ddi")`: the `[paths]` of a small corpus in the format that this config reads."""
    top = tmp_path_factory.mktemp("small")
    writers: Dict[str, Callable[[Path], Dict[str, Path]]] = {"chemprot": chemprot, "ddi": ddi, "ppi": aimed, "semeval": semeval}
    made: Dict[str, Dict[str, Path]] = {}

    def paths(task: str) -> Dict[str, Path]:
        if task not in made:
            (top / task).mkdir()
            made[task] = writers[task](top / task)
        return made[task]

    return paths


# ---- corpora -----------------------------------------------------------------------------------------------------------


def chemprot(folder: Path) -> Dict[str, Path]:
    """Abstracts of one sentence each: every group twice, and as many sentences without a relation."""
    groups = ["CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9", ""]
    for split in ("train", "dev", "test"):
        tables: Dict[str, List[str]] = {"abstracts": [], "entities": [], "relations": []}
        for number, (group, body) in enumerate(sentences(groups, 2, "fenlor{n}", "KLR{n}")):
            text = f"Findings.\t{body}"
            tables["abstracts"].append(f"{number}\t{text}")
            for name, kind, word in (("T1", "CHEMICAL", body.split()[0]), ("T2", "GENE-Y", body.split()[3])):
                start = text.index(word)
                tables["entities"].append(f"{number}\t{name}\t{kind}\t{start}\t{start + len(word)}\t{word}")
            if group:
                tables["relations"].append(f"{number}\t{group}\tY \tX\tArg1:T1\tArg2:T2")
        (folder / split).mkdir()
        for name, rows in tables.items():
            (folder / split / f"small_{name}.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return {split: folder / split for split in ("train", "dev", "test")}


def ddi(folder: Path) -> Dict[str, Path]:
    """XML documents of one sentence each: every kind of pair three times."""
    kinds = ["false", "advise", "effect", "int", "mechanism"]
    for split in ("train", "test"):
        (folder / split).mkdir()
        for number, (kind, body) in enumerate(sentences(kinds, 3, "fenlor{n}", "tulipan{n}")):
            spans = [(body.index(word), word) for word in (body.split()[0], body.split()[3])]
            entities = "".join(
                f'<entity id="d{number}.s0.e{n}" charOffset="{start}-{start + len(word) - 1}" type="drug" text="{word}"/>'
                for n, (start, word) in enumerate(spans)
            )
            answer = 'ddi="false"' if kind == "false" else f'ddi="true" type="{kind}"'
            pair = f'<pair id="d{number}.s0.p0" e1="d{number}.s0.e0" e2="d{number}.s0.e1" {answer}/>'
            sentence = f'<sentence id="d{number}.s0" text="{body}">{entities}{pair}</sentence>'
            (folder / split / f"d{number}.xml").write_text(f'<document id="d{number}">{sentence}</document>', encoding="utf-8")
    return {split: folder / split for split in ("train", "test")}


def aimed(folder: Path) -> Dict[str, Path]:
    """Two folds of the unified pairs."""
    for fold in range(2):
        rows = []
        for number, (label, body) in enumerate(sentences(["negative", "positive"], 5, "Abrin{n}", "Torvase{n}")):
            relation: Dict[str, object] = {"relation_type": label}
            for side, word in ((1, body.split()[0]), (2, body.split()[3])):
                start = body.index(word)
                relation.update({f"entity_{side}_idx": [[start, start + len(word)]], f"entity_{side}_type": "protein"})
            name = f"Small.d{fold}{number}.s0"
            rows.append(json.dumps({"id": f"{name}_{name}.p0", "text": body, "relation": [relation]}))
        (folder / f"test_{fold}.json").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return {"train": folder}


def semeval(folder: Path) -> Dict[str, Path]:
    """The official text: every label ten times, so that a tenth can be held out."""
    from relcon.evaluators.profiles import DIRECTED

    paths = {}
    for split in ("train", "test"):
        rows = sentences(["Other", *DIRECTED], 10, "The <e1>chain{n}</e1>", "the <e2>wheel{n}</e2>")
        blocks = [f'{number}\t"{body}"\n{label}\nComment:\n' for number, (label, body) in enumerate(rows, 1)]
        paths[split] = folder / f"{split}.txt"
        paths[split].write_text("\n".join(blocks) + "\n", encoding="utf-8")
    return paths
