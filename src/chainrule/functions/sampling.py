"""Tensors of random numbers, and tensors filled with them in place. Next: `../creation.py` for the others.

Every draw comes from a `Generator` (`../core/random.py`): a stream that depends on its seed and on how much
has been drawn, on nothing else. In a program that is being recorded it becomes an op (`../ops/draw.py`) which
gives, each time the graph runs, the numbers that a draw here would give then.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import inplace
from ..base import TensorBase, wrap
from ..core import dtypes, random
from ..core.dtypes import FROM_NUMPY, dtype
from ..core.errors import ArgumentError, DTypeError, ShapeError
from ..ops import draw
from ..ops.primitive import Primitive, interpreter, levels, tracing
from ..ops.sort import ARGSORT
from ..ops.views import EXPAND
from .options import check_device, check_tensor, kind_of, made, size_of, values_known, values_of

if TYPE_CHECKING:
    from ..tensor import Tensor


class Generator(random.Generator):
    """A stream of random numbers of its own. `manual_seed(seed)` starts it anew.

    >>> import chainrule as torch
    >>> g = torch.Generator().manual_seed(1)
    >>> a = torch.rand(2, generator=g)
    >>> torch.equal(a, torch.rand(2, generator=g.manual_seed(1)))
    True
    """

    __slots__ = ()


default_generator = random.default_generator


def _floats(
    name: str, generator: random.Generator | None, shape: tuple[int, ...], kind: np.dtype[Any]
) -> Tensor:
    """Uniform, normal or exponential numbers of the next blocks of a stream."""
    g = generator or default_generator

    def make(shape: tuple[int, ...]) -> Tensor:
        if tracing.tracer is not None:
            return _recorded(_FLOATS[name], g, {"shape": shape, "dtype": FROM_NUMPY[kind]})
        return wrap(getattr(g, name)(shape, kind))

    return _drawn(make, shape)


def _integers(generator: random.Generator | None, low: int, high: int, shape: tuple[int, ...]) -> Tensor:
    g = generator or default_generator

    def make(shape: tuple[int, ...]) -> Tensor:
        if tracing.tracer is not None:
            return _recorded(draw.INTEGERS, g, {"shape": shape, "low": low, "high": high})
        return wrap(g.integers(low, high, shape))

    return _drawn(make, shape)


def _drawn(make: Callable[[tuple[int, ...]], Tensor], shape: tuple[int, ...]) -> Tensor:
    """`make(shape)`; inside of vmap the rows may have numbers of their own."""
    if not levels.stack:
        return make(shape)
    out: Tensor = interpreter.levels.draw(make, shape)
    return out


def _recorded(op: Primitive, g: random.Generator, settings: dict[str, Any]) -> Tensor:
    out: Tensor = interpreter.trace.draw(g, op, settings)
    return out


_FLOATS = {"uniform": draw.UNIFORM, "normal": draw.NORMAL, "exponential": draw.EXPONENTIAL}


def manual_seed(seed: int) -> random.Generator:
    """Start the default random stream anew; the same seed gives the same numbers everywhere.

    >>> import chainrule as torch
    >>> _ = torch.manual_seed(0)
    >>> a = torch.rand(3)
    >>> _ = torch.manual_seed(0)
    >>> torch.equal(a, torch.rand(3))
    True
    """
    return default_generator.manual_seed(seed)


def seed() -> int:
    """Start the default random stream at a place chosen by the system. Returns the seed."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed of the default random stream."""
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    """Where the default random stream stands, as a uint8 tensor."""
    return wrap(default_generator.get_state())


def set_rng_state(new_state: Tensor) -> None:
    """Put the default random stream to a place that `get_rng_state` gave."""
    default_generator.set_state(new_state._a)


def _float_kind(dtype: Any, name: str) -> np.dtype[Any]:
    kind = kind_of(dtype)
    if kind.kind != "f":
        raise DTypeError.of(
            name, given=f"{FROM_NUMPY[kind]}", must="the type must be floating point", hint="torch.float32"
        )
    return kind


