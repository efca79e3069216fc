"""What a compiled function returns, what it does to `.grad`, and that results own their memory."""

from __future__ import annotations

import copy
from collections import namedtuple
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.graph import TraceError

X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
Pair = namedtuple("Pair", "x y")


def test_structures() -> None:
    w = torch.ones(2)

    def f(x: Any) -> Any:
        y = x * 2
        return {"a": [y, y, (x, w)], "n": None, "k": (3, "text", 2.5), "p": Pair(y + 1, x)}

    g = torch.compile(f)
    for _ in range(3):
        got, wanted = g(X), f(X)
        assert torch.equal(got["a"][0], wanted["a"][0])
        assert got["a"][0] is got["a"][1]
        assert got["a"][2][0] is X
        assert got["a"][2][1] is w
        assert (got["n"], got["k"], type(got["p"])) == (None, (3, "text", 2.5), Pair)
        assert torch.equal(got["p"].x, wanted["p"].x)
        assert got["p"].y is X
    assert g.traces == 1


def test_results_own_their_memory() -> None:
    w = torch.ones(2)
    f = torch.compile(lambda x: (x.T, w[0], w.add_(x.sum()), x.reshape(-1)))
    x = X.clone()
    first = f(x)
    copies = [y.clone() for y in first if y is not w]
    x.fill_(9)
    f(x)
    assert all(torch.equal(y, z) for y, z in zip((y for y in first if y is not w), copies, strict=True))
    assert first[2] is w


def test_nothing_returned() -> None:
    w = torch.zeros(2)
    f = torch.compile(lambda x: _store(w, x))
    assert f(torch.ones(2)) is None
    assert f(torch.ones(2) * 2) is None
    assert (w.tolist(), w._v, f.traces) == ([2.0, 2.0], 2, 1)


def _store(w: Any, x: Any) -> None:
    w.copy_(x)


def test_other_results_are_refused() -> None:
    with pytest.raises(TraceError) as caught:
        torch.compile(lambda x: {x.sum: object()})(X)
    assert caught.value.summary == (
        "a compiled function, function, got object to return\n"
        "  it may return tensors, numbers and text, and tuples, lists and dicts of them\n"
        "  try: return the tensors that it is made of"
    )


# -- .grad ----------------------------------------------------------------------------------------------


def test_a_gradient_that_served_is_gone() -> None:
    w = torch.ones(2, requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.1)

    @torch.compile
    def step(x: Any) -> Any:
        opt.zero_grad()
        loss = (x @ w).sum()
        loss.backward()
        opt.step()
        return loss

    w.grad = torch.full((2,), 7.0)
    for _ in range(3):
        out = step(X)
        assert w.grad is None
        assert not out.requires_grad
    assert step.traces == 1
    assert torch.allclose(w, torch.ones(2) - 0.1 * 3 * X.sum(0))


def test_a_gradient_that_nobody_used_is_stored() -> None:
    w = torch.ones(2, requires_grad=True)
    v = torch.ones(2, requires_grad=True)

    @torch.compile
    def loss(x: Any) -> None:
        ((x @ w).sum() * v).sum().backward()

    for n in (1, 2, 3):
        loss(X)
        # sum over i, j, k of x[i, j] w[j] v[k]: both v are 1, and both sums of x and w are 10
        assert w.grad.tolist() == [8.0 * n, 12.0 * n]
        assert v.grad.tolist() == [10.0 * n, 10.0 * n]
    assert loss.traces == 2  # none there, then one there
    w.grad, v.grad = None, None
    loss(X)
    first = w.grad
    loss(X)
    assert w.grad is first  # added to in place, as in eager mode
    assert loss.traces == 2


def test_gradients_of_inputs() -> None:
    f = torch.compile(lambda x: (x**2).sum().backward())
    for _ in range(2):
        x = torch.tensor([1.0, 2.0], requires_grad=True)
        f(x)
        f(x)
        assert x.grad.tolist() == [4.0, 8.0]
    assert f.traces == 2


def test_backward_into_what_was_recorded_before() -> None:
    f = torch.compile(lambda x: (x**2).sum().backward())
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(TraceError) as caught:
        f(x * 2)
    assert caught.value.summary == (
        "backward in a compiled function got an input (2,) that was computed by recorded operations\n"
        "  a program cannot run the backward of what was recorded before it\n"
        "  try: compute it inside the compiled function, or pass x.detach()"
    )


def test_gradients_made_outside() -> None:
    w = torch.ones(2, requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.5)
    update = torch.compile(lambda: opt.step())
    for _ in range(3):
        opt.zero_grad()
        (X @ w).sum().backward()  # another tensor each time
        update()
    assert update.traces == 1
    assert torch.allclose(w, torch.ones(2) - 0.5 * 3 * X.sum(0))
    opt.zero_grad()
    update()  # nothing to do, which is another program
    assert update.traces == 2


# -- differentiable results -------------------------------------------------------------------------------


def models() -> tuple[Any, Any]:
    torch.manual_seed(0)
    one = nn.Sequential(nn.Linear(2, 8), nn.BatchNorm1d(8), nn.Tanh(), nn.Linear(8, 3), nn.Softmax(dim=1))
    return one, copy.deepcopy(one)


