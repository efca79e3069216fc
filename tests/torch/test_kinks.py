"""Values and gradients where functions have corners, jumps, ties, poles and limits, against PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

from tests.torch.both import compare

INF, NAN = float("inf"), float("nan")

# The points at which an elementwise function is asked.
POINTS = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, 2.0, -2.0, 3.0, 10.0, -10.0, 100.0, INF, -INF, NAN]

# Where gradients are meant to differ; values are compared all the same.
DIFFERS = {
    # x = NaN: the result is NaN; PyTorch's gradient is 0 there, in ours it passes
    "T.clamp(x, y)", "T.clamp(x, None, y)",
    "T.clamp(x, 0, 1)", "T.clamp(x, -1)", "T.clamp(x, max=2.0)", "T.clamp(x, 2, -2)",
    # at -0.0 and -inf: a value by 1 / sqrt(x), but in PyTorch a gradient by another power
    "x ** -0.5",
    # where the extremum is NaN, the NaN share the gradient; in PyTorch only that of max and min
    "T.amax(x) of nan", "T.amax(x, 1) of nan", "T.amin(x, 0) of nan", "T.amin(x, (0, 1)) of nan",
    "T.aminmax(x, dim=1) of nan",
    # the product of the others is NaN, also for the only NaN, which PyTorch divides out
    "T.prod(x, 1) of nan",
    # PyTorch divides (by infinities, or by the NaN of a column); ours only multiplies
    "T.cumprod(x, 1) of infinite", "T.cumprod(x, 0) of infinite", "T.cumprod(x, 0) of nan",
    "T.cumprod(x, 1) of nan",
    "T.cumprod(x, 1) of large", "T.cumprod(x, 0) of large",
    # where the norm overflows PyTorch's gradient is NaN, ours 0
    "T.norm(x, 3, dim=1) of large",
    # infinities meet in another order
    "T.var(x, 0, correction=0) of infinite",
    # the gradient of NaN goes to the first NaN, or to none
    "T.quantile(x, 0.5, 1) of nan", "T.median(x) of nan",
    # of equal elements PyTorch takes any, ours the first
    "T.kthvalue(x, 1)[0] of ties", "T.kthvalue(x, 1)[0] of zeros", "T.kthvalue(x, 1)[0] of infinite",
}  # fmt: skip


def expressions(text: str) -> list[str]:
    return [e.strip() for e in text.replace("\n", " ").split(";")]


ELEMENTWISE = expressions("""
    abs; neg; sign; reciprocal; square; relu; floor; ceil; trunc; round; frac; exp; exp2; expm1; log; log2;
    log10; log1p; sqrt; rsqrt; sin; cos; tan; asin; acos; atan; sinh; cosh; tanh; asinh; acosh; atanh; erf;
    erfc; erfinv; lgamma; digamma; sigmoid; isnan; isinf; isfinite; signbit; logical_not; nan_to_num
""")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_functions_at_special_points(name: str, dtype: str) -> None:
    # At its poles, negative whole numbers, digamma's gradient is infinite; PyTorch gives a very large number.
    points = [p for p in POINTS if name != "digamma" or p >= 0 or p != round(p, 1) or p == -0.5]
    compare(f"T.{name}(x)", {"x": np.array(points, dtype)})


PAIRWISE = expressions("""
    x + y; x - y; x * y; x / y; x // y; x % y; x ** y; T.fmod(x, y); T.maximum(x, y); T.minimum(x, y);
    T.atan2(x, y); T.logaddexp(x, y); x == y; x < y; x >= y; T.clamp(x, y); T.clamp(x, None, y);
    T.where(x > y, x, y); T.isclose(x, y); T.isclose(x, y, equal_nan=True); T.max(x, y); T.min(x, y)
