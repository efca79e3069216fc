"""The derivation against the function itself: central differences, and forward against reverse mode.

The differences run the user's function again with the inputs a little larger and a little smaller, not the
recorded steps, so they would find a step that was recorded wrongly. Each run starts from the same random
numbers, and what the function changes in tensors outside is put back. Where the types allow it, in float64.
With many inputs the gradient is compared along a few random directions instead of element by element.
Next: `derivation.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from ..base import TensorBase, wrap
from ..core.errors import ChainruleError
from ..functions.sampling import default_generator
from ..ops.primitive import Primitive
from ..tape import mode
from ..transforms.level import Observer
from .recording import Recording, arguments
from .steps import INPUT, Program, Value

ELEMENTWISE_UP_TO: Final = 64  # elements of all inputs together; beyond, directions
DIRECTIONS: Final = 3


@dataclass(eq=False, slots=True)
class Check:
    """One comparison.

    of: the input; or "direction 1", a random one in all inputs together.
    forward, reverse, differences: what each gives; None where it was not computed.
    agree: whether they are equal as far as the number of digits lets one tell.
    """

    of: str
    forward: np.ndarray[Any, Any] | None
    reverse: np.ndarray[Any, Any] | None
    differences: np.ndarray[Any, Any] | None
    agree: bool


class Rounding(Observer):
    """Whether something is rounded to fewer digits on the way: written into a tensor of float32, say."""

    only_looks = True

    def __init__(self) -> None:
        self.seen = False

    def see(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
        digits = [x._a.dtype.itemsize for x in xs if isinstance(x, TensorBase) and x._a.dtype.kind == "f"]
        for part in out if op.outputs != 1 else (out,):
            if digits and part._a.dtype.kind == "f" and part._a.dtype.itemsize < max(digits):
                self.seen = True


class Failed(Exception):
    """The user's function cannot be run at another point, or in another type."""


