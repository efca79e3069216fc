"""Every model of a course, trained eagerly and natively from one seed: the same weights and metrics.

The same program gives the same bits again, on one thread and on several. What cannot be told here: whether
the weights are good; that both ways agree is the point.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from tests.compiled.courses import COURSES, Course
from tests.tolerances import TRAINED, assert_close

EPOCHS = 3


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def same(a: Any) -> Any:
    return a


def by_steps(c: Course, compiled: Callable[[Any], Any]) -> dict[str, Any]:
    """Batches taken in Python; each step is one program, the short batch another."""
    step = compiled(c.step)
    losses = []
    for _ in range(EPOCHS):
        for x, y in c.loader:
            losses.append(step(x, y).numpy().copy())
        if c.schedule is not None:
            c.schedule.step()
    return {"losses": np.array(losses)} | after(c, compiled)


def by_epochs(c: Course, compiled: Callable[[Any], Any]) -> dict[str, Any]:
    """The loader's loop, shuffling and running metrics are in the program."""

    def epoch() -> Any:
        total, largest = torch.zeros((), dtype=torch.float64), torch.zeros(()).to(c.loss_type)
        seen = torch.zeros((), dtype=torch.int64)
        for x, y in c.loader:
            loss = c.step(x, y)
            total += loss * len(x)
            seen += torch.ones(len(x), dtype=torch.int64).sum()
            largest.copy_(torch.maximum(largest, loss))
        return total / len(c.x), largest, seen

    run = compiled(epoch)
    metrics: list[list[float]] = []
    for _ in range(EPOCHS):
        *values, seen = run()
        assert seen.item() == len(c.x)
        metrics.append([m.item() for m in values])
        if c.schedule is not None:
            c.schedule.step()
    return {"metrics": np.array(metrics, np.float32)} | after(c, compiled)


def after(c: Course, compiled: Callable[[Any], Any]) -> dict[str, Any]:
    """What training changed, and what the model says of the data afterwards, without gradients."""
    found = {k: v.detach().numpy().copy() for k, v in c.state().items()}
    if c.model is not None:
        model = c.model.eval()
        with torch.no_grad():
            found["scores"] = compiled(lambda x: model(x))(c.x).numpy().copy()
        assert not compiled(lambda x: model(x).detach())(c.x).requires_grad
    return found


def compare(got: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert got.keys() == wanted.keys()
    for name, a in wanted.items():
        assert got[name].dtype == a.dtype
        assert_close(got[name], a, TRAINED.get(a.dtype.name, TRAINED["int64"]), name)


def equal_bits(got: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert got.keys() == wanted.keys()
    for name, a in wanted.items():
        assert got[name].tobytes() == a.tobytes(), name


WAYS = {"steps": by_steps, "epochs": by_epochs}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", COURSES)
def test_same_weights(name: str, way: str) -> None:
    train = WAYS[way]
    wanted = train(Course(COURSES[name], torch.float32), same)
    torch.set_num_threads(1)
    first = train(Course(COURSES[name], torch.float32), torch.compile)
    compare(first, wanted)
    torch.set_num_threads(2)
    equal_bits(train(Course(COURSES[name], torch.float32), torch.compile), first)


@pytest.mark.parametrize(
    "name", ["linear regression", "softmax regression from scratch", "batch norm", "Adam"]
)
def test_same_weights_in_float64(name: str) -> None:
    wanted = by_epochs(Course(COURSES[name], torch.float64), same)
    compare(by_epochs(Course(COURSES[name], torch.float64), torch.compile), wanted)


@pytest.mark.parametrize("name", ["ReLU", "batch norm", "dropout", "layer norm", "embedding"])
def test_a_compiled_module_with_backward_outside(name: str) -> None:
    """Forward is one program, backward another; the loss and the optimizer's step run as written."""

    def train(compiled: Callable[[Any], Any]) -> dict[str, Any]:
        c = Course(COURSES[name], torch.float32)
        run = compiled(c.model)
        opt = torch.optim.SGD(c.model.parameters(), lr=0.1, momentum=0.9)
        for _ in range(2):
            for x, y in c.loader:
                opt.zero_grad()
                nn.functional.cross_entropy(run(x), y).backward()
                opt.step()
        return after(c, same)

    first = train(torch.compile)
    compare(first, train(same))
    equal_bits(train(torch.compile), first)


def test_gradients_that_add_up_over_batches() -> None:
    """Two programs' gradients in one `.grad`, and a step that the compiler does not see."""

    def train(compiled: Callable[[Any], Any]) -> dict[str, Any]:
        c = Course(COURSES["tanh"], torch.float32)
        opt = torch.optim.SGD(c.model.parameters(), lr=0.05)
        run = compiled(lambda x, y: nn.functional.cross_entropy(c.model(x), y).backward())
        for x, y in c.loader:
            run(x, y)
        opt.step()
        return after(c, same) | {str(i): p.grad.numpy().copy() for i, p in enumerate(c.model.parameters())}

    compare(train(torch.compile), train(same))
