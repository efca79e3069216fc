"""Module: the base of all layers and models. It knows its parameters, buffers and submodules by name.

Here: registration and attribute rules, the call, walking through the tree, training mode, conversion of
      element
types, printing. Saving and loading state is in `state.py`, hooks are in `hooks.py`, the path in an error is
in `locate.py`. Next: `containers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NoReturn, Self

from ..core import dtypes
from ..core.errors import ArgumentError, ChainruleError, nearest
from ..tensor import Tensor
from . import hooks as _hooks
from . import state as _state
from .hooks import Hook, Hooks, RemovableHandle
from .locate import Facts, annotate
from .parameter import Buffer, Parameter

_REGISTRIES = ("_parameters", "_buffers", "_modules")


class Module:
    """Base class of layers and models. A subclass sets its parts in `__init__` and computes in `forward`.

    Parameters and modules that are assigned as attributes are registered under that name: `parameters()`,
    `state_dict()`, `train()` and `to()` reach them, at any depth.

    >>> import chainrule as torch
    >>> from chainrule import nn
    >>> class Line(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.slope = nn.Parameter(torch.tensor(2.0))
    ...     def forward(self, x):
    ...         return self.slope * x
    >>> line = Line()
    >>> line(torch.tensor([1.0, 2.0]))
    tensor([2., 4.], grad_fn=<MulBackward0>)
    >>> [name for name, _ in line.named_parameters()]
    ['slope']
    """

    training: bool = True
    _hooks: Hooks | None = (
        None  # made when the first hook is registered: a call without hooks tests this one name
    )
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]

    def __init__(self) -> None:
        # Straight into __dict__: the attribute rules below need these names to be there.
        self.__dict__.update(
            training=True, _parameters={}, _buffers={}, _modules={}, _non_persistent_buffers_set=set()
        )

    # ---- the call ------------------------------------------------------------------------------------------

    if TYPE_CHECKING:
        forward: Callable[..., Any]  # each subclass has its own parameters
    else:

        def forward(self, *args: Any) -> NoReturn:
            """What the module computes. Every subclass defines it."""
            raise NotImplementedError(
                f'Module [{type(self).__name__}] is missing the required "forward" function'
            )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            hooks = self._hooks
            if hooks is None:
                return self.forward(*args, **kwargs)
            return _hooks.call(self, hooks, args, kwargs)
        except ChainruleError as err:
            annotate(err, self, args)
            raise

    def explain_error(self, err: ChainruleError, *args: Any) -> Facts | None:
        """What this layer knows about an error that passes through it, or None.

        Called only after `forward(*args)` has failed, so it may look at anything; see `linear.py`.
        """
        return None

    # ---- registration --------------------------------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; None reserves the name."""
        self._check_name("parameter", name)
        if param is not None and not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{_typename(param)}' object to parameter '{name}' "
                "(Parameter or None required)"
            )
        if param is not None and not param.is_leaf:
            raise ValueError(
                f"cannot assign a computed tensor to parameter '{name}': a parameter must be a leaf\n"
                "  try: compute it in forward() from the parameters it depends on, or Parameter(x.detach())"
            )
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that belongs to the state but is not trained. Not persistent: it is not saved."""
        self._check_name("buffer", name)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{_typename(tensor)}' object to buffer '{name}' (Tensor or None required)"
            )
        self._buffers[name] = tensor
        if persistent:
            self._non_persistent_buffers_set.discard(name)
        else:
            self._non_persistent_buffers_set.add(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a submodule under a name; None reserves the name."""
        self._check_name("module", name)
        if module is not None and not isinstance(module, Module):
            raise TypeError(f"{_typename(module)} is not a Module subclass")
        self._modules[name] = module

    register_module = add_module

    def _check_name(self, kind: str, name: str) -> None:
        registry = self.__dict__.get(f"_{kind}s")
        if registry is None:
            raise _init_first(kind, self, name)
        if not isinstance(name, str):
            raise TypeError(f"{kind} name should be a string. Got {_typename(name)}")
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
        if isinstance(value, Parameter):
            self._take_over("_parameters", "parameters", name)
            self.register_parameter(name, value)
        elif isinstance(value, Module):
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

    # ---- walking through the tree --------------------------------------------------------------------------

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module (under the name of the prefix) and all below it, each with its path, parents first."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(
                    memo, f"{prefix}.{name}" if prefix else name, remove_duplicate
                )

    def modules(self, remove_duplicate: bool = True) -> Iterator[Module]:
        """This module and all below it, parents first; a module used twice appears once."""
        for _, module in self.named_modules(remove_duplicate=remove_duplicate):
            yield module

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The direct submodules with their names."""
        seen: set[Module] = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """The direct submodules."""
        for _, module in self.named_children():
            yield module

    def _named_members(
        self, registry: str, prefix: str, recurse: bool, remove_duplicate: bool
    ) -> Iterator[tuple[str, Any]]:
        seen: set[int] = set()
        modules = (
            self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate)
            if recurse
            else [(prefix, self)]
        )
        for path, module in modules:
            for name, member in getattr(module, registry).items():
                if member is None or id(member) in seen:
                    continue
                if remove_duplicate:
                    seen.add(id(member))
                yield f"{path}.{name}" if path else name, member

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """All parameters with their paths; one that is used twice appears once.

        >>> from chainrule import nn
        >>> net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1, bias=False))
        >>> [(name, tuple(p.shape)) for name, p in net.named_parameters()]
        [('0.weight', (3, 2)), ('0.bias', (3,)), ('2.weight', (1, 3))]
        """
        return self._named_members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """All parameters, as an optimizer wants them."""
        for _, param in self.named_parameters(recurse=recurse):
            yield param

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """All buffers with their paths."""
        return self._named_members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """All buffers."""
        for _, buffer in self.named_buffers(recurse=recurse):
            yield buffer

    def get_submodule(self, target: str) -> Module:
        """The module at a path such as 'encoder.fc1'; the empty path is this module.

        Raises:  AttributeError naming the step that is not there, and the nearest name.
        """
        module = self
        for name in target.split(".") if target else ():
            found = getattr(module, name, None)
            if not isinstance(found, Module):
                problem = (
                    "is not an nn.Module" if hasattr(module, name) else f"is not in {type(module).__name__}"
                )
                raise AttributeError(
                    f"{name!r} {problem}{nearest(name, list(module._modules))} (path {target!r})"
                )
            module = found
        return module

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put a module at a path. Strict: one must be there already."""
        if not isinstance(module, Module):
            raise ValueError(f"{_typename(module)} is not a Module subclass")
        if not target:
            raise ValueError("cannot set the submodule without a target name")
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if strict or hasattr(parent, name):
            parent.get_submodule(name)  # raises if there is nothing, or something else, under this name
        setattr(parent, name, module)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter at a path such as 'encoder.fc1.weight'."""
        return self._get_member(target, "_parameters", "an nn.Parameter")  # type: ignore[no-any-return]

    def get_buffer(self, target: str) -> Tensor:
        """The buffer at a path such as 'bn1.running_mean'."""
        return self._get_member(target, "_buffers", "a buffer")  # type: ignore[no-any-return]

    def _get_member(self, target: str, registry: str, kind: str) -> Any:
        path, _, name = target.rpartition(".")
        module = self.get_submodule(path)
        members = getattr(module, registry)
        if members.get(name) is None:
            problem = f"is not {kind}" if hasattr(module, name) else f"is not in {type(module).__name__}"
            raise AttributeError(f"{name!r} {problem}{nearest(name, list(members))} (path {target!r})")
        return members[name]

    def apply(self, fn: Callable[[Module], Any]) -> Self:
        """Call `fn` with every module, children first, for instance to initialise weights."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    # ---- modes and gradients -------------------------------------------------------------------------------

    def train(self, mode: bool = True) -> Self:
        """Set training mode here and below: Dropout drops and BatchNorm uses the batch's own statistics."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self) -> Self:
        """Set evaluation mode, `train(False)`."""
        return self.train(False)

    def requires_grad_(self, requires_grad: bool = True) -> Self:
        """Let gradients be computed for all parameters, or (False) freeze them."""
        for param in self.parameters():
            param.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters; or, not `set_to_none`, set them to zeros."""
        for param in self.parameters():
            if param.grad is not None:
                if set_to_none:
                    param.grad = None
                else:
                    param.grad.detach_().zero_()

    # ---- element types -------------------------------------------------------------------------------------

    def _apply(self, fn: Callable[[Tensor], Tensor]) -> Self:
        """Replace the data of all parameters, their gradients and all buffers by `fn` of it; objects stay."""
        for param in self.parameters():
            param.data = fn(param.data)
            if param.grad is not None:
                param.grad = fn(param.grad.detach())
        for module in self.modules():
            for name, buffer in module._buffers.items():
                if buffer is not None:
                    module._buffers[name] = fn(buffer)
        return self

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Convert floating-point parameters and buffers: `to(dtype)`, `to(other_tensor)`, `to("cpu")`."""
        dtype = _target_dtype(*args, **kwargs)
        return self if dtype is None else self._apply(lambda t: t.to(dtype) if t.is_floating_point() else t)

    def float(self) -> Self:
        """Convert floating-point parameters and buffers to float32."""
        return self.to(dtypes.float32)

    def double(self) -> Self:
        """Convert floating-point parameters and buffers to float64."""
        return self.to(dtypes.float64)

    def half(self) -> Self:
        """Convert floating-point parameters and buffers to float16."""
        return self.to(dtypes.float16)

    def type(self, dst_type: dtypes.dtype) -> Self:
        """Convert all parameters and buffers, whole numbers too."""
        return self._apply(lambda t: t.to(dst_type))

    def cpu(self) -> Self:
        """This module: everything lives on the CPU."""
        return self

    # ---- state and hooks -----------------------------------------------------------------------------------

    def state_dict(
        self, *, destination: dict[str, Any] | None = None, prefix: str = "", keep_vars: bool = False
    ) -> dict[str, Any]:
        """All parameters and persistent buffers by path; the tensors share memory with the model's."""
        return _state.collect(self, destination, prefix, keep_vars)

    def load_state_dict(
        self, state_dict: Any, strict: bool = True, assign: bool = False
    ) -> _state.IncompatibleKeys:
        """Copy values from a state dict into this model; see `state.load`."""
        return _state.load(self, state_dict, strict, assign)

    def _hooks_to_add_to(self) -> Hooks:
        if self._hooks is None:
            self.__dict__["_hooks"] = Hooks()
        assert self._hooks is not None
        return self._hooks

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, args)` before forward; what it returns, unless None, replaces the args.

        With kwargs: `hook(module, args, kwargs)` returning None or `(args, kwargs)`.
        """
        return _hooks.add(self._hooks_to_add_to().forward_pre, Hook(hook, with_kwargs), prepend)

    def register_forward_hook(
        self,
        hook: Callable[..., Any],
        *,
        prepend: bool = False,
        with_kwargs: bool = False,
        always_call: bool = False,
    ) -> RemovableHandle:
        """Call `hook(module, args, output)` after forward; what it returns, unless None, becomes the output.

        With kwargs: `hook(module, args, kwargs, output)`. Always call: also when forward raises.
        """
        return _hooks.add(self._hooks_to_add_to().forward, Hook(hook, with_kwargs, always_call), prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call `hook(module, grad_output)` when backward reaches it; it may return other gradients."""
        return _hooks.add(self._hooks_to_add_to().backward_pre, Hook(hook), prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> RemovableHandle:
        """Call `hook(module, grad_input, grad_output)` after backward; it may return other grad_input."""
        return _hooks.add(self._hooks_to_add_to().backward, Hook(hook), prepend)

    # ---- printing ------------------------------------------------------------------------------------------

    def _get_name(self) -> str:
        return type(self).__name__

    def extra_repr(self) -> str:
        """The settings of this module, to be shown between its brackets."""
        return ""

    def __repr__(self) -> str:
        extra = self.extra_repr()
        children = [f"({name}): {indented(repr(module))}" for name, module in self._modules.items()]
        return bracketed(self._get_name(), extra.split("\n") if extra else [], children)


def bracketed(name: str, extra: list[str], children: list[str]) -> str:
    """`Name(extra)` on one line, or one line for each part when there are several."""
    if not children and len(extra) <= 1:
        return f"{name}({''.join(extra)})"
    return f"{name}(\n  " + "\n  ".join(extra + children) + "\n)"


def indented(text: str) -> str:
    """All lines but the first moved two columns to the right."""
    return text.replace("\n", "\n  ")


def _typename(value: Any) -> str:
    kind = value if isinstance(value, type) else type(value)
    return kind.__name__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"


def _init_first(kind: str, module: Module, name: str) -> AttributeError:
    cls = type(module).__name__
    return AttributeError(
        f"cannot assign {kind} before Module.__init__() call\n"
        f"  try: super().__init__() as the first line of {cls}.__init__, before self.{name} = ..."
    )


def _wrong_kind(value: Any, what: str, wrap: bool = False) -> TypeError:
    hint = (
        "\n  try: wrap it in nn.Parameter(...), or copy into it: with no_grad(): p.copy_(x)" if wrap else ""
    )
    return TypeError(f"cannot assign '{_typename(value)}' as {what}{hint}")


def _target_dtype(*args: Any, **kwargs: Any) -> dtypes.dtype | None:
    """The dtype that `to(...)` asks for; None if it only names the CPU."""
    wanted = kwargs.get("dtype")
    device = kwargs.get("device")
    for value in args:
        if isinstance(value, Tensor):
            wanted = value.dtype
        elif isinstance(value, dtypes.dtype):
            wanted = value
        elif not isinstance(value, bool):  # non_blocking: of no meaning on a CPU
            device = value
    if device is not None and str(device).split(":")[0] != "cpu":
        raise ArgumentError.of(
            "Module.to",
            given=f"device {str(device)!r}",
            must="the only device is 'cpu'",
            hint="leave the device out",
        )
    if wanted is not None and not wanted.is_floating_point:
        raise ArgumentError.of(
            "Module.to",
            given=f"{wanted}",
            must="parameters are converted to floating-point types only",
            hint="torch.float32 or torch.float64",
        )
    return wanted
