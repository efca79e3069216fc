"""How a loss goes from one number per element to one number: none, mean, sum. Next: `regression.py`."""

from __future__ import annotations

from ...core.errors import ArgumentError, nearest
from ...core.warn import warn
from ...tensor import Tensor

REDUCTIONS = ("none", "mean", "sum")


def reduced(losses: Tensor, reduction: str) -> Tensor:
    """`losses` as they are, their mean or their sum.

    >>> import chainrule as torch
    >>> reduced(torch.tensor([1.0, 3.0]), "mean")
    tensor(2.)
    """
    if reduction == "mean":
        return losses.mean()
    if reduction == "sum":
        return losses.sum()
    if reduction == "none":
        return losses
    raise invalid(reduction)


def invalid(reduction: str, valid: tuple[str, ...] = REDUCTIONS) -> ArgumentError:
    """The error for a reduction that does not exist."""
    options = ", ".join(map(repr, valid))
    return ArgumentError.of(
        "a loss",
        given=f"reduction={reduction!r}",
        must=f"reduction must be one of {options}{nearest(str(reduction), list(valid))}",
    )


def chosen(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction meant by the two older arguments, if one of them is given; else the one by name."""
    if size_average is None and reduce is None:
        return reduction
    if reduce is False:
        meant = "none"
    else:
        meant = "sum" if size_average is False else "mean"
    warn(f"size_average and reduce are older names\n  try: reduction={meant!r} instead, which means the same")
    return meant