@dataclass(eq=False, slots=True)
class Function:
    """The user's function, ready to be run again as it was run for the recording."""

    fn: Callable[..., Any]
    inputs: Sequence[Any]
    program: Program
    recording: Recording
    state: Any  # of the random numbers, before the recording

    def origin(self, leaf: Value) -> TensorBase:
        """The user's tensor that a leaf stands for."""
        return self.recording.origin[id(leaf)]

    @contextmanager
    def repeatable(self) -> Iterator[None]:
        """Everything outside is afterwards as it was before."""
        after = default_generator.get_state()
        written = [(x, x._a.copy(), before) for x, before in self.recording.written.values()]
        leaves = [(self.origin(leaf), self.origin(leaf)._a) for leaf in self.program.leaves]
        try:
            yield
        finally:
            for x, a in leaves:
                x._a = a
            for x, a, _ in written:
                x._a[...] = a
            default_generator.set_state(after)

    def __call__(self, points: Sequence[np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
        """The result with the leaves at `points`; within `repeatable`."""
        default_generator.set_state(self.state)
        for x, before in self.recording.written.values():
            x._a[...] = before
        inputs = list(self.inputs)
        for leaf, point in zip(self.program.leaves, points, strict=True):
            a = np.array(point)  # an array, where a point without axes is a NumPy number
            if leaf.wants or leaf.kind != INPUT:
                self.origin(leaf)._a = a
            else:
                inputs[self.recording.position[id(leaf)]] = wrap(a)
        try:
            with mode.enable_grad():
                out = self.fn(*arguments(inputs))
        except Exception as err:  # whatever the user's function raises there
            summary = err.summary if isinstance(err, ChainruleError) else f"{type(err).__name__}: {err}"
            raise Failed(summary.splitlines()[0]) from err
        return np.array(out._a, np.float64)


@dataclass(eq=False, slots=True)
class Differences:
    """Central differences of the sum of the results' elements.

    along: what moving all leaves in a direction changes.
    step: what the leaves are moved by; precise: whether the runs were in float64.
    noise: how far the differences are off because the result is rounded.
    """

    function: Function
    points: list[np.ndarray[Any, Any]]
    seed: np.ndarray[Any, Any]
    step: float
    precise: bool
    noise: float

    def along(self, direction: Sequence[np.ndarray[Any, Any]]) -> float:
        """(f(x + h d) - f(x - h d)) / 2h."""
        h = self.step
        both = []
        for sign in (1, -1):
            moved = [(a + sign * h * d).astype(a.dtype) for a, d in zip(self.points, direction, strict=True)]
            both.append(float((self.function(moved) * self.seed).sum()))
        return (both[0] - both[1]) / (2 * h)


def differences(
    function: Function, wanted: np.ndarray[Any, Any], seed: np.ndarray[Any, Any]
) -> Differences | str:
    """How to take differences of this function; or why that cannot be done. Within `repeatable`."""
    data = [np.array(leaf.data) for leaf in function.program.leaves]
    size = max((float(np.abs(a).max()) for a in data if a.size), default=1.0)
    for precise in (True, False):
        points = [a.astype(np.float64) if precise else a for a in data]
        rounding = Rounding()
        try:
            with rounding.entered():
                again = function(points)
        except Failed as err:
            if precise:
                continue
            return f"the function cannot be run again: {err}"
        if precise and rounding.seen:
            continue  # its steps are those of the types inside
        if again.shape != wanted.shape or not np.allclose(
            again, wanted, rtol=1e-3, atol=1e-5, equal_nan=True
        ):
            return "the function gives another value when it runs again"
        if not np.isfinite(again).all():
            return "the value is not finite here"
        kinds = {a.dtype for a in points}
        step = 1e-6 if kinds == {np.dtype(np.float64)} and precise else 3e-3
        step *= max(1.0, min(size, 1e3))
        digits = np.finfo(np.float64 if precise else min(kinds, key=lambda k: k.itemsize)).eps
        noise = 10 * float(digits) * max(1.0, float(np.abs(again).sum())) / step
        return Differences(function, points, seed, step, precise, noise)
    raise AssertionError


def directions(leaves: Sequence[Value]) -> list[list[np.ndarray[Any, Any]]]:
    """Random directions of length about 1 in all leaves together, always the same ones."""
    rng = np.random.Generator(np.random.Philox(7))
    found = []
    for _ in range(DIRECTIONS):
        parts = [rng.standard_normal(leaf.shape) for leaf in leaves]
        length = np.sqrt(sum(float((p * p).sum()) for p in parts))
        found.append([p / length for p in parts])
    return found


def basis(leaves: Sequence[Value]) -> Iterator[tuple[int, tuple[int, ...], list[np.ndarray[Any, Any]]]]:
    """Per element of each leaf: which leaf, where, and the direction along it."""
    for i, leaf in enumerate(leaves):
        for place in np.ndindex(*leaf.shape):
            parts = [np.zeros(v.shape) for v in leaves]
            parts[i][place] = 1
            yield i, place, parts


def close(x: Any, y: Any, tolerance: float, scale: float = 0.0, noise: float = 0.0) -> bool:
    """Whether two gradients are equal within a tolerance, measured by their largest element, or noise."""
    if x is None or y is None:
        return True
    x, y = np.asarray(x, np.float64), np.asarray(y, np.float64)
    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        return bool(np.array_equal(np.isnan(x), np.isnan(y)) and np.allclose(x, y, equal_nan=True))
    size = max(scale, float(np.abs(x).max(initial=0)), float(np.abs(y).max(initial=0)))
    return bool(np.abs(x - y).max(initial=0) <= tolerance * size + noise)


def tangent_of_leaf(leaf: Value, direction: np.ndarray[Any, Any]) -> Any:
    """A direction as a tensor of the leaf's type."""
    return wrap(np.asarray(direction, leaf.type))
