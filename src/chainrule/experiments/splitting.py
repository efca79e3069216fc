"""Three parts, k folds, and leaks: what may be learned from which rows.

Weights, means and scales are learned from training rows. The amount of weight decay is chosen by validation
rows. Test rows are looked at once. `k_fold` does it right; `leakage` shows what a leak pretends. Next:
`depth.py`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from .. import linalg
from ..core.dtypes import float64
from ..core.errors import ArgumentError
from ..creation import eye, ones, tensor, zeros
from ..data import Fold, fold_rows, split_rows
from ..functions.joining import cat
from ..functions.sampling import randint, randn
from ..tensor import Tensor
from .result import Result, listed, positive
from .training import seeded, undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@undisturbing
def k_fold(
    decays: Sequence[float] = (0.001, 0.01, 0.1, 1.0, 10.0),
    *,
    k: int = 5,
    rows: int = 80,
    inputs: int = 30,
    noise: float = 2.0,
    data: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
) -> Result:
    """Choose a weight decay by k-fold cross-validation, and look at the test rows once, at the end.

    A fifth of the rows is set aside as the test. The rest makes k folds; in each, means and scales of the
    inputs are those of its training rows, and so are the weights. With the decay that validates best, all
    rows but the test are learned from.

    Args:    decays: λ in half the mean squared error + λ/2 ‖w‖². data: (x, y) of shapes (rows, inputs) and
             (rows,), instead of random ones.
    Returns: "validation" (decays, folds), "chosen", "test", "folds" (row numbers within all rows),
             "test_rows", "preparations": (mean, std) of each fold, "x", "y".

    >>> from chainrule import experiments
    >>> result = experiments.k_fold()
    >>> result["chosen"], len(result["folds"])
    (1.0, 5)
    """
    decays = listed("k_fold", "decays", decays)
    positive("k_fold", rows=rows, inputs=inputs, decays=min(decays))
    if data is None:
        with seeded(seed):
            z = randn(rows, inputs, dtype=float64)
            y = z @ (randn(inputs, dtype=float64) * 0.4) + 4 + noise * randn(rows, dtype=float64)
            x = (
                5 + z * randn(inputs, dtype=float64).exp()
            )  # inputs of very different sizes, as tables have them
    else:
        x, y = (part.detach().to(float64) for part in data)
        if x.ndim != 2 or y.shape != x.shape[:1]:
            raise ArgumentError.of(
                "experiments.k_fold",
                given=f"x {tuple(x.shape)} and y {tuple(y.shape)}",
                must="x must be (rows, inputs) and y (rows,)",
            )
    split = split_rows(len(x), test_size=0.2, val_size=0.0, seed=seed)
    rest = split.train  # with val_size=0: all rows but the test
    folds = [Fold(rest[fold.train], rest[fold.validation]) for fold in fold_rows(len(rest), k, seed=seed)]
    fits = [
        [_Ridge(x[tensor(fold.train)], y[tensor(fold.train)], decay) for fold in folds] for decay in decays
    ]
    errors = [
        [
            fit.error(x[tensor(fold.validation)], y[tensor(fold.validation)])
            for fit, fold in zip(row, folds, strict=True)
        ]
        for row in fits
    ]
    means = [sum(row) / k for row in errors]
    spread = [float(np.std(row, ddof=1)) / math.sqrt(k) for row in errors]
    best = min(range(len(decays)), key=means.__getitem__)
    final = _Ridge(x[tensor(rest)], y[tensor(rest)], decays[best])
    test = final.error(x[tensor(split.test)], y[tensor(split.test)])
    seen = [
        sum(fit.error(x[tensor(f.train)], y[tensor(f.train)]) for fit, f in zip(row, folds, strict=True)) / k
        for row in fits
    ]
    return Result(
        f"Weight decay chosen by {k} folds of {len(rest)} rows; {len(split.test)} rows for the test",
        ("λ", "train error", "validation error", "± standard error", "chosen", "test error"),
        tuple(
            (decay, a, b, c, i == best, test if i == best else None)
            for i, (decay, a, b, c) in enumerate(zip(decays, seen, means, spread, strict=True))
        ),
        (
            f"λ = {decays[best]:g} validates best. Its test error was looked at once, after the choice; the "
            "validation error of the winner is a little too good, because it was chosen for it.",
        ),
        {
            "validation": errors,
            "chosen": decays[best],
            "test": test,
            "folds": folds,
            "test_rows": split.test,
            "preparations": [(fit.mean, fit.std) for fit in fits[0]],
            "weights": [[fit.weights for fit in row] for row in fits],
            "x": x,
            "y": y,
        },
        lambda ax: _draw_choice(ax, decays, seen, means, best),
    )


@undisturbing
def leakage(*, rows: int = 50, inputs: int = 2000, chosen: int = 10, k: int = 5, seeds: int = 10) -> Result:
    """Choose the best inputs before or within cross-validation, where labels are coin flips.

    No input has anything to do with the labels, so that no model can be better than chance. Choosing the
    inputs that go best with the labels of all rows, validation rows included, makes it look as if one were
    (the example is that of Hastie, Tibshirani and Friedman, The Elements of Statistical Learning, section
    7.10.2).

    Args:    seeds: over how many data sets the accuracies are averaged.
    Returns: "leaking" and "right": the accuracies of all data sets.

    >>> from chainrule import experiments
    >>> result = experiments.leakage(seeds=3)
    >>> sum(result["leaking"]) / 3 > 0.75, 0.3 < sum(result["right"]) / 3 < 0.7
    (True, True)
    """
    positive("leakage", rows=rows, inputs=inputs, chosen=chosen, seeds=seeds)
    leaking, right = [], []
    for seed in range(seeds):
        with seeded(seed):
            x = randn(rows, inputs, dtype=float64)
            y = 2 * randint(0, 2, (rows,)).to(float64) - 1
        folds = fold_rows(rows, k, seed=seed)
        everywhere = _best_inputs(x, y, chosen)
        leaking.append(_accuracy(x, y, folds, lambda train, columns=everywhere: columns))
        right.append(
            _accuracy(
                x, y, folds, lambda train, x=x, y=y: _best_inputs(x[tensor(train)], y[tensor(train)], chosen)
            )
        )
    table = tuple(
        (name, sum(found) / seeds, min(found), max(found))
        for name, found in (("from all rows", leaking), ("from the training rows of each fold", right))
    )
    return Result(
        f"{chosen} of {inputs} meaningless inputs chosen for coin flips, {k} folds, {seeds} data sets",
        ("inputs are chosen", "accuracy", "lowest", "highest"),
        table,
        ("The truth is 0.5. Whatever looks at labels belongs inside the folds.",),
        {"leaking": leaking, "right": right},
        lambda ax: _draw_leak(ax, leaking, right),
    )


class _Ridge:
    """(ZᵀZ/n + λI)⁻¹ Zᵀ(y - ȳ)/n, Z standardised inputs. Knows nothing but the rows it got."""

    def __init__(self, x: Tensor, y: Tensor, decay: float) -> None:
        self.mean, self.std = x.mean(0), x.std(0)
        z = (x - self.mean) / self.std
        self.bias = y.mean()
        gram = z.T @ z / len(z) + decay * eye(x.shape[1], dtype=float64)
        self.weights = linalg.solve(gram, z.T @ (y - self.bias) / len(z))

    def error(self, x: Tensor, y: Tensor) -> float:
        value: float = (((x - self.mean) / self.std @ self.weights + self.bias - y) ** 2).mean().item()
        return value


def _best_inputs(x: Tensor, y: Tensor, chosen: int) -> Tensor:
    """The columns that go best with the labels: largest absolute correlation."""
    z = (x - x.mean(0)) / x.std(0)
    columns: Tensor = (z.T @ (y - y.mean())).abs().topk(chosen).indices
    return columns


def _accuracy(x: Tensor, y: Tensor, folds: list[Fold], choose: object) -> float:
    assert callable(choose)
    hits = zeros(())
    for fold in folds:
        columns = choose(fold.train)
        train, held_out = tensor(fold.train), tensor(fold.validation)
        extended = cat([x[:, columns], ones(len(x), 1, dtype=float64)], dim=1)
        w = linalg.lstsq(extended[train], y[train].reshape(-1, 1)).solution[:, 0]
        hits += ((extended[held_out] @ w > 0) == (y[held_out] > 0)).sum()
    return float(hits.item()) / len(x)


def _draw_choice(
    ax: Axes | None, decays: list[float], seen: list[float], means: list[float], best: int
) -> Axes:
    from .. import plot

    ax = plot.lines(
        decays,
        [seen, means],
        legend=["training rows", "validation rows"],
        fmts=["o-", "s--"],
        xscale="log",
        xlabel="λ",
        ylabel="mean squared error",
        ax=ax,
    )
    return plot.scatter([decays[best]], [means[best]], size=120, label="chosen", ax=ax)


def _draw_leak(ax: Axes | None, leaking: list[float], right: list[float]) -> Axes:
    from .. import plot

    return plot.lines(
        [leaking, right, [0.5] * len(right)],
        legend=["chosen from all rows", "chosen within folds", "truth"],
        fmts=["o", "s", "k-"],
        xlabel="data set",
        ylabel="accuracy",
        ylim=(0, 1),
        ax=ax,
    )
