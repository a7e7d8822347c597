"""Every corpus read by its reader: counts against the published ones, there and back through relcon JSON-lines, documents per second.

Run: RELCON_SHARED=FOLDER_WITH_THE_CORPORA python benchmarks/corpora.py [NAME ...]

Prints a table in Markdown, a row for each corpus whose name begins with one of the NAMEs (all of them without any). A corpus that is not in
the folder is left out, and said. Seconds are the median of three readings in one process, after spaCy's rules are loaded; no cache takes
part.
"""

import os
import statistics
import sys
import tempfile
import time
from itertools import zip_longest
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

from relcon.data.document import Document
from relcon.data.tokens import split_words
from relcon.interfaces import DatasetReader, Writer

HEAD = ("corpus", "reader", "documents", "entities", "labelled pairs", "against the published counts", "there and back", "documents/s")

NEGATIVE = {"Other", "DDI-false", "negative", "false"}
"""Labels that mean 'no relation' in these corpora."""


def relations(documents: Sequence[Document]) -> int:
    """Labelled pairs, those without a relation included."""
    return sum(relation.label is not None for document in documents for relation in document.relations)


def positives(documents: Sequence[Document]) -> int:
    return sum(relation.label not in {None, *NEGATIVE} for document in documents for relation in document.relations)


def entities(documents: Sequence[Document]) -> int:
    return sum(len(document.entities) for document in documents)


def mentions(documents: Sequence[Document]) -> int:
    return sum(len(entity.mentions) for document in documents for entity in document.entities)


def sources(documents: Sequence[Document]) -> int:
    """Documents that the corpus has, where a document here is a sentence of one."""
    return len({document.metadata.get("document", document.id) for document in documents})


def labels(documents: Sequence[Document]) -> int:
    return len({relation.label for document in documents for relation in document.relations} - {None})


Measure = Callable[[Sequence[Document]], int]


class Corpus(NamedTuple):
    """A part of a corpus. path: below `data`. published: measure -> the number that was published, from `source`."""

    name: str
    path: str
    reader: str
    published: Dict[Measure, int]
    source: str
    arguments: Dict[str, Any] = {}


SEMEVAL = "semeval2010_task8/SemEval2010_task8_all_data/SemEval2010_task8"
OPENNRE = "Han et al. 2019, splits of the release"
CHEMPROT = "Krallinger et al. 2017, the corpus's own counts"
DDI = "Herrero-Zazo et al. 2013, SemEval-2013 Task 9"
TEST = "ddi2013/Test/Test for DDI Extraction task"
SCIERC = "Luan et al. 2018, splits of the release"
FEWREL = "Han et al. 2018"
WIKI80 = "Peng et al. 2020, shares of 80 x 700 items"
REDOCRED = "Tan et al. 2022 (34.6 and 34.9 facts per document)"

