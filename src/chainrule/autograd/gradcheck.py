"""Gradients compared with central differences: `gradcheck`, `gradgradcheck`.

Every element of every input is moved on its own, so the whole Jacobian is compared; a random direction could
hide a wrong entry. Use float64: in float32 the difference of two values has only three or four digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backward import grad, node_of
from ..base import TensorBase, wrap
from ..core.errors import ArgumentError, GradError
from ..tape import mode
from .numerical import differences
from .numerical.differences import Matrix


def _sequence(x: Any) -> list[Any]:
    return [x] if isinstance(x, TensorBase) else list(x)


def _tensors(x: Any) -> list[Any]:
    return [y for y in _sequence(x) if isinstance(y, TensorBase)]


def numerical_jacobian(
    fn: Callable[..., Any], inputs: list[Any], which: int, output: int, eps: float
) -> Matrix:
    """d output / d input by central differences: (elements of the input, elements of the output).

    The step is eps, or eps times the value where that is larger than 1.
    """

    def values(moved: Any) -> Matrix:
        probe = list(inputs)
        probe[which] = wrap(moved)
        with mode.no_grad():
            return np.asarray(_tensors(fn(*probe))[output]._a, np.float64).reshape(-1)

    return differences.jacobian(values, inputs[which]._a, eps, differences.CENTRAL)[0]


def analytical_jacobian(output: Any, x: Any) -> Matrix:
    """d output / d input by backward, one output element at a time: as `numerical_jacobian`."""
    columns = []
    for j in range(output._a.size):
        seed = np.zeros(output._a.size, output._a.dtype)
        seed[j] = 1
        (g,) = grad(output, x, wrap(seed.reshape(output._a.shape)), retain_graph=True, allow_unused=True)
        columns.append(np.zeros(x._a.size) if g is None else np.asarray(g._a, np.float64).reshape(-1))
    return np.array(columns).reshape(output._a.size, x._a.size).T


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-4,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
) -> bool:
    """Whether backward of `func` agrees with central differences at `inputs`.

    inputs:      a tensor or a sequence; those with requires_grad=True are checked and should be float64.
    atol, rtol:  how far they may differ, as in `isclose`. rtol is a tenth of PyTorch's, so that a derivative
                 wrong by 0.1 % does not pass.
    nondet_tol:  how far two runs of backward may differ.
    Raises:      GradError naming the input, the output and the largest difference, or returns False if
                 `raise_exception` is False.

    >>> import chainrule as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.sin, x)
    True
    """
    xs = _sequence(inputs)
    checked = _checked(xs, "gradcheck")
    with mode.enable_grad():
        outputs = _tensors(func(*xs))
    try:
        for o, y in enumerate(outputs):
            if y._a.dtype.kind == "f":
                for i in checked:
                    numeric = numerical_jacobian(func, xs, i, o, eps)
                    _compare(y, xs[i], o, i, numeric, atol, rtol, nondet_tol)
    except GradError:
        if raise_exception:
            raise
        return False
    return True


def _checked(xs: list[Any], what: str) -> list[int]:
    """Which inputs are checked."""
    checked = [i for i, x in enumerate(xs) if isinstance(x, TensorBase) and node_of(x) is not None]
    if not checked:
        raise ArgumentError.of(
            what,
            given="inputs without requires_grad",
            must="at least one input must need a gradient",
            hint="x.requires_grad_()",
        )
    return checked


def _compare(
    y: Any, x: Any, o: int, i: int, numeric: Matrix, atol: float, rtol: float, nondet_tol: float
) -> None:
    """Raise if backward from output o, y, to input i, x, disagrees with central differences or itself."""
    recorded = node_of(y) is not None
    backward = analytical_jacobian(y, x) if recorded else np.zeros_like(numeric)
    close = np.isclose(backward, numeric, rtol=rtol, atol=atol, equal_nan=True)
    if not close.all():
        row, column = np.unravel_index(
            np.argmax(np.where(close, -1, np.nan_to_num(np.abs(backward - numeric), nan=np.inf))), close.shape
        )
        says = f"backward says {backward[row, column]:.6g}" if recorded else "nothing was recorded"
        raise GradError.of(
            "gradcheck",
            given=f"different derivatives of output {o} by input {i}",
            must=f"element {int(column)} of the output by element {int(row)} of the input: "
            f"{says}, central differences say {numeric[row, column]:.6g}",
            hint=""
            if x._a.dtype == np.float64
            else f"float64 inputs, {x._a.dtype} has too few digits for this",
        )
    if recorded:
        spread = float(np.max(np.abs(analytical_jacobian(y, x) - backward), initial=0.0))
        if not spread <= nondet_tol:
            raise GradError.of(
                "gradcheck",
                given=f"two runs of backward, from output {o} to input {i}, that differ by {spread:.6g}",
                must="the same backward must give the same gradient",
                hint=f"nondet_tol={spread:.1g}, if that is meant",
            )


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-4,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
) -> bool:
    """Whether the backward of backward agrees with central differences of backward.

    grad_outputs:  what arrives at the outputs in the first backward; random numbers if not given.
    Others:        as for `gradcheck`.

    >>> import chainrule as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(torch.sin, x)
    True
    """
    xs = _sequence(inputs)
    checked = _checked(xs, "gradgradcheck")
    with mode.enable_grad():
        outputs = [y for y in _tensors(func(*xs)) if node_of(y) is not None]
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        gs = [wrap(rng.standard_normal(y._a.shape).astype(y._a.dtype)) for y in outputs]
    else:
        gs = _tensors(grad_outputs)
    seeds = [wrap(g._a.copy()).requires_grad_() for g in gs]

    def first(*args: Any) -> Any:
        """The gradients by the checked inputs, as a function of the inputs and of what arrives."""
        given = list(args[: len(xs)])
        for i in checked:  # a probe of the numerical Jacobian comes as a constant
            if node_of(given[i]) is None:
                given[i] = given[i].detach().requires_grad_()
        with mode.enable_grad():
            ys = [y for y in _tensors(func(*given)) if node_of(y) is not None]
            wanted = [given[i] for i in checked]
            found = grad(ys, wanted, args[len(xs) :], create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(
        first,
        [*xs, *seeds],
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
    )
