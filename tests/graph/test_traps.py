"""What cannot become part of a graph is refused, with the words that help; and what is frozen in one."""

from __future__ import annotations

import contextlib
import io
import threading
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import eager, nn
from chainrule.graph import Graph, TraceError, symbol, trace
from chainrule.ops.primitive import tracing

X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])


def message(function: Any, *inputs: Any) -> str:
    """The refusal without the user's line, which is checked to be in this file."""
    with pytest.raises(TraceError) as caught:
        trace(function, *(inputs or (X,)))
    text, _, where = str(caught.value).rpartition("\n  at ")
    assert "test_traps.py:" in where
    assert text == caught.value.summary
    assert tracing.tracer is None
    return text


def no_values(what: str) -> str:
    return (
        f"{what} got a traced tensor, which has a shape and a type but no values yet\n"
        "  the program is being recorded; what it does must not depend on the numbers\n"
        "  try: where(condition, a, b) instead of if, keep the tensor instead of a number, read values "
        "outside"
    )


def outside(what: str, shape: str = "()") -> str:
    return (
        f"{what} got a tensor {shape} in a traced function\n"
        "  its value of now would be fixed in the graph, also where later runs find another one there\n"
        "  try: compute with the tensor itself, or read it before the trace"
    )


READING = {
    "if x, bool(x)": lambda x: x if x.sum() > 0 else -x,
    "float(x)": lambda x: float(x.sum()),
    "int(x)": lambda x: int(x.sum()),
    "item()": lambda x: x.sum().item(),
    "tolist()": lambda x: x.tolist(),
    "numpy()": lambda x: x.numpy(),
    "an index": lambda x: [1, 2, 3][x[0, 0].long()],
    "x[mask]": lambda x: x[x > 0],
    "x[index]": lambda x: x[x[0, 0].long()],
    "f'{x:.2f}'": lambda x: f"{x.sum():.2f}",
    "numpy.unique": lambda x: x.unique(),
    "stride()": lambda x: x.stride(),
    "data_ptr()": lambda x: x.data_ptr(),
    "storage_offset()": lambda x: x.storage_offset(),
}


@pytest.mark.parametrize("what", READING)
def test_reading_a_traced_value(what: str) -> None:
    assert message(READING[what]) == no_values(what)


def test_numpy_asks_for_values() -> None:
    assert message(lambda x: np.asarray(x)) == no_values("numpy()")
    assert message(lambda x: x.numpy(force=True)) == no_values("numpy()")


READING_OUTSIDE = {
    "if x, bool(x)": lambda c: 1 if c else 2,
    "float(x)": float,
    "item()": lambda c: c.item(),
    "tolist()": lambda c: c.tolist(),
    "numpy()": lambda c: c.numpy(),
    "an index": lambda c: [1, 2][INDEX],
    "deepcopy": lambda c: c.__deepcopy__({}),
}
INDEX = torch.tensor(1)


@pytest.mark.parametrize("what", READING_OUTSIDE)
def test_reading_a_tensor_from_outside(what: str) -> None:
    c = torch.tensor(3.0)
    assert message(lambda x: x * READING_OUTSIDE[what](c)) == outside(what)


def test_indexing_by_values_from_outside() -> None:
    assert message(lambda x: x[INDEX]) == outside("x[index]")
    mask = X > 2
    assert message(lambda x: x[mask]) == outside("x[mask]", "(2, 2)")


STREAMS = {
    "Generator()": lambda x: x * torch.rand(2, generator=torch.Generator()),
    "manual_seed": lambda x: x * torch.rand(2, generator=torch.manual_seed(0)),
    "get_state": lambda x: x * torch.get_rng_state()[0],
    "set_state": lambda x: torch.set_rng_state(torch.zeros(16, dtype=torch.uint8)),
    "a draw from a generator": lambda x: x * float(torch.default_generator.uniform((), "float32")),
}


@pytest.mark.parametrize("what", STREAMS)
def test_streams_are_made_and_moved_outside(what: str) -> None:
    before = torch.get_rng_state()
    assert message(STREAMS[what]) == (
        f"{what} got a traced function\n"
        "  it happens once, while the function is recorded, and not again when the graph runs\n"
        "  try: make, seed and read generators outside; inside, draw with rand(generator=...) and the like"
    )
    assert torch.equal(torch.get_rng_state(), before)


