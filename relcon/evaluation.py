"""Measure a finished run's model again: on another split, or on data that it has never seen."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from relcon.config import LoadedConfig, load_config, resolve
from relcon.data.corpus import where
from relcon.data.document import Document, Instance
from relcon.data.labels import LabelSet
from relcon.errors import DataError, Problem, RelconError, did_you_mean, naming
from relcon.files import read_object, refuse_filling, write_json
from relcon.interfaces import Corpus, Evaluator, Extractor, Lost, Protocol, Split
from relcon.model import SavedModel
from relcon.prediction import Predictor
from relcon.runs import now, whole_run
from relcon.score import Line, of_run
from relcon.settings import Training


def evaluate(
    run: Path,
    *,
    data: Optional[Path] = None,
    split: str = "dev",
    profile: Optional[str] = None,
    output: Optional[Path] = None,
    overwrite: bool = False,
) -> Dict[str, float]:
    """Figures of the run's model, by the evaluators of its last evaluation stage.

    run: the folder of a finished run, or of one fold or seed. data: labelled data for the run's reader; else `split` of its own.
    profile: a metric profile for a fresh `relcon.Scores.v1` instead of the run's evaluators. output: where tables go, into an empty
        folder unless `overwrite`.
    """
    if output is not None:
        _refuse_output(output, run, data, overwrite)
    return {f"{each.name}.{key}": value for each in _measured(run, data, split, profile, output) for key, value in each.figures.items()}


def side_by_side(
    run: Path, *, data: Optional[Path] = None, split: str = "dev", output: Optional[Path] = None, overwrite: bool = False
) -> Dict[str, "SideBySide"]:
    """What every metric profile gives of the run's model, by the name of the evaluator whose predictions are scored. Evaluators of what
    no profile scores are left out.

    run, data, split, output, overwrite: as for `evaluate`. RelconError where there is no such evaluator.
    """
    if output is not None:
        _refuse_output(output, run, data, overwrite)
    found = {}
    with TemporaryDirectory() as scratch:
        for each in _measured(run, data, split, None, output or Path(scratch)):
            predictions = of_run((output or Path(scratch)) / each.name)
            if predictions is not None:
                found[each.name] = SideBySide(predictions.side_by_side(each.profile), each.profile)
    if not found:
        raise RelconError("No evaluator of the run leaves what a metric profile scores. Add one, such as relcon.Scores.v1.")
    return found


def _refuse_output(output: Path, run: Path, data: Optional[Path], overwrite: bool) -> None:
    """RelconError where tables would go into the run, among the data, or onto files that are not to be replaced."""
    for read in (data or run, run):
        refuse_filling(output, read, overwrite=True)
    refuse_filling(output, run, overwrite)


class SideBySide(NamedTuple):
    """A line for each metric profile. selected: the one that the run's config names; None where it names none."""

    lines: List[Line]
    selected: Optional[str]


class Measured(NamedTuple):
    """What an evaluator found. name: its own in the config. profile: the metric profile that it follows; None where it follows none."""

    name: str
    profile: Optional[str]
    figures: Mapping[str, float]


def _measured(run: Path, data: Optional[Path], split: str, profile: Optional[str], output: Optional[Path]) -> List[Measured]:
    """What each evaluator found, as of `evaluate`."""
    loaded = config_of(run)
    predictor = Predictor(run)
    corpus = corpus_of(run, loaded)
    part = labelled_data(predictor, data) if data is not None else own_split(run, corpus, split, "relcon evaluate")
    train = corpus.split("train") if "train" in corpus.splits() else None
    found = []
    chosen = evaluators(loaded.tree["stages"], profile, predictor.stage)
    for section, (_, evaluator) in chosen.items():
        with naming(section):
            evaluator.check(part, train)
    for section, (name, evaluator) in chosen.items():
        with naming(section):
            measured = evaluator.evaluate(predictor.model, part, output / name if output else None, train)
        found.append(Measured(name, getattr(evaluator, "profile", None), measured))
    return found


def config_of(run: Path) -> LoadedConfig:
    """The config of a finished run, or of the run that a fold or seed belongs to; RelconError where the folder holds none."""
    config = whole_run(run) / "config.cfg"
    if not config.exists():
        raise RelconError(f"{run} holds no run (no config.cfg). Give the folder that `relcon train --output` wrote.")
    return load_config(config)


