"""Each check on records of which the answer is known by hand."""

from dataclasses import astuple
from typing import Any, Dict, Sequence

import pytest

from relcon.audit import lengths
from relcon.audit.lines import ConfigLines
from relcon.audit.spans import BLANK, BORDER, faults_of
from relcon.config import load_config
from relcon.data.document import Document, Entity, Mention
from relcon.errors import RelconError
from relcon.testing import tiny_encoder_folder

Record = Dict[str, Any]


def record(words: str, *spans: Any, relations: Sequence[Any] = (), **more: Any) -> Record:
    """Words parted by spaces; spans are (start, end, type); relations (head, tail, label)."""
    return {
        "words": words.split(),
        "entities": [{"type": type, "words": [start, end]} for start, end, type in spans],
        "relations": [{"head": head, "tail": tail, "label": label} for head, tail, label in relations],
        **more,
    }


def sells(seller: str, buyer: str, label: str = "supplies") -> Record:
    """A sentence of five words with a relation from its first to its fourth."""
    return record(f"{seller} sells to {buyer} .", (0, 1, "FIRM"), (3, 4, "FIRM"), relations=[(0, 1, label)])


PLAIN = [sells("Orsk", "Zorvane"), sells("Havel", "Tarn")]
BACKWARD = record("Tarn buys from Havel .", (3, 4, "FIRM"), (0, 1, "FIRM"), relations=[(0, 1, "supplies")])
OWNS = record("Ann owns Orsk .", (0, 1, "PERSON"), (2, 3, "FIRM"), relations=[(0, 1, "owns")])
DIRECTED = ["--data.candidates.directed", "true"]


def places(finding):
    return [example.where.rpartition("/")[2] for example in finding.examples]


# ---- counts ----


def test_counts_of_a_split(audited):
    three = record("Ann owns Orsk and Havel .", (0, 1, "PERSON"), (2, 3, "FIRM"), (4, 5, "FIRM"), relations=[(0, 1, "owns")])
    (train,) = audited(train=[three, *PLAIN]).corpora[0].splits
    assert (train.documents, train.sentences, train.words, train.pairs, train.unlabelled) == (3, 3, 6 + 5 + 5, 5, 0)
    assert train.entities == {"FIRM": 6, "PERSON": 1}
    assert train.relations == {"supplies": 2, "owns": 1} and train.labels == {"none": 2, "supplies": 2, "owns": 1}
    assert [astuple(each) for each in train.type_pairs] == [
        ("FIRM", "FIRM", 3, {"none": 1, "supplies": 2}),
        ("PERSON", "FIRM", 2, {"owns": 1, "none": 1}),
    ]


def test_what_readers_left_out_is_added_up(told):
    first, second = ({**each, "metadata": {"left_out": {"event": n}}} for n, each in enumerate(PLAIN, start=2))
    (finding,) = told("left out by the reader", train=[first, second])
    assert (finding.severity, finding.where, finding.count) == ("note", "train", 5) and "event 5" in finding.message


# ---- texts and names ----


def test_a_text_of_two_splits_whatever_its_case_and_cuts(told):
    again = record("ORSK sells to Zor vane .", (0, 1, "FIRM"), (3, 5, "FIRM"), relations=[(0, 1, "supplies")])
    (finding,) = told("texts in two splits", train=PLAIN, test=[sells("A", "B"), again])
    assert (finding.severity, finding.where, finding.count) == ("warning", "train, test", 1)
    assert "1 labelled pair has the same text and arguments" in finding.message
    assert places(finding) == ["test.jsonl:2"] and "my.cfg:7: [data] train" in finding.remedy and "my.cfg:9: [data] test" in finding.remedy


def test_a_text_without_a_pair_is_no_overlap(told):
    alone = record("Orsk .", (0, 1, "FIRM"))
    assert not told("texts in two splits", train=[*PLAIN, alone], test=[alone, sells("A", "B")])


