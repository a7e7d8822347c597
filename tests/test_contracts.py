"""Every component that ships, core and plugins, goes through the check of its interface, as its docstring's example builds it.

What a check needs beside the example (files, other data, small sizes, models) stands in tables by the component's name; configs with the
stages in `stages/`.
"""

import itertools
import json
import os
import re
import runpy
from dataclasses import replace
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Callable, Dict, List, Sequence, Tuple

import pytest
import torch
from sklearn.linear_model import LogisticRegression

from relcon.components import component_of
from relcon.config import LoadedConfig, load_config, resolve
from relcon.contrast import Batch, Span, Text, View
from relcon.data.document import Document, Entity, Instance, Mention, Relation, instance_uid
from relcon.data.json import write_jsonl
from relcon.data.labels import LabelSet
from relcon.data.relations import relation_instances
from relcon.data.store import OFF
from relcon.encoding import encode, step
from relcon.interfaces import Draw, Encoder, KnowledgeBase, Model, Parts, Split, Tower
from relcon.model import SavedModel, Trained, TrainedModel
from relcon.pipeline import train
from relcon.poolers.spans import SpanPool
from relcon.registry import INTERFACES
from relcon.renderers.markers import EntityMarkers
from relcon.testing import (
    CHECKS,
    build_example,
    check_adjuster,
    check_augmenter,
    check_builder,
    check_candidates,
    check_corpus,
    check_distant,
    check_encoder,
    check_evaluator,
    check_extractor,
    check_objective,
    check_optimizer,
    check_parser,
    check_pooler,
    check_protocol,
    check_reader,
    check_renderer,
    check_sampler,
    check_schedule,
    check_stage,
    check_synonyms,
    check_task,
    check_tower,
    check_writer,
    tiny_character_bert_folder,
    tiny_corpus,
    tiny_encoder,
    tiny_encoder_folder,
    tiny_instances,
    tiny_parts,
    tiny_split,
)

ROOT = Path(__file__).parent.parent
SHIPPED = ("relcon", "relcon-clre", "relcon-cloce", "relcon-cldr", "relcon-finecl", "relcon-pspe")
COMPONENTS = [(kind, each.name) for kind in INTERFACES for each in INTERFACES[kind].registry.offers() if each.package in SHIPPED]

# ---- material ------------------------------------------------------------------------------------------------------------

LINKED = LabelSet.of(["P17", "P19"], ["Na"])
LEXICON = {"@synonyms": "relcon.Lexicon.v1", "path": "sample:synonyms.tsv"}
MARKED = {"@renderers": "relcon.EntityMarkers.v1"}
PLAIN = {"@renderers": "relcon.Plain.v1"}
TYPES = ["CHEMICAL", "PROTEIN"]
SMALL = {"kernels": [2], "channels": 4, "out": 8}


def linked(number: int) -> Document:
    """Three entities of two mentions each, with ids, and two relations between them."""
    words = [f"e{number}x{place % 3}" if place % 4 == 0 else f"w{place}" for place in range(24)]
    entities = tuple(
        Entity((Mention(4 * place, 4 * place + 1), Mention(12 + 4 * place, 13 + 4 * place)), "", f"Q{number}{place}") for place in range(3)
    )
    head, tail = number % 3, (number + 1) % 3
    return Document(f"linked-{number}", tuple(words), entities, (Relation(head, tail, "P17"), Relation(tail, head, "P19")))


def linked_split(count: int = 12) -> Split:
    documents = [linked(number) for number in range(count)]
    instances = [
        Instance(document, each.head, each.tail, each.label, instance_uid(document, each.head, each.tail))
        for document in documents
        for each in document.relations
    ]
    return Split("train", documents, instances, LINKED)


