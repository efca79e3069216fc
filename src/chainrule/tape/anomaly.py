"""Finding the first NaN or infinity: `set_detect_anomaly`, `detect_anomaly`.

While it is on, every operation checks its result, and backward every gradient; the first value that is not
finite although all inputs were is an error naming the operation and the user's line.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.errors import GradError, describe

_on = False


def enabled() -> bool:
    return _on


def set_enabled(on: bool) -> None:
    global _on
    _on = on


def _finite(a: Any) -> bool:
    return not isinstance(a, np.ndarray) or a.dtype.kind != "f" or bool(np.isfinite(a).all())


def _kind(a: np.ndarray[Any, Any]) -> str:
    return "NaN" if np.isnan(a).any() else "an infinity"


def check_forward(formula: str, arrays: list[Any], out: np.ndarray[Any, Any]) -> None:
    """Raise if `out` is the first to hold a value that is not finite."""
    if _finite(out) or not all(map(_finite, arrays)):
        return
    shapes = " and ".join(str(a.shape) if isinstance(a, np.ndarray) else repr(a) for a in arrays)
    raise GradError.of(
        formula,
        given=shapes,
        must=f"anomaly detection is on, and the result {out.shape} has {_kind(out)} though the inputs have none",
        hint="look at the inputs for log or division at 0, an overflow, or a learning rate that is too large",
    )


def check_backward(node: Any, results: tuple[Any, ...]) -> None:
    """Raise if a gradient that `node` made is not finite."""
    for i, gx in enumerate(results):
        a = getattr(gx, "_a", None)
        if a is not None and not _finite(a):
            raise GradError.of(
                f"backward of {node.what} (recorded at {describe(node.site)})",
                given=f"a gradient for input {i} with {_kind(a)}",
                must="anomaly detection is on, and this is the first gradient that is not finite",
                hint="keep the inputs away from the point where the derivative is infinite or undefined",
                at=False,
            )
