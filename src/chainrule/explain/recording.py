"""Watching a function run: the level that keeps the list of steps.

The function runs as it always does, on its own tensors, with Python's branches and loops; the level is told
of each primitive and notes what it got and what came out. A tensor is known by identity; where it is written
in place, it stands for another value from then on, and the values it had are kept. A view is the same part of
whatever its base stands for now. Next: `names.py` for what values are called, `steps.py` for what is kept.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from types import CodeType, FrameType
from typing import Any

import numpy as np

from ..backward import node_of
from ..base import TensorBase, owner_of, wrap
from ..core.errors import ArgumentError, GradError
from ..eager import record as tape_record
from ..func.variables import VariableNode
from ..nn.module import Module
from ..ops.primitive import VIEW, Primitive
from ..ops.views import OVERWRITE, RESHAPE, Steps
from ..tape import mode
from ..tape.hooks import hooked
from ..tape.node import AccumulateGrad, Node, number
from ..transforms.level import Observer
from .compounds import joined
from .names import (
    RETURNED,
    Namer,
    caller,
    frames,
    function_name,
    held_by,
    parameters,
    path_in_module,
    statement,
)
from .steps import INPUT, MADE, OUTSIDE, STOPPED, Program, Step, Value, by_depth, needed, spread_variation


class Recording(Observer):
    """The list of steps of what runs while the level is entered.

    stop: the code of the function that calls the user's; nothing above it on the stack counts.
    root: the module that is explained, if it is one: names of parameters are paths in it.
    """

    def __init__(self, stop: CodeType, root: Module | None = None) -> None:
        self.steps: list[Step] = []
        self.outside: list[Value] = []
        self.inputs: list[Value] = []
        self.written: dict[int, tuple[TensorBase, np.ndarray[Any, Any]]] = {}  # what was changed outside
        self.origin: dict[int, TensorBase] = {}  # per input and value from outside: the user's tensor
        self.position: dict[int, int] = {}  # per input which argument it is
        self._stop = stop
        self._root = root
        self._known: dict[int, Value] = {}
        self._held: list[Any] = []  # tensors that are known; while they live, nothing else has their id
        self._by_owner: dict[int, list[Value]] = {}
        self._ways: dict[int, tuple[TensorBase, Steps]] = {}
        self._seen_from: dict[int, Value] = {}  # per view what its base stood for when its value was noted
        self._layers: dict[int, str] = {}
        self._roots: list[tuple[str, Module]] | None = None
        self._last: Step | None = None
        self._start = number()
        self.hooked: list[Node] = []  # places of the tape whose hooks may change the gradient
        self._entry: FrameType | None = None  # which function of ours made the last step

    # -- before and after ------------------------------------------------------------------------------

    def give(self, x: TensorBase, name: str, argument: TensorBase, position: int) -> Value:
        """An input of the function: the user's tensor, and the one that the function gets."""
        value = self._note(argument, Value(x._a, x._a.shape, INPUT, name, wants=_wants(x)))
        self.inputs.append(value)
        self.origin[id(value)] = x
        self.position[id(value)] = position
        return value

    def done(self) -> None:
        """Nothing more will run."""
        self._entry = None

    def value_of(self, x: TensorBase) -> Value:
        """What a tensor stands for now."""
        base, steps = self._way(x)
        if steps:
            whole = self.value_of(base)
            known = self._known.get(id(x))
            if known is not None and self._seen_from.get(id(x)) is whole:
                return known
            value = self._replayed(whole, steps)
            if known is not None and not value.wish:
                value.wish = known.wish
            self._note(x, value)
            self._seen_from[id(x)] = whole
            return value
        known = self._known.get(id(x))
        return known if known is not None else self._from_outside(x)

    # -- what the level is told ------------------------------------------------------------------------

    def see(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
        operands = tuple(self.value_of(x) if isinstance(x, TensorBase) else x for x in xs)
        for x, operand in zip(xs, operands, strict=True):
            if isinstance(operand, Value) and not operand.wish and operand.kind == MADE:
                operand.wish = held_by(x, frames(self._stop), shallow=True)
        if op is OVERWRITE and _whole(operands, settings):
            self._note(
                out, operands[1]
            )  # nothing is left of what was there before, which may be uninitialised
            return
        results = out if op.outputs != 1 else (out,)
        for part in results:
            value = self._made(op, operands, settings, part)
            if op.kind is VIEW and part._view is not None:
                base, steps = self._way(xs[0])
                self._ways[id(part)] = (base, (*steps, (op, settings)))
                self._seen_from[id(part)] = self.value_of(base)
            self._note(part, value)

    def writes(self, x: Any) -> None:
        owner = owner_of(x)
        for value in self._by_owner.get(id(owner), ()):
            if value.data is not None and np.may_share_memory(value.data, owner._a):
                value.data = np.array(value.data)
        known = self._known.get(id(owner))
        if known is None or known.kind in (INPUT, OUTSIDE):
            self.written.setdefault(id(owner), (owner, owner._a.copy()))

    def wrote(self, x: Any, new: Any) -> None:
        base, steps = self._way(x)
        whole = self.value_of(base)
        value = self.value_of(new)
        if steps:
            value = self._written(whole, value, steps, base)
        if not value.wish:
            value.wish = whole.wish
        self._note(base, value)

    def alias(self, x: Any, y: Any) -> None:
        value = self.value_of(x)
        self._known[id(y)] = value
        self._held.append(y)

    def detached(self, x: Any, y: Any) -> None:
        source = self.value_of(x)
        self._note(y, Value(y._a, y._a.shape, STOPPED, source=source))

    # -- inside ------------------------------------------------------------------------------------------

    def _note(self, x: TensorBase, value: Value) -> Value:
        self._known[id(x)] = value
        self._held.append(x)
        self._by_owner.setdefault(id(owner_of(x)), []).append(value)
        return value

    def _made(
        self,
        op: Primitive,
        operands: tuple[Any, ...],
        settings: dict[str, Any],
        out: TensorBase,
        data: np.ndarray[Any, Any] | None = None,
    ) -> Value:
        at = caller(self._stop)
        a = out._a if data is None else data
        value = Value(a, a.shape, MADE, at.name)
        last = self._last
        if at.name and last is not None and at.entry is not None and at.entry is self._entry:
            last.out.wish = ""  # of several steps in one call, the last one makes what is assigned
        self._entry = at.entry
        step = Step(
            op, operands, settings, value, fixed=not mode.state.grad, site=at.site, call=at.frame,
            statement=0 if at.site is None else statement(at.site),
            layers=tuple(self._path(m) for m in at.layers),
        )  # fmt: skip
        value.step = self._last = step
        self.steps.append(step)
        return value

    def _written(self, whole: Value, part: Value, steps: Steps, base: TensorBase) -> Value:
        """The value of the base of a view that was written."""
        wish = part.wish
        value = self._made(OVERWRITE, (whole, part), {"steps": steps}, base, np.array(base._a))
        value.wish, part.wish = whole.wish, wish
        return value

    def _replayed(self, whole: Value, steps: Steps) -> Value:
        value = whole
        for op, settings in steps:
            assert value.data is not None
            a = op.numpy(value.data, **settings)
            made = Value(a, a.shape, MADE)
            step = Step(op, (value,), settings, made, fixed=not mode.state.grad)
            if self._last is not None:
                step.site, step.call = self._last.site, self._last.call
                step.statement, step.layers = self._last.statement, self._last.layers
            made.step = step
            self.steps.append(step)
            value = made
        return value

    def _way(self, x: TensorBase) -> tuple[TensorBase, Steps]:
        """The tensor that x is a part of, and the steps from there."""
        way = self._ways.get(id(x))
        if way is not None:
            return way
        view = x._view
        if view is not None and view.base is not None and view.link:
            return view.base, view.steps
        return x, ()

    def _from_outside(self, x: TensorBase) -> Value:
        node = x._node
        if node is not None and not isinstance(node, AccumulateGrad) and node.seq > self._start:
            raise GradError.of(
                "explain",
                given=f"a value made by {node.what}, which does not run op by op",
                must="a derivation is made of the primitives that run; those inside of an autograd.Function "
                "or of a compiled function are not seen",
                hint="explain the function without them: with the formula itself, and before compile",
                site=node.site,
            )
        name = self._name_of(x)
        value = Value(x._a, x._a.shape, OUTSIDE, name, wants=_wants(x), inside=not name)
        self.outside.append(value)
        self.origin[id(value)] = x
        return self._note(x, value)

    def _name_of(self, x: TensorBase) -> str:
        if self._root is not None:
            path = path_in_module(x, self._root)
            if path:
                return f"model.{path}" if path[0].isdigit() else path
        for name, module in self._found_roots():
            path = path_in_module(x, module, name)
            if path:
                return path
        return held_by(x, frames(self._stop))

    def _path(self, module: Module) -> str:
        """Where a module stands in the model."""
        found = self._layers.get(id(module))
        if found is None:
            found = ""
            own = [] if self._root is None else [("", self._root)]
            for name, root in own or self._found_roots():
                for path, m in root.named_modules():
                    if m is module and path:
                        found = path if not path[0].isdigit() or not name else f"{name}.{path}"
                    elif m is module:
                        found = name
                    if m is module:
                        break
                else:
                    continue
                break
            else:
                found = type(module).__name__
            self._layers[id(module)] = found
            self._held.append(module)
        return found

    def _found_roots(self) -> list[tuple[str, Module]]:
        """Modules in the variables of the running functions, the largest first."""
        if self._roots is not None:
            return self._roots
        self._roots = []
        for frame in frames(self._stop):
            for space in (frame.f_locals, frame.f_globals):
                for name, value in list(space.items()):
                    if isinstance(value, Module) and name != "self" and not name.startswith("_"):
                        self._roots.append((name, value))
        # what is inside of two of them is found by the path from the larger one
        self._roots.sort(key=lambda pair: -sum(1 for _ in pair[1].named_modules()))
        return self._roots


def _whole(operands: tuple[Any, ...], settings: dict[str, Any]) -> bool:
    """Whether a write replaces all of a tensor by another one, as x.copy_(y) does."""
    x, y = operands
    if settings["steps"] or not (isinstance(x, Value) and isinstance(y, Value)) or x.shape != y.shape:
        return False
    return x.data is not None and y.data is not None and x.data.dtype == y.data.dtype


def _wants(x: TensorBase) -> bool:
    return x._node is not None or (x._view is not None and getattr(x, "requires_grad", False))


def record(fn: Callable[..., Any], inputs: Sequence[Any]) -> tuple[Program, Recording]:
    """Run `fn(*inputs)` once and say what ran."""
    recording = Recording(_call.__code__, fn if isinstance(fn, Module) else None)
    names = parameters(fn, len(inputs))
    given = arguments(inputs)
    for position, (x, argument) in enumerate(zip(inputs, given, strict=True)):
        if isinstance(x, TensorBase):
            recording.give(x, names[position], argument, position)
    with mode.enable_grad(), recording.entered():
        out = _call(fn, given)
    recording.done()
    if not isinstance(out, TensorBase):
        raise ArgumentError.of(
            "explain",
            given=f"a function that returns {_kind_of(out)}",
            must="it must return one tensor",
            hint=_instead(out),
        )
    output = recording.value_of(out)
    node = node_of(out)
    recording.hooked = [] if node is None else hooked(node)
    return assemble(recording, output, function_name(fn)), recording


def arguments(inputs: Sequence[Any]) -> list[Any]:
    """What the function gets: if no input requires a gradient, variables with the memory of the inputs.

    They stand on the tape, so that the function finds what it would find while somebody differentiates it,
    and the same tensor given twice is two variables. They are no leaves: the function may write into them.
    """
    if any(isinstance(x, TensorBase) and _wants(x) for x in inputs):
        return list(inputs)
    return [_variable(x) if isinstance(x, TensorBase) and x._a.dtype.kind == "f" else x for x in inputs]


def _variable(x: TensorBase) -> Any:
    leaf = wrap(x._a)
    leaf._node = VariableNode(leaf)
    with mode.enable_grad():
        return tape_record(RESHAPE, wrap(x._a), (leaf,), {"shape": x._a.shape})


def _call(fn: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """The call whose code marks where the user's program begins."""
    return fn(*inputs)


def _kind_of(out: Any) -> str:
    if isinstance(out, tuple | list):
        return f"a {type(out).__name__} of {len(out)}"
    return "nothing" if out is None else f"{type(out).__name__}"


def _instead(out: Any) -> str:
    """What to try where a function returns no tensor."""
    if isinstance(out, tuple | list):
        return "explain(lambda *xs: fn(*xs)[0], ...) for one of several results"
    if isinstance(out, dict):
        key = next(iter(out), "loss")
        return f"explain(lambda *xs: fn(*xs)[{key!r}], ...) for one of several results"
    if out is None:
        return "a return at its end; and no backward() inside, which explain does by itself"
    return "return the tensor itself, without .item(), float() or numpy()"


def assemble(recording: Recording, output: Value, name: str) -> Program:
    """The program of an output, from what was recorded: only what it is made of, every value with a name."""
    all_steps = recording.steps
    kept = needed(output, all_steps)
    steps = by_depth(joined(kept))
    used = {id(v) for s in steps for v in s.values} | {id(output)}
    outside = [v for v in recording.outside if id(v) in used]
    leaves = choose_leaves(recording.inputs, outside)
    spread_variation(steps, leaves)
    if not leaves or not output.varies:
        raise _constant(output, recording.inputs, outside, leaves)
    program = Program(name, recording.inputs, outside, steps, output, leaves, len(all_steps) - len(kept))
    name_values(program)
    return program


def choose_leaves(inputs: list[Value], outside: list[Value]) -> list[Value]:
    """What to differentiate by: what requires a gradient; if nothing does, all inputs of floats."""
    wanting = [v for v in [*inputs, *outside] if v.wants]
    return wanting or [v for v in inputs if v.data is not None and v.data.dtype.kind == "f"]


def _constant(output: Value, inputs: list[Value], outside: list[Value], leaves: list[Value]) -> ArgumentError:
    given = ", ".join(f"{v.wish} {v.shape}" for v in [*inputs, *outside] if v.wish) or "no tensor"
    if not leaves:
        whole = any(v.data is not None and v.data.dtype.kind != "f" for v in inputs)
        return ArgumentError.of(
            "explain",
            given=f"{given}, and no input that can be differentiated",
            must="an input, or a parameter that the function uses, must be a tensor of floats",
            hint="x.float(): whole numbers have no derivative" if whole else "explain(fn, tensor(2.0))",
        )
    names = ", ".join(v.wish for v in leaves)
    return ArgumentError.of(
        "explain",
        given=f"a result {output.shape} that no derivative by {names} goes into",
        must="it is a constant: made of detached values, under no_grad, or of whole numbers",
        hint="look for .detach(), .item(), torch.tensor(...) of a tensor, argmax or comparisons on the way",
    )


def name_values(program: Program) -> None:
    """A name for every value: the user's where there is one."""
    taken = ["inf", "nan", "pi", "e"]
    namer = Namer(taken)
    first = [*program.inputs, *program.outside]
    made = [s.out for s in program.steps]
    stopped = list({id(v): v for s in program.steps for v in s.values if v.kind == STOPPED}.values())
    for v in first:
        if not v.wish:
            v.wish = "c"
    for value, name in zip(first, namer.names([v.wish for v in first]), strict=True):
        value.name = name
    output = program.output
    for v in made:
        if v.wish == RETURNED:
            v.wish = ""
    if output.kind == MADE and not output.wish:
        output.wish = program.name
    for value, name in zip(made, namer.names([v.wish for v in made]), strict=True):
        value.name = name
    for v in stopped:
        v.name = f"{v.source.name}.detach()" if v.source is not None else "c"


def signature_of(fn: Callable[..., Any]) -> str:
    """`f(x1, x2)`, for a title."""
    try:
        names = list(inspect.signature(fn.forward if isinstance(fn, Module) else fn).parameters)
    except (TypeError, ValueError):
        names = ["..."]
    return f"{function_name(fn)}({', '.join(names)})"
