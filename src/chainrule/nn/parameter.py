"""Parameter and Buffer: tensors that a Module registers when they are assigned to it.

Both share the memory of the tensor they are made from. They are the one place in `nn` that reaches into a
tensor's fields, because they are tensors themselves. Next: `module.py`.
"""

from __future__ import annotations

from typing import Any, Self

from ..creation import empty
from ..tensor import Tensor


class Parameter(Tensor):
    """A tensor to be trained: a leaf that wants a gradient, and that belongs to the module it is assigned to.

    Args:    data: its memory is shared, not copied; without it, an empty tensor. requires_grad: False freezes
             it.
    Raises:  GradError (a RuntimeError) for an element type that is not floating point and requires_grad.

    >>> import chainrule as torch
    >>> torch.nn.Parameter(torch.tensor([1.0, 2.0]))
    Parameter containing:
    tensor([1., 2.], requires_grad=True)
    """

    __slots__ = ()

    def __init__(self, data: Tensor | None = None, requires_grad: bool = True) -> None:
        _share(self, data)
        if requires_grad:
            self.requires_grad_()

    def __repr__(self) -> str:
        return "Parameter containing:\n" + super().__repr__()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """A parameter with a copy of the values; the gradient stays behind."""
        known: Self | None = memo.get(id(self))
        if known is None:
            known = memo[id(self)] = type(self)(self.detach().clone(), self.requires_grad)
        return known


class Buffer(Tensor):
    """A tensor that belongs to a module's state and is not trained, such as a running mean.

    Args:    data: its memory is shared, not copied. persistent: whether it is part of the state dict.

    >>> import chainrule as torch
    >>> module = torch.nn.Module()
    >>> module.mean = torch.nn.Buffer(torch.zeros(2))
    >>> list(module.state_dict().items())
    [('mean', tensor([0., 0.]))]
    """

    __slots__ = ("persistent",)

    def __init__(self, data: Tensor | None = None, *, persistent: bool = True) -> None:
        _share(self, data)
        self.persistent = persistent

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        known: Self | None = memo.get(id(self))
        if known is None:
            known = memo[id(self)] = type(self)(self.detach().clone(), persistent=self.persistent)
        return known


def _share(x: Tensor, data: Tensor | None) -> None:
    """Set the fields of x to those of a fresh tensor on the memory of `data`."""
    if data is not None and not isinstance(data, Tensor):
        raise TypeError(
            f"{type(x).__name__} expects a Tensor, but got a {type(data).__name__}\n  try: tensor(...) of it"
        )
    x._a = (empty(0) if data is None else data)._a
    x._node = None
    x._view = None
    x._v = 0
    x.grad = None
