"""The special functions against mpmath over their whole range, at their edges, and against SciPy."""

from __future__ import annotations

import math
import runpy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mpmath as mp
import numpy as np
import pytest
import scipy.special

from chainrule.core import special

ROOT = Path(__file__).resolve().parents[2]
INF, NAN = math.inf, math.nan
TINY = float(np.finfo(np.float64).tiny)  # the smallest normal number
LIMIT = 2e-15  # relative, float64; about nine roundings

Function = Callable[[np.ndarray], np.ndarray]
ALL: dict[str, tuple[Function, Function]] = {
    "erf": (special.erf, scipy.special.erf),
    "erfc": (special.erfc, scipy.special.erfc),
    "erfinv": (special.erfinv, scipy.special.erfinv),
    "lgamma": (special.lgamma, scipy.special.gammaln),
    "digamma": (special.digamma, scipy.special.psi),
}


@pytest.fixture(autouse=True)
def _forty_digits() -> Any:
    with mp.workdps(40):
        yield


def uniform(low: float, high: float, n: int = 400) -> np.ndarray:
    return np.random.default_rng(n).uniform(low, high, n)


def powers(low: float, high: float, n: int = 400) -> np.ndarray:
    """Numbers spread evenly by their logarithm, from 10**low to 10**high."""
    return 10.0 ** uniform(low, high, n)


def around(point: float, nearest: float = -15.5, n: int = 400) -> np.ndarray:
    """Numbers on both sides of a point, at distances from 10**nearest to 0.1."""
    d = powers(nearest, -1, n)
    return np.concatenate([point - d, point + d])


def exact(f: Callable[[Any], Any], x: np.ndarray) -> list[Any]:
    return [f(mp.mpf(float(v))) for v in x]


def largest_error(got: np.ndarray, expected: list[Any], scale: list[Any] | None = None) -> float:
    """The largest |got - expected| relative to `scale`: where not given, |expected|, at least TINY."""
    scale = scale or [max(abs(e), TINY) for e in expected]
    return max(float(abs(mp.mpf(float(g)) - e) / s) for g, e, s in zip(got, expected, scale, strict=True))


def mp_lgamma(x: Any) -> Any:
    return mp.re(mp.loggamma(x))


# -- accuracy --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "x",
    [
        uniform(-6, 6),
        uniform(-1, 1),
        around(1.0),
        around(-1.0),
        powers(-308, 1.4),
        powers(-323, -307),
        uniform(5.5, 7),
        np.array([0.0, 5e-324, TINY, 1.0, 2.0, 1e300]),
    ],
)
def test_erf_within_two_ulp(x: np.ndarray) -> None:
    got = special.erf(x)
    expected = exact(mp.erf, x)
    ulp = [mp.mpf(float(np.spacing(abs(float(e))))) for e in expected]
    assert largest_error(got, expected, ulp) <= 2
    assert np.array_equal(special.erf(-x), -got)


@pytest.mark.parametrize(
    "x", [uniform(-6, 6), around(1.0), uniform(1, 26.54), powers(-308, 1.42), -powers(-5, 1)]
)
def test_erfc(x: np.ndarray) -> None:
    assert largest_error(special.erfc(x), exact(mp.erfc, x)) < LIMIT


def test_erfc_below_the_normal_numbers() -> None:
    x = np.array([26.55, 26.7, 27.0, 27.2, 27.226])
    assert largest_error(special.erfc(x), exact(mp.erfc, x), [mp.mpf(5e-324)] * len(x)) <= 2
    assert special.erfc(np.array([27.3, 28.0, 1e10, 1e308])).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "x",
    [
        uniform(-1, 1, 200),
        powers(-308, 0, 200),
        1 - powers(-16, -1, 200),
        uniform(0.9985, 0.9995, 100),  # where the two formulas meet
        1 - np.arange(1, 30) * 2.0**-53,  # the last numbers below 1
        -1 + np.arange(1, 30) * 2.0**-53,
    ],
)
def test_erfinv(x: np.ndarray) -> None:
    assert largest_error(special.erfinv(x), exact(mp.erfinv, x)) < LIMIT


WIDE = [uniform(0, 8), around(8.0), uniform(8, 300), powers(-307.5, 305), -powers(-307.5, -3)]


