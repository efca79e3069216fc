"""Every elementwise entry of the table as native code, against its NumPy rule: all types, lanes, special
values.

Exact operations must agree bit for bit; which zero the larger of 0.0 and -0.0 is, is left open, as in NumPy
(its answer depends on the processor and on the place in the array). Functions that round inside are allowed
2 ulp from the NumPy rule evaluated in a wider type. How exact they are everywhere is in `vmath/`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from llvmlite import ir

from chainrule.core import dtypes
from chainrule.core.dtypes import BOOL, FLOAT, dtype
from chainrule.executors.cpu.emit import Emitter
from chainrule.executors.cpu.values import V, element_type
from chainrule.executors.cpu.vmath.registry import Math
from chainrule.ops.primitive import ELEMENTWISE, TABLE, USE_NUMPY, Primitive
from tests.executors.cpu.native import Native
from tests.executors.cpu.ulp import ulps

Array = np.ndarray[Any, Any]

LANES = (1, 4, 16)
OPS = [op for op in TABLE.values() if op.kind == ELEMENTWISE and op.lower is not USE_NUMPY]
WITHOUT = {"erfinv", "lgamma", "digamma", "polygamma"}  # seldom inside of a training step
INTEGER_DIVISIONS = {"floor_divide", "remainder", "fmod"}
EITHER_ZERO = {"maximum", "minimum", "relu", "clamp"}
EXACT_OR_ROUNDED_TWICE = {"sqrt", "rsqrt"}


def rounds(op: Primitive) -> bool:
    """Whether the value need not be NumPy's to the last bit."""
    return (
        op.dtype.floating and op.name not in {"div", "reciprocal", *EXACT_OR_ROUNDED_TWICE}
    ) or op.name in {
        "pow",
        "logaddexp",
    }


