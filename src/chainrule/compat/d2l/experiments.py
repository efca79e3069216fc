"""Models and data of the book's English edition, made with the classes of `modules.py`.

`LinearRegressionScratch`, `LinearRegression`, `Classifier`, `SyntheticRegressionData`, `FashionMNIST`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ... import Tensor, float32, matmul, no_grad, randn, zeros
from ... import normal as draw_normal
from ...nn import LazyLinear, Parameter
from ...nn import functional as F
from ...utils.data import DataLoader
from ..torchvision import datasets, transforms
from .figures import show_images
from .images import get_fashion_mnist_labels
from .modules import DataModule, HyperParameters, Module


class SGD(HyperParameters):
    """Minibatch stochastic gradient descent by hand.

    >>> import chainrule as torch
    >>> w = torch.tensor([1.0], requires_grad=True)
    >>> (3 * w).sum().backward()
    >>> optimizer = SGD([w], lr=0.5)
    >>> optimizer.step()
    >>> w
    tensor([-0.5000], requires_grad=True)
    """

    def __init__(self, params: Iterable[Tensor], lr: float) -> None:
        self.params = list(params)
        self.lr = lr

    def step(self) -> None:
        """One step against the gradients."""
        with no_grad():
            for param in self.params:
                param -= self.lr * param.grad

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        for param in self.params:
            if param.grad is not None:
                param.grad.zero_()


class LinearRegressionScratch(Module):
    """Linear regression by hand: Xw + b, half of the mean squared difference, SGD.

    Args:    sigma: the standard deviation of the starting weights.
    """

    def __init__(self, num_inputs: int, lr: float, sigma: float = 0.01) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.w = Parameter(draw_normal(0, sigma, (num_inputs, 1)))
        self.b = Parameter(zeros(1))

    def forward(self, X: Tensor) -> Tensor:
        """The predictions (n, 1)."""
        out: Tensor = matmul(X, self.w) + self.b
        return out

    def loss(self, y_hat: Tensor, y: Tensor) -> Tensor:
        """Half of the mean squared difference."""
        return ((y_hat - y) ** 2 / 2).mean()

    def configure_optimizers(self) -> Any:
        """SGD by hand."""
        return SGD([self.w, self.b], self.lr)


class LinearRegression(Module):
    """Linear regression with a layer, which finds out the number of inputs; MSELoss, SGD."""

    def __init__(self, lr: float) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.net = LazyLinear(1)

    def loss(self, y_hat: Tensor, y: Tensor) -> Tensor:
        """The mean squared difference."""
        return F.mse_loss(y_hat, y)

    def get_w_b(self) -> tuple[Tensor, Tensor | None]:
        """What was learned."""
        return self.net.weight.data, None if self.net.bias is None else self.net.bias.data


class Classifier(Module):
    """Base of models whose outputs are scores of classes: cross-entropy, and accuracy in validation."""

    def loss(self, Y_hat: Tensor, Y: Tensor, averaged: bool = True) -> Tensor:
        """Cross-entropy: its mean, or one value for each sample."""
        scores = Y_hat.reshape((-1, Y_hat.shape[-1]))
        return F.cross_entropy(scores, Y.reshape((-1,)), reduction="mean" if averaged else "none")

    def accuracy(self, Y_hat: Tensor, Y: Tensor, averaged: bool = True) -> Tensor:
        """The share of right predictions, or 1 and 0 for each sample."""
        right = (Y_hat.reshape((-1, Y_hat.shape[-1])).argmax(dim=1) == Y.reshape(-1)).to(float32)
        return right.mean() if averaged else right

    def validation_step(self, batch: Sequence[Tensor]) -> None:
        """Measure loss and accuracy of a batch."""
        Y_hat = self(*batch[:-1])
        self.plot("loss", self.loss(Y_hat, batch[-1]), train=False)
        self.plot("acc", self.accuracy(Y_hat, batch[-1]), train=False)

    def layer_summary(self, X_shape: Sequence[int]) -> None:
        """Print the shape of what each layer of `net` gives for an input of this shape."""
        X = randn(*X_shape)
        for layer in self.net:
            X = layer(X)
            print(type(layer).__name__, "output shape:\t", X.shape)


class SyntheticRegressionData(DataModule):
    """Samples of y = Xw + b + noise, for training and validation."""

    def __init__(
        self,
        w: Tensor,
        b: float,
        noise: float = 0.01,
        num_train: int = 1000,
        num_val: int = 1000,
        batch_size: int = 32,
    ) -> None:
        super().__init__()
        self.save_hyperparameters()
        n = num_train + num_val
        self.X = randn(n, len(w))
        self.y = matmul(self.X, w.reshape((-1, 1))) + b + randn(n, 1) * noise

    def get_dataloader(self, train: bool) -> DataLoader[Any]:
        """Batches of the first `num_train` samples, or of the others."""
        rows = slice(0, self.num_train) if train else slice(self.num_train, None)
        return self.get_tensorloader((self.X, self.y), train, rows)

    num_train: int


class FashionMNIST(DataModule):
    """Fashion-MNIST, downloaded to `../data` if it is not there."""

    def __init__(self, batch_size: int = 64, resize: tuple[int, int] = (28, 28)) -> None:
        super().__init__()
        self.save_hyperparameters()
        transform = transforms.Compose([transforms.Resize(resize), transforms.ToTensor()])
        self.train = datasets.FashionMNIST(self.root, train=True, transform=transform, download=True)
        self.val = datasets.FashionMNIST(self.root, train=False, transform=transform, download=True)

    def text_labels(self, indices: Iterable[Any]) -> list[str]:
        """The names of classes."""
        return get_fashion_mnist_labels(indices)

    def get_dataloader(self, train: bool) -> DataLoader[Any]:
        """Batches of images (b, 1, height, width) and labels (b,), shuffled for training."""
        rows = self.train if train else self.val
        return DataLoader(rows, self.batch_size, shuffle=train, num_workers=self.num_workers)

    def visualize(
        self, batch: Sequence[Tensor], nrows: int = 1, ncols: int = 8, labels: Sequence[str] = ()
    ) -> None:
        """Show the images of a batch, with the names of their classes."""
        X, y = batch
        show_images(X.squeeze(1), nrows, ncols, titles=labels or self.text_labels(y))
