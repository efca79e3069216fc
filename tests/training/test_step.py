"""One training step, against the same step written out in NumPy."""

from __future__ import annotations

import numpy as np

import chainrule as cr
from chainrule.training import train_step
from chainrule.training.step import Stepper


def test_a_step_goes_down_the_gradient_of_the_mean_squared_error() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(8, 3)).astype(np.float32), rng.normal(size=(8, 1)).astype(np.float32)
    model = cr.nn.Linear(3, 1)
    w, b = model.weight.detach().numpy().copy(), model.bias.detach().numpy().copy()
    optimizer = cr.optim.SGD(model.parameters(), lr=0.1)

    loss = train_step(model, cr.nn.MSELoss(), optimizer, (cr.from_numpy(x), cr.from_numpy(y)))

    error = x @ w.T + b - y  # (8, 1)
    np.testing.assert_allclose(loss.item(), (error**2).mean(), rtol=1e-5)
    np.testing.assert_allclose(
        model.weight.detach().numpy(), w - 0.1 * 2 * (error * x).mean(axis=0, keepdims=True), rtol=1e-5
    )
    np.testing.assert_allclose(model.bias.detach().numpy(), b - 0.1 * 2 * error.mean(axis=0), rtol=1e-5)


def test_gradients_do_not_add_up_over_steps() -> None:
    model = cr.nn.Linear(1, 1, bias=False)
    cr.nn.init.zeros_(model.weight)
    batch = cr.tensor([[1.0]]), cr.tensor([[1.0]])
    optimizer = cr.optim.SGD(model.parameters(), lr=0.25)
    losses = [train_step(model, cr.nn.MSELoss(), optimizer, batch).item() for _ in range(3)]
    assert losses == [1.0, 0.25, 0.0625]  # the error halves in each step: 1 - 2 * 0.25


def test_the_loss_that_is_returned_holds_no_graph() -> None:
    model = cr.nn.Linear(1, 1)
    batch = cr.tensor([[1.0]]), cr.tensor([[1.0]])
    loss = train_step(model, cr.nn.MSELoss(), cr.optim.SGD(model.parameters(), lr=0.1), batch)
    assert not loss.requires_grad


def test_compiled_steps_are_those_as_written() -> None:
    cr.manual_seed(0)
    models = [cr.nn.Sequential(cr.nn.Linear(3, 4), cr.nn.ReLU(), cr.nn.Linear(4, 1)) for _ in range(2)]
    models[1].load_state_dict(models[0].state_dict())
    x, y = cr.randn(8, 3), cr.randn(8, 1)
    notes: list[str] = []
    optimizers = [cr.optim.AdamW(model.parameters(), lr=0.1) for model in models]
    step = Stepper(models[0], cr.nn.MSELoss(), optimizers[0], notes.append)
    for rows in (8, 8, 5, 8):
        wanted = train_step(models[1], cr.nn.MSELoss(), optimizers[1], (x[:rows], y[:rows]))
        np.testing.assert_allclose(step((x[:rows], y[:rows])).item(), wanted.item(), rtol=1e-5)
    for a, b in zip(models[0].parameters(), models[1].parameters(), strict=True):
        np.testing.assert_allclose(a.detach().numpy(), b.detach().numpy(), rtol=1e-4, atol=1e-6)
    assert notes == []


def test_a_step_that_cannot_be_compiled_runs_as_written() -> None:
    class Watched(cr.nn.Linear):
        def forward(self, x: cr.Tensor) -> cr.Tensor:
            out = super().forward(x)
            if float(out.sum()) > 1e9:
                raise ArithmeticError
            return out

    model = Watched(1, 1, bias=False)
    cr.nn.init.zeros_(model.weight)
    batch = cr.tensor([[1.0]]), cr.tensor([[1.0]])
    notes: list[str] = []
    step = Stepper(model, cr.nn.MSELoss(), cr.optim.SGD(model.parameters(), lr=0.25), notes.append)
    assert [step(batch).item() for _ in range(3)] == [1.0, 0.25, 0.0625]
    (note,) = notes  # said once
    assert note.startswith(
        "training is not compiled, which makes it slower: float(x) got a traced tensor, which has a shape "
        "and a type but no values yet the program is being recorded; what it does must not depend on the "
        "numbers "
    )
    assert "test_step.py" in note


def test_batches_of_too_many_shapes_go_on_as_written() -> None:
    model = cr.nn.Linear(1, 1, bias=False)
    cr.nn.init.zeros_(model.weight)
    notes: list[str] = []
    step = Stepper(model, cr.nn.MSELoss(), cr.optim.SGD(model.parameters(), lr=0.25), notes.append)
    losses = [step((cr.ones(n, 1), cr.ones(n, 1))).item() for n in range(1, 40)]
    np.testing.assert_allclose(losses, [0.25**n for n in range(39)], rtol=1e-3, atol=1e-9)
    (note,) = notes
    assert "got another x on every call: float32 (32, 1), float32 (31, 1), float32 (30, 1), ..." in note
