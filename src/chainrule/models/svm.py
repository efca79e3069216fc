"""Support vector machines with kernels: `SVC` and `SVR`.

Both are one quadratic program (`smo.py`). Which solver does it is a matter of speed alone: interior points
for few rows and for linear kernels with few features, pairs for the rest; the result is checked by the
conditions of the optimum either way. Names and formulas are scikit-learn's. Next: `linear_svc.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..core.warn import warn
from . import interior, smo
from .base import Array, Classifier, Estimator, Regressor, classification, one_thread, regression
from .kernels import KINDS, LINEAR, Kernel

_FEW = 64  # numbers to find, up to which interior points are faster than pairs for any kernel


class _Machine(Estimator):
    """The parameters that both have, and how they reach the solver."""

    kernel: str | Callable[[Array, Array], Any]
    degree: float
    gamma: str | float
    coef0: float
    tol: float
    C: float
    max_iter: int

    def _kernel(self, x: Array, gamma: float) -> Kernel:
        return Kernel(x, self.kernel, gamma, self.degree, self.coef0)

    def _checked(self, x: Array, weights: Array | None) -> float:
        """Check the parameters; the value of gamma."""
        if not callable(self.kernel):
            self._one_of("kernel", *KINDS)
        self._number("C", above=0)
        self._number("tol", above=0)
        self._number("degree", least=0)
        if self.max_iter != -1:
            self._count("max_iter")
        if isinstance(self.gamma, str):
            if self._one_of("gamma", "scale", "auto") == "auto":
                return 1.0 / float(x.shape[1])
            center = np.average(x, weights=None if weights is None else np.tile(weights[:, None], x.shape[1]))
            spread = float(np.average(((x - center) ** 2).mean(axis=1), weights=weights))
            return 1 / (float(x.shape[1]) * spread) if spread else 1.0
        return self._number("gamma", least=0)

    def _solve(self, x: Array, t: Array, low: Array, high: Array) -> smo.Solved:
        """The machine for rows x (n, d), with t, low, high (copies, n)."""
        kernel = self._kernel(x, self.gamma_)
        problem = smo.Problem(kernel.columns, kernel.diagonal(), t, low, high)
        linear = self.kernel == LINEAR and x.shape[1] <= len(x) // 2
        most = self.max_iter if self.max_iter > 0 else max(10**6, 100 * t.size)
        start = None
        with one_thread():
            if linear or t.size <= _FEW:
                start = _by_interior_points(problem, x if linear else None)
            found = smo.solve(problem, start, tol=self.tol, most=most)
        if found.gap > 1.01 * self.tol:
            warn(
                f"{type(self).__name__}: stopped after {found.pairs:,} steps with conditions violated by "
                f"{found.gap:.1e}, more than tol={self.tol:g}\n"
                "  try: a larger max_iter, or columns of similar sizes"
            )
        return found._replace(pairs=max(1, found.pairs))  # finding nothing to do is a step too


def _by_interior_points(problem: smo.Problem, rows: Array | None) -> Array | None:
    """A solution to start from; None where rounding, or a kernel that is none, is in the way."""
    copies, n = problem.t.shape
    if rows is None:
        rows = np.tile(problem.block(np.arange(n)), (copies, copies))
        quadratic = interior.Quadratic(rows, np.zeros(copies * n), False)
    else:
        quadratic = interior.Quadratic(np.tile(rows, (copies, 1)), np.zeros(copies * n), True)
    try:
        found = interior.solve(
            quadratic, problem.t.ravel(), problem.low.ravel(), problem.high.ravel(), offset=True
        )
    except np.linalg.LinAlgError:
        return None
    z = found.z.reshape(copies, n)
    settled = smo.settle(problem, z, problem.slope(z), smo.Columns(problem))
    return None if settled is None else settled[0]


class _Pair(NamedTuple):
    """A machine for two classes: which rows it was trained on, its z for these, and its offset."""

    rows: Array
    z: Array
    offset: float
    pairs: int


class SVC(Classifier, _Machine):
    """The boundary with the widest margin, which some rows may violate: a support vector machine.

    f(x) = sum of dual_coef_ * kernel(support vector, x) + intercept_ makes `1/2 ||w||^2 + C sum max(0, 1 - y
    f(x))` smallest, for y = 1 and -1. More than two classes: a machine for each pair of them, which vote.

    Parameters
        C:         the price of violating the margin; times the weight of the row.
        kernel:    "linear", "poly", "rbf", or a function of rows (n, d) and (m, d) to (n, m).
        degree, coef0:  of "poly". gamma: of "poly" and "rbf", a number, "scale" (1 / (features * variance))
                   or "auto" (1 / features).
        tol:       by how much the conditions of the optimum may be violated at the end.
        max_iter:  pairs of numbers that are moved at most; -1 for no limit that matters.
        decision_function_shape:  for more than two classes, "ovr" (a column for each class) or "ovo" (for
                   each pair).
    Attributes
        support_, support_vectors_, n_support_:  rows with an influence: their numbers, by class; themselves.
        dual_coef_, intercept_:  (1, support vectors) and (1,); for more classes (classes - 1, ...) and
                   (pairs,), as in scikit-learn.
        coef_:     w, for the linear kernel. margin_: the distance 1 / ||w|| from the boundary to where f is
                   1 or -1, in the space of the kernel; one for each pair of classes.
        n_iter_:   pairs that were moved, for each machine; 1 where interior points were enough.

    >>> import numpy as np
    >>> from chainrule.models import SVC
    >>> X, y = np.array([[0.0], [1.0], [3.0], [4.0]]), np.array([-1, -1, 1, 1])
    >>> model = SVC(C=100, kernel="linear").fit(X, y)
    >>> model.support_, model.margin_.round(9), model.decision_function([[2.5]]).round(9)
    (array([1, 2]), array([1.]), array([0.5]))
    """

    def __init__(
        self,
        C: float = 1.0,
        *,
        kernel: str | Callable[[Array, Array], Any] = "rbf",
        degree: float = 3,
        gamma: str | float = "scale",
        coef0: float = 0.0,
        tol: float = 1e-3,
        max_iter: int = -1,
        decision_function_shape: str = "ovr",
    ) -> None:
        self.C = C
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.tol = tol
        self.max_iter = max_iter
        self.decision_function_shape = decision_function_shape

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SVC:
        """Fit to X (n, features) and classes y (n,), where rows may have weights (n,)."""
        self._one_of("decision_function_shape", "ovr", "ovo")
        data = classification(self, X, y, sample_weight)
        x, weights = data.x, np.ones(len(data.x)) if data.weights is None else data.weights
        self.gamma_ = self._checked(x, data.weights)
        k = len(data.classes)
        pairs = [
            self._pair(x, data.y, weights, a, b) for a in range(k) for b in range(a + 1, k)
        ]  # each for class a against class b
        self._keep(x, data.y, pairs, data.kept)
        return self

    def _pair(self, x: Array, y: Array, weights: Array, a: int, b: int) -> _Pair:
        rows = np.flatnonzero((y == a) | (y == b))
        # For two classes the second one is positive, as in scikit-learn; in a vote, the first one.
        positive = y[rows] == (b if len(self.classes_) == 2 else a)
        price = self.C * weights[rows]
        t = np.where(positive, 1.0, -1.0)
        found = self._solve(
            x[rows], t[None], np.where(positive, 0, -price)[None], np.where(positive, price, 0)[None]
        )
        return _Pair(rows, found.z[0], found.offset, found.pairs)

    def _keep(self, x: Array, y: Array, pairs: list[_Pair], kept: Array) -> None:
        k = len(self.classes_)
        used = np.zeros(len(x), bool)
        for pair in pairs:
            used[pair.rows[pair.z != 0]] = True
        order = np.flatnonzero(used)
        order = order[np.argsort(y[order], kind="stable")]  # by class
        place = np.full(len(x), -1)
        place[order] = np.arange(len(order))
        # One row of coefficients for each machine: (pairs, support vectors)
        self._weights = np.zeros((len(pairs), len(order)))
        for weights, pair in zip(self._weights, pairs, strict=True):
            there = pair.z != 0
            weights[place[pair.rows[there]]] = pair.z[there]
        self.support_ = kept[order]
        self.support_vectors_ = x[order]
        self.n_support_ = np.bincount(y[order], minlength=k)
        self.intercept_ = np.array([pair.offset for pair in pairs])
        self.n_iter_ = np.array([pair.pairs for pair in pairs])
        values = self._kernel(self.support_vectors_, self.gamma_)(self.support_vectors_)
        lengths = np.sqrt(
            np.einsum("pi,ij,pj->p", self._weights, values, self._weights, optimize=True).clip(0)
        )
        self.margin_ = 1 / np.where(lengths > 0, lengths, np.nan)
        self.dual_coef_ = self._weights if k == 2 else _by_class(self._weights, y[order], k)

    @property
    def coef_(self) -> Array:
        """The weights of the features, for the linear kernel: (machines, features)."""
        if self.kernel != LINEAR:
            raise AttributeError("coef_ is only there for kernel='linear'")
        weights: Array = self._weights @ self.support_vectors_
        return weights

    def decision_function(self, X: Any) -> Array:
        """f(x) for two classes (n,); for more a column for each class, or for each pair of them ("ovo")."""
        values = self._machines(X)
        if len(self.classes_) == 2:
            return values[:, 0]
        return values if self.decision_function_shape == "ovo" else self._votes(values)

    def predict(self, X: Any) -> Array:
        """The class of each row."""
        values = self._machines(X)
        if len(self.classes_) == 2:
            return np.asarray(self.classes_[(values[:, 0] > 0).astype(int)])
        return np.asarray(self.classes_[np.argmax(self._votes(values), axis=1)])

    def _machines(self, X: Any) -> Array:
        """f(x) of each machine: (n, machines)."""
        x = self._rows(X)
        kernel = self._kernel(self.support_vectors_, self.gamma_)
        values = np.empty((len(x), len(self.intercept_)))
        for start in range(0, len(x), 512):
            part = slice(start, start + 512)
            values[part] = (self._weights @ kernel(x[part])).T + self.intercept_
        return values

    def _votes(self, values: Array) -> Array:
        """Votes for each class, and as fractions of one how sure they are: (n, machines) -> (n, classes)."""
        k = len(self.classes_)
        votes, sums = np.zeros((len(values), k)), np.zeros((len(values), k))
        pair = 0
        for a in range(k):
            for b in range(a + 1, k):
                f = values[:, pair]
                sums[:, a] += f
                sums[:, b] -= f
                votes[:, a] += f > 0
                votes[:, b] += f <= 0
                pair += 1
        # Less than a third: it only decides where votes are equal.
        result: Array = votes + sums / (3 * (np.abs(sums) + 1))
        return result


def _by_class(weights: Array, classes: Array, k: int) -> Array:
    """scikit-learn's layout: row r holds a support vector's weight against the r-th of the other classes."""
    result = np.zeros((k - 1, weights.shape[1]))
    pair = 0
    for a in range(k):
        for b in range(a + 1, k):
            of_a, of_b = classes == a, classes == b
            result[b - 1, of_a] = weights[pair, of_a]
            result[a, of_b] = weights[pair, of_b]
            pair += 1
    return result


class SVR(Regressor, _Machine):
    """The flattest function that stays within epsilon of most targets: support vector regression.

    f(x) = sum of dual_coef_ * kernel(support vector, x) + intercept_ makes
    `1/2 ||w||^2 + C sum max(0, |y - f(x)| - epsilon)` smallest.

    Parameters
        kernel, degree, gamma, coef0, tol, C, max_iter:  as of `SVC`.
        epsilon:  errors up to this cost nothing.
    Attributes
        support_, support_vectors_, dual_coef_, intercept_, coef_, n_iter_:  as of `SVC`.

    >>> import numpy as np
    >>> from chainrule.models import SVR
    >>> model = SVR(kernel="linear", C=100, epsilon=0.5).fit(np.array([[0.0], [1.0], [2.0]]), [0.0, 1.0, 2.0])
    >>> model.predict([[0.0], [2.0]]).round(6)  # as flat as half a unit allows
    array([0.5, 1.5])
    """

    def __init__(
        self,
        *,
        kernel: str | Callable[[Array, Array], Any] = "rbf",
        degree: float = 3,
        gamma: str | float = "scale",
        coef0: float = 0.0,
        tol: float = 1e-3,
        C: float = 1.0,
        epsilon: float = 0.1,
        max_iter: int = -1,
    ) -> None:
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.tol = tol
        self.C = C
        self.epsilon = epsilon
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> SVR:
        """Fit to X (n, features) and numbers y (n,), where rows may have weights (n,)."""
        epsilon = self._number("epsilon", least=0)
        data = regression(self, X, y, sample_weight)
        x, y = data.x, data.y[:, 0]
        self.gamma_ = self._checked(x, data.weights)
        price = np.full(len(x), float(self.C)) if data.weights is None else self.C * data.weights
        none = np.zeros(len(x))
        # A force up where f is too low by more than epsilon, and one down where it is too high.
        found = self._solve(
            x, np.stack([y - epsilon, y + epsilon]), np.stack([none, -price]), np.stack([price, none])
        )
        z = found.z.sum(axis=0)
        used = np.flatnonzero(z)
        self.support_ = data.kept[used]
        self.support_vectors_ = x[used]
        self.dual_coef_ = z[None, used]
        self.intercept_ = np.array([found.offset])
        self.n_iter_ = found.pairs
        return self

    @property
    def coef_(self) -> Array:
        """The weights of the features, for the linear kernel: (1, features)."""
        if self.kernel != LINEAR:
            raise AttributeError("coef_ is only there for kernel='linear'")
        weights: Array = self.dual_coef_ @ self.support_vectors_
        return weights

    def predict(self, X: Any) -> Array:
        """f(x) for each row."""
        x = self._rows(X)
        kernel = self._kernel(self.support_vectors_, self.gamma_)
        parts = [self.dual_coef_[0] @ kernel(x[i : i + 512]) for i in range(0, len(x), 512)]
        result: Array = np.concatenate(parts) + self.intercept_
        return result
