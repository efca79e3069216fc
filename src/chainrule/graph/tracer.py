"""Tracing: tensors without numbers, and the interpreter that records what is done with them.

A `Traced` tensor has shape and type but no values: its array is a stand-in (`standin.py`). The general path
of the eager interpreter (`../eager.py`) meets it and hands the op to `record_op`. The composed functions, the
layers and the tape look at shapes and types only, so they run as they are, and `backward` inside a traced
function records the gradient rules like any other op.

An in-place operation gives the tensor a new value (`assign`). A view knows its base and the steps from it, so
that a write through a view is a new value of the base, and a view of a written base is read anew.
Next: `trace.py`, `symbols.py`.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, NoReturn, Self

import numpy as np

from ..base import TensorBase, owner_of
from ..core.dtypes import FROM_NUMPY
from ..eager import _check_each, _shape, record, unified, user_site, view_of
from ..inplace import adopt, fitting, touch
from ..ops.move import COPY
from ..ops.primitive import CONTRACTION, VIEW, Late, Primitive, interpreter, tracing
from ..ops.views import OVERWRITE, RESHAPE
from ..tape.node import AccumulateGrad, Node, number
from ..tensor import Tensor
from .errors import TraceError
from .host import Assumption, Host, draw
from .number import plain
from .standin import refuse, standin
from .values import CAPTURE, PART, Value, op_value, output_type

Steps = tuple[tuple[Primitive, dict[str, Any]], ...]


class Traced(Tensor):
    """A tensor of a program that is being recorded.

    _value: what it stands for now.
    _seen:  for a view, the base's value that _value was taken from.
    _origin, _steps: for a view, the traced tensor whose memory it is, and the way from there.
    _loose: the result of a reshape or `contiguous` that in eager mode may be a view or a copy.
    _ordered: whether its elements certainly lie in row-major order in memory.
    _tracer: the trace it belongs to; None among symbols.
    _source: the tensor from outside that it stands for, if it does.
    """

    __slots__ = ("_loose", "_ordered", "_origin", "_seen", "_source", "_steps", "_tracer", "_value")

    _tracer: Tracer | Gone | None
    _source: TensorBase | None
    _ordered: bool
    _value: Value
    _seen: Value | None
    _origin: Traced | None
    _steps: Steps
    _loose: bool

    @property
    def value(self) -> Value:
        """What the tensor stands for now; taken anew if the base of a view has been written."""
        origin = self._origin
        if origin is not None and origin._value is not self._seen:
            if self._loose:
                raise TraceError.of(
                    "reading a reshaped or contiguous tensor",
                    given=f"one {self._a.shape} after a write to what it was made from",
                    must=_LOOSE,
                    hint="clone() it when it is made, or reshape again after the write",
                )
            v = origin._value
            for op, settings in self._steps:
                v = op_value(op, (v,), settings, v.dtype, user_site())
            self._value, self._seen = v, origin._value
        return self._value

    def _at(self, node: Any) -> Traced:
        out = traced(self.value)
        out._node = node
        out._origin, out._steps = (self if self._origin is None else self._origin), self._steps
        out._seen = out._origin._value
        out._loose, out._ordered = self._loose, self._ordered
        return out

    def _kept(self) -> Traced:
        return kept(self)

    def _same_kind(self, a: Any) -> Self:
        return self._at(None)  # type: ignore[return-value]

    def __repr__(self) -> str:
        v = self.value
        sizes = ", ".join(map(str, v.shape)) or "()"
        return f"traced({v.name + ': ' if v.name else ''}{v.dtype.name}[{sizes}])"

    def __format__(self, spec: str) -> str:
        if spec:
            refuse(f"f'{{x:{spec}}}'")
        return repr(self)

    def _number(self, what: str) -> NoReturn:
        refuse(what)

    def _shared(self, what: str) -> NoReturn:
        refuse(what)

    def __index__(self) -> int:
        refuse("an index")

    def __bool__(self) -> bool:
        refuse("if x, bool(x)")

    def tolist(self) -> NoReturn:
        refuse("tolist()")

    def numpy(self, *, force: bool = False) -> NoReturn:
        refuse("numpy()")

    # -- layout in memory: a graph's values have none -------------------------------------------------------

    def contiguous(self) -> Tensor:
        if self._ordered:
            return self
        out = lift(COPY(self))
        out._origin = self if self._origin is None else self._origin
        out._seen, out._loose = out._origin._value, True  # in eager mode it may be the tensor itself
        return out

    def is_contiguous(self) -> bool:
        return self._ordered

    def stride(self, dim: int | None = None) -> NoReturn:
        refuse("stride()")

    def storage_offset(self) -> NoReturn:
        refuse("storage_offset()")

    def data_ptr(self) -> NoReturn:
        refuse("data_ptr()")


def traced(v: Value, *, ordered: bool = True) -> Traced:
    """A tensor that stands for a value."""
    tracer = tracing.tracer
    out = object.__new__(Traced)
    out._a = standin(v.shape, v.dtype)
    out._node = None
    out._view = None
    out._v = 0
    out._grad = None
    out._value = v
    out._seen = None
    out._origin = None
    out._steps = ()
    out._loose = False
    out._ordered = ordered
    out._tracer = tracer
    out._source = None
    if tracer is not None:
        tracer.made.append(weakref.ref(out))
    return out


class Gone:
    """In place of the trace that a tensor belongs to: the tensor must not be used any more."""

    __slots__ = ("refusal",)

    def __init__(self, refusal: Callable[[Traced], TraceError]) -> None:
        self.refusal = refusal


class Outside(Node):
    """In place of the tape that a tensor from outside was recorded on: backward does not go there."""

    __slots__ = ()

    def __init__(self, x: TensorBase) -> None:
        self.edges = ()
        self.shape, self.dtype = x._a.shape, x._a.dtype
        self.hooks = None
        self.seq = number()
        self.site = user_site()

    @property
    def name(self) -> str:
        return type(self).__name__

    def backward(self, g: Any) -> NoReturn:
        raise TraceError.of(
            "backward in a traced function",
            given=f"a tensor {self.shape} from outside that was computed by recorded operations",
            must="a graph cannot run the backward of what was recorded before it",
            hint="compute it inside the traced function, or detach() it",
        )


class Tracer:
    """Where one trace keeps what it meets from outside: the tensors that were there before, and their state.

    While it is the thread's tracer, every op is recorded, also one on ordinary tensors only.
    made:  every traced tensor, to see which ones somebody still holds in the end.
    assumptions: what the program asked Python about while it was recorded, by a key of their own.
    born_inside: ordinary tensors that were made inside the trace.
    iteration: the iteration of a loop that is being recorded, if there is one (`iteration.py`).
    twins: captured values that two iterations of a loop made alike, each its own.
    """

    def __init__(self) -> None:
        # id of a tensor, or key of a number of Python -> (which, as it was, as it is now)
        self._captures: dict[Any, tuple[Any, Value, Traced]] = {}
        self._met: dict[int, tuple[Any, Any, Any, int]] = {}  # id -> (tensor, and its _grad, _node and _v)
        self.born_inside: list[weakref.ref[Any]] = []
        self.made: list[weakref.ref[Traced]] = []
        self.assumptions: dict[Any, Assumption] = {}
        self.iteration: Any = None
        self.twins: list[tuple[Value, Value]] = []

    def host(self, h: Host) -> Traced:
        """The traced tensor that stands for a number of Python now."""
        known = self._captures.get(h.key)
        if known is None:
            v = Value(CAPTURE, (), h.dtype, data=h, name=h.name, site=user_site())
            known = self._captures[h.key] = (h, v, traced(v))
            if self.iteration is not None:
                self.iteration.enter(known[2], h)
        return known[2]

    def born(self, x: TensorBase) -> None:
        """An ordinary tensor was made inside the trace."""
        self.born_inside.append(weakref.ref(x))

    def meet(self, x: TensorBase) -> None:
        """Remember the state of a tensor from outside that the trace may change and gives back in the end."""
        if not isinstance(x, Traced) and id(x) not in self._met:
            self._met[id(x)] = (x, getattr(x, "_grad", None), x._node, x._v)  # a new one has no `_grad` yet

    def met(self) -> list[Any]:
        """The tensors from outside whose state is remembered."""
        return [x for x, *_ in self._met.values()]

    def grad_of(self, x: TensorBase) -> Any:
        """The `.grad` that a tensor from outside had before the trace."""
        return self._met[id(x)][1] if id(x) in self._met else None

    def known(self, x: TensorBase) -> Traced | None:
        """What stands for a tensor from outside, if it was captured."""
        return self._captures[id(x)][2] if id(x) in self._captures else None

    def grad_set(self, x: TensorBase) -> None:
        """`x.grad = ...`, before it happens."""
        self.meet(x)
        if self.iteration is not None:
            self.iteration.grad_set(x)

    def lift(self, x: Any) -> Traced:
        """The traced tensor that stands for x now."""
        if isinstance(x, Traced):
            return _of_trace(x, self)
        known = self._captures.get(id(x))
        if known is None:
            if type(x._a) is not np.ndarray:
                x._a.stray(x)
            self.meet(x)
            v = Value(CAPTURE, x._a.shape, FROM_NUMPY[x._a.dtype], data=x, site=user_site())
            stand = traced(v, ordered=x._a.flags.c_contiguous)
            if x._node is not None and not isinstance(x._node, AccumulateGrad):
                x._node = Outside(x)
            stand._source = x
            known = self._captures[id(x)] = (x, v, stand)
            if self.iteration is not None:
                self.iteration.enter(stand, x)
        stand = _of_trace(known[2], self)
        stand._node = x._node
        return stand

    def finish(self) -> tuple[list[tuple[Value, Value]], set[Value], list[weakref.ref[Traced]]]:
        """Give the tensors from outside back their state, and forget the trace.

        Returns what was captured as pairs (value before, value now), which of it was made inside the trace,
        and references to all traced tensors.
        """
        for x, grad, node, version in self._met.values():
            x._grad, x._node, x._v = grad, node, version
        inside = {id(x) for ref in self.born_inside if (x := ref()) is not None}
        met = [(before, stand.value) for _, before, stand in self._captures.values()]
        fresh = {before for key, (_, before, _) in self._captures.items() if key in inside}
        made = self.made
        self._met, self._captures, self.born_inside, self.made = {}, {}, [], []
        self.iteration = None
        return met, fresh, made


_symbols: weakref.WeakValueDictionary[int, Value] = weakref.WeakValueDictionary()


def lift(x: Any) -> Traced:
    """The traced tensor for x: by the thread's tracer, or, among symbols, a capture of its own."""
    tracer = tracing.tracer
    if tracer is not None:
        stand: Traced = tracer.lift(x)
        return stand
    if isinstance(x, Traced):
        return _of_trace(x, None)
    if type(x._a) is not np.ndarray:
        x._a.stray(x)
    v = _symbols.get(id(x))  # a value holds its tensor, so the number is not another's
    if v is None or v.data is not x:
        v = Value(CAPTURE, x._a.shape, FROM_NUMPY[x._a.dtype], data=x, site=user_site())
        _symbols[id(x)] = v
    stand = traced(v)
    stand._node = x._node
    return stand


