"""Adam and AdamW: steps scaled by running averages of the gradient and of its square. Next: `rmsprop.py`."""

from __future__ import annotations

from typing import Any

from ..core.dtypes import float64
from ..creation import tensor, zeros_like
from ..functions.pointwise import maximum
from ..graph.number import root
from ..tensor import Tensor
from .optimizer import Closure, Optimizer, Params, number, step_dtype


class Adam(Optimizer):
    """Adam: p <- p - lr * m̂ / (sqrt(v̂) + eps), with running averages m of the gradient and v of its square.

    With g the gradient (minus the gradient if `maximize`) and t the number of the step, from 1:
        g <- g + weight_decay * p                   (AdamW: p <- (1 - lr * weight_decay) * p instead)
        m <- beta1 * m + (1 - beta1) * g,           m̂ = m / (1 - beta1^t)
        v <- beta2 * v + (1 - beta2) * g^2,         v̂ = v / (1 - beta2^t)
        p <- p - lr * m̂ / (sqrt(v̂) + eps)           (amsgrad: the largest v so far in place of v)

    Args:    lr: the step size, a number or a 1-element Tensor, at least 0; betas: each in [0, 1).
             decoupled_weight_decay: decay as AdamW does. capturable: keep the step count in tensor
             arithmetic; the same result up to rounding. A traced step does not need it. foreach and fused are
             accepted and change nothing. differentiable must be False.
    Raises:  ValueError for options outside of their ranges.
    Source:  Kingma and Ba 2015, algorithm 1; Reddi et al. 2018 for amsgrad.

    >>> import chainrule as torch
    >>> w = torch.tensor([3.0, -2.0], requires_grad=True)
    >>> opt = Adam([w], lr=0.5)
    >>> (w**2).sum().backward()
    >>> opt.step()  # the first step has length lr in each direction
    >>> w
    tensor([ 2.5000, -1.5000], requires_grad=True)
    """

    _shaped_state = ("exp_avg", "exp_avg_sq", "max_exp_avg_sq")

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        self._check_not_negative(lr=lr, eps=eps, weight_decay=weight_decay)
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise self._error(f"betas={betas!r}", "betas must be two numbers in [0, 1)", "betas=(0.9, 0.999)")
        for i, beta in enumerate(betas):
            self._check_number("betas", beta, f"beta parameter at index {i}", 0.0, 1.0)
        self._refuse_differentiable(differentiable)
        defaults = {
            "lr": lr,
            "betas": tuple(number(beta) for beta in betas),
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "foreach": foreach,
            "capturable": capturable,
            "differentiable": differentiable,
            "fused": fused,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def step(self, closure: Closure | None = None) -> Any:
        """Change every parameter that has a gradient; see `Optimizer.step`."""
        return self._each(closure, self._update)

    def _update(self, p: Tensor, g: Tensor, group: dict[str, Any]) -> None:
        state = self._state_of(p, group)
        lr = group["lr"] if group["capturable"] else number(group["lr"])
        decay, (beta1, beta2) = group["weight_decay"], group["betas"]
        if group["maximize"]:
            g = -g
        if decay != 0:
            if group["decoupled_weight_decay"]:
                p.mul_(1 - lr * decay)
            else:
                g = g.add(p, alpha=decay)

        m, v, step = state["exp_avg"], state["exp_avg_sq"], state["step"]
        step += 1
        m.lerp_(g, 1 - beta1)
        v.mul_(beta2).addcmul_(g, g, value=1 - beta2)
        if group["amsgrad"]:
            v = state["max_exp_avg_sq"].copy_(maximum(state["max_exp_avg_sq"], v))

        if group["capturable"]:
            t = step.to(float64)  # powers of beta2 near 1 need the digits
            size = lr / (1 - beta1**t)
            # The step size moves into the denominator, where a tensor can stand: -size * m / (sqrt + eps).
            denominator = v.sqrt().div_(-size * (1 - beta2**t).sqrt()).add_(group["eps"] / -size)
            p.addcdiv_(m, denominator)
        else:
            t = number(step)
            denominator = v.sqrt().div_(root(1 - beta2**t)).add_(group["eps"])
            p.addcdiv_(m, denominator, value=-lr / (1 - beta1**t))

    def _new_state(self, p: Tensor, group: dict[str, Any]) -> None:
        state = self.state[p]
        state["step"] = tensor(0.0, dtype=step_dtype())
        state["exp_avg"] = zeros_like(p)
        state["exp_avg_sq"] = zeros_like(p)
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros_like(p)


class AdamW(Adam):
    """Adam with weight decay apart from the gradient: p <- (1 - lr * weight_decay) * p at each step.

    Args, Raises: see `Adam`.
    Source:  Loshchilov and Hutter 2019.

    >>> import chainrule as torch
    >>> w = torch.tensor([3.0], requires_grad=True)
    >>> opt = AdamW([w], lr=0.5, weight_decay=0.1)
    >>> w.sum().backward()
    >>> opt.step()  # 3 * (1 - 0.5 * 0.1) - 0.5
    >>> w
    tensor([2.3500], requires_grad=True)
    """

    def __init__(
        self,
        params: Params,
        lr: float | Tensor = 1e-3,
        betas: tuple[float | Tensor, float | Tensor] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            foreach=foreach,
            maximize=maximize,
            capturable=capturable,
            differentiable=differentiable,
            fused=fused,
            decoupled_weight_decay=True,
        )
