"""All derivatives of the functions of the notes, in every nesting of the modes, against `torch.func`.

Each function is written once, about a library `T`. What the whole tables of functions give is compared in
`test_tables.py` and `test_vmap.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chainrule
from chainrule.func import hvp

# PyTorch's forward mode uses parts of its own that it calls deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit.script` is deprecated:DeprecationWarning")

Function = Callable[[Any, Any], Any]
RNG = np.random.default_rng(0)
A, X = RNG.normal(size=(3, 3)), RNG.normal(size=(5, 3))
T5, CLASSES = RNG.normal(size=5), np.array([2, 0, 1, 1, 0])


def _constant(T: Any, a: np.ndarray[Any, Any]) -> Any:
    return T.tensor(a.tolist(), dtype=T.int64 if a.dtype.kind == "i" else T.float64)


def _loop(T: Any, y: Any) -> Any:
    b = y * 2
    while b.detach().norm() < 1000:
        b = b * 2
    return (b * y.sin()).sum()


def _layers(T: Any, y: Any) -> Any:
    h = T.tanh(_constant(T, X) @ y.reshape(3, 2))
    return T.nn.functional.cross_entropy(h @ T.tanh(y.reshape(2, 3)), _constant(T, CLASSES))


# name -> the function, and the shape of its argument.
MAPS: dict[str, tuple[Function, tuple[int, ...]]] = {
    "Ay": (lambda T, y: _constant(T, A) @ y, (3,)),
    "yA": (lambda T, y: y @ _constant(T, A), (3,)),
    "softmax": (lambda T, y: T.softmax(y, 0), (4,)),
    "elementwise": (lambda T, y: T.exp(y) * T.sin(y) / (1 + y**2), (4,)),
    "outer": (lambda T, y: y[:, None] * T.tanh(y), (3,)),
    "matrices": (lambda T, Y: Y @ Y.T, (2, 3)),
}
NUMBERS: dict[str, tuple[Function, tuple[int, ...]]] = {
    "yAy": (lambda T, y: y @ _constant(T, A) @ y, (3,)),
    "least squares": (lambda T, w: ((_constant(T, X) @ w - _constant(T, T5)) ** 2).sum() / 10, (3,)),
    "softmax with cross-entropy": (
        lambda T, W: T.nn.functional.cross_entropy(_constant(T, X) @ W, _constant(T, CLASSES)),
        (3, 3),
    ),
    "two layers, shared parameter": (_layers, (6,)),
    "a loop that depends on values": (_loop, (3,)),
}
NESTED = [(outer, inner) for outer in ("jacrev", "jacfwd") for inner in ("jacrev", "jacfwd")]


def _both(of: Callable[[Any, Any], Any], f: Function, shape: tuple[int, ...]) -> None:
    """of(T.func, the function) at one point gives the same on both sides."""
    at = np.random.default_rng(1).normal(size=shape)
    ours, theirs = (
        of(T.func, functools.partial(f, T))(T.tensor(at.tolist(), dtype=T.float64))
        for T in (chainrule, torch)
    )
    assert tuple(ours.shape) == tuple(theirs.shape)
    np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("mode", ["jacrev", "jacfwd"])
@pytest.mark.parametrize("name", MAPS)
def test_jacobians(name: str, mode: str) -> None:
    _both(lambda func, f: getattr(func, mode)(f), *MAPS[name])


@pytest.mark.parametrize(("outer", "inner"), NESTED)
@pytest.mark.parametrize("name", [*MAPS, *NUMBERS])
def test_second_derivatives_in_every_nesting(name: str, outer: str, inner: str) -> None:
    _both(lambda func, f: getattr(func, outer)(getattr(func, inner)(f)), *(MAPS | NUMBERS)[name])


@pytest.mark.parametrize("name", NUMBERS)
def test_hessians(name: str) -> None:
    _both(lambda func, f: func.hessian(f), *NUMBERS[name])


@pytest.mark.parametrize("name", ["yAy", "least squares", "two layers, shared parameter"])
def test_third_derivatives(name: str) -> None:
    _both(lambda func, f: func.jacfwd(func.jacrev(func.jacfwd(f))), *NUMBERS[name])


@pytest.mark.parametrize("name", NUMBERS)
def test_products_with_the_hessian(name: str) -> None:
    f, shape = NUMBERS[name]
    at, v = np.random.default_rng(2).normal(size=(2, *shape))
    value, ours = hvp(functools.partial(f, chainrule), (chainrule.tensor(at),), (chainrule.tensor(v),))
    gradient = torch.func.grad(functools.partial(f, torch))
    theirs = torch.func.jvp(gradient, (torch.from_numpy(at),), (torch.from_numpy(v),))
    for mine, other in zip((*value, *ours), theirs, strict=True):
        np.testing.assert_allclose(mine.numpy(), other.numpy(), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("name", [name for name in NUMBERS if not name.startswith("a loop")])
def test_gradients_of_rows(name: str) -> None:
    f, shape = NUMBERS[name]
    _both(lambda func, g: func.vmap(func.grad(g)), f, (4, *shape))
    _both(lambda func, g: func.vmap(func.hessian(g)), f, (4, *shape))
