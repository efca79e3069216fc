"""Stochastic gradient descent, with momentum, Nesterov's form of it, and weight decay. Next: `adam.py`."""

from __future__ import annotations

from typing import Any

from ..creation import full_like
from ..graph.errors import TraceError
from ..ops.primitive import tracing, untraced
from ..tape.mode import no_grad
from ..tensor import Tensor
from .optimizer import Closure, Optimizer, Params, number


class SGD(Optimizer):
    """Gradient descent: p <- p - lr * g, or along a running sum of gradients with `momentum`.

    With g the gradient (minus the gradient if `maximize`):
        g <- g + weight_decay * p
        v <- momentum * v + (1 - dampening) * g     (v starts as the first g)
        g <- v, or with `nesterov`  g + momentum * v
        p <- p - lr * g

    Args:    lr: the step size, a number or a 1-element Tensor, at least 0. foreach and fused are accepted and
             change nothing. differentiable must be False.
    Raises:  ValueError for options outside of their ranges.
    Source:  Polyak 1964; Sutskever et al. 2013, in PyTorch's arrangement, where lr does not multiply v.

    >>> import chainrule as torch
    >>> w = torch.tensor([3.0, -2.0], requires_grad=True)
    >>> opt = SGD([w], lr=0.1, momentum=0.9)
    >>> for _ in range(2):
    ...     opt.zero_grad()
    ...     (w**2).sum().backward()
    ...     opt.step()
    >>> w
    tensor([ 1.3800, -0.9200], requires_grad=True)
    """

    _shaped_state = ("momentum_buffer",)

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: float = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        self._check_not_negative(lr=lr, momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise self._error(
                f"nesterov=True, momentum={momentum}, dampening={dampening}",
                "Nesterov momentum requires a momentum and zero dampening",
                "momentum=0.9, dampening=0",
            )
        self._refuse_differentiable(differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "dampening": dampening,
            "weight_decay": weight_decay,
            "nesterov": nesterov,
            "maximize": maximize,
            "foreach": foreach,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)

    def step(self, closure: Closure | None = None) -> Any:
        """Change every parameter that has a gradient; see `Optimizer.step`."""
        loss = self._loss_of(closure)
        with no_grad():
            for group in self.param_groups:
                lr, momentum, decay = number(group["lr"]), group["momentum"], group["weight_decay"]
                maximize, nesterov = group["maximize"], momentum != 0 and group["nesterov"]
                for p in group["params"]:
                    g = p.grad
                    if g is None:
                        continue
                    if maximize:
                        g = -g
                    if decay != 0:
                        g = g.add(p, alpha=decay)
                    if momentum != 0:
                        v = self._velocity(p, g, group)
                        g = g.add(v, alpha=momentum) if nesterov else v
                    p.add_(g, alpha=-lr)
        return loss

    def _velocity(self, p: Tensor, g: Tensor, group: dict[str, Any]) -> Tensor:
        state, dampening = self.state[p], group["dampening"]
        v: Tensor
        if "momentum_buffer" not in state:
            if tracing.tracer is None:
                v = state["momentum_buffer"] = g.detach().clone()
                return v
            if dampening != 0:
                raise TraceError.of(
                    "SGD's first step",
                    given="dampening in a traced function",
                    must="the first step does not dampen the gradient, the others do: a graph has one kind",
                    hint="take one step before",
                )
            with untraced():  # -0 * momentum + g is g, whatever its sign
                state["momentum_buffer"] = full_like(p, -0.0, requires_grad=False)
        v = state["momentum_buffer"].mul_(group["momentum"])
        return v.add_(g, alpha=1 - dampening) if dampening != 0 else v.add_(g)
