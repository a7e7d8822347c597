"""The test kit: components that break a promise of data, training or registration do not pass its checks."""

import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any, Callable, List, Optional

import pytest
import torch
from torch import nn

from relcon.config import LoadedConfig, load_config
from relcon.data.candidates import AnnotatedPairs
from relcon.data.document import Document, Entity, Mention, Relation, Source
from relcon.data.json import document_to_json, write_jsonl
from relcon.data.labels import LabelSet
from relcon.errors import RelconError
from relcon.interfaces import (
    Artifacts,
    Augmenter,
    CandidateRule,
    Corpus,
    DatasetReader,
    DistantBuilder,
    Encoder,
    Extractor,
    KnowledgeBase,
    Linked,
    OptimizerPlan,
    PairBuilder,
    Parser,
    Protocol,
    Rejected,
    Schedule,
    Stage,
    SynonymSource,
    Writer,
)
from relcon.plans import StagePlan
from relcon.poolers.sentence import CLS
from relcon.renderers.markers import EntityMarkers
from relcon.tasks.contrastive import Contrastive
from relcon.testing import (
    check_builder,
    check_candidates,
    check_component,
    check_corpus,
    check_distant,
    check_encoder,
    check_extractor,
    check_optimizer,
    check_parser,
    check_pooler,
    check_protocol,
    check_reader,
    check_schedule,
    check_stage,
    check_synonyms,
    check_task,
    check_tower,
    check_writer,
    tiny_corpus,
    tiny_encoder,
    tiny_instances,
    tiny_parts,
    tiny_split,
)
from relcon.towers import HeadedTower


def breaks(check: Any, message: str, *arguments: Any, **keywords: Any) -> None:
    with pytest.raises(AssertionError, match=message):
        check(*arguments, **keywords)


def faults(table: Any) -> Any:
    return pytest.mark.parametrize("fault, message", table)


# ---- readers and writers -------------------------------------------------------------------------------------------------


class Lines(DatasetReader):
    """Reads a sentence from each line `name word word ...`, with a fault."""

    def __init__(self, fault: str = ""):
        self.fault, self.calls = fault, 0

    @classmethod
    def sniff(cls, glimpse: Any) -> Optional[str]:
        return "lines of words"

    def read(self, path: Path) -> Any:
        documents = self.documents(path)
        return list(documents) if self.fault == "list" else documents

    def documents(self, path: Path) -> Any:
        self.calls += 1
        if not path.exists() and self.fault != "missing":
            raise RelconError(f"{path} does not exist.")
        raw = path.read_bytes() if path.exists() else b"a b c"
        try:
            lines = raw.decode("utf-8").splitlines()
        except UnicodeDecodeError as error:
            if self.fault == "bytes":
                raise
            raise RelconError(f"{path}: no UTF-8.") from error
        if self.fault == "writes":
            path.write_bytes(raw + b"\n")
        for number, line in enumerate(lines, 1):
            name, *words = line.split() or ["none"]
            if len(words) > 1:
                yield self.document(path, number, name, words)
            elif self.fault != "silent":
                raise RelconError(f"{path}:{number}: expected a name and two words.")

    def document(self, path: Path, number: int, name: str, words: List[str]) -> Document:
        source = None if self.fault == "source" else Source(str(path), number + (90 if self.fault == "line" else 0))
        sentences = ((0, 1),) if self.fault == "sentences" else ()
        left_out = {"metadata": {"left_out": {"event": 0}}} if self.fault == "counts" else {}
        label = str(self.calls) if self.fault == "unsteady" else "met"
        entities = (Entity((Mention(0, 1),)), Entity((Mention(1, 2),)))
        return Document(
            "same" if self.fault == "ids" else name, tuple(words), entities, (Relation(0, 1, label),), sentences, source=source, **left_out
        )


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    (tmp_path / "lines.txt").write_text("first Zorvane met Orsk\nsecond Orsk saw Zorvane twice\n")
    return tmp_path / "lines.txt"


