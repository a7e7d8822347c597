"""The official SemEval scorer: every figure that it printed for its sample answers, read out of its own output files."""

import re

import pytest

from relcon.data.labels import LabelSet
from relcon.errors import DataError, RelconError
from relcon.evaluators.profiles import DIRECTED
from relcon.evaluators.scoring import score
from relcon.evaluators.semeval2010 import ANSWERS, TITLES, evaluate_answers, official_report, read_answers

FOLDER = "data/semeval2010_task8/SemEval2010_task8_all_data/SemEval2010_task8_scorer-v1.2"
SAMPLES = (1, 2, 3, 5)
LABELS = LabelSet(ANSWERS, frozenset({"Other"}))
RATIO = r"P = +(\d+)/ *\(? *(\d+)(?: \+ +(\d+)\))? = +([\d.]+)% +R = +(\d+)/ *(\d+) = +([\d.]+)% +F1 = +([\d.]+)%"


@pytest.fixture(params=SAMPLES)
def sample(request, shared):
    """(gold, predicted, the scorer's output) of one sample."""
    folder = shared(FOLDER)
    key, answers = (read_answers(folder / f"{name}{request.param}.txt") for name in ("answer_key", "proposed_answer"))
    return list(key.values()), [answers.get(item) for item in key], (folder / f"result_scores{request.param}.txt").read_text()


def sections(text):
    """The three evaluations of a report."""
    return re.split(r"<<< *\([^>]*>>>:?", text)[1:4]


def ratios(section):
    """(right, predicted, precision, right, gold, recall, F1) of each `P = ... R = ... F1 = ...` line, in order."""
    rows = []
    for right, predicted, reversed_, precision, *rest in re.findall(RATIO, section):
        rows.append((int(right), int(predicted) + int(reversed_ or 0), float(precision), *map(float, rest)))
    return rows


def macro(section):
    """Precision, recall and F1 of the macro average."""
    return [float(value) for value in re.search(r"MACRO.*\nP = +([\d.]+)%\s+R = +([\d.]+)%\s+F1 = +([\d.]+)%", section).groups()]


def confusion(section):
    """The numbers of the table, without the column of row names."""
    rows = re.findall(r"^ *(?:[A-Z]-[A-Z]\d?|_O_) \|((?: +\d+)+) +\|((?: +\d+)+)$", section, re.MULTILINE)
    return [[int(number) for number in f"{cells} {margins}".split()] for cells, margins in rows]


def accuracies(section):
    """The last percentage of the coverage line and of the three accuracy lines."""
    lines = [line for line in section.splitlines() if line.startswith(("Coverage", "Accuracy"))]
    return [float(line.rpartition("=")[2].strip(" %")) for line in lines]


def test_the_report_has_every_figure_of_the_official_output(sample):
    gold, predicted, printed = sample
    ours, theirs = sections(official_report(gold, predicted)), sections(printed)
    assert len(ours) == len(theirs) == 3
    for mine, official in zip(ours, theirs, strict=True):
        assert len(ratios(official)) >= 2, "one relation and the micro average at the least"
        assert ratios(mine) == ratios(official)
        assert macro(mine) == macro(official) and len(macro(mine)) == 3
        assert accuracies(mine) == accuracies(official) and len(accuracies(mine)) == 4
        assert confusion(mine) == confusion(official) and confusion(mine)


def test_the_profile_is_the_official_score(sample):
    gold, predicted, printed = sample
    figures = score(gold, predicted, LABELS, "semeval2010.official")
    official = float(re.findall(r"macro-averaged F1 = +([\d.]+)%", printed)[0])
    assert round(100 * figures["f1"], 2) == official
    for name, right, predictions, reversed_, items, f1 in re.findall(
        r"^ *(\w+-\w+) : +P = +(\d+)/\( *(\d+) \+ +(\d+)\) = +[\d.]+% +R = +\d+/ *(\d+) = +[\d.]+% +F1 = +([\d.]+)%",
        printed, flags=re.MULTILINE,
    ):  # fmt: skip
        assert figures[f"predicted/{name}"] == int(predictions) + int(reversed_)
        assert figures[f"support/{name}"] == int(items)
        assert round(100 * figures[f"f1/{name}"], 2) == float(f1)
        assert figures[f"recall/{name}"] == int(right) / int(items)


