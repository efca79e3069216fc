"""Giving a model back as it was: `untouched` remembers everything that a few training steps change.

That is: the values of parameters and buffers, in the same memory and with the same version counters (so that
a loss recorded before can still go backward), every `.grad`, the training mode and plain attributes of each
module, its hooks, the optimizer's state and options, and where the random streams stand (chainrule's, those
of `random` and of NumPy, and generators that modules hold). Not remembered: what a model appends to a list,
or writes to a file. `Weights` is the part that only concerns values, for going back between two trials.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...base import owner_of
from ...core.random import Generator, default_generator
from ...nn import Module
from ...nn.registry import changes
from ...optim import Optimizer
from ...tensor import Tensor

_REGISTRIES = ("_parameters", "_buffers", "_modules")


class Weights:
    """The values of some tensors, and how often each had been written to; `back` puts both back."""

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        self._kept = []
        seen: set[int] = set()
        for x in tensors:
            if id(x) not in seen:
                seen.add(id(x))
                owner = owner_of(x)
                self._kept.append((x._a, x._a.copy(), owner, owner._v, getattr(owner, "_site", None)))

    def back(self) -> None:
        """Put every value back into its memory."""
        for array, values, owner, version, site in self._kept:
            np.copyto(array, values)
            owner._v, owner._site = version, site


class Streams:
    """Where the random streams stand; `back` puts them there again, as often as wanted."""

    def __init__(self, generators: Iterable[Generator] = ()) -> None:
        streams = [default_generator, *generators]
        self._positions = [(stream, stream.position()) for stream in streams]
        self._python = random.getstate()
        self._numpy = np.random.get_state()

    def back(self) -> None:
        """Draw the same numbers again."""
        for stream, position in self._positions:
            stream.move(*position)
        random.setstate(self._python)
        np.random.set_state(self._numpy)


def generators_of(modules: Iterable[Module]) -> list[Generator]:
    """Random streams that modules hold as attributes."""
    return [value for m in modules for value in vars(m).values() if isinstance(value, Generator)]


class _Attributes:
    """What hangs at each module: parts by name, training mode, hooks and plain attributes."""

    def __init__(self, modules: list[Module]) -> None:
        self._kept = [
            (module, dict(vars(module)), {name: dict(vars(module)[name]) for name in _REGISTRIES})
            for module in modules
        ]

    def back(self) -> None:
        for module, attributes, registries in self._kept:
            own = vars(module)
            own.clear()
            own.update(attributes)
            for name, parts in registries.items():
                own[name].clear()
                own[name].update(parts)
        changes.count += 1  # compiled code looks again


class _Options:
    """An optimizer's state, options and plain attributes. Meanwhile it works on copies of its state."""

    def __init__(self, optimizer: Optimizer) -> None:
        self._optimizer = optimizer
        self._attributes = dict(vars(optimizer))
        self._groups = [(group, dict(group)) for group in optimizer.param_groups]
        copies: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for p, values in optimizer.state.items():
            copies[p] = {name: v.clone() if isinstance(v, Tensor) else v for name, v in values.items()}
        optimizer.state = copies

    def back(self) -> None:
        own = vars(self._optimizer)
        own.clear()
        own.update(self._attributes)
        for group, options in self._groups:
            group.clear()
            group.update(options)


@contextmanager
def untouched(modules: list[Module], leaves: list[Tensor], optimizer: Optimizer | None) -> Iterator[None]:
    """Whatever happens inside, afterwards the modules, leaves, optimizer and streams are as they were."""
    held = [value for m in modules for value in vars(m).values() if isinstance(value, Tensor)]
    buffers = [value for m in modules for value in vars(m)["_buffers"].values() if value is not None]
    weights = Weights([*leaves, *buffers, *held])
    grads = [(x, x._grad, None if x._grad is None else Weights([x._grad])) for x in leaves]
    attributes = _Attributes(modules)
    streams = Streams(generators_of(modules))
    options = None if optimizer is None else _Options(optimizer)
    try:
        yield
    finally:
        if options is not None:
            options.back()
        attributes.back()
        weights.back()
        for x, grad, values in grads:
            x._grad = grad
            if values is not None:
                values.back()
        streams.back()
