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
Rule = Callable[..., V]


def write_loop(math: Math, name: str, rule: Rule, inputs: Sequence[dtype], lanes: int) -> dtype:
    """`name(inputs..., out, n)`: the rule for n elements, `lanes` at a time, the rest with a mask.

    Gives the type of the results.
    """
    signature = ir.FunctionType(ir.VoidType(), [POINTER] * (len(inputs) + 1) + [INT64])
    function = ir.Function(math.module, signature, name)
    *sources, target, n = function.args
    entry, head, body, after, tail, end = map(
        function.append_basic_block, ("entry", "head", "body", "after", "tail", "end")
    )
    builder = ir.IRBuilder(entry)
    b = Emitter(builder, lanes, math)
    builder.branch(head)
    builder.position_at_end(head)
    i = builder.phi(INT64)
    i.add_incoming(ir.Constant(INT64, 0), entry)
    following = builder.add(i, ir.Constant(INT64, lanes))
    builder.cbranch(builder.icmp_signed("<=", following, n), body, after)

    def step(mask: V | None) -> dtype:
        at = [builder.gep(p, [i], source_etype=memory_type(d)) for p, d in zip(sources, inputs, strict=True)]
        out = rule(b, *(b.load(p, d, mask) for p, d in zip(at, inputs, strict=True)))
        b.store(out, builder.gep(target, [i], source_etype=memory_type(out.dtype)), mask)
        return out.dtype

    builder.position_at_end(body)
    result = step(None)
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
    return result


class Native:
    """A rule for inputs of some types, compiled for several numbers of lanes."""

    def __init__(self, rule: Rule, inputs: Sequence[dtype], lanes: Sequence[int] = (4,), **math: Any) -> None:
        self.module = ir.Module("test")
        functions = Math(self.module, **math)
        self.results = [write_loop(functions, f"f{n}", rule, inputs, n) for n in lanes]
        self._engine = engine_of(str(self.module))
        signature = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (len(inputs) + 1), ctypes.c_int64)
        self._calls = {n: signature(self._engine.get_function_address(f"f{n}")) for n in lanes}

    def __call__(self, *arrays: Array, lanes: int = 4, out: Array | None = None) -> Array:
        """The values for arrays of one length; one more element, which must stay as it is, is checked."""
        arrays = tuple(map(np.ascontiguousarray, arrays))
        n = arrays[0].size
        room = np.full(n + 1, 7, self.results[0].numpy) if out is None else out
        self._calls[lanes](*(a.ctypes.data for a in arrays), room.ctypes.data, n)
        assert out is not None or room[n] == room.dtype.type(7), "written past the end"
        return room[:n]


def native(rule: Rule, *arrays: Array, lanes: int = 4) -> Array:
    """The rule's values for these arrays."""
    return Native(rule, [FROM_NUMPY[a.dtype] for a in arrays], (lanes,))(*arrays, lanes=lanes)


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
    passes = llvm.create_pass_builder(target, llvm.create_pipeline_tuning_options(speed_level=1))
    passes.getModulePassManager().run(module, passes)
    engine = llvm.create_mcjit_compiler(module, target)
    engine.finalize_object()
    return engine
