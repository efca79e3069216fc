"""Signal and gradient on their way through the layers: dead and saturated units, the product over depth.

The gradient at the first layer is a product over all layers behind it, so factors that are a little below or
above 1 make it vanish or explode. Each layer has two: of its weights, and of the activation. The norm of the
gradient over a layer's units shows the product; both factors together say which of the two is to blame.
Source for "the variance of every layer a constant": Glorot & Bengio, 2010; He et al., 2015. Next:
`weights.py`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from .. import limits
from ..findings import Finding
from ..passage import Layer, Passage
from ..recording import Array, Gate, Step


@dataclass(frozen=True)
class Level:
    """All layers at one depth (mostly one).

    signal:   how much the outputs differ from row to row: root mean square over units of the standard
    deviation. gradient: the norm of the gradient that arrives at them.
    passed:   the norm of the gradient that they pass on to their inputs; None for the first.
    """

    name: str
    signal: float
    gradient: float
    passed: float | None


def flow(passage: Passage) -> list[Level]:
    """The levels from the input to the output."""
    levels = []
    for depth in range(1, passage.depth + 1):
        layers = [layer for layer in passage.layers if layer.depth == depth]
        layers = [layer for layer in layers if passage.gradient(layer.use.step) is not None]
        if layers:
            levels.append(_level(passage, layers))
    return levels


def _level(passage: Passage, layers: list[Layer]) -> Level:
    gradients = [g for layer in layers if (g := passage.gradient(layer.use.step)) is not None]
    inputs: dict[int, Step] = {}
    for layer in layers:
        maker = layer.use.step.makers[1 - layer.use.weight]
        if maker is not None and passage.gradient(maker) is not None:
            inputs[maker.number] = maker
    passed = [g for maker in inputs.values() if (g := passage.gradient(maker)) is not None]
    name = layers[0].name
    return Level(
        name, spread([layer.value for layer in layers]), norm(gradients), norm(passed) if passed else None
    )


def norm(arrays: list[Array]) -> float:
    """The Euclidean norm of several arrays together."""
    return math.sqrt(sum(float(np.square(a, dtype=np.float64).sum()) for a in arrays))


def spread(arrays: list[Array]) -> float:
    """How much units (the last axis) differ from row to row: the root of the mean variance."""
    columns = [by_unit(a) for a in arrays]
    total = sum(float(c.var(axis=0).sum()) for c in columns if c.size)
    units = sum(c.shape[1] for c in columns if c.size)
    return math.sqrt(total / units) if units else 0.0


def by_unit(a: Array) -> Array:
    """(..., units) -> (rows, units), in float64."""
    return a.reshape(-1, a.shape[-1] if a.ndim > 1 else 1).astype(np.float64)


def rows_of(a: Array) -> int:
    """How many rows there are for each unit."""
    return a.size // (a.shape[-1] if a.ndim > 1 else 1) if a.size else 0


def dead_share(gate: Gate) -> float | None:
    """The share of units that are off for every row; None if there are too few rows to say."""
    if gate.ends != 1 or rows_of(gate.slope) < limits.FEWEST_ROWS:
        return None
    off = by_unit(np.asarray(gate.slope)) == 0  # (rows, units)
    return float(off.all(axis=0).mean())


def saturated_share(gate: Gate) -> float | None:
    """The share of outputs at a flat end; None for an activation that has a linear part."""
    if gate.ends != 2 or not gate.slope.size:
        return None
    return float((gate.slope < limits.FLAT_SLOPE * gate.steepest).mean())


def check_dead(passage: Passage) -> Iterator[Finding]:
    """Units of a ReLU that are off for the whole batch. Only the first bad layer is told: the others
    follow."""
    for gate in passage.gates:
        share = dead_share(gate)
        if share is None or share < limits.DEAD_SHARE:
            continue
        units = by_unit(gate.step.value).shape[1]
        yield Finding(
            "dead",
            "serious" if share >= limits.DEAD_SERIOUS else "warning",
            passage.name_of(gate.step),
            f"{round(share * units)} of {units} units are {_off(gate)} for all {rows_of(gate.slope)} rows "
            "of the batch, so no gradient passes them and they cannot come back",
            "a smaller learning rate, biases that start at 0, weights from nn.init.kaiming_normal_, or "
            "nn.LeakyReLU instead",
        )
        return


def _off(gate: Gate) -> str:
    return "0" if not gate.step.value[gate.slope == 0].any() else "flat"


def check_saturated(passage: Passage) -> Iterator[Finding]:
    """Sigmoid and tanh far out, where they are flat. Those of the output may be: they are sure of
    themselves."""
    for gate in passage.gates:
        share = saturated_share(gate)
        if share is None or share < limits.SATURATED_SHARE or gate.step.depth >= passage.depth:
            continue
        yield Finding(
            "saturated",
            "serious" if share >= limits.SATURATED_SERIOUS else "warning",
            passage.name_of(gate.step),
            f"{share:.0%} of its outputs are at a flat end of {gate.step.op.formula}, where its derivative "
            f"is below {limits.FLAT_SLOPE:.0%} of its steepest, so hardly any gradient passes",
            "smaller starting weights (nn.init.xavier_uniform_), standardised inputs, or nn.BatchNorm1d "
            "before it",
        )
        return


def check_depth(passage: Passage) -> Iterator[Finding]:
    """The product over depth, and the variance from layer to layer."""
    levels = [level for level in flow(passage) if level.gradient > 0]
    if len(levels) < limits.FEWEST_LAYERS:
        return
    first, last = levels[0], levels[-1]
    ratio = first.gradient / last.gradient
    if ratio < limits.VANISHING or ratio > limits.EXPLODING:
        yield _product(levels, ratio)
    hidden = [level for level in levels[:-1] if level.signal > 0]  # the output has a scale of its own
    if len(hidden) < limits.FEWEST_LAYERS - 1:
        return
    kept = hidden[-1].signal / hidden[0].signal
    if kept < limits.SPREAD_LOST or kept > limits.SPREAD_GROWN:
        yield _variance(hidden, kept)


def _product(levels: list[Level], ratio: float) -> Finding:
    vanishing = ratio < 1
    by_weights, by_activations = _factors(levels)
    share = (math.log(by_weights), math.log(by_activations))
    blame_weights = (share[0] < share[1]) == vanishing
    start = _start(levels, vanishing)
    first, last = levels[0], levels[-1]
    change = f"{_times(1 / ratio)} smaller" if vanishing else f"{_times(ratio)} larger"
    cause = f"the weights multiply it by {_factor(by_weights)}, the activations by {_factor(by_activations)}"
    if vanishing:
        hint = (
            "starting weights that keep the variance: nn.init.kaiming_normal_ before ReLU, "
            "nn.init.xavier_normal_ before tanh; or nn.BatchNorm1d between the layers"
            if blame_weights
            else "ReLU in the place of sigmoid or tanh, nn.BatchNorm1d between the layers, fewer layers, "
            "or a shortcut around them (x + layer(x))"
        )
    else:
        hint = (
            "smaller starting weights (nn.init.kaiming_normal_ before ReLU, nn.init.xavier_normal_ before "
            "tanh), nn.BatchNorm1d between the layers, or nn.utils.clip_grad_norm_ before each step"
        )
    return Finding(
        "vanishing" if vanishing else "exploding",
        "serious",
        start.name,
        f"on its way from {last.name!r} back to {first.name!r} the gradient becomes {change}: {cause}; it "
        f"starts at {start.name!r}",
        hint,
    )


def _factors(levels: list[Level]) -> tuple[float, float]:
    """What all weights, and what all activations together multiply the norm of the gradient by."""
    weights = activations = 1.0
    for lower, upper in pairwise(levels):
        if upper.passed:
            weights *= upper.passed / upper.gradient
            activations *= lower.gradient / upper.passed
        else:
            activations *= lower.gradient / upper.gradient
    return weights, activations


def _start(levels: list[Level], vanishing: bool) -> Level:
    """The layer, seen from the output, from which on the gradient stays ten times smaller (or larger) than it
    was."""
    extreme = levels[-1].gradient
    for level in reversed(levels[:-1]):
        factor = level.gradient / extreme
        if (factor < 1 / limits.STARTS) if vanishing else (factor > limits.STARTS):
            return level
        extreme = max(extreme, level.gradient) if vanishing else min(extreme, level.gradient)
    return levels[0]


def _variance(hidden: list[Level], kept: float) -> Finding:
    change = f"{_times(1 / kept)} smaller" if kept < 1 else f"{_times(kept)} larger"
    steps = len(hidden) - 1
    return Finding(
        "variance",
        "warning",
        hidden[-1].name,
        f"from {hidden[0].name!r} to {hidden[-1].name!r} the spread of the outputs becomes {change}, "
        f"{kept ** (1 / steps):.2g} times in each layer, where 1 would keep it",
        "starting weights of variance 2 / inputs before ReLU (nn.init.kaiming_normal_) or 2 / (inputs + "
        "outputs) before tanh (nn.init.xavier_normal_), or nn.BatchNorm1d between the layers",
    )


def _times(ratio: float) -> str:
    return f"{ratio:,.0f} times" if ratio < 1e6 else f"{ratio:.0e} times"


def _factor(factor: float) -> str:
    """A factor as a person reads it: `1/5,300`, `12`; `about 1` for what neither shrinks nor grows much."""
    if 0.5 < factor < 2:
        return "about 1"
    large = factor if factor > 1 else 1 / factor
    text = f"{large:,.0f}" if 10 <= large < 1e6 else f"{large:.2g}"
    return text if factor > 1 else f"1/{text}"
