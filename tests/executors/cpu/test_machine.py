"""The measured rates: what counts, what is remembered, and that they take part in no mischief."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator

import numpy as np
import pytest

import chainrule as torch
from chainrule.executors.cpu import blas, machine, target

from .natives import function


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    yield
    machine.copy_bandwidth.cache_clear()
    machine.product_rate.cache_clear()


@pytest.mark.parametrize("name", ["copy_plain", "copy_past"])
def test_the_copies_copy_their_share(name: str) -> None:
    code, names = machine._copies()
    loaded = target.load(code, names)
    source, sink = machine._array(64 * 9), machine._array(64 * 9)
    source[:] = np.arange(64 * 9) % 251
    ctx = np.array([source.ctypes.data, sink.ctypes.data, 64 * 3], np.int64)
    copy = function(loaded, name, ctypes.c_void_p, ctypes.c_int64, result=None)
    copy(ctx.ctypes.data, 1)
    assert sink[: 64 * 3].tolist() == [1] * (64 * 3)
    assert sink[64 * 3 : 64 * 6].tolist() == source[64 * 3 : 64 * 6].tolist()
    assert sink[64 * 6 :].tolist() == [1] * (64 * 3)


@pytest.mark.parametrize("size", [64, 640, 1 << 20])
def test_the_arrays_begin_at_a_cache_line(size: int) -> None:
    array = machine._array(size)
    assert array.size == size
    assert array.ctypes.data % 64 == 0


def test_a_bandwidth_is_what_its_time_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_best", lambda work, *args: (work(*args), 0.01)[1])
    size = min(max(2 * machine.host().l3, 64 << 20), 256 << 20)
    assert machine.copy_bandwidth(1) == 2 * size / 0.01


def test_a_product_rate_is_what_its_time_says(monkeypatch: pytest.MonkeyPatch) -> None:
    if blas.find() is None:
        pytest.skip("NumPy came without a BLAS that can be found")
    monkeypatch.setattr(machine, "_best", lambda work, *args: 0.01)
    assert machine.product_rate("float64", 2) == 2 * 768**3 / 0.01


def test_the_faster_product_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    if blas.find() is None:
        pytest.skip("NumPy came without a BLAS that can be found")
    monkeypatch.setattr(machine, "_best", lambda work, x, *args: 0.01 if len(x) == 256 else 1.0)
    assert machine.product_rate("float64", 1) == 2 * 256**3 / 0.01


def test_rates_are_measured_once() -> None:
    first = machine.copy_bandwidth(1), machine.product_rate("float32", 1)
    start = time.perf_counter()
    assert (machine.copy_bandwidth(1), machine.product_rate("float32", 1)) == first
    assert time.perf_counter() - start < 0.01
    assert first[0] > 1e8  # a tenth of a gigabyte per second: below, something is broken


def test_without_a_blas_there_is_no_product_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.blas, "find", lambda: None)
    assert machine.product_rate() is None


def test_measuring_leaves_the_numbers_of_threads_alone() -> None:
    library = blas.find()
    before = torch.get_num_threads(), library and library.threads()
    machine.product_rate("float32", 3)
    assert (torch.get_num_threads(), library and library.threads()) == before


def test_repetitions() -> None:
    calls: list[float] = []

    def work(pause: float) -> None:
        calls.append(pause)
        time.sleep(pause)

    assert 0.01 <= machine._best(work, 0.01) < 0.06
    assert 3 <= len(calls) <= 8
