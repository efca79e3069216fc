"""What all estimators share: scikit-learn's contract, checked training rows, and random streams.

The idea: an estimator is a class with scikit-learn's parameters and attributes around a solver that knows
neither. Input is checked by scikit-learn's own functions, so what it refuses we refuse, in its words. Rows
of weight 0 are left out before anything else looks at them. Next: `linear.py`, the simplest family.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.utils import check_random_state
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError as err:
    raise ImportError(
        "chainrule.models needs scikit-learn 1.6 or later, whose estimators these are\n"
        "  try: pip install 'scikit-learn>=1.6'"
    ) from err

from ..core.errors import ArgumentError, nearest
from ..executors.cpu import blas
from ..functions.sampling import get_rng_state, manual_seed, set_rng_state

Array = NDArray[Any]


class Estimator(BaseEstimator):  # type: ignore[misc]
    """An estimator of scikit-learn."""

    def _rows(self, X: Any) -> Array:
        """Rows to predict for, checked against those of the training: (n, features), float64."""
        check_is_fitted(self)
        rows: Array = validate_data(self, X, dtype=np.float64, reset=False)
        return rows

    def _one_of(self, name: str, *valid: str) -> str:
        """The value of a parameter that is one of some words."""
        value = getattr(self, name)
        if value not in valid:
            raise ArgumentError.of(
                type(self).__name__,
                given=f"{name}={value!r}",
                must=f"{name} must be one of {', '.join(map(repr, valid))}{nearest(str(value), list(valid))}",
            )
        return str(value)

    def _number(self, name: str, *, above: float | None = None, least: float | None = None) -> float:
        """The value of a parameter that is a number in a range."""
        value = getattr(self, name)
        wanted = f"above {above:g}" if above is not None else f"{least:g} or more"
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float | np.number)
            or not np.isfinite(value)
            or (above is not None and value <= above)
            or (least is not None and value < least)
        ):
            raise ArgumentError.of(
                type(self).__name__, given=f"{name}={value!r}", must=f"{name} must be a number {wanted}"
            )
        return float(value)

    def _count(self, name: str, least: int = 1) -> int:
        """The value of a parameter that is a whole number."""
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < least:
            raise ArgumentError.of(
                type(self).__name__,
                given=f"{name}={value!r}",
                must=f"{name} must be a whole number, {least} or more",
            )
        return int(value)


class Regressor(RegressorMixin, Estimator):  # type: ignore[misc]
    """An estimator that predicts numbers."""


class Classifier(ClassifierMixin, Estimator):  # type: ignore[misc]
    """An estimator that predicts classes."""


class Regression(NamedTuple):
    """Training rows: x (n, features), y (n, outputs), and weights (n,) if there are any."""

    x: Array
    y: Array
    weights: Array | None
    kept: Array  # the numbers of these rows among those given: all that have a weight
    single: bool  # whether y came as one column without an axis of its own


class Classification(NamedTuple):
    """Training rows: x (n, features), y (n,) as numbers of the classes, and weights (n,) if there are any."""

    x: Array
    y: Array
    weights: Array | None
    kept: Array
    classes: Array


def regression(
    model: Regressor, X: Any, y: Any, sample_weight: Any = None, *, outputs: bool = False
) -> Regression:
    """Check the training rows of a regressor. outputs: whether y may have several columns."""
    X, y = validate_data(model, X, y, dtype=np.float64, multi_output=outputs, y_numeric=True)
    y = np.asarray(y, np.float64)
    x, weights, kept = weighted_rows(model, X, sample_weight)
    single = y.ndim == 1
    return Regression(x, (y[:, None] if single else y)[kept], weights, kept, single)


def classification(model: Classifier, X: Any, y: Any, sample_weight: Any = None) -> Classification:
    """Check the training rows of a classifier, set its `classes_`, and number them from 0.

    Raises:  ValueError if there are fewer than two classes.
    """
    X, y = validate_data(model, X, y, dtype=np.float64)
    check_classification_targets(y)
    x, weights, kept = weighted_rows(model, X, sample_weight)
    classes, numbers = np.unique(np.asarray(y).ravel()[kept], return_inverse=True)
    if len(classes) < 2:
        raise ArgumentError.of(
            type(model).__name__,
            given=f"{len(classes)} class, {classes.tolist()[0]!r}",
            must="there must be two classes or more to tell apart",
        )
    model.classes_ = classes
    return Classification(x, numbers, weights, kept, classes)


def weighted_rows(model: Estimator, X: Array, sample_weight: Any) -> tuple[Array, Array | None, Array]:
    """The rows that count, their weights, and which they are."""
    if sample_weight is None:
        return X, None, np.arange(len(X))
    weights = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    kept = np.flatnonzero(weights > 0)
    if len(kept) == 0:  # versions before 1.8 let that pass
        raise ArgumentError.of(
            type(model).__name__,
            given=f"sample_weight {weights.shape} of zeros",
            must="sample weights must contain at least one non-zero number",
        )
    return X[kept], weights[kept], kept


def generator(random_state: Any) -> np.random.RandomState:
    """scikit-learn's reading of `random_state`: None, a seed, or a stream."""
    stream: np.random.RandomState = check_random_state(random_state)
    return stream


def one_thread() -> Any:
    """A block in which NumPy's products use one thread: small ones would lose time waiting for others."""
    library = blas.find()
    return nullcontext() if library is None else library.alone(1)


@contextmanager
def seeded(random_state: Any) -> Iterator[int]:
    """Within the block the global stream is one of its own, of the seed it gives: that of `random_state`."""
    seed = int(generator(random_state).randint(2**31 - 1))
    before = get_rng_state()
    manual_seed(seed)
    try:
        yield seed
    finally:
        set_rng_state(before)
