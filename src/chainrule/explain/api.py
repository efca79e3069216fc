"""`explain`: run a function once, watch it, and say how its gradient comes about.

Next: `recording.py` for the watching, `derivation.py` for what is made of it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from ..base import TensorBase, wrap
from ..core.errors import ArgumentError, nearest
from ..functions.sampling import default_generator
from ..ops.primitive import tracing
from ..tape import mode as tape_mode
from ..transforms.level import suspended
from .checks import (
    ELEMENTWISE_UP_TO,
    Check,
    Differences,
    Failed,
    Function,
    basis,
    close,
    differences,
    directions,
    tangent_of_leaf,
)
from .cost import Cost, Counter, carried, stored, work
from .derivation import Derivation
from .figures import figures, signed
from .forward import tangents
from .inside import as_written
from .matrix import check_layout
from .recording import record, signature_of
from .reverse import adjoints
from .steps import Program

MODES: Final = ("both", "forward", "reverse")


def derive(fn: Any, inputs: Sequence[Any], mode: str = "both", layout: str = "numerator") -> Derivation:
    """The derivation of `fn(*inputs)`; see `explain`."""
    check_mode(mode)
    check_layout(layout)
    check_running("explain")
    if isinstance(fn, TensorBase) or not callable(fn):
        hint = "y.explain() for a result that is there already" if isinstance(fn, TensorBase) else ""
        if isinstance(fn, str):
            hint = f"chainrule.explain.expression.Expression({fn!r}), which reads a formula"
        raise ArgumentError.of(
            "explain", given=f"{type(fn).__name__}", must="it takes a function and its inputs", hint=hint
        )
    fn = as_written(fn)  # what a compiled function was made of: its steps can be watched
    given = as_variables(inputs)
    state = default_generator.get_state()
    program, recording = record(fn, given)
    function = Function(fn, given, program, recording, state)
    checks, unchecked = compared(program, function)
    title = signature_of(fn) + _point(program)
    return Derivation(
        program,
        title=title,
        mode=mode,
        layout=layout,
        checks=checks,
        unchecked=unchecked,
        hooked=recording.hooked,
        cost=cost_of(program),
    )


def check_running(what: str) -> None:
    """Raises inside of a trace, where tensors have no values."""
    if tracing.tracer is not None:
        raise ArgumentError.of(
            what,
            given="a call inside of a function that is being traced",
            must="it shows values, and a trace has none",
            hint="explain the function outside of compile and trace",
        )


def check_mode(mode: str) -> str:
    """The mode, if it is one."""
    if mode not in MODES:
        raise ArgumentError.of(
            "explain",
            given=f"mode={mode!r}",
            must=f"the mode must be 'both', 'forward' or 'reverse'{nearest(str(mode), list(MODES))}",
        )
    return mode


def as_variables(inputs: Sequence[Any]) -> list[Any]:
    """The inputs, arrays as tensors; if there is neither, the numbers are the variables, in float64."""
    inputs = [wrap(np.array(x)) if isinstance(x, np.ndarray) else x for x in inputs]
    if any(isinstance(x, TensorBase) for x in inputs):
        return list(inputs)
    numbers = (int, float, np.integer, np.floating)
    return [
        wrap(np.asarray(x, np.float64)) if isinstance(x, numbers) and not isinstance(x, bool) else x
        for x in inputs
    ]


def _point(program: Program) -> str:
    """` at x1 = 2, x2 = 5`, if that is short."""
    small = [v for v in program.inputs if v.known and v.size <= 3]
    if not small or len(small) != len(program.inputs):
        return ""
    return " at " + ", ".join(f"{v.name} = {signed(figures(v.data))}" for v in small)


def compared(program: Program, function: Function | None) -> tuple[list[Check], str]:
    """Forward mode, reverse mode and differences, compared; and why there are no differences, if so."""
    out = program.output
    assert out.data is not None
    seed = np.ones(out.shape, out.data.dtype)
    with suspended():
        if function is None:
            return _compared(program, seed, None), ""
        if program.stops:
            why = "the function holds values constant (detach or no_grad), and differences would move them"
            return _compared(program, seed, None), why
        with function.repeatable():
            taken = differences(function, out.data, seed)
            if isinstance(taken, str):
                return _compared(program, seed, None), taken
            try:
                return _compared(program, seed, taken), ""
            except Failed as err:
                return _compared(program, seed, None), f"the function fails beside this point: {err}"


def _compared(program: Program, seed: np.ndarray[Any, Any], taken: Differences | None) -> list[Check]:
    with tape_mode.no_grad():
        total, _ = adjoints(program, wrap(seed))
        reverse = [
            np.asarray(total[id(v)]._a) if id(v) in total else np.zeros(v.shape) for v in program.leaves
        ]
    digits = max(float(np.finfo(v.type).eps) for v in (*program.leaves, program.output))
    exact = 1e3 * digits if digits < 1e-4 else 0.03  # the modes round differently, and that is all
    rough = 1e-5 if taken is not None and taken.precise and digits < 1e-10 else 0.03
    noise = 0.0 if taken is None else taken.noise
    checks = []
    if sum(v.size for v in program.leaves) <= ELEMENTWISE_UP_TO:
        forward = [np.zeros(v.shape) for v in program.leaves]
        numeric = [None if taken is None else np.zeros(v.shape) for v in program.leaves]
        for i, place, parts in basis(program.leaves):
            forward[i][place] = _along(program, parts)
            differences_of = numeric[i]
            if taken is not None and differences_of is not None:
                differences_of[place] = taken.along(parts)
        # What is 0 but for rounding is measured by the gradient as a whole.
        scale = max((float(np.abs(r).max(initial=0)) for r in reverse), default=0.0) * 1e-2
        for v, f, r, n in zip(program.leaves, forward, reverse, numeric, strict=True):
            agree = close(f, r, exact, scale) and close(n, r, rough, scale, noise)
            checks.append(Check(v.name, f, r, n, agree))
        return checks
    for k, parts in enumerate(directions(program.leaves)):
        along = np.asarray(_along(program, parts))
        back = np.asarray(sum(float((a * p).sum()) for a, p in zip(reverse, parts, strict=True)))
        size = sum(float(np.abs(a * p).sum()) for a, p in zip(reverse, parts, strict=True))
        moved = None if taken is None else np.asarray(taken.along(parts))
        agree = close(along, back, exact, size) and close(moved, back, rough, size * 0.1, noise)
        checks.append(Check(f"direction {k + 1}", along, back, moved, agree))
    return checks


def _along(program: Program, parts: Sequence[np.ndarray[Any, Any]]) -> float:
    """By forward mode: how the sum of the result's elements moves along a direction."""
    with tape_mode.no_grad():
        moves = tangents(
            program, {id(v): tangent_of_leaf(v, p) for v, p in zip(program.leaves, parts, strict=True)}
        )
    moved = moves.get(id(program.output))
    return 0.0 if moved is None else float(np.asarray(moved._a, np.float64).sum())


