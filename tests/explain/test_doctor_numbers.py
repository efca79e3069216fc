"""The numbers of the report, against what they are said to be, computed otherwise; and how they are shown."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest

import chainrule as cr
from chainrule import nn
from chainrule.explain.doctor import Finding, LayerLook, ParameterLook, Report
from chainrule.explain.doctor.passage import Passage, Subject, record
from chainrule.explain.doctor.state import Streams
from chainrule.nn import functional as F

from .patients import ILL, classes, line, mlp


def recorded(model: nn.Module, batch: tuple[cr.Tensor, cr.Tensor], loss: object = F.cross_entropy) -> Passage:
    leaves = dict(model.named_parameters())
    return record(Subject(model, loss, batch[:1], batch[1], leaves, Streams()))


def rms(x: cr.Tensor) -> float:
    return math.sqrt(float((x.double() ** 2).mean()))


# -- layers and parameters


def test_tables_hold_the_moments_and_gradients_of_a_step() -> None:
    x, y = classes(0)
    model = mlp(16, 8)
    report = cr.doctor(model, (x, y), nn.CrossEntropyLoss())
    outputs = []
    h = x
    for layer in model:
        h = layer(h)
        h.retain_grad()
        outputs.append(h)
    loss = F.cross_entropy(h, y)
    loss.backward()
    assert report.loss == pytest.approx(loss.item(), rel=1e-6)
    assert [row.name for row in report.layers] == ["0", "1", "2", "3", "4"]
    assert [row.kind for row in report.layers] == ["Linear", "ReLU", "Linear", "ReLU", "Linear"]
    for row, out in zip(report.layers, outputs, strict=True):
        assert row.shape == tuple(out.shape)
        assert (row.mean, row.std) == pytest.approx(
            (out.mean().item(), out.std(correction=0).item()), rel=1e-4
        )
        assert row.gradient == pytest.approx(rms(out.grad), rel=1e-4)
    for look, (name, p) in zip(report.parameters, model.named_parameters(), strict=True):
        assert (look.name, look.shape, look.update) == (name, tuple(p.shape), None)
        assert (look.size, look.gradient) == pytest.approx((rms(p), rms(p.grad)), rel=1e-4)


def test_spread_is_measured_over_rows_not_units() -> None:
    # Units that differ from each other, but not from row to row, carry nothing.
    x, y = classes(0)
    model = mlp(16, 16, 16)
    nn.init.normal_(model[4].bias, std=100.0)
    report = cr.doctor(model, (x, y), nn.CrossEntropyLoss(), hessian=False)
    first, last = (model[:n](x).var(0, correction=0).mean().sqrt().item() for n in (1, 5))
    assert report.spread is not None
    assert report.spread[0] == pytest.approx(last / first, rel=1e-4)


def test_dead_share_is_counted() -> None:
    x, y = classes(0)
    model = mlp(10)
    with cr.no_grad():
        model[0].bias[:3] = -100.0
    report = cr.doctor(model, (x, y), nn.CrossEntropyLoss())
    assert report.layers[1].off == pytest.approx(0.3)
    assert report.healthy


def test_a_layer_used_twice_has_a_row_for_each_use() -> None:
    x, y = line(0, features=4)
    shared = nn.Linear(4, 4)
    model = nn.Sequential(shared, nn.Tanh(), shared, nn.Linear(4, 1))
    report = cr.doctor(model, (x, y), nn.MSELoss())
    assert [row.name for row in report.layers] == ["0 (call 1)", "1", "0 (call 2)", "3"]
    assert [row.name for row in report.parameters] == ["0.weight", "0.bias", "3.weight", "3.bias"]


def test_writing_in_place_does_not_change_what_was_seen() -> None:
    x, y = classes(0)
    model = nn.Sequential(nn.Linear(20, 16), nn.ReLU(inplace=True), nn.Linear(16, 5))
    report = cr.doctor(model, (x, y), nn.CrossEntropyLoss())
    linear, relu = report.layers[:2]
    assert linear.mean == pytest.approx(model[0](x).mean().item(), abs=1e-6)
    assert relu.mean == pytest.approx(model[0](x).relu().mean().item(), rel=1e-5)
    assert relu.off == 0


# -- activations are known by their derivative


@pytest.mark.parametrize(
    ("function", "ends"),
    [
        (F.relu, [1]),
        (lambda x: cr.max(x, cr.zeros_like(x)), [1]),
        (lambda x: x.clamp(min=0), [1]),
        (lambda x: x.clamp(-1, 1), [2]),
        (cr.sigmoid, [2]),
        (cr.tanh, [2]),
        (lambda x: 2 * x, []),
        (cr.exp, []),
        (cr.sin, []),
        (cr.atan, []),
        (lambda x: x * x, []),
        (F.leaky_relu, []),
        (F.gelu, []),
        (F.elu, []),
        (F.selu, []),
        (F.silu, []),
        (F.softplus, []),
        (F.dropout, []),
    ],
)
def test_flat_ends(function: object, ends: list[int]) -> None:
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.one, self.two = nn.Linear(20, 16), nn.Linear(16, 5)

        def forward(self, x: cr.Tensor) -> cr.Tensor:
            return self.two(function(self.one(x)))

    passage = recorded(Net(), classes(0))
    assert [gate.ends for gate in passage.gates] == ends
    for gate in passage.gates:  # the derivative, by central differences where there is no kink
        x = cr.from_numpy(gate.step.reads(0)).double()
        h = 1e-6
        slope = ((function(x + h) - function(x - h)) / (2 * h)).numpy()
        smooth = np.abs(np.abs(x.numpy()) - (ends == [2])) > 1e-3
        np.testing.assert_allclose(gate.slope[smooth], slope[smooth], atol=1e-4)


# -- curvature


def test_curvature_is_the_largest_eigenvalue_of_the_hessian() -> None:
    x, y = line(0, features=6)
    model = nn.Linear(6, 1)
    report = cr.doctor(model, (x, y), nn.MSELoss())
    a = np.concatenate([x.numpy(), np.ones((64, 1))], axis=1).astype(np.float64)
    values = np.linalg.eigvalsh(2 / 64 * a.T @ a)
    assert report.curvature is not None
    assert report.curvature.largest == pytest.approx(values[-1], rel=1e-4)
    assert report.curvature.smallest == pytest.approx(values[0], rel=1e-3)
    assert report.curvature.is_bowl


def test_curvature_of_a_network_against_its_whole_hessian() -> None:
    x, y = classes(0, rows=32, features=4, labels=3)
    model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).double()
    report = cr.doctor(model, (x.double(), y), nn.CrossEntropyLoss())
    params = list(model.parameters())
    flat = cr.nn.utils.parameters_to_vector(params).detach()
    h, size = 1e-5, flat.numel()

    def gradient(at: cr.Tensor) -> np.ndarray:
        cr.nn.utils.vector_to_parameters(at, params)
        grads = cr.autograd.grad(F.cross_entropy(model(x.double()), y), params)
        return np.concatenate([g.numpy().ravel() for g in grads])

    hessian = np.empty((size, size))
    for i in range(size):
        step = cr.zeros(size, dtype=cr.float64)
        step[i] = h
        hessian[i] = (gradient(flat + step) - gradient(flat - step)) / (2 * h)
    values = np.linalg.eigvalsh((hessian + hessian.T) / 2)
    assert report.curvature is not None
    assert report.curvature.largest == pytest.approx(values[-1], rel=0.01)
    assert report.curvature.smallest < 0.5 * values[0] < 0
    assert not report.curvature.is_bowl


def test_curvature_with_a_learning_rate_for_each_layer() -> None:
    x, y = line(0, features=6)
    model = nn.Linear(6, 1)
    rates = np.array([0.1] * 6 + [0.01])
    optimizer = cr.optim.SGD(
        [{"params": [model.weight], "lr": 0.1}, {"params": [model.bias], "lr": 0.01}], lr=1.0
    )
    report = cr.doctor(model, (x, y), nn.MSELoss(), optimizer)
    a = np.concatenate([x.numpy(), np.ones((64, 1))], axis=1).astype(np.float64)
    values = np.linalg.eigvals(np.diag(rates) @ (2 / 64 * a.T @ a)).real
    assert report.curvature is not None
    assert report.curvature.times_rate == pytest.approx(values.max(), rel=1e-4)


# -- trial steps


@pytest.mark.parametrize("make", [cr.optim.SGD, cr.optim.Adam, cr.optim.RMSprop, cr.optim.Adagrad])
def test_trial_steps_are_the_optimizers_own(make: type[cr.optim.Optimizer]) -> None:
    x, y = classes(0)
    model = mlp(16)
    optimizer = make(model.parameters(), lr=0.01)
    for _ in range(3):  # so that there is a state to go on from
        optimizer.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimizer.step()
    report = cr.doctor(model, (x, y), nn.CrossEntropyLoss(), optimizer)
    before = model[0].weight.detach().clone()
    losses = []
    for step in range(11):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
        if step == 0:
            moved = rms(model[0].weight.detach() - before) / rms(before)
    assert report.trial is not None
    assert report.trial.losses == pytest.approx(losses, rel=1e-6)
    assert report.parameters[0].update == pytest.approx(moved, rel=1e-4)


# -- how it looks

REPORT = Report(
    "Sequential with MSELoss",
    [Finding("dead", "serious", "1", "8 of 8 units are 0 for all 64 rows", "a smaller learning rate")],
    0.25,
    [
        LayerLook("0", "Linear", (64, 8), -100.0, 0.5, None, 0.0),
        LayerLook("relu <1>", "ReLU", (64, 8), 0.0, 0.0, 1.0, None),
    ],
    [ParameterLook("0.weight", (8, 2), 0.5, 0.0, None), ParameterLook("0.bias", (8,), 100.0, 0.0, 0.001)],
    (0.5, 2.0),
    notes=["a batch of fewer than 16 rows does not tell dead units from idle ones"],
)

TEXT = """\
Sequential with MSELoss: loss 0.25
through the hidden layers: spread of the signal × 0.5, gradient on its way back × 2

