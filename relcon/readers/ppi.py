"""The unified XML of five corpora of protein-protein interactions: AIMed, BioInfer, HPRD50, IEPA and LLL."""

from typing import Dict, Literal, Optional

from relcon.data.glimpse import Glimpse
from relcon.errors import RecordError, RelconError
from relcon.readers.elements import Element
from relcon.readers.records import OnError
from relcon.readers.sentence_pairs import SentencePairs

TYPES: Dict[str, str] = {"protein": "PROTEIN"}

LABELS: Dict[Optional[str], Optional[str]] = {"True": "positive", "False": "negative", None: None}


class PPI(SentencePairs):
    """Reads the unified XML of AIMed, BioInfer, HPRD50, IEPA and LLL: a file, or a folder with all XML files below it, labelled or not.

    A file is `<corpus><document id><sentence id text><entity id charOffset type text/><pair id e1 e2 interaction/>`. One document per
    sentence, its id the sentence's, `metadata["document"]` that of the XML document, on whose sides folds must be cut. Positions are
    characters with **inclusive** ends; `a-b,c-d` is a discontinuous mention, and an entity must match its text. Every pair of the
    file becomes a relation from e1 to e2, `positive` or `negative`; without an `interaction` attribute its label is None. Interactions
    have no direction. The file lists the pairs that are asked about, so `relcon.AnnotatedPairs.v1` takes them.

    on_error: "raise" reports the first ten bad records and the count of all; "skip" leaves them out and logs them.
    types: corpus type -> entity type; types that are not named are kept.
    ends: "inclusive" as in the published files; "exclusive" for files that were converted by tools which count so.

    Source: Pyysalo et al., Comparative analysis of five protein-protein interaction corpora, BMC Bioinformatics 9, 2008.

    Config::

        [reader]
        @readers = "relcon.PPI.v1"
        ends = "inclusive"
    """

    expected = (
        "an XML file of the unified PPI corpora (<sentence text=...><entity charOffset=.../><pair interaction=.../>), or a folder of them"
    )
    between = ","

    def __init__(
        self,
        on_error: OnError = "raise",
        types: Dict[str, str] = TYPES,
        ends: Literal["inclusive", "exclusive"] = "inclusive",
    ):
        super().__init__(on_error, types)
        if ends not in ("inclusive", "exclusive"):
            raise RelconError(f"ends must be 'inclusive' or 'exclusive', not '{ends}'")
        self.ends = ends

    @classmethod
    def sniff(cls, glimpse: Glimpse) -> Optional[str]:
        """Sentences with entities and pairs that have an 'interaction'."""
        text = glimpse.first("**/*.xml").text
        found = "<sentence" in text and "charOffset=" in text and "interaction=" in text
        return "XML with <sentence>, <entity charOffset> and <pair interaction>, as in the unified PPI corpora" if found else None

    @property
    def inclusive(self) -> bool:
        """As `ends` says."""
        return self.ends == "inclusive"

    def label(self, pair: Element) -> Optional[str]:
        """`positive` or `negative`; None without an `interaction` attribute."""
        answer = pair.attributes.get("interaction")
        if answer not in LABELS:
            raise RecordError(f"'interaction' must be 'True' or 'False', here it is '{answer}'", pair.place)
        return LABELS[answer]
