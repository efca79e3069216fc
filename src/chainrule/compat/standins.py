"""Which module of this package stands for which module of PyTorch, torchvision, d2l and IPython.

One table of roots, and a rule: `torch.a.b` is `chainrule.a.b` if that is public there. A `Standin` is the
module that a program gets to see: it has the public names of its target and nothing else, under the name
that the program used, so what is missing is said in the program's words. How imports get here is in
`finder.py`.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

from ..core.errors import ChainruleError

# The modules that a name without a dot stands for. Those in `IF_ABSENT` are only for programs that mention
# them in passing (`from IPython import display` at the top of a script): the real ones are preferred.
ROOTS = {"torch": "chainrule", "torchvision": "chainrule.compat.torchvision", "d2l": "chainrule.compat.d2l"}
IF_ABSENT = {
    "IPython": "chainrule.compat.notebook.ipython",
    "matplotlib_inline": "chainrule.compat.notebook.matplotlib_inline",
}

# Modules that PyTorch has in another place, or that are no public part of chainrule under its own name.
ELSEWHERE = {
    "torch.cuda": "chainrule.compat.cuda",
    "torch.nn.parameter": "chainrule.nn.parameter",
    "torch.optim.adagrad": "chainrule.optim.adagrad",
    "torch.optim.adam": "chainrule.optim.adam",
    "torch.optim.optimizer": "chainrule.optim.optimizer",
    "torch.optim.rmsprop": "chainrule.optim.rmsprop",
    "torch.optim.sgd": "chainrule.optim.sgd",
    "torch.utils.data.dataloader": "chainrule.utils.data.loader",
    "torch.utils.data.dataset": "chainrule.utils.data.dataset",
    "torch.utils.data.sampler": "chainrule.utils.data.sampler",
}

# Where a missing name may be after all: courses take functions for layers and the other way round.
_LIKELY = (
    "torch", "torch.nn", "torch.nn.functional", "torch.nn.init", "torch.nn.utils", "torch.linalg",
    "torch.optim", "torch.optim.lr_scheduler", "torch.autograd", "torch.func", "torch.utils.data",
    "torch.distributions", "torchvision.transforms", "torchvision.datasets", "d2l.torch",
)  # fmt: skip


class MissingName(ChainruleError, AttributeError):
    """A name of PyTorch, torchvision or d2l that chainrule does not have."""


class MissingModule(ChainruleError, ModuleNotFoundError):
    """A module of PyTorch, torchvision or d2l that chainrule does not have."""


class Standin(ModuleType):
    """A module of another package, whose names are those of a module of this one."""

    def __init__(self, name: str, target: ModuleType) -> None:
        super().__init__(name, target.__doc__)
        self.__dict__["_target"] = target
        self.__path__: list[str] = []  # a package: so `from torch.nn import X` asks the finder about X

    def __getattr__(self, name: str) -> Any:
        target = self.__dict__["_target"]
        if name == "__all__":
            return names_of(self.__name__)
        if name.startswith("__") and name != "__version__":
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        full = f"{self.__name__}.{name}"
        if target_of(full) is not None:
            value: Any = importlib.import_module(full)
        elif name in public(target) or name == "__version__":
            value = getattr(target, name)
        else:
            error = MissingName.of(missing(full), at=False)
            error.name, error.obj = name, None  # else Python adds a guess of its own to the message
            raise error
        self.__dict__[name] = value  # asked for once: from now on as fast as in any module
        return value

    def __dir__(self) -> list[str]:
        return names_of(self.__name__)

    def __repr__(self) -> str:
        return f"<module {self.__name__!r}: {self.__dict__['_target'].__name__} stands in>"


def target_of(name: str) -> ModuleType | None:
    """The module that stands for a module with this dotted name; None if there is none."""
    where = ROOTS.get(name) or IF_ABSENT.get(name) or ELSEWHERE.get(name)
    if where is not None:
        return importlib.import_module(where)
    parent, _, leaf = name.rpartition(".")
    owner = target_of(parent) if parent else None
    if owner is None or leaf not in public(owner):
        return None
    value = getattr(owner, leaf)
    return value if isinstance(value, ModuleType) and value.__name__.startswith("chainrule.") else None


def public(module: ModuleType) -> set[str]:
    """The names of a module that users may use: its `__all__`, or without one what it defines."""
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return set(listed)
    return {
        name
        for name, value in vars(module).items()
        if not name.startswith("_")
        and (
            value.__name__ if isinstance(value, ModuleType) else str(getattr(value, "__module__", ""))
        ).startswith("chainrule.")
    }


def names_of(name: str) -> list[str]:
    """The names in the stand-in for a module, in alphabetical order; [] if there is no such module."""
    target = target_of(name)
    if target is None:
        return []
    below = {full.rpartition(".")[2] for full in ELSEWHERE if full.rpartition(".")[0] == name}
    return sorted(public(target) | below)


def lookup(name: str) -> bool:
    """Whether a dotted name is there: a module that stands in, a name in it, an attribute of that."""
    module, rest = name, list[str]()
    while target_of(module) is None:
        module, _, leaf = module.rpartition(".")
        rest.insert(0, leaf)
        if not module:
            return False
    if not rest:
        return True
    if rest[0] == "__version__":
        return True
    if rest[0] not in names_of(module):
        return False
    value = getattr(target_of(module), rest[0])
    for leaf in rest[1:]:
        if not hasattr(value, leaf):
            return isinstance(value, type) and leaf in getattr(value, "__annotations__", {})
        value = getattr(value, leaf)
    return True


def missing(name: str) -> str:
    """One line about a dotted name that is not there, with the nearest one that is."""
    return f"chainrule has no {name}{hint(name)}"


def hint(name: str) -> str:
    """` (there is 'torch.nn.functional.relu')`, ` (did you mean 'torch.nn.ReLU'?)`, or an empty string."""
    import difflib  # only on the way to an error

    owner, _, leaf = name.rpartition(".")
    while owner and target_of(owner) is None:  # an attribute of a class, or in a module that is not there
        owner, _, leaf = owner.rpartition(".")
    for module in _LIKELY:
        a_function = target_of(f"{module}.{leaf}") is None  # of another module it says nothing that helps
        if leaf in names_of(module) and module != owner and a_function:
            return f" (there is {module}.{leaf})"
    near = difflib.get_close_matches(leaf, names_of(owner), n=1)
    folded = [known for known in names_of(owner) if known.lower() == leaf.lower()]
    close = folded or near
    return f" (did you mean {owner}.{close[0]}?)" if close else ""


def loaded() -> list[str]:
    """The names of the stand-ins that programs have imported."""
    return [name for name, module in sys.modules.items() if isinstance(module, Standin)]
