"""An epoch in a program that is being recorded: one batch stands for all full ones, the rest comes after.

Only data in memory (`in_memory.py`) can be walked like this. How one iteration becomes the body of a loop is
in `../../graph/iteration.py`.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

from ...ops.primitive import interpreter
from ...tensor import Tensor
from . import in_memory
from .collate import default_collate
from .in_memory import InMemory
from .sampler import BatchSampler, WeightedRandomSampler

if TYPE_CHECKING:
    from .loader import DataLoader


def epoch(loader: DataLoader[Any], caller: FrameType) -> Iterator[list[Tensor]]:
    """The batches of one epoch, as tensors of the trace; the order of the rows is drawn in the graph.

    Raises:  TraceError for a loader whose data are not in memory, or if not a `for` walks over it.
    """
    _refuse_wrapped(caller)
    batches = loader.batch_sampler
    if isinstance(batches, BatchSampler) and type(batches.sampler) is WeightedRandomSampler:
        _refuse("a DataLoader with a WeightedRandomSampler", "its draws are no operations of a graph")
    found = in_memory.of(loader)
    if found is None:
        _refuse(_what(loader), "its batches are made by Python, one by one, and would be fixed in the graph")
    return _walk(found)


def _walk(data: InMemory) -> Iterator[list[Tensor]]:
    m = data.tensors[0].shape[0] if data.order is None else data.order.shape[0]
    b = data.batch_size
    trips, rest = divmod(m, b)
    if trips == 1:
        yield data.batch(0, b)
    elif trips:
        for rows in interpreter.trace.loop(trips, _sequences(data, trips)):
            if data.order is None:
                yield rows
            else:
                yield [t.index_select(0, rows[0]) for t in data.tensors]  # (n, ...) -> (b, ...)
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
    if loader.batch_size is None and batches is None:
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
