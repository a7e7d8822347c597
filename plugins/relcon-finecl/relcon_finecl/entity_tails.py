"""Entity discrimination: told a relation and its head, find the tail among the entities of the document."""

from typing import Iterable, List, Literal, NamedTuple, Optional, Tuple

import torch

from relcon.contrast import Batch, Contrast, Pairing, Span, Text, View
from relcon.data.document import Document, Entity
from relcon.data.relations import RelationInstance
from relcon.errors import RelconError
from relcon.interfaces import Draw, Split
from relcon_finecl.documents import DocumentSampler


class Question(NamedTuple):
    """A document with a relation instance of it that is asked about."""

    document: Document
    asked: RelationInstance


class EntityTails(DocumentSampler):
    """Of every document one relation instance is asked about: the name of the relation, the head and the separator stand before the text.
    The head's vector is the anchor, the tail's its positive, those of all other entities of the document its negatives.

    Gives the value `contrast`: one term per document, views of one slot with all mentions of an entity in the text, never the copy of the
    head in front of it. For relcon.InfoNCE.v1 with temperature 0.05 (entity discrimination of ERICA, Qin et al., ACL 2021, and of FineCL,
    Hogan, Li and Shang, EMNLP 2022); own_weight = 2 has the positive twice in the denominator, as the released codes have it. A document
    whose only candidate is the tail has a loss of 0.

    batch_size: documents. half, seed: two streams with one seed share out the documents of an epoch, `first` and `second`; the seed does
        not follow the config's. names: a JSON file of relation names, {"P17": "country"} or a list of {"id", "name"}; relations without
        a name are not asked about. null: the label itself is the name.
    candidates: of a batch at most; of more, the tails stay and the others are drawn.

    The head is written as its first mention is. The text is cropped at its end; a document that lost all mentions of head or tail drops out
    in the task. Documents without a relation and relations without a name are left out and counted in the log. RelconError where no
    document has a relation, or the encoder has no tokenizer with a separator; ValueError where there is no room for the tails of a batch.

    Config::

        [sampler]
        @samplers = "finecl.EntityTails.v1"
        batch_size = 16
    """

    def __init__(
        self,
        batch_size: int = 16,
        half: Literal["all", "first", "second"] = "all",
        seed: int = 0,
        names: Optional[str] = None,
        candidates: int = 1000,
    ):
        super().__init__(batch_size, half, seed, names)
        if candidates < batch_size:
            raise ValueError(f"candidates must be at least batch_size ({batch_size}), not {candidates}: every document has a tail")
        self.candidates = candidates

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """Batches with the value `contrast`."""
        separator = None if draw.vocabulary is None else draw.vocabulary.separator
        if separator is None:
            raise RelconError("finecl.EntityTails.v1 needs an encoder with a tokenizer that has a separator.")
        for documents in self.drawn(data, draw.epoch):
            questions = [Question(document, self._drawn(document, data, draw.generator)) for document in documents]
            yield {"contrast": self._contrast(questions, separator, draw.generator)}

    def _drawn(self, document: Document, data: Split, generator: torch.Generator) -> RelationInstance:
        """The instance that a document is asked about."""
        found = self.relations(document, data)
        return found[int(torch.randint(len(found), (), generator=generator))]

    def _contrast(self, questions: List[Question], separator: str, generator: torch.Generator) -> Contrast:
        anchors, tails, others = [], [], []
        for number, (document, asked) in enumerate(questions):
            prefix = self.prefix(document, asked, separator)
            text = Text(prefix + document.words)
            views = [View(text, (slot(entity, len(prefix)),)) for entity in document.entities]
            anchors.append(views[asked.head])
            tails.append(views[asked.tail])
            others += [(number, view) for place, view in enumerate(views) if place not in (asked.head, asked.tail)]
        kept = torch.randperm(len(others), generator=generator)[: self.candidates - len(tails)].sort().values.tolist()
        of_term = torch.tensor([others[place][0] for place in kept], dtype=torch.long)
        mine = (torch.arange(len(tails))[:, None] == of_term[None, :]).float()
        own = torch.eye(len(tails))
        pairing = Pairing.of(torch.cat([own, torch.zeros_like(mine)], 1), torch.cat([torch.zeros_like(own), mine], 1))
        return Contrast(anchors, pairing, tails + [others[place][1] for place in kept])

    def prefix(self, document: Document, asked: RelationInstance, separator: str) -> Tuple[str, ...]:
        """The words in front of the text: the relation's name, the head as it is first mentioned, the separator."""
        first = document.entities[asked.head].mentions[0]
        head = [word for start, end in first.spans for word in document.words[start:end]]
        return (*str(self.name_of(asked.label)).split(), *head, separator)


def slot(entity: Entity, shift: int) -> Tuple[Span, ...]:
    """All mentions of an entity in a text that has so many words in front."""
    return tuple(Span(shift + start, shift + end) for mention in entity.mentions for start, end in mention.spans)
