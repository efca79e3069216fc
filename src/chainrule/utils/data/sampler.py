"""Which samples of a data set come next: orders over `range(n)`, and their grouping into batches.

A sampler gives indices; it never touches the samples. The samplers here also have `order()`, the whole epoch
as one index tensor: `__iter__` walks over it, and the loader for data in memory uses it without any
per-sample Python, so that both give the same batches. Next: `loader.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence, Sized
from typing import Any, Generic, TypeVar

from ...core.dtypes import float64, int64
from ...core.errors import ArgumentError
from ...core.random import Generator
from ...creation import arange, as_tensor
from ...functions.joining import cat
from ...functions.sampling import multinomial, randint, randperm
from ...tensor import Tensor

_T_co = TypeVar("_T_co", covariant=True)


class Sampler(Generic[_T_co]):
    """Base of all samplers. A sampler defines `__iter__`, and `__len__` if its length is known.

    >>> class EveryOther(Sampler[int]):
    ...     def __init__(self, n):
    ...         self.n = n
    ...     def __iter__(self):
    ...         return iter(range(0, self.n, 2))
    >>> list(EveryOther(5))
    [0, 2, 4]
    """

    def __iter__(self) -> Iterator[_T_co]:
        raise NotImplementedError(
            f"{type(self).__name__} must define __iter__, which gives the indices in turn"
        )


class SequentialSampler(Sampler[int]):
    """0, 1, 2, ..., len(data_source) - 1.

    >>> list(SequentialSampler("abc"))
    [0, 1, 2]
    """

    def __init__(self, data_source: Sized) -> None:
        self.data_source = data_source

    def order(self) -> Tensor:
        """The indices of one epoch: int64 (n,)."""
        return arange(len(self.data_source))

    def __iter__(self) -> Iterator[int]:
        return iter(range(len(self.data_source)))

    def __len__(self) -> int:
        return len(self.data_source)


class RandomSampler(Sampler[int]):
    """A new random order at each iteration; with `replacement`, independent uniform draws.

    Args:    num_samples: how many indices an epoch has (default: all). Without replacement, more than
             len(data_source) means one whole permutation after another.
             generator: the random stream (default: the global one, set by `manual_seed`).
    Raises:  ValueError if there is nothing to draw from or num_samples is not a positive integer.

    >>> import chainrule as torch
    >>> sampler = RandomSampler(range(5), generator=torch.Generator().manual_seed(0))
    >>> sorted(sampler)
    [0, 1, 2, 3, 4]
    """

    def __init__(
        self,
        data_source: Sized,
        replacement: bool = False,
        num_samples: int | None = None,
        generator: Generator | None = None,
    ) -> None:
        _check_bool("RandomSampler", "replacement", replacement)
        if num_samples is not None:
            _check_count("RandomSampler", "num_samples", num_samples)
        elif len(data_source) == 0:
            raise ArgumentError.of(
                "RandomSampler",
                given="a data source with 0 samples",
                must="num_samples should be a positive integer value",
                hint="shuffle=False for a data set that may be empty",
            )
        self.data_source = data_source
        self.replacement = replacement
        self._num_samples = num_samples
        self.generator = generator

    @property
    def num_samples(self) -> int:
        """How many indices one epoch has."""
        return len(self.data_source) if self._num_samples is None else self._num_samples

    def order(self) -> Tensor:
        """The indices of the next epoch: int64 (num_samples,)."""
        n, count = len(self.data_source), self.num_samples
        if self.replacement:
            return randint(0, n, (count,), generator=self.generator)
        if count == n:
            return randperm(n, generator=self.generator)
        rounds = [randperm(n, generator=self.generator) for _ in range(-(-count // n))]
        order: Tensor = cat(rounds)[:count]
        return order

    def __iter__(self) -> Iterator[int]:
        return iter(self.order().tolist())

    def __len__(self) -> int:
        return self.num_samples


class SubsetRandomSampler(Sampler[int]):
    """The given indices in a new random order at each iteration.

    >>> sorted(SubsetRandomSampler([2, 3, 5]))
    [2, 3, 5]
    """

    def __init__(self, indices: Sequence[int], generator: Generator | None = None) -> None:
        self.indices = indices
        self.generator = generator

    def order(self) -> Tensor:
        """The indices of the next epoch: int64 (len(indices),)."""
        shuffled = randperm(len(self.indices), generator=self.generator)
        order: Tensor = as_tensor(self.indices, dtype=int64).index_select(0, shuffled)
        return order

    def __iter__(self) -> Iterator[int]:
        shuffled = randperm(len(self.indices), generator=self.generator).tolist()
        return iter([self.indices[i] for i in shuffled])

    def __len__(self) -> int:
        return len(self.indices)


class WeightedRandomSampler(Sampler[int]):
    """`num_samples` indices, each i drawn with a probability proportional to `weights[i]`.

    Args:    weights: (n,), not negative, with a positive sum; they need not add up to 1.
             replacement: whether an index can be drawn more than once in an epoch.
    Raises:  ValueError for a wrong shape or count; without replacement, for more draws than positive weights.

    >>> list(WeightedRandomSampler([0.0, 3.0, 0.0], num_samples=4))
    [1, 1, 1, 1]
    """

    def __init__(
        self,
        weights: Sequence[float] | Tensor,
        num_samples: int,
        replacement: bool = True,
        generator: Generator | None = None,
    ) -> None:
        _check_count("WeightedRandomSampler", "num_samples", num_samples)
        _check_bool("WeightedRandomSampler", "replacement", replacement)
        self.weights = as_tensor(weights, dtype=float64)
        if self.weights.dim() != 1:
            raise ArgumentError.of(
                "WeightedRandomSampler",
                given=f"weights of shape {tuple(self.weights.shape)}",
                must="weights should be a 1d sequence: one weight for each sample",
            )
        self.num_samples = num_samples
        self.replacement = replacement
        self.generator = generator

    def order(self) -> Tensor:
        """The indices of the next epoch: int64 (num_samples,)."""
        return multinomial(self.weights, self.num_samples, self.replacement, generator=self.generator)

    def __iter__(self) -> Iterator[int]:
        return iter(self.order().tolist())

    def __len__(self) -> int:
        return self.num_samples


class BatchSampler(Sampler[list[int]]):
    """Groups the indices of another sampler: lists of `batch_size`, the last one shorter unless `drop_last`.

    >>> list(BatchSampler(range(5), batch_size=2, drop_last=False))
    [[0, 1], [2, 3], [4]]
    >>> list(BatchSampler(range(5), batch_size=2, drop_last=True))
    [[0, 1], [2, 3]]
    """

    def __init__(self, sampler: Iterable[int], batch_size: int, drop_last: bool) -> None:
        _check_count("BatchSampler", "batch_size", batch_size)
        _check_bool("BatchSampler", "drop_last", drop_last)
        self.sampler = sampler
        self.batch_size = batch_size
        self.drop_last = drop_last

    def __iter__(self) -> Iterator[list[int]]:
        return self._batches(iter(self.sampler))  # a random order is drawn now, not at the first batch

    def _batches(self, indices: Iterator[int]) -> Iterator[list[int]]:
        while batch := list(itertools.islice(indices, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield batch

    def __len__(self) -> int:
        n = len(self.sampler)  # type: ignore[arg-type]  # TypeError for a sampler without a length, as for any
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)


def _check_count(owner: str, name: str, value: Any) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ArgumentError.of(
            owner,
            given=f"{name}={value!r}",
            must=f"{name} should be a positive integer value",
            hint=f"{name}=32",
        )


def _check_bool(owner: str, name: str, value: Any) -> None:
    if not isinstance(value, bool):
        raise ArgumentError.of(owner, given=f"{name}={value!r}", must=f"{name} should be a boolean value")
