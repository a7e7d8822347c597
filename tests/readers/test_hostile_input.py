"""Files that are made to do harm: entities of XML that expand, and single lines of ten megabytes."""

import json
import os
import re
import runpy
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any, Dict, List

import pytest

from relcon.data.archives import SMALL_BYTES
from relcon.errors import RelconError
from relcon.interfaces import DatasetReader

HERE = Path(__file__).parent
EXAMPLES: Dict[str, Dict[str, str]] = runpy.run_path(str(HERE / "test_formats_page.py"))["examples"]()

# ---- XML ---------------------------------------------------------------------------------------------------------------

XML = sorted((name, file, text) for name, files in EXAMPLES.items() for file, text in files.items() if file.endswith(".xml"))

LAUGHS = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))

HARMFUL = {
    "entities that expand": f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]>',
    "an entity that is a file": '<!DOCTYPE x [<!ENTITY l9 SYSTEM "file:///etc/hostname">]>',
    "a parameter entity": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/hostname"> %p;]>',
}


def with_doctype(text: str, doctype: str) -> str:
    """An XML file with this document type in place of its own."""
    head, mark, body = text.rpartition("?>")
    return f"{head}{mark}{doctype}{re.sub('<!DOCTYPE[^>]*>', '', body)}"


def test_there_are_readers_of_xml() -> None:
    assert {"relcon.DDI2013.v1"} <= {name for name, *_ in XML}


@pytest.mark.parametrize("harm", HARMFUL)
@pytest.mark.parametrize(("name", "file", "text"), XML, ids=[name for name, *_ in XML])
def test_entities_are_refused(name: str, file: str, text: str, harm: str, tmp_path: Path) -> None:
    path = tmp_path / file
    path.write_text(with_doctype(text, HARMFUL[harm]), encoding="utf-8")
    with pytest.raises(RelconError, match=r"(?s)entit.*refused") as caught:
        list(DatasetReader.registry.get(name)().read(path))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(("name", "file", "text"), XML, ids=[name for name, *_ in XML])
def test_a_document_type_is_not_fetched(name: str, file: str, text: str, tmp_path: Path) -> None:
    """Files of BioC name theirs: it is passed over, whatever it says, so there are the same documents."""
    (tmp_path / "evil.dtd").write_text('<!ENTITY a "b">\n<!ATTLIST pair ddi CDATA "true">\n', encoding="utf-8")
    reader, path = DatasetReader.registry.get(name)(), tmp_path / file
    path.write_text(text, encoding="utf-8")
    before = list(reader.read(path))
    path.write_text(with_doctype(text, f'<!DOCTYPE x SYSTEM "{tmp_path}/evil.dtd">'), encoding="utf-8")
    assert list(reader.read(path)) == before


# ---- packed bytes ------------------------------------------------------------------------------------------------------


def test_a_packed_file_that_grows_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bomb.spacy"
    path.write_bytes(zlib.compress(bytes(SMALL_BYTES + 1)))
    with pytest.raises(RelconError, match="unpacks to more than"):
        list(DatasetReader.registry.get("relcon.DocBin.v1")().read(path))


# ---- size --------------------------------------------------------------------------------------------------------------

MOST_SECONDS, MOST_MEGABYTES, MOST_CHARACTERS = 20, 1500, 20_000
"""What reading may take on a busy machine (relcon and its libraries alone take 500 megabytes), and how long the message may be."""


@pytest.fixture(scope="module")
def taken(tmp_path_factory: pytest.TempPathFactory) -> List[Dict[str, Any]]:
    """What every reader took for every hostile file, each in a process of its own."""
    command = [sys.executable, str(HERE / "hostile.py"), str(tmp_path_factory.mktemp("hostile"))]
    done = subprocess.run(command, capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"})
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_every_reader_takes_part(taken: List[Dict[str, Any]]) -> None:
    installed = {offer.name for offer in DatasetReader.registry.offers() if offer.package != "--code"}
    assert {each["reader"] for each in taken} == installed - {"cloce.SpacyTypes.v1"}  # reads by another one


def test_no_file_takes_the_machine_down(taken: List[Dict[str, Any]]) -> None:
    bad = [each for each in taken if each["seconds"] > MOST_SECONDS or each["megabytes"] > MOST_MEGABYTES]
    assert not bad


def test_each_ends_with_documents_or_a_message_that_does_not_print_the_line(taken: List[Dict[str, Any]]) -> None:
    strange = [each for each in taken if each["error"] is None and each["documents"] is None]
    assert not strange
    assert not [each for each in taken if each["error"] is not None and each["error"] > MOST_CHARACTERS]
