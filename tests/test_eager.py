"""The eager interpreter: its short path gives what its general path gives, and it leaves no state behind.

What the ops compute is tested in `tests/ops`; those tests take the general path, by calling entries. Users
take the short one, by operators and functions: here both are compared, bit for bit.
"""

from __future__ import annotations

import operator
import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.core import memory
from chainrule.core.errors import ArgumentError, ChainruleError, ShapeError
from chainrule.ops import TABLE, Primitive
from chainrule.ops.primitive import ELEMENTWISE

OPERATORS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "floor_divide": operator.floordiv,
    "remainder": operator.mod,
    "pow": operator.pow,
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
    "neg": operator.neg,
    "abs": operator.abs,
    "bitwise_and": operator.and_,
    "bitwise_or": operator.or_,
    "bitwise_xor": operator.xor,
    "bitwise_not": operator.invert,
    "left_shift": operator.lshift,
    "right_shift": operator.rshift,
}
# (the entry, another way to call it): operators, and functions of the package with the entry's name
WAYS = [(TABLE[name], way) for name, way in OPERATORS.items()] + [
    (op, getattr(torch, op.name))
    for op in TABLE.values()
    if op.kind == ELEMENTWISE and hasattr(torch, op.name) and not any(s.settings for s in op.samples)
]
way_ids = [f"{op.name}-{getattr(way, '__module__', '').rpartition('.')[2]}" for op, way in WAYS]
UNARY = [(op, way) for op, way in WAYS if len(op.inputs) == 1]
BINARY = [(op, way) for op, way in WAYS if len(op.inputs) == 2]
KINDS = ["float32", "float64", "float16", "int64", "uint8", "bool"]
SMALL, LARGE = 3, memory.THRESHOLD // 4 + 5


def tensor(kind: str, shape: tuple[int, ...], seed: int = 0) -> Any:
    values = np.random.default_rng(seed).uniform(0.2, 0.9, shape)
    values = values if "float" in kind else values * 10 + 1
    return torch.from_numpy(np.asarray(values).astype(kind))


def outcome(action: Callable[[], Any]) -> tuple[Any, ...]:
    """Everything about a result, or about the refusal."""
    try:
        y = action()
    except ChainruleError as err:
        return type(err), err.summary
    name = None if y.grad_fn is None else y.grad_fn.name
    return y.dtype, tuple(y.shape), y.detach().numpy().tobytes(), y.requires_grad, name


def same(op: Primitive, way: Callable[..., Any], *xs: Any) -> None:
    assert outcome(lambda: way(*xs)) == outcome(lambda: op(*xs))


@pytest.mark.parametrize(("op", "way"), UNARY, ids=[f"{o.name}-{i}" for i, (o, _) in enumerate(UNARY)])
@pytest.mark.parametrize("kind", KINDS)
def test_one_input(op: Primitive, way: Callable[..., Any], kind: str) -> None:
    for shape in [(), (0,), (SMALL,), (2, 1, 3), (LARGE,)]:
        same(op, way, tensor(kind, shape))
    x = tensor(kind, (4, 6))
    for view in (x.T, x[1:, ::2], x[0], x.expand(2, 4, 6)):
        same(op, way, view)


def others(kind: str) -> list[Any]:
    """Right-hand sides for a left-hand side of shape (2, 3)."""
    return [
        tensor(kind, (2, 3), 1),
        tensor(kind, (3,), 1),
        tensor(kind, (2, 1), 1),
        tensor(kind, (), 1),
        tensor(kind, (3, 2), 1).T,
        tensor("float32", (2, 3), 1),
        tensor("float64", (), 1),
        tensor("int64", (3,), 1),
        2,
        0.5,
        True,
        np.float32(0.5),
        np.int64(2),
        tensor(kind, (4,), 1),
        tensor(kind, (3, 3), 1),
        [1.0],
    ]


@pytest.mark.parametrize(("op", "way"), BINARY, ids=[f"{o.name}-{i}" for i, (o, _) in enumerate(BINARY)])
@pytest.mark.parametrize("kind", KINDS)
def test_two_inputs(op: Primitive, way: Callable[..., Any], kind: str) -> None:
    x = tensor(kind, (2, 3))
    for y in others(kind):
        if way in OPERATORS.values():
            if isinstance(y, list):
                continue  # Python says what is wrong there
        elif not isinstance(y, torch.Tensor) and outcome(lambda y=y: way(x, y))[0] is ArgumentError:
            continue  # some functions take tensors only
        if way in (operator.pow, torch.pow) and isinstance(y, int | float | np.number):
            continue  # a power with a number has ways of its own, below
        same(op, way, x, y)


@pytest.mark.parametrize("large", ["left", "right", "both", "together"])
def test_large_inputs(large: str) -> None:
    x = tensor("float32", (LARGE if large in ("left", "both") else 1,))
    y = tensor("float32", (LARGE if large in ("right", "both") else 1,), 1)
    if large == "together":  # two small ones make a large result
        x, y = tensor("float32", (600, 1)), tensor("float32", (600,), 1)
    for op, way in BINARY:
        if "float32" in {d.name for d in op.takes}:
            same(op, way, x, y)


