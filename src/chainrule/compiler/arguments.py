"""What a call was given: its tensors, and a key that is equal for calls that one program can serve.

The key covers, for each tensor, shape, type, layout and whether it needs a gradient; Python values by type
and value; lists, tuples, dicts and sets by their contents; all other objects by identity.
Next: `surroundings.py`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..backward import node_of
from ..base import TensorBase
from ..core.dtypes import FROM_NUMPY, dtype
from ..nn.parameter import Parameter
from .errors import CompileError

PLAIN = (bool, int, float, complex, str, bytes, type(None), type(...), slice, range, dtype)

Key = tuple[Any, ...]


class Arguments:
    """The arguments of one call, taken apart.

    key:      see above. A pinned tensor is in it by identity.
    tensors:  those that are inputs of the program, in order; each tensor once.
    pinned:   those that the trace shall take as tensors from outside: parameters, and what the function
              reaches also without its arguments.
    paths:    how messages call each tensor of `tensors`.
    objects:  what is in the key by identity.
    """

    def __init__(
        self,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        names: tuple[str, ...] = (),
        pin: Callable[[Any], bool] = lambda x: False,
    ) -> None:
        self.tensors: list[Any] = []
        self.pinned: list[Any] = []
        self.paths: list[str] = []
        self.objects: list[Any] = []
        self.labels: list[str] = []  # where each of the objects was given
        self.parts: list[tuple[str, Any]] = []  # (path, part of the key), for what tells two keys apart
        self._numbers: dict[int, int] = {}
        self._pin = pin
        keys = [
            self._part(x, names[i] if i < len(names) else f"argument {i + 1}") for i, x in enumerate(args)
        ]
        named = [(name, self._part(kwargs[name], name)) for name in sorted(kwargs)]
        self.key: Key = (tuple(keys), tuple(named))

    def take(self, other: Arguments) -> None:
        """Become another one: the same call, seen again."""
        self.__dict__.update(other.__dict__)

    def _part(self, x: Any, path: str) -> Any:
        if isinstance(x, TensorBase):
            part = self._tensor(x, path)
        elif isinstance(x, tuple | list):
            kind = type(x)
            fields = getattr(x, "_fields", None)
            steps = [f".{f}" for f in fields] if fields else [f"[{i}]" for i in range(len(x))]
            self.parts.append((path, (kind.__name__, len(x))))
            return (kind, *(self._part(y, path + step) for y, step in zip(x, steps, strict=True)))
        elif isinstance(x, dict):
            self.parts.append((path, ("dict", tuple(map(repr, x)))))
            return (type(x), *((name, self._part(y, f"{path}[{name!r}]")) for name, y in x.items()))
        elif isinstance(x, PLAIN):
            part = (type(x), repr(x))  # by its digits: 0.0 and -0.0 differ, and nan equals itself
        elif isinstance(x, np.generic):
            part = (type(x), repr(x))
        elif isinstance(x, np.ndarray):
            raise CompileError.of(
                f"a compiled function, for {path},",
                given=f"a NumPy array {x.shape}",
                must="a compiled function takes tensors; a change of an array would not be noticed",
                hint="torch.from_numpy(x), which shares its memory",
            )
        elif isinstance(x, set | frozenset) and all(isinstance(y, PLAIN) for y in x):
            part = (type(x), tuple(sorted(map(repr, x))))
        else:
            self.objects.append(x)
            self.labels.append(path)
            part = (type(x), id(x))
        self.parts.append((path, part))
        return part

    def _tensor(self, x: Any, path: str) -> Any:
        number = self._numbers.get(id(x))
        if number is not None:  # the same tensor twice
            return ("same as", self.paths[number] if number >= 0 else id(x))
        a = x._a
        if isinstance(x, Parameter) or self._pin(x):
            self._numbers[id(x)] = -1
            self.pinned.append(x)
            self.objects.append(x)
            self.labels.append(path)
            return ("the tensor", id(x), a.shape, a.dtype.char, a.flags.c_contiguous, node_of(x) is not None)
        self._numbers[id(x)] = len(self.tensors)
        self.tensors.append(x)
        self.paths.append(path)
        grad = node_of(x) is not None
        part = ("tensor", a.shape, a.dtype.char, a.flags.c_contiguous, grad)
        return (*part, x._grad is not None) if grad else part


def rebuilt(x: Any, tensor: Callable[[Any], Any]) -> Any:
    """The same argument with each tensor replaced; lists, tuples and dicts are new ones."""
    if isinstance(x, TensorBase):
        return tensor(x)
    if isinstance(x, dict):
        copy = {name: rebuilt(y, tensor) for name, y in x.items()}
        return copy if type(x) is dict else _of_kind(x, copy)
    if isinstance(x, tuple | list):
        parts = [rebuilt(y, tensor) for y in x]
        kind = type(x)
        if kind is list:
            return parts
        return kind(*parts) if hasattr(x, "_fields") else kind(parts)
    return x


def _of_kind(x: Any, copy: dict[Any, Any]) -> Any:
    new = x.copy()  # keeps what a defaultdict or an OrderedDict has beside its items
    new.update(copy)
    return new


def containers(x: Any) -> Iterator[Any]:
    """The lists and dicts among arguments, at any depth."""
    if isinstance(x, dict):
        yield x
        for y in x.values():
            yield from containers(y)
    elif isinstance(x, tuple | list):
        if isinstance(x, list):
            yield x
        for y in x:
            yield from containers(y)


def described(part: Any) -> str:
    """A part of a key in plain words."""
    kind = part[0]
    if kind == "tensor":
        return tensor_words(part[1], part[2], part[3], part[4])
    if kind == "the tensor":
        return f"another tensor: {tensor_words(*part[2:])}"
    if kind == "same as":
        return f"the same tensor as {part[1]}" if isinstance(part[1], str) else "the same tensor as before"
    if isinstance(kind, str):
        return f"a dict with {', '.join(part[1])}" if kind == "dict" else f"a {kind} of {part[1]}"
    if isinstance(part[1], str):
        return str(part[1])
    return f"a {kind.__name__}"


def tensor_words(shape: tuple[int, ...], char: str, ordered: bool, grad: bool) -> str:
    """`float32 (2, 3)`, with what is special about it."""
    text = f"{FROM_NUMPY[np.dtype(char)].name} {shape}"
    if not ordered:
        text += ", not in row-major order"
    return text + (", requires_grad=True" if grad else "")


def difference(before: list[tuple[str, Any]], now: list[tuple[str, Any]]) -> tuple[str, str, str] | None:
    """(path, before, now) of the first part that differs between two calls, if there is one."""
    was, isnow = dict(before), dict(now)
    for path, part in now:
        if path not in was:
            return path, "not given", described(part)
        if was[path] != part:
            return path, described(was[path]), _apart(was[path], part)
    for path, part in before:
        if path not in isnow:
            return path, described(part), "not given"
    return None


def _apart(before: Any, now: Any) -> str:
    """What is there now, in words that differ from those for before."""
    text = described(now)
    return f"another {now[0].__name__}" if text == described(before) and isinstance(now[0], type) else text


def weak_or_strong(objects: list[Any], dead: Callable[[Any], None]) -> list[Any]:
    """References that keep the identity of objects in a key true: weak ones, which tell of their death."""
    held = []
    for x in objects:
        try:
            held.append(weakref.ref(x, dead))
        except TypeError:
            held.append(x)
    return held
