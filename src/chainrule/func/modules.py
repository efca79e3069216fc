"""Modules as functions of their parameters: `functional_call`, `stack_module_state`.

Next: `mapping.py`, for many models at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..base import TensorBase
from ..core.errors import ArgumentError, nearest
from ..functions.joining import stack
from ..nn.registry import Registry, changes

if TYPE_CHECKING:
    from ..nn import Module

State = Mapping[str, Any]
_Places = dict[str, tuple[dict[str, Any], str]]


def functional_call(
    module: Module,
    parameter_and_buffer_dicts: State | Sequence[State],
    args: Any = None,
    kwargs: Mapping[str, Any] | None = None,
    *,
    tie_weights: bool = True,
    strict: bool = False,
) -> Any:
    """`module(*args, **kwargs)` with other tensors in the place of its parameters and buffers.

    parameter_and_buffer_dicts:  tensors by their paths in the module, or several such dicts. What is not
                  named stays as it is. Afterwards, also after an error, the module has its own tensors again.
    args:         the arguments as a tuple; anything else is the only argument.
    tie_weights:  a tensor given for a parameter that the module uses under several paths counts for them all.
    strict:       every parameter and buffer must be given.
    Raises:       ValueError for paths that the module does not have, or are given twice.
    Source:       `torch.func.functional_call`.

    >>> import chainrule as torch
    >>> model = torch.nn.Linear(2, 1)
    >>> state = {"weight": torch.ones(1, 2), "bias": torch.zeros(1)}
    >>> torch.func.functional_call(model, state, torch.tensor([3.0, 4.0]))
    tensor([7.])
    """
    given: dict[str, Any] = {}
    dicts = (
        [parameter_and_buffer_dicts]
        if isinstance(parameter_and_buffer_dicts, Mapping)
        else list(parameter_and_buffer_dicts)
    )
    for part in dicts:
        for path, x in part.items():
            if path in given:
                raise ArgumentError.of(
                    "functional_call", given=f"{path!r} in two dicts", must="each tensor is given once"
                )
            given[path] = x
    places = _places(module)
    for path, x in given.items():
        if path not in places:
            raise ArgumentError.of(
                "functional_call",
                given=f"{path!r}{nearest(path, list(places))}",
                must=f"the module has the parameters and buffers {', '.join(map(repr, places)) or '(none)'}",
            )
        if not isinstance(x, TensorBase):
            raise ArgumentError.of(
                "functional_call", given=f"{type(x).__name__} for {path!r}", must="it must be a tensor"
            )
    if strict and len(given) < len(places):
        raise ArgumentError.of(
            "functional_call",
            given=f"strict=True, and nothing for {', '.join(repr(p) for p in places if p not in given)}",
            must="with strict every parameter and buffer is given",
        )
    arguments = () if args is None else args if isinstance(args, tuple) else (args,)
    with _exchanged(_tied(places, given) if tie_weights else given, places):
        return module(*arguments, **(kwargs or {}))


def _places(module: Registry) -> _Places:
    """Where the parameters and buffers of a module stand, by their paths."""
    places: _Places = {}
    for prefix, part in module.named_modules(remove_duplicate=False):
        for registry in (part._parameters, part._buffers):
            for name, x in registry.items():
                if x is not None:
                    places[f"{prefix}.{name}" if prefix else name] = (registry, name)
    return places


def _tied(places: _Places, given: dict[str, Any]) -> dict[str, Any]:
    """What is given, under all paths of the tensor that it stands for."""
    paths: dict[int, list[str]] = {}
    for path, (registry, name) in places.items():
        paths.setdefault(id(registry[name]), []).append(path)
    full = dict(given)
    for path, x in given.items():
        registry, name = places[path]
        for other in paths[id(registry[name])]:
            full.setdefault(other, x)
    return full


@contextmanager
def _exchanged(given: dict[str, Any], places: _Places) -> Iterator[None]:
    """The module with these tensors in it, until the end of the block or an error."""
    before = [(*places[path], places[path][0][places[path][1]]) for path in given]
    try:
        for path, x in given.items():
            registry, name = places[path]
            registry[name] = x
        changes.count += 1
        yield
    finally:
        for registry, name, x in before:
            registry[name] = x
        changes.count += 1


def stack_module_state(models: Sequence[Module]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The parameters, and the buffers, of several models of one kind, each stacked along a new first axis.

    For an ensemble: `vmap` of `functional_call` over the result runs all models at once.

    Returns:  (parameters, buffers), two dicts by path; the parameters are leaves that want gradients.
    Raises:   ValueError for no models, or models of different kinds.
    Source:   `torch.func.stack_module_state`.

    >>> import chainrule as torch
    >>> models = [torch.nn.Linear(2, 1) for _ in range(3)]
    >>> parameters, buffers = torch.func.stack_module_state(models)
    >>> {name: tuple(p.shape) for name, p in parameters.items()}
    {'weight': (3, 1, 2), 'bias': (3, 1)}
    """
    kinds = {type(model).__name__ for model in models}
    if len(kinds) != 1:
        raise ArgumentError.of(
            "stack_module_state",
            given=f"models of the kinds {', '.join(sorted(kinds))}" if kinds else "no models",
            must="there must be at least one model, and all of one kind",
        )
    parameters = _stacked([dict(model.named_parameters()) for model in models])
    buffers = _stacked([dict(model.named_buffers()) for model in models])
    wanting = dict(models[0].named_parameters())
    return (
        {name: p.detach().requires_grad_(wanting[name].requires_grad) for name, p in parameters.items()},
        {name: b.detach() for name, b in buffers.items()},
    )


def _stacked(states: list[dict[str, Any]]) -> dict[str, Any]:
    for state in states[1:]:
        shapes = [{name: tuple(x.shape) for name, x in s.items()} for s in (states[0], state)]
        if shapes[0] != shapes[1]:
            raise ArgumentError.of(
                "stack_module_state",
                given=f"models with {shapes[0]} and {shapes[1]}",
                must="all models must have the same parameters, of the same shapes",
            )
    return {name: stack([state[name] for state in states]) for name in states[0]}
