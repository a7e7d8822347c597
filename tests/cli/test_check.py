"""`relcon check` through the real command line."""

import subprocess
import sys

import pytest

from relcon.cli.main import main


@pytest.fixture
def check(toy_cfg, toy_code, capsys):
    """`check("--a.b", "1")`: exit code, standard output, standard error."""

    def run(*words, config=toy_cfg):
        code = 0
        try:
            main(["check", str(config), "--code", str(toy_code), *words])
        except SystemExit as end:
            code = end.code or 0
        shown = capsys.readouterr()
        return code, shown.out, shown.err

    return run


def test_a_sound_config_says_what_comes_next(check, toy_cfg, toy_code):
    code, out, err = check("--paths.train", "x.txt")
    assert (code, err) == (0, "")
    first, second = out.splitlines()
    assert first == f"{toy_cfg} is sound: 3 stages (pretrain, finetune, evaluate)."
    assert second == f"Next: relcon train {toy_cfg} --output runs/toy --code {toy_code} --paths.train x.txt"


def test_all_mistakes_with_exit_code_2(check, toy_cfg):
    code, out, err = check("--training.seeed", "3", "--stages.pretrain.max_steps=x")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        f"error: {toy_cfg}: 3 mistakes",
        f"{toy_cfg}:13: [data] train: needs a value (a text), but is null. Give --paths.train FILE.",
        '--stages.pretrain.max_steps: [stages.pretrain] max_steps: expected a whole number, got "x".',
        "--training.seeed: does not override anything: [training] this section takes no 'seeed'."
        " Did you mean '--training.seed'?",
    ]


def test_more_than_ten_mistakes_are_all_listed(check, tmp_path):
    config = tmp_path / "bad.cfg"
    config.write_text("[training]\n" + "".join(f"wrong{n} = 1\n" for n in range(15)))
    code, _, err = check(config=config)
    assert code == 2
    assert err.count("[training] this section takes no 'wrong") == 15


def test_an_override_without_a_value_hides_no_other_mistake(check, toy_cfg):
    words = ["--training.batch_size", "--paths.train", "x.txt", "--training.max_stepz", "3", "--training.epochs", "-1", "--training.seed"]
    code, _, err = check(*words)
    assert code == 2 and err.startswith(f"error: {toy_cfg}: 4 mistakes\n")
    assert '--training.batch_size: [training] batch_size: there is no value. Write null, "" or a value.' in err
    assert "--training.seed: [training] seed: there is no value." in err
    assert "Did you mean '--training.max_steps'?" in err and "epochs must be at least 0, got -1." in err


def test_a_component_of_another_interface_is_named_as_such(check):
    code, _, err = check("--paths.train", "x.txt", "--stages.pretrain.tasks.contrast.objective.@objectives", "toy.Drop.v1")
    assert code == 2 and "'toy.Drop.v1' is not registered in '@objectives': it is a component of @augmenters." in err


def test_a_mistyped_option(check):
    code, _, err = check("--coed", "x")
    assert code == 2 and "there is no option --coed. Did you mean '--code'?" in err


def test_the_options_of_train_change_nothing(check, tmp_path):
    """So that `train` and `check` can be swapped in a command."""
    folder = tmp_path / "run"
    code, out, err = check("--paths.train", "x.txt", "--output", str(folder), "--resume")
    assert (code, err) == (0, "") and f"--output {folder} --code" in out and "--resume" in out
    assert check("--paths.train", "x.txt", "-o", str(folder), "--overwrite")[0] == 0
    assert not folder.exists()


def test_as_a_process(toy_cfg):
    """Without --code none of the toy components is known; no traceback is shown."""
    done = subprocess.run(
        [sys.executable, "-c", "from relcon.cli.main import main; main()", "check", str(toy_cfg)], capture_output=True, text=True
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert (
        "[data.reader] 'toy.Lines.v1' is not registered" in done.stderr or "'toy.Corpus.v1' is not registered in '@corpora'" in done.stderr
    )
