"""What a value of a graph is to the compiler: memory, a view, one element of others, a fold, ...

The entry of its op says so (`lower=`); what an entry cannot do natively for some type is left to NumPy.
Next: `plan.py`.
"""

from __future__ import annotations

from typing import Any, Final

from llvmlite import ir

from ...core.dtypes import float16, float32, float64
from ...graph.values import CONSTANT, LOOP, OP, Value
from ...ops.lowering import Draw, Fold, Pieces, Product, Pull, Shuffle, Strided
from .emit import Emitter
from .values import V, element_type
from .vmath.registry import Math

MEMORY: Final = "memory"  # an input, a captured tensor, a constant, or one of several results
NUMBER: Final = "number"  # a constant without axes: it is written into the code
VIEW: Final = "view"
POINT: Final = "point"  # each element from the elements at the same place of its inputs
PULL: Final = "pull"  # each element from elements of its inputs at places that are computed
FOLD: Final = "fold"
PIECES: Final = "pieces"
PRODUCT: Final = "product"
DRAW: Final = "draw"
SHUFFLE: Final = "shuffle"
EPOCH: Final = "loop"  # a body that runs several times: a plan of its own
NUMPY: Final = "numpy"  # computed by the NumPy rule, called back from native code

CALL_WEIGHT = 12  # instructions of a function such as exp, about


def rule_of(v: Value) -> Any:
    """How the op of a value is computed: its `lower=`. The form of the value says which kind that is."""
    assert v.op is not None
    return v.op.lower


def form_of(v: Value) -> str:
    """The form of a value."""
    if v.kind == CONSTANT:
        return NUMBER if v.shape == () else MEMORY
    if v.kind != OP:
        return EPOCH if v.kind == LOOP else MEMORY
    rule = rule_of(v)
    if isinstance(rule, Strided):
        return VIEW
    if isinstance(rule, Fold):
        return NUMPY if v.dtype is float16 else FOLD
    if isinstance(rule, Pieces):
        return PIECES
    if isinstance(rule, Draw):
        return DRAW if v.dtype in (float32, float64) else NUMPY
    if isinstance(rule, Shuffle):
        return SHUFFLE
    if isinstance(rule, Pull):
        shapes = [x.shape if isinstance(x, Value) else () for x in v.inputs]
        return PULL if rule.when is None or rule.when(*shapes, **v.settings) else NUMPY
    if isinstance(rule, Product):
        return PRODUCT if v.dtype in (float32, float64) else NUMPY
    return POINT if callable(rule) and weight(v) is not None else NUMPY


_weights: dict[Any, int | None] = {}


def weight(v: Value) -> int | None:
    """About how many instructions an elementwise op takes for one element; None if it has no native rule.

    The rule is asked to write them, into a function that is thrown away. Numbers of Python count as they are:
    x // 0 has no native rule, x // 3 has one.
    """
    op = v.op
    assert op is not None
    kinds = tuple(x.dtype if isinstance(x, Value) else (type(x), x) for x in v.inputs)
    key = (op, v.dtype, kinds, tuple((k, s is None) for k, s in v.settings.items()))
    if key not in _weights:
        _weights[key] = _count(v)
    return _weights[key]


def _count(v: Value) -> int | None:
    given = [x.dtype for x in v.inputs if isinstance(x, Value)]
    module = ir.Module()
    function = ir.Function(module, ir.FunctionType(ir.VoidType(), [element_type(d) for d in given]), "probe")
    builder = ir.IRBuilder(function.append_basic_block())
    values = iter(V(arg, d) for arg, d in zip(function.args, given, strict=True))
    xs = [next(values) if isinstance(x, Value) else x for x in v.inputs]
    out = rule_of(v)(Emitter(builder, 1, Math(module)), *xs, **v.settings)
    if out is NotImplemented:
        return None
    count = 0
    for block in function.blocks:
        for instruction in block.instructions:
            called = getattr(instruction, "callee", None)
            own = called is not None and not called.name.startswith("llvm.")
            count += CALL_WEIGHT if own or instruction.opname in ("fdiv", "sdiv", "udiv") else 1
    return count
