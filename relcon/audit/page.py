"""An audit as one page of HTML that needs nothing else: no script, no style sheet, no picture."""

from pathlib import Path
from typing import Any, List, Mapping, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from relcon.audit.check import printable
from relcon.audit.finding import Audit, CorpusAudit, Finding
from relcon.audit.tables import tables_of
from relcon.files import atomic

STYLE = """
body { font: 15px/1.5 sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #222; }
table { border-collapse: collapse; margin: 1em 0 2em; }
th, td { padding: .2em .8em; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child { text-align: left; }
section { border-left: .4em solid #999; margin: 1em 0; padding: .1em 1em; background: #f7f7f7; }
section.error { border-color: #b00020; }
section.warning { border-color: #d98200; }
code { font: 13px monospace; white-space: pre-wrap; }
"""


def write_page(audit: Audit, path: Path) -> None:
    """Write the page, whole or not at all. WriteError where the disk refuses."""
    with atomic(path) as file:
        file.write("<!DOCTYPE html>\n" + tostring(_page(audit), encoding="unicode", method="html") + "\n")


def _page(audit: Audit) -> Element:
    """All of it as a tree, so that no text of the data can become markup."""
    html = Element("html", lang="en")
    head, body = SubElement(html, "head"), SubElement(html, "body")
    SubElement(head, "meta", charset="utf-8")
    _text(head, "title", f"Data audit of {audit.config}")
    SubElement(head, "style").text = STYLE
    _text(body, "h1", f"Data audit of {audit.config}")
    _text(body, "p", f"{audit.summary()}.")
    for corpus in audit.corpora:
        _corpus(body, corpus)
    return html


def _corpus(parent: Element, corpus: CorpusAudit) -> None:
    """Tables of what there is, then the findings."""
    _text(parent, "h2", corpus.title)
    for title, rows in tables_of(corpus).items():
        _table(parent, title, rows)
    _text(parent, "h3", "Findings")
    for finding in corpus.findings:
        _finding(parent, finding)


def _finding(parent: Element, finding: Finding) -> None:
    section = SubElement(parent, "section", {"class": finding.severity})
    _text(section, "h4", f"{finding.severity}: {finding.check} ({finding.where})")
    _text(section, "p", finding.message)
    if finding.examples:
        items = SubElement(section, "ul")
        for example in finding.examples:
            item = SubElement(items, "li")
            _text(item, "code", example.place).tail = " " + printable(example.text)
    if finding.remedy:
        _text(_text(section, "p", "To change it: "), "code", finding.remedy)


def _table(parent: Element, title: str, rows: Sequence[Mapping[str, Any]]) -> None:
    _text(parent, "h3", title)
    table = SubElement(parent, "table")
    columns: List[str] = list(dict.fromkeys(name for row in rows for name in row))
    line = SubElement(table, "tr")
    for name in columns:
        _text(line, "th", name)
    for row in rows:
        line = SubElement(table, "tr")
        for name in columns:
            _text(line, "td", "-" if row.get(name) is None else str(row[name]))


def _text(parent: Element, tag: str, text: str) -> Element:
    """An element that holds a text."""
    element = SubElement(parent, tag)
    element.text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    return element
