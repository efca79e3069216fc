"""Modules that hold modules: Sequential, ModuleList, ModuleDict. Next: `parameter_containers.py`."""

from __future__ import annotations

import operator
from collections import OrderedDict
from collections.abc import ItemsView, Iterable, Iterator, KeysView, Mapping, ValuesView
from typing import Any, Self

from .module import Module, bracketed, indented
from .registry import changes


class _Row(Module):
    """Submodules in a row, under the names '0', '1', ... (or the names they were given)."""

    _modules: dict[str, Module]  # type: ignore[assignment]  # in a row there are no empty places

    def _key(self, index: Any) -> str:
        """The name at a position, which may count from the end."""
        i = operator.index(index)
        if not -len(self) <= i < len(self):
            raise IndexError(f"index {i} is out of range")
        return list(self._modules)[i]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[Module]:
        return iter(self._modules.values())

    def __setitem__(self, index: int, module: Module) -> None:
        setattr(self, self._key(index), module)

    def __delitem__(self, index: int | slice) -> None:
        keys = list(self._modules)[index] if isinstance(index, slice) else [self._key(index)]
        for key in keys:
            delattr(self, key)
        self._renumber(list(self._modules.values()))

    def _renumber(self, modules: list[Module]) -> None:
        self._modules = {str(i): module for i, module in enumerate(modules)}

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        self.add_module(str(len(self)), module)
        return self

    def extend(self, modules: Any) -> Self:
        """Add several modules at the end."""
        if not isinstance(modules, Iterable):
            name = type(self).__name__
            raise TypeError(
                f"{name}.extend should be called with an iterable, but got {type(modules).__name__}"
            )
        for module in list(modules):  # a copy, so that a row can be appended to itself
            self.append(module)
        return self

    def insert(self, index: int, module: Module) -> Self:
        """Put a module before a position; those behind move up."""
        if not isinstance(module, Module):
            raise TypeError(f"{type(module).__name__} is not a Module subclass")
        if not -len(self) <= index <= len(self):
            raise IndexError(f"Index out of range: {index}")
        modules = list(self._modules.values())
        modules.insert(index, module)
        self._renumber(modules)
        return self

    def pop(self, key: int | slice) -> Any:
        """Take a module (or a slice of the row) out."""
        taken = self[key]  # type: ignore[index]  # each subclass says what an index gives
        del self[key]
        return taken

    def __iadd__(self, other: Iterable[Module]) -> Self:
        return self.extend(other)


class Sequential(_Row):
    """Calls its modules one after the other, each with the result of the one before.

    Modules are given one by one, or in an OrderedDict with a name for each.

    >>> import chainrule as torch
    >>> from chainrule import nn
    >>> net = nn.Sequential(nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 10))
    >>> net
    Sequential(
      (0): Linear(in_features=784, out_features=256, bias=True)
      (1): ReLU()
      (2): Linear(in_features=256, out_features=10, bias=True)
    )
    >>> net(torch.zeros(5, 784)).shape
    torch.Size([5, 10])
    >>> net[:2]
    Sequential(
      (0): Linear(in_features=784, out_features=256, bias=True)
      (1): ReLU()
    )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named = args[0].items() if len(args) == 1 and isinstance(args[0], OrderedDict) else enumerate(args)
        for name, module in named:
            self.add_module(name if isinstance(name, str) else str(name), module)

    def forward(self, input: Any) -> Any:
        for module in self._modules.values():
            input = module(input)
        return input

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(OrderedDict(list(self._modules.items())[index]))
        return self._modules[self._key(index)]

    def __add__(self, other: Sequential) -> Sequential:
        _only_sequential(other)
        return Sequential(*self, *other)

    def __iadd__(self, other: Iterable[Module]) -> Self:
        _only_sequential(other)
        return self.extend(other)

    def __mul__(self, times: int) -> Sequential:
        return Sequential(*(list(self) * _positive(times)))

    __rmul__ = __mul__

    def __imul__(self, times: int) -> Self:
        return self.extend(list(self) * (_positive(times) - 1))


def _only_sequential(other: object) -> None:
    if not isinstance(other, Sequential):
        raise ValueError(
            f"a Sequential can only be added to a Sequential, but a {type(other).__name__} is given"
        )


def _positive(times: int) -> int:
    if not isinstance(times, int):
        raise TypeError(f"a Sequential is repeated a whole number of times, but {times!r} is given")
    if times <= 0:
        raise ValueError(f"a Sequential is repeated a positive number of times, but {times} is given")
    return times


class ModuleList(_Row):
    """A list whose modules belong to the model that holds it. It has no forward: the model
    says how they are used.

    >>> from chainrule import nn
    >>> layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(3)])
    >>> layers.append(nn.ReLU())
    ModuleList(
      (0-2): 3 x Linear(in_features=4, out_features=4, bias=True)
      (3): ReLU()
    )
    >>> len(layers), layers[-1]
    (4, ReLU())
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.extend(modules)

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            return type(self)(list(self._modules.values())[index])
        return self._modules[self._key(index)]

    def __add__(self, other: Iterable[Module]) -> ModuleList:
        return ModuleList([*self, *other])

    def __repr__(self) -> str:
        """Modules that look the same, one after the other, are printed once."""
        runs: list[tuple[int, int, str]] = []  # first position, how many, text
        for i, module in enumerate(self):
            text = repr(module)
            if runs and runs[-1][2] == text:
                runs[-1] = (runs[-1][0], runs[-1][1] + 1, text)
            else:
                runs.append((i, 1, text))
        lines = [f"({i}): {text}" if n == 1 else f"({i}-{i + n - 1}): {n} x {text}" for i, n, text in runs]
        return bracketed(self._get_name(), [], [indented(line) for line in lines])


class ModuleDict(Module):
    """A dict whose modules belong to the model that holds it, in the order in which they came.

    >>> from chainrule import nn
    >>> heads = nn.ModuleDict({"mean": nn.Linear(4, 1), "act": nn.ReLU()})
    >>> heads["act"], "mean" in heads, list(heads.keys())
    (ReLU(), True, ['mean', 'act'])
    """

    _modules: dict[str, Module]  # type: ignore[assignment]  # a dict of modules has no empty places

    def __init__(self, modules: Mapping[str, Module] | Iterable[tuple[str, Module]] | None = None) -> None:
        super().__init__()
        if modules is not None:
            self.update(modules)

    def __getitem__(self, key: str) -> Module:
        return self._modules[key]

    def __setitem__(self, key: str, module: Module) -> None:
        self.add_module(key, module)

    def __delitem__(self, key: str) -> None:
        del self._modules[key]
        changes.count += 1

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, key: object) -> bool:
        return key in self._modules

    def clear(self) -> None:
        """Remove all modules."""
        self._modules.clear()
        changes.count += 1

    def pop(self, key: str) -> Module:
        """Take a module out."""
        changes.count += 1
        return self._modules.pop(key)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._modules.keys()

    def items(self) -> ItemsView[str, Module]:
        """The names and modules."""
        return self._modules.items()

    def values(self) -> ValuesView[Module]:
        """The modules."""
        return self._modules.values()

    def update(self, modules: Mapping[str, Module] | ModuleDict | Iterable[tuple[str, Module]]) -> None:
        """Add the modules of a mapping or of pairs; those under a name that is there are replaced."""
        if not isinstance(modules, Iterable):
            raise TypeError(
                "ModuleDict.update should be called with an iterable of pairs, "
                f"but got {type(modules).__name__}"
            )
        for name, module in modules.items() if isinstance(modules, Mapping | ModuleDict) else modules:
            self[name] = module