def test_multinomial() -> None:
    assert message(lambda x: torch.multinomial(x, 1)) == no_values("multinomial")
    assert message(lambda x: torch.multinomial(X, 1)) == outside("multinomial", "(2, 2)")


def test_returning_something_else() -> None:
    assert message(lambda x: (x, 3)) == (
        "trace got a function that returns int\n"
        "  it may return tensors, and tuples, lists and dicts of them\n"
        "  try: return the tensor itself, without item() or float()"
    )


VALUES_OUTSIDE = {
    "tensor": lambda c, x: torch.tensor(c),
    "full": lambda c, x: torch.full((2,), c.sum()),
    "arange": lambda c, x: torch.arange(c.sum()),
    "masked_select": lambda c, x: x.masked_select(c > 1),
    "searchsorted": lambda c, x: torch.searchsorted(c[0], x),
    "repeat_interleave": lambda c, x: x.repeat_interleave(c[0].long(), 0),
    "quantile": lambda c, x: x.quantile(c[0]),
}


@pytest.mark.parametrize("what", VALUES_OUTSIDE)
def test_functions_that_compute_with_values(what: str) -> None:
    assert message(lambda x: VALUES_OUTSIDE[what](x, x)) == no_values(what)


def test_trace_in_a_trace() -> None:
    assert message(lambda x: trace(torch.exp, x)) == (
        "trace got a call inside a traced function\n"
        "  a trace inside a trace is not possible\n"
        "  try: call the function itself"
    )


def test_a_tensor_that_is_kept() -> None:
    history = []
    text = message(lambda x: history.append(x * 2))
    line = test_a_tensor_that_is_kept.__code__.co_firstlineno + 2
    assert text == (
        f"trace got a tensor (2, 2) that was made inside the traced function, at "
        f"tests/graph/test_traps.py:{line}, "
        "and is still held outside\n"
        "  a later run would make another one, and what holds this one would never know\n"
        "  try: return it, or make it outside and change it in place; an optimizer makes its state in its "
        "first "
        "step: take that one before"
    )
    ended = (
        "a traced tensor got traced(float32[2, 2]) from a trace that has ended\n"
        "  what was made in one trace has no value in another, nor outside\n"
        "  try: return it from the traced function"
    )
    assert message(lambda x: x + history[0]) == ended
    with pytest.raises(TraceError) as caught:
        history[0] + 1
    assert caught.value.summary == ended


def test_a_list_inside_works() -> None:
    def f(x: Any) -> Any:
        rows = []
        for i in range(2):
            rows += [x[i] * i]
        return torch.stack(rows)

    assert torch.equal(trace(f, X)(X), f(X))


def test_state_made_in_the_trace() -> None:
    class Holder:
        total: Any

    def f(x: Any) -> Any:
        Holder.total = torch.zeros(2, 2)
        Holder.total += x
        return Holder.total * 1

    assert message(f) == (
        "trace got a tensor (2, 2) that was made inside the traced function, changed in place, and is "
        "still held "
        "outside\n"
        "  whether later runs make it anew or go on with it cannot be said\n"
        "  try: make it outside; an optimizer makes its state in its first step: take that one before"
    )


def test_a_tensor_made_in_the_trace_and_only_read_is_a_constant() -> None:
    class Holder:
        mask: Any

    def f(x: Any) -> Any:
        Holder.mask = torch.tensor([1.0, 0.0])
        return x * Holder.mask

    g = trace(f, X)
    Holder.mask.fill_(7)
    assert g.captures == []
    assert torch.equal(g(X), torch.tensor([[1.0, 0.0], [3.0, 0.0]]))


def test_symbol_in_a_trace() -> None:
    s = symbol("s", (2, 2))
    assert message(lambda x: x + s) == (
        "a traced tensor got traced(s: float32[2, 2]) from outside the trace, where it is a symbol\n"
        "  what was made in one trace has no value in another, nor outside\n"
        "  try: pass it to the traced function as an input"
    )
    assert str(trace(lambda x: x * 2, s)).startswith("def graph(x: float32[2, 2]):")


def test_backward_into_what_was_recorded_before() -> None:
    w = torch.ones(2, requires_grad=True)
    h = w * 2
    assert message(lambda x: (h * x).sum().backward()) == (
        "backward in a traced function got a tensor (2,) from outside that was computed by recorded "
        "operations\n"
        "  a graph cannot run the backward of what was recorded before it\n"
        "  try: compute it inside the traced function, or detach() it"
    )
    h.sum().backward()  # its own tape is as it was
    assert w.grad.tolist() == [2.0, 2.0]
    assert torch.equal(trace(lambda x: h.detach() * x, X)(X), 2 * X)


