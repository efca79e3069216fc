"""The thread pool: every index once, whatever happens around it, and a program that ends."""

from __future__ import annotations

import ctypes
import os
import resource
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

import numpy as np
import pytest

import chainrule as torch
from chainrule.executors.cpu import pool, target

from .natives import TEXT, function

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the pool has no threads there")

INT, PTR = ctypes.c_int64, ctypes.c_void_p


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(4)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def code() -> target.Loaded:
    return target.compile_module(TEXT)


def run(code: target.Loaded, body: str, ctx: np.ndarray, count: int, times: int = 1) -> None:
    many = function(code, "many", PTR, PTR, PTR, INT, INT, result=None)
    many(pool.address(), code.address(body), ctx.ctypes.data, count, times)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 64, 10_000])
@pytest.mark.parametrize("threads", [1, 2, 7])
def test_every_index_once(code: target.Loaded, threads: int, count: int) -> None:
    torch.set_num_threads(threads)
    seen = np.zeros(count + 8, np.int64)
    run(code, "add_one", seen, count, times=20)
    assert seen.tolist() == [20] * count + [0] * 8


def test_several_threads_take_part(code: target.Loaded) -> None:
    # Python bodies, so that they can say which thread they run on; each holds its thread for a moment.
    seen: dict[int, int] = {}

    @ctypes.CFUNCTYPE(None, PTR, INT)
    def body(_ctx: int, index: int) -> None:
        seen[index] = threading.get_native_id()
        time.sleep(0.02)

    call = ctypes.CFUNCTYPE(ctypes.c_int32, PTR, PTR, INT)(pool.address())
    assert call(ctypes.cast(body, PTR), None, 12) == 0
    assert sorted(seen) == list(range(12))
    assert 2 <= len(set(seen.values())) <= pool.threads() == 4
    assert threading.get_native_id() in seen.values()


def test_a_million_tiny_jobs(code: target.Loaded) -> None:
    seen = np.zeros(2, np.int64)
    torch.set_num_threads(2)
    start = time.monotonic()
    run(code, "add_one", seen, 2, times=1_000_000)
    assert seen.tolist() == [1_000_000, 1_000_000]
    assert time.monotonic() - start < 30  # far more than it takes; what it would take if each job slept


def test_a_job_within_a_job_runs_in_its_own_thread(code: target.Loaded) -> None:
    rows, n = 16, 5
    ctx = np.zeros(2 + rows * n, np.int64)
    ctx[0], ctx[1] = pool.address(), n
    run(code, "nest", ctx, rows, times=50)
    assert ctx[2:].tolist() == [50] * (rows * n)


