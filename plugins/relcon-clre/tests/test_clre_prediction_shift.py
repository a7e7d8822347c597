"""Prediction shift: the specification's fact 14, the neighbours and their file (Su et al. 2021, section 4)."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from relcon_clre.neighbours import read_neighbours, write_neighbours

from relcon.config import load_config, resolve
from relcon.data.document import Document, Entity, Instance, Mention, Parse
from relcon.data.edits import Piece, apply_edits
from relcon.data.labels import LabelSet
from relcon.errors import DataError, RelconError
from relcon.evaluators.tables import shown
from relcon.interfaces import Model, Split
from relcon.testing import tiny_instances, tiny_split

LABELS = LabelSet(("CPR:3", "CPR:4", "CPR:5", "CPR:6", "CPR:9", "false"), frozenset({"false"}))
GOLD = ["CPR:3", "CPR:4", "false", "CPR:9", "false", "CPR:4", "CPR:6", "false", "CPR:5", "CPR:3"]
ORIGINAL = ["CPR:3", "CPR:3", "CPR:4", "CPR:9", "false", "CPR:4", "false", "CPR:3", "false", "false"]
NEAR = ["CPR:3", "CPR:4", "false", "false", "CPR:5", "CPR:4", "CPR:6", "false", "CPR:9", "CPR:4"]

CONFIG = """
[shift]
@evaluators = "clre.PredictionShift.v1"

[shift.augmenter]
@augmenters = "clre.PathPreservingSynonyms.v1"

[shift.augmenter.synonyms]
@synonyms = "relcon.Lexicon.v1"
path = "{lexicon}"

[other]
@augmenters = "{other}"
rate = 0.5
"""


class Answers(Model):
    """Says `answers[n]` of the sentence with `itemN`, `answers[n]` of the second list where the sentence was changed."""

    labels = LABELS

    def __init__(self, original: Sequence[str] = ORIGINAL, near: Sequence[str] = NEAR):
        self.original, self.near = original, near
        self.seen: List[str] = []

    def probabilities(self, instances: Sequence[Instance]) -> torch.Tensor:
        rows = torch.zeros(len(instances), len(LABELS))
        for row, instance in enumerate(instances):
            words = instance.document.words
            self.seen.append(" ".join(words))
            answers = self.original if "plainly" in words else self.near
            rows[row, LABELS.number(answers[int(instance.uid[1:])])] = 1
        return rows

    def embed(self, instances: Sequence[Instance]) -> torch.Tensor:
        raise NotImplementedError


def split(gold: Sequence[Any] = GOLD) -> Split:
    parse = Parse((2, 2, 2, 4, 2, 6, 4, 4, 2), ("dep",) * 9)  # the path of the pair: drug, block, pump
    instances = []
    for number, label in enumerate(gold):
        words = ("We", "plainly", "see", f"drug{number}", "block", "the", "pump", "here", ".")
        entities = (Entity((Mention(3, 4),), "CHEMICAL"), Entity((Mention(5, 7),), "PROTEIN"))
        document = Document(f"d{number}", words, entities, parse=parse)
        instances.append(Instance(document, 0, 1, label, f"i{number}"))
    return Split("test", [instance.document for instance in instances], instances, LABELS)


@pytest.fixture
def build(tmp_path: Path) -> Callable[..., Any]:
    """`build("shift", "--shift.seed", "2")`: the evaluator as a config builds it; the only synonyms are those of "plainly"."""
    (tmp_path / "lexicon.tsv").write_text("".join(f"plainly\t{word}\n" for word in ("obviously", "surely", "without any doubt")))

    def made(section: str, *overrides: str, other: str = "relcon.RandomDeletion.v1") -> Any:
        (tmp_path / "shift.cfg").write_text(CONFIG.format(lexicon=tmp_path / "lexicon.tsv", other=other))
        return resolve(load_config(tmp_path / "shift.cfg", overrides).tree[section], f"[{section}]")

    return made


def lines(path: Path) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# ---- the specification's fact --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("subset", "shifts", "size"), [("all", 8, 10), ("gold_positive", 5, 7), ("predicted_positive", 4, 6), ("both", 2, 4)]
)
def test_clre_fact_14(build: Callable[..., Any], subset: str, shifts: int, size: int):
    evaluator = build("shift", "--shift.subset", subset)
    figures = evaluator.evaluate(Answers(), split())
    assert (figures[f"shifts/{subset}"], figures[f"size/{subset}"]) == (shifts, size)
    assert figures[f"rate/{subset}"] == pytest.approx(shifts / size)
    assert (figures["shifts"], figures["size"], figures["rate"]) == (shifts, size, pytest.approx(shifts / size))
    assert figures["unchanged"] == 0
    assert {name.partition("/")[2] for name in figures} == {"", "all", "gold_positive", "predicted_positive", "both"}


def test_the_headline_is_the_rate_of_gold_positives_and_less_is_better(build: Callable[..., Any]):
    evaluator = build("shift")
    assert (evaluator.primary, evaluator.higher_is_better, evaluator.subset) == ("rate", False, "gold_positive")
    assert evaluator.evaluate(Answers(), split())["rate"] == pytest.approx(5 / 7)
    assert evaluator.evaluate(Answers(near=ORIGINAL), split())["rate"] == 0


def test_an_empty_subset_has_the_rate_0(build: Callable[..., Any]):
    figures = build("shift").evaluate(Answers(), split(["false"] * 10))
    assert (figures["rate"], figures["size"], figures["shifts"], figures["size/all"]) == (0, 0, 0, 10)


# ---- the neighbours ------------------------------------------------------------------------------------------------------


def test_neighbours_depend_on_seed_and_id_alone(build: Callable[..., Any]):
    """Another order, another model or other instances beside it never change an instance's neighbour."""
    data = split()
    near = {instance.uid: instance.document for instance in build("shift").neighbours_of(data.instances)}
    again = build("shift").neighbours_of(list(reversed(data.instances))[::2])
    assert len(again) == 5 and all(instance.document == near[instance.uid] for instance in again)
    assert len({document.words[1] for document in near.values()}) > 1, "instances draw independently of each other"
    others = build("shift", "--shift.seed", "2").neighbours_of(data.instances)
    assert any(instance.document != near[instance.uid] for instance in others)