def _of_trace(x: Traced, tracer: Tracer | None) -> Traced:
    """x, if it belongs to this trace."""
    if isinstance(x._tracer, Gone):
        raise x._tracer.refusal(x)
    if x._tracer is not tracer:
        symbol = x._tracer is None
        raise TraceError.of(
            "a traced tensor",
            given=f"{x!r} from "
            + ("outside the trace, where it is a symbol" if symbol else "a trace that has ended"),
            must="what was made in one trace has no value in another, nor outside",
            hint="pass it to the traced function as an input"
            if symbol
            else "return it from the traced function",
        )
    return x


def record_op(op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any]) -> Any:
    """`op(*xs)` as a value of the graph, on the tape too if a gradient may be wanted."""
    if any(isinstance(x, Late) for x in xs):
        xs = plain(op, xs)
    if op.dtype.unify:
        xs = unified(op, xs)
    else:
        _check_each(op, xs)
    arrays = [x._a if isinstance(x, TensorBase) else x for x in xs]
    _shape(op, arrays, settings)  # raises the error that teaches
    lifted = tuple(lift(x) if isinstance(x, TensorBase) else x for x in xs)
    inputs = tuple(x.value if isinstance(x, Traced) else x for x in lifted)
    v = op_value(op, inputs, settings, output_type(op, inputs, settings), user_site())
    if op.outputs != 1:
        return tuple(
            traced(Value(PART, shape, kind, inputs=(v,), index=i, site=v.site))
            for i, (shape, kind) in enumerate(zip(v.shape, v.dtype, strict=True))
        )
    out = traced(v, ordered=_ordered(op, lifted))
    if op.kind is VIEW:
        _note_view(op, lifted[0], out, settings)
    return record(op, out, lifted, settings)


