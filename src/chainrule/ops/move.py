"""Entries: elements copied, converted, joined, turned around. Results own their memory.

Next: `index.py` and `scatter.py` for places named by arrays, then `sort.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.dtypes import FROM_NUMPY, dtype, float32, float64, int64
from ..core.errors import ShapeError
from ..core.shapes import Shape
from .batching import STACKED, Stacked
from .gradient import each
from .lowering import Pieces, Strided
from .primitive import LINEAR, MOVEMENT, Primitive, primitive, sample
from .rules import FIRST, SAME, DTypeRule, same_shape
from .samples import floats
from .views import SLICE

COPY = primitive(
    "copy", kind=MOVEMENT, formula="copy(x)", shape=same_shape, dtype=FIRST,
    numpy=lambda x: np.array(x, order="C"),
    lower=Strided(lambda x: x), batch=STACKED, vjp=(lambda g: g,), jvp=LINEAR, d="g", why="identity",
    samples=[sample(floats()), sample(floats(shape=()))], grad_name="CloneBackward0",
)  # fmt: skip


def _own_type(x: np.ndarray[Any, Any]) -> dtype:
    return FROM_NUMPY[x.dtype]


CAST: Primitive = primitive(
    "cast", kind=MOVEMENT, formula="x.to(dtype)", shape=same_shape,
    dtype=DTypeRule("as asked", unify=False, asked="to"),
    numpy=lambda x, *, to, source: x.astype(to.numpy),
    lower=lambda b, x, *, to, source: b.cast(x, to), batch=STACKED,
    vjp=(lambda g, to, source: CAST(g, to=source, source=to),),
    jvp=lambda tangents, out, x, *, to, source: CAST(tangents[0], to=to, source=source),
    d="g.to(x.dtype)", why="identity, in another precision", grad_name="ToCopyBackward0",
    samples=[
        sample(floats(), to=float64, source=_own_type),
        sample(floats(), to=float32, source=_own_type),
        sample(floats(), to=int64, source=_own_type),
    ],
)  # fmt: skip


def _joined(*shapes: Shape, dim: int) -> Shape:
    first = shapes[0]
    for i, s in enumerate(shapes[1:], 1):
        if len(s) != len(first) or any(
            a != b for d, (a, b) in enumerate(zip(s, first, strict=True)) if d != dim
        ):
            raise ShapeError.of(
                "cat",
                given=f"shapes {', '.join(map(str, shapes))} along dim={dim}",
                must=f"all axes but dim={dim} must be equal; tensor {i} has {s}, tensor 0 has {first}",
                hint="reshape them to match first",
            )
    return (*first[:dim], sum(s[dim] for s in shapes), *first[dim + 1 :])


def start(shapes: Any, i: int, dim: int) -> int:
    """Where the i-th tensor begins in the joined one."""
    return sum(s[dim] for s in shapes[:i])


def _laid_out(*shapes: Shape, dim: int) -> Any:
    """Where each input of `cat` goes."""
    rest = (slice(None),) * dim
    for i, s in enumerate(shapes):
        at = start(shapes, i, dim)
        yield i, ((SLICE, {"key": (*rest, slice(at, at + s[dim]))}),)


CAT = primitive(
    "cat", kind=MOVEMENT, inputs="*xs", formula="cat(xs)", shape=_joined, dtype=SAME,
    numpy=lambda *xs, dim: np.ascontiguousarray(np.concatenate(xs, axis=dim)),
    lower=Pieces(_laid_out), batch=Stacked("dim"),
    vjp=each(lambda g, i, shapes, dim: g.narrow(dim, start(shapes, i, dim), shapes[i][dim])), jvp=LINEAR,
    d="narrow(g, dim, start(shapes, i, dim), shapes[i][dim])", why="each part keeps its own gradient",
    samples=[
        sample(floats(shape=(2, 3)), floats(shape=(1, 3)), dim=0),
        sample(floats(shape=(2, 1)), floats(shape=(2, 2)), floats(shape=(2, 0)), dim=1),
        sample(floats(shape=(3,)), dim=0),
    ],
)  # fmt: skip

FLIP: Primitive = primitive(
    "flip", kind=MOVEMENT, formula="flip(x)", shape=same_shape, dtype=FIRST,
    numpy=lambda x, *, dims: np.array(np.flip(x, dims), order="C"),
    lower=Strided(lambda x, *, dims: np.flip(x, dims) if dims else x), batch=Stacked("dims"),
    vjp=(lambda g, dims: FLIP(g, dims=dims),), jvp=LINEAR, d="flip(g, dims=dims)",
    why="turned around twice, everything is where it was",
    samples=[sample(floats(), dims=(0,)), sample(floats(), dims=(0, 1)), sample(floats(shape=()), dims=())],
)  # fmt: skip
