"""spaCy's binary files."""

import gc
import zlib
from contextlib import suppress
from pathlib import Path
from typing import Any, Callable, Dict, Optional

import pytest
import srsly
from spacy.tokens import Doc, Span
from spacy.tokens import DocBin as SpacyDocBin
from spacy.vocab import Vocab

from relcon.data.document import Entity, Mention, Parse, Relation
from relcon.errors import DataError, RelconError

READER = "relcon.DocBin.v1"

WORDS = ["Zorvane", "\n", "blocks", "KLR2", "."]


def doc(user_data: Optional[Dict[str, Any]] = None, **annotations: Any) -> Doc:
    made = Doc(Vocab(), words=WORDS, spaces=[False, False, True, False, False], **annotations)
    made.ents = [Span(made, 0, 1, "DRUG", kb_id="D1"), Span(made, 3, 4, "PROTEIN")]
    for name, value in (user_data or {}).items():
        made.user_data[("._.", name, None, None)] = value
    return made


@pytest.fixture
def saved(tmp_path: Path) -> Callable[..., Path]:
    """A file of these Docs."""

    def save(*docs: Doc) -> Path:
        SpacyDocBin(store_user_data=True, docs=docs).to_disk(tmp_path / "a.spacy")
        return tmp_path / "a.spacy"

    return save


def test_words_entities_and_text(saved: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document, other] = read(READER, saved(doc(), doc()))
    assert (document.id, other.id) == ("a-0", "a-1")
    assert document.words == ("Zorvane", "blocks", "KLR2", ".") and document.text == "Zorvane\nblocks KLR2."
    assert document.offsets == ((0, 7), (8, 14), (15, 19), (19, 20))
    assert document.entities == (Entity((Mention(0, 1),), "DRUG", "D1"), Entity((Mention(2, 3),), "PROTEIN"))
    assert document.relations == () and document.parse is None and document.metadata == {}


def test_relations_of_spacys_component(saved: Callable[..., Path], read: Callable[..., Any]) -> None:
    pairs = {(0, 3): {"inhibits": 1.0, "activates": 0.0, "binds": 0.5}, (3, 0): {"inhibits": 0.25, "activates": 0.0, "binds": 0.0}}
    path = saved(doc({"rel": pairs}))
    gold, half = Relation(0, 1, "inhibits"), Relation(0, 1, "binds", score=0.5)
    assert read(READER, path)[0].relations == (gold, half)
    assert read(READER, path, threshold=0.2)[0].relations == (gold, half, Relation(1, 0, "inhibits", score=0.25))
    assert read(READER, path, threshold=0.9, negative="none")[0].relations == (gold, Relation(1, 0, "none"))
    assert read(READER, path, attribute="other")[0].relations == ()


def test_relations_of_glirel(saved: Callable[..., Path], read: Callable[..., Any]) -> None:
    listed = [
        {"head_pos": [3, 4], "tail_pos": [0, 1], "head_text": ["KLR2"], "label": "blocked by", "score": 0.75},
        {"head_pos": [0, 1], "tail_pos": [3, 4], "label": "inhibits", "score": 0.25},
        {"head_pos": [0, 1], "tail_pos": [3, 4], "label": "blocks"},
    ]
    found = (Relation(1, 0, "blocked by", score=0.75), Relation(0, 1, "blocks"))
    assert read(READER, saved(doc({"relations": listed})))[0].relations == found
    made = doc()
    made.user_data["relations"] = listed
    assert read(READER, saved(made))[0].relations == found


def test_sentences_parse_tags_and_categories(saved: Callable[..., Path], read: Callable[..., Any]) -> None:
    tags, deps = ["NNP", "_SP", "VBZ", "NN", "."], ["nsubj", "dep", "ROOT", "dobj", "punct"]
    made = doc(heads=[2, 0, 2, 2, 1], deps=deps, tags=tags)
    made.cats = {"good": 1.0}
    [document] = read(READER, saved(made))
    assert document.parse == Parse((1, 1, 1, 0), ("nsubj", "ROOT", "dobj", "punct"), ("NNP", "VBZ", "NN", "."))
    assert document.sentences == ((0, 4),) and document.metadata == {"cats": {"good": 1.0}}
    [split] = read(READER, saved(doc(sent_starts=[True, False, False, True, False])))
    assert split.sentences == ((0, 2), (2, 4))


