"""Backward: from results to leaves, one node at a time.

Collect the nodes that can be reached, sort them by number (an input's number is always lower), walk down.
No recursion, so the depth of a graph is limited by memory alone. A node's kept values are freed, and the
gradient that arrived at it is dropped, as soon as the walk is past it.
"""

from __future__ import annotations

import operator
import os
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..base import TensorBase
from ..core.errors import GradError, describe
from ..core.shapes import broadcasts_to
from ..core.silence import SILENT, enter, leave
from ..ops.primitive import interpreter, levels
from ..ops.views import reduce_to
from . import anomaly, mode
from .hooks import run_hooks
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
    wanted = frozenset(targets or ())
    needed = frozenset(order) if targets is not None else None
    captured: dict[Node, Any] = {}
    sums: dict[Node, Any] = {}  # per node the gradient that has arrived so far
    ours: set[Node] = set()  # nodes whose sum is held by nobody else, so that it may be added into
    for node, g in roots:
        add(sums, ours, node, g, fresh=False, in_place=False)
    in_place = not create_graph and not levels.stack
    watched = anomaly.enabled()
    if watched:
        anomaly.check_start([g for _, g in roots])
    before = mode.state.grad, anomaly.state.backward
    mode.state.grad, anomaly.state.backward = create_graph, True
    try:
        while order:
            node = order.pop()  # the list goes with the walk, so it keeps nothing alive behind it
            g = sums.pop(node, None)
            if g is None:
                continue
            if node.hooks:
                g = run_hooks(node, g)
                ours.discard(node)  # a hook may have kept it
                if watched:
                    anomaly.check_hooks(node, g)
            if node in wanted:
                captured[node] = g
                ours.discard(node)
            if type(node) is AccumulateGrad:
                if accumulate and (targets is None or node in wanted):
                    store(node, g, node in ours, create_graph)
                continue
            ours.discard(node)
            edges = node.edges
            if needed is not None and not any(e in needed for e in edges if e is not None):
                continue
            results = node.backward(g)
            if watched:
                anomaly.check_backward(node, results)
            if len(results) != len(edges):
                raise _miscounted(node, len(results))
            for i, gx in enumerate(results):
                edge = edges[i]
                if gx is None or edge is None or (needed is not None and edge not in needed):
                    continue
                if isinstance(gx, TensorBase):
                    a = gx._a
                    if a.shape != edge.shape or a.dtype is not edge.dtype:
                        gx = _fitted(node, i, gx, edge)
                    # A rule makes its result anew, unless it passes g on, or a view, or a gradient twice.
                    fresh = gx is not g and gx._view is None and type(node) is OpNode
                    if fresh and len(results) > 1:
                        fresh = sum(r is gx for r in results) <= 1
                else:
                    fresh = False
                if edge in sums:
                    add(sums, ours, edge, gx, fresh, in_place)
                else:
                    sums[edge] = gx
                    if fresh:
                        ours.add(edge)
            if not retain_graph:
                node.release()
    finally:
        mode.state.grad, anomaly.state.backward = before
    return captured


def _reachable(roots: list[Node], targets: Sequence[Node] | None) -> list[Node]:
    """All nodes below the roots in ascending order; with targets, only those that lead to one."""
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


def add(sums: dict[Node, Any], ours: set[Node], node: Node, g: Any, fresh: bool, in_place: bool) -> None:
    """Add g to what has arrived at a node: in place if the sum's memory is ours and nothing is recorded.

    In a trace a sum may hold values, a gradient of constants, and g none.
    """
    total = sums.get(node)
    if total is None:
        sums[node] = g
        if fresh:
            ours.add(node)
    elif not isinstance(total, TensorBase):  # parts of a gradient for a node with several results
        sums[node] = total.combine(g)
    elif in_place and node in ours and total._a.flags.writeable and type(g._a) is np.ndarray:
        token = enter(SILENT)
        try:
            np.add(total._a, g._a, out=total._a)
        finally:
            leave(token)
    else:
        sums[node] = total + g
        ours.add(node)


def _fitted(node: Node, i: int, gx: Any, edge: Node) -> Any:
    """A gradient summed back over broadcast axes; anything else that does not fit is an error of the rule."""
    if gx._a.shape != edge.shape:
        if not (isinstance(node, OpNode) and node.op.broadcasts and broadcasts_to(edge.shape, gx._a.shape)):
            raise _wrong(node, f"a gradient {gx._a.shape} for {node.input_name(i)}, a tensor {edge.shape}")
        gx = reduce_to(gx, edge.shape)
    if gx._a.dtype != edge.dtype:
        raise _wrong(node, f"a {gx._a.dtype} gradient for {node.input_name(i)}, a {edge.dtype} tensor")
    return gx


def _miscounted(node: Node, count: int) -> GradError:
    return _wrong(node, f"{count} gradients for {len(node.edges)} inputs")


def _wrong(node: Node, given: str) -> GradError:
    return GradError.of(
        f"backward of {node.what} (recorded at {describe(node.site)})",
        given=f"from its gradient rule {given}",
        must="the rule must give one gradient for each input, with the input's shape and type",
        at=False,
    )


def store(node: AccumulateGrad, g: Any, fresh: bool, create_graph: bool) -> None:
    """Add g to the leaf's `.grad`. The first gradient is taken over if it is nobody else's, else copied.

    Several threads may do that to one leaf at the same time; each sum is complete before the next begins.
    """
    leaf = node.leaf()
    if leaf is None or leaf._node is None:  # nobody holds it, or it wants no gradient any more
        return
    if levels.stack:
        interpreter.levels.collect(leaf, g)
    with _storing:
        if leaf._grad is None:
            if create_graph:
                leaf._grad = g if fresh else g.clone()
            else:
                owned = fresh and g._a.flags.c_contiguous
                leaf._grad = g if owned and g._node is None else _detached_copy(g, copy=not owned)
        elif create_graph:
            leaf._grad = leaf._grad + g
        else:
            leaf._grad += g  # nothing is recorded: the engine has switched that off
    for hook in list((node.after or {}).values()):
        hook(leaf)


def _detached_copy(g: Any, copy: bool) -> Any:
    off = g.detach()
    if levels.stack:
        interpreter.levels.alias(g, off)  # off the tape, but in forward mode it moves as g does
    return off.clone() if copy else off


_storing = threading.RLock()

if hasattr(
    os, "register_at_fork"
):  # a lock that another thread holds would stay locked in the child for ever
    os.register_at_fork(
        before=_storing.acquire, after_in_parent=_storing.release, after_in_child=_storing.release
    )
