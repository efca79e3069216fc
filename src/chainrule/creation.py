"""Tensors from data, from a rule, and from random streams. Next: `nn/`."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from . import inplace
from .base import TensorBase, wrap
from .core import dtypes, memory, random
from .core.device import device as _device
from .core.dtypes import FROM_NUMPY, as_dtype, dtype
from .core.errors import ArgumentError, DTypeError, ShapeError
from .core.shapes import new_shape, sizes_from_args
from .tensor import Tensor


def _leaf(a: np.ndarray[Any, Any], requires_grad: bool) -> Tensor:
    out: Tensor = wrap(a)
    return out.requires_grad_() if requires_grad else out


def _kind(dtype: Any, fallback: dtypes.dtype | None = None) -> np.dtype[Any]:
    if dtype is not None:
        return as_dtype(dtype).numpy
    return (fallback or dtypes.get_default_dtype()).numpy


def _check_device(device: Any) -> None:
    if device is not None:
        _device(device)


def _array_from(data: Any, dtype: Any) -> np.ndarray[Any, Any]:
    """A new array from nested sequences, numbers, arrays or tensors; the type by PyTorch's rules."""
    if isinstance(data, TensorBase):
        return np.array(data._a, _kind(dtype, FROM_NUMPY[data._a.dtype]))
    if isinstance(data, np.ndarray | np.generic):
        return np.array(data, _kind(dtype, _known(data.dtype)), order="C")
    if hasattr(data, "__array__"):  # a pandas column, a PIL image, ...
        return _array_from(np.asarray(data), dtype)
    values = _plain(data)
    try:
        a = np.array(values)
    except ValueError:
        raise ShapeError.of(
            "tensor",
            given=_ragged(values),
            must="nested lists must be rectangular: all of one length at each level",
        ) from None
    except OverflowError:
        raise ArgumentError.of(
            "tensor", given="an integer outside int64", must="integers must fit into 64 bits"
        ) from None
    if a.dtype.kind == "O" or a.dtype.kind in "USMmc":
        raise DTypeError.of(
            "tensor",
            given=f"{type(_first(values)).__name__} values" if a.size else f"{type(data).__name__}",
            must="values must be numbers or bools",
            hint="encode text and categories as numbers first",
        )
    if dtype is None:
        first = _first_numpy(data)
        if first is not None:  # NumPy scalars inside a list keep their type
            kind = _known(first)
        elif a.dtype.kind == "f" or a.size == 0:
            kind = dtypes.get_default_dtype()
        else:
            kind = dtypes.bool_ if a.dtype.kind == "b" else dtypes.int64
        return a.astype(kind.numpy, copy=False)
    wanted = as_dtype(dtype)
    if a.size == 0 or a.dtype.kind == wanted.numpy.kind:
        return np.array(values, wanted.numpy)
    if a.dtype.kind == "f" and wanted.category == dtypes.INTEGER and not np.isfinite(a).all():
        raise ArgumentError.of(
            "tensor", given=f"NaN or infinity for {wanted}", must="integers have no such values"
        )
    return a.astype(wanted.numpy)


def _known(kind: np.dtype[Any]) -> dtypes.dtype:
    kind = kind.newbyteorder("=")
    if kind not in FROM_NUMPY:
        raise DTypeError.of(
            "tensor",
            given=f"a NumPy array of type {kind}",
            must="supported are " + ", ".join(d.name for d in dtypes.ALL),
            hint="array.astype('float32')" if kind.kind in "fuO" else "",
        )
    return FROM_NUMPY[kind]


def _plain(data: Any) -> Any:
    """Nested sequences with tensors inside as nested lists of Python numbers."""
    if isinstance(data, TensorBase):
        return data._a.tolist() if data._a.ndim == 0 else data._a
    if isinstance(data, range):
        return list(data)
    if isinstance(data, list | tuple):
        if (
            data
            and isinstance(data[0], int | float)
            and not any(isinstance(x, list | tuple | TensorBase) for x in data)
        ):
            return data
        return [_plain(x) for x in data]
    if isinstance(data, Sequence) and not isinstance(data, str | bytes):
        return [_plain(x) for x in data]
    return data


