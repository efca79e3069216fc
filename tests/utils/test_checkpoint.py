"""Checkpoints: the gradients of the plain function, less memory, and what they cannot do is said."""

from __future__ import annotations

import gc
import math
import threading
import tracemalloc
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import func, nn
from chainrule.tape.node import Deferred, Node, OpNode
from chainrule.utils import checkpoint as module
from chainrule.utils.checkpoint import checkpoint, checkpoint_sequential
from tests.messages import untested


def leaf(*shape: int, seed: int = 0) -> cr.Tensor:
    return cr.tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


def nodes(y: Any) -> list[Node]:
    found, waiting = set(), [y._node]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in found:
            found.add(node)
            waiting += node.edges
    return sorted(found, key=lambda n: n.seq)


def kept(y: Any) -> list[OpNode]:
    """The operations below y that keep a value."""
    return [n for n in nodes(y) if isinstance(n, OpNode) and (n.inputs or n.out is not None)]


def same(a: Any, b: Any) -> None:
    np.testing.assert_array_equal(a.detach().numpy(), b.detach().numpy())


def wave(x: Any) -> Any:
    return (x.sin() * x.exp()).tanh()


# -- gradients ----------------------------------------------------------------------------------------------


def test_the_gradient_is_that_of_the_plain_function() -> None:
    x, y = leaf(4), leaf(4)
    checkpoint(wave, x).sum().backward()
    wave(y).sum().backward()
    same(x.grad, y.grad)


def test_parameters_of_a_closure_get_their_gradients() -> None:
    layer = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
    x = cr.ones(4, 3)  # needs none itself
    checkpoint(layer, x).square().sum().backward()
    found = [p.grad for p in layer.parameters()]
    layer.zero_grad()
    layer(x).square().sum().backward()
    for g, p in zip(found, layer.parameters(), strict=True):
        same(g, p.grad)


def test_a_value_from_outside_that_was_computed_gets_its_gradient() -> None:
    w = leaf(3)
    outside = w.exp()
    x = leaf(3, seed=1)
    y = checkpoint(lambda x: (x * outside).sin(), x).sum()
    found = cr.autograd.grad(y, [w, x])
    plain = cr.autograd.grad((x * w.exp()).sin().sum(), [w, x])
    for a, b in zip(found, plain, strict=True):
        same(a, b)


def test_grad_of_targets_leaves_the_others_alone() -> None:
    layer = nn.Linear(3, 3)
    x = leaf(2, 3).float().detach().requires_grad_()
    y = checkpoint(lambda x: layer(x).sigmoid(), x).sum()
    (g,) = cr.autograd.grad(y, layer.weight)
    (plain,) = cr.autograd.grad(layer(x).sigmoid().sum(), layer.weight)
    same(g, plain)
    assert [t.grad for t in (x, layer.weight, layer.bias)] == [None] * 3


def test_keywords_and_nested_structures() -> None:
    def f(pair: Any, *, table: Any, scale: float) -> Any:
        a, b = pair
        return {"one": (a * b).exp(), "more": [a.sin() * scale, (table["c"] * b).cos()]}

    def total(out: Any) -> Any:
        return out["one"].sum() + (out["more"][0] * 2).sum() + out["more"][1].sum()

    xs = [leaf(3, seed=i) for i in range(3)]
    got = cr.autograd.grad(total(checkpoint(f, (xs[0], xs[1]), table={"c": xs[2]}, scale=3.0)), xs)
    plain = cr.autograd.grad(total(f((xs[0], xs[1]), table={"c": xs[2]}, scale=3.0)), xs)
    for a, b in zip(got, plain, strict=True):
        same(a, b)


def test_one_of_several_results() -> None:
    x, y = leaf(3), leaf(3)
    _, second = checkpoint(lambda x: (x.exp(), x.sin() * x), x)
    second.sum().backward()
    (y.sin() * y).sum().backward()
    same(x.grad, y.grad)


