"""`for x, y in loader:` in a traced function is one loop, and does what it does eagerly, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import chainrule as torch
from chainrule import nn
from chainrule.graph import Graph, parse, simplify, trace, verify
from chainrule.graph.values import LOOP
from chainrule.utils.data import (
    DataLoader,
    RandomSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
)
from tests.graph.checks import assert_same_bits

ROWS, FEATURES, CLASSES = 23, 3, 4


def data(rows: int = ROWS) -> TensorDataset:
    torch.manual_seed(0)
    return TensorDataset(torch.randn(rows, FEATURES), torch.randint(0, CLASSES, (rows,)))


def loops(graph: Graph) -> list[Any]:
    return [v.data for v in graph.values if v.kind == LOOP]


class Training:
    """A model, an optimizer, a loader and running metrics: everything that an epoch changes."""

    def __init__(
        self,
        loader: Callable[[], DataLoader[Any]],
        net: Callable[[], nn.Module],
        optimizer: Callable[[Any], Any] = lambda params: torch.optim.SGD(params, lr=0.1),
    ) -> None:
        torch.manual_seed(1)
        self.net = net()
        self.optimizer = optimizer(self.net.parameters())
        x, y = data(2).tensors
        self.step(x, y)  # makes the optimizer's state
        self.loader = loader()
        self.total = torch.zeros(())
        self.correct = torch.zeros((), dtype=torch.int64)
        self.bodies = 0

    def step(self, x: Any, y: Any) -> Any:
        self.optimizer.zero_grad()
        scores = self.net(x)
        loss = nn.functional.cross_entropy(scores, y)
        loss.backward()
        self.optimizer.step()
        return scores, loss

    def epoch(self) -> Any:
        self.total.zero_()
        for x, y in self.loader:
            self.bodies += 1
            scores, loss = self.step(x, y)
            self.total += loss * len(y)
            self.correct += (scores.argmax(1) == y).sum()
        return self.total / ROWS, self.correct + 0

    @property
    def state(self) -> list[Any]:
        kept = [v for state in self.optimizer.state.values() for v in state.values()]
        tensors = [v for v in kept if isinstance(v, torch.Tensor)]
        return [*self.net.state_dict().values(), *tensors, self.total, self.correct, torch.get_rng_state()]


def check(make: Callable[[], Training], epochs: int = 3) -> tuple[Graph, Training]:
    """Eager = traced = simplified = read back, from one seed: results, all state, the stream's place."""
    wanted = make()
    torch.manual_seed(5)
    results = [wanted.epoch() for _ in range(epochs)]
    state = wanted.state
    for kind in ("traced", "simplified", "read back"):
        training = make()
        graph = trace(training.epoch, simplify=kind != "traced")
        given = {}
        if kind == "read back":
            text, given = str(graph), {v.name: v.data for v in graph.captures}
            graph = verify(parse(text))
            assert str(graph) == text
        torch.manual_seed(5)
        got = [graph(**given) for _ in range(epochs)]
        assert_same_bits(got, results, kind)
        assert_same_bits(training.state, state, kind)
    return graph, training


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(FEATURES, 5), nn.Tanh(), nn.Linear(5, CLASSES))


def noisy() -> nn.Module:
    return nn.Sequential(
        nn.Linear(FEATURES, 5), nn.BatchNorm1d(5), nn.ReLU(), nn.Dropout(0.4), nn.Linear(5, CLASSES)
    )


def loader_of(rows: int = ROWS, **options: Any) -> Callable[[], DataLoader[Any]]:
    return lambda: DataLoader(data(rows), **{"batch_size": 5, **options})


SIZES = {
    # rows, drop_last -> trips of the loop (0: none), how often Python runs the body: twice for a loop
    (23, False): (4, 3),
    (23, True): (4, 2),
    (20, False): (4, 2),
    (20, True): (4, 2),
    (7, False): (0, 2),
    (7, True): (0, 1),
    (5, False): (0, 1),
    (3, False): (0, 1),
    (3, True): (0, 0),
    (10, False): (2, 2),
    (11, False): (2, 3),
}


