"""What the sweep checks of one primitive and one sample; each check raises an AssertionError that says more.

`test_sweep.py` runs them over the table, `test_checker.py` on entries that are wrong on purpose. The wanted
values come from `references.py`, derivatives from central differences in float64.
"""

from __future__ import annotations

import functools
import inspect
import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import chainrule
from chainrule.base import wrap
from chainrule.core import dtypes, memory
from chainrule.core.dtypes import FROM_NUMPY, dtype
from chainrule.core.errors import ArgumentError, DTypeError, IndexingError, ShapeError
from chainrule.core.shapes import BroadcastMismatch
from chainrule.ops.forward import jvp_of
from chainrule.ops.primitive import ELEMENTWISE, TABLE, VIEW, Primitive, Sample
from tests.ops.references import REFERENCES, Elementwise, Properties
from tests.tolerances import Tolerance, assert_close, difference_tolerance, value_tolerance

Array = np.ndarray[Any, Any]
FLOAT64 = np.dtype(np.float64)


class Case(NamedTuple):
    """One sample of one op."""

    op: Primitive
    sample: Sample
    number: int

    def __str__(self) -> str:
        return f"{self.op.name}-{self.number}"

    def rng(self) -> np.random.Generator:
        return np.random.default_rng([*self.op.name.encode(), self.number])

    def arrays(self) -> list[Array]:
        return self.sample.arrays(self.rng())


def cases(op: Primitive) -> list[Case]:
    return [Case(op, s, i) for i, s in enumerate(op.samples)]


def tensors(arrays: list[Any]) -> list[Any]:
    return [wrap(np.array(a)) if isinstance(a, np.ndarray | np.generic) else a for a in arrays]


def outputs(result: Any) -> list[Array]:
    return [y._a for y in (result if isinstance(result, tuple) else (result,))]


def run(case: Case, xs: list[Any], settings: dict[str, Any]) -> Any:
    """The op, on inputs of the kind that it is meant for."""
    within = case.sample.within
    return case.op(*xs, **settings) if within is None else case.op(within(xs[0]), *xs[1:], **settings)


def evaluate(case: Case, arrays: list[Any], settings: dict[str, Any]) -> list[Array]:
    return outputs(run(case, tensors(arrays), settings))


def is_float(a: Any) -> bool:
    return isinstance(a, np.ndarray) and a.dtype.kind == "f"


def moving(op: Primitive, arrays: list[Any]) -> list[int]:
    """The inputs that a gradient flows to."""
    if not op.differentiable:
        return []
    return [i for i, a in enumerate(arrays) if is_float(a) and op.rule_for(i) is not None]


# -- values, shapes and types --------------------------------------------------------------------------


def as_type(arrays: list[Array], kind: dtype) -> list[Array]:
    """The sample in another type; an index or a condition beside floats stays what it is."""
    if any(is_float(a) for a in arrays):
        return [_converted(a, kind) if is_float(a) else a for a in arrays]
    return [_converted(a, kind) for a in arrays]


def _converted(a: Array, kind: dtype) -> Array:
    if kind.is_floating_point:
        return np.asarray(a, kind.numpy)
    if a.dtype.kind == "f":
        a = np.rint(4 * np.nan_to_num(a, posinf=3, neginf=-3))
    if kind is dtypes.bool_:
        return np.asarray(a > 0)
    return np.asarray(a if kind.is_signed else np.abs(a), kind.numpy)


def accepts(op: Primitive, kind: dtype) -> bool:
    """Whether the dtype rule takes inputs of this type."""
    rule = op.dtype
    if rule.floating and not kind.is_floating_point:
        return True
    if rule.counting and kind is dtypes.bool_:
        return True
    return kind.category in rule.accepts and (rule.half or kind is not dtypes.float16)


def check_value(case: Case, kind: dtype) -> None:
    """Value against the reference; inputs stay as they are, and only a view shares their memory."""
    op = case.op
    arrays = as_type(case.arrays(), kind)
    settings = case.sample.settings_for(arrays)
    given = tensors(arrays)
    results = outputs(op(*given, **settings))
    compare_with_reference(op, results, arrays, settings)
    for i, (x, a) in enumerate(zip(given, arrays, strict=True)):
        assert np.array_equal(x._a, a, equal_nan=is_float(a)), f"{case}: input {i} was changed"
        shared = any(np.shares_memory(x._a, r) for r in results)
        if op.kind is not VIEW:
            assert not shared, f"{case}: the result shares memory with input {i}"
        elif a.size and results[0].size:
            assert shared, f"{case}: a view of contiguous memory does not share it"


