"""How exact our functions are: within 2 units in the last place, everywhere.

float64 against mpmath, at numbers of every exponent and around the hard places; float32 against float64, at
ten times as many and at random bit patterns. What is tested is the code for this processor; where it has
tables in registers, the formulas that do without them are tested, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from chainrule.core import dtypes
from chainrule.core import special as special_functions
from chainrule.executors.cpu.host import host
from chainrule.executors.cpu.vmath.registry import DEFINITIONS
from tests.executors.cpu.native import Native
from tests.executors.cpu.ulp import ulps
from tests.executors.cpu.vmath.references import (
    FUNCTIONS,
    IN_FLOAT64,
    MPMATH,
    every_exponent,
    exact,
    inputs,
    special,
)

Array = np.ndarray[Any, Any]

ULPS = 2.0
WITHOUT_ROUNDING = {"fmod", "remainder", "floor_divide", "fma"}  # tests of their own
AS_IN_SPECIAL = {"erfinv", "lgamma", "digamma"}  # the formulas of core/special.py, which has tests
IN_PIECES = ["tanh", "erf"]  # see vmath/pieces.py
TYPES = {np.float32: dtypes.float32, np.float64: dtypes.float64}


def compiled(name: str, kind: Any, count: int = 1, **math: Any) -> Native:
    lanes = 64 // np.dtype(kind).itemsize
    math = {"has_tables": host().has_tables, **math}
    return Native(lambda b, *xs: getattr(b, name)(*xs), [TYPES[kind]] * count, (lanes,), **math)


def check(name: str, kind: Any, *arrays: Array, wanted: Array, **math: Any) -> None:
    lanes = 64 // np.dtype(kind).itemsize
    got = compiled(name, kind, len(arrays), **math)(*arrays, lanes=lanes)
    away = ulps(got, wanted)
    worst = int(away.argmax())
    at = [a[worst] for a in arrays]
    assert away[worst] <= ULPS, (
        f"{name}({at!r}) is {got[worst]!r}, not {wanted[worst]!r}: {away[worst]:.2f} ulp"
    )
    zero = (wanted == 0) & (got == 0)
    wrong = np.flatnonzero(zero & (np.signbit(got) != np.signbit(wanted)))
    assert not wrong.size, f"{name}({[a[wrong[0]] for a in arrays]!r}) is the wrong zero"


def test_every_function_is_here() -> None:
    assert set(DEFINITIONS) == set(MPMATH) | WITHOUT_ROUNDING | AS_IN_SPECIAL


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float64(name: str) -> None:
    slow = name == "erfc"  # for mpmath
    x = inputs(name, np.float64, each=1 if slow else 3, others=500 if slow else 3000)
    check(name, np.float64, x, wanted=exact(name, x))


def singles(name: str) -> tuple[Array, Array]:
    """Inputs of float32, and what the function is there."""
    bits = np.random.default_rng(3).integers(0, 1 << 32, 1 << 18, dtype=np.uint32).view(np.float32)
    x = np.concatenate([inputs(name, np.float32, each=200, others=1 << 17), bits])
    with np.errstate(all="ignore"):
        return x, IN_FLOAT64[name](x.astype(np.float64))


@pytest.mark.parametrize("name", FUNCTIONS)
def test_float32(name: str) -> None:
    x, wanted = singles(name)
    check(name, np.float32, x, wanted=wanted)


@pytest.mark.parametrize("name", IN_PIECES)
def test_float32_without_tables_in_registers(name: str) -> None:
    x, wanted = singles(name)
    check(name, np.float32, x, wanted=wanted, has_tables=False)


def pairs(kind: Any, n: int) -> tuple[Array, Array]:
    """Bases of every size, and exponents for which most powers are neither 0 nor infinite."""
    rng = np.random.default_rng(5)
    limit = np.finfo(kind).maxexp
    x = 2.0 ** rng.uniform(-limit - 20, limit, n)
    x[::3] = rng.uniform(0.5, 2, x[::3].size)
    x[1::6] = 1 + rng.normal(size=x[1::6].size) * 1e-4
    x = x.astype(kind)
    x[x == 1] = 2
    with np.errstate(all="ignore"):
        y = rng.uniform(-1.1, 1.05, n) * limit / np.log2(x.astype(float))
    y[::10] = rng.integers(-20, 20, y[::10].size)
    x[::20] *= -1
    return x, y.astype(kind)


def all_pairs(kind: Any) -> tuple[Array, Array]:
    values = np.concatenate([special(kind), np.array([3, -3, 2.5, -2.5, 4, 1e10, -1e10, 7e7 + 1], kind)])
    x, y = (v.ravel() for v in np.meshgrid(values, values))
    return x, y


@pytest.mark.parametrize("kind", TYPES)
def test_pow(kind: Any) -> None:
    x, y = pairs(kind, 4000 if kind is np.float64 else 300_000)
    if kind is np.float64:
        wanted = exact("pow", x, y)
    else:
        with np.errstate(all="ignore"):
            wanted = np.power(x.astype(np.float64), y.astype(np.float64))
    check("pow", kind, x, y, wanted=wanted)


@pytest.mark.parametrize("kind", TYPES)
def test_pow_of_special_numbers(kind: Any) -> None:
    x, y = all_pairs(kind)
    wide = np.float64 if kind is np.float32 else np.longdouble
    with np.errstate(all="ignore"):
        wanted = np.power(x.astype(wide), y.astype(wide))
    check("pow", kind, x, y, wanted=wanted)


@pytest.mark.parametrize("kind", TYPES)
def test_atan2(kind: Any) -> None:
    rng = np.random.default_rng(7)
    count = 1500 if kind is np.float64 else 100_000
    x = rng.normal(size=count).astype(kind)
    y = (x * 2.0 ** rng.uniform(-40, 40, count) * rng.choice([-1, 1], count)).astype(kind)
    if kind is np.float64:
        wanted = exact("atan2", y, x)
    else:
        wanted = np.arctan2(y.astype(np.float64), x.astype(np.float64))
    check("atan2", kind, y, x, wanted=wanted)


@pytest.mark.parametrize("kind", TYPES)
def test_atan2_of_special_numbers(kind: Any) -> None:
    y, x = all_pairs(kind)
    wide = np.float64 if kind is np.float32 else np.longdouble
    check("atan2", kind, y, x, wanted=np.arctan2(y.astype(wide), x.astype(wide)))


@pytest.mark.parametrize("name", ["exp", "log", "tanh", "sin", "erf", "expm1"])
@pytest.mark.parametrize("kind", TYPES)
def test_without_a_fused_multiply_add(name: str, kind: Any) -> None:
    x = inputs(name, kind, each=1, others=100)
    check(name, kind, x, wanted=exact(name, x), has_fma=False)


def test_the_replacement_of_the_fused_multiply_add() -> None:
    rng = np.random.default_rng(9)
    x, y = rng.normal(size=(2, 3000))
    z = -(x * y) * (1 + rng.choice([0, 2.0**-50, 2.0**-20, 1], 3000))
    for kind in TYPES:
        xs = [v.astype(kind) for v in (x, y, z)]
        fused = compiled("fma", kind, 3)(*xs, lanes=64 // np.dtype(kind).itemsize)
        replaced = compiled("fma", kind, 3, has_fma=False)(*xs, lanes=64 // np.dtype(kind).itemsize)
        assert ulps(replaced, fused).max() <= 1
        assert (replaced == fused).mean() > 0.999


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", sorted(AS_IN_SPECIAL))
def test_the_functions_of_special(name: str, kind: Any) -> None:
    """Within 4e-15 of NumPy's rule in float64, and in float32 the nearest number but for that."""
    rng = np.random.default_rng(13)
    if name == "erfinv":
        x = np.concatenate([rng.uniform(-1, 1, 5000), 1 - 2.0 ** -rng.uniform(1, 53, 500), [-1, 0, 1, 1.5]])
    else:
        x = np.concatenate(
            [rng.uniform(0, 20, 5000), 2.0 ** rng.uniform(-60, 60, 500), [1, 2, 8, 0, -0.0, -3]]
        )
    x = np.concatenate([x, [np.inf, -np.inf, np.nan]]).astype(kind)
    got = compiled(name, kind)(x, lanes=64 // np.dtype(kind).itemsize)
    with np.errstate(all="ignore"):
        wanted = getattr(special_functions, name)(x.astype(np.float64))
    away = ulps(got, wanted, np.maximum(np.abs(wanted), 0.1))
    assert away.max() <= (16 if kind is np.float64 else 0.6)


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("name", ["fmod", "remainder", "floor_divide"])
def test_divisions_with_rest(name: str, kind: Any) -> None:
    """Exactly what NumPy gives, for quotients of every size."""
    rng = np.random.default_rng(11)
    y = every_exponent(kind, rng, 3)
    x = rng.permutation(y)
    with np.errstate(over="ignore"):
        x[::5] = (y[::5] * rng.integers(-1000, 1000, y[::5].size)).astype(kind)
    more_x, more_y = all_pairs(kind)
    x, y = np.concatenate([x, more_x]), np.concatenate([y, more_y])
    with np.errstate(all="ignore"):
        wanted = getattr(np, name)(x, y)
    got = compiled(name, kind, 2)(x, y, lanes=64 // np.dtype(kind).itemsize)
    same = (got == wanted) | (np.isnan(got) & np.isnan(wanted))
    same &= (np.signbit(got) == np.signbit(wanted)) | np.isnan(wanted)
    wrong = np.flatnonzero(~same)
    assert not wrong.size, [(x[k], y[k], got[k], wanted[k]) for k in wrong[:5]]
