"""The book's names for what arrays of every framework can do: functions, and methods as functions.

The book's text is the same for several frameworks; `d2l.reshape(x, shape)` is what its code calls in each
of them.
"""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from ... import (
    Tensor,
    abs,
    arange,
    cos,
    cosh,
    exp,
    eye,
    float32,
    int32,
    linspace,
    log,
    matmul,
    meshgrid,
    normal,
    ones,
    rand,
    randn,
    sigmoid,
    sin,
    sinh,
    stack,
    tanh,
    tensor,
    zeros,
)
from ... import bmm as batch_matmul
from ... import cat as concat
from ...nn import Module as nn_Module

__all__ = [
    "abs", "arange", "argmax", "astype", "batch_matmul", "concat", "corr2d", "cos", "cosh", "exp",
    "expand_dims", "eye", "float32", "int32", "linspace", "log", "matmul", "meshgrid", "nn_Module",
    "normal", "numpy", "ones", "rand", "randn", "reduce_mean", "reduce_sum", "repeat", "reshape",
    "sigmoid", "sin", "sinh", "size", "stack", "swapaxes", "tanh", "tensor", "to", "transpose", "zeros",
]  # fmt: skip


def numpy(x: Tensor) -> npt.NDArray[Any]:
    """The values of a tensor as a NumPy array, without its gradient.

    >>> numpy(tensor([1.0, 2.0], requires_grad=True))
    array([1., 2.], dtype=float32)
    """
    array: npt.NDArray[Any] = x.detach().numpy()
    return array


def size(x: Tensor) -> int:
    """The number of elements: `x.numel()`.

    >>> size(zeros(2, 3))
    6
    """
    return int(x.numel())


def reshape(x: Tensor, *args: Any, **options: Any) -> Tensor:
    """`x.reshape(shape)`.

    >>> reshape(arange(4), (2, 2))
    tensor([[0, 1],
            [2, 3]])
    """
    return x.reshape(*args, **options)


def to(x: Tensor, *args: Any, **options: Any) -> Tensor:
    """`x.to(dtype or device)`.

    >>> to(arange(2), float32)
    tensor([0., 1.])
    """
    return x.to(*args, **options)


def reduce_sum(x: Tensor, *args: Any, **options: Any) -> Tensor:
    """`x.sum(axis)`.

    >>> reduce_sum(ones(2, 3), 0)
    tensor([2., 2., 2.])
    """
    return x.sum(*args, **options)


def reduce_mean(x: Tensor, *args: Any, **options: Any) -> Tensor:
    """`x.mean(axis)`.

    >>> reduce_mean(tensor([1.0, 3.0]))
    tensor(2.)
    """
    return x.mean(*args, **options)


def argmax(x: Tensor, *args: Any, **options: Any) -> Tensor:
    """`x.argmax(axis)`: where the largest element stands.

    >>> argmax(tensor([1.0, 5.0, 2.0]))
    tensor(1)
    """
    return x.argmax(*args, **options)


def astype(x: Tensor, *args: Any, **options: Any) -> Tensor:
    """`x.type(dtype)`: the values in another type.

    >>> astype(tensor([1.7]), int32)
    tensor([1], dtype=torch.int32)
    """
    changed: Tensor = x.type(*args, **options)
    return changed


def transpose(x: Tensor, *args: Any, **options: Any) -> Tensor:
    """`x.t()`: rows and columns of a matrix exchanged.

    >>> transpose(tensor([[1, 2]]))
    tensor([[1],
            [2]])
    """
    return x.t(*args, **options)


def corr2d(X: Tensor, K: Tensor) -> Tensor:
    """The cross-correlation of two matrices: the sum of X times K at each place where K fits into X.

    Shapes:  X (n, m), K (h, w) -> (n - h + 1, m - w + 1).

    >>> corr2d(arange(9.0).reshape(3, 3), tensor([[0.0, 1.0], [2.0, 3.0]]))
    tensor([[19., 25.],
            [37., 43.]])
    """
    (n, m), (h, w) = X.shape, K.shape
    parts = [K[i, j] * X[i : n - h + 1 + i, j : m - w + 1 + j] for i in range(h) for j in range(w)]
    return stack(parts).sum(0)


def expand_dims(x: Tensor, *args: Any, **options: Any) -> Tensor:
    """`x.unsqueeze(axis)`: a new axis of size 1.

    >>> expand_dims(arange(2), 0).shape
    torch.Size([1, 2])
    """
    return x.unsqueeze(*args, **options)


def swapaxes(x: Tensor, *args: Any, **options: Any) -> Tensor:
    """`x.swapaxes(i, j)`.

    >>> swapaxes(zeros(2, 3, 4), 0, 2).shape
    torch.Size([4, 3, 2])
    """
    return x.swapaxes(*args, **options)


def repeat(x: Tensor, *args: Any, **options: Any) -> Tensor:
    """`x.repeat(times)`: copies side by side.

    >>> repeat(arange(2), 2)
    tensor([0, 1, 0, 1])
    """
    return x.repeat(*args, **options)
