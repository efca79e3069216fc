"""One call of a function as a graph, with all that has to happen around the graph at each run.

The function runs once under `graph.trace`. What it returned is kept as a plan that is filled with the results
of a run; what it did to `.grad` becomes a list of effects. Next: `signature.py`.
"""

from __future__ import annotations

import inspect
import keyword
import re
import weakref
from collections.abc import Callable
from typing import Any

from ..backward import node_of
from ..base import TensorBase
from ..graph import Graph, TraceError, trace
from ..graph.host import Assumption
from ..graph.tracer import Traced, Tracer
from ..ops.primitive import tracing
from ..tape import mode
from ..tape.node import FREED, AccumulateGrad, Node, OpNode
from .arguments import Arguments, rebuilt
from .gradients import Leaf, leaf_gradients, seed
from .surroundings import PLAIN

Plan = Callable[[list[Any], list[Any]], Any]  # (tensors of the results, input tensors) -> what is returned


def NOTHING(results: list[Any], inputs: list[Any]) -> None:
    """The plan of a function that returns None."""


class Recorded:
    """What one trace gave.

    graph:    its outputs are the new tensors that the function returned, then gradients to be stored.
    plan:     builds what is returned.
    results:  how many outputs are results.
    single:   whether the one result is what is returned.
    met:      all tensors from outside that the function used, also those that the graph does not read.
    assumptions: what the function asked optimizers for, with keys that say which param_groups it is about.
    effects:  what becomes of `.grad`: (number of an input or a tensor, number of an output or None).
    wanting:  which results need a gradient. For each of those, `seeds` has what stood for the arriving
              gradient in the trace. The graph's last outputs are the gradients of `leaves`: numbers of
              inputs, or tensors from outside.
    """

    def __init__(self) -> None:
        self.graph: Graph
        self.traced: Graph  # before it was simplified
        self.plan: Plan
        self.results = 0
        self.single = False
        self.effects: list[tuple[Any, int | None]] = []
        self.wanting: list[bool] = []
        self.met: list[weakref.ref[Any]] = []
        self.assumptions: list[tuple[Any, Assumption]] = []
        self.seeds: list[Any] = []
        self.leaves: list[Leaf] = []

    def wanting_all(self, count: int) -> list[bool]:
        """`wanting` for all outputs: gradients to be stored need none."""
        return self.wanting + [False] * (count - self.results)

    @property
    def differentiable(self) -> bool:
        """Whether somebody may want to go backward from the results."""
        return any(self.wanting)


def record(
    function: Callable[..., Any],
    arguments: Arguments,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    name: str,
) -> Recorded:
    """Trace `function(*args, **kwargs)`.

    Raises:  TraceError for what cannot become part of a graph. What the function did to Python's objects
             until then is not undone here.
    """
    found = Recorded()

    def body(*stands: Any) -> list[Any]:
        tracer = tracing.tracer
        place = {id(x): stand for x, stand in zip(arguments.tensors, stands, strict=True)}
        starts = []
        for x, stand in zip(arguments.tensors, stands, strict=True):
            stand._grad = x._grad if isinstance(node_of(x), AccumulateGrad) else None
            starts.append(stand._value)
        new_args, new_kwargs = (rebuilt(given, lambda x: place.get(id(x), x)) for given in (args, kwargs))
        before = [_members(new_args), _members(new_kwargs)]
        returned = function(*new_args, **new_kwargs)
        if before != [_members(new_args), _members(new_kwargs)]:
            raise TraceError.of(
                f"a compiled function, {name},",
                given="a list or dict that it changes",
                must="what Python does happens at the trace only; later calls would not change it",
                hint="return what is new, or change a tensor in place",
            )
        outputs: list[Any] = []
        found.met = [weakref.ref(x) for x, _, _ in tracer._captures.values() if isinstance(x, TensorBase)]
        found.plan = _plan(returned, outputs, stands, {}, name)
        found.results = len(outputs)
        found.single = len(outputs) == 1 and returned is outputs[0]
        found.wanting = [_wants_gradient(y) for y in outputs]
        _note_gradients(found, arguments, stands, starts, tracer, outputs)
        if found.differentiable:
            wanting = [y for y, wanted in zip(outputs, found.wanting, strict=False) if wanted]
            found.seeds = [seed(y) for y in wanting]
            roots = [(_node(y), g) for y, g in zip(wanting, found.seeds, strict=True)]
            found.leaves, gradients = leaf_gradients(roots, stands, tracer)
            outputs += gradients
        found.assumptions = list(tracer.assumptions.items())
        return outputs

    body.__name__ = name
    body.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [inspect.Parameter(n, inspect.Parameter.POSITIONAL_ONLY) for n in names_for(arguments.paths)]
    )
    found.graph = trace(body, *arguments.tensors)
    return found


