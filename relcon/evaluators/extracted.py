"""What an extractor found in a document beside what is annotated there: as it is measured, written and read again."""

from dataclasses import dataclass
from typing import Any, Collection, Dict, List, Literal, Mapping, Sequence, Tuple, get_args

from relcon.data.document import Document, WordSpan
from relcon.evaluators.facts import (
    Kind,
    Said,
    Sentence,
    Spans,
    heard,
    said_of,
    sentence_at,
    sentences_of,
    spans_of,
    tally,
    told,
    undirected,
    without_ignored,
)
from relcon.evaluators.profiles import ExtractionProfile
from relcon.evaluators.scoring import Figures, averages, averages_each, per_class

Overlapping = Literal["count", "drop"]
"""Whether sentences in which annotated entities overlap count."""

KINDS: Tuple[Kind, ...] = get_args(Kind)
WITHOUT = ".without_overlaps"
"""Behind the name of a figure that leaves out sentences in which annotated entities overlap."""
SUM = "entity_and_strict"

WHAT = "extraction"
"""What `scores.json` says under `measures`."""


@dataclass(frozen=True)
class Extracted:
    """A document with what is annotated and what was found.

    words: [W]. sentences: their spans. names: mentions in words.
    """

    id: str
    text: str
    words: Tuple[str, ...]
    sentences: Tuple[WordSpan, ...]
    gold: Said
    predicted: Said
    names: Mapping[Spans, str]

    @classmethod
    def of(cls, document: Document, found: Document, negative: Collection[str] = ()) -> "Extracted":
        """From the annotated document and the extractor's, without the relations that it finds for pairs that are to be ignored.
        negative: labels that mean 'no relation'."""
        gold = said_of(document, negative)
        predicted = without_ignored(said_of(found, negative), gold, document)
        mentions = [mention for each in (document, found) for entity in each.entities for mention in entity.mentions]
        names = {spans_of(mention): document.mention_text(mention) for mention in mentions}
        text = " ".join(document.words) if document.text is None else document.text
        return cls(document.id, text, document.words, document.sentences, gold, predicted, names)

    @classmethod
    def from_record(cls, record: Mapping[str, Any]) -> "Extracted":
        """From a line of `predictions.jsonl`. KeyError, IndexError, TypeError or ValueError where it is none."""
        names = {
            tuple((int(start), int(end)) for start, end in entity["words"]): str(entity["text"])
            for side in ("gold", "predicted")
            for entity in record[side]["entities"]
        }
        sentences = tuple((int(start), int(end)) for start, end in record["sentences"])
        gold, predicted = heard(record["gold"]), heard(record["predicted"])
        return cls(str(record["id"]), str(record["text"]), tuple(record["words"]), sentences, gold, predicted, names)

    def record(self) -> Dict[str, Any]:
        """A line of `predictions.jsonl`."""
        return {
            "id": self.id,
            "text": self.text,
            "words": list(self.words),
            "sentences": [list(span) for span in self.sentences],
            "gold": told(self.gold, self.names),
            "predicted": told(self.predicted, self.names),
        }

    def text_at(self, spans: Spans) -> str:
        """The sentence in which a mention begins."""
        start, end = self.sentences[sentence_at(self.sentences, spans[0][0])]
        return " ".join(self.words[start:end])

    def parts(self, direction_free: Collection[str]) -> List[Sentence]:
        """Sentence by sentence. direction_free: labels whose direction does not count."""
        return sentences_of(self.sentences, *(undirected(said, direction_free) for said in (self.gold, self.predicted)))


# ---- figures -------------------------------------------------------------------------------------------------------------


def without_overlaps(sentences: Sequence[Sentence]) -> List[Sentence]:
    """The sentences whose annotated entities do not overlap."""
    return [sentence for sentence in sentences if not sentence.overlapping]


def extraction_figures(sentences: Sequence[Sentence]) -> Figures:
    """Figures of both variants: of all sentences, and, with another name, of those whose annotated entities do not overlap."""
    kept = without_overlaps(sentences)
    found = {**micro_figures(sentences), **{name + WITHOUT: value for name, value in micro_figures(kept).items()}}
    return {**found, "sentences": float(len(sentences)), "overlapping_sentences": float(len(sentences) - len(kept))}


def micro_figures(sentences: Sequence[Sentence]) -> Figures:
    """`KIND_precision`, `KIND_recall`, `KIND_f1` of every kind, over all labels; `entity_and_strict`, the sum of two F1s; and how many
    entities and relations (as `strict` counts them) are annotated."""
    totals = {kind: tally(sentences, kind).total() for kind in KINDS}
    found = {
        f"{kind}_{name}": float(value) for kind, total in totals.items() for name, value in averages_each(total)._asdict().items()
    }
    sizes = {"entities": float(totals["entity"].gold), "relations": float(totals["strict"].gold)}
    return {**found, SUM: found["entity_f1"] + found["strict_f1"], **sizes}


def profile_figures(sentences: Sequence[Sentence], profile: ExtractionProfile) -> Figures:
    """`precision`, `recall` and `f1` of relations under a profile, and `entity_precision` and so on of entities with their types, averaged
    in the same way; `relations` and `entities`, how many are annotated. Over all sentences together, also of a profile of folds."""
    kept = without_overlaps(sentences) if profile.drop_overlapping else sentences
    found: Figures = {}
    relations, entities = tally(kept, profile.compared), tally(kept, "entity")
    for tallied, prefix, name in ((relations, "", "relations"), (entities, "entity_", "entities")):
        shares = averages(tallied.counts(), profile)._asdict()
        found.update({f"{prefix}{key}": float(value) for key, value in shares.items()})
        found[name] = float(tallied.total().gold)
    return found


def label_figures(sentences: Sequence[Sentence], kind: Kind) -> Figures:
    """`precision/LABEL`, `recall/LABEL`, `f1/LABEL`, `support/LABEL`, `predicted/LABEL` of every label that is annotated or predicted."""
    found = tally(sentences, kind)
    return per_class(found.counts(), found.labels())