@pytest.mark.parametrize("x", [*WIDE, around(1.0), around(2.0)])
def test_lgamma_of_positive_and_tiny_numbers(x: np.ndarray) -> None:
    assert largest_error(special.lgamma(x), exact(mp_lgamma, x)) < LIMIT


@pytest.mark.parametrize("x", [*WIDE, around(1.4616321449683623)])
def test_digamma_of_positive_and_tiny_numbers(x: np.ndarray) -> None:
    assert largest_error(special.digamma(x), exact(mp.digamma, x)) < LIMIT


NEGATIVE = [-powers(-3, 2.2), around(-1.0, -12), around(-7.0, -12), around(-2.4570247382208006, -12)]


@pytest.mark.parametrize("x", NEGATIVE)
def test_lgamma_of_negative_numbers(x: np.ndarray) -> None:
    terms = exact(lambda v: max(1, abs(mp_lgamma(1 - v)), abs(mp.log(abs(mp.sinpi(v))))), x)
    assert largest_error(special.lgamma(x), exact(mp_lgamma, x), terms) < LIMIT


@pytest.mark.parametrize("x", NEGATIVE)
def test_digamma_of_negative_numbers(x: np.ndarray) -> None:
    terms = exact(lambda v: max(1, abs(mp.digamma(1 - v)), abs(mp.pi * mp.cospi(v) / mp.sinpi(v))), x)
    assert largest_error(special.digamma(x), exact(mp.digamma, x), terms) < LIMIT


@pytest.mark.parametrize("n", [1, 2, 3, 6, 10])
@pytest.mark.parametrize("x", [uniform(0.01, 30, 150), powers(-6, 6, 150)])
def test_polygamma_of_positive_numbers(x: np.ndarray, n: int) -> None:
    assert largest_error(special.polygamma(x, n), exact(lambda v: mp.psi(n, v), x)) < 2 * LIMIT


@pytest.mark.parametrize("n", [1, 2, 3, 6])
@pytest.mark.parametrize("x", [uniform(-30, -0.01, 150), around(-1.5, -6)[::4], -powers(-3, 1, 150)])
def test_polygamma_of_negative_numbers(x: np.ndarray, n: int) -> None:
    def size(v: Any) -> Any:
        """Of the terms that are added, and of what one rounding of pi x does to them."""
        rounded = abs((v - mp.nint(v)) * mp.psi(n + 1, v))
        return max(1, abs(mp.psi(n, 1 - v)), abs(mp.psi(n, v) - (-1) ** n * mp.psi(n, 1 - v)), rounded)

    terms = exact(size, x)
    assert largest_error(special.polygamma(x, n), exact(lambda v: mp.psi(n, v), x), terms) < 2 * LIMIT


def test_edges_of_polygamma() -> None:
    x = np.array([0.0, -0.0, -1.0, -7.0, INF, -INF, NAN])
    np.testing.assert_array_equal(special.polygamma(x, 1), [INF, INF, INF, INF, 0, NAN, NAN])
    np.testing.assert_array_equal(special.polygamma(x, 2), [-INF, -INF, NAN, NAN, 0, NAN, NAN])
    assert special.polygamma(np.array([1.0]), 200).tolist() == [-INF]  # 200! does not fit
    assert special.polygamma(np.array([1.0], np.float32), 1).dtype == np.float32


