"""Writes the sample corpus that ships with relcon: the same seed and parser give the same bytes.

    python benchmarks/make_sample.py PARSER_FOLDER [--output relcon/sample]

PARSER_FOLDER: a spaCy pipeline with Universal Dependencies labels. How the sentences are built: `relcon/sample/README.md`.
"""

import argparse
import json
import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from sample_templates import CLAUSES, FIRST_NAMES, FRAMES, LAST_NAMES, PLACES, SLOTS, TRADES

from relcon.data.document import Document, Entity, Mention, Parse, Relation
from relcon.data.json import document_to_json
from relcon.files import atomic

SEED = 20
SIZES = {"train": 480, "dev": 120, "test": 240, "unlabelled": 500}
SHAPES = {"one": 0.76, "shared": 0.16, "two": 0.08}
UNSEEN = 0.5  # share of dev and test names drawn from those that training does not use


class Name(NamedTuple):
    """An entity's words, its type, and the place name inside, if any, as words [start, end) of the name."""

    words: Tuple[str, ...]
    type: str
    place: Optional[Tuple[int, int]] = None


class Clause(NamedTuple):
    """A filled template that still has {P} and {F} in it: its label, kind, number and words."""

    label: str
    kind: str
    template: str
    words: List[str]


Sentence = Tuple[List[object], List[Tuple[Name, Name, str]], str]
"""Words and Names mixed; (person, firm, label) of the clauses; the templates used."""


# ---- words and names -----------------------------------------------------------------------------------------------------


def expand(pattern: str, rng: random.Random) -> List[str]:
    """The words of a pattern with its choices made and its slots filled; braces stay."""
    while found := re.search(r"\[([^][]*)\]|<(\w+)>", pattern):
        choice = rng.choice(found[1].split("|") if found[1] is not None else SLOTS[found[2]])
        pattern = pattern[: found.start()] + choice + pattern[found.end():]
    return pattern.split()


def pool(names: Sequence[str], split: str, rng: random.Random) -> Sequence[str]:
    """Training names are the first two thirds; the other splits also use the last third."""
    cut = len(names) * 2 // 3
    return names[cut:] if split in ("dev", "test") and rng.random() < UNSEEN else names[:cut]


def person(split: str, rng: random.Random) -> Name:
    """A person's name: first and last name, or title and last name."""
    last = rng.choice(pool(LAST_NAMES, split, rng))
    first = rng.choice(pool(FIRST_NAMES, split, rng)) if rng.random() < 0.75 else rng.choice(["Mr", "Mrs", "Captain", "Doctor"])
    return Name((first, last), "PERSON")


def firm(split: str, rng: random.Random) -> Name:
    """A firm's name, with a place or a family name in it."""
    place, last, trade = rng.choice(pool(PLACES, split, rng)), rng.choice(pool(LAST_NAMES, split, rng)), rng.choice(TRADES).split()
    return rng.choice(
        [
            Name((place, *trade), "FIRM", (0, 1)),
            Name(("Bank", "of", place), "FIRM", (2, 3)),
            Name((last, "Brothers"), "FIRM"),
            Name((last, "&", "Sons"), "FIRM"),
            Name((last, *trade), "FIRM"),
        ]
    )


# ---- clauses and sentences -----------------------------------------------------------------------------------------------


def clause(split: str, rng: random.Random, kind: Optional[str] = None) -> Clause:
    """A clause of the split: a label first, each as often as the others, then one of its templates."""
    sources = ["train", "unlabelled"] if split == "unlabelled" else [split]
    offered = [(f"{source}{number}", *each) for source in sources for number, each in enumerate(CLAUSES[source])]
    offered = [each for each in offered if kind is None or each[2] == kind]
    label = rng.choice(sorted({each[1] for each in offered}))
    template, _, kind, pattern = rng.choice([each for each in offered if each[1] == label])
    return Clause(label, kind, template, expand(pattern, rng))


def filled(words: Sequence[str], names: Dict[str, object]) -> List[object]:
    """Words with `{key}` replaced by what `names` has for it (a Name, a word or a list of them)."""
    done: List[object] = []
    for word in words:
        value = names.get(word.strip("{}"), word) if word.startswith("{") else word
        done += value if isinstance(value, list) else [value]
    return done


def whole(said: Clause, names: Dict[str, object]) -> List[object]:
    """A clause with its subject and its names."""
    subject = {"person": [names["P"]], "firm": [names["F"]], "whole": []}[said.kind]
    return subject + filled(said.words, names)