def crossed_split() -> Split:
    """Sentences with the same two entities, and with one of them and another."""
    words = ("first", "met", "second", "here")
    pairs = [(head, tail) for head in "AB" for tail in "CD" for _ in range(3)]
    documents = [
        Document(f"d{number}", words, (Entity((Mention(0, 1),), "", head), Entity((Mention(2, 3),), "", tail)), (Relation(0, 1, "P17"),))
        for number, (head, tail) in enumerate(pairs)
    ]
    return Split("train", documents, [Instance(each, 0, 1, "P17", f"{each.id}#0-1") for each in documents], LINKED)


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny encoder, the tiny corpus as files, an order of learning, labels to patch, and a parser."""
    folder = tmp_path_factory.mktemp("contracts")
    tiny_encoder_folder(folder / "bert")
    tiny_character_bert_folder(folder / "characters")
    for name, documents in (("train", tiny_corpus(24)), ("dev", tiny_corpus(8)), ("linked", [linked(number) for number in range(12)])):
        write_jsonl([replace(each, id=f"{name}-{each.id}") for each in documents], folder / f"{name}.jsonl")
    uids = [each.uid for n in range(12) for each in relation_instances(replace(linked(n), id=f"linked-{linked(n).id}"))]
    (folder / "order.json").write_text(json.dumps({uid: number % 2 for number, uid in enumerate(uids)}))
    (folder / "patch.json").write_text(json.dumps([{"id": "train-tiny-0", "relation": "none"}]))
    write_jsonl(relabelled(tiny_split(24)).documents, folder / "related.jsonl")
    write_jsonl(misread(relabelled(tiny_split(24)).documents), folder / "misread.jsonl")
    for name, blind in (("spaces", False), ("blind", True)):
        spaces(folder / name, blind)
    _parser().to_disk(folder / "parser")
    _recogniser().to_disk(folder / "recogniser")
    return folder


def misread(documents: Sequence[Document]) -> List[Document]:
    """With chemicals for proteins and proteins for chemicals."""
    other = dict(zip(TYPES, reversed(TYPES), strict=True))
    return [replace(each, entities=tuple(replace(entity, type=other[entity.type]) for entity in each.entities)) for each in documents]


def spaces(folder: Path, blind: bool) -> None:
    """What a stage leaves that trained an encoder by contrast over words. blind: it sees no difference between words."""
    pooler = {"@poolers": "relcon.SpanPool.v1", "inside": "first", "slots": 1}
    tower = {"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "word"}
    block = {"@tasks": "relcon.Contrastive.v1", "stream": "words", "anchors": tower, "objective": {"@objectives": "relcon.InfoNCE.v1"}}
    parts, task = tiny_parts(word=resolve(pooler, "[pooler]")), resolve(block, "[task]")
    for weight in parts.encoders["text"].parameters() if blind else ():
        torch.nn.init.zeros_(weight)
    task.build(parts)
    Trained(parts, {"words": task}, {"poolers": {"word": pooler}, "tasks": {"words": block}}).save(folder)


def _parser() -> Any:
    """A spaCy pipeline whose dependency parser has seen one sentence."""
    import spacy
    from spacy.training import Example

    nlp = spacy.blank("en")
    nlp.add_pipe("parser", config={"min_action_freq": 1})
    annotation = {"heads": [1, 1, 1, 4, 1], "deps": ["nsubj", "ROOT", "obj", "case", "obl"]}
    nlp.initialize(lambda: [Example.from_dict(nlp.make_doc("Fen blocked Kap in yeast"), annotation)])
    return nlp


def _recogniser() -> Any:
    """A spaCy pipeline that finds two names."""
    import spacy

    nlp = spacy.blank("en")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "GPE", "pattern": "Orsk"}, {"label": "PERSON", "pattern": "Zorvane"}])
    return nlp


def corpus(place: Path, file: str = "train", **arguments: Any) -> Dict[str, Any]:
    """The block of a corpus over one of the files."""
    rule = {"@candidates": "relcon.EntityPairs.v1", "scope": "document", "directed": True, "several": "kept"}
    return {
        "@corpora": "relcon.Corpus.v1",
        "train": str(place / f"{file}.jsonl"),
        "negative": ["Na"] if file == "linked" else ["none"],
        "reader": {"@readers": "relcon.JSONLines.v1"},
        "candidates": rule if file == "linked" else {"@candidates": "relcon.AnnotatedPairs.v1"},
        "cache": OFF,
        **arguments,
    }


@lru_cache(maxsize=1)
def shared_data() -> Path:
    """The shared data of this machine, where there are any."""
    return Path(os.environ.get("RELCON_SHARED", ROOT.parent / "shared"))


def only(name: str, table: Dict[str, Any], default: Any) -> Any:
    """What a table says of a component."""
    return table.get(name, default)


# ---- data in -------------------------------------------------------------------------------------------------------------

PAGE = re.compile(r"^# (relcon\.\S+)$", re.MULTILINE)
BLOCK = re.compile(r"^```\w+ (\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
PAGES = [page.read_text(encoding="utf-8") for page in sorted((ROOT / "docs" / "formats").glob("*.md"))]

WRITTEN = {
    "cloce.SpacyTypes.v1": {"pairs.txt": json.dumps({"token": ["Orm", "met", "Quern"], "h": {"pos": [0, 1]}, "t": {"pos": [2, 3]}})},
    "clre.BlindedTSV.v1": {"pairs.tsv": "index\tsentence\tlabel\n1\tLater @PROTEIN$ bound @PROTEIN$.\t1\n2\t@DRUG$ met @GENE$.\t0\n"},
    "clre.AugmentationTSV.v1": {"copies.tsv": "1\tLater @PROTEIN$ bound @PROTEIN$.\tThen @PROTEIN$ bound @PROTEIN$.\n"},
    "clre.MentionedText.v1": {
        "text.jsonl": json.dumps({"id": "7", "text": "Abrin2 met Orm.", "mentions": [{"start": 0, "end": 6, "type": "P", "kb_id": "Q1"}]})
    },
    "finecl.PretrainingDocuments.v1": {
        "corpus_0.json": json.dumps(
            [
                {
                    "sents": [["Quern", "lies", "in", "Orland"]],
                    "vertexSet": [
                        [{"name": "x", "id": f"Q{start}", "type": "None", "sent_id": 0, "pos": [start, start + 1]}] for start in (0, 3)
                    ],
                    "labels": [{"h": 0, "t": 1, "r": "P17", "in_test+dev_set": False}],
                    "na_triple": [[1, 0]],
                }
            ]
        )
    },
    "pspe.Sentences.v1": {
        "sentences.json": json.dumps(
            {
                "sentId": 4,
                "articleId": "NEWS_1",
                "sentText": "the baker orm lives in new orsk .",
                "entityMentions": [
                    {"emId": "E1", "text": "baker orm", "offset": [1, 3], "label": "PER"},
                    {"emId": "E2", "text": "new orsk", "offset": [5, 7], "label": "GPE"},
                ],
                "relationMentions": [{"em1Id": "E2", "em2Id": "E1", "em1Text": "new orsk", "em2Text": "baker orm", "label": "GEN"}],
            }
        )
    },
}
"""Files of the formats that have no page of their own."""


def files_of(name: str) -> Dict[str, str]:
    """A small example of a reader's format."""
    shown = [dict(BLOCK.findall(page)) for page in PAGES if name in PAGE.findall(page)]
    return shown[0] if shown else WRITTEN[name]


