"""Adagrad: steps scaled by the sum of all squared gradients so far. Next: `lr_scheduler`."""

from __future__ import annotations

from typing import Any

from ..creation import full_like, tensor
from ..tensor import Tensor
from .optimizer import Closure, Optimizer, Params, number, step_dtype


class Adagrad(Optimizer):
    """Adagrad: p <- p - lr_t * g / (sqrt(s) + eps), with the sum s of all squared gradients.

    With g the gradient (minus the gradient if `maximize`) and t the number of the step, from 1:
        g <- g + weight_decay * p
        s <- s + g^2                                (s starts as initial_accumulator_value)
        lr_t = lr / (1 + (t - 1) * lr_decay)

    Args:    lr: the step size, a number or a 1-element Tensor, at least 0. foreach and fused are accepted and
             change nothing. differentiable must be False.
    Raises:  ValueError for options outside of their ranges.
    Source:  Duchi, Hazan and Singer 2011.

    >>> import chainrule as torch
    >>> w = torch.tensor([3.0, -2.0], requires_grad=True)
    >>> opt = Adagrad([w], lr=0.5)
    >>> (w**2).sum().backward()
    >>> opt.step()  # the first step has length lr in each direction
    >>> w
    tensor([ 2.5000, -1.5000], requires_grad=True)
    """

    _shaped_state = ("sum",)

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        self._check_not_negative(
            lr=lr,
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            eps=eps,
        )
        self._refuse_differentiable(differentiable)
        defaults = {
            "lr": lr,
            "lr_decay": lr_decay,
            "eps": eps,
            "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value,
            "foreach": foreach,
            "maximize": maximize,
            "differentiable": differentiable,
            "fused": fused,
        }
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                self._new_state(p, group)

    def step(self, closure: Closure | None = None) -> Any:
        """Change every parameter that has a gradient; see `Optimizer.step`."""
        return self._each(closure, self._update)

    def _update(self, p: Tensor, g: Tensor, group: dict[str, Any]) -> None:
        state = self._state_of(p, group)
        state["step"] += 1
        lr = number(group["lr"])
        if group["lr_decay"] != 0:
            lr = lr / (1 + (number(state["step"]) - 1) * group["lr_decay"])
        if group["maximize"]:
            g = -g
        if group["weight_decay"] != 0:
            g = g.add(p, alpha=group["weight_decay"])
        denominator = state["sum"].addcmul_(g, g, value=1).sqrt().add_(group["eps"])
        p.addcdiv_(g, denominator, value=-lr)

    def _new_state(self, p: Tensor, group: dict[str, Any]) -> None:
        state = self.state[p]
        state["step"] = tensor(0.0, dtype=step_dtype())
        state["sum"] = full_like(p, group["initial_accumulator_value"], requires_grad=False)
