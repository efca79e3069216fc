"""The book's helpers for data, measures and training: against sums and formulas in NumPy."""

from __future__ import annotations

import inspect
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.compat.d2l import torch as d2l
from tests.idx_files import images, write_data_set

# The arguments of the book's functions, by which its readers call them.
SIGNATURES = {
    "plot": "X Y xlabel ylabel legend xlim ylim xscale yscale fmts figsize axes",
    "set_axes": "axes xlabel ylabel xlim ylim xscale yscale legend",
    "set_figsize": "figsize",
    "show_images": "imgs num_rows num_cols titles scale",
    "Animator": "xlabel ylabel legend xlim ylim xscale yscale fmts nrows ncols figsize",
    "synthetic_data": "w b num_examples",
    "linreg": "X w b",
    "squared_loss": "y_hat y",
    "sgd": "params lr batch_size",
    "load_array": "data_arrays batch_size is_train",
    "get_fashion_mnist_labels": "labels",
    "load_data_fashion_mnist": "batch_size resize",
    "accuracy": "y_hat y",
    "evaluate_accuracy": "net data_iter",
    "evaluate_loss": "net data_iter loss",
    "train_epoch_ch3": "net train_iter loss updater",
    "train_ch3": "net train_iter test_iter loss num_epochs updater",
    "predict_ch3": "net test_iter n",
    "download_extract": "name folder",
    "try_gpu": "i",
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_arguments_are_the_books(name: str) -> None:
    assert " ".join(inspect.signature(getattr(d2l, name)).parameters) == SIGNATURES[name]


def test_every_name_is_there() -> None:
    assert [name for name in d2l.__all__ if not hasattr(d2l, name)] == []
    assert d2l.plt.__name__ == "matplotlib.pyplot"
    assert (d2l.np, d2l.torch, d2l.nn, d2l.F) == (np, torch, nn, nn.functional)
    with pytest.raises(AttributeError):
        _ = d2l.no_such


def test_arrays() -> None:
    x = torch.arange(6.0).reshape(2, 3)
    assert d2l.reduce_sum(x, axis=0).tolist() == [3, 5, 7]
    assert d2l.reduce_mean(x, 1, keepdim=True).tolist() == [[1], [4]]
    assert d2l.argmax(x, axis=1).tolist() == [2, 2]
    assert d2l.size(x) == 6
    assert d2l.transpose(x).shape == d2l.swapaxes(x, 0, 1).shape == (3, 2)
    assert d2l.expand_dims(x, 0).shape == (1, 2, 3)
    assert d2l.astype(x, d2l.int32).dtype == d2l.to(x, d2l.int32).dtype == torch.int32
    assert d2l.reshape(x, (3, 2)).shape == (3, 2)
    assert d2l.repeat(x, 2, 1).shape == (4, 3)
    assert d2l.concat((x, x), dim=1).shape == (2, 6)
    assert d2l.batch_matmul(d2l.ones(2, 3, 4), d2l.ones(2, 4, 5)).shape == (2, 3, 5)
    windows = np.lib.stride_tricks.sliding_window_view(x.numpy(), (2, 2))
    kernel = torch.tensor([[1.0, -2.0], [0.5, 3.0]])
    np.testing.assert_allclose(d2l.corr2d(x, kernel), (windows * kernel.numpy()).sum((2, 3)))
    assert isinstance(d2l.numpy(x.requires_grad_(True)), np.ndarray)


def test_timer() -> None:
    timer = d2l.Timer()
    for _ in range(3):
        timer.start()
        time.sleep(0.002)
        assert timer.stop() >= 0.002
    assert len(timer.times) == 3
    assert timer.sum() == pytest.approx(sum(timer.times))
    assert timer.avg() == pytest.approx(np.mean(timer.times))
    assert timer.cumsum() == pytest.approx(np.cumsum(timer.times))


def test_accumulator() -> None:
    metric = d2l.Accumulator(3)
    metric.add(torch.tensor(1.5), 2, True)
    metric.add(0.5, 1, 0)
    assert [metric[i] for i in range(3)] == [2.0, 3.0, 1.0]
    metric.reset()
    assert metric.data == [0.0, 0.0, 0.0]
    with pytest.raises(ValueError, match="zip"):
        metric.add(1, 2)


def test_accuracy_of_scores_and_of_classes() -> None:
    y = torch.tensor([0, 2, 1])
    scores = torch.tensor([[0.5, 0.1, 0.2], [0.1, 0.2, 0.9], [0.9, 0.2, 0.1]])
    assert d2l.accuracy(scores, y) == 2.0
    assert d2l.accuracy(torch.tensor([0.0, 2.0, 2.0]), y) == 2.0
    assert d2l.accuracy(torch.tensor([[0.0], [2.0], [1.0]]), y.reshape(3, 1)) == 3.0


def test_evaluation_switches_dropout_off_and_records_nothing() -> None:
    net = nn.Sequential(nn.Flatten(), nn.Dropout(0.9), nn.Linear(4, 2))
    batches = [(torch.randn(5, 4), torch.tensor([0, 1, 0, 1, 0])) for _ in range(3)]
    shares = {d2l.evaluate_accuracy(net, batches) for _ in range(5)}
    assert len(shares) == 1
    assert not net.training
    assert all(p.grad is None for p in net.parameters())


def test_evaluate_loss_is_a_mean_over_samples() -> None:
    X, y = torch.randn(7, 2), torch.randn(7)
    batches = [(X[:4], y[:4]), (X[4:], y[4:])]  # of different sizes
    found = d2l.evaluate_loss(lambda X: X.sum(1, keepdim=True), batches, nn.MSELoss(reduction="none"))
    assert found == pytest.approx(float(((X.sum(1) - y) ** 2).mean()), rel=1e-6)


def test_synthetic_data_and_sgd_find_the_line_again() -> None:
    torch.manual_seed(0)
    true_w = torch.tensor([2.0, -3.4])
    features, labels = d2l.synthetic_data(true_w, 4.2, 500)
    w, b = torch.zeros(2, 1, requires_grad=True), torch.zeros(1, requires_grad=True)
    for _ in range(5):
        for X, y in d2l.load_array((features, labels), 10):
            d2l.squared_loss(d2l.linreg(X, w, b), y).sum().backward()
            d2l.sgd([w, b], 0.1, len(y))
    np.testing.assert_allclose(w.detach().reshape(-1), true_w, atol=0.01)
    assert float(b.detach()) == pytest.approx(4.2, abs=0.01)
    residual = labels - features @ true_w.reshape(-1, 1) - 4.2
    assert 0.008 < float(residual.std()) < 0.012


def test_load_array_shuffles_for_training_only() -> None:
    rows = (torch.arange(100),)
    assert torch.cat([x for (x,) in d2l.load_array(rows, 30, is_train=False)]).tolist() == list(range(100))
    shuffled = torch.cat([x for (x,) in d2l.load_array(rows, 30)]).tolist()
    assert shuffled != list(range(100))
    assert sorted(shuffled) == list(range(100))


def problem() -> tuple[Any, Any]:
    X, y = torch.eye(4).repeat(5, 1), torch.arange(4).repeat(5)
    return nn.Linear(4, 4), [(X[:12], y[:12]), (X[12:], y[12:])]


@pytest.mark.parametrize("reduction", ["none", "mean"])
def test_an_epoch_with_an_optimizer(reduction: str) -> None:
    torch.manual_seed(1)
    net, batches = problem()
    before = [p.detach().clone() for p in net.parameters()]
    trainer = torch.optim.SGD(net.parameters(), lr=0.5)
    loss, right = d2l.train_epoch_ch3(net, batches, nn.CrossEntropyLoss(reduction=reduction), trainer)
    # The same by hand, in NumPy: steps on the mean loss of each batch, measured before the step.
    w, b = (p.numpy().astype(np.float64) for p in before)
    losses, hits = [], []
    for X, y in batches:
        x, t = X.numpy(), y.numpy()
        z = x @ w.T + b
        p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
        losses += list(-np.log(p[range(len(t)), t]))
        hits += list(z.argmax(1) == t)
        g = (p - np.eye(4)[t]) / len(t)
        w, b = w - 0.5 * g.T @ x, b - 0.5 * g.sum(0)
    assert loss == pytest.approx(np.mean(losses), rel=1e-5)
    assert right == pytest.approx(np.mean(hits))
    np.testing.assert_allclose(net.weight.detach(), w, rtol=1e-4, atol=1e-6)


def test_an_epoch_with_an_updater_of_ones_own() -> None:
    torch.manual_seed(1)
    net, batches = problem()
    twin = nn.Linear(4, 4)
    twin.load_state_dict(net.state_dict())
    loss = nn.CrossEntropyLoss(reduction="none")
    sizes = []

    def updater(batch_size: int) -> None:
        sizes.append(batch_size)
        d2l.sgd(list(twin.parameters()), 0.5, batch_size)

    by_hand = d2l.train_epoch_ch3(twin, batches, loss, updater)
    by_optimizer = d2l.train_epoch_ch3(net, batches, loss, torch.optim.SGD(net.parameters(), lr=0.5))
    assert sizes == [12, 8]
    assert by_hand == pytest.approx(by_optimizer, rel=1e-5)
    np.testing.assert_allclose(net.weight.detach(), twin.weight.detach(), rtol=1e-4, atol=1e-6)


def test_fashion_mnist_from_files_to_a_trained_model(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_data_set(folder.parent / "data", "FashionMNIST", train=300, test=50)
    torch.manual_seed(0)
    train_iter, test_iter = d2l.load_data_fashion_mnist(30)
    assert (len(train_iter), len(test_iter)) == (10, 2)
    X, y = next(iter(test_iter))
    assert (X.shape, X.dtype, y.dtype) == ((30, 1, 28, 28), torch.float32, torch.int64)
    np.testing.assert_array_equal(X[:, 0], images(50, seed=0)[0][:30] / np.float32(255))
    assert next(iter(d2l.load_data_fashion_mnist(32, resize=64)[0]))[0].shape == (32, 1, 64, 64)

    net = nn.Sequential(nn.Flatten(), nn.Linear(784, 10))
    loss = nn.CrossEntropyLoss(reduction="none")
    d2l.train_ch3(net, train_iter, test_iter, loss, 8, torch.optim.SGD(net.parameters(), lr=0.1))
    assert d2l.evaluate_accuracy(net, test_iter) > 0.9
    lines = d2l.plt.gca().lines
    assert [len(line.get_xdata()) for line in lines] == [8, 8, 8]
    assert lines[0].get_ydata()[-1] < lines[0].get_ydata()[0]
    d2l.plt.close("all")

    d2l.predict_ch3(net, test_iter, n=4)
    names = d2l.get_fashion_mnist_labels(y[:4])
    titles = [ax.get_title() for ax in d2l.plt.gcf().axes]
    assert [title.partition("\n")[0] for title in titles] == names
    d2l.show_fashion_mnist(X[:3], y[:3])
    assert len(d2l.plt.gcf().axes) == 3
    d2l.plt.close("all")


def test_labels_have_names() -> None:
    names = d2l.get_fashion_mnist_labels(torch.arange(10))
    assert names[0] == "t-shirt"
    assert names[9] == "ankle boot"
    assert len(set(names)) == 10


def test_devices() -> None:
    assert d2l.try_gpu(3) == d2l.cpu() == torch.device("cpu")
    assert d2l.try_all_gpus() == [torch.device("cpu")]
    with pytest.raises(torch.ArgumentError) as caught:
        d2l.gpu(1)
    assert caught.value.summary == (
        "d2l.gpu got GPU 1\n  chainrule computes on the processor only\n  try: d2l.try_gpu()"
    )