def _ordered(op: Primitive, xs: tuple[Any, ...]) -> bool:
    """Whether the result certainly lies in row-major order: NumPy keeps the order of what it is made from."""
    if op.kind is VIEW:
        return op is RESHAPE and bool(xs[0]._ordered)
    return op is COPY or op.kind == CONTRACTION or all(x._ordered for x in xs if isinstance(x, Traced))


def _note_view(op: Primitive, x: Traced, out: Traced, settings: dict[str, Any]) -> None:
    """A view shares memory: remember whose, for writes, and what the tape needs, as in eager mode."""
    origin = x if x._origin is None else x._origin
    out._origin, out._seen = origin, origin._value
    out._steps = (*x._steps, (op, settings))
    # Whether a reshape of elements that do not lie in order is a view or a copy depends on the layout in
    # memory.
    out._loose = x._loose or (op is RESHAPE and not x._ordered)
    out._view = view_of(op, x, settings)


def snapshot(x: Any) -> Traced:
    """x as it is now, for what an in-place operation reads of it: later writes do not change it."""
    stand = lift(x)
    out = kept(stand)
    out._node = stand._node
    return out


def kept(x: Any) -> Traced:
    """The value of x, as what is kept of it for backward; it is not a view of x."""
    stand = lift(x)
    return traced(stand.value, ordered=stand._ordered)


