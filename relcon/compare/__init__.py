"""Compare two runs on the same instances: their figures, whether the difference is more than chance, and where they differ.

`compare_runs` does it all. What an evaluation left is read as `Results`, of which there is one kind for each evaluator that keeps its
predictions.
"""

from relcon.compare.comparison import Comparison, compare_runs
from relcon.compare.finding import evaluations, read_results
from relcon.compare.results import Example

__all__ = ["Comparison", "Example", "compare_runs", "evaluations", "read_results"]
