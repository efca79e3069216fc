"""`compile`: a function, method or module becomes a compiled one.

What happens at a call is in `compiled.py`; modules are in `module.py`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ..core.errors import ArgumentError, nearest
from ..nn.module import Module
from .compiled import Compiled
from .module import CompiledModule

LIMIT = 32  # programs per function: more means that something changes on every call

_BACKENDS = ("chainrule", "inductor")
_MODES = ("default", "reduce-overhead", "max-autotune", "max-autotune-no-cudagraphs")


def compile(
    model: Any = None,
    *,
    fullgraph: bool = True,
    dynamic: bool | None = None,
    backend: str = "chainrule",
    mode: str | None = None,
    options: dict[str, Any] | None = None,
    disable: bool = False,
    limit: int = LIMIT,
) -> Any:
    """A function or module that runs as one program: traced at its first call, native from then on.

    Everything that the function does with tensors becomes part of the program: forward, `backward()`,
    clipping, the optimizer's step. It is traced once for each kind of arguments (shapes, types, layout, need
    for a gradient, Python values); `f.why()` tells why it was traced again, `f.show()` what was made of it. A
    value cannot steer the program: `if`, `float(x)`, `.numpy()` on a result are errors that say what to write
    instead. See docs/compile.md for what is frozen at the trace.

    Args:    model: the function, method or module. Without it, a decorator.
             fullgraph: only True: what cannot be compiled is an error, never left out in silence.
             dynamic: None or False: every shape has a program of its own.
             backend, mode: PyTorch's names are accepted ("inductor"; "default", "reduce-overhead",
             "max-autotune"), and there is one way to compile. options: none are known.
             disable: give the function back as it is.
             limit: how many programs one function may have; more is an error that names what changes.
    Raises:  ValueError for options that have no meaning here. The calls raise TraceError.

    >>> import chainrule as torch
    >>> w = torch.tensor([[0.5], [-1.0]], requires_grad=True)
    >>> opt = torch.optim.SGD([w], lr=0.1)
    >>> @torch.compile
    ... def step(x, y):
    ...     opt.zero_grad()
    ...     loss = ((x @ w - y) ** 2).mean()
    ...     loss.backward()
    ...     opt.step()
    ...     return loss
    >>> x, y = torch.ones(4, 2), torch.ones(4, 1)
    >>> step(x, y), step(x, y)
    (tensor(2.2500), tensor(0.8100))
    >>> step.traces
    1
    """
    _check(fullgraph, dynamic, backend, mode, options, limit)
    if model is None:
        return lambda function: compile(
            function, fullgraph=fullgraph, dynamic=dynamic, backend=backend, mode=mode, options=options,
            disable=disable, limit=limit,
        )  # fmt: skip
    if disable or isinstance(model, Compiled | CompiledModule):
        return model
    if isinstance(model, Module):
        return CompiledModule(model, compiled(model, limit))
    if isinstance(model, type) or not callable(model):
        raise ArgumentError.of(
            "compile",
            given=f"the class {model.__name__}" if isinstance(model, type) else f"a {type(model).__name__}",
            must="a function, a method or a module can be compiled",
            hint="an instance of it: compile(Model())"
            if isinstance(model, type)
            else "compile(f), or @compile",
        )
    return compiled(model, limit)


def compiled(function: Callable[..., Any], limit: int = LIMIT) -> Compiled:
    """The `Compiled` of a function or module."""
    called = function.forward if isinstance(function, Module) else function
    try:
        parameters = inspect.signature(called).parameters.values()
        names = tuple(p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD))
    except (TypeError, ValueError):
        names = ()
    name = getattr(function, "__name__", type(function).__name__)
    return Compiled(function, limit=limit, name=name if name.isidentifier() else "function", names=names)


def _check(fullgraph: Any, dynamic: Any, backend: Any, mode: Any, options: Any, limit: Any) -> None:
    """Refuse what has no meaning here."""
    if fullgraph is not True:
        raise ArgumentError.of(
            "compile",
            given=f"fullgraph={fullgraph!r}",
            must="a function is compiled as a whole; a part that cannot be is an error",
            hint="compile the parts that can be, each with a decorator of its own",
        )
    if dynamic not in (None, False):
        raise ArgumentError.of(
            "compile",
            given=f"dynamic={dynamic!r}",
            must="every shape has a program of its own, which is what makes it fast",
            hint="leave dynamic out; for many shapes pad to a few, or raise limit",
        )
    for name, value, valid in (("backend", backend, _BACKENDS), ("mode", mode, _MODES)):
        if value not in valid and not (name == "mode" and value is None):
            raise ArgumentError.of(
                "compile",
                given=f"{name}={value!r}{nearest(str(value), list(valid))}",
                must=f"{name} must be one of {', '.join(map(repr, valid))}, which all mean the same",
                hint=f"leave {name} out",
            )
    if options:
        raise ArgumentError.of(
            "compile",
            given=f"options={options!r}",
            must="there are no options",
            hint="leave it out",
        )
    if isinstance(limit, bool) or not isinstance(limit, int) or limit < 1:
        raise ArgumentError.of(
            "compile", given=f"limit={limit!r}", must="it is a number of programs, at least 1"
        )