@faults(
    [
        ("list", "must return an iterator"),
        ("missing", "nothing was read without a word"),
        ("bytes", "UnicodeDecodeError"),
        ("writes", "the reader changed"),
        ("source", "does not say where it was read"),
        ("line", r"line 91 of .*, which has"),
        ("sentences", "do not cover"),
        ("counts", "left_out"),
        ("ids", "id 'same'"),
        ("unsteady", "read twice"),
    ]
)
def test_broken_readers(fault: str, message: str, lines: Path) -> None:
    breaks(check_reader, message, Lines(fault), lines)


def test_a_sound_reader_and_labels_where_none_should_be(lines: Path) -> None:
    check_reader(Lines(), lines)
    breaks(check_reader, "has no labels, but its documents have", Lines(), lines, unlabelled=lines)


class Dumping(Writer):
    """Writes our own format, with a fault."""

    reader = "relcon.JSONLines.v1"

    def __init__(self, fault: str = ""):
        self.fault, self.calls = fault, 0

    def losses(self, document: Document) -> Any:
        return {"the relation": 0} if self.fault == "losses" else {"relation": 1} if self.fault == "says so" else {}

    def write(self, documents: Any, path: Path) -> int:
        self.calls += 1
        changed = (self.changed(number, document) for number, document in enumerate(documents))
        if self.fault == "half":
            with path.open("w") as file:
                for document in changed:
                    file.write(json.dumps(document_to_json(document)) + "\n")
            return 12
        count = write_jsonl(changed, path)
        return count + (self.fault == "count")

    def changed(self, number: int, document: Document) -> Document:
        if self.fault in ("relations", "says so"):
            return replace(document, relations=())
        return replace(document, metadata={"call": self.calls}) if self.fault == "unsteady" else document


@faults(
    [
        ("relations", "its relations came back"),
        ("losses", "losses of document"),
        ("half", "documents that broke off left"),
        ("count", "write said 13"),
        ("unsteady", "different files"),
    ]
)
def test_broken_writers(fault: str, message: str) -> None:
    breaks(check_writer, message, Dumping(fault))


def test_a_writer_may_lose_what_it_names() -> None:
    check_writer(Dumping())
    check_writer(Dumping("says so"))


# ---- pairs, splits, parses, words ----------------------------------------------------------------------------------------


class Pairs(CandidateRule):
    """The annotated pairs, with a fault."""

    def __init__(self, fault: str):
        self.fault = fault

    def instances(self, document: Document, labels: Optional[LabelSet] = None) -> Any:
        found, lost = AnnotatedPairs().instances(document, labels)
        if self.fault == "drops":
            found = found[1:]
        if self.fault == "twice":
            found = found * 2
        if self.fault == "label":
            found = [replace(each, label="no such label") for each in found]
        if self.fault == "invents":
            found = [replace(each, label=each.label or "none") for each in found]
        if self.fault == "uid":
            found = [replace(each, uid="") for each in found]
        return found, lost


@faults(
    [
        ("drops", "neither a candidate's label nor lost"),
        ("twice", "a candidate twice"),
        ("label", "unknown label"),
        ("invents", "without labels, got some"),
        ("uid", "uids of their own"),
    ]
)
def test_broken_candidates(fault: str, message: str) -> None:
    breaks(check_candidates, message, Pairs(fault))
    check_candidates(Pairs(""))


class Splits(Corpus):
    """The tiny corpus, with a fault."""

    def __init__(self, fault: str = ""):
        self.fault = fault
        self.draw = torch.randint(3, ()) if fault == "draws" else 0

    @property
    def labels(self) -> LabelSet:
        return tiny_split().labels

    def splits(self) -> List[str]:
        return ["train", "test"]

    def split(self, name: str) -> Any:
        if name not in self.splits() and self.fault != "any":
            raise RelconError(f"there is no split '{name}'")
        split = tiny_split(8 + int(self.draw), "train" if self.fault == "name" else name)
        if self.fault == "labels":
            return replace(split, labels=LabelSet(("none", "activates", "inhibits", "more")))
        if self.fault == "stranger":
            return replace(split, documents=split.documents[1:])
        return split


@faults([("any", "handed out"), ("name", "is called 'train'"), ("labels", "label set of its own"), ("stranger", "is of no document")])
def test_broken_corpora(fault: str, message: str) -> None:
    breaks(check_corpus, message, lambda: Splits(fault))
    check_corpus(Splits)


