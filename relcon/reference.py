"""The reference of components: a page for each registry, made from signatures and docstrings."""

import re
from pathlib import Path
from typing import Any, Container, Dict, List, Optional

import relcon.interfaces  # noqa: F401  (defines the registries)
from relcon.components import REQUIRED, Argument, argument_texts, arguments, component_of, docstring_block, docstring_text
from relcon.config.types import expected, shown
from relcon.errors import RelconError
from relcon.files import atomic
from relcon.registry import INTERFACES, Offer

EXPLAINING = re.compile(r"^[ ]*(?:Args:\s*)?(\w+)(?:, \w+)*: ", re.MULTILINE)
"""How a paragraph begins to explain an argument."""

MADE = "<!-- Made by `relcon components --markdown`; change docstrings, not this page. -->"


def write_reference(folder: Path, packages: Optional[Container[str]] = None) -> List[Path]:
    """Write a page for each registry, and `README.md` that lists them; the files.

    packages: whose components; those of all installed ones unless given. RelconError where one cannot be loaded.
    """
    files = [folder / name for name in pages(packages)]
    for file, text in zip(files, pages(packages).values(), strict=True):
        with atomic(file) as open_file:
            open_file.write(text)
    return files


def pages(packages: Optional[Container[str]] = None) -> Dict[str, str]:
    """File name -> text of each page of the reference."""
    offers = {
        kind: [offer for offer in interface.registry.offers() if packages is None or offer.package in packages]
        for kind, interface in INTERFACES.items()
    }
    found = {f"{kind}.md": _page(kind, listed) for kind, listed in offers.items() if listed}
    return {"README.md": _index({kind: listed for kind, listed in offers.items() if listed}), **found}


def _index(offers: Dict[str, List[Offer]]) -> str:
    rows = [f"| [`@{kind}`]({kind}.md) | {_first_line(INTERFACES[kind])} | {len(listed)} |" for kind, listed in offers.items()]
    head = ["# Reference", "", MADE, "", "What a config can name. `relcon components NAME` shows one of them.", ""]
    return "\n".join([*head, "| registry | what it holds | components |", "|---|---|---:|", *rows]) + "\n"


def _page(kind: str, offers: List[Offer]) -> str:
    """The components of a registry."""
    listed = [f"* [{offer.name}](#{_anchor(offer.name)}): {_first_line(component_of(kind, offer.name))}" for offer in offers]
    parts = ["\n".join([f"# @{kind}", "", MADE, "", _first_line(INTERFACES[kind]), "", *listed])]
    return "\n\n".join([*parts, *(_entry(kind, offer) for offer in offers)]) + "\n"


def _entry(kind: str, offer: Offer) -> str:
    """One component: what it is, its arguments, a block to paste."""
    component = component_of(kind, offer.name)
    texts, known = argument_texts(component), arguments(component)
    parts = [f"## {offer.name}", f"*{offer.package}*", _prose(component)]
    if known:
        rows = [_row(argument, texts.get(argument.name, "")) for argument in known.values()]
        parts.append("\n".join(["| argument | type | default | |", "|---|---|---|---|", *rows]))
    block = docstring_block(component)
    if block is None:
        raise RelconError(f"{offer.name} has no example block, so the reference has nothing to show. End its docstring with `Config::`.")
    return "\n\n".join([*parts, f"```ini\n{block.strip()}\n```"])


def _prose(component: Any) -> str:
    """A docstring without the paragraphs that explain arguments, which stand in the table."""
    names = set(arguments(component))
    paragraphs = re.split(r"\n\s*\n", docstring_text(component))
    return "\n\n".join(part for part in paragraphs if not names & set(EXPLAINING.findall(part)))


def _row(argument: Argument, text: str) -> str:
    default = "required" if argument.default is REQUIRED else f"`{shown(argument.default)}`"
    return f"| `{argument.name}` | {_cell(expected(argument.annotation))} | {_cell(default)} | {_cell(text)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _first_line(component: Any) -> str:
    return (component.__doc__ or "").strip().splitlines()[0]


def _anchor(name: str) -> str:
    """A heading's anchor as GitHub makes it."""
    return re.sub(r"[^\w -]", "", name.lower()).replace(" ", "-")
