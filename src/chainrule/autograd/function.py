"""`autograd.Function`: a user's own operation with its own gradient.

The forward runs with recording off; its results get a node that calls the user's backward. Several results
are handled by a node each (`_Part`), which hand their gradients to the function's node together.
What the user's backward returns is checked here, and summed or converted where PyTorch does so.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np

from .. import eager, inplace
from ..backward import node_of
from ..base import TensorBase, owner_of, wrap
from ..core.dtypes import FROM_NUMPY
from ..core.errors import ArgumentError, GradError, describe
from ..core.shapes import Shape, broadcasts_to
from ..eager import user_site
from ..ops.primitive import interpreter, levels
from ..ops.views import reduce_to
from ..tape import anomaly, mode
from ..tape.node import FREED, AccumulateGrad, Deferred, Node, Overwritten, changed, freed, number


class _Parts:
    """Gradients of several results on their way to one node."""

    __slots__ = ("by_index",)

    def __init__(self, by_index: dict[int, Any]) -> None:
        self.by_index = by_index

    def combine(self, other: _Parts) -> _Parts:
        """Both together; gradients of the same result are added."""
        merged = dict(self.by_index)
        for i, g in other.by_index.items():
            merged[i] = merged[i] + g if i in merged else g
        return _Parts(merged)


class FunctionNode(Node):
    """The node of a user's function."""

    __slots__ = ("context", "function", "results", "tensors")

    context: Context
    function: type[Function]
    results: list[tuple[Shape, np.dtype[Any]] | None]  # of the tensors among the results
    tensors: tuple[bool, ...]  # which arguments of forward were tensors

    @property
    def name(self) -> str:
        return f"{self.function.__name__}Backward"

    @property
    def what(self) -> str:
        return self.function.__name__

    def release(self) -> None:
        if self.context._saved != ():
            self.context._saved = FREED

    def defer(self, deferred: Deferred) -> None:
        if self.context._saved != () and self.context._saved is not FREED:
            self.context = Context()  # what forward left there as attributes goes, too
            self.context._saved = deferred

    def keeps(self) -> Iterator[Any]:
        saved = self.context._saved
        values = [kept.value for kept in saved] if isinstance(saved, tuple) else []
        values += [v for name, v in vars(self.context).items() if not name.startswith("_")]
        return (x for x in values if isinstance(x, TensorBase | np.ndarray))

    @property
    def deferred(self) -> Deferred | None:
        saved = self.context._saved
        return saved if isinstance(saved, Deferred) else None

    def overwritten(self, x: TensorBase) -> None:
        self.context._overwritten(x)

    def backward(self, g: Any) -> tuple[Any, ...]:
        if self.context._saved is FREED:
            raise freed(self)
        if isinstance(self.context._saved, Deferred):
            return self._deferred(g)
        arrived: dict[int, Any] = g.by_index if isinstance(g, _Parts) else {0: g}
        gs = []
        for i, kind in enumerate(self.results):
            if i in arrived or kind is None or not self.context._materialize:
                gs.append(arrived.get(i))
            else:
                gs.append(wrap(np.zeros(*kind)))
        given = self.function.backward(self.context, *gs)
        return self._fitted(given if isinstance(given, tuple) else (given,))

    def _deferred(self, g: Any) -> tuple[Any, ...]:
        """backward with the context of a call that was made again; it is lent for that time only."""
        own, keeper = self.context, self
        while isinstance(keeper.context._saved, Deferred):
            keeper = keeper.context._saved.again()
        self.context = keeper.context
        self.context._node = weakref.ref(self)
        try:
            return self.backward(g)
        finally:
            self.context = own

    def _fitted(self, results: tuple[Any, ...]) -> tuple[Any, ...]:
        """What the user's backward returned, as one gradient per argument with its shape and type."""
        count = len(self.edges)
        if len(results) > count and all(r is None for r in results[count:]):
            results = results[:count]
        if len(results) != count:
            raise self._wrong(
                f"{len(results)} {'gradient' if len(results) == 1 else 'gradients'}",
                f"it must return one for each of the {count} arguments of forward, None where there is none",
            )
        return tuple(self._fitted_one(i, gx) for i, gx in enumerate(results))

    def _fitted_one(self, i: int, gx: Any) -> Any:
        edge = self.edges[i]
        if gx is None:
            return None
        if not self.tensors[i]:
            raise self._wrong(
                f"a gradient for argument {i} of forward, which is no tensor", "None must stand in that place"
            )
        if edge is None:
            return None
        if not isinstance(gx, TensorBase):
            raise self._wrong(
                f"{type(gx).__name__} as the gradient for argument {i} of forward",
                "a gradient must be a Tensor or None",
            )
        shape = gx._a.shape
        if shape != edge.shape:
            if not broadcasts_to(edge.shape, shape):
                raise self._wrong(
                    f"a gradient {shape} for argument {i} of forward, a tensor {edge.shape}",
                    "a gradient must have the shape of the argument, or one that it was broadcast to",
                )
            gx = reduce_to(gx, edge.shape)
        return gx if gx._a.dtype == edge.dtype else gx.to(FROM_NUMPY[edge.dtype])

    def _wrong(self, given: str, must: str) -> GradError:
        return GradError.of(
            f"{self.function.__name__}.backward (recorded at {describe(self.site)})",
            given=f"back {given}",
            must=must,
            at=False,
        )


