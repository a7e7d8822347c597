"""Score a file of predictions against a file of what is right; no model is needed."""

from fnmatch import fnmatch
from pathlib import Path
from typing import Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from relcon.errors import RelconError, did_you_mean
from relcon.evaluators.profiles import PairProfile, Profile, profile_of
from relcon.evaluators.scores import OFFICIAL, write_official
from relcon.evaluators.semeval2010 import ANSWERS
from relcon.evaluators.tables import write_per_class
from relcon.files import write_json
from relcon.score.comparing import Line, Predictions, required
from relcon.score.gold import Gold, read_documents, read_gold
from relcon.score.matching import Matching, Rules
from relcon.score.material import Material, Pairs
from relcon.score.predictions import Predicted, read_predictions


class Sources(NamedTuple):
    """Where things are read.

    gold, predicted: files, or folders of files with the same names, one pair for each fold. reader, pred_reader: names of readers; None as
    of `read_gold` and `read_predictions`. folds: the key of the gold documents' metadata that names their fold, or, with a `*`, a pattern
    of the files in both folders. train: training data.
    """

    gold: Path
    predicted: Path
    reader: Optional[str] = None
    pred_reader: Optional[str] = None
    folds: Optional[str] = None
    train: Optional[Path] = None


class Scoring(NamedTuple):
    """What scoring files gives. lines: a line for each profile that was asked for. notes: what is to be said beside them, in words.
    whole: the materials of all predictions."""

    lines: List[Line]
    notes: List[str]
    whole: Sequence[Material]


def score_files(
    sources: Sources,
    profile: Optional[str],
    *,
    negative: Sequence[str] = (),
    symmetric: Sequence[str] = (),
    complete: bool = False,
    skip_unknown: bool = False,
) -> Scoring:
    """The figures of predictions under a metric profile.

    profile: None for all that apply. negative: labels that mean 'no relation', beside those that a profile names itself. symmetric: labels
    that hold in both directions. complete: pairs that are not marked have no relation. skip_unknown: leave out predictions for documents,
    entities and pairs that are not there.

    RelconError where the profile does not apply, or a file cannot be read; DataError for predictions of what is not there.
    """
    rule = None if profile is None else profile_of(profile)
    train = None if sources.train is None else read_documents(sources.train, sources.reader, "--reader")
    rules = Rules(negative, complete, skip_unknown, train)
    parts = _parts(sources, rules, symmetric)
    whole, folds = _whole(parts, rules), _folds(sources, parts)
    made = [_materials(each, rule) for each in (whole, *folds.values())]
    predictions = Predictions(made[0], dict(zip(folds, made[1:], strict=True)))
    lines = predictions.side_by_side() if rule is None else [predictions.under(rule)]
    if rule is not None:
        required(lines[0])
    return Scoring(lines, [*whole.notes, *_strange(whole, "negative", negative), *_strange(whole, "symmetric", symmetric)], made[0])


def _strange(matching: Matching, option: str, labels: Sequence[str]) -> List[str]:
    """What is to be said of labels that an option names and no relation has: they may be spelt wrong."""
    known = matching.seen
    return [f"--{option} {label}: no relation has this label.{did_you_mean(label, known)}" for label in labels if label not in known]


def _materials(matching: Matching, profile: Optional[Profile]) -> Sequence[Material]:
    """All materials, or the one that a profile scores."""
    if profile is None:
        return matching.materials()
    return [matching.material(profile.kind)]


# ---- folds -------------------------------------------------------------------------------------------------------------


def _parts(sources: Sources, rules: Rules, symmetric: Sequence[str]) -> Dict[str, Matching]:
    """What is read, by file; one part, "", where there are no files of folds."""
    files = {"": (sources.gold, sources.predicted)}
    if sources.folds is not None and "*" in sources.folds:
        names = _fold_files(sources.gold, sources.predicted, sources.folds)
        files = {name: (sources.gold / name, sources.predicted / name) for name in names}
    return {
        name: Matching(read_gold(gold, sources.reader, symmetric), read_predictions(predicted, sources.pred_reader), rules)
        for name, (gold, predicted) in files.items()
    }