def test_micro18_is_the_micro_average_of_the_directed_evaluation(sample):
    gold, predicted, printed = sample
    figures = score(gold, predicted, LABELS, "semeval2010.micro18")
    right, predictions, precision, _, items, recall, f1 = ratios(sections(printed)[0])[-1]
    in_key = [each for each in predicted if each in gold]  # the scorer takes a relation that is not in the key for Other
    assert sum(each not in (None, "Other") for each in in_key) == predictions
    strange = sum(each is not None and each not in gold and each != "Other" for each in predicted)
    assert figures["recall"] == pytest.approx(right / items) and round(100 * figures["recall"], 2) == recall
    assert figures["precision"] == pytest.approx(right / (predictions + strange))
    if not strange:
        assert [round(100 * figures[name], 2) for name in ("precision", "f1")] == [precision, f1]


def test_all_training_labels_give_6_35(shared):
    folder = shared(FOLDER)
    key, answers = read_answers(folder / "answer_key2.txt"), read_answers(folder / "proposed_answer2.txt")
    assert len(key) == 8000
    figures = score(list(key.values()), [answers.get(item) for item in key], LABELS, "semeval2010.official")
    assert f"{100 * figures['f1']:.2f}" == "6.35"
    micro = score(list(key.values()), [answers.get(item) for item in key], LABELS, "semeval2010.micro18")
    assert f"{100 * micro['f1']:.2f}" == "6.67"


def test_the_malformed_sample_is_refused_with_its_four_faults(shared):
    with pytest.raises(DataError) as caught:
        read_answers(shared(FOLDER) / "proposed_answer4.txt")
    assert [problem.where.rpartition(":")[2] for problem in caught.value.problems] == ["2", "3", "5", "7"]
    assert "Did you mean 'Message-Topic(e1,e2)'?" in str(caught.value)
    assert "item 1 occurs twice" in str(caught.value)


# ---- without the real files ----------------------------------------------------------------------------------------------


def test_by_hand():
    gold = ["Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)", "Other", "Entity-Origin(e1,e2)", "Other"]
    predicted = ["Cause-Effect(e1,e2)", "Cause-Effect(e1,e2)", "Message-Topic(e1,e2)", None, None]
    official = evaluate_answers(gold, predicted, "official")
    assert official.classes == ["Cause-Effect", "Entity-Origin", "Other"] and official.columns == [*official.classes, "Message-Topic"]
    assert official.confusion.tolist() == [[1, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 1]]
    assert official.wrong_direction.tolist() == [1, 0, 0] and official.skipped.tolist() == [0, 1, 1]
    assert official.actual.tolist() == [2, 1, 2]
    assert float(official.macro.f1) == 0.25, "the mean of 1/2 and 0"
    assert float(official.micro.precision) == 0.5, "a prediction that is not in the key is in no relation's precision"
    assert official.accuracies == pytest.approx((1 / 3, 1 / 5, 2 / 5))
    undirected = evaluate_answers(gold, predicted, "undirected")
    assert undirected.confusion[0, 0] == 2 and undirected.wrong_direction.sum() == 0
    assert evaluate_answers(gold, predicted, "directed").classes[:2] == ["Cause-Effect(e1,e2)", "Cause-Effect(e2,e1)"]


def test_the_report_says_what_it_is():
    report = official_report([DIRECTED[0], "Other"], [DIRECTED[1], "Other"])
    assert all(title in report for title in TITLES.values())
    assert report.endswith("<<< The official score is the macro-averaged F1 of the last evaluation: 0.00% >>>\n")
    assert official_report(["Other"], ["Other"])


def test_a_foreign_label_is_refused():
    with pytest.raises(RelconError, match=r"'Cause-Effect' is no label of SemEval-2010 Task 8"):
        evaluate_answers(["Cause-Effect"], ["Other"], "official")


def test_answer_files(tmp_path):
    (tmp_path / "key.txt").write_text("1\tOther\n2 Other\n1\tOther\n")
    with pytest.raises(DataError, match=r"(?s)key.txt:2: expected ID<TAB>LABEL.*key.txt:3: item 1 occurs twice"):
        read_answers(tmp_path / "key.txt")
    (tmp_path / "empty.txt").write_text("")
    for name, message in (("empty.txt", "is empty"), ("none.txt", "does not exist")):
        with pytest.raises(RelconError, match=message):
            read_answers(tmp_path / name)