class _Part(Node):
    """One of several results of a function."""

    __slots__ = ("index", "whole")

    index: int
    whole: FunctionNode

    @property
    def name(self) -> str:
        return self.whole.name

    @property
    def what(self) -> str:
        return self.whole.what

    def overwritten(self, x: TensorBase) -> None:
        self.whole.overwritten(x)

    def backward(self, g: Any) -> tuple[Any, ...]:
        return (_Parts({self.index: g}),)


class _Kept:
    """A tensor given to `save_for_backward`.

    A result of the function itself is kept as its array and its place among the results: the tensor refers to
    the node, and the node to what is kept, which would be a circle.
    """

    __slots__ = ("index", "value", "version")

    def __init__(self, x: Any) -> None:
        self.index: int | None = None  # among the results, if it is one
        self.value = x
        self.version = owner_of(x)._v if isinstance(x, TensorBase) else 0


class Context:
    """What forward can leave for backward: `save_for_backward`, `mark_non_differentiable`, any attribute."""

    def __init__(self) -> None:
        self.needs_input_grad: tuple[bool, ...] = ()
        self._saved: Any = ()
        self._constant: set[int] = set()
        self._dirty: set[int] = set()
        self._materialize = True
        self._for_jvp: tuple[Any, ...] = ()
        self._moving = False  # whether jvp is running
        self._node: weakref.ref[FunctionNode] | None = None

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for backward, where `saved_tensors` gives them back if nobody changed them since."""
        self._saved = tuple(_Kept(x) for x in tensors)

    def save_for_forward(self, *tensors: Any) -> None:
        """Keep tensors for jvp, where `saved_tensors` gives them back."""
        self._for_jvp = tensors

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        """The tensors given to `save_for_backward`; in jvp those given to `save_for_forward`.

        Raises:  GradError if one of them was changed in place since.
        """
        if self._moving:
            return self._for_jvp
        node = None if self._node is None else self._node()
        if self._saved is FREED:
            assert node is not None
            raise freed(node)
        return tuple(self._given_back(i, kept, node) for i, kept in enumerate(self._saved))

    def _given_back(self, i: int, kept: _Kept, node: FunctionNode | None) -> Any:
        x = kept.value
        if isinstance(x, Overwritten):
            assert node is not None
            raise changed(node, f"saved tensor {i}", x.shape, x.version, x.version + 1, x.site)
        if kept.index is not None:
            assert node is not None
            place = node if len(node.results) == 1 else _part(node, kept.index)
            return x._at(place) if isinstance(x, TensorBase) else wrap(x, place)
        if isinstance(x, TensorBase) and node is not None and owner_of(x)._v != kept.version:
            owner = owner_of(x)
            raise changed(node, f"saved tensor {i}", x._a.shape, kept.version, owner._v, owner._site)
        return x

    def _overwritten(self, x: TensorBase) -> None:
        if isinstance(self._saved, tuple):
            for kept in self._saved:
                if kept.value is x._a or (isinstance(kept.value, TensorBase) and kept.index == _index(x)):
                    kept.value = Overwritten(x, kept.version)

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Say that these results are constants."""
        self._constant = {id(x) for x in tensors}

    def mark_dirty(self, *tensors: Any) -> None:
        """Say that forward has changed these arguments in place; it must return them."""
        self._dirty = {id(x) for x in tensors}

    def set_materialize_grads(self, value: bool) -> None:
        """Whether missing gradients of results arrive as zeros (the default) or as None."""
        self._materialize = value