def test_the_model_sees_every_sentence_and_its_neighbour_once(build: Callable[..., Any]):
    model, data = Answers(), split()
    build("shift").evaluate(model, data)
    assert model.seen[:10] == [" ".join(instance.document.words) for instance in data.instances]
    assert len(model.seen) == 20 and not any("plainly" in words for words in model.seen[10:])


def test_unchanged_neighbours_are_counted(build: Callable[..., Any]):
    figures = build("shift", "--shift.augmenter.rate", "0.0").evaluate(Answers(), split())
    assert (figures["unchanged"], figures["shifts/all"]) == (10, 0)


def test_path_and_arguments_stay_as_they_are(build: Callable[..., Any], tmp_path: Path):
    (tmp_path / "all.tsv").write_text("".join(f"{word}\tnew\n" for d in tiny_split().documents for word in d.words))
    evaluator = build("shift", "--shift.augmenter.rate", "1.0", "--shift.augmenter.synonyms.path", str(tmp_path / "all.tsv"))
    near = evaluator.neighbours_of(tiny_instances())
    assert sum("new" in [word.lower() for word in other.document.words] for other in near) > 6
    for instance, other in zip(tiny_instances(), near, strict=True):
        for old, new in zip(instance.mentions, other.mentions, strict=True):
            assert instance.document.mention_text(old) == other.document.mention_text(new)
        if len(instance.document.sentences) == 1:  # one path of the others goes from sentence to sentence, so there is none
            verbs = {"blocks", "raise", "follows", "rose", "fell"}
            assert verbs & set(instance.document.words) == verbs & set(other.document.words)


def test_it_keeps_an_evaluators_contract(build: Callable[..., Any], tmp_path: Path):
    class Fickle(Model):
        labels = tiny_split().labels

        def __init__(self, fickle: bool):
            self.fickle = fickle

        def probabilities(self, instances: Sequence[Instance]) -> torch.Tensor:
            answers = [sum(map(len, instance.document.words)) % 3 if self.fickle else 1 for instance in instances]
            return torch.eye(3)[torch.tensor(answers)]

        def embed(self, instances: Sequence[Instance]) -> torch.Tensor:
            raise NotImplementedError

    (tmp_path / "all.tsv").write_text("".join(f"{word}\ta longer one\n" for d in tiny_split().documents for word in d.words))
    make = lambda: build("shift", "--shift.augmenter.synonyms.path", str(tmp_path / "all.tsv"))  # noqa: E731
    firm, fickle = (make().evaluate(Fickle(each), tiny_split(), tmp_path) for each in (False, True))
    assert make().primary in firm and firm["rate"] == 0 < fickle["rate"]
    assert make().evaluate(Fickle(True), tiny_split()) == fickle
    assert all(isinstance(value, float) for value in fickle.values())


# ---- files ---------------------------------------------------------------------------------------------------------------


