"""Predictions as files hold them: of relcon's own evaluations and `relcon predict`, of a reader, of DocRED's and SemEval's scorers."""

from pathlib import Path
from typing import Any, Callable, Collection, Iterator, List, Mapping, NamedTuple, Optional, Set, Tuple, Union

from relcon.data.corpus import where
from relcon.data.document import Document, Entity, Mention, Relation, WordSpan
from relcon.data.fields import items, may, need, of_kind, pair
from relcon.data.glimpse import Glimpse, glimpse
from relcon.errors import DataError, Problem, RecordError, RelconError
from relcon.evaluators.extracted import Extracted
from relcon.evaluators.facts import Said
from relcon.evaluators.semeval2010 import read_answers
from relcon.readers.records import Record, array_items, decoded, lines, whole_text
from relcon.score.gold import is_answers, read_documents


class Claim(NamedTuple):
    """A predicted label of a pair of given entities. head, tail: their numbers. where: file and line."""

    document: str
    head: int
    tail: int
    label: str
    where: str


class Found(NamedTuple):
    """What was found in a document: entities of its own, and the relations between them.

    words: those that the entities' spans count; None where the file does not repeat them. texts: the entities in words, where the file
    repeats these instead; () otherwise. where: file and line.
    """

    document: str
    entities: Tuple[Entity, ...]
    relations: Tuple[Relation, ...]
    words: Optional[Tuple[str, ...]]
    texts: Tuple[str, ...]
    where: str


class Predicted(NamedTuple):
    """What a file predicts: labels of given pairs, or what was found in documents. The other one is None."""

    claims: Optional[List[Claim]] = None
    found: Optional[List[Found]] = None

    def only(self, ids: Collection[str]) -> "Predicted":
        """What is predicted for these documents."""
        claims = None if self.claims is None else [claim for claim in self.claims if claim.document in ids]
        return Predicted(claims, None if self.found is None else [found for found in self.found if found.document in ids])


def read_predictions(path: Path, reader: Optional[str] = None) -> Predicted:
    """The predictions of a file.

    reader: the name of the reader of documents with predicted relations; None to tell by the first record which of the other forms it is.
    DataError for bad lines; RelconError where it is none of these forms.
    """
    if reader is not None:
        return Predicted(found=[_of_document(document) for document in read_documents(path, reader, "--pred-reader")])
    if is_answers(path):
        return Predicted(claims=[Claim(item, 0, 1, label, str(path)) for item, label in read_answers(path).items()])
    seen = glimpse(path)
    if path.is_dir() or not seen.text.strip():
        raise RelconError(f"{path} {'is a folder' if path.is_dir() else 'is empty'}; expected a file of predictions.")
    if seen.is_array and (seen.has("title", "h_idx", "t_idx", "r") or seen.text.strip() == "[]"):
        return Predicted(claims=_records(path, _submitted, _array))
    if seen.has("document", "head", "tail", "label"):
        return Predicted(claims=_records(path, _predicted_pair, _lines))
    if seen.has("document", "entities", "relations"):
        return Predicted(found=_once(path, _records(path, _predicted_document, _lines)))
    if _evaluated(seen, str):
        return Predicted(claims=_records(path, _evaluated_pair, _lines))
    if _evaluated(seen, dict):
        return Predicted(found=_once(path, _records(path, _evaluated_document, _lines)))
    raise RelconError(
        f"The first record of {path} is no prediction: neither of a run's predictions.jsonl, nor what `relcon predict` writes, DocRED's "
        '{"title", "h_idx", "t_idx", "r"} or SemEval\'s ID<TAB>Label. Where a reader can read the file, name it: '
        "--pred-reader relcon.SpERT.v1."
    )


def _evaluated(seen: Glimpse, kind: type) -> bool:
    """Whether it is what an evaluator of pairs (str) or of documents (dict) leaves."""
    return seen.has("id", "gold", "predicted") and isinstance(dict(seen.record or {})["predicted"], kind)


Cut = Callable[[Path], Iterator[Union[Record, Problem]]]


# ---- records -----------------------------------------------------------------------------------------------------------


def _lines(path: Path) -> Iterator[Union[Record, Problem]]:
    """The lines that are not blank, each as one object; a Problem where one is none."""
    return map(decoded, lines(path))


def _array(path: Path) -> Iterator[Union[Record, Problem]]:
    """The items of an array; a Problem where it is broken."""
    return array_items(whole_text(path, "an array of predictions"), path)


