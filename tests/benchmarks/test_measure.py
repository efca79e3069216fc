"""Blocks of calls and what is made of their times."""

from __future__ import annotations

from chainrule.benchmarks.measure import BLOCK, Timing, block, calls_per_block, warm_block


def test_blocks_are_long_enough_for_the_clock() -> None:
    def run() -> int:
        return sum(range(100))

    calls = calls_per_block(run)
    assert block(run, calls) * calls > BLOCK / 4
    assert calls > 100


def test_a_short_run_is_warmed_up_and_a_long_one_is_not() -> None:
    calls: list[int] = []
    warm_block(lambda: calls.append(1), 3)
    assert len(calls) == 4
    warm_block(lambda: calls.append(1), 1)
    assert len(calls) == 5


def test_best_and_median() -> None:
    timing = Timing([3.0, 1.0, 2.0, 10.0])
    assert (timing.best, timing.median) == (1.0, 2.5)