def test_split_by_document_is_named_where_pairs_were_divided(audited):
    words = ["--data.dev_share", "0.5", "--data.split_by", "instance"]
    three = record("Orsk sells to Zorvane , Havel .", (0, 1, "F"), (3, 4, "F"), (5, 6, "F"))
    three["relations"] = [{"head": head, "tail": tail, "label": "a"} for head, tail in ((0, 1), (0, 2), (1, 2))]
    other = {**three, "words": ["Tarn", *three["words"][1:]]}
    findings = [each for each in audited(*words, train=[three, other]).findings if each.check == "texts in two splits"]
    assert findings and findings[0].remedy == '--data.split_by: [data] split_by = "document"'


def test_repeated_examples_and_contradictions(audited):
    same, other = sells("Orsk", "Zorvane"), sells("Orsk", "Zorvane", label="owns")
    found = {each.check: each for each in audited(train=[*PLAIN, same, OWNS], test=[other, sells("A", "B")]).findings}
    assert (found["repeated examples"].count, places(found["repeated examples"])) == (1, ["train.jsonl:3"])
    assert (found["texts twice in a split"].count, places(found["texts twice in a split"])) == (1, ["train.jsonl:3"])
    contradiction = found["contradictory duplicates"]
    assert (contradiction.count, contradiction.where, contradiction.severity) == (3, "train, test", "warning")
    assert {example.text.partition(":")[0] for example in contradiction.examples} == {"supplies", "owns"}


def test_the_same_text_with_other_arguments_is_no_repetition(audited):
    words = "Orsk sells to Zorvane and Havel ."
    one = record(words, (0, 1, "FIRM"), (3, 4, "FIRM"), relations=[(0, 1, "supplies")])
    two = record(words, (0, 1, "FIRM"), (5, 6, "FIRM"), relations=[(0, 1, "owns")])
    checks = {each.check for each in audited(train=[one, two]).findings}
    assert "texts twice in a split" in checks and not checks & {"repeated examples", "contradictory duplicates"}


def test_entity_pairs_of_two_splits_with_and_without_the_label(told):
    test = [sells("ORSK", "Zorvane", "owns"), BACKWARD]
    (finding,) = told("entity pairs in two splits", train=[*PLAIN, sells("A", "B", "owns")], test=test)
    assert finding.count == 2 and "2 relations of the 2 of test (100.0%)" in finding.message and "1 of them (50.0%)" in finding.message


# ---- directions ----


def test_one_sided_labels_are_those_whose_opposite_is_a_negative(told):
    (finding,) = told("one-sided labels", *DIRECTED, train=[*PLAIN, OWNS])
    assert "supplies 2" in finding.message and "owns" not in finding.message, "of another type: the types tell the direction"
    assert "--data.candidates.directed: [data.candidates] directed = false" in finding.remedy
    assert "my.cfg:5: [data] symmetric" in finding.remedy
    assert not told("one-sided labels", train=PLAIN), "each pair is asked about once"
    assert not told("one-sided labels", *DIRECTED, "--data.symmetric", '["supplies"]', train=PLAIN)


def test_labels_that_hold_in_both_directions(told):
    relations = [{"head": head, "tail": 1 - head, "label": "partner"} for head in (0, 1)]
    both = [{**each, "relations": relations} for each in PLAIN]
    (finding,) = told("labels that hold in both directions", *DIRECTED, train=both)
    assert finding.count == 4 and finding.remedy.endswith('[data] symmetric = ["partner"]')


def test_labels_in_text_order_alone_where_others_are_not(told):
    forward = [sells(f"Orsk{n}", f"Havel{n}", "joins") for n in range(10)]
    (finding,) = told("labels in text order alone", *DIRECTED, train=[*forward, BACKWARD])
    assert "joins 10" in finding.message and finding.remedy.endswith('symmetric = ["joins"]')
    assert not told("labels in text order alone", *DIRECTED, train=forward), "nothing to compare with"
    assert not told("labels in text order alone", *DIRECTED, train=[*forward[:9], BACKWARD]), "too few"


# ---- spans ----