@pytest.mark.parametrize("name", ALL)
def test_scipy_agrees(name: str) -> None:
    ours, theirs = ALL[name]
    x = uniform(-1, 1, 20_000) if name == "erfinv" else uniform(0.01, 20, 20_000)
    # SciPy's own errors next to zeros of lgamma and digamma are absolute.
    np.testing.assert_allclose(ours(x), theirs(x), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_lower_precision_is_float64_rounded(name: str, dtype: Any) -> None:
    ours = ALL[name][0]
    x = np.concatenate([uniform(-1, 1), uniform(-9, 9), powers(-6, 4)]).astype(dtype)
    with np.errstate(over="ignore", under="ignore"):
        expected = ours(x.astype(np.float64)).astype(dtype)
    got = ours(x)
    assert got.dtype == dtype
    np.testing.assert_array_equal(got, expected)


# -- edges -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "x", "expected"),
    [
        ("erf", [0.0, -0.0, INF, -INF, NAN], [0.0, -0.0, 1.0, -1.0, NAN]),
        ("erfc", [0.0, -0.0, INF, -INF, NAN], [1.0, 1.0, 0.0, 2.0, NAN]),
        ("erfinv", [0.0, -0.0, 1.0, -1.0, 1.5, -2.0, INF, NAN], [0.0, -0.0, INF, -INF, NAN, NAN, NAN, NAN]),
        ("lgamma", [1.0, 2.0, 0.0, -0.0, -1.0, -2.0, -1e17], [0.0, 0.0, INF, INF, INF, INF, INF]),
        ("lgamma", [INF, -INF, NAN, 1e306, 5e-324], [INF, INF, NAN, INF, 744.4400719213812]),
        ("digamma", [0.0, -0.0, -1.0, -2.0, -1e17], [-INF, INF, NAN, NAN, NAN]),
        ("digamma", [INF, -INF, NAN], [INF, NAN, NAN]),
        ("digamma", [5e-324, -5e-324], [-INF, INF]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_edges(name: str, x: list[float], expected: list[float], dtype: Any) -> None:
    if dtype is np.float32:
        kept = [i for i, v in enumerate(x) if not 0 < abs(v) < 1e-45 and not 1e39 < abs(v) < INF]
        x, expected = [x[i] for i in kept], [expected[i] for i in kept]
    got = ALL[name][0](np.array(x, dtype))
    np.testing.assert_array_equal(got, np.array(expected, dtype))
    assert np.signbit(got[got == 0]).tolist() == [math.copysign(1, e) < 0 for e in expected if e == 0]


def test_float32_results_that_do_not_fit_are_infinite() -> None:
    assert special.lgamma(np.array([1e38], np.float32)).tolist() == [INF]
    assert special.digamma(np.array([1e-40], np.float32)).tolist() == [-INF]


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_shapes_strides_and_chunks_do_not_matter(name: str, dtype: Any) -> None:
    ours = ALL[name][0]
    x = np.concatenate([uniform(-1, 1, 60), uniform(-12, 12, 60)]).astype(dtype)
    one_by_one = np.concatenate([ours(x[i : i + 1]) for i in range(len(x))])
    grid = ours(x.reshape(4, 5, 6))
    assert (grid.shape, grid.dtype) == ((4, 5, 6), dtype)
    np.testing.assert_array_equal(grid.ravel(), one_by_one)
    np.testing.assert_array_equal(ours(x.reshape(4, 5, 6).T), grid.T)
    np.testing.assert_array_equal(ours(x[::-2]), one_by_one[::-2])
    np.testing.assert_array_equal(ours(x[3].reshape(())), one_by_one[3])
    long = np.resize(x, special._CHUNK + 7)
    np.testing.assert_array_equal(ours(long), np.resize(one_by_one, special._CHUNK + 7))
    for shape in [(), (0,), (0, 3)]:
        assert ours(np.ones(shape, dtype)).shape == shape


@pytest.mark.parametrize("name", ALL)
def test_the_argument_is_left_alone(name: str) -> None:
    x = uniform(-3, 12)
    before = x.copy()
    ALL[name][0](x)
    assert np.array_equal(x, before)


# -- the fits --------------------------------------------------------------------------------------------


def test_the_tables_are_what_the_script_prints() -> None:
    text = runpy.run_path(str(ROOT / "tools" / "fit_special.py"))["module"]()
    assert (ROOT / "src" / "chainrule" / "core" / "special_tables.py").read_text(encoding="utf-8") == text


def test_the_script_refuses_a_degree_that_is_too_low(monkeypatch: pytest.MonkeyPatch) -> None:
    names = runpy.run_path(str(ROOT / "tools" / "fit_special.py"))
    low = names["Fit"]("EXP", "exp(t)", mp.exp, 8)
    monkeypatch.setitem(names["module"].__globals__, "fits", lambda: [low])
    with pytest.raises(SystemExit, match=r"^EXP needs a higher degree: its error is 4\.\d+e-9$"):
        names["module"]()
