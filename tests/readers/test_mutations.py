"""Every registered reader on damaged files: the same documents, other sound ones, or a RelconError; never another exception.

The files are the examples of docs/formats/, so that a new reader is tested as soon as it has a page; those of the plugins; and, where
RELCON_SHARED has them, beginnings of the real corpora.
"""

import json
import os
import re
import runpy
import shutil
from collections import Counter
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any, Dict, Iterator, List, NamedTuple, Set, Tuple

import pytest
from hypothesis import given, note, settings
from hypothesis import strategies as st

from relcon.data.document import Document
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader
from relcon.testing.mutations import check_answer, mutated, shifted, write

PAGES: Dict[str, Any] = runpy.run_path(str(Path(__file__).with_name("test_formats_page.py")))

CASES = settings(max_examples=150, deadline=5000)
"""A case that takes longer than five seconds hangs."""


class Seed(NamedTuple):
    """A sound example. files: name -> content; the first one is read, or with `whole` their folder. arguments: of the reader."""

    reader: str
    files: Dict[str, bytes]
    whole: bool = False
    arguments: Dict[str, Any] = {}

    def path(self, folder: Path) -> Path:
        return folder if self.whole else folder / next(iter(self.files))

    def make(self) -> DatasetReader:
        return DatasetReader.registry.get(self.reader)(**self.arguments)


def lines(*records: Any) -> bytes:
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records).encode()


MENTIONED = {
    "id": "m1",
    "text": "Zorvane (KLR2) wärmt Orsk.",
    "mentions": [{"start": 0, "end": 7, "type": "D", "kb_id": "Z1"}, {"start": 21, "end": 25, "type": "P"}],
}
SENTENCE = {
    "articleId": "a1",
    "sentId": 0,
    "sentText": "Zorvane binds the KLR2 of Orsk .",
    "entityMentions": [
        {"emId": "e0", "text": "Zorvane", "offset": [0, 1], "label": "D"},
        {"emId": "e1", "text": "KLR2 of Orsk", "offset": [3, 6], "label": "P"},
    ],
    "relationMentions": [{"em1Id": "e0", "em2Id": "e1", "em1Text": "Zorvane", "em2Text": "KLR2 of Orsk", "label": "binds"}],
}
PRETRAINING = {
    "sents": [["Zorvane", "lies", "in", "Orsk", "."], ["Orsk", "is", "old", "."]],
    "vertexSet": [
        [{"id": "Q1", "type": "LOC", "sent_id": 0, "pos": [0, 1]}],
        [{"id": "Q2", "type": "LOC", "sent_id": 0, "pos": [3, 4]}, {"id": "Q2", "type": "LOC", "sent_id": 1, "pos": [0, 1]}],
    ],
    "labels": [{"h": 0, "t": 1, "r": "P17", "uid": 7, "in_test+dev_set": False}],
    "na_triple": [[1, 0]],
}
BLINDED = b"index\tsentence\tlabel\nk1.T1.T2\t@CHEMICAL$ inhibits @GENE$ in Orsk.\tCPR:4\nk1.T1.T3\tBoth @CHEM-GENE$ grow.\tfalse\n"
OPENNRE = [
    {"token": ["the", "KLR2", "of", "Orsk"], "h": {"name": "KLR2", "pos": [1, 2]}, "t": {"name": "Orsk", "pos": [3, 4]}, "relation": "in"},
    {"text": "Zorvane wärmt Orsk.", "h": {"name": "Orsk", "pos": [14, 18], "id": "Q2"}, "t": {"name": "Zorvane", "pos": [0, 7]}},
]
STUDIO = {
    "id": 1,
    "data": {"text": "Zorvane wärmt Orsk."},
    "annotations": [
        {
            "id": 7,
            "result": [
                {"id": "r1", "type": "labels", "value": {"start": 0, "end": 7, "text": "Zorvane", "labels": ["D"]}},
                {"id": "r2", "type": "labels", "value": {"start": 14, "end": 18, "text": "Orsk", "labels": ["P"]}},
                {"type": "relation", "from_id": "r1", "to_id": "r2", "direction": "right", "labels": ["warms"]},
            ],
        }
    ],
}
COPIES = b"1\t@PROTEIN$ binds @PROTEIN$ .\t@PROTEIN$ holds @PROTEIN$ .\n"
OWN = {
    "id": "o1",
    "text": "Zorvane wärmt KLR2 und Orsk.",
    "entities": [
        {"type": "D", "chars": [0, 7], "text": "Zorvane"},
        {"type": "P", "mentions": [{"chars": [[14, 18], [23, 27]], "text": "KLR2 Orsk"}, {"chars": [23, 27], "text": "Orsk"}]},
    ],
    "relations": [{"head": 0, "tail": 1, "label": "warms"}],
}

