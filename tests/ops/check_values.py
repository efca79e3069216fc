"""Checks of the sweep: values against the references, and what the shape and dtype rules say.

Each check takes a case and raises an AssertionError that says more. Next: `check_derivatives.py`.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

from chainrule.core import dtypes
from chainrule.core.dtypes import FROM_NUMPY, dtype
from chainrule.core.errors import DTypeError
from chainrule.ops.primitive import VIEW, Primitive
from tests.ops.cases import Array, Case, is_float, outputs, tensors
from tests.ops.references import REFERENCES, Properties
from tests.tolerances import Tolerance, assert_close, value_tolerance


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
