"""Checks of the sweep: the rule for many rows at once gives what the op gives row by row, stacked.

That goes for values, types and gradients; whichever inputs are stacks, and whatever their order in memory;
for one row and for none; and for what a trace of the rule computes. Next: `check_inputs.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import numpy as np

import chainrule
from chainrule.base import wrap
from chainrule.graph import trace
from chainrule.ops.primitive import VIEW
from tests.ops.cases import FLOAT64, Array, Case, moving, outputs, tensors
from tests.tolerances import assert_close, value_tolerance

Mapped = tuple[bool, ...]


def subsets(count: int) -> Iterator[Mapped]:
    """Which inputs are mapped: every choice but none."""
    return (chosen for chosen in product((True, False), repeat=count) if any(chosen))


def rows_of(case: Case, size: int, mapped: Mapped) -> list[list[Array]]:
    """For each row what the op gets. Inputs that are not mapped are the same array in every row."""
    rng = case.rng()
    shared = case.sample.arrays(rng)
    rows = []
    for k in range(size):
        own = [_varied(a, k) for a in case.sample.arrays(rng)]
        rows.append([a if m else s for a, s, m in zip(own, shared, mapped, strict=True)])
    return rows


def _varied(a: Array, k: int) -> Array:
    """Samples name fixed places in an array; other rows shall name others."""
    if a.dtype.kind != "i":
        return a
    return np.roll(a, k, -1) if a.ndim else a * (k % 2 == 0)


def stacked(case: Case, rows: list[list[Array]], mapped: Mapped, last: bool = False) -> list[Array]:
    """The operands of the rule; last: in memory, the axis of the rows is the last one."""
    one = case.arrays()
    operands = []
    for i, m in enumerate(mapped):
        if not m:
            operands.append(rows[0][i] if rows else one[i])
        elif not rows:
            operands.append(np.empty((0, *one[i].shape), one[i].dtype))
        elif last:
            operands.append(np.moveaxis(np.stack([row[i] for row in rows], -1), -1, 0))
        else:
            operands.append(np.stack([row[i] for row in rows]))
    return operands


def run_rows(case: Case, size: int, xs: list[Any], mapped: Mapped, settings: dict[str, Any]) -> Any:
    within = case.sample.within
    return case.op.rows(size, xs if within is None else [within(xs[0]), *xs[1:]], mapped, settings)


def run_row(case: Case, xs: list[Any], settings: dict[str, Any]) -> Any:
    within = case.sample.within
    return case.op(*xs, **settings) if within is None else case.op(within(xs[0]), *xs[1:], **settings)


def check_rows(case: Case, size: int) -> None:
    """Values, shapes and types, and that the stack of views is a view; whichever inputs are mapped."""
    op = case.op
    settings = case.sample.settings_for(case.arrays())
    for mapped, last in product(subsets(len(case.sample.inputs)), (False, True)):
        rows = rows_of(case, size, mapped)
        wanted = [outputs(run_row(case, tensors(row), settings)) for row in rows or [case.arrays()]]
        xs = [wrap(a) for a in stacked(case, rows, mapped, last)]
        got = outputs(run_rows(case, size, xs, mapped, settings))
        what = f"{case}: {size} rows, mapped {mapped}{', last in memory' if last else ''}"
        assert len(got) == op.outputs
        for i, y in enumerate(got):
            one = wanted[0][i]
            whole = np.stack([w[i] for w in wanted]) if rows else np.empty((0, *one.shape), one.dtype)
            assert y.dtype == one.dtype, f"{what}: type {y.dtype} instead of {one.dtype}"
            assert_close(y, whole, value_tolerance(y.dtype, op.name), what)
        if op.kind == VIEW and got[0].size and not last:
            assert np.shares_memory(got[0], xs[0]._a), f"{what}: the stack of views is a copy"


def check_rows_gradient(case: Case) -> None:
    """Gradients through the rule: those of each row; of what all rows share, their sum."""
    op = case.op
    settings = case.sample.settings_for(case.arrays())
    size = 3
    for mapped in subsets(len(case.sample.inputs)):
        rows = rows_of(case, size, mapped)
        inputs = moving(op, rows[0])
        one = run_row(case, tensors(rows[0]), settings)
        if not inputs or one._a.dtype != FLOAT64:
            return
        g = case.rng().standard_normal((size, *one._a.shape))
        xs = tensors(stacked(case, rows, mapped))
        found = _gradients(run_rows, xs, inputs, g, case, size, xs, mapped, settings)
        each = []
        for row, arriving in zip(rows, g, strict=True):
            values = tensors(row)
            each.append(_gradients(run_row, values, inputs, arriving, case, values, settings))
        for k, i in enumerate(inputs):
            parts = np.stack([gradient[k] for gradient in each])
            wanted = parts if mapped[i] else parts.sum(0)
            assert_close(
                found[k],
                wanted,
                value_tolerance(FLOAT64, op.name),
                f"{case}: gradient for {op.input_name(i)}, mapped {mapped}",
            )


def _gradients(run: Any, xs: list[Any], inputs: list[int], g: Array, *args: Any) -> list[Array]:
    leaves = [xs[i].requires_grad_() for i in inputs]
    found = chainrule.autograd.grad(run(*args), leaves, wrap(np.array(g)), materialize_grads=True)
    return [f._a for f in found]


def check_rows_traced(case: Case) -> None:
    """A trace of the rule computes the same as the rule."""
    settings = case.sample.settings_for(case.arrays())
    for mapped in subsets(len(case.sample.inputs)):
        xs = tensors(stacked(case, rows_of(case, 2, mapped), mapped))

        def rule(*xs: Any, mapped: Mapped = mapped) -> Any:
            return run_rows(case, 2, list(xs), mapped, settings)

        for got, wanted in zip(outputs(trace(rule, *xs)(*xs)), outputs(rule(*xs)), strict=True):
            assert_close(got, wanted, value_tolerance(wanted.dtype, case.op.name), f"{case}, traced")


def check_rows_and_number(case: Case) -> None:
    """An elementwise op of stacks and a Python number."""
    op = case.op
    size = 3
    count = len(op.inputs)
    for i in range(op.dtype.first, count):
        mapped = tuple(k != i for k in range(count))
        rows = rows_of(case, size, mapped)
        number = rows[0][i].dtype.type(2).item()
        wanted = [op(*[number if k == i else x for k, x in enumerate(tensors(row))]) for row in rows]
        xs = tensors(stacked(case, rows, mapped))
        xs[i] = number
        got = op.rows(size, xs, mapped, {})
        bound = value_tolerance(got._a.dtype, op.name)
        assert_close(got._a, np.stack([w._a for w in wanted]), bound, f"{case}: number {i}")


def check_rows_of_numbers(case: Case) -> None:
    """Rows that are 0-d, and have but a virtual axis for the op to go along."""
    op = case.op
    settings = dict(case.sample.settings)
    settings["dim"] = 0 if isinstance(settings["dim"], int) else ()
    arrays = [np.array([0.7, -0.3, 1.1]) for _ in case.sample.inputs]
    rows = [[wrap(np.asarray(a[k])) for a in arrays] for k in range(3)]
    wanted = np.stack([op(*row, **settings)._a for row in rows])
    got = op.rows(3, tensors(list(arrays)), [True] * len(arrays), settings)
    assert_close(got._a, wanted, value_tolerance(wanted.dtype, op.name), f"{case}: 0-d rows")
