"""The trap of a loss: predictions (n, 1) against targets (n,) broadcast silently to (n, n).

Every prediction is then compared with every target, and the model learns to predict the mean of the targets.
The losses that compare element by element ask here first. Next: `functional/regression.py`.
"""

from __future__ import annotations

from math import prod

from ..core.shapes import BroadcastMismatch, Shape, broadcast_shapes
from ..core.warn import warn
from ..tensor import Tensor


def same_shapes(what: str, input: Tensor, target: Tensor) -> None:
    """Warn if input and target have different shapes; raise ShapeError if they do not even broadcast.

    >>> import warnings
    >>> import chainrule as torch
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     loss = torch.nn.functional.mse_loss(torch.zeros(4, 1), torch.zeros(4))
    >>> print(caught[0].message)
    mse_loss got input (4, 1) and target (4,)
      they broadcast to (4, 4), so each of the 4 predictions is compared with each of the 4 targets
      try: target.reshape(input.shape), or input.squeeze(-1)
    """
    if input.shape != target.shape:
        _tell(what, tuple(input.shape), tuple(target.shape))


def _tell(what: str, input: Shape, target: Shape) -> None:
    try:
        result = broadcast_shapes(input, target)
    except BroadcastMismatch as mismatch:
        raise mismatch.to_error(f"{what} of input and target") from None
    warn(
        f"{what} got input {input} and target {target}\n"
        f"  {_effect(input, target, result)}\n"
        f"  try: {_hint(input, target)}"
    )


def _effect(input: Shape, target: Shape, result: Shape) -> str:
    n, m = prod(input), prod(target)
    effect = f"they broadcast to {result}"
    if prod(result) == n * m and n > 1 and m > 1:
        return f"{effect}, so each of the {n} predictions is compared with each of the {m} targets"
    if result in (input, target) and n != m:
        who = "target" if n > m else "prediction"
        return f"{effect}, so one {who} is compared with several {'predictions' if n > m else 'targets'}"
    return f"{effect}, which changes what is compared with what"


def _hint(input: Shape, target: Shape) -> str:
    if prod(input) == prod(target):
        reshape = "target.reshape(input.shape)"
        if input == (*target, 1):
            return f"{reshape}, or input.squeeze(-1)"
        if target == (*input, 1):
            return f"{reshape}, or target.squeeze(-1)"
        return reshape
    return "give both one shape; target.expand_as(input), if one target is meant for several"
