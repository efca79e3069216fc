"""Dropout as a layer; the function is `functional/normalization.py`. Next: `normalization.py`."""

from __future__ import annotations

from ..core.errors import ArgumentError
from ..tensor import Tensor
from . import functional as F
from .module import Module


class Dropout(Module):
    """In training each element is 0 with probability p, and the others are divided by 1 - p.

    >>> import chainrule as torch
    >>> layer = torch.nn.Dropout(0.5)
    >>> layer
    Dropout(p=0.5, inplace=False)
    >>> sorted(set(layer(torch.ones(100)).tolist())), set(layer.eval()(torch.ones(100)).tolist())
    ([0.0, 2.0], {1.0})
    """

    def __init__(self, p: float = 0.5, inplace: bool = False) -> None:
        super().__init__()
        if not 0 <= p <= 1:
            raise ArgumentError.of(
                "Dropout", given=f"p={p}", must="the probability p must lie in [0, 1]", hint="p=0.5"
            )
        self.p, self.inplace = p, inplace

    def forward(self, input: Tensor) -> Tensor:
        return F.dropout(input, self.p, self.training, self.inplace)

    def extra_repr(self) -> str:
        return f"p={self.p}, inplace={self.inplace}"
