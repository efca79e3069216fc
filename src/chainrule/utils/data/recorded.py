"""An epoch in a program that is being recorded: one batch stands for all full ones, the rest comes after.

Only data in memory (`in_memory.py`) can be walked like this. How one iteration becomes the body of a loop is
in `../../graph/iteration.py`.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from ...ops.primitive import interpreter
from ...tensor import Tensor
from . import in_memory
from .collate import default_collate
from .dataset import IterableDataset, Subset
from .in_memory import InMemory
from .sampler import BatchSampler, WeightedRandomSampler

if TYPE_CHECKING:
    from .loader import DataLoader


def epoch(loader: DataLoader[Any], caller: FrameType) -> Iterator[list[Tensor]]:
    """The batches of one epoch, as tensors of the trace; the order of the rows is drawn in the graph.

    The graph relies on the loader, its tensors and its list of indices being the same objects at each run.
    Raises:  TraceError for a loader whose data are not in memory, or if not a `for` walks over it.
    """
    _refuse_wrapped(caller)
    batches = loader.batch_sampler
    if isinstance(batches, BatchSampler) and type(batches.sampler) is WeightedRandomSampler:
        _refuse("a DataLoader with a WeightedRandomSampler", "its draws are no operations of a graph")
    found = in_memory.of(loader)
    if found is None:
        _refuse(_what(loader), "its batches are made by Python, one by one, and would be fixed in the graph")
    if all(type(t._a) is np.ndarray for t in found.tensors):  # else the loader was made inside, as they were
        facts = _facts(loader)
        what = "a DataLoader walks over the same data"
        interpreter.trace.assume(("loader", id(loader)), what, lambda: _same(facts, _facts(loader)))
    return _walk(found)


def _facts(loader: DataLoader[Any]) -> list[Any]:
    """What an epoch is made from, and could be replaced."""
    batches: Any = loader.batch_sampler
    sampler = batches.sampler
    found = [loader.collate_fn, sampler, len(sampler), *vars(sampler).values(), batches.batch_size]
    found.append(batches.drop_last)
    dataset: Any = loader.dataset
    while type(dataset) is Subset:
        found += [dataset.indices, len(dataset.indices)]
        dataset = dataset.dataset
    kept = in_memory.held(dataset)
    return [*found, dataset, *(kept.tensors if kept else ()), *_conversion(dataset)]


def _conversion(dataset: Any) -> list[Any]:
    """What decides about how a data set converts its rows."""
    return [getattr(dataset, "transform", None), getattr(dataset, "target_transform", None)]


def _same(before: list[Any], now: list[Any]) -> bool:
    numbers = (int, bool)
    return len(before) == len(now) and all(
        x is y or (type(x) in numbers and type(y) is type(x) and x == y)
        for x, y in zip(before, now, strict=True)
    )


def _walk(data: InMemory) -> Iterator[list[Tensor]]:
    m = data.tensors[0].shape[0] if data.order is None else data.order.shape[0]
    b = data.batch_size
    trips, rest = divmod(m, b)
    if trips == 1:
        yield data.batch(0, b)
    elif trips:
        for rows in interpreter.trace.loop(trips, _sequences(data, trips)):
            if data.order is None:
                yield data.finished(rows)
            else:
                yield data.gathered(rows[0])
    if rest and not data.drop_last:
        yield data.batch(m - rest, m)


def _sequences(data: InMemory, trips: int) -> list[Tensor]:
    """What the iterations take a row of: the order of the samples, or the data in their own order."""
    b = data.batch_size
    if data.order is not None:
        return [data.order[: trips * b].reshape(trips, b)]  # (m,) -> (trips, b)
    for t in data.tensors:
        if t.requires_grad:
            _refuse(
                f"a data set with a tensor {tuple(t.shape)} that requires a gradient",
                "no gradient flows from a batch to the data",
                "detach() it",
            )
    n = trips * b
    return [t[:n].reshape(trips, b, *t.shape[1:]) for t in data.tensors]  # (n, ...) -> (trips, b, ...)


def _what(loader: DataLoader[Any]) -> str:
    """What it is about a loader that keeps it from being walked in a graph."""
    batches = loader.batch_sampler
    if isinstance(loader.dataset, IterableDataset):
        return f"a DataLoader over an IterableDataset, {type(loader.dataset).__name__}"
    if batches is None:
        return "a DataLoader without batches (batch_size=None)"
    if type(batches) is not BatchSampler:
        return f"a DataLoader with batch_sampler={type(batches).__name__}"
    if loader.collate_fn is not default_collate:
        return "a DataLoader with a collate_fn of its own"
    sampler = type(batches.sampler).__name__
    return f"a DataLoader over a {type(loader.dataset).__name__}, with a {sampler}"


def _refuse_wrapped(caller: FrameType) -> None:
    """Refuse enumerate(loader) and the like: what they count would be fixed."""
    instruction = dis.opname[caller.f_code.co_code[caller.f_lasti]]
    if instruction.startswith(("CALL", "PRECALL")):
        _refuse(
            "a DataLoader that is given to enumerate(), zip(), iter() or list()",
            "the loop is recorded once: numbers that Python counts would be those of the first batch",
            "for x, y in loader: with a tensor that counts: i = tensor(0) before the loop, i += 1 in it",
        )


def _refuse(given: str, must: str, hint: str = "") -> NoReturn:
    hint = hint or "DataLoader(TensorDataset(x, y), batch_size=n), or trace only what is done for one batch"
    raise interpreter.trace.loop_error(given, must, hint)
