"""What a program assumes about the world outside: change only that, expect a new trace, and hear why."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

import chainrule as torch
from chainrule import nn

X = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
SCALE = 2.0
WEIGHT = torch.ones(2)
SETTINGS = {"w": torch.ones(2)}
PARTS = [torch.ones(2), torch.ones(2)]


def helper(x: Any) -> Any:
    return x * SCALE


@pytest.fixture
def globals_restored() -> Any:
    names = ("SCALE", "WEIGHT", "helper")
    before = {name: globals()[name] for name in names}
    yield globals()
    globals().update(before)
    SETTINGS["w"] = torch.ones(2)
    PARTS[:] = [torch.ones(2), torch.ones(2)]


def check(f: Any, plain: Callable[[Any], Any], change: Callable[[], Any], why: str) -> None:
    """One program before the change, another one after it, and results as in eager mode."""
    for _ in range(3):
        assert torch.equal(f(X), plain(X))
    assert f.traces == 1
    change()
    for _ in range(3):
        assert torch.equal(f(X), plain(X))
    assert (f.traces, f.why()) == (2, why)


def test_a_global_number(globals_restored: Any) -> None:
    def plain(x: Any) -> Any:
        return x * SCALE

    check(
        torch.compile(plain),
        plain,
        lambda: globals_restored.update(SCALE=3.0),
        "SCALE: before 2.0, now 3.0",
    )


def test_a_global_number_of_a_function_that_is_called(globals_restored: Any) -> None:
    def plain(x: Any) -> Any:
        return helper(x) + 1

    f = torch.compile(plain)
    check(f, plain, lambda: globals_restored.update(SCALE=3.0), "SCALE: before 2.0, now 3.0")


def test_a_global_function(globals_restored: Any) -> None:
    def plain(x: Any) -> Any:
        return helper(x) + 1

    def other(x: Any) -> Any:
        return x - 1

    check(
        torch.compile(plain),
        plain,
        lambda: globals_restored.update(helper=other),
        "helper: before the function helper, now the function test_a_global_function.<locals>.other",
    )


def test_a_global_tensor(globals_restored: Any) -> None:
    def plain(x: Any) -> Any:
        return x * WEIGHT

    f = torch.compile(plain)
    check(
        f, plain, lambda: globals_restored.update(WEIGHT=torch.zeros(2)),
        "WEIGHT: before float32 (2,), now another Tensor",
    )  # fmt: skip
    WEIGHT.fill_(7)  # values are read at each run
    assert torch.equal(f(X), X * 7)
    assert f.traces == 2


def test_a_tensor_in_a_dict(globals_restored: Any) -> None:
    def plain(x: Any) -> Any:
        return x * SETTINGS["w"]

    check(
        torch.compile(plain), plain, lambda: SETTINGS.update(w=torch.zeros(2)),
        "SETTINGS['w']: before float32 (2,), now another Tensor",
    )  # fmt: skip


def test_a_tensor_in_a_list(globals_restored: Any) -> None:
    def plain(x: Any) -> Any:
        for w in PARTS:
            x = x * w
        return x

    f = torch.compile(plain)
    check(
        f, plain, lambda: PARTS.__setitem__(1, torch.zeros(2)),
        "PARTS[1]: before float32 (2,), now another Tensor",
    )  # fmt: skip
    PARTS.append(torch.full((2,), 2.0))
    assert torch.equal(f(X), plain(X))
    assert (f.traces, f.why()) == (3, "the length of PARTS: before 2, now 3")


def test_variables_around_a_function() -> None:
    scale, w = 2.0, torch.ones(2)

    def plain(x: Any) -> Any:
        return x * scale * w

    def new_scale() -> None:
        nonlocal scale
        scale = 5.0

    def new_weight() -> None:
        nonlocal w
        w = torch.zeros(2)

    f = torch.compile(plain)
    check(f, plain, new_scale, "scale: before 2.0, now 5.0")
    new_weight()
    assert torch.equal(f(X), plain(X))
    assert (f.traces, f.why()) == (3, "w: before float32 (2,), now another Tensor")


def test_an_equal_number_is_the_same_number() -> None:
    scale = float("2.5")

    def plain(x: Any) -> Any:
        return x * scale

    f = torch.compile(plain)
    f(X)
    scale = float("2.50")
    f(X)
    assert f.traces == 1


def test_names_of_attributes_are_not_those_of_variables() -> None:
    namespace: dict[str, Any] = {}
    exec("mean = 1.0\ndef f(x):\n    return x.mean()\n", namespace)
    f = torch.compile(namespace["f"])
    f(X)
    namespace["mean"] = 2.0
    f(X)
    assert f.traces == 1


def test_attributes_of_an_object() -> None:
    state = SimpleNamespace(scale=2.0, w=torch.ones(2), unused=1)

    class Scaled:
        def __init__(self) -> None:
            self.scale, self.w, self.unused = 2.0, torch.ones(2), 1

        def run(self, x: Any) -> Any:
            return x * self.scale * self.w

    me = Scaled()
    f = torch.compile(me.run)
    check(f, me.run, lambda: setattr(me, "scale", 3.0), "self.scale: before 2.0, now 3.0")
    me.unused = 5
    f(X)
    assert f.traces == 2
    me.w = torch.zeros(2)
    assert torch.equal(f(X), me.run(X))
    assert f.why() == "self.w: before float32 (2,), now another Tensor"
    g = torch.compile(lambda x: x * state.scale * state.w)
    g(X)
    state.w = torch.zeros(2)
    assert g(X).tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert g.why() == "state.w: before float32 (2,), now another Tensor"


def test_numbers_in_a_dict_under_a_key_that_the_code_names() -> None:
    config = {"scale": 2.0, "other": 1}

    def plain(x: Any) -> Any:
        return x * config["scale"]

    f = torch.compile(plain)
    check(f, plain, lambda: config.update(scale=3.0), "config['scale']: before 2.0, now 3.0")
    config["other"] = 5
    f(X)
    assert f.traces == 2


def test_an_object_that_is_replaced() -> None:
    config = SimpleNamespace(scale=2.0)
    g = torch.Generator().manual_seed(1)

    def plain(x: Any) -> Any:
        return x * config.scale + torch.rand(2, generator=g)

    def replace() -> None:
        nonlocal config
        config = SimpleNamespace(scale=3.0)

    f = torch.compile(plain)
    f(X)
    replace()
    g.manual_seed(1)
    got = f(X)
    g.manual_seed(1)
    assert torch.equal(got, plain(X))
    assert (f.traces, f.why()) == (2, "config: before a SimpleNamespace, now another SimpleNamespace")
    g = torch.Generator().manual_seed(7)
    got = f(X)
    g.manual_seed(7)
    assert torch.equal(got, plain(X))
    assert (f.traces, f.why()) == (3, "g: before a Generator, now another Generator")


class Scaled(nn.Module):
    def forward(self, x: Any) -> Any:
        return self.scaled(x)

    def scaled(self, x: Any) -> Any:
        return x * SCALE * WEIGHT

    def never_called(self, x: Any) -> Any:
        return x * PARTS


def test_global_variables_that_methods_read(globals_restored: Any) -> None:
    m = Scaled()
    f = torch.compile(m)
    check(f, m, lambda: globals_restored.update(SCALE=3.0), "SCALE: before 2.0, now 3.0")
    globals_restored.update(WEIGHT=torch.zeros(2))
    assert torch.equal(f(X), m(X))
    assert f.why() == "WEIGHT: before float32 (2,), now another Tensor"
    g = torch.compile(Slotted().run)
    g(X)
    h = torch.compile(lambda x: m.scaled(x))
    h(X)
    globals_restored.update(SCALE=7.0)
    assert torch.equal(h(X), m(X))
    assert h.traces == 2


class Slotted:
    __slots__ = ("scale", "w")

    def __init__(self) -> None:
        self.scale, self.w = 2.0, torch.ones(2)

    def run(self, x: Any) -> Any:
        return x * self.scale * self.w


class WithConstants:
    SCALE = 2.0
    W = torch.ones(2)

    def run(self, x: Any) -> Any:
        return x * self.SCALE * self.W


def test_slots() -> None:
    me = Slotted()
    f = torch.compile(me.run)
    check(f, me.run, lambda: setattr(me, "scale", 3.0), "self.scale: before 2.0, now 3.0")
    me.w = torch.zeros(2)
    assert torch.equal(f(X), me.run(X))
    assert f.why() == "self.w: before float32 (2,), now another Tensor"


def test_attributes_of_a_class(monkeypatch: pytest.MonkeyPatch) -> None:
    me = WithConstants()
    f = torch.compile(me.run)
    check(
        f, me.run, lambda: monkeypatch.setattr(WithConstants, "SCALE", 3.0), "self.SCALE: before 2.0, now 3.0"
    )
    monkeypatch.setattr(WithConstants, "W", torch.zeros(2))
    assert torch.equal(f(X), me.run(X))
    assert f.why() == "self.W: before float32 (2,), now another Tensor"


def test_a_compiled_method() -> None:
    class Model(nn.Module):
        def __init__(self, start: float) -> None:
            super().__init__()
            self.scale = start
            self.w = nn.Parameter(torch.ones(2))

        @torch.compile
        def predict(self, x: Any) -> Any:
            return (x * self.w * self.scale).detach()

    one, two = Model(2.0), Model(3.0)
    for _ in range(2):
        assert torch.equal(one.predict(X), X * 2)
        assert torch.equal(two.predict(X), X * 3)
    f: Any = Model.__dict__["predict"]
    assert (f.traces, f.why()) == (2, "self: before a Model, now another Model")
    one.scale = 5.0
    assert torch.equal(one.predict(X), X * 5)
    assert f.traces == 3
    del one, two
    import gc

    gc.collect()
    assert f._signatures == []  # nobody can call them any more


def model() -> nn.Sequential:
    return nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5), nn.BatchNorm1d(2))


CHANGES: dict[str, tuple[Callable[[Any], Any], str]] = {
    "training": (lambda m: m.eval(), "m.training: before True, now False"),
    "training of a part": (lambda m: m[1].eval(), "m[1].training: before True, now False"),
    "a number": (lambda m: setattr(m[1], "p", 0.25), "m[1].p: before 0.5, now 0.25"),
    "a parameter": (
        lambda m: setattr(m[0], "bias", nn.Parameter(torch.zeros(2))),
        "m[0].bias: before float32 (2,), requires_grad=True, now another Parameter",
    ),
    "no parameter": (
        lambda m: setattr(m[0], "bias", None),
        "m[0].bias: before float32 (2,), requires_grad=True, now None",
    ),
    "a buffer": (
        lambda m: setattr(m[2], "running_mean", torch.zeros(2)),
        "m[2].running_mean: before float32 (2,), now another Tensor",
    ),
    "a layer": (lambda m: m.__setitem__(1, nn.Identity()), "m[1]: before a Dropout, now a Identity"),
    "one more layer": (lambda m: m.append(nn.Identity()), "what m consists of: before 3 parts, now 4 parts"),
    "one layer less": (lambda m: m.__delitem__(2), "what m consists of: before 3 parts, now 2 parts"),
    "requires_grad": (
        lambda m: m[0].weight.requires_grad_(False),
        "m[0].weight.requires_grad: before True, now False",
    ),
    "other weights": (
        lambda m: m[0].load_state_dict(nn.Linear(2, 2).state_dict(), assign=True),
        "m[0].weight: before float32 (2, 2), requires_grad=True, now another Parameter",
    ),
    "type": (lambda m: m[0].double(), "m[0].weight: before float32 (2, 2), now float64 (2, 2)"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_modules(what: str) -> None:
    change, why = CHANGES[what]
    m = model()
    kind = torch.float64 if what == "type" else torch.float32
    f = torch.compile(lambda x: m[0](x).sum() if kind is torch.float64 else m(x))
    for _ in range(3):
        f(X)
    assert f.traces == 1
    change(m)
    x = X.to(kind)
    if what == "type":
        with pytest.raises(torch.ChainruleError):
            f(X)
        return
    torch.manual_seed(0)
    got = f(x)
    torch.manual_seed(0)
    # The eager run starts from the buffers that the compiled one has moved, which the output does not show.
    assert torch.equal(got, m(x)) or not m.training
    assert (f.traces, f.why()) == (2, why)


def test_changes_of_other_modules_are_looked_through() -> None:
    m, other = nn.Linear(2, 2), nn.Linear(2, 2)
    f = torch.compile(lambda x: m(x))
    f(X)
    other.eval()
    other.anything = 3
    m.train()
    f(X)
    assert f.traces == 1


def test_optimizers() -> None:
    w = torch.ones(2, requires_grad=True)
    opt = torch.optim.SGD([w], lr=0.5, momentum=0.5)

    def step(x: Any) -> Any:
        opt.zero_grad()
        loss = (x * w).sum()
        loss.backward()
        opt.step()
        return loss

    f = torch.compile(step)
    f(X)
    f(X)
    assert f.traces == 1
    opt.param_groups[0]["lr"] = 0.25  # numbers are read at each run
    before = w.detach().clone()
    f(X)
    assert f.traces == 1
    assert torch.allclose(before - w, torch.tensor([1.75 * 4, 1.75 * 6]) * 0.25)
    opt.param_groups[0]["nesterov"] = True
    f(X)
    assert (f.traces, f.why()) == (2, "no longer true: nesterov of SGD's group 0 is False")
    opt.load_state_dict(opt.state_dict())
    f(X)
    assert (f.traces, f.why()) == (3, "opt.param_groups: before a list, now another list")
    v = torch.ones(2, requires_grad=True)
    opt.add_param_group({"params": [v]})
    f(X)
    assert (f.traces, f.why()) == (4, "the length of opt.param_groups: before 1, now 2")


def test_a_learning_rate_that_is_a_tensor() -> None:
    w = torch.ones(2, requires_grad=True)
    opt = torch.optim.Adam([w], lr=torch.tensor(0.5), capturable=True)

    def step() -> None:
        w.grad = torch.ones(2)
        opt.step()

    f = torch.compile(step)
    f()
    f()
    assert (f.traces, w.tolist()) == (1, [0.0, 0.0])
    opt.param_groups[0]["lr"].fill_(0.25)
    f()
    assert (f.traces, w.tolist()) == (1, [-0.25, -0.25])
    opt.param_groups[0]["lr"] = rate = torch.tensor(0.25)  # equal, but another one
    f()
    rate.fill_(1.0)
    f()
    assert f.traces == 2
    assert torch.allclose(w, torch.tensor([-1.5, -1.5]))


def test_memory_that_moved() -> None:
    w = torch.ones(2)
    f = torch.compile(lambda x: (w.mul_(2), x * w)[1])
    f(X)
    w.data = torch.full((2,), 5.0)
    for _ in range(2):
        f(X)
    assert (f.traces, w.tolist()) == (1, [20.0, 20.0])
    w.data = torch.ones(3, 2)
    f(X[:, None])
    assert f.traces == 2
    w.data = torch.ones(1, 2)
    f(X[:, None])
    assert f.why() == "w: before float32 (3, 2), now float32 (1, 2)"


def test_a_compiled_function_in_another() -> None:
    scale = 2.0

    @torch.compile
    def inner(x: Any) -> Any:
        return x * scale

    outer = torch.compile(lambda x: inner(x) + 1)
    assert torch.equal(outer(X), X * 2 + 1)
    scale = 3.0
    assert torch.equal(outer(X), X * 3 + 1)
    assert (outer.traces, outer.why(), inner.traces) == (2, "scale: before 2.0, now 3.0", 0)
