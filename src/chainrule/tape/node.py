"""Nodes of the tape: what was done, to what, and what backward needs to remember.

A node knows its inputs' nodes (`edges`), the shape and dtype of its result, and the user's line. The engine
(`engine.py`) walks nodes; `../eager.py` makes them.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from ..base import TensorBase, owner_of, wrap
from ..core.errors import GradError, Site, describe
from ..core.shapes import Shape
from ..ops.primitive import Primitive, interpreter, levels

number = itertools.count().__next__  # nodes are numbered as they are made, so an input's number is lower


class Node:
    """One step of the tape.

    edges: per input the node its gradient flows to, or None.
    shape, dtype: of the result, and so of the gradient that arrives.
    hooks: functions that may look at or replace the arriving gradient; None or a dict by handle number.
    seq:   running number; larger than that of every edge.
    site:  the user's line that made it.
    """

    __slots__ = ("__weakref__", "dtype", "edges", "hooks", "seq", "shape", "site")

    edges: tuple[Node | None, ...]
    shape: Shape
    dtype: np.dtype[Any]
    hooks: dict[int, Any] | None
    seq: int
    site: Site | None

    @property
    def name(self) -> str:
        """The name in `grad_fn=<...>`, as PyTorch writes it."""
        raise AttributeError("name")

    def backward(self, g: Any) -> tuple[Any, ...]:
        """Gradients for the edges, in order; None where there is none."""
        raise AttributeError("backward")

    def release(self) -> None:
        """Forget what was kept for backward."""

    def defer(self, deferred: Deferred) -> None:
        """Forget what was kept for backward, until it is asked for."""

    def keeps(self) -> Iterator[Any]:
        """What is kept for backward: tensors and arrays, in no order, some perhaps twice."""
        return iter(())

    @property
    def deferred(self) -> Deferred | None:
        """What stands in the place of what was kept, after `defer`."""
        return None

    def overwritten(self, x: TensorBase) -> None:
        """The memory of x, whose node this is, was written to in place."""

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """The nodes of the inputs, in PyTorch's form."""
        return tuple((edge, 0) for edge in self.edges)

    @property
    def what(self) -> str:
        """The operation, in the user's words."""
        return self.name

    def input_name(self, i: int) -> str:
        """How messages call the i-th input."""
        return f"input {i}"

    def __repr__(self) -> str:
        return f"<{self.name}>"


class AccumulateGrad(Node):
    """The end of a path: adds what arrives to a leaf's `.grad`.

    It refers to the leaf weakly: a leaf that nobody holds any more cannot be read, so nothing is lost.
    """

    __slots__ = ("after", "leaf")

    def __init__(self, leaf: TensorBase) -> None:
        self.leaf = weakref.ref(leaf)
        self.edges = ()
        self.shape = leaf._a.shape
        self.dtype = leaf._a.dtype
        self.hooks = None
        self.after: dict[int, Any] | None = None  # hooks that run once the gradient has been added
        self.seq = number()
        self.site = None

    @property
    def name(self) -> str:
        return "AccumulateGrad"

    @property
    def variable(self) -> Any:
        """The leaf tensor, or None if nobody holds it."""
        return self.leaf()

    def backward(self, g: Any) -> tuple[Any, ...]:
        return ()


class Freed:
    """Stands in the place of what a node kept, once backward is past it."""


FREED = Freed()


class Deferred:
    """Stands in the place of what will be computed again when backward asks for it; the node keeps nothing.

    again: gives a node of the same step, made anew, that keeps the same.
    needs: the tensors that are kept to compute it.
    """

    __slots__ = ("again", "needs")

    def __init__(self, again: Callable[[], Any], needs: Sequence[TensorBase]) -> None:
        self.again, self.needs = again, needs

    def __bool__(self) -> bool:
        return False


class Overwritten:
    """Stands in the place of a kept result that was written to in place; backward must not use it."""

    __slots__ = ("shape", "site", "version")

    def __init__(self, x: TensorBase, version: int) -> None:
        self.shape = x._a.shape
        self.version = version
        self.site: Site | None = x._site


