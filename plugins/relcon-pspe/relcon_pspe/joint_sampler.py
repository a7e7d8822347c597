"""Sentences of a corpus with all that is annotated in them: the sampler of joint extraction."""

import logging
from collections import Counter
from dataclasses import dataclass
from itertools import accumulate
from typing import Iterable, Iterator, List, Literal, Optional, Sequence, Tuple

import torch

from relcon.contrast import Batch, Labelled, Span, Text, View
from relcon.data.document import Document, WordSpan
from relcon.data.sentences import cut_sentences
from relcon.errors import RelconError
from relcon.interfaces import Draw, Sampler, Split, Vocabulary
from relcon.samplers.common import at_least, count_batches, cut, order
from relcon_pspe.candidates import gold_share, overlapping
from relcon_pspe.tagging import tags_of

logger = logging.getLogger(__name__)

KEPT = 3
"""Splits whose usable sentences are remembered beside the newest: training and validation take turns."""

SPECIAL = 2
"""Tokens that an encoder puts around a sentence."""

Place = Tuple[int, int]
"""The number of a document in its split, and of a sentence in it."""


@dataclass(frozen=True, eq=False)
class Sentences(Labelled):
    """Sentences to tag and to read, word by word.

    views: the first piece of every word, sentence after sentence; labels: [U] their tags in the full scheme. documents: the sentences.
    gold_tags, gold_entities: of each whether its annotation stands in for predicted spans, and for predicted entities.
    complete: whether pairs of entities that the annotation says nothing of are unrelated.
    """

    documents: Sequence[Document] = ()
    gold_tags: Sequence[bool] = ()
    gold_entities: Sequence[bool] = ()
    complete: bool = True


def word_views(text: Text) -> List[View]:
    """The first piece of each word of a text."""
    return [View(text, ((Span(word, word + 1, 0),),)) for word in range(len(text.words))]


def starts_of(sizes: Iterable[int]) -> List[int]:
    """The number of the first view of each sentence. sizes: how many words each has."""
    return list(accumulate(sizes, initial=0))[:-1]


def hulls_of(sentence: Document) -> List[WordSpan]:
    """The words of each entity of a sentence, from its first to its last."""
    return [(entity.mentions[0].start, entity.mentions[0].end) for entity in sentence.entities]


