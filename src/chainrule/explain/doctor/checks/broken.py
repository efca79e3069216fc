"""The first NaN or infinity: in the parameters, in the batch, on the way forward, or on the way back.

Forward, the recording has seen it happen. Backward, the pass is run again with anomaly detection on, which
stops at the first gradient that is not finite although the one that arrived was.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....autograd import detect_anomaly
from ....core.errors import GradError, describe
from ....tensor import Tensor
from ..findings import Finding
from ..passage import Passage, Subject, gradients_of
from ..recording import Broken


def check_given(subject: Subject) -> Finding | None:
    """A NaN or infinity that is there before anything runs."""
    for name, x in subject.leaves.items():
        if what := _bad(x):
            return _finding(
                name,
                f"{what} among its {x.numel():,} numbers, before anything has run",
                "making the model anew, with a smaller learning rate than the one that it came from",
            )
    for i, x in enumerate(subject.inputs):
        if what := _bad(x):
            which = "the input" if len(subject.inputs) == 1 else f"input {i + 1}"
            return _finding("", f"{what} in {which} of the batch{_row(x)}", _CLEAN)
    if what := _bad(subject.target):
        return _finding("", f"{what} in the target of the batch{_row(subject.target)}", _CLEAN)
    return None


_CLEAN = "filling or dropping missing values before training (x.isfinite() finds them)"


def check_finite(passage: Passage) -> Finding | None:
    """The first NaN or infinity of a pass whose loss or gradients are not finite; else None."""
    loss_is_bad = not np.isfinite(passage.loss._a).all()
    if not loss_is_bad and all(g is None or np.isfinite(g).all() for g in passage.grads.values()):
        return None
    if loss_is_bad and passage.recorder.broken is not None:
        return _forward(passage.recorder.broken)
    try:
        with detect_anomaly():
            gradients_of(passage.subject.value(), passage.subject.leaves)
    except GradError as problem:
        lines = [line.strip() for line in (problem.summary or str(problem)).split("\n")]
        return _finding("", lines[0], _AWAY)
    where = "the loss" if loss_is_bad else "a gradient"
    return _finding("", f"{where} is not finite", _AWAY)


_AWAY = (
    "keeping the inputs away from where the derivative is infinite, for instance sqrt(x + 1e-8) for sqrt(x)"
)


def _forward(broken: Broken) -> Finding:
    given = " and ".join(str(shape) for shape in broken.shapes)
    bad = "NaN" if broken.is_nan else "an infinity"
    return _finding(
        broken.path,
        f"{broken.op.formula} of finite numbers {given} makes {bad}, the first one, at "
        f"{describe(broken.site)}",
        "keeping its inputs in range: log(x + 1e-8) for log(x), log_softmax for log(softmax(x)), a smaller "
        "learning rate if the numbers have grown",
    )


def _finding(where: str, text: str, hint: str) -> Finding:
    return Finding("not finite", "serious", where, text, hint)


def _bad(x: Any) -> str:
    if not isinstance(x, Tensor) or x._a.dtype.kind != "f" or np.isfinite(x._a).all():
        return ""
    return "NaN" if np.isnan(x._a).any() else "an infinity"


def _row(x: Tensor) -> str:
    at = np.argwhere(~np.isfinite(x._a))[0]
    return f", first at {[int(i) for i in at]}" if at.size else ""