@pytest.mark.parametrize(
    ("text", "chars", "check"),
    [
        ("Orsk ( KLR2 ) grows.", [5, 6], "mention of punctuation alone"),
        ("Orsk met Havel, once.", [9, 15], "mention that begins or ends in punctuation"),
        ("Orsk met (Havel once.", [9, 15], "mention that begins or ends in punctuation"),
        ("Orsk met Havel.", [9, 15], "mention that begins or ends in punctuation"),
        ("Orsk met Havelians.", [9, 14], "mention that begins or ends inside a word of the text"),
        ("Orsk met ABHavel.", [11, 16], "mention that begins or ends inside a word of the text"),
        ("Orsk met (IL-2) Inc. once.", [9, 20], None),
        ("Orsk met Havel.", [9, 14], None),
        ("Orsk 会见了哈维尔。", [5, 6], None),
    ],
)
def test_mentions_that_look_like_slips(audited, text, chars, check):
    entities = [{"chars": [0, 4], "type": "FIRM"}, {"chars": chars, "type": "FIRM"}]
    found = audited(train=[{"text": text, "entities": entities, "relations": [{"head": 0, "tail": 1, "label": "met"}]}]).findings
    assert [each.check for each in found if each.check.startswith("mention")] == ([] if check is None else [check])


def test_a_blank_mention_and_one_across_sentences():
    document = Document("d", ("Orsk", "\xa0", ".", "Havel"), (Entity((Mention(1, 2),)),), sentences=((0, 3), (3, 4)))
    assert list(faults_of(document, Mention(1, 2))) == [BLANK]
    assert list(faults_of(document, Mention(0, 4))) == [BORDER]


def test_entities_that_share_words(audited):
    nested = record("Bank of Tarn buys Orsk .", (0, 3, "F"), (2, 3, "PLACE"), (4, 5, "F"), relations=[(0, 1, "lies_in"), (0, 2, "buys")])
    crossing = record("loop and high dose pills help Ann .", (0, 4, "DRUG"), (2, 5, "DRUG"), (6, 7, "PERSON"), relations=[(0, 2, "helps")])
    pieces = record("left and right hand hurt Ann .", relations=[(0, 1, "hurts")])
    pieces["entities"] = [{"words": [[0, 1], [3, 4]]}, {"words": [5, 6]}, {"words": [1, 2]}]
    several = record("Orsk , or Orsk , buys Tarn .", relations=[(0, 1, "buys")])
    several["entities"] = [{"mentions": [{"words": [0, 1]}, {"words": [3, 4]}]}, {"words": [6, 7]}]
    found = {each.check: each for each in audited(train=[nested, crossing, pieces, several]).findings}
    overlap = found["overlapping entities"]
    assert overlap.count == 2 and "1 nested, 1 crossing" in overlap.message and places(overlap) == ["train.jsonl:1", "train.jsonl:2"]
    assert found["related entities that overlap"].count == 1 and "lies_in" in found["related entities that overlap"].examples[0].text
    assert found["discontinuous mentions"].count == 1, "a word between its pieces is not its own"
    assert found["entities with several mentions"].count == 1


def test_entities_without_a_relation(told):
    (finding,) = told("entities without a relation", train=[*PLAIN, record("Tarn and Orsk", (0, 1, "FIRM"), (2, 3, "FIRM"))])
    assert finding.count == 2 and "2 entities of 6" in finding.message


# ---- the candidate rule ----

ACROSS = record("Orsk grows . It rains . Havel buys it .", (0, 1, "FIRM"), (6, 7, "FIRM"), relations=[(1, 0, "buys")])
ACROSS["sentences"] = {"words": [[0, 3], [3, 6], [6, 10]]}


def test_lost_relations_with_what_wins_them(told):
    (finding,) = told("lost relations", train=[ACROSS, *PLAIN])
    assert (finding.severity, finding.count) == ("warning", 1) and "33.3% of all" in finding.message
    assert finding.remedy.endswith("my.cfg:14: [data.candidates]"), "no key alone: the opposite direction would be the candidate"
    (finding,) = told("lost relations", *DIRECTED, train=[ACROSS, *PLAIN])
    assert finding.remedy.endswith('my.cfg:14: [data.candidates] scope = "document" wins 1') and "window" not in finding.remedy


