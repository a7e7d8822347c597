"""Components from a file: `--code my_parts.py`."""

import importlib.util
import sys
import traceback
from pathlib import Path

from relcon.errors import RelconError, place


def load_code(path: Path) -> None:
    """Run a file of registered components, once per process. RelconError where it is missing or fails, with its line."""
    path = Path(path).resolve()
    if not path.is_file():
        raise RelconError(f"--code {path} {'is a folder; give a file' if path.is_dir() else 'does not exist'}.")
    name = f"relcon_code_{path.stem}"
    if name in sys.modules:
        if Path(str(sys.modules[name].__file__)) != path:
            raise RelconError(f"--code {path} and {sys.modules[name].__file__} have the same name. Rename one of them.")
        return
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise RelconError(f"--code {path} is no Python file. Its name must end in .py.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # before running it, so that its annotations can be resolved
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:  # a user's file may raise anything, or be a script that ends
        del sys.modules[name]
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
        line = error.lineno if isinstance(error, SyntaxError) else lines[-1] if lines else None
        reason = str(error) if isinstance(error, RelconError) else f"{type(error).__name__}: {error}"
        raise RelconError(f"{place(path, line)}: --code could not be loaded: {reason}") from error
