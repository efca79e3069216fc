"""The loop: epochs, early stopping, the best weights, Ctrl-C."""

from __future__ import annotations

import math
import signal
import threading
from collections.abc import Iterator

import numpy as np
import pytest

import chainrule as cr
from chainrule.training import Diverged, Epoch, evaluate, fit
from chainrule.training.interrupt import ignoring_interrupts, stop_on_interrupt

LOSS = cr.nn.MSELoss()


class Number(cr.nn.Module):
    """One weight, which is the prediction for every row."""

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.value = cr.nn.Parameter(cr.tensor([value]))

    def forward(self, x: cr.Tensor) -> cr.Tensor:
        return self.value + 0 * x


def aim(*targets: float) -> list[tuple[cr.Tensor, cr.Tensor]]:
    """One batch for each target."""
    return [(cr.tensor([[1.0]]), cr.tensor([[target]])) for target in targets]


def halving(model: Number) -> cr.optim.Optimizer:
    """Each step halves the distance to the target: the gradient is twice the distance."""
    return cr.optim.SGD(model.parameters(), lr=0.25)


def test_it_finds_the_least_squares_solution() -> None:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(64, 3)).astype(np.float32)
    y = (x @ [[1.0], [-2.0], [0.5]] + 3 + rng.normal(size=(64, 1))).astype(np.float32)
    model = cr.nn.Linear(3, 1)
    data = cr.utils.data.TensorDataset(cr.from_numpy(x), cr.from_numpy(y))
    batches = cr.utils.data.DataLoader(data, batch_size=64)
    history = fit(model, LOSS, cr.optim.SGD(model.parameters(), lr=0.2), batches, epochs=200)
    exact = np.linalg.lstsq(np.hstack([x, np.ones((64, 1))]), y, rcond=None)[0][:, 0]
    found = [*model.weight.detach().numpy()[0], model.bias.item()]
    np.testing.assert_allclose(found, exact, rtol=1e-4)
    assert (len(history.epochs), history.best, history.stopped) == (200, 200, "epochs")


def test_the_weights_of_the_best_epoch_are_kept() -> None:
    # 0 -> 8 -> 12 -> 14 -> 15 ...: the second epoch is nearest to what validation wants
    model = Number()
    history = fit(model, LOSS, halving(model), aim(16.0), aim(11.5), epochs=5)
    assert [epoch.val_loss for epoch in history.epochs] == [3.5**2, 0.5**2, 2.5**2, 3.5**2, 4.0**2]
    assert (history.best, history.stopped) == (2, "epochs")
    assert model.value.item() == 12.0
    assert not model.training


def test_patience_counts_epochs_without_a_better_one() -> None:
    model = Number()
    history = fit(model, LOSS, halving(model), aim(16.0), aim(11.5), epochs=50, patience=3)
    assert (len(history.epochs), history.best, history.stopped) == (5, 2, "patience")


def test_an_equal_loss_is_not_a_better_one() -> None:
    model = Number(16.0)
    history = fit(model, LOSS, halving(model), aim(16.0), aim(16.0), epochs=50, patience=4)
    assert (len(history.epochs), history.best) == (5, 1)


def test_the_training_loss_is_the_mean_over_samples() -> None:
    # a batch of three and a batch of one, at a learning rate that moves nothing
    batches = [(cr.zeros(3, 1), cr.zeros(3, 1)), (cr.zeros(1, 1), cr.full((1, 1), 2.0))]
    model = Number()
    history = fit(model, LOSS, cr.optim.SGD(model.parameters(), lr=1e-30), batches, epochs=1)
    assert history.epochs == [Epoch(1, 1.0)]
    assert evaluate(model, LOSS, batches) == 1.0


def test_the_mode_is_for_training_in_a_step_and_for_evaluation_elsewhere() -> None:
    seen: list[tuple[str, bool, bool]] = []

    class Watched(Number):
        def forward(self, x: cr.Tensor) -> cr.Tensor:
            seen.append(("forward", self.training, cr.is_grad_enabled()))
            return super().forward(x)

    model = Watched()

    def measure() -> dict[str, float]:
        seen.append(("metrics", model.training, cr.is_grad_enabled()))
        return {"answer": 42.0}

    history = fit(model, LOSS, halving(model), aim(1.0), aim(1.0), epochs=1, metrics=measure)
    assert seen == [("forward", True, True), ("forward", False, False), ("metrics", False, False)]
    assert history.epochs[0].metrics == {"answer": 42.0}


