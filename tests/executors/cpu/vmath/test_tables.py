"""The polynomials' coefficients are what the script finds; and the bits of 2/pi are right."""

from __future__ import annotations

import runpy
from pathlib import Path

import mpmath as mp

from chainrule.executors.cpu.vmath import tables

ROOT = Path(__file__).resolve().parents[4]


def test_the_tables_are_what_the_script_prints() -> None:
    text = runpy.run_path(str(ROOT / "tools" / "fit_vmath.py"))["module"]()
    assert Path(tables.__file__).read_text(encoding="utf-8") == text


def test_the_bits_of_two_over_pi() -> None:
    with mp.workprec(1400):
        value = mp.mpf(tables.TWO_OVER_PI) / mp.mpf(2) ** tables.TWO_OVER_PI_BITS
        assert 0 <= 2 / mp.pi - value < mp.mpf(2) ** -tables.TWO_OVER_PI_BITS


def test_sums_of_floats_have_the_digits_of_their_parts() -> None:
    with mp.workprec(300):
        wanted = [
            (tables.LN2, mp.log(2)), (tables.LOG10_2, mp.log10(2)), (tables.PER_LN2, 1 / mp.log(2)),
            (tables.PER_LN10, 1 / mp.log(10)), (tables.HALF_PI, mp.pi / 2), (tables.THIRD, mp.mpf(1) / 3),
        ]  # fmt: skip
        for table, value in wanted:
            for kind, bits in (("float32", 39), ("float64", 94)):
                total = mp.fsum(map(mp.mpf, table[kind]))
                assert abs(total - value) < value * mp.mpf(2) ** -bits
