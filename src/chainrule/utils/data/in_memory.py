"""Data that is already in memory: whole batches by one gather for each tensor, no Python for each sample.

`of(loader)` recognises such a loader: its data set is a `TensorDataset`, or one that says that it is `Held`
(or `Subset`s of either), its batches are of a fixed size, and the default collate puts them together.
`InMemory` then describes an epoch completely: the tensors, the order of the rows, the batch size. The
batches equal those of the general path in `loader.py`, and the random stream is used in the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...core.dtypes import int64
from ...creation import as_tensor
from ...functions.elementwise import where
from ...tensor import Tensor
from .collate import default_collate
from .dataset import Subset, TensorDataset
from .sampler import (
    BatchSampler,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

if TYPE_CHECKING:
    from .loader import DataLoader

# Exactly these types: a subclass may change what its samples or its order are.
_ORDERED = (SequentialSampler, RandomSampler, SubsetRandomSampler, WeightedRandomSampler)


@dataclass(frozen=True, slots=True)
class Held:
    """A data set as whole tensors; its method `held_in_memory()` returns this, or None if it cannot be so.

    tensors:  each (n, ...); their i-th rows make sample i.
    convert:  makes the samples of a batch of such rows, if they are not what the loader shall give, such as
              images that are kept as bytes; in operations on tensors, for all rows at once.
    """

    tensors: tuple[Tensor, ...]
    convert: Callable[[list[Tensor]], list[Tensor]] | None = None


def held(dataset: Any) -> Held | None:
    """The tensors of a data set that is in memory; None for any other."""
    if type(dataset) is TensorDataset:
        return Held(dataset.tensors)
    ask = getattr(dataset, "held_in_memory", None)
    return ask() if callable(ask) else None


@dataclass(frozen=True, slots=True)
class InMemory:
    """How one epoch walks over tensors: rows `order[0:b]`, `order[b:2b]`, ... of each of them.

    tensors:     each (n, ...).
    order:       int64 (m,) indices of rows, or None for all rows from first to last.
    batch_size:  b rows in each batch; the last batch has what is left, unless drop_last.
    convert:     what is done to the rows of a batch (see `Held`).
    """

    tensors: tuple[Tensor, ...]
    order: Tensor | None
    batch_size: int
    drop_last: bool
    convert: Callable[[list[Tensor]], list[Tensor]] | None = None

    def __iter__(self) -> Iterator[list[Tensor]]:
        m = self.tensors[0].shape[0] if self.order is None else self.order.shape[0]
        last = m - self.batch_size if self.drop_last else m - 1  # no batch starts after this row
        for start in range(0, last + 1, self.batch_size):
            yield self.batch(start, min(start + self.batch_size, m))

    def batch(self, start: int, stop: int) -> list[Tensor]:
        """Rows start..stop of the epoch, in memory of their own: a batch may be changed in place."""
        if self.order is None:
            return self.finished([t[start:stop].clone() for t in self.tensors])  # (n, ...) -> (b, ...)
        return self.gathered(self.order[start:stop])

    def gathered(self, rows: Tensor) -> list[Tensor]:
        """The batch of these rows (b,)."""
        return self.finished([t.index_select(0, rows) for t in self.tensors])  # (n, ...) -> (b, ...)

    def finished(self, rows: list[Tensor]) -> list[Tensor]:
        """What the loader gives of such rows."""
        return rows if self.convert is None else self.convert(rows)


def of(loader: DataLoader[Any]) -> InMemory | None:
    """The next epoch of a loader over data in memory, its order drawn anew; None for any other loader."""
    batches = loader.batch_sampler
    if type(batches) is not BatchSampler or loader.collate_fn is not default_collate:
        return None
    outermost: Any = loader.dataset
    subsets: list[Any] = []
    dataset = outermost
    while type(dataset) is Subset:
        subsets.append(dataset)
        dataset = dataset.dataset
    if type(batches.sampler) not in _ORDERED:
        return None
    found = held(dataset)
    if found is None:
        return None

    sampler: Any = batches.sampler
    if type(sampler) is SequentialSampler and sampler.data_source is outermost:
        order = None
    elif type(sampler) is SubsetRandomSampler:  # the others give no negative indices
        order = _from_start(sampler.order(), len(outermost))
    else:
        order = sampler.order()
    for subset in subsets:  # from the outermost: its indices say which samples of the next one are meant
        rows = _from_start(as_tensor(subset.indices, dtype=int64), len(subset.dataset))
        order = rows if order is None else rows.index_select(0, order)
    return InMemory(found.tensors, order, batches.batch_size, batches.drop_last, found.convert)


def _from_start(order: Tensor, n: int) -> Tensor:
    """Indices counted from the end (-1 is the last) as indices counted from the start."""
    from_start: Tensor = where(order < 0, order + n, order)
    return from_start