def test_evaluate_keeps_the_mode() -> None:
    model = Number()
    evaluate(model, LOSS, aim(1.0))
    assert model.training
    assert math.isnan(evaluate(model.eval(), LOSS, []))
    assert not model.training


def test_who_wants_to_know_is_told() -> None:
    model = Number()
    steps: list[int] = []
    epochs: list[int] = []
    fit(
        model,
        LOSS,
        halving(model),
        aim(1.0, 2.0, 3.0),
        epochs=2,
        on_step=lambda: steps.append(1),
        on_epoch=lambda epoch: epochs.append(epoch.number),
    )
    assert (len(steps), epochs) == (6, [1, 2])


@pytest.mark.parametrize("target", [1e30, float("nan")])
def test_a_loss_that_is_no_number(target: float) -> None:
    model = Number()
    with pytest.raises(Diverged) as caught:
        fit(model, LOSS, halving(model), aim(target), epochs=3)
    assert str(caught.value) == "training diverged: the loss of epoch 1 is not a finite number"


def test_nothing_to_train_on() -> None:
    model = Number()
    with pytest.raises(ValueError) as caught:
        fit(model, LOSS, halving(model), [], epochs=3)
    assert str(caught.value) == "there is nothing to train on: the list of length 0 gave no batch"


# -- Ctrl-C


def interrupt_at(step: int) -> Iterator[None]:
    for number in range(1, 1000):
        if number == step:
            signal.raise_signal(signal.SIGINT)
        yield


def test_ctrl_c_keeps_the_best_weights_so_far() -> None:
    model = Number()
    steps = interrupt_at(step=9)  # in the middle of the fifth epoch
    history = fit(
        model, LOSS, halving(model), aim(16.0, 16.0), aim(15.5), epochs=50, on_step=lambda: next(steps)
    )
    assert (len(history.epochs), history.best, history.stopped) == (4, 3, "interrupt")
    assert history.interrupted
    assert model.value.item() == 15.75  # 0 -> 8 -> 12 | 14 -> 15 | 15.5 -> 15.75 | ...


def test_ctrl_c_at_the_end_of_an_epoch_counts_the_epoch() -> None:
    model = Number()

    def on_epoch(epoch: Epoch) -> None:
        signal.raise_signal(signal.SIGINT)

    history = fit(model, LOSS, halving(model), aim(16.0), epochs=50, on_epoch=on_epoch)
    assert (len(history.epochs), history.best, history.stopped) == (1, 1, "interrupt")
    assert model.value.item() == 8.0


def test_ctrl_c_in_the_first_epoch_leaves_the_model_as_it_was() -> None:
    model = Number(5.0)
    steps = interrupt_at(step=1)
    history = fit(model, LOSS, halving(model), aim(16.0, 16.0), epochs=50, on_step=lambda: next(steps))
    assert (history.epochs, history.best, history.stopped) == ([], 0, "interrupt")
    assert model.value.item() == 5.0


def test_a_second_ctrl_c_breaks_off() -> None:
    with pytest.raises(KeyboardInterrupt), stop_on_interrupt() as wish:
        signal.raise_signal(signal.SIGINT)
        assert wish.stop
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_the_handler_is_put_back_after_an_error() -> None:
    with pytest.raises(ZeroDivisionError), stop_on_interrupt():
        raise ZeroDivisionError
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_program_that_handles_ctrl_c_itself_keeps_doing_so() -> None:
    calls: list[int] = []
    before = signal.signal(signal.SIGINT, lambda number, frame: calls.append(number))
    try:
        with stop_on_interrupt() as wish:
            signal.raise_signal(signal.SIGINT)
            assert not wish.stop
    finally:
        signal.signal(signal.SIGINT, before)
    assert calls == [signal.SIGINT]


def test_other_threads_have_no_handlers_to_replace() -> None:
    results: list[object] = []

    def work() -> None:
        model = Number()
        with ignoring_interrupts():
            results.append(fit(model, LOSS, halving(model), aim(16.0), epochs=1).best)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == [1]


def test_tidying_up_is_not_interrupted() -> None:
    with ignoring_interrupts():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
