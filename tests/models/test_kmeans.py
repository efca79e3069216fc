"""k-means and principal components: beside scikit-learn's, and what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn import cluster, decomposition
from sklearn.datasets import load_iris, make_blobs

from chainrule.models import PCA, KMeans


def test_kmeans_finds_what_scikit_learn_finds():
    X, _ = make_blobs(400, centers=5, cluster_std=0.6, random_state=3)
    weights = np.random.default_rng(0).random(len(X))
    ours = KMeans(5, tol=0, random_state=0).fit(X, sample_weight=weights)
    other = cluster.KMeans(5, n_init=20, tol=0, random_state=0).fit(X, sample_weight=weights)
    assert ours.inertia_ == pytest.approx(other.inertia_, rel=1e-10)
    order = np.lexsort(other.cluster_centers_.T[::-1])
    np.testing.assert_allclose(ours.cluster_centers_, other.cluster_centers_[order], rtol=1e-9)
    assert np.array_equal(ours.labels_, np.argsort(order)[other.labels_])
    assert ours.score(X, sample_weight=weights) == pytest.approx(-ours.inertia_)
    np.testing.assert_allclose(ours.transform(X).min(1) ** 2 @ weights, ours.inertia_)


def test_neither_order_nor_repetition_matters():
    rng = np.random.default_rng(0)
    X = rng.standard_normal((80, 3))
    weights = rng.integers(0, 4, 80)
    mixed = rng.permutation(80)
    first = KMeans(6, random_state=1).fit(X, sample_weight=weights)
    other = KMeans(6, random_state=1).fit(X[mixed], sample_weight=weights[mixed])
    twice = KMeans(6, random_state=1).fit(X.repeat(weights, 0))
    np.testing.assert_allclose(first.cluster_centers_, other.cluster_centers_, rtol=1e-12)
    np.testing.assert_allclose(first.cluster_centers_, twice.cluster_centers_, rtol=1e-12)


def test_each_step_of_kmeans_is_a_minimum():
    X, _ = make_blobs(300, centers=4, cluster_std=2.0, random_state=0)
    model = KMeans(4, tol=0, random_state=0).fit(X)
    means = np.stack([X[model.labels_ == k].mean(0) for k in range(4)])
    np.testing.assert_allclose(model.cluster_centers_, means, rtol=1e-12)
    assert np.array_equal(model.predict(X), np.linalg.norm(X[:, None] - means, axis=2).argmin(1))


def test_fewer_different_rows_than_clusters_are_told():
    with pytest.warns(
        UserWarning, match="KMeans: 2 clusters were found instead of 3: there are not more different"
    ):
        model = KMeans(3, random_state=0).fit([[0.0], [0.0], [1.0], [1.0]])
    assert model.inertia_ == 0


@pytest.mark.parametrize("whiten", [True, False])
@pytest.mark.parametrize("components", [None, 1, 3, 0.9, 0.999])
def test_pca_is_scikit_learns_up_to_signs(components, whiten):
    X, _ = load_iris(return_X_y=True)
    ours = PCA(components, whiten=whiten).fit(X)
    other = decomposition.PCA(components, whiten=whiten, svd_solver="full").fit(X)
    assert ours.n_components_ == other.n_components_
    np.testing.assert_allclose(np.abs(ours.components_), np.abs(other.components_), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(np.abs(ours.transform(X)), np.abs(other.transform(X)), rtol=1e-8, atol=1e-10)
    for name in ("explained_variance_", "explained_variance_ratio_", "singular_values_", "noise_variance_"):
        np.testing.assert_allclose(getattr(ours, name), getattr(other, name), rtol=1e-9, atol=1e-12)
    back = ours.inverse_transform(ours.transform(X))
    np.testing.assert_allclose(back, other.inverse_transform(other.transform(X)), rtol=1e-9)
    assert (ours.components_[np.arange(len(ours.components_)), np.abs(ours.components_).argmax(1)] > 0).all()