def run_in(folder: Path, program: Path) -> None:
    before = Path.cwd()
    os.chdir(folder)
    try:
        runpy.run_path(str(program))
    finally:
        os.chdir(before)


AROUND: Dict[str, Callable[[Path], Dict[str, Any]]] = {
    "cloce.SpacyTypes.v1": lambda place: {"pipeline": str(place / "recogniser")},
}
"""Arguments of readers around another one, whose format they read."""


def readers(name: str, place: Path) -> None:
    reader, folder = build_example("readers", name, **AROUND.get(name, lambda _: {})(place)), place / "formats" / name
    folder.mkdir(parents=True)
    for file, text in files_of(name).items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")
    for program in folder.glob("*.py"):  # a binary format, shown by a program that writes it
        run_in(folder, program)
        program.unlink()
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    check_reader(reader, folder if len(files) > 1 or getattr(reader, "takes", "file") == "folder" else files[0])


def writers(name: str, place: Path) -> None:
    check_writer(build_example("writers", name))


def candidates(name: str, place: Path) -> None:
    rule = build_example("candidates", name)
    check_candidates(rule)
    check_candidates(rule, [linked(number) for number in range(3)], LINKED)


def parsers(name: str, place: Path) -> None:
    check_parser(build_example("parsers", name, pipeline=str(place / "parser"), cache=OFF), tiny_corpus(4))


CORPORA: Dict[str, Callable[[Path], Dict[str, Any]]] = {
    "relcon.Corpus.v1": lambda place: corpus(place, dev_share=0.25, test=str(place / "dev.jsonl")),
    "relcon.PatchedCorpus.v1": lambda place: {
        "corpus": corpus(place, dev=str(place / "dev.jsonl")),
        "train": str(place / "patch.json"),
        "dev": None,
        "test": None,
    },
    "finecl.NoisyCorpus.v1": lambda place: {"corpus": corpus(place)},
    "finecl.TrimmedCorpus.v1": lambda place: {"corpus": corpus(place, "linked"), "order": str(place / "order.json")},
}


