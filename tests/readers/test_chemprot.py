"""The original ChemProt files."""

from pathlib import Path
from typing import Any, Callable, Dict

import pytest

READER = "relcon.ChemProt.v1"

ABSTRACTS = "1\tOn 𝛂-fen and KLR2.\tWe gave 𝛂-fen (e.g. KLR2). It failed.\n2\tNothing.\tNothing at all.\n"
ENTITIES = "1\tT1\tCHEMICAL\t3\t8\t𝛂-fen\n1\tT2\tGENE-Y\t13\t17\tKLR2\n1\tT3\tCHEMICAL\t27\t32\t𝛂-fen\n1\tT4\tGENE-N\t39\t43\tKLR2\n"
RELATIONS = (
    "1\tCPR:4\tY \tINHIBITOR\tArg1:T1\tArg2:T2\n1\tCPR:4\tY \tANTAGONIST\tArg1:T1\tArg2:T2\n"
    "1\tCPR:3\tY \tACTIVATOR\tArg1:T1\tArg2:T2\n1\tCPR:2\tN \tREGULATOR\tArg1:T3\tArg2:T4\n"
)
TABLES = {"abstracts": ABSTRACTS, "entities": ENTITIES, "relations": RELATIONS}


@pytest.fixture
def split(write: Callable[..., Path]) -> Callable[..., Path]:
    """`split(entities=..., relations=None)`: the folder of a split with these tables."""

    def folder(**changes: Any) -> Path:
        tables: Dict[str, Any] = {**TABLES, **changes}
        for table, text in tables.items():
            if text is not None:
                path = write(f"split/x_{table}_gs.tsv", text)
        return path.parent

    return folder


def test_offsets_count_title_tab_abstract(split: Callable[..., Path], read: Callable[..., Any]) -> None:
    first, second = read(READER, split())
    assert (first.id, second.id) == ("1", "2") and first.text.count("\t") == 1
    assert [first.mention_text(entity.mentions[0]) for entity in first.entities] == ["𝛂-fen", "KLR2", "𝛂-fen", "KLR2"]
    assert [(entity.id, entity.type) for entity in first.entities[:2]] == [("T1", "CHEMICAL"), ("T2", "PROTEIN")]
    assert second.entities == () and second.relations == ()


def test_one_relation_per_pair_and_group(split: Callable[..., Path], read: Callable[..., Any]) -> None:
    relations = read(READER, split())[0].relations
    assert [(r.head, r.tail, r.label) for r in relations] == [(0, 1, "CPR:4"), (0, 1, "CPR:3")]


@pytest.mark.parametrize(("groups", "labels"), [(["CPR:2"], ["CPR:2"]), (None, ["CPR:4", "CPR:3", "CPR:2"]), ([], [])])
def test_groups_say_which_rows_are_relations(groups: Any, labels: Any, split: Callable[..., Path], read: Callable[..., Any]) -> None:
    assert [r.label for r in read(READER, split(), groups=groups)[0].relations] == labels


def test_types_may_be_kept(split: Callable[..., Path], read: Callable[..., Any]) -> None:
    assert [e.type for e in read(READER, split(), types={})[0].entities] == ["CHEMICAL", "GENE-Y", "CHEMICAL", "GENE-N"]


def test_the_title_is_a_sentence_and_abbreviations_end_none(split: Callable[..., Path], read: Callable[..., Any]) -> None:
    document = read(READER, split())[0]
    sentences = [" ".join(document.words[start:end]) for start, end in document.sentences]
    assert sentences == ["On 𝛂-fen and KLR2 .", "We gave 𝛂-fen ( e.g. KLR2 ) .", "It failed ."]


def test_a_title_without_a_full_stop_is_still_a_sentence(split: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, split(abstracts="1\tA title\tan abstract.\n", entities="", relations=None))
    assert document.sentences == ((0, 2), (2, 5))


def test_without_relations_the_split_is_unlabelled(split: Callable[..., Path], read: Callable[..., Any]) -> None:
    assert [document.relations for document in read(READER, split(relations=None))] == [(), ()]


def test_the_gold_standard_will_do(split: Callable[..., Path], read: Callable[..., Any]) -> None:
    documents = read(READER, split(relations=None, gold_standard="1\tCPR:9\tArg1:T3\tArg2:T4\n"))
    assert [(r.head, r.tail, r.label) for r in documents[0].relations] == [(2, 3, "CPR:9")]


@pytest.mark.parametrize(
    ("table", "row", "message"),
    [
        ("entities", "1\tT9\tCHEMICAL\t3\t8\tfen", "entity 'T9' is said to be 'fen', but the characters [3, 8) are '𝛂-fen'"),
        ("entities", "1\tT9\tCHEMICAL\t8\t3\tfen", "entity 'T9' has the characters [8, 3) of"),
        ("entities", "1\tT9\tCHEMICAL\t3\t999\tfen", "entity 'T9' has the characters [3, 999) of"),
        ("entities", "1\tT9\tCHEMICAL\tx\t8\tfen", "column 4 must be a character number, here it is 'x'"),
        ("entities", "1\tT9\tCHEMICAL\t3\t8", "expected 6 columns separated by tabs, here are 5"),
        ("entities", "3\tT9\tCHEMICAL\t3\t8\tfen", "there is no abstract '3'"),
        ("relations", "1\tCPR:3\tY \tACTIVATOR\tArg1:T1\tArg2:T22", "'Arg2:T22' names no entity of abstract 1. Did you mean 'T2'?"),
        ("relations", "1\tCPR:3\tY \tACTIVATOR\tT1\tArg2:T2", "expected 'Arg1:Tn', here it is 'T1'"),
        ("abstracts", "3\tonly a title", "expected PubMed id, title and abstract separated by tabs, here are 2 columns"),
    ],
)
def test_bad_rows_are_named(table: str, row: str, message: str, split: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, split(**{table: TABLES[table] + row + "\n"}))
    assert where == f"x_{table}_gs.tsv:{TABLES[table].count(chr(10)) + 1}" and message in said


def test_skip_leaves_out_the_abstract_of_a_bad_row(split: Callable[..., Path], read: Callable[..., Any]) -> None:
    documents = read(READER, split(entities="1\tT9\tCHEMICAL\t3\t999\tfen\n", relations=None), on_error="skip")
    assert [document.id for document in documents] == ["2"]


def test_a_folder_without_the_tables_is_refused(tmp_path: Path, split: Callable[..., Path], read: Callable[..., Any]) -> None:
    from relcon.errors import RelconError

    with pytest.raises(RelconError, match=r"has no file \*_entities\*\.tsv; expected a folder of one ChemProt split"):
        read(READER, split(entities=None))
    with pytest.raises(RelconError, match=r"has no file \*_abstracts\*\.tsv"):
        read(READER, tmp_path)
