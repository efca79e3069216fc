"""The table of primitives. `primitive.py` says what an entry is; the other files hold the entries."""

from . import (
    arithmetic,
    compare,
    contract,
    cross_entropy,
    draw,
    index,
    matrices,
    move,
    norm,
    reduce,
    scan,
    scatter,
    softmax,
    sort,
    transcendental,
    views,
)
from .primitive import TABLE, Primitive

__all__ = [
    "TABLE",
    "Primitive",
    "arithmetic",
    "compare",
    "contract",
    "cross_entropy",
    "draw",
    "index",
    "matrices",
    "move",
    "norm",
    "reduce",
    "scan",
    "scatter",
    "softmax",
    "sort",
    "transcendental",
    "views",
]