def sentence(split: str, rng: random.Random) -> Sentence:
    """One sentence of a random shape."""
    shape = rng.choices(list(SHAPES), list(SHAPES.values()))[0]
    frames = FRAMES["train" if split == "unlabelled" else split][shape]
    number = rng.randrange(len(frames))
    frame = expand(frames[number], rng)
    words, pairs, templates = {"one": one, "two": two, "shared": shared}[shape](split, frame, rng)
    return words, pairs, " ".join([f"{shape}{number}", *templates])


def one(split: str, frame: List[str], rng: random.Random) -> Tuple[List[object], List[Tuple[Name, Name, str]], List[str]]:
    """A frame around one clause."""
    names: Dict[str, object] = {"P": person(split, rng), "F": firm(split, rng)}
    said = clause(split, rng)
    body = whole(said, names)
    inside = [word for word in body if isinstance(word, Name)]
    words = filled(frame, {"0": body, "other": person(split, rng), "first": inside[0], "last": inside[-1]})
    return words, [(names["P"], names["F"], said.label)], [said.template]


def two(split: str, frame: List[str], rng: random.Random) -> Tuple[List[object], List[Tuple[Name, Name, str]], List[str]]:
    """A frame around two clauses about different people and firms."""
    said = [clause(split, rng), clause(split, rng)]
    names = [{"P": person(split, rng), "F": firm(split, rng)} for _ in said]
    words = filled(frame, {str(number): whole(said[number], names[number]) for number in range(2)})
    return words, [(names[n]["P"], names[n]["F"], said[n].label) for n in range(2)], [each.template for each in said]


def shared(split: str, frame: List[str], rng: random.Random) -> Tuple[List[object], List[Tuple[Name, Name, str]], List[str]]:
    """A frame around two verb phrases with one subject, a person or a firm."""
    kind = rng.choice(["person", "firm"])
    said = [clause(split, rng, kind), clause(split, rng, kind)]
    names = [{"P": person(split, rng), "F": firm(split, rng)} for _ in said]
    key = "P" if kind == "person" else "F"
    names[1][key] = names[0][key]
    parts = {"that": filled(said[0].words, names[0]), "too": filled(said[1].words, names[1])}
    words = filled(frame, {"who": names[0][key], "which": "who" if kind == "person" else "which", **parts})
    return words, [(names[n]["P"], names[n]["F"], said[n].label) for n in range(2)], [each.template for each in said]


def document(uid: str, made: Sentence, labelled: bool) -> Document:
    """The sentence as a document: every person and every firm in it is a pair that is asked about."""
    items, pairs, template = made
    words: List[str] = []
    mentions: Dict[Name, List[Mention]] = {}
    places: List[Mention] = []
    for item in items:
        start = len(words)
        words += item.words if isinstance(item, Name) else [str(item)]
        if isinstance(item, Name):
            mentions.setdefault(item, []).append(Mention(start, len(words)))
            if item.place:
                places.append(Mention(start + item.place[0], start + item.place[1]))
    words[0] = words[0][0].upper() + words[0][1:]
    names = list(mentions)
    entities = [Entity(tuple(mentions[name]), name.type) for name in names] + [Entity((place,), "PLACE") for place in places]
    known = {(head, tail): label for head, tail, label in pairs}
    asked = [(h, t) for h in names for t in names if h.type == "PERSON" and t.type == "FIRM"]
    relations = [Relation(names.index(h), names.index(t), known.get((h, t), "none") if labelled else None) for h, t in asked]
    return Document(uid, tuple(words), tuple(entities), tuple(relations), metadata={"template": template})


def sound(made: Sentence) -> bool:
    """No name stands for two entities (the two persons or firms of a sentence must differ in every word)."""
    names = list(dict.fromkeys(item for item in made[0] if isinstance(item, Name)))
    words = [word for name in names for word in name.words if word not in ("of", "Bank", "&", "Sons", "Brothers")]
    return len(set(words)) == len(words)


# ---- the corpus ----------------------------------------------------------------------------------------------------------


def regex(pattern: str) -> "re.Pattern[str]":
    """What a template can say, as a regular expression over clauses with {P} and {F}."""
    parts = re.split(r"(\[[^][]*\]|<\w+>)", pattern)
    choices = [part[1:-1].split("|") if part.startswith("[") else SLOTS[part[1:-1]] if part.startswith("<") else None for part in parts]
    return re.compile("".join(
        re.escape(part) if choice is None else "(?:" + "|".join(regex(each).pattern for each in choice) + ")"
        for part, choice in zip(parts, choices, strict=True)
    ))


