"""Data sets: samples by number, parts and sums of them, and random splits."""

from __future__ import annotations

import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError, ShapeError
from chainrule.utils.data import (
    ConcatDataset,
    Dataset,
    IterableDataset,
    Subset,
    TensorDataset,
    random_split,
)


class Letters(Dataset):
    def __init__(self, letters="abcdefghij"):
        self.letters = letters

    def __len__(self):
        return len(self.letters)

    def __getitem__(self, i):
        return self.letters[i]


class Stream(IterableDataset):
    def __iter__(self):
        return iter(range(3))


class TestTensorDataset:
    def test_samples_are_rows(self):
        data = TensorDataset(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([5, 6]))
        x, y = data[1]
        assert len(data) == 2
        assert (x.tolist(), y.tolist()) == ([3.0, 4.0], 6)

    def test_samples_from_the_end_slices_and_lists(self):
        data = TensorDataset(torch.arange(5))
        assert data[-1][0].item() == 4
        assert data[1:3][0].tolist() == [1, 2]
        assert data[[4, 0]][0].tolist() == [4, 0]

    def test_iterates_up_to_its_end(self):
        assert [x.item() for (x,) in TensorDataset(torch.arange(3))] == [0, 1, 2]

    @pytest.mark.parametrize(
        ("tensors", "error", "message"),
        [
            (
                lambda: (torch.zeros(5, 2), torch.zeros(5), torch.zeros(4, 1)),
                ShapeError,
                "TensorDataset got tensors of shapes (5, 2), (5,), (4, 1)\n"
                "  the first axis counts the samples and must have the same length in all of them",
            ),
            (
                lambda: (torch.tensor(1.0),),
                ShapeError,
                "TensorDataset got tensors of shapes ()\n"
                "  the first axis counts the samples and must have the same length in all of them",
            ),
            (tuple, ArgumentError, "TensorDataset got no tensors\n  at least one is needed"),
            (
                lambda: (torch.zeros(2), [1, 2]),
                ArgumentError,
                "TensorDataset got a list at position 1\n"
                "  every argument must be a Tensor\n"
                "  try: TensorDataset(torch.as_tensor(x), torch.as_tensor(y))",
            ),
        ],
    )
    def test_refusals(self, tensors, error, message):
        with pytest.raises(error) as info:
            TensorDataset(*tensors())
        assert info.value.summary == message


class TestSubset:
    def test_takes_the_named_samples(self):
        part = Subset(Letters(), [2, 0, -1])
        assert [part[i] for i in range(len(part))] == ["c", "a", "j"]

    def test_of_a_subset(self):
        assert Subset(Subset(Letters(), [5, 6, 7]), [2, 0])[0] == "h"

    def test_several_at_once(self):
        assert Subset(Letters(), [2, 0, 1]).__getitems__([1, 2]) == ["a", "b"]
        part = Subset(TensorDataset(torch.arange(5) * 10), [4, 2, 0])
        assert part[[0, 2]][0].tolist() == [40, 0]

    def test_asks_the_data_set_at_once_where_it_can(self):
        class Table(Letters):
            def __getitems__(self, indices):
                return [f"row {i}" for i in indices]

        assert Subset(Table(), [5, 3]).__getitems__([1, 0]) == ["row 3", "row 5"]

    def test_a_subclass_that_would_be_passed_by_is_refused(self):
        class Upper(Subset):
            def __getitem__(self, i):
                return super().__getitem__(i).upper()

        with pytest.raises(NotImplementedError) as info:
            Upper(Letters(), [0])
        assert str(info.value) == (
            "Upper overrides __getitem__ and must override __getitems__ too, for instance by\n"
            "    def __getitems__(self, indices):\n"
            "        return [self[i] for i in indices]"
        )