def test_a_corpus_that_draws_from_the_stream_of_all() -> None:
    torch.manual_seed(0)
    seen = {int(torch.randint(3, ())) for _ in range(20)}
    assert len(seen) == 3
    with torch.random.fork_rng():
        torch.manual_seed(20_011)
        other = int(torch.randint(3, ()))
    seed = next(seed for seed in range(20) if int(torch.randint(3, (), generator=torch.Generator().manual_seed(seed))) != other)
    torch.manual_seed(seed)
    breaks(check_corpus, "built twice", lambda: Splits("draws"))


class Trees(Parser):
    """The parses that the tiny corpus comes with, with a fault."""

    def __init__(self, fault: str):
        self.fault = fault

    def parse(self, documents: Any) -> List[Document]:
        parsed = [next(replace(document, parse=each.parse) for each in tiny_corpus() if each.id == document.id) for document in documents]
        if self.fault == "none":
            return list(documents)
        if self.fault == "circle":
            return [replace(each, parse=replace(each.parse, heads=(1, 0, *each.parse.heads[2:]))) for each in parsed]
        if self.fault == "others":
            return [replace(each, parse=replace(each.parse, labels=(str(len(parsed)),) * len(each.words))) for each in parsed]
        if self.fault == "relations":
            return [replace(each, relations=()) for each in parsed]
        return parsed


@faults([("none", "without a parse"), ("circle", "circle"), ("others", "depends on the others"), ("relations", "more of a document")])
def test_broken_parsers(fault: str, message: str) -> None:
    breaks(check_parser, message, Trees(fault))
    check_parser(Trees(""))


class Thesaurus(SynonymSource):
    """A word with two others, with a fault."""

    def __init__(self, fault: str):
        self.fault = fault

    def synonyms(self, word: str) -> List[str]:
        if word != "doses":
            return ["?"] if self.fault == "unknown" else []
        return {"order": ["b", "a"], "itself": ["amounts", "doses"]}.get(self.fault, ["amounts", "shares"])

    def look_up(self, words: Any) -> Any:
        return {} if self.fault == "together" else super().look_up(words)


@faults([("order", "not sorted"), ("itself", "word itself"), ("together", "look_up"), ("unknown", "is none")])
def test_broken_synonyms(fault: str, message: str) -> None:
    breaks(check_synonyms, message, Thesaurus(fault), ["doses"])
    check_synonyms(Thesaurus(""), ["doses", "of"])


class Building(PairBuilder):
    """The tiny corpus as pairs, with a fault."""

    def __init__(self, fault: str):
        self.fault, self.calls = fault, 0

    def build(self) -> Any:
        self.calls += 1
        if self.fault == "global":
            torch.rand(1)
        documents = tiny_corpus(4 + (self.calls if self.fault == "unsteady" else 0))
        yield from [replace(each, relations=()) for each in documents] if self.fault == "pairs" else documents

    def skipped(self) -> Any:
        return {"too long": -1} if self.fault == "counts" else {"too long": 1}


@faults([("global", "global random stream"), ("unsteady", "second build"), ("pairs", "no document has a pair"), ("counts", "skipped")])
def test_broken_builders(fault: str, message: str) -> None:
    breaks(check_builder, message, lambda: Building(fault))
    check_builder(lambda: Building(""))


class Linking(DistantBuilder):
    """Every entity is known, with a fault."""

    def __init__(self, fault: str):
        self.fault = fault

    def link(self, documents: Any, base: KnowledgeBase) -> Any:
        answers = [Linked(each, [("Q1",)] * len(each.entities)) for each in documents]
        if self.fault == "fewer":
            return answers[1:]
        if self.fault == "keys":
            return [Linked(each.document, each.keys[:-1]) for each in answers]
        if self.fault == "unknown":
            return [Linked(each.document, [("Q2",)] * 2) for each in answers]
        if self.fault == "others" and len(answers) == 1:
            return [Rejected("alone")]
        return answers


@faults([("fewer", "3 answers"), ("keys", "keys for the entities"), ("unknown", "does not know"), ("others", "depends on the others")])
def test_broken_linkers(fault: str, message: str) -> None:
    base = KnowledgeBase({"duvate": "Q1"}, frozenset({"Q1"}))
    breaks(check_distant, message, Linking(fault), tiny_corpus(4), base)
    check_distant(Linking(""), tiny_corpus(4), base)