OTHERS = [
    Seed("clre.BlindedTSV.v1", {"pairs.tsv": BLINDED}),
    Seed("clre.AugmentationTSV.v1", {"copies.tsv": COPIES}, arguments={"use": "all"}),
    Seed("clre.MentionedText.v1", {"text.jsonl": lines(MENTIONED)}),
    Seed("pspe.Sentences.v1", {"train.json": lines(SENTENCE)}),
    Seed("pspe.Sentences.v1", {"found.json": lines(SENTENCE)}, arguments={"offsets": "found"}),
    Seed("finecl.PretrainingDocuments.v1", {"part.json": json.dumps([PRETRAINING]).encode()}),
    Seed("finecl.PretrainingDocuments.v1", {"lists.json": json.dumps([PRETRAINING]).encode()}, arguments={"pos_form": "list"}),
    Seed("relcon.JSONLines.v1", {"claimed.jsonl": lines(OWN)}),
    Seed("relcon.OpenNRE.v1", {"claimed.jsonl": lines(*OPENNRE)}),
    Seed("relcon.LabelStudio.v1", {"claimed.json": json.dumps([STUDIO]).encode()}),
    Seed("relcon.DyGIE.v1", {"whole.json": PAGES["examples"]()["relcon.DyGIE.v1"]["train.json"].encode()}, arguments={"unit": "document"}),
]


def example(name: str) -> Seed:
    """The example of a page."""
    with TemporaryDirectory() as folder:

        def put(file: str, text: str) -> Path:
            path = Path(folder) / file
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="")
            return path

        path: Path = PAGES["example"](name, put)
        files = [path] if path.is_file() else [path / file for file in PAGES["examples"]()[name]]
        return Seed(name, {file.name: file.read_bytes() for file in files}, path.is_dir())


SEEDS = [*map(example, sorted(PAGES["examples"]())), *OTHERS]

CLAIMING = (
    *("relcon.ChemProt.v1", "relcon.DDI2013.v1", "pspe.Sentences.v1"),
    *("relcon.BRAT.v1", "relcon.BioC.v1", "relcon.PubTator.v1", "relcon.PPI.v1", "relcon.BigBio.v1"),
)
"""Formats that write beside every span the text that it covers."""

LOOSE = ("relcon.OpenNRE.v1",)
"""Formats that compare letters and digits alone, in one case."""

CLAIMS = [seed for seed in SEEDS if seed.reader in CLAIMING or next(iter(seed.files)).startswith("claimed")]


