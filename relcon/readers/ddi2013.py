"""The DDI corpus 2013: drug-drug interactions, one XML file per document."""

from pathlib import Path
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple, Union
from xml.sax import SAXException, SAXParseException
from xml.sax.handler import ContentHandler
from xml.sax.xmlreader import AttributesImpl, Locator

from defusedxml.common import DefusedXmlException
from defusedxml.sax import parse as parse_xml

from relcon.data.document import Document, Entity, Relation, Source
from relcon.data.tokens import CharSpan, annotate
from relcon.errors import Problem, RecordError, did_you_mean, place
from relcon.readers.records import OnError, Record, RecordReader

KINDS = ("advise", "effect", "int", "mechanism")

TYPES: Dict[str, str] = {"drug": "DRUG", "brand": "DRUG", "group": "DRUG", "drug_n": "DRUG"}

ERRATA: Dict[Tuple[str, str], str] = {("DDI-DrugBank.d216.s16.e2", "95-98;107-114"): "96-98;107-115"}
"""Positions that are wrong in the distributed corpus (entity, as written) -> right ones. This one is off by a character."""


class Element(NamedTuple):
    """An XML element's attributes and its place (`file:line`)."""

    attributes: Mapping[str, str]
    place: str

    def get(self, key: str) -> str:
        """An attribute that must be there."""
        if key not in self.attributes:
            raise RecordError(f"the attribute '{key}' is missing", self.place)
        return self.attributes[key]


class Sentence(NamedTuple):
    """A <sentence> with its <entity> and <pair> elements."""

    element: Element
    document: str
    entities: List[Element]
    pairs: List[Element]


class DDI2013(RecordReader):
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
    takes = "either"

    def __init__(self, on_error: OnError = "raise", types: Dict[str, str] = TYPES, untyped: str = "DDI-int"):
        super().__init__(on_error)
        self.types, self.untyped = types, untyped

    def records(self, path: Path) -> Iterator[Union[Record, Problem]]:
        """The sentences of all files, files in the order of their names."""
        for file in sorted(path.rglob("*.xml")) if path.is_dir() else [path]:
            handler = SentenceHandler(file)
            try:
                parse_xml(str(file), handler)
            except SAXParseException as error:
                yield Problem(place(file, error.getLineNumber()), f"not XML: {error.getMessage()}; the file was not read")
                continue
            except (SAXException, DefusedXmlException, UnicodeError) as error:
                yield Problem(str(file), f"not XML that can be read: {error}; the file was not read")
                continue
            yield from handler.records

    def document(self, record: Record) -> Document:
        """One sentence."""
        sentence: Sentence = record.value
        text = sentence.element.get("text")
        names = [entity.get("id") for entity in sentence.entities]
        parts = [_parts(entity, text) for entity in sentence.entities]
        words, offsets, mentions = annotate(text, [(f"entity '{name}'", spans) for name, spans in zip(names, parts, strict=True)])
        entities = tuple(
            Entity((mention,), self.types.get(element.get("type"), element.get("type")), name)
            for mention, element, name in zip(mentions, sentence.entities, names, strict=True)
        )
        return Document(
            id=sentence.element.get("id"),
            words=words,
            entities=entities,
            relations=tuple(self._relation(pair, names) for pair in sentence.pairs),
            text=text,
            offsets=offsets,
            source=record.source,
            metadata={"document": sentence.document},
        )

    def _relation(self, pair: Element, names: List[str]) -> Relation:
        for name in (pair.get("e1"), pair.get("e2")):
            if names.count(name) != 1:
                raise RecordError(f"the pair names '{name}', which is no entity of the sentence.{did_you_mean(name, names)}", pair.place)
        return Relation(names.index(pair.get("e1")), names.index(pair.get("e2")), self._label(pair), pair.get("id"))

    def _label(self, pair: Element) -> Optional[str]:
        answer, kind = pair.attributes.get("ddi"), pair.attributes.get("type")
        if answer not in (None, "true", "false"):
            raise RecordError(f"'ddi' must be 'true' or 'false', here it is '{answer}'", pair.place)
        if answer == "true" and kind is not None and kind not in KINDS:
            raise RecordError(f"'type' of a pair must be one of {', '.join(KINDS)}; here it is '{kind}'", pair.place)
        if answer == "true":
            return self.untyped if kind is None else f"DDI-{kind}"
        return None if answer is None else "DDI-false"


class SentenceHandler(ContentHandler):
    """Collects the sentences of one file with the lines of their elements."""

    def __init__(self, file: Path):
        super().__init__()
        self.file = file
        self.document = ""
        self.records: List[Record] = []
        self.locator: Optional[Locator] = None

    def setDocumentLocator(self, locator: Locator) -> None:
        """Called by the parser first: who knows the line."""
        self.locator = locator

    def startElement(self, name: str, attrs: AttributesImpl) -> None:
        """Called by the parser at every opening tag."""
        line = self.locator.getLineNumber() if self.locator else None
        element = Element(dict(attrs.items()), place(self.file, line))
        if name == "document":
            self.document = element.attributes.get("id", "")
        elif name == "sentence":
            self.records.append(Record(Sentence(element, self.document, [], []), Source(str(self.file), line)))
        elif name in ("entity", "pair") and self.records:
            getattr(self.records[-1].value, "entities" if name == "entity" else "pairs").append(element)


def _parts(entity: Element, text: str) -> List[CharSpan]:
    """`a-b;c-d` with inclusive ends -> [(a, b + 1), (c, d + 1)], compared with the entity's own text."""
    written = ERRATA.get((entity.get("id"), entity.get("charOffset")), entity.get("charOffset"))
    parts = []
    for part in written.split(";"):
        start, dash, last = part.partition("-")
        if not (dash and start.isdecimal() and last.isdecimal()):
            raise RecordError(f"'charOffset' must be 'a-b' or 'a-b;c-d' with character numbers, here it is '{written}'", entity.place)
        parts.append((int(start), int(last) + 1))
    there = "".join(text[start:end] for start, end in parts)
    if "".join(there.split()) != "".join(entity.get("text").split()):
        message = f"the entity is said to be {entity.get('text')!r}, but charOffset {written} (inclusive ends) covers {there!r}"
        raise RecordError(message, entity.place)
    return parts
