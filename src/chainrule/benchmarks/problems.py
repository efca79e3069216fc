"""Data and starting weights of a workload, made with NumPy from a seed, and the loss of trained weights.

Every process that takes part makes the same arrays here. The loss is computed here as well, in plain NumPy
with sums in float64, so that no side judges itself.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .workloads import Expression, Training

Array = NDArray[Any]
ROWS = 4096  # rows at a time where the loss is computed: what is needed in between stays small


class Problem(NamedTuple):
    """x: (rows, features); y: (rows, 1), or class numbers (rows,); weights: w (out, in), b (out,), ..."""

    x: Array
    y: Array
    weights: list[Array]


def training_problem(work: Training) -> Problem:
    """Data with something to learn and some noise, so that gradients never vanish, and starting weights."""
    draw = np.random.default_rng(20_240)
    features, outputs = work.sizes[0], work.sizes[-1]
    x = draw.standard_normal((work.rows, features), dtype=np.float32)
    if work.loss == "half squares":  # the data of the book's linear regression
        w = np.array([[2.0], [-3.4]])  # (2, 1)
        y: Array = (x @ w + 4.2 + draw.normal(0, 0.01, (work.rows, 1))).astype(np.float32)
    else:
        teacher = draw.standard_normal((features, outputs), dtype=np.float32) / np.float32(features**0.5)
        scores = 3 * x @ teacher  # (rows, features) @ (features, outputs) -> (rows, outputs)
        if work.loss == "cross-entropy":  # classes drawn with these scores as logits, by Gumbel's trick
            y = np.argmax(scores + draw.gumbel(size=scores.shape), axis=1)
        else:
            y = (np.tanh(scores) + draw.normal(0, 0.1, scores.shape)).astype(np.float32)
    weights: list[Array] = []
    for inputs, units in zip(work.sizes, work.sizes[1:], strict=False):
        bound = inputs**-0.5  # nn.Linear's own
        weights.append(draw.uniform(-bound, bound, (units, inputs)).astype(np.float32))
        weights.append(draw.uniform(-bound, bound, (units,)).astype(np.float32))
    return Problem(x, y, weights)


def loss_of(work: Training, problem: Problem, weights: list[Array]) -> float:
    """The loss over all rows, without dropout.

    Raises: ValueError if the weights have other shapes than the workload's.
    """
    shapes = [w.shape for w in weights]
    if shapes != [w.shape for w in problem.weights]:
        raise ValueError(f"the weights have the shapes {shapes}, not {[w.shape for w in problem.weights]}")
    total = 0.0
    for start in range(0, work.rows, ROWS):
        out = problem.x[start : start + ROWS]
        y = problem.y[start : start + ROWS]
        for i in range(0, len(weights), 2):
            out = out @ weights[i].T + weights[i + 1]  # (n, in) @ (in, out) -> (n, out)
            if i + 2 < len(weights):
                out = np.maximum(out, 0)
        out = out.astype(np.float64)
        if work.loss == "cross-entropy":
            top = out.max(axis=1)
            sums = np.log(np.exp(out - top[:, None]).sum(axis=1)) + top  # (n,)
            total += float((sums - out[np.arange(len(y)), y]).sum())
        else:
            total += float(((out - y) ** 2).sum()) / (2 if work.loss == "half squares" else 1)
    return total / work.rows


def inputs_of(work: Expression) -> list[Array]:
    """Standard normal numbers, float32."""
    draw = np.random.default_rng(20_240)
    return [draw.standard_normal(shape, dtype=np.float32) for shape in work.shapes]


def value_of(work: Expression, inputs: list[Array]) -> Array:
    """The result in float64."""
    first, *rest = (x.astype(np.float64) for x in inputs)
    if work.formula == "chain":
        (b,) = rest
        result: Array = np.tanh(first * b + first) * b
    elif work.formula == "softmax":
        result = np.exp(first - first.max(axis=1, keepdims=True))
        result /= result.sum(axis=1, keepdims=True)
    else:
        result = sum(rest, start=first)
    return result
