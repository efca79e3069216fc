"""A compiled function: from a call to the program that serves it.

A call looks for a program that was made for such arguments and such surroundings (`signature.py`) and runs
it; if there is none, the function is traced. Next: `options.py`, which has `compile` itself.
"""

from __future__ import annotations

import functools
import os
import threading
import types
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from ..core.errors import ArgumentError, nearest
from ..graph import simplify
from ..graph.errors import KeptError
from ..ops.primitive import levels, tracing
from ..tape import anomaly
from .arguments import Arguments, difference, weak_or_strong
from .errors import CompileError
from .fast import MISS, short_way
from .program import build
from .record import record
from .signature import Signature
from .surroundings import Snapshot, Surroundings

Short = Callable[[tuple[Any, ...]], Any]
STAGES = ("graph", "simplified", "kernels", "ir", "asm")
AT_HAND = 4  # programs whose short way is tried before a key is made: a batch, a last batch, evaluation
_lock = threading.RLock()  # one trace at a time


def _new_lock() -> None:
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):  # a lock that another thread holds would stay locked in the child
    os.register_at_fork(after_in_child=_new_lock)


def _miss(args: tuple[Any, ...]) -> Any:
    """The short way of a function that has none."""
    return MISS


class Compiled:
    """What `compile` makes of a function; call it like the function.

    traces:  how many programs were traced so far.
    limit:   how many there may be.
    """

    def __init__(
        self, function: Callable[..., Any], *, limit: int, name: str, names: tuple[str, ...]
    ) -> None:
        functools.update_wrapper(self, function, updated=())
        self._function = function
        self.limit = limit
        self.name = name
        self.names = names
        self._signatures: list[Signature] = []  # the last used one first
        self._first: Short = _miss
        self._others: tuple[tuple[Signature, Short], ...] = ()
        self._pinned: dict[int, weakref.ref[Any]] = {}  # tensors that some program captures
        self._order = threading.RLock()  # who changes the list of programs
        self._went_eager: set[Any] = set()
        self._why = "it was not called yet"
        self.traces = 0

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        if not kwargs:
            result = self._first(args)
            if result is not MISS:
                return result
            for signature, short in self._others:
                result = short(args)
                if result is not MISS:
                    self._put_first(signature)
                    return result
        return self._call(args, kwargs)

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __deepcopy__(self, memo: dict[int, Any]) -> Compiled:
        """Itself, as for any function."""
        return self

    def why(self) -> str:
        """Why the latest trace was made: what was another before, and what is now; in one line."""
        return self._why

    def show(self, stage: str = "simplified") -> str:
        """The program of the last call as text, at one stage of its making.

        stage:   "graph": as traced; "simplified": what is compiled; "kernels": the loops that it became;
                 "ir": LLVM's intermediate language; "asm": instructions of this processor. Where results can
                 be differentiated, the program of backward follows.
        Raises:  ValueError before the first call, and for another stage.
        """
        if stage not in STAGES:
            raise ArgumentError.of(
                "show",
                given=f"{stage!r}{nearest(str(stage), list(STAGES))}",
                must=f"the stages are {', '.join(map(repr, STAGES))}",
            )
        return self._last("show").show(stage)

    def report(self) -> str:
        """What the program of the last call costs: a table with the operations, bytes and time of each
        kernel, and how close that is to this machine's limits. It is measured now, on made-up numbers, which
        takes about a second. Where results can be differentiated, the table of backward follows.

        Raises: ValueError before the first call.
        """
        s = self._last("report")
        text = s.program.report()
        return text if s.backward is None else f"{text}\n\n{s.backward.report()}"

    def _last(self, what: str) -> Signature:
        if not self._signatures:
            raise ArgumentError.of(
                what,
                given=f"the compiled function {self.name} before its first call",
                must="a function is traced when it is called",
                hint=f"{self.name}(...) first",
            )
        return self._signatures[0]

    def _inside(self) -> Any:
        """What `Surroundings` looks at."""
        return self._function

    # -- the general way ------------------------------------------------------------------------------------

    def _call(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        # A part of another program; or each operation is looked at: by a level, or by anomaly detection.
        if tracing.tracer is not None or levels.stack or anomaly.enabled():
            return self._function(*args, **kwargs)
        arguments = self._arguments(args, kwargs)
        if any(type(x._a) is not np.ndarray for x in arguments.tensors):  # symbols
            return self._function(*args, **kwargs)
        signature, change = self._find(arguments)
        if signature is None:
            with _lock:
                signature, change = self._find(arguments)  # another thread may have made it
                if signature is None:
                    signature = self._trace(arguments, args, kwargs, change)
        if signature is None:
            return self._function(*args, **kwargs)
        self._put_first(signature)
        return signature.run(arguments.tensors)

    def _arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Arguments:
        return Arguments(args, kwargs, self.names, self._is_pinned)

    def _is_pinned(self, x: Any) -> bool:
        ref = self._pinned.get(id(x))
        return ref is not None and ref() is x

    def _find(self, arguments: Arguments) -> tuple[Signature | None, tuple[str, str, str] | None]:
        """A program for such a call; else what kept the likeliest one from being used."""
        first = None
        for s in self._signatures:
            if s.key == arguments.key and s.alive():
                change = s.broken(arguments.tensors)
                if change is None:
                    return s, None
                first = first or change
        return None, first

    def _put_first(self, signature: Signature) -> None:
        with self._order:
            signatures = [signature, *(s for s in self._signatures if s is not signature and s.alive())]
            shorts = [(s, short_way(s)) for s in signatures[:AT_HAND]]
            self._signatures = signatures
            self._first = shorts[0][1] or _miss
            self._others = tuple((s, f) for s, f in shorts[1:] if f is not None)

    # -- tracing --------------------------------------------------------------------------------------------

    def _trace(
        self,
        arguments: Arguments,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        change: tuple[str, str, str] | None,
    ) -> Signature | None:
        """A new program; None if this call has to run as it is, for it makes state that is not there yet."""
        why = self._reason(arguments, change)
        if len(self._signatures) >= self.limit:
            raise self._too_many(arguments)
        objects = list(zip(arguments.objects, arguments.labels, strict=True))
        around = Surroundings(self._function, objects)
        before = Snapshot(around)
        try:
            recorded = record(self._function, arguments, args, kwargs, self.name)
        except BaseException as err:
            lazy = isinstance(err, KeptError) and before.grew() and arguments.key not in self._went_eager
            before.restore()
            if lazy:
                self._went_eager.add(arguments.key)
                return None
            raise
        self._pinned.update((id(x), ref) for ref in recorded.met if (x := ref()) is not None)
        if any(map(self._is_pinned, arguments.tensors)):
            # An input that the function reaches as well: traced again as a tensor from outside.
            before.restore()
            arguments.take(self._arguments(args, kwargs))
            recorded = record(self._function, arguments, args, kwargs, self.name)
        recorded.traced = recorded.graph
        recorded.graph = simplify(recorded.graph)
        if not all(around.reaches(v.data) for v in recorded.graph.captures):  # state that was just made
            around = Surroundings(self._function, objects)
        held = weak_or_strong(arguments.objects, self._forget())
        try:
            signature = Signature(self.name, arguments, recorded, around, build, held)
        except BaseException:
            before.restore()
            raise
        self.traces += 1
        self._why = why
        self._put_first(signature)
        return signature

    def _forget(self) -> Callable[[Any], None]:
        """What lets go of programs for objects that are gone."""
        me = weakref.ref(self)

        def dead(ref: Any) -> None:
            compiled = me()
            if compiled is not None:
                with compiled._order:
                    compiled._first, compiled._others = _miss, ()
                    compiled._signatures = [s for s in compiled._signatures if s.alive()]

        return dead

    def _reason(self, arguments: Arguments, change: tuple[str, str, str] | None) -> str:
        if not self._signatures:
            return "the first call"
        if change is None:
            change = difference(self._signatures[0].parts, arguments.parts)
        if change is None:
            return "the arguments are put together differently"
        what, before, now = change
        return f"{what}: before {before}, now {now}" if before else f"no longer true: {what}"

    def _too_many(self, arguments: Arguments) -> CompileError:
        kinds: dict[str, list[str]] = {}
        for s in self._signatures:
            change = difference(s.parts, arguments.parts)
            if change is not None:
                kinds.setdefault(change[0], []).append(change[1])
        if not kinds:
            given, hint = "surroundings that change on every call", "print(f.why()) says what changed last"
        else:
            path = max(kinds, key=lambda p: len(set(kinds[p])))
            now = dict(arguments.parts).get(path)
            examples = ", ".join([*dict.fromkeys(kinds[path])][:3])
            given = f"another {path} on every call: {examples}, ..."
            hint = (
                "batches of one shape: pad them, or DataLoader(..., drop_last=True)"
                if isinstance(now, tuple) and now and now[0] == "tensor"
                else f"torch.tensor({path}), whose value may change, instead of a Python value"
            )
        return CompileError.of(
            f"the compiled function {self.name}",
            given=given,
            must=f"each of them is traced and compiled anew, and there are {self.limit} programs already",
            hint=f"{hint}; or compile(..., limit={2 * self.limit})",
        )
