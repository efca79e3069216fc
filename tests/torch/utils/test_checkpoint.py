"""utils.checkpoint against PyTorch: signatures, gradients, what runs how often, and refusals."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch
import torch.utils.checkpoint

import chainrule
import chainrule.utils.checkpoint

LIBS = (chainrule, torch)


def both(program):
    """What a program gives in the two libraries, as NumPy arrays."""
    found = []
    for lib in LIBS:
        rng = np.random.default_rng(0)
        out = program(lib, lambda *shape: lib.tensor(rng.normal(size=shape), requires_grad=True))  # noqa: B023
        found.append([np.asarray(y.detach().numpy() if hasattr(y, "detach") else y) for y in out])
    for ours, theirs in zip(*found, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-12)


def check(lib, f, *args, **kwargs):
    return lib.utils.checkpoint.checkpoint(f, *args, use_reentrant=False, **kwargs)


def closure(lib, leaf):
    w, x = leaf(3, 4), leaf(5, 3)
    check(lib, lambda x: (x @ w).tanh().exp(), x).sum().backward()
    return w.grad, x.grad


def second_order(lib, leaf):
    x = leaf(4)
    y = check(lib, lambda x: (x.sin() * x.exp()).tanh(), x)
    (g,) = lib.autograd.grad(y.sum(), x, create_graph=True)
    (h,) = lib.autograd.grad((g * g).sum(), x)
    return y, g, h


def keywords(lib, leaf):
    a, b = leaf(3), leaf(3)
    out = check(lib, lambda pair, *, power: {"y": pair[0] ** power * pair[1].exp()}, (a, b), power=2)
    return lib.autograd.grad(out["y"].sum(), [a, b])


def nested(lib, leaf):
    x = leaf(4)
    out = check(lib, lambda x: check(lib, lambda y: y.sin() * y, x.exp()).cos(), x)
    out.sum().backward()
    return out, x.grad


def no_argument_wants_a_gradient(lib, leaf):
    w = leaf(3)
    y = check(lib, lambda x: (x * w).sigmoid(), lib.ones(3, dtype=lib.float64))
    return y, *lib.autograd.grad(y.sum(), w)


def one_result_unused(lib, leaf):
    x = leaf(3)
    first, _ = check(lib, lambda x: (x.exp(), x.sin()), x)
    first.sum().backward()
    return (x.grad,)


def retained(lib, leaf):
    x = leaf(3)
    y = check(lib, lambda x: x.exp().sin(), x).sum()
    y.backward(retain_graph=True)
    y.backward()
    return (x.grad,)


def sequential(lib, leaf):
    ws = [leaf(3, 3) for _ in range(5)]
    x = leaf(2, 3)
    steps = [lambda h, w=w: (h @ w).tanh() for w in ws]
    y = lib.utils.checkpoint.checkpoint_sequential(steps, 2, x, use_reentrant=False)
    return lib.autograd.grad(y.sum(), [x, *ws])


@pytest.mark.parametrize(
    "program",
    [
        closure, second_order, keywords, nested, no_argument_wants_a_gradient, one_result_unused, retained,
        sequential,
    ],
)  # fmt: skip
def test_the_same_numbers(program):
    both(program)


@pytest.mark.parametrize("segments", [1, 2, 3, 4, 5, 7])
def test_the_same_segments(segments):
    """How often each of seven functions runs: all but those of the last segment twice."""
    found = []
    for lib in LIBS:
        calls = []
        steps = [lambda x, i=i, calls=calls: (calls.append(i), x.sin())[1] for i in range(7)]
        x = lib.ones(2, requires_grad=True)
        y = lib.utils.checkpoint.checkpoint_sequential(steps, segments, x, use_reentrant=False)
        y.sum().backward()
        found.append(sorted(calls))
    assert found[0] == found[1]


@pytest.mark.parametrize("grad", [True, False])
def test_the_second_run_happens_where_theirs_does(grad):
    found = []
    for lib in LIBS:
        calls = []
        x = lib.ones(2, requires_grad=True)

        def f(x, lib=lib, calls=calls):
            calls.append(lib.is_grad_enabled())
            return x.exp().sin()

        with lib.set_grad_enabled(grad):
            y = check(lib, f, x)
            if grad:
                y.sum().backward()
        found.append((calls, y.requires_grad))
    assert found[0] == found[1]


@pytest.mark.parametrize("what", ["argument written", "other shapes"])
def test_what_both_refuse(what):
    for lib in LIBS:
        x = lib.ones(3, requires_grad=True)
        count = iter(range(2))

        def f(x, count=count):
            return x.exp().sin() if what != "other shapes" or next(count) == 0 else x[:2].exp().sin()

        h = x * 2
        y = check(lib, f, h).sum()
        if what == "argument written":
            h.mul_(2.0)
        with pytest.raises(RuntimeError):
            y.backward()


@pytest.mark.parametrize("name", ["checkpoint", "checkpoint_sequential"])
def test_signatures(name):
    ours, theirs = (inspect.signature(getattr(lib.utils.checkpoint, name)) for lib in LIBS)
    positional = [p.name for p in theirs.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
    assert [p.name for p in ours.parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD] == positional
    assert {"use_reentrant", "preserve_rng_state"} <= set(ours.parameters)
