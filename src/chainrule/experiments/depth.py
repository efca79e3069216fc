"""What depth does to signals and gradients: they are products, and products vanish or explode.

A layer with n inputs and weights of variance σ² multiplies the mean square of a signal by nσ² (linear), and
that of a gradient, on its way back, by the same with the number of outputs. Xavier chooses σ² = 2 / (inputs
+ outputs), so that both are 1; Kaiming 2 / inputs, because a ReLU lets half through. Next: `clipping.py`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .. import nn
from ..core.dtypes import float64
from ..core.errors import ArgumentError, nearest
from ..creation import eye, tensor
from ..functions.pointwise import digamma, relu, sigmoid, tanh
from ..functions.sampling import randn
from ..tensor import Tensor
from .result import Result, listed, positive
from .training import seeded, undisturbing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "identity": lambda x: x,
    "sigmoid": sigmoid,
    "tanh": tanh,
    "relu": relu,
}
STARTS: dict[str, Callable[[Tensor], Tensor]] = {
    "normal 0.01": lambda w: nn.init.normal_(w, 0.0, 0.01),
    "normal 1": lambda w: nn.init.normal_(w, 0.0, 1.0),
    "xavier": nn.init.xavier_normal_,
    "kaiming": lambda w: nn.init.kaiming_normal_(w, nonlinearity="relu"),
}


@undisturbing
def initialisation(
    activations: Sequence[str] = ("identity", "sigmoid", "tanh", "relu"),
    starts: Sequence[str] = ("normal 0.01", "normal 1", "xavier", "kaiming"),
    *,
    depth: int = 10,
    width: int = 256,
    rows: int = 256,
    seed: int = 0,
) -> Result:
    """How large signals and gradients are in each layer, for activations and starting weights.

    Inputs are standard normal; so is the gradient that is sent back from the last layer. The spread is the
    part of the signal that differs between rows: where it vanishes, the network cannot tell its inputs
    apart, though its outputs (of a sigmoid, say) are far from 0.

    Args:    activations: of "identity", "sigmoid", "tanh", "relu". starts: of "normal 0.01", "normal 1"
             (standard deviations), "xavier", "kaiming".
    Returns: "signal", "spread", "gradient": {(activation, start): mean squares, one for each layer}.

    >>> from chainrule import experiments
    >>> result = experiments.initialisation(["relu"], ["normal 0.01", "kaiming"])
    >>> [0.5 < layers[-1] / layers[0] < 2 for layers in result["signal"].values()]
    [False, True]
    """
    for name, given, known in (
        ("activations", activations := listed("initialisation", "activations", activations), ACTIVATIONS),
        ("starts", starts := listed("initialisation", "starts", starts), STARTS),
    ):
        for item in given:
            if item not in known:
                raise ArgumentError.of(
                    "experiments.initialisation",
                    given=f"{item!r} in {name}",
                    must=f"{name} are {', '.join(map(repr, known))}{nearest(str(item), list(known))}",
                )
    positive("initialisation", depth=depth - 1, width=width, rows=rows - 1)
    signal, spread, gradient = {}, {}, {}
    for activation in activations:
        for start in starts:
            key = (activation, start)
            with seeded(seed):
                signal[key], spread[key], gradient[key] = _through(
                    ACTIVATIONS[activation], STARTS[start], depth, width, rows
                )
    table = tuple(
        (*key, _share(signal[key][-1], signal[key][0]), _share(spread[key][-1], spread[key][0]),
         _share(gradient[key][0], gradient[key][-1]))
        for key in signal
    )  # fmt: skip
    return Result(
        f"{depth} layers of width {width}: mean squares, multiplied through the depth",
        (
            "activation",
            "start",
            "signal: last / first",
            "between rows: last / first",
            "gradient: first / last",
        ),
        table,
        (
            "1 is right. Xavier keeps both for no activation and nearly for tanh, Kaiming for ReLU. With "
            "Xavier a sigmoid loses a factor of 16 or more of the gradient's mean square in each layer, "
            "since its slope is at most 1/4.",
        ),
        {"signal": signal, "spread": spread, "gradient": gradient},
        lambda ax: _draw(ax, gradient),
    )


@undisturbing
def exploding_products(
    scales: Sequence[float] | None = None,
    *,
    size: int = 4,
    factors: int = 100,
    seed: int = 0,
) -> Result:
    """The product of 100 random matrices: it explodes or vanishes, unless the scale is exactly right.

    The elements of each matrix are normal with standard deviation s, and the product is applied to a vector
    v. For Gaussian matrices the mean growth per factor is known: E log(‖Mv‖ / ‖v‖) = log s + (log 2 + ψ(n /
    2)) / 2, for n rows (‖Mv‖² / (s² ‖v‖²) has the χ² distribution), with a standard deviation of √ψ'(n / 2)
    / 2.

    Args:    scales: values of s; None takes half the critical one, at which that is 0, itself, and 1.
    Returns: "norms": the logarithms of ‖M_k ... M_1 v‖ after each factor, for each scale; "growth": the
             predicted mean for each factor; "critical": the scale between vanishing and exploding.

    >>> from chainrule import experiments
    >>> result = experiments.exploding_products([1.0])
    >>> result["norms"][0][-1] > 40, round(result["growth"][0], 3)  # e^40 times larger
    (True, 0.558)
    """
    positive("exploding_products", size=size, factors=factors)
    rate = _rate(size)
    critical = math.exp(-rate)
    scales = (
        [critical / 2, critical, 1.0] if scales is None else listed("exploding_products", "scales", scales)
    )
    positive("exploding_products", scales=min(scales))
    norms = []
    for scale in scales:
        with seeded(seed):
            v = eye(size, dtype=float64)[0]
            logs, total = [], 0.0
            for _ in range(factors):
                v = scale * randn(size, size, dtype=float64) @ v
                length = v.norm().item()
                total += math.log(length)
                v = v / length  # the logarithm is kept, so that nothing overflows
                logs.append(total)
        norms.append(logs)
    growth = [math.log(scale) + rate for scale in scales]
    return Result(
        f"Products of {factors} random {size} × {size} matrices",
        ("scale", "norm after all factors", "its logarithm", "predicted"),
        tuple(
            (scale, f"10^{logs[-1] / math.log(10):.1f}", logs[-1], factors * expected)
            for scale, logs, expected in zip(scales, norms, growth, strict=True)
        ),
        (
            f"The norm changes by a factor in each step, so it vanishes below s = {critical:.3g} and "
            "explodes above. float32 ends at 10^38.",
        ),
        {"norms": norms, "growth": growth, "critical": critical},
        lambda ax: _draw_norms(ax, scales, norms),
    )


def _rate(size: int) -> float:
    """E log of the length of a standard normal vector."""
    value: float = ((math.log(2) + digamma(tensor(size / 2, dtype=float64))) / 2).item()
    return value


def _through(
    activation: Callable[[Tensor], Tensor],
    start: Callable[[Tensor], Tensor],
    depth: int,
    width: int,
    rows: int,
) -> tuple[list[float], list[float], list[float]]:
    x = randn(rows, width, dtype=float64)
    layers = [nn.Linear(width, width, bias=False, dtype=float64) for _ in range(depth)]
    for layer in layers:
        start(layer.weight)
    signals = []
    h = x
    for layer in layers:
        h = activation(layer(h))  # (rows, width)
        h.retain_grad()
        signals.append(h)
    h.backward(randn(rows, width, dtype=float64))
    gradients = [h.grad for h in signals]
    return (
        [(h.detach() ** 2).mean().item() for h in signals],
        [h.detach().var(0).mean().item() for h in signals],
        [(g**2).mean().item() for g in gradients if g is not None],
    )


def _share(a: float, b: float) -> float | None:
    return a / b if b else None


def _draw(ax: Axes | None, gradient: dict[tuple[str, str], list[float]]) -> Axes:
    from .. import plot

    shown = {f"{a}, {s}": layers for (a, s), layers in gradient.items() if all(layers)}
    return plot.lines(
        list(shown.values()),
        legend=list(shown),
        yscale="log",
        xlabel="layer",
        ylabel="mean square of the gradient",
        ax=ax,
    )


def _draw_norms(ax: Axes | None, scales: list[float], norms: list[list[float]]) -> Axes:
    from .. import plot

    return plot.lines(
        [[value / math.log(10) for value in logs] for logs in norms],
        legend=[f"s = {scale:.3g}" for scale in scales],
        xlabel="factors",
        ylabel="log₁₀ of the norm",
        ax=ax,
    )
