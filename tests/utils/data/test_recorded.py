"""A loader in a traced function: which ones can be walked, by whom, and what is noted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

import chainrule as torch
from chainrule.graph import trace
from chainrule.utils.data import (
    DataLoader,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    Subset,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
)
from tests.graph.loops import X, Y, gone, loader, message

WALKED = (
    "for batch in loader got a DataLoader that is given to enumerate(), zip(), iter() or list()\n"
    "  the loop is recorded once: numbers that Python counts would be those of the first batch\n"
    "  try: for x, y in loader: with a tensor that counts: i = tensor(0) before the loop, i += 1 in it"
)

WALKS: dict[str, Callable[[Any], Any]] = {
    "enumerate": lambda batches: [0 for i, (x, y) in enumerate(batches)],
    "zip": lambda batches: [0 for i, (x, y) in zip(range(9), batches, strict=False)],
    "next": lambda batches: next(iter(batches)),
    "list": lambda batches: list(batches),
    "star": lambda batches: max(*batches),
}


@pytest.mark.parametrize("name", WALKS)
def test_only_for_may_walk(name: str) -> None:
    batches = loader()

    def f() -> Any:
        return WALKS[name](batches)

    assert message(f) == WALKED


def test_a_list_that_python_unpacks() -> None:
    assert message(lambda: [*loader(20)]) == gone("(5, 2)")


def test_a_progress_bar_may_stand_between() -> None:
    shown = []

    def bar(batches: Any) -> Iterator[Any]:
        for batch in batches:
            yield batch
            shown.append("#")

    def f() -> Any:
        total = torch.zeros(())
        for x, _ in bar(loader()):
            total += x.sum()
        return total

    assert trace(f)().item() == X.sum().item()
    assert shown == ["#", "#", "#"]


class Squares(torch.utils.data.Dataset[int]):
    def __getitem__(self, i: int) -> int:
        return i * i

    def __len__(self) -> int:
        return 9


class Stream(IterableDataset[int]):
    def __iter__(self) -> Iterator[int]:
        return iter(range(9))


class Backwards(SequentialSampler):
    pass


LOADERS: dict[str, Callable[[], DataLoader[Any]]] = {
    "a DataLoader over a Squares, with a SequentialSampler": lambda: DataLoader(Squares(), 3),
    "a DataLoader over a TensorDataset, with a Backwards": lambda: loader(sampler=Backwards(X)),
    "a DataLoader over an IterableDataset, Stream": lambda: DataLoader(Stream(), 3),
    "a DataLoader with a collate_fn of its own": lambda: loader(collate_fn=lambda x: default_collate(x)),
    "a DataLoader with batch_sampler=list": lambda: DataLoader(TensorDataset(X), batch_sampler=[[0], [1]]),
    "a DataLoader without batches (batch_size=None)": lambda: loader(batch_size=None),
}


@pytest.mark.parametrize("what", LOADERS)
def test_data_that_are_not_in_memory(what: str) -> None:
    batches = LOADERS[what]()

    def f() -> None:
        for _ in batches:
            pass

    assert message(f) == (
        f"for batch in loader got {what}\n"
        "  its batches are made by Python, one by one, and would be fixed in the graph\n"
        "  try: DataLoader(TensorDataset(x, y), batch_size=n), or trace only what is done for one batch"
    )


def test_weights() -> None:
    batches = loader(sampler=WeightedRandomSampler([1.0] * 23, 10))

    def f() -> None:
        for _ in batches:
            pass

    assert message(f) == (
        "for batch in loader got a DataLoader with a WeightedRandomSampler\n"
        "  its draws are no operations of a graph\n"
        "  try: DataLoader(TensorDataset(x, y), batch_size=n), or trace only what is done for one batch"
    )


def test_data_that_require_a_gradient() -> None:
    batches = DataLoader(TensorDataset(torch.ones(6, 2, requires_grad=True)), 2)

    def f() -> None:
        for _ in batches:
            pass

    assert message(f) == (
        "for batch in loader got a data set with a tensor (6, 2) that requires a gradient\n"
        "  no gradient flows from a batch to the data\n"
        "  try: detach() it"
    )


def test_the_graph_notes_what_it_relies_on() -> None:
    data = TensorDataset(X, Y)
    indices = list(range(20))
    subset = Subset(data, indices)
    sampler = RandomSampler(subset)
    batches = DataLoader(subset, 5, sampler=sampler)

    def f() -> Any:
        total = torch.zeros(())
        for x, _ in batches:
            total += x.sum()
        return total

    graph = trace(f)
    (assumption,) = graph.assumptions
    assert assumption.what == "a DataLoader walks over the same data"
    assert assumption.holds()
    for place, name, other in [
        (data, "tensors", (X.clone(), Y)),
        (subset, "indices", indices[:15]),
        (sampler, "replacement", True),
        (sampler, "generator", torch.Generator()),
        (batches.batch_sampler, "drop_last", True),
        (batches.batch_sampler, "batch_size", 4),
    ]:
        before = getattr(place, name)
        setattr(place, name, other)
        assert not assumption.holds()
        setattr(place, name, before)
        assert assumption.holds()
    indices.append(20)
    assert not assumption.holds()


def test_data_are_read_anew_at_each_run() -> None:
    x = torch.zeros(6, 2)
    batches = DataLoader(TensorDataset(x), 2)

    def f() -> Any:
        total = torch.zeros(())
        for (batch,) in batches:
            total += batch.sum()
        return total

    graph = trace(f)
    x += 1
    assert graph().item() == 12.0
