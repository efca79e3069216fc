"""The BLAS that NumPy has already loaded: where its matrix product is, and how many threads it uses.

`find()` looks through the libraries of this process, NumPy's own first, and loads none. Native code calls
what it finds by address; `sgemm` and `dgemm` have the C interface (`cblas_sgemm`), with integers of
`Blas.integer` bytes.

How many threads a BLAS uses is one number for the whole process. Compiled functions divide the work among
their own pool (`pool.py`), whose threads then each call BLAS; if every such call started threads of its own,
there would be more of them than processors, and OpenBLAS would moreover let only one call at a time use them.
So while our pool works BLAS must use one thread: `Blas.alone()` sees to that, for the time of a block. NumPy
in another Python thread would notice only that a product takes longer meanwhile, and gets its number back at
the end, when the last of several such blocks is over. What the number is outside of such blocks is the user's
business and never changed.
"""

from __future__ import annotations

import ctypes
import functools
import glob
import os
import sys
import threading
from collections.abc import Iterable
from typing import Any, Final

import numpy as np

# How the builds of a BLAS that come with packages decorate the names of its functions.
_PREFIXES: Final = ("scipy_", "")
_SUFFIXES: Final = ("64_", "_64", "")
# The pair of functions that set and get the number of threads, by family of libraries.
_THREADS: Final = (
    ("openblas_set_num_threads", "openblas_get_num_threads"),
    ("MKL_Set_Num_Threads", "MKL_Get_Max_Threads"),
    ("bli_thread_set_num_threads", "bli_thread_get_num_threads"),
)
_NAMES: Final = ("openblas", "mkl_rt", "accelerate", "blis", "flexiblas", "cblas", "libblas")
_ROW_MAJOR, _AS_IS = 101, 111  # CblasRowMajor, CblasNoTrans


# Blocks with another number of threads begin and end one at a time; a fork waits for that, as in `target.py`.
_lock: Final = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)


class Blas:
    """A BLAS in this process.

    path:     the file of the library.
    integer:  the bytes of its integers, 4 or 8.
    sgemm, dgemm:              addresses of cblas_sgemm and cblas_dgemm.
    set_threads, get_threads:  addresses of `void set(int)` and `int get(void)` for the number of its threads;
                               None where there are no such functions.
    """

    __slots__ = (
        "_before", "_blocks", "_get", "_set",
        "dgemm", "get_threads", "integer", "path", "set_threads", "sgemm",
    )  # fmt: skip

    def __init__(
        self,
        path: str,
        integer: int,
        sgemm: int,
        dgemm: int,
        set_threads: int | None,
        get_threads: int | None,
    ) -> None:
        self.path = path
        self.integer = integer
        self.sgemm = sgemm
        self.dgemm = dgemm
        self.set_threads = set_threads
        self.get_threads = get_threads
        self._set = ctypes.CFUNCTYPE(None, ctypes.c_int)(set_threads or 0)
        self._get = ctypes.CFUNCTYPE(ctypes.c_int)(get_threads or 0)
        self._blocks = 0  # that have begun and not ended
        self._before = 0  # the number of threads before the first of them

    def threads(self) -> int | None:
        """How many threads it uses now; None where that cannot be asked."""
        return None if self.get_threads is None else int(self._get())

    def alone(self, threads: int = 1) -> Alone:
        """A block in which it uses one thread, or so many. Blocks may overlap; the first one then decides."""
        return Alone(self, threads)

    def begin(self, threads: int = 1) -> None:
        """Use one thread until as many blocks have ended as have begun."""
        if self.set_threads is not None and self.get_threads is not None:
            with _lock:
                if self._blocks == 0:
                    self._before = self._get()
                    self._set(threads)
                self._blocks += 1

    def end(self) -> None:
        """The end of a block."""
        if self.set_threads is not None and self.get_threads is not None:
            with _lock:
                self._blocks -= 1
                if self._blocks == 0:
                    self._set(self._before)

    def forget(self) -> None:
        """End all blocks, in a forked child: they belong to threads that it does not have."""
        if self._blocks:
            self._blocks = 1
            self.end()


class Alone:
    """The block of `Blas.alone`."""

    __slots__ = ("blas", "threads")

    def __init__(self, blas: Blas, threads: int) -> None:
        self.blas = blas
        self.threads = threads

    def __enter__(self) -> None:
        self.blas.begin(self.threads)

    def __exit__(self, *error: object) -> None:
        self.blas.end()


