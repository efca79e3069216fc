"""`vmap`: a function of one row becomes a function of many, without a loop.

The function runs once, with tensors that stand for all rows (`../transforms/batch.py`). Here the arguments
are cut into rows, and the results put together. Next: `jacobians.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..base import TensorBase
from ..core.errors import ArgumentError, IndexingError, ShapeError
from ..functions.joining import cat
from ..functions.shaping import movedim
from ..transforms.batch import ERROR, RANDOMNESS, Batch
from .tree import Tree, flatten
from .variables import check_function

Dims = Any  # an axis, None, or a nested structure of them


def vmap(
    func: Callable[..., Any],
    in_dims: Dims = 0,
    out_dims: Dims = 0,
    randomness: str = ERROR,
    *,
    chunk_size: int | None = None,
) -> Callable[..., Any]:
    """A function that maps `func` over rows of its arguments, as one computation for all of them.

    func:      takes and returns tensors, or nested tuples, lists and dicts of them. It sees one row: tensors
               without the mapped axis. It runs once, so what it does cannot depend on values in a row.
    in_dims:   the axis along which each argument is cut into rows; None for one that every row gets whole.
               One number for all, or a tuple with one entry for each argument; an entry may be nested as the
               argument is. Arguments by name are given to every row whole.
    out_dims:  where the axis of the rows stands in the results: one number, or nested as the results are.
               None for a result that is the same for every row, which comes without that axis.
    randomness: "error" refuses random numbers in func; with "different" each row has its own, with "same" all
               rows have the same.
    chunk_size: at most so many rows at once; results of the chunks are joined. None: all rows.
    Returns:   a function of the same arguments.
    Raises:    ValueError where the arguments have other numbers of rows, in_dims or out_dims do not fit, or
               func returns something else than tensors; RuntimeError where func asks for values.
    Source:    `torch.func.vmap`.

    >>> import chainrule as torch
    >>> from chainrule.func import grad, vmap
    >>> x, w = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([1.0, 1.0])
    >>> vmap(torch.dot, in_dims=(0, None))(x, w)
    tensor([3., 7.])
    >>> vmap(grad(lambda w, row: (row @ w) ** 2), in_dims=(None, 0))(w, x)  # a gradient for each row
    tensor([[ 6., 12.],
            [42., 56.]])
    """
    if randomness not in RANDOMNESS:
        raise ArgumentError.of(
            "vmap", given=f"randomness={randomness!r}", must="it must be 'error', 'different' or 'same'"
        )
    if chunk_size is not None and (type(chunk_size) is not int or chunk_size < 1):
        raise ArgumentError.of(
            "vmap", given=f"chunk_size={chunk_size!r}", must="it is None or the most rows to run at once"
        )
    if not (type(in_dims) is int or isinstance(in_dims, tuple)):
        raise ArgumentError.of(
            "vmap",
            given=f"in_dims={in_dims!r}",
            must="it must be an axis, or a tuple with an axis or None for each argument",
            hint="in_dims=0",
        )

    check_function(func, "vmap")

    @functools.wraps(func)
    def mapped(*args: Any, **kwargs: Any) -> Any:
        leaves, tree = flatten(args)
        axes = _spread(in_dims, tree)
        if axes is None:
            raise _unlike("in_dims", in_dims, "the arguments", args)
        stacks = [_stack(x, axis) for x, axis in zip(leaves, axes, strict=True)]
        size = _size(args, leaves, axes)
        if chunk_size is None or size <= chunk_size:
            return _run(func, tree, stacks, axes, size, kwargs, out_dims, randomness)
        parts = []
        for start in range(0, size, chunk_size):
            count = min(chunk_size, size - start)
            some = [
                x if axis is None else x.narrow(0, start, count) for x, axis in zip(stacks, axes, strict=True)
            ]
            parts.append(_run(func, tree, some, axes, count, kwargs, out_dims, randomness))
        return _joined(parts, out_dims)

    return mapped


def _run(
    func: Callable[..., Any],
    tree: Tree,
    stacks: list[Any],
    axes: list[int | None],
    size: int,
    kwargs: dict[str, Any],
    out_dims: Dims,
    randomness: str,
) -> Any:
    """The function, on all rows at once."""
    level = Batch(size, randomness)
    with level.entered():
        args = tree.build(
            [x if axis is None else level.batched(x) for x, axis in zip(stacks, axes, strict=True)]
        )
        result = func(*args, **kwargs)
    outputs, shape = flatten(result)
    places = _spread(out_dims, shape)
    if places is None:
        raise _unlike("out_dims", out_dims, "what the function returns", result)
    return shape.build([_whole(level, y, to, result) for y, to in zip(outputs, places, strict=True)])


def _spread(dims: Dims, tree: Tree) -> list[int | None] | None:
    """An axis for each leaf: an entry of `dims` counts for all below it. None if the structures differ."""
    if dims is None or type(dims) is int:
        return [dims] * tree.size
    if tree.kind is None:  # in the place of one tensor, a tuple with its axis will do
        alone = isinstance(dims, tuple) and len(dims) == 1
        return _spread(dims[0], tree) if alone and not isinstance(dims[0], tuple) else None
    if isinstance(dims, dict):
        if tree.kind is not dict or set(dims) != set(tree.keys):
            return None
        dims = [dims[key] for key in tree.keys]
    elif not any(isinstance(dims, kind) and issubclass(tree.kind, kind) for kind in (tuple, list)):
        return None
    if len(dims) != len(tree.parts):
        return None
    found: list[int | None] = []
    for entry, part in zip(dims, tree.parts, strict=True):
        axes = _spread(entry, part)
        if axes is None:
            return None
        found += axes
    return found


def _stack(x: Any, axis: int | None) -> Any:
    """The rows of an argument along its first axis."""
    if axis is None:
        return x
    if not isinstance(x, TensorBase):
        raise ArgumentError.of(
            "vmap",
            given=f"in_dims={axis} for {x!r}, which is no tensor",
            must="only tensors have rows",
            hint="in_dims=None in its place: every row gets it whole",
        )
    rank = x._a.ndim
    if not -rank <= axis < rank:
        raise IndexingError.of(
            "vmap",
            given=f"in_dims={axis} for a tensor {x._a.shape}",
            must=f"the axis must lie in [{-rank}, {rank - 1}]" if rank else "a 0-d tensor has no rows",
            hint="" if rank else "in_dims=None in its place: every row gets it whole",
        )
    return x if axis in (0, -rank) else movedim(x, axis, 0)  # type: ignore[arg-type]


def _size(args: tuple[Any, ...], leaves: list[Any], axes: list[int | None]) -> int:
    """How many rows there are."""
    given = [(x._a.shape, axis) for x, axis in zip(leaves, axes, strict=True) if axis is not None]
    if not given:
        raise ArgumentError.of(
            "vmap",
            given="a call without arguments" if not args else "in_dims that map none of the arguments",
            must="there must be rows to map over: one positional argument at least has an axis in in_dims",
            hint="" if not args else "in_dims=0 for what is to be cut into rows",
        )
    sizes = {shape[axis] for shape, axis in given}
    if len(sizes) > 1:
        listed = ", ".join(f"{shape} with {shape[axis]} rows along axis {axis}" for shape, axis in given)
        raise ShapeError.of("vmap", given=listed, must="all mapped arguments must have as many rows")
    return int(sizes.pop())


def _whole(level: Batch, y: Any, to: int | None, result: Any) -> Any:
    """One result with all rows, along the axis that was asked for."""
    if not isinstance(y, TensorBase):
        if to is None:
            return y
        kind = "None" if y is None else f"a {type(y).__name__}"
        within = "" if y is result else f" in a {type(result).__name__}"
        raise ArgumentError.of(
            "vmap",
            given=f"a function that returns {kind}{within}",
            must="it must return a tensor, or tuples, lists and dicts of tensors",
            hint="out_dims=None in its place: it is the same for every row",
        )
    if to is None:
        if level.holds(y):
            raise ArgumentError.of(
                "vmap",
                given=f"out_dims=None for a result {y._a.shape} that differs from row to row",
                must="without an axis for the rows there is room for one only",
                hint="out_dims=0",
            )
        return y
    rank = y._a.ndim + 1
    if not -rank <= to < rank:
        raise IndexingError.of(
            "vmap",
            given=f"out_dims={to} for rows {y._a.shape}",
            must=f"with the axis of the rows a result has {rank}: out_dims must lie in [{-rank}, {rank - 1}]",
        )
    rows = level.rows(y)
    return rows if to in (0, -rank) else movedim(rows, 0, to)


def _unlike(name: str, dims: Dims, what: str, given: Any) -> ArgumentError:
    return ArgumentError.of(
        "vmap",
        given=f"{name}={dims!r} for {_outline(given)}",
        must=f"{name} must be nested as {what}; an axis or None may stand for a whole part",
        hint=f"{name}=0 for all",
    )


def _outline(x: Any) -> str:
    """The structure of arguments or results, with an x for each leaf."""
    if isinstance(x, dict):
        return "{" + ", ".join(f"{key!r}: {_outline(value)}" for key, value in x.items()) + "}"
    if isinstance(x, list):
        return "[" + ", ".join(map(_outline, x)) + "]"
    if isinstance(x, tuple):
        return "(" + ", ".join(map(_outline, x)) + ("," if len(x) == 1 else "") + ")"
    return "x"


def _joined(parts: list[Any], out_dims: Dims) -> Any:
    """The results of all chunks as one."""
    pieces = [flatten(part)[0] for part in parts]
    shape = flatten(parts[0])[1]
    places = _spread(out_dims, shape)
    assert places is not None
    return shape.build(
        [
            column[0] if to is None else cat(column, to)
            for column, to in zip(zip(*pieces, strict=True), places, strict=True)
        ]
    )
