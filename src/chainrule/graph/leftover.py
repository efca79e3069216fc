"""`.grad` in a recorded loop: each iteration must find it as the one before did.

It lives in Python, so the graph does not know of it, and the iteration that is recorded is the first. Where
the second would meet another `.grad`, a gradient that was left and not cleared, the loop is refused. Next:
`iteration.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base import TensorBase
from ..core.errors import Site
from ..ops.move import CAST, COPY
from ..ops.views import EXPAND, OVERWRITE
from ..tape.node import AccumulateGrad
from .loop import loop_error
from .tracer import Gone, Traced, Tracer
from .values import CONSTANT, Value


class Gradients:
    """The gradients of the leaves when an iteration began, and which were set in it (`x.grad = ...`)."""

    def __init__(self, tracer: Tracer, alive: Sequence[Traced]) -> None:
        self.tracer = tracer
        leaves = [t for t in alive if isinstance(t._node, AccumulateGrad)]
        self._before: dict[int, tuple[Any, Any]] = {id(x): (x, _grad(x)) for x in [*tracer.met(), *leaves]}
        self._unused: dict[int, bool] = {}  # id of a tensor whose `.grad` was set -> whether that came first

    def before(self, x: TensorBase) -> Any:
        """The gradient that x had when the iteration began."""
        return self._before[id(x)][1] if id(x) in self._before else self.tracer.grad_of(x)

    def change(self, x: TensorBase) -> None:
        """`x.grad = ...`, before it happens."""
        if id(x) not in self._unused:
            self._unused[id(x)] = _grad(x) is self.before(x)

    def _leaves(self) -> dict[int, tuple[Any, Any]]:
        return {**self._before, **{id(x): (x, self.before(x)) for x in self.tracer.met()}}

    def restore(self) -> None:
        """Put everything back to where the iteration began."""
        for x, before in self._leaves().values():
            if _grad(x) is not before:
                x._grad = before

    def settle(self, outside: dict[Value, Value], read: set[Value], site: Site | None) -> None:
        """At the end of the iteration: refuse what the next one would do otherwise.

        outside: what the inputs of the body are outside; read: which values of the body are needed.
        A gradient that was filled with zeros is as good as none, which the next iteration finds then.
        """
        for key, (x, before) in self._leaves().items():
            now, unused = _grad(x), self._unused.get(key)
            if now is before:
                continue
            if unused is None and before is None and _is_zero(now, outside):
                x._grad = None
            elif not unused or (before is not None and self._is_read(before, outside, read)):
                raise loop_error(
                    f"a gradient {x._a.shape} that the first batch leaves for the second, in .grad",
                    "each iteration must find .grad as the one before it did",
                    "optimizer.zero_grad() as the first line of the loop, or w.grad = None",
                    site,
                )

    def _is_read(self, x: Any, outside: dict[Value, Value], read: set[Value]) -> bool:
        stand = x if isinstance(x, Traced) else self.tracer.known(x)
        if stand is None or isinstance(stand._tracer, Gone):  # of an earlier loop: reading it is refused
            return False
        v = stand._value
        return v in read or v not in outside


def _grad(x: Any) -> Any:
    return getattr(x, "_grad", None)  # one that is just being made has none yet


def _is_zero(x: Any, outside: dict[Value, Value]) -> bool:
    """Whether a tensor is all zeros by its making: after `w.grad.zero_()`."""
    v = x._value if isinstance(x, Traced) else None
    while v is not None:
        if v.op in (EXPAND, COPY, CAST):
            v = v.inputs[0]
        elif v.op is OVERWRITE and v.settings["steps"] == ():
            v = v.inputs[1]
        elif v in outside:
            v = outside[v]
        else:
            break
    if v is None:
        return False
    a = v.data if v.kind == CONSTANT else getattr(v.data, "_a", None)
    return isinstance(a, np.ndarray) and a.shape == () and not a.any()
