"""Watching one forward pass: every operation that runs, in which layer, on what, at which line.

`Recorder` is a level over the interpreter, so it sees what really runs, whatever the model is made of:
modules, functions, Python control flow, layers used twice. What follows is worked out from the operations
alone:

- a tensor made of parameters only is a *weight*; the *depth* of a tensor is the largest number of products
  with weights on the way to it from the input;
- a *use* is a product of a weight with something that is none: where a layer mixes its inputs;
- a *gate* is an activation with a flat end, found out by asking the entry's own gradient rule far out.

Next: `passage.py`, which goes backward as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from ...base import TensorBase, owner_of, wrap
from ...core.errors import Site
from ...eager import user_site
from ...nn import Module
from ...ops.primitive import CONTRACTION, ELEMENTWISE, LINEAR, VIEW, Primitive
from ...tape.mode import no_grad
from ...transforms.level import Observer, suspended
from . import limits

Array = npt.NDArray[Any]


@dataclass(eq=False)
class Call:
    """One call of a module: its path in the model, which call of this module it is, and what it is inside
    of."""

    path: str
    module: Module
    number: int
    parent: Call | None
    is_leaf: bool = True  # no other module was called inside
    output: Step | None = None
    args: tuple[Any, ...] = ()


@dataclass(eq=False)
class Step:
    """One operation that ran. `value` is the result as it was then, whatever is written over it later."""

    number: int
    op: Primitive
    xs: tuple[Any, ...]
    settings: dict[str, Any]
    out: Any
    value: Array
    node: Any
    site: Site | None
    call: Call | None
    makers: tuple[Step | None, ...]  # the steps that made the operands
    is_weight: bool
    depth: int
    readers: list[Step] = field(default_factory=list)

    def reads(self, i: int) -> Array | None:
        """The i-th operand as it was, if it is a tensor."""
        maker = self.makers[i]
        x = self.xs[i]
        return maker.value if maker is not None else x._a if isinstance(x, TensorBase) else None


@dataclass(frozen=True)
class Use:
    """A product with a weight: `step`, which of its operands is the weight, and the parameters it is made
    of."""

    step: Step
    weight: int
    parameters: tuple[int, ...]  # ids of the leaves

    @property
    def result(self) -> Step:
        """The product with its bias: the next step, if it adds something made of parameters only."""
        readers = self.step.readers
        if len(readers) == 1 and readers[0].op.kind == ELEMENTWISE and readers[0].op.jvp is LINEAR:
            (reader,) = readers
            if len(reader.xs) == 2 and not reader.is_weight:
                other = reader.makers.index(self.step) ^ 1
                if _is_weight(reader.xs[other], reader.makers[other]):
                    return reader
        return self.step


@dataclass(frozen=True)
class Gate:
    """An activation with one flat end (as ReLU) or two (as sigmoid); `slope` is its derivative (...),
    here."""

    step: Step
    ends: int
    slope: Array
    steepest: float


@dataclass(frozen=True)
class Broken:
    """The first result that is not finite although all that it was made from is."""

    op: Primitive
    shapes: tuple[tuple[int, ...], ...]
    shape: tuple[int, ...]
    is_nan: bool
    site: Site | None
    path: str


class Recorder(Observer):
    """Notes every operation while it is entered; `watch` tells it when modules begin and end."""

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.calls: list[Call] = []
        self.broken: Broken | None = None
        self._makers: dict[int, Step] = {}  # by tensor; `_alive` keeps the numbers from being given again
        self._alive: list[Any] = []
        self._call: Call | None = None
        self._counts: dict[Module, int] = {}

    # -- as a level

    def see(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
        if self.broken is None:
            self._look(op, xs, settings, out)
        if op.outputs != 1:
            return
        makers = tuple(self._makers.get(id(x)) for x in xs)
        tensors = [(x, m) for x, m in zip(xs, makers, strict=True) if isinstance(x, TensorBase)]
        is_weight = bool(tensors) and all(_is_weight(x, m) for x, m in tensors)
        depth = max((m.depth for m in makers if m is not None), default=0)
        step = Step(
            len(self.steps), op, xs, settings, out, out._a, out._node, user_site(), self._call, makers,
            is_weight, depth,
        )  # fmt: skip
        if use_of(step) is not None:
            step.depth += 1
        for maker in {id(m): m for m in makers if m is not None}.values():
            maker.readers.append(step)
        self.steps.append(step)
        self._made(out, step)

    def alias(self, x: Any, y: Any) -> None:
        if id(x) in self._makers:
            self._made(y, self._makers[id(x)])

    detached = alias

    def writes(self, x: Any) -> None:
        owner = owner_of(x)
        for step in self.steps:
            if step.value is step.out._a and owner_of(step.out) is owner:
                step.value = step.value.copy()

    def wrote(self, x: Any, new: Any) -> None:
        step = self._makers.get(id(new))
        if step is not None:
            if x._node is not None:
                step.node = x._node
            self._made(x, step)

    def _made(self, x: Any, step: Step) -> None:
        self._alive.append(x)
        self._makers[id(x)] = step

    def maker(self, x: Any) -> Step | None:
        """The step that made a tensor."""
        return self._makers.get(id(x))

    def _look(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
        results = out if isinstance(out, tuple) else (out,)
        bad = [r._a for r in results if not _finite(r._a)]
        if bad and all(_finite(x._a if isinstance(x, TensorBase) else x) for x in (*xs, *settings.values())):
            shapes = tuple(x._a.shape for x in xs if isinstance(x, TensorBase))
            path = "" if self._call is None else self._call.path
            self.broken = Broken(op, shapes, bad[0].shape, bool(np.isnan(bad[0]).any()), user_site(), path)

    # -- modules

    @contextmanager
    def watch(self, model: Any) -> Iterator[None]:
        """Notes the calls of all modules of a model."""
        with ExitStack() as handles:
            for path, module in model.named_modules() if isinstance(model, Module) else ():
                handles.enter_context(module.register_forward_pre_hook(self._enters(path)))
                handles.enter_context(module.register_forward_hook(self._leave, always_call=True))
            yield

    def _enters(self, path: str) -> Any:
        def enter(module: Module, args: tuple[Any, ...]) -> None:
            number = self._counts[module] = self._counts.get(module, 0) + 1
            if self._call is not None:
                self._call.is_leaf = False
            self._call = Call(path, module, number, self._call, args=args)
            self.calls.append(self._call)

        return enter

    def _leave(self, module: Module, args: tuple[Any, ...], output: Any) -> None:
        call = self._call
        assert call is not None
        call.output = self._makers.get(id(output))
        self._call = call.parent


def _finite(x: Any) -> bool:
    if isinstance(x, np.ndarray):
        return x.dtype.kind != "f" or bool(np.isfinite(x).all())
    return not isinstance(x, float) or bool(np.isfinite(x))


def _is_weight(x: Any, maker: Step | None) -> bool:
    """Whether a tensor is a parameter, or made of parameters only."""
    if maker is not None:
        return maker.is_weight
    return isinstance(x, TensorBase) and x._node is not None


def use_of(step: Step) -> Use | None:
    """The step as a product with a weight, if it is one."""
    if step.op.kind != CONTRACTION or step.is_weight:
        return None
    for i, x in enumerate(step.xs):
        if isinstance(x, TensorBase) and _is_weight(x, step.makers[i]):
            return Use(step, i, tuple(_leaves(x, step.makers[i])))
    return None


def _leaves(x: Any, maker: Step | None) -> Iterator[int]:
    stack = [(x, maker)]
    while stack:
        x, maker = stack.pop()
        if maker is not None:
            stack += zip(maker.xs, maker.makers, strict=True)
        elif isinstance(x, TensorBase) and x._node is not None:
            yield id(x)


def uses(steps: Iterable[Step]) -> list[Use]:
    """All products with weights, in order."""
    return [use for step in steps if (use := use_of(step)) is not None]


def gates(steps: Iterable[Step]) -> list[Gate]:
    """All activations with flat ends, in order."""
    found = []
    with suspended(), no_grad():
        for step in steps:
            gate = _gate(step)
            if gate is not None:
                found.append(gate)
    return found


def _gate(step: Step) -> Gate | None:
    if step.op.kind != ELEMENTWISE or not step.op.differentiable or step.is_weight or step.depth == 0:
        return None
    at = [i for i, m in enumerate(step.makers) if m is not None and not m.is_weight]
    at = [i for i in at if step.makers[i].depth > 0]  # type: ignore[union-attr]
    if len(at) != 1 or _is_part(step):
        return None
    (i,) = at
    others: list[Any] = []
    for j, x in enumerate(step.xs):
        a = step.reads(j)
        if j == i or a is None:
            others.append(x)
        elif a.size == 0 or a.dtype.kind != "f" or (a != a.flat[0]).any():
            return None
        else:
            others.append(wrap(np.asarray(a.flat[0])))
    x = step.reads(i)
    if x is None or x.dtype.kind != "f" or x.size == 0:
        return None
    far = np.linspace(-limits.PROBE_RANGE, limits.PROBE_RANGE, 121, dtype=x.dtype)
    slope = _slope(step, i, others, far)
    if slope is None or not np.isfinite(slope).all():
        return None
    if slope.min() < -limits.PROBE_FLAT or not limits.PROBE_LEAST <= slope.max() <= limits.PROBE_STEEPEST:
        return None
    ends = int(abs(slope[0]) < limits.PROBE_FLAT) + int(abs(slope[-1]) < limits.PROBE_FLAT)
    here = _slope(step, i, others, x)
    return Gate(step, ends, here, float(slope.max())) if ends and here is not None else None


def _slope(step: Step, i: int, others: list[Any], x: Array) -> Array | None:
    """The derivative of an elementwise op by its i-th operand at x, by the entry's own gradient rule."""
    rule = step.op.rule_for(i)
    if rule is None:
        return None
    xs = [wrap(x) if j == i else other for j, other in enumerate(others)]
    out = step.op(*xs, **step.settings)
    shapes = [y._a.shape if isinstance(y, TensorBase) else () for y in xs]
    g = rule.call(wrap(np.ones(out._a.shape, out._a.dtype)), xs, shapes, out, step.settings, i)
    return np.broadcast_to(g._a, x.shape)


def _is_part(step: Step) -> bool:
    """Whether the step is a part of a function made of several (such as GELU): its neighbour was made by the
    same call of the user's, in the same module."""
    neighbours = [m for m in step.makers if m is not None] + step.readers
    return any(
        n.op.kind == ELEMENTWISE and n.op.jvp is not LINEAR and n.site == step.site and n.call is step.call
        for n in neighbours
    )


def is_view(step: Step) -> bool:
    """Whether a step computes nothing."""
    return step.op.kind == VIEW
