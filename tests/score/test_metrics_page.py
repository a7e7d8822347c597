"""docs/metrics.md says what the table of profiles says."""

import re
from pathlib import Path

from relcon.evaluators.profiles import PROFILES

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_table_is_that_of_the_registry():
    rows = re.findall(r"^\| (`[a-z0-9]+(?:\.\S+)?`) \| (\w+) \| (.*) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == [(f"`{each.name}`", each.kind, each.users, each.note) for each in PROFILES.values()]
