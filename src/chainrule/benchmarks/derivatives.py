"""What all derivatives of a function cost: Hessians and Jacobians, by `func`, in eager mode on both sides."""

from __future__ import annotations

from typing import Any

from .measure import Case, Run


def _rows(torch: Any, *shape: int) -> Any:
    """Numbers between -1 and 1, the same on both sides."""
    count = 1
    for n in shape:
        count *= n
    return torch.sin(torch.arange(float(count))).reshape(*shape)


def hessian_of_logistic_loss(torch: Any) -> Run:
    x, w = _rows(torch, 200, 50), _rows(torch, 50) * 0.1
    signs = torch.sign(_rows(torch, 200))

    def loss(w: Any) -> Any:
        return torch.log(1 + torch.exp(-signs * (x @ w))).mean()

    hessian = torch.func.hessian(loss)
    return lambda: hessian(w)


def hessian_of_rosenbrock(torch: Any) -> Run:
    w = _rows(torch, 50)

    def valley(w: Any) -> Any:
        return (100 * (w[1:] - w[:-1] ** 2) ** 2 + (1 - w[:-1]) ** 2).sum()

    hessian = torch.func.hessian(valley)
    return lambda: hessian(w)


def _layer(torch: Any) -> tuple[Any, Any]:
    a, x = _rows(torch, 100, 100) * 0.1, _rows(torch, 100)
    return (lambda x: torch.tanh(a @ torch.tanh(a @ x))), x


def jacobian_backward(torch: Any) -> Run:
    f, x = _layer(torch)
    jacobian = torch.func.jacrev(f)
    return lambda: jacobian(x)


def jacobian_forward(torch: Any) -> Run:
    f, x = _layer(torch)
    jacobian = torch.func.jacfwd(f)
    return lambda: jacobian(x)


DERIVATIVES = [
    Case(
        "hessian, logistic",
        "of a mean logistic loss, 200 rows, by 50 weights",
        hessian_of_logistic_loss,
        limit=1.0,
    ),
    Case("hessian, valley", "of Rosenbrock's function by 50 variables", hessian_of_rosenbrock, limit=1.0),
    Case("jacobian, reverse", "of tanh(A tanh(A x)), 100 × 100", jacobian_backward, limit=1.0),
    Case("jacobian, forward", "of tanh(A tanh(A x)), 100 × 100", jacobian_forward, limit=1.0),
]
