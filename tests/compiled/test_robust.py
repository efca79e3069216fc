"""Native programs under threads, forks, errors, Ctrl-C and many calls."""

from __future__ import annotations

import os
import signal
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.core.errors import IndexingError
from chainrule.executors.cpu.program import Program
from chainrule.utils.data import DataLoader, TensorDataset


@pytest.fixture(autouse=True)
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def program(f: Any) -> Program:
    found = f._signatures[0].program
    assert isinstance(found, Program)
    return found


def in_threads(function: Callable[[int], None], count: int = 4) -> None:
    errors: list[BaseException] = []
    ready = threading.Barrier(count)

    def body(i: int) -> None:
        try:
            ready.wait()
            function(i)
        except BaseException as err:
            errors.append(err)

    workers = [threading.Thread(target=body, args=(i,)) for i in range(count)]
    for t in workers:
        t.start()
    for t in workers:
        t.join()
    if errors:
        raise errors[0]


def heavy(w: Any) -> Any:
    """A function with a product, folds and enough work for several threads."""
    return torch.compile(lambda x: (torch.softmax(x @ w, 1) * x.sum(1, keepdim=True)).sum(0))


# -- threads and processes ----------------------------------------------------------------------------------


def test_python_threads_call_one_program() -> None:
    f = heavy(torch.randn(64, 64))
    inputs = [torch.randn(500, 64) for _ in range(4)]
    wanted = [f(x).numpy().tobytes() for x in inputs]

    def work(i: int) -> None:
        for _ in range(40):
            assert f(inputs[i]).numpy().tobytes() == wanted[i]

    in_threads(work)
    assert f.traces == 1
    assert len(program(f)._busy) <= 5  # one frame for each that ran at the same time


def test_the_number_of_threads_changes_between_calls() -> None:
    f = heavy(torch.randn(64, 64))
    x = torch.randn(500, 64)
    wanted = f(x).numpy().tobytes()

    def work(i: int) -> None:
        for n in range(25):
            torch.set_num_threads(1 + (i + n) % 4)
            assert f(x).numpy().tobytes() == wanted

    in_threads(work, 3)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_child_calls_what_its_parent_compiled() -> None:
    f = heavy(torch.randn(64, 64))
    x = torch.randn(500, 64)
    wanted = f(x).numpy().tobytes()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # Python warns of a fork beside threads
        child = os.fork()
    if child == 0:
        status = 1
        try:
            same = all(f(x).numpy().tobytes() == wanted for _ in range(20))
            new = torch.compile(lambda x: x * 2 + 1)(torch.ones(3)).tolist() == [3.0] * 3
            status = 0 if same and new else 2
        finally:
            os._exit(status)
    assert f(x).numpy().tobytes() == wanted
    assert os.waitpid(child, 0)[1] == 0


# -- errors -------------------------------------------------------------------------------------------------


def test_an_error_of_numpy_is_raised_and_the_next_call_is_right() -> None:
    f = torch.compile(lambda a, b: torch.linalg.solve(a, b) * 2)
    good, bad = torch.eye(3) * 4, torch.zeros(3, 3)
    b = torch.ones(3, 1)
    assert f(good, b).reshape(-1).tolist() == [0.5] * 3
    for _ in range(3):
        with pytest.raises(RuntimeError, match=r"[Ss]ingular"):
            f(bad, b)
        assert f(good, b).reshape(-1).tolist() == [0.5] * 3
    assert len(program(f)._busy) == 1  # what a run that failed used is gone


