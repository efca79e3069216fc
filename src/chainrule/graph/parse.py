"""Text back into a graph: the reverse of `text.py`. Nothing is evaluated, only read as a syntax tree."""

from __future__ import annotations

import ast
import math
from typing import Any, NamedTuple, NoReturn

import numpy as np

from ..core import dtypes
from ..core.errors import nearest
from ..ops.primitive import TABLE, Primitive
from .errors import GraphError
from .graph import Graph
from .loop import Loop, loop_value
from .values import CAPTURE, INPUT, OP, PART, Value, constant
from .verify import verify

_DTYPES = {d.name: d for d in dtypes.ALL}
_NUMBERS = {"inf": math.inf, "nan": math.nan}


def parse(text: str) -> Graph:
    """The graph that `str(graph)` printed. Captured tensors come back as captures without a tensor.

    Raises:  GraphError naming the line that cannot be read, or is not what the rules of its op say.

    >>> from chainrule.graph import parse
    >>> g = parse('''def f(x: float32[3]):
    ...     v1: float32[3] = mul(x, 2.0)
    ...     return v1''')
    >>> import chainrule as torch
    >>> g(torch.tensor([1.0, 2.0, 3.0]))
    tensor([2., 4., 6.])
    """
    return verify(_Reader(text).graph)


class _Body(NamedTuple):
    """A function inside: the body of a loop, the names of its rows, and those of its invariants outside."""

    graph: Graph
    rows: list[str]
    invariants: list[str]


class _Inside(dict[str, Value]):
    """The names known in the body of a loop. What is looked up outside becomes an input (`invariants`)."""

    def __init__(self, outside: dict[str, Value]) -> None:
        super().__init__()
        self.outside = outside
        self.invariants: dict[str, Value] = {}

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self.outside

    def __missing__(self, name: str) -> Value:
        x = self.outside[name]
        v = self.invariants[name] = self[name] = Value(INPUT, x.shape, x.dtype)
        return v


