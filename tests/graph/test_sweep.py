"""Every primitive of the table, every sample: traced, simplified and read back it gives the bits of eager
mode.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule
from chainrule.base import wrap
from chainrule.core import dtypes
from chainrule.core.dtypes import dtype
from chainrule.ops.primitive import ELEMENTWISE, TABLE
from tests.graph.checks import check
from tests.ops.cases import Case, cases, is_float, moving
from tests.ops.check_values import accepts, as_type

CASES = [case for op in TABLE.values() for case in cases(op)]
KINDS = [dtypes.float32, dtypes.float64]
TAKEN = [(case, kind) for case in CASES for kind in KINDS if accepts(case.op, kind)]


def settled(case: Case, kind: dtype) -> tuple[list[Any], dict[str, Any]]:
    arrays = as_type(case.arrays(), kind) if any(map(is_float, case.arrays())) else case.arrays()
    return arrays, case.sample.settings_for(arrays)


def mended(case: Case, arrays: list[Any]) -> list[Any]:
    """Inputs that the op is meant for, made before: making them is not what is tested."""
    within = case.sample.within
    return arrays if within is None else [within(wrap(arrays[0]))._a, *arrays[1:]]


@pytest.mark.parametrize(("case", "kind"), TAKEN, ids=str)
def test_value(case: Case, kind: dtype) -> None:
    arrays, settings = settled(case, kind)
    check(lambda *xs: case.op(*xs, **settings), mended(case, arrays))


@pytest.mark.parametrize(("case", "kind"), [pair for pair in TAKEN if pair[0].op.differentiable], ids=str)
def test_gradient(case: Case, kind: dtype) -> None:
    arrays, settings = settled(case, kind)
    arrays = mended(case, arrays)
    inputs = moving(case.op, arrays)

    def gradient(*xs: Any) -> Any:
        leaves = [x.detach().clone().requires_grad_() if i in inputs else x for i, x in enumerate(xs)]
        out = case.op(*leaves, **settings)
        if not out.requires_grad:  # a cast to integers
            return out
        weights = chainrule.arange(1, out.numel() + 1).to(out.dtype).reshape(out.shape)
        wanted = [leaves[i] for i in inputs]
        return chainrule.autograd.grad(out, wanted, weights, materialize_grads=True)

    check(gradient, arrays)


ELEMENTWISE_OPS = [
    (op, kind) for op in TABLE.values() for kind in KINDS if op.kind == ELEMENTWISE and accepts(op, kind)
]


@pytest.mark.parametrize(("op", "kind"), ELEMENTWISE_OPS, ids=lambda x: x.name)
def test_special_values(op: Any, kind: dtype) -> None:
    special = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 1e-45, 3e38], kind.numpy)
    grids = np.meshgrid(*[special] * len(op.inputs), indexing="ij")
    settings = op.samples[0].settings_for([special])
    check(lambda *xs: op(*xs, **settings), [g.reshape(-1).astype(kind.numpy) for g in grids])
