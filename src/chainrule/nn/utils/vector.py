"""All parameters as one vector, and back. Next: `../__init__.py`."""

from __future__ import annotations

from collections.abc import Iterable

from ...autograd import no_grad
from ...core.errors import ShapeError
from ...functions.joining import cat
from ...tensor import Tensor


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All elements of all parameters in one vector, in order; gradients flow through it.

    >>> import chainrule as torch
    >>> parameters_to_vector([torch.tensor([[1.0, 2.0]]), torch.tensor(3.0)])
    tensor([1., 2., 3.])
    """
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Tensor, parameters: Iterable[Tensor]) -> None:
    """Write the elements of a vector into the parameters, in order.

    Raises:  ShapeError if the vector is not as long as the parameters have elements.

    >>> import chainrule as torch
    >>> w, b = torch.zeros(1, 2), torch.zeros(1)
    >>> vector_to_parameters(torch.tensor([1.0, 2.0, 3.0]), [w, b])
    >>> w, b
    (tensor([[1., 2.]]), tensor([3.]))
    """
    params = list(parameters)
    total = sum(p.numel() for p in params)
    if tuple(vec.shape) != (total,):
        raise ShapeError.of(
            "vector_to_parameters",
            given=f"a vector {tuple(vec.shape)}",
            must=f"the parameters have {total} elements, so it must be ({total},)",
        )
    start = 0
    with no_grad():
        for p in params:
            p.copy_(vec[start : start + p.numel()].reshape(p.shape))
            start += p.numel()
