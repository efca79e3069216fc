"""The backward engine: depth, memory, no circles, threads, fork; and that it checks gradient rules."""

from __future__ import annotations

import gc
import os
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import GradError
from chainrule.ops.batching import ALIGNED
from chainrule.ops.primitive import ELEMENTWISE, LINEAR, MOVEMENT, TABLE, USE_NUMPY, primitive, sample
from chainrule.ops.rules import same_shape
from chainrule.ops.samples import floats
from tests.ops import cases
from tests.sites import line

DEEP = 100_000


def leaf(*values: float) -> torch.Tensor:
    return torch.tensor([float(v) for v in values], requires_grad=True)


# -- depth -------------------------------------------------------------------------------------------


def test_a_deep_chain() -> None:
    x = leaf(1, 2)
    y = x
    for _ in range(DEEP):
        y = y + 1
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]
    del y  # deleting a deep graph must not recurse either


def test_a_deep_chain_that_keeps_values() -> None:
    x = torch.tensor(3.0, dtype=torch.float64, requires_grad=True)
    w = torch.tensor(1.00001, dtype=torch.float64, requires_grad=True)
    y = x
    for _ in range(DEEP):
        y = y * w
    y.backward()
    np.testing.assert_allclose(x.grad.item(), 1.00001**DEEP, rtol=1e-10)
    np.testing.assert_allclose(w.grad.item(), 3 * DEEP * 1.00001 ** (DEEP - 1), rtol=1e-10)


def test_a_deep_graph_that_was_never_walked_is_deleted() -> None:
    y = leaf(1, 2)
    for _ in range(DEEP):
        y = y * y
    del y


def test_a_deep_chain_of_in_place_operations() -> None:
    x = leaf(1, 2)
    y = x * 1
    for _ in range(20_000):
        y += 1
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_a_deep_chain_of_views() -> None:
    x = leaf(1, 2)
    y = x
    for _ in range(20_000):
        y = y[:]
    y.sum().backward()
    assert x.grad.tolist() == [1, 1]


def test_derivatives_through_a_deep_chain() -> None:
    x = torch.tensor(1.0, dtype=torch.float64, requires_grad=True)
    y = x
    for _ in range(5_000):
        y = y * 0.9999 + 0.00005 * (x * x)
    (g,) = torch.autograd.grad(y, x, create_graph=True)
    (h,) = torch.autograd.grad(g, x)
    # y = 0.9999^n x + 0.00005 (1 - 0.9999^n) / 0.0001 x^2, so that both derivatives at 1 have a closed form
    power = 0.9999**5_000
    np.testing.assert_allclose(g.item(), power + (1 - power), rtol=1e-9)
    np.testing.assert_allclose(h.item(), 1 - power, rtol=1e-9)


def test_a_deep_graph_with_many_results_of_one_function() -> None:
    class Pair(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any, y: Any) -> Any:
            return x + 1, y + 1

        @staticmethod
        def backward(ctx: Any, g: Any, h: Any) -> Any:
            return g, h

    x, y = a, b = leaf(1), leaf(2)
    for _ in range(10_000):
        a, b = Pair.apply(a, b)
    (a + 2 * b).backward()
    assert (x.grad.item(), y.grad.item()) == (1, 2)


# -- memory ------------------------------------------------------------------------------------------


class Counted:
    """Counts the live arrays among the tensors it was shown."""

    def __init__(self) -> None:
        self.refs: list[weakref.ref[Any]] = []

    def watch(self, x: torch.Tensor) -> torch.Tensor:
        self.refs.append(weakref.ref(x._a))
        return x

    def alive(self) -> list[int]:
        return [i for i, ref in enumerate(self.refs) if ref() is not None]


