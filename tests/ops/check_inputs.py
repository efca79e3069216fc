"""Checks of the sweep with other inputs than the samples: views, axes, shapes, sizes, special values.

`test_sweep.py` runs all checks over the table, `test_checker.py` on entries that are wrong on purpose.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import chainrule
from chainrule.base import wrap
from chainrule.core import memory
from chainrule.core.dtypes import dtype
from chainrule.core.errors import IndexingError, ShapeError
from chainrule.core.shapes import BroadcastMismatch
from chainrule.ops.primitive import Primitive
from tests.ops.cases import Array, Case, attempt, evaluate, is_float, moved, moving, outputs, tensors
from tests.ops.check_derivatives import check_gradient
from tests.ops.check_values import compare_with_reference
from tests.ops.elementwise_references import Elementwise
from tests.ops.references import REFERENCES
from tests.tolerances import assert_close, value_tolerance


def layouts(x: Array) -> Iterator[tuple[str, Array, Callable[[Any], Any]]]:
    """(name, base, view): memory in which x (or for "expanded" a part of it, repeated) lies otherwise."""
    yield "transposed", np.array(x.T, order="C"), lambda b: b.T
    if x.ndim == 0:
        return
    doubled = np.zeros([2 * n for n in x.shape], x.dtype)
    key = tuple(slice(0, None, 2) for _ in x.shape)
    doubled[key] = x
    yield "strided", doubled, lambda b: b[key]
    longer = np.zeros((x.shape[0] + 1, *x.shape[1:]), x.dtype)
    longer[1:] = x
    yield "offset", longer, lambda b: b[1:]
    if x.shape[-1]:
        yield "expanded", x[..., :1].copy(), lambda b: b.expand(*x.shape)


def check_layout(case: Case, layout: str) -> None:
    """Views of other memory give the values and gradients that fresh copies of them give."""
    op = case.op
    arrays = case.arrays()
    settings = case.sample.settings_for(arrays)
    bases: list[Any] = []
    views: list[Any] = []
    for a in arrays:
        chosen = {name: (base, view) for name, base, view in layouts(a)}.get(layout, (a, lambda b: b))
        base = wrap(chosen[0])
        if is_float(a):
            base.requires_grad_()
        bases.append(base)
        views.append(chosen[1](base))
    copies = [v.detach().clone() for v in views]
    for c, b in zip(copies, bases, strict=True):
        c.requires_grad_(b.requires_grad)
    wanted, problem = attempt(op, *copies, **settings)
    got, refused = attempt(op, *views, **settings)
    assert problem == refused, f"{case}: {layout}: {refused}"  # repeated rows make a matrix singular
    if problem:
        return
    for y, z in zip(outputs(got), outputs(wanted), strict=True):
        assert_close(y, z, value_tolerance(z.dtype, op.name), f"{case}: {layout}")
    if op.outputs != 1 or not wanted.requires_grad:
        return
    g = wrap(case.rng().standard_normal(wanted._a.shape).astype(wanted._a.dtype))
    _, problem = attempt(wanted.backward, g)
    _, refused = attempt(got.backward, g, retain_graph=True)
    assert problem == refused, f"{case}: {layout}, backward: {refused}"
    for i, (base, view, copy) in enumerate(zip(bases, views, copies, strict=True)):
        assert (base.grad is None) == (copy.grad is None), f"{case}: {layout}, gradient of input {i}"
        if copy.grad is not None:
            back = copy.grad if view is base else chainrule.autograd.grad(view, base, copy.grad)[0]
            bound = value_tolerance(back._a.dtype, op.name)
            assert_close(base.grad._a, back._a, bound, f"{case}: {layout}, gradient of input {i}")


def check_same_tensor(case: Case) -> bool:
    """One tensor as two inputs gets the sum of both gradients. Whether the op can take it so."""
    op = case.op
    arrays = case.arrays()
    settings = case.sample.settings_for(arrays)
    inputs = moving(op, arrays)
    done = False
    for i, j in [(i, j) for i in inputs for j in inputs if i < j]:
        twice = moved(arrays, j, arrays[i])
        try:
            op.shape(*[a.shape for a in twice], **settings)
        except (IndexingError, ShapeError, BroadcastMismatch):
            continue
        apart = tensors(twice)
        shared = tensors(twice)
        shared[j] = shared[i]
        apart[i].requires_grad_()
        apart[j].requires_grad_()
        shared[i].requires_grad_()
        wanted, got = op(*apart, **settings), op(*shared, **settings)
        g = case.rng().standard_normal(wanted._a.shape)
        wanted.backward(wrap(g))
        got.backward(wrap(g))
        bound = value_tolerance(np.float64, op.name)
        assert_close(got._a, wanted._a, bound, f"{case}: the same tensor twice")
        both = apart[i].grad._a + apart[j].grad._a
        assert_close(shared[i].grad._a, both, bound, f"{case}: gradient of the same tensor twice")
        done = True
    return done


def check_number(case: Case, i: int) -> None:
    """A Python number in the place of an input: the value, and the gradients of the others."""
    op = case.op
    arrays: list[Any] = case.arrays()
    settings = case.sample.settings_for(arrays)
    if not is_float(arrays[i]):
        return
    value = float(arrays[i].flat[0])
    mixed = moved(arrays, i, value)  # type: ignore[arg-type]
    results = evaluate(case, mixed, settings)
    compare_with_reference(op, results, moved(arrays, i, np.array(value)), settings)
    check_gradient(case, mixed)


AXES = [(), (1,), (0,), (3,), (2, 0), (0, 2), (1, 3, 1), (2, 1, 3)]


def check_axes(case: Case) -> None:
    """Along axes: 0-d, empty and length-1 axes, every axis and set of axes; value and whole Jacobian."""
    op = case.op
    arrays = case.arrays()
    for shape in AXES:
        given = [np.resize(a, shape) for a in arrays]
        for settings in axis_settings(case.sample.settings, len(shape)):
            changed = Case(op, case.sample._replace(settings=settings), case.number)
            wanted, problem = attempt(op.shape, *[shape] * len(given), **settings)
            results, refused = attempt(evaluate, changed, given, settings)
            assert problem == refused, f"{case}: {shape}, {settings}: {refused}"
            if problem:
                continue
            assert results[0].shape == wanted
            compare_with_reference(op, results, given, settings)
            check_gradient(changed, given)


def axis_settings(settings: dict[str, Any], rank: int) -> Iterator[dict[str, Any]]:
    """The settings with every axis, or set of axes, of a tensor of that rank."""
    if isinstance(settings["dim"], int):
        dims: list[Any] = list(range(max(rank, 1)))
    else:
        dims = [d for n in range(rank + 1) for d in itertools.combinations(range(rank), n)]
    for dim in dims:
        for keepdim in [False, True] if "keepdim" in settings else [None]:
            yield settings | {"dim": dim} | ({} if keepdim is None else {"keepdim": keepdim})


SHAPES = [
    ((), (), ()),
    ((1,), (1,), (1,)),
    ((3,), (), (1,)),
    ((2, 1), (1, 3), (2, 3)),
    ((1, 3, 1), (3, 2), ()),
    ((0,), (1,), ()),
    ((2, 0, 3), (1, 3), (2, 1, 1)),
]


def check_shapes(case: Case) -> None:
    """Elementwise: 0-d, length 1 and 0, axes of size 1, and broadcast pairs: value and whole Jacobian."""
    arrays = case.arrays()
    for shapes in SHAPES:
        given = [np.resize(a, s) for a, s in zip(arrays, shapes, strict=False)]
        settings = case.sample.settings_for(given)
        results = evaluate(case, given, settings)
        assert results[0].shape == np.broadcast_shapes(*[a.shape for a in given])
        compare_with_reference(case.op, results, given, settings)
        check_gradient(case, given)


def check_large(case: Case) -> None:
    """Elementwise: results above the threshold of recycled memory equal the small ones, and do lie there."""
    op = case.op
    spread = [np.array(a) for a in np.broadcast_arrays(*case.arrays())]
    settings = case.sample.settings_for(spread)
    small = evaluate(case, spread, settings)[0].reshape(-1)
    bound = value_tolerance(small.dtype, op.name)
    columns = 64
    rows = memory.THRESHOLD // (small.itemsize * columns) + 10
    flat = [np.resize(a, (rows, columns)) for a in spread]
    large = evaluate(case, flat, settings)[0]
    assert_close(large, np.resize(small, (rows, columns)), bound, f"{case}: large")
    if op.writes_out:
        base = large
        while isinstance(base.base, np.ndarray):
            base = base.base
        assert base.dtype == np.uint8, f"{case}: a large result does not lie in recycled memory"
    # the same from memory that is laid out otherwise, and from rows that are repeated
    turned = op(*[wrap(np.array(a.T, order="C")).T for a in flat], **settings)
    assert_close(turned._a, large, bound, f"{case}: large, transposed")
    if len(flat) > 1:
        lower = [a[:1] if i else a for i, a in enumerate(flat)]
        full = [np.array(np.broadcast_to(a, (rows, columns))) for a in lower]
        pair = evaluate(case, lower, settings)[0], evaluate(case, full, settings)[0]
        assert_close(*pair, bound, f"{case}: large, broadcast")


FINITE = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, -3.5, 3.0]


SPECIAL = [*FINITE, math.inf, -math.inf, math.nan]


def special_values(kind: np.dtype[Any]) -> Array:
    info = np.finfo(kind)
    edges = [info.max, info.min, info.tiny, -info.tiny, info.smallest_subnormal, -info.smallest_subnormal]
    return np.array([*SPECIAL, *edges], kind)


def check_special(op: Primitive, kind: dtype) -> None:
    """Elementwise: zeros of both signs, infinities, NaN, subnormal and huge numbers, in all combinations."""
    reference = REFERENCES[op.name]
    assert isinstance(reference, Elementwise)
    count = len(op.inputs)
    values = special_values(kind.numpy)
    arrays = [a.ravel() for a in np.meshgrid(*[values] * count, indexing="ij")]
    if op.dtype.first:
        arrays[0] = arrays[0] > 0
    settings = op.samples[0].settings_for(arrays)
    (got,) = outputs(op(*tensors(arrays), **settings))
    with np.errstate(all="ignore"):
        wide = [a.astype(np.longdouble) if a.dtype.kind == "f" else a for a in arrays]
        wanted = np.asarray(reference.special(*wide, **settings)).astype(got.dtype)
    relative = value_tolerance(got.dtype, op.name).rtol
    least = 2 * float(np.finfo(kind.numpy).smallest_subnormal)
    with np.errstate(all="ignore"):
        close = np.isclose(got.astype(float), wanted.astype(float), rtol=relative, atol=least, equal_nan=True)
    wrong = [tuple(a[k].item() for a in arrays) for k in np.flatnonzero(~close)]
    assert not wrong, f"{op.name} {kind}: at {wrong[:5]} got {got[~close][:5]}, wanted {wanted[~close][:5]}"