def document_without(document: Document) -> Document:
    return replace(document, entities=(), relations=())


class Finding(Extractor):
    """Finds the first two words of every document, with a fault."""

    def __init__(self, fault: str):
        self.fault, self.labels = fault, tiny_split().labels

    def extract(self, documents: Any) -> Any:
        return [self.found(each, len(documents)) for each in documents]

    def found(self, document: Document, count: int) -> Document:
        if self.fault == "gold" and document.entities:
            return document
        entities = (Entity((Mention(0, 1),)), Entity((Mention(1, 2),)))
        score = {"score": None, "others": 1 / count}.get(self.fault, 0.5)
        relation = Relation(0, 1, "none" if self.fault == "label" else "activates", score=score)
        return document_without(document) if self.fault == "nothing" else replace(document, entities=entities, relations=(relation,))

    def probabilities(self, instances: Any) -> Any:
        raise NotImplementedError

    def embed(self, instances: Any) -> Any:
        raise NotImplementedError


@faults(
    [
        ("nothing", "finds nothing"),
        ("score", "a score from 0 to 1"),
        ("label", "a positive label"),
        ("others", "depends on the others"),
        ("gold", "a score from 0 to 1"),
    ]
)
def test_broken_extractors(fault: str, message: str) -> None:
    breaks(check_extractor, message, Finding(fault), tiny_corpus(4))
    check_extractor(Finding(""), tiny_corpus(4))


# ---- training ------------------------------------------------------------------------------------------------------------


class Forgetting(CLS):
    """A pooler that counts its calls outside of buffers, or has a weight that nothing uses."""

    def __init__(self, fault: str):
        super().__init__()
        self.fault, self.hidden = fault, 0.0
        if fault == "unused":
            self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, encoded: Any, spans: Any) -> Any:
        self.hidden += 1.0
        return super().forward(encoded, spans) * (self.hidden if self.fault == "hidden" else 1.0)


def test_broken_poolers() -> None:
    breaks(check_pooler, "no gradient reaches", Forgetting("unused"))
    breaks(check_pooler, "padding changes|other vectors", Forgetting("hidden"))
    check_pooler(Forgetting(""))


class Unsaved(type(tiny_encoder())):  # type: ignore[misc]
    """An encoder whose block builds another one."""

    def block(self, folder: str) -> Any:
        return {**super().block(folder), "path": str(self.elsewhere)}


def test_an_encoder_that_is_not_what_was_saved(tmp_path: Path) -> None:
    from relcon.testing import tiny_encoder_folder

    encoder: Any = tiny_encoder()
    encoder.add_tokens(EntityMarkers().special_tokens)
    encoder.__class__, encoder.elsewhere = Unsaved, tiny_encoder_folder(tmp_path / "other", seed=7)
    breaks(check_encoder, "other states", encoder, [view.input for view in EntityMarkers()(tiny_instances(4))])
    assert isinstance(encoder, Encoder)


class Drifting(Contrastive):
    """A contrastive task with a fault."""

    fault = ""

    def build(self, parts: Any) -> None:
        super().build(parts)
        self.steps = 0
        if self.fault == "unused":
            self.idle_weight = nn.Parameter(torch.zeros(2))

    def loss(self, value: Any, vectors: Any, alive: Any) -> Any:
        loss = super().loss(value, vectors, alive)
        return loss * (1 + self.steps) if self.fault == "counts" else loss

    def after_step(self) -> None:
        self.steps += 1


def test_broken_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    from relcon.interfaces import Draw
    from relcon.objectives.infonce import NTXent
    from relcon.samplers.two_views import TwoViews

    swap = Augmenter.registry.get("relcon.RandomSwap.v1")()
    (batch, *_) = TwoViews(EntityMarkers(), swap, 4).batches(tiny_split(), Draw(0, torch.Generator()))

    def make() -> Drifting:
        return Drifting("views", HeadedTower("text", "pair", [8]), NTXent())

    def parts() -> Any:
        return tiny_parts(tokens=EntityMarkers().special_tokens)

    check_task(make, batch, parts, tokens=40)
    monkeypatch.setattr(Drifting, "fault", "unused")
    breaks(check_task, "no gradient reaches", make, batch, parts, tokens=40)
    monkeypatch.setattr(Drifting, "fault", "counts")
    breaks(check_task, "goes on differently", make, batch, parts, tokens=40)
    breaks(check_task, "reads 'contrast'", make, {"other": batch["contrast"]}, parts)


