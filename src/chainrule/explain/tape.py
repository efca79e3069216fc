"""`y.explain()`: the derivation of a result that is there already, from what its tape remembers.

The tape knows which primitives ran, on which lines, and what backward has to know; the rest is computed again
where that is possible, from parameters and kept values on. What can be known neither way (the y in a - y, of
which no derivative reads the value) is shown as "not kept". There is no function to run again, so there are
no central differences. Next: `recording.py`, which sees everything.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

from ..backward import node_of
from ..base import TensorBase, View
from ..core.errors import GradError, Site
from ..ops.primitive import VIEW
from ..tape import mode as tape_mode
from ..tape.hooks import hooked
from ..tape.node import FREED, AccumulateGrad, Node, OpNode
from ..transforms.level import suspended
from .api import check_mode, check_running, compared, cost_of
from .compounds import joined
from .derivation import Derivation
from .matrix import check_layout
from .names import RETURNED, assigned, exact, frames, held_by, statement
from .recording import name_values
from .steps import MADE, OUTSIDE, Program, Step, Value, by_depth, needed, spread_variation


def explain_result(y: Any, mode: str = "both", layout: str = "numerator") -> Derivation:
    """The derivation of an eager result; see `Tensor.explain`."""
    check_mode(mode)
    check_layout(layout)
    check_running("y.explain()")
    node = node_of(y)
    if node is None or isinstance(node, AccumulateGrad):
        raise GradError.of(
            "y.explain()",
            given=f"a tensor {tuple(y.shape)} that "
            + ("nothing was recorded for" if node is None else "is a leaf"),
            must="it must be the result of operations on tensors that require a gradient",
            hint="requires_grad_() on the inputs before computing it, or explain(fn, *inputs)",
        )
    program = read(y, node)
    checks, _ = compared(program, None)
    return Derivation(
        program,
        title=program.output.name,
        mode=mode,
        layout=layout,
        checks=checks,
        unchecked="there is no function to run again; explain(fn, *inputs) has one",
        hooked=hooked(node),
        cost=cost_of(program),
    )


def read(y: Any, node: Node) -> Program:
    """The program that ends in y."""
    reader = _Reader(list(frames()))
    with suspended(), tape_mode.no_grad():
        for n in _in_order(node):
            reader.add(n)
        output = reader.values[id(node)]
        output.data = y._a
    output.wish = output.wish or held_by(y, reader.frames, shallow=True)
    steps = by_depth(joined(needed(output, reader.steps)))
    used = {id(v) for s in steps for v in s.values}
    outside = [v for v in reader.outside if id(v) in used]
    leaves = [v for v in outside if v.wants]
    spread_variation(steps, leaves)
    program = Program("y", [], outside, steps, output, leaves)
    name_values(program)
    return program


def _in_order(node: Node) -> list[Node]:
    """The nodes that a node can reach, in the order in which they were made."""
    found: dict[int, Node] = {}
    waiting = [node]
    while waiting:
        n = waiting.pop()
        if id(n) not in found:
            found[id(n)] = n
            waiting += [edge for edge in n.edges if edge is not None]
    return sorted(found.values(), key=lambda n: n.seq)


class _Reader:
    """Values and steps, from nodes in the order in which they were made."""

    def __init__(self, around: list[FrameType]) -> None:
        self.values: dict[int, Value] = {}  # by node
        self.steps: list[Step] = []
        self.outside: list[Value] = []
        self.frames = around
        self._constants: dict[int, Value] = {}  # by tensor
        self._held = _held_nodes(around)
        self._last: Step | None = None

    def add(self, node: Node) -> None:
        """One more node, after those it came from."""
        if isinstance(node, AccumulateGrad):
            x = node.variable
            name = "" if x is None else held_by(x, self.frames)
            self._from_outside(node, None if x is None else x._a, name)
        elif isinstance(node, OpNode):
            self._step(node)
        else:  # a function with a gradient of the user's own: what is inside of it was not recorded
            self._from_outside(node, None, self._held.get(id(node), node.name.removesuffix("Backward")))

    def _from_outside(self, node: Node, a: Any, name: str) -> None:
        value = Value(a, node.shape, OUTSIDE, name, wants=True, dtype=node.dtype)
        self.values[id(node)] = value
        self.outside.append(value)

    def _step(self, node: OpNode) -> None:
        if node.inputs is FREED:
            raise GradError.of(
                f"y.explain() through {node.what}",
                given="a result after its backward",
                must="what had been kept for backward was freed by it",
                hint="y.explain() before backward, backward(retain_graph=True), or explain(fn, *inputs)",
            )
        kept, out = node.saved()
        operands = tuple(
            self._operand(node, i, None if kept is None else kept[i]) for i in range(len(node.edges))
        )
        value = Value(None, node.shape, MADE, self._held.get(id(node), ""), dtype=node.dtype)
        site = None if node.site is None else exact(node.site)
        step = Step(
            node.op, operands, node.settings, value, site=site,
            statement=0 if site is None else statement(site),
        )  # fmt: skip
        value.step = step
        if isinstance(out, TensorBase):
            value.data = out._a
        elif all(not isinstance(x, Value) or x.known for x in operands):
            value.data = _again(step)
        self._name(step, site)
        self.values[id(node)] = value
        self.steps.append(step)
        self._last = step

    def _operand(self, node: OpNode, i: int, kept: Any) -> Any:
        edge = node.edges[i]
        if edge is not None:
            value = self.values[id(edge)]
            if value.data is None and isinstance(kept, TensorBase):
                value.data = kept._a
            return value
        if kept is None:
            return self._constant(None, node.shapes[i] if node.shapes else (), node)
        return self._constant(kept, kept._a.shape, node) if isinstance(kept, TensorBase) else kept

    def _constant(self, x: Any, shape: tuple[int, ...], node: OpNode) -> Value:
        """A value that no derivative goes into: kept, or not even that."""
        known = None if x is None else self._constants.get(id(x))
        if known is not None:
            return known
        view = None if x is None else x._view
        if view is not None and view.base is not None and view.link and view.base._node is None:
            return self._part(x, view, node)
        name = "" if x is None else held_by(x, self.frames)
        unnamed = x is not None and not name
        a = None if x is None else x._a
        value = Value(a, shape, OUTSIDE, name, inside=unnamed, dtype=node.dtype)
        if x is not None:
            self._constants[id(x)] = value
        self.outside.append(value)
        return value

    def _part(self, x: TensorBase, view: View, node: OpNode) -> Value:
        """A constant that is a view of another tensor, which may have a name."""
        assert view.base is not None
        value = self._constant(view.base, view.base._a.shape, node)
        for op, settings in view.steps:
            assert value.data is not None
            out = Value(op.numpy(value.data, **settings), (), MADE)
            out.shape = out.data.shape  # type: ignore[union-attr]
            site = None if node.site is None else exact(node.site)
            out.step = Step(op, (value,), settings, out, site=site)
            out.step.statement = 0 if site is None else statement(site)
            self.steps.append(out.step)
            value = out
        self._constants[id(x)] = value
        return value

    def _name(self, step: Step, site: Site | None) -> None:
        """The variable that gets the result, if this is the last step of the call that makes it."""
        if site is None:
            return
        name = assigned(site)
        last = self._last
        if last is not None and last.site == site and last.op is not step.op and last.out.wish == name:
            last.out.wish = ""
        if not step.out.wish:
            step.out.wish = "" if name == RETURNED else name


def _again(step: Step) -> Any:
    """The step's result, computed again."""
    primals = step.primals
    if step.op.kind is VIEW:
        return step.op.numpy(primals[0]._a, **step.settings)
    if not any(isinstance(x, TensorBase) for x in primals):
        return None
    return step.op(*primals, **step.settings)._a


def _held_nodes(around: list[FrameType]) -> dict[int, str]:
    """Names of the tensors in the running functions' variables, by the node that made each."""
    found: dict[int, str] = {}
    for frame in around:
        for name, x in frame.f_locals.items():
            if isinstance(x, TensorBase) and x._node is not None and not name.startswith("_"):
                found.setdefault(id(x._node), name)
    return found
