"""The array of a tensor without values: it has a shape and a type, and refuses to be read.

Its element type carries a mark, so the short paths of the eager operators never take it for an ordinary
array; the general path (`../eager.py`) sees what it is. What it says when it is read depends on why there
are no values: here because a program is recorded; `../transforms/batch.py` has another reason.
Next: `tracer.py`.
"""

from __future__ import annotations

from typing import Any, NoReturn

import numpy as np

from ..core.dtypes import FROM_NUMPY, dtype
from ..core.shapes import Shape
from .errors import TraceError

_UNUSED = bytes(16)  # as large as the largest element
_MARKED = {kind: np.dtype(kind, metadata={"traced": True}) for kind in FROM_NUMPY}


class Standin(np.ndarray[Any, np.dtype[Any]]):
    """An array that knows its shape and type, and refuses to be read."""

    @staticmethod
    def refuse(what: str) -> NoReturn:
        """A value was asked for while there are none."""
        refuse(what)

    @staticmethod
    def stray(x: Any) -> NoReturn:
        """A tensor that has this array is met by a trace that it is no part of."""
        raise TraceError.of(
            type(x).__name__,
            given="a traced tensor as its memory",
            must="it would belong to a module, and be there after the trace",
            hint="make it outside the traced function",
        )

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **settings: Any) -> NoReturn:
        self.refuse(f"numpy.{ufunc.__name__}")

    def __array_function__(self, function: Any, types: Any, args: Any, settings: Any) -> Any:
        if function not in (np.shape, np.ndim, np.size):
            self.refuse(f"numpy.{function.__name__}")
        return super().__array_function__(function, types, args, settings)


def refuse(what: str) -> NoReturn:
    """A value was asked for while there are none."""
    raise TraceError.of(
        what,
        given="a traced tensor, which has a shape and a type but no values yet",
        must="the program is being recorded; what it does must not depend on the numbers",
        hint="where(condition, a, b) instead of if, keep the tensor instead of a number, read values outside",
    )


def _refusing(name: str) -> Any:
    def method(self: Any, *args: Any, **settings: Any) -> Any:
        self.refuse(
            {"__float__": "float(x)", "__int__": "int(x)", "__bool__": "if x, bool(x)"}.get(name, f"{name}()")
        )

    return method


_READING = (
    "item", "tolist", "copy", "astype", "nonzero", "argsort", "sort", "searchsorted", "min", "max", "all",
    "any", "sum", "fill", "__float__", "__int__", "__bool__", "__index__", "__setitem__", "tobytes", "take",
)  # fmt: skip
for _name in _READING:
    setattr(Standin, _name, _refusing(_name))


def standin(shape: Shape, kind: dtype, cls: type[Standin] = Standin) -> Standin:
    """A stand-in: every element is the same unused place."""
    marked = _MARKED[kind.numpy]
    out = cls(shape, marked, _UNUSED, 0, (0,) * len(shape))
    out.flags.writeable = False
    return out
