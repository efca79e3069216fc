"""One sample of one op as a test case, and how the checks run it. Next: `check_values.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from chainrule.base import wrap
from chainrule.core.errors import ArgumentError, IndexingError, ShapeError
from chainrule.ops.primitive import Primitive, Sample

Array = np.ndarray[Any, Any]
FLOAT64 = np.dtype(np.float64)


class Case(NamedTuple):
    """One sample of one op."""

    op: Primitive
    sample: Sample
    number: int

    def __str__(self) -> str:
        return f"{self.op.name}-{self.number}"

    def rng(self) -> np.random.Generator:
        return np.random.default_rng([*self.op.name.encode(), self.number])

    def arrays(self) -> list[Array]:
        return self.sample.arrays(self.rng())


def cases(op: Primitive) -> list[Case]:
    return [Case(op, s, i) for i, s in enumerate(op.samples)]


def tensors(arrays: list[Any]) -> list[Any]:
    return [wrap(np.array(a)) if isinstance(a, np.ndarray | np.generic) else a for a in arrays]


def outputs(result: Any) -> list[Array]:
    return [y._a for y in (result if isinstance(result, tuple) else (result,))]


def run(case: Case, xs: list[Any], settings: dict[str, Any]) -> Any:
    """The op, on inputs of the kind that it is meant for."""
    within = case.sample.within
    return case.op(*xs, **settings) if within is None else case.op(within(xs[0]), *xs[1:], **settings)


def evaluate(case: Case, arrays: list[Any], settings: dict[str, Any]) -> list[Array]:
    return outputs(run(case, tensors(arrays), settings))


def is_float(a: Any) -> bool:
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


def moving(op: Primitive, arrays: list[Any]) -> list[int]:
    """The inputs that a gradient flows to."""
    if not op.differentiable:
        return []
    return [i for i, a in enumerate(arrays) if is_float(a) and op.rule_for(i) is not None]


def moved(arrays: list[Any], i: int, x: Array) -> list[Any]:
    return [x if k == i else a for k, a in enumerate(arrays)]


def differentiable(case: Case, arrays: list[Any], settings: dict[str, Any]) -> list[int]:
    """The inputs to differentiate by; none unless all is float64, where differences are exact enough."""
    inputs = moving(case.op, arrays)
    if not inputs:
        return []
    (out,) = evaluate(case, arrays, settings)
    return inputs if out.dtype == FLOAT64 else []


def attempt(action: Callable[..., Any], *args: Any, **settings: Any) -> tuple[Any, str]:
    """(result, "") or (None, what was wrong)."""
    try:
        return action(*args, **settings), ""
    except (ArgumentError, IndexingError, ShapeError) as err:
        return None, err.summary
