"""Load an object file of Linux on x86-64 into this process, without LLVM.

An object from the cache is ready a few milliseconds after it was read, where importing llvmlite alone would
take ten times as long. LLVM's own loader has another drawback: it may place the parts of an object farther
from each other than 32-bit distances reach. Here they lie in one piece of memory, and a distance that does
not fit is an error.

The file is what `emission.py` makes: position-independent code with 32-bit distances, its constants, perhaps
variables. Anything else (thread-local variables, other kinds of relocation) is refused. Nothing is checked
about the code itself; where an object may come from is decided in `cache.py`. Other systems load through
LLVM, see `target.py`.

Source: System V Application Binary Interface, AMD64 Architecture Processor Supplement, sections 4.1 to 4.4.
"""

from __future__ import annotations

import ctypes
import functools
import mmap
import platform
import struct
import sys
from typing import Any, Final, NamedTuple

import numpy as np

USABLE: Final = sys.platform == "linux" and platform.machine() == "x86_64" and sys.maxsize > 2**32

_PAGE: Final = mmap.PAGESIZE
_WRITE, _ALLOC, _EXEC, _THREAD = 1, 2, 4, 0x400  # flags of a section
_SYMBOLS, _ADDENDS, _ZEROS, _UNWIND = 2, 4, 8, 0x70000001  # types of sections
_SPECIAL, _ABSOLUTE = 0xFF00, 0xFFF1  # from here on a symbol's section is not one; its value is the address
_FILE: Final = 4  # the type of a symbol that names the source
# Types of relocation, with their names in the source.
_WHOLE: Final = 1  # R_X86_64_64: the address itself
_DIRECT: Final = (2, 4)  # R_X86_64_PC32, PLT32: the distance to the symbol, or to a jump that leads there
_TABLE: Final = (
    9,
    41,
    42,
)  # R_X86_64_GOTPCREL, ...: the distance to a place that holds the address
_FAR: Final = 24  # R_X86_64_PC64: the distance, in eight bytes
_JUMP: Final = bytes.fromhex("ff2500000000")  # jmp *0(%rip): to the address in the next eight bytes
_JUMP_BYTES: Final = 16  # of which 14 are used

_SYMBOL: Final = np.dtype(
    [("name", "<u4"), ("info", "u1"), ("other", "u1"), ("section", "<u2"), ("value", "<u8"), ("size", "<u8")]
)
_RELOCATION: Final = np.dtype([("offset", "<u8"), ("type", "<u4"), ("symbol", "<u4"), ("addend", "<i8")])


class _Section(NamedTuple):
    name: int
    type: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    align: int
    entry: int


def load(code: bytes) -> tuple[dict[str, int], object]:
    """The addresses of an object's visible functions and variables, and what keeps them in memory.

    Raises: RuntimeError if it is not such an object, or calls something that this process does not have;
            OSError if the system gives no memory for code.
    """
    try:
        return _load(code)
    except (struct.error, ValueError, IndexError) as error:
        raise RuntimeError(f"not an object file that can be loaded: {error}") from error