def _node(y: Any) -> Node:
    node = node_of(y)
    assert node is not None
    return node


def names_for(paths: list[str], taken: set[str] | None = None) -> list[str]:
    """A name for each place, such as `batch_0` for `batch[0]`; all different."""
    taken = set() if taken is None else taken
    names = []
    for path in paths:
        name = re.sub(r"\W+", "_", path).strip("_") or "x"
        if not name.isidentifier() or keyword.iskeyword(name) or re.fullmatch(r"[vc]\d+|inf|nan", name):
            name = f"x_{name}"
        while name in taken:
            name += "_"
        taken.add(name)
        names.append(name)
    return names


def _members(x: Any) -> Any:
    """The contents of nested lists and dicts by identity, to see whether they were changed."""
    if isinstance(x, dict):
        return [(k, _members(y)) for k, y in x.items()]
    if isinstance(x, tuple | list):
        return [_members(y) for y in x]
    return id(x)


def _plan(
    returned: Any, outputs: list[Any], stands: tuple[Any, ...], known: dict[int, int], name: str
) -> Plan:
    """How to build what the function returned; the new tensors in it are put into `outputs`."""
    if isinstance(returned, TensorBase):
        for i, stand in enumerate(stands):
            if returned is stand:
                return lambda results, inputs: inputs[i]
        if not isinstance(returned, Traced) and not _born_inside(returned):
            return lambda results, inputs: returned
        number = known.get(id(returned))
        if number is None:
            number = known[id(returned)] = len(outputs)
            outputs.append(returned)
        return lambda results, inputs: results[number]
    if returned is None:
        return NOTHING
    if isinstance(returned, PLAIN):
        return lambda results, inputs: returned
    if isinstance(returned, dict):
        parts = {key: _plan(x, outputs, stands, known, name) for key, x in returned.items()}
        return lambda results, inputs: {key: part(results, inputs) for key, part in parts.items()}
    if isinstance(returned, tuple | list):
        items = [_plan(x, outputs, stands, known, name) for x in returned]
        kind = type(returned)
        if hasattr(returned, "_fields"):
            return lambda results, inputs: kind(*[item(results, inputs) for item in items])
        return lambda results, inputs: kind([item(results, inputs) for item in items])
    raise TraceError.of(
        f"a compiled function, {name},",
        given=f"{type(returned).__name__} to return",
        must="it may return tensors, numbers and text, and tuples, lists and dicts of them",
        hint="return the tensors that it is made of",
    )


def _born_inside(x: TensorBase) -> bool:
    return any(ref() is x for ref in tracing.tracer.born_inside)


def _wants_gradient(y: Any) -> bool:
    """Whether backward from y is still to come: it was recorded, and no backward has been there."""
    if not mode.state.grad or y._a.dtype.kind != "f":
        return False
    node = node_of(y)
    if node is None:
        return False
    seen: set[Node] = set()
    stack: list[Node] = [node]
    while stack:
        n = stack.pop()
        if isinstance(n, OpNode) and n.inputs is FREED:
            return False
        for edge in n.edges:
            if edge is not None and edge not in seen:
                seen.add(edge)
                stack.append(edge)
    return True


def _note_gradients(
    found: Recorded,
    arguments: Arguments,
    stands: tuple[Any, ...],
    starts: list[Any],
    tracer: Tracer,
    outputs: list[Any],
) -> None:
    """What the function did to `.grad` of its inputs and of tensors from outside.

    A gradient of a tensor that the function itself changes has served its purpose, and is None after the
    call. Any other new one becomes an output, which is stored at each run as backward does it.
    """

    def note(who: Any, now: Any, served: bool) -> None:
        if now is None or served:
            found.effects.append((who, None))
        else:
            found.effects.append((who, len(outputs)))
            outputs.append(now)

    for i, (x, stand, start) in enumerate(zip(arguments.tensors, stands, starts, strict=True)):
        node = node_of(x)
        if node is None:
            continue
        leaf = isinstance(node, AccumulateGrad)
        if stand._grad is not (x._grad if leaf else None):
            if not leaf:
                raise _into_the_past(x)
            note(i, stand._grad, stand._value is not start)
    inside = {id(x) for ref in tracer.born_inside if (x := ref()) is not None}
    for x, grad, _, _ in list(tracer._met.values()):
        now = getattr(x, "_grad", None)
        if now is not grad and id(x) not in inside:
            known = tracer._captures.get(id(x))
            note(x, now, known is not None and known[2]._value is not known[1])


def _into_the_past(x: TensorBase) -> TraceError:
    return TraceError.of(
        "backward in a compiled function",
        given=f"an input {x._a.shape} that was computed by recorded operations",
        must="a program cannot run the backward of what was recorded before it",
        hint="compute it inside the compiled function, or pass x.detach()",
    )
