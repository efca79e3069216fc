"""The doctor: each planted fault is found, and nothing else; nothing in sound models; errors in full."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.explain.doctor import Finding
from chainrule.explain.doctor.findings import CAUSES, KINDS, root_causes
from chainrule.nn import functional as F

from .patients import HEALTHY, ILL, classes, line, mlp

SEEDS = range(3)


@pytest.mark.parametrize("name", HEALTHY)
def test_nothing_is_found_in_a_sound_model(name: str) -> None:
    for seed in SEEDS:
        report = cr.doctor(*HEALTHY[name](seed))
        assert report.healthy, f"seed {seed}: {report.findings}"


@pytest.mark.parametrize("name", ILL)
def test_a_planted_fault_is_found_and_nothing_else(name: str) -> None:
    kind, where, patient = ILL[name]
    for seed in SEEDS:
        found = cr.doctor(*patient(seed)).findings
        assert [(finding.kind, finding.where) for finding in found] == [(kind, where)], (
            f"seed {seed}: {found}"
        )


def test_every_kind_is_planted() -> None:
    assert {kind for kind, _, _ in ILL.values()} == set(KINDS)


@pytest.mark.parametrize("rate", [0.9, 1.1])
def test_the_limit_of_gradient_descent_is_two_over_the_largest_eigenvalue(rate: float) -> None:
    x, y = line(0)
    a = np.concatenate([x.numpy(), np.ones((64, 1))], axis=1).astype(np.float64)
    largest = np.linalg.eigvalsh(2 / 64 * a.T @ a)[-1]
    model = nn.Linear(3, 1)
    report = cr.doctor(model, (x, y), nn.MSELoss(), cr.optim.SGD(model.parameters(), lr=rate * 2 / largest))
    assert [finding.kind for finding in report.findings] == ["learning rate too large"] * (rate > 1)


def test_a_model_that_has_learned_is_sound() -> None:
    x, y = line(0)
    model = nn.Linear(3, 1)
    optimizer = cr.optim.SGD(model.parameters(), lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        F.mse_loss(model(x), y).backward()
        optimizer.step()
    assert cr.doctor(model, (x, y), nn.MSELoss(), optimizer).healthy


def test_a_frozen_layer_is_sound() -> None:
    batch = classes(0)
    model = mlp()
    model[0].requires_grad_(False)
    parts = [p for p in model.parameters() if p.requires_grad]
    assert cr.doctor(model, batch, nn.CrossEntropyLoss(), cr.optim.SGD(parts, lr=0.1)).healthy


@pytest.mark.parametrize(
    ("last", "loss"),
    [
        (nn.LogSoftmax(dim=1), nn.NLLLoss()),
        (nn.LogSoftmax(dim=1), nn.CrossEntropyLoss()),  # the softmax of a softmax's logarithm is the softmax
        (nn.Softmax(dim=1), nn.MultiMarginLoss()),
        (nn.Softmax(dim=1), lambda p, y: -p[range(len(y)), y].log().mean()),
        (nn.Sigmoid(), lambda p, y: F.mse_loss(p, F.one_hot(y, 5).float())),
    ],
)
def test_probabilities_for_losses_that_want_them(last: nn.Module, loss: Any) -> None:
    for seed in SEEDS:
        batch = classes(seed)
        assert cr.doctor(nn.Sequential(*mlp(), last), batch, loss).healthy


def test_what_climbs_is_not_judged() -> None:
    batch = line(0)
    model = nn.Linear(3, 1)
    optimizer = cr.optim.SGD(model.parameters(), lr=0.05, maximize=True)
    assert cr.doctor(model, batch, lambda output, y: -F.mse_loss(output, y), optimizer).healthy


def test_few_rows_say_nothing_about_dead_units() -> None:
    kind, _, patient = ILL["dead_relus"]
    model, (x, y), loss, _ = patient(0)
    report = cr.doctor(model, (x[:4], y[:4]), loss)
    assert kind not in [finding.kind for finding in report.findings]
    assert report.notes == ["a batch of fewer than 16 rows does not tell dead units from idle ones"]


def test_one_fault_is_told_once() -> None:
    # A cause that is explained by its own effect would hide both.
    def reaches(start: str, end: str) -> bool:
        seen: set[str] = set()
        stack = [kind for kind in CAUSES.get(start, ()) if kind != start]
        while stack:
            kind = stack.pop()
            if kind == end:
                return True
            if kind not in seen:
                seen.add(kind)
                stack += CAUSES.get(kind, ())
        return False

    stops = {"not finite", "labels"}  # found alone: nothing else is looked for then
    assert set(CAUSES) <= set(KINDS)
    assert {kind for kinds in CAUSES.values() for kind in kinds} <= set(KINDS)
    assert [kind for kind in KINDS if kind not in stops and reaches(kind, kind)] == []


def test_a_warning_does_not_hide_a_serious_finding() -> None:
    mild = Finding("dead", "warning", "1", "", "")
    grave = Finding("vanishing", "serious", "0", "", "")
    assert root_causes([mild, grave]) == [grave, mild]


# -- models of all kinds


def test_a_compiled_model_is_looked_at_as_written() -> None:
    x, y = line(0, features=4)
    first = nn.Linear(4, 8)
    nn.init.constant_(first.bias, -50.0)
    inner = cr.compile(nn.Sequential(first, nn.ReLU()))
    model = nn.Sequential(inner, nn.Linear(8, 1))
    report = cr.doctor(cr.compile(model), (x, y), nn.MSELoss())
    assert [(finding.kind, finding.where) for finding in report.findings] == [("dead", "0.1")]
    assert model[0] is inner


def test_functions_of_several_inputs_and_lists_of_parameters() -> None:
    x, y = line(0)
    params = [cr.zeros(3, 1, requires_grad=True), cr.zeros(1, requires_grad=True)]

    def net(a: cr.Tensor, b: cr.Tensor) -> cr.Tensor:
        return (a + b) @ params[0] + params[1]

    report = cr.doctor(net, (x, x, y), nn.MSELoss())
    assert report.healthy
    assert [row.name for row in report.parameters] == ["params[0]", "params[1]"]
    assert [(row.name, row.kind) for row in report.layers] == [("params[0]", "x @ y")]
    nested = cr.doctor(net, ((x, x), y), nn.MSELoss())
    assert nested.loss == report.loss


def test_a_relu_written_by_hand_is_known_as_one() -> None:
    x, y = classes(0)
    cr.manual_seed(0)
    w1 = cr.normal(0, 0.2, (20, 32)).requires_grad_()
    b1 = cr.full((32,), -50.0, requires_grad=True)
    w2 = cr.normal(0, 0.2, (32, 5)).requires_grad_()

    def relu(x: cr.Tensor) -> cr.Tensor:
        return cr.max(x, cr.zeros_like(x))

    report = cr.doctor(lambda x: relu(x @ w1 + b1) @ w2, (x, y), F.cross_entropy)
    assert [(finding.kind, finding.where) for finding in report.findings] == [("dead", "maximum after w1")]
    assert "32 of 32 units are 0 for all 64 rows" in report.findings[0].text


def test_evaluation_mode_is_noted() -> None:
    model, batch, loss, _ = HEALTHY["mlp_with_dropout_and_batch_norm"](0)
    report = cr.doctor(model.eval(), batch, loss)
    assert report.notes == ["the model is in evaluation mode; it was looked at in training mode"]
    assert not model.training


def test_an_operation_without_second_derivative_is_noted() -> None:
    class Once(cr.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: cr.Tensor) -> cr.Tensor:
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx: Any, g: cr.Tensor) -> cr.Tensor:
            (x,) = ctx.saved_tensors
            if cr.is_grad_enabled():
                raise NotImplementedError("only once")
            return 2 * x * g

    x, y = line(0)
    model = nn.Linear(3, 1)
    report = cr.doctor(lambda x: Once.apply(model(x)), (x, y), nn.MSELoss())
    assert report.curvature is None
    assert report.notes == ["the curvature is not known: only once"]


# -- what a user may do wrong


def test_errors_in_full() -> None:
    x, y = line(0, rows=8)
    model = nn.Linear(3, 1)
    cases: list[tuple[Any, str]] = [
        (
            lambda: cr.doctor(model, x, nn.MSELoss()),
            "doctor got a Tensor as batch\n  a batch is a pair (x, y) of inputs and targets\n"
            "  try: next(iter(loader)), if it is a DataLoader",
        ),
        (
            lambda: cr.doctor(model, (x,), nn.MSELoss()),
            "doctor got a tuple of length 1 as batch\n  a batch is a pair (x, y) of inputs and targets\n"
            "  try: next(iter(loader)), if it is a DataLoader",
        ),
        (
            lambda: cr.doctor(model, (x[:0], y[:0]), nn.MSELoss()),
            "doctor got a batch without rows\n  there must be something to compute the loss of\n"
            "  try: 64 rows or more: with few of them less can be seen",
        ),
        (
            lambda: cr.doctor(model, (x, y), nn.MSELoss(reduction="none")),
            "doctor got a loss of shape (8, 1)\n"
            "  the loss must be a tensor with one number for the whole batch\n"
            "  try: doctor(model, batch, lambda output, y: loss(output, y).mean())",
        ),
        (
            lambda: cr.doctor(model, (x, y), lambda output, y: 1.0),
            "doctor got a loss of type float\n"
            "  the loss must be a tensor with one number for the whole batch\n"
            "  try: doctor(model, batch, lambda output, y: loss(output, y).mean())",
        ),
        (
            lambda: cr.doctor(lambda x: x, (x, y), nn.MSELoss()),
            "doctor got a function, which uses no tensor that wants a gradient\n"
            "  there must be something to train\n"
            "  try: requires_grad=True on the weights; a function is searched for tensors that its code "
            "names",
        ),
    ]
    for action, text in cases:
        with pytest.raises(cr.ArgumentError) as err:
            action()
        assert err.value.summary == text


def test_what_stands_in_the_place_of_something_else() -> None:
    batch, model, loss = line(0), nn.Linear(2, 1), nn.MSELoss()
    cases: list[tuple[Any, str]] = [
        (
            lambda: cr.doctor(batch, model, loss),  # type: ignore[arg-type]
            "doctor got tuple as model\n  a model is a module or a function\n"
            "  try: doctor(model, (x, y), loss)",
        ),
        (
            lambda: cr.doctor(model, batch, "mse"),  # type: ignore[arg-type]
            "doctor got str as loss\n  the loss is a function of the output and the target\n"
            "  try: nn.MSELoss()",
        ),
        (
            lambda: cr.doctor(model, batch, nn.MSELoss),
            "doctor got the class MSELoss as loss\n  the loss is a function of the output and the target\n"
            "  try: MSELoss()",
        ),
        (
            lambda: cr.doctor(model, batch, loss, cr.optim.SGD),  # type: ignore[arg-type]
            "doctor got the class SGD as optimizer\n  an optimizer is made from the parameters of the model\n"
            "  try: SGD(model.parameters(), lr=0.1)",
        ),
        (
            lambda: cr.doctor(model, batch, loss, 0.1),  # type: ignore[arg-type]
            "doctor got float as optimizer\n  an optimizer is made from the parameters of the model\n"
            "  try: SGD(model.parameters(), lr=0.1)",
        ),
        (
            lambda: cr.compile(lambda: cr.doctor(model, batch, loss))(),
            "doctor got a call inside of a function that is being traced\n"
            "  it looks at values, and a trace has none\n"
            "  try: doctor(model, batch, loss) outside of compile and trace",
        ),
    ]
    for action, text in cases:
        with pytest.raises(cr.ArgumentError) as err:
            action()
        assert err.value.summary == text


def test_a_batch_of_numpy_arrays() -> None:
    x, y = line(0)
    model = nn.Linear(x.shape[1], 1)
    report = cr.doctor(model, (x.numpy(), y.numpy()), nn.MSELoss())
    assert report.loss == cr.doctor(model, (x, y), nn.MSELoss()).loss


def test_errors_of_the_model_are_its_own() -> None:
    x, y = line(0)
    with pytest.raises(cr.ShapeError, match="in_features"):
        cr.doctor(nn.Linear(4, 1), (x, y), nn.MSELoss())
    with pytest.raises(cr.IndexingError, match="numbers must lie in"):
        cr.doctor(nn.Embedding(3, 2), (cr.tensor([1, 7]), cr.zeros(2, 2)), nn.MSELoss())
