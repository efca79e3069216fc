"""What must still be as it was at the trace for a program to be right: the world outside of the arguments.

`Guards.broken()` walks through everything and says what changed, in words. `Guards.source()` gives the same
checks as Python expressions, which `fast.py` puts into the short path of a call. Modules note their own
changes (`nn/registry.py`), so that all their parameters, buffers, flags and numbers cost one comparison.
Next: `record.py`.
"""

from __future__ import annotations

import types
from typing import Any

from ..base import TensorBase
from ..core import dtypes
from ..graph.host import Assumption
from ..nn.module import Module
from ..nn.registry import changes
from ..tape import mode
from .arguments import tensor_words
from .surroundings import MISSING, PLAIN, Link, Surroundings

Change = tuple[str, str, str]  # what, before, now


def modes() -> tuple[Any, ...]:
    """What holds for the whole program or thread and shapes a trace."""
    return (mode.state.grad, mode.state.inference, dtypes.get_default_dtype())


_MODE_NAMES = ("gradients are", "inference mode is", "the default dtype is")


def modes_changed(before: tuple[Any, ...]) -> Change | None:
    """The first of `modes()` that is another one now."""
    for name, was, now in zip(_MODE_NAMES, before, modes(), strict=True):
        if was is not now:
            words = {True: "on", False: "off"}
            return name, words.get(was, str(was)), words.get(now, str(now))
    return None


class Captured:
    """A tensor from outside that a program reads or writes: its memory, and what must not change about it."""

    __slots__ = ("a", "grad", "label", "node", "ordered", "tensor", "watch_grad")

    def __init__(self, tensor: Any, label: str, watch_grad: bool) -> None:
        self.tensor = tensor
        self.a = tensor._a
        self.node = tensor._node
        self.grad = tensor._grad if hasattr(tensor, "_grad") else None
        self.label = label
        self.ordered: bool = self.a.flags.c_contiguous
        self.watch_grad = watch_grad

    def changed(self) -> Change | None:
        """What changed, unless it is only where the memory is."""
        a, was = self.tensor._a, self.a
        if a is not was:
            before, now = (self._words(x) for x in (was, a))
            if before != now or a.flags.writeable != was.flags.writeable:
                return self.label, before, now
        if (self.tensor._node is None) != (self.node is None):
            return f"{self.label}.requires_grad", str(self.node is not None), str(self.node is None)
        if self.watch_grad and (self.tensor._grad is None) != (self.grad is None):
            was_none = self.grad is None
            words = ("None", "a tensor") if was_none else ("a tensor", "None")
            return f"{self.label}.grad", *words
        return None

    def moved(self) -> bool:
        """Whether it stands elsewhere in memory, or has another place on the tape."""
        return self.tensor._a is not self.a or self.tensor._node is not self.node

    def settle(self) -> None:
        """Take over where it stands now."""
        self.a, self.node = self.tensor._a, self.tensor._node

    @staticmethod
    def _words(a: Any) -> str:
        return tensor_words(a.shape, a.dtype.char, a.flags.c_contiguous, False)


