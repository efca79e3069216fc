"""Laws that hold for all inputs: gradients are linear in g, and pairs of ops are each other's adjoint."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from chainrule.base import wrap
from chainrule.ops import TABLE, index, move, scan, scatter, views
from chainrule.ops.reduce import SUM, spread
from tests.ops import check_derivatives
from tests.ops.cases import cases, differentiable, evaluate
from tests.tolerances import VALUE, Tolerance, assert_close

DIFFERENTIABLE = [op for op in TABLE.values() if op.differentiable]
CLOSE = VALUE["float64"]
SIZES = st.integers(0, 4)
SHAPES = st.lists(SIZES, max_size=4).map(tuple)
SEEDS = st.integers(0, 2**32 - 1)


def normal(seed: int, shape: tuple[int, ...]) -> Any:
    """Numbers between -1 and 1: sums of them stay near 1, where the tolerance is meant."""
    return np.random.default_rng(seed).uniform(-1, 1, shape)


def inner(a: Any, b: Any) -> float:
    return float((np.asarray(a) * np.asarray(b)).sum())


def adjoint(forward: Any, backward: Any, x: Any, g: Any) -> None:
    """<g, F x> = <F* g, x>, where F and F* are given on arrays."""
    left, right = inner(g, forward(x)), inner(backward(g), x)
    assert abs(left - right) <= 1e-14 * (1 + np.abs(g).sum())


@given(st.sampled_from(DIFFERENTIABLE), st.integers(0, 5), SEEDS, st.floats(-2, 2), st.floats(-2, 2))
def test_a_gradient_is_linear_in_g(op: Any, number: int, seed: int, a: float, b: float) -> None:
    case = cases(op)[number % len(op.samples)]
    arrays = case.arrays()
    settings = case.sample.settings_for(arrays)
    inputs = differentiable(case, arrays, settings)
    if not inputs:
        return
    shape = evaluate(case, arrays, settings)[0].shape
    g, h = normal(seed, shape), normal(seed + 1, shape)
    of_g = check_derivatives.gradients(case, arrays, settings, g, inputs)
    of_h = check_derivatives.gradients(case, arrays, settings, h, inputs)
    of_both = check_derivatives.gradients(case, arrays, settings, a * g + b * h, inputs)
    for x, y, both in zip(of_g, of_h, of_both, strict=True):
        scale = 1 + np.abs(x).max(initial=0) + np.abs(y).max(initial=0)
        assert_close(both, a * x + b * y, Tolerance(0, 1e-14 * scale), op.name)


@st.composite
def broadcasts(draw: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """(a shape, a shape it can be broadcast to)."""
    large = draw(SHAPES)
    small = tuple(draw(st.sampled_from([1, n])) for n in large)
    return small[draw(st.integers(0, len(small))) :], large


@given(broadcasts(), SEEDS)
def test_reducing_to_a_shape_is_the_adjoint_of_broadcasting_from_it(shapes: Any, seed: int) -> None:
    small, large = shapes
    adjoint(
        lambda x: views.EXPAND(wrap(x), shape=large)._a,
        lambda g: views.reduce_to(wrap(g), small)._a,
        normal(seed, small),
        normal(seed + 1, large),
    )


@given(SHAPES, st.data(), SEEDS)
def test_spreading_is_the_adjoint_of_a_sum(shape: tuple[int, ...], data: Any, seed: int) -> None:
    dim = tuple(sorted(data.draw(st.sets(st.sampled_from(range(len(shape))))))) if shape else ()
    keepdim = data.draw(st.booleans())
    x = normal(seed, shape)
    out = SUM(wrap(x), dim=dim, keepdim=keepdim)._a
    adjoint(
        lambda x: SUM(wrap(x), dim=dim, keepdim=keepdim)._a,
        lambda g: spread(wrap(g), shape, dim, keepdim)._a,
        x,
        normal(seed + 1, out.shape),
    )


@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 6), st.sampled_from([0, 1]), SEEDS)
def test_scatter_add_is_the_adjoint_of_gather(n: int, m: int, k: int, dim: int, seed: int) -> None:
    shape = (k, m) if dim == 0 else (n, k)
    places = wrap(np.random.default_rng(seed).integers(0, (n, m)[dim], shape))
    zeros = wrap(np.zeros((n, m)))
    adjoint(
        lambda x: scatter.GATHER(wrap(x), places, dim=dim)._a,
        lambda g: scatter.SCATTER_ADD(zeros, places, wrap(g), dim=dim)._a,
        normal(seed, (n, m)),
        normal(seed + 1, shape),
    )


@given(st.integers(1, 4), st.integers(1, 4), st.integers(1, 3), SHAPES, st.data(), SEEDS)
def test_adding_at_indices_is_the_adjoint_of_reading_at_them(
    n: int, m: int, k: int, picked: tuple[int, ...], data: Any, seed: int
) -> None:
    dims = data.draw(st.sampled_from([(0,), (1,), (2,), (0, 1), (1, 2), (0, 2), (0, 1, 2)]))
    sizes = (n, m, k)
    rng = np.random.default_rng(seed)
    indices = [wrap(rng.integers(-sizes[d], sizes[d], picked)) for d in dims]
    x = normal(seed, sizes)
    out = index.INDEX(wrap(x), *indices, dims=dims)._a
    zeros = wrap(np.zeros(sizes))
    adjoint(
        lambda x: index.INDEX(wrap(x), *indices, dims=dims)._a,
        lambda g: index.INDEX_PUT(zeros, wrap(g), *indices, dims=dims, accumulate=True)._a,
        x,
        normal(seed + 1, out.shape),
    )


@given(SHAPES, st.data(), SEEDS)
def test_embedding_is_the_adjoint_of_slicing(shape: tuple[int, ...], data: Any, seed: int) -> None:
    key: list[Any] = []
    for n in shape:
        step = data.draw(st.integers(1, 3))
        slices = st.builds(lambda a, b, s=step: slice(a, b, s), st.integers(-5, 5), st.integers(-5, 5))
        key.append(data.draw(st.one_of(slices, st.integers(-n, n - 1)) if n else slices))
        if data.draw(st.booleans()):
            key.append(None)
    x = normal(seed, shape)
    taken = views.SLICE(wrap(x), key=tuple(key))._a
    assert_close(taken, x[tuple(key)], Tolerance(0, 0))
    adjoint(
        lambda x: views.SLICE(wrap(x), key=tuple(key))._a,
        lambda g: views.embed(wrap(g), shape, tuple(key))._a,
        x,
        normal(seed + 1, taken.shape),
    )


@given(SHAPES, st.randoms(use_true_random=False), SEEDS)
def test_the_inverse_of_a_permutation_undoes_it(shape: tuple[int, ...], random: Any, seed: int) -> None:
    dims = list(range(len(shape)))
    random.shuffle(dims)
    x = wrap(normal(seed, shape))
    there = views.PERMUTE(x, dims=tuple(dims))
    back = views.PERMUTE(there, dims=views.inverse(tuple(dims)))
    assert np.array_equal(back._a, x._a)
    assert back._a.strides == x._a.strides


@given(SHAPES, st.data(), SEEDS)
def test_flipping_twice_is_nothing(shape: tuple[int, ...], data: Any, seed: int) -> None:
    dims = tuple(data.draw(st.sets(st.sampled_from(range(len(shape)))))) if shape else ()
    x = wrap(normal(seed, shape))
    assert np.array_equal(move.FLIP(move.FLIP(x, dims=dims), dims=dims)._a, x._a)


@given(st.lists(st.floats(-1, 1, width=32), max_size=8), st.booleans(), SEEDS)
def test_scanning_back_is_the_adjoint_of_a_linear_scan(xs: list[float], reverse: bool, seed: int) -> None:
    x = wrap(np.array(xs, np.float64))
    adjoint(
        lambda y: scan.LINEAR_SCAN(x, wrap(y), dim=0, reverse=reverse)._a,
        lambda g: scan.scan_back(wrap(g), x, 0, reverse)._a,
        normal(seed, (len(xs),)),
        normal(seed + 1, (len(xs),)),
    )


@given(st.lists(st.sampled_from([0.0, 0.5, -2.0, 3.0]), min_size=1, max_size=6))
def test_the_product_of_all_but_one_is_exact_with_zeros(xs: list[float]) -> None:
    got = scan.others(wrap(np.array(xs)), 0)._a
    wanted = [np.prod(xs[:k] + xs[k + 1 :]) for k in range(len(xs))]
    assert_close(got, wanted, CLOSE)