_LOOSE = "whether it shares memory with what it was made from depends on the order of elements in memory"


def assign(x: Any, new: Any, what: str, tracked: bool) -> Any:
    """x becomes the value of `new`, in place. Returns x."""
    if not isinstance(x, Traced) and tracing.tracer is None:
        refuse(f"in-place {what} on an ordinary tensor")
    stand = lift(x)
    new = lift(fitting(x, new, what))
    if stand._loose:
        raise TraceError.of(
            f"in-place {what}",
            given=f"a reshaped or contiguous tensor {x._a.shape}",
            must=_LOOSE,
            hint="clone() it before writing to it",
        )
    if not isinstance(x, Traced) and x._view is not None and x._view.base is not None:
        raise TraceError.of(
            f"in-place {what}",
            given=f"a view {x._a.shape} that was made outside the traced function",
            must="the tensor that owns its memory would not notice",
            hint="make the view inside the function",
        )
    origin = stand if stand._origin is None else stand._origin
    if origin is stand:
        stand._value = new.value
    else:
        steps = {"steps": stand._steps}
        old = origin._value
        origin._value = op_value(OVERWRITE, (old, new.value), steps, old.dtype, user_site())
        stand._value, stand._seen = new.value, origin._value
    touch(stand)
    source = origin._source
    if source is not None:  # a tensor from outside and its stand-in count their writes together
        owner = owner_of(stand)
        if owner is source or owner is origin:
            touch(origin if owner is source else source)
    if tracked:
        adopt(stand, new._node)
        if tracing.tracer is not None and tracing.tracer.iteration is not None:
            tracing.tracer.iteration.written(origin)
    if source is not None:
        source._node = origin._node
    return x


def refuse_reading(x: TensorBase, what: str) -> NoReturn:
    """The values of an ordinary tensor were asked for inside a traced function."""
    if type(x._a) is not np.ndarray:
        x._a.refuse(what)  # type: ignore[attr-defined]
    raise TraceError.of(
        what,
        given=f"a tensor {x._a.shape} in a traced function",
        must="its value of now would be fixed in the graph, also where later runs find another one there",
        hint="compute with the tensor itself, or read it before the trace",
    )


def refuse_data() -> NoReturn:
    """`x.data = y` inside a traced function, or with a traced tensor."""
    raise TraceError.of(
        "x.data = y",
        given="a traced function",
        must="a graph can change the values of a tensor, not what memory it has",
        hint="with no_grad(): x.copy_(y)",
    )


class _Hooks:
    """What `eager.py` and `inplace.py` call when they meet a traced tensor or a running trace."""

    record = staticmethod(record_op)
    plain = staticmethod(plain)
    snapshot = staticmethod(snapshot)
    assign = staticmethod(assign)
    draw = staticmethod(draw)
    refuse_reading = staticmethod(refuse_reading)
    refuse_data = staticmethod(refuse_data)
    kept = staticmethod(kept)
    lift = staticmethod(lift)
    loop: Any  # set by `iteration.py`, and so is
    loop_error: Any
    assume: Any


interpreter.trace = _Hooks