def corpus_of(run: Path, loaded: LoadedConfig) -> Corpus:
    """The data of a run; of a fold or seed its part of them, as the protocol made it.

    RelconError where the data are no longer those that were divided.
    """
    corpus: Corpus = resolve(loaded.tree["data"], "[data]")
    whole = whole_run(run)
    if whole == run.resolve():
        return corpus
    if read_object(whole / "run.json").get("data") != corpus.fingerprints():
        raise RelconError(
            f"{run} is one run of several, and the data of [data] have changed since, so that its part of them cannot be made again."
        )
    protocol: Protocol = resolve(loaded.tree["protocol"], "[protocol]")
    name = run.resolve().relative_to(whole).as_posix()
    parts = {subfolder: part for subfolder, part, _ in protocol.runs(corpus, Training.of(loaded.tree["training"]).seed)}
    if name not in parts:
        raise RelconError(f"{run} is none of the runs of [protocol] in {whole / 'config.cfg'}.{did_you_mean(name, parts)}")
    return parts[name]


def own_split(run: Path, corpus: Corpus, name: str, command: str) -> Split:
    """A split of a run's own data. command: who looks at it; a look at the test split is listed in the run's `run.json`."""
    split = corpus.split(name)
    if name == "test":
        note_test_read(run, command)
    return split


def labelled_data(predictor: Predictor, path: Path) -> Split:
    """A split of documents that the run has not seen; RelconError where they carry no labels."""
    labels = predictor.model.labels
    documents = list(predictor.read(path))
    extracts = isinstance(predictor.model, Extractor)
    if not any(_annotated(document, extracts) for document in documents):
        raise RelconError(f"{path} has no labelled relation, so there is nothing to score. Use `relcon predict` for unlabelled data.")
    found = [predictor.candidates.instances(document, labels) for document in documents]
    instances = [instance for group, _ in found for instance in group]
    lost: List[Lost] = [each for _, group in found for each in group]
    if not extracts:  # it is asked about no pair, and a label that it does not know is one that it misses
        refuse_unknown_labels(instances, labels)
    return Split(path.name, documents, instances, labels, lost, predictor.candidates.complete_annotation)


def _annotated(document: Document, entities: bool) -> bool:
    """Whether a document has something to score: a relation with a label, or an entity where these are scored too."""
    return any(relation.label is not None for relation in document.relations) or (entities and bool(document.entities))


def refuse_unknown_labels(instances: Sequence[Instance], labels: LabelSet) -> None:
    """DataError with file and line of each instance whose label is missing or none that the model knows."""
    problems = []
    for instance in instances:
        if instance.label is None:
            problems.append(Problem(where(instance.document), "a pair has no label; `relcon predict` takes unlabelled data."))
        elif instance.label not in labels.names:
            near = did_you_mean(instance.label, labels.names)
            problems.append(Problem(where(instance.document), f"label '{instance.label}' is none that the model was trained on.{near}"))
    if problems:
        raise DataError(problems, "Every pair must have a label that the model knows:")


def evaluators(stages: Mapping[str, Any], profile: Optional[str], model: Optional[str] = None) -> Dict[str, Tuple[str, Evaluator]]:
    """Section -> name and evaluator: those of the last stage that measures what the stage `model` handed on, of the last that has any where
    there is none such, or scores under a profile."""
    if profile is not None:
        return {"--profile": ("scores", resolve({"@evaluators": "relcon.Scores.v1", "profile": profile}, "--profile"))}
    measuring = {name: stage for name, stage in stages.items() if stage.get("evaluators")}
    of_model = {name: stage for name, stage in measuring.items() if stage.get("model") == model}
    if not measuring:
        raise RelconError("The run's config has no evaluation stage. Name a metric profile: --profile micro.")
    name, stage = list((of_model or measuring).items())[-1]
    sections = {f"[stages.{name}.evaluators.{key}]": (key, block) for key, block in stage["evaluators"].items()}
    return {section: (key, resolve(block, section)) for section, (key, block) in sections.items()}


def note_test_read(run: Path, command: str) -> None:
    """List a command's look at the test split in the run's `run.json`."""
    state = read_object(run / "run.json")
    state["test_reads"].append(
        {"time": now(), "stage": command, "model": "model", "fingerprint": SavedModel(run / "model").fingerprint()}
    )
    write_json(run / "run.json", state)
