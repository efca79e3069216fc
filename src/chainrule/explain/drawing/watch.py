"""Running a function for its picture: what the tape does not remember is noted while it happens.

A `Watch` is a level (`transforms/level.py`) that sees every op: operands that backward does not need, the
values of scalars, and which modules were being called. The program runs once, as it always does. Next:
`from_tape.py`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

import numpy as np

from ...base import TensorBase
from ...tape.node import Node
from ...transforms.level import Observer
from .naming import Place


class Note(NamedTuple):
    """What was seen of an op.

    operands: tensors and Python numbers.  value: of a scalar, else None.  places: the modules that were
              called.
    """

    operands: tuple[Any, ...]
    value: np.ndarray[Any, Any] | None
    places: tuple[Place, ...]


class Watch(Observer):
    """notes: for each tape node that was made while this was entered."""

    def __init__(self) -> None:
        self.notes: dict[Node, Note] = {}
        self._open: list[Place] = []
        self._calls = itertools.count()

    def see(self, op: Any, xs: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
        if isinstance(out, TensorBase) and out._node is not None:
            value = out._a.copy() if type(out._a) is np.ndarray and out._a.size == 1 else None
            self.notes[out._node] = Note(xs, value, tuple(self._open))

    def run_watched(self, function: Callable[..., Any], inputs: tuple[Any, ...], model: Any) -> Any:
        """`function(*inputs)`; calls of the parts of `model` (None: there are none) are groups."""
        with self.entered(), self._following(model):
            return function(*inputs)

    @contextmanager
    def _following(self, model: Any) -> Iterator[None]:
        with ExitStack() as stack:
            for path, module in model.named_modules() if model is not None else ():
                if path:
                    before = module.register_forward_pre_hook(self._enter(path), prepend=True)
                    after = module.register_forward_hook(self._leave, always_call=True)
                    stack.callback(after.remove)
                    stack.callback(before.remove)
            yield

    def _enter(self, path: str) -> Callable[..., None]:
        def enter(module: Any, args: Any) -> None:
            title = f"{path} · {type(module).__name__}"
            self._open.append(Place((path, next(self._calls)), title, path))

        return enter

    def _leave(self, module: Any, args: Any, output: Any) -> None:
        self._open.pop()
