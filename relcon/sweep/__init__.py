"""Many runs from one file: a base config, variants of it along axes, and one table over all of them.

`read_sweep` reads the file, `check_cells` says of each cell whether it can run, `run_sweep` runs what is not done yet, `Table` shows what
there is.
"""

from relcon.sweep.cells import Cell, check_cells
from relcon.sweep.reading import Sweep, read_sweep
from relcon.sweep.records import FAILED, SweepFolder
from relcon.sweep.running import run_sweep
from relcon.sweep.table import Table

__all__ = ["FAILED", "Cell", "Sweep", "SweepFolder", "Table", "check_cells", "read_sweep", "run_sweep"]