class Narrow(HeadedTower):
    """A tower without the layer to classes."""

    def build(self, parts: Any, out: Any = None) -> Any:
        return super().build(parts)


def test_broken_towers() -> None:
    def parts() -> Any:
        return tiny_parts(tokens=EntityMarkers().special_tokens)

    breaks(check_tower, "with out = 3", lambda: Narrow("text", "pair"), parts)
    check_tower(lambda: HeadedTower("text", "pair"), parts)


class Descent(OptimizerPlan):
    """Plain descent, with a fault."""

    def __init__(self, fault: str):
        self.fault = fault

    def build(self, module: nn.Module) -> torch.optim.Optimizer:
        weights = [weight for weight in module.parameters() if weight.requires_grad or self.fault == "frozen"]
        if not weights and self.fault != "nothing":
            raise RelconError("Nothing trains.")
        lr = {"rises": -0.1}.get(self.fault, 0.01)
        group = {"params": weights[1:] if self.fault == "fewer" else weights or [nn.Parameter(torch.zeros(1))], "lr": abs(lr)}
        return torch.optim.SGD([group], maximize=lr < 0)


@faults([("frozen", "and no others"), ("fewer", "all trainable"), ("rises", "took the loss from"), ("nothing", "was given an optimizer")])
def test_broken_optimizers(fault: str, message: str) -> None:
    breaks(check_optimizer, message, Descent(fault))
    check_optimizer(Descent(""))


class Falling(Schedule):
    """From 1 to 0, with a fault."""

    def __init__(self, fault: str):
        self.fault = fault

    def factor(self, step: int, steps: int) -> float:
        return {"negative": -0.1, "zero": 0.0, "nan": float("nan")}.get(self.fault, (steps - step) / steps)


@faults([("negative", "negative or not finite"), ("nan", "negative or not finite"), ("zero", "the rate is 0")])
def test_broken_schedules(fault: str, message: str) -> None:
    breaks(check_schedule, message, Falling(fault))
    check_schedule(Falling(""))


class Halves(Protocol):
    """Two runs, with a fault."""

    def __init__(self, fault: str):
        self.fault = fault

    def runs(self, corpus: Corpus, seed: int) -> Any:
        from relcon.data.corpus import PartCorpus

        whole = corpus.split("train")
        for number in range(2):
            half = whole.instances[number::2]
            test = whole.instances if self.fault == "leak" else whole.instances[1 - number :: 2]
            parts = {"train": replace(whole, instances=half), "test": replace(whole, name="test", instances=test)}
            folder = {"same": "fold", "outside": f"../fold_{number}"}.get(self.fault, f"fold_{number}")
            yield folder, PartCorpus({"test": parts["test"]} if self.fault == "train" else parts), seed


class One(Corpus):
    """One split, the same object each time."""

    def __init__(self) -> None:
        self.only = tiny_split(8)
        self.labels_ = self.only.labels

    @property
    def labels(self) -> LabelSet:
        return self.labels_

    def splits(self) -> List[str]:
        return ["train"]

    def split(self, name: str) -> Any:
        return self.only


@faults([("leak", "an instance in"), ("same", "the same folder"), ("outside", "must lie below"), ("train", "no train split")])
def test_broken_protocols(fault: str, message: str) -> None:
    breaks(check_protocol, message, lambda: Halves(fault), One())
    check_protocol(lambda: Halves(""), One())


# ---- stages --------------------------------------------------------------------------------------------------------------

COUNTING = """
[paths]
train = null

[data]
@corpora = "relcon.Corpus.v1"
train = ${paths.train}
cache = "none"

[data.reader]
@readers = "relcon.JSONLines.v1"

[data.candidates]
@candidates = "relcon.AnnotatedPairs.v1"

[stages.first]
@stages = "brokenpromises.Counting.v1"

[stages.second]
@stages = "brokenpromises.Counting.v1"
"""


