"""`SoftmaxRegression`: linear scores of classes, made probabilities by softmax; maximum likelihood.

The loss is written once, in tensors; its slope and curvature are those of `func`. "newton" walks to the
minimum in a few steps that conjugate gradients find, "gd" and "sgd" as in the notes. Next: `mlp.py`, which
bends the scores.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import from_numpy, nn, no_grad, optim
from ..core.warn import warn
from ..func import grad_and_value, jvp
from ..tensor import Tensor
from .base import Array, Classifier, classification, seeded
from .descent import batches, train, weighted, with_weights


class SoftmaxRegression(Classifier):
    """P(class | x) = softmax(W x + b), with the smallest cross-entropy: the mean over rows, in nats.

    Parameters
        weight_decay:   lambda: lambda / 2 times the sum of squares of W is added to the loss (not of b).
        fit_intercept:  whether there is a b.
        solver:         "newton": to the minimum; "gd": gradient descent on all rows; "sgd": on minibatches.
        tol:            of "newton": the size of the slope at the end.
        max_iter:       of "newton": steps at most.
        lr, epochs, batch_size, random_state:  of "gd" and "sgd".
    Attributes
        coef_, intercept_:  (classes, features) and (classes,).
        loss_:              the loss at the end, penalty included. losses_: of "gd" and "sgd", in each epoch,
                            without.
        n_iter_:            steps, or epochs.

    >>> import numpy as np
    >>> from chainrule.models import SoftmaxRegression
    >>> X, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array(["a", "b", "a", "b"])
    >>> SoftmaxRegression(weight_decay=0).fit(X, y).predict_proba([[1.5]]).round(9)
    array([[0.5, 0.5]])
    """

    def __init__(
        self,
        *,
        weight_decay: float = 1e-4,
        fit_intercept: bool = True,
        solver: str = "newton",
        tol: float = 1e-9,
        max_iter: int = 100,
        lr: float = 0.1,
        epochs: int = 100,
        batch_size: int = 256,
        random_state: Any = None,
    ) -> None:
        self.weight_decay = weight_decay
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SoftmaxRegression:
        """Fit to X (n, features) and classes y (n,), where rows may have weights (n,)."""
        solver = self._one_of("solver", "newton", "gd", "sgd")
        decay, lr = self._number("weight_decay", least=0), self._number("lr", above=0)
        data = classification(self, X, y, sample_weight)
        x, classes = data.x, len(data.classes)
        if solver == "newton":
            weights = np.ones(len(x)) if data.weights is None else data.weights
            w = self._newton(x, data.y, weights / weights.sum(), classes, decay)
        else:
            with seeded(self.random_state) as seed:
                layer = nn.Linear(x.shape[1], classes, bias=self.fit_intercept).double()
                for parameter in layer.parameters():
                    nn.init.zeros_(parameter)
                # Weight decay in the update is the slope of the penalty; the bias has none.
                groups = [{"params": [layer.weight], "weight_decay": decay}]
                if self.fit_intercept:
                    groups.append({"params": [layer.bias], "weight_decay": 0.0})
                size = len(x) if solver == "gd" else self._count("batch_size")
                history = train(
                    self,
                    layer,
                    weighted(
                        lambda out, y: nn.functional.cross_entropy(out, y[:, 0].long(), reduction="none")
                    ),
                    optim.SGD(groups, lr=lr),
                    batches(
                        x, with_weights(data.y[:, None].astype(np.float64), data.weights), size, seed=seed
                    ),
                    epochs=self._count("epochs"),
                )
            self.losses_ = [epoch.train_loss for epoch in history.epochs]
            self.n_iter_ = len(history.epochs)
            with no_grad():
                w = layer.weight.detach().numpy()
                if layer.bias is not None:
                    w = np.hstack([w, layer.bias.detach().numpy()[:, None]])
            self.loss_ = self.losses_[-1] + decay / 2 * float((w[:, : x.shape[1]] ** 2).sum())
        self.coef_ = w[:, : x.shape[1]].copy()
        self.intercept_ = w[:, -1].copy() if self.fit_intercept else np.zeros(classes)
        return self

    def _newton(self, x: Array, y: Array, weights: Array, classes: int, decay: float) -> Array:
        """W and b as one matrix (classes, features + 1), by truncated Newton steps that never go too far."""
        features = x.shape[1]
        if self.fit_intercept:
            x = np.hstack([x, np.ones((len(x), 1))])
        # Columns of very different sizes would make conjugate gradients slow.
        scale = np.sqrt((x * x).mean(axis=0))
        scale = np.where(scale > 0, scale, 1.0)
        rows, wanted, share = from_numpy(x / scale), from_numpy(y), from_numpy(weights)
        penalty = from_numpy(np.where(np.arange(x.shape[1]) < features, decay, 0.0) / scale**2)

        def loss(w: Tensor) -> Tensor:
            scores = rows @ w.T  # (n, features) @ (features, classes)
            entropy = nn.functional.cross_entropy(scores, wanted, reduction="none")
            return (share * entropy).sum() + (penalty * w * w).sum() / 2

        slope_and_loss = grad_and_value(loss)

        def slope(w: Tensor) -> Tensor:
            found: Tensor = slope_and_loss(w)[0]
            return found

        w = from_numpy(np.zeros((classes, x.shape[1])))
        g, value = slope_and_loss(w)
        self.n_iter_ = 0
        for _ in range(self._count("max_iter")):
            size = float(g.norm())
            if size <= self.tol:
                break
            self.n_iter_ += 1
            step = _conjugate_gradients(lambda v: jvp(slope, (w,), (v,))[1], g, min(0.1, size**0.5))  # noqa: B023
            gain, reach = float((step * g).sum()), 1.0
            while True:
                moved = w - reach * step
                later, loss_there = slope_and_loss(moved)
                if float(loss_there) <= float(value) - 1e-4 * reach * gain or reach < 1e-6:
                    break
                reach /= 2
            if float(later.norm()) >= size and float(loss_there) >= float(value):
                break  # nothing but rounding is left to gain
            w, g, value = moved, later, loss_there
        size = float(g.norm())
        if size > max(self.tol, 1e-6):
            warn(
                f"SoftmaxRegression: the slope is still {size:.1e} after {self.n_iter_} steps\n"
                "  try: a larger max_iter, or weight_decay above 0: separable classes have no finite best "
                "weights without it"
            )
        self.n_iter_ = max(1, self.n_iter_)
        self.loss_ = float(value)
        result: Array = w.numpy() / scale
        return result

    def decision_function(self, X: Any) -> Array:
        """Scores W x + b: (n, classes); for two classes the difference of the two, (n,)."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class: (n, classes)."""
        return softmax(self._scores(X))

    def predict(self, X: Any) -> Array:
        """The most probable class of each row."""
        best = self._scores(X).argmax(axis=1)
        return np.asarray(self.classes_[best])

    def _scores(self, X: Any) -> Array:
        scores: Array = self._rows(X) @ self.coef_.T + self.intercept_
        return scores


def softmax(scores: Array) -> Array:
    """Probabilities in proportion to exp(score): (n, classes).

    >>> softmax(np.array([[0.0, np.log(3.0)]])).round(9)
    array([[0.25, 0.75]])
    """
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    result: Array = powers / powers.sum(axis=1, keepdims=True)
    return result


def _conjugate_gradients(times: Any, g: Tensor, accuracy: float) -> Tensor:
    """v with `times(v) = g`, up to `accuracy` times g, for `times` that is symmetric and never negative."""
    v = g * 0
    rest, direction = g, g
    square = float((rest * rest).sum())
    enough = accuracy**2 * square
    for _ in range(10 * g.numel()):
        if square <= enough:
            break
        image = times(direction)
        curvature = float((direction * image).sum())
        if curvature <= 1e-14 * float((direction * direction).sum()):  # flat: no minimum in this direction
            return v if float((v * v).sum()) else g
        step = square / curvature
        v, rest = v + step * direction, rest - step * image
        before, square = square, float((rest * rest).sum())
        direction = rest + (square / before) * direction
    return v
