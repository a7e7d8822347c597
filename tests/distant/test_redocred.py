"""Real text: DocRED's unlabelled documents with the facts of Re-DocRED (skipped where RELCON_SHARED has them not).

The triples are keyed by name: every name of head with every name of tail of each label of Re-DocRED's development documents, lower-cased, a
name being the words of a mention joined by spaces. Where every mention of an entity is looked up, that finds 2,954 instances in 563
of the 1,000 documents; by the first mention alone it finds 2,762 in 543.
"""

import json
import os
from pathlib import Path

import pytest

from relcon.config import resolve
from relcon.distant.corpus import build_distant
from relcon.distant.knowledge import surface
from relcon.distant.parts import Excluded, Job

SHARED = Path(os.environ.get("RELCON_SHARED", "../shared"))
FACTS, TEXT = SHARED / "data/redocred/dev_revised.json", SHARED / "data/docred/test.json"

pytestmark = pytest.mark.skipif(not (FACTS.exists() and TEXT.exists()), reason="RELCON_SHARED has no DocRED and Re-DocRED")


@pytest.fixture(scope="module")
def triples(tmp_path_factory):
    """The facts as a file of triples."""
    found = {}
    for document in json.loads(FACTS.read_text(encoding="utf-8")):
        for label in document["labels"]:
            for head in names(document, label["h"]):
                found |= {(head, label["r"], tail): None for tail in names(document, label["t"])}
    path = tmp_path_factory.mktemp("facts") / "triples.tsv"
    path.write_text("".join("\t".join(triple) + "\n" for triple in found), encoding="utf-8")
    return path


def names(document, entity):
    """The names of an entity in the order of its mentions."""
    words = [(document["sents"][int(each["sent_id"])], each["pos"]) for each in document["vertexSet"][entity]]
    return list(dict.fromkeys(surface(" ".join(sentence[start:end])) for sentence, (start, end) in words))


@pytest.mark.parametrize("looked_up, instances, documents", [("every", 2954, 563), ("first", 2762, 543)])
def test_finecl_published_text_and_facts(triples, tmp_path, looked_up, instances, documents):
    linker = resolve({"@distant": "relcon.LinkedText.v1", "names": looked_up}, "[linker]")
    job = Job(builder=linker, reader=resolve({"@readers": "relcon.DocRED.v1"}, "[reader]"), text=TEXT, triples=triples)
    manifest = build_distant(job, tmp_path / "out")
    assert (manifest["documents_read"], manifest["instances"], manifest["documents"]) == (1000, instances, documents)


def test_the_leakage_filter_takes_the_development_documents_own_facts_away(triples, tmp_path):
    """Every triple comes from a pair that is asked about there."""
    from relcon.errors import RelconError

    reader = resolve({"@readers": "relcon.DocRED.v1"}, "[reader]")
    linker = resolve({"@distant": "relcon.LinkedText.v1"}, "[linker]")
    job = Job(builder=linker, reader=reader, text=TEXT, triples=triples, exclude=(Excluded(FACTS),))
    with pytest.raises(RelconError, match="543 left out: no label left after the leakage filter"):
        build_distant(job, tmp_path / "out")