def _load(code: bytes) -> tuple[dict[str, int], object]:
    sections = _sections(code)
    tables = [section for section in sections if section.type == _SYMBOLS]
    symbols = _array(code, tables[0], _SYMBOL) if tables else np.empty(0, _SYMBOL)
    names = _names(code, sections[tables[0].link], symbols["name"]) if tables else []
    outside = [
        i for i, (name, section) in enumerate(zip(names, symbols["section"].tolist(), strict=True))
        if section == 0 and name
    ]  # fmt: skip

    places, ends = _layout(sections, code_extra=_JUMP_BYTES * len(outside), data_extra=8 * len(symbols))
    # Private: by default a forked child would share the variables with its parent.
    pages = mmap.mmap(-1, max(ends[-1], _PAGE), flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory = np.frombuffer(pages, np.uint8)
    base = memory.ctypes.data
    for number, place in places.items():
        section = sections[number]
        if section.type != _ZEROS:
            memory[place : place + section.size] = np.frombuffer(code, np.uint8, section.size, section.offset)

    where = np.zeros(len(sections) + 1, np.int64)
    where[list(places)] = [base + place for place in places.values()]
    owner = symbols["section"].astype(np.int64)
    special = owner >= _SPECIAL  # absolute, common, ...
    if np.any(special & (owner != _ABSOLUTE) & (symbols["info"] & 15 != _FILE)):
        raise RuntimeError("an object with variables that a linker has to place cannot be loaded")
    address = symbols["value"].astype(np.int64) + where[np.where(special, 0, owner)]
    near = address.copy()  # the same, but for what is outside a jump within reach
    jumps, table = ends[0] - _JUMP_BYTES * len(outside), ends[1] - 8 * len(symbols)
    for i, index in enumerate(outside):
        address[index] = _outside(names[index])
        place = jumps + _JUMP_BYTES * i
        near[index] = base + place
        jump = _JUMP + int(address[index]).to_bytes(8, "little")
        memory[place : place + len(jump)] = np.frombuffer(jump, np.uint8)
    memory[table : table + 8 * len(symbols)] = address.astype("<i8").view(np.uint8)

    for section in sections:
        if section.type == _ADDENDS and section.info in places:
            relocations = _array(code, section, _RELOCATION)
            _relocate(memory, base, places[section.info], relocations, address, near, base + table)
    _protect(base, 0, ends[0], mmap.PROT_READ | mmap.PROT_EXEC)
    _protect(base, ends[0], ends[1], mmap.PROT_READ)

    visible = (symbols["info"] >> 4 == 1) & (owner != 0) & (symbols["other"] & 3 == 0)
    return {names[i]: int(address[i]) for i in np.flatnonzero(visible)}, memory


def _sections(code: bytes) -> list[_Section]:
    """The sections of an object file for this system."""
    magic, kind, machine = struct.unpack_from("<16sHH", code)
    if magic[:6] != b"\x7fELF\x02\x01" or kind != 1 or machine != 62:
        raise RuntimeError("not an object file of this system")
    start, entry, count = struct.unpack_from("<40xQ10xHH", code)[0:3]
    return [_Section(*struct.unpack_from("<IIQQQQIIQQ", code, start + entry * i)) for i in range(count)]


def _array(code: bytes, section: _Section, dtype: np.dtype[Any]) -> np.ndarray[Any, Any]:
    """The entries of a section."""
    return np.frombuffer(code, dtype, section.size // dtype.itemsize, section.offset)


def _names(code: bytes, section: _Section, offsets: np.ndarray[Any, Any]) -> list[str]:
    """The names that stand at these offsets of a section."""
    text = code[section.offset : section.offset + section.size]
    return [text[i : text.index(b"\0", i)].decode() for i in offsets.tolist()]


def _layout(
    sections: list[_Section], *, code_extra: int, data_extra: int
) -> tuple[dict[int, int], tuple[int, int, int]]:
    """Where each section goes, and where code, constants and variables end, each at the end of a page.

    code_extra, data_extra: bytes left at the end of code and of constants.
    """
    places: dict[int, int] = {}
    ends = []
    end = 0
    for flags, extra in ((_EXEC, code_extra), (0, data_extra), (_WRITE, 0)):
        for number, section in enumerate(sections):
            wanted = section.flags & _ALLOC and section.type != _UNWIND
            if wanted and section.flags & (_WRITE | _EXEC) == flags:
                align = max(section.align, 1)
                if align > _PAGE or section.flags & _THREAD:
                    raise RuntimeError("an object with such alignment or variables cannot be loaded")
                places[number] = end = -(-end // align) * align
                end += section.size
        end = -(-(end + extra) // _PAGE) * _PAGE
        ends.append(end)
    return places, (ends[0], ends[1], ends[2])


def _relocate(
    memory: np.ndarray[Any, Any],
    base: int,
    place: int,
    relocations: np.ndarray[Any, Any],
    address: np.ndarray[Any, Any],
    near: np.ndarray[Any, Any],
    table: int,
) -> None:
    """Write the addresses of symbols, or distances to them, into one section.

    place:          where the section begins in memory, which begins at address `base`.
    address, near:  (symbols,) addresses; those within reach of 32 bits.
    table:          the address of a table with all addresses.
    """
    kind, addend = relocations["type"], relocations["addend"]
    symbol = relocations["symbol"].astype(np.int64)
    offset = place + relocations["offset"].astype(np.int64)
    direct, tabled = np.isin(kind, _DIRECT), np.isin(kind, _TABLE)
    whole, far = kind == _WHOLE, kind == _FAR
    if not np.all(direct | tabled | whole | far):
        other = sorted(set(kind.tolist()) - {*_DIRECT, *_TABLE, _WHOLE, _FAR})
        raise RuntimeError(f"an object with relocations of type {other} cannot be loaded")
    goal = np.where(direct, near[symbol], np.where(tabled, table + 8 * symbol, address[symbol]))
    value = goal + addend - np.where(whole, 0, base + offset)
    short = direct | tabled
    if np.any(value[short] != value[short].astype(np.int32)):
        raise RuntimeError("the parts of an object are too far from each other")
    for some, width in ((short, 4), (whole | far, 8)):
        at = offset[some, None] + np.arange(width)  # (relocations, bytes)
        memory[at] = value[some].astype(f"<i{width}").view(np.uint8).reshape(-1, width)


@functools.cache
def _libraries() -> list[ctypes.CDLL]:
    """Where the code generator's own calls are found: memcpy, fmod, conversions of half precision."""
    found = []
    for name in (None, "libm.so.6", "libgcc_s.so.1"):
        try:
            found.append(ctypes.CDLL(name))
        except OSError:
            continue
    return found


def _outside(name: str) -> int:
    """The address of a function of this process."""
    for library in _libraries():
        if hasattr(library, name):
            return ctypes.cast(getattr(library, name), ctypes.c_void_p).value or 0
    raise RuntimeError(f"the code calls {name}, which this process does not have")


def _protect(base: int, start: int, end: int, access: int) -> None:
    """Set what may be done with some pages."""
    if end == start:
        return
    library = ctypes.CDLL(None, use_errno=True)
    if library.mprotect(ctypes.c_void_p(base + start), ctypes.c_size_t(end - start), access) != 0:
        raise OSError(ctypes.get_errno(), "the system gives no memory for code")
