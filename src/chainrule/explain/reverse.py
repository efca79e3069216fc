"""Reverse mode over a list of steps: adjoints, from the result back to the inputs.

The adjoint of a value is the derivative of the result by it. Each step hands its operands their share of its
own adjoint, by the rule of its entry; what arrives at a value is added. `shares` keeps the shares apart, for
they are what the chain rule is written as. Next: `derivation.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..ops.views import reduce_to
from .formula import Formula
from .phrases import derivative
from .steps import Program, Step, Value
from .wording import reduced


@dataclass(eq=False, slots=True)
class Share:
    """What a value gets through one operand of one step."""

    step: Step
    i: int
    value: Any

    @property
    def to(self) -> Value:
        """The operand."""
        x: Value = self.step.operands[self.i]
        return x

    def formula(self, g: Formula) -> Formula:
        """The share, of the adjoint g of the step's result; summed where the operand was broadcast."""
        term = derivative(self.step, self.i, g)
        if not self.step.op.broadcasts or self.step.op.kind != "elementwise":
            return term if self.step.op.kind != "contraction" else reduced(term, *_product_shapes(self))
        return reduced(term, self.step.out.shape, self.to.shape)

    @property
    def summed(self) -> bool:
        """Whether broadcasting is undone on the way."""
        if self.step.op.kind == "elementwise":
            return self.step.out.shape != self.to.shape
        if self.step.op.kind == "contraction":
            have, want = _product_shapes(self)
            return have != want
        return False


def _product_shapes(share: Share) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Of a product of stacks of matrices: the shape of a share before and after stacks are summed."""
    want = share.to.shape
    if not share.step.op.broadcasts:
        return want, want
    return (*share.step.out.shape[:-2], *want[-2:]), want


def adjoints(program: Program, seed: Any) -> tuple[dict[int, Any], dict[int, list[Share]]]:
    """Per value (by id) its adjoint and the shares it is the sum of; `seed` is the adjoint of the result."""
    total: dict[int, Any] = {id(program.output): seed}
    shares: dict[int, list[Share]] = {}
    for step in reversed(program.moving):
        g = total.get(id(step.out))
        if g is None:
            continue
        primals, shapes, out = step.primals, step.shapes, step.out.tensor
        for i in step.moving:
            rule = step.op.rule_for(i)
            assert rule is not None
            share = reduce_to(rule.call(g, primals, shapes, out, step.settings, i), shapes[i])
            x = step.operands[i]
            shares.setdefault(id(x), []).append(Share(step, i, share))
            total[id(x)] = share if id(x) not in total else total[id(x)] + share
    for arrived in shares.values():
        arrived.reverse()  # in the order in which the steps ran
    return total, shares