def corpora(name: str, place: Path) -> None:
    check_corpus(lambda: build_example("corpora", name, **CORPORA[name](place)))


SYNONYMS: Dict[str, Callable[[Path], Dict[str, Any]]] = {
    "relcon.Lexicon.v1": lambda place: {"path": "sample:synonyms.tsv"},
    "relcon.EmbeddingNeighbours.v1": lambda place: {"path": str(place / "bert"), "minimum": -1.0},
    "relcon.WordNet.v1": lambda place: {"directory": str(shared_data() / "nltk_data"), "cache": OFF},
}


def synonyms(name: str, place: Path) -> None:
    if name == "relcon.WordNet.v1" and not (shared_data() / "nltk_data").exists():
        pytest.skip(f"WordNet is not below RELCON_SHARED ({shared_data()})")
    check_synonyms(build_example("synonyms", name, **SYNONYMS[name](place)), ["said", "firm", "cells", "doses", "Zorvane"])


# ---- documents and pairs -------------------------------------------------------------------------------------------------


def augmenters(name: str, place: Path) -> None:
    arguments = {**({"synonyms": LEXICON} if "Synonym" in name else {}), **({"parser": None} if name.startswith("clre") else {})}
    check_augmenter(build_example("augmenters", name, **arguments), tiny_corpus())


RENDERERS = {"relcon.TypedMarkers.v1": {"types": TYPES}}


def renderers(name: str, place: Path) -> None:
    check_renderer(build_example("renderers", name, **only(name, RENDERERS, {})), tiny_instances())


SAMPLERS: Dict[str, Dict[str, Any]] = {
    "relcon.MaskedPieces.v1": {"sampler": {"@samplers": "relcon.Instances.v1", "batch_size": 4, "renderer": MARKED}},
    "relcon.DocumentPairs.v1": {"batch_size": 4},
    "cldr.RelationGraphs.v1": {"types": TYPES, "batch_size": 4},
    "cldr.SentenceGraphs.v1": {"types": TYPES, "batch_size": 4},
    "cldr.BalancedTokens.v1": {"types": TYPES, "batch_size": 4},
    "cldr.CandidatePairs.v1": {"types": TYPES, "label": "activates", "batch_size": 4},
    "cloce.ErrorPairs.v1": {"batch_size": 8},
    "finecl.EntityPairCouples.v1": {"couples": 2, "sentences": 2},
    "relcon.SameLabel.v1": {"batch_size": 6},
    "finecl.RelationCouples.v1": {"couples": 2},
    "finecl.EntityTails.v1": {"batch_size": 3, "candidates": 12},
    "finecl.RelationPairs.v1": {"batch_size": 3},
    "pspe.JointSentences.v1": {"batch_size": 4},
    "pspe.SpanPairs.v1": {"batch_size": 4},
}
SPLITS: Dict[str, Callable[[], Split]] = {
    "relcon.DocumentPairs.v1": linked_split,
    "cldr.CandidatePairs.v1": lambda: relabelled(tiny_split(6)),
    "cldr.RelationGraphs.v1": lambda: relabelled(tiny_split(12)),
    "cldr.SentenceGraphs.v1": lambda: relabelled(tiny_split(12)),
    "finecl.EntityTails.v1": linked_split,
    "finecl.RelationPairs.v1": linked_split,
    "finecl.EntityPairCouples.v1": lambda: crossed_split(),
    "cloce.ErrorPairs.v1": lambda: tiny_split(24),
}
PARTIAL = ("cloce.ErrorPairs.v1", "relcon.DocumentPairs.v1", "cldr.CandidatePairs.v1", "pspe.JointSentences.v1")
"""Samplers whose views need not name every instance: they draw pairs, or show sentences."""


def relabelled(split: Split) -> Split:
    """All relations under one label, as data with one relation have them."""
    documents = [replace(each, relations=(replace(each.relations[0], label="activates"),)) for each in split.documents]
    instances = [replace(old, document=new, label="activates") for old, new in zip(split.instances, documents, strict=True)]
    return replace(split, documents=documents, instances=instances)


