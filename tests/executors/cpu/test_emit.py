"""The Emitter's own parts: memory, masks, lanes, conversions, constants. Arithmetic: test_elementwise.py."""

from __future__ import annotations

import ctypes
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from llvmlite import ir

from chainrule.core import dtypes
from chainrule.core.dtypes import BOOL, FLOAT, bool_, dtype, float16, float32, float64, int32, int64, uint8
from chainrule.executors.cpu.emit import Emitter
from chainrule.executors.cpu.values import POINTER, V, constant
from chainrule.executors.cpu.vmath.registry import Math
from tests.executors.cpu.native import loaded, native

Array = np.ndarray[Any, Any]

every_type = pytest.mark.parametrize("kind", dtypes.ALL, ids=lambda d: d.name)
every_width = pytest.mark.parametrize("lanes", [1, 2, 4, 8, 16, 32])
every_third_width = pytest.mark.parametrize("lanes", [1, 8])


def numbers(kind: dtype, n: int = 100) -> Array:
    rng = np.random.default_rng(n)
    if kind.category == BOOL:
        return rng.random(n) < 0.5
    if kind.category == FLOAT:
        return (50 * rng.normal(size=n)).astype(kind.numpy)
    return rng.integers(0 if kind is uint8 else -100, 100, n).astype(kind.numpy)


def run(lanes: int, write: Callable[..., None], *arrays: Array) -> None:
    """Write a function with one pointer per array, compile it and call it."""
    module = ir.Module("test")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [POINTER] * len(arrays)), "f")
    b = Emitter(ir.IRBuilder(function.append_basic_block()), lanes, Math(module))
    write(b, *function.args)
    b.builder.ret_void()
    code = loaded(str(module))
    call = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * len(arrays))(code.address("f"))
    call(*(a.ctypes.data for a in arrays))


@every_type
@every_width
def test_load_and_store(kind: dtype, lanes: int) -> None:
    x, out = numbers(kind), np.zeros(100, kind.numpy)
    run(lanes, lambda b, p, q: b.store(b.load(p, kind), q), x, out)
    assert (out[:lanes] == x[:lanes]).all()
    assert not out[lanes:].any()


@every_type
@every_third_width
def test_masked_memory(kind: dtype, lanes: int) -> None:
    x = numbers(kind)
    for n in {0, lanes - 1, lanes}:
        loaded, stored = np.ones(100, kind.numpy), np.zeros(100, kind.numpy)
        run(lanes, lambda b, p, q, n=n: b.store(b.load(p, kind, b.tail_mask(n)), q), x, loaded)
        run(lanes, lambda b, p, q, n=n: b.store(b.load(p, kind), q, b.tail_mask(n)), x, stored)
        for out in (loaded, stored):
            assert (out[:n] == x[:n]).all()
            assert not out[n:lanes].any()


@every_type
@every_third_width
def test_gather_and_scatter(kind: dtype, lanes: int) -> None:
    x = numbers(kind)
    places = np.random.default_rng(lanes).permutation(100).astype(np.int64)
    for n in (None, max(lanes - 1, 1)):
        gathered, scattered = np.zeros(100, kind.numpy), np.zeros(100, kind.numpy)

        def gather(b: Emitter, p: Any, o: Any, q: Any, n: int | None = n) -> None:
            mask = None if n is None else b.tail_mask(n)
            b.store(b.gather(p, b.load(o, int64), kind, mask), q)

        def scatter(b: Emitter, p: Any, o: Any, q: Any, n: int | None = n) -> None:
            mask = None if n is None else b.tail_mask(n)
            b.scatter(b.load(p, kind), q, b.load(o, int64), mask)

        run(lanes, gather, x, places, gathered)
        run(lanes, scatter, x, places, scattered)
        count = lanes if n is None else n
        wanted = np.zeros(100, kind.numpy)
        wanted[places[:count]] = x[:count]
        assert (gathered[:count] == x[places[:count]]).all()
        assert not gathered[count:].any()
        assert (scattered == wanted).all()


