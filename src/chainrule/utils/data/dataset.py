"""Data sets: things with samples that can be asked for by number, or walked through.

`TensorDataset` holds whole tensors; `Subset`, `ConcatDataset` and `random_split` make new data sets out of
others without copying. How samples become batches is not here. Next: `sampler.py`, then `loader.py`.
"""

from __future__ import annotations

import bisect
import itertools
import math
import warnings
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar, cast

from ...core.errors import ArgumentError, ShapeError
from ...core.random import Generator
from ...functions.sampling import randperm
from ...tensor import Tensor

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)


class Dataset(Generic[_T_co]):
    """Base of data sets whose samples have numbers: define `__getitem__` and `__len__`.

    A data set may also define `__getitems__(indices)`, which gives a list of samples; the loader then asks
    once for each batch.

    >>> class Squares(Dataset[int]):
    ...     def __len__(self):
    ...         return 4
    ...     def __getitem__(self, i):
    ...         return i * i
    >>> Squares()[3]
    9
    """

    def __getitem__(self, index: Any) -> _T_co:
        raise NotImplementedError(
            f"{type(self).__name__} must define __getitem__(index), which gives one sample"
            " (and __len__, the number of samples)"
        )

    def __add__(self, other: Dataset[Any]) -> ConcatDataset[Any]:
        return ConcatDataset([self, other])


class IterableDataset(Dataset[_T_co]):
    """Base of data sets that can only be walked through, such as a stream: define `__iter__`.

    >>> class Countdown(IterableDataset[int]):
    ...     def __iter__(self):
    ...         return iter([3, 2, 1])
    >>> list(Countdown())
    [3, 2, 1]
    """

    def __iter__(self) -> Iterator[_T_co]:
        raise NotImplementedError(
            f"{type(self).__name__} must define __iter__, which gives the samples in turn"
        )


class TensorDataset(Dataset[tuple[Tensor, ...]]):
    """Tensors of one length; sample i is the tuple of their i-th rows.

    Shapes:  every tensor (n, ...), with the same n.
    Raises:  ShapeError naming all shapes if the first axes differ or a tensor has no axes;
             TypeError for something that is not a Tensor.

    A `DataLoader` gathers whole batches of it with one operation for each tensor.

    >>> import chainrule as torch
    >>> data = TensorDataset(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([0, 1]))
    >>> len(data), data[1]
    (2, (tensor([3., 4.]), tensor(1)))
    """

    tensors: tuple[Tensor, ...]

    def __init__(self, *tensors: Tensor) -> None:
        for i, t in enumerate(tensors):
            if not isinstance(t, Tensor):
                raise ArgumentError.of(
                    "TensorDataset",
                    given=f"{_a(t)} at position {i}",
                    must="every argument must be a Tensor",
                    hint="TensorDataset(torch.as_tensor(x), torch.as_tensor(y))",
                )
        if not tensors:
            raise ArgumentError.of("TensorDataset", given="no tensors", must="at least one is needed")
        if any(t.dim() == 0 for t in tensors) or len({t.shape[0] for t in tensors}) > 1:
            raise ShapeError.of(
                "TensorDataset",
                given="tensors of shapes " + ", ".join(str(tuple(t.shape)) for t in tensors),
                must="the first axis counts the samples and must have the same length in all of them",
            )
        self.tensors = tensors

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(t[index] for t in self.tensors)

    def __len__(self) -> int:
        return int(self.tensors[0].shape[0])


class Subset(Dataset[_T_co]):
    """Some samples of another data set: sample i is `dataset[indices[i]]`.

    >>> Subset("abcd", [3, 0])[0]
    'd'
    """

    def __init__(self, dataset: Dataset[_T_co], indices: Sequence[int]) -> None:
        self.dataset = dataset
        self.indices = indices
        own, kind = Subset, type(self)
        if kind.__getitem__ is not own.__getitem__ and kind.__getitems__ is own.__getitems__:
            # The loader asks for whole batches through __getitems__ and would go past the new __getitem__.
            raise NotImplementedError(
                f"{kind.__name__} overrides __getitem__ and must override __getitems__ too, for instance by\n"
                "    def __getitems__(self, indices):\n"
                "        return [self[i] for i in indices]"
            )

    def __getitem__(self, index: Any) -> _T_co:
        if isinstance(index, list):
            return self.dataset[[self.indices[i] for i in index]]
        return self.dataset[self.indices[index]]

    def __getitems__(self, indices: list[int]) -> list[_T_co]:
        return fetch(self.dataset, [self.indices[i] for i in indices])

    def __len__(self) -> int:
        return len(self.indices)


