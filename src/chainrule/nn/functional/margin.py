"""Losses that ask for a margin: hinge, ranking, multi-class. Next: `__init__.py`."""

from __future__ import annotations

from ...core.errors import ArgumentError, IndexingError, ShapeError
from ...core.shapes import BroadcastMismatch, broadcast_shapes
from ...functions.elementwise import where
from ...tensor import Tensor
from .class_numbers import check_class_numbers, check_weight, class_out_of_range
from .reduction import chosen, reduced


def hinge_embedding_loss(
    input: Tensor,
    target: Tensor,
    margin: float = 1.0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """x where target is 1 (alike: pull together), max(0, margin - x) where it is -1 (unlike: push apart).

    Shapes:  input (...), target (...) of 1 and -1 -> (), or (...) for reduction="none".

    >>> import chainrule as torch
    >>> hinge_embedding_loss(torch.tensor([0.3, 0.3]), torch.tensor([1, -1]), reduction="none")
    tensor([0.3000, 0.7000])
    """
    reduction = chosen(size_average, reduce, reduction)
    unlike = where(target != 1, (margin - input).clamp(min=0.0), 0.0)
    alike = where(target != -1, input, 0.0)
    return reduced(alike + unlike, reduction)


def margin_ranking_loss(
    input1: Tensor,
    input2: Tensor,
    target: Tensor,
    margin: float = 0,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """max(0, margin - target (x1 - x2)): target 1 says that x1 should be the larger one, -1 that x2 should.

    Shapes:  all (...), of one rank -> (), or (...) for reduction="none".

    >>> import chainrule as torch
    >>> margin_ranking_loss(torch.tensor([2.0]), torch.tensor([3.0]), torch.tensor([1.0]))
    tensor(1.)
    """
    reduction = chosen(size_average, reduce, reduction)
    shapes = [tuple(t.shape) for t in (input1, input2, target)]
    if len({len(shape) for shape in shapes}) > 1:
        raise ShapeError.of(
            "margin_ranking_loss",
            given=f"input1 {shapes[0]}, input2 {shapes[1]} and target {shapes[2]}",
            must="all three must have the same number of axes; broadcasting would compare wrong pairs",
            hint="target.reshape(input1.shape)",
        )
    try:
        broadcast_shapes(*shapes)
    except BroadcastMismatch as mismatch:
        raise mismatch.to_error("margin_ranking_loss of input1, input2 and target") from None
    return reduced((-target * (input1 - input2) + margin).clamp(min=0.0), reduction)


def multi_margin_loss(
    input: Tensor,
    target: Tensor,
    p: int = 1,
    margin: float = 1.0,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """The hinge loss of a multi-class SVM: sum over wrong classes i of max(0, margin - x[right] + x[i])^p/c.

    Shapes:  input (c,) or (n, c), target () or (n,) int64, weight (c,) -> (), or (n,) for reduction="none".
    Raises:  ArgumentError (a ValueError) if p is not 1 or 2.

    >>> import chainrule as torch
    >>> multi_margin_loss(torch.tensor([[0.1, 0.2, 0.4, 0.8]]), torch.tensor([3]))
    tensor(0.3250)
    """
    reduction = chosen(size_average, reduce, reduction)
    if p not in (1, 2):
        raise ArgumentError.of("multi_margin_loss", given=f"p={p}", must="p must be 1 or 2", hint="p=1")
    if input.ndim not in (1, 2):
        raise ShapeError.of(
            "multi_margin_loss", given=f"x {tuple(input.shape)}", must="x must be (c,) or (n, c)"
        )
    axis = input.ndim - 1
    classes = input.shape[axis]
    check_weight("multi_margin_loss", weight, classes)
    check_class_numbers("multi_margin_loss", input, target, axis)
    index = target.unsqueeze(axis).long()  # (n,) -> (n, 1)
    try:
        right = input.gather(axis, index)  # (n, 1)
    except IndexingError:
        raise class_out_of_range("multi_margin_loss", index, classes) from None
    excess = (
        input - right + margin
    ).relu()  # (n, c); the right class itself has the margin, and is left out below
    if p == 2:
        excess = excess.square()
    if weight is not None:
        excess = excess * weight[index]  # (n, c) * (n, 1): the weight of the right class
    wrong = excess.scatter(axis, index, 0.0)
    return reduced(wrong.sum(axis) / classes, reduction)
