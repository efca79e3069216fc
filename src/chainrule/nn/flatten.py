"""Layers that change the shape only. Next: `dropout.py`."""

from __future__ import annotations

from collections.abc import Sequence

from ..core.errors import ArgumentError
from ..eager import need_tensor
from ..tensor import Tensor
from .module import Module


class Flatten(Module):
    """Joins the axes start_dim..end_dim into one; by default all but the batch axis.

    >>> import chainrule as torch
    >>> torch.nn.Flatten()(torch.zeros(32, 1, 28, 28)).shape
    torch.Size([32, 784])
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        super().__init__()
        self.start_dim, self.end_dim = start_dim, end_dim

    def forward(self, input: Tensor) -> Tensor:
        return need_tensor(input, "flatten").flatten(self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return f"start_dim={self.start_dim}, end_dim={self.end_dim}"


class Unflatten(Module):
    """Splits one axis into several; one size may be -1.

    >>> import chainrule as torch
    >>> torch.nn.Unflatten(1, (1, 28, 28))(torch.zeros(32, 784)).shape
    torch.Size([32, 1, 28, 28])
    """

    def __init__(self, dim: int, unflattened_size: Sequence[int]) -> None:
        super().__init__()
        if not isinstance(dim, int) or not all(isinstance(n, int) for n in unflattened_size):
            raise ArgumentError.of(
                "Unflatten",
                given=f"dim={dim!r} and unflattened_size={unflattened_size!r}",
                must="dim must be an integer and unflattened_size a tuple of integers (axes have no names)",
                hint="Unflatten(1, (2, 5))",
            )
        self.dim, self.unflattened_size = dim, unflattened_size

    def forward(self, input: Tensor) -> Tensor:
        return input.unflatten(self.dim, self.unflattened_size)

    def extra_repr(self) -> str:
        return f"dim={self.dim}, unflattened_size={self.unflattened_size}"
