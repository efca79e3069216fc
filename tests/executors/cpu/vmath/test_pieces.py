"""Functions in pieces: the tables say what the script finds, and the code does what it says, however long its
vectors are.

How exact the native code is, is tested with the other functions. Here the same steps are taken in NumPy, so
that the tables are tested on processors without the instruction, too.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special

from chainrule.core.dtypes import float32
from chainrule.executors.cpu.host import Host, host
from chainrule.executors.cpu.vmath import piece_tables
from tests.executors.cpu.native import Native
from tests.executors.cpu.ulp import ulps
from tests.executors.cpu.vmath.references import special

Array = np.ndarray[Any, Any]

ROOT = Path(__file__).resolve().parents[4]
FUNCTIONS: dict[str, tuple[piece_tables.Pieces, Callable[[Array], Array]]] = {
    "tanh": (piece_tables.TANH, np.tanh),
    "erf": (piece_tables.ERF, scipy.special.erf),
}
with_tables = pytest.mark.skipif(not host().has_tables, reason="this processor has no tables in registers")


def numbers(name: str) -> Array:
    """Ten thousand numbers up to a little beyond where the function is 1, and many small ones."""
    rng = np.random.default_rng(17)
    limit = FUNCTIONS[name][0].limit
    return np.concatenate(
        [rng.uniform(0, 1.05 * limit, 100_000), 2.0 ** rng.uniform(-30, 0, 100_000)]
    ).astype(np.float32)


def fma(x: Array, y: Array, z: Array) -> Array:
    """x y + z, nearly always rounded once: the product is exact in float64."""
    return (x.astype(np.float64) * y + z).astype(np.float32)


def in_numpy(table: piece_tables.Pieces, x: Array) -> Array:
    t = np.minimum(x, np.float32(table.limit))
    place = (t + np.float32(table.offset)).view(np.int32) >> (23 - piece_tables.BITS) & 15
    centres, *rows = (np.array(row, np.float32)[place] for row in (table.centres, *table.coefficients))
    r = t - centres
    rows[0] = fma(r, np.float32(table.rest), rows[0])
    out = rows.pop()
    while rows:
        out = fma(out, r, rows.pop())
    return out


def test_the_tables_are_what_the_script_prints() -> None:
    text = runpy.run_path(str(ROOT / "tools" / "fit_pieces.py"))["module"]()
    assert Path(piece_tables.__file__).read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_tables_give_the_function(name: str) -> None:
    table, function = FUNCTIONS[name]
    x = numbers(name)
    got = in_numpy(table, x)
    assert ulps(got, function(x.astype(np.float64))).max() < 1.5
    assert got.max() == 1
    assert (got[x >= table.limit] == 1).all()


@pytest.mark.parametrize("name", FUNCTIONS)
def test_pieces_meet_the_end_of_their_table(name: str) -> None:
    """16 pieces from the offset on: those of the numbers up to the limit are all different."""
    table = FUNCTIONS[name][0]
    u = np.float32(table.offset) + np.linspace(0, table.limit, 10_001, dtype=np.float32)
    first_bits = np.unique(u.view(np.int32) >> (23 - piece_tables.BITS))
    assert len(first_bits) <= 16
    assert (np.diff(first_bits) == 1).all()


@with_tables
@pytest.mark.parametrize("name", FUNCTIONS)
def test_native_code_is_the_same_for_every_number_of_lanes(name: str) -> None:
    x = np.concatenate([numbers(name)[::40], -numbers(name)[::40], special(np.float32)])
    lanes = (1, 2, 4, 8, 16, 32)
    code = Native(lambda b, v: getattr(b, name)(v), [float32], lanes, has_tables=True)
    with np.errstate(invalid="ignore"):
        wanted = np.copysign(in_numpy(FUNCTIONS[name][0], np.abs(x)), x)
    results = [code(x, lanes=n) for n in lanes]
    for n, got in zip(lanes, results, strict=True):
        np.testing.assert_array_equal(got, results[0], err_msg=f"{n} lanes")
        assert (np.signbit(got) == np.signbit(x))[~np.isnan(x)].all()
    assert ulps(results[0], wanted.astype(np.float64)).max() <= 1  # the last digit where fma rounded twice
    assert (results[0] == wanted).mean() > 0.99
    assert np.isnan(results[0][-1])


def test_which_processors_have_tables() -> None:
    def with_features(features: str, triple: str = "x86_64-linux-gnu") -> Host:
        return Host("", features, vector_bytes=64, registers=32, l1=1, l2=1, l3=1, triple=triple)

    assert with_features("+avx512f,+fma").has_tables
    assert not with_features("+avx2,+fma,-avx512f").has_tables
    assert not with_features("+neon", "aarch64-apple-darwin").has_tables
