"""Inside of vmap: writes, views, both tapes, draws, indices of rows, refusals, and that it leaves nothing.

The reference is the same function, called row by row.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import eager
from chainrule.func import VmapError, functional_call, grad, jvp, stack_module_state, vmap
from chainrule.nn import functional as F
from chainrule.ops import TABLE
from chainrule.ops.primitive import levels
from chainrule.transforms import batch, operation, rows
from tests.messages import untested
from tests.sites import line


def numbers(*shape: int) -> Any:
    return torch.from_numpy(np.random.default_rng(7).normal(size=shape))


def loop(f: Callable[..., Any], *xs: Any) -> Any:
    return torch.stack([f(*rows) for rows in zip(*xs, strict=True)])


def same(x: Any, y: Any) -> None:
    assert x.dtype == y.dtype
    np.testing.assert_allclose(x.detach().numpy(), y.detach().numpy(), rtol=1e-12, atol=1e-13)


def agrees(f: Callable[..., Any], *xs: Any) -> None:
    """Value, gradient inside, gradient outside, and compiled: as row by row."""
    same(vmap(f)(*xs), loop(f, *xs))
    inside = grad(lambda x, *rest: f(x, *rest).square().sum())
    same(vmap(inside)(*xs), loop(inside, *xs))
    found = []
    for many in (vmap(f), lambda *rows: loop(f, *rows)):
        x = xs[0].clone().requires_grad_()
        many(x, *xs[1:]).square().sum().backward()
        found.append(x.grad)
    same(*found)
    same(torch.compile(vmap(f))(*xs), loop(f, *xs))
    twice = [torch.stack([x, x + 1 if x.is_floating_point() else x]) for x in xs]
    same(vmap(vmap(f))(*twice), loop(lambda *rows: loop(f, *rows), *twice))


# -- writes and views --------------------------------------------------------------------------------


def test_writes_into_what_the_function_made() -> None:
    def f(x: Any) -> Any:
        y = x.clone()
        y[0] = 5
        y[1:] += x[:2]
        y.mul_(2)
        y.view(3)[2] = x.sum()
        y.sin_()
        return y

    agrees(f, numbers(4, 3))


def test_writes_through_views_are_seen_by_all() -> None:
    def f(x: Any) -> Any:
        y = x * 1
        a, b = y.t(), y[1:]
        a[0] = y[0, 1] * 2
        b *= a[1, 1].clone()
        return y + a.t() + y.diagonal().sum()

    agrees(f, numbers(3, 2, 2))


def test_a_tensor_made_like_a_row_has_rows() -> None:
    def f(x: Any) -> Any:
        made = [torch.zeros_like(x), torch.ones_like(x), torch.full_like(x, 2), x.new_zeros(3), x.new_ones(3)]
        made += [x.new_full((3,), 4.0), torch.empty_like(x).copy_(x), x.new_empty(3).zero_()]
        for i, y in enumerate(made):
            y[i % 3] = x[0] * i
        return torch.stack(made).sum(0)

    agrees(f, numbers(4, 3))


def test_a_mapped_argument_is_written_in_place() -> None:
    x = numbers(4, 3)
    before = x.clone()
    vmap(lambda row: row.add_(row[0].clone()))(x)
    same(x, before + before[:, :1])


def test_a_tensor_from_outside_is_written_once() -> None:
    count, x = torch.zeros(2), numbers(4, 3)
    vmap(lambda row: count.add_(1) * row[0])(x)
    assert count.tolist() == [1, 1]


def test_writes_are_noticed_by_backward() -> None:
    def f(x: Any) -> Any:
        y = x.exp()
        z = y.sum()
        y.zero_()
        return z

    with pytest.raises(torch.GradError) as err:
        vmap(grad(f))(numbers(4, 3))
    assert err.value.summary.startswith(
        "backward through exp(x) (recorded at tests/transforms/test_batch.py:"
    )


# -- types -------------------------------------------------------------------------------------------


def test_a_number_of_each_row_promotes_as_a_number() -> None:
    x, k = torch.ones(2, 3), torch.ones(2, dtype=torch.float64)
    assert vmap(torch.mul)(x, k).dtype is torch.float32  # 0-d in each row
    assert (x * k[:, None]).dtype is torch.float64
    assert vmap(torch.mul)(x.long(), k).dtype is torch.float64
    assert vmap(lambda x: x * 2.5)(torch.arange(3)).dtype is torch.float32


# -- indices -----------------------------------------------------------------------------------------

MANY, ONE = numbers(4, 3, 2, 5), torch.tensor([0, 2, 1, -1])
TWO = torch.tensor([[0, 1], [1, 1], [0, 0], [1, 0]])
FIXED = torch.tensor([0, 4, 2])


@pytest.mark.parametrize(
    "key",
    [
        lambda i, d: i,
        lambda i, d: (i, d),
        lambda i, d: (i, slice(None), FIXED),
        lambda i, d: (i, None, slice(None), FIXED),
        lambda i, d: (slice(None), d, i),
        lambda i, d: (i, ..., slice(1, 3)),
        lambda i, d: (..., i),
        lambda i, d: (slice(None), slice(None), d),
        lambda i, d: (d, slice(None), d),
        lambda i, d: (torch.tensor([0, 2]), d),
    ],
)
def test_an_index_of_its_own_for_each_row(key: Any) -> None:
    found = vmap(lambda t, i, d: t[key(i, d)])(MANY, ONE, TWO)
    same(found, loop(lambda t, i, d: t[key(int(i), d)], MANY, ONE, TWO))

    def put(t: Any, i: Any, d: Any) -> Any:
        t = t.clone()
        t[key(i, d)] = 7.0
        t[key(i, d)] += t.sum()
        return t

    same(vmap(put)(MANY, ONE, TWO), loop(lambda t, i, d: put(t, int(i), d), MANY, ONE, TWO))
    whole = vmap(lambda i, d: MANY[0][key(i, d)])(ONE, TWO)
    same(whole, loop(lambda i, d: MANY[0][key(int(i), d)], ONE, TWO))


def test_an_index_that_is_not_there() -> None:
    with pytest.raises(IndexError) as err:
        vmap(lambda x, i: x[i])(numbers(2, 3), torch.tensor([0, 3]))
    assert str(err.value) == (
        f"x[...] got index 3 for axis 1 of a tensor (2, 3)\n  every index must lie in [-3, 2]\n  at {line(2)}"
    )
    assert err.value.__notes__ == ["  (inside vmap: all 2 rows are there, along one more axis, the first)"]


# -- two tapes ---------------------------------------------------------------------------------------


def test_gradients_inside_outside_and_both() -> None:
    agrees(lambda x: (x.sin() * x.sum()).cumsum(0), numbers(3, 4))
    w = numbers(4).requires_grad_()

    def f(x: Any) -> Any:
        return (x * w).tanh().sum()

    x = numbers(3, 4)
    vmap(grad(f))(x).square().sum().backward()  # by w: through the gradients by x
    mine, w.grad = w.grad, None
    loop(grad(f), x).square().sum().backward()
    same(mine, w.grad)
    each = vmap(lambda row: torch.autograd.grad(f(row), w)[0])(x)  # of each row, by what all rows share
    same(each, loop(lambda row: torch.autograd.grad(f(row), w)[0], x))


def test_a_leaf_made_inside_collects_its_gradient() -> None:
    def f(x: Any) -> Any:
        x = x.clone().requires_grad_()
        (x**3).sum().backward()
        (x**2).sum().backward()
        return x.grad

    x = numbers(3, 2)
    same(vmap(f)(x), 3 * x**2 + 2 * x)


def test_what_is_not_asked_for_is_not_recorded() -> None:
    w, x = numbers(3), numbers(4, 3)
    assert not vmap(grad(lambda w, x: (w * x).sum()), in_dims=(None, 0))(w, x).requires_grad
    assert not vmap(lambda x: x * w)(x).requires_grad
    assert vmap(lambda x: x * w)(x.requires_grad_()).requires_grad
    with torch.no_grad():
        assert not vmap(lambda x: x * w)(x).requires_grad


def test_detached_rows_are_off_both_tapes() -> None:
    x = numbers(4, 3).requires_grad_()
    vmap(lambda row: (row * row.detach() * row.data).sum())(x).sum().backward()
    same(x.grad, x.detach() ** 2)
    same(vmap(grad(lambda row: (row * row.detach()).sum()))(x), x)


def test_tangents_go_through() -> None:
    x, v = numbers(4, 3), numbers(4, 3)

    def f(x: Any) -> Any:
        y = x.clone()
        y[1] = x.sum()
        return y.exp()

    same(jvp(vmap(f), (x,), (v,))[1], loop(lambda x, v: jvp(f, (x,), (v,))[1], x, v))
    same(vmap(lambda x, v: jvp(f, (x,), (v,))[1])(x, v), loop(lambda x, v: jvp(f, (x,), (v,))[1], x, v))


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any, w: Any) -> Any:
        y = x**3 * w
        ctx.save_for_backward(x, w, y)
        ctx.save_for_forward(x, w)
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, w, y = ctx.saved_tensors
        return (g * 3 * x**2 * w if ctx.needs_input_grad[0] else None), g * y / w

    @staticmethod
    def jvp(ctx: Any, tx: Any, tw: Any) -> Any:
        x, w = ctx.saved_tensors
        return 3 * x**2 * w * tx


def test_operations_of_the_user() -> None:
    x, w = numbers(4, 3), numbers(3).abs() + 1
    agrees(lambda x: Cube.apply(x, w), x)
    leaf = w.clone().requires_grad_()
    vmap(Cube.apply, in_dims=(0, None))(x, leaf).sum().backward()
    same(leaf.grad, (x**3).sum(0))
    same(jvp(lambda x: vmap(Cube.apply, in_dims=(0, None))(x, w), (x,), (x,))[1], 3 * x**3 * w)
    twice = grad(lambda x: vmap(grad(lambda row: Cube.apply(row, w).sum()))(x).sum())
    same(twice(x), 6 * x * w)


class Two(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        order = x.argsort()
        ctx.mark_non_differentiable(order)
        ctx.save_for_backward(x)
        return x * 2, order, torch.ones(2), x.sum()

    @staticmethod
    def backward(ctx: Any, g: Any, order: Any, ones: Any, total: Any) -> Any:
        return 2 * g + total


def test_an_operation_with_several_results() -> None:
    def f(x: Any) -> Any:
        double, order, ones, total = Two.apply(x)
        return double * total + order + ones.sum()

    agrees(f, numbers(4, 3))


# -- random numbers ----------------------------------------------------------------------------------


def test_draws_of_each_row() -> None:
    x = torch.zeros(5, 3)
    for draw in (
        lambda row: torch.rand(3),
        lambda row: torch.randn_like(row),
        lambda row: row.clone().normal_(),
        lambda row: torch.randint(0, 1000, (3,)).float(),
        lambda row: torch.bernoulli(row + 0.5) * torch.rand(3),
        lambda row: torch.normal(row, 1.0),
    ):
        torch.manual_seed(1)
        different = vmap(draw, randomness="different")(x)
        assert len({tuple(row) for row in different.tolist()}) == 5
        torch.manual_seed(1)
        equal = vmap(draw, randomness="same")(x)
        assert len({tuple(row) for row in equal.tolist()}) == 1
        torch.manual_seed(1)
        assert equal[0].tolist() == draw(x[0]).tolist()


def test_permutations_of_each_row() -> None:
    orders = vmap(lambda row: torch.randperm(50), randomness="different")(torch.zeros(4))
    assert orders.dtype is torch.int64
    assert all(sorted(order) == list(range(50)) for order in orders.tolist())
    assert len({tuple(order) for order in orders.tolist()}) == 4


def test_draws_in_nested_vmaps() -> None:
    def both(outer: str, inner: str) -> Any:
        f = vmap(lambda x: x + torch.rand(()), randomness=inner)
        return vmap(f, randomness=outer)(torch.zeros(3, 4))

    assert len(set(both("different", "different").flatten().tolist())) == 12
    rows = both("different", "same")
    assert len({x for row in rows.tolist() for x in row}) == 3
    columns = both("same", "different")
    assert len(set(columns.flatten().tolist())) == 4
    with pytest.raises(VmapError):
        both("error", "same")
    with pytest.raises(VmapError):
        both("different", "error")


def test_draws_are_the_same_compiled() -> None:
    f = vmap(lambda row: row + torch.rand(3) * torch.randn(()), randomness="different")
    g, x = torch.compile(f), torch.zeros(4, 3)
    torch.manual_seed(3)
    wanted = [f(x), f(x)]
    torch.manual_seed(3)
    for y in wanted:
        np.testing.assert_allclose(g(x).numpy(), y.numpy(), rtol=1e-6)


def test_dropout() -> None:
    x = torch.ones(6, 50)
    different = vmap(F.dropout, randomness="different")(x)
    assert set(different.flatten().tolist()) == {0, 2}
    assert len({tuple(row) for row in different.tolist()}) == 6
    assert len({tuple(row) for row in vmap(F.dropout, randomness="same")(x).tolist()}) == 1


# -- modules -----------------------------------------------------------------------------------------


def test_many_models_at_once() -> None:
    models = [
        torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.ReLU(), torch.nn.Linear(5, 1)) for _ in "abc"
    ]
    parameters, _ = stack_module_state(models)
    x = torch.rand(7, 3)
    out = vmap(lambda p: functional_call(models[0], p, x))(parameters)
    np.testing.assert_allclose(out.detach().numpy(), [m(x).detach().numpy() for m in models], rtol=1e-5)
    out.square().sum().backward()
    for i, model in enumerate(models):
        model(x).square().sum().backward()
        for name, p in model.named_parameters():
            np.testing.assert_allclose(parameters[name].grad[i].numpy(), p.grad.numpy(), rtol=1e-4, atol=1e-6)


def test_gradients_of_each_sample() -> None:
    model = torch.nn.Sequential(torch.nn.Linear(3, 5), torch.nn.Tanh(), torch.nn.Linear(5, 2)).double()
    state = {name: p.detach() for name, p in model.named_parameters()}
    x, y = numbers(6, 3), torch.tensor([0, 1, 1, 0, 1, 0])

    def loss(state: Any, x: Any, y: Any) -> Any:
        return F.cross_entropy(functional_call(model, state, x), y)

    found = vmap(grad(loss), in_dims=(None, 0, 0))(state, x, y)
    for name in state:
        same(found[name], torch.stack([grad(loss)(state, a, b)[name] for a, b in zip(x, y, strict=True)]))


def test_normalisation() -> None:
    x = numbers(3, 8, 2)
    free = torch.nn.BatchNorm1d(2, track_running_stats=False).double()
    agrees(lambda row: free(row), x)
    still = torch.nn.BatchNorm1d(2).double().eval()
    agrees(lambda row: still(row), x)


# -- what is refused, and what stays -------------------------------------------------------------------

X = numbers(2, 3)
SHARED = torch.zeros(3, dtype=torch.float64)
LEAF = torch.ones(3, dtype=torch.float64, requires_grad=True)

_ROWS = " got a tensor inside vmap, which stands for all rows at once\n"
_ONCE = "  each row has its own value there, and the function runs once for all of them\n"
_LATER = "  try: compute with the tensor itself, and read values after vmap"
_DIFFER = " got values that differ from row to row, for a tensor {} that all rows share\n"
_OWN = (
    "  one tensor cannot hold all rows\n  try: x = x + y, which makes a new tensor; or a tensor of its own "
    "for each row, by zeros_like(y), y.new_zeros(...) or y.clone()"
)


def _reading(what: str, read: Any, hint: str = _LATER) -> tuple[Any, str]:
    return lambda: vmap(read)(X), what + _ROWS + _ONCE + hint


def _set(x: Any, key: Any, value: Any) -> Any:
    x[key] = value
    return x


def _kept() -> Any:
    kept: list[Any] = []
    vmap(lambda row: (kept.append(row), row)[1])(X)
    return kept[0]


REFUSALS: list[tuple[Any, str]] = [
    _reading("item()", lambda x: x.sum().item()),
    _reading("float(x)", lambda x: x * float(x[0])),
    _reading("tolist()", lambda x: x.tolist()),
    _reading("numpy()", lambda x: x.numpy()),
    _reading("numpy()", lambda x: np.asarray(x)),
    _reading("numpy.sin", lambda x: np.sin(x._a)),
    _reading("an index", lambda x: [1, 2, 3][x.long()[0]]),
    _reading("storage_offset()", lambda x: x.storage_offset()),
    _reading("data_ptr()", lambda x: x.data_ptr()),
    _reading("DLPack", lambda x: np.from_dlpack(x)),
    _reading("f'{x:.2f}'", lambda x: f"{x:.2f}"),
    _reading("x.data = y", lambda x: setattr(x, "data", SHARED)),
    _reading("numpy.unique", lambda x: x.unique()),
    _reading(
        "if x, bool(x)",
        lambda x: x if x.sum() > 0 else -x,
        "  try: torch.where(condition, a, b) instead of if: it chooses for each row by itself",
    ),
    _reading(
        "x[mask]",
        lambda x: x[x > 0],
        "  try: torch.where(mask, x, 0): how many elements a mask takes would differ from row to row",
    ),
    (lambda: vmap(lambda x: SHARED.add_(x))(X), "in-place x + y" + _DIFFER.format("(3,)") + _OWN),
    (
        lambda: vmap(lambda x: _set(torch.zeros(2), 0, x[0]))(X),
        "in-place x[...] = y" + _DIFFER.format("()") + _OWN,
    ),
    (
        lambda: vmap(lambda x: (x * LEAF).sum().backward())(X),
        "backward inside vmap got a gradient that differs from row to row, for a leaf (3,) that they share\n"
        "  it has no place in .grad of one tensor\n  try: torch.func.grad of the function inside vmap, which "
        "returns the gradient of each row; or backward() outside, for their sum",
    ),
    (
        lambda: vmap(lambda x: x + torch.rand(3))(X),
        "a random number got a function mapped by vmap with randomness='error', which is the default\n"
        "  it must be said whether rows have numbers of their own\n"
        "  try: vmap(..., randomness='different'); or 'same', for the same numbers in every row",
    ),
    (
        lambda: vmap(lambda i: TABLE["random_permutation"](i, i, n=3))(torch.arange(3)),
        "permutation(seed, block) got inputs that differ from row to row, inside vmap\n"
        "  its inputs must be the same for every row",
    ),
    (
        lambda: _kept() + 1,
        "an operation got a row of vmap, outside of it\n  inside it stands for all rows at once; here it "
        "means nothing\n  try: return it from the mapped function",
    ),
    (
        lambda: vmap(lambda x: x + _kept())(X),
        "an operation got a row of vmap, outside of it\n  inside it stands for all rows at once; here it "
        "means nothing\n  try: return it from the mapped function",
    ),
    (
        lambda: _kept().detach(),
        "an operation got a row of vmap, outside of it\n  inside it stands for all rows at once; here it "
        "means nothing\n  try: return it from the mapped function",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("action", "text"), REFUSALS)
def test_messages(action: Any, text: str) -> None:
    with pytest.raises(VmapError) as err:
        action()
    assert err.value.summary == text
    assert SHARED.tolist() == [0, 0, 0]
    assert LEAF.grad is None


def test_every_message_is_tested(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not untested(
        [Path(m.__file__) for m in (batch, rows, operation)], [action for action, _ in REFUSALS], monkeypatch
    )


def test_shapes_that_do_not_fit_are_those_of_rows() -> None:
    with pytest.raises(torch.ShapeError) as err:
        vmap(lambda x: x + torch.ones(4))(numbers(2, 3))
    assert str(err.value).startswith("x + y got shapes (3,) and (4,)\n")


def test_a_row_can_be_printed() -> None:
    shown: list[str] = []
    vmap(lambda x: (shown.extend([repr(x), f"{x}"]), x)[1])(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    assert shown == ["a row (2,) of 2 in\ntensor([[1., 2.],\n        [3., 4.]])"] * 2


def test_layout_is_that_of_the_row() -> None:
    seen = []

    def look(x: Any) -> Any:
        seen.append((x.stride(), x.stride(0), x.is_contiguous(), x.contiguous() is x))
        return x.contiguous()

    vmap(look)(torch.zeros(2, 3, 4))
    vmap(look, in_dims=2)(torch.zeros(2, 3, 4))
    assert seen == [((4, 1), 4, True, True), ((12, 4), 12, False, False)]


def test_an_error_in_the_middle_leaves_nothing_behind() -> None:
    before = eager.special, levels.stack

    def fails(x: Any) -> Any:
        vmap(lambda y: y * 2)(x)
        raise KeyError("stop")

    with pytest.raises(KeyError):
        vmap(vmap(fails))(numbers(2, 3, 4))
    assert (eager.special, levels.stack) == before
    assert vmap(lambda x: x.sum())(torch.ones(2, 3)).tolist() == [3, 3]
