"""Functions to be explained: the models of the course, Python's control flow, writes in place, odd types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import chainrule as torch
from chainrule import nn
from chainrule.nn import functional as F

Program = Callable[[], tuple[Callable[..., Any], tuple[Any, ...]]]
PROGRAMS: dict[str, Program] = {}


def program(make: Program) -> Program:
    """Make a function and its inputs; both fresh each time."""
    PROGRAMS[make.__name__] = make
    return make


def fresh(*shape: int, seed: int = 0) -> Any:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@program
def scalars() -> Any:
    def f(x1: Any, x2: Any) -> Any:
        return torch.log(x1) + x1 * x2 - torch.sin(x2)

    return f, (2.0, 5.0)


@program
def inner_product() -> Any:
    def loss(x: Any, w: Any, y: Any) -> Any:
        a = x @ w
        b = a - y
        return b**2

    return loss, (fresh(3), fresh(3, seed=1).requires_grad_(), fresh(seed=2))


@program
def linear_regression() -> Any:
    net = nn.Sequential(nn.Linear(2, 1)).double()
    net[0].weight.data = fresh(1, 2, seed=3)

    def loss(X: Any, y: Any) -> Any:
        return ((net(X) - y.reshape((-1, 1))) ** 2 / 2).mean()

    return loss, (fresh(5, 2), fresh(5, seed=1))


@program
def least_squares() -> Any:
    def loss(X: Any, w: Any, y: Any) -> Any:
        r = X @ w - y
        return (r * r).sum() / (2 * len(y))

    return loss, (fresh(4, 3), fresh(3, seed=1).requires_grad_(), fresh(4, seed=2))


@program
def softmax_by_hand() -> Any:
    W, b = fresh(3, 2, seed=5).requires_grad_(), torch.zeros(2, dtype=torch.float64, requires_grad=True)

    def loss(X: Any, y: Any) -> Any:
        e = torch.exp(X @ W + b)
        p = e / e.sum(1, keepdim=True)
        return -torch.log(p[torch.arange(len(y)), y]).mean()

    return loss, (fresh(4, 3), torch.tensor([0, 1, 1, 0]))


@program
def softmax_regression() -> Any:
    net = nn.Sequential(nn.Flatten(), nn.Linear(4, 3)).double()
    return lambda X, y: F.cross_entropy(net(X), y), (fresh(5, 2, 2), torch.tensor([0, 2, 1, 0, 2]))


@program
def ignored_targets() -> Any:
    return lambda o: F.cross_entropy(o, torch.tensor([0, -100, 2])), (fresh(3, 4),)


@program
def multilayer_perceptron() -> Any:
    torch.manual_seed(3)
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Dropout(0.5), nn.Linear(4, 2)).double()
    return lambda X, y: F.cross_entropy(net(X), y), (fresh(6, 3), torch.tensor([0, 1, 1, 0, 1, 0]))


@program
def hinge() -> Any:
    def loss(w: Any, b: Any, X: Any, y: Any) -> Any:
        margin = y * (X @ w + b)
        return torch.clamp(1 - margin, min=0).mean() + 0.01 * (w * w).sum()

    y = torch.tensor([1.0, -1.0, 1.0, 1.0], dtype=torch.float64)
    w, b = fresh(3).requires_grad_(), torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    return loss, (w, b, fresh(4, 3, seed=1), y)


@program
def control_flow() -> Any:
    def f(a: Any) -> Any:
        b = a * 2
        while b.norm() < 1000:
            b = b * 2
        if b.sum() > 0:
            c = b
        else:
            c = 100 * b
        return c

    return f, (-0.3,)


@program
def shared_twice() -> Any:
    def f(x: Any, w: Any) -> Any:
        h = torch.tanh(x @ w)
        return torch.tanh(h @ w).sum()

    return f, (fresh(2, 3), fresh(3, 3, seed=1))


@program
def tied_layers() -> Any:
    layer = nn.Linear(3, 3).double()

    def f(x: Any) -> Any:
        return layer(torch.relu(layer(x))).sum()

    return f, (fresh(2, 3),)


@program
def in_place() -> Any:
    def f(x: Any) -> Any:
        y = x.clone()
        y[0] = x[1] * 3
        y += 1
        v = y[1:]
        v *= 2
        y.mul_(x)
        return (y * y).mean()

    return f, (fresh(3),)


@program
def whole_numbers() -> Any:
    def f(x: Any, n: Any) -> Any:
        index = torch.argmax(x)
        mask = x > 0
        count = mask.sum()
        return (x * mask).sum() / (count + 1) + x[index] * n + x.gather(0, torch.tensor([2, 0])).sum()

    return f, (fresh(4), torch.tensor(3))


@program
def kinks() -> Any:
    def f(x: Any) -> Any:
        return torch.abs(x).sum() + torch.max(x) + torch.floor(x).sum() + torch.maximum(x, -x).sum()

    return f, (fresh(4),)


@program
def quadratic_form() -> Any:
    return lambda A, y: y @ (A @ y), (fresh(3, 3), fresh(3, seed=1))


@program
def trace_of_product() -> Any:
    return lambda A, X: torch.trace(A @ X), (fresh(2, 3), fresh(3, 2, seed=1))


@program
def map_of_vector() -> Any:
    return lambda A, y: A @ y, (fresh(2, 3), fresh(3, seed=1).requires_grad_())


@program
def detached() -> Any:
    def f(x: Any) -> Any:
        y = x * x
        u = y.detach()
        return (u * x).sum()

    return f, (fresh(3),)


@program
def shapes_and_stacks() -> Any:
    def f(x: Any) -> Any:
        a = x.reshape(3, 2).T
        b = torch.cat([a, a * 2], dim=0)
        c = torch.stack([b, b]).sum(0)
        return (c.unsqueeze(0).expand(2, 4, 3) * c).flatten().cumsum(0).mean()

    return f, (fresh(6),)


@program
def decompositions() -> Any:
    def f(A: Any, b: Any) -> Any:
        S = A @ A.T + 3 * torch.eye(2, dtype=torch.float64)
        return torch.linalg.solve(S, b).sum() + torch.linalg.det(S) + torch.linalg.inv(S).sum()

    return f, (fresh(2, 2), fresh(2, seed=1))


@program
def normed() -> Any:
    net = nn.Sequential(nn.Linear(3, 4), nn.LayerNorm(4), nn.Sigmoid()).double()
    return lambda x: net(x).prod(dim=1).sum() + x.norm(), (fresh(2, 3),)


@program
def writes_through_views() -> Any:
    table = fresh(3, 3, seed=7)

    def f(x: Any) -> Any:
        y = x.reshape(2, 3).clone()
        t = y.T
        t[0] = t[1] + x[:2]
        y[:, 2] += 1
        u = y.flatten()[1:4]
        y[y > 0] = 0.5
        z = y @ table.T
        z.sub_(1).mul_(2)
        return (z * z).sum() + u.sum()

    return f, (fresh(6),)


@program
def gradients_off_for_a_while() -> Any:
    def f(x: Any, w: Any) -> Any:
        with torch.no_grad():
            scale = (w * w).sum().sqrt()
        return (x * w).sum() / scale

    return f, (fresh(3), fresh(3, seed=1))


@program
def sorting_and_masks() -> Any:
    def f(x: Any) -> Any:
        values, order = x.sort()
        top = x.topk(2).values
        kept = torch.where(x > 0, x, torch.zeros_like(x))
        return (values * torch.arange(4)).sum() + top.prod() + kept.masked_fill(x > 1, 2.0).sum() + order[0]

    return f, (fresh(4),)


@program
def inputs_written() -> Any:
    def f(x: Any) -> Any:
        x.mul_(2)
        x[0] = x[1] * 3
        return torch.exp(x).sum()

    return f, (fresh(3),)


@program
def normalised_batches() -> Any:
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Tanh()).double()
    return lambda x: (net(x) ** 3).sum(), (fresh(5, 3),)


@program
def einsum_and_norms() -> Any:
    def f(A: Any, B: Any) -> Any:
        c = torch.einsum("ij,jk->ik", A, B)
        return torch.logsumexp(c, dim=1).sum() + c.softmax(dim=0).amax() + torch.linalg.norm(c) + c.std()

    return f, (fresh(2, 3), fresh(3, 2, seed=1))


@program
def numbers_of_one_element() -> Any:
    return lambda x: x * torch.sigmoid(x), (fresh(1),)
