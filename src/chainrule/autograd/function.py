"""`autograd.Function`: a user's own operation with its own gradient.

The forward runs with recording off; its results get a node that calls the user's backward. Several results
are handled by a node each (`_Part`), which hand their gradients to the function's node together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backward import node_of
from ..base import TensorBase, wrap
from ..core.errors import ArgumentError, GradError, describe
from ..eager import user_site
from ..tape import mode
from ..tape.node import FREED, Node, freed, number


class _Parts:
    """Gradients of several results on their way to one node."""

    __slots__ = ("by_index",)

    def __init__(self, by_index: dict[int, Any]) -> None:
        self.by_index = by_index

    def combine(self, other: _Parts) -> _Parts:
        merged = dict(self.by_index)
        for i, g in other.by_index.items():
            merged[i] = merged[i] + g if i in merged else g
        return _Parts(merged)


class FunctionNode(Node):
    """The node of a user's function."""

    __slots__ = ("context", "function", "results")

    context: Any
    function: type[Function]
    results: list[tuple[tuple[int, ...], np.dtype[Any]] | None]

    @property
    def name(self) -> str:
        return f"{self.function.__name__}Backward"

    @property
    def what(self) -> str:
        return f"{self.function.__name__}"

    def release(self) -> None:
        if self.context._saved:
            self.context._saved = FREED

    def backward(self, g: Any) -> tuple[Any, ...]:
        if self.context._saved is FREED:
            raise freed(self)
        arrived: dict[int, Any] = g.by_index if isinstance(g, _Parts) else {0: g}
        gs = []
        for i, kind in enumerate(self.results):
            if i in arrived or kind is None or not self.context._materialize:
                gs.append(arrived.get(i))
            else:
                gs.append(wrap(np.zeros(*kind)))
        given = self.function.backward(self.context, *gs)
        results = given if isinstance(given, tuple) else (given,)
        count = len(self.edges)
        if len(results) > count and all(r is None for r in results[count:]):
            results = results[:count]
        if len(results) != count:
            raise GradError.of(
                f"{self.function.__name__}.backward (recorded at {describe(self.site)})",
                given=f"{len(results)} gradients to return",
                must=f"there must be one for each of the {count} inputs of forward, None where there is none",
                at=False,
            )
        return results


class _Part(Node):
    """One of several results of a function."""

    __slots__ = ("index", "whole")

    index: int
    whole: FunctionNode

    @property
    def name(self) -> str:
        return self.whole.name

    def backward(self, g: Any) -> tuple[Any, ...]:
        return (_Parts({self.index: g}),)


class Context:
    """What forward can leave for backward: `save_for_backward`, `mark_non_differentiable`, any attribute."""

    def __init__(self) -> None:
        self._saved: Any = ()
        self._fixed: set[int] = set()
        self._materialize = True
        self.needs_input_grad: tuple[bool, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for backward, where `saved_tensors` gives them back if nobody changed them since."""
        self._saved = tuple(
            (x, x._v if x._view is None else x._view.owner._v) if isinstance(x, TensorBase) else (x, None)
            for x in tensors
        )

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to `save_for_backward`."""
        out = []
        for i, (x, version) in enumerate(self._saved):
            if version is not None and (x._v if x._view is None else x._view.owner._v) != version:
                raise GradError.of(
                    "saved_tensors",
                    given=f"tensor {i}, {x._a.shape}, in a changed state",
                    must="a value kept for backward must not be changed in place",
                    hint="change a clone()",
                )
            out.append(x)
        return tuple(out)

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say that results have no gradient."""
        self._fixed = {id(x) for x in tensors}

    def set_materialize_grads(self, value: bool) -> None:
        """Whether missing gradients of results arrive as zeros (the default) or as None."""
        self._materialize = value


class Function:
    """Base class of a user's own operation: static methods `forward(ctx, ...)` and `backward(ctx, *grads)`.

    backward returns one gradient per argument of forward, None for those without. Call it with `apply`.

    >>> import chainrule as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x**2
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    @staticmethod
    def forward(ctx: Any, *args: Any, **kwargs: Any) -> Any:
        """Compute the result. Override it."""
        raise ArgumentError.of(
            "Function.apply",
            given="a class without forward",
            must="forward must be a static method of the class",
        )

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Gradients for the arguments of forward. Override it."""
        raise ArgumentError.of(
            "backward",
            given="a Function without backward",
            must="backward must be a static method of the class",
        )

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward and record the function on the tape."""
        context = Context()
        edges = [node_of(x) if isinstance(x, TensorBase) else None for x in args]
        context.needs_input_grad = tuple(e is not None for e in edges)
        record = mode.is_grad_enabled() and any(context.needs_input_grad)
        with mode.no_grad():
            given = cls.forward(context, *args)
        if not record:
            return given
        results = list(given) if isinstance(given, tuple) else [given]
        node = FunctionNode()
        node.context, node.function = context, cls
        node.edges = tuple(edges)
        node.hooks = None
        node.seq = number()
        node.site = user_site()
        live = [
            isinstance(y, TensorBase) and y._a.dtype.kind == "f" and id(y) not in context._fixed
            for y in results
        ]
        node.results = [(y._a.shape, y._a.dtype) if ok else None for y, ok in zip(results, live, strict=True)]
        node.shape, node.dtype = next(
            ((y._a.shape, y._a.dtype) for y in results if isinstance(y, TensorBase)), ((), np.dtype("f4"))
        )
        out = []
        for i, (y, ok) in enumerate(zip(results, live, strict=True)):
            if not ok:
                out.append(y)
                continue
            # An input returned as it is must not become its own result.
            result = y.detach() if any(y is x for x in args) else y  # type: ignore[attr-defined]
            if len(results) == 1:
                result._node = node
            else:
                part = _Part()
                part.index, part.whole = i, node
                part.edges = (node,)
                part.shape, part.dtype = y._a.shape, y._a.dtype
                part.hooks = None
                part.seq = number()
                part.site = node.site
                result._node = part
            out.append(result)
        return tuple(out) if isinstance(given, tuple) else out[0]
