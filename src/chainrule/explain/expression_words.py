"""The functions that a typed expression may call, by the names that people know them by.

The elementwise ones are all that the table has; the others are chosen here: what takes tensors, gives one
tensor, and can be differentiated. They take numbers where they take tensors, and give a number for numbers.
"""

from __future__ import annotations

import functools
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from ..core.errors import nearest
from ..functions import (
    elementwise,
    extrema,
    joining,
    linalg,
    norms,
    parts,
    products,
    reductions,
    scans,
    shaping,
)
from ..nn.functional import activation, regression
from ..ops.primitive import ELEMENTWISE, TABLE, Primitive
from .formula.vocabulary import tensor_of

CONSTANTS: Final = MappingProxyType({"pi": math.pi, "e": math.e})

_CHOSEN: Final[tuple[Callable[..., Any], ...]] = (
    reductions.sum, reductions.mean, reductions.prod, reductions.var, reductions.std, reductions.logsumexp,
    extrema.amax, extrema.amin, norms.norm, products.dot, products.matmul, products.outer, products.inner,
    linalg.det, linalg.logdet, linalg.inv, linalg.solve, parts.trace, parts.diag, scans.softmax,
    scans.log_softmax, scans.cumsum, scans.cumprod, shaping.transpose, shaping.reshape, shaping.flatten,
    joining.cat, joining.stack, elementwise.clamp, activation.leaky_relu, activation.elu, activation.gelu,
    activation.silu, activation.softplus, activation.softsign, regression.mse_loss,
)  # fmt: skip
_OTHER_NAMES: Final = {
    "ln": "log", "arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "arsinh": "asinh",
    "arcosh": "acosh", "artanh": "atanh", "sgn": "sign", "power": "pow", "inverse": "inv",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Word:
    """A function with what must be known to say what is wrong with a call of it."""

    name: str
    run: Callable[..., Any]
    required: tuple[str, ...]  # parameters that must be given
    optional: tuple[str, ...] = ()  # those that may be

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        """The function's tensor; a number, if all it is given is numbers."""
        if all(isinstance(x, int | float) for x in arguments):
            found = self.run(tensor_of(arguments[0]), *arguments[1:], **settings)
            return found.item() if found.ndim == 0 else found
        return self.run(*arguments, **settings)

    def misuse(self, count: int, settings: list[str]) -> tuple[str, str]:
        """What is wrong with a call of so many arguments and these settings, and what to try."""
        parameters = self.required + self.optional
        for setting in settings:
            if setting not in self.optional:
                hint = f"{self.name}({', '.join(self.required)})"
                if self.optional:
                    hint = f"one of {', '.join(self.optional)}"
                return f"{self.name} has no setting {setting!r}{nearest(setting, list(self.optional))}", hint
            if setting in parameters[:count]:
                return f"{self.name} is given {setting} twice", f"{setting}=... once"
        if len(self.required) <= count <= len(parameters):
            return "", ""
        least, most = len(self.required), len(parameters)
        takes = f"{least}" if least == most else f"{least} to {most}"
        call = f"{self.name}({', '.join(self.required)})"
        return f"{self.name} takes {takes} argument{'s' * (takes != '1')}, not {count}", call


@functools.cache
def words() -> Mapping[str, Word]:
    """All functions by name."""
    found = {name: _of_entry(op) for name, op in TABLE.items() if _is_plain(op)}
    found |= {function.__name__: _of_function(function) for function in _CHOSEN}
    found |= {other: found[name] for other, name in _OTHER_NAMES.items()}
    found["max"] = Word("max", _extreme(extrema.max, extrema.amax, found["maximum"]), ("x",), ("y", "dim"))
    found["min"] = Word("min", _extreme(extrema.min, extrema.amin, found["minimum"]), ("x",), ("y", "dim"))
    return MappingProxyType(found)


def _is_plain(op: Primitive) -> bool:
    """An elementwise op with a derivative and nothing to set."""
    return op.kind == ELEMENTWISE and op.differentiable and not any(given.settings for given in op.samples)


def _of_entry(op: Primitive) -> Word:
    """An entry takes numbers beside tensors as they are, so that they are shown as numbers."""

    def run(*arguments: Any) -> Any:
        return op(*arguments)

    return Word(op.name, run, op.inputs)


def _of_function(function: Callable[..., Any]) -> Word:
    parameters = [
        p
        for p in inspect.signature(function).parameters.values()
        if not p.name.startswith("_") and p.name not in ("out", "dtype", "inplace", "axis", "keepdims")
    ]
    required = tuple(p.name for p in parameters if p.default is p.empty)
    optional = tuple(p.name for p in parameters if p.default is not p.empty)
    tensors = frozenset(i for i, p in enumerate(parameters) if p.annotation == "Tensor")

    def run(*arguments: Any, **settings: Any) -> Any:
        lifted = [
            tensor_of(x) if i in tensors and isinstance(x, int | float) else x
            for i, x in enumerate(arguments)
        ]
        return function(*lifted, **settings)

    return Word(function.__name__, run, required, optional)


def _extreme(of_all: Callable[..., Any], along: Callable[..., Any], of_two: Word) -> Callable[..., Any]:
    """max(x), max(x, dim=0) and max(x, y): on paper the last one compares, whatever y is."""

    def run(x: Any, y: Any = None, *, dim: Any = None) -> Any:
        if y is not None:
            return of_two(x, y)
        return of_all(x) if dim is None else along(x, dim)

    return run
