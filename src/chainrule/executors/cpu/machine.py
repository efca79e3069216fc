"""What this machine can do at most, measured: bytes copied and floating-point operations in a second.

`fn.report()` and the benchmarks hold compiled functions against these rates. Each is measured once for a
number of threads, in less than half a second, and then remembered; on a busy machine it comes out
lower, like everything else there. The shares of the threads are run by our own pool, as in compiled
functions.
"""

from __future__ import annotations

import ctypes
import functools
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np

from . import blas, cache, pool, target
from .host import host

_SECONDS: Final = 0.06  # for the repetitions of a measurement
_LINE: Final = 64  # bytes of a cache line, and of the widest vector
# Rows and columns. A large product is where BLAS is at its best, but takes 5 to 20 ms on two cores; where
# others use these too it is always interrupted, and a small one, of a third of a millisecond, is not.
_PRODUCTS: Final = (256, 768)


@functools.cache
def copy_bandwidth(threads: int | None = None) -> float:
    """Bytes per second, read and written ones counted, when large arrays are copied.

    Large is several times the last cache. Of ordinary stores and of those that go past the caches, the faster
    kind counts: it is what the memory can do.

    threads:  how many copy; by default as many as compiled functions use.
    """
    number = threads or pool.threads()
    run = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64)(pool.address())
    share = min(max(2 * host().l3, 64 << 20), 256 << 20) // number // _LINE * _LINE  # bytes
    size = share * number
    source, sink = _array(size), _array(size)
    ctx = np.array([source.ctypes.data, sink.ctypes.data, share], np.int64)
    code = target.load(*_copies())
    bodies = [code.address(name) for name in ("copy_plain", "copy_past")]
    seconds = min(_best(run, body, ctx.ctypes.data, number) for body in bodies)
    return 2 * size / seconds


@functools.cache
def product_rate(dtype: str = "float32", threads: int | None = None) -> float | None:
    """Floating-point operations per second of a matrix product in BLAS; None where there is no BLAS.

    A product of (m, k) and (k, n) counts as 2 m k n operations. Of a small and a large one the faster counts.

    dtype:    "float32" or "float64".
    threads:  how many BLAS uses; by default as many as compiled functions use.
    """
    library = blas.find()
    if library is None:
        return None
    number = threads or pool.threads()
    rate = 0.0
    for n in _PRODUCTS:
        x, y, out = (np.full((n, n), value, dtype) for value in (1.0, 0.5, 0.0))
        with library.alone(number):
            rate = max(rate, 2 * n**3 / _best(np.matmul, x, y, out))
    # Where other programs use the processors, several threads may be slower than one.
    return max(rate, product_rate(dtype, 1) or 0.0) if number > 1 else rate


def _array(size: int) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """So many bytes that begin at a cache line and have been written to."""
    whole = np.ones(size + _LINE, np.uint8)  # not zeros, which the system may keep as one page
    start = -whole.ctypes.data % _LINE
    return whole[start : start + size]


def _copies() -> tuple[bytes, list[str]]:
    """An object with copy_plain and copy_past, which are bodies for the pool: index i copies the i-th share.

    Their context is the source, the sink, and the bytes of a share, a multiple of a cache line.
    """
    key = cache.key("copies")
    entry = cache.lookup(key)
    if entry is not None:
        return entry.code, entry.meta["names"]
    import llvmlite.ir as ir  # where there is nothing in the cache

    module = ir.Module("copies")
    _write_copy(ir, module, "copy_plain", past_caches=False)
    _write_copy(ir, module, "copy_past", past_caches=True)
    names, code = target.emit(str(module))
    cache.store(key, code, {"names": names})
    return code, names


def _write_copy(ir: Any, module: Any, name: str, *, past_caches: bool) -> None:
    """Write one of the copies, a cache line at a time."""
    byte, i64, pointer = ir.IntType(8), ir.IntType(64), ir.PointerType()
    vector = ir.VectorType(ir.FloatType(), _LINE // 4)
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [pointer, i64]), name)
    ctx, index = function.args
    b = ir.IRBuilder(function.append_basic_block("entry"))
    source, sink, share = (
        b.load(b.gep(ctx, [i64(i)], source_etype=i64), typ=kind)
        for i, kind in enumerate((pointer, pointer, i64))
    )
    first = b.mul(index, share)
    end = b.add(first, share)
    entry, loop, done = b.block, b.append_basic_block("loop"), b.append_basic_block("done")
    b.branch(loop)
    b.position_at_end(loop)
    at = b.phi(i64)
    at.add_incoming(first, entry)
    value = b.load(b.gep(source, [at], source_etype=byte), typ=vector, align=_LINE)
    store = b.store(value, b.gep(sink, [at], source_etype=byte), align=_LINE)
    if past_caches:
        store.set_metadata("nontemporal", module.add_metadata([ir.IntType(32)(1)]))
    after = b.add(at, i64(_LINE))
    at.add_incoming(after, loop)
    b.cbranch(b.icmp_signed("<", after, end), loop, done)
    b.position_at_end(done)
    if past_caches:
        b.fence("seq_cst")  # such stores are ordered with nothing else
    b.ret_void()


def _best(work: Callable[..., Any], *args: Any) -> float:
    """The shortest time of some repetitions, in seconds; the first one, which warms up, does not count."""
    work(*args)
    best, end = float("inf"), time.perf_counter() + _SECONDS
    while time.perf_counter() < end:
        start = time.perf_counter()
        work(*args)
        best = min(best, time.perf_counter() - start)
    return best
