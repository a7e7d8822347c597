"""A small corpus of invented sentences with entities, relations and parses, made in memory."""

from typing import Dict, List, NamedTuple, Sequence, Tuple

from relcon.data.document import Document, Entity, Instance, Mention, Parse, Relation, instance_uid
from relcon.data.labels import LabelSet
from relcon.interfaces import Split

CHEMICALS = ("abirol", "cenofan acid", "duvate", "elprin", "fenolate salt")
PROTEINS = ("KAP2", "beta kinase", "TORN1", "lysin receptor", "MELB")

# word, place of its syntactic head, dependency label, tag; {C} and {P} stand for a chemical and a protein
TEMPLATES: Tuple[Tuple[str, str], ...] = (
    ("inhibits", "{C}:2:nsubj:NOUN strongly:2:advmod:ADV blocks:2:root:VERB {P}:2:obj:NOUN in:5:case:ADP cells:2:obl:NOUN .:2:punct:PUNCT"),
    (
        "activates",
        "Low:1:amod:ADJ doses:4:nsubj:NOUN of:3:case:ADP {C}:1:nmod:NOUN raise:4:root:VERB {P}:6:compound:NOUN activity:4:obj:NOUN",
    ),
    ("none", "{P}:1:nsubj:NOUN rose:1:root:VERB while:4:mark:SCONJ {C}:4:nsubj:NOUN fell:1:advcl:VERB slowly:4:advmod:ADV .:1:punct:PUNCT"),
    (
        "inhibits",
        "The:1:det:DET loss:4:nsubj:NOUN of:3:case:ADP {P}:1:nmod:NOUN follows:4:root:VERB {C}:6:compound:NOUN treatment:4:obj:NOUN",
    ),
)
CLOSING = "The:1:det:DET samples:3:nsubj:NOUN were:3:aux:AUX frozen:3:root:VERB .:3:punct:PUNCT"
LABELS = LabelSet(("none", "activates", "inhibits"), frozenset({"none"}))


class _Word(NamedTuple):
    form: str
    head: int
    label: str
    tag: str


def tiny_corpus(count: int = 12) -> List[Document]:
    """Documents `tiny-0`, `tiny-1`, ...: one chemical, one protein, a directed relation or `none`, and a dependency parse.

    Names of one and of two words, either argument first; every third document has a second sentence that repeats the
    protein's name, as another mention of it.
    """
    return [_document(number) for number in range(count)]


def tiny_instances(count: int = 12) -> List[Instance]:
    """The pair of each document of the tiny corpus, chemical first, with its label."""
    return [
        Instance(document, relation.head, relation.tail, relation.label, instance_uid(document, relation.head, relation.tail))
        for document in tiny_corpus(count)
        for relation in document.relations
    ]


def tiny_split(count: int = 12, name: str = "train") -> Split:
    """The tiny corpus as samplers and evaluators get it."""
    instances = tiny_instances(count)
    return Split(name, [instance.document for instance in instances], instances, LABELS)


def _document(number: int) -> Document:
    label, template = TEMPLATES[number % len(TEMPLATES)]
    names = {"{C}": CHEMICALS[number % len(CHEMICALS)], "{P}": PROTEINS[number * 2 % len(PROTEINS)]}
    sentences = [template] if number % 3 else [template, CLOSING.replace("The:1:det:DET samples", "{P}:1:compound:NOUN samples")]
    words: List[_Word] = []
    bounds: List[Tuple[int, int]] = []
    mentions: Dict[str, List[Mention]] = {"{C}": [], "{P}": []}
    for sentence in sentences:
        start = len(words)
        words += _sentence(sentence, names, start, mentions)
        bounds.append((start, len(words)))
    return Document(
        id=f"tiny-{number}",
        words=tuple(word.form for word in words),
        entities=(Entity(tuple(mentions["{C}"]), "CHEMICAL"), Entity(tuple(mentions["{P}"]), "PROTEIN")),
        relations=(Relation(0, 1, label),),
        sentences=tuple(bounds),
        parse=Parse(*(tuple(column) for column in list(zip(*words, strict=True))[1:])),
    )


def _sentence(template: str, names: Dict[str, str], start: int, mentions: Dict[str, List[Mention]]) -> List[_Word]:
    """A template's words from document word `start` on; `mentions` receives where the names stand."""
    cells = [_Word(*_typed(cell.rsplit(":", 3))) for cell in template.split()]
    sizes = [len(names.get(cell.form, cell.form).split()) for cell in cells]
    last = [start + sum(sizes[: place + 1]) - 1 for place in range(len(cells))]  # a name's last word is its syntactic head
    words: List[_Word] = []
    for cell, end, size in zip(cells, last, sizes, strict=True):
        *modifiers, form = names.get(cell.form, cell.form).split()
        words += [_Word(modifier, end, "compound", cell.tag) for modifier in modifiers]
        words.append(_Word(form, last[cell.head], cell.label, cell.tag))
        if cell.form in mentions:
            mentions[cell.form].append(Mention(end - size + 1, end + 1))
    return words


def _typed(cell: Sequence[str]) -> Tuple[str, int, str, str]:
    form, head, label, tag = cell
    return form, int(head), label, tag