def samplers(name: str, place: Path) -> None:
    sampler, data = build_example("samplers", name, **only(name, SAMPLERS, {"batch_size": 4})), only(name, SPLITS, tiny_split)()
    if sampler.follows_predictions:
        logits = torch.randn(len(data.instances), len(data.labels), generator=torch.Generator().manual_seed(0))
        sampler.recorder(data)([each.uid for each in data.instances], logits, torch.zeros(len(data.instances)))
    check_sampler(sampler, data, covers=name not in PARTIAL)


# ---- vectors -------------------------------------------------------------------------------------------------------------


def encoders(name: str, place: Path) -> None:
    bert = {"@encoders": "relcon.Transformer.v1", "path": str(place / "bert")}
    arguments: Dict[str, Dict[str, Any]] = {
        "relcon.Transformer.v1": {"path": str(place / "bert")},
        "relcon.CharacterBERT.v1": {"path": str(place / "characters")},
        "cldr.GraphConvolution.v1": {"features": bert},
    }
    encoder: Encoder = build_example("encoders", name, **arguments.get(name, {}))
    views = [view for sampler in ("cldr.RelationGraphs.v1",) for view in graphs(sampler)] if encoder.reads == "graphs" else marked(encoder)
    check_encoder(encoder, [view.input for view in views])


def marked(encoder: Encoder) -> Sequence[Any]:
    if encoder.vocabulary is not None:
        encoder.add_tokens(EntityMarkers().special_tokens)
    return EntityMarkers()(tiny_instances(4))


def graphs(name: str) -> Sequence[Any]:
    (batch, *_) = epoch(name, "cldr.RelationGraphs.v1", relabelled(tiny_split()))
    return list(dict.fromkeys(batch["contrast"].candidates))[:4]


def epoch(name: str, sampler: str, data: Split, vocabulary: Any = None) -> List[Batch]:
    """The batches of an epoch of a sampler."""
    made = build_example("samplers", sampler, **only(sampler, SAMPLERS, {"batch_size": 4}))
    made.prepare(data)
    return list(made.batches(data, Draw(0, torch.Generator().manual_seed(0), vocabulary)))


POOLERS = {
    "finecl.PairWithDistance.v1": {"state": 8, "size": 4, "distance": 3},
    "pspe.Span.v1": {"state": 8, **SMALL},
    "pspe.SpanPair.v1": {"state": 8, **SMALL, "attention": 4, "positions": 20},
}
SLOTS = {"relcon.SpanPool.v1": 2, "relcon.Concatenation.v1": 2, "finecl.PairWithDistance.v1": 2, "pspe.Span.v1": 1, "pspe.SpanPair.v1": 2}


def poolers(name: str, place: Path) -> None:
    check_pooler(build_example("poolers", name, **only(name, POOLERS, {})), only(name, SLOTS, 1))


def spans_parts() -> Parts:
    """Parts with the pooler over spans that PSPE's towers and tasks take."""
    return tiny_parts(spans=resolve({"@poolers": "pspe.SpanPair.v1", "state": 32, **SMALL, "attention": 4, "positions": 200}, "[pooler]"))


def marked_parts() -> Parts:
    return tiny_parts(tokens=EntityMarkers().special_tokens)


def towers(name: str, place: Path) -> None:
    arguments = {"relcon.Tower.v1": {"pooler": "pair", "head": [8, 8]}, "pspe.Tower.v1": {"head": [8]}}
    check_tower(lambda: build_example("towers", name, **arguments.get(name, {})), spans_parts if name.startswith("pspe") else marked_parts)


def objectives(name: str, place: Path) -> None:
    check_objective(build_example("objectives", name))


def adjusters(name: str, place: Path) -> None:
    check_adjuster(lambda: build_example("adjusters", name))


# ---- training ------------------------------------------------------------------------------------------------------------

