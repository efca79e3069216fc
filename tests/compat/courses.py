"""Runs the programs in `programs/`, written for PyTorch in the book's style, and gives what they computed.

Starting weights, data and masks come from NumPy, so a program computes the same wherever it runs; what
differs between frameworks is the order of sums. `tests/torch/compat` runs them on PyTorch.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parent / "programs"
PROGRAMS = sorted(path.stem for path in FOLDER.glob("*.py") if path.stem != "images")

Results = dict[str, np.ndarray[Any, Any]]


def results(name: str, monkeypatch: pytest.MonkeyPatch) -> Results:
    """The values that a program leaves in `result`, as arrays."""
    monkeypatch.syspath_prepend(FOLDER)
    monkeypatch.delitem(sys.modules, "images", raising=False)  # it has imported another torch
    try:
        found: dict[str, Any] = runpy.run_path(str(FOLDER / f"{name}.py"))["result"]
    finally:
        sys.modules.pop("images", None)
    return {key: array(value) for key, value in found.items()}


def array(value: Any) -> np.ndarray[Any, Any]:
    made: np.ndarray[Any, Any] = value.detach().numpy() if hasattr(value, "detach") else np.asarray(value)
    return made
