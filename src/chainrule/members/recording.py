"""A tensor on the tape: `requires_grad`, `backward`, `grad`, hooks, detaching. Next: `writing.py`.

How backward works is in `../backward.py` and `../tape/engine.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Self

from .. import backward as bw
from ..backward import node_of
from ..base import TensorBase, View, owner_of
from ..core.above import above
from ..core.dtypes import FROM_NUMPY
from ..core.errors import ArgumentError, DTypeError, GradError, ShapeError
from ..inplace import is_traced
from ..ops.primitive import interpreter, levels, tracing
from ..tape.hooks import RemovableHandle, hook_handle
from ..tape.node import AccumulateGrad, Node, OpNode

if TYPE_CHECKING:
    from ..explain.derivation import Derivation
    from ..tensor import Tensor


def _set_grad(self: TensorBase, value: Any) -> None:
    if value is not None:
        _check_grad(self, value)
    if tracing.tracer is not None:
        tracing.tracer.grad_set(self)
    self._grad = value


def _check_grad(x: TensorBase, value: Any) -> None:
    if not isinstance(value, TensorBase) or value is x:
        raise ArgumentError.of(
            "x.grad = g",
            given="x itself" if value is x else type(value).__name__,
            must="the gradient must be another Tensor, or None",
        )
    if value._a.shape != x._a.shape:
        raise ShapeError.of(
            "x.grad = g",
            given=f"g {value._a.shape} for a tensor {x._a.shape}",
            must="the gradient must have the shape of the tensor",
        )
    if value._a.dtype != x._a.dtype:
        kind = FROM_NUMPY[x._a.dtype]
        raise DTypeError.of(
            "x.grad = g",
            given=f"g of type {FROM_NUMPY[value._a.dtype].name} for a tensor of type {kind.name}",
            must="the gradient must have the type of the tensor",
            hint=f"g.to({kind})",
        )


class Recording(TensorBase):
    """The part of Tensor that concerns gradients."""

    __slots__ = ()

    grad: Any = property(
        attrgetter("_grad"),  # read in every update of every parameter: no Python function on the way
        _set_grad,
        lambda self: _set_grad(self, None),
        "The accumulated gradient, a Tensor like this one; None before the first backward.",
    )

    @property
    def requires_grad(self) -> bool:
        """Whether backward goes through this tensor. Set it on tensors that you made yourself."""
        return node_of(self) is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Switch on or off that gradients are collected in `.grad`. Returns self.

        Raises:  GradError for a type that is not floating point, or for a result of recorded operations.

        >>> import chainrule as torch
        >>> torch.tensor([1.0, 2.0]).requires_grad_()
        tensor([1., 2.], requires_grad=True)
        """
        if bool(requires_grad) == self.requires_grad:
            return self
        if requires_grad:
            if self._a.dtype.kind != "f":
                raise GradError.of(
                    "requires_grad_",
                    given=f"a tensor {self._a.shape} of type {FROM_NUMPY[self._a.dtype].name}",
                    must="only floating-point values change continuously, so only they have gradients",
                    hint="x.float().requires_grad_()",
                )
            self._node = AccumulateGrad(self)
        else:
            if not self.is_leaf:
                raise GradError.of(
                    "requires_grad_(False)",
                    given=f"a tensor {self._a.shape} made by recorded operations",
                    must="its need for a gradient comes from its inputs",
                    hint="x.detach()",
                )
            self._node = None
        return self

    @property
    def is_leaf(self) -> bool:
        """Whether the tensor was made by the user, not by a recorded operation."""
        node = node_of(self)
        return node is None or isinstance(node, AccumulateGrad)

    @property
    def grad_fn(self) -> Node | None:
        """The node of the operation that made this tensor; None for leaves."""
        node = node_of(self)
        return None if isinstance(node, AccumulateGrad) else node

    @property
    def retains_grad(self) -> bool:
        """Whether backward stores the gradient of this intermediate result in `.grad`."""
        return not self.is_leaf and bw.retains(self)

    def retain_grad(self) -> None:
        """Store the gradient of this intermediate result in `.grad` at backward.

        >>> import chainrule as torch
        >>> x = torch.tensor(3.0, requires_grad=True)
        >>> y = x * x
        >>> y.retain_grad()
        >>> (2 * y).backward()
        >>> y.grad
        tensor(2.)
        """
        bw.retain(self)

    def backward(
        self,
        gradient: Any = None,
        retain_graph: bool | None = None,
        create_graph: bool = False,
        inputs: Any = None,
    ) -> None:
        """Add the derivative of this tensor to the `.grad` of every leaf it was computed from.

        gradient:      what arrives here: needed, in the tensor's shape, unless it has one element.
        retain_graph:  keep what is needed for another backward through the same graph.
        create_graph:  record the backward itself, for derivatives of derivatives.
        inputs:        only these tensors get a gradient.
        Raises:        GradError if nothing was recorded, for several elements and no `gradient`, through
                       memory that an earlier backward has freed, and for values changed in place since.

        >>> import chainrule as torch
        >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> (x**3).sum().backward()
        >>> x.grad
        tensor([ 3., 12.])
        """
        bw.backward(self, gradient, retain_graph, create_graph, inputs)

    def explain(self, mode: str = "both", layout: str = "numerator") -> Derivation:
        """How the gradient of this result comes about, step by step, from what was recorded for backward.

        As `chainrule.explain(fn, *inputs)`, for a result that is there already: call it before backward,
        which frees what was kept. What no gradient reads was not kept, and is shown as "not kept"; there is
        no comparison with central differences, because there is no function to run again.

        mode:   which tables to show: "both", "forward" or "reverse".
        layout: of derivatives by vectors and matrices: "numerator" (∂a/∂w = xᵀ) or "denominator" (∂a/∂w = x).
        Raises: GradError for a tensor that nothing was recorded for, a leaf, or after backward.

        >>> import chainrule as torch
        >>> w = torch.tensor(3.0, requires_grad=True)
        >>> z = (w * w + 1) ** 2
        >>> d = z.explain()
        >>> [row.name for row in d.reverse], d.gradient["w"]
        (['∂z/∂z', '∂z/∂v2', '∂z/∂v1', '∂z/∂w'], tensor(120.))
        """
        result: Derivation = above("explain_result")(self, mode, layout)
        return result

    def detach(self) -> Tensor:
        """The same memory, off the tape: results computed from it have no gradient to this tensor.

        >>> import chainrule as torch
        >>> x = torch.tensor([1.0], requires_grad=True)
        >>> (x * 2).detach()
        tensor([2.])
        """
        out: Tensor = self._at(None)
        out._view = View(owner_of(self))
        if levels.stack:
            interpreter.levels.detached(self, out)
        return out

    def detach_(self) -> Self:
        """Take this tensor off the tape. Returns self.

        Raises:  GradError for a view: what it is a view of would still follow it.
        """
        if self._view is not None and self._view.link:
            raise GradError.of(
                "detach_",
                given=f"a view {self._a.shape} of another tensor",
                must="only a tensor with memory of its own can leave the tape in place",
                hint="x.detach(), which makes another tensor on the same memory",
            )
        if isinstance(self._node, OpNode) and self._node.out is self._a:
            self._node.out = self._a.copy()  # it will not hear of writes to this tensor any more
        self._node = None
        return self

    @property
    def data(self) -> Tensor:
        """The same memory as a tensor of its own, off the tape; writing to it is not noticed by backward."""
        out: Tensor = self._at(None)
        return out

    @data.setter
    def data(self, value: Tensor) -> None:
        if not isinstance(value, TensorBase):
            raise ArgumentError.of(
                "x.data = y", given=type(value).__name__, must="y must be a Tensor", hint="tensor(...) of it"
            )
        if is_traced(self, value):
            interpreter.trace.refuse_data()
        a, node = value._a, node_of(self)
        if node is not None and a.dtype.kind != "f":
            raise GradError.of(
                "x.data = y",
                given=f"a y of type {FROM_NUMPY[a.dtype].name} for an x that needs a gradient",
                must="only floating-point values have gradients",
                hint="x.requires_grad_(False) first",
            )
        if isinstance(node, AccumulateGrad):  # its gradients have the new shape and type from now on
            node.shape, node.dtype = a.shape, a.dtype
        elif node is not None and (a.shape, a.dtype) != (self._a.shape, self._a.dtype):
            raise GradError.of(
                "x.data = y",
                given=f"a y {a.shape} for an x {self._a.shape} that was made by recorded operations",
                must="shape and type must stay: the gradient that arrives is that of the recorded result",
                hint="x = y.clone()",
            )
        self._a = a
        self._view = None

    def register_hook(self, hook: Callable[[Tensor], Any]) -> RemovableHandle:
        """Call `hook(gradient)` when backward arrives here; what it returns, if not None, goes on instead.

        >>> import chainrule as torch
        >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
        >>> handle = x.register_hook(lambda g: g * 10)
        >>> x.sum().backward()
        >>> x.grad
        tensor([10., 10.])
        >>> handle.remove()
        """
        node = node_of(self)
        if node is None:
            raise GradError.of(
                "register_hook",
                given=f"a tensor {self._a.shape} that needs no gradient",
                must="no gradient will arrive",
                hint="x.requires_grad_()",
            )
        return hook_handle(node, "hooks", hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Tensor], Any]) -> RemovableHandle:
        """Call `hook(tensor)` each time backward has added to this leaf's `.grad`."""
        node = node_of(self)
        if not isinstance(node, AccumulateGrad):
            raise GradError.of(
                "register_post_accumulate_grad_hook",
                given=f"a tensor {self._a.shape} that collects no gradient",
                must="only leaves with requires_grad=True collect gradients",
                hint="x.register_hook(hook)" if node is not None else "x.requires_grad_()",
            )
        return hook_handle(node, "after", hook)
