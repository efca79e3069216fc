"""`numerical_grad`: the derivative of any function of tensors, from its values. Next: `differences.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...base import TensorBase, wrap
from ...core.errors import ArgumentError, DTypeError, GradError, nearest
from ...core.random import default_generator
from ...tape import mode
from . import complex_step, differences
from .differences import COMPLEX, METHODS, RICHARDSON, Array, LostStep, Matrix


def numerical_grad(
    fn: Callable[..., Any],
    inputs: Any,
    method: str = "central",
    step: float | None = None,
    *,
    return_error: bool = False,
) -> Any:
    """d fn(*inputs) / d inputs from values of the function alone, without any rule of calculus.

    It needs several evaluations for each element of the inputs: a tool to check and to understand, not to
    train. All of them see the same random numbers. Nothing is recorded, `detach` stops nothing.

    fn:      of tensors; returns a tensor or a tuple of tensors of floats.
    inputs:  a tensor of floats or a tuple of them.
    method:  "central"     (f(x+h) - f(x-h)) / 2h, error ~ h²; 2 evaluations an element
             "forward"     (f(x+h) - f(x)) / h, error ~ h; 2 evaluations
             "complex"     Im f(x + ih) / h, error ~ h² and no rounding by a difference, so that it has the
                           digits of the function itself; for analytic operations only
             "richardson"  central differences extrapolated to h = 0, with an estimate of the error;
                           24 evaluations
    step:    h for numbers of size 1; it grows with larger ones. By default eps^(1/3), eps^(1/2), 1e-100
             (1e-15 in float32) and eps^(1/10), where eps is the distance from 1 to the next number: there
             what the formula cuts off is about as large as what rounding adds. What is divided by is the
             distance of the two points as they are stored, (x + h) - x.
    return_error:  with "richardson": return (derivative, how far it may be off, of the same form).
    Returns: as `torch.autograd.functional.jacobian`: a tensor (*output shape, *input shape), so for one
             number the gradient, in the shape of the input; a tuple for a tuple of inputs, around that a
             tuple for a tuple of outputs.
    Raises:  ArgumentError for a step that x is too large for; GradError where "complex" cannot be used.
    Source:  Ridders, Advances in Engineering Software 4 (1982), pp. 75-76; Squire and Trapp, SIAM Review 40
             (1998), pp. 110-112.

    >>> import chainrule as torch
    >>> x = torch.tensor([1.0, 2.0], dtype=torch.float64)
    >>> torch.autograd.numerical_grad(lambda x: (x**3).sum(), x, method="complex")
    tensor([ 3., 12.], dtype=torch.float64)
    """
    what = "numerical_grad"
    check_method(method, step, what)
    if return_error and method != RICHARDSON:
        raise ArgumentError.of(
            what,
            given=f'return_error=True and method="{method}"',
            must="only an extrapolation knows how far it may be off",
            hint='method="richardson"',
        )
    xs = list(inputs) if isinstance(inputs, tuple | list) else [inputs]
    for i, x in enumerate(xs):
        _check_input(x, i, what)
    run = Replayed(fn)
    probes = [wrap(x._a.copy()) for x in xs]
    with mode.no_grad():
        first = run(*probes)
    outputs = tensors_of(first, what)
    slopes: list[list[Any]] = [[] for _ in outputs]
    errors: list[list[Any]] = [[] for _ in outputs]
    for i, x in enumerate(xs):
        found, off = _by_one(run, xs, i, method, step)
        starts = np.cumsum([0, *(y._a.size for y in outputs)])
        for o, y in enumerate(outputs):
            shape = y._a.shape + x._a.shape
            for m, rows in ((found, slopes), (off, errors)):
                part = m[:, starts[o] : starts[o + 1]].T.reshape(shape)  # (in, out) -> (*out, *in)
                rows[o].append(wrap(part.astype(np.result_type(y._a.dtype, x._a.dtype))))
    several = isinstance(inputs, tuple | list), not isinstance(first, TensorBase)
    result = _nested(slopes, *several)
    return (result, _nested(errors, *several)) if return_error else result


def _nested(rows: list[list[Any]], many_inputs: bool, many_outputs: bool) -> Any:
    parts = [tuple(row) if many_inputs else row[0] for row in rows]
    return tuple(parts) if many_outputs else parts[0]


def check_method(method: Any, step: float | None, what: str) -> None:
    if method not in METHODS:
        raise ArgumentError.of(
            what,
            given=f"method={method!r}{nearest(str(method), list(METHODS))}",
            must="it is one of " + ", ".join(METHODS),
        )
    if step is not None and not (step > 0 and np.isfinite(step)):
        raise ArgumentError.of(what, given=f"step={step!r}", must="a step is a positive number")


def _check_input(x: Any, i: int, what: str) -> None:
    if not isinstance(x, TensorBase):
        raise ArgumentError.of(
            what,
            given=f"{type(x).__name__} as input {i}",
            must="inputs are tensors",
            hint="torch.tensor(...) of it",
        )
    if x._a.dtype.kind != "f":
        raise DTypeError.of(
            what,
            given=f"input {i} of type {x._a.dtype}",
            must="only a number that can move by a small step has a derivative",
            hint="x.double()",
        )


class Replayed:
    """A function whose every run draws the same random numbers from the default generator."""

    def __init__(self, fn: Callable[..., Any]) -> None:
        self._fn = fn
        self._place = default_generator.position()

    def __call__(self, *xs: Any) -> Any:
        default_generator.move(*self._place)
        return self._fn(*xs)


def tensors_of(returned: Any, what: str) -> list[Any]:
    """The tensors that a function returned: one, or a tuple of them."""
    ys = list(returned) if isinstance(returned, tuple | list) else [returned]
    for y in ys:
        if not isinstance(y, TensorBase):
            raise ArgumentError.of(
                what,
                given=f"a function that returns {type(y).__name__}",
                must="it must return a tensor or a tuple of tensors",
                hint="the tensor itself, without item() or float()",
            )
        if y._a.dtype.kind != "f":
            raise DTypeError.of(
                what,
                given=f"a function with results of type {y._a.dtype}",
                must="only a number that can change a little has a derivative",
                hint="y.double()",
            )
    return ys


def _by_one(
    run: Callable[..., Any], xs: list[Any], which: int, method: str, step: float | None
) -> tuple[Matrix, Matrix]:
    """(derivatives of all outputs by one input, errors), both (elements of the input, of all outputs)."""
    what = "numerical_grad"
    x = np.ascontiguousarray(xs[which]._a).reshape(xs[which]._a.shape)

    def call(probe: TensorBase) -> Any:
        return run(*[probe if i == which else wrap(y._a.copy()) for i, y in enumerate(xs)])

    def values(a: Array) -> Matrix:
        with mode.no_grad():
            ys = tensors_of(call(wrap(a.copy())), what)
        return np.concatenate([np.asarray(y._a, np.float64).reshape(-1) for y in ys])

    h = differences.default_step(method, x.dtype) if step is None else step
    if method == COMPLEX:
        found = np.concatenate(
            complex_step.jacobian(call, lambda r: tensors_of(r, what), x, h), axis=1
        )  # (in, all outputs)
        _check_direction(values, x, found)
        return found, np.full_like(found, np.nan)
    try:
        return differences.jacobian(values, x, h, method)
    except LostStep as lost:
        eps = float(np.finfo(x.dtype).eps)
        raise ArgumentError.of(
            what,
            given=f"a step of {lost.step:.3g} at x = {lost.x:.6g} in {x.dtype}",
            must="x + h is x: numbers of this type are too far apart there, so nothing would move",
            hint=f"a step of at least {eps:.2g}, or none for the best one",
        ) from None


def _check_direction(values: Callable[[Array], Matrix], x: Array, found: Matrix) -> None:
    """Whether complex steps saw all of the function: along one direction it must change as they say.

    A value that leaves the tensors, by item() or numpy(), and comes back, is lost to them.
    """
    if not x.size:
        return
    rng = np.random.default_rng(0)
    way = rng.choice([-1.0, 1.0], x.shape) * rng.uniform(0.5, 1.0, x.shape)  # no element stands still
    way *= np.where(x == 0, 1.0, np.minimum(1.0, np.abs(x)))  # and none leaves the domain of a logarithm
    says = way.reshape(-1) @ found
    slope = differences.richardson(
        lambda t: values((x + t * way).astype(x.dtype)),
        np.zeros((1,), x.dtype),
        0,
        differences.default_step(RICHARDSON, x.dtype),
    )
    eps = float(np.finfo(x.dtype).eps)
    size = np.maximum(np.abs(says), np.abs(slope.value))
    far = np.abs(says - slope.value) > 100 * slope.error + eps ** (1 / 4) * size
    if far.any():
        i = int(np.argmax(far))
        raise GradError.of(
            "the complex step",
            given=f"a function whose value {i} changes by {slope.value[i]:.4g} where it sees {says[i]:.4g}",
            must="it follows tensors only, so a value that leaves them, by item(), float() or numpy(), is a "
            "constant to it",
            hint='method="central" or "richardson", or the computation in tensors',
        )
