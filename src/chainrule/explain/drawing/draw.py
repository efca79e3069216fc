"""`draw`: the picture of a computation, from a result, an explicit graph, or a function with its inputs.

Here: which of these was given, and the messages where it was none. `from_tape.py` and `from_graph.py` make
      the
scene, `grouping.py` its groups, `layout.py` the places, `drawing.py` holds the outcome.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from ...base import TensorBase
from ...core.errors import ArgumentError, GradError, Site
from ...creation import as_tensor, tensor
from ...graph import Graph, graph_of
from ...graph.tracer import Traced
from ...nn.module import Module
from ..names import RETURNED, assigned
from .drawing import Drawing
from .from_graph import graph_scene
from .from_tape import leaves, reachable, tape_scene
from .grouping import folded
from .naming import Naming, named, user_frame
from .scene import Scene
from .watch import Watch


def draw(
    what: Any,
    *inputs: Any,
    params: Any = None,
    fold: str | Sequence[str] | None = None,
    depth: int | None = None,
    backward: bool = True,
    title: str | None = None,
) -> Drawing:
    """The computation graph of a result, with the backward graph beside it.

    what:      a tensor (or a list of them) that was computed with gradients; an expression made of symbols;
               an explicit `Graph`; or a function or module, which is run once with `inputs`: then operands
               that backward does not need are known too, and calls of modules are groups. If nothing that the
               function computes with wants a gradient, its floating-point inputs do for that run.
    params:    names for leaves: a module, or a dict of tensors. Without it the names are those of the
               variables where `draw` is called.
    fold:      paths of groups to show as one node each (`Drawing.groups`), with `*` for anything.
    depth:     groups deeper than that are folded. Without fold and depth only what is too large is.
    backward:  False leaves the backward graph out.
    title:     above the picture; by default the name of the result or function.
    Raises:    GradError if no graph was recorded; ArgumentError for anything that has none.

    Each operation says what it keeps for backward; each backward node what its gradient rule computes, as
    the table of primitives has it.

    >>> import chainrule as torch
    >>> x1 = torch.tensor(2.0, requires_grad=True)
    >>> x2 = torch.tensor(5.0, requires_grad=True)
    >>> y = x1.log() + x1 * x2 - x2.sin()
    >>> print(torch.draw(y))
    y: 5 operations, 2 leaves
      x1: = 2 float32
      x2: = 5 float32
      v1 = log(x1): = 0.69315 float32
      v2 = x1 * x2: = 10 float32
      v3 = v1 + v2: = 10.693 float32
      v4 = sin(x2): = -0.95892 float32
      y = v3 - v4: = 11.652 float32
    """
    if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 0):
        raise ArgumentError.of(
            "draw",
            given=f"depth={depth!r}",
            must="depth is how many levels of groups stay open: 0, 1, 2, ...",
        )
    whole = _scene(what, inputs, params)
    if title is not None:
        whole.name = title
    patterns = [fold] if isinstance(fold, str) else fold
    return Drawing(whole, folded(whole, patterns, depth), backward=backward)


def _scene(what: Any, inputs: tuple[Any, ...], params: Any) -> Scene:
    if callable(what) and not isinstance(what, Graph | TensorBase):
        return _scene_of_function(what, inputs, params)
    if inputs:
        raise ArgumentError.of(
            "draw",
            given=f"{type(what).__name__} and {len(inputs)} more argument{'s' * (len(inputs) > 1)}",
            must="inputs are for a function or a module, which is run with them",
            hint="draw(model, x), draw(y), or draw([y1, y2]) for several results",
        )
    if isinstance(what, Graph | Traced):
        graph = graph_of(what) if isinstance(what, Traced) else what
        naming = _naming(params)
        naming.add_frame(user_frame(sys._getframe(1)), {id(v.data): v.data for v in graph.captures})
        return graph_scene(graph, naming)
    roots = [what] if isinstance(what, TensorBase) else list(what) if isinstance(what, list | tuple) else []
    if not roots or not all(isinstance(x, TensorBase) for x in roots):
        raise ArgumentError.of(
            "draw",
            given=f"{type(what).__name__}",
            must="it draws how a tensor was computed, an explicit graph, or what a function does",
            hint="draw(loss), draw(model, x), or draw(graph)",
        )
    return _scene_of_results(roots, params)


def _scene_of_results(roots: list[Any], params: Any) -> Scene:
    nodes = reachable(roots)
    if not nodes:
        raise _no_graph(roots[0])
    naming = _naming(params)
    owned = leaves(nodes)
    naming.add_frame(user_frame(sys._getframe(1)), owned)
    name = naming.tensor(roots[0]) or "" if len(roots) == 1 else ""
    return tape_scene(name, roots, nodes, naming, {})


def _scene_of_function(function: Callable[..., Any], inputs: tuple[Any, ...], params: Any) -> Scene:
    model = function if isinstance(function, Module) else None
    name = type(function).__name__ if model is not None else getattr(function, "__name__", "function")
    name = "" if name == "<lambda>" else name
    _check_inputs(function, inputs, name)
    given: list[Any] = [x if isinstance(x, TensorBase) else _tensor(x) for x in inputs]
    watch = Watch()
    results = list(_tensors(watch.run_watched(function, tuple(given), model)))
    if not any(r.requires_grad for r in results) and any(x.is_floating_point() for x in given):
        given = [x.detach().requires_grad_() if x.is_floating_point() else x for x in given]
        watch = Watch()
        results = list(_tensors(watch.run_watched(function, tuple(given), model)))
    if not results:
        raise ArgumentError.of(
            "draw",
            given=f"a function {name or 'lambda'!r} that returns no tensor",
            must="what is drawn is how the result is computed",
            hint="return the tensor itself, without item() or float()",
        )
    roots = [r for r in results if r.requires_grad]
    if not roots and not any(x.is_floating_point() for x in given):
        raise _no_floats(given)
    if not roots:
        raise _constant(results[0])
    naming = _naming(params)
    for input_name, x in zip(_input_names(function, len(given)), given, strict=True):
        naming.add(input_name, x)
    if model is not None:
        naming.add_module(model)
    nodes = reachable(roots)
    if params is None:
        naming.add_frame(user_frame(sys._getframe(1)), leaves(nodes))
    return tape_scene(name, roots, nodes, naming, watch.notes)


def _no_graph(x: Any) -> GradError:
    return GradError.of(
        "draw",
        given=f"a tensor {tuple(x.shape)} that needs no gradient, so that nothing was recorded",
        must="a graph is recorded where an input wants a gradient, outside of no_grad",
        hint="x.requires_grad_() before computing it, or draw(f, x), which runs f for the picture",
    )


def _no_floats(given: list[Any]) -> GradError:
    kinds = ", ".join(f"a tensor {tuple(x.shape)} of {x.dtype}" for x in given) or "no input"
    return GradError.of(
        "draw",
        given=f"a function of {kinds}, and no parameter that needs a gradient",
        must="a graph is recorded where an input can be differentiated, and only floating-point numbers can",
        hint="x.float()",
    )


def _constant(x: Any) -> GradError:
    return GradError.of(
        "draw",
        given=f"a function with a result {tuple(x.shape)} that no gradient reaches",
        must="its operations are recorded only where a gradient flows",
        hint="look for no_grad, detach(), item(), argmax or comparisons in it",
    )


def _tensor(x: Any) -> Any:
    return tensor(float(x)) if isinstance(x, int) and not isinstance(x, bool) else as_tensor(x)


def _tensors(result: Any) -> Iterator[Any]:
    """The tensors in what a function returned."""
    stack = [result]
    while stack:
        x = stack.pop()
        if isinstance(x, TensorBase):
            yield x
        elif isinstance(x, Mapping):
            stack.extend(reversed(list(x.values())))
        elif isinstance(x, tuple | list):
            stack.extend(reversed(x))


def _naming(params: Any) -> Naming:
    naming = Naming(_assigned)
    if params is None:
        return naming
    if isinstance(params, Module):
        naming.add_module(params)
    else:
        for name, x in named(params):
            naming.add(name, x)
    return naming


def _check_inputs(function: Callable[..., Any], inputs: tuple[Any, ...], name: str) -> None:
    """Refuse inputs that do not fit the function's parameters before it runs."""
    try:
        signature = inspect.signature(getattr(function, "forward", function))
    except (TypeError, ValueError):
        return  # built in, without a signature
    try:
        signature.bind(*inputs)
    except TypeError as err:
        shown, which = ", ".join(signature.parameters), "model" if isinstance(function, Module) else "f"
        raise ArgumentError.of(
            "draw",
            given=f"{name or 'a lambda'} and {len(inputs)} input{'' if len(inputs) == 1 else 's'}: {err}",
            must=f"it is run for its picture, and takes ({shown})",
            hint=f"draw({which}, {shown}), or draw a result: draw(y)",
        ) from None


def _assigned(site: Site) -> str:
    """The variable that gets a result; what is returned has its name elsewhere."""
    name = assigned(site)
    return "" if name == RETURNED else name


def _input_names(function: Callable[..., Any], count: int) -> list[str]:
    """The names of a function's positional parameters."""
    try:
        parameters = inspect.signature(getattr(function, "forward", function)).parameters.values()
    except (TypeError, ValueError):
        parameters = []  # type: ignore[assignment]  # built in, without a signature
    names = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][:count]
    return names + [f"x{i + 1}" for i in range(len(names), count)]
