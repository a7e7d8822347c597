"""How fast relcon is: against loops written by hand, against sentence-transformers, and as sizes grow.

    pip install -e ".[benchmarks]"
    python benchmarks/speed --output runs/speed [--only contrast cached] [--rounds 5] [--page docs/results/speed.md]

The commands of a comparison run alternately; a figure is the median over the rounds. Each table replaces what stands between the
comments `<!-- NAME -->` and `<!-- /NAME -->` of the page. Needs RELCON_SHARED (ChemProt, SemEval, a parser, WordNet) and a machine that
does nothing else; all of it takes about one and a half hours on two cores.
"""

import argparse
import json
import re
from datetime import date
from pathlib import Path

from comparisons import COMPARISONS, measure, table
from growth import GROWTH

PAGE = Path(__file__).parents[2] / "docs" / "results" / "speed.md"


def main() -> None:
    """Measure what was asked for and write each table as soon as it is there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--page", type=Path, default=PAGE)
    parser.add_argument("--only", nargs="*", choices=[*COMPARISONS, *GROWTH], default=[*COMPARISONS, *GROWTH])
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    output = given.output.absolute()
    output.mkdir(parents=True, exist_ok=True)
    for name in given.only:
        if name in COMPARISONS:
            figures = measure(COMPARISONS[name], output, given.rounds)
            (output / f"{name}.json").write_text(json.dumps(figures, indent=2), encoding="utf-8")
            text = table(COMPARISONS[name], figures)
        else:
            text = GROWTH[name](output)
        print(text, flush=True)
        insert(given.page, name, f"{text}\nMeasured on {date.today().isoformat()}.\n")


def insert(page: Path, name: str, text: str) -> None:
    """Put a table between its comments on the page."""
    before = page.read_text(encoding="utf-8")
    after, count = re.subn(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", lambda found: found[1] + text + found[2], before, flags=re.DOTALL)
    if not count:
        raise SystemExit(f"{page} has no place for the table '{name}'")
    page.write_text(after, encoding="utf-8")


if __name__ == "__main__":
    main()
