"""Samplers: the orders they give, their lengths, and that a seed fixes them."""

from __future__ import annotations

from collections import Counter

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError
from chainrule.utils.data import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)

WITH_ORDER = {
    "sequential": lambda g: SequentialSampler(range(7)),
    "random": lambda g: RandomSampler(range(7), generator=g),
    "more than all": lambda g: RandomSampler(range(7), num_samples=17, generator=g),
    "with replacement": lambda g: RandomSampler(range(7), True, 40, generator=g),
    "subset": lambda g: SubsetRandomSampler([5, 3, -1, 3], generator=g),
    "weighted": lambda g: WeightedRandomSampler([1.0, 0.0, 2.0], 20, generator=g),
    "weighted, once each": lambda g: WeightedRandomSampler([1.0, 0.5, 2.0, 1.0], 3, False, generator=g),
}


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", WITH_ORDER)
def test_the_order_as_a_tensor_is_the_order_one_by_one(name):
    order = WITH_ORDER[name](generator()).order()
    assert order.dtype is torch.int64
    assert order.tolist() == list(WITH_ORDER[name](generator()))
    assert len(order) == len(WITH_ORDER[name](generator()))


@pytest.mark.parametrize("name", [n for n in WITH_ORDER if n != "sequential"])
def test_an_order_is_fixed_by_its_seed_and_each_epoch_has_another(name):
    epochs = [list(WITH_ORDER[name](generator(5))) for _ in range(2)]
    assert epochs[0] == epochs[1]
    sampler = WITH_ORDER[name](generator(5))
    assert len({tuple(sampler) for _ in range(10)}) > 1


def test_random_is_a_permutation():
    assert sorted(RandomSampler(range(50))) == list(range(50))


def test_random_beyond_all_samples_is_one_permutation_after_another():
    order = list(RandomSampler(range(5), num_samples=12))
    assert [sorted(order[:5]), sorted(order[5:10])] == [[0, 1, 2, 3, 4]] * 2
    assert len(set(order[10:])) == 2


def test_random_fewer_than_all_samples():
    order = list(RandomSampler(range(50), num_samples=10))
    assert len(set(order)) == 10
    assert set(order) <= set(range(50))


def test_random_with_replacement_is_uniform():
    counts = Counter(RandomSampler(range(4), True, 4000, generator=generator()))
    assert all(abs(counts[i] - 1000) < 150 for i in range(4))  # five standard deviations are 137


def test_weighted_draws_follow_the_weights():
    counts = Counter(WeightedRandomSampler([1.0, 0.0, 3.0], 4000, generator=generator()))
    assert counts[1] == 0
    assert abs(counts[0] - 1000) < 150
    assert counts[0] + counts[2] == 4000


def test_subset_gives_the_given_indices():
    assert sorted(SubsetRandomSampler([9, 4, 7])) == [4, 7, 9]


class TestBatchSampler:
    def test_groups(self):
        assert list(BatchSampler(SequentialSampler(range(7)), 3, False)) == [[0, 1, 2], [3, 4, 5], [6]]
        assert list(BatchSampler(SequentialSampler(range(7)), 3, True)) == [[0, 1, 2], [3, 4, 5]]

    @pytest.mark.parametrize("n", [0, 1, 5, 6, 7])
    @pytest.mark.parametrize("drop_last", [False, True])
    def test_its_length_is_the_number_of_batches(self, n, drop_last):
        sampler = BatchSampler(range(n), 3, drop_last)
        assert len(sampler) == len(list(sampler))

    def test_takes_indices_from_any_iterable(self):
        class Endless(Sampler):
            def __iter__(self):
                i = 0
                while True:
                    yield i
                    i += 1

        batches = iter(BatchSampler(Endless(), 2, False))
        assert [next(batches), next(batches)] == [[0, 1], [2, 3]]
        with pytest.raises(TypeError, match="has no len"):
            len(BatchSampler(Endless(), 2, False))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: RandomSampler([]),
            "RandomSampler got a data source with 0 samples\n"
            "  num_samples should be a positive integer value\n"
            "  try: shuffle=False for a data set that may be empty",
        ),
        (
            lambda: RandomSampler([1], num_samples=0),
            "RandomSampler got num_samples=0\n"
            "  num_samples should be a positive integer value\n"
            "  try: num_samples=32",
        ),
        (
            lambda: RandomSampler([1], replacement=1),
            "RandomSampler got replacement=1\n  replacement should be a boolean value",
        ),
        (
            lambda: WeightedRandomSampler([[1.0], [2.0]], 3),
            "WeightedRandomSampler got weights of shape (2, 1)\n"
            "  weights should be a 1d sequence: one weight for each sample",
        ),
        (
            lambda: BatchSampler(range(3), 2.0, False),
            "BatchSampler got batch_size=2.0\n"
            "  batch_size should be a positive integer value\n"
            "  try: batch_size=32",
        ),
        (
            lambda: BatchSampler(range(3), 2, None),
            "BatchSampler got drop_last=None\n  drop_last should be a boolean value",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ArgumentError) as info:
        make()
    assert info.value.summary == message


def test_a_sampler_without_an_order_says_so():
    with pytest.raises(NotImplementedError) as info:
        iter(Sampler())
    assert str(info.value) == "Sampler must define __iter__, which gives the indices in turn"
