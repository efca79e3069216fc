"""What one operation costs: tiny inputs, where the arithmetic is nothing and the way to it is everything.

Eager mode on both sides. Loops made of many of them are in `loops.py`.
"""

from __future__ import annotations

from typing import Any

from .measure import Case, Run

SMALL = "4 floats"


def add(torch: Any) -> Run:
    a, b = torch.tensor([1.0, 2.0, 3.0, 4.0]), torch.tensor([0.5, 1.5, 2.5, 3.5])
    return lambda: a + b


def add_tracked(torch: Any) -> Run:
    a = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    b = torch.tensor([0.5, 1.5, 2.5, 3.5])
    return lambda: a + b


def exp(torch: Any) -> Run:
    a = torch.tensor([1.0, 2.0, 3.0, 4.0])
    return lambda: torch.exp(a)


def exp_tracked(torch: Any) -> Run:
    a = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    return lambda: torch.exp(a)


def scale(torch: Any) -> Run:
    a = torch.tensor([1.0, 2.0, 3.0, 4.0])
    return lambda: a * 2.0


def scale_tracked(torch: Any) -> Run:
    a = torch.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    return lambda: a * 2.0


def add_in_place(torch: Any) -> Run:
    a, b = torch.zeros(4), torch.tensor([0.5, 1.5, 2.5, 3.5])

    def run() -> None:
        nonlocal a
        a += b

    return run


def add_in_place_tracked(torch: Any) -> Run:
    a, b = torch.zeros(4, requires_grad=True), torch.tensor([0.5, 1.5, 2.5, 3.5])

    def run() -> None:
        c = a.clone()  # a leaf that wants a gradient cannot be changed in place
        c += b

    return run


def update_without_grad(torch: Any) -> Run:
    w, g = torch.zeros(4, requires_grad=True), torch.tensor([0.5, 1.5, 2.5, 3.5])

    def run() -> None:
        nonlocal w
        with torch.no_grad():
            w -= 0.01 * g

    return run


def total(torch: Any) -> Run:
    a = torch.tensor([1.0, 2.0, 3.0, 4.0])
    return lambda: a.sum()


def product(torch: Any) -> Run:
    x, w = torch.ones(10, 2), torch.ones(2, 1)
    return lambda: torch.matmul(x, w)


def product_tracked(torch: Any) -> Run:
    x, w = torch.ones(10, 2), torch.ones(2, 1, requires_grad=True)
    return lambda: torch.matmul(x, w)


def element(torch: Any) -> Run:
    a = torch.arange(12.0).reshape(3, 4)
    return lambda: a[1]


def rows(torch: Any) -> Run:
    a, indices = torch.zeros(1000, 2), torch.tensor([3, 14, 15, 92, 65, 35, 89, 79, 32, 38])
    return lambda: a[indices]


def reshape(torch: Any) -> Run:
    a = torch.zeros(10, 1)
    return lambda: a.reshape(2, 5)


def from_list(torch: Any) -> Run:
    return lambda: torch.tensor([1.0, 2.0, 3.0, 4.0])


def chain_backward(torch: Any) -> Run:
    a = torch.tensor([0.1, 0.2, 0.3, 0.4], requires_grad=True)

    def run() -> None:
        x = a
        for _ in range(5):
            x = torch.sin(x) * 1.1
        x.sum().backward()

    return run


OPERATIONS = [
    Case("add", f"a + b, {SMALL}", add, limit=1.5),
    Case("add, tracked", f"a + b, {SMALL}, a wants a gradient", add_tracked, limit=1.5),
    Case("exp", f"exp(a), {SMALL}", exp, limit=1.5),
    Case("exp, tracked", f"exp(a), {SMALL}, a wants a gradient", exp_tracked, limit=1.5),
    Case("scale", f"a * 2.0, {SMALL}", scale, limit=1.5),
    Case("scale, tracked", f"a * 2.0, {SMALL}, a wants a gradient", scale_tracked, limit=1.5),
    Case("add in place", f"a += b, {SMALL}", add_in_place, limit=1.5),
    Case(
        "add in place, tracked", f"c = a.clone(); c += b, {SMALL}, a wants a gradient", add_in_place_tracked
    ),
    Case("update", f"with no_grad(): w -= 0.01 * g, {SMALL}", update_without_grad),
    Case("sum", f"a.sum(), {SMALL}", total),
    Case("matmul", "(10, 2) @ (2, 1), float32", product),
    Case("matmul, tracked", "(10, 2) @ (2, 1), float32, w wants a gradient", product_tracked),
    Case("index by integer", "a[1] of (3, 4), float32: a view", element),
    Case("index by tensor", "a[indices], 10 rows of (1000, 2), float32", rows),
    Case("reshape", "(10, 1) to (2, 5), float32: a view", reshape),
    Case("tensor from list", f"tensor([...]), {SMALL}", from_list),
    Case("chain backward", f"five times sin and * 1.1, sum, backward, {SMALL}", chain_backward),
]
