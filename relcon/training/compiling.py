"""`[training] compile`: encoders through torch.compile, or a refusal where it cannot work on this machine."""

import os
import shutil
from typing import Iterable

import torch

from relcon.errors import RelconError
from relcon.interfaces import Encoder

COMPILERS = ("g++", "clang++", "c++", "cl")
RECOMPILATIONS = 64
"""Versions of one piece of code that torch may keep: training and evaluation, with and without a mask, of every stage."""


def compile_encoders(encoders: Iterable[Encoder]) -> None:
    """Compile encoders in place, for batches of any size and length.

    Random numbers are those of uncompiled code (`fallback_random`), so that the two passes of gradient caching see the same
    dropout, and a run does not depend on whether it was compiled, rounding apart.
    """
    limit = "recompile_limit" if hasattr(torch._dynamo.config, "recompile_limit") else "cache_size_limit"
    setattr(torch._dynamo.config, limit, max(RECOMPILATIONS, getattr(torch._dynamo.config, limit)))
    for encoder in encoders:
        encoder.compile(dynamic=True, options={"fallback_random": True})


def require_compiler() -> None:
    """RelconError where torch.compile does not work here: there is no C++ compiler, or it cannot build what torch writes."""
    named = os.environ.get("CXX")
    if not any(shutil.which(name) for name in ([named] if named else COMPILERS)):
        looked = f"CXX names '{named}', which is not there" if named else f"none of {', '.join(COMPILERS)} is there"
        raise RelconError(
            f"[training] compile needs a C++ compiler, and {looked}. Install one (Debian: apt install g++), or leave compile out."
        )
    try:
        torch.compile(lambda x: torch.relu(x + 1) * 2)(torch.ones(3))
    except Exception as error:  # torch raises whatever its stages raise
        lines = [line for line in str(error).splitlines() if line.strip()] or [""]
        raise RelconError(
            f"[training] compile does not work on this machine ({type(error).__name__}: {lines[0]}). Leave it out, or mend the compiler."
        ) from error