layer     what    output   mean  std   off  gradient
0         Linear  (64, 8)  -100  0.5               0
relu <1>  ReLU    (64, 8)     0    0  100%         -

parameter  shape   size  gradient  step / size
0.weight   (8, 2)   0.5         0            -
0.bias     (8,)     100         0        0.001

SERIOUS  dead units in '1'
    8 of 8 units are 0 for all 64 rows.
    try: a smaller learning rate
note: a batch of fewer than 16 rows does not tell dead units from idle ones"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_text() -> None:
    assert str(REPORT) == repr(REPORT) == TEXT
    stream = io.StringIO()
    REPORT.show(stream)
    assert stream.getvalue() == TEXT + "\n"


def test_colours_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert REPORT.__rich__().plain == TEXT
    stream = Terminal()
    REPORT.show(stream)
    assert "\x1b[1;31mSERIOUS  dead units in '1'\x1b[0m" in stream.getvalue()


def test_html_shows_the_same_and_escapes_names() -> None:
    page = REPORT._repr_html_()
    assert "<td>relu &lt;1&gt;</td>" in page
    assert "<1>" not in page
    for part in (
        "loss 0.25",
        "SERIOUS  dead units",
        "8 of 8 units are 0",
        "a smaller learning rate",
        "step / size",
    ):
        assert part in page


def test_a_sound_report_says_so() -> None:
    assert str(Report("A with B", [], 1.0)).splitlines()[-1] == (
        "No findings: nothing stands in the way of training."
    )
    assert Report("A with B", []).healthy
    assert not REPORT.healthy


def test_lines_of_findings_are_not_too_long() -> None:
    for name in ("ten_sigmoid_layers", "rate_beyond_the_curvature", "income_beside_age"):
        lines = str(cr.doctor(*ILL[name][2](0))).splitlines()
        assert max(map(len, lines)) <= 100