class TestConcatDataset:
    def test_one_after_the_other(self):
        data = ConcatDataset([Letters("ab"), Letters(""), Letters("cde")])
        assert len(data) == 5
        assert "".join(data[i] for i in range(5)) == "abcde"
        assert data.cumulative_sizes == [2, 2, 5]

    def test_a_sum_of_data_sets(self):
        data = Letters("ab") + Letters("c")
        assert isinstance(data, ConcatDataset)
        assert data[-1] == "c"

    @pytest.mark.parametrize("index", [5, -6])
    def test_beyond_the_end(self, index):
        with pytest.raises(IndexError, match=f"^ConcatDataset got index {index}, but it has 5 samples$"):
            ConcatDataset([Letters("ab"), Letters("cde")])[index]

    def test_refusals(self):
        with pytest.raises(ArgumentError) as info:
            ConcatDataset([])
        assert info.value.summary == "ConcatDataset got no data sets\n  at least one is needed"
        with pytest.raises(ArgumentError) as info:
            Letters() + Stream()
        assert info.value.summary == (
            "ConcatDataset got the IterableDataset Stream at position 1\n"
            "  its data sets must give samples by number\n"
            "  try: itertools.chain of the data sets"
        )


class TestRandomSplit:
    @pytest.mark.parametrize("lengths", [[6, 4], [0.6, 0.4], [10], [5, 0, 5], [1.0]])
    def test_the_parts_are_the_whole(self, lengths):
        parts = random_split(Letters(), lengths)
        assert sorted(letter for part in parts for letter in part) == list("abcdefghij")

    def test_whole_numbers(self):
        assert [len(part) for part in random_split(Letters(), [7, 2, 1])] == [7, 2, 1]

    def test_what_is_left_over_by_fractions_goes_to_the_parts_in_turn(self):
        assert [len(part) for part in random_split(Letters("abcdefg"), [0.5, 0.25, 0.25])] == [4, 2, 1]
        assert [len(part) for part in random_split(Letters(), [0.1, 0.2, 0.7])] == [1, 2, 7]

    def test_the_generator_decides(self):
        def split(seed):
            g = torch.Generator().manual_seed(seed)
            return [part.indices for part in random_split(Letters(), [5, 5], generator=g)]

        assert split(1) == split(1)
        assert split(1) != split(2)

    def test_the_global_stream_is_the_default(self):
        torch.manual_seed(3)
        first = random_split(Letters(), [5, 5])[0].indices
        torch.manual_seed(3)
        assert random_split(Letters(), [5, 5])[0].indices == first
        assert random_split(Letters(), [5, 5])[0].indices != first

    def test_an_empty_part_by_fractions_warns(self):
        with pytest.warns(UserWarning, match=r"^random_split: part 1 is empty \(0.01 of 10 samples\)$"):
            parts = random_split(Letters(), [0.99, 0.01])
        assert [len(part) for part in parts] == [10, 0]

    @pytest.mark.parametrize(
        ("lengths", "message"),
        [
            (
                [6, 3],
                "random_split got lengths [6, 3], which add up to 9, for 10 samples\n"
                "  lengths must add up to the number of samples, or be fractions that add up to 1\n"
                "  try: fractions, such as [0.8, 0.2]",
            ),
            (
                [12, -2],
                "random_split got lengths [12, -2], which add up to 10, for 10 samples\n"
                "  lengths must add up to the number of samples, or be fractions that add up to 1\n"
                "  try: fractions, such as [0.8, 0.2]",
            ),
            (
                [5.5, 4.5],
                "random_split got lengths [5.5, 4.5], which add up to 10.0, for 10 samples\n"
                "  lengths must add up to the number of samples, or be fractions that add up to 1\n"
                "  try: fractions, such as [0.8, 0.2]",
            ),
            (
                [1.5, -0.5],
                "random_split got the fraction 1.5 at position 0\n  fractions must be in 0..1",
            ),
        ],
    )
    def test_refusals(self, lengths, message):
        with pytest.raises(ArgumentError) as info:
            random_split(Letters(), lengths)
        assert info.value.summary == message


def test_a_data_set_without_its_methods_says_what_is_missing():
    with pytest.raises(NotImplementedError) as info:
        Dataset()[0]
    assert str(info.value) == (
        "Dataset must define __getitem__(index), which gives one sample (and __len__, the number of samples)"
    )
    with pytest.raises(NotImplementedError) as info:
        iter(IterableDataset())
    assert str(info.value) == "IterableDataset must define __iter__, which gives the samples in turn"