def test_assigning_data() -> None:
    p = torch.ones(2, 2)

    def f(x: Any) -> None:
        p.data = x

    assert message(f) == (
        "x.data = y got a traced function\n"
        "  a graph can change the values of a tensor, not what memory it has\n"
        "  try: with no_grad(): x.copy_(y)"
    )


def test_parameter_made_in_a_trace() -> None:
    assert message(lambda x: nn.Parameter(x * 1) * 2) == (
        "Parameter got a traced tensor as its memory\n"
        "  it would belong to a module, and be there after the trace\n"
        "  try: make it outside the traced function"
    )


def test_views_from_outside() -> None:
    whole = torch.zeros(2, 2)
    row = whole[0]
    assert message(lambda x: row.add_(x[0])) == (
        "in-place x + y got a view (2,) that was made outside the traced function\n"
        "  the tensor that owns its memory would not notice\n"
        "  try: make the view inside the function"
    )

    def both(x: Any) -> Any:
        whole.add_(x)
        return row * 1

    assert message(both) == (
        "trace got a write to a tensor (2, 2) from outside, and another tensor (2,) from outside on the "
        "same memory\n"
        "  the graph would not see what the write does to the other one\n"
        "  try: make the view inside the traced function"
    )
    assert whole.tolist() == [[0.0, 0.0], [0.0, 0.0]]


def test_reshapes_that_may_be_copies() -> None:
    order = (
        "  whether it shares memory with what it was made from depends on the order of elements in memory\n"
    )
    assert message(lambda x: x.T.reshape(-1).add_(1)) == (
        f"in-place x + y got a reshaped or contiguous tensor (4,)\n{order}  try: clone() it before writing "
        f"to it"
    )
    assert message(lambda x: x.T.contiguous().add_(1)).startswith(
        "in-place x + y got a reshaped or contiguous"
    )

    def read_later(x: Any) -> Any:
        y = x * 1
        v = y[:, :1].reshape(-1)
        y.add_(1)
        return v

    assert message(read_later) == (
        f"reading a reshaped or contiguous tensor got one (2,) after a write to what it was made "
        f"from\n{order}"
        "  try: clone() it when it is made, or reshape again after the write"
    )


def test_printing_shows_what_is_known() -> None:
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        trace(lambda x: print(x, f"{x.sum()}"), X)
    assert shown.getvalue() == "traced(x: float32[2, 2]) traced(float32[()])\n"


def test_python_values_are_frozen() -> None:
    scale = 2.0
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        return x * scale

    g = trace(f, X)
    scale = 5.0
    assert torch.equal(g(X), 2 * X)  # of the time of the trace
    assert len(calls) == 1  # what Python does happens once
    changing = torch.tensor(2.0)
    g = trace(lambda x: x * changing, X)
    changing.fill_(5)
    assert torch.equal(g(X), 5 * X)  # the way around: a tensor is read at each run


def test_shapes_and_branches_are_frozen() -> None:
    training = True
    g = trace(lambda x: x.sum() / len(x) if training else x, X)
    training = False
    assert g(X).item() == 5.0
    with pytest.raises(torch.ShapeError) as caught:
        g(torch.ones(3, 2))
    assert caught.value.summary == ("graph got 'x' with shape (3, 2)\n  the graph was made for (2, 2)")


def test_gradients_are_not_left_behind() -> None:
    w = torch.ones(2, requires_grad=True)
    before = w.grad = torch.tensor([7.0, 7.0])

    def f(x: Any) -> Any:
        w.grad = None
        (w * x).sum().backward()
        return w.grad

    g = trace(f, X)
    assert w.grad is before
    assert g(X).tolist() == [4.0, 6.0]
    assert w.grad is before


def test_an_error_leaves_nothing_behind() -> None:
    w = torch.ones(2, requires_grad=True)
    counter = torch.zeros(())

    def f(x: Any) -> None:
        counter.add_(1)
        (w * x).sum().backward()
        with torch.no_grad():
            w.mul_(2)
        raise KeyError("in the middle")

    special = eager.special
    with pytest.raises(KeyError, match="in the middle"):
        trace(f, X)
    assert tracing.tracer is None
    assert eager.special == special
    assert (w.grad, w.tolist(), w.is_leaf, w._version, counter.item(), counter._version) == (
        None,
        [1.0, 1.0],
        True,
        0,
        0.0,
        0,
    )
    (w * 2).sum().backward()
    assert w.grad.tolist() == [2.0, 2.0]


