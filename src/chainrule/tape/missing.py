"""For results whose gradient exists but has no rule: backward through them is an error, not a silent zero."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.errors import GradError, describe
from ..eager import sync, user_site
from . import mode
from .node import Node, number


class MissingRule(Node):
    """The place of such a result on the tape."""

    __slots__ = ("function",)

    function: str

    @property
    def name(self) -> str:
        return self.function.rpartition(".")[2].capitalize() + "Backward0"

    @property
    def what(self) -> str:
        return self.function

    def backward(self, g: Any) -> tuple[Any, ...]:
        raise GradError.of(
            f"backward through {self.function} (recorded at {describe(self.site)})",
            must="it gives values only: a gradient exists, but there is no rule for it",
            hint=f"{self.function}(x.detach()), if no gradient is meant to flow through it",
        )


def values_only(function: str, inputs: Sequence[Any], results: Any) -> Any:
    """Mark the floating-point results of a function without gradient rule, if an input wants a gradient."""
    if not mode.is_grad_enabled():
        return results
    edges = tuple(x._node if x._view is None else sync(x) for x in inputs)
    if not any(e is not None for e in edges):
        return results
    for y in results:
        if y._a.dtype.kind == "f":
            node = MissingRule()
            node.function = function
            node.edges = edges
            node.shape, node.dtype = y._a.shape, y._a.dtype
            node.hooks = None
            node.seq = number()
            node.site = user_site()
            y._node = node
    return results
