"""Lent arrays: only that array, only inside, only in this thread."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from chainrule.core.lending import lend, own_copy


def test_only_the_lent_array_is_given_as_it_is() -> None:
    a, b = np.zeros(3), np.zeros(3)
    with lend(a):
        assert own_copy(a) is a
        assert own_copy(b) is not b
        assert own_copy(a[:]) is not a  # a view of it is another array
        with lend(b):
            assert own_copy(b) is b
            assert own_copy(a) is not a
        assert own_copy(a) is a
    assert own_copy(a) is not a


def test_it_ends_with_an_error() -> None:
    a = np.zeros(3)
    with pytest.raises(ZeroDivisionError), lend(a):
        raise ZeroDivisionError
    assert own_copy(a) is not a


def test_other_threads_get_copies() -> None:
    a = np.zeros(3)
    seen = []
    with lend(a):
        thread = threading.Thread(target=lambda: seen.append(own_copy(a) is a))
        thread.start()
        thread.join()
    assert seen == [False]