@pytest.mark.parametrize("exponent", [2, 2.0, 1, 0.5, -1, 3, -2, 0, 0.0, True, 1.5])
@pytest.mark.parametrize("kind", ["float32", "float64", "int64"])
def test_powers_with_a_number(kind: str, exponent: Any) -> None:
    x = tensor(kind, (2, 3))
    if kind == "int64" and exponent in (-1, -2):
        with pytest.raises(ChainruleError, match="integers to a negative power"):
            x**exponent
        return
    got = x**exponent
    wanted = TABLE["pow"](x, exponent)
    assert got.dtype is wanted.dtype
    np.testing.assert_allclose(got.numpy(), wanted.numpy(), rtol=3e-7 if kind == "float32" else 1e-15)


DIFFERENTIABLE = [(op, way) for op, way in WAYS if op.differentiable and torch.float64.numpy in op.takes]


@pytest.mark.parametrize(
    ("op", "way"), DIFFERENTIABLE, ids=[f"{o.name}-{i}" for i, (o, _) in enumerate(DIFFERENTIABLE)]
)
def test_gradients(op: Primitive, way: Callable[..., Any]) -> None:
    """Each input in turn needs a gradient, or is a view of one that does, or is read under no_grad."""
    count = len(op.inputs)
    for which in range(1, 1 << count):
        for layout in ("leaf", "view"):
            found = []
            for call in (way, op):
                xs = [tensor("float64", (4, 3), i) for i in range(count)]
                for i, x in enumerate(xs):
                    x.requires_grad_(bool(which >> i & 1))
                given = [x[::2] for x in xs] if layout == "view" else xs
                y = call(*given)
                assert y.requires_grad
                y.sum().backward()
                found.append([None if x.grad is None else x.grad.tolist() for x in xs])
            assert str(found[0]) == str(found[1])  # NaN is equal to NaN
            with torch.no_grad():
                assert not way(*xs).requires_grad


def test_ops_without_a_derivative_are_never_recorded() -> None:
    x = tensor("float32", (3,)).requires_grad_()
    for result in (x == x, x < 1, torch.isnan(x), torch.logical_not(x)):
        assert not result.requires_grad
        assert result.grad_fn is None


def test_reflected_operators() -> None:
    x = tensor("float32", (3,))
    for name in ("add", "sub", "mul", "div", "pow", "floor_divide", "remainder"):
        for number in (2, 0.5):
            got = outcome(lambda name=name, number=number: OPERATORS[name](number, x))
            assert got == outcome(lambda name=name, number=number: TABLE[name](number, x))


def test_arrays_on_either_side() -> None:
    x = tensor("float32", (3,))
    a = np.array([1.0, 2.0, 3.0], np.float32)
    for name in ("add", "sub", "mul", "div", "lt"):
        for got, wanted in (
            (OPERATORS[name](x, a), TABLE[name](x, torch.from_numpy(a))),
            (OPERATORS[name](a, x), TABLE[name](torch.from_numpy(a), x)),
        ):
            assert isinstance(got, torch.Tensor)
            assert torch.equal(got, wanted)


def test_what_is_no_operand_is_left_to_python() -> None:
    class Mine:
        def __radd__(self, other: Any) -> str:
            return "mine"

    assert torch.ones(2) + Mine() == "mine"
    with pytest.raises(TypeError, match="unsupported operand"):
        torch.ones(2) + "text"
    assert (torch.ones(2) == "text") is False


def test_a_number_beyond_the_type_is_infinite() -> None:
    x = torch.ones(1)
    assert (x * 1e300).item() == np.inf
    assert (x + 2**40).item() == 2**40


# -- floating-point exceptions -------------------------------------------------------------------------------


def silent(x: Any) -> None:
    zero = x * 0
    for y in (x / zero, torch.log(zero), torch.exp(x * 1e30), zero / zero, torch.sqrt(-x), x.pow(1e30)):
        assert not torch.isfinite(y).all()


@pytest.mark.parametrize("size", [1, SMALL, LARGE])
@pytest.mark.parametrize("kind", ["float32", "float64", "float16"])
def test_floating_point_exceptions_are_silent(kind: str, size: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        silent(torch.full((size,), 3.0, dtype=getattr(torch, kind)))


def test_numpys_own_settings_stay_as_they_are() -> None:
    before = np.geterr()
    with np.errstate(all="raise"):
        inside = np.geterr()
        silent(torch.full((3,), 3.0))
        with pytest.raises(ShapeError):
            torch.ones(2) + torch.ones(3)
        with pytest.raises(ShapeError):
            TABLE["linear_scan"](torch.ones(2), torch.ones(3), dim=0, reverse=False)
        with pytest.raises(ChainruleError):
            torch.linalg.inv(torch.ones(2, 2))
        assert np.geterr() == inside
        with pytest.raises(FloatingPointError):
            np.ones(1) / np.zeros(1)
    assert np.geterr() == before


def test_exceptions_are_silent_in_other_threads() -> None:
    problems: list[BaseException] = []

    def work() -> None:
        try:
            with np.errstate(all="raise"):
                silent(torch.full((3,), 3.0))
        except BaseException as err:
            problems.append(err)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not problems
