"""Dual tensors: forward mode by hand, with PyTorch's names.

A dual tensor is a value and the direction in which it moves. All that is computed from it, while the level of
its direction lasts, is dual too. For derivatives of functions, `chainrule.func.jvp` is shorter.
"""

from __future__ import annotations

from types import TracebackType
from typing import Any, NamedTuple, Self

from ..backward import node_of
from ..base import TensorBase
from ..core.dtypes import FROM_NUMPY
from ..core.errors import ArgumentError, DTypeError, GradError, ShapeError
from ..ops.primitive import levels
from ..transforms.forward import Forward
from ..transforms.level import below, same

__all__ = ["UnpackedDualTensor", "dual_level", "make_dual", "unpack_dual"]


class UnpackedDualTensor(NamedTuple):
    """What `unpack_dual` returns: the value, and how it moves (None: not at all)."""

    primal: Any
    tangent: Any


class dual_level:
    """In a `with` block, tensors may be dual; after it their directions are forgotten.

    >>> import chainrule as torch
    >>> from chainrule.autograd import forward_ad
    >>> with forward_ad.dual_level():
    ...     x = forward_ad.make_dual(torch.tensor(3.0), torch.tensor(1.0))
    ...     forward_ad.unpack_dual(x * x).tangent
    tensor(6.)
    """

    def __enter__(self) -> Self:
        self._open = Forward().entered()
        self._open.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open.__exit__(kind, error, trace)


def make_dual(tensor: Any, tangent: Any) -> Any:
    """A dual tensor: the value of `tensor`, on the same memory, moving by `tangent`.

    tangent: of the shape and type of the tensor.
    Raises:  GradError outside a `dual_level`; TypeError for types that are not floating point.
    """
    level = _level("make_dual")
    for name, x in (("tensor", tensor), ("tangent", tangent)):
        if not isinstance(x, TensorBase):
            raise ArgumentError.of(
                "make_dual", given=f"{type(x).__name__} as the {name}", must="both are tensors"
            )
    if tensor._a.dtype.kind != "f":
        raise DTypeError.of(
            "make_dual",
            given=f"a tensor {tensor._a.shape} of type {FROM_NUMPY[tensor._a.dtype].name}",
            must="only floating-point values change continuously, so only they move",
            hint="x.float()",
        )
    if tangent._a.shape != tensor._a.shape or FROM_NUMPY[tangent._a.dtype] is not FROM_NUMPY[tensor._a.dtype]:
        raise ShapeError.of(
            "make_dual",
            given=f"a {FROM_NUMPY[tangent._a.dtype].name} tangent {tangent._a.shape} "
            f"for a {FROM_NUMPY[tensor._a.dtype].name} tensor {tensor._a.shape}",
            must="a direction has the shape and the type of what moves",
        )
    dual = same(tensor, node_of(tensor))
    level.move(dual, tangent)
    return dual


def unpack_dual(tensor: Any) -> UnpackedDualTensor:
    """The value of a dual tensor, and how it moves."""
    level = _level("unpack_dual")
    with below():  # as a value of the levels outside, it does not move on this one
        return UnpackedDualTensor(same(tensor, node_of(tensor)), level.tangent(tensor))


def _level(what: str) -> Forward:
    top = levels.stack[-1] if levels.stack else None
    if not isinstance(top, Forward):
        raise _outside(what)
    return top


def _outside(what: str) -> GradError:
    return GradError.of(
        what,
        given="no dual level",
        must="directions belong to a level",
        hint="with forward_ad.dual_level(): around it",
    )
