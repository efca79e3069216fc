"""Where an optimizer walks, when a loss depends on two numbers: the paths that `surface.py` draws.

A loss of two numbers is given as a function `loss(w)` or `loss(w, x, y)` of a tensor w of shape (2,), or as a
model that has two numbers to learn. The real optimizers of `chainrule.optim` walk, with the real gradients;
this file only writes down where they are after each step. A model is copied first: the user's own does not
move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..core.dtypes import float64
from ..core.errors import ArgumentError, ShapeError
from ..creation import as_tensor, from_numpy, tensor
from ..functions.sampling import Generator, randperm
from ..nn import Module
from ..optim import Optimizer
from ..tape.mode import enable_grad, no_grad
from ..tensor import Tensor
from .values import Floats, numbers, plain, shortened, written

WHAT = "plot.loss_surface"
FAR = 1e12  # a walk that is so far away does not come back, and its numbers soon overflow

MakeOptimizer = Callable[..., Optimizer]


@dataclass(frozen=True)
class Path:
    """Where a walk was after 0, 1, 2, ... steps: points (steps + 1, 2), and the loss of all data there.

    It has fewer steps than asked for if it ran away (`diverged`).
    """

    points: Floats
    losses: Floats
    lr: float
    batch_size: int | None

    @property
    def diverged(self) -> bool:
        """Whether it ended higher than it started."""
        return not bool(self.losses[-1] <= self.losses[0])


@dataclass(frozen=True)
class Landscape:
    """A loss of the two numbers that are in `params`; `evaluate(x, y)` computes it there, or `evaluate()`."""

    names: tuple[str, str]
    params: list[Tensor]
    start: Floats
    data: tuple[Tensor, Tensor] | None
    evaluate: Callable[..., Any]

    @property
    def rows(self) -> int | None:
        """How many rows of data there are, if there is data."""
        return None if self.data is None else len(self.data[0])

    def loss(self, rows: Tensor | None = None) -> Tensor:
        """The loss at the present place, of all data or of some rows."""
        batch = self.data or ()
        return _scalar(self.evaluate(*(batch if rows is None else (part[rows] for part in batch))))


def of_function(function: Callable[..., Any], start: Any, data: tuple[Tensor, Tensor] | None) -> Landscape:
    """The landscape of `loss(w)`, or of `loss(w, x, y)` with data; w has the type of floating-point data."""
    if start is None:
        raise ArgumentError.of(
            WHAT, given="no start", must="a walk needs two numbers to start from", hint="start=(2, -1)"
        )
    kind = data[0].dtype if data is not None and data[0].dtype.is_floating_point else float64
    w = tensor(_two(start), dtype=kind, requires_grad=True)
    return Landscape(("w₁", "w₂"), [w], _two(start), data, lambda *batch: function(w, *batch))


def of_model(
    model: Any, criterion: Callable[..., Any], start: Any, data: tuple[Tensor, Tensor] | None
) -> Landscape:
    """The landscape of a model with two numbers to learn, `criterion(model(x), y)`."""
    if data is None:
        raise ArgumentError.of(
            WHAT, given="a model without data", must="its loss is that of some data", hint="data=(x, y)"
        )
    if not isinstance(model, Module):
        raise ArgumentError.of(
            WHAT,
            given=f"model = {shortened(model)}",
            must="the model must be an nn.Module",
            hint="loss(w, x, y) without a model, for a function",
        )
    own = deepcopy(model)
    learned = {name: p for name, p in own.named_parameters() if p.requires_grad}
    if sum(p.numel() for p in learned.values()) != 2:
        shapes = ", ".join(f"{name} {tuple(p.shape)}" for name, p in learned.items()) or "none"
        raise ShapeError.of(
            WHAT,
            given=f"a model with these parameters to learn: {shapes}",
            must="a surface lies over two numbers; the model must learn exactly two",
            hint="nn.Linear(1, 1), or parameter.requires_grad_(False) for those that stay as they are",
        )
    params: list[Tensor] = list(learned.values())
    first, second = (
        f"{name}[{i}]" if p.numel() > 1 else name for name, p in learned.items() for i in range(p.numel())
    )
    begin = place(params) if start is None else _two(start)
    return Landscape((first, second), params, begin, data, lambda x, y: criterion(own(x), y))


def pair(data: Any) -> tuple[Tensor, Tensor] | None:
    """Data as two tensors with equally many rows, or None."""
    if data is None:
        return None
    if not isinstance(data, list | tuple) or len(data) != 2:
        raise ArgumentError.of(
            WHAT,
            given=f"data = {shortened(data)}",
            must="data must be a pair: inputs and targets",
            hint="data=(x, y)",
        )
    x, y = (v.detach() if isinstance(v, Tensor) else as_tensor(plain(v)) for v in data)
    if x.ndim == 0 or y.ndim == 0 or len(x) != len(y) or len(x) == 0:
        raise ShapeError.of(
            WHAT,
            given=f"data of shapes {tuple(x.shape)} and {tuple(y.shape)}",
            must="both must have the same number of rows, at least one",
        )
    return x, y


def walk(
    land: Landscape, make: MakeOptimizer, lr: float, batch_size: int | None, steps: int, seed: int
) -> Path:
    """Let a new optimizer take so many steps from the start, and write down where it is after each."""
    params = land.params
    put(params, land.start)
    optimizer = make(params, lr=lr)
    batches = _batches(land.rows, batch_size, seed)
    points, losses = [place(params)], [height(land)]
    for _ in range(steps):
        optimizer.zero_grad()
        with enable_grad():
            land.loss(next(batches)).backward()
        optimizer.step()
        points.append(place(params))
        losses.append(height(land))
        if not (np.isfinite(losses[-1]) and np.abs(points[-1]).max() < FAR):
            break
    return Path(np.array(points), np.array(losses), lr, batch_size)


def height(land: Landscape) -> float:
    """The loss of all data at the present place."""
    with no_grad():
        return float(land.loss())


def place(params: list[Tensor]) -> Floats:
    """The two numbers."""
    return np.concatenate([p.detach().numpy().reshape(-1) for p in params]).astype(np.float64)


def put(params: list[Tensor], point: Floats) -> None:
    """Set the two numbers."""
    taken = 0
    with no_grad():
        for p in params:
            part = np.asarray(point[taken : taken + p.numel()]).reshape(tuple(p.shape))
            p.copy_(from_numpy(part.copy()))
            taken += p.numel()


def _two(start: Any) -> Floats:
    found = numbers(start, WHAT, "start").reshape(-1)
    if found.size != 2 or not np.isfinite(found).all():
        raise ArgumentError.of(
            WHAT,
            given=f"start = {shortened(start)}",
            must="start must be two finite numbers",
            hint="start=(2, -1)",
        )
    return found


def _scalar(loss: Any) -> Tensor:
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        given = f"a tensor of shape {tuple(loss.shape)}" if isinstance(loss, Tensor) else shortened(loss)
        raise ArgumentError.of(
            WHAT,
            given=f"a loss that is {given}",
            must="the loss must be a tensor of one element",
            hint="loss.mean(), for losses of the rows",
        )
    return loss.reshape(())


def _batches(rows: int | None, size: int | None, seed: int) -> Iterator[Any]:
    """The rows of one batch after the other, each epoch in another order; None for all of them."""
    if size is None:
        while True:
            yield None
    if rows is None or not 1 <= size <= rows:
        raise ArgumentError.of(
            WHAT,
            given=f"batch_size = {size} and {'no data' if rows is None else f'{rows} rows'}",
            must="a batch is some of the rows of data",
            hint="data=(x, y) with loss(w, x, y)" if rows is None else f"a number from 1 to {rows}",
        )
    generator = Generator().manual_seed(seed)
    while True:
        order = randperm(rows, generator=generator)
        for first in range(0, rows - size + 1, size):  # only whole batches
            yield order[first : first + size]


def described(path: Path, *, with_lr: bool, with_batch: bool) -> str:
    """The name of a path in the legend: what it has that others have not."""
    size = "all rows" if path.batch_size is None else f"batch {path.batch_size}"
    parts = [f"lr {written(path.lr)}"] * with_lr + [size] * with_batch
    return ", ".join(parts) + (" (diverges)" if path.diverged else "")
