"""Whole training steps: compiled and eager from one seed end at the same bits."""

from __future__ import annotations

import copy
import os
import threading
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import chainrule as torch
from chainrule import nn

torch_optim = torch.optim


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.3), nn.Linear(16, 3))


def with_batch_norm() -> nn.Module:
    return nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3))


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda ps: torch_optim.SGD(ps, lr=0.1),
    "momentum": lambda ps: torch_optim.SGD(ps, lr=0.1, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda ps: torch_optim.SGD(ps, lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda ps: torch_optim.Adam(ps, lr=0.01),
    "AdamW": lambda ps: torch_optim.AdamW(ps, lr=0.01, amsgrad=True),
    "RMSprop": lambda ps: torch_optim.RMSprop(ps, lr=0.01, momentum=0.5),
    "Adagrad": lambda ps: torch_optim.Adagrad(ps, lr=0.1),
}


def train(
    model: Any, opt: Any, compiled: bool, schedule: Any = None, steps: int = 6
) -> tuple[list[Any], Any]:
    """Losses, and the step function. The last batch of each round is shorter."""
    torch.manual_seed(3)
    x, y = torch.randn(20, 6), torch.randint(0, 3, (20,))

    def step(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        return loss

    run = torch.compile(step) if compiled else step
    losses = []
    for _ in range(steps):
        losses += [run(x[part], y[part]).detach().clone() for part in (slice(0, 12), slice(12, 20))]
        if schedule is not None:
            schedule.step()
    return losses, run


@pytest.mark.parametrize("build", [mlp, with_batch_norm])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps(name: str, build: Callable[[], nn.Module]) -> None:
    torch.manual_seed(0)
    eager = build()
    compiled = copy.deepcopy(eager)
    opts = [OPTIMIZERS[name](m.parameters()) for m in (eager, compiled)]
    schedules = [torch_optim.lr_scheduler.StepLR(o, 2, 0.5) for o in opts]
    wanted, _ = train(eager, opts[0], False, schedules[0])
    got, step = train(compiled, opts[1], True, schedules[1])
    assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True))
    for a, b in zip(compiled.state_dict().values(), eager.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    for p, q in zip(compiled.parameters(), eager.parameters(), strict=True):
        assert opts[1].state[p].keys() == opts[0].state[q].keys()
        for key, value in opts[1].state[p].items():
            assert torch.equal(value, opts[0].state[q][key]), key
    assert step.traces == 2  # the batch, and the last batch


def test_random_numbers_go_on_where_they_are() -> None:
    f = torch.compile(lambda x: x + torch.rand(3) + torch.randn(3))
    x = torch.zeros(3)
    torch.manual_seed(5)
    wanted = [x + torch.rand(3) + torch.randn(3) for _ in range(4)] + [torch.rand(2)]
    torch.manual_seed(5)
    got = [f(x) for _ in range(4)] + [torch.rand(2)]
    assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True))
    assert f.traces == 1


def test_a_step_goes_on_after_eager_steps() -> None:
    torch.manual_seed(0)
    models = [mlp().eval()]
    models.append(copy.deepcopy(models[0]))
    opts = [torch_optim.Adam(m.parameters(), lr=0.01) for m in models]
    for m, o in zip(models, opts, strict=True):
        train(m, o, False, steps=1)
    got, step = train(models[0], opts[0], True, steps=2)
    wanted, _ = train(models[1], opts[1], False, steps=2)
    assert all(torch.equal(a, b) for a, b in zip(got, wanted, strict=True))
    train(models[0], opts[0], False, steps=1)  # leaves gradients behind
    train(models[1], opts[1], False, steps=1)
    assert step.traces == 2


def test_the_same_function_for_training_and_evaluation() -> None:
    model = with_batch_norm()
    run = torch.compile(lambda x: model(x))
    x = torch.randn(8, 6)
    for _ in range(3):
        model.train()
        run(x)
        model.eval()
        with torch.no_grad():
            assert torch.equal(run(x), model(x))
    assert run.traces == 2


# -- threads --------------------------------------------------------------------------------------------


def in_threads(function: Callable[[int], None], count: int = 4) -> None:
    errors: list[BaseException] = []
    ready = threading.Barrier(count)

    def body(i: int) -> None:
        try:
            ready.wait()
            function(i)
        except BaseException as err:
            errors.append(err)

    threads = [threading.Thread(target=body, args=(i,)) for i in range(count)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]


def test_threads_share_programs() -> None:
    w = torch.randn(4, 4)
    f = torch.compile(lambda x, k: torch.tanh(x @ w) * k)

    def work(i: int) -> None:
        for n in range(30):
            x = torch.full((1 + n % 3, 4), float(i))
            assert torch.equal(f(x, 2.0), torch.tanh(x @ w) * 2.0)

    in_threads(work)
    assert f.traces == 3


def test_threads_draw_from_one_stream_without_overlap() -> None:
    f = torch.compile(lambda: torch.rand(4))
    torch.manual_seed(1)
    wanted = {tuple(torch.rand(4).tolist()) for _ in range(40)}
    torch.manual_seed(1)
    found: list[Any] = []
    in_threads(lambda i: found.extend(tuple(f().tolist()) for _ in range(10)))
    assert set(found) == wanted
    assert f.traces == 1


def test_a_trace_in_one_thread_leaves_others_alone() -> None:
    entered, go_on = threading.Event(), threading.Event()

    def slow(x: Any) -> Any:
        entered.set()
        assert go_on.wait(10)
        return x * 2

    calls = []

    def counted(x: Any) -> Any:
        calls.append(1)
        return x * 5

    other = torch.compile(counted)
    other(torch.ones(2))
    f = torch.compile(slow)
    thread = threading.Thread(target=f, args=(torch.ones(2),))
    thread.start()
    assert entered.wait(10)
    x = torch.ones(2, requires_grad=True)
    (x * 3).sum().backward()  # runs at once, and is recorded on the tape as ever
    assert x.grad.tolist() == [3.0, 3.0]
    eager_calls = len(calls)
    assert other(torch.ones(2)).tolist() == [5.0, 5.0]  # a program that is there runs
    assert len(calls) == eager_calls
    go_on.set()
    thread.join()
    assert f.traces == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_compiles_and_runs() -> None:
    f = torch.compile(lambda x: x * 2 + torch.rand(()))
    f(torch.ones(2))
    locked, go_on = threading.Event(), threading.Event()

    def hold(x: Any) -> Any:
        locked.set()
        go_on.wait(10)
        return x * 3

    thread = threading.Thread(target=torch.compile(hold), args=(torch.ones(2),))
    thread.start()
    assert locked.wait(10)  # the lock of traces is taken while the child is made
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of a fork beside threads
        child = os.fork()
    if child == 0:
        status = 1
        try:
            g = torch.compile(lambda x: x - 1)
            right = f(torch.ones(2)).shape == (2,) and g(torch.ones(3)).tolist() == [0.0] * 3
            status = 0 if right and f(torch.ones(3)).shape == (3,) else 2
        finally:
            os._exit(status)
    go_on.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