def test_each_cause_has_its_key(told):
    twice = {**PLAIN[0], "relations": [{"head": 0, "tail": 1, "label": each} for each in ("supplies", "owns")]}
    assert "directed = true wins 1" in told("lost relations", train=[*PLAIN, BACKWARD])[0].remedy
    assert 'symmetric = ["supplies"]' in told("lost relations", train=[*PLAIN, BACKWARD])[0].remedy
    assert 'several = "kept" wins 1' in told("lost relations", train=[*PLAIN, twice])[0].remedy
    types = told("lost relations", "--data.candidates.types", '[["FIRM", "FIRM"]]', train=[*PLAIN, OWNS])
    assert 'types = [["FIRM", "FIRM"], ["PERSON", "FIRM"]] wins 1' in types[0].remedy
    near = told("lost relations", "--data.candidates.max_distance", "1", train=[*PLAIN, OWNS])
    assert near[0].count == 2 and "max_distance = 3 wins 2" in near[0].remedy


def test_types_that_are_asked_about_in_vain(told):
    three = record("Ann owns Orsk and Havel .", (0, 1, "PERSON"), (2, 3, "FIRM"), (4, 5, "FIRM"), relations=[(0, 1, "owns")])
    (finding,) = told("types without a relation", train=[three])
    assert finding.count == 1 and "FIRM -> FIRM 1" in finding.message
    assert finding.remedy.endswith('my.cfg:14: [data.candidates] types = [["PERSON", "FIRM"]]')


def test_a_rule_without_negatives_and_one_with_little_else(told, audited):
    annotated = ["--data.candidates.@candidates", "relcon.AnnotatedPairs.v1", "--data.negative", "[]"]
    assert told("no negative pair", *annotated, train=PLAIN)[0].count == 2
    incomplete = ["--data.candidates.complete_annotation", "false", "--data.negative", "[]"]
    assert told("no negative pair", *incomplete, train=PLAIN)[0].count == 2
    assert not told("no negative pair", train=PLAIN)
    many = record(" ".join(f"Orsk{n}" for n in range(6)), *((n, n + 1, "FIRM") for n in range(6)), relations=[(0, 1, "a")])
    assert told("share of negatives", train=[many])[0].message.startswith("93.3% of 15 labelled pairs")


# ---- labels, protocol, samplers, lengths ----


def test_labels_that_a_split_lacks(told):
    words = ["--data.labels", '["none", "supplies", "owns", "joins"]']
    train, test = told("labels in other splits alone", *words, train=PLAIN, test=[sells("A", "B", "owns")])
    assert (train.where, train.severity, train.count) == ("train", "warning", 1) and "owns 1" in train.message
    assert (test.where, test.severity, test.count) == ("test", "note", 2) and "supplies 2" in test.message
    (nowhere,) = told("labels without a pair", *words, train=PLAIN, test=[sells("A", "B", "owns")])
    assert nowhere.count == 2 and "none, joins" in nowhere.message


def test_unknown_labels_are_an_error_and_the_rest_is_audited(audited):
    test = [sells("Orsk", "Zorvane"), sells("A", "B", "suplies"), sells("C", "D", "suplies"), sells("E", "F", "owns")]
    found = audited(train=PLAIN, test=test)
    error = found.findings[0]
    assert (found.errors, error.check, error.severity, error.where, error.count) == (1, "unknown labels", "error", "test", 3)
    assert "2 labels that the label set lacks (suplies 2, owns 1)" in error.message
    assert places(error) == ["test.jsonl:2", "test.jsonl:4"] and "Did you mean 'supplies'?" in error.examples[0].text
    assert 'my.cfg:5: [data] labels = ["none", "supplies", "suplies", "owns"]' in error.remedy and "[data.reader]" in error.remedy
    train, rest = found.corpora[0].splits
    assert rest.documents == 4 and rest.labels == train.labels | {"supplies": 1}, "pairs of unknown labels are not looked at"
    overlap, *_ = [each for each in found.findings if each.check == "texts in two splits"]
    assert overlap.where == "train, test" and overlap.count == 1
    assert not [each for each in found.findings if "suplies" in each.message and each is not error]


