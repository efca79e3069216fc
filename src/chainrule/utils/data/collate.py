"""A list of samples becomes a batch: `default_collate`, and `default_convert` for single samples.

Numbers and arrays are stacked along a new first axis; containers are taken apart, collated part by part and
put together again. Where the samples come from is not here. Next: `loader.py`.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, MutableMapping, MutableSequence, Sequence
from typing import Any

import numpy as np

from ...core.dtypes import float64
from ...core.errors import ArgumentError, DTypeError, ShapeError
from ...creation import as_tensor, tensor
from ...functions.joining import stack
from ...tensor import Tensor

_MUST = "default_collate: batch must contain tensors, numpy arrays, numbers, dicts or lists"


def default_collate(batch: Sequence[Any]) -> Any:
    """Samples put together along a new first axis.

    A batch of n samples, by the type of the samples:
        Tensor (...)             -> Tensor (n, ...)
        NumPy array or number    -> Tensor (n, ...) of the same dtype
        float, int, bool         -> Tensor (n,) of float64, int64, bool
        str, bytes               -> the list of them
        dict                     -> a dict of the collated values for each key
        named tuple              -> a named tuple of the collated fields
        tuple, list              -> a list of the collated parts

    Raises:  ShapeError naming the position and both shapes when shapes differ; RuntimeError when lengths or
             keys differ; TypeError naming the type when it is none of these.

    >>> import chainrule as torch
    >>> default_collate([(torch.tensor([1.0, 2.0]), 0), (torch.tensor([3.0, 4.0]), 1)])
    [tensor([[1., 2.],
            [3., 4.]]), tensor([0, 1])]
    >>> default_collate([{"name": "a", "age": 3.5}, {"name": "b", "age": 4.0}])
    {'name': ['a', 'b'], 'age': tensor([3.5000, 4.0000], dtype=torch.float64)}
    """
    first = batch[0]
    if isinstance(first, Tensor):
        _check_shapes(batch)
        return stack(list(batch))
    if isinstance(first, np.ndarray | np.generic) and not isinstance(first, str | bytes):
        return _collate_numpy(batch)
    if isinstance(first, float):
        return tensor(batch, dtype=float64)
    if isinstance(first, int):
        return tensor(batch)
    if isinstance(first, str | bytes):
        return batch
    if isinstance(first, Mapping):
        return _mapping_like(first, {key: default_collate(_values(batch, key)) for key in first})
    if isinstance(first, Sequence):
        return _collate_sequences(batch)
    raise ArgumentError.of(
        "default_collate", given=f"samples of type {type(first).__name__}", must=_MUST, hint=_OWN
    )


_OWN = "DataLoader(..., collate_fn=f), where f makes a batch of a list of samples"


def default_convert(data: Any) -> Any:
    """NumPy arrays and numbers inside `data` as Tensors; everything else as it is. Tuples become lists.

    This is what a `DataLoader` without batches (`batch_size=None`) does to each sample.

    >>> import numpy as np
    >>> default_convert({"x": np.zeros(2, np.float32), "name": "a"})
    {'x': tensor([0., 0.]), 'name': 'a'}
    """
    if isinstance(data, np.ndarray | np.generic) and not isinstance(data, str | bytes):
        return data if isinstance(data, np.ndarray) and data.dtype.kind in "SUO" else as_tensor(data)
    if isinstance(data, Mapping):
        return _mapping_like(data, {key: default_convert(data[key]) for key in data})
    if isinstance(data, Sequence) and not isinstance(data, Tensor | str | bytes):
        return _sequence_like(data, [default_convert(part) for part in data])
    return data


def _collate_numpy(batch: Sequence[Any]) -> Tensor:
    kinds = {np.asarray(x).dtype.kind for x in batch}
    if kinds & set("SUO"):
        raise DTypeError.of(
            "default_collate",
            given=f"NumPy values of dtype {np.asarray(batch[0]).dtype}",
            must=_MUST,
            hint=_OWN,
        )
    return default_collate([as_tensor(x) for x in batch])  # type: ignore[no-any-return]


def _collate_sequences(batch: Sequence[Any]) -> Any:
    first = batch[0]
    for i, sample in enumerate(batch):
        if len(sample) != len(first):
            raise ShapeError.of(
                "default_collate",
                given=f"a {type(sample).__name__} of length {len(sample)} at position {i} of the batch,"
                f" and of length {len(first)} at position 0",
                must="each element in list of batch should be of equal size",
                hint=_OWN,
            )
    return _sequence_like(first, [default_collate(parts) for parts in zip(*batch, strict=True)])


def _check_shapes(batch: Sequence[Tensor]) -> None:
    shape = batch[0].shape
    for i, x in enumerate(batch):
        if x.shape != shape:
            raise ShapeError.of(
                "default_collate",
                given=f"shape {tuple(x.shape)} at position {i} of the batch, {tuple(shape)} at position 0",
                must="stack expects each tensor to be equal size",
                hint="bring the samples to one shape, or " + _OWN,
            )


def _values(batch: Sequence[Mapping[Any, Any]], key: Any) -> list[Any]:
    for i, sample in enumerate(batch):
        if key not in sample:
            raise KeyError(f"default_collate: the sample at position {i} of the batch has no key {key!r}")
    return [sample[key] for sample in batch]


def _mapping_like(like: Mapping[Any, Any], items: dict[Any, Any]) -> Any:
    """The items in a container of the same type, or in a dict where that type cannot be made of them."""
    try:
        if isinstance(like, MutableMapping):
            result = copy.copy(like)  # keeps what a subclass carries besides its items
            result.update(items)
            return result
        return type(like)(items)  # type: ignore[call-arg]
    except TypeError:
        return items


def _sequence_like(like: Sequence[Any], parts: list[Any]) -> Any:
    if isinstance(like, tuple):
        return type(like)(*parts) if hasattr(like, "_fields") else parts
    try:
        if isinstance(like, MutableSequence):
            result = copy.copy(like)
            for i, part in enumerate(parts):
                result[i] = part
            return result
        return type(like)(parts)  # type: ignore[call-arg]
    except TypeError:
        return parts
