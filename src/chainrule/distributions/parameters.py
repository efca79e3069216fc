"""How the arguments of a distribution become Tensors of one shape, and small formulas that several share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..base import TensorBase, wrap
from ..core import dtypes
from ..core.dtypes import FROM_NUMPY, dtype
from ..core.errors import ArgumentError, DTypeError, ShapeError
from ..creation import tensor
from ..functions.elementwise import where
from ..functions.options import values_of
from ..functions.pointwise import lgamma, log, logaddexp
from ..functions.sampling import default_generator
from ..ops.primitive import interpreter, levels
from ..tensor import Tensor

LOG_2PI = 1.8378770664093453  # log(2 pi)


def broadcast_all(what: str, **given: Any) -> tuple[Tensor, ...]:
    """Numbers and Tensors as Tensors of one shape; what is whole takes the type of the floats."""
    tensors = [x._a.dtype for x in given.values() if isinstance(x, TensorBase)]
    floats = [FROM_NUMPY[t] for t in tensors if t.kind == "f"]
    kind = floats[0] if floats else dtypes.get_default_dtype()
    made: list[Tensor] = []
    for name, x in given.items():
        if isinstance(x, TensorBase):
            known: Any = x
            made.append(known if x._a.dtype.kind == "f" else known.to(kind))
        elif isinstance(x, int | float | np.number) and not isinstance(x, bool):
            made.append(tensor(x, dtype=kind))
        else:
            raise DTypeError.of(
                what,
                given=f"{name}={x!r}",
                must=f"{name} must be a number or a Tensor",
                hint=f"torch.tensor({x!r})",
            )
    try:
        shape = np.broadcast_shapes(*[tuple(x.shape) for x in made])
    except ValueError:
        shapes = " and ".join(f"{name} {tuple(x.shape)}" for name, x in zip(given, made, strict=True))
        raise ShapeError.of(
            what, given=shapes, must="the parameters must broadcast against each other"
        ) from None
    return tuple(x if tuple(x.shape) == shape else x.expand(shape) for x in made)


def one_of(what: str, example: str, **given: Any) -> str:
    """The name of the only argument that was given."""
    names = [name for name, x in given.items() if x is not None]
    if len(names) == 1:
        return names[0]
    says = _SAYS.get(next(iter(given)), "how likely the outcomes are")
    several = "the two" if len(given) == 2 else "them"
    both = "both " if len(names) == 2 else ""
    neither = "neither " + " nor ".join(given) if len(given) == 2 else "none of " + ", ".join(given)
    raise ArgumentError.of(
        what,
        given=both + " and ".join(names) if names else neither,
        must=f"exactly one of {several} must say {says}",
        hint=example,
    )


_SAYS = {"covariance_matrix": "how the draws scatter"}


def weighted(weight: Tensor, log: Tensor) -> Tensor:
    """weight * log, where 0 log 0 is 0: what is impossible and did not happen costs nothing."""
    nothing = weight == 0
    return where(nothing, 0.0, weight * where(nothing, 0.0, log))


def log_of(p: Tensor) -> Tensor:
    """log p; its derivative at p = 0 is taken to be 0: 0 / 0 would make nan of whole gradients."""
    never = p == 0
    return where(never, -float("inf"), log(where(never, 1.0, p)))


def softplus(x: Tensor) -> Tensor:
    """log(1 + exp(x)), for any x."""
    return logaddexp(x, x * 0)


def log_binomial(n: Tensor, k: Tensor) -> Tensor:
    """The logarithm of how many ways there are to choose k of n."""
    return lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1)


def log_beta(a: Tensor, b: Tensor) -> Tensor:
    """The logarithm of the beta function."""
    return lgamma(a) + lgamma(b) - lgamma(a + b)


def drawn(
    what: str, sampler: Callable[..., Any], shape: Sequence[int], kind: dtype, *parameters: Tensor
) -> Tensor:
    """What `sampler(generator, *arrays)` draws, for parameters with values; inside vmap rows may differ."""
    arrays = [values_of(p, what).astype(np.float64) for p in parameters]

    def make(shape: tuple[int, ...]) -> Tensor:
        out = sampler(default_generator, *[np.broadcast_to(a, shape) for a in arrays])
        made: Tensor = wrap(np.asarray(out, kind.numpy))
        return made

    if not levels.stack:
        return make(tuple(shape))
    made: Tensor = interpreter.levels.draw(make, tuple(shape))
    return made


def type_of(x: Tensor) -> dtype:
    """The element type of a tensor."""
    return FROM_NUMPY[x._a.dtype]
