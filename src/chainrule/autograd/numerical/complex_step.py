"""The complex step: f'(x) = Im f(x + ih) / h, in which nothing is subtracted, so that h can be tiny.

The Taylor series of an analytic function at x + ih is f(x) + ih f'(x) - h² f''(x)/2 - ...: the derivative is
the imaginary part, and what is cut off is of size h² (Squire and Trapp, SIAM Review 40 (1998), pp. 110-112).

Tensors have no complex type. So a level (`../../transforms/level.py`) lets the function run as ever, and
carries a complex array beside each tensor that the moved element reaches: after each op it evaluates the
NumPy rule of the op's entry on those arrays. An op that the entry says is linear is applied to the real and
to the imaginary part instead. Whether a rule is analytic is not written down anywhere, it is found out: a
small change along the imaginary axis must be that along the real one, by a central difference of the same
rule. It is for exp, and for the branch that max or where took, and not for |x|. Like every numerical
derivative this follows values only: `detach` does not stop it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from ...base import TensorBase, wrap
from ...core.errors import ArgumentError, GradError
from ...eager import user_site
from ...ops.primitive import LINEAR, VIEW, Primitive
from ...tape import mode
from ...transforms.forward import Table
from ...transforms.level import Observer
from .differences import COMPLEX, Array, Matrix, default_step

# NumPy has no complex numbers of two float16: where one occurs on the way, it is computed in more digits.
_COMPLEX = {np.dtype(f"f{n}"): np.dtype(f"c{max(2 * n, 8)}") for n in (2, 4, 8)}


class ComplexStep(Observer):
    """One element of the inputs moves along the imaginary axis; see the top of the file.

    A view has no array of its own: it is the same view of its base's array, as its values are.
    """

    def __init__(self) -> None:
        self._arrays = Table()
        self._ways = Table()  # views made while this level was there: (base, steps from it)

    def put(self, x: TensorBase, a: Array) -> None:
        """Carry the array a beside x."""
        self._arrays.put(x, a)

    def get(self, x: Any) -> Any:
        """The complex array of x, which may be written into; None where x does not move."""
        if not isinstance(x, TensorBase):
            return None
        base, steps = self._way(x)
        a = self._arrays.get(base)
        return None if a is None else _seen(a, steps)

    def _way(self, x: TensorBase) -> tuple[TensorBase, Any]:
        way = self._ways.get(x)
        if way is not None:
            return way  # type: ignore[no-any-return]
        view = x._view
        if view is not None and view.base is not None and view.link:
            return view.base, view.steps
        return x, ()

    def see(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
        if op.kind is VIEW and out._view is not None:
            base, steps = self._way(xs[0])
            self._ways.put(out, (base, (*steps, (op, settings))))
            return
        moving = [self.get(x) for x in xs]
        results = out if isinstance(out, tuple) else (out,)
        if all(a is None for a in moving) or all(y._a.dtype.kind != "f" for y in results):
            return
        arrays = [x._a if isinstance(x, TensorBase) else x for x in xs]
        with np.errstate(all="ignore"):
            if op.jvp is LINEAR:
                self.put(out, _by_parts(op, arrays, moving, settings, out._a.dtype))
            else:
                for y, a in zip(results, _analytic(op, arrays, moving, settings, results), strict=True):
                    if a is not None:
                        self.put(y, a)

    def wrote(self, x: Any, new: Any) -> None:
        a, value = self.get(x), self.get(new)
        if a is None and value is not None:
            base, steps = self._way(x)
            whole = base._a.astype(value.dtype)
            self.put(base, whole)
            a = _seen(whole, steps)
        if a is not None:
            a[...] = new._a if value is None else value

    def alias(self, x: Any, y: Any) -> None:
        a = self.get(x)
        if a is not None:
            self.put(y, a.copy())

    detached = alias


def _seen(a: Array, steps: Any) -> Array:
    for op, settings in steps:
        a = op.numpy(a, **settings)
    return a


def _by_parts(
    op: Primitive, arrays: list[Any], moving: list[Any], settings: dict[str, Any], dtype: np.dtype[Any]
) -> Array:
    """op(x + ih t) = op(x) + ih op(t) for an op that is linear in all its inputs together."""
    parts = []
    for part in ("real", "imag"):
        inputs = [
            getattr(m, part) if m is not None else a if part == "real" else _zero(a)
            for a, m in zip(arrays, moving, strict=True)
        ]
        parts.append(np.asarray(op.numpy(*inputs, **settings), dtype))
    a = np.empty(parts[0].shape, _COMPLEX[dtype])
    a.real, a.imag = parts
    return a


def _zero(a: Any) -> Any:
    """What an input that does not move contributes to the change: nothing. Places are not quantities."""
    if isinstance(a, np.ndarray):
        return np.zeros_like(a) if a.dtype.kind == "f" else a
    return 0


def _analytic(
    op: Primitive, arrays: list[Any], moving: list[Any], settings: dict[str, Any], results: tuple[Any, ...]
) -> list[Any]:
    """The rule of an op on complex arrays, if that gives its derivative.

    Raises:  GradError if it does not.
    """
    real = [a if m is None else m.real.copy() for a, m in zip(arrays, moving, strict=True)]
    tangents = [None if m is None else m.imag for m in moving]
    largest = max(float(np.max(np.abs(t), initial=0.0)) for t in tangents if t is not None)
    if largest == 0:  # nothing moves yet: real arrays with a place for what may come
        return [_grown(y._a) if y._a.dtype.kind == "f" else None for y in results]
    unit = [None if t is None else t / largest for t in tangents]
    reach = _reach(real, unit)
    high, low = (
        _evaluate(
            op,
            [
                a if u is None else np.asarray(a + sign * reach * u, a.dtype)
                for a, u in zip(real, unit, strict=True)
            ],
            settings,
        )
        for sign in (1, -1)
    )
    along = [a if u is None else _near(a, u) for a, u in zip(real, unit, strict=True)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", np.exceptions.ComplexWarning)  # the change would be dropped
            checked = _evaluate(op, along, settings)
            values = _evaluate(
                op, [a if m is None else m for a, m in zip(arrays, moving, strict=True)], settings
            )
    except (np.exceptions.ComplexWarning, TypeError, ValueError, ArithmeticError, AttributeError, KeyError):
        raise _refused(op, "its NumPy rule has no meaning for complex numbers") from None
    made: list[Any] = []
    for y, up, down, tiny, a in zip(results, high, low, checked, values, strict=True):
        if y._a.dtype.kind != "f":
            made.append(None)
            continue
        eps = float(np.finfo(y._a.dtype).eps)
        slopes = (up - down) / (2 * reach)
        found = tiny.imag / default_step(COMPLEX, y._a.dtype)
        defined = np.isfinite(slopes) & np.isfinite(y._a)
        size = float(np.max(np.abs(slopes), where=defined, initial=0.0))
        rounding = 20 * eps * float(np.max(np.abs(y._a), where=defined, initial=0.0)) / reach
        wrong = defined & ~(np.abs(found - slopes) <= eps ** (1 / 5) * size + rounding)
        if wrong.any():
            i = int(np.argmax(wrong))
            raise _refused(
                op,
                f"at element {i} of its result it changes by {slopes.reshape(-1)[i]:.4g} along the real "
                f"axis, and by {found.reshape(-1)[i]:.4g} along the imaginary one",
            )
        a = np.array(a, _COMPLEX[y._a.dtype])
        a.imag[~np.isfinite(y._a)] = np.nan
        made.append(a)
    return made


def _near(a: Array, u: Array) -> Array:
    """a, moved a tiny step along the imaginary axis."""
    near = _grown(a)
    near.imag = u * default_step(COMPLEX, a.dtype)
    return near


def _grown(a: Array) -> Array:
    return a.astype(_COMPLEX[a.dtype])


def _evaluate(op: Primitive, inputs: list[Any], settings: dict[str, Any]) -> list[Any]:
    given = op.numpy(*inputs, **settings)
    return [np.asarray(a) for a in (given if op.outputs != 1 else (given,))]


def _reach(real: list[Any], unit: list[Any]) -> float:
    """How far to go along the tangents for a central difference: no element by more than eps^(1/3) of it."""
    reach = np.inf
    eps = 0.0
    for a, u in zip(real, unit, strict=True):
        if u is not None:
            size = np.abs(a)
            size = np.where((size == 0) | ~np.isfinite(size), 1.0, size)
            eps = float(np.finfo(a.dtype).eps)
            reach = min(reach, float(np.min(size / np.abs(u), where=u != 0, initial=np.inf)))
    return float(max(reach * eps ** (1 / 3), np.finfo(np.float32).tiny))


def _refused(op: Primitive, fact: str) -> GradError:
    return GradError.of(
        "the complex step",
        given=f"a function that uses {op.formula}",
        must=f"every operation must be analytic at the point, but this one is not: {fact}",
        hint='method="central" or "richardson", which need real numbers only',
        site=user_site(),
    )


def jacobian(
    fn: Callable[[TensorBase], Any], values: Callable[[Any], list[TensorBase]], x: Array, step: float
) -> list[Matrix]:
    """d outputs / d x by complex steps: per output (elements of x, elements of the output).

    fn:      of a tensor around x.
    values:  the tensors in what fn returns.
    """
    if x.dtype == np.float16:
        raise ArgumentError.of(
            "the complex step",
            given=f"an input of type {x.dtype}",
            must="there are complex numbers of two sizes, for float32 and float64",
            hint="x.float()",
        )
    columns: list[list[Array]] = []
    for i in range(x.size):
        level, probe = ComplexStep(), wrap(x.copy())
        beside = x.astype(_COMPLEX[x.dtype])
        beside.reshape(-1)[i] += 1j * step
        level.put(probe, beside)
        with mode.no_grad(), level.entered():
            outputs = values(fn(probe))
        arrays = [level.get(y) for y in outputs]
        columns.append(
            [
                np.zeros(y._a.size) if a is None else np.asarray(a.imag, np.float64).reshape(-1) / step
                for y, a in zip(outputs, arrays, strict=True)
            ]
        )
    if not columns:
        with mode.no_grad():
            return [np.zeros((0, y._a.size)) for y in values(fn(wrap(x.copy())))]
    return [np.array(rows) for rows in zip(*columns, strict=True)]