def values(kind: dtype, many: bool) -> Array:
    """Numbers of a type: its ends, both zeros, what is special, and ordinary ones; fewer for pairs."""
    if kind.category == BOOL:
        return np.array([False, True])
    rng = np.random.default_rng(len(kind.name))
    if kind.category != FLOAT:
        info = np.iinfo(kind.numpy)
        whole = {int(info.min), int(info.min) + 1, int(info.max), int(info.max) // 2, -64, -7, -3, -2, -1}
        whole |= {0, 1, 2, 3, 5, 7, 8, 31, 63, 64, 100}
        return np.array(sorted(v for v in whole if info.min <= v <= info.max), kind.numpy)
    limits = np.finfo(kind.numpy)
    special = [
        0.0,
        np.inf,
        limits.max,
        limits.tiny,
        limits.smallest_subnormal,
        limits.eps,
        1,
        0.5,
        1.5,
        2.5,
        3,
    ]
    ordinary = np.concatenate([rng.normal(size=11), 10 * rng.normal(size=9), rng.uniform(-90, 90, 9)])
    positive = np.array([*special, *ordinary[: None if many else 12], 88.5, 0.999, 1e-3, 1000.25])
    return np.array([*positive, *-positive, np.nan]).astype(kind.numpy)


def cases() -> Iterator[Any]:
    for op in OPS:
        for settings in {repr(s.settings): s.settings for s in op.samples}.values():
            for kind in dtypes.ALL:
                takes = op.dtype.takes(kind) and not (op.dtype.counting and kind.category == BOOL)
                if op.name in INTEGER_DIVISIONS and kind.category != FLOAT:
                    continue  # by known numbers only: the next test
                if takes and not (op.dtype.apart and kind.category == BOOL):
                    yield pytest.param(op, settings, kind, id=f"{op.name}{settings or ''}-{kind.name}")


def inputs_of(op: Primitive, kind: dtype) -> list[Array]:
    """Arrays of one length: all pairs (and both conditions) of the type's values."""
    column = values(kind, many=len(op.inputs) == 1)
    columns = [np.array([False, True])] * op.dtype.first + [column] * (len(op.inputs) - op.dtype.first)
    return [
        np.array(c, a.dtype)
        for c, a in zip(zip(*itertools.product(*columns), strict=True), columns, strict=True)
    ]


def wanted(op: Primitive, arrays: list[Array], settings: dict[str, Any]) -> Array:
    with np.errstate(all="ignore"):
        return np.asarray(op.numpy(*arrays, **settings))


def compare(op: Primitive, got: Array, arrays: list[Array], settings: dict[str, Any]) -> None:
    plain = wanted(op, arrays, settings)
    assert got.dtype == plain.dtype
    assert got.shape == plain.shape
    if not rounds(op) or got.dtype.kind != "f":
        same = (got == plain) | ((got != got) & (plain != plain))
        if got.dtype.kind == "f" and op.name not in EITHER_ZERO:
            same &= (np.signbit(got) == np.signbit(plain)) | np.isnan(plain)
        wrong = np.flatnonzero(~same)
        assert not wrong.size, [(*(a[k] for a in arrays), got[k], plain[k]) for k in wrong[:5]]
        return
    wider = {2: np.float32, 4: np.float64, 8: np.longdouble}[got.dtype.itemsize]
    try:
        exact = wanted(op, [a.astype(wider) if a.dtype.kind == "f" else a for a in arrays], settings)
    except TypeError:  # NumPy has no such function for long double: its own result must be exact enough
        exact = plain
    around = None
    if op.name == "logaddexp":  # the larger input and what is added to it may cancel, as in the NumPy rule
        around = np.maximum(np.abs(np.maximum(*arrays)), 1).astype(wider)
    away = ulps(got, exact, around)
    other_zero = (exact == 0) & (got == 0) & (np.signbit(got) != np.signbit(exact))
    wrong = np.flatnonzero((away > 2) | other_zero)
    assert not wrong.size, [(*(a[k] for a in arrays), got[k], exact[k], away[k]) for k in wrong[:5]]


def test_which_entries_have_no_native_code() -> None:
    assert {op.name for op in TABLE.values() if op.kind == ELEMENTWISE and op.lower is USE_NUMPY} == WITHOUT


@pytest.mark.parametrize(("op", "settings", "kind"), list(cases()))
def test_values(op: Primitive, settings: dict[str, Any], kind: dtype) -> None:
    arrays = inputs_of(op, kind)
    if len(arrays[0]) % 16 == 0:  # there must be a rest to be masked
        arrays = [a[:-1] for a in arrays]
    types = [dtypes.FROM_NUMPY[a.dtype] for a in arrays]
    compiled = Native(lambda b, *xs: op.lower(b, *xs, **settings), types, LANES)
    for lanes in LANES:
        compare(op, compiled(*arrays, lanes=lanes), arrays, settings)


@pytest.mark.parametrize(
    "kind", [d for d in dtypes.ALL if d.category == dtypes.INTEGER], ids=lambda d: d.name
)
@pytest.mark.parametrize("name", sorted(INTEGER_DIVISIONS))
def test_integers_divided_by_a_number(name: str, kind: dtype) -> None:
    op, column = TABLE[name], values(kind, many=True)
    for y in (1, 2, 3, 7, 100, *((-1, -2, -7) if kind.is_signed else ())):
        compiled = Native(lambda b, x, y=y: op.lower(b, x, y), [kind], LANES)
        for lanes in LANES:
            compare(op, compiled(column, lanes=lanes), [column, np.full_like(column, y)], {})


@pytest.mark.parametrize("name", sorted(INTEGER_DIVISIONS))
def test_integer_divisions_that_may_have_to_raise_an_error_are_left_to_numpy(name: str) -> None:
    module = ir.Module("test")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [element_type(dtypes.int32)] * 2), "f")
    b = Emitter(ir.IRBuilder(function.append_basic_block()), 1, Math(module))
    x, y = (V(a, dtypes.int32) for a in function.args)
    lower = TABLE[name].lower
    assert lower(b, x, y) is NotImplemented
    assert lower(b, x, 0) is NotImplemented
    assert lower(b, x, b.const(0, dtypes.int32)) is NotImplemented
    assert lower(b, 7, y) is NotImplemented
    assert lower(b, x, b.const(3, dtypes.int32)) is not NotImplemented


NUMBERS = [op for op in OPS if len(op.inputs) == 2 and op.name not in INTEGER_DIVISIONS]


@pytest.mark.parametrize("op", NUMBERS, ids=lambda op: op.name)
@pytest.mark.parametrize("side", [0, 1])
def test_a_number_as_an_input(op: Primitive, side: int) -> None:
    kind = dtypes.float32 if op.dtype.takes(dtypes.float32) else dtypes.int32
    column = values(kind, many=True)
    for number in (
        (0, 1, 2, 3, -1) if kind is dtypes.int32 else (0.0, 1.0, 2, 3.0, -1.0, 0.5, -2.5, 1e-3, np.nan)
    ):
        compiled = Native(
            lambda b, x, n=number: op.lower(b, *((n, x) if side == 0 else (x, n))), [kind], (16,)
        )
        other = np.full_like(column, number)
        arrays = [other, column] if side == 0 else [column, other]
        compare(op, compiled(column, lanes=16), arrays, {})