def test_an_unknown_label_of_declared_ones_and_a_file_that_is_not_there(audited, tmp_path):
    words = ["--data.labels", '["none", "supplies"]', "--paths.test", str(tmp_path / "nothing.jsonl")]
    (data,) = audited(*words, train=[*PLAIN, OWNS], dev=PLAIN).corpora
    assert [(each.check, each.where) for each in data.findings[:1]] == [("unreadable", "train, dev, test")]
    (data,) = audited(*words[:2], "--paths.test", "null", train=[*PLAIN, OWNS], dev=PLAIN).corpora
    assert [(each.check, each.where) for each in data.findings[:1]] == [("unknown labels", "train")]
    assert [(split.name, split.labels) for split in data.splits] == [("train", {"supplies": 2}), ("dev", {"supplies": 2})]


def test_a_protocol_that_cannot_be_made_is_an_error(told):
    words = ["--protocol.@protocols", "relcon.KFold.v1", "--protocol.folds", "3"]
    (finding,) = told("protocol", *words, train=PLAIN)
    assert finding.severity == "error" and "3 folds need at least 3" in finding.message
    assert finding.remedy.startswith("Change --protocol.folds: [protocol] folds; --protocol.@protocols: [protocol] by; ")
    kept = [*words[:3], "2", "--protocol.on_rare", "keep"]
    train, test = told("runs without a label", *kept, train=[*PLAIN, sells("A", "B", "owns")])
    assert (train.where, train.severity) == ("train", "warning") and train.message.endswith("(label, runs without it): owns 1.")
    assert (test.where, test.severity) == ("test", "note") and "--protocol.folds: [protocol] folds; " in test.remedy


TWICE = [sells("Orsk", "Zorvane"), sells("ORSK", "Zorvane")]
FOLDS = ["--protocol.@protocols", "relcon.GivenFolds.v1", "--protocol.key", "fold"]


def in_folds(*records):
    return [{**each, "metadata": {"fold": str(number)}} for number, each in records]


def test_folds_that_share_texts_and_names(audited):
    apart = [sells("A", "B"), BACKWARD, sells("Tarn", "Havel")]
    records = in_folds((1, TWICE[0]), (2, TWICE[1]), (1, apart[0]), (2, apart[1]), (1, apart[2]))
    found = {each.check: each for each in audited(*FOLDS, *DIRECTED, train=records).findings}
    texts, names = found["texts on both sides of a fold"], found["entity pairs on both sides of a fold"]
    assert (texts.severity, texts.where, texts.count) == ("warning", "[protocol]", 2)
    assert places(texts) == ["train.jsonl:1", "train.jsonl:2"]
    assert "2 texts of 5 are tested" in texts.message and "(in 2 of 2 folds, most in folds/fold_01: 1)" in texts.message
    assert names.count == 2 and "2 relations of the 5 of the test parts (40.0%)" in names.message, "a pair is another than its opposite"
    alone = audited(*FOLDS, train=in_folds((1, TWICE[0]), (1, TWICE[1]), (2, apart[0]), (2, sells("C", "D")))).findings
    assert not [each for each in alone if "sides of a fold" in each.check], "both copies are in one fold"


def test_pairs_of_one_text_that_are_folded_one_by_one(told):
    words = ["--protocol.@protocols", "relcon.KFold.v1", "--protocol.folds", "2", "--protocol.by", "instance"]
    three = record("Orsk sells to Zorvane , Havel .", (0, 1, "F"), (3, 4, "F"), (5, 6, "F"))
    three["relations"] = [{"head": head, "tail": tail, "label": "a"} for head, tail in ((0, 1), (0, 2), (1, 2))]
    (finding,) = told("texts on both sides of a fold", *words, train=[three, sells("A", "B", "a")])
    assert finding.count == 2 and finding.remedy == '--protocol.by: [protocol] by = "document"'
    assert not told("texts on both sides of a fold", *words[:5], "document", train=[three, sells("A", "B", "a")])


def test_fewer_instances_than_shots(told):
    words = ["--protocol.@protocols", "relcon.KShot.v1", "--protocol.shots", "2", "--protocol.seeds", "[1]", "--protocol.on_rare", "keep"]
    (finding,) = told("labels below the shots", *words, "--data.negative", "[]", train=[*PLAIN, sells("A", "B", "owns")])
    assert "owns 1" in finding.message and "supplies" not in finding.message and finding.remedy.endswith("[protocol] shots = 1")


