"""The sweep: every primitive of the table, every sample, every check. A new op is tested by being registered.

The checks are in `check_*.py`, wanted values in `references.py`; `test_checker.py` shows that they can fail.
"""

from __future__ import annotations

import pytest

from chainrule.core import dtypes
from chainrule.core.dtypes import dtype
from chainrule.ops.primitive import ELEMENTWISE, NOT_BATCHED, RANDOM, REDUCTION, SCAN, TABLE, Primitive
from tests.ops import check_batch, check_derivatives, check_inputs, check_values
from tests.ops.cases import Case, cases, moving
from tests.ops.references import REFERENCES
from tests.tolerances import LOOSER, VALUE

OPS = list(TABLE.values())
CASES = [case for op in OPS for case in cases(op)]
SMOOTH = [case for case in CASES if case.op.differentiable]
ELEMENTWISE_OPS = [op for op in OPS if op.kind == ELEMENTWISE]
ELEMENTWISE_CASES = [case for case in CASES if case.op.kind == ELEMENTWISE]

BATCHED = [case for case in CASES if case.op.batch is not NOT_BATCHED]
ALONG_AXES = [case for case in CASES if case.op.kind in (REDUCTION, SCAN) and "dim" in case.sample.settings]

every_case = pytest.mark.parametrize("case", CASES, ids=str)
every_derivative = pytest.mark.parametrize("case", SMOOTH, ids=str)
every_type = pytest.mark.parametrize("kind", dtypes.ALL, ids=lambda d: d.name)


def test_every_entry_has_a_reference_and_every_reference_an_entry() -> None:
    assert set(REFERENCES) == set(TABLE)


def test_every_looser_tolerance_is_for_an_op_and_has_a_reason() -> None:
    for (name, kind), (_, reason) in LOOSER.items():
        assert name in TABLE
        assert kind in {*VALUE, "differences"}
        assert len(reason.split()) >= 3


@every_case
@every_type
def test_value_shape_and_type(case: Case, kind: dtype) -> None:
    if check_values.accepts(case.op, kind):
        check_values.check_value(case, kind)
        check_values.check_rules(case, kind)
    else:
        check_values.check_refusal(case, kind)


@pytest.mark.parametrize("case", [c for c in CASES if c.op.writes_out], ids=str)
def test_out(case: Case) -> None:
    check_values.check_out(case)


@every_derivative
def test_gradient(case: Case) -> None:
    check_derivatives.check_gradient(case)


@every_derivative
@pytest.mark.parametrize("kind", [dtypes.float16, dtypes.float32], ids=lambda d: d.name)
def test_gradient_in_lower_precision(case: Case, kind: dtype) -> None:
    if check_values.accepts(case.op, kind):
        check_derivatives.check_gradient_type(case, kind)


@every_derivative
def test_second_derivative(case: Case) -> None:
    check_derivatives.check_second(case)


@every_derivative
def test_forward_mode(case: Case) -> None:
    check_derivatives.check_jvp(case)


@every_derivative
def test_text_of_the_derivative(case: Case) -> None:
    check_derivatives.check_text(case)


@every_case
@pytest.mark.parametrize("layout", ["transposed", "strided", "offset", "expanded"])
def test_views_of_other_memory(case: Case, layout: str) -> None:
    check_inputs.check_layout(case, layout)


@pytest.mark.parametrize("op", [op for op in OPS if op.differentiable], ids=lambda op: op.name)
def test_the_same_tensor_as_two_inputs(op: Primitive) -> None:
    done = [check_inputs.check_same_tensor(case) for case in cases(op)]
    several = any(len(moving(op, case.arrays())) > 1 for case in cases(op))
    assert any(done) == several, f"{op.name} needs a sample that can take one tensor twice"


@pytest.mark.parametrize("case", [c for c in ELEMENTWISE_CASES if len(c.op.inputs) > 1], ids=str)
def test_a_python_number_as_input(case: Case) -> None:
    for i in range(len(case.op.inputs)):
        check_inputs.check_number(case, i)


@pytest.mark.parametrize("case", ELEMENTWISE_CASES, ids=str)
def test_elementwise_shapes(case: Case) -> None:
    check_inputs.check_shapes(case)


@pytest.mark.parametrize("case", ALONG_AXES, ids=str)
def test_axes(case: Case) -> None:
    check_inputs.check_axes(case)


@pytest.mark.parametrize("case", ELEMENTWISE_CASES, ids=str)
def test_large_elementwise(case: Case) -> None:
    check_inputs.check_large(case)


@pytest.mark.parametrize("kind", [dtypes.float32, dtypes.float64], ids=lambda d: d.name)
@pytest.mark.parametrize(
    "op", [op for op in ELEMENTWISE_OPS if check_values.accepts(op, dtypes.float64)], ids=lambda op: op.name
)
def test_special_values(op: Primitive, kind: dtype) -> None:
    check_inputs.check_special(op, kind)


def test_only_draws_are_not_batched() -> None:
    assert all((op.batch is NOT_BATCHED) == (op.kind == RANDOM) for op in OPS)


@pytest.mark.parametrize("case", BATCHED, ids=str)
@pytest.mark.parametrize("size", [3, 1, 0])
def test_rows(case: Case, size: int) -> None:
    check_batch.check_rows(case, size)


@every_derivative
def test_gradient_of_rows(case: Case) -> None:
    check_batch.check_rows_gradient(case)


@pytest.mark.parametrize("case", BATCHED, ids=str)
def test_rows_in_a_trace(case: Case) -> None:
    check_batch.check_rows_traced(case)


@pytest.mark.parametrize("case", [c for c in ELEMENTWISE_CASES if len(c.op.inputs) > 1], ids=str)
def test_rows_and_a_python_number(case: Case) -> None:
    check_batch.check_rows_and_number(case)


@pytest.mark.parametrize("case", ALONG_AXES, ids=str)
def test_rows_of_numbers(case: Case) -> None:
    check_batch.check_rows_of_numbers(case)
