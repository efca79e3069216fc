"""Limiting gradients: by their common norm, or each element. Next: `project.py`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...autograd import no_grad
from ...core.errors import GradError
from ...creation import tensor
from ...functions.joining import stack
from ...linalg import vector_norm
from ...tensor import Tensor

_EPS = 1e-6  # keeps the division finite for gradients that are all 0; PyTorch's, so that results agree


def _gradients(parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    params = [parameters] if isinstance(parameters, Tensor) else parameters
    return [p.grad for p in params if p.grad is not None]


def get_total_norm(
    tensors: Tensor | Iterable[Tensor],
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: Any = None,
) -> Tensor:
    """The norm of all elements of all tensors, as if they stood in one vector.

    Args:    norm_type: its order; inf is the largest absolute value. foreach: of no meaning here.
    Raises:  GradError (a RuntimeError) for a result that is not finite, if asked to.

    >>> import chainrule as torch
    >>> get_total_norm([torch.tensor([3.0]), torch.tensor([4.0])])
    tensor(5.)
    """
    row = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    order = float(norm_type)
    if not row:
        return tensor(0.0)
    norms = [vector_norm(t, order) for t in row]
    total = vector_norm(stack([n.to(norms[0].dtype) for n in norms]), order)
    if error_if_nonfinite and not bool(total.isfinite()):
        raise GradError.of(
            "clip_grad_norm_",
            given=f"gradients whose norm of order {order} is {float(total)}",
            must="they cannot be clipped",
            hint="find the first bad operation with autograd.set_detect_anomaly(True), "
            "or error_if_nonfinite=False to go on",
        )
    return total


def clip_grads_with_norm_(
    parameters: Tensor | Iterable[Tensor], max_norm: float, total_norm: Tensor, foreach: Any = None
) -> None:
    """Multiply all gradients by max_norm / total_norm, if that is less than 1.

    >>> import chainrule as torch
    >>> p = torch.nn.Parameter(torch.zeros(1))
    >>> p.grad = torch.tensor([8.0])
    >>> clip_grads_with_norm_(p, 2.0, torch.tensor(8.0))
    >>> p.grad
    tensor([2.0000])
    """
    with no_grad():
        factor = (float(max_norm) / (total_norm + _EPS)).clamp(max=1.0)
        for grad in _gradients(parameters):
            grad.mul_(factor.to(grad.dtype))


def clip_grad_norm_(
    parameters: Tensor | Iterable[Tensor],
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: Any = None,
) -> Tensor:
    """Scale the gradients of all parameters, in place, so that their common norm is at most max_norm.

    Returns: the norm before.
    Raises:  GradError (a RuntimeError) for a norm that is not finite, if asked to.
    Source:  Pascanu et al., 2013.

    >>> import chainrule as torch
    >>> p = torch.nn.Parameter(torch.zeros(2))
    >>> p.grad = torch.tensor([3.0, 4.0])
    >>> clip_grad_norm_([p], max_norm=1.0)
    tensor(5.)
    >>> p.grad
    tensor([0.6000, 0.8000])
    """
    params = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    with no_grad():
        total = get_total_norm(_gradients(params), norm_type, error_if_nonfinite)
    clip_grads_with_norm_(params, max_norm, total)
    return total


def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float, foreach: Any = None) -> None:
    """Limit every element of every gradient to [-clip_value, clip_value], in place.

    >>> import chainrule as torch
    >>> p = torch.nn.Parameter(torch.zeros(2))
    >>> p.grad = torch.tensor([3.0, -0.5])
    >>> clip_grad_value_([p], 1.0)
    >>> p.grad
    tensor([ 1.0000, -0.5000])
    """
    limit = float(clip_value)
    with no_grad():
        for grad in _gradients(parameters):
            grad.clamp_(-limit, limit)