def test_batches_above_the_data_and_labels_of_one_instance(told):
    train = [*PLAIN, sells("A", "B", "owns")]
    (batch,) = told("batch above the data", train=train)
    assert batch.remedy.endswith("my.cfg:24: [stages.contrast.streams.labels] batch_size = 3")
    (lonely,) = told("labels of one instance", train=train)
    assert "owns" in lonely.message and "supplies" not in lonely.message
    assert not told("batch above the data", train=[*train, sells("C", "D")])
    changed = ["--stages.contrast.streams.labels.augmenter.@augmenters", "relcon.RandomSwap.v1"]
    assert not told("labels of one instance", *changed, train=train)


LONG = record("Orsk , as everybody in Tarn knows , sells to Havel .", (0, 1, "FIRM"), (10, 11, "FIRM"), relations=[(0, 1, "supplies")])
TWO = record("Orsk sells to Havel . Then it rains in Tarn every day .", (0, 1, "FIRM"), (3, 4, "FIRM"), relations=[(0, 1, "supplies")])
TWO["sentences"] = {"words": [[0, 5], [5, 13]]}
IN_WORDS = ["--stages.contrast.encoders.text.@encoders", "relcon.Transformer.v1"]
"""By a path that leads nowhere."""


def test_texts_beyond_the_encoder_in_words_where_it_has_no_tokenizer(audited):
    found = {each.check: each for each in audited(*IN_WORDS, train=[LONG, TWO, *PLAIN]).findings}
    long, words = found["longer than the encoder takes"], found["lengths in words"]
    assert long.count == 4 and places(long) == ["train.jsonl:1", "train.jsonl:2", "train.jsonl:3"], "9 words with four markers"
    assert "more words than its encoder takes (8). 0 pairs lose an argument" in long.message and "16 words" in long.message
    assert long.remedy.endswith("my.cfg:21: [stages.contrast.encoders.text] max_length = 16")
    assert (words.severity, words.where) == ("note", "[stages.contrast]") and "'./none'" in words.message and "my.cfg" in words.remedy


def test_texts_beyond_the_encoder_in_the_pieces_of_its_tokenizer(audited, tmp_path):
    bert = tiny_encoder_folder(tmp_path / "bert", words=["sells", "to", "rains"])
    words = [*IN_WORDS, "--stages.contrast.encoders.text.path", str(bert), "--stages.contrast.encoders.text.max_length"]
    (long,) = over(audited(*words, "18", train=[LONG, *PLAIN]))
    assert places(long) == ["train.jsonl:1", "train.jsonl:2"] and "more pieces than" in long.message, "nine letters less in the third"
    size = 2 + 4 + 2 + sum(map(len, ("orsk", "zorvane", ".")))  # [CLS] and [SEP], markers, two whole words, letters
    (short,) = over(audited(*words, str(size - 1), train=[PLAIN[0]]))
    assert f"The longest of all splits has {size} pieces" in short.message and short.remedy.endswith(f"max_length = {size}")
    assert not over(audited(*words, str(size), train=[PLAIN[0]]))
    (lost,) = over(audited(*words, "12", train=[PLAIN[0]]))
    assert "1 pair loses an argument" in lost.message, "[CLS] [SEP], four markers and eleven letters are more than 12"


def over(audit):
    found = [each for each in audit.findings if each.check.startswith(("longer", "lengths"))]
    assert not [each for each in found if each.check == "lengths in words"]
    return found


def test_an_encoder_in_a_package_says_how_it_cuts(told):
    words = ["--stages.contrast.encoders.text.@encoders", "relcon.MiniLM.v1"]
    (finding,) = told("longer than the encoder takes", *words, train=PLAIN[:1])
    assert "pieces" in finding.message and not told("lengths in words", *words, train=PLAIN[:1])


def test_as_much_context_as_the_renderer_shows(told):
    words = ["--stages.contrast.encoders.text.max_length", "17", "--stages.contrast.streams.labels.renderer.context"]
    for context, count in (("sentence", 1), ("document", 2)):
        assert told("longer than the encoder takes", *words, context, train=[LONG, TWO, *PLAIN])[0].count == count


