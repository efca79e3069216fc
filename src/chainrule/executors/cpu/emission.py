"""LLVM at work: the text of a module in, machine code for this processor out.

The passes are few: our generator writes vector code with its own running totals, so neither of LLVM's
vectorisers runs, and loops are unrolled only where the generator did it. Objects hold no addresses of this
process, so that another one can load them; whoever needs an address (of an array, of BLAS) passes it to the
code as an argument.

Importing this file loads LLVM. It does not lock: `target.py`, through which everybody comes, does.
"""

from __future__ import annotations

from typing import Any, Final

import llvmlite.binding as llvm

from . import elf
from .host import host

llvm.initialize_native_target()  # others than this processor's would take much longer
llvm.initialize_native_asmprinter()

# 32-bit distances between the parts of an object make its code shorter and faster, but LLVM's loader may
# place the parts farther than that from each other.
_MODEL: Final = {"reloc": "pic", "codemodel": "small"} if elf.USABLE else {"codemodel": "jitdefault"}


def emit(text: str) -> tuple[list[str], bytes]:
    """The names of a module's functions that can be called from outside, and its object file.

    Raises: RuntimeError with LLVM's message if the text is not well-formed.
    """
    machine = _machine()
    module = _optimised(text, machine)
    return _visible(module), machine.emit_object(module)


def assembly(text: str) -> str:
    """The assembly that `emit` makes an object of."""
    machine = _machine()
    return str(machine.emit_assembly(_optimised(text, machine)))


def load(code: bytes, names: list[str]) -> tuple[dict[str, int], object]:
    """The addresses of an object's functions of these names, and what keeps them in memory.

    Raises: RuntimeError if the object has no such function.
    """
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly("", llvm.create_context()), _machine())
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    addresses = {name: engine.get_function_address(name) for name in names}
    for name, address in addresses.items():
        if not address:
            raise RuntimeError(f"the object has no function {name}")
    return addresses, engine


def _machine() -> Any:
    """A new target machine for this processor: an engine that is given one owns it."""
    here = host()
    target = llvm.Target.from_triple(here.triple)
    return target.create_target_machine(cpu=here.name, features=here.features, opt=3, jit=True, **_MODEL)


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


def _visible(module: Any) -> list[str]:
    """The functions of a module that can be called from outside."""
    return [
        function.name
        for function in module.functions
        if not function.is_declaration and function.linkage == llvm.Linkage.external
    ]
