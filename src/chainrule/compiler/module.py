"""A compiled module: calls go to a program, everything else to the module that it was made of."""

from __future__ import annotations

import copy
from typing import Any

from ..nn.module import Module
from ..nn.registry import Registry
from .compiled import Compiled

_SHARED = ("_parameters", "_buffers", "_modules", "_non_persistent_buffers_set", "training")
_OWN = ("_wrapped", "_compiled")


class CompiledModule(Module):
    """What `compile` makes of a module. Parameters, buffers, state, training mode and attributes are those of
    the module itself: both may be used side by side.

    >>> import chainrule as torch
    >>> model = torch.nn.Linear(2, 1)
    >>> fast = torch.compile(model)
    >>> fast.weight is model.weight
    True
    >>> fast.eval().training, model.training
    (False, False)
    """

    def __init__(self, module: Module, compiled: Compiled) -> None:
        self.__dict__.update(_wrapped=module, _compiled=compiled)

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        return self._compiled(*args, **kwargs)

    def forward(self, /, *args: Any, **kwargs: Any) -> Any:
        """Run the program; traced if there is none for such arguments."""
        return self._compiled(*args, **kwargs)

    def __deepcopy__(self, memo: dict[int, Any]) -> CompiledModule:
        """A copy of the module, with programs of its own."""
        module, old = copy.deepcopy(self._wrapped, memo), self._compiled
        return CompiledModule(module, Compiled(module, limit=old.limit, name=old.name, names=old.names))

    def why(self) -> str:
        """See `Compiled.why`."""
        return self._compiled.why()  # type: ignore[no-any-return]

    def show(self, stage: str = "simplified") -> str:
        """See `Compiled.show`."""
        return self._compiled.show(stage)  # type: ignore[no-any-return]

    def report(self) -> str:
        """See `Compiled.report`."""
        return self._compiled.report()  # type: ignore[no-any-return]

    @property
    def traces(self) -> int:
        """How many programs were traced so far."""
        return self._compiled.traces  # type: ignore[no-any-return]

    def _inside(self) -> Any:
        """What `Surroundings` looks at."""
        return self._wrapped

    # -- everything else is the module's ---------------------------------------------------------------------

    def __getattribute__(self, name: str) -> Any:
        if name in _SHARED:
            return getattr(object.__getattribute__(self, "_wrapped"), name)
        return object.__getattribute__(self, name)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_wrapped"], name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self.__dict__["_wrapped"], name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self.__dict__["_wrapped"], name)

    def __dir__(self) -> list[str]:
        return sorted({*Registry.__dir__(self), *dir(self._wrapped)})

    def _get_name(self) -> str:
        return f"compiled {type(self._wrapped).__name__}"

    def extra_repr(self) -> str:
        """The settings of the module."""
        return self._wrapped.extra_repr()  # type: ignore[no-any-return]