CORPORA: List[Corpus] = [
    Corpus(
        "ADE, SpERT's form",
        "ade/ade_full_spert.json",
        "relcon.SpERT.v1",
        {len: 4272, entities: 5063 + 5776, relations: 6821},
        "Gurulingappa et al. 2012; Eberts and Ulges 2020",
    ),
    Corpus("ADE, drugs and effects", "ade/ADE-Corpus-V2/DRUG-AE.rel", "relcon.ADE.v1", {relations: 6821}, "Gurulingappa et al. 2012"),
    Corpus(
        "ADE, drugs and doses",
        "ade/ADE-Corpus-V2/DRUG-DOSE.rel",
        "relcon.ADE.v1",
        {relations: 279},
        "Gurulingappa et al. 2012",
        {"relation": "Dosage"},
    ),
    *(
        Corpus(f"SemEval-2010 Task 8, {part}", f"{SEMEVAL}_{file}", "relcon.SemEval2010.v1", {len: size}, "Hendrickx et al. 2010")
        for part, file, size in (("train", "training/TRAIN_FILE.TXT", 8000), ("test", "testing_keys/TEST_FILE_FULL.TXT", 2717))
    ),
    *(
        Corpus(f"SemEval-2010 Task 8, OpenNRE's {part}", f"semeval2010_task8/opennre/{part}.txt", "relcon.OpenNRE.v1", {len: size}, OPENNRE)
        for part, size in (("train", 6507), ("val", 1493), ("test", 2717))
    ),
    *(
        Corpus(
            f"ChemProt, {part}",
            f"chemprot/ChemProt_Corpus/chemprot_{part}",
            "relcon.ChemProt.v1",
            {len: abstracts, entities: found, relations: gold},
            CHEMPROT,
        )
        for part, abstracts, found, gold in (
            ("training", 1020, 13017 + 8348 + 4387, 4157),
            ("development", 612, 8004 + 5151 + 2412, 2416),
            ("test_gs", 800, 10810 + 6658 + 3360, 3458),
        )
    ),
    *(
        Corpus(f"ChemProt, SciBERT's {part}", f"chemprot/scibert/{part}.txt", "relcon.SciBERT.v1", {len: size}, "Beltagy et al. 2019")
        for part, size in (("train", 4169), ("dev", 2427), ("test", 3469))
    ),
    Corpus("AIMed, tags", "aimed/aimed", "relcon.AIMed.v1", {len: 225}, "Bunescu et al. 2005"),
    Corpus(
        "AIMed, unified pairs", "aimed/folds_json", "relcon.AIMedFolds.v1", {relations: 5834, positives: 1000}, "Pyysalo et al. 2008"
    ),
    *(
        Corpus(f"DDI-2013, {name}", path, "relcon.DDI2013.v1", {sources: texts, relations: pairs, positives: found}, DDI)
        for name, path, texts, pairs, found in (
            ("train DrugBank", "ddi2013/Train/DrugBank", 572, 26005, 3789),
            ("train MedLine", "ddi2013/Train/MedLine", 142, 1787, 232),
            ("test DrugBank", f"{TEST}/DrugBank", 158, 5265, 884),
            ("test MedLine", f"{TEST}/MedLine", 33, 451, 95),
        )
    ),
    Corpus("DocRED, 200 of train", "docred/train_annotated_200.json", "relcon.DocRED.v1", {}, "a part; nothing is published of it"),
    Corpus("DocRED, test (unlabelled)", "docred/test.json", "relcon.DocRED.v1", {len: 1000}, "Yao et al. 2019"),
    Corpus("Re-DocRED, dev", "redocred/dev_revised.json", "relcon.DocRED.v1", {len: 500, relations: 17284}, REDOCRED),
    Corpus("Re-DocRED, test", "redocred/test_revised.json", "relcon.DocRED.v1", {len: 500, relations: 17448}, REDOCRED),
    *(
        Corpus(f"SciERC, {part}", f"scierc/json/{part}.json", "relcon.DyGIE.v1", {sources: abstracts}, SCIERC)
        for part, abstracts in (("train", 350), ("dev", 50), ("test", 100))
    ),
    *(
        Corpus(f"SciERC, SciBERT's {part}", f"scierc/scibert/{part}.txt", "relcon.SciBERT.v1", {len: size}, "Beltagy et al. 2019")
        for part, size in (("train", 3219), ("dev", 455), ("test", 974))
    ),
    Corpus("FewRel, validation", "fewrel/val_wiki.json", "relcon.FewRel.v1", {len: 11200, labels: 16}, FEWREL),
    *(
        Corpus(f"wiki80, {name}", f"wiki80/{file}.txt", "relcon.OpenNRE.v1", {len: size, labels: 80}, WIKI80)
        for name, file, size in (("dev", "dev", 5600), ("10 % of train", "train_0.1", 3920), ("1 % of train", "train_0.01", 400))
    ),
]

NAMES: Dict[Measure, str] = {
    len: "documents",
    entities: "entities",
    mentions: "mentions",
    relations: "labelled pairs",
    positives: "relations",
    sources: "texts",
    labels: "labels",
}


def main(names: Sequence[str]) -> None:
    split_words("spaCy's rules are loaded before the first reading")
    data = Path(os.environ.get("RELCON_SHARED", "../shared")) / "data"
    row(*HEAD)
    row(*("---" for _ in HEAD))
    for corpus in CORPORA:
        if names and not corpus.name.startswith(tuple(names)):
            continue
        if (data / corpus.path).exists():
            measure(corpus, data / corpus.path)
        else:
            print(f"{corpus.name}: {data / corpus.path} is not there", file=sys.stderr)


def measure(corpus: Corpus, path: Path) -> None:
    """The row of a corpus."""
    reader = DatasetReader.registry.get(corpus.reader)(**corpus.arguments)
    times, documents = [], []
    for _ in range(3):
        begun = time.perf_counter()
        documents = list(reader.read(path))
        times.append(time.perf_counter() - begun)
    row(
        corpus.name,
        f"`{corpus.reader}`",
        f"{len(documents):,}",
        f"{entities(documents):,}",
        f"{relations(documents):,}",
        compared(corpus, documents),
        there_and_back(documents),
        f"{len(documents) / statistics.median(times):,.0f}",
    )


def compared(corpus: Corpus, documents: Sequence[Document]) -> str:
    """The published numbers, and what is here where that differs."""
    found = [(NAMES[count], number, count(documents)) for count, number in corpus.published.items()]
    said = [f"{name} {number:,}" + (" ✓" if number == here else f", here {here:,}") for name, number, here in found]
    return "; ".join([*said, corpus.source])


def there_and_back(documents: Sequence[Document]) -> str:
    """Whether the documents come back from relcon JSON-lines as they were."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.jsonl"
        Writer.registry.get("relcon.JSONLines.v1")().write(documents, path)
        again = list(DatasetReader.registry.get("relcon.JSONLines.v1")().read(path))
    changed = sum(one != other for one, other in zip_longest(documents, again))
    return "equal" if not changed else f"{changed} of {len(documents)} differ"


def row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
