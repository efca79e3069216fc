"""Support vector machines beside scikit-learn's: `python -m chainrule.benchmarks.estimators`.

Both fit the same 5,000 rows with 20 features, taking turns; the best of some rounds counts. What is printed:
both times, their ratio, and the largest difference of decision values. scikit-learn is no side of
`chainrule bench`, which compares frameworks; this is a program of its own, and loads it when it runs.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import numpy as np

from .measure import show

ROWS, FEATURES, ROUNDS = 5_000, 20, 5
LIMIT = 1.5  # times scikit-learn's time, at most


def data() -> tuple[Any, Any, Any]:
    """Standardised rows, two classes, and numbers with noise."""
    from sklearn.datasets import make_classification

    x, classes = make_classification(ROWS, FEATURES, n_informative=10, random_state=0)
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    noise = np.random.default_rng(0).normal(0, 0.1, ROWS)
    return x, classes, np.sin(x[:, 0]) + 0.5 * x[:, 1] + noise


def pairs() -> list[tuple[str, Any, Any]]:
    """What is measured: a name, our estimator and scikit-learn's with the same parameters."""
    from sklearn import svm

    from .. import models

    found: list[tuple[str, Any, Any]] = []
    for options in (
        {"kernel": "rbf"},
        {"kernel": "rbf", "C": 10.0},
        {"kernel": "poly"},
        {"kernel": "linear"},
    ):
        text = ", ".join(f"{name}={value}" for name, value in options.items())
        found.append((f"SVC, {text}", models.SVC(**options), svm.SVC(**options)))
        found.append((f"SVR, {text}", models.SVR(**options), svm.SVR(**options)))
    for loss in ("squared_hinge", "hinge"):
        # liblinear's dual method needs more than its usual 1,000 steps for some losses.
        other = svm.LinearSVC(loss=loss, dual=loss == "hinge", max_iter=100_000)
        found.append((f"LinearSVC, loss={loss}", models.LinearSVC(loss=loss), other))
    return found


def main() -> int:
    """Measure and print; the status is 1 if a ratio is above the limit."""
    x, classes, numbers = data()
    worst = 0.0
    for name, ours, other in pairs():
        y = numbers if name.startswith("SVR") else classes
        best = {"ours": np.inf, "other": np.inf}
        for _ in range(ROUNDS):
            for side, model in (("ours", ours), ("other", other)):
                start = time.perf_counter()
                model.fit(x, y)
                best[side] = min(best[side], time.perf_counter() - start)
        method = "predict" if name.startswith("SVR") else "decision_function"
        apart = float(np.abs(getattr(ours, method)(x) - getattr(other, method)(x)).max())
        ratio = best["ours"] / best["other"]
        worst = max(worst, ratio)
        times = f"{show(best['ours']):>8}  scikit-learn {show(best['other']):>8}  ratio {ratio:5.2f}"
        sys.stdout.write(f"{name:28} chainrule {times}  apart {apart:.1e}\n")
        sys.stdout.flush()
    sys.stdout.write(f"worst ratio {worst:.2f}, limit {LIMIT}\n")
    return 0 if worst <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
