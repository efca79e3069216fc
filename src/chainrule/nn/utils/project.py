"""Keeping parameters inside a ball: the constraint form of weight decay. Next: `vector.py`."""

from __future__ import annotations

from collections.abc import Iterable

from ...autograd import no_grad
from ...core.errors import ArgumentError
from ...functions.elementwise import where
from ...tensor import Tensor
from .clip import get_total_norm


def project_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float) -> Tensor:
    """Scale all parameters, in place, so that their common L2 norm is at most max_norm; the norm before.

    After each step of an optimizer this makes it projected gradient descent: it minimises the loss under the
    constraint ‖w‖ <= max_norm. The nearest point of the ball is on the line to its centre, so that one factor
    for all parameters is the projection. Parameters within the ball are not changed. (PyTorch has no such
    function; its `torch.renorm` does this for rows.)

    Raises:  ArgumentError for a negative max_norm.

    >>> import chainrule as torch
    >>> w = torch.nn.Parameter(torch.tensor([3.0, 4.0]))
    >>> torch.nn.utils.project_norm_(w, 1.0)
    tensor(5.)
    >>> w.detach()
    tensor([0.6000, 0.8000])
    """
    if not max_norm >= 0:
        raise ArgumentError.of(
            "project_norm_", given=f"max_norm = {max_norm!r}", must="max_norm must be at least 0"
        )
    row = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    with no_grad():
        norm = get_total_norm([p.detach() for p in row])
        factor = where(norm > max_norm, max_norm / norm, 1.0)
        for p in row:
            p.mul_(factor.to(p.dtype))
    return norm
