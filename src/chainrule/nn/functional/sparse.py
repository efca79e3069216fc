"""Looking rows up in a table by their number: embeddings. Next: `loss.py`."""

from __future__ import annotations

from ...autograd import no_grad
from ...core.errors import ArgumentError, IndexingError
from ...creation import ones_like, zeros
from ...functions.elementwise import where
from ...tensor import Tensor

_RENORM_EPS = 1e-7  # keeps the division finite; the same as PyTorch's, so that rows agree


def embedding(
    input: Tensor,
    weight: Tensor,
    padding_idx: int | None = None,
    max_norm: float | None = None,
    norm_type: float = 2.0,
    scale_grad_by_freq: bool = False,
    sparse: bool = False,
) -> Tensor:
    """The rows of `weight` that `input` names.

    Shapes:  input int (...), weight (n, d) -> (..., d).
    Args:    padding_idx: this row gets no gradient. max_norm: rows that are looked up and longer than this
             (in the norm of order norm_type) are first shortened to it, in the weight itself.
             scale_grad_by_freq: gradients are divided by how often a row occurs in `input`.
    Raises:  IndexingError if a number is outside 0..n-1; ArgumentError for sparse=True.

    >>> import chainrule as torch
    >>> torch.nn.functional.embedding(torch.tensor([[1, 0]]), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[[3., 4.],
             [1., 2.]]])
    """
    rows = weight.shape[0]
    if sparse:
        raise ArgumentError.of(
            "embedding",
            given="sparse=True",
            must="gradients are dense here",
            hint="sparse=False, the same values",
        )
    if padding_idx is not None:
        if not -rows <= padding_idx < rows:
            raise ArgumentError.of(
                "embedding", given=f"padding_idx={padding_idx}", must=f"it must lie in {-rows}..{rows - 1}"
            )
        padding_idx %= rows
    flat = input.reshape(-1)
    flat = where(flat < 0, rows, flat)  # numbers do not count from the end: -1 is as wrong as `rows`
    try:
        if max_norm is not None:
            _shorten(weight, flat, max_norm, norm_type)
        out = weight.index_select(0, flat)  # (k,) -> (k, d)
    except IndexingError:
        raise _no_such_row(input, rows) from None
    if scale_grad_by_freq:
        times = zeros(rows, dtype=weight.dtype).scatter_add(0, flat, ones_like(flat, dtype=weight.dtype))
        # The value stays; only what flows back is scaled.
        out = out.detach() + (out - out.detach()) / times.index_select(0, flat).unsqueeze(-1)
    out = out.reshape(*input.shape, weight.shape[1])  # (k, d) -> (..., d)
    if padding_idx is not None:
        out = where((input == padding_idx).unsqueeze(-1), out.detach(), out)
    return out


def _shorten(weight: Tensor, index: Tensor, max_norm: float, norm_type: float) -> None:
    """Scale the rows that are looked up, and longer than max_norm, down to it."""
    with no_grad():
        rows = weight.detach().index_select(0, index)
        norms = rows.norm(norm_type, -1, keepdim=True)  # (k, 1)
        # A row that is looked up twice is written twice, with the same numbers.
        weight.index_copy_(0, index, where(norms > max_norm, rows * (max_norm / (norms + _RENORM_EPS)), rows))


def _no_such_row(index: Tensor, rows: int) -> IndexingError:
    low, high = int(index.min()), int(index.max())
    return IndexingError.of(
        "embedding",
        given=f"number {low if low < 0 else high} for a weight of {rows} rows",
        must=f"numbers must lie in 0..{rows - 1}",
    )
