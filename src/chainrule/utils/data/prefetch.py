"""Batches made ahead of time by a few threads, handed out in their order.

Threads and not processes: what takes long in making samples (reading files, decoding, NumPy) runs outside
Python's lock, and nothing has to be copied from one process to another.
"""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

_Job = TypeVar("_Job")
_T = TypeVar("_T")

_END: Any = object()


def get_worker_info() -> None:
    """None: samples are always made in this process, and a stream is walked through by one thread only.

    Data sets that ask in order to give each of several worker processes a part then give everything, once.

    >>> get_worker_info() is None
    True
    """


def in_order(make: Callable[[_Job], _T], jobs: Iterator[_Job], threads: int, ahead: int) -> Iterator[_T]:
    """`map(make, jobs)`, with up to `ahead` results under way in `threads` threads.

    The jobs are taken in the caller's thread. An exception of `make` appears where its result would have
    been. When the walk ends, for whatever reason, jobs that have not begun are dropped and the threads end.
    """
    pool = ThreadPoolExecutor(threads, thread_name_prefix="chainrule-loader")
    pending: deque[Future[_T]] = deque()
    try:
        for job in jobs:
            pending.append(pool.submit(make, job))
            if len(pending) == ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def stream(batches: Iterator[_T], ahead: int) -> Iterator[_T]:
    """The same items, taken from `batches` by one thread that is up to `ahead` items ahead."""
    items = in_order(lambda _: next(batches, _END), itertools.repeat(None), threads=1, ahead=ahead)
    return itertools.takewhile(lambda item: item is not _END, items)
