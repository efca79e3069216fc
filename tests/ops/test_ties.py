"""Where a derivative is a convention: the one that the entry states (`ties`) is the one that runs.

`CASES` has one function per entry that states a convention; the sweep keeps clear of these points.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.ops import TABLE

INF, NAN = math.inf, math.nan


def grads(function: Callable[..., Any], *inputs: Any, g: Any = None) -> list[Any]:
    """The gradients of every input, when ones (or `g`) arrive."""
    xs = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in inputs]
    out = function(*xs)
    out.backward(torch.ones_like(out) if g is None else torch.tensor(g, dtype=torch.float64))
    return [x.grad.tolist() for x in xs]


def second(function: Callable[..., Any], x: Any) -> Any:
    """The gradient of the sum of the gradient."""
    leaf = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(function(leaf).sum(), leaf, create_graph=True)
    return torch.autograd.grad(first.sum(), leaf, materialize_grads=True)[0].tolist()


def _pow() -> None:
    gx, gy = grads(lambda x, y: x**y, [0.0, 0.0, 0.0, 0.0, 2.0, -2.0], [2.0, 1.0, 0.5, 0.0, 0.0, 0.0])
    assert gx == [0, 1, INF, 0, 0, 0]
    assert gy[:4] == [0, 0, 0, 0]
    assert gy[4] == pytest.approx(math.log(2))
    assert math.isnan(gy[5])  # the logarithm of a negative number
    assert grads(lambda x: x**0, [0.0, -1.0, 3.0]) == [[0, 0, 0]]
    assert grads(lambda x: x**0.0, [0.0, 2.0], g=[INF, NAN]) == [[0, 0]]
    assert grads(lambda y: torch.pow(0.0, y), [2.0, 0.0]) == [[0, 0]]
    assert grads(lambda y: torch.pow(0.0, y), [-1.0]) == [[-INF]]
    assert grads(lambda x, y: x**y, [0.0], [-1.0]) == [[-INF], [-INF]]
    # nothing turns to NaN in the second derivative, either
    zero = torch.zeros((), dtype=torch.float64)
    assert second(lambda x: x**zero, [0.0, 2.0]) == [0, 0]
    assert second(lambda x: x ** torch.tensor(2.0, dtype=torch.float64), [0.0, 3.0]) == [2, 2]
    assert second(lambda y: torch.pow(zero, y), [2.0, 0.0]) == [0, 0]
    assert second(lambda y: torch.pow(0.0, y), [2.0, 0.0]) == [0, 0]


def _abs() -> None:
    assert grads(torch.abs, [0.0, -0.0, 2.0, -2.0]) == [[0, 0, 1, -1]]


def _sign() -> None:
    assert torch.sign(torch.tensor([0.0, -0.0, NAN, INF, -INF])).tolist() == [0, 0, 0, 1, -1]
    assert grads(torch.sign, [0.0, 1.0, NAN], g=[INF, NAN, 1.0]) == [[0, 0, 0]]


def _extremum_of_two(function: Callable[..., Any], larger: bool) -> None:
    gx, gy = grads(function, [1.0, 1.0, 2.0, NAN, 1.0, INF], [1.0, 2.0, 1.0, 1.0, NAN, INF])
    wins = [0.5, float(not larger), float(larger), 1, 1, 0.5]
    assert gx == wins
    assert gy == [0.5, float(larger), float(not larger), 1, 1, 0.5]
    # an infinite gradient leaves nothing behind where the input loses
    assert grads(function, [1.0], [2.0], g=[INF]) == ([[0.0], [INF]] if larger else [[INF], [0.0]])


def _maximum() -> None:
    _extremum_of_two(torch.maximum, larger=True)


def _minimum() -> None:
    _extremum_of_two(torch.minimum, larger=False)


def _relu() -> None:
    assert grads(torch.relu, [0.0, -0.0, 1.0, -1.0, NAN]) == [[0, 0, 1, 0, 1]]


def _clamp() -> None:
    assert grads(lambda x: x.clamp(-1, 1), [-2.0, -1.0, 0.0, 1.0, 2.0, NAN]) == [[0, 1, 1, 1, 0, 0]]
    assert grads(lambda x: x.clamp(min=0), [-1.0, 0.0, 1.0], g=[INF, 1.0, INF]) == [[0, 1, INF]]


def _jumps(function: Callable[..., Any]) -> Callable[[], None]:
    def case() -> None:
        assert grads(function, [0.0, 1.0, -2.0, 0.5, 1.5], g=[1.0, INF, NAN, 1.0, 1.0]) == [[0, 0, 0, 0, 0]]

    return case


def _remainder() -> None:
    assert grads(torch.remainder, [4.0, -4.0, 0.0], [2.0, 2.0, 2.0]) == [[1, 1, 1], [-2, 2, 0]]


def _fmod() -> None:
    assert grads(torch.fmod, [4.0, -4.0, 0.0], [2.0, 2.0, 2.0]) == [[1, 1, 1], [-2, 2, 0]]


def _index_put() -> None:
    places = (torch.tensor([1, 1]),)
    gx, gy = grads(lambda x, y: x.index_put(places, y), [0.0, 0.0, 0.0], [5.0, 6.0], g=[1.0, 2.0, 3.0])
    assert (gx, gy) == ([1, 0, 3], [2, 2])


def _det() -> None:
    x = torch.tensor([[1.0, 2.0], [2.0, 4.0]], requires_grad=True)
    with pytest.raises(ValueError, match="singular matrix"):
        torch.linalg.det(x).backward()


def _cholesky() -> None:
    lower = [[4.0, 99.0], [2.0, 5.0]]
    assert torch.linalg.cholesky(torch.tensor(lower)).tolist() == [[2, 0], [1, 2]]
    ((g,),) = [grads(torch.linalg.cholesky, [[4.0, 2.0], [2.0, 5.0]])]
    assert g[0][1] == g[1][0] != 0


def _shared(function: Callable[..., Any], sign: float) -> Callable[[], None]:
    def case() -> None:
        x = [[sign * 3.0, 1.0, sign * 3.0], [sign * 3.0, sign * 2.0, 0.0]]
        assert grads(lambda t: function(t, 1), x) == [[[0.5, 0, 0.5], [1, 0, 0]]]
        third = pytest.approx(1 / 3)
        assert grads(function, x) == [[[third, 0, third], [third, 0, 0]]]
        assert second(lambda t: function(t) ** 2, x)[0][0] == pytest.approx(2 / 3)

    return case


def _first(function: Callable[..., Any], sign: int) -> Callable[[], None]:
    def case() -> None:
        x = torch.tensor([[2 * sign, 5 * sign, 5 * sign], [1 * sign, 1 * sign, 1 * sign]])
        assert function(x, dim=1).tolist() == [1, 0]

    return case


def _norm() -> None:
    for p in (2.0, 3.0, 1.5):
        assert grads(lambda x, p=p: torch.norm(x, p), [0.0, 0.0]) == [[0, 0]]
        assert grads(lambda x, p=p: torch.norm(x, p), [0.0, -3.0])[0] == [0, pytest.approx(-1)]
        assert np.isfinite(second(lambda x, p=p: torch.norm(x, p), [0.0, 0.0])).all()
    assert grads(lambda x: torch.norm(x, -1), [0.0, 2.0]) == [[0, 0]]


def _atan2() -> None:
    assert grads(torch.atan2, [0.0, 0.0], [0.0, 1.0]) == [[0, 1], [0, 0]]


def _scatter() -> None:
    places = torch.tensor([0, 0, 2])
    gx, gy = grads(lambda x, y: x.scatter(0, places, y), [0.0, 0.0, 0.0], [5.0, 6.0, 7.0], g=[1.0, 2.0, 3.0])
    assert (gx, gy) == ([0, 2, 0], [1, 1, 3])


def _argsort() -> None:
    x = torch.tensor([1, 0, 1, 0, 1])
    assert x.argsort().tolist() == [1, 3, 0, 2, 4]
    assert x.argsort(descending=True).tolist() == [0, 2, 4, 1, 3]
    spoilt = torch.tensor([NAN, 1.0, INF, NAN])  # NaN counts as the largest
    assert spoilt.argsort().tolist() == [1, 2, 0, 3]
    assert spoilt.argsort(descending=True).tolist() == [0, 3, 2, 1]


def _sqrt() -> None:
    assert grads(torch.sqrt, [0.0, 4.0]) == [[INF, 0.25]]


CASES: dict[str, Callable[[], None]] = {
    "pow": _pow,
    "abs": _abs,
    "sign": _sign,
    "maximum": _maximum,
    "minimum": _minimum,
    "relu": _relu,
    "clamp": _clamp,
    "floor": _jumps(torch.floor),
    "ceil": _jumps(torch.ceil),
    "trunc": _jumps(torch.trunc),
    "round": _jumps(torch.round),
    "floor_divide": _jumps(lambda x: x // 1),
    "remainder": _remainder,
    "fmod": _fmod,
    "index_put": _index_put,
    "det": _det,
    "cholesky": _cholesky,
    "amax": _shared(torch.amax, 1.0),
    "amin": _shared(torch.amin, -1.0),
    "argmax": _first(torch.argmax, 1),
    "argmin": _first(torch.argmin, -1),
    "norm": _norm,
    "atan2": _atan2,
    "scatter": _scatter,
    "argsort": _argsort,
    "sqrt": _sqrt,
}


def test_every_stated_convention_has_a_case() -> None:
    assert set(CASES) == {op.name for op in TABLE.values() if op.ties}


@pytest.mark.parametrize("name", CASES)
def test_the_stated_convention_holds(name: str) -> None:
    CASES[name]()
