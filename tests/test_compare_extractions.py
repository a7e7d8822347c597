"""`relcon compare` between two extractors."""

from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, List, Sequence, Tuple

import pytest

from relcon.cli.main import main
from relcon.compare import compare_runs, read_results
from relcon.data.document import Document, Entity, Mention, Relation
from relcon.data.labels import LabelSet
from relcon.errors import DataError, RelconError
from relcon.evaluators.extracted import Extracted
from relcon.evaluators.extraction import Extraction
from relcon.evaluators.tables import write_lines
from relcon.interfaces import Split

LABELS = LabelSet.of(["treats", "causes"])
WORDS = ("Aspirin", "helps", ".", "Fever", "follows", "heat", ".")
SENTENCES = ((0, 3), (3, 7))


def document(name: str, *places: Tuple[int, int, str], links: Sequence[Tuple[int, int, str]] = ()) -> Document:
    entities = tuple(Entity((Mention(start, end),), kind) for start, end, kind in places)
    return Document(name, WORDS, entities, tuple(Relation(*link) for link in links), SENTENCES)


GOLD = [
    document("a", (0, 1, "Drug"), (1, 2, "Disease"), (3, 4, "Disease"), (5, 6, "Cause"), links=[(0, 1, "treats"), (3, 2, "causes")]),
    document("b", (0, 1, "Drug"), (1, 2, "Disease"), links=[(0, 1, "treats")]),
]
A = [replace(GOLD[0], relations=GOLD[0].relations[:1]), GOLD[1]]
B = [
    document("a", (0, 1, "Drug"), (1, 2, "Cause"), (3, 4, "Disease"), (5, 6, "Cause"), links=[(0, 1, "treats"), (2, 3, "causes")]),
    document("b", (0, 1, "Drug"), (1, 2, "Disease"), links=[(0, 1, "causes")]),
]


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """`write("a", A)`: what the evaluator leaves of such predictions."""

    def made(folder: str, found: Sequence[Document], gold: Sequence[Document] = GOLD, **arguments: Any) -> Path:
        path = tmp_path / folder
        rule = Extraction(**arguments)
        extracted = [Extracted.of(one, other) for one, other in zip(gold, found, strict=True)]
        write_lines(path / "predictions.jsonl", (each.record() for each in extracted))
        rule.write_tables(path, [sentence for each in extracted for sentence in each.parts(rule.undirected)], {}, {})
        rule.check(Split("dev", list(gold), [], LABELS))
        return path

    return made


def shown(compared: Any) -> List[Tuple[str, str, str, str]]:
    return [(example.id, example.gold, example.a, example.b) for example in compared.examples]


def test_strict_relations_unless_said_otherwise(write: Callable[..., Path]) -> None:
    found = compare_runs(write("a", A), write("b", B), trials=200)
    assert (found.profile, found.metric, found.instances, found.asked) == ("strict", "f1", 2, "documents")
    assert found.figures_a == [pytest.approx(0.8)] and found.figures_b == [0], "2 of 2, 3 to find; 0 of 3"
    assert (found.p_mcnemar, found.p_t) == (None, None)
    assert shown(found) == [
        ("a (Aspirin -> helps)", "treats (Drug, Disease)", "treats (Drug, Disease)", "treats (Drug, Cause)"),
        ("a (Fever -> heat)", "-", "-", "causes (Disease, Cause)"),
        ("b (Aspirin -> helps)", "treats (Drug, Disease)", "treats (Drug, Disease)", "causes (Drug, Disease)"),
    ]
    assert [example.group for example in found.examples] == ["only A"] * 3
    assert found.examples[1].text == "Fever follows heat .", "the sentence alone"


def test_other_profiles(write: Callable[..., Path]) -> None:
    a, b = write("a", A), write("b", B)
    relation = compare_runs(a, b, profile="relation", trials=100)
    assert relation.figures_b == [pytest.approx(1 / 3)]
    assert [each[0] for each in shown(relation)] == ["a (Fever -> heat)", "b (Aspirin -> helps)"]
    entity = compare_runs(a, b, profile="entity", metric="precision", trials=100)
    assert (entity.figures_a, entity.figures_b) == ([1], [pytest.approx(5 / 6)])
    assert shown(entity) == [("a (helps)", "Disease", "Disease", "Cause")]
    assert shown(compare_runs(a, b, profile="span", trials=100)) == []
    assert [example.group for example in compare_runs(b, a, profile="entity", trials=100).examples] == ["only B"]


def test_directions_that_do_not_count(write: Callable[..., Path]) -> None:
    a, b = (write(name, found, undirected=["causes"]) for name, found in (("a", A), ("b", B)))
    found = compare_runs(a, b, profile="relation", trials=100)
    assert ("a (Fever -> heat)", "causes", "-", "causes") in shown(found) and found.figures_b == [pytest.approx(2 / 3)]
    with pytest.raises(RelconError, match="direction does not count differ, causes and none"):
        compare_runs(a, write("c", B), trials=100)


def test_without_overlapping_sentences(write: Callable[..., Path]) -> None:
    nested = [replace(GOLD[0], entities=(*GOLD[0].entities, Entity((Mention(0, 2),), "Drug"))), GOLD[1]]
    a, b = (write(name, found, nested, overlapping="drop") for name, found in (("a", A), ("b", B)))
    found = compare_runs(a, b, trials=100)
    assert found.profile == "strict.without_overlaps" and "a (Aspirin -> helps)" not in [each[0] for each in shown(found)]
    assert found.figures_a == [pytest.approx(2 / 3)], "1 of 1, 2 to find"
    assert compare_runs(a, b, profile="strict", trials=100).figures_a == [pytest.approx(0.8)]