def test_a_masked_load_does_not_touch_memory() -> None:
    out = np.ones(16, np.float32)

    def write(b: Emitter, q: Any) -> None:
        nowhere = b.builder.inttoptr(ir.Constant(ir.IntType(64), 16), POINTER)
        b.store(b.load(nowhere, float32, b.tail_mask(0)), q)

    for lanes in (1, 16):
        run(lanes, write, out)
        assert not out[:lanes].any()


@every_width
def test_a_mask_of_a_length_known_at_run_time(lanes: int) -> None:
    for n in (0, 1, lanes - 1, lanes, lanes + 5):
        out = np.zeros(100, np.bool_)

        def write(b: Emitter, p: Any, q: Any) -> None:
            b.store(b.tail_mask(b.scalars().load(p, int64)), q)

        run(lanes, write, np.array([n]), out)
        assert (out[:lanes] == (np.arange(lanes) < n)).all()


@every_width
def test_sums_and_extrema_of_the_lanes(lanes: int) -> None:
    x = numbers(float32)
    out = np.zeros(3, np.float32)

    def write(b: Emitter, p: Any, q: Any) -> None:
        v = b.load(p, float32)
        for k, found in enumerate((b.reduce_add(v), b.reduce_max(v), b.reduce_min(v))):
            at = b.builder.gep(q, [ir.Constant(ir.IntType(64), k)], source_etype=found.ir.type)
            b.scalars().store(found, at)

    tree = x[:lanes].copy()
    run(lanes, write, x, out)
    while tree.size > 1:
        tree = tree[: tree.size // 2] + tree[tree.size // 2 :]
    assert out.tolist() == [tree[0], x[:lanes].max(), x[:lanes].min()]
    x[lanes // 2] = np.nan
    run(lanes, write, x, out)
    assert np.isnan(out).all()


@every_width
def test_counting_and_broadcasting(lanes: int) -> None:
    out = np.zeros(64, np.int64)
    run(lanes, lambda b, q: b.store(b.iota(40), q), out)
    assert out[:lanes].tolist() == list(range(40, 40 + lanes))
    run(lanes, lambda b, p, q: b.store(b.iota(b.scalars().load(p, int64)), q), np.array([7]), out)
    assert out[:lanes].tolist() == list(range(7, 7 + lanes))
    run(lanes, lambda b, p, q: b.store(b.broadcast(b.scalars().load(p, int64)), q), np.array([9]), out)
    assert out[:lanes].tolist() == [9] * lanes


@pytest.mark.parametrize("source", dtypes.ALL, ids=lambda d: d.name)
@every_type
def test_conversions(source: dtype, kind: dtype) -> None:
    """As NumPy converts. Floats beyond an integer type are left out: NumPy promises nothing either."""
    x = np.concatenate([numbers(source), np.array([0, 1], source.numpy)])
    if source.category != FLOAT and source.category != BOOL:
        x = np.concatenate([x, np.array([np.iinfo(source.numpy).min, np.iinfo(source.numpy).max], x.dtype)])
    if source.category == FLOAT and kind.category != dtypes.INTEGER:
        ends = np.finfo(source.numpy)
        special = [math.inf, -math.inf, math.nan, -0.0, ends.max, ends.tiny, ends.smallest_subnormal]
        x = np.concatenate([x, np.array(special, source.numpy)])
    with np.errstate(all="ignore"):
        wanted = x.astype(kind.numpy)
    for lanes in (1, 16):
        got = native(lambda b, v: b.cast(v, kind), x, lanes=lanes)
        assert got.dtype == wanted.dtype
        assert np.array_equal(got, wanted, equal_nan=kind.category == FLOAT)


def test_float64_to_float16_is_rounded_once() -> None:
    """Halfway between two float16 but for a last bit of float64: float32 in between would lose it."""
    step = 2.0**-10
    halfway = 1 + step * (np.arange(200) + 0.5)
    x = np.concatenate([halfway, np.nextafter(halfway, 0), np.nextafter(halfway, 9)])
    x = np.concatenate([x, -x, x * 2.0**-20, x * 2.0**-24])
    got = native(lambda b, v: b.cast(v, float16), x)
    assert (got == x.astype(np.float16)).all()


@pytest.mark.parametrize("kind", [float16, float32, float64], ids=lambda d: d.name)
def test_bits_and_signs(kind: dtype) -> None:
    x = np.array([0.0, -0.0, 1.5, -2.5, math.inf, -math.inf, math.nan], kind.numpy)
    bits = native(lambda b, v: b.bitcast_int(v), x)
    assert (bits == x.view(bits.dtype)).all()
    back = native(lambda b, v: b.bitcast_float(b.bitcast_int(v), kind), x)
    assert (back.view(bits.dtype) == bits).all()
    signed = native(lambda b, v: b.copysign(3.0, v), x)
    assert (signed == np.copysign(kind.numpy.type(3), x)).all()


def test_constants_are_rounded_and_wrap_around() -> None:
    assert str(constant(0.1, float32, 1)) == str(constant(float(np.float32(0.1)), float32, 1))
    assert constant(1e300, float32, 1).constant == math.inf
    assert constant(300, uint8, 1).constant == 44
    assert constant(2**31, int32, 1).constant == -(2**31)
    assert constant(2, bool_, 1).constant == 1
    assert str(constant(1.5, float64, 4)) == "<4 x double> splat (double 0x3ff8000000000000)"


def test_what_is_known_of_a_value() -> None:
    assert V(constant(3, int32, 8), int32).number == 3
    assert V(constant(3.0, float32, 1), float32).number == 3.0
    module = ir.Module("test")
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [ir.FloatType()]), "f")
    b = Emitter(ir.IRBuilder(function.append_basic_block()), 8, Math(module))
    x = V(function.args[0], float32)
    assert x.number is None
    assert b.iota(0).number is None
    assert b.number(2.5) == 2.5
    assert b.type_of(1.0, x) is float32
    assert (x.lanes, b.broadcast(x).lanes) == (1, 8)
    assert repr(x) == 'V(float %".1", float32)'
    with pytest.raises(AssertionError, match="operands of types float32 and int64"):
        b.add(b.broadcast(x), b.iota(0))


