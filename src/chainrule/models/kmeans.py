"""`KMeans`: centers that make the sum of squared distances of rows to the nearest one small.

Lloyd's steps from starts by k-means++. All draws are made on the rows in the order of their values, by the
share of their weights: so the result depends neither on the order of the rows nor on whether a row comes
twice or with weight 2. Next: `pca.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.base import ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.utils.validation import validate_data

from ..core.errors import ArgumentError
from ..core.warn import warn
from .base import Array, Estimator, generator, weighted_rows

_BLOCK = 1 << 20  # distances that are computed at a time


class KMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, Estimator):  # type: ignore[misc]
    """Clusters of rows around centers, each row with the nearest one.

    Parameters
        n_clusters:    how many.
        n_init:        starts; the best result is kept.
        max_iter, tol: steps from each start at most, and the movement of the centers that is none, as a part
                       of the variance of the rows.
        random_state:  of the starts.
    Attributes
        cluster_centers_:  (clusters, features), in the order of their values.
        labels_:           the cluster of each training row.
        inertia_:          the sum of squared distances of rows to their centers, times their weights.
        n_iter_:           steps from the start that was best.

    >>> import numpy as np
    >>> from chainrule.models import KMeans
    >>> model = KMeans(n_clusters=2, random_state=0).fit(np.array([[0.0], [1.0], [10.0], [11.0]]))
    >>> model.cluster_centers_.ravel(), model.labels_, model.inertia_
    (array([ 0.5, 10.5]), array([0, 0, 1, 1], dtype=int32), 1.0)
    """

    def __init__(
        self,
        n_clusters: int = 8,
        *,
        n_init: int = 10,
        max_iter: int = 300,
        tol: float = 1e-4,
        random_state: Any = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> KMeans:
        """Find the clusters of X (n, features), whose rows may have weights (n,)."""
        k = self._count("n_clusters")
        starts, most = self._count("n_init"), self._count("max_iter")
        all_rows = validate_data(self, X, dtype=np.float64)
        x, weights, _ = weighted_rows(self, all_rows, sample_weight)
        if len(x) < k:
            raise ArgumentError.of(
                "KMeans",
                given=f"n_samples={len(x)} and n_clusters={k}",
                must="there must be a row for each cluster",
            )
        weights = np.ones(len(x)) if weights is None else weights
        order = np.lexsort(x.T[::-1])  # by the first feature, then by the second, ...
        x, weights = x[order], weights[order]
        middle = np.average(x, axis=0, weights=weights)
        still = self._number("tol", least=0) * float(
            np.average((x - middle) ** 2, axis=0, weights=weights).mean()
        )
        stream = generator(self.random_state)
        best: tuple[float, Array, int] | None = None
        for _ in range(starts):
            centers = _spread_out(x - middle, weights, k, stream)
            centers, inertia, steps = _lloyd(x - middle, weights, centers, most, still)
            if best is None or inertia < best[0] * (1 - 1e-12):
                best = inertia, centers, steps
        assert best is not None
        self.inertia_, centers, self.n_iter_ = best
        distinct = len(np.unique(centers, axis=0))
        if distinct < k:
            warn(f"KMeans: {distinct} clusters were found instead of {k}: there are not more different rows")
        self.cluster_centers_ = centers[np.lexsort(centers.T[::-1])] + middle
        self.labels_ = _nearest(all_rows, self.cluster_centers_)[0]
        return self

    def predict(self, X: Any) -> Array:
        """The cluster of each row."""
        return _nearest(self._rows(X), self.cluster_centers_)[0]

    def transform(self, X: Any) -> Array:
        """The distance of each row from each center: (n, clusters)."""
        x = self._rows(X)
        return np.stack([np.sqrt(((x - c) ** 2).sum(axis=1)) for c in self.cluster_centers_], axis=1)

    def fit_predict(self, X: Any, y: Any = None, sample_weight: Any = None) -> Array:
        """The same as `fit(X).labels_`."""
        return np.asarray(self.fit(X, sample_weight=sample_weight).labels_)

    def fit_transform(self, X: Any, y: Any = None, sample_weight: Any = None) -> Array:
        """The same as `fit(X).transform(X)`."""
        return self.fit(X, sample_weight=sample_weight).transform(X)

    def score(self, X: Any, y: Any = None, sample_weight: Any = None) -> float:
        """Minus the sum of squared distances of the rows from their centers, times their weights."""
        x, weights, _ = weighted_rows(self, self._rows(X), sample_weight)
        squares = _nearest(x, self.cluster_centers_)[1]
        return -float(squares.sum() if weights is None else squares @ weights)

    @property
    def _n_features_out(self) -> int:
        return len(self.cluster_centers_)


def _nearest(x: Array, centers: Array) -> tuple[Array, Array]:
    """The nearest center of each row (of equal ones the first), and its squared distance: (n,) each."""
    which, squares = np.empty(len(x), np.int32), np.empty(len(x))
    lengths = np.einsum("kd,kd->k", centers, centers)
    size = max(1, _BLOCK // len(centers))
    for start in range(0, len(x), size):
        part = slice(start, start + size)
        scores = x[part] @ (-2 * centers.T) + lengths  # squared distances, less the length of the row
        which[part] = scores.argmin(axis=1)
        squares[part] = ((x[part] - centers[which[part]]) ** 2).sum(axis=1)  # without cancellation
    return which, squares


def _spread_out(x: Array, weights: Array, k: int, stream: np.random.RandomState) -> Array:
    """k-means++: each center is a row, drawn in proportion to its squared distance from those before it.

    Of a few draws the one that lowers the sum of distances most is taken.
    """
    tries = 2 + int(np.log(k))
    centers = [x[_drawn(weights, stream.random_sample(1))[0]]]
    squares = ((x - centers[0]) ** 2).sum(axis=1)
    while len(centers) < k:
        rows = _drawn(weights * squares, stream.random_sample(tries))
        shorter = np.minimum(
            squares, np.stack([((x - x[row]) ** 2).sum(axis=1) for row in rows])
        )  # (tries, n)
        best = int((shorter @ weights).argmin())
        centers.append(x[rows[best]])
        squares = shorter[best]
    return np.stack(centers)


def _drawn(shares: Array, uniform: Array) -> Array:
    """Rows in proportion to their shares, by uniform numbers; the first ones if all shares are 0."""
    sums = np.cumsum(shares)
    found: Array = np.searchsorted(sums, uniform * sums[-1], side="right")
    return np.minimum(found, len(shares) - 1)


def _lloyd(x: Array, weights: Array, centers: Array, most: int, still: float) -> tuple[Array, float, int]:
    """Rows to their nearest centers, centers to the means of their rows, and again: (centers, sum, steps)."""
    k = len(centers)
    which = np.full(len(x), -1)
    steps = 0
    while steps < most:
        steps += 1
        now, squares = _nearest(x, centers)
        if np.array_equal(now, which):
            break
        which = now
        sizes = np.bincount(which, weights=weights, minlength=k)
        sums = np.stack([np.bincount(which, weights=weights * column, minlength=k) for column in x.T], axis=1)
        moved = np.where(sizes[:, None] > 0, sums / np.where(sizes > 0, sizes, 1)[:, None], centers)
        if (sizes == 0).any():  # a center without rows goes to the row that is farthest from its own
            far = np.argsort(-squares, kind="stable")[: int((sizes == 0).sum())]
            moved[sizes == 0] = x[far]
        shift = float(((moved - centers) ** 2).sum())
        centers = moved
        if shift <= still:
            break
    return centers, float(_nearest(x, centers)[1] @ weights), steps
