"""Gradients compared with central differences: `gradcheck`, `gradgradcheck`.

Every element of every input is moved on its own, so the whole Jacobian is compared; a random direction could
hide a wrong entry. Use float64: in float32 the difference of two values has only three or four digits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..backward import grad
from ..base import TensorBase, wrap
from ..core.errors import ArgumentError, GradError
from ..tape import mode


def _tensors(x: Any) -> list[Any]:
    return [x] if isinstance(x, TensorBase) else [y for y in x if isinstance(y, TensorBase)]


def numerical_jacobian(
    fn: Callable[..., Any], inputs: list[Any], which: int, output: int, eps: float
) -> np.ndarray[Any, Any]:
    """d output / d input by central differences: (elements of the input, elements of the output)."""
    x = inputs[which]
    base = x._a.copy()
    rows = []
    for i in range(base.size):
        step = eps * max(1.0, abs(float(base.reshape(-1)[i])))
        values = []
        for sign in (1, -1):
            moved = base.copy()
            moved.reshape(-1)[i] += sign * step
            probe = list(inputs)
            probe[which] = wrap(moved)
            with mode.no_grad():
                values.append(_tensors(fn(*probe))[output]._a.astype(np.float64).reshape(-1))
        rows.append((values[0] - values[1]) / (2 * step))
    return np.array(rows).reshape(base.size, -1)


def analytical_jacobian(output: Any, x: Any) -> np.ndarray[Any, Any]:
    """d output / d input by backward, one output element at a time: (elements of the input, of the output)."""
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
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
) -> bool:
    """Whether backward of `func` agrees with central differences at `inputs`.

    inputs:  a tensor or a sequence; those with requires_grad=True are checked and should be float64.
    Raises:  GradError naming the input, the output and the largest difference, unless `raise_exception=False`.

    >>> import chainrule as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradcheck(torch.sin, x)
    True
    """
    xs = [inputs] if isinstance(inputs, TensorBase) else list(inputs)
    checked = [i for i, x in enumerate(xs) if isinstance(x, TensorBase) and x.requires_grad]  # type: ignore[attr-defined]
    if not checked:
        raise ArgumentError.of(
            "gradcheck",
            given="inputs without requires_grad",
            must="at least one input must need a gradient",
            hint="x.requires_grad_()",
        )
    with mode.enable_grad():
        outputs = _tensors(func(*xs))
    for o, y in enumerate(outputs):
        if not y.requires_grad:
            continue
        for i in checked:
            backward = analytical_jacobian(y, xs[i])
            numeric = numerical_jacobian(func, xs, i, o, eps)
            close = np.isclose(backward, numeric, rtol=rtol, atol=atol, equal_nan=True)
            if not close.all():
                if not raise_exception:
                    return False
                worst = np.unravel_index(
                    np.argmax(np.where(close, 0, np.abs(backward - numeric))), backward.shape
                )
                raise GradError.of(
                    "gradcheck",
                    given=f"different derivatives of output {o} by input {i}",
                    must=f"element {int(worst[1])} of the output by element {int(worst[0])} of the input: "
                    f"backward says {backward[worst]:.6g}, central differences say {numeric[worst]:.6g}",
                    hint="float64 inputs away from kinks" if xs[i]._a.dtype != np.float64 else "",
                )
    return True


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
) -> bool:
    """Whether the backward of backward agrees with central differences of backward.

    >>> import chainrule as torch
    >>> x = torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True)
    >>> torch.autograd.gradgradcheck(torch.sin, x)
    True
    """
    xs = [inputs] if isinstance(inputs, TensorBase) else list(inputs)
    checked = [i for i, x in enumerate(xs) if isinstance(x, TensorBase) and x.requires_grad]  # type: ignore[attr-defined]
    with mode.enable_grad():
        outputs = [y for y in _tensors(func(*xs)) if y.requires_grad]
    rng = np.random.default_rng(0)
    if grad_outputs is None:
        gs = [wrap(rng.standard_normal(y._a.shape).astype(y._a.dtype)) for y in outputs]
    else:
        gs = _tensors(grad_outputs)
    seeds = [wrap(g._a.copy()).requires_grad_() for g in gs]

    def first(*args: Any) -> Any:
        given, arriving = list(args[: len(xs)]), args[len(xs) :]
        with mode.enable_grad():
            live = [x if not isinstance(x, TensorBase) or x.requires_grad or i not in checked else x.detach().requires_grad_()  # type: ignore[attr-defined]
                    for i, x in enumerate(given)]  # fmt: skip
            ys = [y for y in _tensors(func(*live)) if y.requires_grad]
            found = grad(ys, [live[i] for i in checked], arriving, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    return gradcheck(first, [*xs, *seeds], eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception)
