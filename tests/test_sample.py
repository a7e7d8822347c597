"""The sample corpus: what is in it, that no template is in two splits, and that the generator makes it again byte by byte."""

import importlib.util
import sys
from collections import Counter
from pathlib import Path

import pytest

from relcon import sample
from relcon.data.paths import dependency_path
from relcon.errors import RelconError
from relcon.readers.jsonlines import JSONLines
from relcon.synonyms.lexicon import Lexicon

ROOT = Path(__file__).parents[1]
SIZES = {"train": (480, 719), "dev": (120, 200), "test": (240, 350), "unlabelled": (500, 756)}
LABELS = {"none", "customer_of", "employee_of", "owner_of", "supplier_of"}


@pytest.fixture(scope="module")
def splits():
    return {split: list(JSONLines().read(sample.path(f"{split}.jsonl"))) for split in SIZES}


@pytest.fixture(scope="module")
def generator():
    """`benchmarks/make_sample.py` as a module."""
    folder = ROOT / "benchmarks"
    sys.path.insert(0, str(folder))
    try:
        spec = importlib.util.spec_from_file_location("make_sample", folder / "make_sample.py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(folder))
    return module


@pytest.mark.parametrize("split", SIZES)
def test_sizes_and_labels(splits, split):
    documents = splits[split]
    labels = Counter(relation.label for document in documents for relation in document.relations)
    assert (len(documents), sum(labels.values())) == SIZES[split]
    assert set(labels) == ({None} if split == "unlabelled" else LABELS)
    if split != "unlabelled":
        assert min(labels.values()) >= 0.1 * sum(labels.values())


def test_every_person_and_firm_is_a_pair(splits):
    for document in splits["train"] + splits["test"]:
        types = [entity.type for entity in document.entities]
        pairs = {(h, t) for h, head in enumerate(types) for t, tail in enumerate(types) if (head, tail) == ("PERSON", "FIRM")}
        assert {(relation.head, relation.tail) for relation in document.relations} == pairs


def test_every_pair_has_a_path(splits):
    for documents in splits.values():
        for document in documents:
            for relation in document.relations:
                head, tail = (document.entities[n].mentions[0] for n in (relation.head, relation.tail))
                assert len(dependency_path(document, head, tail)) >= 2


def test_what_makes_it_hard(splits):
    """Nested, multi-word and repeated names; sentences whose pairs differ in label."""
    train = splits["train"]
    assert sum(len(entity.mentions) > 1 for document in train for entity in document.entities) >= 20
    assert sum(len({relation.label for relation in document.relations}) > 1 for document in train) >= 100
    nested = [d for d in train if any(a.mentions[0].overlaps(b.mentions[0]) for a in d.entities for b in d.entities if a is not b)]
    assert len(nested) >= 100


def test_sentences_and_names(splits):
    """No sentence stands in two splits; a good part of the test names is unseen, and a good part is not."""
    words = [document.words for documents in splits.values() for document in documents]
    assert len(set(words)) == len(words)
    known, new = (
        {d.mention_text(e.mentions[0]).split()[-1] for d in splits[split] for e in d.entities if e.type == "PERSON"}
        for split in ("train", "test")
    )
    assert len(new - known) >= 10 and len(new & known) >= 10


def test_no_template_in_two_splits(generator):
    generator.check_templates()
    generator.CLAUSES["test"].append(generator.CLAUSES["train"][3])
    try:
        with pytest.raises(AssertionError, match="share"):
            generator.check_templates()
    finally:
        generator.CLAUSES["test"].pop()


def test_the_generator_makes_the_shipped_sentences(generator, splits):
    for split, documents in generator.documents():
        assert [(each.id, each.words, each.entities, each.relations) for each in documents] == [
            (each.id, each.words, each.entities, each.relations) for each in splits[split]
        ]


def test_the_generator_makes_the_shipped_bytes(generator, shared, tmp_path):
    made = dict(generator.documents())["dev"]
    generator.write(generator.parsed(made, str(shared("models/en_ud_small"))), tmp_path / "dev.jsonl")
    assert (tmp_path / "dev.jsonl").read_bytes() == sample.path("dev.jsonl").read_bytes()


def test_the_lexicon_knows_the_words(splits):
    """At least a quarter of the words outside names can be replaced, in training and in test sentences."""
    lexicon = Lexicon(str(sample.path("synonyms.tsv")))
    for split in ("train", "test"):
        outside = []
        for document in splits[split]:
            named = {n for entity in document.entities for m in entity.mentions for n in range(m.start, m.end)}
            outside += [word for n, word in enumerate(document.words) if n not in named]
        assert sum(bool(lexicon.synonyms(word)) for word in outside) > 0.25 * len(outside)


def test_the_shipped_files_are_small():
    assert sum(file.stat().st_size for file in sample.folder().iterdir() if file.is_file()) < 1_000_000


def test_paths():
    assert sample.resolve("sample:train.jsonl") == sample.path("train.jsonl") and sample.path("train.jsonl").is_file()
    assert sample.resolve("data/train.jsonl") == Path("data/train.jsonl")
    with pytest.raises(RelconError, match=r"no file 'trian.jsonl'. Did you mean 'train.jsonl'"):
        sample.path("trian.jsonl")