""")


@pytest.mark.parametrize("expression", PAIRWISE)
def test_pairs_of_special_points(expression: str) -> None:
    pairs = [(a, b) for a in POINTS for b in POINTS]
    if expression == "x ** y":  # the gradient of NaN ** 0 is 0 in PyTorch; in ours NaN: 0 * NaN
        pairs = [(a, b) for a, b in pairs if a == a or b != 0]
    x, y = np.array(pairs).T.copy()
    compare(expression, {"x": x, "y": y}, grad=expression not in DIFFERS)


WITH_NUMBERS = expressions("""
    T.clamp(x, 0, 1); T.clamp(x, -1); T.clamp(x, max=2.0); T.clamp(x, 2, -2); x ** 0; x ** 1; x ** 2; x ** 3;
    x ** 0.5; x ** -1; x ** -0.5; x ** 1.5; x ** -2; 0 ** x; 2 ** x; 1.0 ** x; (-2.0) ** x; 0.5 ** x; x / 0;
    0 / x; 1 / x; x * 0; x % 1; x % -2; 5 % x; x // 2; 7 // x; T.round(x, decimals=1); T.pow(0.0, x);
    T.nan_to_num(x, 1.0, 2.0, 3.0); T.lerp(x, x + 1, 0.5); T.masked_fill(x, x.isnan(), 0)
""")


@pytest.mark.parametrize("expression", WITH_NUMBERS)
def test_special_points_and_numbers(expression: str) -> None:
    compare(expression, {"x": np.array(POINTS)}, grad=expression not in DIFFERS)


# Matrices with ties, zeros, infinities and NaN, for what looks at several elements.
SLICES = {
    "ties": [[2.0, 2.0, 1.0], [0.0, 0.0, 0.0], [-1.0, -1.0, -1.0]],
    "zeros": [[0.0, 0.0, 0.0], [0.0, 2.0, 0.0], [3.0, 0.0, 5.0]],
    "infinite": [[INF, 1.0, INF], [-INF, -INF, -INF], [INF, -INF, 0.0]],
    "nan": [[NAN, 1.0, 2.0], [1.0, NAN, NAN], [0.0, 1.0, 2.0]],
    "large": [[1e30, 1e30, -1e30], [1e300, -1e300, 1e300], [700.0, 710.0, -800.0]],
    "one row": [[4.0, 4.0]],
    "one column": [[4.0], [4.0]],
}

REDUCTIONS = expressions("""
    T.sum(x, 1); T.mean(x, 1); T.prod(x); T.prod(x, 1); T.amax(x); T.amax(x, 1); T.amin(x, 0);
    T.amin(x, (0, 1)); T.max(x); T.max(x, 1); T.min(x); T.min(x, 0); T.argmax(x); T.argmax(x, 1);
    T.argmin(x, 0); T.median(x);
    T.median(x, 1)[0]; T.aminmax(x, dim=1); T.sort(x, stable=True, dim=1); T.topk(x, 1)[0];
    T.sort(x, dim=0, stable=True, descending=True); T.argsort(x, dim=1, stable=True); T.kthvalue(x, 1)[0];
    T.cumsum(x, 1); T.cumprod(x, 1); T.cumprod(x, 0); T.softmax(x, 1); T.log_softmax(x, 1); T.logsumexp(x, 1);
    T.logsumexp(x, (0, 1)); T.norm(x); T.norm(x, dim=1); T.norm(x, 1); T.norm(x, 1, dim=0);
    T.norm(x, 3, dim=1);
    T.norm(x, 0); T.norm(x, inf, dim=1); T.norm(x, -inf); T.norm(x, 0.5, dim=1); T.std(x, 0, correction=0);
    T.var(x, 0, correction=0); T.nansum(x, 1); T.all(x, 1); T.any(x, 0); T.count_nonzero(x, 1); T.nonzero(x);
    T.quantile(x, 0.5, 1); T.dist(x, x); T.cosine_similarity(x, x.detach())
""")


# PyTorch interpolates between an infinity and itself, which is NaN.
CASES = [(e, v) for e in REDUCTIONS for v in SLICES if (e, v) != ("T.quantile(x, 0.5, 1)", "infinite")]


@pytest.mark.parametrize(("expression", "values"), CASES)
def test_slices_with_ties_zeros_and_infinities(expression: str, values: str) -> None:
    compare(expression, {"x": np.array(SLICES[values])}, grad=f"{expression} of {values}" not in DIFFERS)
