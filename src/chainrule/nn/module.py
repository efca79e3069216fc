"""Module: the base of all layers and models.

Here: the call, walking through the tree of submodules, training mode, conversion of element types, printing.
What is registered under which name is in `registry.py`, saving and loading in `state.py`, hooks are in
`hooks.py`, the path in an error comes from `locate.py`. Next: `containers.py`.
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
from .parameter import Parameter
from .registry import Registry, changes, typename


class Module(Registry):
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

    _hooks: Hooks | None = None  # made for the first hook: a call without any tests this one name
    _modules: dict[str, Module | None]  # type: ignore[assignment]  # this class is the only one to be registered

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
            raise ValueError(f"{typename(module)} is not a Module subclass")
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
            if set_to_none:
                param.grad = None  # said also where it is None: a recorded loop has to know
            elif param.grad is not None:
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
        changes.count += 1
        return self

    def to(self, *args: Any, dtype: Any = None, device: Any = None, non_blocking: bool = False) -> Self:
        """Convert floating-point parameters and buffers: `to(dtype)`, `to(other_tensor)`, `to("cpu")`."""
        wanted = _target_dtype(args, dtype, device)
        return self if wanted is None else self._apply(lambda t: t.to(wanted) if t.is_floating_point() else t)

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


def _target_dtype(args: tuple[Any, ...], wanted: Any, device: Any) -> dtypes.dtype | None:
    """The dtype that `to(...)` asks for; None if it only names the CPU."""
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
    if wanted is None:
        return None
    kind = dtypes.as_dtype(wanted)
    if not kind.is_floating_point:
        raise ArgumentError.of(
            "Module.to",
            given=f"{kind}",
            must="parameters are converted to floating-point types only",
            hint="torch.float32 or torch.float64",
        )
    return kind