@Stage.register("brokenpromises.Counting.v1")
class Counting(Stage):
    """Counts the documents, with a fault."""

    fault, calls = "", 0

    @classmethod
    def measures(cls, block: Any) -> List[str]:
        return ["words"] if cls.fault == "names" else ["documents"]

    def run(self, context: Any) -> Artifacts:
        Counting.calls += 1
        (context.folder / "draw.txt").write_text(str(random.random() if self.fault == "global" else 0))
        begun = context.run.path / "begun.txt"
        with begun.open("a") as file:
            file.write("once\n")
        count = {"unsteady": self.calls, "leftovers": len(begun.read_text().splitlines())}.get(self.fault, 4)
        return Artifacts(context.folder, {"documents": float(count)})

    def plan(self, context: Any) -> StagePlan:
        if self.fault == "dry" and context.name == "second":
            raise RelconError("The count of the stage before is not there.")
        return StagePlan(kind="counting")


@pytest.fixture
def counting(tmp_path: Path) -> Callable[[], LoadedConfig]:
    """The config over the tiny corpus."""
    (tmp_path / "counting.cfg").write_text(COUNTING)
    write_jsonl(tiny_corpus(4), tmp_path / "train.jsonl")
    return lambda: load_config(tmp_path / "counting.cfg", ["--paths.train", str(tmp_path / "train.jsonl")])


def test_a_sound_stage(counting: Callable[[], LoadedConfig], tmp_path: Path) -> None:
    check_stage(counting, tmp_path / "runs")


@faults(
    [
        ("names", "stage 'first' measured .'documents'., which its `measures` does not name"),
        ("unsteady", "a second run came to other figures of stage 'first'"),
        ("global", "a second run left other files, or other bytes in them: .'first/draw.txt', 'second/draw.txt'"),
        ("leftovers", "interrupted and resumed came to other figures of stage 'first'"),
        ("dry", "a dry run stops"),
    ]
)
def test_broken_stages(
    fault: str, message: str, counting: Callable[[], LoadedConfig], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Counting, "fault", fault)
    breaks(check_stage, message, counting, tmp_path / "runs")


# ---- registered components -----------------------------------------------------------------------------------------------

GOOD = '''
from typing import Any, Dict, Literal
from pathlib import Path
from relcon.interfaces import Schedule


@Schedule.register("goods.Good{n}.v1")
class Good{n}(Schedule):
    """Always the same.

    rate: the factor.

    Config::

        [schedule]
        @schedules = "goods.Good{n}.v1"
        rate = 0.5
    """

    def __init__(self, rate: float = 1.0):
        self.rate = rate

    def factor(self, step: int, steps: int) -> float:
        return self.rate
'''


@pytest.mark.parametrize(
    "number, old, new, message",
    [
        (0, "", "", ""),
        (1, "    rate: the factor.\n", "", "does not explain 'rate'"),
        (2, "rate: float = 1.0", "rate: complex = 1.0", "configs cannot check 'rate'"),
        (3, "rate: float = 1.0", "rate: Any = (1, 2)", "does not survive JSON"),
        (4, "self, rate: float = 1.0", "self, rate: float = 1.0, **more", "takes .'more'."),
        (5, "        rate = 0.5\n", "        rate = \"half\"\n", "does not work"),
        (6, "Config::", "Example:", "does not end with `Config::`"),
        (7, "self.rate = rate\n", "self.rate = len(Path(__file__).read_text())\n", "the constructor of goods.Good7.v1 opens"),
        (8, "    def factor", "    def other", "lacks methods"),
        (9, "from typing", "from __future__ import annotations\nfrom typing", "from __future__ import annotations"),
    ],
)  # fmt: skip
def test_broken_components(number: int, old: str, new: str, message: str, tmp_path: Path) -> None:
    from relcon.config.code import load_code

    text = GOOD.replace("{n}", str(number))
    assert old in text
    file = tmp_path / f"kit_{number}.py"
    file.write_text(text.replace(old, new, 1) if old else text)
    load_code(file)
    if message:
        breaks(check_component, message, "schedules", f"goods.Good{number}.v1")
    else:
        check_component("schedules", f"goods.Good{number}.v1")


def test_names_are_versioned() -> None:
    breaks(check_component, "no name for a component", "schedules", "relcon.constant")

