"""Numbers of Python in graphs: options of optimizers are read at each run; flags are frozen, and noted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import chainrule as torch
from chainrule import optim
from chainrule.graph import Graph, TraceError, trace
from chainrule.graph.host import Host
from tests.graph.checks import assert_same_bits

X = torch.tensor([0.3, -1.7])


class Fit:
    """Two parameters (one of them 0-d) that an optimizer fits, step by step."""

    def __init__(self, make: Callable[[Any], Any]) -> None:
        self.w = torch.tensor([1.0, 2.0], requires_grad=True)
        self.b = torch.tensor(0.25, requires_grad=True)
        self.opt = make([self.w, self.b])

    def step(self, x: Any) -> Any:
        self.opt.zero_grad()
        loss = ((self.w * x + self.b) ** 2).sum()
        loss.backward()
        self.opt.step()
        return loss

    def all(self) -> list[Any]:
        return [self.w, self.b, *(v for p in (self.w, self.b) for v in self.opt.state[p].values())]


def compare(make: Callable[[Any], Any], change: Callable[[Fit, int], None]) -> Graph:
    """Six steps with changes between them, eager and as runs of one graph."""
    eager, traced = Fit(make), Fit(make)
    graph = trace(traced.step, X, simplify=True)
    for i in range(6):
        assert_same_bits([graph(X), *traced.all()], [eager.step(X).detach(), *eager.all()], f"step {i}")
        change(eager, i)
        change(traced, i)
    return graph


def scheduled(make: Callable[[Any], Any]) -> Callable[[Fit, int], None]:
    """Step a schedule for each of the fits."""
    schedules: dict[int, Any] = {}

    def change(fit: Fit, i: int) -> None:
        if id(fit) not in schedules:
            schedules[id(fit)] = make(fit.opt)
        schedules[id(fit)].step()

    return change


S = optim.lr_scheduler
SCHEDULES: dict[str, Callable[[Any], Any]] = {
    "step": lambda opt: S.StepLR(opt, 2, 0.3),
    "exponential": lambda opt: S.ExponentialLR(opt, 0.7),
    "cosine": lambda opt: S.CosineAnnealingLR(opt, 4),
    "function": lambda opt: S.LambdaLR(opt, lambda epoch: 1 / (1 + epoch)),
    "sequence": lambda opt: S.SequentialLR(opt, [S.ConstantLR(opt, 0.5, 2), S.LinearLR(opt, 0.3)], [2]),
}
OPTIMIZERS: dict[str, Callable[[Any], Any]] = {
    "SGD": lambda ps: optim.SGD(ps, 0.1, momentum=0.9),
    "Adam": lambda ps: optim.Adam(ps, 0.1),
    "AdamW": lambda ps: optim.AdamW(ps, torch.tensor(0.1)),
    "Adagrad": lambda ps: optim.Adagrad(ps, 0.1, lr_decay=0.01),
    "RMSprop": lambda ps: optim.RMSprop(ps, 0.1),
}


@pytest.mark.parametrize(("schedule", "make"), list(zip(SCHEDULES, OPTIMIZERS, strict=True)))
def test_schedulers_between_runs(schedule: str, make: str) -> None:
    graph = compare(OPTIMIZERS[make], scheduled(SCHEDULES[schedule]))
    assert all(a.holds() for a in graph.assumptions)


def test_every_number_may_change() -> None:
    def change(fit: Fit, i: int) -> None:
        group = fit.opt.param_groups[0]
        group["lr"] *= 0.7
        group["betas"] = (0.9 - 0.1 * i, 0.8)
        group["eps"] = 1e-3 * i
        group["weight_decay"] = 0.1 + i

    graph = compare(lambda ps: optim.Adam(ps, 0.1, weight_decay=1.0), change)
    read = [v.name for v in graph.captures if isinstance(v.data, Host)]
    assert read == ["lr", "weight_decay", "betas_1", "betas_2", "eps"]


def test_groups_have_numbers_of_their_own() -> None:
    def make(ps: Any) -> Any:
        return optim.SGD([{"params": [ps[0]]}, {"params": [ps[1]], "lr": 0.5}], lr=0.1)

    def change(fit: Fit, i: int) -> None:
        fit.opt.param_groups[i % 2]["lr"] /= 3

    graph = compare(make, change)
    assert [v.name for v in graph.captures if isinstance(v.data, Host)] == ["lr", "lr_2"]


def test_a_number_rounds_once_and_computes_in_float64() -> None:
    compare(lambda ps: optim.SGD(ps, 1 / 3, weight_decay=1 / 7, momentum=1 / 9), lambda fit, i: None)


class Descent(optim.Optimizer):
    """As users write one: it reads its options itself."""

    def __init__(self, params: Any, lr: float) -> None:
        super().__init__(params, {"lr": lr, "power": 2.0, "slow": False})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:
        for group in self.param_groups:
            rate = 1.0 / (1.0 + group["lr"]) ** group["power"] - 0.5 * group["lr"]
            if group["slow"] or group.get("power") > 3:
                rate = rate / 2
            for p in group["params"]:
                p.sub_(rate * p.grad)


def test_an_optimizer_of_the_user() -> None:
    def change(fit: Fit, i: int) -> None:
        fit.opt.param_groups[0]["lr"] *= 0.9
        fit.opt.param_groups[0]["power"] = 1.0 + 0.1 * i

    compare(lambda ps: Descent(ps, 0.3), change)


def assumptions(fit: Fit) -> dict[str, Callable[[], bool]]:
    return {a.what: a.holds for a in trace(fit.step, X).assumptions}


def test_what_a_step_relies_on() -> None:
    found = assumptions(Fit(lambda ps: optim.SGD(ps, 0.1, momentum=0.9)))
    assert list(found) == [
        "SGD has the same param_groups (1)",
        "SGD's group 0 has the same parameters (2)",
        "maximize of SGD's group 0 is False",
        "momentum of SGD's group 0 != 0 is True",
        "nesterov of SGD's group 0 is False",
        "weight_decay of SGD's group 0 != 0 is False",
        "dampening of SGD's group 0 != 0 is False",
    ]
    assert all(holds() for holds in found.values())


def _set(**options: Any) -> Callable[[Fit], None]:
    return lambda fit: fit.opt.param_groups[0].update(options)


CHANGES: list[tuple[str, Callable[[Fit], None]]] = [
    ("maximize of Adam's group 0 is False", _set(maximize=True)),
    ("amsgrad of Adam's group 0 is False", _set(amsgrad=True)),
    ("weight_decay of Adam's group 0 != 0 is True", _set(weight_decay=0.0)),
    ("Adam's group 0 has the same parameters (2)", lambda fit: fit.opt.param_groups[0]["params"].pop()),
    ("Adam has the same param_groups (1)", lambda fit: fit.opt.add_param_group({"params": [X.clone()]})),
    ("Adam has the same param_groups (1)", lambda fit: fit.opt.load_state_dict(fit.opt.state_dict())),
]


@pytest.mark.parametrize(("what", "change"), CHANGES)
def test_a_change_breaks_one_assumption(what: str, change: Callable[[Fit], None]) -> None:
    fit = Fit(lambda ps: optim.Adam(ps, 0.1, weight_decay=0.2))
    found = assumptions(fit)
    assert all(holds() for holds in found.values())
    change(fit)
    assert [name for name, holds in found.items() if not holds()] == [what]


def test_numbers_change_without_breaking_any() -> None:
    fit = Fit(lambda ps: optim.Adam(ps, 0.1, weight_decay=0.2))
    found = assumptions(fit)
    _set(lr=7.0, weight_decay=3, eps=0.5, betas=(0.1, 0.2))(fit)
    assert all(holds() for holds in found.values())


def test_the_state_is_made_once_and_eager_steps_go_on_with_it() -> None:
    eager, mixed = Fit(OPTIMIZERS["Adam"]), Fit(OPTIMIZERS["Adam"])
    graph = trace(mixed.step, X)
    assert mixed.opt.state[mixed.w]["step"].item() == 0
    for i in range(6):
        got = graph(X) if i % 2 else mixed.step(X).detach()
        assert_same_bits([got, *mixed.all()], [eager.step(X).detach(), *eager.all()], f"step {i}")


def test_a_number_may_be_given() -> None:
    fit = Fit(lambda ps: optim.SGD(ps, 0.1))
    graph = trace(fit.step, X)
    graph(X, lr=0.0)
    assert fit.w.tolist() == [1.0, 2.0]


# -- refusals -------------------------------------------------------------------------------------------


def message(function: Any) -> str:
    with pytest.raises(TraceError) as caught:
        trace(function, X)
    text, _, where = str(caught.value).rpartition("\n  at ")
    assert "test_host.py:" in where
    return text


def group_of(**options: Any) -> tuple[Any, Any]:
    opt = optim.SGD([torch.ones(2, requires_grad=True)], **options)
    return opt, lambda: opt.param_groups[0]


READING: dict[str, Callable[[Any], Any]] = {
    "float(x)": float,
    "int(x)": int,
    "an index": lambda lr: [1, 2][lr],
    "f'{x:.3f}'": lambda lr: f"{lr:.3f}",
}


@pytest.mark.parametrize("what", READING)
def test_a_number_has_no_value_yet(what: str) -> None:
    _, group = group_of(lr=0.1)

    def function(x: Any) -> Any:
        READING[what](group()["lr"])
        return x

    assert message(function) == (
        f"{what} got lr of SGD's group 0 in a traced function\n"
        "  the graph reads this number each time it runs, so it has no value yet\n"
        "  try: compute with the number itself, or read it outside the traced function"
    )


def test_a_number_that_only_the_graph_knows_cannot_be_compared() -> None:
    _, group = group_of(lr=torch.tensor(0.1))

    def function(x: Any) -> Any:
        return x if optim.optimizer.number(group()["lr"]) > 0.5 else -x

    assert message(function) == (
        "x > y got the value of a tensor in a traced function\n"
        "  the graph reads this number each time it runs, so it has no value yet\n"
        "  try: compute with the number itself, or read it outside the traced function"
    )


def test_numbers_compute_compare_and_print() -> None:
    _, group = group_of(lr=0.25, momentum=0.5, weight_decay=3)
    seen: list[Any] = []

    def function(x: Any) -> Any:
        g = group()
        lr, momentum, decay = g["lr"], g["momentum"], g["weight_decay"]
        seen.append(
            (lr < momentum, lr <= 0.25, lr >= 1, decay == 3, decay != 3, bool(g["dampening"]), lr > -lr)
        )
        seen.append((repr(1 - 2 * lr), f"{lr**2}", "lr" in g, len(g) > 3, next(iter(g)), g.get("nothing", 7)))
        return x * ((1 + lr) / 2 - 3 / decay + decay**-1 + 2**lr - momentum * lr + (lr - 1))

    graph = trace(function, X)
    assert seen == [
        (True, True, False, True, False, False, True),
        (
            "<the number (1 - (2 * lr of SGD's group 0))>", "<the number (lr of SGD's group 0 ** 2)>",
            True, True, "lr", 7,
        ),
    ]  # fmt: skip
    wanted = (1 + 0.25) / 2 - 3 / 3 + 3**-1 + 2**0.25 - 0.5 * 0.25 + (0.25 - 1)
    assert_same_bits(graph(X), X * wanted, "arithmetic")


def test_changing_an_option() -> None:
    _, group = group_of(lr=0.1)

    def function(x: Any) -> Any:
        group()["lr"] = 0.5
        return x

    assert message(function) == (
        "group['lr'] = ... got a traced function\n"
        "  it happens once, while the function is recorded, and not again when the graph runs\n"
        "  try: change options outside: the graph reads them each time it runs"
    )
    assert group()["lr"] == 0.1


def test_keeping_a_number() -> None:
    _, group = group_of(lr=0.1)
    kept: list[Any] = []

    def function(x: Any) -> Any:
        kept.append(group()["lr"] * 2)
        return x

    assert message(function).startswith("trace got a tensor () that was made inside the traced function")


def test_stepping_a_scheduler() -> None:
    opt, _ = group_of(lr=0.1)
    scheduler = S.StepLR(opt, 1)
    opt.step()

    def function(x: Any) -> Any:
        scheduler.step()
        return x

    assert message(function) == (
        "StepLR.step got a traced function\n"
        "  it happens once, while the function is recorded, and not again when the graph runs\n"
        "  try: step schedulers outside, between runs: the graph reads the rate each time it runs"
    )
    assert scheduler.last_epoch == 0


def test_making_an_optimizer() -> None:
    w = torch.ones(2, requires_grad=True)

    def function(x: Any) -> Any:
        optim.Adam([w]).step()
        return x

    assert message(function) == (
        "Adam got a traced function\n"
        "  each call would make a new one, but a graph goes on with the state of the first\n"
        "  try: make the optimizer outside"
    )


def test_a_first_step_with_dampening() -> None:
    fit = Fit(lambda ps: optim.SGD(ps, 0.1, momentum=0.9, dampening=0.1))
    assert message(fit.step) == (
        "SGD's first step got dampening in a traced function\n"
        "  the first step does not dampen the gradient, the others do: a graph has one kind\n"
        "  try: take one step before"
    )
    assert not fit.opt.state[fit.w]
