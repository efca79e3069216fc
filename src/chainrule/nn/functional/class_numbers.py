"""Checks of class numbers, and of one weight for each class, shared by the losses over classes."""

from __future__ import annotations

from ...core.dtypes import int64, uint8
from ...core.errors import DTypeError, IndexingError, ShapeError
from ...tensor import Tensor


def check_weight(what: str, weight: Tensor | None, classes: int) -> None:
    if weight is not None and tuple(weight.shape) != (classes,):
        raise ShapeError.of(
            what,
            given=f"weight {tuple(weight.shape)} for {classes} classes",
            must=f"weight must hold one factor for each class: ({classes},)",
        )


def check_class_numbers(what: str, input: Tensor, target: Tensor, axis: int) -> None:
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
    low, high = int(index.min()), int(index.max())
    bad = low if low < 0 else high
    return IndexingError.of(
        what,
        given=f"class number {bad} for {classes} classes",
        must=f"class numbers must lie in 0..{classes - 1}",
        hint="target - 1, if the numbers start at 1"
        if low >= 1 and high == classes
        else f"ignore_index={bad}, or as many scores as there are classes",
    )
