"""What a compiled function refuses, in full; and that a refusal leaves everything as it was."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import pytest

import chainrule as torch
from chainrule import eager, nn
from chainrule.graph import TraceError
from chainrule.ops.primitive import tracing

X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
LAST: Any = None


def message(function: Any, *inputs: Any) -> str:
    with pytest.raises(TraceError) as caught:
        torch.compile(function)(*(inputs or (X,)))
    assert "test_traps.py:" in str(caught.value).rpartition("\n  at ")[2]
    assert tracing.tracer is None
    assert eager.special == 0
    return caught.value.summary


def no_values(what: str) -> str:
    return (
        f"{what} got a traced tensor, which has a shape and a type but no values yet\n"
        "  the program is being recorded; what it does must not depend on the numbers\n"
        "  try: where(condition, a, b) instead of if, keep the tensor instead of a number, read values "
        "outside"
    )


READING = {
    "if x, bool(x)": lambda x: x if x.sum() > 0 else -x,
    "float(x)": lambda x: float(x.sum()),
    "item()": lambda x: x.sum().item(),
    "numpy()": lambda x: x.numpy(),
    "tolist()": lambda x: x.tolist(),
    "f'{x:.2f}'": lambda x: f"{x.sum():.2f}",
    "x[mask]": lambda x: x[x > 0],
}


@pytest.mark.parametrize("what", READING)
def test_asking_for_values(what: str) -> None:
    assert message(READING[what]) == no_values(what)


def test_the_loss_as_a_number() -> None:
    w = torch.ones(2, requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.1)

    def step(x: Any) -> float:
        opt.zero_grad()
        loss = (x @ w).sum()
        loss.backward()
        opt.step()
        return float(loss)

    assert message(step) == no_values("float(x)")
    assert (w.tolist(), w.grad, w._v) == ([1.0, 1.0], None, 0)


def test_growing_lists() -> None:
    losses: list[Any] = []
    line = test_growing_lists.__code__.co_firstlineno + 3
    assert message(lambda x: losses.append(x.sum())) == (
        f"trace got a tensor () that was made inside the traced function, at "
        f"tests/compiler/test_traps.py:{line}, and is still held outside\n"
        "  a later run would make another one, and what holds this one would never know\n"
        "  try: return it, or make it outside and change it in place; an optimizer makes its state in its "
        "first step: take that one before"
    )
    assert losses == []


def test_growing_a_list_that_was_given() -> None:
    losses = [torch.ones(())]
    assert message(lambda x, all_of_them: all_of_them.append(x.sum()), X, losses) == (
        "a compiled function, function, got a list or dict that it changes\n"
        "  what Python does happens at the trace only; later calls would not change it\n"
        "  try: return what is new, or change a tensor in place"
    )
    assert len(losses) == 1


def test_a_tensor_of_one_call_used_in_the_next() -> None:
    def f(x: Any) -> Any:
        global LAST
        out = x * 2 if LAST is None else x * LAST
        LAST = out
        return out

    text = message(f)
    assert text.startswith("trace got a tensor (2, 2) that was made inside the traced function, at ")
    assert LAST is None


def test_an_attribute_that_keeps_a_result() -> None:
    class Model(nn.Module):
        def forward(self, x: Any) -> Any:
            self.seen = x * 2
            return self.seen.sum()

    model = Model()
    f = torch.compile(model)
    f(X)  # the attribute was not there: as it is, once
    assert model.seen.tolist() == [[2.0, 4.0], [6.0, 8.0]]
    assert f.traces == 0
    with pytest.raises(TraceError) as caught:
        f(X)
    assert caught.value.summary.startswith("trace got a tensor (2, 2) that was made inside")
    assert model.seen.tolist() == [[2.0, 4.0], [6.0, 8.0]]


def test_state_that_is_made_when_needed() -> None:
    class Counting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.total: Any = None

        def forward(self, x: Any) -> Any:
            if self.total is None:
                self.total = torch.zeros(2)
            self.total += x.sum(0)
            return x + self.total

    model, other = Counting(), Counting()
    f = torch.compile(model)
    for _ in range(4):
        assert torch.equal(f(X), other(X))
    assert torch.equal(model.total, other.total)
    assert f.traces == 1  # the first call ran as it is and made the state


def test_printing_happens_at_the_trace() -> None:
    def f(x: Any) -> Any:
        print("sum", x.sum())
        return x * 2

    g = torch.compile(f)
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        g(X)
        g(X)
    assert shown.getvalue() == "sum traced(float32[()])\n"


def test_nothing_is_left_of_a_trace_that_failed() -> None:
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    opt = torch.optim.Adam(model.parameters(), lr=0.1)
    history: dict[str, Any] = {"steps": 0, "all": [1]}
    count = 0

    def step(x: Any, fail: bool) -> Any:
        nonlocal count
        count += 1
        history["steps"] = count
        history["new"] = 5
        history["all"].append(count)
        model[0].extra = 3
        opt.zero_grad()
        loss = model(x).sum()
        loss.backward()
        opt.step()
        x.add_(1)
        if fail:
            raise KeyError("in the middle")
        return loss

    f = torch.compile(step)
    x = X.clone()
    p = next(model.parameters())
    p.grad = torch.ones(2, 2)
    grad, before = p.grad, [t.clone() for t in model.state_dict().values()]
    versions = [t._v for t in model.parameters()]
    random = torch.get_rng_state()
    for _ in range(2):
        with pytest.raises(KeyError, match="in the middle"):
            f(x, True)
        assert (f.traces, count, tracing.tracer, eager.special) == (0, 0, None, 0)
        assert history == {"steps": 0, "all": [1]}
        assert not hasattr(model[0], "extra")
        assert dict(opt.state) == {}
        assert p.grad is grad
        assert [t._v for t in model.parameters()] == versions
        assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), before, strict=True))
        assert torch.equal(x, X)
        assert torch.equal(torch.get_rng_state(), random)
        assert torch.is_grad_enabled()
    f(x, False)
    assert (f.traces, count, history["all"]) == (1, 1, [1, 1])


def test_an_error_while_the_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    w = torch.ones(2)
    f = torch.compile(lambda x: w.add_(x).sum())
    f(torch.ones(2))
    (s,) = f._signatures

    def broken(addresses: Any) -> Any:
        raise MemoryError

    working = s.program.run
    monkeypatch.setattr(s.program, "run", broken)
    s.short = None
    f._put_first(s)
    with pytest.raises(MemoryError):
        f(torch.ones(2))
    assert (w.tolist(), w._v) == ([2.0, 2.0], 1)
    monkeypatch.setattr(s.program, "run", working)
    s.short = None
    f._put_first(s)
    assert f(torch.ones(2)).item() == 6.0


def test_frozen_values() -> None:
    """What today is fixed by the trace without a guard: docs/compile.md lists it with the ways around."""
    numbers = [2.0, 3.0]
    calls = []

    def f(x: Any) -> Any:
        calls.append(1)
        return x * numbers[0]

    g = torch.compile(f)
    g(X)
    numbers[0] = 5.0
    assert torch.equal(g(X), X * 2)  # numbers in lists are not looked at
    assert calls == [1]  # Python runs once
