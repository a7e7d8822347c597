"""External-knowledge pairs and the database exports behind them (specification section 6), on invented records."""

import json
from collections import Counter
from pathlib import Path

import pytest
from relcon_clre.builders import UNCITED, UNLISTED
from relcon_clre.databases import read_database

from relcon.cli.main import main
from relcon.config import load_config, resolve
from relcon.data.candidates import AnnotatedPairs
from relcon.errors import DataError, RelconError
from relcon.pairs import check_builder_config
from relcon.renderers.blinded import Blinded

ROOT = Path(__file__).parents[3]
DATA = Path(__file__).parent / "data"


@pytest.fixture
def builder(tmp_path):
    """`builder(types=...)`: the builder as a config builds it, by default on the invented abstracts."""

    def make(**arguments):
        block = {"@builders": "clre.ExternalKnowledge.v1", "text": str(DATA / "abstracts.jsonl"), **arguments}
        lines = ["[builder]", *(f"{key} = {json.dumps(value)}" for key, value in block.items() if not isinstance(value, dict))]
        for name, inner in block.items():
            if isinstance(inner, dict):
                lines += [f"[builder.{name}]", *(f"{key} = {json.dumps(value)}" for key, value in inner.items())]
        path = tmp_path / "builder.cfg"
        path.write_text("\n".join(lines) + "\n")
        loaded = load_config(path)
        assert check_builder_config(loaded) == []
        return resolve(loaded.tree["builder"], "[builder]")

    return make


@pytest.fixture
def text(tmp_path):
    """`text("A binds B.", "A", "B", type="PROTEIN")`: a file with one text and these mentions."""

    def write(*texts, type="PROTEIN"):
        rows = []
        for number, (sentence, *mentions) in enumerate(texts):
            found = [{"start": sentence.index(each), "end": sentence.index(each) + len(each), "type": type} for each in mentions]
            rows.append(json.dumps({"id": f"t{number}", "text": sentence, "mentions": found}))
        path = tmp_path / "text.jsonl"
        path.write_text("\n".join(rows) + "\n")
        return str(path)

    return write


def instances(documents):
    return [instance for document in documents for instance in AnnotatedPairs().instances(document)[0]]


def blinded(documents):
    return [" ".join(view.input.words) for view in Blinded()(instances(documents))]


# ---- enumeration ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "types, document, count",
    [([["PROTEIN", "PROTEIN"]], "900001.s0", 3), ([["CHEMICAL", "PROTEIN"]], "900002", 6), ([["DRUG", "DRUG"]], "900003", 6)],
    ids=["test_clre_fact_10-three-proteins", "test_clre_fact_10-chemicals-proteins", "test_clre_fact_10-four-drugs"],
)
def test_clre_fact_10(builder, types, document, count):
    """3 proteins give 3 instances, 2 chemicals and 3 proteins 6, 4 drugs 6; each has exactly two tags, the rest in clear text."""
    (sentence,) = [each for each in builder(types=types).build() if each.id == document]
    texts = blinded([sentence])
    assert len(texts) == len(set(texts)) == count
    for words in map(str.split, texts):
        assert sum(word.startswith("@") and word.endswith("$") for word in words) == 2
    clear = [sum(name in words for name in ("Abrin2", "Torvase", "Quillin")) for words in texts]
    if types == [["PROTEIN", "PROTEIN"]]:
        assert clear == [1, 1, 1]


def test_text_of_the_instances(builder):
    (first, *_) = builder(types=[["PROTEIN", "PROTEIN"]]).build()
    assert blinded([first]) == [
        "@PROTEIN$ binds @PROTEIN$ and Quillin in yeast .",
        "@PROTEIN$ binds Torvase and @PROTEIN$ in yeast .",
        "Abrin2 binds @PROTEIN$ and @PROTEIN$ in yeast .",
    ]
    assert (first.text, first.metadata["document"]) == ("Abrin2 binds Torvase and Quillin in yeast.", "900001")
    assert {relation.label for relation in first.relations} == {None}


def test_one_document_per_sentence_with_a_pair(builder):
    made = builder(types=[["PROTEIN", "PROTEIN"]])
    assert [document.id for document in made.build()] == ["900001.s0", "900001.s1", "900002"]
    assert made.skipped() == {"sentences without a pair of the types": 2}


def test_the_order_of_the_types_says_which_is_the_head(builder):
    for types in ("CHEMICAL", "PROTEIN"), ("PROTEIN", "CHEMICAL"):
        (document,) = builder(types=[list(types)]).build()
        assert {(document.entities[each.head].type, document.entities[each.tail].type) for each in document.relations} == {types}


def test_overlapping_mentions_are_a_pair(builder, text):
    (document,) = builder(types=[["PROTEIN", "PROTEIN"]], text=text(("Torvase kinase binds.", "Torvase", "Torvase kinase"))).build()
    assert blinded([document]) == ["@PROTEIN-PROTEIN$ binds ."]


