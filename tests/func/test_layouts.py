"""`jacobian`: the table of shapes of the course, its identities in both layouts, the mode taken, messages."""

from __future__ import annotations

import re
from math import prod
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.func import hessian, jacobian
from chainrule.func.layouts import LAYOUTS, MODES, choose

# The course's table: numerator layout, where "X is transposed". Its scalars have shape (1,), ours ().
SHAPES = {"scalar": (), "vector": (3,), "matrix": (4, 2)}
TABLE = [(y, x) for y in SHAPES for x in SHAPES]


def function(y: tuple[int, ...], x: tuple[int, ...]) -> Any:
    """A function from shape x to shape y whose derivatives all differ."""
    rng = np.random.default_rng(3)
    mix = torch.from_numpy(rng.normal(size=(prod(y), prod(x))))
    return lambda v: (mix @ v.reshape(-1, 1) ** 2).reshape(y)


def close(ours: Any, wanted: Any) -> None:
    np.testing.assert_allclose(ours.detach().numpy(), np.asarray(wanted), rtol=1e-12, atol=1e-13)


def random(*shape: int) -> Any:
    return torch.from_numpy(np.random.default_rng([7, *shape]).normal(size=shape))


@pytest.mark.parametrize(("y", "x"), TABLE)
@pytest.mark.parametrize("mode", MODES)
def test_the_courses_table_of_shapes(y: str, x: str, mode: str) -> None:
    shape_y, shape_x = SHAPES[y], SHAPES[x]
    f, at = function(shape_y, shape_x), random(*shape_x)
    numerator = jacobian(f, at, mode=mode)
    denominator = jacobian(f, at, mode=mode, layout="denominator")
    assert tuple(numerator.shape) == shape_y + shape_x[::-1]
    assert tuple(denominator.shape) == shape_x + shape_y[::-1]
    close(numerator, denominator.permute(tuple(reversed(range(denominator.dim())))))
    # an element of each: d y[i] / d x[j] by central differences
    for i in np.ndindex(shape_y):
        for j in np.ndindex(shape_x):
            step = np.zeros(shape_x)
            step[j] = 1e-6
            slope = (f(at + torch.from_numpy(step)) - f(at - torch.from_numpy(step)))[i].item() / 2e-6
            assert numerator[i + j[::-1]].item() == pytest.approx(slope, rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("mode", MODES)
def test_identities_of_the_course(mode: str) -> None:
    a, y, x, w = random(3, 3), random(3), random(5, 3), random(3)
    t = random(5)
    numerator = {"mode": mode, "layout": "numerator"}
    denominator = {"mode": mode, "layout": "denominator"}
    # d(Ay)/dy is A, or its transpose
    close(jacobian(lambda y: a @ y, y, **numerator), a)
    close(jacobian(lambda y: a @ y, y, **denominator), a.T)
    # d(y'Ay)/dy is Ay + A'y, and 2Ay for a symmetric A
    close(jacobian(lambda y: y @ a @ y, y, **denominator), a @ y + a.T @ y)
    symmetric = a + a.T
    close(jacobian(lambda y: y @ symmetric @ y, y, **denominator), 2 * symmetric @ y)
    # the course's example: z = (<x, w> - t)², dz/dw = 2 (<x, w> - t) x'
    close(jacobian(lambda w: (x[0] @ w - t[0]) ** 2, w, **numerator), 2 * (x[0] @ w - t[0]) * x[0])
    # least squares: d |t - Xw|² / (2n) / dw = -(t - Xw)'X / n
    loss = lambda w: ((t - x @ w) ** 2).sum() / (2 * len(t))  # noqa: E731
    close(jacobian(loss, w, **numerator), -(t - x @ w) @ x / len(t))
    # softmax with cross-entropy: dl/do = softmax(o) - y
    one_hot = torch.eye(3, dtype=torch.float64)[1]
    entropy = lambda o: -(one_hot * torch.log_softmax(o, 0)).sum()  # noqa: E731
    close(jacobian(entropy, y, **denominator), torch.softmax(y, 0) - one_hot)
    # a gradient by a matrix lies as the matrix in the denominator layout, and transposed in the other
    close(jacobian(lambda a: (a @ y).sum(), a, **denominator), np.outer(np.ones(3), y.numpy()))
    close(jacobian(lambda a: (a @ y).sum(), a, **numerator), np.outer(y.numpy(), np.ones(3)))


def test_hessians_of_the_course() -> None:
    a, y, x, w, t = random(3, 3), random(3), random(5, 3), random(3), random(5)
    close(hessian(lambda y: y @ a @ y)(y), a + a.T)
    close(hessian(lambda w: ((t - x @ w) ** 2).sum() / (2 * len(t)))(w), x.T @ x / len(t))
    p = torch.softmax(y, 0)
    close(hessian(lambda o: torch.logsumexp(o, 0))(y), torch.diag(p) - torch.outer(p, p))


def test_several_inputs_and_outputs() -> None:
    x, y = random(2), random(3)
    by_x, by_y = jacobian(lambda x, y: torch.outer(x, y), (x, y))
    assert tuple(by_x.shape) == (2, 3, 2)
    assert tuple(by_y.shape) == (2, 3, 3)
    first, second = jacobian(lambda x: (x**2, x.sum()), x)
    close(first, np.diag(2 * x.numpy()))
    close(second, [1, 1])
    (only,) = jacobian(lambda x: x**2, (x,))
    close(only, np.diag(2 * x.numpy()))
    (parts,) = jacobian(lambda x, y: (x.sum() * y,), (x, y))
    close(parts[0], np.outer(y.numpy(), np.ones(2)))


@pytest.mark.parametrize(
    ("inputs", "outputs", "mode"),
    [(10, 1, "reverse"), (1, 10, "forward"), (3, 3, "forward"), (784, 10, "reverse")],
)
def test_the_mode_with_fewer_passes_is_taken(inputs: int, outputs: int, mode: str) -> None:
    assert choose(inputs, outputs).mode == mode
    found, choice = jacobian(function((outputs,), (inputs,)), random(inputs), explain=True)
    assert tuple(found.shape) == (outputs, inputs)
    assert choice == choose(inputs, outputs)


def test_what_was_asked_for_is_done() -> None:
    _, choice = jacobian(function((2,), (3,)), random(3), mode="forward", explain=True)
    assert str(choice) == "forward mode: as asked"


def test_no_passes() -> None:
    assert tuple(jacobian(lambda x: x * 2, torch.zeros(0)).shape) == (0, 0)
    assert tuple(jacobian(lambda x: x.sum() * torch.ones(2), torch.zeros(0)).shape) == (2, 0)
    assert tuple(jacobian(lambda x: x[:0], torch.ones(3)).shape) == (0, 3)


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (
            lambda: jacobian(torch.sin, random(2), mode="foward"),
            "jacobian got mode='foward' (did you mean 'forward'?)\n"
            "  mode is one of 'auto', 'forward', 'reverse'",
        ),
        (
            lambda: jacobian(torch.sin, random(2), layout="row"),
            f"jacobian got layout='row'\n  layout is one of {', '.join(map(repr, LAYOUTS))}",
        ),
        (
            lambda: jacobian(torch.sin, 2.0),
            "jacobian got float to differentiate by\n  derivatives are taken by tensors\n"
            "  try: torch.tensor(...) of it, or a lambda that keeps it fixed",
        ),
        (
            lambda: jacobian(torch.sin, torch.tensor([1, 2])),
            "jacobian got a tensor (2,) of type int64 to differentiate by\n"
            "  only floating-point values change continuously, so only they have derivatives\n"
            "  try: x.float(), or a lambda that keeps it fixed",
        ),
    ],
)
def test_messages(action: Any, text: str) -> None:
    with pytest.raises(torch.ChainruleError, match=f"^{re.escape(text)}"):
        action()
