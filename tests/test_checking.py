"""`check_config`: each kind of mistake with its place, what was expected and the nearest name; all at once; nothing is built."""

from pathlib import Path

import pytest

from relcon.checking import check_config, check_example, require_sound
from relcon.config.names import stage_mistakes
from relcon.errors import ConfigError

LOSS = '@objectives = "toy.Loss.v1"'


def test_the_toy_config_is_sound(toy):
    assert check_config(toy()) == []


def test_nothing_is_built(edited):
    loaded = edited(("rate = 0.2", "rate = 7"))  # its constructor would refuse it
    assert check_config(loaded) == []


CASES = {
    "unknown section": (("[vars]", "[varz]"), None, "[varz] is no section of a config. Did you mean 'vars'?"),
    "unknown key of training": (("seed = 0", "sed = 0"), None, "[training] this section takes no 'sed'. Did you mean 'seed'?"),
    "unknown argument": (("rate = 0.2", "rat = 0.2"), None, "takes no 'rat'. Did you mean 'rate'?"),
    "unknown sub-block": (("[data.reader]", "[data.reeder]"), None, "[data] 'toy.Corpus.v1' takes no 'reeder'. Did you mean 'reader'?"),
    "unknown component": (
        ("toy.Lines.v1", "toy.Linez.v1"),
        None,
        "[data.reader] 'toy.Linez.v1' is not registered in '@readers'. Did you mean 'toy.Lines.v1'?",
    ),
    "unknown registry": (("@readers", "@reeders"), None, "[data.reader] expected a block of @readers, got one of @reeders."),
    "component of another interface": (
        (LOSS, '@augmenters = "toy.Drop.v1"'),
        None,
        "expected a block of @objectives, got one of @augmenters.",
    ),
    "registered under the wrong interface": (("toy.Drop.v1", "toy.Stray.v1"), None, "'toy.Stray.v1' in '@augmenters' is no Augmenter"),
    "component is no text": (('"toy.Lines.v1"', "3"), None, "@readers takes a registered name in double quotes, got 3."),
    "two components": (
        ('@readers = "toy.Lines.v1"', '@readers = "toy.Lines.v1"\n@corpora = "x"'),
        "[data.reader]",
        "names 2 components (@readers, @corpora)",
    ),
    "no component": (
        (LOSS, 'similarity = "dot"'),
        "[stages.pretrain.tasks.contrast.objective]",
        '[stages.pretrain.tasks.contrast.objective] needs @objectives = "NAME"',
    ),
    "text for a whole number": (("batch_size = 8", 'batch_size = "8"'), None, 'batch_size: expected a whole number, got "8".'),
    "fraction for a whole number": (("max_steps = 10", "max_steps = 1.5"), None, "max_steps: expected a whole number, got 1.5."),
    "1.0 for a whole number": (("seed = 0", "seed = 1.0"), None, "expected a whole number, got 1.0."),
    "true for a whole number": (("seed = 0", "seed = true"), None, "expected a whole number, got true."),
    "whole number for true": (
        ("size = ${training.batch_size}", "size = 1\nshuffle = 1"),
        "shuffle",
        "shuffle: expected true or false, got 1.",
    ),
    "text for a number": (("rate = 0.2", 'rate = "0.2"'), None, 'rate: expected a number, got "0.2".'),
    "text for a list": (
        ("head = [\n    4,\n    2\n    ]", "head = 4"),
        "head = 4",
        "head: expected a list, each a whole number or null, got 4.",
    ),
    "wrong item of a list": (("    4,\n", '    "4",\n'), "head = [", 'head: expected a whole number, got "4".'),
    "list for a text": (('stream = "views"', 'stream = ["views"]'), None, 'stream: expected a text, got the list ["views"].'),
    "number for a text": (('encoder = "text"', "encoder = 1"), None, "encoder: expected a text, got 1."),
    "outside a literal": (
        (LOSS, LOSS + '\nsimilarity = "cosin"'),
        "similarity",
        'similarity: expected one of "cosine", "dot", got "cosin". Did you mean \'cosine\'?',
    ),
    "outside a union": ((LOSS, LOSS + "\nseveral = 0.5"), "several", "several: expected a whole number or a text, got 0.5."),
    "block for a text": (
        ('encoder = "text"', "encoder = ${stages.pretrain.encoders.text}"),
        None,
        "expected a text, got a block of @encoders.",
    ),
    "section for a text": (('encoder = "text"', "encoder = ${vars}"), None, "expected a text, got a section."),
    "text for a block": (
        ("again = ${stages.pretrain.streams.views}", 'again = "views"'),
        None,
        'again: expected a block of @samplers, got "views".',
    ),
    "missing argument": (
        ("temperature = ${vars.temperature}", ""),
        "[stages.pretrain.tasks.contrast.objective]",
        "'toy.Loss.v1' needs 'temperature' (a number). Add it, or give --stages.pretrain.tasks.contrast.objective.temperature VALUE.",
    ),
    "missing block": (
        ('[data.reader]\n@readers = "toy.Lines.v1"', ""),
        "[data]",
        "'toy.Corpus.v1' needs 'reader' (a block of @readers). Add [data.reader] with @readers.",
    ),
    "null for a value": (
        ("temperature = 0.05", "temperature = null"),
        "temperature = ${vars.temperature}",
        "temperature: needs a value (a number), but is null. Give --vars.temperature VALUE.",
    ),
    "too small": (("batch_size = 8", "batch_size = 0"), None, "batch_size must be at least 1, got 0."),
    "number among paths": (
        ("train = null", "train = null\nother = 3"),
        "other = 3",
        "[paths] other: expected a text in double quotes or null, got 3.",
    ),
    "unknown stream": (
        ('stream = "views"', 'stream = "viewz"'),
        None,
        "stream: 'viewz' is none of the streams of this stage. Did you mean 'views'?",
    ),
    "unknown encoder": (
        ('encoder = "text"', 'encoder = "txt"'),
        None,
        "encoder: 'txt' is none of the encoders of this stage. Did you mean 'text'?",
    ),
    "unknown pooler": (('pooler = "first"', 'pooler = "cls"'), None, "pooler: 'cls' is none of the poolers of this stage. Valid: 'first'."),
    "hand-over from no stage": (
        ('text = "pretrain.text"', 'text = "pretrian.text"'),
        None,
        "there is no stage 'pretrian'. Did you mean 'pretrain.text'?",
    ),
    "hand-over of nothing": (
        ('text = "pretrain.text"', 'text = "pretrain.txt"'),
        None,
        "stage 'pretrain' has none of that name in its encoders. Did you mean 'pretrain.text'?",
    ),
    "hand-over without a name": (('text = "pretrain.text"', 'text = "pretrain"'), None, 'expected a block or "STAGE.NAME"'),
    "hand-over from a later stage": (
        ('path = "from ${training.batch_size}"', '[stages.pretrain.encoders]\nlate = "finetune.text"'),
        'late = "finetune.text"',
        "stage 'finetune' comes later",
    ),
    "model of no stage": (
        ('model = "finetune"', 'model = "finetun"'),
        None,
        "'finetun' is no earlier stage, whose model could be used. Did you mean 'finetune'?",
    ),
    "stage that is none": (
        ('[stages.evaluate]\n@stages = "toy.Measure.v1"', "[stages.evaluate]"),
        None,
        '[stages.evaluate] needs @stages = "NAME"',
    ),
}


