"""Linear regression: least squares in closed form or by gradient descent, with a penalty, of powers.

The closed form is `core/least_squares.py`, which is right to the last digits; `solver="normal"` is the notes'
`(X'X)^-1 X'y`, which is not; "gd" and "sgd" walk there step by step. Next: `softmax.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import MultiOutputMixin

from .. import nn, optim
from ..core import least_squares
from ..core.errors import ArgumentError
from ..core.twofold import dot, powers, two_product
from ..core.warn import warn
from .base import Array, Regression, Regressor, regression, seeded
from .descent import batches, train, weighted, with_weights


class _Linear(MultiOutputMixin, Regressor):  # type: ignore[misc]
    """A regressor whose prediction is X @ coef_ + intercept_."""

    fit_intercept: bool
    coef_: Array
    intercept_: Any

    def predict(self, X: Any) -> Array:
        """X @ coef_ + intercept_: (n, features) -> (n,), or (n, outputs) if it was trained on several."""
        x = self._rows(X)
        result: Array = x @ self.coef_.T + self.intercept_
        return result

    def _keep(self, w: Array, intercept: Array, single: bool) -> None:
        """Weights (features, outputs) and intercepts (outputs,) as attributes in scikit-learn's shapes."""
        self.coef_ = w[:, 0].copy() if single else w.T.copy()
        self.intercept_ = float(intercept[0]) if single else intercept
        if not self.fit_intercept:
            self.intercept_ = 0.0

    def _least_squares(self, rows: Regression, x: Array, low: Array | None = None) -> None:
        """Fit by `least_squares.solve` on the columns x, which may lack something, and a column of ones.

        Only the weights are kept small where they are not determined, not the intercept.
        """
        found = _solved(x, rows.y, low, rows.weights, self.fit_intercept)
        columns = x.shape[1] + self.fit_intercept
        name = type(self).__name__
        if found.rank < columns:
            w, intercept = found.w[: x.shape[1]], np.zeros(rows.y.shape[1])
            if self.fit_intercept:
                means = np.average(x, axis=0, weights=rows.weights)
                levels = np.average(rows.y, axis=0, weights=rows.weights)
                w = _solved(x - means, rows.y - levels, low, rows.weights, False).w
                intercept = levels - means @ w
            few = f"{len(x)} rows for {columns} weights" if len(x) < columns else "columns depend on others"
            warn(
                f"{name}: {few}: {found.rank} of {columns} can be told apart "
                f"(condition number {found.condition:.1e}); of all weights that fit as well "
                "these are the smallest"
            )
        else:
            least_squares.warn_if_doubtful(name, found, columns)
            w, intercept = found.w[: x.shape[1]], found.w[-1]
        self.rank_ = found.rank
        self.condition_ = found.condition
        self._keep(w, intercept, rows.single)


def _solved(
    x: Array, y: Array, low: Array | None, weights: Array | None, ones: bool
) -> least_squares.Solution:
    """`least_squares.solve` of rows with weights, with a column of ones if there is to be one."""
    if ones:
        x = np.hstack([x, np.ones((len(x), 1))])
        low = None if low is None else np.hstack([low, np.zeros((len(x), 1))])
    if weights is not None:
        root = np.sqrt(weights)[:, None]
        x, lost = two_product(x, root)
        low = lost if low is None else low * root + lost
        y = y * root
    return least_squares.solve(x, y, low=low)


