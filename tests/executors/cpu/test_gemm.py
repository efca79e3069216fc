"""Generated matrix products: values, layouts, order of additions, and that nothing else is touched."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from chainrule.executors.cpu import gemm
from chainrule.executors.cpu.gemm import Layout
from tests.executors.cpu.products import KINDS, Machine, error_and_bound, matrix, product

WIDE = Machine()
MACHINES = [WIDE, Machine(32, 16), Machine(16, 16), Machine(16, 32), Machine(64, 32, 2 << 10, 8 << 10)]
ROW, COLUMN = Layout(0, 1), Layout(1, 0)

# m, n, k; layouts of A and B; a word of the way it is computed
WAYS = [
    (256, 256, 784, "gathered rows", "cols", "A packed, B packed"),
    (256, 10, 256, "rows", "cols", "dot products 2x10"),
    (256, 10, 784, "gathered rows", "rows", "B packed"),
    (784, 10, 256, "gathered cols of columns", "rows", "transposed"),
    (10, 784, 256, "cols", "gathered rows", "outer products"),
    (256, 256, 10, "rows", "rows", "outer products"),
    (32, 1, 64, "rows", "cols", "dot products"),
    (1, 64, 32, "cols", "rows", "outer products 1x"),
    (64, 45, 45, "rows", "cols", "B packed"),
    (45, 46, 64, "cols", "rows", "outer products"),
    (16, 32, 10_000, "cols", "rows", "10 chunks of k"),
    (32, 4, 10_000, "cols", "rows", "transposed, 10 chunks of k"),
    (10, 1, 2, "rows", "rows", "dot products"),
    (300, 300, 300, "cols", "rows", "A packed, B packed"),
]


@pytest.mark.parametrize(("m", "n", "k", "kind_a", "kind_b", "way"), WAYS)
def test_each_way_gives_the_product(m: int, n: int, k: int, kind_a: str, kind_b: str, way: str) -> None:
    rng = np.random.default_rng(1)
    a, b = matrix(rng, m, k, "float32", kind_a), matrix(rng, k, n, "float32", kind_b)
    run = product(m, n, k, "float32", a, b, WIDE)
    assert way in run.plan.how
    error, bound = error_and_bound(run(a, b), a, b)
    assert (error <= bound).all()


def _random_case(seed: int) -> tuple[Any, ...]:
    choose = random.Random(seed)

    def size() -> int:
        return choose.choice([1, 1, 2, 3, 4, 5, 8, 10, 15, 16, 17, 31, 33, 45, 64, choose.randint(1, 100)])

    k = choose.choice([0, 1, 2, 3, size(), choose.randint(1, 100), choose.choice([300, 2048, 3001])])
    dtype = choose.choice(["float32", "float64"])
    return size(), size(), k, dtype, choose.choice(KINDS), choose.choice(KINDS), choose.choice(MACHINES)


@pytest.mark.parametrize("seed", range(150))
def test_random_shapes_and_layouts(seed: int) -> None:
    m, n, k, dtype, kind_a, kind_b, machine = _random_case(seed)
    rng = np.random.default_rng(seed)
    a, b = matrix(rng, m, k, dtype, kind_a), matrix(rng, k, n, dtype, kind_b)
    error, bound = error_and_bound(product(m, n, k, dtype, a, b, machine)(a, b), a, b)
    assert (error <= bound).all()


@pytest.mark.parametrize("kind_b", KINDS)
@pytest.mark.parametrize("kind_a", KINDS)
def test_every_pair_of_layouts(kind_a: str, kind_b: str) -> None:
    m, n, k = 21, 19, 18
    rng = np.random.default_rng(2)
    a, b = matrix(rng, m, k, "float32", kind_a), matrix(rng, k, n, "float32", kind_b)
    error, bound = error_and_bound(product(m, n, k, "float32", a, b, Machine(32, 16))(a, b), a, b)
    assert (error <= bound).all()


def test_an_empty_product_has_nothing_to_do() -> None:
    assert gemm.plan(0, 3, 4, "float32", ROW, ROW, WIDE).phases == []
    assert gemm.plan(3, 0, 4, "float64", ROW, ROW, WIDE).phases == []


@pytest.mark.parametrize("shape", [(3, 4), (40, 1), (1, 1), (5, 33)])
def test_an_empty_sum_is_zero(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    a, b = matrix(rng, shape[0], 0, "float32", "rows"), matrix(rng, 0, shape[1], "float32", "rows")
    assert (product(*shape, 0, "float32", a, b, WIDE)(a, b) == 0).all()


def _backwards(count: int, task: Callable[[int], None]) -> None:
    for index in reversed(range(count)):
        task(index)


def _two_threads(count: int, task: Callable[[int], None]) -> None:
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(task, range(count)))


@pytest.mark.parametrize(("m", "n", "k", "kind_a", "kind_b", "way"), WAYS)
def test_neither_threads_nor_the_order_of_tasks_change_a_bit(
    m: int, n: int, k: int, kind_a: str, kind_b: str, way: str
) -> None:
    rng = np.random.default_rng(4)
    a, b = matrix(rng, m, k, "float32", kind_a), matrix(rng, k, n, "float32", kind_b)
    run = product(m, n, k, "float32", a, b, WIDE)
    want = run(a, b)
    assert run(a, b, order=_backwards).tobytes() == want.tobytes()
    assert run(a, b, order=_two_threads).tobytes() == want.tobytes()


def test_large_products_have_tasks_for_many_threads_and_small_ones_do_not() -> None:
    large = gemm.plan(256, 784, 256, "float32", Layout(1, 256), Layout(784, 1, "rows"), WIDE)
    assert all(phase.count >= 16 for phase in large.phases)
    long = gemm.plan(32, 16, 10_000, "float32", Layout(1, 32), Layout(16, 1), WIDE)
    assert long.phases[0].count == 10
    small = gemm.plan(32, 64, 64, "float32", Layout(64, 1), Layout(1, 64), WIDE)
    assert [phase.count for phase in small.phases] == [1, 1]


@pytest.mark.parametrize("machine", MACHINES, ids=str)
@pytest.mark.parametrize(
    ("m", "n", "k"), [(7, 5, 9), (33, 45, 20), (40, 10, 64), (50, 1, 3), (4, 18, 2050), (19, 3, 70)]
)
def test_every_element_is_handed_over_once_and_nothing_else(m: int, n: int, k: int, machine: Machine) -> None:
    """C = C + 2 acc in the callback: an element that came twice, or not at all, would be wrong."""
    rng = np.random.default_rng(5)
    a, b = matrix(rng, m, k, "float32", "rows"), matrix(rng, k, n, "float32", "cols")

    def add_twice(builder: Any, old: Any, new: Any) -> Any:
        return builder.fadd(old, builder.fadd(new, new))

    row = n + 3
    c = np.full((m, row), 3, np.float32)
    plain = product(m, n, k, "float32", a, b, machine)(a, b)
    got = product(m, n, k, "float32", a, b, machine, row=row, epilogue=add_twice)(a, b, c)
    assert (got[:, :n] == 3 + (plain + plain)).all()
    assert (got[:, n:] == 3).all()


def test_the_order_of_additions_is_that_of_k_whatever_the_sizes_of_the_caches() -> None:
    m, n, k = 64, 64, 500
    rng = np.random.default_rng(6)
    a, b = matrix(rng, m, k, "float32", "gathered rows"), matrix(rng, k, n, "float32", "cols")
    large = product(m, n, k, "float32", a, b, WIDE)(a, b)
    small = product(m, n, k, "float32", a, b, Machine(32, 16, 2 << 10, 8 << 10))(a, b)
    assert large.tobytes() == small.tobytes()


@pytest.mark.parametrize(("m", "n", "k", "kind_a", "kind_b", "way"), WAYS)
def test_the_code_is_compact(m: int, n: int, k: int, kind_a: str, kind_b: str, way: str) -> None:
    """Lines of IR are what compilation time is proportional to; the callback here stores lane by lane."""
    rng = np.random.default_rng(7)
    a, b = matrix(rng, m, k, "float32", kind_a), matrix(rng, k, n, "float32", kind_b)
    stores = 0

    def count(builder: Any, old: Any, new: Any) -> Any:
        nonlocal stores
        stores += 1
        return new

    run = product(m, n, k, "float32", a, b, WIDE, epilogue=count)
    lines = len(run.text.splitlines())
    assert lines - 5 * stores < 1000


def test_special_values_go_through() -> None:
    rng = np.random.default_rng(8)
    a, b = matrix(rng, 20, 7, "float32", "rows"), matrix(rng, 7, 21, "float32", "cols")
    a.memory[3, 2], a.memory[5, 1] = np.inf, np.nan
    got = product(20, 21, 7, "float32", a, b, WIDE)(a, b)
    assert (got[3] == np.inf * np.sign(b.meant[2])).all()
    assert np.isnan(got[5]).all()
    assert np.isfinite(np.delete(got, [3, 5], 0)).all()


@pytest.mark.parametrize(
    ("m", "n", "k", "kind_a", "kind_b"),
    [
        (10, 784, 256, "cols", "gathered rows"),
        (784, 10, 256, "gathered cols of columns", "rows"),
        (256, 784, 256, "cols", "gathered rows"),
        (256, 256, 784, "gathered rows", "cols"),
    ],
)
def test_asking_for_what_comes_next_changes_nothing(m: int, n: int, k: int, kind_a: str, kind_b: str) -> None:
    rng = np.random.default_rng(9)
    a, b = matrix(rng, m, k, "float32", kind_a), matrix(rng, k, n, "float32", kind_b)
    plain = product(m, n, k, "float32", a, b, WIDE)
    run = product(m, n, k, "float32", a, b, WIDE, upcoming=True)
    assert run.text.count('@"llvm.prefetch.p0"(') > plain.text.count('@"llvm.prefetch.p0"(')
    assert run(a, b).tobytes() == plain(a, b).tobytes()
