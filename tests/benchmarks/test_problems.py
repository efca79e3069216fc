"""The data of the benchmarks, and the losses that judge all sides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import log_softmax, softmax

from chainrule.benchmarks.problems import ROWS, inputs_of, loss_of, training_problem, value_of
from chainrule.benchmarks.sides import WORK
from chainrule.benchmarks.workloads import WORKLOADS, Expression, Training

TRAININGS = [work.quick() for work in WORKLOADS if isinstance(work, Training)]


def training(name: str) -> Training:
    work = WORK[name]
    assert isinstance(work, Training)
    return work


@pytest.mark.parametrize("work", TRAININGS, ids=lambda work: work.name)
def test_shapes_and_types(work: Training) -> None:
    x, y, weights = training_problem(work)
    assert (x.shape, x.dtype) == ((work.rows, work.sizes[0]), np.float32)
    classes = work.loss == "cross-entropy"
    assert (y.shape, y.dtype) == (((work.rows,), np.int64) if classes else ((work.rows, 1), np.float32))
    assert all(w.dtype == np.float32 for w in weights)
    assert [w.shape for w in weights[::2]] == list(zip(work.sizes[1:], work.sizes[:-1], strict=True))
    again = training_problem(work)
    assert all((a == b).all() for a, b in zip([x, y, *weights], [*again[:2], *again[2]], strict=True))


def test_cross_entropy_of_two_layers() -> None:
    work = replace(training("mlp-full-batch"), sizes=(4, 5, 3), rows=ROWS + 7)  # more than one part
    problem = training_problem(work)
    w1, b1, w2, b2 = (w.astype(float) for w in problem.weights)
    logits = np.maximum(problem.x @ w1.T + b1, 0) @ w2.T + b2
    expected = -log_softmax(logits, axis=1)[np.arange(work.rows), problem.y].mean()
    assert loss_of(work, problem, problem.weights) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("name", "factor"), [("linear", 0.5), ("mlp-small", 1.0)])
def test_squared_losses(name: str, factor: float) -> None:
    work = replace(training(name), sizes=(training(name).sizes[0], 1), rows=50)
    problem = training_problem(work)
    w, b = problem.weights
    expected = factor * ((problem.x @ w.T + b - problem.y) ** 2).mean()
    assert loss_of(work, problem, problem.weights) == pytest.approx(expected, rel=1e-5)


def test_linear_regression_has_the_solution_of_the_book() -> None:
    work = training("linear")
    x, y, _ = training_problem(work)
    solution, *_ = np.linalg.lstsq(np.hstack([x, np.ones((work.rows, 1))]), y, rcond=None)
    np.testing.assert_allclose(solution.ravel(), [2, -3.4, 4.2], atol=0.005)


def test_weights_of_other_shapes_are_refused() -> None:
    work = training("linear")
    problem = training_problem(work)
    with pytest.raises(ValueError) as info:
        loss_of(work, problem, [problem.weights[0].T, problem.weights[1]])
    assert str(info.value) == "the weights have the shapes [(2, 1), (1,)], not [(1, 2), (1,)]"


def test_values() -> None:
    for work in WORKLOADS:
        if isinstance(work, Expression):
            inputs = inputs_of(work.quick())
            value = value_of(work.quick(), inputs)
            assert value.dtype == np.float64
            if work.formula == "softmax":
                expected = softmax(inputs[0].astype(float), axis=1)
            elif work.formula == "chain":
                a, b = (x.astype(float) for x in inputs)
                expected = b * (1 - 2 / (np.exp(2 * (a * b + a)) + 1))  # tanh by its definition
            else:
                expected = np.sum(inputs, axis=0, dtype=float)
            np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-14)


def test_operations_of_a_step_are_counted() -> None:
    # 784-256-10: both layers forward, both weights' gradients, the hidden layer's gradient; 2 flops each.
    work = training("mlp")
    whole = 2 * 60_000 * (2 * (784 * 256 + 256 * 10) + 256 * 10)
    assert work.flops * work.batches == pytest.approx(whole)
    assert work.batches == 235
    assert WORK["chain"].bytes == 3 * 80_000_000  # type: ignore[union-attr]
