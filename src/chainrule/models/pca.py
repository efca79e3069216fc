"""`PCA`: the directions in which the rows differ most, by the singular values of the centered rows.

Next: `kmeans.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import validate_data

from ..core.errors import ArgumentError
from .base import Array, Estimator


class PCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, Estimator):  # type: ignore[misc]
    """Rows as coordinates along the directions of largest variance.

    Parameters
        n_components:  how many directions; a fraction below 1 for as many as explain that part of the
                       variance; None for all there are.
        whiten:        whether coordinates are divided by their standard deviations.
    Attributes
        components_:               (components, features), of length 1 and at right angles; the largest entry
                                   of each is positive.
        explained_variance_, explained_variance_ratio_:  of each direction (n - 1 in the denominator), and as
                                   a part of all.
        singular_values_, mean_, n_components_, n_samples_, noise_variance_:  as in scikit-learn.

    >>> import numpy as np
    >>> from chainrule.models import PCA
    >>> X = np.array([[-3.0, -3.0], [1.0, 1.0], [2.0, 2.0]])
    >>> model = PCA(n_components=1).fit(X)
    >>> model.components_.round(4), model.explained_variance_ratio_.round(9)
    (array([[0.7071, 0.7071]]), array([1.]))
    """

    def __init__(self, n_components: float | None = None, *, whiten: bool = False) -> None:
        self.n_components = n_components
        self.whiten = whiten

    def fit(self, X: Any, y: Any = None) -> PCA:
        """Find the directions of X (n, features)."""
        x = validate_data(self, X, dtype=np.float64, ensure_min_samples=2)
        self._fit(x)
        return self

    def fit_transform(self, X: Any, y: Any = None) -> Array:
        """The same as `fit(X).transform(X)`."""
        self.fit(X)
        return self.transform(X)

    def _fit(self, x: Array) -> None:
        n, features = x.shape
        self.mean_ = x.mean(axis=0)
        _, singular, directions = np.linalg.svd(x - self.mean_, full_matrices=False)
        largest = np.abs(directions).argmax(axis=1)
        directions *= np.where(directions[np.arange(len(directions)), largest] < 0, -1.0, 1.0)[:, None]
        variance = singular**2 / (n - 1)
        total = float(variance.sum())
        ratio = variance / total if total else np.zeros_like(variance)
        k = self._how_many(ratio, min(n, features))
        self.n_components_, self.n_samples_ = k, n
        self.components_ = directions[:k].copy()
        self.explained_variance_ = variance[:k]
        self.explained_variance_ratio_ = ratio[:k]
        self.singular_values_ = singular[:k]
        self.noise_variance_ = float(variance[k:].mean()) if k < len(variance) else 0.0

    def _how_many(self, ratio: Array, most: int) -> int:
        wanted = self.n_components
        if wanted is None:
            return most
        if isinstance(wanted, float) and 0 < wanted < 1:
            return min(most, int(np.searchsorted(np.cumsum(ratio), wanted, side="right")) + 1)
        if isinstance(wanted, int | np.integer) and not isinstance(wanted, bool) and 1 <= wanted <= most:
            return int(wanted)
        raise ArgumentError.of(
            "PCA",
            given=f"n_components={wanted!r} and {most} directions",
            must=f"n_components must be a whole number from 1 to {most}, a fraction between 0 and 1, or None",
        )

    def transform(self, X: Any) -> Array:
        """Coordinates of each row: (n, features) -> (n, components)."""
        result: Array = (self._rows(X) - self.mean_) @ self.components_.T
        return result / self._scale() if self.whiten else result

    def inverse_transform(self, X: Any) -> Array:
        """Rows from coordinates: (n, components) -> (n, features)."""
        coordinates = np.asarray(X, np.float64)
        if self.whiten:
            coordinates = coordinates * self._scale()
        result: Array = coordinates @ self.components_ + self.mean_
        return result

    def _scale(self) -> Array:
        """Standard deviations; those of directions without variance are kept from dividing by 0."""
        smallest = np.finfo(np.float64).eps * float(self.explained_variance_[0])
        result: Array = np.sqrt(np.maximum(self.explained_variance_, max(smallest, 1e-300)))
        return result

    @property
    def _n_features_out(self) -> int:
        return int(self.n_components_)
