"""Elements of an XML file, one after the other, each with its line; nothing of the file but the current one is held in memory."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Union

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, XMLParser

from relcon.data.document import Source
from relcon.errors import Problem, RecordError, place

CHUNK = 1 << 16
"""So many bytes are parsed at once."""


@dataclass(eq=False)
class Element:
    """An XML element.

    source: where it begins. parent: what it stands in, of which only the attributes are known. pieces: its own text.
    """

    tag: str
    attributes: Dict[str, str]
    source: Source
    parent: Optional["Element"] = None
    children: List["Element"] = field(default_factory=list)
    pieces: List[str] = field(default_factory=list)

    @property
    def place(self) -> str:
        """`file:line` for messages."""
        return place(self.source.path, self.source.line)

    @property
    def text(self) -> str:
        """Its own text, without that of its children."""
        return "".join(self.pieces)

    def get(self, key: str) -> str:
        """An attribute that must be there."""
        if key not in self.attributes:
            raise RecordError(f"the attribute '{key}' is missing", self.place)
        return self.attributes[key]

    def all(self, tag: str) -> List["Element"]:
        """The children of this tag, in order."""
        return [child for child in self.children if child.tag == tag]

    def only(self, tag: str) -> Optional["Element"]:
        """The one child of this tag, None where there is none. RecordError where there are several."""
        found = self.all(tag)
        if len(found) > 1:
            raise RecordError(f"<{self.tag}> has {len(found)} elements <{tag}>; expected one", found[1].place)
        return found[0] if found else None


def elements(path: Path, tag: str) -> Iterator[Union[Element, Problem]]:
    """The elements of this tag with all that stands in them, as soon as they end.

    Where the XML is broken, or declares entities, which are refused, a Problem comes last.
    """
    found = Builder(path, tag)
    parser = XMLParser(target=found)
    found.parser = parser
    with path.open("rb") as file:
        try:
            while chunk := file.read(CHUNK):
                parser.feed(chunk)
                yield from found.take()
            parser.close()
        except ParseError as error:
            yield from found.take()
            yield Problem(place(path, error.position[0]), f"not XML: {error}; nothing after it was read")
            return
        except DefusedXmlException as error:
            yield Problem(str(path), f"it declares entities, which are refused, since they may grow without end or name files: {error}")
            return
        except (ValueError, LookupError) as error:  # encodings that Python does not know
            yield Problem(str(path), f"not XML that can be read: {error}; the file was not read to its end")
            return
    yield from found.take()


class Builder:
    """Builds elements of one tag; a target of a parser, which calls `start`, `data`, `end` and `close`."""

    def __init__(self, path: Path, tag: str):
        self.path, self.tag = str(path), tag
        self.parser: Any = None
        self.open: List[Element] = []
        self.depth = 0
        self.done: List[Element] = []

    def take(self) -> List[Element]:
        """The elements that ended since the last call."""
        done, self.done = self.done, []
        return done

    def start(self, tag: str, attributes: Dict[str, str]) -> None:
        """An opening tag."""
        source = Source(self.path, self.parser.parser.CurrentLineNumber)
        self.open.append(Element(tag, attributes, source, self.open[-1] if self.open else None))
        self.depth += tag == self.tag

    def data(self, text: str) -> None:
        """Text; that outside of the elements is not kept."""
        if self.depth:
            self.open[-1].pieces.append(text)

    def end(self, tag: str) -> None:
        """A closing tag."""
        element = self.open.pop()
        self.depth -= tag == self.tag
        if self.depth:
            self.open[-1].children.append(element)
        elif tag == self.tag:
            self.done.append(element)

    def close(self) -> None:
        """The end of the file."""
