"""What a module consists of: parameters, buffers and submodules, each under a name.

Registration, and the rules by which an attribute becomes one of the three. What is done with them is in
`module.py`.
"""

from __future__ import annotations

from typing import Any

from ..tensor import Tensor
from .parameter import Buffer, Parameter

_REGISTRIES = ("_parameters", "_buffers", "_modules")


class Changes:
    """Counts changes of attributes of all modules, so that compiled code can see that there were none."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


changes = Changes()


class Registry:
    """The named parts of a module. A name belongs to one of the three kinds, or to an ordinary attribute."""

    training: bool = True
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Registry | None]
    _non_persistent_buffers_set: set[str]

    def __init__(self) -> None:
        # Straight into __dict__: the attribute rules below need these names to be there.
        self.__dict__.update(
            training=True, _parameters={}, _buffers={}, _modules={}, _non_persistent_buffers_set=set()
        )

    # ---- registration --------------------------------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; None reserves the name."""
        self._check_name("parameter", name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' (Parameter or None required)"
            )
        if param is not None and not param.is_leaf:
            raise ValueError(
                f"cannot assign a computed tensor to parameter '{name}': a parameter must be a leaf\n"
                "  try: compute it in forward() from the parameters it depends on, or Parameter(x.detach())"
            )
        self._parameters[name] = param
        changes.count += 1

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not trained. Not persistent: it is not saved."""
        self._check_name("buffer", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (Tensor or None required)"
            )
        self._buffers[name] = tensor
        changes.count += 1
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Registry | None) -> None:
        """Add a submodule under a name; None reserves the name."""
        self._check_name("module", name)
        if module is not None and not isinstance(module, Registry):
            raise TypeError(f"{typename(module)} is not a Module subclass")
        self._modules[name] = module
        changes.count += 1

    register_module = add_module

    def _check_name(self, kind: str, name: str) -> None:
        registry = self.__dict__.get(f"_{kind}s")
        if registry is None:
            raise _init_first(kind, self, name)
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
        if "." in name:
            raise KeyError(f'{kind} name can\'t contain ".", got: {name}')
        if name == "":
            raise KeyError(f'{kind} name can\'t be empty string ""')
        if name not in registry and hasattr(self, name):
            raise KeyError(f"attribute '{name}' already exists")

    # ---- attributes ----------------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:  # reached only when the ordinary look-up has failed
        own = self.__dict__
        for registry in _REGISTRIES:
            if registry in own and name in own[registry]:
                return own[registry][name]
        if name in _REGISTRIES:
            cls = type(self).__name__
            raise AttributeError(
                "Module.__init__() was not called\n"
                f"  try: super().__init__() as the first line of {cls}.__init__"
            )
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        changes.count += 1
        if isinstance(value, Parameter):
            self._take_over("_parameters", "parameters", name)
            self.register_parameter(name, value)
        elif isinstance(value, Registry):
            self._take_over("_modules", "module", name)
            own["_modules"][name] = value
        elif isinstance(value, Buffer):
            self._take_over("_buffers", "buffer", name)
            self.register_buffer(name, value, value.persistent)
        elif name in own.get("_parameters", ()):
            if value is not None:
                raise _wrong_kind(
                    value, f"parameter '{name}' (Parameter or None expected)", isinstance(value, Tensor)
                )
            own["_parameters"][name] = None
        elif name in own.get("_modules", ()):
            if value is not None:
                raise _wrong_kind(value, f"child module '{name}' (Module or None expected)")
            own["_modules"][name] = None
        elif name in own.get("_buffers", ()):
            if value is not None and not isinstance(value, Tensor):
                raise _wrong_kind(value, f"buffer '{name}' (Buffer, Tensor or None expected)")
            own["_buffers"][name] = value
        else:
            super().__setattr__(name, value)

    def _take_over(self, registry: str, kind: str, name: str) -> None:
        """A name belongs to one registry; what stood under it elsewhere goes away."""
        own = self.__dict__
        if registry not in own:
            raise _init_first(kind, self, name)
        own.pop(name, None)
        for other in _REGISTRIES:
            if other != registry:
                own[other].pop(name, None)
        if registry != "_buffers":
            self._non_persistent_buffers_set.discard(name)

    def __delattr__(self, name: str) -> None:
        changes.count += 1
        for registry in _REGISTRIES:
            if name in self.__dict__.get(registry, ()):
                del self.__dict__[registry][name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = set(super().__dir__())
        for registry in _REGISTRIES:
            names.update(self.__dict__.get(registry, ()))
        return sorted(name for name in names if not name[:1].isdigit())


def typename(value: Any) -> str:
    """The name of a value's type (or of a type), with its module unless it is built in."""
    kind = value if isinstance(value, type) else type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _init_first(kind: str, module: Registry, name: str) -> AttributeError:
    cls = type(module).__name__
    return AttributeError(
        f"cannot assign {kind} before Module.__init__() call\n"
        f"  try: super().__init__() as the first line of {cls}.__init__, before self.{name} = ..."
    )


def _wrong_kind(value: Any, what: str, wrap: bool = False) -> TypeError:
    hint = (
        "\n  try: wrap it in nn.Parameter(...), or copy into it: with no_grad(): p.copy_(x)" if wrap else ""
    )
    return TypeError(f"cannot assign '{typename(value)}' as {what}{hint}")