@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("size", SIZES)
def test_sizes(size: tuple[int, bool], shuffle: bool) -> None:
    rows, drop_last = size
    trips, bodies = SIZES[size]
    graph, training = check(
        lambda: Training(loader_of(rows, shuffle=shuffle, drop_last=drop_last), mlp), epochs=2
    )
    assert [loop.trips for loop in loops(graph)] == ([trips] if trips else [])
    assert training.bodies == bodies


OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "momentum": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda p: torch.optim.Adam(p, lr=0.01, weight_decay=0.01, capturable=True),
    "AdamW": lambda p: torch.optim.AdamW(p, lr=0.01, capturable=True),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name: str) -> None:
    graph, _ = check(lambda: Training(loader_of(shuffle=True), mlp, OPTIMIZERS[name]))
    assert len(loops(graph)) == 1


def test_batch_norm_and_dropout() -> None:
    graph, _ = check(lambda: Training(loader_of(shuffle=True), noisy))
    assert len(loops(graph)) == 1


def test_shuffling_and_dropout_may_have_streams_of_their_own() -> None:
    def loader() -> DataLoader[Any]:
        return DataLoader(data(), 5, shuffle=True, generator=torch.Generator().manual_seed(3))

    check(lambda: Training(loader, noisy))


LOADERS: dict[str, Callable[[], DataLoader[Any]]] = {
    "subset": lambda: DataLoader(Subset(data(), list(range(1, 20, 2))), batch_size=4),
    "shuffled subset": lambda: DataLoader(Subset(data(), [3, -1, 5, 7, 9, 2]), batch_size=2, shuffle=True),
    "subset of a subset": lambda: DataLoader(
        Subset(Subset(data(), range(12)), range(1, 11)), 3, shuffle=True
    ),
    "random indices": lambda: DataLoader(
        data(), 4, sampler=SubsetRandomSampler([1, 5, -2, 8, 13, 2, 7, 4, 6])
    ),
    "with replacement": lambda: DataLoader(data(), 4, sampler=RandomSampler(data(), replacement=True)),
    "more than there are": lambda: DataLoader(data(), 4, sampler=RandomSampler(data(), num_samples=50)),
}


@pytest.mark.parametrize("name", LOADERS)
def test_other_orders(name: str) -> None:
    graph, _ = check(lambda: Training(LOADERS[name], mlp), epochs=2)
    assert len(loops(graph)) == 1


def test_the_size_of_a_graph_does_not_depend_on_the_number_of_batches() -> None:
    small, large = (trace(Training(loader_of(rows, shuffle=True), mlp).epoch) for rows in (20, 500))
    assert len(small.values) == len(large.values)
    assert [len(loop.body.values) for loop in loops(small)] == [
        len(loop.body.values) for loop in loops(large)
    ]


def test_several_epochs_in_one_function_are_several_loops() -> None:
    eager, traced = (Training(loader_of(shuffle=True), mlp) for _ in range(2))

    def epochs(training: Training) -> Callable[[], Any]:
        return lambda: [training.epoch()[0] for _ in range(3)]

    torch.manual_seed(5)
    wanted = epochs(eager)()
    graph = trace(epochs(traced), simplify=True)
    torch.manual_seed(5)
    assert_same_bits(graph(), wanted, "epochs")
    torch.manual_seed(5)
    assert len(loops(graph)) == 3


def test_draws_before_and_after_the_loop_keep_their_places() -> None:
    loader = loader_of(shuffle=True)()

    def f() -> Any:
        first = torch.rand(2)
        total = torch.zeros(FEATURES)
        for x, _ in loader:
            total += (x * torch.rand(FEATURES)).sum(0)
        return first, total, torch.rand(2)

    torch.manual_seed(2)
    wanted = [f() for _ in range(2)]
    graph = trace(f, simplify=True)
    torch.manual_seed(2)
    assert_same_bits([graph(), graph()], wanted, "draws")


