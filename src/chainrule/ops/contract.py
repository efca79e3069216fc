"""Entries: the matrix product, on the last two axes with leading axes broadcast, and the map of a layer.

Vectors are turned into matrices by `functions/linalg.py`. Next: `matrices.py`.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from ..core import memory
from ..core.errors import ShapeError
from ..core.shapes import BroadcastMismatch, Shape, broadcast_shapes
from .batching import ALIGNED, row_shape
from .lowering import PRODUCT, Composed
from .primitive import CONTRACTION, MULTILINEAR, Primitive, primitive, sample
from .rules import STRICT_NUMBER
from .samples import floats
from .views import RESHAPE


def _product(x: Shape, y: Shape) -> Shape:
    if len(x) < 2 or len(y) < 2 or x[-1] != y[-2]:
        hint = ""
        if len(x) == len(y) == 2:
            if x[-1] == y[-1]:
                hint = "x @ y.T"
            elif x[-2] == y[-2]:
                hint = "x.T @ y"
            elif x[-2] == y[-1]:
                hint = "y @ x"
        raise ShapeError.of(
            "x @ y",
            given=f"shapes {x} and {y}",
            must=f"the last axis of x ({x[-1]}) must equal the second-to-last axis of y ({y[-2]})"
            if len(x) >= 2 and len(y) >= 2
            else "both must be matrices, or stacks of matrices",
            hint=hint,
        )
    try:
        return (*broadcast_shapes(x[:-2], y[:-2]), x[-2], y[-1])
    except BroadcastMismatch as err:
        raise err.to_error("x @ y, in its leading axes,") from None


def _matmul(x: Any, y: Any) -> Any:
    if x.ndim == y.ndim == 2 and x.dtype != np.float16:
        if x.shape[0] * y.shape[1] * x.itemsize >= memory.THRESHOLD:
            return np.dot(x, y, out=memory.empty((x.shape[0], y.shape[1]), x.dtype))
        return np.dot(x, y)
    if x.ndim < 2 or y.ndim < 2:
        raise ValueError  # NumPy would take vectors; the shape rule says what is wanted
    if x.dtype == np.float16:  # as PyTorch: totals in float32, rounded once
        return np.matmul(x.astype(np.float32), y.astype(np.float32)).astype(np.float16)
    return np.matmul(x, y)


def _product_rows(size: int, xs: Any, mapped: Any, settings: dict[str, Any]) -> Any:
    x, y = xs
    if mapped == (True, False) and y.dim() == 2:
        # one large product instead of one for each row
        return MATMUL(rows(x), y).reshape(*x.shape[:-1], y.shape[1])
    if mapped == (False, True) and x.dim() == 2:
        if y.dim() == 3 and y.shape[2] == 1:  # columns: they are the rows of a matrix already
            flat = RESHAPE(y, shape=tuple(y.shape[:2]))
            return RESHAPE(MATMUL(flat, x.mT), shape=(size, x.shape[0], 1))
        out = MATMUL(rows(y.mT), x.mT)  # x y = (yᵀ xᵀ)ᵀ
        return out.reshape(*y.shape[:-2], y.shape[-1], x.shape[0]).mT
    return ALIGNED.run(MATMUL, size, xs, mapped, settings)


MATMUL: Primitive = primitive(
    "matmul", strict=True, kind=CONTRACTION, inputs="x y", formula="x @ y", shape=_product,
    dtype=STRICT_NUMBER, numpy=_matmul,
    lower=PRODUCT, batch=_product_rows,
    vjp=(lambda g, y: g @ y.mT, lambda g, x: x.mT @ g), jvp=MULTILINEAR, d=("g @ y.mT", "x.mT @ g"),
    why="product rule for matrices", broadcasts=True, grad_name="MmBackward0",
    samples=[
        sample(floats(shape=(2, 3)), floats(shape=(3, 4))),
        sample(floats(shape=(2, 2, 3)), floats(shape=(3, 2))),
        sample(floats(shape=(1, 2, 3)), floats(shape=(2, 3, 1))),
        sample(floats(shape=(2, 2)), floats(shape=(2, 2))),
        sample(floats(shape=(2, 0)), floats(shape=(0, 3))),
        sample(floats(shape=(0, 2)), floats(shape=(2, 3))),
        sample(floats(shape=(1, 1)), floats(shape=(1, 1))),
    ],
)  # fmt: skip


def _linear_shape(x: Shape, y: Shape) -> Shape:
    if len(x) < 1 or len(y) != 2 or x[-1] != y[1]:
        raise ShapeError.of(
            "x @ weight.T",
            given=f"x {x} and weight {y}",
            must=f"the last axis of x must equal the last axis of the weight ({y[-1]})"
            if len(y) == 2
            else "the weight must be a matrix",
        )
    return (*x[:-1], y[0])


def rows(x: Any) -> Any:
    """All axes but the last merged: (..., i) -> (n, i)."""
    return x.reshape(prod(x.shape[:-1]), x.shape[-1])


def _linear(x: Any, y: Any) -> Any:
    if x.ndim < 1 or y.ndim != 2:
        raise ValueError  # the shape rule says what is wanted
    out = _matmul(x if x.ndim == 2 else rows(x), y.T)
    return out if x.ndim == 2 else out.reshape(*x.shape[:-1], y.shape[0])


def _linear_composed(x: Any, y: Any) -> Any:
    out: Any = MATMUL(rows(x), y.mT)
    return out.reshape(*x.shape[:-1], y.shape[0])


def _linear_vjp_y(g: Any, x: Any) -> Any:
    if x.dim() != 2:
        g, x = rows(g), rows(x)  # (..., o), (..., i) -> (n, o), (n, i)
    return g.mT @ x  # (o, n) @ (n, i) -> (o, i)


# x @ y.T is what a layer does. As one op its weight gradient comes out in the weight's own layout; through a
# transpose and a product it would be turned round, and copied to be turned back.
def _linear_rows(size: int, xs: Any, mapped: Any, settings: dict[str, Any]) -> Any:
    x, y = xs
    if not mapped[1]:
        return LINEAR_MAP(x, y)
    shape = row_shape(x, mapped[0])
    # one product for each weight: (size, n, i) @ (size, i, o), or (n, i) @ (size, i, o)
    x = x.reshape(*[size] * mapped[0], prod(shape[:-1]), shape[-1])
    return MATMUL(x, y.mT).reshape(size, *shape[:-1], y.shape[1])


LINEAR_MAP: Primitive = primitive(
    "linear", kind=CONTRACTION, inputs="x y", formula="x @ y.T", shape=_linear_shape, strict=True,
    dtype=STRICT_NUMBER, numpy=_linear,
    lower=Composed(_linear_composed), batch=_linear_rows,
    vjp=(lambda g, y: g @ y, _linear_vjp_y), jvp=MULTILINEAR,
    d=("g @ y", "rows(g).mT @ rows(x)"), why="product rule for matrices",
    samples=[
        sample(floats(shape=(2, 3)), floats(shape=(4, 3))),
        sample(floats(shape=(2, 2, 3)), floats(shape=(1, 3))),
        sample(floats(shape=(3,)), floats(shape=(2, 3))),
        sample(floats(shape=(2, 0, 3)), floats(shape=(4, 3))),
        sample(floats(shape=(2, 1, 0)), floats(shape=(4, 0))),
    ],
)  # fmt: skip
