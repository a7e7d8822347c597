"""Tags of words, and the spans that tags stand for (Wang et al. 2020, in the released code's form)."""

from typing import Dict, Iterable, List, Literal, Sequence

from torch import Tensor, tensor

from relcon.data.document import WordSpan

Scheme = Literal["BIEOU", "BIO"]
"""The tags of a scheme, a letter each; its place in the word is a tag's number."""

FULL: Scheme = "BIEOU"
"""The scheme in which sentences are tagged; others follow from it."""

SCHEMES: Dict[Scheme, str] = {"BIEOU": "BIEOU", "BIO": "BIIOB"}
"""What becomes of each tag of the full scheme."""

OUTSIDE = "O"


def tags_of(spans: Iterable[WordSpan], size: int) -> List[int]:
    """[size] tags of words in the full scheme: U for a span of one word, B, I ..., E for a longer one, O outside.

    spans: of words [start, end). Of those that overlap the longest is tagged, of equally long ones the first in the text.
    """
    tags = [OUTSIDE] * size
    for start, end in sorted(spans, key=lambda span: (span[0] - span[1], span)):
        if all(tag == OUTSIDE for tag in tags[start:end]):
            tags[start:end] = ["U"] if end - start == 1 else ["B", *"I" * (end - start - 2), "E"]
    return [FULL.index(tag) for tag in tags]


def in_scheme(tags: Tensor, scheme: Scheme) -> Tensor:
    """Tags of the full scheme, any shape, as those of another one."""
    return tensor([scheme.index(tag) for tag in SCHEMES[scheme]], device=tags.device)[tags]


def spans_of(tags: Sequence[int], scheme: Scheme) -> List[WordSpan]:
    """The spans [start, end) that tags stand for, in the order of the text; any sequence of tags stands for some.

    A span begins at a word that is not outside where the word before is, or where that word ends a span (E, U), or where it begins one
    itself (B, U). It ends in front of the next beginning or the next word outside.
    """
    found: List[WordSpan] = []
    before = OUTSIDE
    for word, tag in enumerate(scheme[number] for number in tags):
        if tag != OUTSIDE and (before in "OEU" or tag in "BU"):
            found.append((word, word + 1))
        elif tag != OUTSIDE:
            found[-1] = (found[-1][0], word + 1)
        before = tag
    return found
