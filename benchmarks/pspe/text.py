"""The sentences that the PSPE study pre-trains on: of training parts, or of texts that nothing is measured on; none of a test set."""

from pathlib import Path
from typing import Dict, Iterable, Iterator, List, Sequence

from relcon.config import resolve
from relcon.data.tokens import split_words
from relcon.files import atomic

Words = Sequence[str]

SOURCES = {
    "scierc/json/train.json": "relcon.DyGIE.v1",
    "semeval2010_task8/SemEval2010_task8_all_data/SemEval2010_task8_training/TRAIN_FILE.TXT": "relcon.SemEval2010.v1",
    "redocred/dev_revised.json": "relcon.DocRED.v1",
    "docred/test.json": "relcon.DocRED.v1",
    "docred/train_annotated_200.json": "relcon.DocRED.v1",
}
"""Files below the folder of the corpora, and their readers."""
NEGATIVE = "ade/ADE-Corpus-V2/ADE-NEG.txt"
"""ADE's sentences without an adverse effect: `PUBMED-ID NEG SENTENCE`."""
MEASURED = {
    "scierc/json/dev.json": "relcon.DyGIE.v1",
    "scierc/json/test.json": "relcon.DyGIE.v1",
    "ade/ade_full_spert.json": "relcon.SpERT.v1",
}
"""What is measured on; of ADE everything, since every sentence is in the test part of some fold."""


def build(data: Path, output: Path) -> int:
    """Write one sentence a line, words joined by spaces, each once, whatever its case and spaces; returns how many.

    data: the folder of the corpora. output: the file.
    """
    taken = {key(words) for file, reader in MEASURED.items() for words in sentences(data / file, reader)}
    kept: Dict[str, str] = {}
    for words in everything(data):
        if key(words) not in taken:
            kept.setdefault(key(words), " ".join(words))
    with atomic(output) as file:
        file.writelines(f"{line}\n" for line in kept.values())
    return len(kept)


def everything(data: Path) -> Iterator[Words]:
    """All sentences, twins and what is measured on included."""
    for file, reader in SOURCES.items():
        yield from sentences(data / file, reader)
    for line in (data / NEGATIVE).read_text(encoding="utf-8").split("\n"):
        _, _, sentence = line.partition(" NEG ")
        yield from [split_words(sentence)[0]] if sentence else []


def sentences(file: Path, reader: str) -> Iterator[Words]:
    """The sentences of a corpus."""
    for document in resolve({"@readers": reader}, "reader").read(file):
        yield from (document.words[start:end] for start, end in document.sentences)


def key(words: Iterable[str]) -> str:
    """What two sentences have in common that are the same."""
    return "".join(part for word in words for part in lowered(word))


def lowered(word: str) -> List[str]:
    """A word in lower case, without spaces."""
    return word.lower().split()