@functools.cache
def find() -> Blas | None:
    """The BLAS of this process, NumPy's if it has several; None if none gives right products."""
    paths = [path for path in _libraries() if any(name in os.path.basename(path).lower() for name in _NAMES)]
    for path in sorted(paths, key=lambda path: "numpy" not in path.lower()):
        blas = _open(path)
        if blas is not None and _is_right(blas):
            if hasattr(os, "register_at_fork"):
                os.register_at_fork(after_in_child=blas.forget)
            return blas
    return None


def _open(path: str) -> Blas | None:
    """The functions of a library that is loaded already; None if it has no matrix products."""
    try:
        library = ctypes.CDLL(
            path, mode=getattr(os, "RTLD_NOLOAD", 0) | os.RTLD_NOW if os.name != "nt" else 0
        )
    except OSError:
        return None
    for prefix in _PREFIXES:
        for suffix in _SUFFIXES:
            products = [_address(library, f"{prefix}cblas_{letter}gemm{suffix}") for letter in "sd"]
            if None not in products:
                setter, getter = _thread_functions(library, prefix, suffix)
                sgemm, dgemm = products
                assert sgemm is not None
                assert dgemm is not None
                wide = suffix != "" or _has_wide_integers(library)
                return Blas(path, 8 if wide else 4, sgemm, dgemm, setter, getter)
    return None


def _thread_functions(library: ctypes.CDLL, prefix: str, suffix: str) -> tuple[int | None, int | None]:
    """The addresses of what sets and gets the number of threads."""
    for names in _THREADS:
        for before, after in ((prefix, suffix), ("", "")):
            setter, getter = (_address(library, before + name + after) for name in names)
            if setter is not None and getter is not None:
                return setter, getter
    return None, None


def _has_wide_integers(library: ctypes.CDLL) -> bool:
    """Whether a library whose names do not say so takes integers of 8 bytes; OpenBLAS can be asked."""
    if not hasattr(library, "openblas_get_config"):
        return False
    library.openblas_get_config.restype = ctypes.c_char_p
    return b"USE64BITINT" in library.openblas_get_config()


def _address(library: ctypes.CDLL, name: str) -> int | None:
    if not hasattr(library, name):
        return None
    return ctypes.cast(getattr(library, name), ctypes.c_void_p).value


def _is_right(blas: Blas) -> bool:
    """Whether both products are right for a small case with three different sizes."""
    size = ctypes.c_int64 if blas.integer == 8 else ctypes.c_int32
    kinds: list[tuple[int, Any, Any]] = [
        (blas.sgemm, np.float32, ctypes.c_float),
        (blas.dgemm, np.float64, ctypes.c_double),
    ]
    for address, dtype, scalar in kinds:
        gemm = ctypes.CFUNCTYPE(
            None, *[ctypes.c_int] * 3, *[size] * 3, scalar, ctypes.c_void_p, size, ctypes.c_void_p, size,
            scalar, ctypes.c_void_p, size,
        )(address)  # fmt: skip
        x = np.arange(6, dtype=dtype).reshape(2, 3)
        y = np.arange(12, dtype=dtype).reshape(3, 4)
        out = np.ones((2, 4), dtype)
        arrays = x.ctypes.data, 3, y.ctypes.data, 4, -1.0, out.ctypes.data, 4
        gemm(_ROW_MAJOR, _AS_IS, _AS_IS, 2, 4, 3, 2.0, *arrays)
        # By hand: 2 x @ y - 1.
        if out.tolist() != [[39.0, 45.0, 51.0, 57.0], [111.0, 135.0, 159.0, 183.0]]:
            return False
    return True


def _libraries() -> Iterable[str]:
    """The files of libraries in this process; where the system is not asked, those that came with NumPy."""
    platform: str = sys.platform  # not as a constant: type checkers skip the other systems
    if platform == "linux":
        with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as file:
            # addresses, rights, offset, device, number, path
            return dict.fromkeys(line.split(maxsplit=5)[5].rstrip("\n") for line in file if "/" in line)
    if platform == "darwin":
        system = ctypes.CDLL(None)
        system._dyld_get_image_name.restype = ctypes.c_char_p
        return [os.fsdecode(system._dyld_get_image_name(i)) for i in range(system._dyld_image_count())]
    root = os.path.dirname(os.path.dirname(np.__file__))
    return glob.glob(os.path.join(root, "numpy.libs", "*.dll"))
