"""The classes of the English edition: hyperparameters, models, data, the trainer and its curves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.compat.d2l import torch as d2l
from tests.idx_files import write_data_set


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    torch.manual_seed(0)
    yield
    d2l.plt.close("all")


class Line(d2l.Module):
    """A line with layers, as a reader writes it."""

    def __init__(self, lr: float, decay: float = 0.0) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = nn.Sequential(nn.Linear(2, 1))

    def loss(self, y_hat: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        loss: torch.Tensor = nn.MSELoss()(y_hat, y)
        return loss


def data(**options: Any) -> Any:
    return d2l.SyntheticRegressionData(torch.tensor([2.0, -3.4]), 4.2, **options)


def test_hyperparameters_of_a_model_are_no_parameters() -> None:
    model = Line(0.1, decay=0.2)
    assert (model.lr, model.decay, model.hparams) == (0.1, 0.2, {"lr": 0.1, "decay": 0.2})
    assert [name for name, _ in model.named_parameters()] == ["net.0.weight", "net.0.bias"]
    assert [name for name, _ in model.named_children()] == ["net"]


def test_a_method_is_added_to_a_class_and_its_objects() -> None:
    model = Line(0.1)

    @d2l.add_to_class(Line)
    def slope(self: Any) -> Any:
        return self.net[0].weight

    assert model.slope() is model.net[0].weight
    del Line.slope


def test_made_data() -> None:
    made = data(noise=0.5, num_train=70, num_val=500, batch_size=32)
    assert (len(made.train_dataloader()), len(made.val_dataloader())) == (3, 16)
    assert (made.num_workers, made.root) == (4, "../data")
    residual = made.y - made.X @ made.w.reshape(-1, 1) - made.b
    assert 0.4 < float(residual.std()) < 0.6
    rows = torch.cat([X for X, _ in made.val_dataloader()])
    assert torch.equal(rows, made.X[70:])
    train = torch.cat([X for X, _ in made.train_dataloader()])
    assert not torch.equal(train, made.X[:70])
    assert sorted(train[:, 0].tolist()) == sorted(made.X[:70, 0].tolist())


@pytest.mark.parametrize(
    "make",
    [lambda: Line(0.1), lambda: d2l.LinearRegressionScratch(2, lr=0.1), lambda: d2l.LinearRegression(lr=0.1)],
)
def test_training_finds_the_line(make: Any) -> None:
    model, trainer = make(), d2l.Trainer(max_epochs=3)
    trainer.fit(model, data())
    w, b = (p.detach().reshape(-1).tolist() for p in model.parameters())
    assert w == pytest.approx([2.0, -3.4], abs=0.05)
    assert b == pytest.approx([4.2], abs=0.05)
    assert (trainer.epoch, trainer.train_batch_idx, trainer.val_batch_idx) == (2, 96, 96)
    x, y = model.board.points("train_loss")
    assert len(x) == 6  # two points in each epoch
    assert y[-1] < y[0] / 100
    assert model.board.points("val_loss")[0] == [1, 2, 3]
    ax = d2l.plt.gca()
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["train_loss", "val_loss"]
    assert (ax.get_xlim(), ax.get_xlabel()) == ((0, 3), "epoch")


def test_an_epoch_is_what_it_is_by_hand() -> None:
    made = data(num_train=64, batch_size=64)
    made.get_dataloader = lambda train: [(made.X[:64], made.y[:64])]
    model = d2l.LinearRegressionScratch(2, lr=0.5)
    w, b = model.w.detach().clone(), model.b.detach().clone()
    d2l.Trainer(max_epochs=1).fit(model, made)
    X, y = made.X[:64], made.y[:64]
    error = X @ w + b - y
    np.testing.assert_allclose(model.w.detach(), w - 0.5 * X.T @ error / 64, rtol=1e-4)
    np.testing.assert_allclose(model.b.detach(), b - 0.5 * error.mean(), rtol=1e-4)


def test_gradients_are_clipped() -> None:
    model = Line(lr=1.0)
    before = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    made = data(num_train=8, num_val=8, batch_size=8)
    d2l.Trainer(max_epochs=1, gradient_clip_val=0.01).fit(model, made)
    after = torch.cat([p.detach().reshape(-1) for p in model.parameters()])
    assert float((after - before).norm()) == pytest.approx(0.01, rel=1e-3)


def test_lazy_layers_get_their_shapes_and_values() -> None:
    model = d2l.LinearRegression(lr=0.03)

    def init(layer: nn.Module) -> None:
        if type(layer) is nn.Linear:
            nn.init.constant_(layer.weight, 0.5)
            nn.init.zeros_(layer.bias)

    model.apply_init([torch.ones(1, 2)], init)
    w, b = model.get_w_b()
    assert (w.tolist(), b.tolist()) == ([[0.5, 0.5]], [0.0])


def test_without_validation_data() -> None:
    made = data(num_train=64)
    made.val_dataloader = lambda: None
    trainer = d2l.Trainer(max_epochs=2)
    model = Line(0.1)
    trainer.fit(model, made)
    assert (trainer.num_val_batches, trainer.val_batch_idx) == (0, 0)
    assert model.training


def test_a_step_can_be_tried_without_a_trainer() -> None:
    loss = Line(0.1).training_step((torch.ones(3, 2), torch.ones(3, 1)))
    assert loss.requires_grad
    assert d2l.plt.get_fignums() == []


def test_a_classifier_of_images(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_data_set(folder.parent / "data", "FashionMNIST", train=300, test=60)

    class Softmax(d2l.Classifier):
        def __init__(self, num_outputs: int, lr: float) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.net = nn.Sequential(nn.Flatten(), nn.Linear(28 * 28, num_outputs))

    made = d2l.FashionMNIST(batch_size=30)
    model = Softmax(10, lr=0.1)
    model.layer_summary((2, 1, 28, 28))
    assert capsys.readouterr().out == (
        "Flatten output shape:\t torch.Size([2, 784])\nLinear output shape:\t torch.Size([2, 10])\n"
    )
    d2l.Trainer(max_epochs=6).fit(model, made)
    assert model.board.points("val_acc")[1][-1] > 0.9
    d2l.plt.close("all")

    batch = next(iter(made.val_dataloader()))
    assert next(iter(d2l.FashionMNIST(64, resize=(32, 32)).train_dataloader()))[0].shape == (64, 1, 32, 32)
    made.visualize(batch, ncols=4)
    titles = [ax.get_title() for ax in d2l.plt.gcf().axes]
    assert titles == made.text_labels(batch[1][:4])
    scores, y = torch.tensor([[0.1, 0.9], [0.8, 0.2], [0.3, 0.7]]), torch.tensor([1, 1, 1])
    assert model.accuracy(scores, y, averaged=False).tolist() == [1, 0, 1]
    assert float(model.accuracy(scores, y)) == pytest.approx(2 / 3)
    each = model.loss(scores, y, averaged=False)
    assert each.shape == (3,)
    assert float(model.loss(scores, y)) == pytest.approx(float(each.mean()))


def test_a_board_averages_points_and_names_curves() -> None:
    board = d2l.ProgressBoard("x", ylim=[0, 10])
    for x in range(5):
        board.draw(x, torch.tensor(2.0 * x), "a", every_n=2)
        board.draw(x, x, "b")
    assert board.points("a") == ([0.5, 2.5], [1.0, 5.0])  # the fifth waits for a sixth
    assert board.points("b") == ([0, 1, 2, 3, 4], [0, 1, 2, 3, 4])
    assert d2l.plt.gca().get_ylim() == (0, 10)
    board.close()
    quiet = d2l.ProgressBoard(display=False)
    quiet.draw(1, 2, "a")
    assert quiet.points("a") == ([], [])
    quiet.close()


@pytest.mark.parametrize(
    ("action", "text"),
    [
        (lambda: d2l.Module()(torch.ones(1)), "Module must set self.net, or define forward(X)"),
        (lambda: d2l.Module().loss(torch.ones(1), torch.ones(1)), "Module must define loss(y_hat, y)"),
        (lambda: d2l.DataModule().train_dataloader(), "DataModule must define get_dataloader(train)"),
    ],
)
def test_what_a_reader_has_to_define(action: Any, text: str) -> None:
    with pytest.raises(NotImplementedError) as caught:
        action()
    assert str(caught.value) == text
