"""utils.data against PyTorch: batches, types, lengths and refusals. Random orders differ by design."""

from __future__ import annotations

import warnings
from collections import OrderedDict, namedtuple

import numpy as np
import pytest
import torch

import chainrule

LIBS = (chainrule, torch)
Point = namedtuple("Point", "x y")


def plain(value):
    """A batch with its tensors as (dtype, shape, values), to compare what the two libraries made."""
    if isinstance(value, chainrule.Tensor | torch.Tensor):
        return str(value.dtype), tuple(value.shape), value.tolist()
    if isinstance(value, dict):
        return type(value), {key: plain(v) for key, v in value.items()}
    if isinstance(value, tuple | list):
        return type(value), [plain(v) for v in value]
    return type(value), value


SAMPLES = {
    "tensors": lambda lib: [lib.arange(3), lib.ones(3, dtype=lib.int64)],
    "0-d tensors": lambda lib: [lib.tensor(1.5), lib.tensor(2.5)],
    "tuples": lambda lib: [(lib.zeros(2), 1), (lib.ones(2), 2)],
    "lists": lambda lib: [[1, 2.5, "a"], [3, 4.5, "b"]],
    "floats": lambda lib: [1.5, 2.5],
    "ints": lambda lib: [1, 2],
    "bools": lambda lib: [True, False],
    "texts": lambda lib: ["a", "b"],
    "bytes": lambda lib: [b"a", b"b"],
    "dicts": lambda lib: [{"a": 1, "b": "x"}, {"b": "y", "a": 2}],
    "ordered dicts": lambda lib: [OrderedDict(a=1.0), OrderedDict(a=2.0)],
    "named tuples": lambda lib: [Point(1, lib.zeros(1)), Point(2, lib.ones(1))],
    "nested": lambda lib: [{"a": (1, [2.0, {"b": lib.zeros(2)}])}] * 3,
    "a range": lambda lib: [range(2), range(2)],
    **{
        f"NumPy {name}": lambda lib, name=name: [np.zeros((2, 1), name)] * 2
        for name in ("float32", "int8", "bool")
    },
    **{
        f"NumPy scalar {name}": lambda lib, name=name: [np.dtype(name).type(1)] * 2
        for name in ("float16", "float32", "float64", "uint8", "int16", "int32", "int64", "bool")
    },
}


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize("function", ["default_collate", "default_convert"])
def test_batches_have_the_same_types_and_values(name, function):
    ours, theirs = (plain(getattr(lib.utils.data, function)(SAMPLES[name](lib))) for lib in LIBS)
    assert ours == theirs


@pytest.mark.parametrize("batch_size", [1, 3, 4, 10, 11])
@pytest.mark.parametrize("drop_last", [False, True])
@pytest.mark.parametrize("subset", [None, [3, -1, 0, 0], list(range(2, 9))])
def test_tensors_in_memory(batch_size, drop_last, subset):
    results = []
    for lib in LIBS:
        data = lib.utils.data.TensorDataset(lib.arange(20.0).reshape(10, 2), lib.arange(10))
        if subset is not None:
            data = lib.utils.data.Subset(data, subset)
        loader = lib.utils.data.DataLoader(data, batch_size, drop_last=drop_last)
        results.append((len(loader), [plain(batch) for batch in loader]))
    assert results[0] == results[1]


def loaders(lib):
    data = lib.utils.data
    samples = [{"x": np.float32(i), "name": str(i)} for i in range(7)]

    class Stream(data.IterableDataset):
        def __iter__(self):
            return iter(samples)

    both = data.ConcatDataset([samples[:2], samples[4:]])
    return {
        "samples": data.DataLoader(samples, 3),
        "without batches": data.DataLoader(samples, None),
        "own collate": data.DataLoader(samples, 3, collate_fn=lambda s: [x["name"] for x in s]),
        "sampler": data.DataLoader(samples, 2, sampler=[5, 1, 3]),
        "batch sampler": data.DataLoader(samples, batch_sampler=[[5, 1], [3]]),
        "several data sets": data.DataLoader(both, 2),
        "stream": data.DataLoader(Stream(), 3),
        "stream, without the rest": data.DataLoader(Stream(), 3, drop_last=True),
        "stream, without batches": data.DataLoader(Stream(), None),
        "nothing": data.DataLoader([], 3),
    }


