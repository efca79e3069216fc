"""Running graphs: what they take, what they refuse, what they change, who owns the results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.graph import parse, simplify, trace

X = torch.tensor([1.0, 2.0, 3.0])


def scaled(x: Any, factor: Any) -> Any:
    return x * factor


def refusal(kind: type[Exception], graph: Any, *inputs: Any, **named: Any) -> str:
    with pytest.raises(kind) as caught:
        graph(*inputs, **named)
    return caught.value.summary  # type: ignore[attr-defined, no-any-return]


def test_tensors_arrays_numbers_and_names() -> None:
    g = trace(scaled, X, 2.0)
    wanted = torch.tensor([2.0, 4.0, 6.0])
    for result in (
        g(X, 2.0),
        g(X._a, np.float32(2)),
        g([1, 2, 3], 2),
        g(factor=2.0, x=X),
        g(X, factor=torch.tensor(2.0)),
    ):
        assert torch.equal(result, wanted)


def test_what_does_not_fit_is_refused() -> None:
    g = trace(scaled, X, 2.0)
    assert refusal(torch.ArgumentError, g, X, 2.0, 3.0) == "scaled got 3 inputs\n  it takes 2: x, factor"
    assert (
        refusal(torch.ArgumentError, g, X) == "scaled got no value for 'factor'\n  its inputs are x, factor"
    )
    assert (
        refusal(torch.ArgumentError, g, X, x=X) == "scaled got an input 'x' twice\n  its inputs are x, factor"
    )
    assert refusal(torch.ArgumentError, g, X, facto=1) == (
        "scaled got an input 'facto' (did you mean 'factor'?)\n  its inputs are x, factor"
    )
    assert refusal(torch.ShapeError, g, X[:2], 2.0) == (
        "scaled got 'x' with shape (2,)\n  the graph was made for (3,)"
    )
    assert refusal(torch.DTypeError, g, X.double(), 2.0) == (
        "scaled got 'x' of type float64\n  the graph was made for float32\n  try: x.to(torch.float32)"
    )
    assert refusal(torch.DTypeError, g, np.ones(3), 2.0) == (
        "scaled got 'x' of type float64\n  the graph was made for float32\n  try: x.astype('float32')"
    )


def test_a_refusal_at_run_time_names_the_users_line() -> None:
    g = trace(lambda x, i: x[i], X, torch.tensor([0, 1]))
    with pytest.raises(torch.IndexingError) as caught:
        g(X, torch.tensor([0, 5]))
    line = test_a_refusal_at_run_time_names_the_users_line.__code__.co_firstlineno + 1
    assert str(caught.value) == (
        "x[...] got index 5 for axis 0 of a tensor (3,)\n"
        "  every index must lie in [-3, 2]\n"
        f"  at tests/graph/test_evaluate.py:{line}"
    )
    g = trace(torch.linalg.inv, torch.eye(2))
    assert refusal(torch.ArgumentError, g, torch.zeros(2, 2)) == "inv(x) got (2, 2)\n  Singular matrix"
    g = trace(lambda x: x // 0, torch.tensor([1]))
    assert refusal(torch.ArgumentError, g, torch.tensor([1])).startswith("x // y got ")


def test_results_own_their_memory() -> None:
    def f(x: Any) -> Any:
        return x, x[1:], x.expand(2, 3), x * 2

    g = trace(f, X)
    x = X.clone()
    results = g(x)
    before = [r.clone() for r in results]
    for r in results:
        assert not np.shares_memory(r._a, x._a)
        assert r._a.flags.c_contiguous
        assert r._a.flags.writeable
    results[0].zero_()
    g(x * 5)
    assert all(torch.equal(a, b) for a, b in zip(results[1:], before[1:], strict=True))
    assert torch.equal(x, X)


def test_structure_of_the_result() -> None:
    def f(x: Any) -> Any:
        return {"a": x + 1, "b": [x * 2, None, (x,)]}

    result = trace(f, X)(X)
    assert list(result) == ["a", "b"]
    assert result["b"][1] is None
    assert isinstance(result["b"][2], tuple)
    assert torch.equal(result["b"][0], X * 2)
    assert trace(lambda x: None, X)(X) is None


def test_changes_happen_after_everything_is_computed() -> None:
    a, b = torch.tensor([1.0]), torch.tensor([2.0])

    def swap() -> Any:
        old = a.clone()
        a.copy_(b)
        b.copy_(old)
        return a + 0, b + 0

    g = trace(swap)
    assert [x.item() for x in g()] == [2.0, 1.0]
    assert (a.item(), b.item()) == (2.0, 1.0)
    assert [x.item() for x in g()] == [1.0, 2.0]


def test_an_input_that_is_changed_in_place() -> None:
    def f(x: Any, y: Any) -> Any:
        x += y
        return x.sum()

    g = trace(f, X, X)
    assert "x[...] = v1" in str(g)
    x = X.clone()
    assert g(x, X).item() == 12.0
    assert x.tolist() == [2.0, 4.0, 6.0]
    assert x._version == 1
    assert refusal(torch.ArgumentError, g, [1, 2, 3], X) == (
        "f got list for 'x', which it changes in place\n"
        "  only a tensor can be changed in place\n"
        "  try: x=tensor(...)"
    )
    assert refusal(torch.ArgumentError, g, x, x) == (
        "f got 'x' (3,) on memory that it changes in place for another input\n"
        "  tensors that are changed in place must not share memory with other inputs\n"
        "  try: x.clone()"
    )
    assert refusal(torch.GradError, g, torch.tensor([1.0]).expand(3), X).startswith(
        "in-place f got a tensor (3,) whose"
    )
    whole = torch.zeros(4)
    assert refusal(torch.ArgumentError, g, whole[:3], whole[1:]).startswith("f got 'y' (3,) on memory")
    assert whole.tolist() == [0.0] * 4


def test_a_kept_value_that_a_graph_changes_is_noticed_by_backward() -> None:
    w = torch.tensor([2.0], requires_grad=True)

    def halve() -> None:
        with torch.no_grad():
            w.mul_(0.5)

    g = trace(halve)
    y = w * w
    g()
    with pytest.raises(
        torch.GradError, match="must not be changed in place: it was at version 0 and is now at 1"
    ):
        y.backward()


def test_captures_are_read_at_each_run_and_given_by_name() -> None:
    c = torch.tensor(2.0)
    g = trace(lambda x: x * c, X)
    c.fill_(3)
    assert g(X).tolist() == [3.0, 6.0, 9.0]
    assert g(X, c1=5.0).tolist() == [5.0, 10.0, 15.0]
    back = parse(str(g))
    assert back(X, c1=5.0).tolist() == [5.0, 10.0, 15.0]
    assert refusal(torch.ArgumentError, back, X) == (
        "graph got no tensor for the captured 'c1'\n"
        "  a graph that was read from text has no tensors of its own\n"
        "  try: graph(..., c1=tensor)"
    )
    c.data = torch.ones(2)
    assert refusal(torch.ShapeError, g, X) == "graph got 'c1' with shape (2,)\n  the graph was made for ()"


def test_symbols_are_no_values() -> None:
    g = trace(lambda x: x * 2, X)
    assert refusal(torch.ArgumentError, g, torch.symbol("s", (3,))) == (
        "graph got 'x' without values\n  a graph runs on tensors with values"
    )


OPTIMIZERS = {
    "SGD": {"lr": 0.1},
    "SGD with momentum": {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01},
    "Adam": {"capturable": True},
    "AdamW": {"capturable": True, "amsgrad": True},
    "RMSprop": {"momentum": 0.9, "centered": True},
    "Adagrad": {"lr": 0.1},
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_whole_training_step(name: str) -> None:
    def made() -> Any:
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.LayerNorm(6), nn.Linear(6, 3))
        opt = getattr(torch.optim, name.split()[0])(net.parameters(), **OPTIMIZERS[name])

        def step(x: Any, y: Any) -> Any:
            opt.zero_grad()
            loss = nn.functional.cross_entropy(net(x), y)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 0.5)
            opt.step()
            return loss.detach()

        return net, step

    torch.manual_seed(1)
    x, y = torch.randn(8, 4), torch.randint(0, 3, (8,))
    eager, eager_step = made()
    net, step = made()
    assert torch.equal(eager_step(x, y), step(x, y))  # an optimizer makes its state in the first step
    graphs = [trace(step, x, y), simplify(trace(step, x, y)), trace(step, x, y, simplify=True)]
    assert len(graphs[1].values) < len(graphs[0].values)
    for g in graphs:
        assert torch.equal(g(x, y), eager_step(x, y))
    for (key, got), wanted in zip(net.state_dict().items(), eager.state_dict().values(), strict=True):
        assert torch.equal(got, wanted), key


def test_gradients_are_added_to_those_there_are() -> None:
    w = torch.tensor([1.0, 2.0, 3.0], requires_grad=True)
    w.grad = torch.ones(3)
    g = trace(lambda x: (w * x).sum().backward(), X)
    g(X)
    g(X)
    assert w.grad.tolist() == [3.0, 5.0, 7.0]


LOSSES = {
    "MSELoss": "float", "L1Loss": "float", "SmoothL1Loss": "float", "HuberLoss": "float", "BCELoss": "share",
    "BCEWithLogitsLoss": "share", "CrossEntropyLoss": "class", "NLLLoss": "class", "SoftMarginLoss": "sign",
    "HingeEmbeddingLoss": "sign", "MultiMarginLoss": "class", "PoissonNLLLoss": "share",
}  # fmt: skip


@pytest.mark.parametrize("name", [n for n in LOSSES if hasattr(nn, n)])
def test_losses(name: str) -> None:
    torch.manual_seed(3)
    x = torch.rand(5, 4)
    targets = {
        "float": torch.randn(5, 4), "share": torch.rand(5, 4), "class": torch.randint(0, 4, (5,)),
        "sign": torch.rand(5, 4).round() * 2 - 1,
    }  # fmt: skip
    loss = getattr(nn, name)()

    def f(x: Any, y: Any) -> Any:
        leaf = x.detach().clone().requires_grad_()
        value = loss(leaf, y)
        return value.detach(), torch.autograd.grad(value, leaf)[0]

    y = targets[LOSSES[name]]
    wanted = f(x, y)
    for g in (trace(f, x, y), trace(f, x, y, simplify=True)):
        assert all(torch.equal(a, b) for a, b in zip(g(x, y), wanted, strict=True))


def test_layers_with_integers_and_order_statistics() -> None:
    table = nn.Embedding(5, 3)
    i = torch.tensor([1, 4, 1])
    assert torch.equal(trace(table, i)(i), table(i))
    one_hot = nn.functional.one_hot
    assert torch.equal(trace(lambda i: one_hot(i, 5), i)(i), one_hot(i, 5))
    x = torch.tensor([[1.0, torch.nan, 3.0], [4.0, 2.0, 9.0]])

    def f(x: Any) -> Any:
        return x.median(1).values, x.median(1).indices, x.quantile(0.3, 1), x.clamp(min=x.flip(0))

    for got, wanted in zip(trace(f, x)(x), f(x), strict=True):
        assert torch.allclose(got, wanted, equal_nan=True)
