"""Recycled memory: live arrays share none of it, it is used again, and no more is kept than allowed."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import chainrule as torch
from chainrule.core import memory

LARGE = memory.THRESHOLD
BYTES = np.dtype(np.uint8)


@pytest.fixture(autouse=True)
def _no_idle_buffers() -> Iterator[None]:
    memory.release()
    yield
    memory.release()


def address(a: np.ndarray[Any, Any]) -> int:
    return int(a.__array_interface__["data"][0])


def buffer_of(a: np.ndarray[Any, Any]) -> Any:
    """The array that owns the memory."""
    while isinstance(a.base, np.ndarray):
        a = a.base
    return a


@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "int64", "bool"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (LARGE,), (2, LARGE // 2), (LARGE, 0)])
def test_shape_type_and_layout(kind: str, shape: tuple[int, ...]) -> None:
    a = memory.empty(shape, np.dtype(kind))
    assert a.shape == shape
    assert a.dtype == kind
    assert a.flags.c_contiguous
    assert a.flags.writeable
    assert a.flags.aligned


def test_small_arrays_are_left_to_numpy() -> None:
    before = memory.tracked()
    a = memory.empty((LARGE - 1,), BYTES)
    assert a.base is None
    assert memory.tracked() == before


def test_a_buffer_that_nobody_uses_is_handed_out_again() -> None:
    a = memory.empty((LARGE,), BYTES)
    place, count = address(a), memory.tracked()[0]
    del a
    b = memory.empty((LARGE // 8,), np.dtype(np.float64))
    assert address(b) == place
    assert memory.tracked()[0] == count


def test_a_buffer_in_use_is_not() -> None:
    a = memory.empty((LARGE,), BYTES)
    b = memory.empty((LARGE,), BYTES)
    assert not np.shares_memory(a, b)


def views_of(a: np.ndarray[Any, Any]) -> dict[str, Any]:
    return {
        "slice": a[1:2],
        "slice of a slice": a[1:][1:],
        "reshaped": a.reshape(2, -1),
        "transposed": a.reshape(2, -1).T,
        "other type": a.view(np.int32),
        "memoryview": memoryview(a),
        "from the buffer protocol": np.frombuffer(a, np.uint8),
        "as strided": np.lib.stride_tricks.as_strided(a, (3,), (1,)),
        "broadcast": np.broadcast_to(a, (2, len(a))),
        "DLPack": np.from_dlpack(a),
        "iterator": iter(a),
    }


@pytest.mark.parametrize("name", views_of(np.zeros(16, np.uint8)))
def test_every_kind_of_view_keeps_the_buffer_busy(name: str) -> None:
    a = memory.empty((LARGE,), BYTES)
    view = views_of(a)[name]
    place = address(a)
    del a
    b = memory.empty((LARGE,), BYTES)
    assert address(b) != place
    del view, b
    gc.collect()
    held = [memory.empty((LARGE,), BYTES) for _ in range(3)]
    again = set(map(address, held))
    assert place in again


def test_a_tensor_and_what_backward_keeps_stay_busy() -> None:
    x = torch.full((LARGE,), 2.0, requires_grad=True)
    y = torch.exp(x)  # backward reads the result
    wanted = y.detach().clone()
    total = y.sum()
    del y
    for _ in range(4):  # would get the memory of y, if it were idle
        torch.full((LARGE,), 3.0).neg()
    total.backward()
    assert torch.equal(x.grad, wanted)


def test_results_of_a_loop_take_turns_in_the_same_memory() -> None:
    x = torch.ones(LARGE)
    places = set()
    for _ in range(50):
        y = x + 1
        places.add(y.data_ptr())
    assert len(places) <= 2  # the new result is made before the old one is let go


@given(st.lists(st.tuples(st.sampled_from("nnnnkfv"), st.integers(0, 30), st.integers(1, 40)), max_size=60))
def test_live_arrays_never_share_memory(program: list[tuple[str, int, int]]) -> None:
    """A random program that makes, views and forgets arrays, each filled with a number of its own."""
    live: list[tuple[np.ndarray[Any, Any], int]] = []
    for number, (action, which, size) in enumerate(program):
        if action == "n" or not live:
            a = memory.empty((LARGE + size * (LARGE // 16),), BYTES)
            a[:] = number
            live.append((a, number))
        elif action == "f":
            live.pop(which % len(live))
        else:  # keep a view in the place of the array
            a, filled = live[which % len(live)]
            live[which % len(live)] = (a.reshape(-1)[size:] if action == "v" else a.reshape(1, -1), filled)
            del a
        for kept, filled in live:
            assert kept.reshape(-1)[0] == kept.reshape(-1)[-1] == filled
    for kept, filled in live:
        assert (kept == filled).all()


@given(st.integers(LARGE, 1 << 40))
def test_size_classes_waste_little(nbytes: int) -> None:
    size = memory.class_size(nbytes)
    assert nbytes <= size <= nbytes * 9 / 8
    assert memory.class_size(size) == size


@given(st.integers(LARGE, 1 << 40), st.integers(0, 1 << 30))
def test_a_larger_request_never_has_a_smaller_class(nbytes: int, more: int) -> None:
    assert memory.class_size(nbytes) <= memory.class_size(nbytes + more)


def test_the_limit_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "limit_bytes", 4 * LARGE)
    arrays = [memory.empty((LARGE,), BYTES) for _ in range(10)]
    assert memory.tracked()[1] <= 4 * LARGE
    for i, a in enumerate(arrays):
        a[:] = i
    assert [int(a[0]) for a in arrays] == list(range(10))  # the untracked ones work as well
    del arrays, a
    assert memory.tracked()[1] <= 4 * LARGE


def test_a_buffer_beyond_the_limit_dies_with_its_last_array(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "limit_bytes", LARGE // 2)
    a = memory.empty((LARGE,), BYTES)
    assert memory.tracked() == (0, 0)
    alive = weakref.ref(buffer_of(a))
    del a
    assert alive() is None


def test_the_class_that_was_unused_for_longest_goes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "limit_bytes", 8 * LARGE)
    old = weakref.ref(buffer_of(memory.empty((LARGE,), BYTES)))
    new = weakref.ref(buffer_of(memory.empty((2 * LARGE,), BYTES)))
    assert old() is not None
    assert new() is not None
    memory.empty((6 * LARGE,), BYTES)
    assert old() is None
    assert new() is not None


def test_release_gives_back_what_is_idle_and_keeps_what_is_busy() -> None:
    busy = memory.empty((LARGE,), BYTES)
    busy[:] = 7
    idle = weakref.ref(buffer_of(memory.empty((LARGE,), BYTES)))
    assert idle() is not None
    memory.release()
    assert idle() is None
    count, size = memory.tracked()
    assert (count, size) == (1, memory.class_size(LARGE))
    assert (busy == 7).all()
    place = address(busy)
    del busy
    assert address(memory.empty((LARGE,), BYTES)) == place


def test_what_is_tracked_adds_up() -> None:
    a, b = memory.empty((LARGE,), BYTES), memory.empty((3 * LARGE,), BYTES)
    assert memory.tracked() == (2, memory.class_size(LARGE) + memory.class_size(3 * LARGE))
    assert a.nbytes + b.nbytes <= memory.tracked()[1]


def test_many_threads_never_get_the_same_memory() -> None:
    wrong: list[str] = []
    start = threading.Barrier(8)

    def work(mark: int) -> None:
        start.wait()
        for step in range(60):
            arrays = [memory.empty((LARGE + 1000 * (step % 3),), BYTES) for _ in range(3)]
            for k, a in enumerate(arrays):
                a[:] = 16 * k + mark
            wrong.extend(
                f"thread {mark}, step {step}" for k, a in enumerate(arrays) if not (a == 16 * k + mark).all()
            )

    threads = [threading.Thread(target=work, args=(mark,)) for mark in range(8)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert not wrong


def test_large_arrays_begin_at_a_cache_line_far_from_the_page_s_start() -> None:
    kind = np.dtype(np.float32)
    first, second = memory.empty((1 << 18,), kind), memory.empty((3, 1 << 17), kind)
    for a in (first, second):
        address = a.__array_interface__["data"][0]
        assert address % 64 == 0
        assert address % 4096 >= 1024
