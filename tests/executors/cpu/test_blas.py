"""The BLAS of the process: found, right, and its number of threads back where it was."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from chainrule.executors.cpu import blas as module
from chainrule.executors.cpu.blas import Blas, find

found = find()
needs_blas = pytest.mark.skipif(found is None, reason="NumPy came without a BLAS that can be found")
needs_threads = pytest.mark.skipif(
    found is None or found.threads() is None, reason="the threads of this BLAS cannot be set"
)


@pytest.fixture
def blas() -> Iterator[Blas]:
    """It, with three threads."""
    assert found is not None
    before = found.threads()
    set_threads = ctypes.CFUNCTYPE(None, ctypes.c_int)(found.set_threads)
    set_threads(3)
    yield found
    assert found.threads() == 3
    set_threads(before)


def gemm(blas: Blas, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """x @ y through the address."""
    (m, k), n = x.shape, y.shape[1]
    single = x.dtype == np.float32
    scalar: Any = ctypes.c_float if single else ctypes.c_double
    size: Any = ctypes.c_int64 if blas.integer == 8 else ctypes.c_int32
    call = ctypes.CFUNCTYPE(
        None, *[ctypes.c_int] * 3, *[size] * 3, scalar, ctypes.c_void_p, size, ctypes.c_void_p, size, scalar,
        ctypes.c_void_p, size,
    )(blas.sgemm if single else blas.dgemm)  # fmt: skip
    out = np.full((m, n), np.nan, x.dtype)
    call(101, 111, 111, m, n, k, 1.0, x.ctypes.data, k, y.ctypes.data, n, 0.0, out.ctypes.data, n)
    return out


@needs_blas
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("m", "k", "n"), [(1, 1, 1), (3, 5, 2), (64, 33, 130)])
def test_products(dtype: Any, m: int, k: int, n: int) -> None:
    assert found is not None
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((m, k)).astype(dtype), rng.standard_normal((k, n)).astype(dtype)
    expected = np.einsum("ij,jk->ik", x.astype(np.float64), y.astype(np.float64))
    tolerance = 1e-5 if dtype == np.float32 else 1e-13  # of values around 10
    np.testing.assert_allclose(gemm(found, x, y), expected, rtol=tolerance, atol=10 * tolerance)


@needs_blas
@pytest.mark.skipif(sys.platform != "linux", reason="asks the system which libraries are loaded")
def test_it_loads_nothing() -> None:
    program = """
import numpy
def libraries():
    return {line.split()[-1] for line in open("/proc/self/maps") if ".so" in line and "blas" in line.lower()}
before = libraries()
from chainrule.executors.cpu import blas
found = blas.find()
print(libraries() == before, found.path in before, "numpy" in found.path)
"""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, env=env
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("True True")


def test_a_process_without_a_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_libraries", lambda: ["/usr/lib/libm.so.6", "/nowhere/libopenblas.so"])
    assert find.__wrapped__() is None


@needs_blas
def test_one_that_gives_wrong_products_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_is_right", lambda blas: False)
    assert find.__wrapped__() is None


@needs_threads
def test_alone(blas: Blas) -> None:
    with blas.alone():
        assert blas.threads() == 1
        with blas.alone():
            assert blas.threads() == 1
        assert blas.threads() == 1
    assert blas.threads() == 3


@needs_threads
def test_an_error_in_the_block_ends_it(blas: Blas) -> None:
    with pytest.raises(ZeroDivisionError), blas.alone():
        1 / 0  # noqa: B018
    assert blas.threads() == 3


@needs_threads
def test_blocks_of_two_threads_that_overlap(blas: Blas) -> None:
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with blas.alone():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    with blas.alone():
        thread.start()
        assert entered.wait(10)
    assert blas.threads() == 1  # the other one is still inside
    leave.set()
    thread.join()
    assert blas.threads() == 3


@needs_threads
def test_many_threads_at_once(blas: Blas) -> None:
    wrong: list[int | None] = []

    def work() -> None:
        for _ in range(300):
            with blas.alone():
                if blas.threads() != 1:
                    wrong.append(blas.threads())

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


@needs_threads
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_is_not_in_the_blocks_of_its_parents_threads(blas: Blas) -> None:
    entered, leave = threading.Event(), threading.Event()

    def other() -> None:
        with blas.alone():
            entered.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    assert entered.wait(10)
    child = os.fork()
    if child == 0:
        os._exit(blas.threads() or 0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
    assert blas.threads() == 1
    leave.set()
    thread.join()


def test_a_blas_whose_threads_cannot_be_set() -> None:
    blas = Blas("x", 4, 1, 1, None, None)
    with blas.alone():
        assert blas.threads() is None
