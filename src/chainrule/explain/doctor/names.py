"""What things are called: parameters by their path in the model, or by the user's variable.

A model may be a Module, or any function that computes with tensors of its surroundings, as in a lesson that
writes softmax regression from scratch. In a function the leaves are found where its code names them: globals,
closures, lists of tensors, and functions that it calls. Next: `passage.py`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from types import FunctionType, MethodType
from typing import Any

from ...nn import Module
from ...tensor import Tensor
from ..inside import as_written

_DEPTH = 4  # functions that call functions; a model's code is rarely further away


def modules_of(*roots: Any) -> list[Module]:
    """All modules of the given objects as they were written, each once, parents first."""
    found: dict[Module, None] = {}
    stack: list[Any] = list(reversed(roots))
    while stack:
        root = as_written(stack.pop())
        if not isinstance(root, Module):
            stack += [value for _, value in mentioned(root, _DEPTH) if isinstance(value, Module)]
        elif root not in found:
            found[root] = None
            stack += reversed([child for child in vars(root)["_modules"].values() if child is not None])
    return list(found)


def run_as_written(modules: list[Module]) -> None:
    """Put the modules themselves in the place of compiled ones, wherever one is a part of another."""
    for module in modules:
        parts = vars(module)["_modules"]
        parts.update({name: as_written(part) for name, part in parts.items() if part is not None})


def leaves_of(model: Any) -> dict[str, Tensor]:
    """The tensors of a model that want a gradient, by name."""
    if isinstance(model, Module):
        return {name: p for name, p in model.named_parameters() if p.requires_grad}
    found: dict[str, Tensor] = {}
    for name, value in mentioned(model, _DEPTH):
        if isinstance(value, Module):
            named: Any = ((f"{name}.{path}", p) for path, p in value.named_parameters())
        else:
            named = ((name, value),)
        for path, x in named:
            if x.requires_grad and x.is_leaf and all(x is not known for known in found.values()):
                found[path] = x
    return found


def mentioned(function: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Tensors and modules that the code of a function names."""
    if isinstance(function, functools.partial):
        for i, value in enumerate(function.args):
            yield from _inside(f"argument {i + 1}", value, depth)
        for name, value in function.keywords.items():
            yield from _inside(name, value, depth)
        function = function.func
    if isinstance(function, MethodType):
        for name, value in vars(function.__self__).items() if hasattr(function.__self__, "__dict__") else ():
            yield from _inside(name, value, depth)
        function = function.__func__
    if not isinstance(function, FunctionType):
        if callable(function) and hasattr(function, "__dict__"):  # an object that can be called
            for name, value in vars(function).items():
                yield from _inside(name, value, depth)
        return
    code = function.__code__
    cells = function.__closure__ or ()
    for name, cell in zip(code.co_freevars, cells, strict=True):
        try:
            value = cell.cell_contents
        except ValueError:  # a variable that has no value yet
            continue
        yield from _inside(name, value, depth)
    for name in code.co_names:
        if name in function.__globals__:
            yield from _inside(name, function.__globals__[name], depth)


def _inside(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Tensor | Module):
        yield name, value
    elif isinstance(value, list | tuple):
        for i, item in enumerate(value):
            if isinstance(item, Tensor | Module):
                yield f"{name}[{i}]", item
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, Tensor | Module):
                yield f"{name}[{key!r}]", item
    elif isinstance(value, FunctionType) and depth > 0:
        yield from mentioned(value, depth - 1)


def layer_of(parameter: str) -> str:
    """The path of the layer that a parameter belongs to: `encoder.fc1` of `encoder.fc1.weight`.

    >>> layer_of("encoder.fc1.weight"), layer_of("w")
    ('encoder.fc1', 'w')
    """
    return parameter.rpartition(".")[0] or parameter


def described(function: Callable[..., Any], nameless: str) -> str:
    """`Sequential` for a module, the name of a function; `nameless` for one that has none."""
    if isinstance(function, Module):
        return type(function).__name__
    name = getattr(function, "__name__", type(function).__name__)
    return nameless if name == "<lambda>" else str(name)
