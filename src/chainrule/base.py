"""The fields of a Tensor, without its operators: what the tape and the interpreters need to know.

`tensor.py` has the class that users hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from .ops.primitive import Primitive
    from .tape.node import Node


class View:
    """How a tensor sees another one's memory.

    owner: the tensor whose array it is (never itself a view).
    steps: primitives and settings that lead from the owner to the view; None for a detached view, False for
           one made while gradients were off: gradients do not follow those.
    node:  the owner's node when this view's own node was made; if it has changed since, the owner was written
           to, and the view's node must be made anew.
    """

    __slots__ = ("node", "owner", "steps")

    def __init__(
        self,
        owner: TensorBase,
        steps: tuple[tuple[Primitive, dict[str, Any]], ...] | Literal[False] | None,
        node: Node | None,
    ) -> None:
        self.owner = owner
        self.steps = steps
        self.node = node


class TensorBase:
    """The memory layout shared by all tensors.

    _a:    the NumPy array with the values
    _node: the tape node that made it; for a leaf that wants a gradient its AccumulateGrad; else None
    _view: set when the memory belongs to another tensor
    _v:    number of in-place writes; an owner's counts for all its views
    grad:  the accumulated gradient, a Tensor or None
    _site: the user's line of the latest in-place write; not set before the first
    """

    __slots__ = ("__weakref__", "_a", "_node", "_site", "_v", "_view", "grad")

    _a: np.ndarray[Any, np.dtype[Any]]
    _node: Node | None
    _view: View | None
    _v: int
    grad: Any
    _site: Any


tensor_class: type = TensorBase  # replaced once by tensor.py, which stands above this file


def set_tensor_class(cls: type) -> None:
    global tensor_class
    tensor_class = cls


def wrap(a: np.ndarray[Any, Any], node: Node | None = None) -> Any:
    """A Tensor around an array, without copying."""
    out = object.__new__(tensor_class)
    out._a = a
    out._node = node
    out._view = None
    out._v = 0
    out.grad = None
    return out


def owner_of(x: TensorBase) -> TensorBase:
    """The tensor whose memory x uses: x itself unless it is a view."""
    return x if x._view is None else x._view.owner
