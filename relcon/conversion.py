"""`relcon convert`: documents of one format -> a file or folder of another, and what that cannot hold."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Sequence, Type

from tqdm import tqdm

from relcon.checking import Walk, count
from relcon.config import LoadedConfig, resolve
from relcon.config.overriding import apply_overrides, parse_overrides
from relcon.config.source import Source
from relcon.data.document import Document
from relcon.data.reading import where
from relcon.data.relations import LEFT_OUT
from relcon.errors import ConfigError, RelconError, did_you_mean
from relcon.files import refuse_replacing, refuse_replacing_folder
from relcon.interfaces import DatasetReader, Writer
from relcon.registry import Registrable
from relcon.sniffing import Likeness, sniff


@dataclass
class Causes:
    """How much was left out for each cause, and where for the first time."""

    numbers: Dict[str, int] = field(default_factory=Counter)
    first: Dict[str, str] = field(default_factory=dict)

    def add(self, numbers: Mapping[str, int], document: Document) -> None:
        """What was left out of a document."""
        for cause, number in numbers.items():
            self.numbers[cause] += number
            self.first.setdefault(cause, where(document))

    def lines(self) -> List[str]:
        """For people, what happened most often first."""
        ordered = sorted(self.numbers.items(), key=lambda each: (-each[1], each[0]))
        return [f"{number} x {cause} (first: {self.first[cause]})" for cause, number in ordered]


@dataclass
class Conversion:
    """What a conversion did.

    documents: so many were read. written: so many were written, others the format cannot hold at all. left_out: what the reader met and a
    document cannot hold. lost: what of documents the format cannot hold.
    """

    documents: int = 0
    written: int = 0
    left_out: Causes = field(default_factory=Causes)
    lost: Causes = field(default_factory=Causes)

    @property
    def whole(self) -> bool:
        """Whether nothing is missing."""
        return not self.left_out.numbers and not self.lost.numbers

    def lines(self) -> List[str]:
        """What is missing, for people."""
        return [
            *(f"left out by the reader: {line}" for line in self.left_out.lines()),
            *(f"lost: {line}" for line in self.lost.lines()),
        ]


def convert(documents: Iterable[Document], writer: Writer, output: Path, strict: bool = False, some: bool = False) -> Conversion:
    """Write documents as they come, and count what is not written.

    strict: RelconError that says what, and the output stays as it was, where anything would be missing. some: likewise where there are
    documents and the format can hold none of them.
    """
    found = Conversion()
    found.written = writer.write(_watched(documents, writer, found, strict, some), output)
    return found


def _watched(documents: Iterable[Document], writer: Writer, found: Conversion, strict: bool, some: bool) -> Iterator[Document]:
    """The documents, counted. What is wrong with them as a whole is raised behind the last one, while the writer has not put anything in
    the place of what was there."""
    fit = 0
    for document in tqdm(documents, desc="documents", unit="", disable=None):
        found.documents += 1
        found.left_out.add(_left_out(document), document)
        found.lost.add(writer.losses(document), document)
        fit += not writer.unfit(document)
        yield document
    if some and found.documents and not fit:
        why = f"Nothing was written: what {writer.reader} reads can hold none of the {count(found.documents, 'document')} that were read."
        raise RelconError("\n".join([why, *found.lines()]))
    if strict and not found.whole:
        raise RelconError("\n".join(["Nothing was written, since --strict was given and this would be missing:", *found.lines()]))


def _left_out(document: Document) -> Dict[str, int]:
    """What its reader left out."""
    noted = document.metadata.get(LEFT_OUT)
    return {cause: number for cause, number in noted.items() if isinstance(number, int)} if isinstance(noted, dict) else {}


def refuse_output(writer: Writer, output: Path, read: Path, overwrite: bool) -> None:
    """RelconError where a writer's file or folder is what is read, or is there and is not to be replaced."""
    refuse = refuse_replacing_folder if writer.folder else refuse_replacing
    refuse(output, read, overwrite)


def components(words: Sequence[str], sections: Mapping[str, Type[Registrable]]) -> Dict[str, Any]:
    """The components that overrides alone describe (`--reader.@readers relcon.SpERT.v1 --reader.on_error skip`), by their sections.

    ConfigError with every mistake. sections: those that there may be, each with its interface; one that is not described is absent.
    """
    source = Source(Path("the command line"))
    apply_overrides(source, parse_overrides(words))
    source.check_notation()
    walk = Walk(LoadedConfig(source, words))
    tree = {name: block for name, block in walk.loaded.tree.items() if name != "training"}
    for name, block in tree.items():
        if name in sections:
            walk.value((name,), block, sections[name])
        else:
            walk.unknown((name,), (name,), "is nothing that can be set here", did_you_mean(name, sections))
    walk.settle_overrides()
    problems = walk.loaded.problems + walk.problems
    if problems:
        raise ConfigError(problems, f"{count(len(problems), 'mistake')} on the command line:", most=len(problems))
    return {name: resolve(block, f"[{name}]") for name, block in tree.items()}


def likely_reader(path: Path) -> Likeness:
    """The only reader for which a path may be. RelconError where none knows it, several do, or one that takes whatever is text."""
    found = sniff(path)
    sound = [each for each in found if not each.failure]
    if len(sound) == 1 and not DatasetReader.registry.get(sound[0].reader).last_resort:
        return sound[0]
    if len(sound) == 1:
        said = [f"No reader knows {path} but as {sound[0].reason}", f"Say --reader {sound[0].reader} if it is that."]
    elif sound:
        said = [f"{path} may be for several readers; say which with --reader NAME.", *(f"{each.reader}: {each.reason}" for each in sound)]
    elif found:
        said = [f"No reader reads {path}; these know it, but stumble.", *(f"{each.reader}: {each.failure}" for each in found)]
    else:
        said = [f"No reader knows {path}. Name one with --reader; relcon components --kind readers lists them."]
    raise RelconError("\n".join(said))