def line_of(problem):
    """The text of the line that a problem names."""
    file, line = problem.where.split(":")
    return Path(file).read_text(encoding="utf-8").splitlines()[int(line) - 1]


@pytest.mark.parametrize("case", CASES)
def test_one_mistake_is_one_message_with_its_line(case, edited):
    change, line, message = CASES[case]
    loaded = edited(change)
    problems = check_config(loaded)
    near = [problem for problem in problems if message in problem.message]
    assert near, f"{message!r} is not among {[str(problem) for problem in problems]}"
    assert (line or change[1]) in line_of(near[0])
    follow_ups = {"unknown section", "unknown sub-block", "block for a text", "text for a block", "no component", "stage that is none"}
    assert len(problems) == 1 or case in follow_ups, [str(problem) for problem in problems]


def test_null_names_the_override_that_gives_it(toy_cfg, toy_code):
    from relcon.config import load_config

    (problem,) = check_config(load_config(toy_cfg, code=[toy_code]))
    assert problem.message == "[data] train: needs a value (a text), but is null. Give --paths.train FILE."
    assert problem.where.endswith("toy.cfg:13")


def test_all_mistakes_at_once_in_the_order_of_the_lines(edited):
    changes = [
        CASES[case][0]
        for case in ("unknown key of training", "unknown component", "text for a number", "unknown stream", "model of no stage")
    ]
    loaded = edited(*changes, ("temperature = 0.05", "temperature = 'warm'"), words=["--training.sead", "3"])
    problems = check_config(loaded)
    assert [line_of(problem) for problem in problems[:-1]] == [
        "temperature = 'warm'", "sed = 0", '@readers = "toy.Linez.v1"', 'rate = "0.2"', 'stream = "viewz"', 'model = "finetun"',
    ]  # fmt: skip
    assert problems[-1].where == "--training.sead"
    with pytest.raises(ConfigError) as raised:
        require_sound(loaded)
    assert str(raised.value).startswith(f"{loaded.path}: 7 mistakes\n")
    assert len(str(raised.value).splitlines()) == 8


