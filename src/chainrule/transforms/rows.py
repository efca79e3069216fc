"""The tensors that a mapped function sees: the shape of one row, and behind it the stack of all rows.

They have no values that Python could ask for; what asks for one is refused, with what to write instead.
What is done with them is up to their level. Next: `batch.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn, Self

from ..base import View, owner_of
from ..core.errors import ChainruleError
from ..core.shapes import real_axis
from ..graph.standin import Standin
from ..ops.batching import stack
from ..ops.move import COPY
from ..ops.primitive import interpreter
from ..tensor import Tensor

if TYPE_CHECKING:
    from .batch import Batch


class VmapError(ChainruleError, ValueError, RuntimeError):
    """Something that a function cannot do while it runs for many rows at once."""


_INSTEAD = {
    "if x, bool(x)": "torch.where(condition, a, b) instead of if: it chooses for each row by itself",
    "x[mask]": "torch.where(mask, x, 0): how many elements a mask takes would differ from row to row",
}


class RowStandin(Standin):
    """The array of a `Batched` tensor."""

    @staticmethod
    def refuse(what: str) -> NoReturn:
        raise VmapError.of(
            what,
            given="a tensor inside vmap, which stands for all rows at once",
            must="each row has its own value there, and the function runs once for all of them",
            hint=_INSTEAD.get(what, "compute with the tensor itself, and read values after vmap"),
        )

    @staticmethod
    def stray(x: Any) -> NoReturn:
        raise ended()


def ended() -> VmapError:
    """The refusal of a tensor whose vmap is over."""
    return VmapError.of(
        "an operation",
        given="a row of vmap, outside of it",
        must="inside it stands for all rows at once; here it means nothing",
        hint="return it from the mapped function",
    )


class Batched(Tensor):
    """A row, for all rows of a stack at once.

    _level: the batch it belongs to.
    _rows:  the stack: a tensor of the levels below with one more axis, the first.
    """

    __slots__ = ("_level", "_rows")

    _level: Batch
    _rows: Any

    def _stack(self) -> Any:
        return self._rows

    def _at(self, node: Any) -> Batched:
        out = self._level.batched(self._rows)
        out._node = node
        return out

    def _freed(self, rows: Any) -> Batched:
        out = self._level.batched(rows)
        out._view = View(owner_of(self))
        return out

    def _kept(self) -> Batched:
        return self._at(None)

    def _same_kind(self, a: Any) -> Self:
        return self._at(None)  # type: ignore[return-value]

    def _alike(self, new: Any) -> Batched:
        level = self._level
        with level.below():
            return level.batched(self._rows._alike(COPY(stack(new, False, level.size))))

    def detach(self) -> Tensor:
        """As `Tensor.detach`; the rows are off the tape of whoever called vmap, too."""
        with self._level.below():
            out = self._level.batched(self._rows.detach())
        out._view = View(owner_of(self))
        interpreter.levels.detached(self, out)
        return out

    @property
    def data(self) -> Tensor:
        """The same memory as a tensor of its own, off the tape."""
        with self._level.below():
            return self._level.batched(self._rows.data)

    @data.setter
    def data(self, value: Any) -> NoReturn:
        RowStandin.refuse("x.data = y")

    def __repr__(self) -> str:
        size = self._level.size
        return f"a row {tuple(self._a.shape)} of {size} in\n{self._rows!r}"

    def __format__(self, spec: str) -> str:
        if spec:
            RowStandin.refuse(f"f'{{x:{spec}}}'")
        return repr(self)

    def _number(self, what: str) -> NoReturn:
        RowStandin.refuse(what)

    def _shared(self, what: str) -> NoReturn:
        RowStandin.refuse(what)

    def __index__(self) -> int:
        RowStandin.refuse("an index")

    def __bool__(self) -> bool:
        RowStandin.refuse("if x, bool(x)")

    def tolist(self) -> NoReturn:
        RowStandin.refuse("tolist()")

    def numpy(self, *, force: bool = False) -> NoReturn:
        RowStandin.refuse("numpy()")

    def __dlpack_device__(self) -> NoReturn:
        RowStandin.refuse("DLPack")

    # -- layout in memory: that of a row within its stack ------------------------------------------------

    def contiguous(self) -> Tensor:
        return self if self.is_contiguous() else COPY(self)

    def is_contiguous(self) -> bool:
        with self._level.below():
            return bool(self._rows.is_contiguous())

    def stride(self, dim: int | None = None) -> Any:
        with self._level.below():
            strides = self._rows.stride()[1:]
        return strides if dim is None else strides[real_axis(dim, self._a.ndim, "stride")]

    def storage_offset(self) -> NoReturn:
        RowStandin.refuse("storage_offset()")

    def data_ptr(self) -> NoReturn:
        RowStandin.refuse("data_ptr()")
