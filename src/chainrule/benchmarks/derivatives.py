"""What all derivatives of a function cost: Hessians and Jacobians, by `func`.

In eager mode on both sides. In the cases called "compiled" chainrule compiles the derivative; PyTorch has it
as it is, for its compiler needs one of C++.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from .measure import Case, Run


def _rows(torch: Any, *shape: int) -> Any:
    """Numbers between -1 and 1, the same on both sides."""
    count = 1
    for n in shape:
        count *= n
    return torch.sin(torch.arange(float(count))).reshape(*shape)


def _as_it_is(transform: Any, torch: Any) -> Any:
    return transform


def _compiled(transform: Any, torch: Any) -> Any:
    return torch.compile(transform) if torch.__name__ == "chainrule" else transform


def logistic(torch: Any, made: Any = _as_it_is) -> Run:
    x, w = _rows(torch, 200, 50), _rows(torch, 50) * 0.1
    signs = torch.sign(_rows(torch, 200))

    def loss(w: Any) -> Any:
        return torch.log(1 + torch.exp(-signs * (x @ w))).mean()

    hessian = made(torch.func.hessian(loss), torch)
    return lambda: hessian(w)


def valley(torch: Any, made: Any = _as_it_is) -> Run:
    w = _rows(torch, 50)

    def rosenbrock(w: Any) -> Any:
        return (100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum()

    hessian = made(torch.func.hessian(rosenbrock), torch)
    return lambda: hessian(w)


def layers(torch: Any, mode: str, made: Any = _as_it_is) -> Run:
    a, x = _rows(torch, 100, 100) * 0.1, _rows(torch, 100)

    def f(x: Any) -> Any:
        return torch.tanh(a @ torch.tanh(a @ x))

    jacobian = made(getattr(torch.func, mode)(f), torch)
    return lambda: jacobian(x)


_LOGISTIC = "Hessian of a mean logistic loss, 200 rows, by 50 weights"
_VALLEY = "Hessian of Rosenbrock's function by 50 variables"
_LAYERS = "Jacobian of tanh(A tanh(A x)), 100 × 100"

DERIVATIVES = [
    Case("hessian logistic", _LOGISTIC, logistic, limit=1.0),
    Case("compiled hessian logistic", _LOGISTIC, partial(logistic, made=_compiled), limit=1.0),
    Case("hessian valley", _VALLEY, valley, limit=1.0),
    Case("compiled hessian valley", _VALLEY, partial(valley, made=_compiled), limit=1.0),
    Case("jacobian reverse", _LAYERS, partial(layers, mode="jacrev"), limit=1.0),
    Case("jacobian forward", _LAYERS, partial(layers, mode="jacfwd"), limit=1.0),
    Case("compiled jacobian", _LAYERS, partial(layers, mode="jacrev", made=_compiled), limit=1.0),
]
