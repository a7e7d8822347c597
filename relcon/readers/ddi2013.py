"""The DDI corpus 2013: drug-drug interactions, one XML file per document."""

from typing import Dict, Optional, Tuple

from relcon.data.glimpse import Glimpse
from relcon.errors import RecordError
from relcon.readers.elements import Element
from relcon.readers.records import OnError
from relcon.readers.sentence_pairs import SentencePairs

KINDS = ("advise", "effect", "int", "mechanism")

TYPES: Dict[str, str] = {"drug": "DRUG", "brand": "DRUG", "group": "DRUG", "drug_n": "DRUG"}

ERRATA: Dict[Tuple[str, str], str] = {("DDI-DrugBank.d216.s16.e2", "95-98;107-114"): "96-98;107-115"}
"""Positions that are wrong in the distributed corpus (entity, as written) -> right ones. This one is off by a character."""


class DDI2013(SentencePairs):
    """Reads the DDI corpus 2013: an XML file, or a folder with all XML files below it, labelled or not.

    One document per sentence, its id the sentence's, `metadata["document"]` that of the XML document. Positions are characters
    with **inclusive** ends; `a-b;c-d` is a discontinuous mention. Every pair of the file becomes a relation from e1 to e2: `DDI-false`,
    `DDI-advise`, `DDI-effect`, `DDI-int` or `DDI-mechanism`; without a `ddi` attribute its label is None. Sentences without text,
    drugs or pairs are kept. The one position that is wrong in the distributed corpus is corrected (`ERRATA`).

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    types: corpus type -> entity type; types that are not named are kept. The default makes one type DRUG of drug, brand,
        group and drug_n; `{}` keeps the four apart.
    untyped: label of a pair that interacts but has no `type` (one pair of the training part). DDI-int is the corpus's own class
        for an interaction of which no more is said.

    Source: Herrero-Zazo et al., The DDI corpus, Journal of Biomedical Informatics 46(5), 2013.

    Config::

        [reader]
        @readers = "relcon.DDI2013.v1"
        untyped = "DDI-int"
    """

    expected = "an XML file of the DDI corpus (<document><sentence text=...><entity charOffset=.../><pair/>), or a folder with such files"
    between = ";"

    def __init__(self, on_error: OnError = "raise", types: Dict[str, str] = TYPES, untyped: str = "DDI-int"):
        super().__init__(on_error, types)
        self.untyped = untyped

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Sentences of a document that is no part of a <corpus>, as those of the unified PPI corpora are."""
        text = glimpse.first("**/*.xml").text
        found = text.lstrip().startswith("<") and "<document " in text and "<sentence " in text and "<corpus" not in text
        return "XML with <sentence> in one <document>, as in the DDI corpus" if found else None

    def offset(self, entity: Element) -> str:
        """The `charOffset` of an entity, put right where the corpus is wrong."""
        written = entity.get("charOffset")
        return ERRATA.get((entity.get("id"), written), written)

    def label(self, pair: Element) -> Optional[str]:
        """`DDI-false`, `DDI-effect`, ...; None without a `ddi` attribute."""
        answer, kind = pair.attributes.get("ddi"), pair.attributes.get("type")
        if answer not in (None, "true", "false"):
            raise RecordError(f"'ddi' must be 'true' or 'false', here it is '{answer}'", pair.place)
        if answer == "true" and kind is not None and kind not in KINDS:
            raise RecordError(f"'type' of a pair must be one of {', '.join(KINDS)}; here it is '{kind}'", pair.place)
        if answer == "true":
            return self.untyped if kind is None else f"DDI-{kind}"
        return None if answer is None else "DDI-false"