class LinearRegression(_Linear):
    """The line, plane or hyperplane with the smallest sum of squared vertical distances.

    Parameters
        fit_intercept:  whether there is a constant; if not, the prediction is 0 at X = 0.
        solver:         "qr": the closed form, right to the last digits; "normal": (X'X)^-1 X'y as in
                        textbooks, which loses twice the digits; "gd": gradient descent on all rows; "sgd":
                        on minibatches.
        lr, epochs, batch_size, random_state:  of gradient descent, on columns that are centered and scaled to
                        a standard deviation of 1 for it; lr=None is 1 / (largest curvature) for "gd" and
                        0.03 for "sgd".
    Attributes
        coef_, intercept_:   (features,) and a number; (outputs, features) and (outputs,) for several outputs.
        rank_, condition_:   of solver "qr": how many columns can be told apart (the constant is one), and the
                             condition number of the scaled columns.
        losses_:             of "gd" and "sgd": the mean squared error in each epoch, of standardised y.

    Warns where columns depend on others, or so nearly that rounding the data decides, with the condition
    number.

    >>> import numpy as np
    >>> from chainrule.models import LinearRegression
    >>> X = np.array([[0.0], [1.0], [2.0]])
    >>> model = LinearRegression().fit(X, [1.0, 3.0, 5.0])
    >>> model.coef_, model.intercept_
    (array([2.]), 1.0)
    """

    def __init__(
        self,
        *,
        fit_intercept: bool = True,
        solver: str = "qr",
        lr: float | None = None,
        epochs: int = 1000,
        batch_size: int = 10,
        random_state: Any = None,
    ) -> None:
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearRegression:
        """Fit to X (n, features) and y (n,) or (n, outputs), where rows may have weights (n,)."""
        solver = self._one_of("solver", "qr", "normal", "gd", "sgd")
        rows = regression(self, X, y, sample_weight, outputs=True)
        if solver == "qr":
            self._least_squares(rows, rows.x)
        elif solver == "normal":
            self._normal(rows)
        else:
            self._descend(rows, solver)
        return self

    def _normal(self, rows: Regression) -> None:
        x = np.hstack([rows.x, np.ones((len(rows.x), 1))]) if self.fit_intercept else rows.x
        root = 1.0 if rows.weights is None else np.sqrt(rows.weights)[:, None]
        try:
            w = least_squares.normal(x * root, rows.y * root)
        except np.linalg.LinAlgError:
            raise ArgumentError.of(
                "LinearRegression with solver='normal'",
                given=f"X {rows.x.shape} with columns that depend on each other",
                must="X'X has no inverse then",
                hint="solver='qr', or Ridge",
            ) from None
        self._keep(w[: rows.x.shape[1]], w[-1], rows.single)

    def _descend(self, rows: Regression, solver: str) -> None:
        epochs, size = self._count("epochs"), self._count("batch_size")
        center_x, spread_x = _standard(rows.x, rows.weights, self.fit_intercept)
        center_y, spread_y = _standard(rows.y, rows.weights, self.fit_intercept)
        x, y = (rows.x - center_x) / spread_x, (rows.y - center_y) / spread_y
        if self.lr is None and solver == "gd":
            weights = np.ones(len(x)) if rows.weights is None else rows.weights / rows.weights.mean()
            curvature = float(np.linalg.norm(x * np.sqrt(weights)[:, None], 2)) ** 2 / len(x)
            lr = 0.5 / max(curvature, 1.0)  # the loss is the mean of squares, whose curvature is twice that
        else:
            lr = 0.03 if self.lr is None else self._number("lr", above=0)
        with seeded(self.random_state) as seed:
            line = nn.Linear(x.shape[1], y.shape[1], bias=self.fit_intercept).double()
            for parameter in line.parameters():
                nn.init.zeros_(parameter)
            history = train(
                self,
                line,
                weighted(lambda out, wanted: (out - wanted).square().sum(1)),
                optim.SGD(line.parameters(), lr=lr),
                batches(x, with_weights(y, rows.weights), len(x))
                if solver == "gd"
                else batches(x, with_weights(y, rows.weights), size, seed=seed),
                epochs=epochs,
            )
        self.losses_ = [epoch.train_loss for epoch in history.epochs]
        w = line.weight.detach().numpy().T * spread_y / spread_x[:, None]
        bias = line.bias.detach().numpy() * spread_y if line.bias is not None else np.zeros(y.shape[1])
        self._keep(w, center_y + bias - center_x @ w, rows.single)


def _standard(x: Array, weights: Array | None, centered: bool) -> tuple[Array, Array]:
    """Means (0 unless centered) and sizes of columns; 1 for the size of a constant."""
    center = np.average(x, axis=0, weights=weights) if centered else np.zeros(x.shape[1])
    spread = np.sqrt(np.average((x - center) ** 2, axis=0, weights=weights))
    return center, np.where(spread > 1e-12 * (1 + np.abs(center)), spread, 1.0)


