"""Pairs from any corpus that a reader reads."""

import logging
from typing import Dict, Iterator, List, Optional

from relcon.builders.pairs import SentencePairs, check_arguments, keys_to_exclude
from relcon.data.archives import resolve, unpacked
from relcon.data.document import Document
from relcon.interfaces import DatasetReader, PairBuilder
from relcon.sample import resolve as resolve_sample

logger = logging.getLogger(__name__)


class CorpusPairs(PairBuilder):
    """Every pair of mentions in a sentence of a corpus, without its labels: text for contrastive pre-training.

    One document per sentence that has a pair; each of its mentions is an entity; each pair of the right types a relation. So the
    gene-gene pairs of a chemical-gene corpus become training text for a model of either.

    reader, input: the corpus, a file or folder of the reader's format (`sample:train.jsonl` for a file of the sample corpus).
    types: [head type, tail type] pairs that are wanted; where the two differ, their order says which mention is the head.
    label: the label of every pair; null for none.
    max_pairs_per_sentence: at most so many pairs of a sentence, the first in text order; null for all.
    deduplicate: leave a pair out whose sentence, both mentions blinded, came before.
    exclude: files of evaluation data: their sentences are left out, plain ones and blinded ones, white space not counting.
    exclude_reader: their format; that of the corpus unless given.

    Raises what the reader raises: RelconError where a file is missing, DataError where records are wrong.

    Config::

        [builder]
        @builders = "relcon.CorpusPairs.v1"
        input = "chemprot_training"
        types = [["PROTEIN", "PROTEIN"]]

        [builder.reader]
        @readers = "relcon.ChemProt.v1"
    """

    def __init__(
        self,
        reader: DatasetReader,
        input: str,
        types: List[List[str]],
        label: Optional[str] = None,
        max_pairs_per_sentence: Optional[int] = None,
        deduplicate: bool = True,
        exclude: Optional[List[str]] = None,
        exclude_reader: Optional[DatasetReader] = None,
    ):
        check_arguments(types, max_pairs_per_sentence)
        self.reader, self.input, self.types, self.label = reader, resolve_sample(input), types, label
        self.most, self.deduplicate = max_pairs_per_sentence, deduplicate
        self.exclude, self.exclude_reader = exclude or [], exclude_reader or reader
        self._skipped: Dict[str, int] = {}

    def build(self) -> Iterator[Document]:
        """The sentences with their pairs."""
        excluded = {key for path in self.exclude for key in keys_to_exclude(self.exclude_reader.read(resolve(path)))}
        if not self.exclude:
            logger.warning("No evaluation data are excluded: give them in `exclude` where the text may overlap with them.")
        pairs = SentencePairs(self.types, self.label, self.most, self.deduplicate, excluded)
        self._skipped = pairs.skipped
        for document in self.reader.read(unpacked(self.input)):
            yield from pairs.of(document)

    def skipped(self) -> Dict[str, int]:
        """What the last build left out, by cause."""
        return dict(self._skipped)
