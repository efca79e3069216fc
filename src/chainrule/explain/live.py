"""What is in memory while something runs: the bytes of all results that are alive, and their peak.

`Watch` is a level over the interpreter. It holds nothing: each array that an operation makes is counted until
it dies, which a weak reference tells, so what is counted lives as long as in the program itself. Counted are
the arrays of results; scratch memory inside of one operation is not. Next: `memory.py`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from ..base import TensorBase, owner_of
from ..core.shapes import Shape
from ..ops.primitive import Primitive
from ..transforms.level import Observer

Array = np.ndarray[Any, Any]


class Watch(Observer):
    """Counts what is made while it is entered.

    there: tensors whose memory was there before.
    live:  bytes that are alive now.
    peak:  the most that were alive at one time.
    """

    only_looks = True

    def __init__(self, there: Iterable[TensorBase]) -> None:
        self.live = self.peak = 0
        self._there = {id(a): a for x in there if (a := root(x)) is not None}
        self._alive: dict[int, tuple[weakref.ref[Array], int]] = {}

    def see(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
        for x in xs:
            if isinstance(x, TensorBase):
                self.note(x)  # made without an operation: filled with zeros, or from a list
        for part in out if op.outputs != 1 else (out,):
            self.note(part)

    def draw(self, make: Callable[[Shape], Any], shape: Shape) -> Any:
        out = super().draw(make, shape)
        self.note(out)
        return out

    def note(self, x: TensorBase) -> None:
        """A tensor that is there now."""
        a = root(x)
        if type(a) is not np.ndarray or self.was_there(a) or id(a) in self._alive:
            return
        key, size = id(a), a.nbytes
        self._alive[key] = weakref.ref(a, lambda _: self._dead(key)), size
        self.live += size
        self.peak = max(self.peak, self.live)

    def was_there(self, a: Array) -> bool:
        """Whether an array has memory that was there before."""
        return id(a) in self._there

    def _dead(self, key: int) -> None:
        self.live -= self._alive.pop(key)[1]


def root(x: TensorBase | Array) -> Array:
    """The array whose memory x uses, itself or as a view.

    Large arrays lie in recycled buffers of bytes (`../core/memory.py`), larger than what is in them: of those
    the array that lies there is meant.
    """
    a: Array = owner_of(x)._a if isinstance(x, TensorBase) else x
    while isinstance(a.base, np.ndarray) and not _is_buffer(a, a.base):
        a = a.base
    return a


def _is_buffer(a: Array, base: Array) -> bool:
    return base.dtype == np.uint8 and a.dtype != np.uint8 and base.ndim == 1 and base.base is None