def cost_of(program: Program) -> Cost:
    """What both modes cost, counted by walking once each."""
    out = program.output
    assert out.data is not None
    with suspended(), tape_mode.no_grad():
        forward, reverse = Counter(), Counter()
        directions = {id(v): wrap(np.ones(v.shape, v.type)) for v in program.leaves}
        with forward.entered():
            tangents(program, directions)
        with reverse.entered():
            adjoints(program, wrap(np.ones(out.shape, out.data.dtype)))
    return Cost(
        inputs=sum(v.size for v in program.leaves),
        outputs=out.size,
        value=sum(work(s.op, s.shapes, s.out.shape) for s in program.steps),
        forward=forward.operations,
        reverse=reverse.operations,
        kept=stored(program),
        carried=carried(program),
    )


def explain(
    fn: Callable[..., Any], *inputs: Any, mode: str = "both", layout: str = "numerator"
) -> Derivation:
    """How the gradient of a function comes about, step by step, with the numbers.

    explain(fn, *inputs, mode="both", layout="numerator") runs `fn(*inputs)` once and gives a `Derivation`:
    the values with their formulas in the names of your program, forward mode, reverse mode, the derivatives
    as matrices, the gradient by both modes and by central differences, and what the modes cost.

    fn:     a function or a module that returns one tensor. It may branch and loop, write in place, and use
            parameters from outside.
    inputs: tensors or NumPy arrays. Differentiated is what requires a gradient: inputs, and parameters that
            the function uses; if nothing does, all inputs of floats. If all inputs are numbers, they are the
            variables, in float64.
    mode:   which tables to show: "both", "forward" or "reverse".
    layout: of derivatives by vectors and matrices: "numerator" (∂a/∂w = xᵀ) or "denominator" (∂a/∂w = x).
    Raises: ValueError for another mode or layout, for a function that does not return one tensor, and if no
            derivative goes into the result.

    The function runs a few times more for the central differences, with the same random numbers; what it
    changes in tensors outside is put back.

    >>> import chainrule as torch
    >>> def f(x1, x2):
    ...     return torch.log(x1) + x1 * x2 - torch.sin(x2)
    >>> d = torch.explain(f, 2.0, 5.0)
    >>> {name: round(g.item(), 4) for name, g in d.gradient.items()}
    {'x1': 5.5, 'x2': 1.7163}
    >>> for row in d.reverse:
    ...     print(row.name, "=", row.formula)
    ∂f/∂f = None
    ∂f/∂v4 = 1
    ∂f/∂v3 = -1
    ∂f/∂v2 = ∂f/∂v4
    ∂f/∂v1 = ∂f/∂v4
    ∂f/∂x1 = ∂f/∂v1*(1/x1) + ∂f/∂v2*x2
    ∂f/∂x2 = ∂f/∂v2*x1 + ∂f/∂v3*cos(x2)
    """
    return derive(fn, inputs, mode, layout)