def check_templates() -> None:
    """No split's template, of a clause or of a sentence, says what one of another split can say."""
    for mine, clauses in CLAUSES.items():
        for other in set(CLAUSES) - {mine}:
            patterns = [regex(pattern) for _, _, pattern in CLAUSES[other]]
            for _, _, pattern in clauses:
                for seed in range(20):
                    said = " ".join(expand(pattern, random.Random(seed)))
                    assert not any(each.fullmatch(said) for each in patterns), f"{mine} and {other} share '{pattern}'"
    for mine, shapes in FRAMES.items():
        for other in set(FRAMES) - {mine}:
            assert not {f for s in shapes.values() for f in s} & {f for s in FRAMES[other].values() for f in s}


def documents(seed: int = SEED) -> Iterator[Tuple[str, List[Document]]]:
    """Each split's documents, without parses; no sentence stands in two."""
    check_templates()
    seen = set()
    for split, size in SIZES.items():
        rng, made = random.Random(f"{seed} {split}"), []
        while len(made) < size:
            drawn = sentence(split, rng)
            new = document(f"{split}-{len(made):04d}", drawn, split != "unlabelled") if sound(drawn) else None
            if new is not None and new.words not in seen:
                seen.add(new.words)
                made.append(new)
        yield split, made


# ---- parses and files ----------------------------------------------------------------------------------------------------

STAND_IN = {"PERSON": "Maria", "FIRM": "Siemens"}
"""The parser sees one well-known word for each name; the tree inside a name is known from how names are made."""


def parsed(made: Sequence[Document], folder: str) -> List[Document]:
    """The documents with dependency parses; sentence cuts are forbidden, so that any two words are connected."""
    import spacy
    from spacy.tokens import Doc

    nlp = spacy.load(folder)
    blocks = [name_spans(each) for each in made]
    words = [[STAND_IN.get(kind, each.words[start]) for start, _, kind in spans] for each, spans in zip(made, blocks, strict=True)]
    docs = [Doc(nlp.vocab, words=each, sent_starts=[n == 0 for n in range(len(each))]) for each in words]
    trees = nlp.pipe(docs, batch_size=256)
    return [replace(each, parse=whole_tree(each, spans, doc)) for each, spans, doc in zip(made, blocks, trees, strict=True)]


def name_spans(made: Document) -> List[Tuple[int, int, str]]:
    """The words cut into names (start, end, type) and single words (start, start + 1, "")."""
    names = {m.start: (m.start, m.end, entity.type) for entity in made.entities if entity.type in STAND_IN for m in entity.mentions}
    spans, position = [], 0
    while position < len(made.words):
        spans.append(names.get(position, (position, position + 1, "")))
        position = spans[-1][1]
    return spans


def whole_tree(made: Document, spans: Sequence[Tuple[int, int, str]], doc: Any) -> Parse:
    """The tree over all words from the parser's tree over names taken as one word."""
    inner = [name_tree(made.words[start:end]) for start, end, _ in spans]
    tops = [start + [label for _, label in tree].index("") for (start, _, _), tree in zip(spans, inner, strict=True)]
    heads, labels = [0] * len(made.words), [""] * len(made.words)
    for (start, _, _), tree, token, top in zip(spans, inner, doc, tops, strict=True):
        for number, (head, label) in enumerate(tree):
            heads[start + number], labels[start + number] = start + head, label
        heads[top], labels[top] = tops[token.head.i], token.dep_
    return Parse(tuple(heads), tuple(labels))


def name_tree(words: Sequence[str]) -> List[Tuple[int, str]]:
    """Head within the name and label of each word of a name; the top word has no label."""
    if "of" in words:  # Bank of Selwick
        return [(0, ""), (2, "case"), (0, "nmod")]
    if "&" in words:  # Quill & Sons
        return [(0, ""), (2, "cc"), (0, "conj")]
    last = len(words) - 1
    return [(last, "compound") for _ in range(last)] + [(last, "")]


def write(made: Sequence[Document], path: Path) -> None:
    """Compact relcon JSON-lines: what a reader can tell itself (mention texts, the one sentence, the source) is left out."""
    with atomic(path) as file:
        for each in made:
            record = document_to_json(each)
            del record["sentences"], record["source"], record["parse"]["tags"]
            for entity in record["entities"]:
                entity["mentions"] = [{"words": mention["words"]} for mention in entity["mentions"]]
            file.write(json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\n")


def main() -> None:
    """Write all splits."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("parser", help="folder of a spaCy pipeline with Universal Dependencies labels")
    options.add_argument("--output", type=Path, default=Path(__file__).parents[1] / "relcon" / "sample")
    given = options.parse_args()
    for split, made in documents():
        write(parsed(made, given.parser), given.output / f"{split}.jsonl")
        print(f"{split}.jsonl: {len(made)} sentences, {sum(len(each.relations) for each in made)} pairs")


if __name__ == "__main__":
    main()
