"""Entities and relations that a model finds by itself, against those that are annotated."""

from pathlib import Path
from typing import Dict, List, Literal, Optional, Sequence

from relcon.errors import RelconError, did_you_mean
from relcon.evaluators.bins import bins_of, write_bins
from relcon.evaluators.extracted import SUM, WHAT, WITHOUT, Extracted, Overlapping, extraction_figures, label_figures, without_overlaps
from relcon.evaluators.facts import Kind, Sentence
from relcon.evaluators.scoring import Figures
from relcon.evaluators.tables import write_lines, write_per_class
from relcon.files import write_json
from relcon.interfaces import Evaluator, Extractor, Model, Split

TABLES: Dict[str, Kind] = {"entities": "entity", "relations": "strict"}
"""The tables by label: the name of the files, and what they count."""


class Extraction(Evaluator):
    """Figures of a model that finds entities and relations in plain documents (an extractor).

    What is found is compared with what is annotated as sets of mentions and of relations between mentions, in four ways:

    - `entity`: words and type of a mention.
    - `span`: its words alone.
    - `relation`: label, words of head and words of tail; types do not count, the order of the arguments does.
    - `strict`: the same, and both types are right too.

    An entity with several mentions is several mentions; a relation of two entities holds between all their mentions that share a sentence,
    and where no two do between the two that stand closest. What is said twice counts once. A label that only the data have counts as
    missed, one that only the model has as wrong. A relation found for a pair that the data say to ignore (`metadata["ignored"]`) is
    neither, and stands in no file.

    primary: the figure that model selection and summaries look at: the F1 of one of the four, or "entity_and_strict", the sum of two,
        by which PSPE chooses its model.
    overlapping: whether the primary figure and the tables "count" sentences in which annotated entities share a word, or "drop" them, as
        published figures do whose model has one tag per word. A relation belongs to the sentence of its first word.
    undirected: labels whose direction does not count (symmetric ones).
    entity_bins, word_bins: the first numbers of the groups by annotated entities and by words of a sentence.

    Figures: `entity_precision`, `entity_recall`, `entity_f1`, likewise `span`, `relation` and `strict`, over all labels together;
    `entity_and_strict`; `entities` and `relations`, how many are annotated; all of these once more without sentences in which annotated
    entities overlap, with `.without_overlaps` behind the name; `sentences` and `overlapping_sentences`; of each type
    `entity_precision/TYPE`, ..., `entity_support/TYPE`, `entity_predicted/TYPE`, and of each label `strict_f1/LABEL` and so on. Shares
    lie between 0 and 1, a share of nothing is 0.

    Files: `predictions.jsonl` (of each document id, text, words, sentences, gold and predicted mentions and relations), `scores.json`,
    `entities.json` and `.tsv`, `relations.json` and `.tsv` (by type and label), `bins.json` and `.png`.

    RelconError where the model finds no entities, no document has an entity (or a relation, where it is needed), or `undirected` names
    an unknown label. ValueError where groups do not rise.

    Source: Wang et al., Pre-training Entity Relation Encoder with Intra-span and Inter-span Information, EMNLP 2020;
    the names of strict and boundary evaluation: Bekoulis et al., Adversarial training for multi-context joint entity and relation
    extraction, EMNLP 2018.

    Config::

        [evaluator]
        @evaluators = "relcon.Extraction.v1"
        primary = "strict"
        overlapping = "count"
    """

    def __init__(
        self,
        primary: Literal["strict", "relation", "entity", "entity_and_strict"] = "strict",
        overlapping: Overlapping = "count",
        undirected: List[str] = [],  # noqa: B006 (never changed; confection needs a default that survives JSON)
        entity_bins: List[int] = [0, 2, 3, 4, 5, 6, 7, 8, 9],  # noqa: B006
        word_bins: List[int] = [1, 11, 21, 31, 51],  # noqa: B006
    ):
        for name, starts in (("entity_bins", entity_bins), ("word_bins", word_bins)):
            if not starts or starts != sorted(set(starts)):
                raise ValueError(f"{name}: {starts} does not rise")
        self.entity_bins, self.word_bins = entity_bins, word_bins
        self.needs_relations = primary != "entity"
        self.suffix = WITHOUT if overlapping == "drop" else ""
        self.primary: str = (primary if primary == SUM else f"{primary}_f1") + self.suffix
        self.overlapping, self.undirected = overlapping, undirected

    @property
    def profile(self) -> Optional[str]:
        """The metric profile of the primary figure; None where it has no name."""
        return {"strict_f1": "e2e.strict.micro", "relation_f1": "e2e.boundaries"}.get(self.primary)

    def evaluate(self, model: Model, data: Split, folder: Optional[Path] = None, train: Optional[Split] = None) -> Dict[str, float]:
        """Figures of the model on the split; files where there is a folder. `train` is not looked at."""
        if not isinstance(model, Extractor):
            raise RelconError(
                "relcon.Extraction.v1 measures a model that finds entities by itself, and this one is asked about given pairs. Name a "
                "stage that hands on an extractor as `model` of the evaluation, or measure this one with relcon.Scores.v1."
            )
        self.check(data)
        documents = [document for document in data.documents if document.words]
        found = model.extract(documents)
        extracted = [Extracted.of(*pair, data.labels.negative) for pair in zip(documents, found, strict=True)]
        sentences = [sentence for each in extracted for sentence in each.parts(self.undirected)]
        kept = without_overlaps(sentences) if self.overlapping == "drop" else sentences
        tables = {name: label_figures(kept, kind) for name, kind in TABLES.items()}
        figures = extraction_figures(sentences)
        for name, kind in TABLES.items():
            figures.update({f"{kind}_{key}": value for key, value in tables[name].items()})
        if folder is not None:
            write_lines(folder / "predictions.jsonl", (each.record() for each in extracted))
            self.write_tables(folder, kept, tables, figures)
        return figures

    def check(self, data: Split, train: Optional[Split] = None) -> None:
        """There must be something to find in whole documents, and `undirected` must name labels of the task."""
        strange = next((name for name in self.undirected if name not in data.labels.positive), None)
        if strange is not None:
            raise RelconError(f"undirected: '{strange}' is no relation of this task.{did_you_mean(strange, data.labels.positive)}")
        if not any(document.entities for document in data.documents):
            raise RelconError(f"No document of the split '{data.name}' has an entity, so it cannot be scored. Use `relcon predict`.")
        if data.partial:
            raise RelconError(
                f"The split '{data.name}' has only some of the pairs of its documents, but what a model finds is scored on whole "
                'documents. Divide them by document ([protocol] by = "document").'
            )
        labels = {relation.label for document in data.documents for relation in document.relations}
        if self.needs_relations and not labels - {None, *data.labels.negative}:
            raise RelconError(
                f"No document of the split '{data.name}' has a relation, so relations cannot be scored. "
                'Measure entities alone (primary = "entity" in the config), or use `relcon predict`.'
            )

    def write_tables(self, folder: Path, sentences: Sequence[Sentence], tables: Dict[str, Figures], figures: Figures) -> None:
        """Everything but the predictions."""
        write_json(folder / "scores.json", {
            "measures": WHAT,
            "overlapping": self.overlapping,
            "undirected": sorted(self.undirected),
            "figures": figures,
        })  # fmt: skip
        for name, table in tables.items():
            write_per_class(folder, table, name)
        write_bins(folder, bins_of(sentences, self.entity_bins, self.word_bins))
