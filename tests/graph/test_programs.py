"""Random small programs: eager = traced = simplified = read back, values, gradients, changed inputs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from tests.graph.checks import check

Step = Callable[[list[Any], np.random.Generator], Any]


def pick(xs: list[Any], rng: np.random.Generator) -> Any:
    return xs[int(rng.integers(len(xs)))]


def unary(xs: list[Any], rng: np.random.Generator) -> Any:
    names = ["tanh", "sigmoid", "neg", "square", "sin", "exp", "abs", "relu", "clone", "contiguous", "detach"]
    return getattr(pick(xs, rng).clamp(-3, 3), pick(names, rng))()


def binary(xs: list[Any], rng: np.random.Generator) -> Any:
    x, y = pick(xs, rng), pick(xs, rng)
    return pick([torch.add, torch.sub, torch.mul, torch.maximum], rng)(x, y)


def number(xs: list[Any], rng: np.random.Generator) -> Any:
    x = pick(xs, rng)
    return pick(
        [lambda: x * 1, lambda: x - 0.0, lambda: 2 * x, lambda: 1 - x, lambda: x / 4, lambda: x.neg().neg()],
        rng,
    )()


def view(xs: list[Any], rng: np.random.Generator) -> Any:
    x = pick(xs, rng)  # (n, n)
    n = x.shape[0]
    changes = [
        lambda: x.T,
        lambda: x.T.T,
        lambda: x[0].expand(n, n),
        lambda: x[:, 1:2].expand(n, n),
        lambda: x.reshape(-1).reshape(n, n),
        lambda: x[:, None].squeeze(1),
        lambda: x.unsqueeze(0)[0, :],
        lambda: x.diagonal().expand(n, n),
    ]
    return pick(changes, rng)()


def reduction(xs: list[Any], rng: np.random.Generator) -> Any:
    x = pick(xs, rng)
    dim = int(rng.integers(2))
    name = pick(["sum", "mean", "amax", "logsumexp", "cumsum", "softmax", "std", "prod"], rng)
    if name in ("cumsum", "softmax"):
        return getattr(x, name)(dim)
    return x + getattr(x.clamp(-2, 2), name)(dim, keepdim=True)


def product(xs: list[Any], rng: np.random.Generator) -> Any:
    return pick(xs, rng).tanh() @ pick(xs, rng).tanh()


def cast(xs: list[Any], rng: np.random.Generator) -> Any:
    x = pick(xs, rng)
    return pick(
        [lambda: x.double().float(), lambda: (x.clamp(-9, 9) * 4).long().float(), lambda: (x > 0).float()],
        rng,
    )()


def indexing(xs: list[Any], rng: np.random.Generator) -> Any:
    x = pick(xs, rng)
    n = x.shape[0]
    at = x.detach().argsort(int(rng.integers(2)))
    rows = torch.tensor(rng.integers(0, n, n))
    return pick(
        [lambda: x.gather(0, at), lambda: x[rows], lambda: torch.where(x > 0, x, -x), lambda: x.flip(0)], rng
    )()


def in_place(xs: list[Any], rng: np.random.Generator) -> Any:
    x, y = pick(xs, rng).clone(), pick(xs, rng)
    n = x.shape[0]
    i = int(rng.integers(n))

    def change() -> None:
        x[i] = y[0]

    changes = [
        lambda: x.add_(1),
        lambda: x[i].mul_(2),
        lambda: x[:, i : i + 1].copy_(y[:, :1]),
        lambda: x.T[0].sub_(y[i]),
        lambda: x.view(-1)[:n].zero_(),
        lambda: x.masked_fill_(x > 1, 0.5),
        lambda: x.diagonal().add_(3),
        change,
    ]
    kept = x[0]
    pick(changes, rng)()
    return x + kept


STEPS: list[Step] = [unary, binary, number, view, reduction, product, cast, indexing, in_place]


def program(seed: int) -> Callable[..., Any]:
    """A function of two (n, n) tensors; the same steps each time it is called."""

    def run(x: Any, y: Any) -> Any:
        rng = np.random.default_rng(seed)
        leaves = [t.detach().clone().requires_grad_() for t in (x, y)]
        xs: list[Any] = [*leaves, torch.ones(x.shape)]
        for _ in range(int(rng.integers(10, 20))):
            xs.append(pick(STEPS, rng)(xs, rng))
        if seed % 3 == 0:
            x.mul_(0.5)[0].add_(y[1])  # the inputs themselves
        last = xs[-1] + leaves[0]
        loss = (last.clamp(-5, 5) ** 2).sum()
        if seed % 4 == 0:
            first = torch.autograd.grad(loss, leaves, create_graph=True, materialize_grads=True)
            return loss, [g.tanh().sum() for g in first], last
        loss.backward()
        return loss, [leaf.grad for leaf in leaves], last

    return run


@pytest.mark.parametrize("seed", range(120))
def test_random_program(seed: int) -> None:
    rng = np.random.default_rng([seed, 1])
    n = int(rng.integers(2, 6))
    check(program(seed), [rng.standard_normal((n, n)).astype(np.float32) for _ in range(2)])


@pytest.mark.parametrize("seed", range(8))
def test_random_program_of_larger_tensors(seed: int) -> None:
    # Sums over more elements than NumPy adds up in one go: their order shows in the last bits.
    rng = np.random.default_rng([seed, 2])
    check(program(seed), [rng.standard_normal((37, 37)).astype(np.float32) for _ in range(2)])
