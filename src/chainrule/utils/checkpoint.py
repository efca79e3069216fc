"""Checkpoints: compute again in backward instead of keeping what was computed.

The idea: the function runs as it always does, recorded, on its own arguments. Then the nodes that it made,
found from its results down to what was there before, forget what they keep. When backward asks the first of
them, the function is run once more on the same arguments: it makes nodes of the same steps, in the same
order, and each of the first nodes takes what it needs from its twin. The places on the tape are those of the
first run, so closures, `autograd.grad`, hooks, derivatives of derivatives and checkpoints inside of
checkpoints need nothing of their own.

What must be the same the second time is checked: which steps there are, and that nobody has written into an
argument or a parameter meanwhile. Nothing is lost where nothing is kept: under `no_grad` the function just
runs. So it does in a trace (a compiled program decides itself what to compute again) and under forward mode
and `vmap`, which keep nothing for backward that is theirs.

Next: `../tape/node.py`, where `Deferred` stands for what is computed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from ..backward import node_of
from ..base import TensorBase, owner_of
from ..core.errors import ArgumentError, GradError, Site, describe, here
from ..core.random import default_generator
from ..func.tree import flatten
from ..nn.containers import Sequential
from ..ops.primitive import levels, tracing, untraced
from ..tape import mode
from ..tape.node import AccumulateGrad, Deferred, Node, number
from ..transforms.level import suspended

__all__ = ["checkpoint", "checkpoint_sequential"]

Fact = tuple[str, tuple[int, ...], np.dtype[Any]]  # what a node did, and the shape and type of its result


def checkpoint(
    function: Callable[..., Any],
    *args: Any,
    use_reentrant: bool | None = False,
    preserve_rng_state: bool = True,
    **kwargs: Any,
) -> Any:
    """function(*args, **kwargs), keeping only the arguments: backward computes the rest again.

    Memory between forward and backward falls from all that the function's operations keep to its arguments,
    at the price of running it twice. Gradients are the same, also those of parameters that the function
    reads without getting them as arguments, and derivatives of derivatives.

    function:            must do the same again: the same operations, with the same shapes. What else it
                         changes (a counter, running means) it changes twice.
    args, kwargs:        what it gets. Tensors among them, also in tuples, lists and dicts, must not be
                         written to before backward.
    use_reentrant:       accepted for PyTorch's sake. There is one form here, which can do what both can.
    preserve_rng_state:  the second run draws the same random numbers (those of the default generator), so
                         that dropout has the same mask.
    Returns:  what function returns: one or several tensors, nested in tuples, lists and dicts. Of other
              results, what was kept for their gradient stays kept.
    Raises:   GradError in backward, if an argument or a parameter was written to since, or if the second run
              does something else; ArgumentError if function cannot be called.
    Source:   Griewank and Walther, "Algorithm 799: revolve", ACM TOMS 26 (2000); Chen, Xu, Zhang, Guestrin,
              "Training deep nets with sublinear memory cost" (2016).

    >>> import chainrule as torch
    >>> from chainrule.utils.checkpoint import checkpoint
    >>> x = torch.tensor([0.0, 1.0], requires_grad=True)
    >>> y = checkpoint(lambda x: torch.sigmoid(x).square(), x)
    >>> y.sum().backward()
    >>> x.grad
    tensor([0.2500, 0.2875])
    """
    if isinstance(function, TensorBase) or not callable(function):
        raise ArgumentError.of(
            "checkpoint",
            given=f"{type(function).__name__} in the place of the function",
            must="the function comes first, then what it gets",
            hint="checkpoint(layer, x) instead of checkpoint(layer(x))",
        )
    given = _tensors((args, kwargs))
    unseen = all(level.only_looks for level in levels.stack) and tracing.tracer is None
    if not mode.is_grad_enabled() or not unseen or any(type(x._a) is not np.ndarray for x in given):
        return function(*args, **kwargs)
    for x in given:
        node_of(x)  # the places of stale views are found now, so that no step inside does it
    run = _Run(function, args, kwargs, given, preserve_rng_state)
    start = number()
    results = function(*args, **kwargs)
    run.defer(_made_since(start, results), start)
    return results


def checkpoint_sequential(
    functions: Sequential | Sequence[Callable[[Any], Any]],
    segments: int,
    input: Any,
    use_reentrant: bool | None = False,
    *,
    preserve_rng_state: bool = True,
) -> Any:
    """The functions one after the other, in `segments` parts, each but the last one a checkpoint.

    functions:  a `nn.Sequential`, or a sequence of modules or functions of one argument.
    segments:   at least 1, at most the number of functions. With √n segments of n equal layers the memory
                grows as √n.
    input:      what the first one gets.
    Others:     as for `checkpoint`.
    Raises:     ArgumentError for another number of segments.

    >>> import chainrule as torch
    >>> from chainrule.utils.checkpoint import checkpoint_sequential
    >>> x = torch.tensor(0.5, requires_grad=True)
    >>> checkpoint_sequential([torch.sin, torch.exp, torch.sin, torch.exp], 2, x).backward()
    >>> round(x.grad.item(), 4)
    -0.1707
    """
    steps = list(functions.children()) if isinstance(functions, Sequential) else list(functions)
    if not 1 <= segments <= len(steps):
        raise ArgumentError.of(
            "checkpoint_sequential",
            given=f"segments={segments} for {len(steps)} functions",
            must="there must be at least 1 segment, and at least one function in each",
        )
    size = len(steps) // segments
    last = size * (segments - 1)
    for first in range(0, last, size):
        part = _one_after_the_other(steps[first : first + size])
        input = checkpoint(part, input, use_reentrant=use_reentrant, preserve_rng_state=preserve_rng_state)
    return _one_after_the_other(steps[last:])(input)


def _one_after_the_other(steps: Sequence[Callable[[Any], Any]]) -> Callable[[Any], Any]:
    def run(x: Any) -> Any:
        for step in steps:
            x = step(x)
        return x

    return run


class _Run:
    """One call, and how to make it again.

    versions: of the memory of the tensors among the arguments.
    leaves:   the leaves that were read from elsewhere, with their versions; they belong to others.
    facts:    what the nodes of the call did, in order.
    places:   which of them had kept something.
    twins:    of these, the nodes of the latest run that nobody has asked for yet, by place. Backward asks
              from the last to the first, so that what it is past is let go: only later nodes refer to it.
    """

    __slots__ = (
        "_args", "_facts", "_function", "_given", "_kwargs", "_leaves", "_places", "_position", "_site",
        "_twins", "_versions",
    )  # fmt: skip

    def __init__(
        self,
        function: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        given: list[TensorBase],
        preserve_rng_state: bool,
    ) -> None:
        self._function, self._args, self._kwargs, self._given = function, args, kwargs, given
        self._versions = [owner_of(x)._v for x in given]
        self._position = default_generator.position() if preserve_rng_state else None
        self._site: Site | None = here()
        self._leaves: list[tuple[AccumulateGrad, int]] = []
        self._facts: list[Fact] = []
        self._places: list[int] = []
        self._twins: dict[int, Node] = {}

    def defer(self, nodes: list[Node], start: int) -> None:
        """Let the nodes of the call forget what they keep."""
        self._facts = [_fact(node) for node in nodes]
        outside = {edge for node in nodes for edge in node.edges if edge is not None and edge.seq < start}
        for edge in outside:
            if isinstance(edge, AccumulateGrad) and (leaf := edge.leaf()) is not None:
                self._leaves.append((edge, owner_of(leaf)._v))
        for place, node in enumerate(nodes):
            node.defer(Deferred(self._again(place), self._given))
            if node.deferred is not None:
                self._places.append(place)

    def _again(self, place: int) -> Callable[[], Node]:
        def again() -> Node:
            twin = self._twins.pop(place, None)
            if twin is None:
                self._compute()
                twin = self._twins.pop(place)
            return twin

        return again

    def _compute(self) -> None:
        """The second run, and its nodes."""
        self._check_unchanged()
        here_now = default_generator.position()
        if self._position is not None:
            default_generator.move(*self._position)
        try:
            # It runs as the first did, whatever goes on around backward; those who only look may see it.
            with suspended(but_lookers=True), untraced(), mode.enable_grad():
                start = number()
                nodes = _made_since(start, self._function(*self._args, **self._kwargs))
        finally:
            if self._position is not None:
                default_generator.move(*here_now)
        self._check_same([_fact(node) for node in nodes])
        self._twins = {place: nodes[place] for place in self._places}

    def _check_unchanged(self) -> None:
        arguments = zip(self._given, self._versions, strict=True)
        for x, version in arguments:
            if owner_of(x)._v != version:
                raise self._changed(x, f"an argument of it, a tensor {x._a.shape}", version)
        for node, version in self._leaves:
            leaf = node.leaf()
            if leaf is not None and owner_of(leaf)._v != version:
                raise self._changed(leaf, f"a parameter {leaf._a.shape} that it reads", version)

    def _changed(self, x: TensorBase, which: str, version: int) -> GradError:
        owner = owner_of(x)
        return GradError.of(
            self._what(),
            given=f"{which}, in a changed state",
            must="what is computed again must be computed from the same values: it was at version "
            f"{version} and is now at {owner._v}, last changed at {describe(owner._site)}",
            hint="backward before the change, or x = x + ... instead of x += ...",
        )

    def _check_same(self, facts: list[Fact]) -> None:
        if facts == self._facts:
            return
        first = next((i for i, (a, b) in enumerate(zip(self._facts, facts, strict=False)) if a != b), None)
        if first is None:
            steps = "step" if len(self._facts) == 1 else "steps"
            difference = f"{len(self._facts)} {steps} the first time, and {len(facts)} the second"
        else:
            difference = (
                f"{_told(self._facts[first])} as step {first + 1} the first time, and "
                f"{_told(facts[first])} the second"
            )
        raise GradError.of(
            self._what(),
            given=difference,
            must="backward runs the function again for the values it had, so it must do the same steps",
            hint="leave out what depends on a counter, a cache or random numbers of another generator",
        )

    def _what(self) -> str:
        return f"backward through checkpoint (recorded at {describe(self._site)})"


def _tensors(x: Any) -> list[TensorBase]:
    return [leaf for leaf in flatten(x)[0] if isinstance(leaf, TensorBase)]


def _made_since(start: int, results: Any) -> list[Node]:
    """The nodes above a number that the results reach, in the order in which they were made."""
    found: set[Node] = set()
    waiting: list[Iterable[Node | None]] = [[node_of(y) for y in _tensors(results)]]
    while waiting:
        for node in waiting.pop():
            if node is not None and node.seq > start and node not in found:
                found.add(node)
                waiting.append(node.edges)
    return sorted(found, key=lambda node: node.seq)


def _fact(node: Node) -> Fact:
    return node.what, node.shape, node.dtype


def _told(fact: Fact) -> str:
    return f"{fact[0]} with a {fact[2].name} result {fact[1]}"