def rand(
    *size: Any,
    generator: random.Generator | None = None,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Uniform random numbers in [0, 1).

    >>> import chainrule as torch
    >>> torch.rand(2, 3).shape
    torch.Size([2, 3])
    """
    check_device(device)
    out = _floats("uniform", generator, size_of(size, "rand"), _float_kind(dtype, "rand"))
    return out.requires_grad_() if requires_grad else out


def randn(
    *args: Any,
    size: Any = None,
    generator: random.Generator | None = None,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random numbers from the standard normal distribution.

    >>> import chainrule as torch
    >>> torch.randn(2, 3).shape, torch.randn(size=()).shape
    (torch.Size([2, 3]), torch.Size([]))
    """
    check_device(device)
    out = _floats("normal", generator, size_of(args, "randn", size), _float_kind(dtype, "randn"))
    return out.requires_grad_() if requires_grad else out


def rand_like(
    input: Tensor, *, dtype: dtype | None = None, generator: random.Generator | None = None
) -> Tensor:
    """Uniform random numbers in [0, 1), in the shape and type of another tensor."""
    check_tensor(input, "rand_like")
    return rand(input._a.shape, dtype=dtype or input.dtype, generator=generator)


def randn_like(
    input: Tensor, *, dtype: dtype | None = None, generator: random.Generator | None = None
) -> Tensor:
    """Standard normal random numbers in the shape and type of another tensor."""
    check_tensor(input, "randn_like")
    return randn(input._a.shape, dtype=dtype or input.dtype, generator=generator)


def randint(
    low: int = 0,
    high: Any = None,
    size: Any = None,
    *,
    generator: random.Generator | None = None,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Random integers in [low, high), each equally likely; `randint(high, size)` starts at 0.

    >>> import chainrule as torch
    >>> x = torch.randint(3, 6, (100,))
    >>> bool(((x >= 3) & (x < 6)).all())
    True
    """
    check_device(device)
    if size is None:
        low, high, size = 0, low, high
    if high is None:
        low, high = 0, low
    if size is None:
        raise ArgumentError.of(
            "randint", given="no size", must="the shape must be given", hint="randint(0, 10, (3,))"
        )
    out = _integers(generator, low, high, size_of((size,), "randint")).to(dtype or dtypes.int64)
    return out.requires_grad_() if requires_grad else out


def randint_like(input: Tensor, low: int, high: int | None = None, *, dtype: dtype | None = None) -> Tensor:
    """Random integers in the shape and type of another tensor."""
    bounds = (0, low) if high is None else (low, high)
    return randint(*bounds, input._a.shape, dtype=dtype or input.dtype)


def randperm(
    n: int, *, generator: random.Generator | None = None, dtype: dtype | None = None, device: Any = None
) -> Tensor:
    """The numbers 0 to n-1 in random order.

    >>> import chainrule as torch
    >>> torch.randperm(5).sort().values
    tensor([0, 1, 2, 3, 4])
    """
    check_device(device)
    (n,) = size_of((n,), "randperm")
    g = generator or default_generator

    def make(shape: tuple[int, ...]) -> Tensor:
        if len(shape) > 1:  # many permutations: the orders of as many words
            return ARGSORT(_integers(g, -(1 << 63), 1 << 63, shape), dim=len(shape) - 1, descending=False)
        if tracing.tracer is not None:
            return _recorded(draw.PERMUTATION, g, {"n": n})
        return made(g.permutation(n), False)

    return _drawn(make, (n,)).to(dtype or dtypes.int64)


def normal(
    mean: Any = 0.0,
    std: Any = 1.0,
    size: Any = None,
    *,
    generator: random.Generator | None = None,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Normal random numbers; mean and std are numbers (with `size`) or tensors.

    >>> import chainrule as torch
    >>> torch.normal(0, 0.01, (2, 3)).shape
    torch.Size([2, 3])
    """
    check_device(device)
    low = std._a.min() if isinstance(std, TensorBase) and std._a.size and values_known(std) else std
    if not isinstance(low, TensorBase) and low < 0:
        raise ArgumentError.of("normal", given=f"std={low}", must="a standard deviation must not be negative")
    tensors = [x for x in (mean, std) if isinstance(x, TensorBase)]
    if tensors:
        try:
            shape = np.broadcast_shapes(*[x._a.shape for x in tensors])
        except ValueError:
            raise ShapeError.of(
                "normal",
                given=f"mean {tensors[0]._a.shape} and std {tensors[1]._a.shape}",
                must="the shapes must broadcast against each other",
            ) from None
        kind: Any = FROM_NUMPY[tensors[0]._a.dtype]
    elif size is None:
        raise ArgumentError.of(
            "normal",
            given="numbers for mean and std, but no size",
            must="the shape must be given",
            hint="normal(0, 1, (3,))",
        )
    else:
        shape, kind = size_of((size,), "normal"), dtype
    noise = randn(shape, generator=generator, dtype=kind)
    out = noise if not tensors and std == 1 and mean == 0 else noise * std + mean
    return out.detach().requires_grad_() if requires_grad else out


def bernoulli(input: Tensor, p: float | None = None, *, generator: random.Generator | None = None) -> Tensor:
    """1 with the probability given by each element (or by `p`), else 0, in the type of the input.

    >>> import chainrule as torch
    >>> torch.bernoulli(torch.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    chance = input if p is None else p
    if not _probabilities(chance):
        raise ArgumentError.of(
            "bernoulli", given="a probability outside [0, 1]", must="probabilities must lie in [0, 1]"
        )
    return _happens(input, chance, generator).to(input.dtype)


def _probabilities(p: Any) -> bool:
    """Whether p, a number or a tensor, lies in [0, 1], as far as can be known."""
    if isinstance(p, TensorBase):
        a = p._a
        return not values_known(p) or not a.size or bool(a.min() >= 0 and a.max() <= 1)
    return bool(0 <= p <= 1)


def _happens(x: Tensor, p: Any, generator: random.Generator | None) -> Tensor:
    """Truth values in the shape of x, with probability p."""
    kind = np.dtype(np.float64) if x._a.dtype == np.float64 else np.dtype(np.float32)
    u = _floats("uniform", generator, x._a.shape, kind)
    if isinstance(p, TensorBase) and p._a.ndim == 0:
        p = EXPAND(p, shape=x._a.shape)  # 0-d, it would take the type of u
    out: Tensor = u < p
    return out


def multinomial(
    input: Tensor, num_samples: int, replacement: bool = False, *, generator: random.Generator | None = None
) -> Tensor:
    """Indices drawn with probabilities in proportion to the weights in each row.

    Shapes:  (n,) -> (num_samples,); (m, n) -> (m, num_samples).
    Raises:  ArgumentError for weights that are negative, not finite or all 0, or for more samples than
             weights above 0 without replacement.

    >>> import chainrule as torch
    >>> torch.multinomial(torch.tensor([0.0, 1.0]), 3, replacement=True)
    tensor([1, 1, 1])
    """
    w = values_of(input, "multinomial")
    if w.ndim not in (1, 2) or w.dtype.kind != "f":
        raise ArgumentError.of(
            "multinomial",
            given=f"{input.dtype} weights {w.shape}",
            must="weights must be a floating-point vector or matrix",
        )
    if num_samples <= 0:
        raise ArgumentError.of(
            "multinomial", given=f"num_samples={num_samples}", must="at least one index must be drawn"
        )
    rows = np.atleast_2d(w).astype(np.float64)
    if not np.isfinite(rows).all() or (rows < 0).any() or (rows.sum(1) == 0).any():
        raise ArgumentError.of(
            "multinomial",
            given=f"weights {w.shape}",
            must="weights must be finite, not negative, and not all 0",
        )
    if not replacement and num_samples > int((rows > 0).sum(1).min()):
        raise ArgumentError.of(
            "multinomial",
            given=f"num_samples={num_samples} for {int((rows > 0).sum(1).min())} weights above 0",
            must="without replacement each index is drawn at most once",
            hint="replacement=True",
        )
    g = generator or default_generator
    if replacement:
        edges = np.cumsum(rows, 1)
        u = g.uniform((len(rows), num_samples), np.float64) * edges[:, -1:]
        found = np.stack([np.searchsorted(e, x, "right") for e, x in zip(edges, u, strict=True)])
        last = (
            rows.shape[1] - 1 - np.argmax(rows[:, ::-1] > 0, 1)
        )  # rounding must not reach past the last weight
        found = np.minimum(found, last[:, None])
    else:
        # The smallest of exponential waiting times comes first: rates are the weights.
        waits = g.exponential(rows.shape, np.float64)
        with np.errstate(divide="ignore"):
            found = np.argsort(np.where(rows > 0, waits / rows, np.inf), 1, kind="stable")[:, :num_samples]
    return wrap(found.reshape(num_samples) if w.ndim == 1 else found)


# -- in place ----------------------------------------------------------------------------------------


def _draw_kind(x: Tensor, name: str) -> np.dtype[Any]:
    if x._a.dtype.kind != "f":
        raise DTypeError.of(
            name,
            given=f"a tensor of type {x.dtype}",
            must="the type must be floating point",
            hint="x.float()",
        )
    return x._a.dtype


def uniform_(
    self: Tensor, from_: float = 0.0, to: float = 1.0, *, generator: random.Generator | None = None
) -> Tensor:
    """Fill with uniform random numbers in [from, to). Returns self."""
    if not from_ <= to:
        raise ArgumentError.of(
            "uniform_", given=f"from={from_}, to={to}", must="the lower end must not be above the upper end"
        )
    u = _floats("uniform", generator, self._a.shape, _draw_kind(self, "uniform_"))
    return inplace.copy_(self, u * (to - from_) + from_)


def normal_(
    self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: random.Generator | None = None
) -> Tensor:
    """Fill with normal random numbers. Returns self."""
    if std < 0:
        raise ArgumentError.of(
            "normal_", given=f"std={std}", must="a standard deviation must not be negative"
        )
    z = _floats("normal", generator, self._a.shape, _draw_kind(self, "normal_"))
    return inplace.copy_(self, z * std + mean)


def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: random.Generator | None = None) -> Tensor:
    """Fill with 1 with probability p, else 0. Returns self."""
    if not _probabilities(p):
        raise ArgumentError.of("bernoulli_", given=f"p={p}", must="probabilities must lie in [0, 1]")
    return inplace.copy_(self, _happens(self, p, generator))


def exponential_(self: Tensor, lambd: float = 1.0, *, generator: random.Generator | None = None) -> Tensor:
    """Fill with exponential waiting times at rate `lambd`. Returns self."""
    if lambd <= 0:
        raise ArgumentError.of("exponential_", given=f"lambd={lambd}", must="the rate must be positive")
    waits = _floats("exponential", generator, self._a.shape, _draw_kind(self, "exponential_"))
    return inplace.copy_(self, waits / lambd)


def random_(
    self: Tensor,
    from_: int | None = None,
    to: int | None = None,
    *,
    generator: random.Generator | None = None,
) -> Tensor:
    """Fill with random integers in [from, to); with one number in [0, number). Returns self."""
    if from_ is None and to is None:
        to = (
            2**24
            if self._a.dtype.kind == "f"
            else int(np.iinfo(self._a.dtype).max)
            if self._a.dtype.kind != "b"
            else 2
        )
    elif to is None:
        from_, to = 0, from_
    return inplace.copy_(self, _integers(generator, from_ or 0, to, self._a.shape))
