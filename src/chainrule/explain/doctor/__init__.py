"""The gradient doctor: what keeps a model from learning, in plain words.

examine.py     doctor(): the order of things
state.py       everything is given back as it was
recording.py   one forward pass, seen operation by operation
passage.py     the same with its backward pass
trial.py       a few steps of the optimizer
curvature.py   the largest eigenvalue of the Hessian
checks/        what is looked for
limits.py      every threshold, with its reason
findings.py    which finding explains which
report.py      what people see
names.py       what layers and parameters are called
"""

from __future__ import annotations

from .examine import doctor
from .findings import Finding
from .report import LayerLook, ParameterLook, Report

__all__ = ["Finding", "LayerLook", "ParameterLook", "Report", "doctor"]
