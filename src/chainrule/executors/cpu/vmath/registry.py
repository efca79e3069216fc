"""One LLVM function per mathematical function, type and number of lanes, made when first called.

A module that uses exp thirty times holds its code once, which keeps the writing of LLVM's language cheap;
short functions are put in place of their calls by LLVM. Next: the files that define functions,
`exponential.py` first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from llvmlite import ir

from ....core.dtypes import dtype
from ..emit import Emitter
from ..values import Ir, V, element_type, vector


class Definition(NamedTuple):
    """How a function is written.

    rule: `rule(b, *xs)` -> V, for float32 and float64.
    inline: whether its code replaces calls of it.
    """

    rule: Callable[..., V]
    inline: bool


DEFINITIONS: dict[str, Definition] = {}


def define(inline: bool = True) -> Callable[[Callable[..., V]], Callable[..., V]]:
    """Put a function into the table, under its own name."""

    def register(rule: Callable[..., V]) -> Callable[..., V]:
        name = rule.__name__.strip("_")
        assert name not in DEFINITIONS, f"{name} is defined twice"
        DEFINITIONS[name] = Definition(rule, inline)
        return rule

    return register


class Math:
    """The functions of one module.

    has_fma: whether the processor multiplies and adds with one rounding (each with AVX2, each 64-bit ARM).
             Where it does not, `fused.py` takes its place: as exact, but several times slower.
    has_tables: whether it picks numbers out of tables in registers (AVX-512); see `pieces.py`.
    """

    def __init__(self, module: Any, has_fma: bool = True, has_tables: bool = False) -> None:
        self.module = module
        self.has_fma = has_fma
        self.has_tables = has_tables
        self._functions: dict[tuple[str, dtype, int], Ir] = {}
        self._helpers: dict[str, Ir] = {}

    def call(self, b: Emitter, name: str, *xs: V) -> V:
        """The value of a function; all inputs have one type and one number of lanes."""
        d, lanes = xs[0].dtype, xs[0].lanes
        key = (name, d, lanes)
        function = self._functions.get(key)
        if function is None:
            function = self._functions[key] = self._define(name, d, lanes, len(xs))
        return V(b.builder.call(function, [x.ir for x in xs]), d)

    def _define(self, name: str, d: dtype, lanes: int, inputs: int) -> Ir:
        rule, inline = DEFINITIONS[name]
        typ = vector(element_type(d), lanes)
        function = ir.Function(
            self.module, ir.FunctionType(typ, [typ] * inputs), f"chainrule.{name}.{d.name}x{lanes}"
        )
        function.linkage = "internal"
        for attribute in ("nounwind", *(("alwaysinline",) if inline else ("noinline",))):
            function.attributes.add(attribute)
        b = Emitter(ir.IRBuilder(function.append_basic_block("entry")), lanes, self)
        b.builder.ret(rule(b, *(V(x, d) for x in function.args)).ir)
        return function

    def emitter(self, builder: Any, lanes: int) -> Emitter:
        """An emitter of this module's functions at the builder's place."""
        return Emitter(builder, lanes, self)

    def helper(self, name: str, make: Callable[[Math, str], Ir]) -> Ir:
        """A function of another kind, which `make(self, name)` writes; once."""
        found = self._helpers.get(name)
        if found is None:
            found = self._helpers[name] = make(self, name)
            found.linkage = "internal"
            found.attributes.add("nounwind")
            found.attributes.add("noinline")
        return found

    def intrinsic(
        self, name: str, result: Ir, inputs: tuple[Ir, ...], pointers: str = "", main: Ir = None
    ) -> Ir:
        """One of LLVM's intrinsics. Its name ends with its main type (or the result's) and `pointers`."""
        typ = result if main is None else main
        suffix = (
            f"v{typ.count}{typ.element.intrinsic_name}"
            if isinstance(typ, ir.VectorType)
            else typ.intrinsic_name
        )
        return self.declared(".".join(filter(None, (name, suffix, pointers))), result, inputs)

    def declared(self, full: str, result: Ir, inputs: tuple[Ir, ...]) -> Ir:
        """The function of this name, which LLVM knows."""
        found = self.module.globals.get(full)  # the kernels of products declare some, too
        if found is None:
            found = ir.Function(self.module, ir.FunctionType(result, list(inputs)), full)
        return found