@pytest.fixture
def _no_collector() -> Iterator[None]:
    """Switch the garbage collector off, so that only reference counts free memory."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.usefixtures("_no_collector")
def test_an_intermediate_is_freed_as_soon_as_backward_is_past_it() -> None:
    x = leaf(0.1, 0.2)
    counted, seen = Counted(), []

    def look(g: Any) -> None:
        seen.append(counted.alive())

    y = x
    for _ in range(5):
        y = counted.watch(torch.sin(y))  # its rule keeps its input
        y.register_hook(look)
    loss = y.sum()
    del y
    loss.backward()
    # sin keeps its input, so the last result is freed in forward already; when backward arrives at a result,
    # the step after it, which had kept that result, has given it back.
    assert seen == [[0, 1, 2, 3], [0, 1, 2], [0, 1], [0], []]
    assert counted.alive() == []
    del loss


@pytest.mark.usefixtures("_no_collector")
def test_a_kept_result_is_freed_as_soon_as_backward_is_past_it() -> None:
    x = leaf(0.1, 0.2)
    counted, seen = Counted(), []
    y = x
    for _ in range(4):
        y = counted.watch(torch.exp(y))  # its rule keeps its result
        y.register_hook(lambda g: seen.append(counted.alive()))
    loss = y.sum()
    del y
    loss.backward()
    assert seen == [[0, 1, 2, 3], [0, 1, 2], [0, 1], [0]]
    assert counted.alive() == []


@pytest.mark.usefixtures("_no_collector")
def test_gradients_on_their_way_are_freed() -> None:
    x = leaf(0.1, 0.2)
    counted, most = Counted(), []

    def look(g: Any) -> None:
        counted.watch(g)
        most.append(len(counted.alive()))

    y = x
    for _ in range(20):
        y = y * 2
        y.register_hook(look)
    y.sum().backward()
    assert max(most) <= 2  # the one that arrived and the one it was made from
    assert counted.alive() == []


@pytest.mark.usefixtures("_no_collector")
def test_a_retained_graph_keeps_its_values() -> None:
    x = leaf(0.1, 0.2)
    counted = Counted()
    y = torch.sin(counted.watch(torch.sin(x)))
    y.sum().backward(retain_graph=True)
    assert counted.alive() == [0]
    y.sum().backward()
    assert counted.alive() == []


@pytest.mark.usefixtures("_no_collector")
def test_what_no_rule_reads_is_not_kept() -> None:
    x, c = leaf(0.1, 0.2), torch.ones(2)
    counted = Counted()
    y = (counted.watch(x * 3) + counted.watch(x * 5)).reshape(1, 2).sum()  # sums and views keep no values
    assert counted.alive() == []
    y = counted.watch(x * 7) * c  # x is needed for the gradient of c, which nobody wants
    assert counted.alive() == []
    y.sum().backward()
    assert x.grad.tolist() == [7, 7]


@pytest.mark.usefixtures("_no_collector")
def test_an_operation_under_no_grad_keeps_nothing() -> None:
    x = leaf(0.1, 0.2)
    counted = Counted()
    with torch.no_grad():
        y = torch.sin(counted.watch(torch.sin(x)))
    assert counted.alive() == []
    assert y.grad_fn is None


def _steps(optimizer: str) -> None:
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4),
        torch.nn.ReLU(),
        torch.nn.BatchNorm1d(4),
        torch.nn.Dropout(0.1),
        torch.nn.Linear(4, 2),
    )
    step = getattr(torch.optim, optimizer)(model.parameters(), lr=0.1)
    loss_of = torch.nn.CrossEntropyLoss()
    x, y = torch.randn(8, 3), torch.randint(0, 2, (8,))
    for _ in range(3):
        step.zero_grad()
        loss = loss_of(model(x), y)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        step.step()
    assert np.isfinite(loss.item())


@pytest.mark.usefixtures("_no_collector")
@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "RMSprop"])
def test_training_makes_no_circles(optimizer: str) -> None:
    _steps(optimizer)  # anything that is made once
    gc.collect()
    _steps(optimizer)
    gc.set_debug(gc.DEBUG_SAVEALL)
    try:
        gc.collect()
        found = [type(o).__name__ for o in gc.garbage if type(o).__module__.startswith("chainrule")]
    finally:
        gc.set_debug(0)
        gc.garbage.clear()
    assert found == []


@pytest.mark.usefixtures("_no_collector")
def test_hand_made_training_makes_no_circles() -> None:
    def train() -> None:
        w, b = torch.randn(2, 1, requires_grad=True), torch.zeros(1, requires_grad=True)
        x, y = torch.randn(10, 2), torch.randn(10, 1)
        for _ in range(3):
            h = x @ w + b
            h[0] = h[1] * 2  # writes through views are recorded on the owner
            h *= h.detach().clone()
            h.exp_().mul_(w.sum())
            loss = ((h - y) ** 2 / 2).mean()
            kept = loss * 2  # a graph that nobody walks
            loss.backward(retain_graph=True)
            loss.backward()
            with torch.no_grad():
                for p in (w, b):
                    p -= 0.001 * p.grad
                    p.grad.zero_()
            assert kept.requires_grad

    train()
    gc.collect()
    train()
    assert gc.collect() == 0


@pytest.mark.usefixtures("_no_collector")
def test_a_loop_that_is_interrupted_by_an_error_frees_its_graph() -> None:
    counted = Counted()

    def fails() -> None:
        y = torch.sin(counted.watch(torch.sin(leaf(1, 2))))
        y.backward()

    with pytest.raises(GradError) as err:
        fails()
    del err
    sys.exc_info()
    gc.collect()
    assert counted.alive() == []


def test_gradients_own_their_memory() -> None:
    # What a rule makes may be added into. So it must not be memory that the op's inputs, its result or the
    # arriving gradient still use: for every primitive and sample.
    checked = 0
    for op in TABLE.values():
        for case in cases.cases(op):
            arrays = case.arrays()
            settings = case.sample.settings_for(arrays)
            xs = cases.tensors(arrays)
            leaves = [xs[i].requires_grad_() for i in cases.differentiable(case, arrays, settings)]
            if not leaves:
                continue
            out = cases.run(case, xs, settings)
            before = [x.detach().clone() for x in xs if isinstance(x, torch.Tensor)]
            g = torch.ones_like(out)
            torch.autograd.backward([out], [g])
            found = [x.grad for x in leaves if x.grad is not None]
            for mine in found:
                for other in (*xs, out, g, *found):
                    if isinstance(other, torch.Tensor) and other is not mine:
                        assert not np.shares_memory(mine._a, other._a), case
                checked += 1
            after = [x.detach() for x in xs if isinstance(x, torch.Tensor)]
            assert all(torch.equal(x, y) for x, y in zip(before, after, strict=True)), case
            assert (g == 1).all(), case
    assert checked > 100


# -- threads -----------------------------------------------------------------------------------------


def in_threads(count: int, work: Any) -> None:
    """Run work(0), work(1), ... at the same time, and raise the first error."""
    errors: list[BaseException] = []
    barrier = threading.Barrier(count)

    def run(i: int) -> None:
        try:
            barrier.wait(30)
            work(i)
        except BaseException as err:
            errors.append(err)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for t in threads:
            t.start()
        for t in threads:
            t.join(120)
    finally:
        sys.setswitchinterval(before)
    if errors:
        raise errors[0]


def test_threads_with_graphs_of_their_own() -> None:
    def work(i: int) -> None:
        for k in range(100):
            x = leaf(i, k)
            y = x * x
            for _ in range(5):
                y = y + x
            y.sum().backward()
            assert x.grad.tolist() == [2 * i + 5, 2 * k + 5]

    in_threads(4, work)


@pytest.mark.parametrize("size", [3, 300_000])  # NumPy lets other threads run during large sums only
def test_threads_that_add_to_one_leaf(size: int) -> None:
    shared = torch.zeros(size, requires_grad=True)
    rounds = 200 if size == 3 else 25

    def work(i: int) -> None:
        c = torch.full((size,), float(i + 1))
        for _ in range(rounds):
            (shared * c).sum().backward()

    in_threads(4, work)
    assert (shared.grad == rounds * (1 + 2 + 3 + 4)).all()


def test_threads_that_walk_one_retained_graph() -> None:
    x = leaf(1, 2)
    y = torch.exp(x * x).sum()
    wanted = torch.autograd.grad(y, x, retain_graph=True)[0].tolist()

    def work(i: int) -> None:
        for _ in range(100):
            (g,) = torch.autograd.grad(y, x, retain_graph=True)
            assert g.tolist() == wanted

    in_threads(4, work)


# -- fork --------------------------------------------------------------------------------------------


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")
def test_a_forked_child_computes_gradients() -> None:
    # Another thread keeps the locks busy, so that some forks happen while one is held.
    shared, stop = torch.zeros(200_000, requires_grad=True), threading.Event()

    def busy() -> None:
        while not stop.is_set():
            (shared * 2).sum().backward()

    thread = threading.Thread(target=busy)
    thread.start()
    try:
        for _ in range(10):
            assert _in_child() == 0
    finally:
        stop.set()
        thread.join(30)


def _in_child() -> int:
    """The exit status of a child that computes a gradient: 1 for a wrong one, a signal if it hangs."""
    import signal
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads is what is tested
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            signal.alarm(20)  # a lock that is never released must not hang the test
            x = torch.full((200_000,), 3.0, requires_grad=True)
            (x * x).sum().backward()
            (x * x).sum().backward()
            status = 0 if bool((x.grad == 12).all()) else 1
        finally:
            os._exit(status)
    return os.waitpid(pid, 0)[1]


# -- rules that are wrong ----------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [ELEMENTWISE, MOVEMENT])
@pytest.mark.parametrize(
    ("rule", "given"),
    [
        (lambda g: g[:1], "a gradient (1,) for input x, a tensor (2,)"),
        (lambda g: g.double(), "a float64 gradient for input x, a float32 tensor"),
    ],
    ids=["shape", "type"],
)
def test_a_gradient_of_another_shape_or_type_is_found_out(kind: str, rule: Any, given: str) -> None:
    op = primitive(
        "broken", kind=kind, formula="broken(x)", shape=same_shape, dtype=TABLE["exp"].dtype,
        numpy=np.negative, lower=USE_NUMPY, batch=ALIGNED, vjp=(rule,), jvp=LINEAR, d="-1",
        why="wrong", samples=[sample(floats())],
    )  # fmt: skip
    try:
        y = op(leaf(1, 2))
        recorded = line(1)
        with pytest.raises(GradError) as err:
            y.sum().backward()
    finally:
        del TABLE["broken"]
    assert str(err.value) == (
        f"backward of broken(x) (recorded at {recorded}) got from its gradient rule {given}\n"
        "  the rule must give one gradient for each input, with the input's shape and type"
    )


# -- floating-point exceptions -----------------------------------------------------------------------


def test_overflow_on_the_way_is_silent() -> None:
    # Warnings are errors in these tests: three uses of y make the engine add up to infinity in place.
    x = torch.tensor([3e38], requires_grad=True)
    y = x * 1
    big = torch.tensor([3e38])
    (y * big + y * big + y * big).backward()
    assert x.grad.item() == float("inf")
    x.backward(big)
    assert x.grad.item() == float("inf")
