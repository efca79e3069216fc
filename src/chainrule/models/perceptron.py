"""`Perceptron`: Rosenblatt's rule as the notes write it, with its mistake bound and a clear end.

    start with w = 0 and b = 0
    repeat until no row is wrong:  if y (w'x + b) <= 0:  w = w + y x,  b = b + y

If some plane separates the classes, this ends after at most (R / gamma)^2 mistakes: R is the length of the
longest row (with a 1 for b), gamma the distance of the nearest one from the plane. If none does, it never
ends by itself; a pass that begins with weights that an earlier one began with proves it. Next:
`linear_svc.py`, which finds the plane with the widest margin.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..core.warn import warn
from .base import Array, Classifier, classification

_AHEAD = 256  # rows that are tested together for the next mistake


class Perceptron(Classifier):
    """A plane between two classes, corrected by each row on its wrong side; for more, each against the rest.

    Parameters
        max_iter:  passes over the rows at most.
    Attributes
        coef_, intercept_:  (1, features) and (1,) for two classes, else a row for each class. If the classes
                   cannot be separated, those of the pass with the fewest rows on the wrong side.
        mistakes_:       corrections in all passes, for each row of coef_.
        n_iter_:         passes, the last one without a mistake included; the most of all rows of coef_.
        separated_:      for each row of coef_ whether no training row is on the wrong side.
        margin_:         gamma, the distance of the nearest row from the plane in the space with the
                         additional feature 1; negative if it is on the wrong side.
        mistake_bound_:  (R / gamma)^2 with that gamma; inf where the classes are not separated.

    Warns if the passes are over before the classes are separated, or if it is proven that they never will be.

    >>> import numpy as np
    >>> from chainrule.models import Perceptron
    >>> X, y = np.array([[0, 0], [0, 1], [1, 0], [1, 1]]), np.array([0, 0, 0, 1])  # and
    >>> model = Perceptron().fit(X, y)
    >>> model.predict(X), model.mistakes_, model.mistake_bound_.round(), model.separated_
    (array([0, 0, 0, 1]), array([18]), array([87.]), array([ True]))
    """

    def __init__(self, max_iter: int = 1000) -> None:
        self.max_iter = max_iter

    def fit(self, X: Any, y: Any) -> Perceptron:
        """Fit to X (n, features) and classes y (n,). The order of the rows matters."""
        passes = self._count("max_iter")
        data = classification(self, X, y)
        x = np.hstack([data.x, np.ones((len(data.x), 1))])
        which = [1] if len(data.classes) == 2 else range(len(data.classes))
        runs = [_rosenblatt(np.where(data.y == k, 1.0, -1.0)[:, None] * x, passes) for k in which]
        w = np.stack([run[0] for run in runs])
        self.coef_, self.intercept_ = w[:, :-1], w[:, -1]
        self.mistakes_ = np.array([run[1] for run in runs])
        self.n_iter_ = max(run[2] for run in runs)
        signs = np.stack([np.where(data.y == k, 1.0, -1.0) for k in which])  # (rows of coef_, n)
        lengths = np.linalg.norm(w, axis=1)
        self.margin_ = (signs * (w @ x.T)).min(axis=1) / np.where(lengths > 0, lengths, 1.0)
        self.separated_ = self.margin_ > 0
        longest = float(np.linalg.norm(x, axis=1).max())
        gamma = np.where(self.separated_, self.margin_, 1.0)
        self.mistake_bound_ = np.where(self.separated_, (longest / gamma) ** 2, np.inf)
        self._tell(runs, w @ x.T * signs, [data.classes.tolist()[k] for k in which])
        return self

    def _tell(self, runs: list[Any], values: Array, names: list[Any]) -> None:
        for (_, _, passes, begun), f, name in zip(runs, values, names, strict=True):
            wrong = int((f <= 0).sum())
            if not wrong:
                continue
            against = "" if len(runs) == 1 else f" class {name!r} against the rest:"
            if begun is not None:
                why = f"no plane separates the classes: pass {passes} ended where pass {begun} had begun"
                hint = "a model that bends (MLPClassifier, SVC), or one that allows errors (LinearSVC)"
            else:
                why = f"no plane that separates the classes was found in {passes} passes"
                hint = "a larger max_iter if you know that there is one; else LinearSVC, which allows errors"
            warn(f"Perceptron:{against} {why}; {wrong} of {len(f)} rows are on the wrong side\n  try: {hint}")

    def decision_function(self, X: Any) -> Array:
        """w'x + b: (n,) for two classes, else (n, classes)."""
        values: Array = self._rows(X) @ self.coef_.T + self.intercept_
        return values[:, 0] if len(self.classes_) == 2 else values

    def predict(self, X: Any) -> Array:
        """The class of each row; the second one where w'x + b is 0, as in the notes' step function."""
        f = self.decision_function(X)
        return np.asarray(self.classes_[(f >= 0).astype(int) if f.ndim == 1 else f.argmax(axis=1)])


def _rosenblatt(x: Array, most: int) -> tuple[Array, int, int, int | None]:
    """Rosenblatt's rule on rows that have the signs of their classes: x (n, d), right where x w > 0.

    (w, mistakes, passes, and the pass that began with the weights with which the last one ended, if one did)
    """
    w = np.zeros(x.shape[1])
    best, fewest = w, len(x) + 1
    begun = {w.tobytes(): 1}
    mistakes = 0
    for passed in range(1, most + 1):
        before, row = mistakes, 0
        while row < len(x):
            ahead = np.flatnonzero(x[row : row + _AHEAD] @ w <= 0)
            if len(ahead) == 0:
                row += _AHEAD
                continue
            row += int(ahead[0])
            w = w + x[row]
            mistakes += 1
            row += 1
        if mistakes == before:
            return w, mistakes, passed, None
        wrong = int((x @ w <= 0).sum())
        if wrong < fewest:
            best, fewest = w, wrong
        earlier = begun.setdefault(w.tobytes(), passed + 1)
        if earlier <= passed:
            return best, mistakes, passed, earlier
    return best, mistakes, most, None
