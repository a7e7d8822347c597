"""External-knowledge data: sentences around the entities of a knowledge base, every pair of mentions an instance."""

import logging
from pathlib import Path
from typing import Dict, FrozenSet, Iterator, List, Literal, Optional, Set, Tuple

from relcon.builders.pairs import SentencePairs, check_arguments, keys_to_exclude
from relcon.data.archives import resolve, unpacked
from relcon.data.document import Document
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader, PairBuilder
from relcon.sample import resolve as resolve_sample
from relcon_clre.databases import read_database
from relcon_clre.readers import BlindedTSV, MentionedText

logger = logging.getLogger(__name__)

UNLISTED = "pairs that the database does not list"
UNCITED = "texts that the database does not cite"


class ExternalKnowledge(PairBuilder):
    """Every combination of two mentions of the right types in a sentence of text about a knowledge base's entities.

    One document per sentence that has a pair; its mentions are entities (their `kb_id` the entity's id), its pairs relations.
    The renderer blinds them. Whether the knowledge base lists a pair makes no difference unless asked for: the label is not
    used by the contrastive loss.

    text: the user's text with its mentions: JSON-lines `{"id", "text", "mentions": [{"start", "end", "type", "kb_id"?}], "relation"?}`,
        characters, ends exclusive; texts of several sentences are split. Another format: see `reader`.
    types: [head type, tail type] pairs: `[["PROTEIN", "PROTEIN"]]` for protein interactions, `[["CHEMICAL", "PROTEIN"]]` for ChemProt.
    database, database_format: an export of the knowledge base and what it is: `psi-mitab` (IntAct), `drugbank` (XML), `biogrid`
        (tab2, tab3, chemtab), `pairs` (id, id, PubMed ids with tabs between). Read only for the two options below.
    only_listed_pairs: keep a pair only if the database lists it: both mentions have a `kb_id` and the two are a row, in either
        order. A `kb_id` may name its database (`uniprotkb:P04637`) or not (`P04637`).
    only_cited_texts: keep a text only if its id is a PubMed id that the database cites.
    max_pairs_per_sentence: at most so many pairs of a sentence, the first in text order; null for all.
    deduplicate: leave a pair out whose sentence, both mentions blinded, came before.
    exclude: files of evaluation data whose sentences are left out, white space not counting.
    exclude_reader: their format; the authors' blinded TSV unless given.
    label: the label of every pair; null for none (the authors' files have `0`).
    reader: the format of `text`, where it is another.

    Raises RelconError where an argument is out of place or a file is missing, DataError with file and line where one is wrong.

    Source: Su, Peng and Vijay-Shanker, Improving BERT Model Using Contrastive Learning for Biomedical Relation Extraction,
    BioNLP 2021, section 4.2.

    Config::

        [builder]
        @builders = "clre.ExternalKnowledge.v1"
        text = "abstracts.jsonl"
        types = [["PROTEIN", "PROTEIN"]]
        database = "intact.txt"
        database_format = "psi-mitab"
        only_cited_texts = true
        exclude = ["aimed/test.tsv"]
    """

    def __init__(
        self,
        text: str,
        types: List[List[str]],
        database: Optional[str] = None,
        database_format: Literal["psi-mitab", "drugbank", "biogrid", "pairs"] = "pairs",
        only_listed_pairs: bool = False,
        only_cited_texts: bool = False,
        max_pairs_per_sentence: Optional[int] = None,
        deduplicate: bool = True,
        exclude: Optional[List[str]] = None,
        exclude_reader: Optional[DatasetReader] = None,
        label: Optional[str] = None,
        reader: Optional[DatasetReader] = None,
    ):
        check_arguments(types, max_pairs_per_sentence)
        if (only_listed_pairs or only_cited_texts) and database is None:
            raise RelconError("only_listed_pairs and only_cited_texts need a database: give `database` and `database_format`")
        if database is not None and not (only_listed_pairs or only_cited_texts):
            raise RelconError("a database serves only_listed_pairs and only_cited_texts: set one of them, or leave `database` out")
        self.text, self.types, self.label = resolve_sample(text), types, label
        self.database, self.database_format = database, database_format
        self.only_listed_pairs, self.only_cited_texts = only_listed_pairs, only_cited_texts
        self.most, self.deduplicate = max_pairs_per_sentence, deduplicate
        self.exclude, self.exclude_reader = exclude or [], exclude_reader or BlindedTSV()
        self.reader = reader or MentionedText()
        self._skipped: Dict[str, int] = {}

    def build(self) -> Iterator[Document]:
        """The sentences with their pairs. The text is read twice where a database is."""
        knowledge = self._knowledge()
        pairs = SentencePairs(self.types, self.label, self.most, self.deduplicate, self._excluded(), knowledge.unlisted)
        self._skipped = pairs.skipped
        for document in self.reader.read(unpacked(self.text)):
            if knowledge.cites(document):
                yield from pairs.of(document)
            else:
                pairs.skipped[UNCITED] += 1

    def skipped(self) -> Dict[str, int]:
        """What the last build left out, by cause."""
        return dict(self._skipped)

    def _excluded(self) -> Set[str]:
        if not self.exclude:
            logger.warning("No evaluation data are excluded: give them in `exclude` where the text may overlap with them.")
        return {key for path in self.exclude for key in keys_to_exclude(self.exclude_reader.read(resolve(path)))}

    def _knowledge(self) -> "Knowledge":
        """What the database says of the ids that the text has; an export may be larger than memory, a text's ids are few."""
        knowledge = Knowledge(self.only_listed_pairs, self.only_cited_texts)
        if self.database is None:
            return knowledge
        documents = [(document.id, {entity.id for entity in document.entities}) for document in self.reader.read(unpacked(self.text))]
        texts, wanted = {name for name, _ in documents}, frozenset().union(*(ids for _, ids in documents))
        for row in read_database(Path(self.database), self.database_format):
            knowledge.listed |= {frozenset((a, b)) for a in row.a & wanted for b in row.b & wanted}
            knowledge.cited |= texts.intersection(row.pubmed)
        return knowledge


class Knowledge:
    """The part of a database that a text needs.

    listed: the pairs of ids that it lists, in no order. cited: the texts that it cites.
    """

    def __init__(self, only_listed: bool, only_cited: bool):
        self.only_listed, self.only_cited = only_listed, only_cited
        self.listed: Set[FrozenSet[str]] = set()
        self.cited: Set[str] = set()

    def unlisted(self, sentence: Document, pair: Tuple[int, int]) -> Optional[str]:
        """Why a pair is left out, or None."""
        ids = frozenset(sentence.entities[number].id for number in pair)
        return UNLISTED if self.only_listed and ("" in ids or ids not in self.listed) else None

    def cites(self, document: Document) -> bool:
        """Whether the text is wanted."""
        return not self.only_cited or document.id in self.cited
