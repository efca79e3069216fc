"""Error against step size: why there is a best step, and why a step of 2⁻³² is too small in float32.

For each method and type the derivative at one point is computed with every step, by the formula as it stands
in a textbook (divided by h itself), and compared with the exact one. Beside each curve stand the two lines of
the theory: what the Taylor series cuts off, and what rounding of the values does to their difference. Data
only; drawing is left to others.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...backward import grad
from ...base import TensorBase, wrap
from ...core.dtypes import FROM_NUMPY, as_dtype, float32, float64
from ...core.errors import ArgumentError, GradError
from ...tape import mode
from . import complex_step, differences
from .differences import CENTRAL, COMPLEX, FORWARD, RICHARDSON, Array, Matrix
from .gradient import Replayed, check_method, tensors_of

_WHAT = "numerical_error_curve"
_LINES = 16  # rows of the table that is printed


@dataclass(frozen=True)
class ErrorCurve:
    """One method in one type: all arrays have one number for each step.

    errors:      |estimate - exact|.
    truncation:  what the formula cuts off: |f''| h/2 forward, |f'''| h²/6 central and complex; NaN where the
                 theory has no simple line (richardson).
    rounding:    what rounding may add: eps |f| / h forward, half of it central; eps |f'| complex.
    moves:       whether x + h is another number than x.
    """

    method: str
    dtype: Any
    steps: Array
    estimates: Array
    errors: Array
    truncation: Array
    rounding: Array
    moves: Array

    @property
    def best_step(self) -> float:
        """The step with the least error; the largest of those that share it."""
        return float(self.steps[self._best])

    @property
    def best_error(self) -> float:
        """The least error."""
        return float(self.errors[self._best])

    @property
    def _best(self) -> int:
        return int(np.nanargmin(self.errors))

    @property
    def lost_step(self) -> float | None:
        """The largest step with x + h == x, from which on the difference is 0; None if there is none."""
        lost = self.steps[~self.moves]
        return float(lost.max()) if lost.size else None


@dataclass(frozen=True)
class ErrorCurves:
    """The curves of one function at one point; `print` shows them as a table. Iterates over the curves."""

    x: float
    exact: float
    curves: tuple[ErrorCurve, ...]

    def __iter__(self) -> Any:
        return iter(self.curves)

    def curve(self, method: str, dtype: Any) -> ErrorCurve:
        """The curve of a method in a type.

        Raises:  ArgumentError if it was not computed.
        """
        kind = as_dtype(dtype)
        for c in self.curves:
            if c.method == method and c.dtype is kind:
                return c
        raise ArgumentError.of(
            "curve",
            given=f"method {method!r} in {kind.name}",
            must="there are " + ", ".join(_title(c) for c in self.curves),
        )

    def __str__(self) -> str:
        steps = self.curves[0].steps
        rows = range(0, len(steps), max(1, -(-len(steps) // _LINES)))
        titles = [_title(c) for c in self.curves]
        lines = [
            f"Error of numerical derivatives at x = {self.x:.8g}, where f'(x) = {self.exact:.8g}",
            "",
            f"{'step h':>8} " + " ".join(f"{t:>18}" for t in titles),
        ]
        for i in rows:
            cells = [f"{c.errors[i]:.1e}" + ("" if c.moves[i] else " x+h=x") for c in self.curves]
            lines.append(f"{_power(float(steps[i])):>8} " + " ".join(f"{cell:>18}" for cell in cells))
        lines.append("")
        lines += [_sentence(c) for c in self.curves]
        return "\n".join(lines)


def _title(c: ErrorCurve) -> str:
    return f"{c.method} {c.dtype.name}"


def _power(step: float) -> str:
    e = math.log2(step)
    return f"2^{int(e)}" if e == int(e) else f"{step:.1e}"


def _sentence(c: ErrorCurve) -> str:
    text = f"{_title(c)}: best at h = {_power(c.best_step)}, error {c.best_error:.1e}"
    if c.lost_step is not None:
        text += f"; from h = {_power(c.lost_step)} on x + h == x, and the difference is 0"
    return text + "."


def numerical_error_curve(
    fn: Callable[[Any], Any],
    x: Any,
    *,
    exact: float | None = None,
    methods: Sequence[str] = (FORWARD, CENTRAL, COMPLEX),
    dtypes: Sequence[Any] = (float32, float64),
    steps: Sequence[float] | None = None,
) -> ErrorCurves:
    """The error of numerical derivatives of a function of one number, against the step size.

    fn:      of a 0-d tensor, returns a tensor with one element.
    x:       the point: a number or a tensor with one element.
    exact:   the derivative there; by default what backward says in float64.
    methods: as in `numerical_grad`; with "richardson" the step is the first of its table.
    dtypes:  the types to compute in.
    steps:   the steps; by default 2^-1, 2^-2, ..., 2^-60.
    Returns: the curves, with the best step of each and the lines of the theory; printable.

    In float32 next to 1 numbers are 2^-23 apart: x + 2^-32 is x, the two values are equal, and the difference
    quotient is 0 whatever the function.

    >>> import chainrule as torch
    >>> curves = torch.autograd.numerical_error_curve(torch.sin, 1.0)
    >>> curve = curves.curve("forward", torch.float32)
    >>> curve.lost_step == 2**-24, 2**-15 < curve.best_step < 2**-8
    (True, True)
    """
    for method in methods:
        check_method(method, None, _WHAT)
    h = np.array([2.0**-k for k in range(1, 61)] if steps is None else list(steps), np.float64)
    if not h.size or not (np.isfinite(h) & (h > 0)).all():
        raise ArgumentError.of(_WHAT, given=f"steps={steps!r}", must="steps are positive numbers")
    point = np.asarray(x._a if isinstance(x, TensorBase) else x, np.float64)
    if point.size != 1:
        raise ArgumentError.of(
            _WHAT,
            given=f"a tensor {point.shape}",
            must="the curve is that of a function of one number",
            hint="lambda t: fn(x + t * direction), at 0",
        )
    point = point.reshape(())
    run = Replayed(fn)
    derivatives = _derivatives(run, point)
    if exact is None:
        exact = derivatives[1]
    if math.isnan(exact):
        raise GradError.of(
            _WHAT,
            given="a function that backward cannot differentiate",
            must="errors are distances from the exact derivative",
            hint="exact=...",
        )
    curves = tuple(
        _curve(run, point, float(exact), derivatives, method, as_dtype(d).numpy, h)
        for d in dtypes
        for method in methods
    )
    return ErrorCurves(float(point), float(exact), curves)


def _derivatives(run: Callable[..., Any], point: Array) -> list[float]:
    """f and its first three derivatives in float64 by backward; NaN from where it does not go further."""
    t: Any = wrap(point.copy()).requires_grad_()
    with mode.enable_grad():
        y = _one(run(t))
        found = [float(y._a)]
        for _ in range(3):
            if not y.requires_grad:
                return [*found, *[0.0] * (4 - len(found))] if len(found) > 1 else [*found, *[math.nan] * 3]
            try:
                (y,) = grad(y, t, create_graph=True, materialize_grads=True)
            except GradError:
                return [*found, *[math.nan] * (4 - len(found))]
            found.append(float(y._a))
    return found


def _one(returned: Any) -> Any:
    """The one number that the function returned, as a 0-d tensor."""
    (y,) = tensors_of(returned, _WHAT)[:1]
    if y._a.size != 1:
        raise ArgumentError.of(
            _WHAT,
            given=f"a function that returns a tensor {y._a.shape}",
            must="the curve is that of one number",
            hint="fn(x).sum()",
        )
    return y.reshape(())


def _curve(
    run: Callable[..., Any],
    point: Array,
    exact: float,
    derivatives: list[float],
    method: str,
    kind: np.dtype[Any],
    steps: Array,
) -> ErrorCurve:
    x = point.astype(kind)
    moves = np.array([differences.moved(x, 0, h) != x for h in steps]) | (method == COMPLEX)
    estimates = np.array([_estimate(run, x, float(h), method) for h in steps])
    f, slope, second, third = map(abs, derivatives)
    eps = float(np.finfo(kind).eps)
    truncation, rounding = {
        FORWARD: (second * steps / 2, eps * f / steps),
        CENTRAL: (third * steps**2 / 6, eps * f / (2 * steps)),
        COMPLEX: (third * steps**2 / 6, np.full_like(steps, eps * slope)),
        RICHARDSON: (np.full_like(steps, np.nan), np.full_like(steps, np.nan)),
    }[method]
    return ErrorCurve(
        method, FROM_NUMPY[kind], steps, estimates, np.abs(estimates - exact), truncation, rounding, moves
    )


def _estimate(run: Callable[..., Any], x: Array, step: float, method: str) -> float:
    """The formula of the textbook, with h itself as the divisor."""

    def values(a: Array) -> Matrix:
        with mode.no_grad():
            return np.asarray(_one(run(wrap(a.copy())))._a, np.float64).reshape(-1)

    if method == COMPLEX:
        (found,) = complex_step.jacobian(run, lambda r: [_one(r)], x, step)
        return float(found[0, 0])
    if method == RICHARDSON:
        try:
            return float(differences.richardson(values, x, 0, step).value[0])
        except differences.LostStep:
            return 0.0
    change, _ = differences.difference(values, x, 0, step, method)
    return float(change[0] / (step if method == FORWARD else 2 * step))
