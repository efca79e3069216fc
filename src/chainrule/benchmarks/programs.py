"""What a side makes of a workload: something to run and time, and what came out of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from .problems import Array


class Program(NamedTuple):
    """A workload, ready to run on one side.

    run: does `steps` steps, or evaluates the expression, and returns when all of it is done.
    result: the weights as nn.Linear has them, w (out, in), b (out,) of each layer; or the value.
    """

    run: Callable[[], object]
    result: Callable[[], list[Array]]
    steps: int = 1


Forms = dict[str, Callable[[], Program]]  # the ways to write a workload; the fastest one counts
STEPS = 10  # of a full batch in one run, unless asked for another number