# ---- options -------------------------------------------------------------------------------------------------------------


def test_label(builder):
    documents = builder(types=[["DRUG", "DRUG"]], label="0").build()
    assert {relation.label for document in documents for relation in document.relations} == {"0"}


def test_max_pairs_per_sentence(builder):
    made = builder(types=[["DRUG", "DRUG"]], max_pairs_per_sentence=2)
    (document,) = made.build()
    assert [(relation.head, relation.tail) for relation in document.relations] == [(0, 1), (0, 2)]
    assert made.skipped()["above max_pairs_per_sentence"] == 4


@pytest.mark.parametrize("deduplicate, count", [(True, 1), (False, 2)])
def test_deduplicate(builder, text, deduplicate, count):
    """Two texts that differ only in the blinded names."""
    path = text(("Abrin2 binds Torvase.", "Abrin2", "Torvase"), ("Quillin  binds Molase.", "Quillin", "Molase"))
    made = builder(types=[["PROTEIN", "PROTEIN"]], text=path, deduplicate=deduplicate)
    assert len(list(made.build())) == count
    assert made.skipped().get("the same blinded text a second time", 0) == 2 - count


def test_exclude_blinded_evaluation_sentences(builder):
    """The authors' test file holds a blinded sentence of the text; one pair of the other sentence is in it too, under another tag."""
    made = builder(types=[["PROTEIN", "PROTEIN"], ["CHEMICAL", "PROTEIN"]], exclude=[str(DATA / "evaluation.tsv")])
    texts = blinded(made.build())
    assert not any("Later work" in each for each in texts)
    assert "Mellitol and @CHEMICAL$ block @PROTEIN$ , Torvase and Quillin ." not in texts
    assert "@CHEMICAL$ and sarabine block @PROTEIN$ , Torvase and Quillin ." in texts
    assert made.skipped()["texts of an evaluation set"] == 2


def test_exclude_plain_evaluation_sentences(builder, text):
    """White space does not count; the whole sentence is left out whatever pair the evaluation asks about."""
    path = text(("Abrin2  binds\tTorvase and Quillin in yeast .", "Abrin2"))
    made = builder(types=[["PROTEIN", "PROTEIN"]], exclude=[path], exclude_reader={"@readers": "clre.MentionedText.v1"})
    assert [document.id for document in made.build()] == ["900001.s1", "900002"]


def test_only_cited_texts(builder):
    arguments = {"database": str(DATA / "intact.txt"), "database_format": "psi-mitab", "only_cited_texts": True}
    made = builder(types=[["DRUG", "DRUG"], ["PROTEIN", "PROTEIN"]], **arguments)
    assert [document.id for document in made.build()] == ["900001.s0", "900001.s1", "900002"]
    assert made.skipped()[UNCITED] == 2


@pytest.mark.parametrize(
    "form, file, types, listed",
    [
        ("psi-mitab", "intact.txt", ["PROTEIN", "PROTEIN"], [{"Abrin2", "Torvase"}] * 2),
        ("drugbank", "drugbank.xml", ["DRUG", "DRUG"], [{"Mellitol", "sarabine"}, {"Mellitol", "ovadrine"}]),
        ("biogrid", "biogrid.tab3.txt", ["PROTEIN", "PROTEIN"], [{"Abrin2", "Torvase"}] * 2),
        ("pairs", "pairs.tsv", ["PROTEIN", "PROTEIN"], [{"Abrin2", "Quillin"}] * 3),
    ],
)
def test_only_listed_pairs(builder, tmp_path, form, file, types, listed):
    """In either order, with or without the name of the database; a mention without kb_id is never listed."""
    (tmp_path / "pairs.tsv").write_text("# an invented list\nQ90003\tQ90001\n")
    path = DATA / file if (DATA / file).exists() else tmp_path / file
    made = builder(types=[types], database=str(path), database_format=form, only_listed_pairs=True)
    found = [{each.document.mention_text(mention) for mention in each.mentions} for each in instances(made.build())]
    assert found == listed
    assert made.skipped()[UNLISTED] > 0


def test_database_and_its_options_belong_together(builder):
    with pytest.raises(RelconError, match="need a database"):
        builder(types=[["DRUG", "DRUG"]], only_listed_pairs=True)
    with pytest.raises(RelconError, match="a database serves only_listed_pairs and only_cited_texts"):
        builder(types=[["DRUG", "DRUG"]], database="x.txt")
    with pytest.raises(RelconError, match="max_pairs_per_sentence: 0 is below 1"):
        builder(types=[["DRUG", "DRUG"]], max_pairs_per_sentence=0)


# ---- databases -----------------------------------------------------------------------------------------------------------


def test_mitab():
    first, second = read_database(DATA / "intact.txt", "psi-mitab")  # the row with one interactor is none
    assert first.a == {"Q90001", "uniprotkb:Q90001", "Q90099", "uniprotkb:Q90099", "EBI-11", "intact:EBI-11"}
    assert first.pubmed == ("900001",)
    assert {"CHEBI:90001", "chebi:CHEBI:90001"} <= second.a and {"Q90003", "uniprotkb:Q90003"} == second.b


