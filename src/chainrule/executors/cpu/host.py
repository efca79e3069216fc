"""What this machine's processor is: its name for LLVM, vector registers and caches.

How fast the machine is, as measured, is in `machine.py`; code for it is made in `target.py`.
"""

from __future__ import annotations

import ctypes
import functools
import platform
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Host:
    """A processor, as the code generator sees it.

    name, features:  what LLVM calls it, and the features it has, as one text for a target machine.
    vector_bytes:    the width of its vector registers: 64, 32 or 16.
    registers:       how many of them there are.
    l1, l2, l3:      bytes of data cache for one core (l3 is shared); an ordinary size where the system does
                     not say.
    triple:          architecture, vendor and system of this process.
    """

    name: str
    features: str
    vector_bytes: int
    registers: int
    l1: int
    l2: int
    l3: int
    triple: str

    @property
    def has_fma(self) -> bool:
        """Whether it multiplies and adds with one rounding; without, LLVM would call a C library for it."""
        return not self.triple.startswith(("x86", "i")) or "+fma" in self.features.split(",")

    @property
    def has_tables(self) -> bool:
        """Whether an instruction picks, for each of 16 lanes, one of 16 numbers in a register."""
        return self.triple.startswith("x86") and "+avx512f" in self.features.split(",")


@functools.cache
def host() -> Host:
    """The processor that this process runs on. Loads LLVM."""
    import llvmlite.binding as llvm

    known = dict(llvm.get_host_cpu_features())
    triple = llvm.get_process_triple()
    if known.get("avx512f"):
        vector_bytes, registers = 64, 32
    elif known.get("avx"):
        vector_bytes, registers = 32, 16
    else:
        vector_bytes, registers = 16, 32 if triple.startswith(("aarch64", "arm64")) else 16
    # Several processors with 64-byte registers are described to LLVM as better off with 32 bytes, which is
    # about code that uses them now and then. Ours is nothing but vector loops, so the full width is asked
    # for.
    for narrower in ("prefer-256-bit", "prefer-128-bit"):
        if narrower in known or triple.startswith("x86_64"):
            known[narrower] = False
    features = ",".join(f"{'+' if has else '-'}{name}" for name, has in sorted(known.items()))
    l1, l2, l3 = _caches()
    return Host(llvm.get_host_cpu_name(), features, vector_bytes, registers, l1, l2, l3, triple)


@functools.cache
def processor() -> str:
    """A text that differs where two processors may not run the same code. Loads no LLVM on Linux."""
    if sys.platform == "linux":
        try:
            with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
                first = file.read(16384).split("\n\n")[0]  # all processors have the same, mostly
        except OSError:
            first = ""
        # What is left out changes from moment to moment (the clock rate) or from processor to processor.
        wanted = ("vendor_id", "cpu family", "model", "stepping", "flags", "Features", "CPU ", "isa", "uarch")
        lines = sorted(line for line in first.splitlines() if line.startswith(wanted))
        if lines:
            return "\n".join([platform.machine(), *lines])
    here = host()
    return f"{here.triple} {here.name} {here.features}"


def _caches() -> tuple[int, int, int]:
    """Bytes of the first, second and third level of data cache."""
    found = (
        _caches_of_linux()
        if sys.platform == "linux"
        else _caches_of_macos()
        if sys.platform == "darwin"
        else {}
    )
    # 32 KiB and 512 KiB are what the smaller processors of the last ten years have. Without a third level the
    # second is the last.
    l1, l2 = found.get(1) or 32 << 10, found.get(2) or 512 << 10
    return l1, l2, found.get(3) or l2


def _caches_of_linux() -> dict[int, int]:
    """Level -> bytes, from the kernel's description of the first core."""
    sizes: dict[int, int] = {}
    root = "/sys/devices/system/cpu/cpu0/cache"
    for number in range(8):
        try:
            kind, level, size = (_line(f"{root}/index{number}/{name}") for name in ("type", "level", "size"))
            if kind != "Instruction":
                sizes[int(level)] = int(size.rstrip("K")) << 10  # such as 32K
        except (OSError, ValueError):
            continue  # fewer caches; containers may hide parts
    return sizes


def _line(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.readline().strip()


def _caches_of_macos() -> dict[int, int]:
    """Level -> bytes, of the fast cores."""
    library = ctypes.CDLL(None)
    sizes: dict[int, int] = {}
    for level, name in ((1, "l1dcachesize"), (2, "l2cachesize"), (3, "l3cachesize")):
        for prefix in ("hw.perflevel0.", "hw."):
            value, length = ctypes.c_uint64(), ctypes.c_size_t(8)
            if (
                library.sysctlbyname(
                    (prefix + name).encode(), ctypes.byref(value), ctypes.byref(length), None, 0
                )
                == 0
            ):
                sizes.setdefault(level, value.value)
    return sizes