def test_derivatives_of_derivatives() -> None:
    x = leaf(4)

    def third(f: Callable[[Any], Any]) -> Any:
        (a,) = cr.autograd.grad(f(x).sum(), x, create_graph=True)
        (b,) = cr.autograd.grad(a.sum(), x, create_graph=True)
        return cr.autograd.grad(b.sum(), x)[0]

    np.testing.assert_allclose(third(lambda x: checkpoint(wave, x)), third(wave), rtol=1e-12)


def test_checkpoints_inside_of_checkpoints() -> None:
    calls: list[str] = []

    def inner(x: Any) -> Any:
        calls.append("inner")
        return wave(x)

    def outer(x: Any) -> Any:
        calls.append("outer")
        return checkpoint(inner, x.cos()).exp() * checkpoint(inner, x)

    x, y = leaf(4), leaf(4)
    out = checkpoint(outer, x)
    assert kept(out) == []
    out.sum().backward()
    ((wave(y.cos()).exp()) * wave(y)).sum().backward()
    same(x.grad, y.grad)
    # once forward; then outer once more with both inner ones, and each of those for its own values
    assert calls == ["outer", "inner", "inner", "outer", "inner", "inner", "inner", "inner"]


class Cube(cr.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        y = x**3
        ctx.save_for_backward(x, y)
        ctx.three = 3
        return y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        x, y = ctx.saved_tensors
        return g * ctx.three * y / x


def test_functions_of_the_user_inside() -> None:
    x, y = leaf(4), leaf(4)
    out = checkpoint(lambda x: Cube.apply(x.sin()).exp(), x)
    (whole,) = [n for n in nodes(out) if n.name == "CubeBackward"]
    assert isinstance(whole.context._saved, Deferred)
    assert not hasattr(whole.context, "three")
    (a,) = cr.autograd.grad(out.sum(), x, create_graph=True)
    (b,) = cr.autograd.grad(a.sum(), x)
    (plain,) = cr.autograd.grad((y.sin() ** 3).exp().sum(), y, create_graph=True)
    (second,) = cr.autograd.grad(plain.sum(), y)
    np.testing.assert_allclose(a.detach(), plain.detach(), rtol=1e-12)
    np.testing.assert_allclose(b, second, rtol=1e-10)


def test_functions_of_the_user_two_checkpoints_deep() -> None:
    gone = []

    def inner(x: Any) -> Any:
        return Cube.apply(x)

    def outer(x: Any) -> Any:
        h = x.sin()
        gone.append(weakref.ref(h))
        return checkpoint(inner, h).exp()

    x, y = leaf(4), leaf(4)
    out = checkpoint(outer, x)
    assert gone[0]() is None
    out.sum().backward()
    (y.sin() ** 3).exp().sum().backward()
    np.testing.assert_allclose(x.grad, y.grad, rtol=1e-12)


def test_what_was_freed_inside_stays_freed() -> None:
    def f(x: Any) -> Any:
        h = x.exp()
        cr.autograd.grad(h.sum(), x)  # a backward without retain_graph
        return h * 2

    y = checkpoint(f, leaf(2)).sum()
    with pytest.raises(cr.GradError, match="freed by the first backward"):
        y.backward()


def test_a_compiled_function_inside() -> None:
    compiled = cr.compile(wave)
    x, y = leaf(4), leaf(4)
    checkpoint(lambda x: compiled(x.cos()).exp(), x).sum().backward()
    wave(y.cos()).exp().sum().backward()
    np.testing.assert_allclose(x.grad, y.grad, rtol=1e-12)


def test_results_in_an_object_of_the_user_have_their_gradient_but_keep_what_they_keep() -> None:
    class Found:
        def __init__(self, y: Any) -> None:
            self.y = y

    x = leaf(4)
    found = checkpoint(lambda x: Found(wave(x)), x)
    assert len(kept(found.y)) == 4
    found.y.sum().backward()
    same(x.grad, cr.autograd.grad(wave(x).sum(), x)[0])


def test_backward_in_another_thread() -> None:
    x = leaf(4)
    y = checkpoint(wave, x).sum()
    thread = threading.Thread(target=y.backward)
    thread.start()
    thread.join()
    same(x.grad, cr.autograd.grad(wave(x).sum(), x)[0])


def test_a_derivation_of_a_result_computes_again() -> None:
    x = leaf(2)
    text = str(checkpoint(lambda x: x.exp().sin(), x).sum().explain())
    assert "sin(v1)" in text
    assert "agree" in text


def test_views_and_writes_inside() -> None:
    def f(x: Any) -> Any:
        h = x * 2
        h[1:] += x[:-1].exp()
        h.sigmoid_()
        return h.view(2, 2) @ x.view(2, 2).T

    x, y = leaf(4), leaf(4)
    checkpoint(f, x).sum().backward()
    f(y).sum().backward()
    same(x.grad, y.grad)


def test_an_argument_that_is_a_view_whose_base_was_written_since() -> None:
    def f(part: Any) -> Any:
        return (part * part).exp()

    found = []
    for call in (lambda x: checkpoint(f, x), f):
        w = leaf(4)
        base = w * 1
        part = base[:2]
        base.mul_(3.0)
        found.append(cr.autograd.grad(call(part).sum(), w)[0])
    same(*found)


def test_hooks_inside_run_once() -> None:
    seen: list[Any] = []

    def f(x: Any) -> Any:
        h = x.exp()
        if h.requires_grad:
            h.register_hook(lambda g: seen.append(g))
        return h * h

    checkpoint(f, leaf(2)).sum().backward()
    assert len(seen) == 1


def test_recorded_modes_see_through_it() -> None:
    x = leaf(3).detach()
    f = lambda x: checkpoint(wave, x).sum()  # noqa: E731
    plain = lambda x: wave(x).sum()  # noqa: E731
    same(func.grad(f)(x), func.grad(plain)(x))
    v = cr.ones(3, dtype=cr.float64)
    for a, b in zip(func.jvp(f, (x,), (v,)), func.jvp(plain, (x,), (v,)), strict=True):
        same(a, b)
    np.testing.assert_allclose(func.hessian(f)(x), func.hessian(plain)(x), rtol=1e-12)
    rows = leaf(5, 3).detach()
    same(func.vmap(func.grad(f))(rows), func.vmap(func.grad(plain))(rows))
    np.testing.assert_allclose(cr.compile(func.grad(f))(x), func.grad(plain)(x), rtol=1e-12)


def test_backward_under_vmap_of_a_forward_outside() -> None:
    x = leaf(3)
    y = checkpoint(wave, x)
    rows = func.vmap(lambda g: cr.autograd.grad(y, x, g, retain_graph=True)[0])(cr.eye(3, dtype=cr.float64))
    np.testing.assert_allclose(rows, func.jacrev(wave)(x.detach()), rtol=1e-12)


# -- when it runs, and with which random numbers ----------------------------------------------------------


def test_the_second_run_has_the_same_dropout_mask() -> None:
    cr.manual_seed(3)
    x = cr.ones(1000, requires_grad=True)
    y = checkpoint(lambda x: nn.functional.dropout(x, 0.5).square(), x)
    after = cr.get_rng_state()
    cr.rand(7)
    now = cr.get_rng_state()
    y.sum().backward()
    assert set(y.tolist()) == {0.0, 4.0}
    same(x.grad, 2 * y)  # d/dx (2x)² = 8x where it is kept, and y is 4 there
    assert cr.get_rng_state().tolist() == now.tolist() != after.tolist()


def test_without_the_state_the_second_mask_is_another() -> None:
    cr.manual_seed(3)
    x = cr.ones(1000, requires_grad=True)
    f = lambda x: nn.functional.dropout(x, 0.5).square()  # noqa: E731
    y = checkpoint(f, x, preserve_rng_state=False)
    y.sum().backward()
    assert x.grad.tolist() != (2 * y).tolist()


def test_how_often_the_function_runs() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(cr.is_grad_enabled())
        return wave(x)

    x = leaf(3)
    y = checkpoint(f, x)
    assert calls == [True]
    y.sum().backward(retain_graph=True)
    assert calls == [True] * 2
    first = x.grad.clone()
    y.sum().backward()
    assert calls == [True] * 3
    same(x.grad, 2 * first)
    with pytest.raises(cr.GradError, match="freed by the first backward"):
        y.sum().backward()
    assert calls == [True] * 3
    with cr.no_grad():
        assert not checkpoint(f, x).requires_grad
    assert calls == [True] * 3 + [False]


def test_a_result_that_is_written_without_gradients_is_computed_again() -> None:
    x, y = leaf(3), leaf(3)
    out = checkpoint(lambda x: x.exp(), x)
    loss = (out * 1.0).sum()
    with cr.no_grad():
        out.zero_()
    loss.backward()
    y.exp().sum().backward()
    same(x.grad, y.grad)


def test_an_error_in_the_second_run_leaves_everything_as_it_was() -> None:
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        cr.rand(3)
        if len(calls) == 2:
            raise KeyError("second")
        return wave(x)

    x = leaf(3)
    y = checkpoint(f, x).sum()
    before = cr.get_rng_state().tolist()
    with pytest.raises(KeyError, match="second"):
        y.backward(retain_graph=True)
    assert cr.get_rng_state().tolist() == before
    assert cr.is_grad_enabled()
    y.backward()  # the third run works
    same(x.grad, cr.autograd.grad(wave(x).sum(), x)[0])


def test_functions_in_segments() -> None:
    layers = nn.Sequential(*(nn.Sequential(nn.Linear(4, 4), nn.Tanh()) for _ in range(7)))
    x = cr.ones(2, 4, requires_grad=True)
    (plain,) = cr.autograd.grad(layers(x).sum(), x)
    for segments in range(1, 8):
        y = checkpoint_sequential(layers, segments, x)
        (g,) = cr.autograd.grad(y.sum(), x)
        same(g, plain)
    y = checkpoint_sequential(list(layers), 3, x)
    assert len({id(n) for n in kept(y)}) == 3 * 2  # the last three layers, which run plainly


# -- memory -------------------------------------------------------------------------------------------------


def test_nothing_inside_is_kept() -> None:
    x = leaf(4)
    held = []

    def f(x: Any) -> Any:
        h = x.exp()
        held.append(weakref.ref(h))
        return h.sin() * h

    y = checkpoint(f, x)
    gc.collect()
    assert held[0]() is None
    assert kept(y) == []
    plain = f(x)
    assert held[1]() is not None
    assert len(kept(plain)) == 3


def test_after_backward_even_the_arguments_are_free() -> None:
    x = leaf(4)
    h = x * 2
    gone = weakref.ref(h)
    y = checkpoint(wave, h).sum()
    del h
    assert gone() is not None
    y.backward()
    assert gone() is None  # although y, and the nodes, are there


def test_memory_between_forward_and_backward_falls() -> None:
    """Each of 20 steps keeps its result: 20 arrays of 80 kB; with a checkpoint only the argument is kept."""
    size = 10_000  # 80 kB, below what is taken from recycled buffers

    def deep(x: Any) -> Any:
        for _ in range(20):
            x = x.tanh()
        return x

    def held(f: Callable[[Any], Any]) -> int:
        x = leaf(size)
        tracemalloc.start()
        try:
            y = f(x)
            now = tracemalloc.get_traced_memory()[0]
        finally:
            tracemalloc.stop()
        y.sum().backward()
        return now

    assert 20 <= held(deep) / (8 * size) < 20.5
    assert 1 <= held(lambda x: checkpoint(deep, x)) / (8 * size) < 1.5  # the result


# -- what cannot be done ------------------------------------------------------------------------------------


def read(action: Callable[[], Any]) -> str:
    with pytest.raises(cr.ChainruleError) as caught:
        action()
    return str(caught.value)


def test_an_argument_that_was_written_to() -> None:
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    h = x * 2
    y = checkpoint(wave, h).sum()
    h.mul_(2.0)
    text = read(y.backward)
    lines = [line.partition(".py:")[0] for line in text.splitlines()]
    assert lines == [
        "backward through checkpoint (recorded at tests/utils/test_checkpoint",
        "  what is computed again must be computed from the same values: it was at version 0 and is now at "
        "1, last changed at tests/utils/test_checkpoint",
        "  try: backward before the change, or x = x + ... instead of x += ...",
        "  at tests/utils/test_checkpoint",
    ]
    assert ") got an argument of it, a tensor (2,), in a changed state\n" in text


def test_a_function_that_writes_into_its_argument() -> None:
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    y = checkpoint(lambda h: h.relu_().square(), x * 2).sum()
    assert "it was at version 0 and is now at 1" in read(y.backward)


def test_a_parameter_that_was_changed() -> None:
    layer = nn.Linear(2, 3)
    y = checkpoint(lambda x: (x + layer.bias).relu(), cr.ones(3)).sum()
    with cr.no_grad():
        layer.bias.add_(1.0)
    text = read(y.backward)
    assert ") got a parameter (3,) that it reads, in a changed state\n" in text


def test_a_second_run_that_does_something_else() -> None:
    count = iter(range(10))
    x = cr.tensor([1.0, 2.0], requires_grad=True)
    y = checkpoint(lambda x: x.exp() if next(count) == 0 else x.sin(), x).sum()
    assert read(y.backward).partition(") got ")[2].rpartition("\n  at ")[0] == (
        "exp(x) with a float32 result (2,) as step 1 the first time, and sin(x) with a float32 result (2,) "
        "the second\n"
        "  backward runs the function again for the values it had, so it must do the same steps\n"
        "  try: leave out what depends on a counter, a cache or random numbers of another generator"
    )
    y = checkpoint(lambda x: x.exp() if next(count) == 2 else x.exp().sin(), x).sum()
    assert ") got 1 step the first time, and 2 the second\n" in read(y.backward)


def not_callable() -> Any:
    return checkpoint(cr.ones(2).exp(), cr.ones(2))  # type: ignore[arg-type]


def too_many_segments() -> Any:
    return checkpoint_sequential([cr.sin, cr.exp], 3, cr.ones(2))


def test_what_is_no_function() -> None:
    assert read(not_callable).rpartition("\n  at ")[0] == (
        "checkpoint got Tensor in the place of the function\n"
        "  the function comes first, then what it gets\n"
        "  try: checkpoint(layer, x) instead of checkpoint(layer(x))"
    )


def test_too_many_segments() -> None:
    assert read(too_many_segments).rpartition("\n  at ")[0] == (
        "checkpoint_sequential got segments=3 for 2 functions\n"
        "  there must be at least 1 segment, and at least one function in each"
    )


def written() -> None:
    h = leaf(2) * 2
    y = checkpoint(wave, h).sum()
    h.mul_(2.0)
    y.backward()


def different() -> None:
    count = iter(range(2))
    checkpoint(lambda x: x.exp() if next(count) == 0 else x.sin(), leaf(2)).sum().backward()


def test_every_message_has_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    actions = [written, different, not_callable, too_many_segments]
    assert untested([Path(module.__file__)], actions, monkeypatch) == []


def test_segments_by_the_chain_rule() -> None:
    """d/dx exp(sin(exp(sin(x)))) in closed form."""
    x = 0.5
    b = math.exp(math.sin(x))
    c = math.sin(b)
    slope = math.cos(x) * b * math.cos(b) * math.exp(c)
    t = cr.tensor(x, requires_grad=True, dtype=cr.float64)
    checkpoint_sequential([cr.sin, cr.exp, cr.sin, cr.exp], 2, t).backward()
    assert t.grad.item() == pytest.approx(slope, rel=1e-12)
