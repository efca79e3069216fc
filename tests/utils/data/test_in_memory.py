"""Batches gathered from tensors in memory: the same as sample by sample, and as few operations as batches."""

from __future__ import annotations

import pytest

import chainrule as torch
from chainrule.utils.data import (
    BatchSampler,
    DataLoader,
    RandomSampler,
    SequentialSampler,
    Subset,
    SubsetRandomSampler,
    TensorDataset,
    WeightedRandomSampler,
    default_collate,
    in_memory,
    random_split,
)

N = 11


def one_by_one(samples):
    return default_collate(samples)  # another function than the default: samples are asked for one by one


def data() -> TensorDataset:
    return TensorDataset(
        torch.arange(3.0 * N).reshape(N, 3), torch.arange(N), torch.arange(N) % 2 == 0, torch.zeros(N, 2, 0)
    )


DATASETS = {
    "all": data,
    "a subset": lambda: Subset(data(), [7, 2, 2, -1, 0]),
    "a subset of a subset": lambda: Subset(Subset(data(), [9, -2, 7, 6, 5]), (4, 0, -3, 1)),
    "a random split": lambda: random_split(data(), [0.7, 0.3], torch.Generator().manual_seed(1))[0],
    "indices as a range": lambda: Subset(data(), range(2, 8)),
    "indices as a tensor": lambda: Subset(data(), torch.tensor([4, 3])),
    "one sample": lambda: Subset(data(), [3]),
}

ORDERS = {
    "in order": lambda d, g: {},
    "shuffled": lambda d, g: {"shuffle": True, "generator": g},
    "in order, without the rest": lambda d, g: {"drop_last": True},
    "shuffled, without the rest": lambda d, g: {"shuffle": True, "generator": g, "drop_last": True},
    "from the end": lambda d, g: {"sampler": SubsetRandomSampler([-1, 0], g)},
    "weighted": lambda d, g: {"sampler": WeightedRandomSampler([1.0] * len(d), 9, generator=g)},
    "with replacement": lambda d, g: {"sampler": RandomSampler(d, True, 8, generator=g)},
    "the order of something shorter": lambda d, g: {"sampler": SequentialSampler("a")},
}


def epochs(dataset, order, batch_size, **options):
    loader = DataLoader(
        dataset, batch_size, **ORDERS[order](dataset, torch.Generator().manual_seed(7)), **options
    )
    return loader, [list(loader) for _ in range(2)]


@pytest.mark.parametrize("batch_size", [1, 4, 100])
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("name", DATASETS)
def test_the_batches_are_those_of_the_general_path(name, order, batch_size):
    if order == "from the end" and name == "one sample":
        order = "in order"  # it has no second sample
    dataset = DATASETS[name]()
    fast, gathered = epochs(dataset, order, batch_size)
    slow, collated = epochs(dataset, order, batch_size, collate_fn=one_by_one)
    assert in_memory.of(fast) is not None
    assert in_memory.of(slow) is None
    assert len(fast) == len(slow) == len(gathered[0]) == len(collated[0])
    for left, right in zip(gathered[0] + gathered[1], collated[0] + collated[1], strict=True):
        assert type(left) is type(right) is list
        for x, y in zip(left, right, strict=True):
            assert (x.dtype, tuple(x.shape), x.tolist()) == (y.dtype, tuple(y.shape), y.tolist())


@pytest.mark.parametrize("shuffle", [False, True])
def test_no_sample_is_asked_for(shuffle, monkeypatch):
    def refuse(self, index):
        raise AssertionError("a single sample was asked for")

    monkeypatch.setattr(TensorDataset, "__getitem__", refuse)
    assert len(list(DataLoader(data(), 4, shuffle=shuffle))) == 3


@pytest.mark.parametrize("shuffle", [False, True])
def test_a_batch_may_be_changed_in_place(shuffle):
    x = torch.zeros(6, 2)
    for (batch,) in DataLoader(TensorDataset(x), 6, shuffle=shuffle):
        batch += 1
    assert x.sum().item() == 0


def test_gradients_reach_the_data():
    x = torch.ones(3, requires_grad=True)
    loss = sum((batch * (i + 1)).sum() for i, (batch,) in enumerate(DataLoader(TensorDataset(x), 2)))
    loss.backward()
    assert x.grad.tolist() == [1.0, 1.0, 2.0]


def test_an_epoch_is_described_completely():
    dataset = data()
    epoch = in_memory.of(DataLoader(dataset, 4, drop_last=True))
    assert epoch.tensors is dataset.tensors
    assert (epoch.order, epoch.batch_size, epoch.drop_last) == (None, 4, True)

    g = torch.Generator().manual_seed(3)
    epoch = in_memory.of(DataLoader(dataset, 4, shuffle=True, generator=g))
    expected = torch.randperm(N, generator=torch.Generator().manual_seed(3))
    assert epoch.order.tolist() == expected.tolist()
    assert epoch.batch(4, 6)[1].tolist() == expected[4:6].tolist()


def test_an_index_that_is_not_there_is_an_error():
    with pytest.raises(IndexError):
        list(DataLoader(TensorDataset(torch.arange(3)), 2, sampler=SubsetRandomSampler([0, 3])))


class OwnDataset(TensorDataset):
    def __getitem__(self, i):
        return tuple(t * 10 for t in super().__getitem__(i))


class OwnSubset(Subset):
    def __getitem__(self, i):
        return tuple(t * 10 for t in super().__getitem__(i))

    def __getitems__(self, indices):
        return [self[i] for i in indices]


class OwnSampler(RandomSampler):
    def __iter__(self):
        return iter([1])


class OwnBatches(BatchSampler):
    def __iter__(self):
        return iter([[1]])


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda: DataLoader(OwnDataset(torch.arange(2)), 2), [[[0, 10]]]),
        (lambda: DataLoader(OwnSubset(TensorDataset(torch.arange(2)), [1, 0]), 2), [[[10, 0]]]),
        (lambda: DataLoader(TensorDataset(torch.arange(2)), 2, sampler=OwnSampler([0, 0])), [[[1]]]),
        (
            lambda: DataLoader(TensorDataset(torch.arange(2)), batch_sampler=OwnBatches([0], 1, False)),
            [[[1]]],
        ),
        (lambda: DataLoader(TensorDataset(torch.arange(2)), batch_sampler=[[1], [0]]), [[[1]], [[0]]]),
        (lambda: DataLoader(TensorDataset(torch.arange(2)), 2, sampler=[1, -1]), [[[1, 1]]]),
    ],
)
def test_whoever_changes_what_a_sample_or_an_order_is_gets_the_general_path(make, expected):
    loader = make()
    assert in_memory.of(loader) is None
    assert [[t.tolist() for t in batch] for batch in loader] == expected
