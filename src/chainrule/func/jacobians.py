"""`jacrev`, `jacfwd`, `hessian`, after `torch.func`: all derivatives, by one pass for a batch of directions.

Reverse mode gives a row of the Jacobian for each output, forward mode a column for each input; `vmap` runs
all rows, or all columns, at once. `jacobian`, which chooses, is in `layouts.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

from ..core.errors import ArgumentError
from ..creation import eye
from .forward import jvp
from .mapping import vmap
from .reverse import Argnums, vjp
from .tree import Tree, flatten
from .variables import arguments, check_function, split_aux, tensors


def jacrev(
    func: Callable[..., Any], argnums: Argnums = 0, *, has_aux: bool = False, chunk_size: int | None = None
) -> Callable[..., Any]:
    """A function that computes the Jacobian of `func` in reverse mode: a backward pass for each output.

    func:       returns a tensor, or a nested structure of tensors.
    argnums:    which argument to differentiate by, or a tuple of several.
    has_aux:    func returns (value, anything else), and the result is (Jacobian, anything else).
    chunk_size: how many rows are computed at once; all if None. Fewer need less memory.
    Returns:    a function of the same arguments. For an output y and an input x the Jacobian has the shape
                (*y.shape, *x.shape); outputs with a structure are the outer one, inputs the inner one.
    Source:     `torch.func.jacrev`.

    >>> import chainrule as torch
    >>> torch.func.jacrev(lambda x: x**2)(torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """

    check_function(func, "jacrev")

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        places = arguments(argnums, args, "jacrev")
        inputs = tuple(args[i] for i in places)
        value, pull, aux = vjp(_of(func, args, kwargs, places, has_aux), *inputs, has_aux=True)
        outputs, shape = flatten(value)
        xs, tree = flatten(inputs)
        seeds = _directions(outputs)

        def rows(*seed: Any) -> tuple[Any, ...]:
            return tuple(flatten(pull(shape.build(list(seed))))[0])

        found = vmap(rows, chunk_size=chunk_size)(*seeds) if len(seeds[0]) else [None] * len(xs)
        by_input = [_rows(g, outputs, x) for g, x in zip(found, xs, strict=True)]
        by_output = [_inputs(tree, list(part), argnums) for part in zip(*by_input, strict=True)]
        result = shape.build(by_output)
        return (result, aux) if has_aux else result

    return jacobian


def jacfwd(
    func: Callable[..., Any], argnums: Argnums = 0, has_aux: bool = False, *, randomness: str = "error"
) -> Callable[..., Any]:
    """A function that computes the Jacobian of `func` in forward mode: a pass for each input.

    randomness: what random numbers in func do, as for `vmap`.
    Otherwise as `jacrev`. Forward mode keeps nothing for a backward pass, and suits functions with more
    outputs than inputs.
    Source:     `torch.func.jacfwd`.

    >>> import chainrule as torch
    >>> torch.func.jacfwd(lambda t: torch.stack([t**2, t**3]))(torch.tensor(2.0))
    tensor([ 4., 12.])
    """

    check_function(func, "jacfwd")

    @functools.wraps(func)
    def jacobian(*args: Any, **kwargs: Any) -> Any:
        places = arguments(argnums, args, "jacfwd")
        inputs = tuple(args[i] for i in places)
        of = _of(func, args, kwargs, places, has_aux)
        xs, tree = flatten(inputs)
        shapes: list[Any] = []

        def columns(*seed: Any) -> Any:
            value, moved, aux = jvp(of, inputs, tree.build(list(seed)), has_aux=True)
            outputs, shape = flatten(value)
            shapes[:] = [shape, [tuple(y.shape) for y in outputs]]
            return tuple(flatten(moved)[0]), aux

        seeds = _directions(xs)
        if not len(seeds[0]):
            value, aux = of(*inputs)
            outputs, shape = tensors(value, "jacfwd")
            parts = [[y.new_zeros(tuple(y.shape) + tuple(x.shape)) for x in xs] for y in outputs]
        else:
            found, aux = vmap(columns, out_dims=(0, None), randomness=randomness)(*seeds)
            shape, sizes = shapes
            parts = [
                [c.movedim(0, -1).reshape(size + tuple(x.shape)) for c, x in _columns(g, xs)]
                for g, size in zip(found, sizes, strict=True)
            ]
        result = shape.build([_inputs(tree, part, argnums) for part in parts])
        return (result, aux) if has_aux else result

    return jacobian


def hessian(func: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """A function that computes the second derivatives of `func`: `jacfwd(jacrev(func))`.

    For an output y and an input x the Hessian has the shape (*y.shape, *x.shape, *x.shape).
    Source:  `torch.func.hessian`.

    >>> import chainrule as torch
    >>> torch.func.hessian(lambda x: (x**3).sum())(torch.tensor([1.0, 2.0]))
    tensor([[ 6.,  0.],
            [ 0., 12.]])
    """
    check_function(func, "hessian")
    return jacfwd(jacrev(func, argnums), argnums)


def _of(
    func: Callable[..., Any],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    places: tuple[int, ...],
    has_aux: bool,
) -> Callable[..., Any]:
    """func of the arguments to differentiate by alone; it returns (value, aux)."""

    def reduced(*inputs: Any) -> Any:
        given = list(args)
        for i, x in zip(places, inputs, strict=True):
            given[i] = x
        return split_aux(func(*given, **kwargs), has_aux, "jacobian")

    return reduced


def _directions(xs: list[Any]) -> list[Any]:
    """For each tensor a batch of directions; there are as many as all tensors together have elements."""
    if not xs:
        raise ArgumentError.of(
            "jacobian", given="no tensors", must="there must be something to differentiate"
        )
    sizes = [prod(x.shape) for x in xs]
    units = {kind: eye(sum(sizes), dtype=kind) for kind in {x.dtype for x in xs}}
    rows = [_parts(units[x.dtype], sizes, 1)[i] for i, x in enumerate(xs)]
    return [r.reshape(sum(sizes), *x.shape) for r, x in zip(rows, xs, strict=True)]


def _parts(x: Any, sizes: list[int], dim: int) -> Sequence[Any]:
    """x, cut along an axis into parts of these sizes."""
    return x.split(sizes, dim) if len(sizes) > 1 else (x,)


def _columns(g: Any, xs: list[Any]) -> list[tuple[Any, Any]]:
    """A batch of tangents (elements of all x, *y), cut into what belongs to each input."""
    return list(zip(_parts(g, [prod(x.shape) for x in xs], 0), xs, strict=True))


def _rows(g: Any, ys: list[Any], x: Any) -> list[Any]:
    """A batch of gradients (elements of all y, *x), cut into the derivative of each output: (*y, *x)."""
    if g is None:
        return [y.new_zeros(tuple(y.shape) + tuple(x.shape)) for y in ys]
    rows = _parts(g, [prod(y.shape) for y in ys], 0)
    return [r.reshape(tuple(y.shape) + tuple(x.shape)) for r, y in zip(rows, ys, strict=True)]


def _inputs(tree: Tree, parts: list[Any], argnums: Argnums) -> Any:
    """Derivatives by all inputs, in the structure of the arguments that were asked for."""
    built = tree.build(parts)
    return built if isinstance(argnums, tuple) else built[0]