def _ragged(values: Any) -> str:
    lengths = [len(v) if isinstance(v, list | tuple) else "a number" for v in values][:6]
    return f"rows of lengths {', '.join(map(str, lengths))}"


def _first(values: Any) -> Any:
    while isinstance(values, list | tuple) and values:
        values = values[0]
    return values


def _first_numpy(data: Any) -> np.dtype[Any] | None:
    value = _first(data)
    return value.dtype if isinstance(value, np.generic | np.ndarray) else None


def tensor(
    data: Any, *, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """A new tensor with a copy of `data`: numbers, nested lists, a NumPy array, another tensor.

    Types:   Python floats give the default type (float32), integers int64, bools bool; arrays keep theirs.
    Raises:  ShapeError for lists that are not rectangular, DTypeError for values that are not numbers.

    >>> import chainrule as torch
    >>> torch.tensor([[1, 2], [3, 4]]), torch.tensor([1.0, 2]).dtype
    (tensor([[1, 2],
            [3, 4]]), torch.float32)
    """
    _check_device(device)
    return _leaf(_array_from(data, dtype), requires_grad)


def as_tensor(data: Any, dtype: dtype | None = None, device: Any = None) -> Tensor:
    """A tensor that shares memory with `data` if it is a tensor or array of the right type; else a copy.

    >>> import chainrule as torch
    >>> torch.as_tensor([1, 2])
    tensor([1, 2])
    """
    _check_device(device)
    if isinstance(data, Tensor):
        return data if dtype is None else data.to(dtype)
    if (
        isinstance(data, np.ndarray)
        and data.dtype in FROM_NUMPY
        and (dtype is None or as_dtype(dtype).numpy == data.dtype)
    ):
        return from_numpy(data)
    return tensor(data, dtype=dtype)


asarray = as_tensor


def from_numpy(ndarray: np.ndarray[Any, Any]) -> Tensor:
    """A tensor that shares memory with a NumPy array.

    >>> import chainrule as torch, numpy as np
    >>> a = np.zeros(2)
    >>> t = torch.from_numpy(a)
    >>> a[0] = 5
    >>> t
    tensor([5., 0.], dtype=torch.float64)
    """
    if not isinstance(ndarray, np.ndarray):
        raise DTypeError.of(
            "from_numpy", given=type(ndarray).__name__, must="it takes a NumPy array", hint="tensor(...)"
        )
    if ndarray.dtype not in FROM_NUMPY or not ndarray.dtype.isnative:
        _known(ndarray.dtype)
        raise DTypeError.of(
            "from_numpy",
            given=f"an array of type {ndarray.dtype.str}",
            must="the bytes must be in this machine's order to be shared",
            hint="tensor(array), which copies",
        )
    if any(s < 0 for s in ndarray.strides):
        raise ArgumentError.of(
            "from_numpy",
            given="an array with a negative step",
            must="tensors only step forward in memory",
            hint="from_numpy(array.copy())",
        )
    return wrap(ndarray)  # type: ignore[no-any-return]


def from_dlpack(ext_tensor: Any) -> Tensor:
    """A tensor that shares memory with any object that speaks DLPack."""
    return from_numpy(np.from_dlpack(ext_tensor))


# -- constant values -------------------------------------------------------------------------------------


def _size(size: tuple[Any, ...], name: str, given: Any = None) -> tuple[int, ...]:
    return new_shape(sizes_from_args((given,) if given is not None else size, name))


def empty(
    *size: Any, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False, **_: Any
) -> Tensor:
    """An uninitialised tensor: whatever the memory holds.

    >>> import chainrule as torch
    >>> torch.empty(2, 3).shape
    torch.Size([2, 3])
    """
    _check_device(device)
    return _leaf(memory.empty(_size(size, "empty"), _kind(dtype)), requires_grad)


def zeros(
    *size: Any, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False, **_: Any
) -> Tensor:
    """Zeros.

    >>> import chainrule as torch
    >>> torch.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    _check_device(device)
    return _leaf(np.zeros(_size(size, "zeros", _.get("size")), _kind(dtype)), requires_grad)


def ones(
    *size: Any, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False, **_: Any
) -> Tensor:
    """Ones.

    >>> import chainrule as torch
    >>> torch.ones(3)
    tensor([1., 1., 1.])
    """
    _check_device(device)
    return _leaf(np.ones(_size(size, "ones", _.get("size")), _kind(dtype)), requires_grad)


def full(
    size: Any, fill_value: Any, *, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """One value everywhere; its type decides that of the tensor.

    >>> import chainrule as torch
    >>> torch.full((2,), 7)
    tensor([7, 7])
    """
    _check_device(device)
    value = fill_value._a.item() if isinstance(fill_value, TensorBase) else fill_value
    return _leaf(np.full(_size((size,), "full"), value, _kind(dtype, dtypes.of_scalar(value))), requires_grad)


def eye(
    n: int,
    m: int | None = None,
    *,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Ones on the diagonal of a matrix, zeros elsewhere.

    >>> import chainrule as torch
    >>> torch.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    _check_device(device)
    return _leaf(np.eye(n, m, dtype=_kind(dtype)), requires_grad)


def _like(input: Tensor, dtype: Any) -> np.dtype[Any]:
    return _kind(dtype, FROM_NUMPY[input._a.dtype])


def zeros_like(
    input: Tensor, *, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Zeros in the shape and type of another tensor."""
    return _leaf(np.zeros(input._a.shape, _like(input, dtype)), requires_grad)


def ones_like(
    input: Tensor, *, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """Ones in the shape and type of another tensor."""
    return _leaf(np.ones(input._a.shape, _like(input, dtype)), requires_grad)


def full_like(
    input: Tensor,
    fill_value: Any,
    *,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """One value everywhere, in the shape and type of another tensor."""
    return _leaf(np.full(input._a.shape, fill_value, _like(input, dtype)), requires_grad)


def empty_like(
    input: Tensor, *, dtype: dtype | None = None, device: Any = None, requires_grad: bool = False
) -> Tensor:
    """An uninitialised tensor in the shape and type of another."""
    return _leaf(memory.empty(input._a.shape, _like(input, dtype)), requires_grad)


# -- ranges ------------------------------------------------------------------------------------------------


def arange(
    start: Any,
    end: Any = None,
    step: Any = 1,
    *,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """start, start + step, ... up to but without `end`; `arange(n)` counts from 0.

    Types:  int64 if all three are integers, else the default type.

    >>> import chainrule as torch
    >>> torch.arange(4), torch.arange(1, 2, 0.5)
    (tensor([0, 1, 2, 3]), tensor([1.0000, 1.5000]))
    """
    _check_device(device)
    if end is None:
        start, end = 0, start
    start, end, step = (v.item() if isinstance(v, TensorBase) else v for v in (start, end, step))
    if step == 0 or (end - start) / step < 0:
        raise ArgumentError.of(
            "arange",
            given=f"start={start}, end={end}, step={step}",
            must="the step must lead from start towards end",
        )
    whole = all(isinstance(v, int | np.integer) for v in (start, end, step))
    kind = _kind(dtype, dtypes.int64 if whole else dtypes.get_default_dtype())
    if whole:
        return _leaf(np.arange(start, end, step).astype(kind, copy=False), requires_grad)
    n = math.ceil((end - start) / step)
    return _leaf((start + step * np.arange(n, dtype=np.float64)).astype(kind), requires_grad)


def range_(start: Any, end: Any, step: Any = 1, **settings: Any) -> Tensor:
    """`range`: like `arange`, with the end included."""
    return arange(start, end + step / 2, step, **settings)


def linspace(
    start: Any,
    end: Any,
    steps: int,
    *,
    dtype: dtype | None = None,
    device: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """`steps` values at equal distances from start to end, both included.

    >>> import chainrule as torch
    >>> torch.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    _check_device(device)
    if steps < 0:
        raise ArgumentError.of(
            "linspace", given=f"steps={steps}", must="the number of values must not be negative"
        )
    start, end = float(start), float(end)
    return _leaf(np.linspace(start, end, steps).astype(_kind(dtype)), requires_grad)


def logspace(start: Any, end: Any, steps: int, base: float = 10.0, *, dtype: dtype | None = None) -> Tensor:
    """base**start to base**end with equal distances between the exponents.

    >>> import chainrule as torch
    >>> torch.logspace(0, 2, 3)
    tensor([  1.,  10., 100.])
    """
    return _leaf(np.power(base, np.linspace(float(start), float(end), steps)).astype(_kind(dtype)), False)


# -- random values -------------------------------------------------------------------------------------------


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
    return wrap(default_generator.get_state())  # type: ignore[no-any-return]


def set_rng_state(new_state: Tensor) -> None:
    """Put the default random stream to a place that `get_rng_state` gave."""
    default_generator.set_state(new_state._a)


def _float_kind(dtype: Any, name: str) -> np.dtype[Any]:
    kind = _kind(dtype)
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
    _check_device(device)
    g = generator or default_generator
    return _leaf(g.uniform(_size(size, "rand"), _float_kind(dtype, "rand")), requires_grad)


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
    _check_device(device)
    g = generator or default_generator
    return _leaf(g.normal(_size(args, "randn", size), _float_kind(dtype, "randn")), requires_grad)


def rand_like(
    input: Tensor, *, dtype: dtype | None = None, generator: random.Generator | None = None
) -> Tensor:
    """Uniform random numbers in [0, 1), in the shape and type of another tensor."""
    return rand(input._a.shape, dtype=dtype or input.dtype, generator=generator)


def randn_like(
    input: Tensor, *, dtype: dtype | None = None, generator: random.Generator | None = None
) -> Tensor:
    """Standard normal random numbers in the shape and type of another tensor."""
    return randn(input._a.shape, dtype=dtype or input.dtype, generator=generator)


def randint(
    low: int,
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
    _check_device(device)
    if size is None:
        low, high, size = 0, low, high
    if high is None:
        low, high = 0, low
    if size is None:
        raise ArgumentError.of(
            "randint", given="no size", must="the shape must be given", hint="randint(0, 10, (3,))"
        )
    g = generator or default_generator
    a = g.integers(low, high, _size((size,), "randint"))
    return _leaf(a.astype(_kind(dtype, dtypes.int64), copy=False), requires_grad)


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
    _check_device(device)
    a = (generator or default_generator).permutation(n)
    return _leaf(a.astype(_kind(dtype, dtypes.int64), copy=False), False)


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
    _check_device(device)
    low = std._a.min() if isinstance(std, TensorBase) and std._a.size else std
    if not isinstance(low, TensorBase) and low < 0:
        raise ArgumentError.of("normal", given=f"std={low}", must="a standard deviation must not be negative")
    tensors = [x for x in (mean, std) if isinstance(x, Tensor)]
    if tensors:
        shape = np.broadcast_shapes(*[x._a.shape for x in tensors])
        kind: Any = tensors[0].dtype
    elif size is None:
        raise ArgumentError.of(
            "normal",
            given="numbers for mean and std, but no size",
            must="the shape must be given",
            hint="normal(0, 1, (3,))",
        )
    else:
        shape, kind = _size((size,), "normal"), dtype
    noise = randn(shape, generator=generator, dtype=kind)
    out = noise if not tensors and std == 1 and mean == 0 else noise * std + mean
    return out.detach().requires_grad_() if requires_grad else out


def bernoulli(input: Tensor, p: float | None = None, *, generator: random.Generator | None = None) -> Tensor:
    """1 with the probability given by each element (or by `p`), else 0, in the type of the input.

    >>> import chainrule as torch
    >>> torch.bernoulli(torch.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    g = generator or default_generator
    chance = input._a if p is None else p
    if np.size(chance) and not (np.min(chance) >= 0 and np.max(chance) <= 1):
        raise ArgumentError.of(
            "bernoulli", given="a probability outside [0, 1]", must="probabilities must lie in [0, 1]"
        )
    kind = np.dtype(np.float64) if input._a.dtype == np.float64 else np.dtype(np.float32)
    drawn = g.uniform(input._a.shape, kind) < chance
    return wrap(drawn.astype(input._a.dtype))  # type: ignore[no-any-return]


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
    w = input._a
    if w.ndim not in (1, 2) or w.dtype.kind != "f":
        raise ArgumentError.of(
            "multinomial",
            given=f"{input.dtype} weights {w.shape}",
            must="weights must be a floating-point vector or matrix",
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
    return wrap(found.reshape(num_samples) if w.ndim == 1 else found)  # type: ignore[no-any-return]


# -- random values in place ------------------------------------------------------------------------------------


def _filled(x: Tensor, values: np.ndarray[Any, Any]) -> Tensor:
    return inplace.copy_(x, wrap(values.astype(x._a.dtype, copy=False)))  # type: ignore[no-any-return]


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
    u = (generator or default_generator).uniform(self._a.shape, _draw_kind(self, "uniform_"))
    return _filled(self, u * self._a.dtype.type(to - from_) + self._a.dtype.type(from_))


def normal_(
    self: Tensor, mean: float = 0.0, std: float = 1.0, *, generator: random.Generator | None = None
) -> Tensor:
    """Fill with normal random numbers. Returns self."""
    if std < 0:
        raise ArgumentError.of(
            "normal_", given=f"std={std}", must="a standard deviation must not be negative"
        )
    z = (generator or default_generator).normal(self._a.shape, _draw_kind(self, "normal_"))
    return _filled(self, z * self._a.dtype.type(std) + self._a.dtype.type(mean))


def bernoulli_(self: Tensor, p: Any = 0.5, *, generator: random.Generator | None = None) -> Tensor:
    """Fill with 1 with probability p, else 0. Returns self."""
    chance = p._a if isinstance(p, TensorBase) else p
    if np.size(chance) and not (np.min(chance) >= 0 and np.max(chance) <= 1):
        raise ArgumentError.of("bernoulli_", given=f"p={p}", must="probabilities must lie in [0, 1]")
    kind = np.dtype(np.float64) if self._a.dtype == np.float64 else np.dtype(np.float32)
    drawn = (generator or default_generator).uniform(self._a.shape, kind) < chance
    return _filled(self, np.asarray(drawn))


def exponential_(self: Tensor, lambd: float = 1.0, *, generator: random.Generator | None = None) -> Tensor:
    """Fill with exponential waiting times at rate `lambd`. Returns self."""
    if lambd <= 0:
        raise ArgumentError.of("exponential_", given=f"lambd={lambd}", must="the rate must be positive")
    waits = (generator or default_generator).exponential(self._a.shape, _draw_kind(self, "exponential_"))
    return _filled(self, waits / self._a.dtype.type(lambd))


def random_(
    self: Tensor, from_: int = 0, to: int | None = None, *, generator: random.Generator | None = None
) -> Tensor:
    """Fill with random integers in [from, to); with one number in [0, number). Returns self."""
    if to is None:
        limit = (
            2**24
            if self._a.dtype.kind == "f"
            else int(np.iinfo(self._a.dtype).max)
            if self._a.dtype.kind != "b"
            else 2
        )
        from_, to = (0, limit) if from_ == 0 else (0, from_)
    return _filled(self, (generator or default_generator).integers(from_, to, self._a.shape))


for _method in (uniform_, normal_, bernoulli_, exponential_, random_):
    setattr(Tensor, _method.__name__, _method)
Tensor.bernoulli = bernoulli  # type: ignore[attr-defined]
Tensor.multinomial = multinomial  # type: ignore[attr-defined]