def test_inputs_of_the_function_are_carried_and_invariant() -> None:
    loader = loader_of()()

    def f(scale: Any, total: Any) -> Any:
        view = total[1:]
        half = scale * 0.5
        for x, _ in loader:
            view += (x * half).sum(0)[1:]
            x.zero_()  # a batch is a copy
        return total * 2, view

    def inputs() -> list[Any]:
        return [torch.tensor(3.0), torch.arange(3.0)]

    given = inputs()
    wanted = f(*given)
    for simple in (False, True):
        mine = inputs()
        graph = trace(f, *mine, simplify=simple)
        assert_same_bits(graph(*mine), wanted, "results")
        assert_same_bits(mine, given, "inputs")
    (loop,) = loops(graph)
    assert [v.shape for v in loop.body.outputs] == [(3,)]
    assert loop.sequences == 1  # y is not used


def test_tensors_made_before_the_loop_inside_the_function() -> None:
    loader = loader_of(batch_size=4)()

    def f() -> Any:
        smallest = torch.full((FEATURES,), 9.0)
        steps = torch.zeros((), dtype=torch.int64)
        last = torch.empty(())
        for x, _ in loader:
            ones = torch.ones(FEATURES)
            ones += 1  # each batch has its own
            smallest.copy_(torch.minimum(smallest, x.amin(0) * ones))
            steps += 1
            last.copy_(x.sum())
        return smallest, steps, last

    wanted = f()
    assert wanted[1].item() == 6
    graph = trace(f, simplify=True)
    assert_same_bits(graph(), wanted, "results")
    assert graph.captures == [c for c in graph.captures if c.data is loader.dataset.tensors[0]]


def test_linear_regression_by_hand() -> None:
    """The course's epoch: gradients are set to zero after the update."""
    torch.manual_seed(0)
    x = torch.randn(20, 2)
    y = x @ torch.tensor([[2.0], [-3.4]]) + 4.2

    def make() -> tuple[list[Any], Callable[[], Any]]:
        torch.manual_seed(1)
        w = torch.normal(0, 0.01, (2, 1), requires_grad=True)
        b = torch.zeros(1, requires_grad=True)
        loader = DataLoader(TensorDataset(x, y), batch_size=6, shuffle=True)

        def epoch() -> Any:
            for features, labels in loader:
                loss = (features @ w + b - labels) ** 2 / 2
                loss.sum().backward()
                with torch.no_grad():
                    for p in (w, b):
                        p -= 0.03 * p.grad / len(features)
                        p.grad.zero_()
            return ((x @ w + b - y) ** 2 / 2).mean()

        return [w, b], epoch

    params, epoch = make()
    wanted = [epoch() for _ in range(3)]
    for warm in (False, True):  # without and with a `.grad` that was there before
        mine, traced = make()
        first = [traced()] if warm else []
        state = torch.get_rng_state()
        graph = trace(traced, simplify=True)
        torch.set_rng_state(state)
        got = first + [graph() for _ in range(3 - len(first))]
        assert_same_bits(got, wanted, "losses")
        assert_same_bits([p.detach() for p in mine], [p.detach() for p in params], "parameters")
        assert len(loops(graph)) == 1


@pytest.mark.parametrize("where", ["first", "last", "set"])
def test_ways_to_clear_gradients(where: str) -> None:
    def make() -> tuple[nn.Module, Callable[[], None]]:
        torch.manual_seed(1)
        net = mlp()
        opt = torch.optim.SGD(net.parameters(), lr=0.1)
        loader = loader_of()()

        def epoch() -> None:
            for x, y in loader:
                if where == "first":
                    net.zero_grad()
                nn.functional.cross_entropy(net(x), y).backward()
                opt.step()
                if where == "last":
                    opt.zero_grad()
                if where == "set":
                    for p in net.parameters():
                        p.grad = None

        return net, epoch

    net, epoch = make()
    epoch()
    epoch()
    other, traced = make()
    graph = trace(traced)
    graph()
    graph()
    assert_same_bits(list(other.state_dict().values()), list(net.state_dict().values()), where)