class _Reader:
    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()
        self.values: dict[str, Value] = {}
        try:
            tree = ast.parse(text)
        except SyntaxError as err:
            raise GraphError.of(
                "parse", given=f"line {err.lineno}: {(err.text or '').strip()!r}", must=f"{err.msg}", at=False
            ) from None
        if len(tree.body) != 1 or not isinstance(tree.body[0], ast.FunctionDef):
            raise GraphError.of(
                "parse", given="text that is not one function", must="a graph starts with `def`", at=False
            )
        self.bodies: dict[str, _Body] = {}
        function = tree.body[0]
        inputs = [self.parameter(a, INPUT) for a in function.args.args]
        captures = [self.parameter(a, CAPTURE) for a in function.args.kwonlyargs]
        outputs, writes = self.statements(function)
        self.graph = Graph(function.name, inputs, outputs, captures, writes)

    def statements(self, function: ast.FunctionDef) -> tuple[list[Value], list[tuple[Value, Value]]]:
        """What a function returns, and writes."""
        outputs: list[Value] = []
        writes: list[tuple[Value, Value]] = []
        for statement in function.body:
            if isinstance(statement, ast.AnnAssign):
                self.define(statement)
            elif isinstance(statement, ast.Assign):
                writes.append(self.write(statement))
            elif isinstance(statement, ast.Return):
                outputs = self.returned(statement)
            elif isinstance(statement, ast.FunctionDef):
                self.body(statement)
            else:
                self.fail(statement, "a line defines a value, writes to an input, or returns")
        return outputs, writes

    def body(self, function: ast.FunctionDef) -> None:
        """The body of a loop: a name from outside, read inside, is one more input of it."""
        outside = self.values
        self.values = _Inside(outside)
        carried = [self.parameter(a, INPUT) for a in function.args.args]
        rows = [self.parameter(a, INPUT) for a in function.args.kwonlyargs]
        outputs, writes = self.statements(function)
        if writes:
            self.fail(function, "the body of a loop has no writes")
        invariants = self.values.invariants
        self.values = outside
        body = Graph(function.name, [*carried, *rows, *invariants.values()], outputs)
        self.bodies[function.name] = _Body(body, [p.name for p in rows], list(invariants))

    def loop(self, node: ast.Call, where: Any) -> Value:
        """`loop(body, carried, ..., row=sequence, ..., trips=n)`"""
        name = node.args[0].id if node.args and isinstance(node.args[0], ast.Name) else ""
        if name not in self.bodies:
            self.fail(where, "a loop is loop(body, ...), with `def body(...)` before this line")
        body, rows, invariants = self.bodies[name]
        named = {k.arg: k.value for k in node.keywords}
        trips = self.literal(named.pop("trips", ast.Constant(None)), where)
        carried = [self.value(a) for a in node.args[1:]]
        if list(named) != rows or type(trips) is not int or len(carried) != len(body.outputs):
            wanted = [name, *(f"start {i + 1}" for i in range(len(body.outputs)))]
            wanted += [f"{row}=sequence" for row in rows]
            self.fail(where, f"it must be loop({', '.join(wanted)}, trips=number)")
        sequences = [self.value(named[row]) for row in rows]
        inputs = [*carried, *sequences, *(self.values[x] for x in invariants)]
        return loop_value(Loop(body, trips, len(rows)), inputs)

    def fail(self, node: Any, must: str) -> NoReturn:
        number = getattr(node, "lineno", 1)
        raise GraphError.of(
            "parse", given=f"line {number}: {self.lines[number - 1].strip()!r}", must=must, at=False
        )

    def parameter(self, a: ast.arg, kind: str) -> Value:
        shape, dtype = self.type(a.annotation, a)
        v = Value(kind, shape, dtype, name=a.arg)
        self.values[a.arg] = v
        return v

    def type(self, node: Any, where: Any) -> tuple[Any, Any]:
        if isinstance(node, ast.Tuple):
            parts = [self.type(n, where) for n in node.elts]
            return tuple(s for s, _ in parts), tuple(d for _, d in parts)
        if not (
            isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id in _DTYPES
        ):
            self.fail(where, "a value has a type like float32[10, 2]")
        sizes = self.literal(node.slice, where)
        return (sizes if isinstance(sizes, tuple) else (sizes,)), _DTYPES[node.value.id]

    def define(self, statement: ast.AnnAssign) -> None:
        if not isinstance(statement.target, ast.Name) or statement.value is None:
            self.fail(statement, "a value is defined as `name: type = op(...)`")
        name = statement.target.id
        if name in self.values:
            self.fail(statement, f"{name} is defined twice")
        shape, dtype = self.type(statement.annotation, statement)
        right = statement.value
        if isinstance(right, ast.Subscript) and isinstance(right.value, ast.Name):
            whole = self.value(right.value)
            v = Value(
                PART, shape, dtype, inputs=(whole,), index=self.literal(right.slice, statement), name=name
            )
        elif isinstance(right, ast.Call) and isinstance(right.func, ast.Name):
            v = self.call(right, shape, dtype, name, statement)
        else:
            self.fail(statement, "a value is defined by a call of an op")
        self.values[name] = v

    def call(self, node: ast.Call, shape: Any, dtype: Any, name: str, where: Any) -> Value:
        assert isinstance(node.func, ast.Name)
        op_name = node.func.id
        if op_name == "constant":
            return self.constant(node, shape, dtype, name, where)
        if op_name == "loop":
            v = self.loop(node, where)
            v.name, v.shape, v.dtype = name, shape, dtype
            return v
        op = self.op(op_name, where)
        inputs = tuple(self.value(a) if self.is_value(a) else self.literal(a, where) for a in node.args)
        settings = {k.arg: self.setting(k.arg, k.value, where) for k in node.keywords if k.arg}
        return Value(OP, shape, dtype, op=op, inputs=inputs, settings=settings, name=name)

    def op(self, name: Any, where: Any) -> Primitive:
        if name not in TABLE:
            self.fail(where, f"there is no op {name!r}{nearest(str(name), list(TABLE))}")
        return TABLE[name]

    def constant(self, node: ast.Call, shape: Any, dtype: Any, name: str, where: Any) -> Value:
        if len(node.args) != 1 or node.keywords:
            self.fail(where, "a constant is written as constant(number or list)")
        data = self.literal(node.args[0], where)
        if data is Ellipsis:
            self.fail(where, "a large constant is not printed, so it cannot be read back; make it an input")
        try:
            v = constant(np.array(data, dtype.numpy).reshape(shape), dtype)
        except (TypeError, ValueError, OverflowError):
            self.fail(where, f"the constant is no {dtype.name} of shape {shape}")
        v.name = name
        return v

    def is_value(self, node: Any) -> bool:
        return isinstance(node, ast.Name) and node.id not in _NUMBERS

    def value(self, node: Any) -> Value:
        if not isinstance(node, ast.Name):
            self.fail(node, "a name of a value belongs here")
        if node.id not in self.values:
            known = list(self.values)
            if isinstance(self.values, _Inside):
                known += self.values.outside
            self.fail(node, f"{node.id} is not defined before this line{nearest(node.id, known)}")
        return self.values[node.id]

    def write(self, statement: ast.Assign) -> tuple[Value, Value]:
        target = statement.targets[0]
        if not (
            isinstance(target, ast.Subscript)
            and isinstance(target.value, ast.Name)
            and isinstance(statement.value, ast.Name)
        ):
            self.fail(statement, "a write is `input[...] = value`")
        return self.value(target.value), self.value(statement.value)

    def returned(self, statement: ast.Return) -> list[Value]:
        node = statement.value
        if node is None or (isinstance(node, ast.Constant) and node.value is None):
            return []
        return [self.value(n) for n in (node.elts if isinstance(node, ast.Tuple) else [node])]

    def setting(self, key: str, node: Any, where: Any) -> Any:
        value = self.literal(node, where)
        if key == "steps":  # names of view primitives
            return tuple((self.op(name, where), settings) for name, settings in value)
        return value

    def literal(self, node: Any, where: Any) -> Any:
        """A number, a bool, None, ..., a dtype, a slice, or tuples, lists and dicts of them."""
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self.literal(node.operand, where)
        if isinstance(node, ast.Name):
            if node.id in _NUMBERS:
                return _NUMBERS[node.id]
            if node.id in _DTYPES:
                return _DTYPES[node.id]
        if isinstance(node, ast.Tuple):
            return tuple(self.literal(n, where) for n in node.elts)
        if isinstance(node, ast.List):
            return [self.literal(n, where) for n in node.elts]
        if isinstance(node, ast.Dict):
            return {
                self.literal(k, where): self.literal(v, where)
                for k, v in zip(node.keys, node.values, strict=True)
            }
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "slice":
            return slice(*(self.literal(n, where) for n in node.args))
        must = f"{ast.unparse(node)!r} is neither a number, a type, a slice, nor a tuple or list of them"
        return self.fail(where, must)