def _records(path: Path, read: Callable[[Mapping[str, Any], str], Any], cut: Cut) -> List[Any]:
    """What each record says. read: of a record and its place, or RecordError. DataError for those that are wrong."""
    found, problems = [], []
    for record in cut(path):
        if isinstance(record, Problem):
            problems.append(record)
            continue
        try:
            found.append(read(of_kind(record.value, dict, "the record"), record.place))
        except RecordError as error:
            problems.append(Problem(record.place, str(error)))
    if problems:
        raise DataError(problems, f"{path} cannot be read as predictions:")
    return found


def _once(path: Path, found: List[Found]) -> List[Found]:
    """The same; DataError where a document comes twice."""
    met: Set[str] = set()
    problems = []
    for each in found:
        if each.document in met:
            problems.append(Problem(each.where, f"the document '{each.document}' occurs twice"))
        met.add(each.document)
    if problems:
        raise DataError(problems, f"{path} cannot be read as predictions:")
    return found


def _submitted(record: Mapping[str, Any], where: str) -> Claim:
    """An item of DocRED's submissions."""
    return Claim(
        need(record, "title", str), need(record, "h_idx", int), need(record, "t_idx", int), need(record, "r", str), where
    )  # fmt: skip


def _predicted_pair(record: Mapping[str, Any], where: str) -> Claim:
    """A line of `relcon predict` for given pairs."""
    head, tail = (need(need(record, key, dict), "entity", int, f"'{key}'") for key in ("head", "tail"))
    return Claim(need(record, "document", str), head, tail, need(record, "label", str), where)


def _evaluated_pair(record: Mapping[str, Any], where: str) -> Claim:
    """A line of `predictions.jsonl` of `relcon.Scores.v1`, whose id is `DOCUMENT#HEAD-TAIL`."""
    uid = need(record, "id", str)
    document, _, ends = uid.rpartition("#")
    head, _, tail = ends.partition("-")
    if not document or not head.isdecimal() or not tail.isdecimal():
        raise RecordError(f"'id' must be DOCUMENT#HEAD-TAIL, here it is '{uid}'")
    return Claim(document, int(head), int(tail), need(record, "predicted", str), where)


def _predicted_document(record: Mapping[str, Any], where: str) -> Found:
    """A line of `relcon predict` with an extractor; each entity is one mention there, of several spans where it is discontinuous."""
    given = items(need(record, "entities", list), dict, "'entities'")
    entities = tuple(
        Entity((_mention(need(each, "words", list, f"entity {number}"), f"entity {number}"),), may(each, "type", str, ""))
        for number, each in enumerate(given)
    )
    texts = tuple(need(each, "text", str, f"entity {number}") for number, each in enumerate(given))
    relations = tuple(_relation(each, len(entities)) for each in items(need(record, "relations", list), dict, "'relations'"))
    return Found(need(record, "document", str), entities, relations, None, texts, where)


def _evaluated_document(record: Mapping[str, Any], where: str) -> Found:
    """A line of `predictions.jsonl` of `relcon.Extraction.v1`."""
    try:
        extracted = Extracted.from_record(record)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        raise RecordError('expected {"id", "words", "sentences", "predicted": {"entities": [...], "relations": [...]}, ...}') from None
    entities, relations = _as_entities(extracted.predicted)
    return Found(extracted.id, entities, relations, extracted.words, (), where)


def _of_document(document: Document) -> Found:
    """A document of a reader."""
    return Found(document.id, document.entities, document.relations, document.words, (), where(document))


# ---- parts of records --------------------------------------------------------------------------------------------------


def _mention(spans: List[Any], what: str) -> Mention:
    """A mention of one span, or of several."""
    found: List[WordSpan] = [pair(span, f"'words' of {what}") for span in spans]
    if not found:
        raise RecordError(f"'words' of {what} is empty; expected [[start, end], ...]")
    return Mention(found[0][0], found[-1][1], tuple(found) if len(found) > 1 else ())


def _relation(record: Mapping[str, Any], entities: int) -> Relation:
    """A relation that names entities by number."""
    head, tail = (need(record, key, int, "a relation") for key in ("head", "tail"))
    if not (0 <= head < entities and 0 <= tail < entities):
        raise RecordError(f"a relation names the entities {head} and {tail}, but the record has {entities}, numbered from 0")
    return Relation(head, tail, need(record, "label", str, "a relation"))


def _as_entities(said: Said) -> Tuple[Tuple[Entity, ...], Tuple[Relation, ...]]:
    """What was found, each mention as an entity of its own."""
    arguments = sorted(said.entities)
    number = {argument: at for at, argument in enumerate(arguments)}
    entities = tuple(Entity((_mention([list(span) for span in each.spans], "an entity"),), each.type) for each in arguments)
    return entities, tuple(Relation(number[fact.head], number[fact.tail], fact.label) for fact in sorted(said.relations))
