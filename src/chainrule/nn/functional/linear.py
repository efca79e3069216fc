"""Affine maps, and turning whole numbers into one-hot rows. Next: `normalization.py`."""

from __future__ import annotations

from ...core.dtypes import int64
from ...core.errors import ArgumentError, DTypeError, IndexingError
from ...creation import arange
from ...functions import products
from ...functions.options import values_known
from ...tensor import Tensor


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """x @ weight.T + bias.

    Shapes:  input (..., i), weight (o, i), bias (o,) -> (..., o); with weight (i,): (..., i) -> (...).
    Raises:  ShapeError if the last axis of x is not as long as the last axis of the weight.

    >>> import chainrule as torch
    >>> linear(torch.tensor([[1.0, 2.0]]), torch.tensor([[1.0, 1.0], [0.0, 1.0]]), torch.tensor([0.5, 0.0]))
    tensor([[3.5000, 2.0000]])
    """
    product = (
        products.linear(input, weight) if weight.ndim == 2 else input @ weight
    )  # (..., i), (o, i) -> (..., o)
    return product if bias is None else product + bias


def bilinear(input1: Tensor, input2: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """sum over i and j of x1[i] * weight[:, i, j] * x2[j], plus bias.

    Shapes:  input1 (..., i), input2 (..., j), weight (o, i, j), bias (o,) -> (..., o).

    >>> import chainrule as torch
    >>> bilinear(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0]]), torch.ones(1, 2, 1))
    tensor([[9.]])
    """
    out_features, i, j = weight.shape
    pairs = input1.unsqueeze(-1) * input2.unsqueeze(-2)  # (..., i, 1) * (..., 1, j) -> (..., i, j)
    product = pairs.flatten(-2) @ weight.reshape(out_features, i * j).T  # (..., i*j) @ (i*j, o) -> (..., o)
    return product if bias is None else product + bias


def one_hot(tensor: Tensor, num_classes: int = -1) -> Tensor:
    """A row of zeros with a one at the class, for every class number; -1 takes the largest number plus one.

    Shapes:  int64 (...) -> int64 (..., num_classes).
    Raises:  DTypeError if `tensor` is not int64; IndexingError if a class number is outside 0..num_classes-1.

    >>> import chainrule as torch
    >>> torch.nn.functional.one_hot(torch.tensor([0, 2]))
    tensor([[1, 0, 0],
            [0, 0, 1]])
    """
    if tensor.dtype != int64:
        raise DTypeError.of(
            "one_hot",
            given=f"{tensor.dtype}",
            must="class numbers must be int64",
            hint="x.long(), if x is whole",
        )
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise ArgumentError.of(
                "one_hot",
                given="no class numbers",
                must="num_classes cannot be found from them",
                hint="num_classes=3",
            )
        return (tensor.unsqueeze(-1) == arange(num_classes)).to(int64)
    if num_classes != -1 and not values_known(tensor):
        return (tensor.unsqueeze(-1) == arange(num_classes)).to(int64)
    low, high = int(tensor.min()), int(tensor.max())
    classes = high + 1 if num_classes == -1 else num_classes
    if low < 0 or high >= classes:
        raise IndexingError.of(
            "one_hot",
            given=f"class numbers from {low} to {high}, with num_classes={num_classes}",
            must=f"class numbers must lie in 0..{max(classes - 1, 0)}",
            hint=f"num_classes={high + 1}" if low >= 0 else "number the classes from 0",
        )
    return (tensor.unsqueeze(-1) == arange(classes)).to(int64)  # (..., 1) == (k,) -> (..., k)


def normalize(input: Tensor, p: float = 2.0, dim: int | tuple[int, ...] = 1, eps: float = 1e-12) -> Tensor:
    """x / max(norm(x, p), eps) along `dim`.

    >>> import chainrule as torch
    >>> torch.nn.functional.normalize(torch.tensor([[3.0, 4.0]]))
    tensor([[0.6000, 0.8000]])
    """
    return input / input.norm(p, dim, keepdim=True).clamp(min=eps)


def cosine_similarity(x1: Tensor, x2: Tensor, dim: int = 1, eps: float = 1e-8) -> Tensor:
    """x1·x2 / (max(|x1|, eps) max(|x2|, eps)) along `dim`: 1 for the same direction, 0 for right angles.

    >>> import chainrule as torch
    >>> cosine_similarity(torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0]]))
    tensor([0.7071])
    """
    norm1 = x1.norm(2, dim, keepdim=True).clamp(min=eps)
    norm2 = x2.norm(2, dim, keepdim=True).clamp(min=eps)
    return ((x1 / norm1) * (x2 / norm2)).sum(dim)