def test_missing_sections(load):
    messages = [problem.message for problem in check_config(load("[training]\nseed = 1\n"))]
    assert messages == [
        "there is no section [data], what to train on: the corpus, a block of @corpora.",
        "there are no [stages.NAME]: what is run, one block of @stages each, in this order.",
    ]


def test_a_section_that_is_a_value(load):
    messages = [problem.message for problem in check_config(load("paths: 3\ntraining:\n", suffix=".yaml"))]
    assert "[paths] must be a section: files and folders, free keys, each a text or null." in messages


def test_a_mistake_is_not_repeated_by_what_refers_to_it(edited):
    (problem,) = check_config(edited(("batch_size = 8", 'batch_size = "8"')))
    assert line_of(problem) == 'batch_size = "8"'


def test_lists_of_blocks_in_yaml(load):
    loaded = load(
        """
data: {'@corpora': toy.Corpus.v1, train: x, reader: {'@readers': toy.Lines.v1}}
stages:
  one: {'@stages': toy.Train.v1, encoders: {}, poolers: {}, streams: {}, tasks: {}}
  two:
    '@stages': toy.Measure.v1
    model: one
    augmenters:
      - '@augmenters': toy.Drop.v1
        rat: 0.1
      - '@readers': toy.Lines.v1
""",
        suffix=".yaml",
    )
    assert [problem.message for problem in check_config(loaded)] == [
        "[stages.two.augmenters] 'toy.Drop.v1' takes no 'rat'. Did you mean 'rate'?",
        "[stages.two.augmenters] expected a block of @augmenters, got one of @readers.",
    ]


def test_an_example_of_a_docstring(toy):
    toy()
    assert check_example('[corpus]\n@corpora = "toy.Corpus.v1"\ntrain = ${paths.train}\n[corpus.reader]\n@readers = "toy.Lines.v1"\n') == []
    (problem,) = check_example('[a]\n@augmenters = "toy.Drop.v1"\nrate = "x"\n')
    assert problem.message == '[a] rate: expected a number, got "x".'


PLAIN_STAGES = """
[data]
@corpora = "relcon.Corpus.v1"
train = ${paths.train}
test = ${paths.test}
dev_share = 0.5
[data.reader]
@readers = "relcon.JSONLines.v1"
[data.candidates]
@candidates = "relcon.AnnotatedPairs.v1"
[paths]
train = null
test = null
[stages.train]
@stages = "relcon.Pretrain.v1"
[stages.train.encoders]
[stages.train.poolers]
[stages.train.streams]
[stages.train.tasks]
[stages.dev]
@stages = "relcon.Evaluate.v1"
model = "train"
split = "dev"
[stages.dev.evaluators]
[stages.test]
@stages = "relcon.Evaluate.v1"
model = "train"
[stages.test.evaluators]
"""


