"""`grad`, `grad_and_value`, `vjp`: reverse mode as functions of functions, after `torch.func`.

Each call gives the function variables of its own (`variables.py`), runs it with recording on, and walks back
to these variables. The walk itself is recorded only if somebody outside may differentiate its result.
Next: `forward.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..backward import grad as derivative
from ..backward import node_of
from ..base import TensorBase
from ..core.errors import ArgumentError, GradError
from ..tape import mode
from .tree import flatten, tree_map
from .variables import (
    arguments,
    check_function,
    freed,
    others,
    recorded,
    recording,
    split_aux,
    tensors,
    variable,
)

Argnums = int | tuple[int, ...]


def grad_and_value(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False
) -> Callable[..., Any]:
    """A function that computes the gradient of `func`, and its value.

    func:     returns one number as a tensor of shape (); its arguments may be nested tuples, lists and dicts.
    argnums:  which argument to differentiate by, or a tuple of several.
    has_aux:  func returns (number, anything else).
    Returns:  a function of the same arguments that returns (gradient, value), or (gradient, (value, aux)).
              The gradient has the structure of the argument; for several argnums it is a tuple.
    Raises:   ValueError where func returns no single number; TypeError for integer arguments.
    Source:   `torch.func.grad_and_value`.

    >>> import chainrule as torch
    >>> torch.func.grad_and_value(torch.sin)(torch.tensor(0.0))
    (tensor(1.), tensor(0.))
    """

    check_function(func, "grad")

    @functools.wraps(func)
    def both(*args: Any, **kwargs: Any) -> Any:
        places = arguments(argnums, args, "grad")
        by: list[Any] = []
        trees = []
        given = list(args)
        for i in places:
            leaves, tree = flatten(args[i])
            own = [variable(x, "grad") for x in leaves]
            given[i] = tree.build(own)
            by += own
            trees.append((tree, len(own)))
        with recording(by):
            value, aux = split_aux(func(*given, **kwargs), has_aux, "grad")
        if not isinstance(value, TensorBase) or value._a.shape:
            raise ArgumentError.of(
                "grad",
                given=f"a function that returns a tensor {value._a.shape}"
                if isinstance(value, TensorBase)
                else f"a function that returns {type(value).__name__}",
                must="a gradient is the derivative of one number, a tensor of shape ()",
                hint=".sum() or .mean() at its end, or jacrev for all derivatives of several numbers",
            )
        watched = others([value], by)
        found = _derivatives([value], by, None, create_graph=watched)
        rest = iter(found)
        parts = [tree.build([next(rest) for _ in range(count)]) for tree, count in trees]
        gradient = tuple(parts) if isinstance(argnums, tuple) else parts[0]
        if not watched:
            value, aux = freed(value), tree_map(freed, aux)
        return gradient, (value, aux) if has_aux else value

    return both


def grad(func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False) -> Callable[..., Any]:
    """A function that computes the gradient of `func`.

    It returns the gradient alone, or (gradient, aux) with has_aux. Otherwise as `grad_and_value`; nest it for
    higher derivatives.

    >>> import chainrule as torch
    >>> from chainrule.func import grad
    >>> grad(grad(torch.sin))(torch.tensor(torch.pi / 2))
    tensor(-1.)
    """
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        g, value = both(*args, **kwargs)
        return (g, value[1]) if has_aux else g

    return gradient


def vjp(func: Callable[..., Any], *primals: Any, has_aux: bool = False) -> Any:
    """The value of `func(*primals)`, and the function that multiplies a vector by its Jacobian.

    Returns:  (value, vjp_fn), or (value, vjp_fn, aux) with has_aux. `vjp_fn` takes what arrives at the value,
              in its structure (as one argument, or one for each part of a tuple), and returns a tuple with a
              derivative for each primal, in its structure. It can be called any number of times.
    Raises:   TypeError for integer primals, ValueError where func returns something else than tensors.
    Source:   `torch.func.vjp`.

    >>> import chainrule as torch
    >>> value, pull = torch.func.vjp(torch.sin, torch.zeros(2))
    >>> pull(torch.tensor([1.0, 2.0]))
    (tensor([1., 2.]),)
    """
    check_function(func, "vjp")
    if not primals:
        raise ArgumentError.of("vjp", given="no primals", must="there must be something to differentiate by")
    leaves, tree = flatten(primals)
    by = [variable(x, "vjp") for x in leaves]
    with recording(by):
        result, aux = split_aux(func(*tree.build(by)), has_aux, "vjp")
    outputs, shape = tensors(result, "vjp")
    watched = others(outputs, by)

    def vjp_fn(*cotangents: Any, retain_graph: bool = True, create_graph: bool | None = None) -> Any:
        """The derivatives of the primals when these vectors arrive at the value."""
        arrived, given = flatten(cotangents[0] if len(cotangents) == 1 else cotangents)
        if given != shape:
            raise ArgumentError.of(
                "vjp_fn",
                given=f"{len(arrived)} {'tensor' if len(arrived) == 1 else 'tensors'} in another structure "
                f"than that of the value, which has {len(outputs)}",
                must="there must be one for each part of the value, nested in the same way",
            )
        record = create_graph
        if record is None:
            record = mode.is_grad_enabled() and (watched or any(recorded(g) for g in arrived))
        return tree.build(_derivatives(outputs, by, arrived, create_graph=record, retain_graph=retain_graph))

    value = shape.build(outputs if watched else [freed(y) for y in outputs])
    return (value, vjp_fn, aux if watched else tree_map(freed, aux)) if has_aux else (value, vjp_fn)


def _derivatives(
    outputs: list[Any],
    by: list[Any],
    arrived: list[Any] | None,
    *,
    create_graph: bool,
    retain_graph: bool | None = None,
) -> list[Any]:
    """Derivatives by the variables; zeros where an output does not depend on them."""
    pairs = list(zip(outputs, arrived or [None] * len(outputs), strict=True))
    for y, g in pairs:
        if isinstance(g, TensorBase) and g._a.shape != y._a.shape:
            raise GradError.of(
                "vjp_fn",
                given=f"a tensor {g._a.shape} for a value {y._a.shape}",
                must="what arrives at a value has its shape",
            )
    pairs = [(y, g) for y, g in pairs if node_of(y) is not None]
    if not pairs:
        return [x.new_zeros(x.shape) for x in by]
    found = derivative(
        [y for y, _ in pairs],
        by,
        [g for _, g in pairs],
        retain_graph=retain_graph or create_graph,
        create_graph=create_graph,
        materialize_grads=True,
    )
    return list(found)
