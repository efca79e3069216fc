"""DataLoader: walks over a data set in batches.

One epoch takes one of three ways: `in_memory.py` where it applies, one sample after the other, or the same
with a few threads that prepare the next batches (`prefetch.py`). All give the same batches in the same order.
In a program that is being recorded as a graph, an epoch becomes a loop there (`recorded.py`).
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Sized
from typing import Any, Generic, TypeVar, cast

from ...core.errors import ArgumentError
from ...core.random import Generator
from ...ops.primitive import tracing
from . import in_memory, prefetch, recorded
from .collate import default_collate, default_convert
from .dataset import Dataset, IterableDataset, fetch
from .sampler import BatchSampler, RandomSampler, SequentialSampler

_T_co = TypeVar("_T_co", covariant=True)

_FIXED = {"dataset", "batch_size", "batch_sampler", "sampler", "drop_last"}  # what an epoch is made from


class DataLoader(Generic[_T_co]):
    """Walks over a data set in batches; each walk is one epoch, and a shuffled one has a new order.

    Args:    batch_size: samples in a batch; None gives single samples, only converted by `default_convert`.
             shuffle: a new random order in each epoch. Instead, `sampler` gives the indices of the samples,
             or `batch_sampler` lists of them (then without batch_size, shuffle, sampler and drop_last).
             collate_fn: makes a batch of a list of samples (default: `default_collate`).
             drop_last: leave out a last batch with fewer samples.
             generator: the random stream for shuffling (default: the global one, set by `manual_seed`).
             num_workers: threads that prepare batches ahead of time, `prefetch_factor` (2) batches each;
             useful when samples are read from files. They share the memory and the random streams of the
             program: a data set that draws random numbers gets them in no fixed order. An IterableDataset
             is walked through by one thread. Data in memory needs no threads and gets none.
             timeout, worker_init_fn, multiprocessing_context: settings of worker processes, which there are
             none of; only the defaults are accepted. pin_memory, persistent_workers, in_order: no effect.
    Raises:  ValueError for arguments that contradict each other; what the data set raises, with a note that
             names the sample.

    A `TensorDataset`, or a `Subset` of one, gives whole batches at once, in memory of their own.

    >>> import chainrule as torch
    >>> data = torch.utils.data.TensorDataset(torch.arange(5), torch.arange(5) ** 2)
    >>> for x, y in DataLoader(data, batch_size=2):
    ...     print(x, y)
    tensor([0, 1]) tensor([0, 1])
    tensor([2, 3]) tensor([4, 9])
    tensor([4]) tensor([16])
    """

    def __init__(
        self,
        dataset: Dataset[_T_co],
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Iterable[int] | None = None,
        batch_sampler: Iterable[list[int]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[Any], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: None = None,
        multiprocessing_context: None = None,
        generator: Generator | None = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        in_order: bool = True,
    ) -> None:
        _check_workers(num_workers, prefetch_factor)
        _check_no_processes(
            timeout=timeout or None,
            worker_init_fn=worker_init_fn,
            multiprocessing_context=multiprocessing_context,
        )
        _check_ways_to_choose(dataset, batch_size, shuffle, sampler, batch_sampler, drop_last)

        if batch_sampler is not None:
            batch_size = None
        elif not isinstance(dataset, IterableDataset):
            if sampler is None:
                source = cast(Sized, dataset)
                sampler = RandomSampler(source, generator=generator) if shuffle else SequentialSampler(source)
            if batch_size is not None:
                batch_sampler = BatchSampler(sampler, batch_size, drop_last)

        self.dataset = dataset
        self.batch_size = batch_size
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.drop_last = drop_last
        self.generator = generator
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.persistent_workers = persistent_workers
        self.in_order = in_order
        self.collate_fn = collate_fn or (default_collate if self._in_batches else default_convert)
        self._is_set_up = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _FIXED and getattr(self, "_is_set_up", False):
            raise ArgumentError.of(
                f"DataLoader.{name}",
                given=f"a new value, {value!r}",
                must=f"{name} attribute should not be set after DataLoader is initialized",
                hint="make a new DataLoader",
            )
        super().__setattr__(name, value)

    @property
    def _in_batches(self) -> bool:
        return self.batch_size is not None or self.batch_sampler is not None

    def __len__(self) -> int:
        """Batches in an epoch (samples, when batch_size is None)."""
        if not isinstance(self.dataset, IterableDataset):
            return len(cast(Sized, self.batch_sampler if self._in_batches else self.sampler))
        n = len(cast(Sized, self.dataset))
        if self.batch_size is None:
            return n
        return n // self.batch_size if self.drop_last else -(-n // self.batch_size)

    def __iter__(self) -> Iterator[Any]:
        if tracing.tracer is not None:
            return recorded.epoch(self, sys._getframe(1))
        epoch = in_memory.of(self)
        if epoch is not None:
            return iter(epoch)
        ahead = self.num_workers * (self.prefetch_factor or 2)
        if isinstance(self.dataset, IterableDataset):
            batches = self._batches_of_stream(iter(self.dataset))
            return prefetch.stream(batches, ahead) if ahead else batches
        jobs = iter(cast(Iterable[Any], self.batch_sampler if self._in_batches else self.sampler))
        if ahead:
            return prefetch.in_order(self._make, jobs, self.num_workers, ahead)
        return (self._make(job) for job in jobs)

    def _make(self, job: Any) -> Any:
        """The batch of a list of indices or, without batches, the sample of one index."""
        if self._in_batches:
            return self._collate(fetch(self.dataset, job), f"samples {job}")
        return self._collate(fetch(self.dataset, [job])[0], f"sample {job}")

    def _batches_of_stream(self, samples: Iterator[_T_co]) -> Iterator[Any]:
        if self.batch_size is None:
            for i, sample in enumerate(samples):
                yield self._collate(sample, f"sample {i}")
            return
        seen = 0
        while batch := list(itertools.islice(samples, self.batch_size)):
            if len(batch) == self.batch_size or not self.drop_last:
                yield self._collate(batch, f"samples {seen} to {seen + len(batch) - 1}")
            seen += len(batch)

    def _collate(self, samples: Any, which: str) -> Any:
        try:
            return self.collate_fn(samples)
        except Exception as err:
            err.add_note(f"  collating {which} of {type(self.dataset).__name__}")
            raise


def _check_workers(num_workers: int, prefetch_factor: int | None) -> None:
    if num_workers < 0:
        raise ArgumentError.of(
            "DataLoader", given=f"num_workers={num_workers}", must="num_workers option should be non-negative"
        )
    if prefetch_factor is not None and (num_workers == 0 or prefetch_factor <= 0):
        raise ArgumentError.of(
            "DataLoader",
            given=f"prefetch_factor={prefetch_factor}, num_workers={num_workers}",
            must="prefetch_factor is the positive number of batches that each worker prepares ahead",
            hint="num_workers=2, prefetch_factor=2",
        )


def _check_no_processes(**options: Any) -> None:
    for name, value in options.items():
        if value is not None:
            raise ArgumentError.of(
                "DataLoader",
                given=f"{name}={value!r}",
                must=f"workers are threads of this program, so there is nothing that {name} could set",
                hint=f"leave out {name}",
            )


def _check_ways_to_choose(
    dataset: Any, batch_size: Any, shuffle: Any, sampler: Any, batch_sampler: Any, drop_last: bool
) -> None:
    """The data set, `shuffle`, `sampler`, `batch_sampler` are ways to choose samples: only one at a time."""
    given = {"shuffle": shuffle or None, "sampler": sampler, "batch_sampler": batch_sampler}
    chosen = [name for name, value in given.items() if value is not None]
    if isinstance(dataset, IterableDataset):
        if chosen:
            _refuse(
                f"{chosen[0]} for the IterableDataset {type(dataset).__name__}",
                f"an IterableDataset gives its samples in its own order, {chosen[0]} must be left out",
                "shuffle inside of its __iter__, or make it a Dataset with __getitem__ and __len__",
            )
    elif not hasattr(dataset, "__getitem__"):
        _refuse(
            f"a data set of type {type(dataset).__name__}",
            "it needs __getitem__ and __len__, or must be an IterableDataset",
            "TensorDataset(x, y), or a list of samples",
        )
    if len(chosen) > 1:
        _refuse(
            " and ".join(chosen),
            f"{chosen[-1]} option is mutually exclusive with {chosen[0]}: both choose the samples",
            f"leave out {chosen[0]}",
        )
    if batch_sampler is not None and (batch_size != 1 or drop_last):
        _refuse(
            f"batch_sampler and batch_size={batch_size}, drop_last={drop_last}",
            "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last",
            "leave out batch_size and drop_last: the batch_sampler decides",
        )
    if batch_size is None and drop_last:
        _refuse(
            "batch_size=None and drop_last=True",
            "batch_size=None option disables auto-batching and is mutually exclusive with drop_last",
            "leave out drop_last",
        )
    if batch_size is not None and (
        not isinstance(batch_size, int) or isinstance(batch_size, bool) or batch_size < 1
    ):
        _refuse(
            f"batch_size={batch_size!r}",
            "batch_size should be a positive integer value",
            "batch_size=32, or batch_size=len(dataset) for one batch with everything",
        )


def _refuse(given: str, must: str, hint: str) -> None:
    raise ArgumentError.of("DataLoader", given=given, must=must, hint=hint)
