"""`backward` and `grad`: checking what was asked, then running the engine (`tape/engine.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .base import TensorBase, wrap
from .core.errors import ArgumentError, GradError, ShapeError
from .eager import sync
from .tape import engine
from .tape.hooks import Retain, hook_handle, retained
from .tape.node import AccumulateGrad, Node

if TYPE_CHECKING:
    from .tensor import Tensor


def node_of(x: TensorBase) -> Node | None:
    """The tape node of a tensor, up to date if it is a view."""
    return x._node if x._view is None or x._view.link is False else sync(x)


def backward_all(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    *,
    inputs: Any = None,
) -> None:
    """Like `Tensor.backward`, for several tensors at once.

    grad_tensors:  what arrives at each of them; None for those with one element.
    Others:        as for `Tensor.backward`.

    >>> import chainrule as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> torch.autograd.backward([x.sum(), (x * x).sum()])
    >>> x.grad
    tensor([3., 5.])
    """
    roots = _roots(tensors, grad_tensors, create_graph, "backward")
    wanted = None if inputs is None else _sequence(inputs)
    if wanted is not None and not wanted:
        raise ArgumentError.of(
            "backward", given="inputs=[]", must="there must be at least one input, or None for all"
        )
    found = engine.run(
        roots,
        retain_graph=create_graph if retain_graph is None else retain_graph,
        create_graph=create_graph,
        targets=None if wanted is None else [_needed(x, "backward") for x in wanted],
    )
    for x in wanted or ():
        node = node_of(x)
        if node in found and not isinstance(node, AccumulateGrad):  # the engine stores those of leaves itself
            x.grad = found[node].clone() if x.grad is None else x.grad + found[node]


def backward(y: Any, gradient: Any, retain_graph: bool | None, create_graph: bool, inputs: Any) -> None:
    """See `Tensor.backward`."""
    backward_all([y], [gradient], retain_graph, create_graph, inputs=inputs)


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    *,
    materialize_grads: bool = False,
) -> tuple[Tensor, ...]:
    """Derivatives of `outputs` by `inputs`, returned instead of stored in `.grad`.

    outputs, inputs:    tensors or sequences of them; derivatives of several outputs are added up.
    grad_outputs:       what arrives at each output; may be None for outputs with one element.
    retain_graph, create_graph:  as for `Tensor.backward`.
    only_inputs:        must be True.
    allow_unused:       an input that the outputs do not depend on gives None instead of an error.
    materialize_grads:  such an input gives zeros.

    >>> import chainrule as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> torch.autograd.grad(x**3, x)
    (tensor(27.),)
    """
    if not only_inputs:
        raise ArgumentError.of(
            "grad",
            given="only_inputs=False",
            must="grad only returns the gradients of the inputs",
            hint="y.backward(), which stores those of all leaves",
        )
    if materialize_grads and allow_unused is False:
        raise ArgumentError.of(
            "grad",
            given="materialize_grads=True and allow_unused=False",
            must="zeros for unused inputs cannot be both wanted and forbidden",
            hint="leave allow_unused out",
        )
    roots = _roots(outputs, grad_outputs, create_graph, "grad")
    xs = _sequence(inputs)
    nodes = [_needed(x, "grad") for x in xs]
    found = engine.run(
        roots,
        retain_graph=create_graph if retain_graph is None else retain_graph,
        create_graph=create_graph,
        targets=nodes,
        accumulate=False,
    )
    results: list[Any] = []
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


def _roots(ys: Any, gs: Any, create_graph: bool, what: str) -> list[tuple[Node, Any]]:
    """The nodes to start from, and the gradients that arrive there."""
    outputs = _sequence(ys)
    gradients = [None] * len(outputs) if gs is None else _sequence(gs)
    if len(gradients) != len(outputs):
        raise ArgumentError.of(
            what,
            given=f"{len(gradients)} gradients for {len(outputs)} outputs",
            must="there must be one for each output",
        )
    return [_root(y, g, create_graph, what) for y, g in zip(outputs, gradients, strict=True)]


def _root(y: Any, gradient: Any, create_graph: bool, what: str) -> tuple[Node, Any]:
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
            what,
            given=f"gradient={type(gradient).__name__}",
            must="the gradient must be a Tensor or None",
            hint="torch.tensor(...) of it",
        )
    if gradient._a.shape != y._a.shape:
        raise ShapeError.of(
            what,
            given=f"a gradient {gradient._a.shape} for a tensor {y._a.shape}",
            must="the gradient must have the shape of the tensor",
        )
    if gradient._a.dtype != y._a.dtype:
        gradient = gradient.to(y.dtype)  # type: ignore[attr-defined]
    if not create_graph and node_of(gradient) is not None:
        gradient = gradient.detach()
    return node, gradient


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


def retain(x: TensorBase) -> None:
    """See `Tensor.retain_grad`."""
    node = node_of(x)
    if node is None:
        raise GradError.of(
            "retain_grad",
            given=f"a tensor {x._a.shape} that needs no gradient",
            must="no gradient will arrive",
            hint="x.requires_grad_() on an input, before the computation",
        )
    if not isinstance(node, AccumulateGrad) and retained(x, node) is None:
        hook_handle(node, "hooks", Retain(x))


def retains(x: TensorBase) -> bool:
    """Whether `retain_grad` was called on an intermediate result."""
    node = node_of(x)
    return node is not None and retained(x, node) is not None
