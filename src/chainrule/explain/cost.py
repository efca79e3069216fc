"""What each mode costs on this function: operations, passes, and the bytes it has to keep.

Operations are counted by running both walks once and adding up the size of every primitive in them: one for
an element of an elementwise result, two (a product and a sum) for each term of a contraction. What reverse
mode keeps is what the gradient rules read, as on the tape; each array counts once, inputs and parameters not
at all, for they are there anyway. Next: `derivation.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

from ..base import TensorBase
from ..ops.primitive import CONTRACTION, MOVEMENT, VIEW, Primitive
from ..transforms.level import Observer
from .figures import amount
from .steps import MADE, Program, Step, Value


class Counter(Observer):
    """Adds up the work of what runs."""

    def __init__(self) -> None:
        self.operations = 0

    def see(self, op: Primitive, xs: tuple[Any, ...], settings: dict[str, Any], out: Any) -> None:
        if op.outputs == 1:
            shapes = [x._a.shape if isinstance(x, TensorBase) else () for x in xs]
            self.operations += work(op, shapes, out._a.shape)


def work(op: Primitive, shapes: list[tuple[int, ...]], out: tuple[int, ...]) -> int:
    """The arithmetic operations of one primitive."""
    if op.kind in (VIEW, MOVEMENT):
        return 0
    if op.kind is CONTRACTION:
        return 2 * prod(out) * (shapes[0][-1] if shapes[0] else 1)
    return max([prod(out), *(prod(s) for s in shapes)])


@dataclass(frozen=True, slots=True)
class Cost:
    """What the modes cost.

    inputs, outputs: how many numbers go in (those that are differentiated) and come out.
    value: operations of the function itself.
    forward, reverse: operations of one pass, beyond the function itself.
    kept: bytes that reverse mode keeps until it comes back; largest: of them the largest array's.
    carried: bytes that forward mode carries along at most, in one pass.
    """

    inputs: int
    outputs: int
    value: int
    forward: int
    reverse: int
    kept: int
    carried: int

    @property
    def suits(self) -> str:
        """Which mode gives all derivatives with less work: "forward" or "reverse"."""
        return "forward" if self.forward * self.inputs <= self.reverse * self.outputs else "reverse"

    @property
    def sentence(self) -> str:
        """Which mode suits, and why."""
        one = f"{_counted(self.inputs, 'input')}, {_counted(self.outputs, 'output')}"
        forward = f"forward mode needs {_counted(self.inputs, 'pass', 'es')} (one per input)"
        reverse = f"reverse mode {_counted(self.outputs, 'pass', 'es')} (one per output)"
        totals = self.forward * self.inputs, self.reverse * self.outputs
        work_text = f"{amount(totals[0], '').strip()} against {amount(totals[1], '').strip()} operations"
        if self.suits == "reverse":
            price = (
                f"its price is the {amount(self.kept)} that it keeps on the way"
                if self.kept
                else "all that it has to keep is what goes in"
            )
            return f"{one}: {forward}, {reverse}: {work_text}. Reverse mode suits; {price}."
        other = f" (reverse mode would keep {amount(self.kept)})" if self.kept else ""
        passes = f"{one}: {forward}, {reverse}: {work_text}"
        return f"{passes}. Forward mode suits; it keeps nothing for later{other}."


def _counted(n: int, what: str, plural: str = "s") -> str:
    return f"{n} {what}{'' if n == 1 else plural}"


def kept_by(step: Step) -> list[Value]:
    """What reverse mode keeps for a step: what the gradient rules of its moving operands read."""
    mask = sum(1 << i for i in step.moving)
    if not mask:
        return []
    plan = step.op.plan(mask, len(step.operands))
    indices = (*plan.inputs, *range(len(step.op.inputs), len(step.operands))) if plan.tail else plan.inputs
    kept = [step.operands[i] for i in indices if isinstance(step.operands[i], Value)]
    return [*kept, step.out] if plan.out else kept


def stored(program: Program) -> int:
    """Bytes of the results that are kept for reverse mode."""
    kept = {id(v): v for step in program.moving for v in kept_by(step) if v.kind == MADE}
    owners = {
        id(v.data if v.data.base is None else v.data.base): v.data
        for v in kept.values()
        if v.data is not None
    }
    return sum(a.nbytes for a in owners.values())


def carried(program: Program) -> int:
    """The most bytes of tangents that are there at one time, each let go after its last use."""
    last: dict[int, int] = {}
    moving = program.moving
    for n, step in enumerate(moving):
        for v in step.values:
            last[id(v)] = n
    sizes = {id(v): v.data.nbytes for v in program.leaves if v.data is not None}
    alive, most = sum(sizes.values()), sum(sizes.values())
    for n, step in enumerate(moving):
        if step.out.data is not None:
            sizes[id(step.out)] = step.out.data.nbytes
            alive += step.out.data.nbytes
        most = max(most, alive)
        for key in {id(v) for v in step.values if v.varies}:
            if last.get(key) == n and key in sizes:
                alive -= sizes.pop(key)
    return most
