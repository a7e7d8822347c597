"""What the protocol of a config makes of the corpus of its run."""

from typing import Dict, List, NamedTuple, Optional

from relcon.audit.finding import Finding
from relcon.audit.lines import DATA, ConfigLines
from relcon.config import resolve
from relcon.data.corpus import PartCorpus
from relcon.errors import RelconError
from relcon.interfaces import Protocol, Split
from relcon.protocols import Run, Single
from relcon.settings import Training


class Runs(NamedTuple):
    """The runs over a corpus. protocol: it makes them; None where it cannot. refused: why it cannot, nothing where it can."""

    protocol: Optional[Protocol]
    runs: List[Run]
    refused: List[Finding]


def runs_of(lines: ConfigLines, splits: Dict[str, Split]) -> Runs:
    """The runs over these splits; a corpus of a stage's own is taken as it is, whatever the protocol."""
    tree = lines.loaded.tree
    block = tree.get("protocol") if lines.way == DATA else None
    corpus, seed = PartCorpus(splits), Training.of(tree["training"]).seed
    try:
        protocol: Protocol = resolve(dict(block), "[protocol]") if block else Single()
        return Runs(protocol, list(protocol.runs(corpus, seed)), [])
    except RelconError as error:
        return Runs(None, [], [Finding("protocol", "error", "[protocol]", str(error), 1, (), f"Change {lines.protocol()}")])
