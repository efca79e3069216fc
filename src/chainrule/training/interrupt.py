"""Ctrl-C as a wish to stop: the first is noted and the step under way finished, the second one breaks off.

A KeyboardInterrupt can come anywhere, between the update of one weight and that of the next too. Here it only
comes when asked for twice.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


class Wish:
    """Whether the user wants to stop."""

    def __init__(self) -> None:
        self.stop = False


@contextlib.contextmanager
def stop_on_interrupt() -> Iterator[Wish]:
    """Within the block the first Ctrl-C sets `stop`; the next one is a KeyboardInterrupt as always.

    Only Python's own handler is replaced, and only in the main thread (elsewhere there are none): a program
    that handles or ignores Ctrl-C itself keeps doing so.
    """
    wish = Wish()

    def note(number: int, frame: FrameType | None) -> None:
        if wish.stop:
            raise KeyboardInterrupt
        wish.stop = True

    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield wish
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield wish
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def ignoring_interrupts() -> Iterator[None]:
    """Within the block Ctrl-C does nothing: for the moment of tidying up after it has ended the work."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
