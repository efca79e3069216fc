"""Functions that look at gradients on their way: what they may return, and how they are taken away again.

The engine calls `run_hooks`; `../members/recording.py` has the methods that users call.
"""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Callable
from typing import Any

from ..base import TensorBase
from ..core.dtypes import FROM_NUMPY
from ..core.errors import GradError, describe
from .node import Node

_ids = itertools.count().__next__


class RemovableHandle:
    """What `register_hook` returns: `remove()` takes the hook away; also a context manager."""

    __slots__ = ("_hooks", "id")

    def __init__(self, hooks: dict[int, Any], function: Callable[..., Any]) -> None:
        self.id = _ids()
        self._hooks = hooks
        hooks[self.id] = function

    def remove(self) -> None:
        """Take the hook away; nothing happens if it is gone already."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


def hook_handle(owner: Any, attribute: str, function: Callable[..., Any]) -> RemovableHandle:
    """Add a hook to the dict in `owner.attribute` and return what removes it."""
    hooks = getattr(owner, attribute)
    if hooks is None:
        hooks = {}
        setattr(owner, attribute, hooks)
    return RemovableHandle(hooks, function)


class Retain:
    """A hook that stores what arrives in the `.grad` of an intermediate result."""

    def __init__(self, x: TensorBase) -> None:
        self.x = weakref.ref(x)

    def __call__(self, g: Any) -> None:
        x = self.x()
        if x is not None:
            x._grad = g.clone() if x._grad is None else x._grad + g


def retained(x: TensorBase, node: Node) -> int | None:
    """The number of the hook that retains x's gradient at a node, if there is one."""
    for key, hook in (node.hooks or {}).items():
        if isinstance(hook, Retain) and hook.x() is x:
            return key
    return None


def move_retained(x: TensorBase, old: Node, new: Node) -> None:
    """x was written to: if its gradient is retained, it is that of the value it has now."""
    key = retained(x, old)
    if key is not None:
        assert old.hooks is not None
        hook_handle(new, "hooks", old.hooks.pop(key))


def hooked(node: Node) -> list[Node]:
    """The nodes that a node can reach whose hooks may change the gradient, the last one first."""
    found: dict[int, Node] = {}
    waiting = [node]
    while waiting:
        n = waiting.pop()
        if id(n) not in found:
            found[id(n)] = n
            waiting += [edge for edge in n.edges if edge is not None]
    changing = (n for n in found.values() if any(not isinstance(h, Retain) for h in (n.hooks or {}).values()))
    return sorted(changing, key=lambda n: -n.seq)


def run_hooks(node: Node, g: Any) -> Any:
    """The gradient after all hooks of a node, in the order they were added; what is retained comes last."""
    assert node.hooks is not None
    hooks = list(node.hooks.values())
    for hook in hooks:
        if not isinstance(hook, Retain):
            replaced = hook(g)
            if replaced is not None:
                g = _checked(node, hook, g, replaced)
    for hook in hooks:
        if isinstance(hook, Retain):
            hook(g)
    return g


def _checked(node: Node, hook: Any, g: Any, replaced: Any) -> Any:
    """What a hook returned, if it can stand for the gradient."""
    if not isinstance(replaced, TensorBase):
        given = type(replaced).__name__
    elif replaced._a.shape != g._a.shape:
        given = f"a tensor {replaced._a.shape} in place of a gradient {g._a.shape}"
    elif replaced._a.dtype != g._a.dtype:
        have, got = FROM_NUMPY[g._a.dtype].name, FROM_NUMPY[replaced._a.dtype].name
        given = f"a tensor of type {got} in place of a gradient of type {have}"
    else:
        return replaced
    name = getattr(hook, "__name__", type(hook).__name__)
    where = f" (recorded at {describe(node.site)})" if node.site else ""
    raise GradError.of(
        f"the hook {name!r} on the gradient of {node.what}{where}",
        given=f"a gradient and returned {given}",
        must="a hook returns None, or a tensor with the shape and type of the gradient",
        at=False,
    )
