"""Code for other processors than this one: it calls nothing outside of the module.

LLVM puts a call of a C library where a processor has no instruction for an operation. Compiled objects are
loaded without a C library's names, so there must be none: with AVX2 or on 64-bit ARM for everything; older
processors lack conversions of float16, and fma, which the Emitter can do without.
"""

from __future__ import annotations

import re

import llvmlite.binding as llvm
import pytest
from llvmlite import ir

from chainrule.core.dtypes import dtype, float16, float32, float64, int64
from chainrule.executors.cpu.vmath.registry import DEFINITIONS, Math
from tests.executors.cpu.native import write_loop

ALL = (float16, float32, float64)
PROCESSORS = [
    ("x86_64-linux-gnu", "skylake-avx512", {"has_tables": True}, ALL),
    ("x86_64-linux-gnu", "haswell", {}, ALL),
    ("x86_64-linux-gnu", "nehalem", {"has_fma": False}, (float32, float64)),
    ("aarch64-linux-gnu", "cortex-a72", {}, ALL),
]
TWO_INPUTS = {"pow", "atan2", "fmod", "remainder", "floor_divide"}
METHODS = [*(name for name in DEFINITIONS if name != "fma"), "floor", "ceil", "trunc", "round", "sqrt"]


def called_outside(triple: str, cpu: str, has: dict[str, bool], kinds: tuple[dtype, ...]) -> set[str]:
    module = ir.Module("test")
    math = Math(module, **has)
    for name in METHODS:
        for kind in kinds:
            count = 2 if name in TWO_INPUTS else 1
            write_loop(
                math, f"{name}.{kind.name}", lambda b, *xs, n=name: getattr(b, n)(*xs), [kind] * count, 4
            )
    for kind in kinds:
        write_loop(math, f"whole.{kind.name}", lambda b, x: b.cast(x, int64), [kind], 4)
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    machine = llvm.Target.from_triple(triple).create_target_machine(
        cpu=cpu, features="", opt=1, reloc="pic", codemodel="small"
    )
    parsed = llvm.parse_assembly(str(module), llvm.create_context())
    parsed.triple, parsed.data_layout = triple, str(machine.target_data)
    passes = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=1))
    passes.getModulePassManager().run(parsed, passes)
    text = machine.emit_assembly(parsed)
    assert "chainrule.far_away" in text
    called = re.findall(r"^\t(?:callq|jmp|bl|b)\t([A-Za-z_][\w.@]*)", text, re.MULTILINE)
    return {name for name in called if not name.startswith(("chainrule.", "LBB"))}


@pytest.mark.parametrize(("triple", "cpu", "has", "kinds"), PROCESSORS, ids=[p[1] for p in PROCESSORS])
def test_nothing_outside_is_called(
    triple: str, cpu: str, has: dict[str, bool], kinds: tuple[dtype, ...]
) -> None:
    assert called_outside(triple, cpu, has, kinds) == set()


def test_what_would_be_found() -> None:
    assert "fmaf@PLT" in called_outside("x86_64-linux-gnu", "nehalem", {}, (float32,))
