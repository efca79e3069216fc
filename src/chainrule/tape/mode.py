"""Whether operations are recorded: `no_grad`, `enable_grad`, `set_grad_enabled`, `inference_mode`.

The setting belongs to a thread, as in PyTorch. Next: `node.py`.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class _State(threading.local):
    grad: bool = True
    inference: bool = False


state = _State()


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded for backward."""
    return state.grad


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`."""
    return state.inference


class _Switch:
    """A context manager that is also a decorator, for functions and generator functions."""

    __slots__ = ("_before",)
    grad = True

    def __enter__(self) -> None:
        self._before = state.grad
        state.grad = self.grad

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, tb: TracebackType | None
    ) -> None:
        state.grad = self._before

    def _fresh(self) -> _Switch:
        return type(self)()

    def __call__(self, function: F) -> F:
        if inspect.isgeneratorfunction(function):

            @functools.wraps(function)
            def steps(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
                # The switch is on only while the body runs, not while the caller has the value.
                generator = function(*args, **kwargs)
                send: Callable[[Any], Any] = generator.send
                value: Any = None
                while True:
                    try:
                        with self._fresh():
                            item = send(value)
                    except StopIteration as stop:
                        return stop.value
                    try:
                        send, value = generator.send, (yield item)
                    except GeneratorExit:
                        generator.close()
                        raise
                    except BaseException as err:
                        send, value = generator.throw, err

            return steps  # type: ignore[return-value]

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            with self._fresh():
                return function(*args, **kwargs)

        return call  # type: ignore[return-value]


def _direct(cls: type[_Switch], function: Any) -> Any:
    """`@no_grad` without parentheses, as PyTorch allows."""
    made = object.__new__(cls)
    return made(function) if callable(function) else made


class no_grad(_Switch):
    """Operations inside are not recorded: results need no gradient.

    >>> import chainrule as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    __slots__ = ()
    grad = False

    def __new__(cls, function: Any = None) -> Any:
        return _direct(cls, function)


class enable_grad(_Switch):
    """Operations inside are recorded, also within `no_grad`.

    >>> import chainrule as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad(), torch.enable_grad():
    ...     y = x * 2
    >>> y.requires_grad
    True
    """

    __slots__ = ()
    grad = True

    def __new__(cls, function: Any = None) -> Any:
        return _direct(cls, function)


class set_grad_enabled(_Switch):
    """Turn recording on or off, at once, and back at the end if used as a context manager.

    >>> import chainrule as torch
    >>> with torch.set_grad_enabled(False):
    ...     torch.is_grad_enabled()
    False
    """

    __slots__ = ("grad",)

    def __init__(self, mode: bool) -> None:
        self._before = state.grad
        self.grad = bool(mode)
        state.grad = self.grad

    def __enter__(self) -> None:
        state.grad = self.grad

    def _fresh(self) -> _Switch:
        return set_grad_enabled(self.grad)

    def __call__(self, function: F) -> F:
        state.grad = self._before  # used as a decorator: nothing changes until the function is called
        return super().__call__(function)


class inference_mode(_Switch):
    """Like `no_grad`, for code that only predicts. `inference_mode(False)` records as usual.

    >>> import chainrule as torch
    >>> with torch.inference_mode():
    ...     torch.is_inference_mode_enabled(), torch.is_grad_enabled()
    (True, False)
    """

    __slots__ = ("_inference", "mode")

    def __new__(cls, mode: Any = True) -> Any:
        made = object.__new__(cls)
        made.mode = True if callable(mode) else bool(mode)
        return made(mode) if callable(mode) else made

    def __init__(self, mode: Any = True) -> None:
        super().__init__()

    def __enter__(self) -> None:
        self._before, self._inference = state.grad, state.inference
        state.grad, state.inference = (False if self.mode else state.grad), self.mode

    def __exit__(self, *exc: object) -> None:
        state.grad, state.inference = self._before, self._inference

    def _fresh(self) -> _Switch:
        made: _Switch = inference_mode(self.mode)
        return made