def test_a_compiled_model_is_trained_like_any_other() -> None:
    one, other = models()
    compiled = torch.compile(one)
    data = torch.randn(16, 2), torch.randint(0, 3, (16,))
    for model in (compiled, other):
        opt = torch.optim.Adam(model.parameters(), lr=0.1)
        for _ in range(5):
            opt.zero_grad()
            nn.functional.cross_entropy(model(data[0]), data[1]).backward()
            opt.step()
    for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True):
        assert torch.equal(a, b)
    assert compiled.traces == 1


def test_several_results_and_inputs_with_gradients() -> None:
    w = torch.randn(2, requires_grad=True)

    def f(x: Any, y: Any) -> Any:
        h = torch.tanh(x * w)
        return h, (h * y).sum(), (y > 0).float(), x.detach() * 2

    g = torch.compile(f)
    found = []
    for function in (f, g, g):
        x = torch.tensor([[0.5, -1.0]], requires_grad=True)
        y = (x * 3).sum()  # computed before
        w.grad = None
        a, b, c, d = function(x, y)
        assert [t.requires_grad for t in (a, b, c, d)] == [True, True, False, False]
        (a.sum() * 2 + b).backward()
        found.append((w.grad, x.grad))
    for wg, xg in found[1:]:
        assert torch.equal(wg, found[0][0])
        assert torch.equal(xg, found[0][1])
    assert g.traces == 1
    w.grad = None
    g(torch.ones(1, 2, requires_grad=True), torch.tensor(1.0))[1].backward()  # one of the results only
    assert w.grad is not None


def test_gradients_to_what_was_computed_before() -> None:
    w = torch.ones(2, requires_grad=True)
    h = w * 3  # captured, and recorded
    f = torch.compile(lambda x: (x * h).sum())
    f(X).backward(retain_graph=True)
    assert w.grad.tolist() == [12.0, 18.0]


def test_values_changed_between_forward_and_backward() -> None:
    w = torch.ones(2, requires_grad=True)
    f = torch.compile(lambda x: (x * w).sum())
    out = f(X.clone().requires_grad_())
    with torch.no_grad():
        w.add_(1)
    with pytest.raises(torch.GradError) as caught:
        out.backward()
    assert "must not be changed in place: it was at version 0 and is now at 1" in str(caught.value)


def test_no_second_derivative_through_a_program() -> None:
    f = torch.compile(lambda x: (x**3).sum())
    x = torch.ones(2, requires_grad=True)
    with pytest.raises(torch.GradError) as caught:
        torch.autograd.grad(f(x), x, create_graph=True)
    assert caught.value.summary == (
        "backward with create_graph=True through the compiled function function\n"
        "  its backward is a program, which is not recorded\n"
        "  try: compute the derivative inside the compiled function, or call it uncompiled"
    )
    second = torch.compile(lambda x: torch.autograd.grad((x**3).sum(), x, create_graph=True)[0].sum())
    (g,) = torch.autograd.grad(second(x), x)
    assert g.tolist() == [6.0, 6.0]


def test_a_write_to_what_backward_needs() -> None:
    w, count = torch.ones(2, requires_grad=True), torch.full((2,), 2.0)

    def f(x: Any) -> Any:
        out = x * w * count
        count.add_(1)
        return out.sum()

    with pytest.raises(torch.GradError) as caught:
        f(X).backward()
    wanted = caught.value.summary
    count.fill_(2)
    with pytest.raises(torch.GradError) as caught:
        torch.compile(f)(X)  # the gradient is made with the program, so the call says it
    assert wanted.partition("version")[0] == caught.value.summary.partition("version")[0]
    assert count.tolist() == [2.0, 2.0]


@pytest.mark.parametrize("shape", [(), (0,), (1,), (0, 3), (2, 0)])
def test_small_and_empty(shape: tuple[int, ...]) -> None:
    w = torch.ones(shape, requires_grad=True)
    f = torch.compile(lambda x: (x * w + 1, x.sum()))
    x = torch.full(shape, 3.0)
    for _ in range(2):
        y, s = f(x)
        assert y.shape == shape
        assert s.item() == 3.0 * np.prod(shape, dtype=int)
        w.grad = None
        y.sum().backward()
        assert torch.equal(w.grad, x)


def test_little_is_kept_for_backward() -> None:
    w = torch.randn(4, 4, requires_grad=True)
    f = torch.compile(lambda x: torch.sigmoid(torch.relu((x @ w) * 2 + 1).T.reshape(-1)))
    x = torch.randn(3, 4)
    out = f(x)
    out.sum().backward()
    wanted = torch.sigmoid(torch.relu((x @ w) * 2 + 1).T.reshape(-1))
    got, w.grad = w.grad, None
    wanted.sum().backward()
    assert torch.equal(got, w.grad)
    (s,) = f._signatures
    # x is there anyway, and so is the result; of the rest, one value is enough.
    assert len(s.graph.outputs) == 2
    assert s.split.reads.count((None, 0)) == 1
    out = f(x)
    out.mul_(2.0)
    with pytest.raises(torch.GradError, match="must not be changed in place"):
        out.sum().backward()
