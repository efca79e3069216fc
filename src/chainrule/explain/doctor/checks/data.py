"""What goes in and what it is compared with: labels, scales, prediction against target, softmax twice.

Losses are not known by name here. Whether a loss takes its own softmax is found out by asking it: adding the
same number to all scores of a row changes nothing then, and the right probabilities do not make it 0. Next:
`weights.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from ....base import wrap
from ....core.errors import ChainruleError
from ....ops.primitive import ELEMENTWISE
from ....tape.mode import no_grad
from ....tensor import Tensor
from .. import limits
from ..findings import Finding
from ..names import described
from ..passage import Passage, Subject, gradients_of
from ..recording import Array
from .flow import by_unit


def label_problem(subject: Subject) -> Finding | None:
    """Class numbers that the model has no output for, if that is what the loss has refused."""
    with no_grad():
        output = subject.output()
    target = subject.target
    if not (_is_scores(output) and _is_classes(target, output)):
        return None
    classes = output.shape[1]
    low, high = int(target._a.min()), int(target._a.max())
    if low >= 0 and high < classes:
        return None
    if low == 1 and high == classes:
        hint = "target - 1: class numbers start at 0"
    elif high >= classes:
        hint = f"{high + 1} outputs in the last layer, or look at where the labels come from"
    else:
        hint = "ignore_index for rows without a label, or look at where the labels come from"
    return Finding(
        "labels",
        "serious",
        "",
        f"the labels go from {low} to {high}, but the model has {classes} outputs, for the classes 0 to "
        f"{classes - 1}",
        hint,
    )


def _is_scores(output: Any) -> bool:
    return (
        isinstance(output, Tensor) and output.ndim == 2 and output.is_floating_point() and output.numel() > 0
    )


def _is_classes(target: Any, output: Tensor) -> bool:
    """Whether a target holds class numbers for rows of scores."""
    return isinstance(target, Tensor) and target._a.dtype.kind in "iu" and target.shape == output.shape[:1]


# -- inputs


def check_scale(passage: Passage) -> Iterator[Finding]:
    """The numbers that enter the first products: after whatever the model itself does to standardise them."""
    for layer in passage.layers:
        step = layer.use.step
        x = step.reads(1 - layer.use.weight)
        if step.depth != 1 or x is None or x.ndim < 2 or x.dtype.kind != "f" or x.shape[0] < 2:
            continue
        text = _scale_problem(by_unit(x))
        if text:
            yield Finding(
                "input scale",
                "warning",
                layer.name,
                f"{text}; one learning rate cannot suit all its weights",
                "standardising each feature, (x - mean) / std with the numbers of the training rows, or "
                "nn.BatchNorm1d as the first layer",
            )
            return


def _scale_problem(x: Array) -> str:
    """What is wrong with the scales of features, x (rows, features); empty if nothing is."""
    spreads, means = x.std(axis=0), x.mean(axis=0)
    changing = spreads > 1e-6 * np.abs(x).max(axis=0, initial=0.0)
    counted = changing & ((x == 0).mean(axis=0) <= limits.SPARSE)
    if counted.any():
        at = np.flatnonzero(counted)
        widest, narrowest = (int(at[f(spreads[at])]) for f in (np.argmax, np.argmin))
        if spreads[widest] > limits.SCALE_LEAST and spreads[widest] > limits.SCALE_RATIO * spreads[narrowest]:
            return (
                f"feature {widest} of its input has a standard deviation of {spreads[widest]:.3g}, feature "
                f"{narrowest} one of {spreads[narrowest]:.3g}"
            )
        far = int(at[np.argmax(np.abs(means[at]) / spreads[at])])
        if abs(means[far]) > max(limits.OFFSET_RATIO * spreads[far], limits.SCALE_LEAST):
            return (
                f"feature {far} of its input has a mean of {means[far]:.5g} and a standard deviation of only "
                f"{spreads[far]:.3g}"
            )
    size = math.sqrt(float(np.square(x).mean())) if x.size else 0.0
    if size > limits.SCALE_LARGE:
        return f"the numbers of its input are large: their root mean square is {size:.3g}"
    return ""


def check_ignored(passage: Passage) -> Iterator[Finding]:
    """Whether anything changes when the rows of the input are moved by one against those of the target."""
    subject = passage.subject
    moved = tuple(_rolled(x) for x in subject.inputs)
    if all(m is x or bool((m == x).all()) for m, x in zip(moved, subject.inputs, strict=True) if _rows(x)):
        return  # one row, or all alike: there is nothing to see
    output = subject.output(moved)
    if not (isinstance(output, Tensor) and isinstance(passage.output, Tensor)):
        return
    if output.shape != passage.output.shape or not np.array_equal(output._a, passage.output._a):
        return
    found = gradients_of(subject.loss_of(output), subject.leaves)
    for name, g in passage.grads.items():
        other = found.get(name)
        if (g is None) != (other is None):
            return
        if g is not None and other is not None and not np.array_equal(g, other._a):
            return
    yield Finding(
        "input ignored",
        "serious",
        "",
        "the prediction, the loss and all gradients stay the same when other rows are put in: nothing "
        "depends on the input",
        "a look at forward(): is the result computed from its argument, and not from another variable?",
    )


def _rows(x: Any) -> bool:
    return isinstance(x, Tensor) and x.ndim > 0 and x.shape[0] > 1


def _rolled(x: Any) -> Any:
    return x.roll(1, 0) if _rows(x) else x


# -- prediction and target


def check_shapes(passage: Passage) -> Iterator[Finding]:
    """Predictions (n, 1) against targets (n,), which broadcast to (n, n)."""
    output, target = passage.output, passage.subject.target
    if not (isinstance(output, Tensor) and isinstance(target, Tensor)):
        return
    n = output.numel()
    if n != target.numel() or n < 2 or output.shape == target.shape:
        return
    for step in passage.loss_steps:
        if step.op.kind == ELEMENTWISE and step.value.size == n * n and _largest_operand(step.xs) == n:
            yield Finding(
                "shapes",
                "serious",
                "",
                f"predictions {tuple(output.shape)} and targets {tuple(target.shape)} broadcast to "
                f"{step.value.shape}: each of the {n} predictions is compared with each of the {n} targets, "
                "and the model learns their mean",
                "target.reshape(output.shape)",
            )
            return


def _largest_operand(xs: tuple[Any, ...]) -> int:
    return max(x.numel() for x in xs if isinstance(x, Tensor))


def check_probabilities(passage: Passage) -> Iterator[Finding]:
    """Softmax or sigmoid in the model and again in the loss; probabilities for a loss that wants
    logarithms."""
    subject, output, target = passage.subject, passage.output, passage.subject.target
    if not (isinstance(output, Tensor) and output.is_floating_point() and output.numel()):
        return
    a = output._a
    loss = described(subject.loss, "the loss")
    try:
        if _is_scores(output) and output.shape[1] > 1 and _is_classes(target, output):
            sums_to_one = (a >= 0).all() and (abs(a.sum(axis=1) - 1) < limits.SUM_TOLERANCE).all()
            before, after = (_loss_at(subject, output + shift) for shift in (0.0, 1.0))
            certain = wrap(np.eye(output.shape[1], dtype=a.dtype)[target._a])  # the right probabilities
            softens = abs(after - before) < limits.SAME_LOSS and _loss_at(subject, certain) > limits.NOT_ZERO
            if sums_to_one and softens:
                yield Finding(
                    "softmax twice",
                    "serious",
                    "",
                    f"the model ends in a softmax (each row of its output sums to 1), and {loss} takes the "
                    "softmax of that again: its gradients become small, and the loss cannot come near 0",
                    "the model without its softmax: give the loss the scores",
                )
            elif abs(after - before + 1) < limits.SAME_LOSS and not _are_logarithms(a):
                yield Finding(
                    "not log-probabilities",
                    "serious",
                    "",
                    f"{loss} is minus the output at the label, and wants logarithms of probabilities, but "
                    "the output is none: exp(output) does not sum to 1 in each row",
                    "nn.LogSoftmax(dim=1) at the end of the model, or nn.CrossEntropyLoss, which has it "
                    "inside",
                )
        elif _is_sigmoid_twice(passage):
            yield Finding(
                "sigmoid twice",
                "serious",
                "",
                f"the model ends in a sigmoid, and {loss} takes the sigmoid of that again: probabilities "
                "can then only lie between 0.5 and 0.73",
                "the model without its sigmoid, or nn.BCELoss, which takes probabilities",
            )
    except ChainruleError:  # a loss that cannot be asked about other outputs than the model's
        return


def _loss_at(subject: Subject, output: Any) -> float:
    with no_grad():
        return float(subject.loss_of(output.detach()).item())


def _are_logarithms(a: Array) -> bool:
    total: Array = np.exp(np.minimum(a, 1.0)).sum(axis=1)
    return bool((abs(total - 1) < limits.SUM_TOLERANCE).all())


def _is_sigmoid_twice(passage: Passage) -> bool:
    """Whether the output is that of a sigmoid, and the loss is best at ±infinity, not at the labels
    themselves."""
    subject, output, target = passage.subject, passage.output, passage.subject.target
    last = passage.recorder.maker(output)
    while last is not None and last.op.kind == "view":
        last = last.makers[0]
    gate = next((gate for gate in passage.gates if gate.step is last), None)
    if gate is None or gate.ends != 2 or not isinstance(target, Tensor) or target.shape != output.shape:
        return False
    labels = target._a
    if not ((labels == 0) | (labels == 1)).all() or not ((output._a >= 0) & (output._a <= 1)).all():
        return False
    right = target.to(output.dtype)
    sure = (right - 0.5) * 2 * limits.PROBE_RANGE
    return _loss_at(subject, sure) < limits.SAME_LOSS and _loss_at(subject, right) > limits.NOT_ZERO