def named(seed: Seed) -> str:
    return f"{seed.reader}-{next(iter(seed.files))}"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all cases."""
    return tmp_path_factory.mktemp("mutations")


def fresh(folder: Path, seed: Seed) -> Path:
    """A folder for the cases of a test, without the files of another one."""
    own = folder / "case"
    shutil.rmtree(own, ignore_errors=True)
    own.mkdir()
    write(seed.files, own)
    return own


def test_every_registered_reader_takes_part() -> None:
    assert {seed.reader for seed in SEEDS} == set(DatasetReader.registry.names()) - {"cloce.SpacyTypes.v1"}  # reads by another one


@pytest.mark.parametrize("seed", SEEDS, ids=named)
def test_the_example_is_sound(seed: Seed, folder: Path) -> None:
    assert check_answer(seed.make(), seed.path(fresh(folder, seed)))


@pytest.mark.parametrize("seed", SEEDS, ids=named)
def test_a_damaged_file_gives_sound_documents_or_an_error(seed: Seed, folder: Path) -> None:
    own, reader = fresh(folder, seed), seed.make()

    @CASES
    @given(random=st.randoms(use_true_random=False))
    def survives(random: Random) -> None:
        mutation = mutated(seed.files, random)
        note(f"{mutation.what}: {mutation.files}")
        write(mutation.files, own)
        check_answer(reader, seed.path(own))

    survives()


@pytest.mark.parametrize("seed", CLAIMS, ids=named)
def test_a_shifted_position_never_gives_another_text(seed: Seed, folder: Path) -> None:
    """With one number changed, a mention is what the file says that it is, or the file is refused."""
    own, reader = fresh(folder, seed), seed.make()
    kept = re.compile(r"\w" if seed.reader in LOOSE else r"\S")
    texts = texts_of(check_answer(reader, seed.path(own)) or [], kept)

    @CASES
    @given(random=st.randoms(use_true_random=False))
    def holds(random: Random) -> None:
        mutation = shifted(seed.files, random)
        note(f"{mutation.what}: {mutation.files}")
        write(mutation.files, own)
        assert texts_of(check_answer(reader, seed.path(own)) or [], kept) <= texts

    holds()


def texts_of(documents: List[Document], kept: "re.Pattern[str]") -> Set[str]:
    """The mentions as their documents have them. kept: the characters that count."""
    mentions = ((document, mention) for document in documents for entity in document.entities for mention in entity.mentions)
    return {"".join(kept.findall(document.mention_text(mention))) for document, mention in mentions}


# ---- real records ------------------------------------------------------------------------------------------------------

BYTES = 50_000
"""So much of each file is damaged."""

REAL: List[Tuple[str, str]] = [
    ("relcon.SemEval2010.v1", "semeval2010_task8/SemEval2010_task8_all_data/SemEval2010_task8_training/TRAIN_FILE.TXT"),
    ("relcon.OpenNRE.v1", "semeval2010_task8/opennre/train.txt"),
    ("relcon.OpenNRE.v1", "wiki80/dev.txt"),
    ("relcon.SpERT.v1", "ade/ade_full_spert.json"),
    ("relcon.DyGIE.v1", "scierc/json/train.json"),
    ("relcon.DocRED.v1", "docred/train_annotated_200.json"),
    ("relcon.DocRED.v1", "redocred/dev_revised.json"),
    ("relcon.AIMedFolds.v1", "aimed/folds_json/test_0.json"),
    ("relcon.AIMed.v1", "aimed/aimed/abstract_11780382"),
    ("relcon.DDI2013.v1", "ddi2013/Train/DrugBank/Dextroamphetamine_ddi.xml"),
    ("relcon.ADE.v1", "ade/ADE-Corpus-V2/DRUG-AE.rel"),
    ("relcon.SciBERT.v1", "chemprot/scibert/train.txt"),
    ("relcon.SciBERT.v1", "scierc/scibert/train.txt"),
    ("relcon.FewRel.v1", "fewrel/val_wiki.json"),
]


def beginning(path: Path) -> bytes:
    """The first records of a file: items of a JSON array, values of an object's lists, or lines."""
    data = path.read_bytes()
    if data.startswith((b"[", b'{"P')):
        return json.dumps(shortened(json.loads(data))).encode()
    return b"".join(within(data.splitlines(keepends=True)))


def shortened(value: Any) -> Any:
    return dict([(key, shortened(inner[:50])) for key, inner in value.items()][:1]) if isinstance(value, dict) else list(within(value))


def within(records: List[Any]) -> Iterator[Any]:
    """The first records, up to the number of bytes."""
    size = 0
    for record in records:
        size += len(record) if isinstance(record, bytes) else len(json.dumps(record))
        if size > BYTES:
            return
        yield record


@pytest.mark.parametrize(("name", "file"), REAL)
def test_damaged_real_records(name: str, file: str, folder: Path) -> None:
    path = Path(os.environ.get("RELCON_SHARED", "../shared")) / "data" / file
    if not path.exists():
        pytest.skip(f"{file} is not in the folder of RELCON_SHARED")
    seed = Seed(name, {path.name: beginning(path)})
    own, reader, answers = fresh(folder, seed), seed.make(), Counter[bool]()
    for number in range(12):
        mutation = mutated(seed.files, Random(number))
        write(mutation.files, own)
        answers[check_answer(reader, seed.path(own)) is None] += 1
    assert answers[True], "no mutation was noticed"


def test_an_error_is_no_other_exception(folder: Path) -> None:
    """The check itself: what is no RelconError, names no file or has wrong spans is found."""

    class Careless(DatasetReader):
        def read(self, path: Path) -> Iterator[Document]:
            raise RelconError("Something is wrong.")

    with pytest.raises(AssertionError, match="does not name"):
        check_answer(Careless(), folder)
