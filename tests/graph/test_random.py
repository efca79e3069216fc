"""Random numbers in graphs: a run draws the next piece of the stream, as the program itself would."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

import chainrule as torch
from chainrule import nn
from chainrule.graph import Graph, parse, simplify, trace
from tests.graph.checks import assert_same_bits

X = torch.tensor([[0.1, 0.5, 0.9], [0.25, 1.0, 0.0]])
I = torch.tensor([[3, 0, 1]])  # noqa: E741


def _filled(fill: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def function(x: Any) -> Any:
        y = x.clone()
        fill(y[:, 1:])
        return y

    return function


DRAWS: dict[str, Callable[[Any], Any]] = {
    "rand": lambda x: x + torch.rand(2, 3),
    "rand float64": lambda x: torch.rand(5, dtype=torch.float64),
    "rand float16": lambda x: torch.rand(9, dtype=torch.float16),
    "rand, nothing": lambda x: (torch.rand(0, 3), torch.rand(3)),
    "rand_like": lambda x: torch.rand_like(x),
    "randn": lambda x: torch.randn(7) + torch.randn(()),
    "randn_like": lambda x: torch.randn_like(x, dtype=torch.float64),
    "large": lambda x: torch.rand(300, 101),
    "randint": lambda x: torch.randint(-3, 5, (4,)),
    "randint float": lambda x: torch.randint(10, (4,), dtype=torch.float32),
    "randint_like": lambda x: torch.randint_like(x, 9),
    "randperm": lambda x: torch.randperm(10),
    "randperm int32": lambda x: torch.randperm(3, dtype=torch.int32),
    "normal": lambda x: torch.normal(1.0, 2.0, (3,)),
    "normal of tensors": lambda x: torch.normal(x, x),
    "bernoulli": lambda x: torch.bernoulli(x),
    "bernoulli p": lambda x: torch.bernoulli(x, 0.3),
    "bernoulli float64": lambda x: torch.bernoulli(x.double()),
    "uniform_": _filled(lambda y: y.uniform_(-1, 3)),
    "normal_": _filled(lambda y: y.normal_(2, 0.5)),
    "bernoulli_": _filled(lambda y: y.bernoulli_(0.7)),
    "bernoulli_ of a tensor": _filled(lambda y: y.bernoulli_(torch.tensor(0.7, dtype=torch.float64))),
    "exponential_": _filled(lambda y: y.exponential_(2.0)),
    "random_": _filled(lambda y: y.random_(5, 8)),
    "dropout": lambda x: nn.functional.dropout(x, 0.4),
    "dropout in place": lambda x: nn.functional.dropout(x.clone(), 0.4, inplace=True),
    "dropout layer": nn.Dropout(0.5),
    "xavier": lambda x: nn.init.xavier_uniform_(torch.empty(3, 4)),
    "two in a row": lambda x: (torch.rand(3), torch.rand(3)),
}


@pytest.mark.parametrize("name", DRAWS)
def test_runs_are_the_next_pieces_of_the_stream(name: str) -> None:
    function = DRAWS[name]
    torch.manual_seed(7)
    torch.rand(2)
    start = torch.get_rng_state()
    wanted = [function(X) for _ in range(3)]
    end = torch.get_rng_state()

    torch.set_rng_state(start)
    graph = trace(function, X)
    assert torch.equal(torch.get_rng_state(), start)  # recording draws nothing
    for g in (graph, simplify(graph)):
        torch.set_rng_state(start)
        assert_same_bits([g(X) for _ in range(3)], wanted, name)
        assert torch.equal(torch.get_rng_state(), end)


def test_eager_draws_and_runs_take_turns() -> None:
    def function(x: Any) -> Any:
        return x * torch.rand(3)

    graph = trace(function, X)
    torch.manual_seed(1)
    wanted = [function(X), torch.rand(5), function(X), torch.randn(2)]
    torch.manual_seed(1)
    assert_same_bits([graph(X), torch.rand(5), graph(X), torch.randn(2)], wanted, "turns")


def test_two_generators() -> None:
    a, b = torch.Generator().manual_seed(-5), torch.Generator().manual_seed(2**64 - 9)

    def function(x: Any) -> Any:
        return (
            torch.rand(3, generator=a) + torch.rand(3, generator=b),
            torch.randn(2, generator=a),
            torch.rand(1),
        )

    graph = trace(function, X, simplify=True)
    assert [v.name for v in graph.captures] == ["seed", "block", "seed_2", "block_2", "seed_3", "block_3"]
    states = [torch.manual_seed(3).get_state(), a.get_state(), b.get_state()]
    wanted = [function(X) for _ in range(3)]
    ends = [g.get_state().tolist() for g in (torch.default_generator, a, b)]
    for g, state in zip((torch.default_generator, a, b), states, strict=True):
        g.set_state(state)
    assert_same_bits([graph(X) for _ in range(3)], wanted, "two generators")
    assert [g.get_state().tolist() for g in (torch.default_generator, a, b)] == ends


def test_equal_generators_stay_apart() -> None:
    a = torch.Generator().manual_seed(1)
    b = copy.copy(a)
    graph = trace(lambda x: (torch.rand(2, generator=a), torch.rand(2, generator=b)), X, simplify=True)
    x, y = graph(X)
    assert torch.equal(x, y)
    torch.rand(2, generator=a)
    x, y = graph(X)
    assert not torch.equal(x, y)


TEXT = """
def f(x: float32[2, 3], *, seed: int64[()], block: int64[()]):
    v1: float32[2, 3] = random_uniform(seed, block, shape=(2, 3), dtype=float32)
    v2: int64[()] = add(block, 1)
    v3: float32[2, 3] = random_uniform(seed, v2, shape=(2, 3), dtype=float32)
    v4: float32[2, 3] = mul(v1, v3)
    v5: int64[()] = add(block, 2)
    v6: int64[()] = random_integers(seed, v5, shape=(), low=0, high=6)
    v7: int64[()] = add(block, 3)
    block[...] = v7
    return v4, v6