def test_seeds_are_means_and_folds_are_documents_of_their_own(write: Callable[..., Path], tmp_path: Path) -> None:
    for seed in (1, 2):
        write(f"a/seeds/seed_{seed}", A)
        write(f"b/seeds/seed_{seed}", [A, B][seed - 1])
    found = compare_runs(tmp_path / "a", tmp_path / "b", trials=100)
    assert (found.runs, found.instances, found.difference) == (["seeds/seed_1", "seeds/seed_2"], 2, pytest.approx(0.4))
    for fold, number in (("fold_1", 0), ("fold_2", 1)):
        write(f"c/folds/{fold}", A[number:][:1], GOLD[number:][:1])
        write(f"d/folds/{fold}", B[number:][:1], GOLD[number:][:1])
    folds = compare_runs(tmp_path / "c", tmp_path / "d", trials=100)
    assert (folds.instances, folds.figures_a) == (2, [pytest.approx(2 / 3), 1])


def test_the_difference_is_tested_over_documents(write: Callable[..., Path]) -> None:
    """Of six documents A is right in all and B in none: two of 64 exchanges are as extreme."""
    gold = [replace(GOLD[1], id=f"d{number}") for number in range(6)]
    wrong = [replace(each, relations=()) for each in gold]
    found = compare_runs(write("a", gold, gold), write("b", wrong, gold), trials=20_000)
    assert found.p_randomisation == pytest.approx(2 / 64, abs=0.01) and found.interval == (1, 1)


def test_what_cannot_be_paired(write: Callable[..., Path], tmp_path: Path) -> None:
    a = write("a", A)
    other = [replace(GOLD[0], relations=()), GOLD[1]]
    for message, folder in {
        r"what is annotated differs in 1 documents \(the first is a\)": write("gold", B, other),
        "they have different documents .1 only in A, the first is b": write("fewer", B[:1], GOLD[:1]),
        "different profiles .strict, strict.without_overlaps": write("drop", B, overlapping="drop"),
    }.items():
        with pytest.raises(RelconError, match=message):
            compare_runs(a, folder, trials=100)
    pairs = tmp_path / "pairs"
    pairs.mkdir()
    (pairs / "predictions.jsonl").write_text('{"id": "i", "gold": "x", "predicted": "x"}\n')
    (pairs / "scores.json").write_text('{"profile": "micro", "labels": ["x"], "negative": [], "lost": []}')
    with pytest.raises(RelconError, match=r"one was measured by relcon.Extraction.v1, the other by relcon.Scores.v1"):
        compare_runs(a, pairs, trials=100)
    with pytest.raises(RelconError, match=r"no metric profile 'strikt' of relcon.Extraction.v1. Did you mean 'strict'\?"):
        compare_runs(a, a, profile="strikt")


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "[]",
        '{"id": "x"}',
        '{"id": "x", "text": "", "words": [], "sentences": [], "gold": {"entities": [], "relations": []}, "predicted": {"entities": []}}',
        '{"id": "x", "text": "", "words": ["a"], "sentences": [[0, 1]], "predicted": {"entities": [], "relations": []}, "gold": '
        '{"entities": [{"text": "a", "type": "T", "words": [[0, 1]]}], "relations": [{"head": 0, "tail": 1, "label": "x"}]}}',
        '{"id": "x", "text": "", "words": ["a"], "sentences": [[0, 1]], "predicted": {"entities": [], "relations": []}, "gold": '
        '{"entities": [{"text": "a", "type": "T", "words": []}], "relations": []}}',
    ],
)
def test_broken_predictions_name_file_and_line(write: Callable[..., Path], line: str) -> None:
    folder = write("a", A)
    lines = (folder / "predictions.jsonl").read_text().splitlines()
    (folder / "predictions.jsonl").write_text("\n".join([lines[0], line, lines[1]]))
    with pytest.raises(DataError, match="expected") as caught:
        read_results(folder)
    assert [problem.where.rpartition(":")[2] for problem in caught.value.problems] == ["2"]


def test_broken_scores(write: Callable[..., Path]) -> None:
    folder = write("a", A)
    (folder / "scores.json").write_text('{"measures": "extraction", "overlapping": "perhaps", "undirected": []}')
    with pytest.raises(RelconError, match=r"scores.json is not what relcon.Extraction.v1 writes"):
        read_results(folder)


def test_figures_without_predictions_are_told_from_unfinished_runs(tmp_path: Path) -> None:
    (tmp_path / "stages/evaluate/documents").mkdir(parents=True)
    (tmp_path / "stages/evaluate/documents/scores.json").write_text("{}")
    with pytest.raises(RelconError, match=r"stages/evaluate/documents\) leaves nothing to pair, as relcon.DocumentScores.v1 does"):
        compare_runs(tmp_path, tmp_path)


def test_command(write: Callable[..., Path], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["compare", str(write("a", A)), str(write("b", B)), "--trials", "200", "--examples", "1", "--profile", "relation"])
    assert not ended.value.code
    out = capsys.readouterr().out
    assert "f1 (relation), 2 documents" in out and "McNemar" not in out
    assert "The predictions differ 2 times: only A right 2, only B right 0, neither right 0." in out
    assert "  a (Fever -> heat)  gold -  A -  B causes\n      Fever follows heat .\n" in out