class PolynomialRegression(_Linear):
    """Least squares of the powers x, x**2, ..., x**degree of each feature, right to the last digits.

    Powers are carried with twice the precision, so rounding them costs nothing: on NIST's Filip problem
    (degree 10) 14 digits are correct, where columns that were rounded before leave 8 to any solver.

    Parameters
        degree:         the highest power.
        fit_intercept:  whether there is a constant.
    Attributes
        coef_:       (features * degree,): the weights of x1, x1**2, ..., of x2, x2**2, ...; one row for each
                     of several outputs.
        intercept_, rank_, condition_:  as of `LinearRegression`.

    >>> import numpy as np
    >>> from chainrule.models import PolynomialRegression
    >>> x = np.arange(5.0)
    >>> model = PolynomialRegression(degree=2).fit(x[:, None], 1 + 2 * x + 3 * x**2)
    >>> model.coef_.round(12), round(model.intercept_, 12)
    (array([2., 3.]), 1.0)
    """

    def __init__(self, degree: int = 2, *, fit_intercept: bool = True) -> None:
        self.degree = degree
        self.fit_intercept = fit_intercept

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> PolynomialRegression:
        """Fit to X (n, features) and y (n,) or (n, outputs), where rows may have weights (n,)."""
        self._count("degree")
        rows = regression(self, X, y, sample_weight, outputs=True)
        self._least_squares(rows, *self._powers(rows.x))
        return self

    def predict(self, X: Any) -> Array:
        """The polynomial at X, rounded once: (n, features) -> (n,), or (n, outputs)."""
        high, low = self._powers(self._rows(X))
        constant = np.broadcast_to(np.asarray(self.intercept_), self.coef_.shape[:-1]).reshape(-1)
        values = [
            dot(high.T, w, np.full(len(high), c), low=low.T)
            for w, c in zip(np.atleast_2d(self.coef_), constant, strict=True)
        ]
        return values[0] if self.coef_.ndim == 1 else np.stack(values, axis=1)

    def _powers(self, x: Array) -> tuple[Array, Array]:
        parts = [powers(column, self.degree) for column in x.T]
        return np.hstack([high for high, _ in parts]), np.hstack([low for _, low in parts])


class Ridge(_Linear):
    """Least squares with a penalty on large weights: the smallest ||y - X w - b||^2 + alpha ||w||^2.

    The constant b is free. Solved as a least squares problem with more rows, sqrt(alpha) times the unit
    matrix, so that no digits are lost as they are with X'X + alpha.

    Parameters
        alpha:          the weight of the penalty, 0 or more; weight decay times the number of rows.
        fit_intercept:  whether there is a constant.
    Attributes
        coef_, intercept_:  as of `LinearRegression`.

    >>> import numpy as np
    >>> from chainrule.models import Ridge
    >>> model = Ridge(alpha=2.0).fit(np.array([[-1.0], [0.0], [1.0]]), [-1.0, 0.0, 1.0])
    >>> model.coef_.round(12)  # 2 / (2 + alpha)
    array([0.5])
    """

    def __init__(self, alpha: float = 1.0, *, fit_intercept: bool = True) -> None:
        self.alpha = alpha
        self.fit_intercept = fit_intercept

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Ridge:
        """Fit to X (n, features) and y (n,) or (n, outputs), where rows may have weights (n,)."""
        alpha = self._number("alpha", least=0)
        rows = regression(self, X, y, sample_weight, outputs=True)
        x, y, features = rows.x, rows.y, rows.x.shape[1]
        means, levels = np.zeros(features), np.zeros(y.shape[1])
        if self.fit_intercept:
            means = np.average(x, axis=0, weights=rows.weights)
            levels = np.average(y, axis=0, weights=rows.weights)
        root = np.ones((len(x), 1)) if rows.weights is None else np.sqrt(rows.weights)[:, None]
        x = np.vstack([(x - means) * root, np.sqrt(alpha) * np.eye(features)])
        y = np.vstack([(y - levels) * root, np.zeros((features, y.shape[1]))])
        w = least_squares.solve(x, y).w
        self._keep(w, levels - means @ w, rows.single)
        return self
