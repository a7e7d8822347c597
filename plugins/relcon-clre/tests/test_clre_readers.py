"""The authors' file formats, accepted as they are (specification section 11), on records written here."""

from pathlib import Path

import pytest

from relcon.data.candidates import AnnotatedPairs
from relcon.errors import DataError, RelconError
from relcon.interfaces import DatasetReader
from relcon.renderers.blinded import Blinded

DATA = Path(__file__).parent / "data"


def reader(name, **arguments):
    return DatasetReader.registry.get(name)(**arguments)


@pytest.fixture
def read(tmp_path):
    """`read(text, "clre.BlindedTSV.v1", ...)`: the documents of a file with this text."""

    def from_text(text, name="clre.BlindedTSV.v1", **arguments):
        path = tmp_path / "data.tsv"
        path.write_bytes(text.encode())
        return list(reader(name, **arguments).read(path))

    return from_text


def shape(document):
    """id, words, entity types and places, label."""
    entities = [(entity.type, entity.mentions[0][:2]) for entity in document.entities]
    return document.id, " ".join(document.words), entities, document.relations[0].label


# ---- index, sentence, label ----------------------------------------------------------------------------------------------


def test_header_index_sentence_label(read):
    rows = "10.T1.T2\t@CHEMICAL$ blocks @GENE$-like Abrin2.\tCPR:4\r\n10.T1.T3\t@GENE$ and @CHEMICAL$\tfalse\n"
    document, other = read("index\tsentence\tlabel\n" + rows)
    assert shape(document) == (
        "10.T1.T2",
        "@CHEMICAL$ blocks @GENE$ -like Abrin2 .",
        [("CHEMICAL", (0, 1)), ("GENE", (2, 3))],
        "CPR:4",
    )
    assert (document.metadata["document"], document.source.line) == ("10", 2)
    assert [entity.type for entity in other.entities] == ["GENE", "CHEMICAL"]  # in the order of the text


def test_ddi_index_names_its_document(read):
    (document,) = read("index\tsentence\tlabel\nDDI-DrugBank.d1.s0.p3\t@DRUG$ with @DRUG$\tDDI-false\n")
    assert document.metadata["document"] == "DDI-DrugBank.d1"


def test_fold_without_header(read):
    """Sentence and label only: AIMed's training folds, external-knowledge files."""
    first, second = read("@PROTEIN$ binds @PROTEIN$ .\t1\n@PROTEIN$ , not @PROTEIN$ .\t0\n")
    assert shape(first) == ("data-1", "@PROTEIN$ binds @PROTEIN$ .", [("PROTEIN", (0, 1)), ("PROTEIN", (2, 3))], "1")
    assert (second.id, second.relations[0].label) == ("data-2", "0")


def test_whole_corpus_without_header(read):
    (document,) = read("17\t@PROTEIN$ binds @PROTEIN$ .\t1\n")
    assert (document.id, document.relations[0].label) == ("17", "1")


def test_unlabelled(read):
    assert read("@PROTEIN$ binds @PROTEIN$ .\n")[0].relations[0].label is None
    assert read("index\tsentence\n4\t@PROTEIN$ binds @PROTEIN$ .\n")[0].relations[0].label is None


def test_repeated_index(read):
    """The augmented test sets alternate original and copy under one index."""
    text = "7\t@PROTEIN$ binds @PROTEIN$ .\t1\n7\t@PROTEIN$ ties @PROTEIN$ .\t1\n"
    with pytest.raises(DataError, match=r"data.tsv:2: the id '7' stands already at .*data.tsv:1"):
        read(text)
    assert [document.id for document in read(text, columns=["-", "sentence", "label"])] == ["data-1", "data-2"]


def test_quotes_are_characters(read):
    (document,) = read('"@PROTEIN$" binds "@PROTEIN$\t1\n')
    assert document.words == ('"', "@PROTEIN$", '"', "binds", '"', "@PROTEIN$")


def test_merged_tag(read):
    """One word, two entities with the same mention, blinded again to the same word."""
    (document,) = read("@CHEM-GENE$ inhibitors\tfalse\n")
    assert shape(document)[1:3] == ("@CHEM-GENE$ inhibitors", [("CHEM", (0, 1)), ("GENE", (0, 1))])
    (view,) = Blinded()(AnnotatedPairs().instances(document)[0])
    assert view.input.words == document.words


def test_types_are_renamed(read):
    (document,) = read("@GENE$ binds @PROTEIN$\t1\n", types={"GENE": "PROTEIN"})
    assert [entity.type for entity in document.entities] == ["PROTEIN", "PROTEIN"]
    (view,) = Blinded()(AnnotatedPairs().instances(document)[0])
    assert view.input.words == ("@PROTEIN$", "binds", "@PROTEIN$")


