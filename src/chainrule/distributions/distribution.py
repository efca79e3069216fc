"""What all distributions have in common: shapes, checks of parameters and values, sampling without gradient.

A distribution holds parameters as Tensors, and every quantity is an expression in them. So gradients reach
the parameters in both modes, and `func.vmap` and `chainrule.compile` work as with any other function. Nothing
is kept between calls: a quantity is computed when it is asked for, from the parameters as they are then.

Parameters and values are checked where they have values to look at: not in a recorded program, not under
vmap. Next: `normal.py` for the simplest one, `parameters.py` for how arguments become Tensors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np

from ..base import TensorBase
from ..core.errors import ArgumentError, ChainruleError, ShapeError
from ..core.shapes import Size
from ..functions.pointwise import exp, sqrt
from ..tensor import Tensor
from .constraints import Constraint


class NoFormulaError(ChainruleError, NotImplementedError):
    """A quantity that this distribution does not have."""


class Distribution:
    """The base of all distributions.

    batch_shape: one distribution for each index of the parameters, with independent draws.
    event_shape: the shape of one draw: () for numbers, (k,) for vectors.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {}
    has_rsample = False
    has_enumerate_support = False
    _validate_args = True

    def __init__(
        self,
        batch_shape: Sequence[int],
        event_shape: Sequence[int],
        parameters: Mapping[str, Tensor],
        settings: Mapping[str, Any] | None = None,
        validate_args: bool | None = None,
    ) -> None:
        """parameters: those that were given, broadcast to the batch; settings: other arguments."""
        self._batch_shape = Size(batch_shape)
        self._event_shape = Size(event_shape)
        self._parameters = dict(parameters)
        self._settings = dict(settings or {})
        if validate_args is not None:
            self._validate_args = validate_args
        if self._validate_args:
            for name, value in parameters.items():
                _require(value, name, self.arg_constraints[name], type(self).__name__)

    @staticmethod
    def set_default_validate_args(value: bool) -> None:
        """Whether distributions check parameters and values where `validate_args` is not given."""
        if value not in (True, False):
            raise ArgumentError.of(
                "set_default_validate_args", given=f"value={value!r}", must="it must be True or False"
            )
        Distribution._validate_args = value

    # -- shapes ------------------------------------------------------------------------------------------

    @property
    def batch_shape(self) -> Size:
        """The shape of the parameters: one independent distribution for each index."""
        return self._batch_shape

    @property
    def event_shape(self) -> Size:
        """The shape of one draw of one distribution."""
        return self._event_shape

    def _shape(self, sample_shape: Sequence[int]) -> tuple[int, ...]:
        _need_shape(sample_shape, f"{type(self).__name__}.sample", "sample_shape")
        return (*sample_shape, *self._batch_shape, *self._event_shape)

    def expand(self, batch_shape: Sequence[int]) -> Self:
        """The same distribution for each index of a larger batch, without copies of the parameters."""
        _need_shape(batch_shape, f"{type(self).__name__}.expand", "batch_shape")
        wider: dict[str, Any] = {
            name: p.expand((*batch_shape, *p.shape[p.ndim - self.arg_constraints[name].event_dim :]))
            for name, p in self._parameters.items()
        }
        make: Any = type(self)  # the parameters are those of its own constructor
        out: Self = make(**self._settings, **wider, validate_args=False)
        out._validate_args = self._validate_args
        return out

    # -- draws -------------------------------------------------------------------------------------------

    def sample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draw. Shape: sample_shape + batch_shape + event_shape; no gradient."""
        return self.rsample(sample_shape).detach()

    def rsample(self, sample_shape: Sequence[int] = ()) -> Tensor:
        """Draw so that gradients reach the parameters: the noise is a constant, the draw a function of both.

        Shape:  sample_shape + batch_shape + event_shape.
        Raises: NoFormulaError where no such function is known; `has_rsample` says so.
        """
        raise self._without("rsample")

    # -- quantities --------------------------------------------------------------------------------------

    def log_prob(self, value: Tensor) -> Tensor:
        """The logarithm of the probability (density) of a value, in nats: event_shape is summed over."""
        raise self._without("log_prob")

    def prob(self, value: Tensor) -> Tensor:
        """The probability of a value, or the density there: exp(log_prob(value))."""
        return exp(self.log_prob(value))

    def cdf(self, value: Tensor) -> Tensor:
        """The probability of a draw at most as large as `value`."""
        raise self._without("cdf")

    def icdf(self, value: Tensor) -> Tensor:
        """The quantile: where `cdf` reaches a probability."""
        raise self._without("icdf")

    def enumerate_support(self, expand: bool = True) -> Tensor:
        """All possible values along a new first axis; `expand` repeats them for the batch."""
        raise self._without("enumerate_support")

    @property
    def mean(self) -> Tensor:
        """The expected value."""
        raise self._without("mean")

    @property
    def mode(self) -> Tensor:
        """The most probable value."""
        raise self._without("mode")

    @property
    def variance(self) -> Tensor:
        """The expected square of the distance to the mean."""
        raise self._without("variance")

    @property
    def stddev(self) -> Tensor:
        """The square root of the variance."""
        return sqrt(self.variance)

    @property
    def support(self) -> Constraint:
        """What a value must satisfy."""
        raise self._without("support")

    def entropy(self) -> Tensor:
        """The expected surprise -log p, in nats: (batch_shape)."""
        raise self._without("entropy")

    def perplexity(self) -> Tensor:
        """exp(entropy): as uncertain as a choice among so many equally likely outcomes."""
        return exp(self.entropy())

    # -- checks ------------------------------------------------------------------------------------------

    def _check_value(self, value: Tensor, method: str) -> None:
        """Refuse a value of another shape, or outside the support."""
        what = f"{type(self).__name__}.{method}"
        if not isinstance(value, TensorBase):
            raise ArgumentError.of(
                what,
                given=f"value={value!r}",
                must="the value must be a Tensor",
                hint=f"torch.tensor({value!r})",
            )
        if not self._validate_args:
            return
        shape, own = tuple(value.shape), self._shape(())
        event = tuple(self._event_shape)
        if shape[len(shape) - len(event) :] != event or len(shape) < len(event):
            raise ShapeError.of(
                what,
                given=f"value {shape} for event_shape {event}",
                must=f"the last axes of value must be those of one draw, {event}",
            )
        try:
            np.broadcast_shapes(shape, own)
        except ValueError:
            raise ShapeError.of(
                what,
                given=f"value {shape} for batch_shape {tuple(self._batch_shape)} and event_shape {event}",
                must="value must broadcast against batch_shape + event_shape",
            ) from None
        _require(value, "value", self.support, what, "validate_args=False, to do without this check")

    def _without(self, what: str) -> NoFormulaError:
        have = "rsample draws with gradients only where noise can be turned into a draw smoothly"
        return NoFormulaError.of(
            f"{type(self).__name__}.{what}",
            must=have if what == "rsample" else f"{type(self).__name__} has no {what}",
            hint="sample, and log_prob of what was drawn as the weight of its loss"
            if what == "rsample"
            else "",
        )

    def __repr__(self) -> str:
        parts = [f"{name}: {v}" for name, v in self._settings.items()]
        parts += [f"{name}: {v if v.numel() == 1 else v.shape}" for name, v in self._parameters.items()]
        return f"{type(self).__name__}({', '.join(parts)})"


def _need_shape(shape: Any, what: str, name: str) -> None:
    if isinstance(shape, int):
        raise ArgumentError.of(
            what,
            given=f"{name}={shape}",
            must=f"{name} must be a tuple of sizes",
            hint=f"({shape},)",
        )


def _require(value: Tensor, name: str, constraint: Constraint, what: str, hint: str = "") -> None:
    """Refuse a tensor with values outside of a constraint, and say which."""
    if not constraint.can_see(value):
        return
    good = constraint.holds(value)
    if good.all():
        return
    bad = [tuple(int(i) for i in place) for place in np.argwhere(~good)]
    a = np.broadcast_to(value._a, (*good.shape, *value._a.shape[value.ndim - constraint.event_dim :]))
    first = f"{a[bad[0]].tolist()}" + (f" at {list(bad[0])}" if bad[0] else "")
    more = f" and {len(bad) - 1} more" if len(bad) > 1 else ""
    raise ArgumentError.of(
        what,
        given=f"{name} {tuple(value.shape)} with {first}{more}",
        must=f"{name} must be {constraint.words}",
        hint=hint or constraint.hint,
    )
