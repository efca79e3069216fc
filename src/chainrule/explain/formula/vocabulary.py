"""The words that the texts of the table are written in: functions of the package, entries, their helpers."""

from __future__ import annotations

import functools
import importlib
import inspect
import math
import pkgutil
from collections.abc import Callable
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np

from ... import creation, functions, ops
from ...base import wrap
from ...ops.primitive import ELEMENTWISE, TABLE


@functools.cache
def vocabulary() -> MappingProxyType[str, Any]:
    """What `Formula.evaluate` needs beside the values for every text in the table (`d` of its entries).

    >>> from chainrule.explain.formula import Formula
    >>> round(Formula.parse("1 / (2 * sqrt(2))").evaluate(vocabulary()).item(), 4)
    0.3536
    """
    words: dict[str, Any] = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan, "dict": dict}
    for module in (creation, *_modules(functions)):
        words |= _own(module)
    # An entry may bear the name of a function; the texts mean the entry.
    words |= {n: lifted(op) if op.kind == ELEMENTWISE else op for n, op in TABLE.items()}
    for module in _modules(ops):
        words |= _own(module)
    return MappingProxyType(words)


def lifted(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which takes numbers where it would take tensors: log(2)."""

    def call(*arguments: Any, **settings: Any) -> Any:
        return function(*[tensor_of(x) if isinstance(x, float | int) else x for x in arguments], **settings)

    return call


def tensor_of(x: float) -> Any:
    """A number as a tensor without axes, of float64."""
    return wrap(np.asarray(x, np.float64))


def _modules(package: ModuleType) -> list[ModuleType]:
    found = [m.name for m in pkgutil.iter_modules(package.__path__)]
    return [importlib.import_module(f"{package.__name__}.{name}") for name in found]


def _own(module: ModuleType) -> dict[str, Any]:
    """The public functions that a file makes."""
    return {
        name: value
        for name, value in vars(module).items()
        if inspect.isroutine(value) and value.__module__ == module.__name__ and not name.startswith("_")
    }