def test_span_groups(saved: Callable[..., Path], read: Callable[..., Any], faults: Callable[..., Any]) -> None:
    made = doc(tags=["A"] * 5)
    made.spans["sc"] = [Span(made, 0, 4, "ALL"), Span(made, 0, 1, "DRUG"), Span(made, 0, 1, "BRAND")]
    path = saved(made)
    [document] = read(READER, path)
    assert document.metadata["left_out"] == {"span of the group 'sc'": 3, "tag without a parse": 5}
    [document] = read(READER, path, spans="sc")
    assert [(each.type, each.mentions[0][:2]) for each in document.entities] == [("ALL", (0, 3)), ("DRUG", (0, 1)), ("BRAND", (0, 1))]
    assert document.metadata["left_out"] == {"entity of doc.ents": 2, "tag without a parse": 5}
    assert faults(READER, path, spans="sd") == [("a.spacy", "record 0: the Doc has no span group 'sd'. Valid: 'sc'.")]


def test_a_doc_without_spaces_has_no_text(saved: Callable[..., Path], read: Callable[..., Any]) -> None:
    [document] = read(READER, saved(Doc(Vocab(), words=["Orsk", "slept"])))
    assert (document.words, document.text, document.offsets) == (("Orsk", "slept"), None, None)


@pytest.mark.parametrize(
    ("user_data", "message"),
    [
        ({"rel": {(0, 2): {"inhibits": 1.0}}}, "names the entity that begins at token 2; the Doc has no entities there"),
        ({"rel": {0: {"inhibits": 1.0}}}, "0 in doc._.rel must be two whole numbers"),
        ({"rel": {(0, 3): {"inhibits": "1"}}}, "a score of (0, 3) in doc._.rel must be a number"),
        ({"rel": {(0, 3): 1}}, "(0, 3) in doc._.rel must be an object"),
        ({"rel": {(0, 3): {"": 1}}}, "the label of (0, 3) in doc._.rel is empty"),
        ({"rel": "x"}, "doc._.rel is a string, 'x'; expected"),
        ({"rel": {(0, 3): {"a": 1}}, "relations": [{}]}, "the Doc has relations in doc._.rel and doc._.relations; name one"),
        ({"relations": [{"head_pos": [0, 2], "tail_pos": [3, 4], "label": "a"}]}, "names the entity that is the tokens [0, 2)"),
        ({"relations": [{"tail_pos": [3, 4], "label": "a"}]}, "'head_pos' of item 0 of doc._.relations must be two whole numbers"),
        ({"relations": [{"head_pos": [0, 1], "tail_pos": [3, 4]}]}, "the label of item 0 of doc._.relations must be a string"),
        ({"relations": [7]}, "item 0 of doc._.relations must be an object"),
    ],
)
def test_bad_docs_are_named(user_data: Dict[str, Any], message: str, saved: Callable[..., Path], faults: Callable[..., Any]) -> None:
    [(where, said)] = faults(READER, saved(doc(), doc(user_data)))
    assert where == "a.spacy" and said.startswith("record 1: ") and message in said


def test_a_file_that_is_no_doc_bin_is_named(write: Callable[..., Path], read: Callable[..., Any], tmp_path: Path) -> None:
    packed = tmp_path / "packed.spacy"
    packed.write_bytes(zlib.compress(srsly.msgpack_dumps({"version": "0.1", "attrs": []})))
    for path in (write("a.spacy", "text"), packed):
        with pytest.raises(RelconError, match="is damaged, or no"):
            read(READER, path)
    assert gc.isenabled()


def test_what_does_not_fit_together_is_named(saved: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = saved(doc(), doc())
    message = srsly.msgpack_loads(zlib.decompress(path.read_bytes()))
    for changes in ({"strings": []}, {"attrs": message["attrs"][::-1]}, {"cats": []}, {"span_groups": [b"x", b"x"]}):
        path.write_bytes(zlib.compress(srsly.msgpack_dumps({**message, **changes})))
        with pytest.raises(DataError, match=r"a\.spacy: record 0"):
            read(READER, path)


def test_any_damaged_byte_is_found(saved: Callable[..., Path], read: Callable[..., Any]) -> None:
    path = saved(doc({"rel": {(0, 3): {"inhibits": 1.0}}}))
    whole, [expected] = path.read_bytes(), read(READER, path)
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 16]) + whole[place + 1 :])
        with suppress(RelconError):
            assert read(READER, path) == [expected]
