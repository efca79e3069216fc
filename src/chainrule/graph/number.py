"""Numbers of Python that a graph reads when it runs: what a program may do with them while it is recorded.

A `Number` stands for a Python float: a learning rate, or a step count that `item()` would give. Numbers with
numbers are computed in float64, as Python does; with a tensor, a number takes the tensor's type first, as a
Python float does. To compare one with another number is to ask for its value of now: the answer goes into the
graph, and is noted as an assumption. `Options` is an optimizer's param_group with such numbers.
Next: `tracer.py`.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Hashable, Iterator, Mapping
from typing import Any, NoReturn

import numpy as np

from ..base import TensorBase
from ..core import dtypes
from ..core.dtypes import FROM_NUMPY, dtype, float64
from ..eager import common_type
from ..ops import arithmetic as ar
from ..ops.move import CAST
from ..ops.primitive import Late, Primitive, interpreter, tracing
from ..ops.transcendental import SQRT
from ..ops.views import RESHAPE
from .errors import TraceError
from .host import Assumption, Option, only_outside


class Number(Late):
    """A float of Python that is known when the graph runs.

    x:    its value in the graph, a 0-d float64 tensor.
    what: how it is computed, in words.
    key:  equal for numbers that are computed alike.
    now:  tells its value of now; None if only the graph knows it.
    """

    __slots__ = ("key", "now", "what", "x")

    def __init__(self, x: Any, what: str, key: Hashable, now: Callable[[], float] | None) -> None:
        self.x, self.what, self.key, self.now = x, what, key, now

    def at(self, kind: dtype) -> Any:
        """The number as a 0-d tensor of this type, rounded once."""
        return self.x if kind is float64 else CAST(self.x, to=kind, source=float64)

    def sqrt(self) -> Number:
        now = self.now
        known = None if now is None else lambda: root(now())
        return Number(SQRT(self.x), f"sqrt({self.what})", ("sqrt", self.key), known)

    def __neg__(self) -> Number:
        now = self.now
        known = None if now is None else lambda: -now()
        return Number(ar.NEG(self.x), f"-{self.what}", ("-", self.key), known)

    def __repr__(self) -> str:
        return f"<the number {self.what}>"

    __hash__ = object.__hash__

    def _refuse(self, what: str) -> NoReturn:
        raise TraceError.of(
            what,
            given=f"{self.what} in a traced function",
            must="the graph reads this number each time it runs, so it has no value yet",
            hint="compute with the number itself, or read it outside the traced function",
        )

    def __float__(self) -> float:
        self._refuse("float(x)")

    def __int__(self) -> int:
        self._refuse("int(x)")

    def __index__(self) -> int:
        self._refuse("an index")

    def __bool__(self) -> bool:
        return self.__ne__(0)

    def __format__(self, spec: str) -> str:
        if spec:
            self._refuse(f"f'{{x:{spec}}}'")
        return repr(self)

    def __eq__(self, other: object) -> bool:
        return self._compared("==", operator.eq, other)

    def __ne__(self, other: object) -> bool:
        return self._compared("!=", operator.ne, other)

    def __lt__(self, other: Any) -> bool:
        return self._compared("<", operator.lt, other)

    def __le__(self, other: Any) -> bool:
        return self._compared("<=", operator.le, other)

    def __gt__(self, other: Any) -> bool:
        return self._compared(">", operator.gt, other)

    def __ge__(self, other: Any) -> bool:
        return self._compared(">=", operator.ge, other)

    def _compared(self, sign: str, compare: Callable[[Any, Any], bool], other: Any) -> bool:
        if not isinstance(other, Number | int | float | np.number):
            return NotImplemented  # type: ignore[no-any-return]
        now, then = self.now, _now(other)
        if now is None or then is None:
            self._refuse(f"x {sign} y")
        answer = bool(compare(now(), then()))
        what = f"{self.what} {sign} {_text(other)} is {answer}"
        _assume((sign, self.key, _key(other)), what, lambda: bool(compare(now(), then())) is answer)
        return answer

    # With numbers; and with tensors, where a number is a Python float.


def _arithmetic(name: str, sign: str, op: Primitive, python: Callable[[Any, Any], Any]) -> None:
    def forward(self: Number, other: Any) -> Any:
        return _computed(sign, op, python, self, other)

    def reflected(self: Number, other: Any) -> Any:
        return _computed(sign, op, python, other, self)

    setattr(Number, f"__{name}__", forward)
    setattr(Number, f"__r{name}__", reflected)


def _computed(sign: str, op: Primitive, python: Callable[[Any, Any], Any], x: Any, y: Any) -> Any:
    if isinstance(x, TensorBase) or isinstance(y, TensorBase):
        return op(x, y)
    if not all(isinstance(z, Number | int | float | np.number) for z in (x, y)):
        return NotImplemented
    values = [z.x if isinstance(z, Number) else float(z) for z in (x, y)]
    text = f"({' '.join([_text(x), sign, _text(y)])})"
    first, second = _now(x), _now(y)
    known = None if first is None or second is None else lambda: python(first(), second())
    return Number(op(*values), text, (sign, _key(x), _key(y)), known)


def _text(x: Any) -> str:
    return x.what if isinstance(x, Number) else str(x)


def _key(x: Any) -> Hashable:
    return x.key if isinstance(x, Number) else repr(x)


def _now(x: Any) -> Callable[[], Any] | None:
    return x.now if isinstance(x, Number) else lambda: x


for _name, _sign, _op in (
    ("add", "+", ar.ADD), ("sub", "-", ar.SUB), ("mul", "*", ar.MUL), ("truediv", "/", ar.DIV),
    ("pow", "**", ar.POW),
):  # fmt: skip
    _arithmetic(_name, _sign, _op, getattr(operator, _name))


def plain(op: Primitive, xs: tuple[Any, ...]) -> tuple[Any, ...]:
    """The inputs of an op with 0-d tensors for numbers, in the type that a Python float would have there."""
    first = op.dtype.first
    if op.dtype.unify:
        kind = common_type(tuple(0.0 if isinstance(x, Late) else x for x in xs[first:]))
        if op.dtype.floating and not kind.is_floating_point:
            kind = dtypes.get_default_dtype()
    else:
        kind = next((FROM_NUMPY[x._a.dtype] for x in xs if isinstance(x, TensorBase)), float64)
    return tuple(x.at(kind) if isinstance(x, Number) else x for x in xs)


def number_of(x: TensorBase) -> Any:
    """`x.item()`; while a program is recorded, a number that the graph will read there."""
    if tracing.tracer is None:
        return x.item()  # type: ignore[attr-defined]
    one = RESHAPE(interpreter.trace.kept(x), shape=())
    kind = FROM_NUMPY[one._a.dtype]
    wide = one if kind is float64 else CAST(one, to=float64, source=kind)
    return Number(wide, "the value of a tensor", id(wide), None)


def root(x: Any) -> Any:
    """The square root of a float or a number; correctly rounded in both."""
    return x.sqrt() if isinstance(x, Number) else math.sqrt(x)


class Options(Mapping[str, Any]):
    """An optimizer's param_group while a program is recorded: its numbers are read when the graph runs.

    Everything else in it goes into the graph as it is, and is noted as an assumption.
    group: the param_group itself.
    label: what people call it: `SGD's group 0`.
    """

    __slots__ = ("group", "label")

    def __init__(self, group: dict[str, Any], label: str) -> None:
        self.group, self.label = group, label

    def __getitem__(self, name: str) -> Any:
        group, found = self.group, self.group[name]
        if tracing.tracer is None:
            return found
        key = ("option", id(group), name)
        if name == "params":
            count = len(found)
            what = f"{self.label} has the same parameters ({count})"
            _assume(key, what, lambda: group["params"] is found and len(found) == count)
            return found
        if isinstance(found, tuple | list) and all(map(_is_number, found)):
            return type(found)(self._number(name, i) for i in range(len(found)))
        if _is_number(found):
            return self._number(name, None)
        _assume(key, f"{name} of {self.label} is {found!r}", lambda: _same(group.get(name), found))
        return found

    def _number(self, name: str, index: int | None) -> Number:
        host = Option(self.group, name, index)
        place = name if index is None else f"{name}[{index}]"
        return Number(tracing.tracer.host(host), f"{place} of {self.label}", host.key, host.value)

    def __iter__(self) -> Iterator[str]:
        return iter(self.group)

    def __len__(self) -> int:
        return len(self.group)

    def __contains__(self, name: object) -> bool:
        return name in self.group

    def __setitem__(self, name: str, value: Any) -> None:
        only_outside(
            f"group[{name!r}] = ...", "change options outside: the graph reads them each time it runs"
        )
        self.group[name] = value


def plain_group(group: Any) -> dict[str, Any]:
    """The param_group itself."""
    found: dict[str, Any] = group.group if isinstance(group, Options) else group
    return found


def traced_groups(read: Callable[[], list[dict[str, Any]]], label: str) -> Any:
    """The param_groups of an optimizer while a program is recorded.

    read: gives the list as it is; label: what people call the optimizer.
    """
    groups = read()
    count = len(groups)
    what = f"{label} has the same param_groups ({count})"
    _assume(("groups", id(groups)), what, lambda: read() is groups and len(groups) == count)
    return [Options(group, f"{label}'s group {i}") for i, group in enumerate(groups)]


def _is_number(x: Any) -> bool:
    return isinstance(x, int | float | np.number) and not isinstance(x, bool)


def _same(x: Any, y: Any) -> bool:
    return x is y or (type(x) is type(y) and not isinstance(x, TensorBase) and bool(x == y))


def _assume(key: Hashable, what: str, holds: Callable[[], bool]) -> None:
    """Note what the program was told; the same once."""
    if tracing.tracer is not None:
        tracing.tracer.assumptions.setdefault(key, Assumption(what, holds))
