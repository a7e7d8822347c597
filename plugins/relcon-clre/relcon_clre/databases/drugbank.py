"""DrugBank's XML export, read as a stream."""

from pathlib import Path
from typing import Dict, Iterator, List, Union
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

from defusedxml.common import DefusedXmlException
from defusedxml.sax import make_parser

from relcon.errors import Problem, place
from relcon_clre.databases.listed import Listed, named

DRUG = ["drugbank", "drug"]
OWN = [*DRUG, "drugbank-id"]
PARTNER = [*DRUG, "drug-interactions", "drug-interaction", "drugbank-id"]
ARTICLE = [*DRUG, "general-references", "articles", "article", "pubmed-id"]
CHUNK = 1 << 16


def read_drugbank(path: Path) -> Iterator[Union[Listed, Problem]]:
    """The drug interactions of every drug; memory holds one drug at a time.

    Identifiers: `DB00001` and `drugbank:DB00001`, the older ones of a drug too. DrugBank names no text for an interaction: the
    PubMed ids are those of the drug's general references.
    """
    handler = DrugHandler(path)
    parser = make_parser()
    parser.setContentHandler(handler)
    handler.setDocumentLocator(parser)  # feed() does not, parse() would
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                parser.feed(chunk)
                yield from handler.take()
        parser.close()
    except SAXParseException as error:
        yield Problem(place(path, error.getLineNumber()), f"not XML: {error.getMessage()}; the file was not read further")
    except (SAXException, DefusedXmlException, UnicodeError) as error:
        yield Problem(str(path), f"not XML that can be read: {error}; the file was not read further")
    yield from handler.take()


class DrugHandler(ContentHandler):
    """Collects what is wanted of each drug as its elements come."""

    def __init__(self, path: Path):
        super().__init__()
        self.path, self.way, self.text = path, list[str](), ""
        self.found: List[Union[Listed, Problem]] = []
        self.drug: Dict[str, List[str]] = {}
        self.place = str(path)
        self.locator: Locator

    def setDocumentLocator(self, locator: Locator) -> None:
        """The parser's position, for messages."""
        self.locator = locator

    def take(self) -> List[Union[Listed, Problem]]:
        """What was found since the last call."""
        found, self.found = self.found, []
        return found

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        """One step down."""
        self.way.append(name)
        self.text = ""
        if len(self.way) == 1 and name != DRUG[0]:
            self.found.append(Problem(self._place(), f"the root is <{name}>; expected DrugBank's <drugbank>"))
        if self.way == DRUG:
            self.drug = {"own": [], "partner": [], "pubmed": []}
            self.place = self._place()

    def characters(self, content: str) -> None:
        """Text of the element that was opened last."""
        self.text += content

    def endElement(self, name: str) -> None:
        """One step up: keep an identifier, or finish a drug."""
        for way, key in ((OWN, "own"), (PARTNER, "partner"), (ARTICLE, "pubmed")):
            if self.way == way and self.text.strip():
                self.drug[key].append(self.text.strip())
            elif self.way == way and key != "pubmed":
                self.found.append(Problem(self._place(), "an empty <drugbank-id>"))
        if self.way == DRUG:
            self._finish()
        self.way.pop()
        self.text = ""

    def _finish(self) -> None:
        own = self.drug["own"]
        if not own:
            self.found.append(Problem(self.place, "a <drug> without <drugbank-id>"))
        for partner in self.drug["partner"] if own else []:
            other = frozenset([partner, *named("drugbank", [partner])])
            self.found.append(Listed(frozenset(own + named("drugbank", own)), other, tuple(self.drug["pubmed"])))

    def _place(self) -> str:
        return place(self.path, self.locator.getLineNumber())
