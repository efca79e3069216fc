"""Checks of class numbers, and of one weight for each class, shared by the losses over classes."""

from __future__ import annotations

from ...core.dtypes import int64, uint8
from ...core.errors import DTypeError, IndexingError, ShapeError
from ...tensor import Tensor


def check_weight(what: str, weight: Tensor | None, classes: int) -> None:
    """Raise unless there is no weight, or one for each class."""
    if weight is not None and tuple(weight.shape) != (classes,):
        raise ShapeError.of(
            what,
            given=f"weight {tuple(weight.shape)} for {classes} classes",
            must=f"weight must hold one factor for each class: ({classes},)",
        )


def check_class_numbers(what: str, input: Tensor, target: Tensor, axis: int) -> None:
    """Raise unless the target has a class number for each row of scores."""
    expected = tuple(n for i, n in enumerate(input.shape) if i != axis)
    if tuple(target.shape) != expected:
        hint = "one class number for each row of x"
        if tuple(target.shape) == (*expected, 1):
            hint = "target.squeeze(-1)"
        elif target.is_floating_point():
            hint = "class probabilities of the shape of x, or class numbers without the class axis"
        raise ShapeError.of(
            what,
            given=f"x {tuple(input.shape)} and target {tuple(target.shape)}",
            must=f"class numbers must have the shape of x without its class axis (axis {axis}): {expected}",
            hint=hint,
        )
    if target.dtype not in (int64, uint8):
        raise DTypeError.of(
            what,
            given=f"a target {tuple(target.shape)} with {target.dtype}",
            must="class numbers must be int64",
            hint="target.long()",
        )


def class_out_of_range(what: str, index: Tensor, classes: int) -> IndexingError:
    """The error for class numbers of which one does not exist."""
    low, high = int(index.min()), int(index.max())
    hint = "as many scores as there are classes"
    if low < 0:
        ignores = what != "multi_margin_loss"  # the one loss over classes without ignore_index
        hint = f"ignore_index={low}, if it means that there is no class" if ignores else ""
    elif low >= 1 and high == classes:
        hint = "target - 1, if the numbers start at 1"
    return IndexingError.of(
        what,
        given=f"class number {low if low < 0 else high} for {classes} classes",
        must=f"class numbers must lie in 0..{classes - 1}",
        hint=hint,
    )
