"""Derivatives from values: `numerical_grad`, and `numerical_error_curve`, which shows how good they can be.

`differences.py` has the quotients and their extrapolation, `complex_step.py` the step along the imaginary
axis, `gradient.py` what users call, `curve.py` the error against the step.
"""

from .curve import ErrorCurve, ErrorCurves, numerical_error_curve
from .gradient import numerical_grad

__all__ = ["ErrorCurve", "ErrorCurves", "numerical_error_curve", "numerical_grad"]
