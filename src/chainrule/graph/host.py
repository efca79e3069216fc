"""Numbers of Python that a graph reads each time it runs: options of optimizers, places of random streams.

A captured value (`values.py`, kind CAPTURE) has as its `data` where it is read from: a tensor, or a `Host`,
which is 0-d. Who runs a graph asks `value()` for a Python number before, and hands the new one to `store`
afterwards if the graph writes to it. What was looked at while the program was recorded, and went into the
graph as it was, is an `Assumption`: while all `holds()` are true, the graph does what the program does. Next:
`number.py`, how a program computes with options; `tracer.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Final, NamedTuple

from ..core import random
from ..core.dtypes import dtype, float64, int64
from ..core.errors import ArgumentError
from ..ops.draw import blocks
from ..ops.primitive import Primitive, tracing
from .errors import TraceError

_WORDS: Final = 1 << 64


class Host:
    """One number that lives in Python.

    key:   equal for the same place.
    name:  how a graph calls it.
    dtype: its type in a graph.
    """

    __slots__ = ("dtype", "key", "name")

    key: Hashable
    name: str
    dtype: dtype

    def value(self) -> Any:
        """The number as it is now."""
        raise NotImplementedError

    def store(self, new: Any) -> None:
        """Replace it by what a graph computed."""
        raise ArgumentError.of(
            self.name, given="a write", must="a graph reads this number, and does not change it"
        )


class Option(Host):
    """A number of an optimizer's param_group, or one of a tuple there (`betas`)."""

    __slots__ = ("group", "index", "option")

    def __init__(self, group: dict[str, Any], option: str, index: int | None) -> None:
        self.group, self.option, self.index = group, option, index
        self.key = ("option", id(group), option, index)
        self.name = option if index is None else f"{option}_{index + 1}"
        self.dtype = float64

    def value(self) -> float:
        found = self.group[self.option]
        if self.index is not None:
            found = found[self.index]
        return found if type(found) is float else float(found)


class Place(Host):
    """Where a random stream stands: its seed or the number of its next block, as int64 with the same bits."""

    __slots__ = ("generator", "part")

    def __init__(self, generator: random.Generator, part: int) -> None:
        self.generator, self.part = generator, part
        self.name = ("seed", "block")[part]
        self.key = ("place", id(generator), part)
        self.dtype = int64

    def value(self) -> int:
        place = self.generator.position()[self.part]
        return place - _WORDS if place >= _WORDS >> 1 else place

    def store(self, new: int) -> None:
        place = list(self.generator.position())
        place[self.part] = new % _WORDS
        self.generator.move(*place)


class Assumption(NamedTuple):
    """Something in Python that a graph relies on.

    what:  in words: `maximize of SGD's group 0 is False`.
    holds: whether it is still so.
    """

    what: str
    holds: Callable[[], bool]


def draw(generator: random.Generator, op: Primitive, settings: dict[str, Any]) -> Any:
    """The next numbers of a stream, as an op of the trace; the stream's next block moves on."""
    seed, block = (tracing.tracer.host(Place(generator, part)) for part in (0, 1))
    out = op(seed, block, **settings)
    taken = blocks(op, settings)
    if taken:
        block.add_(taken)
    return out


def only_outside(what: str, hint: str) -> None:
    """Refuse what changes Python while a program is recorded: no run of the graph would do it again."""
    if tracing.tracer is not None:
        raise TraceError.of(
            what,
            given="a traced function",
            must="it happens once, while the function is recorded, and not again when the graph runs",
            hint=hint,
        )


def _told(what: str) -> None:
    only_outside(
        what, "make, seed and read generators outside; inside, draw with rand(generator=...) and the like"
    )


random.watch.told = _told