def test_a_function_is_written_once() -> None:
    module = ir.Module("test")
    typ = ir.VectorType(ir.FloatType(), 8)
    function = ir.Function(module, ir.FunctionType(typ, [typ]), "f")
    b = Emitter(ir.IRBuilder(function.append_basic_block()), 8, Math(module))
    x = V(function.args[0], float32)
    y = b.exp(b.exp(b.add(b.exp(x), b.cast(b.exp(b.cast(x, float64)), float32))))
    b.builder.ret(y.ir)
    names = [f.name for f in module.functions if f.name.startswith("chainrule.")]
    assert sorted(names) == ["chainrule.exp.float32x8", "chainrule.exp.float64x8"]
    assert all(f.linkage == "internal" for f in module.functions if f.name.startswith("chainrule."))


def test_a_rare_branch_and_a_loop() -> None:
    x = np.array([1, 5, 2, 9, 3, 3, 3, 3, 12], np.int32)

    def rule(b: Emitter, v: V) -> V:
        """The number of halvings until v is at most 2, for those above 4; others stay."""

        def step(left: V, count: V) -> tuple[V, V]:
            more = b.gt(left, 2)
            return b.select(more, b.shr(left, 1), left), b.add(count, b.cast(more, int32))

        def halvings() -> V:
            return b.repeat_while(lambda left, count: b.gt(left, 2), step, v, b.const(0, int32))[1]

        return b.replace_rare(b.gt(v, 4), v, halvings)

    for lanes in (1, 4, 8):
        assert native(rule, x, lanes=lanes).tolist() == [1, 1, 2, 2, 3, 3, 3, 3, 3]
