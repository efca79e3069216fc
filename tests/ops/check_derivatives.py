"""Checks of the sweep: gradients, forward mode and the texts in `d`, against central differences in float64.

Next: `check_inputs.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import chainrule
from chainrule.base import wrap
from chainrule.core import dtypes
from chainrule.core.dtypes import dtype
from chainrule.explain.formula import Formula, vocabulary
from chainrule.ops.forward import jvp_of
from chainrule.ops.primitive import ELEMENTWISE
from tests.ops.cases import (
    Array,
    Case,
    differentiable,
    evaluate,
    moved,
    moving,
    run,
    tensors,
)
from tests.ops.check_values import as_type
from tests.tolerances import assert_close, difference_tolerance, value_tolerance


def gradients(
    case: Case,
    arrays: list[Any],
    settings: dict[str, Any],
    g: Any,
    inputs: list[int],
) -> list[Array]:
    """The gradient for each of `inputs` when `g` arrives, through the tape."""
    xs = tensors(arrays)
    for i in inputs:
        xs[i].requires_grad_()
    out = run(case, xs, settings)
    found = chainrule.autograd.grad(out, [xs[i] for i in inputs], wrap(np.array(g)), materialize_grads=True)
    return [f._a for f in found]


def differences(f: Callable[[Array], Array], x: Array) -> Array:
    """df/dx by central differences: (elements of x, *shape of f)."""
    rows = []
    for place in np.ndindex(x.shape):
        step = np.cbrt(np.finfo(np.float64).eps) * max(1.0, abs(x[place]))
        up, down = x.copy(), x.copy()
        up[place] += step
        down[place] -= step
        rows.append((f(up) - f(down)) / (up[place] - down[place]))
    return np.array(rows)


def check_gradient(case: Case, arrays: list[Any] | None = None) -> None:
    """The whole Jacobian, input by input, against central differences."""
    op = case.op
    arrays = case.arrays() if arrays is None else arrays
    settings = case.sample.settings_for(arrays)
    inputs = differentiable(case, arrays, settings)
    if not inputs:
        return
    (out,) = evaluate(case, arrays, settings)
    rows = []
    for place in np.ndindex(out.shape):
        g = np.zeros(out.shape)
        g[place] = 1
        rows.append(gradients(case, arrays, settings, g, inputs))
    for k, i in enumerate(inputs):
        x = arrays[i]
        wanted = differences(lambda v, i=i: evaluate(case, moved(arrays, i, v), settings)[0], x)
        got = np.array([row[k] for row in rows]).reshape(out.size, x.size).T.reshape(x.size, *out.shape)
        assert_close(
            got,
            wanted.reshape(got.shape),
            difference_tolerance(op.name),
            f"{case}: d out / d {op.input_name(i)}",
        )


def check_gradient_type(case: Case, kind: dtype) -> None:
    """In lower precision the gradient has the type of the input, and the value of the one in float64."""
    op = case.op
    low = as_type(case.arrays(), kind)
    high = as_type(low, dtypes.float64)
    inputs = moving(op, low)
    (out,) = evaluate(case, low, case.sample.settings_for(low))
    if not inputs or out.dtype.kind != "f":
        return
    g = case.rng().standard_normal(out.shape)
    wanted = gradients(case, high, case.sample.settings_for(high), g, inputs)
    found = gradients(case, low, case.sample.settings_for(low), g.astype(out.dtype), inputs)
    for i, got, exact in zip(inputs, found, wanted, strict=True):
        assert got.dtype == low[i].dtype, f"{case}: gradient of type {got.dtype} for {low[i].dtype}"
        bound = value_tolerance(kind.numpy, op.name)
        assert_close(got, exact.astype(got.dtype), bound, f"{case}: gradient in {kind.name}")


def check_second(case: Case) -> None:
    """The gradient of a fixed random linear functional of the gradient, by every input and by g."""
    op = case.op
    arrays = case.arrays()
    settings = case.sample.settings_for(arrays)
    inputs = differentiable(case, arrays, settings)
    if not inputs or not case.sample.smooth:
        return
    (out,) = evaluate(case, arrays, settings)
    rng = case.rng()
    g = rng.standard_normal(out.shape)
    weights = [rng.standard_normal(arrays[i].shape) for i in inputs]

    def functional(values: list[Any], arriving: Array) -> Array:
        found = gradients(case, values, settings, arriving, inputs)
        return np.array(sum(float((w * f).sum()) for w, f in zip(weights, found, strict=True)))

    xs = tensors(arrays)
    leaves = [xs[i].requires_grad_() for i in inputs]
    seed = wrap(g.copy()).requires_grad_()
    first = chainrule.autograd.grad(
        run(case, xs, settings), leaves, seed, create_graph=True, materialize_grads=True
    )
    total = sum(((wrap(w) * f).sum() for w, f in zip(weights, first, strict=True)), start=(seed * 0).sum())
    found = chainrule.autograd.grad(total, [*leaves, seed], materialize_grads=True)
    bound = difference_tolerance(op.name)
    for i, second in zip(inputs, found, strict=False):
        wanted = differences(lambda v, i=i: functional(moved(arrays, i, v), g), arrays[i])
        assert_close(
            second._a, wanted.reshape(arrays[i].shape), bound, f"{case}: second, by {op.input_name(i)}"
        )
    wanted = differences(lambda v: functional(arrays, v), g)
    assert_close(found[-1]._a, wanted.reshape(g.shape), bound, f"{case}: second, by g")


def check_jvp(case: Case) -> None:
    """Forward mode against central differences, and against reverse mode: <g, J t> = <Jᵀg, t>."""
    op = case.op
    arrays = case.arrays()
    settings = case.sample.settings_for(arrays)
    inputs = differentiable(case, arrays, settings)
    if not inputs:
        return
    rng = case.rng()
    subsets = [inputs] if len(inputs) == 1 else [inputs, *[[i] for i in inputs]]
    for chosen in subsets:
        directions = {i: rng.standard_normal(arrays[i].shape) for i in chosen}
        tangents = [wrap(directions[i]) if i in directions else None for i in range(len(arrays))]
        within = case.sample.within or (lambda x: x)
        primals = tensors(arrays)
        primals[0] = within(primals[0])
        tangents[0] = tangents[0] if tangents[0] is None else within(tangents[0])
        out, tangent = jvp_of(op, primals, tangents, settings)
        assert tangent._a.shape == out._a.shape, f"{case}: the tangent has another shape than the result"

        def along(t: Array, directions: dict[int, Array] = directions) -> Array:
            values = [a + t * directions[i] if i in directions else a for i, a in enumerate(arrays)]
            return evaluate(case, values, settings)[0]

        wanted = differences(along, np.zeros(()))[0]
        which = ", ".join(map(op.input_name, chosen))
        assert_close(tangent._a, wanted, difference_tolerance(op.name), f"{case}: jvp along {which}")
        g = rng.standard_normal(out._a.shape)
        back = gradients(case, arrays, settings, g, chosen)
        left = float((g * tangent._a).sum())
        right = sum(float((b * directions[i]).sum()) for i, b in zip(chosen, back, strict=True))
        scale = 1 + sum(np.abs(b * directions[i]).sum() for i, b in zip(chosen, back, strict=True))
        assert abs(left - right) <= 1e-13 * scale, f"{case}: <g, J t> = {left}, <Jᵀg, t> = {right} ({which})"


def check_text(case: Case) -> None:
    """What is shown as the derivative is what runs."""
    op = case.op
    arrays = case.arrays()
    settings = case.sample.settings_for(arrays)
    inputs = moving(op, arrays)
    if not inputs:
        return
    xs = tensors(arrays)
    out = run(case, xs, settings)
    if not out.is_floating_point():
        return
    g = case.rng().standard_normal(out._a.shape).astype(out._a.dtype)
    found = gradients(case, arrays, settings, g, inputs)
    names = dict(zip(op.inputs, xs, strict=False)) | settings
    if op.tail:
        names |= {op.tail: tuple(xs[len(op.inputs) :]), "shapes": [a.shape for a in arrays]}
    names |= {"g": wrap(g), "out": out}
    for i, wanted in zip(inputs, found, strict=True):
        text = op.d[0] if op.vjp_each else op.d[i]
        assert text is not None
        value = Formula.parse(text).evaluate({**vocabulary(), **names, "i": i})
        if op.kind == ELEMENTWISE:
            value = wrap(g) * value
        got = chainrule.ops.views.reduce_to(value, arrays[i].shape)
        bound = value_tolerance(wanted.dtype, op.name)
        assert_close(got._a, wanted, bound, f"{case}: the text {text!r} for {op.input_name(i)}")