def test_gradients_that_are_there_before_may_be_added_to() -> None:
    loader = loader_of()()

    def make() -> tuple[Any, Callable[[], Any]]:
        w = torch.ones(FEATURES, requires_grad=True)
        w.grad = torch.ones(FEATURES)

        def f() -> None:
            for x, _ in loader:
                (x * w).sum().backward()

        return w, f

    w, f = make()
    f()
    other, traced = make()
    trace(traced)()
    assert_same_bits(other.grad, w.grad, "gradient")


def test_autograd_grad_inside() -> None:
    loader = loader_of(shuffle=True)()
    w = torch.ones(FEATURES, requires_grad=True)

    def f() -> Any:
        norm = torch.zeros(())
        for x, _ in loader:
            (g,) = torch.autograd.grad((x @ w).square().sum(), w)
            norm += g.square().sum()
        return norm

    torch.manual_seed(0)
    wanted = f()
    graph = trace(f)
    torch.manual_seed(0)
    assert_same_bits(graph(), wanted, "norm")


def test_loops_may_be_nested() -> None:
    outer, inner = loader_of(batch_size=4)(), loader_of(13, shuffle=True)()

    def f() -> Any:
        total, count = torch.zeros(FEATURES), torch.zeros(())
        for x, _ in outer:
            for z, _ in inner:
                total += (x.sum(0) * z).sum(0)
                count += len(z)
            total *= 0.5
        return total, count

    torch.manual_seed(3)
    wanted = f()
    for simple in (False, True):
        graph = trace(f, simplify=simple)
        torch.manual_seed(3)
        assert_same_bits(graph(), wanted, "nested")
        text = str(graph)
        assert str(verify(parse(text))) == text
    first, rest = loops(graph)  # the rest of the outer loop walks over the inner one, too
    assert [v.data.trips for v in first.body.values if v.kind == LOOP] == [rest.trips] == [2]


def test_a_loop_that_changes_nothing_is_not_there() -> None:
    loader = loader_of()()

    def f(x: Any) -> Any:
        for batch, _ in loader:
            batch.exp()
        return x * 2

    assert loops(trace(f, torch.ones(2))) == [] or loops(trace(f, torch.ones(2), simplify=True)) == []


def test_simplify_leaves_out_what_is_not_read() -> None:
    loader = loader_of()()

    def f(scale: Any) -> Any:
        unused, same, used = torch.zeros(()), torch.ones(()), torch.zeros(())
        for x, _ in loader:
            unused += x.sum()
            same.copy_(same * 1)
            used += (x * same).sum() * scale * scale
        return used, same

    plain = trace(f, 2.0)
    simple = verify(simplify(plain))
    assert_same_bits(simple(2.0), plain(2.0), "results")
    (before,), (after,) = loops(plain), loops(simple)
    assert (len(before.body.outputs), len(after.body.outputs)) == (3, 1)
    assert len(after.body.inputs) == 3  # used, the rows of x, scale
    assert len(simple.outputs) == 2


def test_reading_keeps_the_order_of_names() -> None:
    text = """
def f(x: float32[2], rows: float32[8, 2], scale: float32[()]):
    def body(total: float32[2], *, row: float32[2]):
        v1: float32[2] = mul(row, scale)
        v2: float32[2] = add(total, v1)
        return v2
    v3: (float32[2],) = loop(body, x, row=rows, trips=8)
    v4: float32[2] = v3[0]
    return v4
""".strip()
    graph = parse(text)
    assert str(graph) == text
    rows = torch.arange(16.0).reshape(8, 2)
    assert graph([1.0, 2.0], rows, 0.5).tolist() == [1.0 + 28.0, 2.0 + 32.0]
    assert str(simplify(graph)) == text


def test_python_in_the_loop_runs_twice_for_full_batches_and_once_for_the_rest() -> None:
    loader = loader_of()()
    seen = []

    def f() -> Any:
        count = torch.zeros(())
        for x, _ in loader:
            seen.append(tuple(x.shape))
            count += 1
        return count

    graph = trace(f)
    assert seen == [(5, 3), (5, 3), (3, 3)]
    assert graph().item() == 5.0
    assert len(seen) == 3