def test_a_split_that_a_stage_reads_must_be_given(load):
    assert [problem.message for problem in check_config(load(PLAIN_STAGES))] == [
        "[data] train: stage 'train' reads the split 'train', which is null. Give --paths.train FILE.",
        "[data] test: stage 'test' reads the split 'test', which is null. Give --paths.test FILE.",
    ]
    assert check_config(load(PLAIN_STAGES, "--paths.train", "a", "--paths.test", "b")) == []


def test_the_way_to_a_null_leads_through_a_block_that_is_a_reference(load):
    block = PLAIN_STAGES.split("[data]")[1].split("[data.reader]")[0].replace("${paths.train}", "${paths.other}")
    text = PLAIN_STAGES.replace("[paths]", "[paths]\nother = null")
    text = text.replace('v1"\n[stages.train.e', 'v1"\ndata = ${vars.other}\n[stages.train.e')
    text += f"[vars.other]{block}reader = ${{data.reader}}\ncandidates = ${{data.candidates}}\n"
    messages = [problem.message for problem in check_config(load(text, "--paths.train", "a", "--paths.test", "b"))]
    assert messages == ["[stages.train.data] train: stage 'train' reads the split 'train', which is null. Give --paths.other FILE."]


def test_a_selection_reads_development_data(load):
    tuned = '[stages.train]\n@stages = "relcon.Finetune.v1"\nclassifier = "relation"\n'
    chosen = '[stages.train.selection]\n@evaluators = "relcon.Scores.v1"\nprofile = "micro"\n'
    text = PLAIN_STAGES.replace("dev_share = 0.5\n", "").replace('split = "dev"\n', "")
    text = text.replace('[stages.train]\n@stages = "relcon.Pretrain.v1"\n', tuned) + chosen
    said = "[data] dev: stage 'train' reads the split 'dev', which is null. Give --data.dev VALUE."
    assert said in [problem.message for problem in check_config(load(text))]
    assert said not in [problem.message for problem in check_config(load(text, "--stages.train.selection", "null"))]


def test_the_splits_of_a_corpus_that_changes_another_are_those_of_the_other(load):
    inner = PLAIN_STAGES.replace("[data", "[data.corpus").replace("[data.corpus.corpus", "[data.corpus")
    text = inner + '\n[data]\n@corpora = "relcon.PatchedCorpus.v1"\ntest = "patch.json"\n'
    assert [problem.message for problem in check_config(load(text))] == [
        "[data.corpus] train: stage 'train' reads the split 'train', which is null. Give --paths.train FILE.",
        "[data.corpus] test: stage 'test' reads the split 'test', which is null. Give --paths.test FILE.",
    ]
    assert check_config(load(text, "--paths.train", "a", "--paths.test", "b")) == []


def test_a_protocol_may_make_the_splits(load):
    assert check_config(load(PLAIN_STAGES, "--paths.train", "a", "--protocol.@protocols", "relcon.KFold.v1")) == []


def test_a_sampler_takes_from_an_earlier_stage_wherever_it_stands(monkeypatch):
    from relcon.samplers.instances import Instances

    monkeypatch.setattr(Instances, "takes", ("seed",), raising=False)
    inner = {"@samplers": "relcon.Instances.v1", "seed": "first"}
    own = {"@stages": "relcon.Pretrain.v1", "streams": {"views": {"@samplers": "relcon.MaskedPieces.v1", "sampler": inner}}}
    stages = {"first": {"@stages": "relcon.Pretrain.v1"}, "own": own}
    assert list(stage_mistakes(stages)) == []
    for inner["seed"], near in (("frist", " Did you mean 'first'?"), ("own", " Valid: 'first'.")):
        said = f"'{inner['seed']}' is no earlier stage, which could hand something on.{near}"
        assert list(stage_mistakes(stages)) == [(("stages", "own", "streams", "views", "sampler", "seed"), said)]
