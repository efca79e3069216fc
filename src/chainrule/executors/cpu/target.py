"""A module of LLVM's language made into machine code, and machine code made callable.

`compile_module` does both and goes through the cache on disk (`cache.py`); `emit` and `load` are its halves.
The passes are few: our generator writes vector code with its own running totals, so neither of LLVM's
vectorisers runs, and loops are unrolled only where the generator did it. Objects hold no addresses of this
process, so that another one can load them; whoever needs an address (of an array, of BLAS) passes it to the
code as an argument.

LLVM is used by one thread at a time. A fork waits until no thread is inside of it, so that the child can
compile. The generator's side is `emit.py`; the processor is described in `host.py`.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import llvmlite.binding as llvm

from .host import Host, host

if TYPE_CHECKING:
    import llvmlite.ir

__all__ = ["Host", "Loaded", "compile_module", "emit", "host", "load"]

# One lock for all of LLVM's state that several threads could meet in: passes, contexts, the engine that
# loads.
_lock: Final = threading.RLock()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)

_numbers: Final = itertools.count()
_started = False
_engine: Any = None


class Loaded:
    """Machine code in memory, ready to be called, for as long as this object lives.

    names:  the functions whose addresses are known.
    """

    __slots__ = ("_addresses", "_keep", "_source")

    def __init__(self, addresses: dict[str, int], keep: object, source: Callable[[], str] | None) -> None:
        self._addresses = addresses
        self._keep = keep  # the code is unmapped with it
        self._source = source

    @property
    def names(self) -> list[str]:
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

    Raises: RuntimeError with LLVM's message if the text is not well-formed.
    """
    text = str(module)
    names, code = emit(text)
    return load(code, names, source=lambda: text)


def emit(text: str) -> tuple[list[str], bytes]:
    """The names of a module's functions and its object file, for this processor.

    Raises: RuntimeError with LLVM's message if the text is not well-formed.
    """
    with _lock:
        machine = _machine()
        module = _optimised(text, machine)
        return _names(module), machine.emit_object(module)


def assembly(text: str) -> str:
    """The assembly that `emit` makes an object of."""
    with _lock:
        machine = _machine()
        return str(machine.emit_assembly(_optimised(text, machine)))


def load(code: bytes, names: list[str], *, source: Callable[[], str] | None = None) -> Loaded:
    """An object file in memory, ready to be called.

    names:   the functions whose addresses are wanted.
    source:  makes the text of the module, for whoever wants to read it.

    Raises: RuntimeError with LLVM's message if the object cannot be linked or has no such function.
    """
    global _engine
    with _lock:
        _start()
        if _engine is None:
            _engine = llvm.create_lljit_compiler(_machine(), use_jit_link=True, suppress_errors=True)
        library = llvm.JITLibraryBuilder().add_object_img(code)
        library.add_current_process()  # memcpy and the like, which the code generator calls by name
        for name in names:
            library.export_symbol(name)
        keep = library.link(_engine, f"chainrule-{next(_numbers)}")
        return Loaded({name: keep[name] for name in names}, keep, source)


def _start() -> None:
    """Make LLVM ready for this processor; for others it takes much longer."""
    global _started
    if not _started:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        _started = True


def _machine() -> Any:
    """A new target machine for this processor."""
    _start()
    here = host()
    target = llvm.Target.from_triple(here.triple)
    # Position-independent code with 32-bit distances: what loads it places its parts next to each other.
    return target.create_target_machine(
        cpu=here.name, features=here.features, opt=3, reloc="pic", codemodel="small", jit=True
    )


def _optimised(text: str, machine: Any) -> Any:
    """The module of a text, verified, after the passes."""
    module = llvm.parse_assembly(text, llvm.create_context())
    module.triple = machine.triple
    module.data_layout = str(machine.target_data)  # passes guess sizes without it
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    options.loop_vectorization = False
    options.slp_vectorization = False
    options.loop_unrolling = False
    options.loop_interleaving = False
    builder = llvm.create_pass_builder(machine, options)
    builder.getModulePassManager().run(module, builder)
    return module


def _names(module: Any) -> list[str]:
    """The functions of a module that can be called from outside."""
    return [
        function.name
        for function in module.functions
        if not function.is_declaration and function.linkage == llvm.Linkage.external
    ]
