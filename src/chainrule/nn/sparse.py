"""Embedding: a learned row for each whole number. Next: `loss.py`."""

from __future__ import annotations

from typing import Any, Self

from ..core.dtypes import dtype as DType
from ..core.errors import ArgumentError, ChainruleError, IndexingError
from ..creation import empty
from ..tensor import Tensor
from . import functional as F
from . import init
from .locate import Facts
from .module import Module
from .parameter import Parameter


class Embedding(Module):
    """The rows of `weight` that the input names.

    Shapes:  int (...) -> (..., embedding_dim). weight (num_embeddings, embedding_dim), standard normal at the
             start.
    Args:    padding_idx: this row starts as zeros and gets no gradient. max_norm: longer rows are shortened
             to it when they are looked up. scale_grad_by_freq: gradients are divided by how often a row
             occurs in the input.
    Raises:  IndexingError, naming the layer by its path, if a number is outside 0..num_embeddings-1.

    >>> import chainrule as torch
    >>> layer = torch.nn.Embedding(10, 3, padding_idx=0)
    >>> layer
    Embedding(10, 3, padding_idx=0)
    >>> layer(torch.tensor([[1, 0]])).shape
    torch.Size([1, 2, 3])
    """

    weight: Parameter

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Tensor | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: DType | None = None,
    ) -> None:
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ArgumentError.of(
                    "Embedding",
                    given=f"padding_idx={padding_idx}",
                    must=f"it must lie in {-num_embeddings}..{num_embeddings - 1}",
                )
            padding_idx %= num_embeddings
        if sparse:
            raise ArgumentError.of(
                "Embedding",
                given="sparse=True",
                must="gradients are dense here",
                hint="sparse=False, the same values",
            )
        self.num_embeddings, self.embedding_dim, self.padding_idx = num_embeddings, embedding_dim, padding_idx
        self.max_norm, self.norm_type, self.scale_grad_by_freq = max_norm, norm_type, scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            weight = empty(num_embeddings, embedding_dim, dtype=dtype, device=device)
            self.weight = Parameter(weight, requires_grad=not _freeze)
            self.reset_parameters()
        else:
            if tuple(_weight.shape) != (num_embeddings, embedding_dim):
                raise ArgumentError.of(
                    "Embedding",
                    given=f"_weight {tuple(_weight.shape)}",
                    must=f"its shape must be ({num_embeddings}, {embedding_dim})",
                )
            self.weight = Parameter(_weight, requires_grad=not _freeze)

    def reset_parameters(self) -> None:
        """Draw new rows; the padding row becomes zeros."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.detach()[self.padding_idx] = 0.0

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Tensor,
        freeze: bool = True,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> Self:
        """An Embedding with the given rows (n, d), which are not trained unless freeze=False.

        >>> import chainrule as torch
        >>> layer = torch.nn.Embedding.from_pretrained(torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
        >>> layer(torch.tensor(1))
        tensor([3., 4.])
        """
        if embeddings.ndim != 2:
            raise ArgumentError.of(
                "Embedding.from_pretrained",
                given=f"rows of shape {tuple(embeddings.shape)}",
                must="they must be (n, d)",
            )
        rows, columns = embeddings.shape
        return cls(
            rows,
            columns,
            padding_idx,
            max_norm,
            norm_type,
            scale_grad_by_freq,
            sparse,
            embeddings,
            _freeze=freeze,
        )

    def forward(self, input: Tensor) -> Tensor:
        return F.embedding(
            input,
            self.weight,
            self.padding_idx,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.sparse,
        )

    def explain_error(self, err: ChainruleError, *args: Any) -> Facts | None:
        x = args[0] if args else None
        if not isinstance(err, IndexingError) or not isinstance(x, Tensor):
            return None
        low, high = int(x.min()), int(x.max())
        bad = low if low < 0 else high
        return Facts(
            f"number {bad}, but it has {self.num_embeddings} rows",
            f"numbers must lie in 0..{self.num_embeddings - 1}",
            f"Embedding({high + 1}, {self.embedding_dim}), or map unknown numbers to one row"
            if low >= 0
            else "number the rows from 0",
        )

    def extra_repr(self) -> str:
        text = f"{self.num_embeddings}, {self.embedding_dim}"
        if self.padding_idx is not None:
            text += f", padding_idx={self.padding_idx}"
        if self.max_norm is not None:
            text += f", max_norm={self.max_norm}"
        if self.norm_type != 2:
            text += f", norm_type={self.norm_type}"
        if self.scale_grad_by_freq:
            text += ", scale_grad_by_freq=True"
        return text
