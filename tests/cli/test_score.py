"""`relcon score`, and `relcon evaluate --all-profiles`, through the real command line."""

import json

KEY = "1\tCause-Effect(e1,e2)\n2\tOther\n"


def test_a_profile(relcon, tmp_path):
    (tmp_path / "key.txt").write_text(KEY)
    (tmp_path / "told.txt").write_text("1\tCause-Effect(e1,e2)\n")
    ended = relcon("score", tmp_path / "key.txt", tmp_path / "told.txt", "--profile", "semeval2010.official", "-o", tmp_path / "out")
    assert (ended.code, ended.err) == (0, "")
    assert "1.0000" in ended.out and "1 of 2 pairs have no prediction" in ended.out
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"scores.json", "per_class.json", "per_class.tsv", "semeval2010.txt"}
    again = relcon("score", tmp_path / "key.txt", tmp_path / "told.txt", "--profile", "micro", "-o", tmp_path / "out")
    assert again.code == 2 and "--overwrite" in again.err


def test_all_profiles_of_files(relcon, tmp_path):
    (tmp_path / "key.txt").write_text(KEY)
    ended = relcon("score", tmp_path / "key.txt", tmp_path / "key.txt", "--all-profiles")
    assert ended.code == 0 and "semeval2010.micro18" in ended.out
    assert "ddi.micro4: does not apply; it counts DDI-advise, DDI-effect, DDI-int, ..., and no gold relation is one of these." in ended.out


def test_mistakes(relcon, tmp_path):
    (tmp_path / "key.txt").write_text(KEY)
    for words, message in (
        ([], "Name one metric profile"),
        (["--profile", "micro", "--all-profiles"], "Name one metric profile"),
        (["--profile", "semeval"], "no metric profile 'semeval'"),
        (["--profile", "docred.f1"], "a key of answers has no documents"),
        (["--profile", "micro", "--reader", "relcon.SemEval.v1"], "Did you mean"),
        (["--profile", "micro", "--train", tmp_path / "nowhere"], "does not exist"),
    ):
        ended = relcon("score", tmp_path / "key.txt", tmp_path / "key.txt", *words)
        assert ended.code == 2 and message in ended.err and "Traceback" not in ended.err, (words, ended)


def test_a_run_side_by_side_and_its_predictions_by_themselves(relcon, train, data, tmp_path):
    assert train(tmp_path / "run").code == 0
    ended = relcon("evaluate", tmp_path / "run", "--split", "test", "--all-profiles", "-o", tmp_path / "out")
    assert (ended.code, ended.err) == (0, "")
    assert "micro *" in ended.out and "* is what the config selects." in ended.out and "macro" in ended.out
    assert "e2e.strict.micro: does not apply; it scores entities and relations that a model finds by itself" in ended.out
    scores = json.loads((tmp_path / "out" / "scores" / "scores.json").read_text())["figures"]
    told = tmp_path / "out" / "scores" / "predictions.jsonl"
    ended = relcon("score", data / "test.jsonl", told, "--profile", "micro", "--negative", "none")
    assert ended.code == 0 and f"{scores['f1']:.4f}" in ended.out and f"{scores['accuracy']:.4f}" in ended.out
    both = relcon("evaluate", tmp_path / "run", "--profile", "micro", "--all-profiles")
    assert both.code == 2 and "exclude each other" in both.err