def test_two_python_threads_at_once(code: target.Loaded) -> None:
    arrays = [np.zeros(101, np.int64) for _ in range(3)]
    threads = []
    for array in arrays:
        array[0] = 50  # turns of the loop of `slow`
        threads.append(threading.Thread(target=run, args=(code, "slow", array, 100, 2000)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
        assert not thread.is_alive()
    for array in arrays:
        assert array[1:].tolist() == [2000] * 100


def test_the_number_of_threads_may_change_at_any_time(code: target.Loaded) -> None:
    seen = np.zeros(9, np.int64)
    seen[0] = 20
    worker = threading.Thread(target=run, args=(code, "slow", seen, 8, 300_000))
    worker.start()
    changes = 0
    while worker.is_alive():
        torch.set_num_threads(1 + changes % 6)
        changes += 1
        time.sleep(0.001)
    worker.join()
    assert changes > 1
    assert seen[1:].tolist() == [300_000] * 8


def test_workers_sleep_when_there_is_nothing_to_do(code: target.Loaded) -> None:
    seen = np.zeros(64, np.int64)
    run(code, "add_one", seen, 64)
    time.sleep(0.05)
    before = resource.getrusage(resource.RUSAGE_SELF)
    time.sleep(0.4)
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    assert used < 0.2  # three workers that look all the time would use 0.4 to 1.2 seconds


def test_a_nudge_wakes_sleepers_and_changes_nothing_else(code: target.Loaded) -> None:
    seen = np.zeros(64, np.int64)
    run(code, "add_one", seen, 64)
    address = pool.nudge_address()
    assert address is not None
    nudge = ctypes.CFUNCTYPE(None)(address)
    for _ in range(200):
        nudge()
        time.sleep(0.0005)
        run(code, "add_one", seen, 64)
    assert seen.tolist() == [201] * 64


def test_jobs_after_sleep(code: target.Loaded) -> None:
    seen = np.zeros(65, np.int64)
    seen[0] = 500
    for _ in range(100):
        time.sleep(0.001)  # longer than workers and callers look
        run(code, "slow", seen, 64)
    assert seen[1:].tolist() == [100] * 64


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_forked_child_makes_its_own_workers(code: target.Loaded) -> None:
    seen = np.zeros(64, np.int64)
    run(code, "add_one", seen, 64)
    child = os.fork()
    if child == 0:
        status = 1
        try:
            run(code, "add_one", seen, 64, times=1000)
            tasks = len(os.listdir("/proc/self/task")) if os.path.isdir("/proc/self/task") else pool.threads()
            status = 0 if seen.tolist() == [1001] * 64 and tasks == pool.threads() else 2
        finally:
            os._exit(status)
    run(code, "add_one", seen, 64, times=1000)  # the parent goes on
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert seen.tolist() == [1001] * 64


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_fork_while_another_thread_runs_a_job(code: target.Loaded) -> None:
    busy = np.zeros(65, np.int64)
    busy[0] = 2000
    other = threading.Thread(target=run, args=(code, "slow", busy, 64, 1000))
    other.start()
    codes = []
    for _ in range(5):
        child = os.fork()
        if child == 0:
            status = 1
            try:
                seen = np.zeros(64, np.int64)
                run(code, "add_one", seen, 64, times=100)
                status = 0 if seen.tolist() == [100] * 64 else 2
            finally:
                os._exit(status)
        codes.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    other.join()
    assert codes == [0] * 5
    assert busy[1:].tolist() == [1000] * 64


@pytest.mark.parametrize("moment", ["idle", "looking", "at work"])
def test_a_program_ends(moment: str) -> None:
    program = f"""
import ctypes, sys, threading, time
sys.path.insert(0, {os.path.dirname(__file__)!r})
import numpy as np
import chainrule as torch
from natives import TEXT, function
from chainrule.executors.cpu import pool, target
torch.set_num_threads(4)
code = target.compile_module(TEXT)
many = function(code, "many", *[ctypes.c_void_p] * 3, *[ctypes.c_int64] * 2, result=None)
seen = np.zeros(65, np.int64)
seen[0] = 100
def work(times):
    many(pool.address(), code.address("slow"), seen.ctypes.data, 64, times)
work(10)
if {moment!r} == "idle":
    time.sleep(0.05)
elif {moment!r} == "at work":
    threading.Thread(target=work, args=(10**9,), daemon=True).start()
    time.sleep(0.05)
print(seen[1:].min() >= 10)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "True\n", "")


def test_more_threads_than_the_system_allows(code: target.Loaded) -> None:
    program = f"""
import ctypes, resource, sys
sys.path.insert(0, {os.path.dirname(__file__)!r})
import numpy as np
import chainrule as torch
from natives import TEXT, function
from chainrule.executors.cpu import pool, target
code = target.compile_module(TEXT)
pool.address()
used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (used + (64 << 20),) * 2)  # room for a few stacks of 8 MiB
torch.set_num_threads(200)
many = function(code, "many", *[ctypes.c_void_p] * 3, *[ctypes.c_int64] * 2, result=None)
seen = np.zeros(64, np.int64)
many(pool.address(), code.address("add_one"), seen.ctypes.data, 64, 1000)
print(seen.min(), seen.max())
"""
    if not os.path.exists("/proc/self/statm"):
        pytest.skip("the size of a process is not known there")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, "1000 1000\n", "")