class Function:
    """Base class of a user's own operation: static methods `forward(ctx, ...)` and `backward(ctx, *grads)`.

    backward gets one gradient per result and returns one per argument of forward, None for those without.
    What forward computes is not recorded, so it may use NumPy. What backward computes with tensor operations
    can be differentiated again. Call the operation with `apply`.
    In PyTorch's other form, `forward(...)` has no ctx, and `setup_context(ctx, inputs, output)` fills it.

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
    def forward(*args: Any, **kwargs: Any) -> Any:
        """Compute the result. Override it."""
        raise ArgumentError.of(
            "Function.apply",
            given="a class without forward",
            must="forward must be a static method of the class",
        )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> None:
        """Fill ctx after a forward that has none. Override it, or give forward a ctx."""

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Gradients for the arguments of forward. Override it."""
        raise ArgumentError.of(
            "backward",
            given="a Function without backward",
            must="backward must be a static method of the class",
        )

    @staticmethod
    def jvp(ctx: Any, *tangents: Any) -> Any:
        """How the results of forward move when its arguments move by the tangents (None: not at all).

        It returns one tangent per result. Without it the operation has no forward mode. What it needs of the
        values is kept with `ctx.save_for_forward`.
        """
        raise ArgumentError.of(
            "jvp",
            given="a Function without jvp, in forward mode",
            must="its forward is not looked into, so it has to say how its results move",
            hint="a static method jvp(ctx, *tangents), or reverse mode",
        )

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward and record the function on the tape."""
        if levels.stack:
            return interpreter.levels.function(cls, args)[0]
        return cls._run(args)[0]

    @classmethod
    def _moved(cls, context: Context, results: Any, moves: list[Any]) -> tuple[Any, ...]:
        """How the results move when the arguments move by `moves`."""
        return _tangents(cls, context, results, moves)

    @classmethod
    def _run(cls, args: tuple[Any, ...]) -> tuple[Any, Context]:
        """The results of forward, and what it left for backward."""
        context = Context()
        edges = tuple(node_of(x) if isinstance(x, TensorBase) else None for x in args)
        context.needs_input_grad = tuple(e is not None for e in edges)
        with mode.no_grad():
            if cls.setup_context is Function.setup_context:
                given = cls.forward(context, *args)
            else:
                given = cls.forward(*args)
                cls.setup_context(context, args, given)
        results = given if isinstance(given, tuple) else (given,)
        if eager.special and anomaly.enabled():
            _check_anomaly(cls.__name__, args, results)
        if not (mode.is_grad_enabled() and any(context.needs_input_grad)):
            return given, context
        node = _recorded(cls, context, args, edges, results)
        out = tuple(_placed(i, results, node, args) for i in range(len(results)))
        return (out if isinstance(given, tuple) else out[0]), context


def _tangents(cls: type[Function], context: Context, results: Any, moves: list[Any]) -> tuple[Any, ...]:
    """What the user's jvp says: a tangent per result, with its shape and type; None where it stands still."""
    context._moving = True
    try:
        given = cls.jvp(context, *moves)
    finally:
        context._moving = False
    outputs = results if isinstance(results, tuple) else (results,)
    found = given if isinstance(given, tuple) else (given,)
    if len(found) != len(outputs):
        raise _moved_wrong(
            cls, f"{len(found)} for {len(outputs)} results", "it must return one tangent for each result"
        )
    for i, (y, t) in enumerate(zip(outputs, found, strict=True)):
        if t is None:
            continue
        if not isinstance(t, TensorBase) or not isinstance(y, TensorBase):
            raise _moved_wrong(cls, f"{type(t).__name__} for result {i}", "a tangent is a tensor, or None")
        if (t._a.shape, t._a.dtype) != (y._a.shape, y._a.dtype):
            raise _moved_wrong(
                cls,
                f"a {FROM_NUMPY[t._a.dtype].name} tensor {t._a.shape} for result {i}, a "
                f"{FROM_NUMPY[y._a.dtype].name} tensor {y._a.shape}",
                "a tangent has the shape and the type of the result",
            )
    return found


