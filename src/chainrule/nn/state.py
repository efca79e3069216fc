"""The state of a module as a dict of tensors by path, and back: `state_dict` and `load_state_dict`.

Nothing is copied until the whole dict has been checked, so a refused dict leaves the model as it was. Writing
a state dict to a file is not here (`../serialization.py`). Next: `module.py`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from ..autograd import no_grad
from ..core.errors import ArgumentError, nearest
from ..tensor import Tensor
from .parameter import Parameter
from .registry import changes

if TYPE_CHECKING:
    from .module import Module

_SHOWN = 8  # mismatches of one kind that a message lists; one wrong prefix would otherwise fill the screen


class IncompatibleKeys(NamedTuple):
    """What `load_state_dict` returns: names that found no counterpart."""

    missing_keys: list[str]
    unexpected_keys: list[str]

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return (
            f"_IncompatibleKeys(missing_keys={self.missing_keys!r}, unexpected_keys={self.unexpected_keys!r})"
        )


class _Slot(NamedTuple):
    """A place in the model that holds one tensor of its state."""

    members: dict[str, Any]  # the module's `_parameters` or `_buffers`
    name: str

    @property
    def tensor(self) -> Tensor:
        return self.members[self.name]  # type: ignore[no-any-return]


def _slots(module: Module, prefix: str) -> Iterator[tuple[str, _Slot]]:
    """Every place of the state with its path: own parameters, own buffers, then child by child.

    A module that is used twice appears under both its names, so that a file says so.
    """
    for name, param in module._parameters.items():
        if param is not None:
            yield prefix + name, _Slot(module._parameters, name)
    for name, buffer in module._buffers.items():
        if buffer is not None and name not in module._non_persistent_buffers_set:
            yield prefix + name, _Slot(module._buffers, name)
    for name, child in module._modules.items():
        if child is not None:
            yield from _slots(child, f"{prefix}{name}.")


def collect(
    module: Module, destination: dict[str, Any] | None, prefix: str, keep_vars: bool
) -> dict[str, Any]:
    """The state dict. Its tensors share memory with the model; `keep_vars`: they are the parameters."""
    state = OrderedDict() if destination is None else destination
    for path, slot in _slots(module, prefix):
        state[path] = slot.tensor if keep_vars else slot.tensor.detach()
    return state


def load(module: Module, state: Any, strict: bool, assign: bool) -> IncompatibleKeys:
    """Copy the values of a state dict into the model.

    strict: the names on both sides must be the same; otherwise what fits by name is loaded.
    assign: take the tensors of the dict themselves instead of copying into the model's.
    Raises: TypeError if `state` is not a dict; ArgumentError (a RuntimeError) that lists every missing and
            unexpected name and every wrong shape. Then nothing has been loaded.
    """
    if not isinstance(state, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state)}.")
    slots = dict(_slots(module, ""))
    result = IncompatibleKeys([k for k in slots if k not in state], [k for k in state if k not in slots])
    problems = _problems(slots, state, result) if strict else []
    problems += _misfits(slots, state)
    if problems:
        raise ArgumentError.of(
            f"load_state_dict of {type(module).__name__}",
            given="a state dict that does not fit",
            must="\n  ".join([*problems, "nothing was loaded"]),
            hint=_hint(result, state, strict),
        )
    with no_grad():
        for path, slot in slots.items():
            if path in state:
                _put(slot, state[path], assign)
    return result


def _put(slot: _Slot, value: Tensor, assign: bool) -> None:
    old = slot.tensor
    if not assign:
        old.copy_(value)
    elif isinstance(old, Parameter):
        slot.members[slot.name] = Parameter(value.detach(), requires_grad=old.requires_grad)
    else:
        slot.members[slot.name] = value
    if assign:
        changes.count += 1


def _problems(slots: dict[str, _Slot], state: Mapping[str, Any], result: IncompatibleKeys) -> list[str]:
    missing, unexpected = result
    found = []
    if missing:
        names = [f"{k!r} {tuple(slots[k].tensor.shape)}" for k in missing]
        found.append(f"missing (in the model, not in the dict): {_listed(names)}")
    if unexpected:
        names = [f"{k!r}{nearest(k, missing)}" for k in unexpected]
        found.append(f"unexpected (in the dict, not in the model): {_listed(names)}")
    return found


def _misfits(slots: dict[str, _Slot], state: Mapping[str, Any]) -> list[str]:
    found = []
    for path, slot in slots.items():
        value = state.get(path)
        if path in state and not isinstance(value, Tensor):
            found.append(f"not a tensor: {path!r} is a {type(value).__name__} in the dict")
        elif value is not None and value.shape != slot.tensor.shape:
            theirs, ours = tuple(value.shape), tuple(slot.tensor.shape)
            found.append(f"wrong shape: {path!r} is {theirs} in the dict, {ours} in the model")
    return found


def _hint(result: IncompatibleKeys, state: Mapping[str, Any], strict: bool) -> str:
    missing, unexpected = result
    for one, other in ((missing, unexpected), (unexpected, missing)):
        # 'module.fc1.weight' against 'fc1.weight': one side carries a prefix that the other does not know.
        for name in one:
            for longer in other:
                if longer.endswith(f".{name}"):
                    prefix = longer.removesuffix(name)
                    if other is unexpected:
                        return (
                            f"{{k.removeprefix({prefix!r}): v for k, v in state.items()}}, without the prefix"
                        )
                    return f"{{{prefix!r} + k: v for k, v in state.items()}}, with the prefix"
    if strict and (missing or unexpected):
        return "strict=False to load only what fits by name, if the rest is meant to differ"
    return "build the model with the sizes it was saved with"


def _listed(names: list[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
