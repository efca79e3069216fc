"""A rule of the Emitter as native code over whole arrays: what the tests of the compiler's parts call."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from llvmlite import ir

from chainrule.core.dtypes import FROM_NUMPY, dtype, int64
from chainrule.executors.cpu.emit import Emitter
from chainrule.executors.cpu.values import INT64, POINTER, V, memory_type
from chainrule.executors.cpu.vmath.registry import Math

Array = np.ndarray[Any, Any]


def module_of(rule: Callable[..., Any], inputs: Sequence[dtype], lanes: int) -> tuple[Any, dtype]:
    """`f(inputs..., out, n)`: the rule for n elements, `lanes` at a time, the rest masked; and its type."""
    module = ir.Module("test")
    function = ir.Function(
        module, ir.FunctionType(ir.VoidType(), [POINTER] * (len(inputs) + 1) + [INT64]), "f"
    )
    *sources, target, n = function.args
    entry, head, body, after, tail, end = map(
        function.append_basic_block, ("entry", "head", "body", "after", "tail", "end")
    )
    builder = ir.IRBuilder(entry)
    b = Emitter(builder, lanes, Math(module))
    builder.branch(head)
    builder.position_at_end(head)
    i = builder.phi(INT64)
    i.add_incoming(ir.Constant(INT64, 0), entry)
    following = builder.add(i, ir.Constant(INT64, lanes))
    builder.cbranch(builder.icmp_signed("<=", following, n), body, after)

    def step(mask: V | None) -> V:
        at = [builder.gep(p, [i], source_etype=memory_type(d)) for p, d in zip(sources, inputs, strict=True)]
        out: V = rule(b, *(b.load(p, d, mask) for p, d in zip(at, inputs, strict=True)))
        b.store(out, builder.gep(target, [i], source_etype=memory_type(out.dtype)), mask)
        return out

    builder.position_at_end(body)
    out = step(None)
    i.add_incoming(following, builder.block)
    builder.branch(head)
    builder.position_at_end(after)
    builder.cbranch(builder.icmp_signed("<", i, n), tail, end)
    builder.position_at_end(tail)
    if lanes > 1:
        step(b.tail_mask(V(builder.sub(n, i), int64)))
    builder.branch(end)
    builder.position_at_end(end)
    builder.ret_void()
    return module, out.dtype


class Native:
    """A rule for inputs of some types, compiled; called with arrays of one length."""

    def __init__(self, rule: Callable[..., Any], inputs: Sequence[dtype], lanes: int) -> None:
        self.module, self.result = module_of(rule, inputs, lanes)
        self._engine = engine_of(str(self.module))
        signature = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(inputs) + 1), ctypes.c_int64)
        self._call = signature(self._engine.get_function_address("f"))

    def __call__(self, *arrays: Array, out: Array | None = None) -> Array:
        arrays = tuple(map(np.ascontiguousarray, arrays))
        if out is None:
            out = np.empty(arrays[0].shape, self.result.numpy)
        self._call(*(a.ctypes.data for a in arrays), out.ctypes.data, arrays[0].size)
        return out


def native(rule: Callable[..., Any], *arrays: Array, lanes: int = 4) -> Array:
    """The rule's values for these arrays."""
    return Native(rule, [FROM_NUMPY[a.dtype] for a in arrays], lanes)(*arrays)


def engine_of(text: str) -> Any:
    """Machine code of a module for this processor."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    features = llvm.get_host_cpu_features()
    features["prefer-256-bit"] = False
    target = llvm.Target.from_triple(llvm.get_process_triple()).create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=features.flatten(), opt=3, jit=True
    )
    module = llvm.parse_assembly(text, llvm.create_context())
    module.verify()
    options = llvm.create_pipeline_tuning_options(speed_level=1)
    passes = llvm.create_pass_builder(target, options)
    passes.getModulePassManager().run(module, passes)
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    return engine
