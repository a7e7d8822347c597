"""The sampler of PSPE's pre-training: plain sentences in, all three tasks' values out."""

import logging
import zlib
from collections import Counter
from itertools import cycle, islice
from typing import Any, Dict, Iterable, Iterator, List, Literal, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

import torch
from torch import Tensor

from relcon.contrast import Batch, Contrast, Labelled, Pairing, Tags, View
from relcon.errors import RelconError
from relcon.interfaces import Contrasts, Draw, Sampler, Split, Vocabulary
from relcon.samplers.common import at_least, count_batches, cut, order, tags_of
from relcon_pspe.drawing import length_chances
from relcon_pspe.examples import Example, Question, Recipe, Unusable
from relcon_pspe.permuting import ORDERS, class_chances
from relcon_pspe.sentences import FittingSentences, Words, counted

logger = logging.getLogger(__name__)

KEPT = 3
"""Splits whose sentences are remembered beside the newest: training and validation take turns."""

CONTEXT, TARGET = 0, 1
"""Lanes of a queue: keys of context views, which target views are held against, and keys of target views."""


class Reading(NamedTuple):
    """What an epoch reads, and with what. mask: the id of the vocabulary's mask."""

    sentences: FittingSentences
    vocabulary: Vocabulary
    mask: int
    generator: torch.Generator