def compare_with_reference(
    op: Primitive, results: list[Array], arrays: list[Array], settings: dict[str, Any]
) -> None:
    reference = REFERENCES[op.name]
    bound = value_tolerance(results[0].dtype, op.name)
    if isinstance(reference, Properties):
        wide = [r.astype(np.float64) for r in results]
        for what, got, wanted in reference.pairs(wide, *[a.astype(np.float64) for a in arrays], **settings):
            assert_close(got, np.broadcast_to(wanted, got.shape), bound, f"{op.name}: {what}")
        return
    wanted = np.asarray(reference(*arrays, **settings), object)
    assert_close(results[0], in_type(wanted, results[0].dtype), bound, op.name)


def in_type(wanted: Array, kind: np.dtype[Any]) -> Array:
    """Python numbers as the type holds them: integers wrap around, floats that are too large are infinite."""
    if kind.kind in "iu":
        modulus = 1 << (8 * kind.itemsize)
        return np.vectorize(lambda v: int(v) % modulus, otypes=[np.uint64])(wanted).astype(kind)
    with np.errstate(over="ignore"):
        return wanted.astype(kind)


def check_rules(case: Case, kind: dtype) -> None:
    """The shape rule and the dtype rule say what really comes out."""
    op = case.op
    arrays = as_type(case.arrays(), kind)
    settings = case.sample.settings_for(arrays)
    results = outputs(op(*tensors(arrays), **settings))
    said = op.shape(*[a.shape for a in arrays], **settings)
    said = list(said) if op.outputs != 1 else [said]
    assert [r.shape for r in results] == said, (
        f"{case}: the shape rule says {said}, the results have {[r.shape for r in results]}"
    )
    rule = op.dtype
    common = FROM_NUMPY[arrays[rule.first].dtype]
    if rule.unify:
        common = functools.reduce(dtypes.promote, [FROM_NUMPY[a.dtype] for a in arrays[rule.first :]])
    if rule.floating and not common.is_floating_point:
        common = dtypes.float32
    if rule.counting and common is dtypes.bool_:
        common = dtypes.int64
    wanted = rule.output(common, settings)
    assert all(r.dtype == wanted.numpy for r in results), (
        f"{case}: the dtype rule says {wanted} for {kind}, the results have {[r.dtype for r in results]}"
    )


def check_refusal(case: Case, kind: dtype) -> None:
    """A type that the rule does not take is refused, by name and with the op."""
    arrays = as_type(case.arrays(), kind)
    settings = case.sample.settings_for(arrays)
    with pytest.raises(DTypeError) as caught:
        case.op(*tensors(arrays), **settings)
    assert caught.value.summary.startswith(f"{case.op.formula} got {kind.name} ")
    assert case.op.dtype.wanted in caught.value.summary


def check_out(case: Case) -> None:
    """A NumPy rule that takes `out=` writes the whole result there and nothing else."""
    arrays = case.arrays()
    settings = case.sample.settings_for(arrays)
    with np.errstate(all="ignore"):
        wanted = np.asarray(case.op.numpy(*arrays, **settings))
        buffer = np.full(wanted.size + 2, 7).astype(wanted.dtype)
        place = buffer[1:-1].reshape(wanted.shape)
        got = case.op.numpy(*arrays, **settings, out=place)
    assert got is place, f"{case}: the result is not the array given as out="
    assert_close(place, wanted, Tolerance(0, 0), f"{case}: out=")
    assert buffer[0] == buffer[-1] == np.array(7).astype(wanted.dtype), f"{case}: out= was overrun"


# -- derivatives ---------------------------------------------------------------------------------------


def differentiable(case: Case, arrays: list[Any], settings: dict[str, Any]) -> list[int]:
    """The inputs to differentiate by; none unless all is float64, where differences are exact enough."""
    inputs = moving(case.op, arrays)
    if not inputs:
        return []
    (out,) = evaluate(case, arrays, settings)
    return inputs if out.dtype == FLOAT64 else []


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


