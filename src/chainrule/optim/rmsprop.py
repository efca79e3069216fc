"""RMSprop: steps scaled by a running average of the squared gradient. Next: `adagrad.py`."""

from __future__ import annotations

from typing import Any

from ..creation import tensor, zeros_like
from ..tensor import Tensor
from .optimizer import Closure, Optimizer, Params, number, step_dtype


class RMSprop(Optimizer):
    """RMSprop: p <- p - lr * g / (sqrt(v) + eps), with a running average v of the squared gradient.

    With g the gradient (minus the gradient if `maximize`):
        g <- g + weight_decay * p
        v <- alpha * v + (1 - alpha) * g^2
        a <- alpha * a + (1 - alpha) * g,  and v - a^2 in place of v       (centered)
        p <- p - lr * g / (sqrt(v) + eps)
        b <- momentum * b + g / (sqrt(v) + eps),  p <- p - lr * b          (with momentum)

    Args:    lr: the step size, a number or a 1-element Tensor, at least 0. capturable and foreach are
             accepted and change nothing. differentiable must be False.
    Raises:  ValueError for options outside of their ranges.
    Source:  Tieleman and Hinton 2012, lecture 6.5; Graves 2013 (equations 38 to 45) for the centered form.

    >>> import chainrule as torch
    >>> w = torch.tensor([3.0, -2.0], requires_grad=True)
    >>> opt = RMSprop([w], lr=0.1, alpha=0.75)
    >>> (w**2).sum().backward()
    >>> opt.step()  # the first step is lr / sqrt(1 - alpha) long
    >>> w
    tensor([ 2.8000, -1.8000], requires_grad=True)
    """

    _shaped_state = ("square_avg", "grad_avg", "momentum_buffer")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        self._check_not_negative(lr=lr, alpha=alpha, eps=eps, weight_decay=weight_decay, momentum=momentum)
        self._refuse_differentiable(differentiable)
        defaults = {
            "lr": lr,
            "momentum": momentum,
            "alpha": alpha,
            "eps": eps,
            "centered": centered,
            "weight_decay": weight_decay,
            "capturable": capturable,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
        }
        super().__init__(params, defaults)

    def step(self, closure: Closure | None = None) -> Any:
        """Change every parameter that has a gradient; see `Optimizer.step`."""
        return self._each(closure, self._update)

    def _update(self, p: Tensor, g: Tensor, group: dict[str, Any]) -> None:
        state = self._state_of(p, group)
        lr, alpha, decay, momentum = (
            number(group["lr"]),
            group["alpha"],
            group["weight_decay"],
            group["momentum"],
        )
        state["step"] += 1
        if group["maximize"]:
            g = -g
        if decay != 0:
            g = g.add(p, alpha=decay)

        v = state["square_avg"].mul_(alpha).addcmul_(g, g, value=1 - alpha)
        if group["centered"]:
            a = state["grad_avg"].lerp_(g, 1 - alpha)
            denominator = v.addcmul(a, a, value=-1).sqrt_().add_(group["eps"])
        else:
            denominator = v.sqrt().add_(group["eps"])
        if momentum > 0:
            p.add_(state["momentum_buffer"].mul_(momentum).addcdiv_(g, denominator), alpha=-lr)
        else:
            p.addcdiv_(g, denominator, value=-lr)

    def _new_state(self, p: Tensor, group: dict[str, Any]) -> None:
        state = self.state[p]
        state["step"] = tensor(0.0, dtype=step_dtype())
        state["square_avg"] = zeros_like(p)
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = zeros_like(p)