@pytest.mark.parametrize("name", loaders(torch))
def test_loaders(name):
    ours, theirs = ([plain(batch) for batch in loaders(lib)[name]] for lib in LIBS)
    assert ours == theirs


@pytest.mark.parametrize("n", [0, 1, 2, 7, 10, 100, 101])
@pytest.mark.parametrize("lengths", [[0.5, 0.5], [0.1, 0.2, 0.7], [1.0], [1 / 3] * 3, [0.33, 0.33, 0.34]])
def test_lengths_of_fractions(n, lengths):
    sizes, warned = [], []
    for lib in LIBS:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            sizes.append([len(part) for part in lib.utils.data.random_split(range(n), lengths)])
        warned.append(len(caught))
    assert sizes[0] == sizes[1]
    assert warned[0] == warned[1]


def refusals(lib):
    data = lib.utils.data

    class Stream(data.IterableDataset):
        def __iter__(self):
            return iter(range(3))

    def tensors(*shapes):
        return data.TensorDataset(*[lib.zeros(*shape) for shape in shapes])

    return {
        "split sums": lambda: data.random_split(range(5), [1, 2]),
        "split fractions": lambda: data.random_split(range(5), [1.5, -0.5]),
        "batch size": lambda: data.DataLoader([1], 0),
        "shuffle and sampler": lambda: data.DataLoader([1], shuffle=True, sampler=[0]),
        "batch sampler and size": lambda: data.DataLoader([1], 2, batch_sampler=[[0]]),
        "drop_last without batches": lambda: data.DataLoader([1], None, drop_last=True),
        "shuffled stream": lambda: data.DataLoader(Stream(), shuffle=True),
        "stream with a sampler": lambda: data.DataLoader(Stream(), sampler=[0]),
        "negative workers": lambda: data.DataLoader([1], num_workers=-1),
        "prefetch without workers": lambda: data.DataLoader([1], prefetch_factor=2),
        "new batch size": lambda: setattr(data.DataLoader([1]), "batch_size", 3),
        "shuffled nothing": lambda: data.DataLoader([], shuffle=True),
        "no samples to draw": lambda: data.RandomSampler([1], num_samples=0),
        "two axes of weights": lambda: data.WeightedRandomSampler([[1.0]], 1),
        "batch size of batches": lambda: data.BatchSampler([1], -1, False),
        "unlike shapes": lambda: data.default_collate([lib.zeros(2), lib.zeros(3)]),
        "unlike lengths": lambda: data.default_collate([(1,), (1, 2)]),
        "unknown type": lambda: data.default_collate([None]),
        "missing key": lambda: data.default_collate([{"a": 1}, {"b": 1}]),
        "length of a stream": lambda: len(data.DataLoader(Stream())),
        "beyond the end": lambda: tensors((2,))[2],
        "no __getitem__": lambda: data.Dataset()[0],
    }


@pytest.mark.parametrize("what", refusals(torch))
def test_what_pytorch_refuses_is_refused_with_a_kind_of_the_same_error(what):
    with pytest.raises(Exception) as theirs:  # which error it is, is PyTorch's to say
        refusals(torch)[what]()
    with pytest.raises(theirs.type):
        refusals(chainrule)[what]()


@pytest.mark.parametrize("lib", LIBS)
def test_tensors_of_different_lengths(lib):
    # PyTorch's is an AssertionError; ours is a ShapeError, like every other disagreement of shapes.
    with pytest.raises((AssertionError, RuntimeError)):
        lib.utils.data.TensorDataset(lib.zeros(2), lib.zeros(3))