""".strip()


def test_text() -> None:
    def f(x: Any) -> Any:
        return torch.rand_like(x) * torch.rand_like(x), torch.randint(6, ())

    graph = trace(f, X, simplify=True)  # two draws are two values, and their blocks one step from the first
    assert str(graph) == TEXT
    back = parse(TEXT)
    assert str(back) == TEXT
    torch.manual_seed(4)
    wanted = f(X)
    block = torch.tensor(0)
    assert_same_bits(back(X, seed=4, block=block), wanted, "read back")
    assert block.item() == 3


def test_a_place_may_be_given() -> None:
    graph = trace(lambda x: torch.rand(3), X)
    torch.manual_seed(11)
    before = torch.get_rng_state()
    block = torch.tensor(0)
    first = graph(X, block=block)
    assert torch.equal(torch.get_rng_state(), before)
    assert_same_bits(torch.rand(3), first, "the same place")


def test_no_gradient_flows_to_draws_and_it_flows_past_them() -> None:
    def function(x: Any) -> Any:
        x = x.detach().requires_grad_()
        return torch.autograd.grad((x * torch.rand(3)).square().sum(), x)[0]

    graph = trace(function, X, simplify=True)
    torch.manual_seed(2)
    wanted = [function(X) for _ in range(2)]
    torch.manual_seed(2)
    assert_same_bits([graph(X) for _ in range(2)], wanted, "gradient")


def test_a_run_that_fails_takes_nothing() -> None:
    graph: Graph = trace(lambda x, i: torch.rand(4)[i], X, I)
    before = torch.get_rng_state()
    with pytest.raises(torch.IndexingError):
        graph(X, torch.tensor([[9, 0, 0]]))
    assert torch.equal(torch.get_rng_state(), before)