PAIR = {"@towers": "relcon.Tower.v1", "encoder": "text", "pooler": "pair", "head": [8]}
TASKS: Dict[str, Tuple[str, Callable[[], Split], Dict[str, Any]]] = {
    "relcon.Contrastive.v1": ("relcon.TwoViews.v1", tiny_split, {"anchors": {**PAIR, "pooler": "sentence"}}),
    "relcon.Classification.v1": ("relcon.Instances.v1", tiny_split, {}),
    "relcon.MultiLabelClassification.v1": ("relcon.DocumentPairs.v1", linked_split, {"tower": PAIR}),
    "relcon.MaskedLanguageModel.v1": ("relcon.MaskedPieces.v1", tiny_split, {}),
    "cloce.SoftLabels.v1": ("relcon.Instances.v1", tiny_split, {"pooler": "sentence"}),
    "pspe.JointExtraction.v1": ("pspe.JointSentences.v1", tiny_split, {"types": TYPES, "head": [8]}),
    "pspe.SpanPermutation.v1": ("pspe.SpanPairs.v1", linked_split, {}),
    "pspe.TokenBoundary.v1": ("pspe.SpanPairs.v1", linked_split, {}),
}
"""Task -> the sampler that feeds it, on which data, and its arguments."""


def tasks(name: str, place: Path) -> None:
    sampler, data, arguments = TASKS[name]

    def make() -> Any:
        return build_example("tasks", name, **arguments)

    def parts() -> Parts:
        made = spans_parts() if name.startswith("pspe") else marked_parts()
        made.encoders["text"].add_tokens(make().special_tokens(data().labels))
        return replace(made, labels=data().labels)

    batch = epoch(name, sampler, data(), parts().encoders["text"].vocabulary)[0]
    check_task(make, batch, parts, tokens=40)


def optimizers(name: str, place: Path) -> None:
    check_optimizer(build_example("optimizers", name))


def schedules(name: str, place: Path) -> None:
    check_schedule(build_example("schedules", name))


PROTOCOLS: Dict[str, Dict[str, Any]] = {
    "relcon.KFold.v1": {"folds": 3},
    "relcon.KShot.v1": {"shots": 2, "seeds": [1, 2]},
    "relcon.Share.v1": {"share": 0.5},
}


def protocols(name: str, place: Path) -> None:
    if name == "relcon.GivenFolds.v1":
        documents = [replace(each, metadata={"fold": str(number % 3)}) for number, each in enumerate(tiny_corpus(24))]
        write_jsonl(documents, place / "folds.jsonl")
    made = resolve(corpus(place, "folds" if name == "relcon.GivenFolds.v1" else "train"), "[data]")
    check_protocol(lambda: build_example("protocols", name, **only(name, PROTOCOLS, {})), made)


STAGES = {config.stem: config for config in sorted((Path(__file__).parent / "stages").glob("*.cfg"))}
"""Configs that together have all stages that ship, each behind those whose results it takes."""

FILES = {"train": "train.jsonl", "related": "related.jsonl", "encoder": "bert", "spaces": "spaces"}
"""What a path of theirs is called in `place`."""


def stages(config: Path, place: Path, *words: str) -> LoadedConfig:
    """One of them over the files that its paths name. words: further overrides."""
    paths = [word for name in load_config(config).tree["paths"] for word in (f"--paths.{name}", str(place / FILES[name]))]
    return load_config(config, [*paths, *words])


# ---- figures and building ------------------------------------------------------------------------------------------------


class Steady(Model):
    """Says "activates" of everything, or, unsteady, what hangs on the words."""

    def __init__(self, data: Split, steady: bool):
        self.labels, self.steady = data.labels, steady

    def probabilities(self, instances: Sequence[Instance]) -> torch.Tensor:
        seen = [0 if self.steady else sum(map(len, each.document.words)) for each in instances]
        return torch.eye(len(self.labels))[torch.tensor(seen) % len(self.labels)]

    def embed(self, instances: Sequence[Instance]) -> torch.Tensor:
        raise NotImplementedError

    def contrasted(self, task: str, contrast: Any) -> Any:
        """Positives on top of each other, or apart."""
        number = (contrast.pairing.positives + torch.eye(len(contrast.anchors))).argmax(1)
        vectors = torch.eye(len(number))[number]
        return (vectors, vectors, contrast.pairing) if self.steady else (vectors, vectors.roll(1, 0), contrast.pairing)


def many_labels() -> Split:
    """Six relations with six instances each."""
    split = tiny_split(36)
    labels = LabelSet(tuple("abcdef"))
    return replace(split, labels=labels, instances=[replace(each, label="abcdef"[n % 6]) for n, each in enumerate(split.instances)])