class Guards:
    """All that one program assumes about the world outside."""

    def __init__(
        self, around: Surroundings, captured: list[Captured], assumptions: list[tuple[Any, Assumption]]
    ) -> None:
        self.modes = modes()
        self.captured = captured
        self.links: list[Link] = []
        self.inside: list[Link] = []  # links inside modules
        self.training = [(vars(m), _name_of(m, around), m.training) for m in around.modules]
        self.registries = [(link, len(link.value)) for link in around.registries]
        self.lengths: list[tuple[Any, int, str]] = []
        self._taken: set[tuple[int, Any]] = set()
        for link in around.plain:
            link.value = link.now()  # a counter that the function itself raises stays as the trace left it
            self._take_all(link)
        for link in around.known:
            if isinstance(link.value, types.FunctionType | types.MethodType) or _ours(link.value):
                self._take_all(link)
        for c in captured:
            for link in around.places.get(id(c.tensor), ()):
                self._take_all(link, lengths=True)
        for optimizer in around.optimizers:
            name = type(optimizer).__name__
            for part in ("state", "_groups"):
                self._take(Link("item", vars(optimizer), part, vars(optimizer)[part], f"{name}.{part}", None))
            self._length(optimizer.state, f"the state of {name}")
            self._length(optimizer.param_groups, f"{name}.param_groups")
            for group in optimizer.param_groups:
                self._length(group["params"], f"the parameters of {name}")
        lists = {id(o.param_groups): o for o in around.optimizers}  # guarded above
        groups = {id(group): group for o in around.optimizers for group in o.param_groups}
        self.assumptions = [(assumption, _groups_in(key)) for key, assumption in assumptions]
        self.always = [a for a, ids in self.assumptions if not ids or not ids <= groups.keys() | lists.keys()]
        # [group, values]: assumptions are looked at only where a group has other values than the last time.
        self.groups: list[list[Any]] = [[group, list(group.values())] for group in groups.values()]
        self.changes = changes.count

    def _take_all(self, link: Link | None, lengths: bool = False) -> None:
        while link is not None:
            self._take(link)
            if lengths and isinstance(link.holder, list):
                self._length(link.holder, link.label.rpartition("[")[0])
            link = link.parent

    def _take(self, link: Link) -> None:
        key = (id(link.holder), link.key if isinstance(link.key, str | int) else id(link.key))
        if key not in self._taken:
            self._taken.add(key)
            (self.inside if link.module else self.links).append(link)

    def _length(self, x: Any, label: str) -> None:
        if not any(x is y for y, _, _ in self.lengths):
            self.lengths.append((x, len(x), label))

    def broken(self) -> Change | None:
        """What is not as it was, before and now; None if the program may run."""
        change = modes_changed(self.modes)
        if change is not None:
            return change
        for link in self.links:
            if not holds(link):
                return changed_link(link)
        for x, count, label in self.lengths:
            if len(x) != count:
                return f"the length of {label}", str(count), str(len(x))
        change = self._module_change() or self._assumption_change()
        if change is not None:
            return change
        for c in self.captured:
            change = c.changed()
            if change is not None:
                return change
        return None

    def _module_change(self) -> Change | None:
        count = changes.count  # before looking, so that no change during the look is missed
        if count == self.changes:
            return None
        for own, label, flag in self.training:
            if own["training"] is not flag:
                return f"{label}.training" if label else "training", str(flag), str(own["training"])
        for link, size in self.registries:
            now = link.now()
            if now is not link.value or len(now) != size:
                return f"what {link.label} consists of", f"{size} parts", f"{len(now)} parts"
        for link in self.inside:
            if not holds(link):
                return changed_link(link)
        self.changes = count
        return None

    def _assumption_change(self) -> Change | None:
        now = [list(known[0].values()) for known in self.groups]
        for assumption, _ in self.assumptions:
            if not assumption.holds():
                return assumption.what, "", ""
        for known, values in zip(self.groups, now, strict=True):
            known[1] = values
        return None

    def assumptions_hold(self) -> bool:
        """Whether all that optimizers were asked for is as it was; asked when one of their values changed."""
        return self._assumption_change() is None

    def modules_hold(self) -> bool:
        """Whether modules that noted changes are still as they were."""
        return self._module_change() is None


def _ours(x: Any) -> bool:
    """Whether x is a module, optimizer, loader, generator or the like, or something derived from one."""
    return any(cls.__module__.partition(".")[0] == "chainrule" for cls in type(x).__mro__)


_SIGNS = ("==", "!=", "<", "<=", ">", ">=", "option", "groups", "+", "-", "*", "/", "**", "sqrt")


def _groups_in(key: Any) -> set[int]:
    """The param_groups that an assumption is about; none for one that is about something else."""
    if not isinstance(key, tuple) or not key or key[0] not in _SIGNS:
        return set()
    if key[0] in ("option", "groups"):
        return {key[1]}
    return set().union(*map(_groups_in, key[1:]))


def holds(link: Link) -> bool:
    """Whether the same thing, or an equal number or text, stands at a place."""
    now = link.now()
    return now is link.value or equal(now, link.value)


def equal(now: Any, before: Any) -> bool:
    """Equality of plain values: type and digits."""
    return type(now) is type(before) and isinstance(now, PLAIN) and repr(now) == repr(before)


def changed_link(link: Link) -> Change:
    """What changed at a place, in words."""
    now = link.now()
    before_text, now_text = _words(link.value), _words(now)
    if before_text == now_text:
        now_text = f"another {type(now).__name__}"
    return link.label, before_text, now_text


def _words(x: Any) -> str:
    if x is MISSING:
        return "nothing"
    if isinstance(x, PLAIN):
        return repr(x)
    if isinstance(x, TensorBase):
        return tensor_words(x._a.shape, x._a.dtype.char, x._a.flags.c_contiguous, x._node is not None)
    name = getattr(x, "__qualname__", None)
    return f"the function {name}" if isinstance(name, str) else f"a {type(x).__name__}"


def _name_of(m: Module, around: Surroundings) -> str:
    for link in around.known:
        if link.value is m:
            return link.label
    return ""