class ConcatDataset(Dataset[_T_co]):
    """Data sets one after the other; `a + b` makes one, too.

    >>> len(ConcatDataset(["abc", "de"])), ConcatDataset(["abc", "de"])[3]
    (5, 'd')
    """

    def __init__(self, datasets: Iterable[Dataset[_T_co]]) -> None:
        self.datasets = list(datasets)
        if not self.datasets:
            raise ArgumentError.of("ConcatDataset", given="no data sets", must="at least one is needed")
        for i, d in enumerate(self.datasets):
            if isinstance(d, IterableDataset):
                raise ArgumentError.of(
                    "ConcatDataset",
                    given=f"the IterableDataset {type(d).__name__} at position {i}",
                    must="its data sets must give samples by number",
                    hint="itertools.chain of the data sets",
                )
        self.cumulative_sizes = list(itertools.accumulate(len(cast(Sized, d)) for d in self.datasets))

    def __len__(self) -> int:
        return self.cumulative_sizes[-1]

    def __getitem__(self, index: Any) -> _T_co:
        n = len(self)
        i = index + n if index < 0 else index
        if not 0 <= i < n:
            raise IndexError(f"ConcatDataset got index {index}, but it has {n} samples")
        which = bisect.bisect_right(self.cumulative_sizes, i)
        return self.datasets[which][i - (self.cumulative_sizes[which - 1] if which else 0)]


def fetch(dataset: Dataset[_T], indices: list[int]) -> list[_T]:
    """The samples with these numbers, asked for at once where the data set can do that.

    An exception of the data set is passed on with a note that names the sample.
    """
    at_once = getattr(dataset, "__getitems__", None)
    if callable(at_once):
        return cast(list[_T], at_once(indices))
    samples = []
    for i in indices:
        try:
            samples.append(dataset[i])
        except Exception as err:
            err.add_note(f"  in sample {i} of {type(dataset).__name__}")
            raise
    return samples


def random_split(
    dataset: Dataset[_T], lengths: Sequence[int | float], generator: Generator | None = None
) -> list[Subset[_T]]:
    """Split into parts that do not overlap, with the given lengths, at random.

    Args:    lengths: numbers of samples that add up to len(dataset), or fractions that add up to 1. Fractions
             are rounded down, and what is left over goes to the parts in turn, one each.
             generator: the random stream (default: the global one).
    Raises:  ValueError if the lengths do not add up. Warns of an empty part.

    >>> import chainrule as torch
    >>> train, valid = random_split(range(10), [0.8, 0.2], generator=torch.Generator().manual_seed(0))
    >>> len(train), len(valid), sorted([*train, *valid]) == list(range(10))
    (8, 2, True)
    """
    n = len(cast(Sized, dataset))
    total = sum(lengths)
    if math.isclose(total, 1):
        counts = _counts_of_fractions(n, lengths)
    elif total != n or any(length < 0 or length != int(length) for length in lengths):
        raise ArgumentError.of(
            "random_split",
            given=f"lengths {list(lengths)}, which add up to {total}, for {n} samples",
            must="lengths must add up to the number of samples, or be fractions that add up to 1",
            hint="fractions, such as [0.8, 0.2]",
        )
    else:
        counts = [int(length) for length in lengths]
    shuffled = randperm(n, generator=generator).tolist()
    ends = itertools.accumulate(counts)
    return [Subset(dataset, shuffled[end - count : end]) for end, count in zip(ends, counts, strict=True)]


def _counts_of_fractions(n: int, fractions: Sequence[float]) -> list[int]:
    for i, fraction in enumerate(fractions):
        if not 0 <= fraction <= 1:
            raise ArgumentError.of(
                "random_split",
                given=f"the fraction {fraction} at position {i}",
                must="fractions must be in 0..1",
            )
    counts = [math.floor(n * fraction) for fraction in fractions]
    for i in range(n - sum(counts)):
        counts[i % len(counts)] += 1
    for i, count in enumerate(counts):
        if count == 0:
            warnings.warn(
                f"random_split: part {i} is empty ({fractions[i]} of {n} samples)", UserWarning, stacklevel=3
            )
    return counts


def _a(value: object) -> str:
    """`a list`, `an ndarray`: the type of a wrong argument, for a message."""
    name = type(value).__name__
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
