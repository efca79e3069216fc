"""Losses over classes: cross-entropy and its parts, binary cross-entropy, Kullback-Leibler divergence.

All are in nats. Next: `margin.py`.
"""

from __future__ import annotations

from ...core.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from ...core.warn import warn
from ...eager import need_tensor
from ...functions.elementwise import where
from ...functions.options import values_known
from ...ops.cross_entropy import CROSS_ENTROPY
from ...tensor import Tensor
from ..broadcast_check import same_shapes
from .activation import logsigmoid
from .class_numbers import check_class_numbers, check_weight, class_out_of_range
from .reduction import REDUCTIONS, chosen, invalid, reduced

_LOG_FLOOR = (
    -100.0
)  # log(p) in binary_cross_entropy is not taken below this, so that p = 0 costs a finite amount
_SLOPE_FLOOR = 1e-12  # and p (1 - p) in its derivative not below this, so that p = 0 can still be left


def cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """Cross-entropy of softmax(input) with a target, in nats; through log_softmax, so it cannot overflow.

    Shapes:  input (c,), (n, c) or (n, c, ...): scores for c classes. target: class numbers, int64, of the
             shape of input without the class axis; or class probabilities of the shape of input. -> (), or
             the shape without the class axis for reduction="none".
    Args:    weight (c,): a factor for each class; the mean is then over the weights. ignore_index: targets
             with this number do not count. label_smoothing e: the target is mixed with e / c for every class.
    Raises:  ShapeError, DTypeError; IndexingError if a class number is outside 0..c-1.

    >>> import chainrule as torch
    >>> cross_entropy(torch.tensor([[0.0, 0.0], [2.0, 0.0]]), torch.tensor([1, 0]), reduction="none")
    tensor([0.6931, 0.1269])
    """
    reduction = chosen(size_average, reduce, reduction)
    if not 0 <= label_smoothing <= 1:
        raise ArgumentError.of(
            "cross_entropy",
            given=f"label_smoothing={label_smoothing}",
            must="it must lie in [0, 1]",
            hint="0.1",
        )
    if need_tensor(input, "cross_entropy").ndim == 0:
        raise ShapeError.of("cross_entropy", given="x ()", must="x must be (c,), (n, c) or (n, c, ...)")
    axis = 1 if input.ndim > 1 else 0
    check_weight("cross_entropy", weight, input.shape[axis])
    if target.shape == input.shape:
        return _soft_cross_entropy(input, target, weight, axis, reduction, label_smoothing)
    if weight is None and label_smoothing == 0 and input.ndim == 2:
        return _plain_cross_entropy(input, target, ignore_index, reduction)
    return _nll(
        "cross_entropy",
        input,
        input.log_softmax(axis),
        target,
        weight,
        ignore_index,
        reduction,
        label_smoothing,
    )


def _plain_cross_entropy(input: Tensor, target: Tensor, ignore_index: int, reduction: str) -> Tensor:
    """The usual case as one op: rows of scores, class numbers, no weights and no smoothing."""
    check_class_numbers("cross_entropy", input, target, 1)
    index = target.long()
    try:
        losses: Tensor = CROSS_ENTROPY(input, index, ignore=ignore_index)  # (n, c), (n,) -> (n,)
    except IndexingError:
        raise class_out_of_range("cross_entropy", index * (index != ignore_index), input.shape[1]) from None
    if reduction == "mean":
        return losses.sum() / (index != ignore_index).sum()
    return reduced(losses, reduction)