def test_biogrid_tab3():
    (row,) = read_database(DATA / "biogrid.tab3.txt", "biogrid")
    assert row.a == {"entrez:901", "901", "biogrid:81", "symbol:ABR2", "ABR2", "uniprotkb:Q90001", "Q90001", "uniprotkb:Q90098", "Q90098"}
    assert row.pubmed == ("900001",)


def test_biogrid_tab2():
    (row,) = read_database(DATA / "biogrid.tab2.txt", "biogrid")
    assert row.a == {"entrez:902", "902", "biogrid:82", "symbol:TOR1", "TOR1"}
    assert row.b == {"entrez:903", "903", "biogrid:83", "symbol:QUI1", "QUI1"}
    assert row.pubmed == ("900002",)


def test_biogrid_chemicals():
    (row,) = read_database(DATA / "biogrid.chemtab.txt", "biogrid")
    assert {"DB90001", "name:Mellitol", "cas:1-2-3", "biogrid:71"} <= row.a and {"entrez:901", "ABR2"} <= row.b
    assert row.pubmed == ("900002",)


def test_drugbank():
    """Pathways name drugs too: they are not drugs of the list. Old identifiers count."""
    rows = list(read_database(DATA / "drugbank.xml", "drugbank"))
    assert [(row.a, row.pubmed) for row in rows] == [({"DB90001", "OLD0001", "drugbank:DB90001", "drugbank:OLD0001"}, ("900003",))] * 2
    assert [row.b for row in rows] == [{"DB90002", "drugbank:DB90002"}, {"DB90003", "drugbank:DB90003"}]


def test_drugbank_is_read_as_a_stream(tmp_path):
    """The first rows come before a mistake further on is met."""
    partner = "<drug-interactions><drug-interaction><drugbank-id>B</drugbank-id></drug-interaction></drug-interactions>"
    drug = "<drug><drugbank-id>A{n}</drugbank-id>" + partner + "</drug>\n"
    path = tmp_path / "big.xml"
    path.write_text("<drugbank>\n" + "".join(drug.format(n=n) for n in range(2000)) + "<oops>")
    rows = read_database(path, "drugbank")
    assert "A0" in next(rows).a
    with pytest.raises(DataError, match=r"big.xml:2002: not XML: no element found"):
        list(rows)


@pytest.mark.parametrize(
    "form, text, message",
    [
        ("psi-mitab", "#head\nuniprotkb:A\tuniprotkb:B\n", r"x.txt:2: 2 columns; a PSI-MITAB row has at least 15"),
        ("psi-mitab", "\t".join(["A", "uniprotkb:B"] + ["-"] * 13) + "\n", r"x.txt:1: the interactor is 'A'; expected DATABASE:ID"),
        ("biogrid", "1\t2\t3\n", r"x.txt:1: this is no header of a BioGRID table"),
        ("biogrid", "#Entrez Gene Interactor A\tEntrez Gene Interactor B\tPubmed ID\n1\t2\n", r"x.txt:2: 2 columns, but the header has 3"),
        ("drugbank", "<drugs></drugs>", r"x.txt:1: the root is <drugs>"),
        ("drugbank", "<drugbank>\n<drug></drug></drugbank>", r"x.txt:2: a <drug> without <drugbank-id>"),
        ("drugbank", '<!DOCTYPE d [<!ENTITY e "x">]><drugbank>&e;</drugbank>', "not XML that can be read: .*Entit"),
        ("pairs", "A\tB\nA B\n", r"x.txt:2: expected two identifiers"),
        ("pairs", "\n", "lists no pair"),
    ],
)
def test_bad_databases(tmp_path, form, text, message):
    path = tmp_path / "x.txt"
    path.write_text(text)
    with pytest.raises(RelconError, match=message):
        list(read_database(path, form))


def test_missing_database(tmp_path):
    with pytest.raises(RelconError, match=r"none\.txt does not exist; expected a database export"):
        list(read_database(tmp_path / "none.txt", "pairs"))


# ---- examples ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name, sentences, pairs", [("ppi", 2, 6), ("ddi", 1, 2), ("chemprot", 1, 6), ("corpus", 203, 324)])
def test_examples_run_as_they_are(name, sentences, pairs, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(ROOT)
    output = tmp_path / "pairs.jsonl"
    with pytest.raises(SystemExit) as end:
        main(["build-pairs", f"plugins/relcon-clre/examples/{name}.cfg", "--output", str(output)])
    assert not end.value.code
    records = [json.loads(line) for line in output.read_text().splitlines()]
    assert (len(records), sum(len(record["relations"]) for record in records)) == (sentences, pairs)
    assert Counter(record["id"] for record in records).most_common(1)[0][1] == 1
    assert f"pairs.jsonl: {sentences} sentence" in capsys.readouterr().out
