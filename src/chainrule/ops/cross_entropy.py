"""Entry: the cross-entropy of rows of scores with class numbers.

It could be composed of log_softmax and gather. As one op it reads each row once, and its derivative is the
one that people know: softmax(x) minus 1 at the class. Next: `norm.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import IndexingError, ShapeError
from ..core.shapes import Shape
from .arithmetic import WHERE
from .batching import stack
from .compare import NE
from .lowering import Composed
from .primitive import REDUCTION, Primitive, primitive, sample
from .reduce import wide
from .rules import SCORES
from .samples import at, floats
from .scatter import GATHER, SCATTER
from .softmax import SOFTMAX, powers


def _rows(x: Shape, target: Shape, *, ignore: int) -> Shape:
    if len(x) != 2 or target != x[:1]:
        raise ShapeError.of(
            "cross_entropy",
            given=f"scores {x} and class numbers {target}",
            must="scores must be (n, c) and class numbers (n,)",
        )
    return target


def _cross_entropy(x: Any, target: Any, *, ignore: int) -> Any:
    n, classes = x.shape
    if n == 0:
        return np.empty((0,), x.dtype)
    kept = target != ignore
    index = np.where(kept, target, 0)
    if index.min() < 0 or index.max() >= classes:
        bad = index[(index < 0) | (index >= classes)][0]
        raise IndexingError.of(
            "cross_entropy",
            given=f"class number {bad} for {classes} classes",
            must=f"class numbers must lie in 0..{classes - 1}",
        )
    shifted = wide(x)
    shifted = shifted - np.maximum.reduce(shifted, axis=1, keepdims=True)  # (n, c)
    out = np.log(np.add.reduce(np.exp(shifted), axis=1)) - shifted[np.arange(n), index]  # (n,)
    out[~kept] = 0
    return out.astype(x.dtype, copy=False)


def times_minus_one_at(t: Any, x: Any, target: Any, ignore: int) -> Any:
    """t times (softmax(x) - 1 at the class of each row); 0 in rows that do not count, whatever t is there.

    Shapes: t (n, 1) or (n, c), x (n, c), target (n,) -> (n, c).
    """
    n = x.shape[0]
    kept = NE(target, ignore).reshape(n, 1)
    index = WHERE(kept, target.reshape(n, 1), 0)
    p = SOFTMAX(x, dim=1)
    return WHERE(kept, t * SCATTER(p, index, GATHER(p, index, dim=1) - 1, dim=1), 0.0)


def _lowered(x: Any, target: Any, *, ignore: int) -> Any:
    if x.dtype.itemsize < 4 or 0 in x.shape:
        return NotImplemented
    y, _, total = powers(x, 1)
    kept = NE(target, ignore)
    index = WHERE(kept, target, 0)[:, None]  # (n, 1)
    return WHERE(kept, (total.log() - GATHER(y, index, dim=1))[:, 0], 0.0)  # (n,)


def _merged_rows(size: int, xs: Any, mapped: Any, settings: dict[str, Any]) -> Any:
    x, target = (stack(x, m, size) for x, m in zip(xs, mapped, strict=True))
    n = x.shape[1]
    # rows of scores stay what they are: (size, n, c) -> (size * n, c)
    out = CROSS_ENTROPY(x.reshape(size * n, x.shape[2]), target.reshape(size * n), **settings)
    return out.reshape(size, n)


CROSS_ENTROPY: Primitive = primitive(
    "cross_entropy", kind=REDUCTION, inputs="x target", formula="log(sum(exp(x))) - x[target]", shape=_rows,
    dtype=SCORES, numpy=_cross_entropy,
    lower=Composed(_lowered), batch=_merged_rows,
    vjp=(lambda g, x, target, ignore: times_minus_one_at(g.unsqueeze(1), x, target, ignore), None),
    jvp=lambda tangents, out, x, target, *, ignore: times_minus_one_at(tangents[0], x, target, ignore).sum(1),
    d=("times_minus_one_at(g.unsqueeze(1), x, target, ignore)", None),
    why="log-sum-exp: its gradient is softmax",
    samples=[
        sample(floats(shape=(3, 4)), at([0, 3, 1]), ignore=-100),
        sample(floats(shape=(3, 2)), at([1, -1, 0]), ignore=-1),
        sample(floats(shape=(1, 1)), at([0]), ignore=-100),
    ],
    grad_name="NllLossBackward0",
)  # fmt: skip
