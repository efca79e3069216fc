"""The sides of the comparison: which there are, whether they can run here, and what they make of a workload.

Nothing here imports PyTorch or JAX; that happens in the process of the side (`serving.py`).
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
from typing import Final, cast

from . import jax_code, torch_code
from .derivatives import DERIVATIVES
from .loops import LOOPS
from .measure import Case
from .operations import OPERATIONS
from .programs import Forms, Program
from .workloads import WORKLOADS, Workload

SIDES: Final = ("chainrule", "chainrule eager", "PyTorch", "torch.compile", "JAX")
EAGER: Final = ("chainrule eager", "PyTorch")
PACKAGES: Final = {
    "chainrule": "chainrule",
    "chainrule eager": "chainrule",
    "PyTorch": "torch",
    "torch.compile": "torch",
    "JAX": "jax",
}
CASES: Final[tuple[Case, ...]] = (*OPERATIONS, *LOOPS, *DERIVATIVES)
WORK: Final[dict[str, Workload | Case]] = {work.name: work for work in (*WORKLOADS, *CASES)}


def absent(side: str) -> str | None:
    """Why a side cannot run here; None if it can."""
    package = PACKAGES[side]
    if importlib.util.find_spec(package) is None:
        return f"{package} is not installed"
    if side == "torch.compile" and compiler() is None:
        return "there is no C++ compiler"
    return None


def compiler() -> str | None:
    """The C++ compiler that torch.compile would use."""
    names = [os.environ["CXX"]] if os.environ.get("CXX") else ["g++", "clang++", "cl"]
    return next((found for name in names if (found := shutil.which(name))), None)


def version(side: str) -> str:
    """The version of the side's package."""
    return importlib.metadata.version(PACKAGES[side])


def sides_for(work: Workload | Case) -> tuple[str, ...]:
    """Who takes part: in a case of eager mode, the eager modes."""
    return EAGER if isinstance(work, Case) else SIDES


def forms(side: str, work: Workload | Case, threads: int) -> Forms:
    """The ways in which a side runs a workload. Imports the side's package."""
    if isinstance(work, Case):
        module = importlib.import_module(PACKAGES[side])
        if PACKAGES[side] == "torch":
            module.set_num_threads(threads)
        return {"eager": lambda: Program(work.workload(module), list)}
    if side == "JAX":
        return jax_code.forms(work)
    return torch_code.forms(cast(torch_code.Side, side), work, threads)