def _moved_wrong(cls: type[Function], given: str, must: str) -> GradError:
    return GradError.of(f"{cls.__name__}.jvp", given=f"back {given}", must=must)


def _recorded(
    cls: type[Function],
    context: Context,
    args: tuple[Any, ...],
    edges: tuple[Node | None, ...],
    results: tuple[Any, ...],
) -> FunctionNode:
    """The node of one call."""
    node = FunctionNode()
    node.context, node.function = context, cls
    node.edges = edges
    node.tensors = tuple(isinstance(x, TensorBase) for x in args)
    node.hooks = None
    node.seq = number()
    node.site = user_site()
    node.results = [(y._a.shape, y._a.dtype) if isinstance(y, TensorBase) else None for y in results]
    node.shape, node.dtype = next((r for r in node.results if r is not None), ((), np.dtype("f4")))
    context._node = weakref.ref(node)
    for kept in context._saved:
        for i, y in enumerate(results):
            if kept.value is y and _differentiable(y, context) and not any(y is x for x in args):
                kept.index, kept.value = i, y._a if type(y._a) is np.ndarray else y._kept()
                break
    return node


def _index(x: TensorBase) -> int:
    """Which result of a function x is."""
    return x._node.index if isinstance(x._node, _Part) else 0


def _differentiable(y: Any, context: Context) -> bool:
    return isinstance(y, TensorBase) and y._a.dtype.kind == "f" and id(y) not in context._constant


def _part(whole: FunctionNode, index: int) -> _Part:
    part = _Part()
    part.index, part.whole = index, whole
    part.edges = (whole,)
    kind = whole.results[index]
    assert kind is not None
    part.shape, part.dtype = kind
    part.hooks = None
    part.seq = number()
    part.site = whole.site
    return part


def _placed(i: int, results: tuple[Any, ...], node: FunctionNode, args: tuple[Any, ...]) -> Any:
    """One result at its place on the tape."""
    y = results[i]
    if not _differentiable(y, node.context):
        return y
    place: Node = node if len(results) == 1 else _part(node, i)
    if id(y) in node.context._dirty and any(y is x for x in args):
        if isinstance(node_of(y), AccumulateGrad):
            raise inplace.leaf_error(y, y, node.what)
        inplace.adopt(y, place)
        return y
    if y._node is not None or any(y is x for x in (*args, *results[:i])):
        y = y.detach()  # it has a place already, or another tensor's: an argument, or the same result twice
    y._node = place
    return y


def _check_anomaly(name: str, args: tuple[Any, ...], results: tuple[Any, ...]) -> None:
    inputs = [x._a if isinstance(x, TensorBase) else x for x in args]
    for y in results:
        if isinstance(y, TensorBase):
            anomaly.check_forward(name, inputs, {}, y._a)