class SpanPairs(Sampler):
    """Sentences of plain text with two drawn spans each, seen twice: the target view shows the spans alone, the context view all but them
    (Wang et al. 2020; what the paper leaves open follows the released code). A batch has three values:

    * `contrast`: 2 B pairs, the target views and then the context views; each attracts the other view of its sentence among the candidates
      and repels nothing of the batch. Negatives come from a queue of two lanes (relcon.Queue.v1, `lanes = 2`): target views are held
      against keys of context views, context views against those of target views.
    * `permutation`, for pspe.SpanPermutation.v1: segments whose first word, middle and last word may have changed places.
    * `boundary`, for pspe.TokenBoundary.v1: the first piece of words whose further pieces are hidden.

    Every sentence of every document is a sentence here; entities and labels are not looked at. Words are moved first, then pieces hidden,
    and all three tasks see the result. The `weight` of `permutation` and `boundary` makes the mean over all views the mean of two means,
    over the target views and over the context views; a mean over none is 0.

    batch_size: B, sentences. min_words, max_words: shorter and longer sentences are left out. max_pieces: those of more pieces, [CLS] and
        [SEP] included, likewise, and those that the encoder's limit would crop.
    p, max_span: lengths of spans in words are geometric with `p`, at most `max_span`. tries: to draw the two spans.
    permuted: at most so many segments of a sentence (the two spans, and the three around them) are asked about, those of fewer than three
        words never; 0: none. permute: `all` five, or the `spans` alone (the paper).
    permutations: 1 shows each of these segments in one random order in all tasks. More show the sentence in its own order, which is then
        one of the classes, and add so many less one inputs with the segment in other orders, for `permutation` alone ("always including the
        correct one").
    identity_prob: how probable the segment's own order is where permutations is 1; null: 1/6, as any order.
    boundary: share of a sentence's pieces to hide, rounded up, as far as there are words of several pieces; 0: none. max_masked: at most so
        many, plus the rest of the last word.
    same_sentence: whether queued keys of an anchor's own sentence are left alone (`ignore`) or repel it (`repel`, the released code).
    resample: draw anew in each epoch; otherwise what is drawn depends on seed and sentence alone (the released code). seed: does not follow
        the config's.
    shuffle: in random order; otherwise in that of the data. drop_last: leave the last, incomplete batch out.

    A sentence that turns out to be unusable (too many pieces, no two spans found) is passed over and the next one takes its place, so that
    the number of batches depends on the word counts alone; after the last sentence comes the first again. How many were left out is logged
    once. RelconError where no sentence is usable, where they fill no batch, and where the encoder has no tokenizer with a mask;
    ValueError where a number is out of range.

    Config::

        [sampler]
        @samplers = "pspe.SpanPairs.v1"
        batch_size = 16
    """

    def __init__(
        self,
        batch_size: int = 16,
        min_words: int = 2,
        max_words: int = 128,
        max_pieces: int = 128,
        p: float = 0.2,
        max_span: int = 10,
        tries: int = 1000,
        permuted: int = 2,
        permute: Literal["all", "spans"] = "all",
        permutations: int = 1,
        identity_prob: Optional[float] = None,
        boundary: float = 0.15,
        max_masked: int = 20,
        same_sentence: Literal["ignore", "repel"] = "ignore",
        resample: bool = True,
        shuffle: bool = True,
        drop_last: bool = True,
        seed: int = 0,
    ):
        self.batch_size = at_least("batch_size", batch_size, 1)
        self.min_words = at_least("min_words", min_words, 2)
        self.max_words = at_least("max_words", max_words, min_words)
        if not 0 < p <= 1:
            raise ValueError(f"p must be above 0 and at most 1, not {p}")
        if not 0 <= boundary <= 1:
            raise ValueError(f"boundary must be a share of the pieces, from 0 to 1, not {boundary}")
        if permutations > len(ORDERS):
            raise ValueError(f"permutations must be at most {len(ORDERS)}, the number of orders, not {permutations}")
        if identity_prob is not None and permutations > 1:
            raise ValueError("identity_prob is for permutations = 1: with more, a segment's own order always comes")
        if identity_prob is not None and not 0 <= identity_prob <= 1:
            raise ValueError(f"identity_prob must lie in [0, 1], not {identity_prob}")
        self.recipe = Recipe(
            lengths=length_chances(p, at_least("max_span", max_span, 1)),
            classes=class_chances(1 / len(ORDERS) if identity_prob is None else identity_prob),
            max_pieces=at_least("max_pieces", max_pieces, 1),
            tries=at_least("tries", tries, 2),
            permuted=at_least("permuted", permuted, 0),
            spans_only=permute == "spans",
            permutations=at_least("permutations", permutations, 1),
            boundary=boundary,
            max_masked=at_least("max_masked", max_masked, 1),
        )
        self.same_sentence, self.resample, self.seed = same_sentence, resample, seed
        self.shuffle, self.drop_last = shuffle, drop_last
        self._known: List[Tuple[Split, FittingSentences]] = []
        self._told = False

    @classmethod
    def contrasts(cls, block: Mapping[str, Any]) -> Contrasts:
        """Two views of each sentence that attract each other; nothing of the batch repels."""
        return Contrasts(negatives=False, advice="Let a queue bring some (relcon.Queue.v1, lanes = 2).")

    # ---- which sentences ----

    def sentences(self, data: Split) -> FittingSentences:
        """Those with a fitting number of words; how many have not is logged once. RelconError where there is none."""
        known = next((found for split, found in self._known if split is data), None)
        if known is None:
            known = self._look(data)
            self._known = [*self._known[-KEPT:], (data, known)]
        return known

    def _look(self, data: Split) -> FittingSentences:
        found = FittingSentences(data.documents, self.min_words, self.max_words)
        left_out = counted(found.left_out)
        if not len(found):
            raise RelconError(
                f"The split '{data.name}' has no sentence of {self.min_words} to {self.max_words} words ({left_out or 'it is empty'}): "
                "there is nothing to train on. Give more text, or change min_words and max_words."
            )
        if left_out:
            logger.info("[%s] pspe.SpanPairs.v1 leaves out sentences: %s", data.name, left_out)
        return found

    def prepare(self, data: Split) -> None:
        """Count the words of all sentences."""
        self.sentences(data)

    def check(self, data: Split) -> None:
        """RelconError where no batch can be made."""
        self.length(data)

    def length(self, data: Split) -> int:
        """How many batches an epoch has. RelconError where it has none."""
        what = f"sentences of {self.min_words} to {self.max_words} words"
        return count_batches(data, len(self.sentences(data)), self.batch_size, self.drop_last, what)

    # ---- batches ----

    def batches(self, data: Split, draw: Draw) -> Iterable[Batch]:
        """Batches with the values `contrast`, `permutation` and `boundary`."""
        vocabulary = draw.vocabulary
        if vocabulary is None or vocabulary.mask is None:
            raise RelconError("pspe.SpanPairs.v1 needs an encoder with a tokenizer that has a mask token, such as relcon.Transformer.v1.")
        count, reading = self.length(data), Reading(self.sentences(data), vocabulary, vocabulary.mask, draw.generator)
        left_out: Dict[int, str] = {}
        flow = self._examples(data, reading, left_out)
        places = range(len(reading.sentences))
        for number, chosen in enumerate(cut(places, self.batch_size, self.drop_last), start=1):
            examples = list(islice(flow, len(chosen)))
            if number == count:
                self._tell(data, left_out)
            yield self._batch(examples)

    def _examples(self, data: Split, reading: Reading, left_out: Dict[int, str]) -> Iterator[Example]:
        """Examples without end, sentence after sentence. left_out: receives the numbers of sentences that are of no use, and why."""
        in_a_row = 0
        for number in cycle(order(len(reading.sentences), self.shuffle, reading.generator)):
            found = self._drawn(reading.sentences.words(number), reading)
            if isinstance(found, Example):
                in_a_row = 0
                yield found
                continue
            left_out[number] = found.cause
            in_a_row += 1
            if in_a_row == len(reading.sentences):
                raise RelconError(
                    f"None of the {in_a_row} sentences of the split '{data.name}' can be used: {counted(Counter(left_out.values()))}. "
                    "Where they are long raise max_pieces, as far as the encoder reads; where two spans do not fit in lower max_span."
                )

    def _drawn(self, words: Words, reading: Reading) -> Union[Example, Unusable]:
        generator = reading.generator if self.resample else generator_of(words, self.seed)
        return self.recipe.draw(words, reading.vocabulary, reading.mask, generator)

    def _tell(self, data: Split, left_out: Dict[int, str]) -> None:
        """Log how many sentences were left out, once."""
        if left_out and not self._told:
            logger.info("[%s] pspe.SpanPairs.v1 passes over sentences: %s", data.name, counted(Counter(left_out.values())))
        self._told = True

    def _batch(self, examples: Sequence[Example]) -> Batch:
        hidden = [question for example in examples for question in example.hidden]
        offsets = torch.tensor([offset for example in examples for offset in example.offsets], dtype=torch.long)
        return {
            "contrast": self._contrast(examples),
            "permutation": labelled([question for example in examples for question in example.permuted]),
            "boundary": labelled(hidden, offset=offsets),
        }

    def _contrast(self, examples: Sequence[Example]) -> Contrast:
        target = [View(example.shown.target, example.unit) for example in examples]
        context = [View(example.shown.context, example.unit) for example in examples]
        own, tags = torch.eye(2 * len(examples)), self._tags(examples)
        return Contrast(target + context, Pairing.of(own, torch.zeros_like(own)), context + target, tags, tags)

    def _tags(self, examples: Sequence[Example]) -> Tags:
        """Of anchors and candidates alike: a target view, and the context view that it attracts, have to do with keys of context views."""
        tags = tags_of([example.sentence for example in examples] * 2)
        lane = torch.tensor([CONTEXT] * len(examples) + [TARGET] * len(examples))
        return tags._replace(lane=lane, key=tags.key if self.same_sentence == "ignore" else torch.full_like(tags.key, -1))


def labelled(questions: Sequence[Question], **extra: Tensor) -> Labelled:
    """Questions as a value. extra: further columns."""
    answers = torch.tensor([question.answer for question in questions], dtype=torch.long)
    target = torch.tensor([question.target for question in questions], dtype=torch.bool)
    return Labelled([question.view for question in questions], answers, {"weight": halves(target), **extra})


def halves(target: Tensor) -> Tensor:
    """[U] weights with which the mean over all views is half the mean over those that are target [U] plus half that over the others."""
    side = target.long()
    return len(target) / (2 * torch.bincount(side, minlength=2)[side])


def generator_of(words: Words, seed: int) -> torch.Generator:
    """A random stream that depends on seed and sentence alone."""
    return torch.Generator().manual_seed(zlib.crc32(repr((seed, words)).encode("utf-8", "surrogatepass")))
