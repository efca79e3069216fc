"""`LinearSVC`: a straight boundary with a wide margin, by the weights of the features themselves.

Both losses are solved to the last digits, in some ten to twenty steps whose cost grows with the rows as
reading them does: the squared hinge by Newton's method, the hinge, which has a kink, by interior points of
its dual (`interior.py`). Next: `svm.py` for kernels.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.warn import warn
from . import interior
from .base import Array, Classifier, classification, one_thread

_STEPS = 100


class LinearSVC(Classifier):
    """The straight boundary that makes `1/2 ||w||^2 + C sum loss(y f(x))` smallest, with f(x) = w'x + b.

    More than two classes: each against the rest. As in scikit-learn, b counts in ||w|| as a feature that is
    always 1, or `intercept_scaling`.

    Parameters
        C:      the price of violating the margin; times the weight of the row.
        loss:   "squared_hinge", max(0, 1 - y f)^2, or "hinge", max(0, 1 - y f).
        fit_intercept, intercept_scaling:  whether there is a b, and the value of its feature: the larger, the
                less b is held back.
        tol:    the slope at the end, relative to that at the beginning.
    Attributes
        coef_, intercept_:  (1, features) and (1,) for two classes, else a row for each class.
        margin_:  the distance 1 / ||w|| from each boundary to where f is 1 or -1.
        n_iter_:  steps of the solver, at most.

    >>> import numpy as np
    >>> from chainrule.models import LinearSVC
    >>> X, y = np.array([[-2.0], [-1.0], [1.0], [2.0]]), np.array(["no", "no", "yes", "yes"])
    >>> model = LinearSVC(C=1000, loss="hinge").fit(X, y)
    >>> model.coef_.round(6), model.margin_.round(6), model.predict([[0.5]])
    (array([[1.]]), array([1.]), array(['yes'], dtype='<U3'))
    """

    def __init__(
        self,
        C: float = 1.0,
        *,
        loss: str = "squared_hinge",
        fit_intercept: bool = True,
        intercept_scaling: float = 1.0,
        tol: float = 1e-10,
    ) -> None:
        self.C = C
        self.loss = loss
        self.fit_intercept = fit_intercept
        self.intercept_scaling = intercept_scaling
        self.tol = tol

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> LinearSVC:
        """Fit to X (n, features) and classes y (n,), where rows may have weights (n,)."""
        loss = self._one_of("loss", "squared_hinge", "hinge")
        price, tol = self._number("C", above=0), self._number("tol", above=0)
        scaling = self._number("intercept_scaling", above=0)
        data = classification(self, X, y, sample_weight)
        x = data.x
        if self.fit_intercept:
            x = np.hstack([x, np.full((len(x), 1), scaling)])
        prices = np.full(len(x), price) if data.weights is None else price * data.weights
        which = [1] if len(data.classes) == 2 else range(len(data.classes))
        w = np.empty((len(which), x.shape[1]))
        self.n_iter_ = 0
        for row, k in enumerate(which):
            signed = np.where(data.y == k, 1.0, -1.0)[:, None] * x
            solve = _squared_hinge if loss == "squared_hinge" and x.shape[1] <= len(x) else _dual
            with one_thread():
                w[row], steps = solve(signed, prices, tol, loss == "squared_hinge")
            self.n_iter_ = max(self.n_iter_, steps)
        self.coef_ = w[:, : data.x.shape[1]].copy()
        self.intercept_ = w[:, -1] * scaling if self.fit_intercept else np.zeros(len(w))
        lengths = np.linalg.norm(self.coef_, axis=1)
        self.margin_ = 1 / np.where(lengths > 0, lengths, np.nan)
        return self

    def decision_function(self, X: Any) -> Array:
        """f(x): (n,) for two classes, else (n, classes)."""
        values: Array = self._rows(X) @ self.coef_.T + self.intercept_
        return values[:, 0] if len(self.classes_) == 2 else values

    def predict(self, X: Any) -> Array:
        """The class of each row."""
        f = self.decision_function(X)
        return np.asarray(self.classes_[(f > 0).astype(int) if f.ndim == 1 else f.argmax(axis=1)])


def _squared_hinge(x: Array, prices: Array, tol: float, squared: bool) -> tuple[Array, int]:
    """Newton's method for `1/2 ||w||^2 + sum prices max(0, 1 - x w)^2`: x (n, d) with the classes' signs.

    Between kinks the function is a parabola, so that the steps are exact once it is known which rows violate
    the margin. A step that goes too far is halved.
    """

    def value(w: Array, short: Array) -> float:
        violation = np.maximum(short, 0)
        return 0.5 * float(w @ w) + float(prices @ (violation * violation))

    w = np.zeros(x.shape[1])
    short = np.ones(len(x))  # 1 - x w: what each row lacks of the margin
    now = value(w, short)
    first = 0.0
    for step in range(1, _STEPS + 1):
        inside = short > 0
        rows = x[inside]
        slope = w - 2 * ((prices * short)[inside] @ rows)
        size = float(np.linalg.norm(slope))
        first = first or size
        if size <= tol * first:
            return w, step
        curvature = rows.T @ (rows * (2 * prices[inside])[:, None])
        curvature[np.diag_indices(len(w))] += 1
        move = np.linalg.solve(curvature, slope)
        along = x @ move
        gain = float(move @ slope)
        reach = 1.0
        while True:
            candidate = w - reach * move
            left = short + reach * along
            later = value(candidate, left)
            if later <= now - 1e-4 * reach * gain or reach < 1e-8:
                break
            reach /= 2
        if later >= now:  # nothing but rounding is left to gain
            return w, step
        w, short, now = candidate, left, later
    warn(
        f"LinearSVC: after {_STEPS} steps of Newton's method the slope is {size / first:.0e} of what it was\n"
        "  try: columns of similar sizes, or a smaller C"
    )
    return w, _STEPS


def _dual(x: Array, prices: Array, tol: float, squared: bool) -> tuple[Array, int]:
    """The same for either loss, by its dual: w = x' z, z from 0 to the price, or free above and damped."""
    n, d = x.shape
    diagonal = 1 / (2 * prices) if squared else np.zeros(n)
    high = np.full(n, np.inf) if squared else prices
    rows, factored = (x, True) if d <= n else (x @ x.T, False)
    found = interior.solve(
        interior.Quadratic(rows, diagonal, factored), np.ones(n), np.zeros(n), high, offset=False
    )
    return x.T @ found.z, found.steps