def test_other_threads_run_as_usual() -> None:
    found: list[Any] = []
    w = torch.ones(2, requires_grad=True)

    def other() -> None:
        y = (w * 3).sum()
        y.backward()
        found.append((y.item(), torch.rand(2).shape, type(y)))

    def f(x: Any) -> Any:
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
        return x + 1

    assert isinstance(trace(f, X), Graph)
    assert found == [(6.0, (2,), torch.Tensor)]


def test_two_threads_trace_at_once() -> None:
    barrier = threading.Barrier(2, timeout=10)
    texts: list[str] = []

    def f(x: Any) -> Any:
        barrier.wait()
        y = x.exp()
        barrier.wait()
        return y * 2

    threads = [threading.Thread(target=lambda: texts.append(str(trace(f, X)))) for _ in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(texts) == 2
    assert texts[0] == texts[1]
    assert eager.special == 0


def test_tensors_from_lists_of_tensors() -> None:
    assert message(lambda x: torch.tensor([x[0], x[1]])) == no_values("tensor")
    assert message(lambda x: torch.tensor([x[0, 0], 1.0])) == no_values("tensor")
    held = torch.ones(2)
    assert message(lambda x: x + torch.tensor(held)) == outside("tensor", "(2,)")


@pytest.mark.parametrize("write", [lambda c: c.detach().mul_(2), lambda c: c[0].mul_(2), lambda c: c.mul_(2)])
@pytest.mark.parametrize("from_outside", [True, False])
def test_a_value_kept_for_backward_that_was_changed(write: Any, from_outside: bool) -> None:
    held = torch.ones(2, 2)
    p = torch.ones(2, requires_grad=True)

    def f(x: Any) -> None:
        c = held if from_outside else x
        y = (p * c).sum()
        write(c)
        y.backward()

    with pytest.raises(torch.GradError) as wanted:
        f(X.clone())
    with pytest.raises(torch.GradError) as caught:
        trace(f, X)
    assert "it was at version" in wanted.value.summary
    told = [text.split("it was at version")[0] for text in (caught.value.summary, wanted.value.summary)]
    assert told[0] == told[1]
    p.grad = None


def test_a_write_through_data_is_not_noticed_as_in_eager_mode() -> None:
    p = torch.ones(2, requires_grad=True)
    held = torch.ones(2)

    def f(x: Any) -> Any:
        y = (p * held).sum()
        held.data.mul_(3)
        return torch.autograd.grad(y, p)[0]

    g = trace(f, X)
    assert held.tolist() == [1.0, 1.0]
    assert g(X).tolist() == [3.0, 3.0]
    held.fill_(1)
    assert f(X).tolist() == [3.0, 3.0]


def test_shapes_that_do_not_fit_are_refused_as_in_eager_mode() -> None:
    def f(x: Any) -> None:
        x[0] = torch.ones(3)

    with pytest.raises(torch.ShapeError) as wanted:
        f(X)
    with pytest.raises(torch.ShapeError) as caught:
        trace(f, X)
    assert caught.value.summary == wanted.value.summary

    def whole(x: Any) -> None:
        x.long().add_(1.5)

    with pytest.raises(torch.DTypeError) as wanted_type:
        whole(X)
    with pytest.raises(torch.DTypeError) as caught_type:
        trace(whole, X)
    assert caught_type.value.summary == wanted_type.value.summary


def test_with_anomaly_detection() -> None:
    w = torch.ones(2, requires_grad=True)

    def f(x: Any) -> Any:
        return torch.autograd.grad((w * x).exp().sum(), w)[0]

    with torch.autograd.detect_anomaly():
        g = trace(f, X)
    assert torch.equal(g(X), f(X))


def test_functions_of_users() -> None:
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            (x,) = ctx.saved_tensors
            return g * x * 2

    def f(x: Any) -> Any:
        leaf = x.detach().clone().requires_grad_()
        return torch.autograd.grad(Double.apply(leaf).sum(), leaf)[0]

    assert torch.equal(trace(f, X)(X), 2 * X)
