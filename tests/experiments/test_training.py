"""Dropout, early stopping, splits, depth, clipping, normalisation, XOR, steps: several seeds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special, stats

import chainrule as torch
from chainrule import experiments
from chainrule.training import evaluate

SEEDS = [0, 1, 2, 3]


# Dropout ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_dropout_has_no_bias(p: float) -> None:
    draws = 20_000
    for seed in SEEDS:
        result = experiments.dropout([p], draws=draws, seed=seed)
        x = result["x"].numpy()
        deviation = x * math.sqrt(p / (1 - p))
        assert (abs(result["means"][0].numpy() - x) < 4.5 * deviation / math.sqrt(draws)).all()
        assert_allclose(np.sqrt(result["variances"][0]), deviation, rtol=0.05)
        zeros = result["zeros"][0].numpy() * draws
        assert (stats.binom.cdf(zeros, draws, p) > 1e-6).all()
        assert (stats.binom.sf(zeros - 1, draws, p) > 1e-6).all()
        assert result.column("same at inference") == [True]


def test_dropout_would_have_a_bias_without_its_factor() -> None:
    result = experiments.dropout([0.5])  # the test above can fail: what is dropped is half
    assert (result["means"][0] * 0.5 < result["x"] * 0.6).all()


# Early stopping ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS[:3])
def test_early_stopping_keeps_the_best_weights(seed: int) -> None:
    result = experiments.early_stopping(seed=seed, epochs=250)
    history = result["stopped_history"]
    errors = [epoch.val_loss for epoch in history.epochs]
    assert result["best"] == 1 + int(np.argmin(errors))
    assert history.stopped == "patience"
    assert len(errors) == result["best"] + 50
    kept = evaluate(result["model"], torch.nn.functional.mse_loss, [result["validation_rows"]])
    assert kept == pytest.approx(min(errors), rel=1e-5)
    assert result["train"][0] < result["train"][1]  # to the end, the training rows fit better,
    assert result["test"][0] > result["test"][1]  # and new ones worse


# Splits -----------------------------------------------------------------------------------------------------


def test_nothing_of_the_held_out_rows_is_learned() -> None:
    """Held-out rows are changed wildly: what was learned without them must not change in a single bit."""
    before = experiments.k_fold()
    x, y = before["x"], before["y"]
    for number, fold in enumerate(before["folds"]):
        held_out = torch.tensor(np.concatenate([fold.validation, before["test_rows"]]))
        other_x, other_y = x.clone(), y.clone()
        other_x[held_out] = 1000 * x[held_out] + 5
        other_y[held_out] = -100 * y[held_out]
        after = experiments.k_fold(data=(other_x, other_y))
        for a, b in zip(before["preparations"][number], after["preparations"][number], strict=True):
            assert torch.equal(a, b)
        for row, other in zip(before["weights"], after["weights"], strict=True):
            assert torch.equal(row[number], other[number])
            others = [i for i in range(len(row)) if i != number]
            assert not any(torch.equal(row[i], other[i]) for i in others)  # these did learn from them
        assert before["validation"][0][number] != after["validation"][0][number]


def test_test_rows_do_not_take_part_in_the_choice() -> None:
    before = experiments.k_fold()
    x, y = before["x"].clone(), before["y"].clone()
    rows = torch.tensor(before["test_rows"])
    y[rows] = 1e6
    after = experiments.k_fold(data=(x, y))
    assert after["validation"] == before["validation"]
    assert after["chosen"] == before["chosen"]
    assert after["test"] > 1000 * before["test"]
    in_folds = np.concatenate([fold.validation for fold in before["folds"]])
    assert sorted([*in_folds, *before["test_rows"]]) == list(range(80))


@pytest.mark.parametrize("seed", SEEDS)
def test_validation_errors_are_those_of_ridge_regression(seed: int) -> None:
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    result = experiments.k_fold([0.1, 2.0], seed=seed)
    x, y = result["x"].numpy(), result["y"].numpy()
    for decay, errors in zip([0.1, 2.0], result["validation"], strict=True):
        for fold, error in zip(result["folds"], errors, strict=True):
            n = len(fold.train)
            # Our std divides by n - 1, scikit-learn's by n: the same for a decay scaled by n / (n - 1).
            model = make_pipeline(StandardScaler(), Ridge(alpha=n * decay * n / (n - 1)))
            model.fit(x[fold.train], y[fold.train])
            expected = ((model.predict(x[fold.validation]) - y[fold.validation]) ** 2).mean()
            assert_allclose(error, expected, rtol=1e-9)


def test_a_leak_pretends() -> None:
    result = experiments.leakage(seeds=10)
    assert min(result["leaking"]) > 0.7
    # 500 coin flips, correlated within a data set; the leak is 17 of these standard errors above.
    assert abs(np.mean(result["right"]) - 0.5) < 3 * 0.5 / math.sqrt(500) * 1.5


# Depth ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_linear_layers_multiply_mean_squares_by_n_sigma_squared(seed: int) -> None:
    n, depth = 256, 6
    result = experiments.initialisation(["identity"], depth=depth, width=n, rows=64, seed=seed)
    for start, variance in (("normal 0.01", 1e-4), ("normal 1", 1.0), ("xavier", 1 / n), ("kaiming", 2 / n)):
        signal, gradient = (result[what]["identity", start] for what in ("signal", "gradient"))
        assert len(signal) == len(gradient) == depth
        factors = [*np.divide(signal[1:], signal[:-1]), *np.divide(gradient[:-1], gradient[1:])]
        assert_allclose(factors, n * variance, rtol=0.1)


@pytest.mark.parametrize("seed", SEEDS)
def test_kaiming_keeps_what_relu_halves(seed: int) -> None:
    result = experiments.initialisation(
        ["relu"], ["kaiming", "xavier"], width=512, rows=64, depth=6, seed=seed
    )
    for start, factor in (("kaiming", 1.0), ("xavier", 0.5)):
        signal, gradient = (result[what]["relu", start] for what in ("signal", "gradient"))
        assert (signal[-1] / signal[0]) ** (1 / 5) == pytest.approx(factor, rel=0.08)
        assert (gradient[0] / gradient[-1]) ** (1 / 5) == pytest.approx(factor, rel=0.08)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_sigmoid_lets_a_sixteenth_through(seed: int) -> None:
    result = experiments.initialisation(["sigmoid", "tanh"], ["xavier"], seed=seed)
    gradient = result["gradient"]["sigmoid", "xavier"]
    assert (np.divide(gradient[:-1], gradient[1:]) < 1 / 16 * 1.1).all()  # the slope is at most 1/4
    assert (np.divide(gradient[:-1], gradient[1:]) > 1 / 16 * 0.7).all()
    spread = result["spread"]["sigmoid", "xavier"]
    assert spread[-1] / spread[0] < 1e-9  # rows become one,
    assert result["signal"]["sigmoid", "xavier"][-1] > 0.2  # though their mean square is far from 0
    assert result["gradient"]["tanh", "xavier"][0] > 0.05 * result["gradient"]["tanh", "xavier"][-1]


@pytest.mark.parametrize("size", [1, 4, 30])
def test_products_grow_as_predicted(size: int) -> None:
    factors = 400
    for seed in SEEDS:
        result = experiments.exploding_products([0.3, 1.0], size=size, factors=factors, seed=seed)
        deviation = math.sqrt(special.polygamma(1, size / 2)) / 2 * math.sqrt(factors)
        for scale, logs, growth in zip([0.3, 1.0], result["norms"], result["growth"], strict=True):
            expected = math.log(scale) + (math.log(2) + special.digamma(size / 2)) / 2
            assert growth == pytest.approx(expected, rel=1e-12)
            assert abs(logs[-1] - factors * expected) < 4.5 * deviation
    assert result["critical"] == pytest.approx(math.exp(-(math.log(2) + special.digamma(size / 2)) / 2))


def test_products_of_the_notes() -> None:
    result = experiments.exploding_products()
    vanishing, kept, exploding = (logs[-1] for logs in result["norms"])
    assert vanishing < -40 < abs(kept) < 20 < 40 < exploding


# Clipping, normalisation ------------------------------------------------------------------------------------


def test_clipping() -> None:
    result = experiments.clipping()
    plain, tiny, clipped = result["losses"].values()
    assert plain[-1] == math.inf
    assert 1 < tiny[-1] < tiny[0]
    assert clipped[-1] < 1e-20
    # d/dw of (w^10 - 1)² for each of 10 weights: 2 (w^10 - 1) w^9.
    expected = math.sqrt(10) * 2 * (1.5**10 - 1) * 1.5**9
    assert [norms[0] for norms in result["norms"].values()] == pytest.approx([expected] * 3, rel=1e-12)
    weights = list(result["weights"].values())[2]
    assert math.prod(weights) == pytest.approx(1.0, abs=1e-10)
    assert max(weights) - min(weights) < 1e-12  # all started alike


def test_a_clipped_step_has_its_length() -> None:
    one = experiments.clipping(steps=1, lr=0.05, max_norm=1.0)["weights"]
    step = [1.5 - w for w in list(one.values())[2]]
    assert np.linalg.norm(step) == pytest.approx(0.05, rel=1e-5)


@pytest.mark.parametrize("seed", SEEDS[:2])
def test_normalisation_takes_the_scale_away(seed: int) -> None:
    result = experiments.normalisation([0.2, 1.0, 5.0], epochs=60, seed=seed)
    signals, losses = result["signals"], result["losses"]
    # ReLU and layers without a bias are homogeneous: 8 layers multiply the signal by gain^8.
    assert signals["none", 5.0] / signals["none", 0.2] == pytest.approx(25.0**8, rel=1e-3)
    for kind in ("batch", "layer"):
        assert signals[kind, 5.0] == pytest.approx(signals[kind, 0.2], rel=0.02)
    assert losses["none", 0.2][-1] > 0.6  # nothing learned
    assert not losses["none", 5.0][-1] < 0.7
    assert all(losses["batch", gain][-1] < 0.4 for gain in (0.2, 1.0, 5.0))


# XOR --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
def test_xor(seed: int) -> None:
    result = experiments.xor(seed=seed)
    assert len(result["mistakes"]) == 500
    assert min(result["mistakes"]) >= 1
    for name in ("linear", "hidden layer, no activation"):
        # The loss is convex in the line, and symmetric: its minimum is at w = 0, where it is log 2.
        assert result["losses"][name][-1] == pytest.approx(math.log(2), abs=0.01)
        assert result["accuracies"][name] <= 0.75
    assert result["accuracies"]["perceptron"] <= 0.75
    assert result["accuracies"]["hidden layer, tanh"] == 1.0
    assert result["losses"]["hidden layer, tanh"][-1] < 0.05


# Steps ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", SEEDS)
def test_gradient_descent_on_a_quadratic(seed: int) -> None:
    factors, steps = [0.02, 0.5, 0.95, 0.999, 1.001, 1.05], 30
    result = experiments.learning_rate(factors, steps=steps, seed=seed)
    x = result["x"].numpy()
    values, vectors = np.linalg.eigh(x.T @ x / len(x))
    assert_allclose(result["curvatures"], values, rtol=1e-10)
    error = vectors.T @ (result["start"].numpy() - result["optimum"].numpy())
    for factor, lr, losses, w in zip(
        factors, result["lrs"], result["losses"], result["weights"], strict=True
    ):
        assert lr == pytest.approx(factor * 2 / values[1])
        left = (1 - lr * values) ** steps * error
        assert_allclose(vectors.T @ (w.numpy() - result["optimum"].numpy()), left, rtol=1e-8, atol=1e-12)
        assert_allclose(losses[-1], (values * left**2).sum() / 2, rtol=1e-6, atol=1e-12)
    verdicts = result.column("verdict")
    assert verdicts[0] == "too small"
    assert verdicts[1] == "converges"
    assert verdicts[5] == "too large: diverges"


@pytest.mark.parametrize("seed", SEEDS)
def test_the_noise_of_a_batch(seed: int) -> None:
    sizes = [1, 4, 50, 500, 1000]
    result = experiments.batch_size(sizes, draws=1000, seed=seed)
    measured, predicted = result["measured"], result["predicted"]
    assert_allclose(measured[:4], predicted[:4], rtol=0.1)
    assert measured[4] < 1e-12
    assert predicted[4] == 0
    assert predicted[0] / predicted[1] == pytest.approx(2 / math.sqrt(996 / 999))
    assert result["losses"][0][-1] > 1e-4  # batches of 1 jump about the minimum


@pytest.mark.parametrize(("rows", "pieces"), [(128, 4), (128, 5), (7, 7)])
def test_accumulated_gradients(rows: int, pieces: int) -> None:
    result = experiments.accumulation(rows=rows, pieces=pieces)
    whole, shares, divided, summed = result["gradients"].values()
    assert_allclose(shares, whole, atol=1e-14)
    if rows % pieces == 0:
        assert_allclose(divided, whole, atol=1e-14)
        assert_allclose(summed, pieces * whole, atol=1e-13)
    else:
        assert not np.allclose(divided, whole, atol=1e-6)


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_undo_a_covariate_shift(seed: int) -> None:
    result = experiments.covariate_shift(seed=seed)
    x = result["x"].numpy()
    known, learned = (values.numpy() for values in result["ratio"])
    assert_allclose(known, stats.norm.pdf(x, 1.5, 0.5) / stats.norm.pdf(x), rtol=1e-10)
    assert np.corrcoef(known, learned)[0, 1] > 0.98
    plain, by_ratio, by_classifier, best = result["errors"].values()
    assert plain > 2 * by_ratio
    assert max(by_ratio, by_classifier) < 1.3 * best