def test_shifts_file(build: Callable[..., Any], tmp_path: Path):
    build("shift").evaluate(Answers(), split(), tmp_path / "out")
    records = {record["id"]: record for record in lines(tmp_path / "out" / "shifts.jsonl")}
    assert set(records) == {f"i{n}" for n in range(10) if ORIGINAL[n] != NEAR[n]}
    for uid, record in records.items():
        number = int(uid[1:])
        found = (record["gold"], record["predicted"], record["predicted_neighbour"])
        assert found == (GOLD[number], ORIGINAL[number], NEAR[number])
        assert record["text"] == f"We plainly see [e1 drug{number}] block [e2 the pump] here ."
        assert record["neighbour"] in [record["text"].replace("plainly", w) for w in ("obviously", "surely", "without any doubt")]
    assert records["i3"]["subsets"] == ["gold_positive", "predicted_positive", "both", "all"]
    assert records["i4"]["subsets"] == ["all"]


def test_given_neighbours_are_used_instead_of_new_ones(build: Callable[..., Any], tmp_path: Path):
    data, model = split(), Answers()
    figures = build("shift").evaluate(model, data, tmp_path / "first")
    path = tmp_path / "first" / "neighbours.jsonl"
    again = Answers()
    # another seed and rate would draw others; and the copy written beside the second model's results is the same file
    evaluator = build("shift", "--shift.neighbours", str(path), "--shift.seed", "9", "--shift.augmenter.rate", "0.0")
    assert evaluator.evaluate(again, data, tmp_path / "second") == figures
    assert again.seen == model.seen
    assert (tmp_path / "second" / "neighbours.jsonl").read_bytes() == path.read_bytes()


def test_a_line_holds_what_changed_and_not_the_document(build: Callable[..., Any], tmp_path: Path):
    build("shift").evaluate(Answers(), split(), tmp_path)
    for record in lines(tmp_path / "neighbours.jsonl"):
        assert set(record) == {"id", "text", "neighbour", "replaced", "words"}
        assert record["replaced"] == [1, 2] and " ".join(record["words"]) in ("obviously", "surely", "without any doubt")


@pytest.mark.parametrize("name", ["relcon.RandomDeletion.v1", "relcon.RandomSwap.v1"])
def test_neighbours_come_back_as_they_were(build: Callable[..., Any], tmp_path: Path, name: str):
    augmenter, instances = build("other", other=name), tiny_instances()
    near = [changed_by(augmenter, instance, seed) for seed, instance in enumerate(instances)]
    assert_come_back(instances, near, tmp_path / "neighbours.jsonl")


def test_arguments_that_touch_do_so_in_a_neighbour_that_comes_back(build: Callable[..., Any], tmp_path: Path):
    offsets = ((0, 2), (3, 10), (11, 14), (15, 20), (20, 25), (26, 29), (30, 34), (35, 39), (39, 40))
    (instance,) = split(["CPR:3"]).instances
    entities = (Entity((Mention(3, 4),), "CHEMICAL"), Entity((Mention(4, 5),), "PROTEIN"))
    instance = replace(instance, document=replace(instance.document, entities=entities, offsets=offsets))
    near = build("shift").neighbour(instance)
    assert near.document.words != instance.document.words and near.document.touch(*near.mentions)
    write_neighbours(tmp_path / "neighbours.jsonl", [instance], [near])
    (found,) = read_neighbours(tmp_path / "neighbours.jsonl", [instance])
    assert found.document.offsets == near.document.offsets


def changed_by(augmenter: Any, instance: Instance, seed: int) -> Instance:
    document = augmenter(instance.document, [(instance.head, instance.tail)], torch.Generator().manual_seed(seed))
    return Instance(document, instance.head, instance.tail, instance.label, instance.uid)


def assert_come_back(instances: Sequence[Instance], near: Sequence[Instance], path: Path) -> None:
    write_neighbours(path, instances, near)
    for other, found in zip(near, read_neighbours(path, instances), strict=True):
        assert found.uid == other.uid
        for part in ("id", "words", "entities", "relations", "sentences"):
            assert getattr(found.document, part) == getattr(other.document, part), part


NEW_WORDS = st.lists(st.sampled_from(["x", "y", "w0", "\u2028", "a\x85b"]), max_size=3)


