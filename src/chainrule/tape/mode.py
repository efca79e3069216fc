"""Whether operations are recorded: `no_grad`, `enable_grad`, `set_grad_enabled`, `inference_mode`.

The setting belongs to a thread, as in PyTorch; a new thread starts with recording on. Next: `node.py`.
"""

from __future__ import annotations

import functools
import inspect
import threading
from collections.abc import Callable, Generator
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class _State(threading.local):
    grad: bool = True
    inference: bool = False


state = _State()


def is_grad_enabled() -> bool:
    """Whether operations of this thread are recorded for backward.

    >>> import chainrule as torch
    >>> with torch.no_grad():
    ...     torch.is_grad_enabled()
    False
    """
    return state.grad


def is_inference_mode_enabled() -> bool:
    """Whether this thread is inside `inference_mode`."""
    return state.inference


class _Switch:
    """A context manager that is also a decorator, for functions and generator functions.

    _before: what was set before each `with` that is still open, the innermost first, as nested pairs.
    """

    __slots__ = ("_before",)

    _before: Any
    grad = True

    def __enter__(self) -> None:
        self._before = ((state.grad, state.inference), self._before)
        self._set()

    def __exit__(self, *exc: object) -> None:
        (state.grad, state.inference), self._before = self._before

    def _set(self) -> None:
        state.grad = self.grad

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
                        with self._fresh():
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


def _made(cls: type[_Switch], function: Any) -> Any:
    """A switch; or, for `@no_grad` without parentheses, which PyTorch allows, the decorated function."""
    made = object.__new__(cls)
    made._before = None
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
        return _made(cls, function)


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
        return _made(cls, function)


class set_grad_enabled(_Switch):
    """Turn recording on or off, at once, and back at the end if used as a context manager or decorator.

    >>> import chainrule as torch
    >>> with torch.set_grad_enabled(False):
    ...     torch.is_grad_enabled()
    False
    """

    __slots__ = ("_at_once", "grad")

    def __init__(self, mode: bool) -> None:
        self._before = None
        self._at_once: tuple[bool, bool] | None = (state.grad, state.inference)
        self.grad = bool(mode)
        state.grad = self.grad

    def __enter__(self) -> None:
        super().__enter__()
        if self._at_once is not None:  # at the end, back to what was set before this object was made
            self._before = (self._at_once, self._before[1])
            self._at_once = None

    def _fresh(self) -> _Switch:
        return set_grad_enabled(self.grad)

    def __call__(self, function: F) -> F:
        if self._at_once is not None:  # used as a decorator: nothing changes until the function is called
            state.grad, state.inference = self._at_once
            self._at_once = None
        return super().__call__(function)


class inference_mode(_Switch):
    """Like `no_grad`, for code that only predicts. `inference_mode(False)` records as usual, wherever it is.

    >>> import chainrule as torch
    >>> with torch.inference_mode():
    ...     torch.is_inference_mode_enabled(), torch.is_grad_enabled()
    (True, False)
    """

    __slots__ = ("mode",)

    mode: bool

    def __new__(cls, mode: Any = True) -> Any:
        made = object.__new__(cls)
        made._before = None
        made.mode = True if callable(mode) else bool(mode)
        return made(mode) if callable(mode) else made

    def __init__(self, mode: Any = True) -> None:
        super().__init__()

    def _set(self) -> None:
        state.grad, state.inference = not self.mode, self.mode

    def _fresh(self) -> _Switch:
        made: _Switch = inference_mode(self.mode)
        return made