NEAREST = {"data.dev_share": "0", "stages.neighbours.choose": "null", "stages.neighbours.k_relations": "1", "stages.neighbours.k_tags": "1"}
"""Changes of the config by which all sentences are examples and only the nearest counts."""


def neighbours(place: Path, file: str) -> SavedModel:
    """The model that reads every sentence as this file has the nearest one."""
    run = place / "neighbours" / file
    if not run.exists():
        nearest = [word for key, value in NEAREST.items() for word in (f"--{key}", value)]
        train(stages(STAGES["cldr"], place, "--data.train", str(place / f"{file}.jsonl"), *nearest), run)
    return SavedModel(run / "model")


def fitted(data: Split) -> Tuple[Model, Model]:
    """A classifier of all pairs of words that was fitted to their labels, and one that always says the contrary."""
    tower, views, related = Tower(tiny_encoder(), SpanPool(inside="first")), [], []
    for document in data.documents:
        text, gold = Text(document.words), {each.mentions[0].end - 1 for each in document.entities}
        for pair in itertools.combinations(range(len(document.words)), 2):
            views.append(View(text, tuple((Span(word, word + 1),) for word in pair)))
            related.append({*pair} == gold)
    layer = LogisticRegression(C=1000.0, max_iter=1000).fit(encode(tower, views)[0].numpy(), related)
    row, bias = torch.tensor(layer.coef_[0], dtype=torch.float32), torch.tensor(layer.intercept_[0], dtype=torch.float32)
    return classifier(tower, data.labels, row, bias), classifier(tower, data.labels, -row, -bias)


def classifier(tower: Tower, labels: LabelSet, row: torch.Tensor, bias: torch.Tensor) -> Model:
    """Says "activates" on one side of a plane, and "none" on the other."""
    head = torch.nn.Linear(len(row), len(labels))
    with torch.no_grad():
        head.weight.zero_()[labels.number("activates")] = row
        head.bias.zero_()[labels.number("activates")] = bias
    return TrainedModel(Tower(tower.encoder, tower.pooler, head), EntityMarkers(), labels)


def tagger(data: Split, steps: int) -> Model:
    """What PSPE's joint task makes of a batch of these sentences in so many steps."""
    sampler, _, arguments = TASKS["pspe.JointExtraction.v1"]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        task, parts = build_example("tasks", "pspe.JointExtraction.v1", **arguments), replace(spans_parts(), labels=data.labels)
        task.build(parts)
        (batch, *_) = epoch("pspe.JointExtraction.v1", sampler, data, parts.encoders["text"].vocabulary)
        optimizer = torch.optim.Adam((weight for weight in task.parameters() if weight.requires_grad), lr=0.01)
        for _ in range(steps):
            step({"task": task}, batch)
            optimizer.step()
            optimizer.zero_grad()
    return task.extractor(data.labels)


EVALUATORS: Dict[str, Dict[str, Any]] = {
    "clre.PredictionShift.v1": {"augmenter": {"@augmenters": "relcon.RandomDeletion.v1", "rate": 0.5}},
    "relcon.PositivesFound.v1": {"sampler": {"@samplers": "relcon.SameLabel.v1", "batch_size": 12, "renderer": PLAIN}},
    "cldr.Extraction.v1": {"types": TYPES},
    "cldr.PairProbe.v1": {"types": TYPES, "lr": 0.05, "batch_size": 64, "patience": 20, "held_out": 0.3},
    "cldr.PairScores.v1": {"types": TYPES},
    "relcon.FewShotEpisodes.v1": {"episodes": 300},
}
MODELS: Dict[str, Callable[[Path, Split], Tuple[Model, Model]]] = {
    "clre.PredictionShift.v1": lambda place, data: (Steady(data, True), Steady(data, False)),
    "relcon.PositivesFound.v1": lambda place, data: (Steady(data, True), Steady(data, False)),
    "cldr.Extraction.v1": lambda place, data: (neighbours(place, "related").load(), neighbours(place, "misread").load()),
    "cldr.PairProbe.v1": lambda place, data: (SavedModel(place / "spaces").open(), SavedModel(place / "blind").open()),
    "cldr.PairScores.v1": lambda place, data: fitted(data),
    "pspe.TagScores.v1": lambda place, data: (tagger(data, 10), tagger(data, 0)),
}
"""Evaluators that measure other things than labels -> a better model and a worse one."""