def _moved(arrays: list[Any], i: int, x: Array) -> list[Any]:
    return [x if k == i else a for k, a in enumerate(arrays)]


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
        wanted = differences(lambda v, i=i: evaluate(case, _moved(arrays, i, v), settings)[0], x)
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
        wanted = differences(lambda v, i=i: functional(_moved(arrays, i, v), g), arrays[i])
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
    for moved in subsets:
        directions = {i: rng.standard_normal(arrays[i].shape) for i in moved}
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
        which = ", ".join(map(op.input_name, moved))
        assert_close(tangent._a, wanted, difference_tolerance(op.name), f"{case}: jvp along {which}")
        g = rng.standard_normal(out._a.shape)
        back = gradients(case, arrays, settings, g, moved)
        left = float((g * tangent._a).sum())
        right = sum(float((b * directions[i]).sum()) for i, b in zip(moved, back, strict=True))
        scale = 1 + sum(np.abs(b * directions[i]).sum() for i, b in zip(moved, back, strict=True))
        assert abs(left - right) <= 1e-13 * scale, f"{case}: <g, J t> = {left}, <Jᵀg, t> = {right} ({which})"


@functools.cache
def vocabulary() -> dict[str, Any]:
    """The words of the texts in `d`: functions of the package, entries of the table, helpers beside them."""
    import chainrule.ops as ops

    def lifted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **settings: Any) -> Any:
            return function(
                *[wrap(np.asarray(a, float)) if isinstance(a, float | int) else a for a in args], **settings
            )

        return call

    words: dict[str, Any] = {
        n: f for n, f in vars(chainrule).items() if callable(f) and not n.startswith("_")
    }
    words |= {n: lifted(op) if op.kind == ELEMENTWISE else op for n, op in TABLE.items()}
    for module in filter(inspect.ismodule, vars(ops).values()):
        words |= {
            n: f
            for n, f in vars(module).items()
            if getattr(f, "__module__", "") == module.__name__ and not n.startswith("_")
        }
    return words | {"pi": math.pi}


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
        value = eval(text, dict(vocabulary()), names | {"i": i})
        if op.kind == ELEMENTWISE:
            value = wrap(g) * value
        got = chainrule.ops.views.reduce_to(value, arrays[i].shape)
        bound = value_tolerance(wanted.dtype, op.name)
        assert_close(got._a, wanted, bound, f"{case}: the text {text!r} for {op.input_name(i)}")


# -- other inputs --------------------------------------------------------------------------------------


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


def attempt(action: Callable[..., Any], *args: Any, **settings: Any) -> tuple[Any, str]:
    """(result, "") or (None, what was wrong)."""
    try:
        return action(*args, **settings), ""
    except (ArgumentError, IndexingError, ShapeError) as err:
        return None, err.summary


def check_same_tensor(case: Case) -> bool:
    """One tensor as two inputs gets the sum of both gradients. Whether the op can take it so."""
    op = case.op
    arrays = case.arrays()
    settings = case.sample.settings_for(arrays)
    inputs = moving(op, arrays)
    done = False
    for i, j in [(i, j) for i in inputs for j in inputs if i < j]:
        twice = _moved(arrays, j, arrays[i])
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
    mixed = _moved(arrays, i, value)  # type: ignore[arg-type]
    results = evaluate(case, mixed, settings)
    compare_with_reference(op, results, _moved(arrays, i, np.array(value)), settings)
    check_gradient(case, mixed)


# -- along axes ------------------------------------------------------------------------------------------

AXES = [(), (1,), (0,), (3,), (2, 0), (0, 2), (1, 3, 1), (2, 1, 3)]


def check_axes(case: Case) -> None:
    """Along axes: 0-d, empty and length-1 axes, every axis and set of axes; value and whole Jacobian."""
    op = case.op
    arrays = case.arrays()
    for shape in AXES:
        given = [np.resize(a, shape) for a in arrays]
        for settings in _axis_settings(case.sample.settings, len(shape)):
            changed = Case(op, case.sample._replace(settings=settings), case.number)
            wanted, problem = attempt(op.shape, *[shape] * len(given), **settings)
            results, refused = attempt(evaluate, changed, given, settings)
            assert problem == refused, f"{case}: {shape}, {settings}: {refused}"
            if problem:
                continue
            assert results[0].shape == wanted
            compare_with_reference(op, results, given, settings)
            check_gradient(changed, given)


def _axis_settings(settings: dict[str, Any], rank: int) -> Iterator[dict[str, Any]]:
    if isinstance(settings["dim"], int):
        dims: list[Any] = list(range(max(rank, 1)))
    else:
        dims = [d for n in range(rank + 1) for d in itertools.combinations(range(rank), n)]
    for dim in dims:
        for keepdim in [False, True] if "keepdim" in settings else [None]:
            yield settings | {"dim": dim} | ({} if keepdim is None else {"keepdim": keepdim})


# -- elementwise ---------------------------------------------------------------------------------------

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