def test_an_index_error_changes_no_weights() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(10, 4), nn.Flatten(), nn.Linear(8, 3))
    opt = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

    def step(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        return loss

    run = torch.compile(step)
    x, y = torch.tensor([[1, 2], [3, 4]]), torch.tensor([0, 2])
    run(x, y)
    before = [p.numpy().tobytes() for p in model.state_dict().values()]
    for xs, ys in ((torch.tensor([[1, 2], [3, 10]]), y), (x, torch.tensor([0, 3]))):
        with pytest.raises(IndexingError, match="every index must name an element that is there"):
            run(xs, ys)
        assert [p.numpy().tobytes() for p in model.state_dict().values()] == before
    run(x, y)
    assert [p.numpy().tobytes() for p in model.state_dict().values()] != before
    assert run.traces == 1


def test_errors_in_several_threads_reach_their_own_callers() -> None:
    f = torch.compile(lambda a: torch.linalg.inv(a) + a[torch.tensor([0, 1])].sum())
    good, bad = torch.eye(2), torch.zeros(2, 2)
    f(good)

    def work(i: int) -> None:
        for _ in range(50):
            if i % 2:
                assert f(good).tolist() == [[3.0, 2.0], [2.0, 3.0]]
            else:
                with pytest.raises(RuntimeError, match=r"[Ss]ingular"):
                    f(bad)

    in_threads(work)


def test_an_index_error_inside_a_loop_stops_it() -> None:
    table = torch.arange(5.0)
    loader = DataLoader(TensorDataset(torch.tensor([0, 1, 7, 2])), batch_size=1)
    seen = torch.zeros(())

    def epoch() -> None:
        for (i,) in loader:
            seen.add_(table[i].sum() + 1)

    with pytest.raises(IndexingError):
        torch.compile(epoch)()


# -- Ctrl-C -------------------------------------------------------------------------------------------------


def test_ctrl_c_arrives_after_the_call() -> None:
    """State is that of a call that came to its end; the result is lost, and the next call is right."""
    x = torch.randn(2000, 128)
    loader = DataLoader(TensorDataset(x), batch_size=32)
    count = torch.zeros((), dtype=torch.int64)
    w = torch.randn(128, 128)

    def epochs() -> Any:
        total = torch.zeros(())
        for _ in range(4):
            for (rows,) in loader:
                count.add_(1)
                total += (rows @ w).tanh().sum()
        return total

    run = torch.compile(epochs)
    wanted = run().item()
    steps = count.item()
    start = time.perf_counter()
    run()
    took = time.perf_counter() - start
    interrupted = 0
    for k in range(10):
        timer = threading.Timer(took * (0.3 + 0.05 * k), os.kill, (os.getpid(), signal.SIGINT))
        before = count.item()
        try:
            timer.start()
            run()
            timer.join()
            time.sleep(0.05)
        except KeyboardInterrupt:
            interrupted += 1
            timer.join()
        assert count.item() - before in (0, steps)
    assert interrupted
    np.testing.assert_allclose(run().item(), wanted, rtol=1e-6)
    assert len(program(run)._busy) <= 1


# -- memory -------------------------------------------------------------------------------------------------


def test_results_own_their_memory() -> None:
    f = torch.compile(lambda x: (x * 2, x.sum(), (x + 1).reshape(-1), x))
    for size in (4, 5000):
        x, other = torch.ones(size), torch.zeros(size)
        first = f(x)
        kept = [y.numpy().copy() for y in first]
        second = f(other)
        for y, a, z in zip(first, kept, second, strict=True):
            np.testing.assert_array_equal(y.numpy(), a)
            assert not np.may_share_memory(y.numpy(), z.numpy())
        first[0].add_(7)
        assert second[0].sum().item() == 0
        assert first[3] is x


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="memory is measured in /proc")
def test_memory_does_not_grow() -> None:
    model = nn.Sequential(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.2), nn.Linear(16, 1))
    opt = torch.optim.Adam(model.parameters(), lr=0.001)

    def step(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = nn.functional.mse_loss(model(x), y)
        loss.backward()
        opt.step()
        return loss, model(x)

    run = torch.compile(step)
    x, y = torch.randn(30, 6), torch.randn(30, 1)
    for _ in range(500):
        run(x, y)
    before = resident()
    for _ in range(10_000):
        run(x, y)
    assert resident() - before < 1 << 20
    assert run.traces == 1
    assert len(program(run)._busy) == 1