MEASURED: Dict[str, Callable[[], Split]] = {
    "relcon.FewShotEpisodes.v1": lambda: many_labels(),
    "pspe.TagScores.v1": lambda: tiny_split(4),
    **dict.fromkeys(("cldr.Extraction.v1", "cldr.PairProbe.v1", "cldr.PairScores.v1"), lambda: relabelled(tiny_split(24))),
}


def evaluators(name: str, place: Path) -> None:
    models = partial(MODELS[name], place) if name in MODELS else None
    data = only(name, MEASURED, lambda: tiny_split(24))()
    check_evaluator(lambda: build_example("evaluators", name, **only(name, EVALUATORS, {})), data, models)


def extractors(name: str, place: Path) -> None:
    saved = neighbours(place, "related")
    block = {**saved.about["extractor"], "path": str(saved.folder)}
    check_extractor(build_example("extractors", name, **block), tiny_corpus())


def builders(name: str, place: Path) -> None:
    if name == "relcon.CorpusPairs.v1":
        arguments: Dict[str, Any] = {
            "input": str(place / "train.jsonl"),
            "reader": {"@readers": "relcon.JSONLines.v1"},
            "types": [TYPES],
        }
    else:
        data = ROOT / "plugins" / "relcon-clre" / "tests" / "data"
        arguments = {
            "text": str(data / "abstracts.jsonl"),
            "types": [["PROTEIN", "PROTEIN"]],
            "database": None,
            "only_cited_texts": False,
            "exclude": [],
        }
    check_builder(lambda: build_example("builders", name, **arguments))


def distant(name: str, place: Path) -> None:
    known = {f"e{number}x{which}": f"Q{number}{which}" for number in range(4) for which in range(3)}
    documents = [linked(number) for number in range(4)]
    arguments = {"pipeline": None} if name.startswith("finecl") else {}
    check_distant(build_example("distant", name, **arguments), documents, KnowledgeBase(known, frozenset(known.values())))


# ---- all of them ---------------------------------------------------------------------------------------------------------

RUN: Dict[str, Callable[[str, Path], None]] = {
    each.__name__: each
    for each in (
        *(readers, writers, candidates, parsers, corpora, synonyms, augmenters, renderers, samplers, encoders, poolers, towers, objectives),
        *(adjusters, tasks, optimizers, schedules, protocols, evaluators, extractors, builders, distant),
    )
}


def test_every_registry_has_a_check() -> None:
    assert set(CHECKS) == set(INTERFACES) == {*RUN, "stages"}


@pytest.mark.parametrize("kind, name", [each for each in COMPONENTS if each[0] in RUN])
def test_contract(kind: str, name: str, place: Path) -> None:
    RUN[kind](name, place)


@pytest.mark.parametrize("name", STAGES)
def test_contract_of_stages(name: str, place: Path) -> None:
    check_stage(lambda: stages(STAGES[name], place), place / "runs" / name)


def test_every_stage_stands_in_a_config(place: Path) -> None:
    blocks = [block for config in STAGES.values() for block in stages(config, place).tree["stages"].values()]
    assert {name for kind, name in COMPONENTS if kind == "stages"} == {block["@stages"] for block in blocks}


# ---- that they bite ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "kind, name, attribute, broken, message",
    [
        ("evaluators", "cldr.Extraction.v1", "primary", "overlapping_pairs", "'overlapping_pairs' is no better"),
        ("evaluators", "cldr.PairScores.v1", "higher_is_better", False, "'f1' is no better"),
        (
            *("extractors", "cldr.NearestNeighbours.v1", "tags"),
            lambda self, documents: [self.tag_set.of(document) for document in documents],
            "what is found depends on what was annotated",
        ),
    ],
)
def test_a_broken_component_does_not_pass(
    kind: str, name: str, attribute: str, broken: Any, message: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(component_of(kind, name), attribute, broken)
    with pytest.raises(AssertionError, match=message):
        RUN[kind](name, place)


def test_a_broken_stage_does_not_pass(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(component_of("stages", "cldr.Neighbours.v1"), "measures", classmethod(lambda cls, block: ["k_relations"]))
    with pytest.raises(AssertionError, match=r"'neighbours' measured .*'k_tags'.* does not name"):
        check_stage(lambda: stages(STAGES["cldr"], place), place / "broken")
