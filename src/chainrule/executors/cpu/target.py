"""A module of LLVM's language made callable: compiled or taken from the cache, and loaded.

`compile_module` does all of it; `emit` and `load` are its halves, for callers that keep objects themselves.
LLVM is imported only when it has to compile, and used by one thread at a time. A fork waits until no thread
is inside of it, so that the child can compile, too.

What LLVM is told to do is in `emission.py`, how objects are loaded without it in `elf.py`, what the processor
is in `host.py`, and the cache in `cache.py`. The generator's side is `emit.py`.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from . import cache, elf
from .host import Host, host

if TYPE_CHECKING:
    import llvmlite.ir

__all__ = ["Host", "Loaded", "assembly", "compile_module", "emit", "host", "load", "prepare"]

# One lock for all that several threads could meet in when something is compiled or loaded. The thread that
# forks holds it, so that the child does not find it in the hands of a thread which it does not have.
lock: Final = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)


class Loaded:
    """Machine code in memory, ready to be called, for as long as this object lives."""

    __slots__ = ("_addresses", "_keep", "_source")

    def __init__(self, addresses: dict[str, int], keep: object, source: Callable[[], str] | None) -> None:
        self._addresses = addresses
        self._keep = keep  # the memory of the code is given back with it
        self._source = source

    @property
    def names(self) -> list[str]:
        """The functions that can be called."""
        return list(self._addresses)

    def address(self, name: str) -> int:
        """The address of a function of the module.

        Raises: KeyError if it has no such function.
        """
        return self._addresses[name]

    def ir(self) -> str | None:
        """The module as it was given, as text; None where only the object is known."""
        return None if self._source is None else self._source()

    def asm(self) -> str | None:
        """The machine code as assembly, made anew from the text; None where only the object is known."""
        return None if self._source is None else assembly(self._source())


def compile_module(module: llvmlite.ir.Module | str, *, key_extra: str = "") -> Loaded:
    """The module's machine code, from the cache or made now, loaded.

    module:     its text, or what makes the text. Every function that has a body and is not `internal` can be
                called.
    key_extra:  what else the cached object depends on.

    Raises: RuntimeError with LLVM's message if the text is not well-formed, or if the code calls a function
            that this process does not have.
    """
    text = str(module)
    key = cache.key("module", text, key_extra)
    entry = cache.lookup(key)
    if entry is not None:
        with contextlib.suppress(RuntimeError, KeyError):  # then it is as good as none
            return load(entry.code, entry.meta["names"], source=lambda: text)
    names, code = emit(text)
    loaded = load(code, names, source=lambda: text)  # before it is kept: it may turn out not to be loadable
    cache.store(key, code, {"names": names})
    return loaded


def emit(text: str) -> tuple[list[str], bytes]:
    """The names of a module's functions and its object file, for this processor.

    Raises: RuntimeError with LLVM's message if the text is not well-formed.
    """
    with lock:
        from . import emission  # loads LLVM

        return emission.emit(text)


def assembly(text: str) -> str:
    """The assembly that `emit` makes an object of."""
    with lock:
        from . import emission  # loads LLVM

        return emission.assembly(text)


def load(code: bytes, names: list[str], *, source: Callable[[], str] | None = None) -> Loaded:
    """An object file in memory, ready to be called.

    names:   the functions whose addresses are wanted.
    source:  makes the text of the module, for whoever wants to read it.

    Raises: RuntimeError if the object cannot be linked or has no such function.
    """
    if elf.USABLE:
        addresses, keep = elf.load(code)
        missing = [name for name in names if name not in addresses]
        if missing:
            raise RuntimeError(f"the object has no function {missing[0]}")
    else:
        with lock:
            from . import emission  # loads LLVM

            addresses, keep = emission.load(code, names)
    return Loaded({name: addresses[name] for name in names}, keep, source)


def prepare() -> None:
    """Begin to load LLVM in the background, where a compilation is about to need it."""
    threading.Thread(target=_import, daemon=True).start()


def _import() -> None:
    # A child that is forked in the middle of an import could never import that again. Where LLVM cannot be
    # loaded, whoever needs it finds out.
    with lock, contextlib.suppress(Exception):
        importlib.import_module(f"{__package__}.emission")
