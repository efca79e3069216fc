"""The loop of the experiments: whole epochs compiled into one program, with a look at the model in between.

This is the plain loop of the course (zero_grad, loss, backward, step), and `chainrule.compile` makes each
walk over the data one native call; that is why an experiment with thousands of steps takes less than a
second. Early stopping and the best weights are the trainer's business: `training.fit`. Next: `capacity.py`,
the first experiment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec

from .. import nn
from ..compiler import compile
from ..core.dtypes import float64
from ..creation import zeros
from ..functions.sampling import get_rng_state, manual_seed, set_rng_state
from ..nn import Module
from ..optim import SGD, Optimizer
from ..tape.mode import no_grad
from ..tensor import Tensor
from ..utils.data import DataLoader, TensorDataset
from .result import Result

P = ParamSpec("P")
Loss = Callable[[Tensor, Tensor], Tensor]


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers from a seed inside; the user's own stream is afterwards where it was.

    >>> import chainrule as torch
    >>> with seeded(1):
    ...     a = torch.rand(1)
    >>> with seeded(1):
    ...     torch.equal(a, torch.rand(1))
    True
    """
    state = get_rng_state()
    try:
        manual_seed(seed)
        yield
    finally:
        set_rng_state(state)


def undisturbing(experiment: Callable[P, Result]) -> Callable[P, Result]:
    """The experiment, which leaves the user's random stream where it was, whatever layers it makes."""

    @wraps(experiment)
    def run(*args: P.args, **kwargs: P.kwargs) -> Result:
        with seeded(0):
            return experiment(*args, **kwargs)

    return run


def line(start: Tensor) -> nn.Linear:
    """A linear model in float64 with the given weights (1, inputs) and the bias 0."""
    model = nn.Linear(start.shape[1], 1, dtype=float64)
    with no_grad():
        model.weight.copy_(start)
        bias_of(model).zero_()
    return model


def bias_of(model: nn.Linear) -> Tensor:
    """The bias of a layer that has one."""
    assert model.bias is not None
    return model.bias


def decaying(model: nn.Linear, *, lr: float, decay: float) -> SGD:
    """SGD with weight decay for the weights, and none for the bias."""
    groups: list[dict[str, Any]] = [
        {"params": [model.weight], "weight_decay": decay},
        {"params": [bias_of(model)]},
    ]
    return SGD(groups, lr=lr)


def train(
    model: Module,
    loss: Loss,
    optimizer: Optimizer,
    x: Tensor,
    y: Tensor,
    *,
    epochs: int,
    batch_size: int | None = None,
    after_step: Callable[[], object] | None = None,
    look: Callable[[], Any] | None = None,
) -> list[Any]:
    """Train a model; what `look()` saw after each epoch or, without it, the mean losses of epochs.

    Args:    batch_size: None takes all rows at once. after_step: is called after each step, within the
             compiled program (a projection, say). look: is called after each epoch, without gradients.

    >>> import chainrule as torch
    >>> model = torch.nn.Linear(1, 1)
    >>> sgd = torch.optim.SGD(model.parameters(), lr=0.1)
    >>> x = torch.linspace(-1, 1, 8).reshape(8, 1)
    >>> losses = train(model, torch.nn.functional.mse_loss, sgd, x, 2 * x, epochs=100)
    >>> round(model.weight.item(), 2)
    2.0
    """
    rows = len(x)
    loader = DataLoader(TensorDataset(x, y), batch_size=batch_size or rows, shuffle=batch_size is not None)

    def epoch() -> Tensor:
        total = zeros(())
        for xs, ys in loader:
            optimizer.zero_grad()
            value = loss(model(xs), ys)
            value.backward()
            optimizer.step()
            if after_step is not None:
                after_step()
            total += value.detach() * len(xs)
        return total / rows

    run, seen = compile(epoch), []
    for _ in range(epochs):
        value = run()
        if look is None:
            seen.append(value.item())
        else:
            with no_grad():
                seen.append(look())
    return seen
