"""vmap over every row of the tables of functions, and the forms of its arguments, against PyTorch.

The tables: what a function gives for three sets of inputs at once must be what PyTorch gives for each of
them, one after the other; so must be its gradients, and what two vmaps, one in the other, give.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import chainrule
from tests.torch.both import Refused, Row, weighted
from tests.torch.func.test_tables import CLOSE, ROWS, attempt, function
from tests.torch.test_inplace_programs import Program, steps

# Those two return a bool of Python, which cannot differ by row.
MAPPED = [row for row in ROWS if not row.expression.startswith(("T.allclose(", "T.equal("))]
every_row = pytest.mark.parametrize("row", MAPPED, ids=str)


def stacks(arrays: dict[str, Any], *sizes: int) -> dict[str, Any]:
    """Every input many times, moved a little where that keeps it what it is: a number."""
    rng = np.random.default_rng(3)
    found = {}
    for name, a in arrays.items():
        many = np.broadcast_to(a, (*sizes, *a.shape)).copy()
        found[name] = many + 0.01 * rng.normal(size=many.shape) if a.dtype.kind == "f" else many
    return found


def row_by_row(f: Callable[..., Any], many: dict[str, Any], depth: int) -> list[Any]:
    """What PyTorch gives for each set of inputs, stacked."""
    if depth == 0:
        return [y.detach() for y in f(*[torch.from_numpy(a.copy()) for a in many.values()])]
    size = len(next(iter(many.values())))
    each = [row_by_row(f, {k: np.asarray(a[i]) for k, a in many.items()}, depth - 1) for i in range(size)]
    return [torch.stack(list(parts)) for parts in zip(*each, strict=True)]


def compare(row: Row, depth: int, of: Callable[[Any, Callable[..., Any], int], Callable[..., Any]]) -> None:
    for arrays in row.arrays("float64"):
        if not arrays:
            continue
        names = list(arrays)
        many = stacks(arrays, *(3, 2)[:depth])
        its = of(torch, function(torch, row, names), len(names))
        theirs = attempt(lambda its=its, many=many: row_by_row(its, many, depth))
        mine = of(chainrule, function(chainrule, row, names), len(names))
        for _ in range(depth):
            mine = chainrule.func.vmap(mine)
        given = [chainrule.from_numpy(a.copy()) for a in many.values()]
        if isinstance(theirs, Refused):
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ours = mine(*given)
        rtol, atol = CLOSE["float32" if "float32" in row.expression else "float64"]
        for y, z in zip(ours, theirs, strict=True):
            got, wanted = y.detach().numpy(), z.numpy()
            assert got.shape == wanted.shape
            known = np.isfinite(wanted)
            np.testing.assert_allclose(got[known], wanted[known], rtol=rtol, atol=atol)


def values(T: Any, f: Callable[..., Any], count: int) -> Callable[..., Any]:
    return f


def gradients(T: Any, f: Callable[..., Any], count: int) -> Callable[..., Any]:
    return T.func.grad(lambda *ys: weighted(T, list(f(*ys))), tuple(range(count)))  # type: ignore[no-any-return]


@every_row
def test_rows(row: Row) -> None:
    compare(row, 1, values)


@every_row
def test_rows_of_rows(row: Row) -> None:
    compare(row, 2, values)


@every_row
def test_gradients_of_rows(row: Row) -> None:
    compare(row, 1, gradients)


# -- forms of arguments and results --------------------------------------------------------------------


def numbers(T: Any, *shape: int) -> Any:
    return T.arange(int(np.prod(shape)), dtype=T.float64).reshape(*shape)


FORMS: list[Callable[[Any, Callable[..., Any]], Any]] = [
    lambda T, vmap: vmap(lambda x: x.sum(1), in_dims=1)(numbers(T, 2, 3, 4)),
    lambda T, vmap: vmap(lambda x: x.sum(1), in_dims=-1)(numbers(T, 2, 3, 4)),
    lambda T, vmap: vmap(lambda x: x * 2, out_dims=-1)(numbers(T, 2, 3, 4)),
    lambda T, vmap: vmap(lambda x: x * 2, out_dims=3)(numbers(T, 2, 3, 4)),
    lambda T, vmap: vmap(lambda x: (x, {"a": x}), out_dims=(0, {"a": 1}))(numbers(T, 2, 3)),
    lambda T, vmap: vmap(lambda x: (x, {"a": x}), out_dims=1)(numbers(T, 2, 3)),
    lambda T, vmap: vmap(lambda x: x, out_dims=(1,))(numbers(T, 2, 3)),
    lambda T, vmap: vmap(lambda x: T.ones(3))(numbers(T, 2)),
    lambda T, vmap: vmap(lambda x: (x, T.ones(3)), out_dims=(0, None))(numbers(T, 2)),
    lambda T, vmap: vmap(lambda x, k: x * k, in_dims=(0, None))(numbers(T, 2, 3), 2),
    lambda T, vmap: vmap(lambda x, k: x * k)(numbers(T, 2, 3), numbers(T, 3)),
    lambda T, vmap: vmap(lambda x, *, k: x * k)(numbers(T, 2, 3), k=numbers(T, 3)),
    lambda T, vmap: vmap(lambda x, k: x * k)(numbers(T, 2, 3), 2),
    lambda T, vmap: vmap(lambda p: p["a"] + p["b"][0], in_dims=({"a": 0, "b": [None]},))(
        {"a": numbers(T, 2), "b": [numbers(T, 3)]}
    ),
    lambda T, vmap: vmap(lambda p: p["a"], in_dims=({"a": 0, "c": 0},))({"a": numbers(T, 2)}),
    lambda T, vmap: vmap(lambda p, x: p[0] * x, in_dims=(None, 0))([numbers(T, 3)], numbers(T, 2)),
    lambda T, vmap: vmap(T.sin, in_dims=(0, 0))(numbers(T, 2)),
    lambda T, vmap: vmap(T.sin, in_dims=[0])(numbers(T, 2)),
    lambda T, vmap: vmap(lambda x: [x, x], out_dims=(0, 1))(numbers(T, 2, 3)),
    lambda T, vmap: vmap(lambda x: [x, x], out_dims=[0, 1])(numbers(T, 2, 3)),
    lambda T, vmap: vmap(lambda x: x[1], in_dims=([0, 0],))((numbers(T, 2), numbers(T, 2))),
    lambda T, vmap: vmap(lambda x: x[1], in_dims=([0, 0],))([numbers(T, 2), numbers(T, 2)]),
    lambda T, vmap: vmap(T.sin, in_dims=None)(numbers(T, 2)),
    lambda T, vmap: vmap(T.sin, in_dims="x")(numbers(T, 2)),
    lambda T, vmap: vmap(T.sin, in_dims=(None,))(numbers(T, 2)),
    lambda T, vmap: vmap(T.sin, in_dims=1)(numbers(T, 2)),
    lambda T, vmap: vmap(T.sin)(T.tensor(1.0)),
    lambda T, vmap: vmap(T.add)(numbers(T, 2), numbers(T, 3)),
    lambda T, vmap: vmap(lambda: T.ones(2))(),
    lambda T, vmap: vmap(lambda x: 2.0)(numbers(T, 2)),
    lambda T, vmap: vmap(lambda x: None)(numbers(T, 2)),
    lambda T, vmap: vmap(lambda x: x, out_dims=None)(numbers(T, 2)),
    lambda T, vmap: vmap(lambda x: x, out_dims=2)(numbers(T, 2, 3)),
    lambda T, vmap: vmap(lambda x: (x, x), out_dims=(0, 0, 0))(numbers(T, 2, 3)),
    lambda T, vmap: vmap(T.sin, randomness="none")(numbers(T, 2)),
    lambda T, vmap: vmap(lambda x: x + T.rand(3))(numbers(T, 2)),
    lambda T, vmap: vmap(lambda x: T.zeros(3).normal_(), randomness="different")(numbers(T, 2)),
    lambda T, vmap: vmap(T.sin, chunk_size=0)(numbers(T, 2)),
    lambda T, vmap: vmap(lambda x: x.sum(), chunk_size=2)(numbers(T, 5, 3)),
    lambda T, vmap: vmap(lambda x: x.sum())(numbers(T, 0, 3)),
    lambda T, vmap: vmap(lambda x: x if x > 0 else -x)(numbers(T, 2)),
    lambda T, vmap: vmap(lambda x: x * x.item())(numbers(T, 2)),
    lambda T, vmap: vmap(lambda x: x[x > 1])(numbers(T, 2, 3)),
    lambda T, vmap: vmap(lambda x: x.nonzero())(numbers(T, 2, 3)),
    lambda T, vmap: vmap(lambda x: T.zeros(3, dtype=T.float64).add_(x))(numbers(T, 2, 3)),
    lambda T, vmap: vmap(lambda x: x.new_zeros(3).add_(x))(numbers(T, 2, 3)),
    lambda T, vmap: vmap(lambda x: T.zeros_like(x).copy_(x).mul_(2))(numbers(T, 2, 3)),
    lambda T, vmap: vmap(lambda x, k: x * k)(numbers(T, 2, 3).float(), numbers(T, 2)),
    lambda T, vmap: vmap(lambda x: x + T.ones((), dtype=T.float64))(numbers(T, 2).float()),
    lambda T, vmap: vmap(lambda x, i: x[i])(numbers(T, 2, 3), T.tensor([0, 2])),
    lambda T, vmap: vmap(lambda x: (x.requires_grad, x * 1)[1])(numbers(T, 2).requires_grad_()),
    lambda T, vmap: vmap(T.nn.BatchNorm1d(3).double())(numbers(T, 2, 5, 3)),
    lambda T, vmap: vmap(T.nn.BatchNorm1d(3, track_running_stats=False).double())(numbers(T, 2, 5, 3)),
]


def parts(result: Any) -> list[Any]:
    if isinstance(result, dict):
        return [y for part in result.values() for y in parts(part)]
    return [y for part in result for y in parts(part)] if isinstance(result, tuple | list) else [result]


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: Callable[[Any, Callable[..., Any]], Any]) -> None:
    theirs = attempt(lambda: form(torch, torch.func.vmap))
    ours = attempt(lambda: form(chainrule, chainrule.func.vmap))
    if isinstance(theirs, Refused) or isinstance(ours, Refused):
        assert isinstance(ours, Refused)
        assert isinstance(theirs, Refused)
        assert isinstance(ours.error, ValueError | IndexError)
        return
    for y, z in zip(parts(ours), parts(theirs), strict=True):
        assert str(y.dtype) == str(z.dtype)
        assert y.requires_grad == z.requires_grad
        np.testing.assert_allclose(y.detach().numpy(), z.detach().numpy(), rtol=1e-6, atol=1e-6)


# -- random programs ---------------------------------------------------------------------------------


def program_of(T: Any, program: list[Any]) -> Callable[..., Any]:
    """A program of `test_inplace_programs.py` as a function of its three tensors."""

    def f(a: Any, b: Any, c: Any) -> Any:
        tensors = [a * 1.0, b * 1.0, c.clone()]
        for step in program:
            x = tensors[step[1]]
            if step[3] is None and step[0] != "compute":
                with T.no_grad():
                    if step[0] == "view":
                        tensors.append(x[..., :1])
                    else:
                        x.mul_(1.25)
            elif step[0] == "view":
                tensors.append(step[3](x))
            elif step[0] == "write":
                step[3](x, tensors[step[4]], T)
            elif step[2] in ("sin", "exp"):
                tensors.append(getattr(T, step[2])(x * 0.3))
            else:
                y = tensors[step[4]]
                tensors.append(x * y if step[2] == "mul" else x + y)
        return sum((t * (k + 1)).sum() for k, t in enumerate(tensors))

    return f


@pytest.mark.parametrize("block", range(5))
def test_random_programs(block: int) -> None:
    """Values, gradients for each row taken inside, and of the sum of all rows taken outside."""
    ran = 0
    for seed in range(60 * block, 60 * (block + 1)):
        program = steps(seed)
        arrays = [np.stack([v, v * 0.9, v + 0.1]) for v in Program(seed).values]
        its, f = program_of(torch, program), program_of(chainrule, program)

        def theirs(its: Callable[..., Any] = its, arrays: Any = arrays) -> Any:
            xs = [torch.from_numpy(a.copy()).requires_grad_(i < 2) for i, a in enumerate(arrays)]
            totals = torch.stack([its(*rows) for rows in zip(*xs, strict=True)])
            return [totals, *torch.autograd.grad(totals.sum(), xs[:2], materialize_grads=True)]

        def inside(f: Callable[..., Any] = f, arrays: Any = arrays) -> Any:
            xs = [chainrule.from_numpy(a.copy()) for a in arrays]
            grads, value = chainrule.func.vmap(chainrule.func.grad_and_value(f, (0, 1)))(*xs)
            return [value, *grads]

        def outside(f: Callable[..., Any] = f, arrays: Any = arrays) -> Any:
            xs = [chainrule.from_numpy(a.copy()).requires_grad_(i < 2) for i, a in enumerate(arrays)]
            totals = chainrule.func.vmap(f)(*xs)
            return [totals, *chainrule.autograd.grad(totals.sum(), xs[:2], materialize_grads=True)]

        wanted = attempt(theirs)
        if isinstance(wanted, Refused):
            continue
        ran += 1
        for found in (inside(), outside()):
            for k, (y, z) in enumerate(zip(found, wanted, strict=True)):
                got, exact = y.detach().numpy(), z.detach().numpy()
                np.testing.assert_allclose(got, exact, rtol=1e-9, atol=1e-12, err_msg=f"{k}, seed {seed}")
    assert ran > 20
