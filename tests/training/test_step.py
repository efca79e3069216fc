"""One training step, against the same step written out in NumPy."""

from __future__ import annotations

import numpy as np

import chainrule as cr
from chainrule.training import train_step


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
