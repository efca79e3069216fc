"""Linear regression by hand: made data, the model, its loss and its optimizer."""

from __future__ import annotations

from collections.abc import Iterable

from ... import Tensor, matmul, no_grad
from ... import normal as draw_normal
from ...utils.data import DataLoader, TensorDataset


def synthetic_data(w: Tensor, b: float | Tensor, num_examples: int) -> tuple[Tensor, Tensor]:
    """Samples of y = Xw + b + noise, with standard normal features and noise of standard deviation 0.01.

    Shapes:  w (d,) -> X (n, d), y (n, 1).

    >>> import chainrule as torch
    >>> features, labels = synthetic_data(torch.tensor([2, -3.4]), 4.2, 1000)
    >>> features.shape, labels.shape
    (torch.Size([1000, 2]), torch.Size([1000, 1]))
    """
    X = draw_normal(0, 1, (num_examples, len(w)))
    y = matmul(X, w) + b  # (n, d) @ (d,) -> (n,)
    y += draw_normal(0, 0.01, y.shape)
    return X, y.reshape((-1, 1))


def linreg(X: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Linear regression: Xw + b.

    >>> import chainrule as torch
    >>> linreg(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0], [4.0]]), torch.tensor(0.5))
    tensor([[11.5000]])
    """
    out: Tensor = matmul(X, w) + b
    return out


def squared_loss(y_hat: Tensor, y: Tensor) -> Tensor:
    """Half of the squared difference, for each sample.

    >>> import chainrule as torch
    >>> squared_loss(torch.tensor([[3.0], [1.0]]), torch.tensor([1.0, 1.0]))
    tensor([[2.],
            [0.]])
    """
    return (y_hat - y.reshape(y_hat.shape)) ** 2 / 2


def sgd(params: Iterable[Tensor], lr: float, batch_size: int) -> None:
    """One step of minibatch stochastic gradient descent on a loss that was summed; it zeroes the gradients.

    >>> import chainrule as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> (w * 6).sum().backward()
    >>> sgd([w], lr=0.5, batch_size=3)
    >>> w, w.grad
    (tensor([0.], requires_grad=True), tensor([0.]))
    """
    with no_grad():
        for param in params:
            param -= lr * param.grad / batch_size
            param.grad.zero_()


def load_array(
    data_arrays: tuple[Tensor, ...], batch_size: int, is_train: bool = True
) -> DataLoader[tuple[Tensor, ...]]:
    """A loader over tensors, shuffled for training.

    >>> import chainrule as torch
    >>> X, y = next(iter(load_array((torch.zeros(10, 2), torch.ones(10, 1)), 4)))
    >>> X.shape, y.shape
    (torch.Size([4, 2]), torch.Size([4, 1]))
    """
    return DataLoader(TensorDataset(*data_arrays), batch_size, shuffle=is_train)