class JointSentences(Sampler):
    """Every sentence of the documents, once per epoch, with its entities and relations, for pspe.JointExtraction.v1.

    Gives the value `sentences` (Wang et al. 2020, and the released code). Documents of several sentences are cut, an entity
    with several mentions is one of each; relations between sentences are not learnt. How many those are, and how many sentences are left
    out and why, is logged. Relations are those of the documents, whatever pairs the candidate rule asks about; where it declares that the
    data lack relations (`complete_annotation = false`), pairs of entities without any label are no candidates.

    Scheduled sampling (Bengio et al. 2015, arXiv 1506.03099) decides of each sentence of a batch, in two independent draws, whether the
    annotated spans stand in for those that the model tags, and the annotated entities for those that it types, with the probability
    p(e) = k / (k + exp((e - warm_epochs) / k)) in epoch e, counted from 0, and 1 up to and with epoch `warm_epochs`.

    batch_size: sentences of a batch. warm_epochs, k: of p, k above 0.
    sampling: `scheduled`: as above; `gold`: p is always 1; `predicted`: always 0.
    overlapping: what becomes of a sentence two of whose entities share a word, which one tag per word cannot tell: `drop` leaves it out, as
        the released code does; `keep` tags the longest ones, and all of them are candidates.
    max_words: a longer sentence is left out, and so is, from its batch, one of more word pieces than the encoder takes.
    shuffle: shuffle anew in each epoch. drop_last: leave out the last batch where it is not full.

    RelconError where no sentence is left.

    Config::

        [sampler]
        @samplers = "pspe.JointSentences.v1"
        batch_size = 32
        warm_epochs = 5
        k = 3.0
    """

    def __init__(
        self,
        batch_size: int = 32,
        warm_epochs: int = 5,
        k: float = 3.0,
        sampling: Literal["scheduled", "gold", "predicted"] = "scheduled",
        overlapping: Literal["drop", "keep"] = "drop",
        max_words: int = 400,
        shuffle: bool = True,
        drop_last: bool = False,
    ):
        if k <= 0:
            raise ValueError(f"k must be above 0, not {k}")
        for name, value, known in (
            ("sampling", sampling, ("scheduled", "gold", "predicted")),
            ("overlapping", overlapping, ("drop", "keep")),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(known)}, not '{value}'")
        self.batch_size, self.max_words = at_least("batch_size", batch_size, 1), at_least("max_words", max_words, 1)
        self.warm_epochs, self.k, self.sampling = at_least("warm_epochs", warm_epochs, 0), k, sampling
        self.overlapping, self.shuffle, self.drop_last = overlapping, shuffle, drop_last
        self._usable: List[Tuple[Split, List[Place]]] = []

    # ---- which sentences -----------------------------------------------------------------------------------------------------

    def prepare(self, data: Split) -> None:
        """Find the sentences that can be used, and log what cannot."""
        self.usable(data)

    def check(self, data: Split) -> None:
        """There must be a sentence to learn from."""
        self.length(data)

    def length(self, data: Split) -> int:
        """How many batches an epoch has. RelconError where it has none."""
        return count_batches(data, len(self.usable(data)), self.batch_size, self.drop_last)

    def usable(self, data: Split) -> List[Place]:
        """The sentences that can be used, as far as no encoder is asked. RelconError where there is none."""
        known = next((places for split, places in self._usable if split is data), None)
        if known is None:
            known = self._look(data)
            self._usable = [*self._usable[-KEPT:], (data, known)]
        return known

    def _look(self, data: Split) -> List[Place]:
        found, lost = [], Counter[str]()
        for number, document in enumerate(data.documents):
            for place, sentence in enumerate(cut_sentences(document)):
                reason = self._reason(sentence.document)
                if reason is None:
                    found.append((number, place))
                else:
                    lost[f"sentences left out: {reason}"] += 1
                lost["relations between sentences"] += sentence.lost
        told = "; ".join(f"{what}: {count}" for what, count in lost.items() if count)
        if not found:
            raise RelconError(f"No sentence of the split '{data.name}' can be learnt from ({told or 'it is empty'}).")
        if told:
            logger.warning("[%s] %d sentences to learn from (%s)", data.name, len(found), told)
        return found

    def _reason(self, sentence: Document) -> Optional[str]:
        """Why a sentence is left out; None where it is not."""
        if len(sentence.words) > self.max_words:
            return f"more than {self.max_words} words"
        if self.overlapping == "drop" and overlapping(hulls_of(sentence)):
            return "entities overlap"
        return None

    # ---- batches -------------------------------------------------------------------------------------------------------------

    def batches(self, data: Split, draw: Draw) -> Iterator[Batch]:
        """Batches with the value `sentences`."""
        places, left_out = self.usable(data), 0
        parts = list(cut(order(len(places), self.shuffle, draw.generator), self.batch_size, self.drop_last))
        for turn, numbers in enumerate(parts, 1):
            drawn = [self._sentence(data, places[number]) for number in numbers]
            kept = [sentence for sentence in drawn if fits(sentence, draw.vocabulary)]
            left_out += len(drawn) - len(kept)
            if left_out and turn == len(parts) and draw.epoch == 0:
                logger.warning("[%s] %d sentences have more word pieces than the encoder takes and are left out", data.name, left_out)
            yield {"sentences": self._value(kept, data.complete_annotation, draw)}

    @staticmethod
    def _sentence(data: Split, place: Place) -> Document:
        return cut_sentences(data.documents[place[0]])[place[1]].document

    def _value(self, sentences: Sequence[Document], complete: bool, draw: Draw) -> Sentences:
        """The value of a batch."""
        gold = torch.rand(len(sentences), 2, generator=draw.generator) < self.gold_share(draw.epoch)
        tags = [tag for sentence in sentences for tag in tags_of(hulls_of(sentence), len(sentence.words))]
        return Sentences(
            [view for sentence in sentences for view in word_views(Text(sentence.words))],
            torch.tensor(tags, dtype=torch.long),
            uids=[f"{sentence.id}#{word}" for sentence in sentences for word in range(len(sentence.words))],
            documents=sentences,
            gold_tags=gold[:, 0].tolist(),
            gold_entities=gold[:, 1].tolist(),
            complete=complete,
        )

    def gold_share(self, epoch: int) -> float:
        """The probability that annotation stands in for what the model says. epoch: counted from 0."""
        return gold_share(epoch, self.warm_epochs, self.k) if self.sampling == "scheduled" else float(self.sampling == "gold")


def fits(sentence: Document, vocabulary: Optional[Vocabulary]) -> bool:
    """Whether an encoder takes all word pieces of a sentence; where there are none to count, it is assumed to."""
    return vocabulary is None or sum(len(vocabulary.pieces(word)) for word in sentence.words) + SPECIAL <= vocabulary.limit
