"""Configs: a file and overrides in, a tree of values with the place of each, components out.

`load_config` reads; `relcon.checking.check_config` finds every mistake without building anything; `resolve` builds one block;
`LoadedConfig.save` writes what repeats the run.
"""

from relcon.config.building import resolve
from relcon.config.loaded import LoadedConfig, import_code, load_config

__all__ = ["LoadedConfig", "import_code", "load_config", "resolve"]