@settings(max_examples=80, deadline=None)
@given(st.dictionaries(st.integers(0, 9), NEW_WORDS, max_size=5))
def test_any_change_of_words_comes_back(tmp_path_factory: pytest.TempPathFactory, changes: Dict[int, List[str]]):
    """Insertions, deletions, several sentences, entities with several, nested and discontinuous mentions."""
    entities = (
        Entity((Mention(1, 3), Mention(8, 9))), Entity((Mention(4, 7, ((4, 5), (6, 7))),)),
        Entity((Mention(2, 3),)), Entity((Mention(9, 10),)),
    )  # fmt: skip
    document = Document("d", tuple(f"w{n}" for n in range(10)), entities, sentences=((0, 4), (4, 5), (5, 10)))
    edits = {word: [Piece(text, (word,) if n == 0 else ()) for n, text in enumerate(texts)] for word, texts in changes.items()}
    other = apply_edits(document, edits)
    path = tmp_path_factory.mktemp("near") / "neighbours.jsonl"
    assert_come_back([Instance(document, 0, 1, None, "i")], [Instance(other, 0, 1, None, "i")], path)


# ---- what is refused -----------------------------------------------------------------------------------------------------


def test_an_unlabelled_split_is_refused(build: Callable[..., Any], tmp_path: Path):
    with pytest.raises(RelconError, match=r"'test' has 1 pairs without a label.*i1"):
        build("shift").evaluate(Answers(), split(["CPR:3", None]), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_an_unknown_subset_is_refused(build: Callable[..., Any]):
    from relcon_clre.prediction_shift import PredictionShift

    with pytest.raises(RelconError, match="subset = 'gold' is not possible"):
        PredictionShift(build("other"), subset="gold")  # type: ignore[arg-type]


def test_neighbours_of_other_data_are_refused(build: Callable[..., Any], tmp_path: Path):
    path = tmp_path / "neighbours.jsonl"
    build("shift").evaluate(Answers(), split(GOLD[:4]), tmp_path)
    evaluator = build("shift", "--shift.neighbours", str(path))
    with pytest.raises(RelconError, match=r"has no neighbour of i4 \(6 of 10 are missing\)"):
        evaluator.evaluate(Answers(), split())
    path.write_text(path.read_text().replace("drug2", "drug7"))
    with pytest.raises(DataError, match=r"neighbours.jsonl:3: i2 reads 'We plainly see \[e1 drug2\]"):
        evaluator.evaluate(Answers(), split(GOLD[:4]))
    assert evaluator.evaluate(Answers(), split(GOLD[:2]))["size/all"] == 2, "a file may hold more than is asked for"


def test_a_missing_file_is_refused(build: Callable[..., Any], tmp_path: Path):
    with pytest.raises(RelconError, match=r"gone.jsonl cannot be read: No such file.*Leave out `neighbours`"):
        build("shift", "--shift.neighbours", str(tmp_path / "gone.jsonl")).evaluate(Answers(), split())


LINE = {"id": "i0", "text": "We plainly see [e1 drug0] block [e2 the pump] here .", "neighbour": "", "replaced": [1, 2], "words": ["x"]}


@pytest.mark.parametrize(("change", "message"), [
    ({"replaced": [1, 20]}, r"'replaced' is \[1, 20\), but the document has 9 words"),
    ({"replaced": [2, 1]}, r"'replaced' is \[2, 1\)"),
    ({"replaced": "1-2"}, "'replaced' of the record must be a list"),
    ({"words": [3]}, "item 0 of 'words' must be a string"),
    ({"wordz": []}, "unknown key 'wordz'"),
    ({"neighbour": "We y see"}, r"the changes to i0 give 'We x see \[e1 drug0\] block \[e2 the pump\] here \.', but 'neighbour' says"),
    ({"entities": {"0": [[[90, 91]]]}}, r"entity 0 has the span \[90, 91\) outside the 9 words"),
    ({"entities": {"0": [[]]}}, "entity 0 has a mention without words"),
    ({"sentences": [[0, 4]]}, "'sentences' must cover the 9 words in order"),
])  # fmt: skip
def test_broken_lines_are_named(tmp_path: Path, change: Dict[str, Any], message: str):
    path = tmp_path / "neighbours.jsonl"
    path.write_text("no JSON\n[]\n{}\n" + json.dumps({**LINE, **change}) + "\n")
    with pytest.raises(DataError, match=message) as caught:
        read_neighbours(path, split(GOLD[:1]).instances)
    assert [problem.where.rpartition(":")[2] for problem in caught.value.problems] == ["1", "2", "3", "4"]


def test_an_instance_that_occurs_twice_is_refused(build: Callable[..., Any], tmp_path: Path):
    build("shift").evaluate(Answers(), split(), tmp_path)
    path = tmp_path / "neighbours.jsonl"
    path.write_text(path.read_text() + path.read_text().splitlines()[4])
    with pytest.raises(DataError, match=r"neighbours.jsonl:11: the instance i4 occurs twice"):
        read_neighbours(path, split().instances)


def test_the_sentence_is_shown_as_everywhere():
    assert shown(split().instances[0]) == LINE["text"]
