"""Our printing against PyTorch's own, on random arrays of every dtype, shape and scale."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch

from chainrule.printing import format_tensor, set_printoptions

DTYPES = ["float16", "float32", "float64", "int8", "int16", "int32", "int64", "uint8", "bool"]
OPTIONS: dict[str, list[Any]] = {
    "precision": [0, 1, 3, 8],
    "threshold": [5, 50, 1000],
    "edgeitems": [0, 1, 2, 5],
    "linewidth": [1, 20, 60, 120],
    "sci_mode": [True, False],
}


@pytest.fixture(autouse=True)
def _default_options() -> Iterator[None]:
    yield
    set_printoptions(profile="default")
    torch.set_printoptions(profile="default")
    torch.set_default_dtype(torch.float32)


def random_shape(rng: np.random.Generator) -> tuple[int, ...]:
    least = 0 if rng.random() < 0.1 else 1
    most = int(rng.choice([4, 9, 30, 70]))
    shape = tuple(int(size) for size in rng.integers(least, most, rng.integers(0, 5)))
    return shape if np.prod(shape) <= 20_000 else shape[:2]


def random_array(rng: np.random.Generator, dtype: str) -> np.ndarray:
    shape = random_shape(rng)
    if dtype == "bool":
        return np.asarray(rng.random(shape) < 0.5)
    if "int" in dtype:
        limits = np.iinfo(dtype)
        low, high = (limits.min, limits.max) if rng.random() < 0.3 else (0, 10 ** int(rng.integers(1, 3)))
        return np.asarray(rng.integers(low, high, shape, np.int64)).astype(dtype)
    with np.errstate(all="ignore"):  # overflow and underflow in float16 are wanted
        exponent = rng.uniform(-9, 12) if rng.random() < 0.5 else rng.uniform(-3, 4)
        spread = rng.choice([0.1, 1, 3, 8]) * (rng.random(shape) - 0.5)
        array = np.asarray(rng.standard_normal(shape) * 10.0 ** (exponent + spread))
        if rng.random() < 0.35:
            array = np.round(array)
        if rng.random() < 0.3:
            special = rng.choice([0.0, -0.0, np.nan, np.inf, -np.inf, 5e-324], size=shape)
            array = np.where(rng.random(shape) < 0.2, special, array)
        return np.asarray(array).astype(dtype)


def random_options(rng: np.random.Generator) -> dict[str, Any]:
    options: dict[str, Any] = {"profile": str(rng.choice(["default", "short", "full"]))}
    for name, choices in OPTIONS.items():
        if rng.random() < 0.5:
            options[name] = choices[rng.integers(len(choices))]
    return options


def check(array: np.ndarray, default_dtype: str = "float32") -> None:
    t = torch.tensor(array)
    assert format_tensor(array, default_dtype=default_dtype) == repr(t)
    if array.dtype.kind == "f":
        t.requires_grad_()
        assert format_tensor(array, default_dtype=default_dtype, requires_grad=True) == repr(t)
        made = format_tensor(array, default_dtype=default_dtype, requires_grad=True, grad_fn="MulBackward0")
        assert made == repr(t * 1)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("seed", range(4))
def test_random_arrays(dtype: str, seed: int) -> None:
    rng = np.random.default_rng([seed, DTYPES.index(dtype)])
    for _ in range(15):
        check(random_array(rng, dtype))


@pytest.mark.parametrize("seed", range(20))
def test_random_options(seed: int) -> None:
    rng = np.random.default_rng(1000 + seed)
    for _ in range(10):
        options = random_options(rng)
        torch.set_printoptions(**options)
        set_printoptions(**options)
        check(random_array(rng, str(rng.choice(DTYPES))))


@pytest.mark.parametrize("seed", range(5))
def test_default_dtype_float64(seed: int) -> None:
    rng = np.random.default_rng(2000 + seed)
    torch.set_default_dtype(torch.float64)
    for dtype in DTYPES:
        check(random_array(rng, dtype), "float64")


def test_borders_of_the_three_number_styles() -> None:
    for dtype in (np.float32, np.float64):
        for border in (1000, 1e8, 1e-4, 0.1, 1e3 + 1e-3):
            at = dtype(border)
            for x in (np.nextafter(at, dtype(0)), at, np.nextafter(at, dtype(1e9))):
                for other in (x, 1, 0.5, 1e-3, -1e5, 1000 * x, x / 1000):
                    check(np.array([x, other], dtype))


def test_every_length_of_a_last_line() -> None:
    # Whether a suffix still fits depends on the length of the line before it.
    for n in range(1, 40):
        check(np.arange(n, dtype=np.float64))
        check(np.arange(n, dtype=np.float16).reshape(1, n))