class OpNode(Node):
    """A primitive that was run.

    inputs:   per input what was kept: a tensor, a Python number, or None if the rules do not read it; None
              if nothing was kept.
    versions: the versions of the kept tensors at that time; -1 for what has none.
    shapes:   shapes of all inputs, if a rule reads them.
    out:      the result's array (a tensor without values itself), if a rule reads it, with a weak reference
              to the tensor and its version.
    """

    __slots__ = ("inputs", "op", "out", "out_ref", "out_version", "settings", "shapes", "versions")

    op: Primitive
    settings: dict[str, Any]
    inputs: Any
    versions: list[int] | None
    shapes: list[Shape] | None
    out: np.ndarray[Any, Any] | TensorBase | Overwritten | None
    out_ref: weakref.ref[Any] | None
    out_version: int

    @property
    def name(self) -> str:
        return self.op.grad_name

    @property
    def what(self) -> str:
        return self.op.formula

    def input_name(self, i: int) -> str:
        return f"input {self.op.input_name(i)}"

    def release(self) -> None:
        if self.inputs is not None or self.out is not None:
            self.inputs = FREED
            self.out = None

    def defer(self, deferred: Deferred) -> None:
        if self.inputs is not FREED and (self.inputs is not None or self.out is not None):
            self.inputs = deferred
            self.out = None

    def keeps(self) -> Iterator[Any]:
        if isinstance(self.inputs, list):
            yield from (x for x in self.inputs if isinstance(x, TensorBase))
        if isinstance(self.out, TensorBase | np.ndarray):
            yield self.out
        yield from _arrays(self.settings.values())

    @property
    def deferred(self) -> Deferred | None:
        return self.inputs if isinstance(self.inputs, Deferred) else None

    def overwritten(self, x: TensorBase) -> None:
        if self.out is x._a or isinstance(
            self.out, TensorBase
        ):  # the tensor may be gone by the time of backward, so its version cannot tell
            self.out = Overwritten(x, self.out_version)

    def backward(self, g: Any) -> tuple[Any, ...]:
        inputs, out = self.saved()
        op, results = self.op, []
        for i, edge in enumerate(self.edges):
            rule = op.rule_for(i) if edge is not None else None
            results.append(None if rule is None else rule.call(g, inputs, self.shapes, out, self.settings, i))
        return tuple(results)

    def saved(self) -> tuple[Any, Any]:
        """The kept inputs and result as tensors on the tape, after checking that nobody changed them."""
        if self.inputs is FREED:
            raise freed(self)
        keeper = self
        while type(keeper.inputs) is Deferred:
            keeper = keeper.inputs.again()
        inputs = keeper.inputs
        if inputs is not None:
            assert self.versions is not None
            for i, version in enumerate(self.versions):
                if version >= 0:
                    x = inputs[i]
                    now = x._v if x._view is None else x._view.owner._v
                    if now != version:
                        raise changed(self, self.input_name(i), x._a.shape, version, now, owner_of(x)._site)
                    if x._node is not self.edges[i]:
                        if inputs is keeper.inputs:
                            inputs = list(inputs)
                        inputs[i] = alias(x, self.edges[i])
        out: Any = keeper.out
        if out is not None:
            if isinstance(out, Overwritten):
                raise changed(self, "result", out.shape, out.version, out.version + 1, out.site)
            assert keeper.out_ref is not None
            tensor = keeper.out_ref()
            if tensor is not None and tensor._node is self:
                out = tensor
            else:
                out = wrap(out, self) if isinstance(out, np.ndarray) else alias(out, self)
        return inputs, out


def _arrays(values: Iterable[Any]) -> Iterator[Any]:
    """The tensors and arrays among settings: indices, for example."""
    for x in values:
        if isinstance(x, TensorBase | np.ndarray):
            yield x
        elif isinstance(x, tuple | list):
            yield from _arrays(x)


def alias(x: Any, node: Node | None) -> Any:
    """The same values as x, standing at another place of the tape."""
    y = x._at(node)
    if levels.stack:
        interpreter.levels.alias(x, y)
    return y


def freed(node: Node) -> GradError:
    return GradError.of(
        f"backward through {node.what} (recorded at {describe(node.site)})",
        given="here a second time",
        must="what it had kept for backward was freed by the first backward",
        hint="backward(retain_graph=True) the first time, or compute the value again",
    )


def changed(node: Node, which: str, shape: Shape, version: int, now: int, site: Site | None) -> GradError:
    return GradError.of(
        f"backward through {node.what} (recorded at {describe(node.site)})",
        given=f"its {which}, a tensor {shape}, in a changed state",
        must="a value kept for backward must not be changed in place: it was at version "
        f"{version} and is now at {now}, last changed at {describe(site)}",
        hint="x = x + ... instead of x += ..., or change a clone()",
    )
