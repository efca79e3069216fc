"""`vmap`: how arguments are cut into rows and results put together, chunks, and every message.

What happens inside is tested in tests/transforms/test_batch.py, functions of all kinds in tests/torch/func/.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import chainrule as torch
from chainrule.func import grad, jvp, mapping, vjp, vmap
from tests.messages import untested


def numbers(*shape: int) -> Any:
    return torch.arange(int(np.prod(shape)), dtype=torch.float64).reshape(*shape)


class Pair(NamedTuple):
    a: Any
    b: Any


# -- arguments ---------------------------------------------------------------------------------------


def test_the_function_sees_one_row() -> None:
    seen = []

    def f(x: Any, y: Any) -> Any:
        seen.append((tuple(x.shape), y.dim(), x.dtype, len(x)))
        return x * y

    out = vmap(f)(numbers(4, 3), numbers(4))
    assert seen == [((3,), 0, torch.float64, 3)]  # once, for all rows
    assert out.tolist() == [[0, 0, 0], [3, 4, 5], [12, 14, 16], [27, 30, 33]]


@pytest.mark.parametrize(("axis", "size"), [(0, 2), (1, 3), (2, 4), (-1, 4), (-3, 2)])
def test_any_axis_can_be_that_of_the_rows(axis: int, size: int) -> None:
    x = numbers(2, 3, 4)
    out = vmap(lambda row: row.sum(1), in_dims=axis)(x)
    wanted = np.moveaxis(x.numpy(), axis, 0).sum(2)
    assert out.shape[0] == size
    assert np.array_equal(out.numpy(), wanted)


def test_an_argument_that_every_row_gets_whole() -> None:
    x, w = numbers(2, 3), numbers(3)
    assert vmap(torch.dot, in_dims=(0, None))(x, w).tolist() == [5, 14]
    assert vmap(torch.dot, in_dims=(None, 0))(w, x).tolist() == [5, 14]
    assert vmap(lambda row, k: row.sum() * k, in_dims=(0, None))(x, 10).tolist() == [30, 120]
    assert vmap(lambda row, *, k: row.sum() * k)(x, k=10).tolist() == [30, 120]  # by name: never cut


def test_nested_arguments_and_axes() -> None:
    state = {"w": numbers(2, 3), "b": numbers(5), "deep": [numbers(3, 2), (numbers(2),)]}

    def f(p: Any, x: Any) -> Any:
        assert tuple(p["w"].shape) == (3,)
        assert tuple(p["b"].shape) == (5,)
        assert tuple(p["deep"][0].shape) == (3,)
        return (p["w"] * p["deep"][0]).sum() + p["b"].sum() + p["deep"][1][0] + x

    dims = ({"w": 0, "b": None, "deep": [1, 0]}, None)
    out = vmap(f, in_dims=dims)(state, 100.0)
    assert out.tolist() == [0 * 0 + 1 * 2 + 2 * 4 + 10 + 0 + 100, 3 * 1 + 4 * 3 + 5 * 5 + 10 + 1 + 100]


def test_named_tuples_and_dicts_come_out_as_they_are() -> None:
    x = numbers(2, 3)
    out = vmap(lambda p: {"sum": p.a + p.b, "pair": Pair(p.a, [p.b])})(Pair(x, x))
    assert out["sum"].tolist() == (2 * x).tolist()
    assert isinstance(out["pair"], Pair)
    assert out["pair"].b[0].tolist() == x.tolist()


@pytest.mark.parametrize("size", [0, 1])
def test_few_rows(size: int) -> None:
    out = vmap(lambda row: (row.sum(), row.outer(row)))(numbers(size, 3))
    assert [tuple(y.shape) for y in out] == [(size,), (size, 3, 3)]


# -- results -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_where_the_rows_stand_in_the_result(axis: int) -> None:
    x = numbers(2, 3, 4)
    out = vmap(lambda row: row * 2, out_dims=axis)(x)
    assert np.array_equal(out.numpy(), np.moveaxis(2 * x.numpy(), 0, axis))


def test_an_axis_for_each_result() -> None:
    x = numbers(2, 3)
    out = vmap(lambda row: (row, {"t": row, "same": torch.ones(2)}), out_dims=(0, {"t": 1, "same": None}))(x)
    assert out[0].tolist() == x.tolist()
    assert out[1]["t"].tolist() == x.T.tolist()
    assert out[1]["same"].tolist() == [1, 1]
    assert vmap(lambda row: row, out_dims=(1,))(x).tolist() == x.T.tolist()


def test_what_is_the_same_for_every_row_is_repeated() -> None:
    out = vmap(lambda row: torch.ones(2))(numbers(3, 1))
    assert out.tolist() == [[1, 1]] * 3
    assert vmap(lambda row: (row, 5, None), out_dims=(0, None, None))(numbers(2, 1))[1:] == (5, None)


def test_rows_of_rows() -> None:
    x, y = numbers(2, 3), numbers(4, 3)
    distances = vmap(lambda a: vmap(lambda b: (a - b).square().sum())(y))(x)
    wanted = ((x.numpy()[:, None] - y.numpy()[None]) ** 2).sum(2)
    assert np.array_equal(distances.numpy(), wanted)
    inner = vmap(vmap(lambda a, b: a * b, in_dims=(0, None)), in_dims=(None, 0), out_dims=1)
    assert np.array_equal(inner(numbers(3), numbers(2)).numpy(), np.outer(range(3), range(2)))


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 10])
def test_chunks(chunk: int) -> None:
    calls = []

    def f(row: Any, whole: Any) -> Any:
        calls.append(row)
        return row.cumsum(0), whole.sum(), 3

    x = numbers(2, 7)
    many = vmap(f, in_dims=(1, None), out_dims=(1, 0, None), chunk_size=chunk)
    sums, totals, three = many(x, numbers(2))
    assert len(calls) == -(-7 // chunk)
    assert np.array_equal(sums.numpy(), np.cumsum(x.numpy(), 0))
    assert totals.tolist() == [1] * 7
    assert three == 3


def test_chunks_can_be_differentiated() -> None:
    x = numbers(5, 2).requires_grad_()
    vmap(lambda row: (row**3).sum(), chunk_size=2)(x).sum().backward()
    assert np.array_equal(x.grad.numpy(), 3 * x.detach().numpy() ** 2)


def test_the_name_of_the_function_stays() -> None:
    def distance(x: Any) -> Any:
        """How far."""
        return x

    assert vmap(distance).__name__ == "distance"
    assert vmap(distance).__doc__ == "How far."


# -- with derivatives --------------------------------------------------------------------------------


def test_a_gradient_for_each_row() -> None:
    w, x = numbers(3), numbers(4, 3)
    g = vmap(grad(lambda w, row: (row @ w) ** 2), in_dims=(None, 0))(w, x)
    assert not g.requires_grad
    assert np.array_equal(g.numpy(), 2 * (x.numpy() @ w.numpy())[:, None] * x.numpy())


def test_jacobians_by_either_mode() -> None:
    a, x = numbers(2, 3), numbers(3)

    def f(x: Any) -> Any:
        return (a @ x).square()

    wanted = 2 * (a.numpy() @ x.numpy())[:, None] * a.numpy()
    _, pull = vjp(f, x)
    assert np.array_equal(vmap(pull)(torch.eye(2, dtype=torch.float64))[0].numpy(), wanted)
    columns = vmap(lambda v: jvp(f, (x,), (v,))[1], out_dims=1)(torch.eye(3, dtype=torch.float64))
    assert np.array_equal(columns.numpy(), wanted)


def test_derivatives_of_a_mapped_function() -> None:
    x = numbers(3, 2)

    def cubes(x: Any) -> Any:
        return vmap(lambda row: (row**3).sum())(x)

    assert np.array_equal(grad(lambda x: cubes(x).sum())(x).numpy(), 3 * x.numpy() ** 2)
    assert jvp(cubes, (x,), (torch.ones_like(x),))[1].tolist() == (3 * x.numpy() ** 2).sum(1).tolist()
    again = grad(lambda x: vmap(grad(lambda row: (row**3).sum()))(x).square().sum())
    assert np.array_equal(again(x).numpy(), 2 * 3 * x.numpy() ** 2 * 6 * x.numpy())


def test_compiled() -> None:
    step = torch.compile(lambda w, x: vmap(grad(lambda w, row: (row @ w) ** 2), in_dims=(None, 0))(w, x))
    w = numbers(3)
    for x in (numbers(4, 3), numbers(4, 3) + 1):
        g = step(w, x)
        np.testing.assert_allclose(g.numpy(), 2 * (x.numpy() @ w.numpy())[:, None] * x.numpy())


# -- messages ----------------------------------------------------------------------------------------

X = numbers(2, 3)

REFUSALS: list[tuple[Any, str]] = [
    (
        lambda: vmap(torch.sin, randomness="none"),
        "vmap got randomness='none'\n  it must be 'error', 'different' or 'same'",
    ),
    (
        lambda: vmap(torch.sin, chunk_size=0),
        "vmap got chunk_size=0\n  it is None or the most rows to run at once",
    ),
    (
        lambda: vmap(torch.sin, in_dims=None),
        "vmap got in_dims=None\n  it must be an axis, or a tuple with an axis or None for each argument\n"
        "  try: in_dims=0",
    ),
    (
        lambda: vmap(torch.sin, in_dims=(0, 0))(X),
        "vmap got in_dims=(0, 0) for (x,)\n  in_dims must be nested as the arguments; an axis or None may "
        "stand for a whole part\n  try: in_dims=0 for all",
    ),
    (
        lambda: vmap(lambda p, y: y, in_dims=({"a": 0, "c": 0}, 0))({"a": X, "b": [X]}, X),
        "vmap got in_dims=({'a': 0, 'c': 0}, 0) for ({'a': x, 'b': [x]}, x)\n  in_dims must be nested as the "
        "arguments; an axis or None may stand for a whole part\n  try: in_dims=0 for all",
    ),
    (
        lambda: vmap(torch.add)(X, 2.0),
        "vmap got in_dims=0 for 2.0, which is no tensor\n  only tensors have rows\n"
        "  try: in_dims=None in its place: every row gets it whole",
    ),
    (
        lambda: vmap(torch.sin, in_dims=2)(X),
        "vmap got in_dims=2 for a tensor (2, 3)\n  the axis must lie in [-2, 1]",
    ),
    (
        lambda: vmap(torch.add)(X, torch.tensor(1.0)),
        "vmap got in_dims=0 for a tensor ()\n  a 0-d tensor has no rows\n"
        "  try: in_dims=None in its place: every row gets it whole",
    ),
    (
        lambda: vmap(lambda: X)(),
        "vmap got a call without arguments\n  there must be rows to map over: one positional argument at "
        "least has an axis in in_dims",
    ),
    (
        lambda: vmap(torch.sin, in_dims=(None,))(X),
        "vmap got in_dims that map none of the arguments\n  there must be rows to map over: one positional "
        "argument at least has an axis in in_dims\n  try: in_dims=0 for what is to be cut into rows",
    ),
    (
        lambda: vmap(torch.add, in_dims=(0, 1))(X, numbers(5, 3)),
        "vmap got (2, 3) with 2 rows along axis 0, (5, 3) with 3 rows along axis 1\n"
        "  all mapped arguments must have as many rows",
    ),
    (
        lambda: vmap(lambda row: 3.0)(X),
        "vmap got a function that returns a float\n  it must return a tensor, or tuples, lists and dicts of "
        "tensors\n  try: out_dims=None in its place: it is the same for every row",
    ),
    (
        lambda: vmap(lambda row: (row, None))(X),
        "vmap got a function that returns None in a tuple\n  it must return a tensor, or tuples, lists and "
        "dicts of tensors\n  try: out_dims=None in its place: it is the same for every row",
    ),
    (
        lambda: vmap(lambda row: row, out_dims=None)(X),
        "vmap got out_dims=None for a result (3,) that differs from row to row\n"
        "  without an axis for the rows there is room for one only\n  try: out_dims=0",
    ),
    (
        lambda: vmap(lambda row: row, out_dims=2)(X),
        "vmap got out_dims=2 for rows (3,)\n"
        "  with the axis of the rows a result has 2: out_dims must lie in [-2, 1]",
    ),
    (
        lambda: vmap(lambda row: (row, [row]), out_dims=(0, 0, 0))(X),
        "vmap got out_dims=(0, 0, 0) for (x, [x])\n  out_dims must be nested as what the function returns; "
        "an axis or None may stand for a whole part\n  try: out_dims=0 for all",
    ),
]


@pytest.mark.parametrize(("action", "text"), REFUSALS)
def test_messages(action: Any, text: str) -> None:
    with pytest.raises(torch.ChainruleError) as err:
        action()
    assert err.value.summary == text
    assert isinstance(err.value, ValueError | IndexError)


def test_every_message_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not untested([Path(mapping.__file__)], [action for action, _ in REFUSALS], monkeypatch)