def nll_loss(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    ignore_index: int = -100,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-input[target]: the negative log likelihood in nats, of log probabilities such as log_softmax gives.

    Shapes and the other arguments as in `cross_entropy`, with class numbers.

    >>> import chainrule as torch
    >>> nll_loss(torch.tensor([[-0.5, -1.0], [-2.0, -0.1]]), torch.tensor([0, 1]))
    tensor(0.3000)
    """
    reduction = chosen(size_average, reduce, reduction)
    if input.ndim == 0:
        raise ShapeError.of("nll_loss", given="x ()", must="x must be (c,), (n, c) or (n, c, ...)")
    check_weight("nll_loss", weight, input.shape[1 if input.ndim > 1 else 0])
    return _nll("nll_loss", input, input, target, weight, ignore_index, reduction, 0.0)


def _nll(
    what: str,
    input: Tensor,
    logp: Tensor,
    target: Tensor,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    smoothing: float,
) -> Tensor:
    axis = 1 if input.ndim > 1 else 0
    check_class_numbers(what, input, target, axis)
    index = target.unsqueeze(axis).long()  # (n, ...) -> (n, 1, ...)
    kept = index != ignore_index
    index = index * kept  # 0 where ignored
    try:
        picked = logp.gather(axis, index)  # (n, c, ...) -> (n, 1, ...)
    except IndexingError:
        raise class_out_of_range(what, index, input.shape[axis]) from None
    losses = where(kept, -picked, 0.0)
    counted = kept
    if weight is not None:
        counted = weight[index] * kept  # (n, 1, ...)
        losses = losses * counted
    if smoothing > 0:
        column = -logp if weight is None else -logp * _along(weight, axis, logp.ndim)
        spread = where(kept, column.sum(axis, keepdim=True), 0.0)  # (n, 1, ...)
        losses = losses * (1 - smoothing) + spread * (smoothing / input.shape[axis])
    if reduction == "mean":
        return losses.sum() / counted.sum()
    return losses.squeeze(axis) if reduction == "none" else reduced(losses, reduction)


def _soft_cross_entropy(
    input: Tensor, target: Tensor, weight: Tensor | None, axis: int, reduction: str, smoothing: float
) -> Tensor:
    """Cross-entropy with probabilities for each class as target."""
    classes = input.shape[axis]
    if not target.is_floating_point():
        raise DTypeError.of(
            "cross_entropy",
            given=f"x {tuple(input.shape)} and a target of the same shape with {target.dtype}",
            must="a target of the shape of x holds class probabilities, which are floating-point numbers",
            hint="target.float(), or class numbers without the class axis: target.argmax(1)",
        )
    if smoothing > 0:
        target = target * (1 - smoothing) + smoothing / classes
    terms = input.log_softmax(axis) * target
    if weight is not None:
        terms = terms * _along(weight, axis, input.ndim)
    losses = -terms.sum(axis)  # (n, c, ...) -> (n, ...)
    return reduced(losses, reduction)


def _along(weight: Tensor, axis: int, rank: int) -> Tensor:
    """(c,) -> (c, 1, ...), so that it lines up with the class axis."""
    return weight.reshape((-1,) + (1,) * (rank - axis - 1))


def binary_cross_entropy(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
) -> Tensor:
    """-(t log p + (1 - t) log(1 - p)) in nats, for probabilities p (`input`) of the class 1.

    The logarithms are not taken below -100, so the loss stays finite. With scores instead of probabilities,
    `binary_cross_entropy_with_logits` is exact and cheaper.

    Shapes:  input (...), target (...), weight broadcastable to it -> (), or (...) for reduction="none".
    Raises:  ShapeError if the shapes differ; ArgumentError if an input is outside [0, 1].

    >>> import chainrule as torch
    >>> binary_cross_entropy(torch.tensor([0.5, 0.0]), torch.tensor([1.0, 1.0]), reduction="none")
    tensor([  0.6931, 100.0000])
    """
    reduction = chosen(size_average, reduce, reduction)
    _check_same("binary_cross_entropy", input, target)
    outside = ~((input >= 0) & (input <= 1))
    if values_known(outside) and bool(outside.any()):
        raise ArgumentError.of(
            "binary_cross_entropy",
            given=f"an input of {float(input.detach()[outside][0])}",
            must="inputs are probabilities and must lie in [0, 1]",
            hint="binary_cross_entropy_with_logits, which takes scores",
        )
    # At the very ends the logarithms have no finite derivative: there a straight line with PyTorch's slope.
    inside = input * (1 - input) > _SLOPE_FLOOR
    p = where(inside, input, 0.5)
    smooth = target * p.log() + (1 - target) * (1 - p).log()
    fixed = input.detach()
    ends = target * fixed.log().clamp(min=_LOG_FLOOR) + (1 - target) * (-fixed).log1p().clamp(min=_LOG_FLOOR)
    slope = (fixed - target.detach()) / (fixed * (1 - fixed)).clamp(min=_SLOPE_FLOOR)
    losses = -where(inside, smooth, ends - (input - fixed) * slope)
    return reduced(losses if weight is None else losses * weight, reduction)


def binary_cross_entropy_with_logits(
    input: Tensor,
    target: Tensor,
    weight: Tensor | None = None,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    pos_weight: Tensor | None = None,
) -> Tensor:
    """Binary cross-entropy of sigmoid(input) with the target, in nats, exact for scores of any size.

    Computed as (1 - t) x + log(1 + exp(-x)). `pos_weight` multiplies the part of the class 1.
    Shapes:  input (...), target (...), weight and pos_weight broadcastable to it -> (), or (...).
    Raises:  ShapeError if input and target have different shapes.

    >>> import chainrule as torch
    >>> scores, targets = torch.tensor([0.0, 1000.0]), torch.tensor([1.0, 0.0])
    >>> binary_cross_entropy_with_logits(scores, targets, reduction="none")
    tensor([6.9315e-01, 1.0000e+03])
    """
    reduction = chosen(size_average, reduce, reduction)
    _check_same("binary_cross_entropy_with_logits", input, target)
    wrong = -logsigmoid(input)  # the cost of saying x when 1 is right
    if pos_weight is not None:
        wrong = wrong * ((pos_weight - 1) * target + 1)
    losses = (1 - target) * input + wrong
    return reduced(losses if weight is None else losses * weight, reduction)


def _check_same(what: str, input: Tensor, target: Tensor) -> None:
    if input.shape != target.shape:
        hint = (
            "target.reshape(input.shape)" if input.numel() == target.numel() else "one target for each input"
        )
        raise ShapeError.of(
            what,
            given=f"input {tuple(input.shape)} and target {tuple(target.shape)}",
            must="both must have the same shape; broadcasting would compare wrong pairs",
            hint=hint,
        )


def kl_div(
    input: Tensor,
    target: Tensor,
    size_average: bool | None = None,
    reduce: bool | None = None,
    reduction: str = "mean",
    log_target: bool = False,
) -> Tensor:
    """Kullback-Leibler divergence KL(target || input) in nats, by element: target (log target - input).

    `input` holds log probabilities; `target` probabilities, or with log_target their logarithms. 0 log 0 is
    0. Reduction "batchmean" (the sum over everything, divided by the length of axis 0) is the divergence per
    sample; "mean" divides by the number of elements instead, and warns.

    Shapes:  input (...), target (...) -> (), or (...) for reduction="none".

    >>> import chainrule as torch
    >>> p = torch.tensor([[0.5, 0.5]])
    >>> kl_div(torch.tensor([[0.25, 0.75]]).log(), p, reduction="batchmean")
    tensor(0.1438)
    """
    if size_average is not None or reduce is not None:
        reduction = chosen(size_average, reduce, reduction)
    elif reduction == "mean":
        warn(
            "kl_div with reduction='mean' divides by the number of elements, classes included\n"
            "  try: reduction='batchmean', the divergence as it is defined, averaged over samples"
        )
    if reduction not in (*REDUCTIONS, "batchmean"):
        raise invalid(reduction, (*REDUCTIONS, "batchmean"))
    same_shapes("kl_div", input, target)
    if log_target:
        losses = target.exp() * (target - input)
    else:
        some = target != 0
        losses = where(some, target * where(some, target, 1.0).log(), 0.0) - target * input
    if reduction == "batchmean":
        return losses.sum() / input.shape[0] if input.ndim else losses.sum()
    return reduced(losses, reduction)