def test_bad_rows_with_file_and_line(read):
    rows = ["index\tsentence\tlabel", "1\t@PROTEIN$ alone\t1", "2\tno label @A$ @B$", "3\t@A$ @B$ @C$\t1", "4\tgood @A$ @B$\t1"]
    with pytest.raises(DataError) as raised:
        read("\n".join(rows))
    problems = [str(problem).rpartition("data.tsv")[2] for problem in raised.value.problems]
    assert problems == [
        ":2: expected two tags such as @PROTEIN$, or one merged tag such as @CHEM-GENE$; found @PROTEIN$",
        ":3: 2 columns; expected index, sentence, label, with tabs between",
        ":4: expected two tags such as @PROTEIN$, or one merged tag such as @CHEM-GENE$; found @A$, @B$, @C$",
    ]


def test_skip_leaves_bad_rows_out(read):
    assert len(read("@PROTEIN$\t1\n@PROTEIN$ @PROTEIN$\t1\n", on_error="skip")) == 1


def test_wrong_arguments():
    with pytest.raises(RelconError, match="columns must be named"):
        reader("clre.BlindedTSV.v1", columns=["text"])
    with pytest.raises(RelconError, match="header must be 'auto', 'yes' or 'no', not 'maybe'"):
        reader("clre.BlindedTSV.v1", header="maybe")


# ---- label, original, copies ---------------------------------------------------------------------------------------------

AUGMENTED = (
    "1\t@PROTEIN$ binds @PROTEIN$\t@PROTEIN$ ties @PROTEIN$\t@PROTEIN$ @PROTEIN$ binds\n"
    "0\t@PROTEIN$ or @PROTEIN$\t@PROTEIN$ @PROTEIN$\t@PROTEIN$ o @PROTEIN$\n"
)


@pytest.mark.parametrize(
    "arguments, ids",
    [
        ({}, ["data-1", "data-2"]),
        ({"use": "copies"}, ["data-1.c1", "data-1.c2", "data-2.c1", "data-2.c2"]),
        ({"use": "all", "copies": [2]}, ["data-1", "data-1.c2", "data-2", "data-2.c2"]),
    ],
)
def test_augmentation_output(read, arguments, ids):
    documents = read(AUGMENTED, "clre.AugmentationTSV.v1", **arguments)
    assert [document.id for document in documents] == ids
    assert [document.relations[0].label for document in documents] == ["1"] * (len(ids) // 2) + ["0"] * (len(ids) // 2)


def test_augmentation_copy(read):
    copy = read(AUGMENTED, "clre.AugmentationTSV.v1", use="copies")[1]
    assert (" ".join(copy.words), dict(copy.metadata)) == ("@PROTEIN$ @PROTEIN$ binds", {"original": "data-1", "copy": 2})


def test_augmentation_line_without_copies(read):
    assert len(read("1\t@A$ @B$\n", "clre.AugmentationTSV.v1")) == 1
    with pytest.raises(DataError, match=r"data\.tsv:1: 1 sentences after the label; expected the original and its copies"):
        read("1\t@A$ @B$\n", "clre.AugmentationTSV.v1", use="all")
    with pytest.raises(DataError, match=r"data\.tsv:1: 0 sentences"):
        read("1\n", "clre.AugmentationTSV.v1")


# ---- text with mentions --------------------------------------------------------------------------------------------------


def test_mentioned_text():
    first = next(iter(reader("clre.MentionedText.v1").read(DATA / "abstracts.jsonl")))
    assert [first.mention_text(entity.mentions[0]) for entity in first.entities] == ["Abrin2", "Torvase", "Quillin", "Quillin", "Abrin2"]
    assert [entity.id for entity in first.entities][:2] == ["Q90001", "uniprotkb:Q90002"]
    assert len(first.sentences) == 2
    assert len(next(iter(reader("clre.MentionedText.v1", split_sentences=False).read(DATA / "abstracts.jsonl"))).sentences) == 1


@pytest.mark.parametrize(
    "line, message",
    [
        ('{"text": "a b", "mentions": [{"start": 2, "end": 1, "type": "X"}]}', r"mention 0 has the span \[2, 1\), which is empty"),
        ('{"text": "a b", "mentions": [{"start": 2, "end": 9, "type": "X"}]}', r"mention 0 has the span \[2, 9\) outside"),
        ('{"text": "a b", "mentions": [{"start": 0, "end": 1}]}', "'type' is missing in mention 0"),
        ('{"text": "a b"}', "'mentions' is missing"),
        ('{"text": "a b", "mentions": [], "mention": 1}', "unknown key 'mention'. Did you mean 'mentions'"),
        ("{", "not JSON"),
    ],
)
def test_bad_mentioned_text(read, line, message):
    with pytest.raises(DataError, match=rf"data\.tsv:1: .*{message}"):
        read(line + "\n", "clre.MentionedText.v1")
