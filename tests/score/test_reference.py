"""`relcon score` on the answers that come with the official SemEval scorer, against what that printed."""

import re

import pytest

from relcon.errors import DataError
from relcon.evaluators.semeval2010 import official_report, read_answers
from relcon.score import write_scoring

FOLDER = "data/semeval2010_task8/SemEval2010_task8_all_data/SemEval2010_task8_scorer-v1.2"


@pytest.mark.parametrize("number", [1, 2, 3, 5])
def test_the_official_score(number, shared, scored, tmp_path):
    folder = shared(FOLDER)
    key, answers = (folder / f"{name}{number}.txt" for name in ("answer_key", "proposed_answer"))
    found = scored(key, answers, "semeval2010.official")
    printed = (folder / f"result_scores{number}.txt").read_text()
    (official,) = re.findall(r"official score is .* macro-averaged F1 = +([\d.]+)%", printed)
    assert f"{100 * found.lines[0].figures['f1']:.2f}" == official
    gold, told = read_answers(key), read_answers(answers)
    skipped = sum(item not in told for item in gold)
    assert found.notes == ([f"{skipped} of {len(gold)} pairs have no prediction and count as no relation."] if skipped else [])
    write_scoring(tmp_path, found)
    assert (tmp_path / "semeval2010.txt").read_text() == official_report(list(gold.values()), [told.get(item) for item in gold])


def test_the_malformed_answers_are_refused(shared, scored):
    folder = shared(FOLDER)
    with pytest.raises(DataError, match=r"(?s)proposed_answer4\.txt:2: .*proposed_answer4\.txt:7: item 1 occurs twice"):
        scored(folder / "answer_key1.txt", folder / "proposed_answer4.txt", "semeval2010.official")
