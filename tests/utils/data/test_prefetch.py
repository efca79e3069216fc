"""Results made ahead of time by threads: in order, and nothing left over."""

from __future__ import annotations

import itertools
import threading

import pytest

from chainrule.utils.data import prefetch


def test_gives_what_map_gives():
    assert list(prefetch.in_order(abs, iter([-3, 2, -1]), threads=2, ahead=2)) == [3, 2, 1]
    assert list(prefetch.in_order(abs, iter([]), threads=2, ahead=2)) == []


def test_takes_only_as_many_jobs_as_may_be_ahead():
    jobs = itertools.count()
    results = prefetch.in_order(abs, jobs, threads=2, ahead=4)
    assert [next(results), next(results)] == [0, 1]
    results.close()
    assert next(jobs) == 5


def test_jobs_are_taken_in_the_callers_thread():
    names = []

    def jobs():
        for i in range(3):
            names.append(threading.current_thread())
            yield i

    list(prefetch.in_order(abs, jobs(), threads=2, ahead=2))
    assert names == [threading.current_thread()] * 3


def test_jobs_that_have_not_begun_are_dropped_at_the_end():
    begun = []
    under_way, go_on = threading.Event(), threading.Event()

    def make(job):
        begun.append(job)
        if job == 1:
            under_way.set()
            go_on.wait(timeout=10)
        return job

    results = prefetch.in_order(make, iter(range(100)), threads=1, ahead=50)
    assert next(results) == 0
    assert under_way.wait(timeout=10)
    threading.Timer(0.05, go_on.set).start()
    results.close()  # waits for job 1
    assert begun[:2] == [0, 1]
    assert len(begun) < 50


def test_a_stream_is_walked_through_by_one_thread():
    threads = set()

    def numbers():
        for i in range(20):
            threads.add(threading.current_thread().name)
            yield i

    assert list(prefetch.stream(numbers(), ahead=5)) == list(range(20))
    assert len(threads) == 1
    assert threading.current_thread().name not in threads


def test_an_error_of_a_stream_comes_after_what_was_before_it():
    def numbers():
        yield 1
        raise OSError("cut")

    results = prefetch.stream(numbers(), ahead=5)
    assert next(results) == 1
    with pytest.raises(OSError, match="cut"):
        next(results)