def _fold_files(gold: Path, predicted: Path, pattern: str) -> List[str]:
    """The names of the files in both folders. RelconError where one is no folder, or has others."""
    for folder in (gold, predicted):
        if not folder.is_dir():
            raise RelconError(f"--folds '{pattern}' names files of folders, and {folder} is none.")
    names = [sorted(file.name for file in folder.iterdir() if fnmatch(file.name, pattern)) for folder in (gold, predicted)]
    alone = sorted(set(names[0]) ^ set(names[1]))
    if alone or not names[0]:
        found = f"'{alone[0]}' is in one of them only" if alone else "neither has any"
        raise RelconError(f"--folds '{pattern}': {gold} and {predicted} must hold the same files, and {found}.")
    return names[0]


def _whole(parts: Mapping[str, Matching], rules: Rules) -> Matching:
    """All parts together, documents with the name of their file in front where there are several."""
    if len(parts) == 1:
        return next(iter(parts.values()))
    named = [_named(name, part) for name, part in parts.items()]
    documents = {key: document for gold, _ in named for key, document in gold.documents.items()}
    pairs = {pair: labels for gold, _ in named for pair, labels in gold.pairs.items()}
    first = named[0][0]
    claims = [claim for _, predicted in named for claim in predicted.claims or ()]
    found = [each for _, predicted in named for each in predicted.found or ()]
    given = all(predicted.found is None for _, predicted in named)
    return Matching(Gold(first.path.parent, documents, pairs, first.symmetric), Predicted(claims, None if given else found), rules)


def _named(name: str, part: Matching) -> Tuple[Gold, Predicted]:
    """What a file says, with its name in front of every document's."""
    gold, (claims, found) = part.gold, part.predicted
    documents = {f"{name}:{key}": document for key, document in gold.documents.items()}
    pairs = {(f"{name}:{key}", head, tail): labels for (key, head, tail), labels in gold.pairs.items()}
    renamed = Predicted(
        None if claims is None else [claim._replace(document=f"{name}:{claim.document}") for claim in claims],
        None if found is None else [each._replace(document=f"{name}:{each.document}") for each in found],
    )
    return Gold(gold.path, documents, pairs, gold.symmetric), renamed


def _folds(sources: Sources, parts: Mapping[str, Matching]) -> Dict[str, Matching]:
    """The folds; none where none are asked for. RelconError where a document does not say its fold."""
    if sources.folds is None:
        return {}
    if "*" in sources.folds:
        return dict(parts)
    (whole,) = parts.values()
    folds: Dict[str, List[str]] = {}
    for name, document in whole.gold.documents.items():
        if sources.folds not in document.metadata:
            known = ", ".join(sorted(document.metadata)) or "none"
            raise RelconError(f"--folds {sources.folds}: the document '{name}' has no such metadata (it has: {known}).")
        folds.setdefault(str(document.metadata[sources.folds]), []).append(name)
    return {name: whole.only(dict.fromkeys(ids)) for name, ids in sorted(folds.items())}


# ---- writing -----------------------------------------------------------------------------------------------------------


def write_scoring(folder: Path, found: Scoring) -> None:
    """`scores.json`: all lines and notes. Of one profile of pairs `per_class.json` and `.tsv`; where `semeval2010.official` applies, the
    report of that scorer, `semeval2010.txt`."""
    profiles = [
        {"profile": each.profile.name, "negative": list(each.negative), "figures": each.figures, "remark": each.why}
        for each in found.lines
    ]
    write_json(folder / "scores.json", {"profiles": profiles, "notes": found.notes})
    if len(found.lines) == 1 and isinstance(found.lines[0].profile, PairProfile) and found.lines[0].figures is not None:
        write_per_class(folder, found.lines[0].figures)
    official = any(each.profile.name == OFFICIAL and each.figures is not None for each in found.lines)
    pairs = next((each for each in found.whole if isinstance(each, Pairs)), None)
    if official and pairs is not None and {*pairs.gold, *pairs.predicted} - {None} <= set(ANSWERS):
        write_official(folder / "semeval2010.txt", [str(label) for label in pairs.gold], pairs.predicted, pairs.lost)
