"""What all optimizers share: parameters in groups with options, state for each parameter, saving of both.

An optimizer changes parameters in place from their `.grad`. How, is in the file of each method; read `sgd.py`
next. The updates are in-place Tensor operations without a gradient, so that a step can be traced. Options in
`param_groups` are Python numbers, which schedulers change; in a trace they are numbers that the graph reads
anew each time it runs (`../graph/number.py`). Updates are written so that they work with either.
"""

from __future__ import annotations

import functools
import itertools
import math
import numbers
import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable
from copy import deepcopy
from typing import Any

from ..core.dtypes import dtype, float32, float64, get_default_dtype
from ..core.errors import ArgumentError, ShapeError
from ..creation import tensor
from ..graph.errors import TraceError
from ..graph.number import number_of, plain_group, traced_groups
from ..ops.primitive import tracing, untraced
from ..tape.mode import enable_grad, no_grad
from ..tensor import Tensor

Params = Iterable[Tensor] | Iterable[dict[str, Any]] | Iterable[tuple[str, Tensor]]
Closure = Callable[[], Any]

_LABELS = {"lr": "learning rate", "eps": "epsilon value"}


class Optimizer:
    """Base of all optimizers; a new one defines `step` and gives its options as `defaults`.

    Args:    params: Tensors, (name, Tensor) pairs, or dicts {"params": [...], option: value, ...}, each a
             group with options of its own; options that it leaves out are taken from `defaults`.
    Raises:  ValueError for no parameters, a parameter in two groups, or one that was computed from others
             (not a leaf); TypeError for anything but Tensors. Warns of a parameter given twice.

    >>> import chainrule as torch
    >>> w = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> class Descent(torch.optim.Optimizer):
    ...     def __init__(self, params, lr):
    ...         super().__init__(params, {"lr": lr})
    ...     @torch.no_grad()
    ...     def step(self, closure=None):
    ...         for group in self.param_groups:
    ...             for p in group["params"]:
    ...                 p.sub_(p.grad, alpha=group["lr"])
    >>> w.sum().backward()
    >>> Descent([w], lr=0.5).step()
    >>> w
    tensor([0.5000, 1.5000], requires_grad=True)
    """

    # Names of state values that have the shape of their parameter; checked when a state is loaded.
    _shaped_state: tuple[str, ...] = ()

    def __init__(self, params: Params, defaults: dict[str, Any]) -> None:
        if tracing.tracer is not None:
            raise TraceError.of(
                type(self).__name__,
                given="a traced function",
                must="each call would make a new one, but a graph goes on with the state of the first",
                hint="make the optimizer outside",
            )
        self.defaults = defaults
        self.state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        self._groups: list[dict[str, Any]] = []
        self._has_stepped = False  # schedulers warn when they are stepped before the optimizer

        groups = self._listed(params)
        if not groups:
            raise ArgumentError.of(
                type(self).__name__,
                given="no parameters",
                must="optimizer got an empty parameter list",
                hint="call model.parameters() anew for each optimizer (it can be walked through once),"
                " and check that the model has layers",
            )
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        for group in groups:
            self.add_param_group(group)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "step" in cls.__dict__:
            cls.step = _noting_the_step(cls.__dict__["step"])  # type: ignore[method-assign]

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The groups of parameters, each a dict with its options; `group["lr"] = 0.1` changes one."""
        if tracing.tracer is not None:
            groups: list[dict[str, Any]] = traced_groups(lambda: self._groups, type(self).__name__)
            return groups
        return self._groups

    @param_groups.setter
    def param_groups(self, groups: list[dict[str, Any]]) -> None:
        self._groups = groups

    def step(self, closure: Closure | None = None) -> Any:
        """Change every parameter once, by its gradient; parameters without one are left alone.

        Args:    closure: computes the loss anew, with gradients, and returns it; called first if given.
        Returns: what closure returns, or None.
        """
        raise NotImplementedError(f"{type(self).__name__} must define step(), which changes the parameters")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or with set_to_none=False fill them with zeros in place."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if set_to_none:
                    p.grad = None
                else:
                    p.grad.detach_().zero_()

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with options of their own, for instance layers that are trained from now on."""
        if not isinstance(param_group, dict) or "params" not in param_group:
            raise self._error(
                f"{_a(param_group)} as a parameter group",
                "param_group must be a dict with the parameters under 'params'",
                "{'params': layer.parameters(), 'lr': 0.01}",
            )
        params = param_group["params"]
        named = [params] if isinstance(params, Tensor) else self._listed(params)
        names = [p[0] for p in named if isinstance(p, tuple)]
        if names and len(names) != len(named):
            raise self._error(
                f"{len(names)} parameters with and {len(named) - len(names)} without a name",
                "all optimizer params should be with/without names",
            )
        group = {
            **self.defaults,
            **param_group,
            "params": [p[1] if isinstance(p, tuple) else p for p in named],
        }
        if names:
            group["param_names"] = names
        self._check_group(group)
        self._groups.append(group)

    def state_dict(self) -> dict[str, Any]:
        """Everything to go on from here later: {"state": {number: state}, "param_groups": [options]}.

        Parameters are numbered in the order of the groups. The tensors in it are the optimizer's own, which
        the next step changes: `save` it, or `copy.deepcopy` it, to keep it.
        """
        numbers: dict[int, int] = {}
        packed = []
        for group in self._groups:
            for p in group["params"]:
                numbers.setdefault(id(p), len(numbers))
            options = {name: value for name, value in group.items() if name != "params"}
            packed.append({**options, "params": [numbers[id(p)] for p in group["params"]]})
        state = {numbers[id(p)] if isinstance(p, Tensor) else p: values for p, values in self.state.items()}
        return {"state": state, "param_groups": packed}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from a `state_dict()` of an optimizer with the same groups. The tensors in it are copied.

        Floating-point state takes the dtype of its parameter; the step count keeps its own.

        Raises:  ValueError if the groups or the shapes are different ones.
        """
        if not isinstance(state_dict, dict) or not {"state", "param_groups"} <= state_dict.keys():
            raise self._error(
                f"{_a(state_dict)} with keys {list(state_dict)[:5]}"
                if isinstance(state_dict, dict)
                else _a(state_dict),
                "an optimizer's state has the keys 'state' and 'param_groups'",
                "optimizer.state_dict() when saving; model.load_state_dict for a model's",
            )
        saved = [{**self.defaults, **group} for group in deepcopy(state_dict["param_groups"])]
        ours = [len(group["params"]) for group in self._groups]
        theirs = [len(group["params"]) for group in saved]
        if len(ours) != len(theirs):
            raise self._error(
                f"a state for {len(theirs)} parameter groups, but has {len(ours)}",
                "loaded state dict has a different number of parameter groups",
            )
        if ours != theirs:
            raise self._error(
                f"a state for groups of {theirs} parameters, but its groups have {ours}",
                "loaded state dict contains a parameter group that doesn't match the size of"
                " optimizer's group",
                "the model and the groups that the state was saved with",
            )
        params = dict(
            zip(
                itertools.chain.from_iterable(group["params"] for group in saved),
                itertools.chain.from_iterable(group["params"] for group in self._groups),
                strict=True,
            )
        )
        state: defaultdict[Any, dict[str, Any]] = defaultdict(dict)
        for key, values in state_dict["state"].items():
            if key in params:
                self._check_state(key, params[key], values)
                state[params[key]] = {name: _copied(v, name, params[key]) for name, v in values.items()}
            else:
                state[key] = deepcopy(values)
        for group, options in zip(self._groups, saved, strict=True):
            options["params"] = group["params"]
            if "param_names" in group:
                options.setdefault("param_names", group["param_names"])
        self.state, self._groups = state, saved

    def __repr__(self) -> str:
        groups = []
        for i, group in enumerate(self._groups):
            options = "".join(f"    {name}: {group[name]}\n" for name in sorted(group) if name != "params")
            groups.append(f"\nParameter Group {i}\n{options}")
        return f"{type(self).__name__} ({''.join(groups)})"

    # ---- for the methods

    def _loss_of(self, closure: Closure | None) -> Any:
        if closure is None:
            return None
        with enable_grad():
            return closure()

    def _each(self, closure: Closure | None, update: Callable[[Tensor, Tensor, dict[str, Any]], None]) -> Any:
        """A step that calls update(parameter, gradient, group) for every parameter with a gradient."""
        loss = self._loss_of(closure)
        with no_grad():
            for group in self.param_groups:
                for p in group["params"]:
                    g = p.grad
                    if g is not None:
                        update(p, g, group)
        return loss

    def _state_of(self, p: Tensor, group: dict[str, Any]) -> dict[str, Any]:
        """The state of a parameter; made now by `_new_state` if there is none. In a trace, too, it is made at
        once: each run of the graph goes on with it."""
        state = self.state[p]
        if not state:
            with untraced():
                self._new_state(p, plain_group(group))
        return state

    def _new_state(self, p: Tensor, group: dict[str, Any]) -> None:
        """Fill the empty state of a parameter."""

    def _check_not_negative(self, **options: Any) -> None:
        for name, value in options.items():
            self._check_number(name, value, _LABELS.get(name, f"{name} value"), 0.0, math.inf)

    def _check_number(self, name: str, value: Any, label: str, low: float, below: float) -> None:
        """Refuse an option that is not a number, or a 1-element Tensor, with low <= value < below."""
        if isinstance(value, Tensor) and value.numel() != 1:
            raise self._error(f"{name} of shape {tuple(value.shape)}", f"Tensor {name} must be 1-element")
        plain = number(value)
        if not isinstance(plain, numbers.Real) or not (
            low <= float(plain) < below or plain == below == math.inf
        ):
            upper = "" if below == math.inf else f" and less than {below:g}"
            raise ArgumentError.of(
                f"{type(self).__name__}: Invalid {label}: {plain!r}",
                must=f"{name} must be a number, at least {low:g}{upper}",
            )

    def _refuse_differentiable(self, differentiable: bool) -> None:
        if differentiable:
            raise self._error(
                "differentiable=True",
                "a step changes parameters in place and is not recorded for a gradient",
                "w = w - lr * torch.autograd.grad(loss, w, create_graph=True)[0], without an optimizer",
            )

    # ---- checks

    def _error(self, given: str, must: str, hint: str = "") -> ArgumentError:
        return ArgumentError.of(type(self).__name__, given=given, must=must, hint=hint)

    def _listed(self, params: Any) -> list[Any]:
        must = "params must be an iterable of Tensors or dicts, in a fixed order"
        if isinstance(params, set | frozenset):
            raise self._error(
                "a set of parameters", f"{must}; a set changes its order between runs", "a list"
            )
        if isinstance(params, Tensor):
            raise self._error("a single Tensor", must, "[tensor]")
        try:
            return list(params)
        except TypeError:
            hint = "model.parameters()" if hasattr(params, "parameters") or callable(params) else ""
            raise self._error(_a(params), must, hint) from None

    def _check_group(self, group: dict[str, Any]) -> None:
        params = group["params"]
        for i, p in enumerate(params):
            if not isinstance(p, Tensor):
                raise self._error(f"{_a(p)} as parameter {i}", "optimizer can only optimize Tensors")
            if not (p.is_leaf or p.retains_grad):
                raise self._error(
                    f"parameter {i} of shape {tuple(p.shape)}, which was computed by {p.grad_fn}",
                    "can't optimize a non-leaf Tensor: its gradient goes on to what it was computed from",
                    "the tensor as it was made, with requires_grad=True, or .detach().requires_grad_()",
                )
        ids = {id(p) for p in params}
        if len(ids) != len(params):
            warnings.warn(
                f"{type(self).__name__} got a parameter group with duplicate parameters:"
                " a parameter that is there twice is changed twice in each step",
                UserWarning,
                stacklevel=4,
            )
        for i, other in enumerate(self._groups):
            if any(id(p) in ids for p in other["params"]):
                raise self._error(
                    f"a parameter that is in group {i} and in group {len(self._groups)}",
                    "some parameters appear in more than one parameter group",
                )
            if ("param_names" in group) != ("param_names" in other):
                raise self._error(
                    "groups with and without names of parameters",
                    "all optimizer param groups should be with/without names",
                )

    def _check_state(self, number: int, p: Tensor, values: dict[str, Any]) -> None:
        for name in self._shaped_state:
            value = values.get(name)
            if isinstance(value, Tensor) and value.shape != p.shape:
                raise ShapeError.of(
                    type(self).__name__,
                    given=f"a state with {name} of shape {tuple(value.shape)} for parameter {number}"
                    f" of shape {tuple(p.shape)}",
                    must="a state belongs to parameters of the same shapes in the same order",
                    hint="the model that the state was saved with",
                )


def _noting_the_step(step: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(step)
    def noting(self: Optimizer, *args: Any, **kwargs: Any) -> Any:
        self._has_stepped = True
        return step(self, *args, **kwargs)

    return noting


def number(value: Any) -> Any:
    """An option that may be a 1-element Tensor, such as a learning rate, as a Python number."""
    return number_of(value) if isinstance(value, Tensor) else value


def step_dtype() -> dtype:
    """The dtype that counts steps: float32 counts exactly to 16 million, float64 if that is the default."""
    return float64 if get_default_dtype() is float64 else float32


def _copied(value: Any, name: str, p: Tensor) -> Any:
    """A copy of one state value; floating-point tensors in the dtype of their parameter."""
    if not isinstance(value, Tensor):
        return tensor(float(value), dtype=step_dtype()) if name == "step" else deepcopy(value)
    with no_grad():
        if name != "step" and p.is_floating_point() and value.is_floating_point():
            return value.detach().to(p.dtype, copy=True)
        return value.detach().clone()


def _a(value: object) -> str:
    """`a list`, `an int`: the type of a wrong argument, for a message."""
    name = type(value).__name__
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"
