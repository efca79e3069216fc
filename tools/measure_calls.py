"""What a call of a compiled function costs besides the program: `python tools/measure_calls.py`.

The program is replaced by one that returns at once, so what is left is Python: the checks of the arguments
and of the world outside, the counting of writes, and the result. The control does not use this package: a
Python function with as many arguments, which tells a slow machine from a slow change.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import chainrule as torch
from chainrule import nn

CALLS, ROUNDS = 1000, 40


class Nothing:
    """A program that does nothing."""

    def __init__(self, shapes: list[tuple[int, ...]]) -> None:
        self._results = [np.zeros(shape, np.float32) for shape in shapes]

    def run(self, addresses: Any) -> list[Any]:
        return self._results


def idle(function: Any, *args: Any) -> Callable[[], Any]:
    """A call whose program does nothing."""
    compiled = getattr(function, "_compiled", function)
    function(*args)
    function(*args)
    (signature,) = compiled._signatures
    signature.program = Nothing([v.shape for v in signature.graph.outputs])
    signature.short = None
    compiled._put_first(signature)
    return lambda: function(*args)


def training_step(optimizer: Callable[[Any], Any]) -> Callable[[], Any]:
    """A step of a multilayer perceptron with 6 parameters."""
    model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    opt = optimizer(model.parameters())

    def step(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        opt.step()
        return loss

    return idle(torch.compile(step), torch.randn(32, 10), torch.randn(32, 1))


def forward(grad: bool) -> Callable[[], Any]:
    """A model of 6 parameters; its results can be differentiated, or not."""
    model = nn.Sequential(nn.Linear(10, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
    return idle(torch.compile(model.requires_grad_(grad)), torch.randn(32, 10))


def in_a_tuple() -> Callable[[], Any]:
    """Arguments of the unusual kind: the general way."""
    return idle(torch.compile(lambda batch: batch[0] + batch[1]), (torch.ones(4), torch.ones(4)))


def control() -> Callable[[], Any]:
    """No package code at all."""

    def f(x: int, y: int) -> None:
        return None

    return lambda: f(1, 2)


CASES: dict[str, Callable[[], Callable[[], Any]]] = {
    "control: an empty Python function": control,
    "two tensors, none captured": lambda: idle(
        torch.compile(lambda x, y: x + y), torch.ones(4), torch.ones(4)
    ),
    "a step with SGD, 6 captured tensors": lambda: training_step(lambda ps: torch.optim.SGD(ps, lr=0.1)),
    "a step with momentum, 12 captured": lambda: training_step(
        lambda ps: torch.optim.SGD(ps, lr=0.1, momentum=0.9)
    ),
    "a step with Adam, 24 captured": lambda: training_step(lambda ps: torch.optim.Adam(ps, lr=0.1)),
    "a model without gradients, 6 captured": lambda: forward(False),
    "a model with gradients, 6 captured": lambda: forward(True),
    "a tuple of two tensors": in_a_tuple,
}


def main() -> None:
    """Print best and median of the rounds, in microseconds per call; the cases take turns."""
    runs = {name: build() for name, build in CASES.items()}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            start = time.perf_counter()
            for _ in range(CALLS):
                run()
            times[name].append((time.perf_counter() - start) / CALLS * 1e6)
    for name, found in times.items():
        print(f"{name:40} best {min(found):6.2f} µs, median {statistics.median(found):6.2f} µs")


if __name__ == "__main__":
    main()
