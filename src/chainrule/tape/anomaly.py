"""Finding the first NaN or infinity: `set_detect_anomaly`, `detect_anomaly`.

While it is on, every operation checks its result, and backward every gradient; the first value that is not
finite although all that it was made from is finite is an error naming the operation and the user's line.
In backward a node is looked at as a whole: its rule may pass through an infinity that it then throws away.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from ..core.errors import GradError, describe

_on = False
_MUST = "anomaly detection is on, and this is the first value that is not finite"
_HINT = "look for log or division at 0, an overflow, or a learning rate that is too large"


class _State(threading.local):
    backward: bool = False  # inside backward, where whole nodes are checked


state = _State()


def enabled() -> bool:
    """Whether anomaly detection is on, in all threads."""
    return _on


def set_enabled(on: bool) -> None:
    """Switch it on or off. Use `autograd.set_detect_anomaly`, which also tells the interpreter."""
    global _on
    _on = on


def _finite(x: Any) -> bool:
    """Whether an array or number holds no NaN and no infinity."""
    if isinstance(x, np.ndarray):
        # A graph's stand-in for an array has no values yet.
        return x.dtype.kind != "f" or type(x) is not np.ndarray or bool(np.isfinite(x).all())
    return not isinstance(x, float) or math.isfinite(x)


def _bad(a: np.ndarray[Any, Any]) -> str:
    return "NaN" if np.isnan(a).any() else "an infinity"


def check_forward(what: str, inputs: list[Any], settings: dict[str, Any], out: Any) -> None:
    """Raise if `out` is the first to hold a value that is not finite."""
    if state.backward or _finite(out) or not all(map(_finite, (*inputs, *settings.values()))):
        return
    given = " and ".join(str(a.shape) if isinstance(a, np.ndarray) else repr(a) for a in inputs)
    raise GradError.of(
        what, given=f"{given}, and its result {out.shape} has {_bad(out)}", must=_MUST, hint=_HINT
    )


def check_start(gs: list[Any]) -> None:
    """Raise if a gradient that backward starts with is not finite."""
    for g in gs:
        if not _finite(g._a):
            raise GradError.of(
                "backward", given=f"a gradient {g._a.shape} to start with that has {_bad(g._a)}", must=_MUST
            )


def check_hooks(node: Any, g: Any) -> None:
    """Raise if a hook has made the gradient of a node not finite."""
    a = getattr(g, "_a", None)
    if a is not None and not _finite(a):
        raise GradError.of(
            f"a hook on the gradient of {node.what} (recorded at {describe(node.site)})",
            given=f"a finite gradient and returned one {a.shape} that has {_bad(a)}",
            must=_MUST,
            at=False,
        )


def check_backward(node: Any, results: tuple[Any, ...]) -> None:
    """Raise if a gradient that `node` made is not finite; the one that arrived was."""
    for i, gx in enumerate(results):
        a = getattr(gx, "_a", None)
        if a is not None and not _finite(a):
            raise GradError.of(
                f"backward of {node.what} (recorded at {describe(node.site)})",
                given=f"a finite gradient and made one {a.shape} for {node.input_name(i)} that has {_bad(a)}",
                must=_MUST,
                hint="keep the inputs away from where the derivative is infinite or undefined",
                at=False,
            )
