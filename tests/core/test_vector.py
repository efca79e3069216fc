"""The vector formulations give what NumPy's own functions give."""

import numpy as np
import pytest

from chainrule.core import vector


def _numbers(rng, shape, dtype):
    x = rng.standard_normal(shape).astype(dtype)
    if x.dtype.kind == "f":
        x.flat[:4] = np.nan, -0.0, np.inf, np.finfo(dtype).tiny / 4
    return x


@pytest.mark.parametrize(
    "dtype", ["float16", "float32", "float64", "int8", "int32", "int64", "uint8", "bool"]
)
@pytest.mark.parametrize("shape", [(), (5,), (64, 64), (3000,)])
def test_choose_equals_where_bit_for_bit(dtype, shape):
    rng = np.random.default_rng(0)
    condition = rng.random(shape) < 0.5
    x, y = (
        _numbers(rng, (*shape, 4), dtype)[..., 0].copy() if shape else np.array(3, dtype) for _ in range(2)
    )
    zero = np.zeros((), dtype).item()
    one = np.ones((), dtype).item()
    with np.errstate(all="ignore"):
        for a, b in [(x, y), (x, zero), (zero, y), (x, one), (one, y), (x, x)]:
            chosen, expected = vector.choose(condition, a, b), np.where(condition, a, b)
            assert chosen.dtype == expected.dtype
            assert chosen.tobytes() == expected.tobytes()


def test_choose_keeps_the_sign_of_a_zero_and_every_nan():
    x = np.full(2000, -0.0)
    condition = np.arange(2000) % 2 == 0
    assert np.signbit(vector.choose(condition, x, -0.0)).all()
    assert np.array_equal(np.signbit(vector.choose(condition, x, 0.0)), condition)
    odd = np.full(2000, np.nan).view(np.int64) + 7  # a NaN with a payload
    assert (vector.choose(condition, odd.view(float), odd.view(float)).view(np.int64) == odd).all()


@pytest.mark.parametrize("layout", ["transposed", "strided", "broadcast"])
def test_choose_takes_any_layout(layout):
    rng = np.random.default_rng(1)
    x = rng.standard_normal((50, 80))
    x = {"transposed": x.T, "strided": x[::2, ::-1], "broadcast": np.broadcast_to(x[:1], (50, 80))}[layout]
    condition = rng.random(x.shape) < 0.5
    assert np.array_equal(vector.choose(condition, x, x[:1]), np.where(condition, x, x[:1]))
    assert np.array_equal(
        vector.choose(condition[:, :1].repeat(x.shape[1], 1), x, 0.0), np.where(condition[:, :1], x, 0)
    )


@pytest.mark.parametrize(("dtype", "ulps"), [("float32", 2), ("float64", 2)])
def test_log_add_exp_equals_numpys(dtype, ulps):
    rng = np.random.default_rng(2)
    special = [np.inf, -np.inf, np.nan, 0.0, -0.0, 1e4, -1e4, 1e-8]
    pairs = [(a, b) for a in special for b in special]
    x = np.array([a for a, _ in pairs] + list(rng.standard_normal(5000) * 40), dtype)
    y = np.array([b for _, b in pairs] + list(rng.standard_normal(5000) * 40), dtype)
    with np.errstate(all="ignore"):
        out = vector.log_add_exp(x, y)
        expected = np.logaddexp(x.astype(np.longdouble), y.astype(np.longdouble))
    assert out.dtype == np.dtype(dtype)
    finite = np.isfinite(expected)
    assert np.array_equal(out[~finite], expected[~finite].astype(dtype), equal_nan=True)
    error = np.abs(out[finite] - expected[finite])
    assert (error <= ulps * np.spacing(np.maximum(np.abs(out[finite]), np.finfo(dtype).tiny))).all()