def test_a_pair_that_a_renderer_refuses(told):
    words = ["--stages.contrast.streams.labels.renderer.@renderers", "relcon.TypedMarkers.v1"]
    types = ["--stages.contrast.streams.labels.renderer.types", '["FIRMS"]']
    (finding,) = told("pairs that cannot be shown", *words, *types, train=PLAIN)
    assert (finding.severity, finding.where) == ("error", "[stages.contrast]") and "Did you mean 'FIRMS'?" in finding.message
    assert finding.remedy.endswith("[stages.contrast.streams.labels.renderer]")


@pytest.mark.parametrize(
    ("renderer", "key", "value", "said"),
    [("EntityMarkers", "markers", '["<", ">"]', "four words"), ("TypedMarkers", "types", "[]", "must name the entity types")],
)
def test_a_renderer_that_cannot_be_made(told, renderer, key, value, said):
    way = "--stages.contrast.streams.labels.renderer"
    (finding,) = told("pairs that cannot be shown", f"{way}.@renderers", f"relcon.{renderer}.v1", f"{way}.{key}", value, train=PLAIN)
    assert (finding.severity, finding.where) == ("error", "[stages.contrast]") and said in finding.message
    assert finding.remedy.endswith("[stages.contrast.streams.labels.renderer]")


def test_a_text_that_the_tokenizer_cannot_cut(told, monkeypatch):
    def refusing(words: Any, text: Any) -> int:
        raise RelconError("A text has a mask, but the encoder's tokenizer has no mask token.")

    monkeypatch.setattr(lengths, "whole_length", refusing)
    (finding,) = told("pairs that cannot be shown", train=PLAIN)
    assert "no mask token" in finding.message and finding.remedy.endswith("my.cfg:25: [stages.contrast.streams.labels.renderer]")


# ---- corpora of stages ----

OWN = """[vars.distant]
@corpora = "relcon.Corpus.v1"
train = ${paths.distant}
cache = "none"
negative = ["none"]
reader = ${data.reader}
candidates = ${data.candidates}
[stages.more]
@stages = "relcon.Pretrain.v1"
data = ${vars.distant}
[stages.again]
@stages = "relcon.Pretrain.v1"
data = ${vars.distant}
[stages.same]
@stages = "relcon.Pretrain.v1"
data = ${data}
"""


def test_corpora_of_stages_are_audited_once_each(audited, config, split_files):
    config.write_text(config.read_text().replace("test = null\n", "test = null\ndistant = null\n", 1) + OWN)
    words = ["--protocol.@protocols", "relcon.KFold.v1", "--protocol.folds", "2", "--protocol.on_rare", "keep"]
    data, own = audited(*words, *split_files(distant=TWICE), train=PLAIN).corpora
    assert (data.title, own.title) == ("[data] (stages contrast, same)", "[vars.distant] (stages more, again)")
    assert [split.relations for split in own.splits] == [{"supplies": 2}]
    (again,) = [each for each in own.findings if each.check == "repeated examples"]
    assert places(again) == ["distant.jsonl:2"] and "my.cfg:30: [vars.distant] train" in again.remedy
    assert not [each for each in data.findings if each.check == "repeated examples"]
    assert not [each for each in own.findings if "protocol" in each.remedy], "the protocol divides the corpus of the run alone"


def test_lines_of_a_corpus_within_another(config):
    outer, text = '[data]\n@corpora = "x.Y.v1"\n', config.read_text(encoding="utf-8").replace("[data", "[data.corpus")
    config.write_text(text.replace("[data.corpus]", f"{outer}[data.corpus]"), encoding="utf-8")
    lines = ConfigLines(load_config(config))
    assert lines.chain == [("data",), ("data", "corpus")] and lines.corpus == lines.chain[-1] and lines.rule == "[data.corpus.candidates]"
    assert lines.candidates("scope", "window").endswith('my.cfg:16: [data.corpus.candidates] scope = "window"')
    assert lines.data("split_by", "document").endswith('my.cfg:7: [data.corpus] split_by = "document"')
