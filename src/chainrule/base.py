"""The fields of a Tensor, without its operators: what the tape and the interpreters need to know.

`tensor.py` has the class that users hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from .ops.primitive import interpreter, tracing

if TYPE_CHECKING:
    from .ops.primitive import Primitive
    from .tape.node import Node
    from .tensor import Tensor


Link = tuple[Any, "Primitive", dict[str, Any]]  # (the link before it or None, primitive, settings)


class View:
    """How a tensor sees another one's memory.

    owner: the tensor whose memory it is (never itself a view); it counts the writes.
    base:  the tensor whose graph this view follows: a write through the view changes the base's gradient. The
           owner, or a detached view of it; None for a tensor that follows nobody's graph (a detached view).
    link:  how to get here from the base, as a chain; None where base is None, False for a view made while
           gradients were off: gradients do not follow that one.
    node:  the base's node when this view's own node was made; if it has changed since, the base was written
           to, and the view's node must be made anew.
    """

    __slots__ = ("base", "link", "node", "owner")

    def __init__(
        self,
        owner: TensorBase,
        base: TensorBase | None = None,
        link: Link | Literal[False] | None = None,
        node: Node | None = None,
    ) -> None:
        self.owner = owner
        self.base = base
        self.link = link
        self.node = node

    @property
    def steps(self) -> tuple[tuple[Primitive, dict[str, Any]], ...]:
        """Primitives and settings that lead from the base to the view, in order."""
        steps = []
        link: Any = self.link
        while link:
            steps.append((link[1], link[2]))
            link = link[0]
        return tuple(reversed(steps))


class TensorBase:
    """The memory layout shared by all tensors.

    _a:    the NumPy array with the values
    _node: the tape node that made it; for a leaf that wants a gradient its AccumulateGrad; else None
    _view: set when the memory belongs to another tensor
    _v:    number of in-place writes; an owner's counts for all its views
    _grad: the accumulated gradient, a Tensor or None; users see it as `grad`
    _site: the user's line of the latest in-place write; not set before the first
    """

    __slots__ = ("__weakref__", "_a", "_grad", "_node", "_site", "_v", "_view")

    _a: np.ndarray[Any, np.dtype[Any]]
    _node: Node | None
    _view: View | None
    _v: int
    _grad: Any
    _site: Any

    def _stack(self) -> Any:
        """Of a tensor that stands for the rows of a stack, the stack (`transforms/batch.py`); else None."""
        return None

    def _alike(self, new: Any) -> Any:
        """A tensor that was made in the form of this one, as one of its kind: with rows if this has rows."""
        return new

    def _at(self, node: Node | None) -> Any:
        """The same memory as another tensor, standing at another place of the tape."""
        if tracing.tracer is not None:
            return interpreter.trace.lift(self)._at(node)
        return wrap(self._a, node)


tensor_class: type = TensorBase  # replaced once by tensor.py, which stands above this file


def set_tensor_class(cls: type) -> None:
    global tensor_class
    tensor_class = cls


def wrap(a: np.ndarray[Any, Any], node: Node | None = None) -> Tensor:
    """A Tensor around an array, without copying."""
    out: Any = object.__new__(tensor_class)
    out._a = a
    out._node = node
    out._view = None
    out._v = 0
    out._grad = None
    return out  # type: ignore[no-any-return]


def owner_of(x: TensorBase) -> TensorBase:
    """The tensor whose memory x uses: x itself unless it is a view."""
    return x if x._view is None else x._view.owner


def base_of(x: TensorBase) -> TensorBase:
    """The tensor whose graph a write to x changes: x itself, unless it is a view that follows another's."""
    view = x._view
    return x if view is None or view.base is None else view.base
