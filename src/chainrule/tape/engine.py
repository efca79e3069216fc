"""Backward: from results to leaves, one node at a time.

Collect the nodes that can be reached, sort them by number (an input's number is always lower), walk down.
No recursion, so the depth of a graph is limited by memory alone. A node's kept values are freed, and the
gradient that arrived at it is dropped, as soon as the walk is past it.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..core.errors import GradError, describe
from ..ops.views import reduce_to
from . import anomaly, mode
from .node import AccumulateGrad, Node, OpNode

_BY_NUMBER = operator.attrgetter("seq")


def run(
    roots: Sequence[tuple[Node, Any]],
    *,
    retain_graph: bool,
    create_graph: bool,
    targets: Sequence[Node] | None = None,
    accumulate: bool = True,
) -> dict[Node, Any]:
    """Walk back from `roots` (nodes and the gradients that arrive there).

    targets:    only the paths to these nodes are walked; None means to every leaf.
    accumulate: add what arrives at leaves to their `.grad`; otherwise nothing is stored.
    Returns the gradients that arrived at the targets.
    """
    order = _reachable([node for node, _ in roots], targets)
    wanted = set(targets or ())
    needed = set(order) if targets is not None else None
    captured: dict[Node, Any] = {}
    pending = _Pending(in_place=not create_graph)
    for node, g in roots:
        pending.add(node, g, fresh=False)
    before = mode.state.grad
    mode.state.grad = create_graph
    try:
        while order:
            node = order.pop()  # the list goes with the walk, so it keeps nothing alive behind it
            arrived = pending.take(node)
            if arrived is None:
                continue
            g, fresh = arrived
            if node.hooks:
                g, fresh = _run_hooks(node, g, fresh)
            if node in wanted:
                captured[node] = g
                if not accumulate and isinstance(node, AccumulateGrad):
                    continue
            if isinstance(node, AccumulateGrad):
                if accumulate and (targets is None or node in wanted):
                    store(node, g, fresh, create_graph)
                continue
            if needed is not None and not any(e in needed for e in node.edges if e is not None):
                continue
            results = node.backward(g)
            if anomaly.enabled():
                anomaly.check_backward(node, results)
            _distribute(node, g, results, pending, needed)
            if not retain_graph:
                node.release()
    finally:
        mode.state.grad = before
    return captured


def _reachable(roots: list[Node], targets: Sequence[Node] | None) -> list[Node]:
    """All nodes below the roots in ascending order; with targets, only those from which one can be reached."""
    seen = set(roots)
    stack = list(seen)
    while stack:
        for edge in stack.pop().edges:
            if edge is not None and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    order = sorted(seen, key=_BY_NUMBER)
    if targets is None:
        return order
    leads = set(targets)
    for node in order:  # ascending: inputs come before what uses them
        if node not in leads and any(edge in leads for edge in node.edges if edge is not None):
            leads.add(node)
    return [node for node in order if node in leads]


class _Pending:
    """Gradients on their way: per node the sum so far, and whether its memory is ours to add into."""

    __slots__ = ("_in_place", "_sums")

    def __init__(self, in_place: bool) -> None:
        self._in_place = in_place
        self._sums: dict[Node, tuple[Any, bool]] = {}

    def add(self, node: Node, g: Any, fresh: bool) -> None:
        have = self._sums.get(node)
        if have is None:
            self._sums[node] = (g, fresh)
            return
        total, ours = have
        combine = getattr(total, "combine", None)
        if combine is not None:  # parts of a gradient for a node with several results
            self._sums[node] = (combine(g), False)
        elif ours and self._in_place and total._a.flags.writeable:
            np.add(total._a, g._a, out=total._a)
        else:
            self._sums[node] = (total + g, True)

    def take(self, node: Node) -> tuple[Any, bool] | None:
        return self._sums.pop(node, None)


def _distribute(
    node: Node, g: Any, results: tuple[Any, ...], pending: _Pending, needed: set[Node] | None
) -> None:
    edges = node.edges
    if len(results) != len(edges):
        raise GradError.of(
            f"backward of {node.what}",
            given=f"{len(results)} gradients",
            must=f"there are {len(edges)} inputs",
            at=False,
        )
    broadcasts = isinstance(node, OpNode) and node.op.broadcasts
    for i, (edge, gx) in enumerate(zip(edges, results, strict=True)):
        if edge is None or gx is None or (needed is not None and edge not in needed):
            continue
        if hasattr(gx, "combine"):
            pending.add(edge, gx, False)
            continue
        if gx._a.shape != edge.shape:
            if not broadcasts:
                raise _wrong(
                    node, i, f"a gradient of shape {gx._a.shape}", f"the input has shape {edge.shape}"
                )
            gx = reduce_to(gx, edge.shape)
        if gx._a.dtype is not edge.dtype and gx._a.dtype != edge.dtype:
            raise _wrong(node, i, f"a gradient of type {gx.dtype}", f"the input has type {edge.dtype}")
        # A rule makes its result anew, unless it passes g on, or a view, or a gradient twice.
        fresh = gx is not g and gx._view is None and isinstance(node, OpNode)
        pending.add(edge, gx, fresh and _once(gx, results))


def _once(gx: Any, results: tuple[Any, ...]) -> bool:
    return len(results) == 1 or sum(r is gx for r in results) <= 1


def _wrong(node: Node, i: int, given: str, must: str) -> GradError:
    return GradError.of(
        f"backward of {node.what} (recorded at {describe(node.site)}), input {i},",
        given=given,
        must=must,
        at=False,
    )


def _run_hooks(node: Node, g: Any, fresh: bool) -> tuple[Any, bool]:
    assert node.hooks is not None
    for hook in list(node.hooks.values()):
        replaced = hook(g)
        if replaced is not None:
            g = replaced
    return g, False  # a hook may have kept it


def store(node: AccumulateGrad, g: Any, fresh: bool, create_graph: bool) -> None:
    """Add g to the leaf's `.grad`. The first gradient is taken over if it is nobody else's, else copied."""
    leaf = node.leaf()
    if leaf is None:
        return
    if leaf.grad is None:
        if create_graph:
            leaf.grad = g if fresh else g.clone()
        else:
            owned = fresh and g._a.flags.c_contiguous
            leaf.grad = g if owned and g._node is None else _detached_copy(g, copy=not owned)
    elif create_graph:
        leaf.grad = leaf.grad + g
    else:
        with mode.no_grad():
            leaf.grad += g
    for hook in list((node.after or {}).values()):
        hook(leaf)


def _detached_copy(g: Any, copy: bool) -> Any:
    g = g.detach()
    return g.clone() if copy else g


def hook_handle(owner: Any, attribute: str, function: Callable[..., Any]) -> RemovableHandle:
    """Add a hook to the dict in `owner.attribute` and return what removes it."""
    hooks = getattr(owner, attribute)
    if hooks is None:
        hooks = {}
        setattr(owner, attribute, hooks)
    return RemovableHandle(hooks, function)


class RemovableHandle:
    """What `register_hook` returns: `remove()` takes the hook away; also a context manager."""

    __slots__ = ("_hooks", "id")

    _next = 0

    def __init__(self, hooks: dict[int, Any], function: Callable[..., Any]) -> None:
        self.id = RemovableHandle._next
        RemovableHandle._next += 1
        self._hooks = hooks
        hooks[self.id] = function

    def remove(self) -> None:
        """Take the hook away; nothing happens if it is gone already."""
        self._hooks.pop(self.id, None)

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()
