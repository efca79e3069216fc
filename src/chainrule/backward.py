"""`backward` and `grad`: checking what was asked, then running the engine."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from .base import TensorBase, wrap
from .core.errors import ArgumentError, GradError, ShapeError
from .eager import sync
from .tape import engine
from .tape.node import AccumulateGrad, Node


def node_of(x: Any) -> Node | None:
    """The tape node of a tensor, up to date if it is a view."""
    return x._node if x._view is None else sync(x)


def _root(y: Any, gradient: Any, what: str) -> tuple[Node, Any]:
    node = node_of(y)
    if node is None:
        raise GradError.of(
            what,
            given=f"a tensor {y._a.shape} that was not computed from anything with requires_grad=True",
            must="there is nothing to differentiate by",
            hint="x.requires_grad_() on an input, before the computation, and not under no_grad()",
        )
    if gradient is None:
        if y._a.size != 1:
            raise GradError.of(
                what,
                given=f"a tensor {y._a.shape}",
                must="without an argument only one number can be differentiated, and this has "
                f"{y._a.size} elements",
                hint="y.sum().backward(), or y.backward(torch.ones_like(y)), which is the same",
            )
        return node, wrap(np.ones(y._a.shape, y._a.dtype))
    if not isinstance(gradient, TensorBase):
        raise ArgumentError.of(
            what, given=f"gradient={type(gradient).__name__}", must="the gradient must be a Tensor or None"
        )
    if gradient._a.shape != y._a.shape:
        raise ShapeError.of(
            what,
            given=f"a gradient {gradient._a.shape} for a tensor {y._a.shape}",
            must="the gradient must have the shape of the tensor",
        )
    if gradient._a.dtype != y._a.dtype:
        gradient = gradient.to(y.dtype)  # type: ignore[attr-defined]
    return node, gradient


def backward(y: Any, gradient: Any, retain_graph: bool | None, create_graph: bool, inputs: Any) -> None:
    """See `Tensor.backward`."""
    targets = None
    if inputs is not None:
        wanted = [inputs] if isinstance(inputs, TensorBase) else list(inputs)
        if not wanted:
            raise ArgumentError.of(
                "backward", given="inputs=[]", must="there must be at least one input, or None for all"
            )
        targets = [_needed(x, "backward") for x in wanted]
    found = engine.run(
        [_root(y, gradient, "backward")],
        retain_graph=create_graph if retain_graph is None else retain_graph,
        create_graph=create_graph,
        targets=targets,
    )
    if inputs is not None:
        for x, node in zip(wanted, targets or (), strict=True):
            if not isinstance(node, AccumulateGrad) and node in found:
                x.grad = found[node] if x.grad is None else x.grad + found[node]


def _needed(x: Any, what: str) -> Node:
    node = node_of(x)
    if node is None:
        raise GradError.of(
            what,
            given=f"an input {x._a.shape} that needs no gradient",
            must="inputs need requires_grad=True",
            hint="x.requires_grad_()",
        )
    return node


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool | None = None,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """Derivatives of `outputs` by `inputs`, returned instead of stored in `.grad`.

    outputs, inputs:    tensors or sequences of them.
    grad_outputs:       what arrives at each output; may be None for outputs with one element.
    allow_unused:       an input that the outputs do not depend on gives None instead of an error.
    materialize_grads:  such an input gives zeros.

    >>> import chainrule as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> torch.autograd.grad(x**3, x)
    (tensor(27.),)
    """
    ys = _sequence(outputs)
    xs = _sequence(inputs)
    gs = [None] * len(ys) if grad_outputs is None else _sequence(grad_outputs)
    if len(gs) != len(ys):
        raise ArgumentError.of(
            "grad",
            given=f"{len(gs)} gradients for {len(ys)} outputs",
            must="there must be one for each output",
        )
    roots = [_root(y, g, "grad") for y, g in zip(ys, gs, strict=True)]
    nodes = [_needed(x, "grad") for x in xs]
    found = engine.run(
        roots,
        retain_graph=create_graph if retain_graph is None else retain_graph,
        create_graph=create_graph,
        targets=nodes,
        accumulate=False,
    )
    results = []
    for i, (x, node) in enumerate(zip(xs, nodes, strict=True)):
        g = found.get(node)
        if g is None and materialize_grads:
            g = wrap(np.zeros(x._a.shape, x._a.dtype))
        if g is None and not allow_unused:
            raise GradError.of(
                "grad",
                given=f"input {i}, a tensor {x._a.shape}, that the outputs do not depend on",
                must="every input must have been used to compute the outputs",
                hint="allow_unused=True for None in its place, or materialize_grads=True for zeros",
            )
        results.append(g)
    return tuple(results)


def _sequence(x: Any) -> Sequence[Any]:
    return [x] if isinstance(x, TensorBase) else list(x)


def backward_all(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    inputs: Any = None,
) -> None:
    """`autograd.backward`: like `Tensor.backward` for several tensors at once."""
    ys = _sequence(tensors)
    gs = [None] * len(ys) if grad_tensors is None else _sequence(grad_tensors)
    engine.run(
        [_root(y, g, "backward") for y, g in zip(ys, gs, strict=True)],
        retain_graph=create_graph if retain_graph is None else retain_graph,
        create_graph=create_graph,
        targets=None if inputs is None else [_needed(x, "backward") for x in _sequence(inputs)],
    )


class _Retain:
    """A hook that stores what arrives in the `.grad` of an intermediate result."""

    def __init__(self, x: TensorBase) -> None:
        self.x = weakref.ref(x)

    def __call__(self, g: Any) -> None:
        x = self.x()
        if x is not None:
            x.grad = g if x.grad is None else x.grad + g


def retain(x: Any) -> None:
    """See `Tensor.retain_grad`."""
    node = _needed(x, "retain_grad")
    if not isinstance(node, AccumulateGrad) and not retains(x):
        engine.hook_handle(node, "hooks", _Retain(x))


def retains(x: Any) -> bool:
    """Whether `retain_grad` was called on an intermediate result."""
    node = node_of(x)
    return node is not None and any(
        isinstance(h, _Retain) and h.x() is x for h in (node.hooks or {}).values()
    )
