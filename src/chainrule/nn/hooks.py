"""Hooks of a module: what runs before and after its forward and its backward pass.

`Hooks` keeps them, `call` runs a forward with them. Backward hooks work by two identity operations around the
module, one on its inputs and one on its outputs: the gradients that pass through these two are what the hooks
see. A module without hooks never comes here. Next: `module.py`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from ..autograd.function import Function
from ..core.errors import ArgumentError
from ..core.warn import warn
from ..tape.mode import is_grad_enabled
from ..tensor import Tensor

if TYPE_CHECKING:
    from .module import Module

_ids = count()


class Hook(NamedTuple):
    """A user's function and how it wants to be called."""

    function: Callable[..., Any]
    with_kwargs: bool = False
    always_call: bool = False


Table = OrderedDict[int, Hook]


class RemovableHandle:
    """What registering a hook returns: `remove()` takes the hook away again, as does leaving a `with` block.

    >>> import chainrule as torch
    >>> layer = torch.nn.ReLU()
    >>> with layer.register_forward_hook(lambda module, args, output: output + 1):
    ...     layer(torch.tensor([-1.0, 2.0]))
    tensor([1., 3.])
    >>> layer(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def __init__(self, table: Table, id: int) -> None:
        self._table, self.id = table, id

    def remove(self) -> None:
        """Take the hook away. Doing it twice does no harm."""
        self._table.pop(self.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.remove()


class Hooks:
    """The hooks of one module, by kind, in the order in which they run."""

    __slots__ = ("backward", "backward_pre", "forward", "forward_pre")

    def __init__(self) -> None:
        self.forward_pre: Table = OrderedDict()
        self.forward: Table = OrderedDict()
        self.backward_pre: Table = OrderedDict()
        self.backward: Table = OrderedDict()


def add(table: Table, hook: Hook, prepend: bool) -> RemovableHandle:
    """Put a hook at the end of the row, or at its head."""
    handle = RemovableHandle(table, next(_ids))
    table[handle.id] = hook
    if prepend:
        table.move_to_end(handle.id, last=False)
    return handle


def call(module: Module, hooks: Hooks, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """`module.forward(*args, **kwargs)` with all its hooks around it."""
    done: set[int] = set()
    result: Any = None
    try:
        for hook in tuple(hooks.forward_pre.values()):
            args, kwargs = _before(module, hook, args, kwargs)
        passage = None
        if hooks.backward or hooks.backward_pre:
            passage = _Passage(module, tuple(hooks.backward_pre.values()), tuple(hooks.backward.values()))
            args = passage.enter(args)
        result = module.forward(*args, **kwargs)
        for id, hook in tuple(hooks.forward.items()):
            done.add(id)
            result = _after(module, hook, args, kwargs, result)
        return result if passage is None else passage.leave(result)
    except Exception:
        for id, hook in tuple(hooks.forward.items()):
            if hook.always_call and id not in done:
                _after_failure(module, hook, args, kwargs, result)
        raise


def _before(
    module: Module, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    if hook.with_kwargs:
        changed = hook.function(module, args, kwargs)
        if changed is None:
            return args, kwargs
        if not (isinstance(changed, tuple) and len(changed) == 2):
            raise ArgumentError.of(
                "a forward pre-hook with kwargs",
                given=f"the result {changed!r}",
                must="it must return None or a tuple (args, kwargs)",
            )
        return changed
    changed = hook.function(module, args)
    if changed is None:
        return args, kwargs
    return (changed if isinstance(changed, tuple) else (changed,)), kwargs


def _after(module: Module, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any) -> Any:
    changed = (
        hook.function(module, args, kwargs, result)
        if hook.with_kwargs
        else hook.function(module, args, result)
    )
    return result if changed is None else changed


def _after_failure(
    module: Module, hook: Hook, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
) -> None:
    try:
        _after(module, hook, args, kwargs, result)
    except Exception as err:  # whatever a user's hook raises: the first error is the one to be seen
        warn(
            f"a forward hook of {type(module).__name__} with always_call=True raised "
            f"{type(err).__name__}: {err}\n"
            "  it was passed over, because forward itself failed; its own error follows"
        )


class _Passage:
    """One forward call of a module with backward hooks, and what its backward pass has shown so far."""

    def __init__(self, module: Module, before: tuple[Hook, ...], after: tuple[Hook, ...]) -> None:
        self.module, self.before, self.after = module, before, after
        self.at_input: list[int] = []  # positions of the tensors among the arguments
        self.at_output: list[int] = []
        self.inputs = self.outputs = 0  # how many arguments and results there were
        self.tracks_input = False
        self.grad_output: tuple[Tensor | None, ...] | None = None

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        self.inputs = len(args)
        args, self.at_input = self._through(_AtInput, args)
        self.tracks_input = bool(self.at_input)
        return args

    def leave(self, result: Any) -> Any:
        if not isinstance(result, Tensor | tuple):
            warn(
                f"{type(self.module).__name__} has a backward hook and returned a {type(result).__name__}\n"
                "  its hook will not be called: that needs a Tensor or a tuple of Tensors"
            )
            return result
        results = result if isinstance(result, tuple) else (result,)
        self.outputs = len(results)
        results, self.at_output = self._through(_AtOutput, results)
        return results if isinstance(result, tuple) else results[0]

    def _through(self, gate: type[Function], values: tuple[Any, ...]) -> tuple[tuple[Any, ...], list[int]]:
        """The values with their tensors sent through a gate, if any of these wants a gradient."""
        at = [i for i, value in enumerate(values) if isinstance(value, Tensor)]
        if not (is_grad_enabled() and any(values[i].requires_grad for i in at)):
            return values, []
        passed = gate.apply(self, *(values[i] for i in at))
        changed = list(values)
        for i, value in zip(at, passed if isinstance(passed, tuple) else (passed,), strict=True):
            changed[i] = value
        # A named tuple is built from its fields one by one, a plain tuple from one iterable.
        return (tuple(changed) if type(values) is tuple else type(values)(*changed)), at

    def gradients_of_output(self, grads: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        seen = _spread(grads, self.at_output, self.outputs)
        for hook in self.before:
            seen = _checked(hook.function(self.module, seen), seen, "a backward pre-hook", "grad_output")
        if self.tracks_input:
            self.grad_output = seen
        else:  # no gradient goes on to the inputs, so the hooks have their turn now
            for hook in self.after:
                changed = hook.function(self.module, (None,) * self.inputs, seen)
                if changed is not None and any(g is not None for g in changed):
                    raise ArgumentError.of(
                        "a backward hook",
                        given="no input that wants a gradient, and returned one",
                        must="it must return None, or None for each input",
                    )
        return tuple(seen[i] for i in self.at_output)

    def gradients_of_input(self, grads: tuple[Tensor | None, ...]) -> tuple[Tensor | None, ...]:
        if self.grad_output is None:  # this gradient came to the inputs without passing the outputs
            return grads
        seen = _spread(grads, self.at_input, self.inputs)
        for hook in self.after:
            seen = _checked(
                hook.function(self.module, seen, self.grad_output), seen, "a backward hook", "grad_input"
            )
        self.grad_output = None
        return tuple(seen[i] for i in self.at_input)


class _AtInput(Function):
    """The identity on a module's inputs. Backward: the module's gradients are complete."""

    @staticmethod
    def forward(ctx: Any, passage: _Passage, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.passage = passage
        return tuple(t.view_as(t) for t in tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        return (None, *ctx.passage.gradients_of_input(grads))


class _AtOutput(Function):
    """The identity on a module's outputs. Backward: the module's turn begins."""

    @staticmethod
    def forward(ctx: Any, passage: _Passage, *tensors: Tensor) -> tuple[Tensor, ...]:
        ctx.passage = passage
        return tuple(t.view_as(t) for t in tensors)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor | None) -> tuple[Tensor | None, ...]:
        return (None, *ctx.passage.gradients_of_output(grads))


def _spread(grads: tuple[Tensor | None, ...], at: list[int], size: int) -> tuple[Tensor | None, ...]:
    """Gradients put back at the positions of their tensors; None in between."""
    row: list[Tensor | None] = [None] * size
    for i, grad in zip(at, grads, strict=True):
        row[i] = grad
    return tuple(row)


def _checked(
    changed: Any, seen: tuple[Tensor | None, ...], what: str, which: str
) -> tuple[Tensor | None, ...]:
    """What a hook made of the gradients: nothing (None), or as many as there were."""
    if changed is None:
        return seen
    row = (changed,) if isinstance(changed, Tensor) else tuple(changed)
    if len(row) != len(seen):
        raise ArgumentError.of(
            what,
            given=f"{len(seen)} gradients and returned {len(row)}",
            must=f"it must return None or one {which} for each",
        )
    return row
