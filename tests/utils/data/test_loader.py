"""DataLoader: batches, epochs, threads, and what it refuses."""

from __future__ import annotations

import threading
import time
from itertools import islice

import numpy as np
import pytest

import chainrule as torch
from chainrule.core.errors import ArgumentError, ShapeError
from chainrule.utils.data import (
    BatchSampler,
    DataLoader,
    Dataset,
    IterableDataset,
    RandomSampler,
    SequentialSampler,
    SubsetRandomSampler,
    TensorDataset,
    get_worker_info,
)


class Squares(Dataset):
    def __init__(self, n=10):
        self.n = n

    def __len__(self):
        return self.n

    def __getitem__(self, i):
        return i, float(i * i)


class Stream(IterableDataset):
    def __init__(self, n=7):
        self.n = n

    def __iter__(self):
        return iter(range(self.n))


class SizedStream(Stream):
    def __len__(self):
        return self.n


def loader_threads() -> list[str]:
    return [t.name for t in threading.enumerate() if t.name.startswith("chainrule-loader")]


WORKERS = pytest.mark.parametrize("workers", [0, 1, 3])


class TestBatches:
    @WORKERS
    def test_in_order(self, workers):
        batches = list(DataLoader(Squares(5), batch_size=2, num_workers=workers))
        assert [i.tolist() for i, _ in batches] == [[0, 1], [2, 3], [4]]
        assert [sq.tolist() for _, sq in batches] == [[0.0, 1.0], [4.0, 9.0], [16.0]]

    @WORKERS
    @pytest.mark.parametrize("n", [0, 1, 5, 6, 7])
    @pytest.mark.parametrize("drop_last", [False, True])
    def test_the_length_is_the_number_of_batches(self, n, drop_last, workers):
        loader = DataLoader(Squares(n), batch_size=3, drop_last=drop_last, num_workers=workers)
        batches = list(loader)
        assert len(batches) == len(loader)
        assert all(len(i) == 3 for i, _ in batches[: n // 3])

    def test_one_sample_is_a_batch_by_default(self):
        assert [i.tolist() for i, _ in DataLoader(Squares(2))] == [[0], [1]]

    @WORKERS
    def test_without_batches_samples_are_only_converted(self, workers):
        data = [(np.float32(1.5), "a"), (np.float32(2.5), "b")]
        samples = list(DataLoader(data, batch_size=None, num_workers=workers))
        assert [(x.item(), x.dtype, name) for x, name in samples] == [
            (1.5, torch.float32, "a"),
            (2.5, torch.float32, "b"),
        ]
        assert len(DataLoader(data, batch_size=None)) == 2

    def test_an_own_collate_function_gets_the_list_of_samples(self):
        loader = DataLoader(Squares(3), batch_size=2, collate_fn=lambda samples: samples)
        assert list(loader) == [[(0, 0.0), (1, 1.0)], [(2, 4.0)]]

    def test_a_data_set_that_gives_several_samples_at_once_is_asked_once(self):
        asked = []

        class Table(Squares):
            def __getitems__(self, indices):
                asked.append(indices)
                return [self[i] for i in indices]

        list(DataLoader(Table(5), batch_size=3))
        assert asked == [[0, 1, 2], [3, 4]]

    def test_any_sequence_is_a_data_set(self):
        [batch] = DataLoader([3, 1, 2], batch_size=3)
        assert batch.tolist() == [3, 1, 2]

    def test_attributes(self):
        data = Squares(5)
        loader = DataLoader(data, batch_size=2, shuffle=True, drop_last=True)
        assert loader.dataset is data
        assert (loader.batch_size, loader.drop_last, loader.num_workers) == (2, True, 0)
        assert isinstance(loader.sampler, RandomSampler)
        assert isinstance(loader.batch_sampler, BatchSampler)


class TestOrders:
    def order(self, loader):
        return [int(i) for batch, _ in loader for i in batch]

    @WORKERS
    def test_shuffling_gives_every_sample_once_in_a_new_order(self, workers):
        loader = DataLoader(Squares(20), batch_size=3, shuffle=True, num_workers=workers)
        first, second = self.order(loader), self.order(loader)
        assert sorted(first) == sorted(second) == list(range(20))
        assert first != second

    @WORKERS
    def test_the_seed_decides(self, workers):
        def epochs(seed):
            g = torch.Generator().manual_seed(seed)
            loader = DataLoader(Squares(20), 3, shuffle=True, generator=g, num_workers=workers)
            return [self.order(loader) for _ in range(2)]

        assert epochs(1) == epochs(1)
        assert epochs(1) != epochs(2)

    def test_the_global_seed_decides_without_a_generator(self):
        loader = DataLoader(Squares(20), 3, shuffle=True)
        torch.manual_seed(4)
        first = self.order(loader)
        torch.manual_seed(4)
        assert self.order(loader) == first

    def test_the_order_is_drawn_when_an_epoch_begins(self):
        g = torch.Generator().manual_seed(0)
        loader = DataLoader(Squares(20), 3, shuffle=True, generator=g)
        expected = self.order(
            DataLoader(Squares(20), 3, shuffle=True, generator=torch.Generator().manual_seed(0))
        )
        epoch = iter(loader)
        torch.randperm(20, generator=g)
        assert self.order(epoch) == expected

    def test_two_epochs_at_the_same_time(self):
        loader = DataLoader(Squares(4), 2)
        pairs = zip(loader, loader, strict=True)
        assert [(a.tolist(), b.tolist()) for (a, _), (b, _) in pairs] == [([0, 1], [0, 1]), ([2, 3], [2, 3])]

    def test_a_sampler(self):
        assert self.order(DataLoader(Squares(), 2, sampler=[5, 1, 3])) == [5, 1, 3]
        assert len(DataLoader(Squares(), 2, sampler=SubsetRandomSampler([5, 1, 3]))) == 2

    def test_a_batch_sampler(self):
        loader = DataLoader(Squares(), batch_sampler=[[1, 2, 3], [0]])
        assert [i.tolist() for i, _ in loader] == [[1, 2, 3], [0]]
        assert len(loader) == 2
        assert loader.batch_size is None


class TestStreams:
    @WORKERS
    def test_in_batches(self, workers):
        assert [b.tolist() for b in DataLoader(Stream(), 3, num_workers=workers)] == [
            [0, 1, 2],
            [3, 4, 5],
            [6],
        ]
        loader = DataLoader(Stream(), 3, drop_last=True, num_workers=workers)
        assert [b.tolist() for b in loader] == [[0, 1, 2], [3, 4, 5]]

    def test_without_batches(self):
        assert list(DataLoader(Stream(3), batch_size=None)) == [0, 1, 2]

    @pytest.mark.parametrize("drop_last", [False, True])
    def test_its_length_where_it_is_known(self, drop_last):
        loader = DataLoader(SizedStream(), 3, drop_last=drop_last)
        assert len(loader) == len(list(loader))
        assert len(DataLoader(SizedStream(), None)) == 7
        with pytest.raises(TypeError, match="has no len"):
            len(DataLoader(Stream(), 3))

    @WORKERS
    def test_an_endless_stream(self, workers):
        class Endless(IterableDataset):
            def __iter__(self):
                i = 0
                while True:
                    yield i
                    i += 1

        batches = islice(DataLoader(Endless(), 2, num_workers=workers), 3)
        assert [b.tolist() for b in batches] == [[0, 1], [2, 3], [4, 5]]

    @WORKERS
    def test_each_sample_is_given_once_whatever_the_number_of_workers(self, workers):
        class Sharded(IterableDataset):
            def __iter__(self):
                info = get_worker_info()
                first, step = (0, 1) if info is None else (info.id, info.num_workers)
                return iter(range(first, 6, step))

        assert [b.tolist() for b in DataLoader(Sharded(), 3, num_workers=workers)] == [[0, 1, 2], [3, 4, 5]]

    @WORKERS
    def test_an_error_comes_after_the_batches_before_it(self, workers):
        class Broken(IterableDataset):
            def __iter__(self):
                yield from range(4)
                raise OSError("connection lost")

        epoch = iter(DataLoader(Broken(), 2, num_workers=workers))
        assert [next(epoch).tolist(), next(epoch).tolist()] == [[0, 1], [2, 3]]
        with pytest.raises(OSError, match="connection lost"):
            next(epoch)


class TestErrorsOfTheData:
    @WORKERS
    def test_the_sample_is_named(self, workers):
        class Broken(Squares):
            def __getitem__(self, i):
                if i == 5:
                    raise OSError("unreadable")
                return super().__getitem__(i)

        epoch = iter(DataLoader(Broken(), 2, num_workers=workers))
        next(epoch)
        next(epoch)
        with pytest.raises(OSError, match="unreadable") as info:
            next(epoch)
        assert info.value.__notes__ == ["  in sample 5 of Broken"]

    @WORKERS
    def test_samples_that_do_not_fit_together_are_named(self, workers):
        data = [torch.zeros(2), torch.zeros(2), torch.zeros(3), torch.zeros(2)]
        with pytest.raises(ShapeError) as info:
            list(DataLoader(data, 2, sampler=[3, 0, 1, 2], num_workers=workers))
        assert info.value.summary.startswith(
            "default_collate got shape (3,) at position 1 of the batch, (2,) at position 0\n"
        )
        assert info.value.__notes__ == ["  collating samples [1, 2] of list"]

    def test_in_a_stream_they_are_counted(self):
        class Ragged(IterableDataset):
            def __iter__(self):
                return iter([torch.zeros(2), torch.zeros(2), torch.zeros(2), torch.zeros(3)])

        with pytest.raises(ShapeError) as info:
            list(DataLoader(Ragged(), 2))
        assert info.value.__notes__ == ["  collating samples 2 to 3 of Ragged"]

    @WORKERS
    def test_a_stop_iteration_does_not_end_the_epoch_silently(self, workers):
        class Short(Squares):
            def __getitem__(self, i):
                return next(iter([])) if i == 4 else super().__getitem__(i)

        with pytest.raises(RuntimeError, match="StopIteration"):
            list(DataLoader(Short(), 2, num_workers=workers))


class TestThreads:
    def test_samples_are_made_in_other_threads_and_ahead_of_time(self):
        made = []
        ahead = threading.Event()

        class Noting(Squares):
            def __getitem__(self, i):
                made.append((i, threading.current_thread().name))
                if i == 3:
                    ahead.set()
                return super().__getitem__(i)

        epoch = iter(DataLoader(Noting(), 1, num_workers=2))
        next(epoch)
        assert ahead.wait(timeout=10)  # sample 3 is made while only sample 0 has been asked for
        epoch.close()
        assert all(name.startswith("chainrule-loader") for _, name in made)
        assert max(i for i, _ in made) <= 4  # 2 threads, 2 batches each, and the one that was asked for

    def test_batches_are_made_at_the_same_time(self):
        barrier = threading.Barrier(3)

        class Waiting(Squares):
            def __getitem__(self, i):
                barrier.wait(timeout=10)  # a BrokenBarrierError unless three threads get here together
                return super().__getitem__(i)

        order = [i.tolist() for i, _ in DataLoader(Waiting(6), 1, num_workers=3)]
        assert order == [[0], [1], [2], [3], [4], [5]]

    def test_slow_batches_do_not_change_the_order(self):
        class Uneven(Squares):
            def __getitem__(self, i):
                time.sleep(0.02 if i % 3 == 0 else 0)
                return super().__getitem__(i)

        batches = DataLoader(Uneven(12), 1, num_workers=4)
        assert [int(i) for i, _ in batches] == list(range(12))

    @pytest.mark.parametrize("error", [None, KeyboardInterrupt, ValueError])
    def test_the_threads_end_when_the_loop_does(self, error):
        def work():
            for _ in DataLoader(Squares(100), 1, num_workers=3):
                assert len(loader_threads()) > 0
                if error is not None:
                    raise error
                break

        if error is None:
            work()
        else:
            with pytest.raises(error):
                work()
        deadline = time.monotonic() + 10
        while (
            loader_threads() and time.monotonic() < deadline
        ):  # the traceback may hold the loop for a moment
            time.sleep(0.01)
        assert loader_threads() == []

    def test_the_prefetch_factor_bounds_what_is_ahead(self):
        made = []

        class Noting(Squares):
            def __getitem__(self, i):
                made.append(i)
                return super().__getitem__(i)

        epoch = iter(DataLoader(Noting(100), 1, num_workers=1, prefetch_factor=5))
        next(epoch)
        epoch.close()
        assert len(made) <= 6

    def test_data_in_memory_needs_none(self):
        loader = DataLoader(TensorDataset(torch.arange(4)), 2, num_workers=2)
        for _ in loader:
            assert loader_threads() == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            (
                {"batch_size": 0},
                "DataLoader got batch_size=0\n"
                "  batch_size should be a positive integer value\n"
                "  try: batch_size=32, or batch_size=len(dataset) for one batch with everything",
            ),
            (
                {"batch_size": 2.5},
                "DataLoader got batch_size=2.5\n"
                "  batch_size should be a positive integer value\n"
                "  try: batch_size=32, or batch_size=len(dataset) for one batch with everything",
            ),
            (
                {"shuffle": True, "sampler": [1]},
                "DataLoader got shuffle and sampler\n"
                "  sampler option is mutually exclusive with shuffle: both choose the samples\n"
                "  try: leave out shuffle",
            ),
            (
                {"shuffle": True, "batch_sampler": [[1]]},
                "DataLoader got shuffle and batch_sampler\n"
                "  batch_sampler option is mutually exclusive with shuffle: both choose the samples\n"
                "  try: leave out shuffle",
            ),
            (
                {"batch_size": 2, "batch_sampler": [[1]]},
                "DataLoader got batch_sampler and batch_size=2, drop_last=False\n"
                "  batch_sampler option is mutually exclusive with batch_size, shuffle, sampler,"
                " and drop_last\n"
                "  try: leave out batch_size and drop_last: the batch_sampler decides",
            ),
            (
                {"batch_size": None, "drop_last": True},
                "DataLoader got batch_size=None and drop_last=True\n"
                "  batch_size=None option disables auto-batching and is mutually exclusive with drop_last\n"
                "  try: leave out drop_last",
            ),
            (
                {"num_workers": -1},
                "DataLoader got num_workers=-1\n  num_workers option should be non-negative",
            ),
            (
                {"prefetch_factor": 2},
                "DataLoader got prefetch_factor=2, num_workers=0\n"
                "  prefetch_factor is the positive number of batches that each worker prepares ahead\n"
                "  try: num_workers=2, prefetch_factor=2",
            ),
            (
                {"timeout": 5},
                "DataLoader got timeout=5\n"
                "  workers are threads of this program, so there is nothing that timeout could set\n"
                "  try: leave out timeout",
            ),
            (
                {"multiprocessing_context": "spawn"},
                "DataLoader got multiprocessing_context='spawn'\n"
                "  workers are threads of this program,"
                " so there is nothing that multiprocessing_context could set\n"
                "  try: leave out multiprocessing_context",
            ),
        ],
    )
    def test_options(self, options, message):
        with pytest.raises(ArgumentError) as info:
            DataLoader(Squares(), **options)
        assert info.value.summary == message

    @pytest.mark.parametrize(
        ("options", "name"),
        [
            ({"shuffle": True}, "shuffle"),
            ({"sampler": [0]}, "sampler"),
            ({"batch_sampler": [[0]]}, "batch_sampler"),
        ],
    )
    def test_choosing_samples_of_a_stream(self, options, name):
        with pytest.raises(ArgumentError) as info:
            DataLoader(Stream(), **options)
        assert info.value.summary == (
            f"DataLoader got {name} for the IterableDataset Stream\n"
            f"  an IterableDataset gives its samples in its own order, {name} must be left out\n"
            "  try: shuffle inside of its __iter__, or make it a Dataset with __getitem__ and __len__"
        )

    def test_what_is_no_data_set(self):
        with pytest.raises(ArgumentError) as info:
            DataLoader(iter([1, 2]))
        assert info.value.summary == (
            "DataLoader got a data set of type list_iterator\n"
            "  it needs __getitem__ and __len__, or must be an IterableDataset\n"
            "  try: TensorDataset(x, y), or a list of samples"
        )

    @pytest.mark.parametrize("name", ["batch_size", "drop_last", "sampler", "batch_sampler", "dataset"])
    def test_what_an_epoch_is_made_from_cannot_be_changed(self, name):
        loader = DataLoader(Squares(), 2)
        with pytest.raises(ArgumentError) as info:
            setattr(loader, name, 3)
        assert info.value.summary == (
            f"DataLoader.{name} got a new value, 3\n"
            f"  {name} attribute should not be set after DataLoader is initialized\n"
            "  try: make a new DataLoader"
        )

    def test_other_attributes_can(self):
        loader = DataLoader(Squares(2), 2)
        loader.collate_fn = len
        assert list(loader) == [2]

    def test_shuffling_nothing(self):
        with pytest.raises(ArgumentError, match="num_samples should be a positive integer value"):
            DataLoader([], shuffle=True)

    def test_shuffle_false_goes_with_a_sampler(self):
        assert len(DataLoader(Squares(), 2, shuffle=False, sampler=SequentialSampler(Squares(4)))) == 2
