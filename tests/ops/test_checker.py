"""The checks of the sweep can fail: entries that are wrong on purpose, one thing each, are found out.

The second half is about registration: an entry with a forgotten or contradictory field is refused.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import chainrule
from chainrule.core import dtypes
from chainrule.core.errors import ArgumentError, ShapeError
from chainrule.graph import TraceError
from chainrule.ops import arithmetic as ar
from chainrule.ops import contract as ct
from chainrule.ops import move as mv
from chainrule.ops import reduce as rd
from chainrule.ops import scan as sc
from chainrule.ops import transcendental as tr
from chainrule.ops import views as vw
from chainrule.ops.batching import ALIGNED, STACKED, Stacked, Viewed
from chainrule.ops.gradient import Rule, each
from chainrule.ops.primitive import (
    DIAGONAL,
    ELEMENTWISE,
    LINEAR,
    NOT_DIFFERENTIABLE,
    REDUCTION,
    TABLE,
    USE_NUMPY,
    VIEW,
    Primitive,
    primitive,
    sample,
)
from chainrule.ops.rules import FLOATING, SAME, broadcast, same_shape
from chainrule.ops.samples import floats
from tests.ops.cases import Case, cases
from tests.ops.check_batch import check_rows, check_rows_gradient, check_rows_traced
from tests.ops.check_derivatives import (
    check_gradient,
    check_gradient_type,
    check_jvp,
    check_second,
    check_text,
)
from tests.ops.check_inputs import check_large, check_layout, check_number, check_same_tensor, check_special
from tests.ops.check_values import check_out, check_refusal, check_rules, check_value


def broken(op: Primitive, *, vjp: tuple[Callable[..., Any], ...] = (), **fields: Any) -> Primitive:
    """A copy of an entry with something else in some fields; it does not enter the table."""
    if vjp:
        fields["vjp"] = tuple(Rule(rule, op.inputs, op.tail, op.name) for rule in vjp)
    return dataclasses.replace(op, plans={}, **fields)


def passes(op: Primitive, check: Callable[[Case], Any]) -> None:
    for case in cases(op):
        check(case)


def fails(op: Primitive, check: Callable[[Case], Any], why: str) -> None:
    """The check fails, in at least one sample, with these words; the true entry passes it."""
    passes(TABLE[op.name], check)
    with pytest.raises(AssertionError, match=why):
        passes(op, check)


OFF = 1.001  # wrong by 0.1 %

WRONG_GRADIENTS = {
    "mul": broken(ar.MUL, vjp=(lambda g, y: OFF * g * y, lambda g, x: g * x)),
    "second input of mul": broken(ar.MUL, vjp=(lambda g, y: g * y, lambda g, x: OFF * g * x)),
    "exp": broken(tr.EXP, vjp=(lambda g, out: g * out * OFF,)),
    "tanh": broken(tr.TANH, vjp=(lambda g, out: g * (1 - OFF * out * out),)),
    "matmul": broken(ct.MATMUL, vjp=(lambda g, y: g @ y.mT, lambda g, x: (x * OFF).mT @ g)),
    "cumsum": broken(
        sc.CUMSUM, vjp=(lambda g, dim, reverse: OFF * sc.CUMSUM(g, dim=dim, reverse=not reverse),)
    ),
    "permute": broken(vw.PERMUTE, vjp=(lambda g, dims: OFF * vw.PERMUTE(g, dims=vw.inverse(dims)),)),
}


@pytest.mark.parametrize("name", WRONG_GRADIENTS)
def test_a_gradient_wrong_by_a_thousandth(name: str) -> None:
    fails(WRONG_GRADIENTS[name], check_gradient, "d out / d")


def test_a_gradient_of_the_wrong_shape() -> None:
    op = broken(vw.PERMUTE, vjp=(lambda g, dims: vw.PERMUTE(g, dims=dims),))  # not the inverse order
    with pytest.raises(RuntimeError, match=r"a gradient \(3, 2, 2\) for input x, a tensor \(2, 3, 2\)"):
        passes(op, check_gradient)


def test_one_wrong_entry_of_the_jacobian() -> None:
    def rule(g: Any, x_shape: Any, dim: Any, keepdim: bool) -> Any:
        out = rd.spread(g, x_shape, dim, keepdim).clone()
        out[(-1,) * len(x_shape)] *= OFF
        return out

    fails(
        broken(rd.SUM, vjp=(rule,)),
        check_gradient,
        r"sum-0: d out / d x: 1 of 6 elements differ",
    )


def test_a_gradient_that_is_missing() -> None:
    fails(broken(ar.ABS, vjp=(lambda g: g * 0,)), check_gradient, "d out / d x")


def test_a_wrong_second_derivative() -> None:
    op = broken(ar.SQUARE, vjp=(lambda g, x: g * (2 * x.detach()),))
    passes(op, check_gradient)
    fails(op, check_second, "second, by x")


def test_a_wrong_derivative_by_the_arriving_gradient() -> None:
    op = broken(tr.SIN, vjp=(lambda g, x: g.detach() * x.cos(),))
    passes(op, check_gradient)
    fails(op, check_second, "second, by g")


def test_a_gradient_that_loses_digits_in_float32() -> None:
    def rule(g: Any, out: Any) -> Any:
        return (g * out).half().float() if g.dtype is dtypes.float32 else g * out

    op = broken(tr.EXP, vjp=(rule,))
    fails(
        op,
        lambda case: check_gradient_type(case, dtypes.float32),
        "exp-0: gradient in float32",
    )


WRONG_TANGENTS = {
    "sin": broken(tr.SIN, jvp=lambda tangents, out, x: tangents[0] * x.cos() * OFF),
    "mul": broken(ar.MUL, jvp=LINEAR),
    "div": broken(ar.DIV, jvp=LINEAR),
    "softmax": broken(tr.TANH, jvp=lambda tangents, out, x: tangents[0] * (1 - out)),
}


@pytest.mark.parametrize("name", WRONG_TANGENTS)
def test_a_wrong_tangent(name: str) -> None:
    fails(WRONG_TANGENTS[name], check_jvp, "jvp along")


def _first_row_for_all(size: int, xs: Any, mapped: Any, settings: dict[str, Any]) -> Any:
    return tr.EXP(xs[0][:1].expand(xs[0].shape) if size else xs[0])


def _copied(size: int, x: Any, *, dims: Any) -> Any:
    yield mv.COPY, {}
    yield vw.PERMUTE, {"dims": (0, *(d + 1 for d in dims))}


WRONG_ROWS = {
    "exp": broken(tr.EXP, batch=_first_row_for_all),
    "softmax": broken(TABLE["softmax"], batch=Stacked()),  # along the rows
    "where": broken(ar.WHERE, batch=STACKED),  # ranks that differ do not meet
    "cat": broken(mv.CAT, batch=lambda size, xs, mapped, settings: mv.CAT(*xs, dim=settings["dim"] + 1)),
    "permute": broken(vw.PERMUTE, batch=Viewed(_copied)),
}


@pytest.mark.parametrize("name", WRONG_ROWS)
def test_a_wrong_rule_for_rows(name: str) -> None:
    passes(TABLE[name], lambda case: check_rows(case, 3))
    with pytest.raises((AssertionError, ShapeError)):
        passes(WRONG_ROWS[name], lambda case: check_rows(case, 3))


def test_a_rule_for_rows_that_does_for_some_sizes_only() -> None:
    op = broken(tr.EXP, batch=lambda size, xs, mapped, settings: tr.EXP(xs[0].reshape(max(size, 1), 2, 3)))
    passes(op, lambda case: check_rows(case, 1))
    with pytest.raises(ShapeError):
        passes(op, lambda case: check_rows(case, 0))


def test_a_rule_for_rows_that_stops_gradients() -> None:
    op = broken(tr.SIN, batch=lambda size, xs, mapped, settings: tr.SIN(xs[0].detach()) + 0 * xs[0])
    passes(op, lambda case: check_rows(case, 3))
    fails(op, check_rows_gradient, "sin-0: gradient for x, mapped")


def test_a_rule_for_rows_that_cannot_be_traced() -> None:
    op = broken(tr.SIN, batch=lambda size, xs, mapped, settings: chainrule.tensor(np.sin(xs[0].numpy())))
    passes(op, lambda case: check_rows(case, 3))
    with pytest.raises(TraceError):
        passes(op, check_rows_traced)


def test_a_tangent_of_the_wrong_shape() -> None:
    op = broken(rd.SUM, jvp=lambda tangents, out, x, *, dim, keepdim: tangents[0])
    fails(op, check_jvp, "the tangent has another shape than the result")


def test_forward_and_reverse_mode_that_disagree() -> None:
    # wrong by less than the differences can see
    op = broken(tr.EXP, jvp=lambda tangents, out, x: tangents[0] * out * (1 + 1e-10))
    fails(op, check_jvp, "<g, J t>")


@pytest.mark.parametrize(
    ("op", "text"),
    [(tr.TANH, "1 - tanh(x)"), (tr.LOG, "x"), (rd.SUM, "g"), (ar.NEG, "1"), (ct.MATMUL, "g @ y")],
    ids=lambda v: str(v) if isinstance(v, str) else v.name,
)
def test_a_text_that_drifted(op: Primitive, text: str) -> None:
    wrong = broken(op, d=(text, *op.d[1:]))
    passes(op, check_text)
    with pytest.raises((AssertionError, ValueError)):
        passes(wrong, check_text)


def test_a_text_with_a_word_that_nobody_knows() -> None:
    with pytest.raises(ArgumentError, match="sech"):
        passes(broken(tr.TANH, d=("sech(x)**2",)), check_text)


def test_a_wrong_value() -> None:
    op = broken(tr.EXP, numpy=lambda x: np.exp(x) * (1 + 1e-12))
    fails(op, lambda case: check_value(case, dtypes.float64), "exp: 6 of 6 elements differ")


def test_a_result_that_is_its_input() -> None:
    op = broken(mv.COPY, numpy=lambda x: x)
    fails(op, lambda case: check_value(case, dtypes.float32), "shares memory with input 0")


def test_a_view_that_is_a_copy() -> None:
    op = broken(vw.PERMUTE, numpy=lambda x, *, dims: x.transpose(dims).copy())
    fails(op, lambda case: check_value(case, dtypes.float32), "does not share it")


def test_an_op_that_writes_to_its_input() -> None:
    op = broken(ar.NEG, numpy=lambda x: np.negative(x, out=x).copy())
    fails(op, lambda case: check_value(case, dtypes.float32), "input 0 was changed")


def test_a_wrong_shape_rule() -> None:
    op = broken(rd.SUM, shape=lambda x, *, dim, keepdim: rd.reduced(x, dim=dim, keepdim=not keepdim))
    fails(op, lambda case: check_rules(case, dtypes.float64), "the shape rule says")


def test_a_wrong_dtype_rule() -> None:
    op = broken(ar.ADD, dtype=SAME._replace(result=lambda d: dtypes.float32))
    fails(op, lambda case: check_rules(case, dtypes.float64), "the dtype rule says torch.float32")


def test_an_op_that_widens_its_type() -> None:
    op = broken(tr.EXP, numpy=lambda x: np.exp(x.astype(np.float64)))
    fails(op, lambda case: check_rules(case, dtypes.float32), "the dtype rule says torch.float32")


def test_a_refusal_that_is_no_refusal() -> None:
    for case in cases(ar.SUB):
        check_refusal(case, dtypes.bool_)
        with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
            check_refusal(case, dtypes.float64)


def test_an_op_that_ignores_out() -> None:
    op = broken(tr.EXP, numpy=lambda x, out=None: np.exp(x))
    fails(op, check_out, "the result is not the array given as out=")


def test_an_op_that_leaves_a_part_of_out() -> None:
    def partly(x: Any, out: Any = None) -> Any:
        if out is None:
            return np.exp(x)
        np.exp(x[:-1], out=out[:-1])
        return out

    fails(broken(tr.EXP, numpy=partly), check_out, "out=")


def test_an_op_that_is_wrong_when_large() -> None:
    def tricky(x: Any, out: Any = None) -> Any:
        return np.exp(x, out=out) if x.size < 1000 else np.exp2(x, out=out)

    fails(broken(tr.EXP, numpy=tricky), check_large, "exp-0: large")


def test_a_large_result_in_fresh_memory() -> None:
    op = broken(tr.EXP, numpy=lambda x, out=None: np.exp(x))
    fails(op, check_large, "does not lie in recycled memory")


@pytest.mark.parametrize("layout", ["transposed", "strided", "offset"])
def test_an_op_that_ignores_the_layout_of_its_input(layout: str) -> None:
    def as_it_lies(x: Any) -> Any:
        memory = x if x.base is None else x.base
        return np.exp(memory.reshape(-1)[: x.size].reshape(x.shape))

    op = broken(tr.EXP, numpy=as_it_lies)
    fails(op, lambda case: check_layout(case, layout), f"exp-0: {layout}")


def test_a_rule_that_is_wrong_for_the_same_tensor_twice() -> None:
    op = broken(ar.MUL, vjp=(lambda g, x, y: g * y if x is not y else g, lambda g, x: g * x))
    passes(op, check_gradient)
    fails(op, check_same_tensor, "gradient of the same tensor twice")


def test_a_rule_that_is_wrong_for_python_numbers() -> None:
    def rule(g: Any, y: Any) -> Any:
        return g * y * (OFF if isinstance(y, float) else 1)

    op = broken(ar.MUL, vjp=(rule, lambda g, x: g * x))
    passes(op, check_gradient)
    fails(op, lambda case: check_number(case, 1), "d out / d x")


def test_wrong_special_values() -> None:
    op = broken(tr.LOG, numpy=lambda x: np.log(np.maximum(x, 1e-300)))
    check_special(tr.LOG, dtypes.float64)
    with pytest.raises(AssertionError, match=r"log torch.float64: at \[\(0.0,\)"):
        check_special(op, dtypes.float64)


# -- registration --------------------------------------------------------------------------------------------


@pytest.fixture
def table() -> Iterator[dict[str, Primitive]]:
    before = dict(TABLE)
    yield TABLE
    TABLE.clear()
    TABLE.update(before)


def register(**changed: Any) -> Primitive:
    """A complete entry, but for the changes."""
    fields: dict[str, Any] = {
        "name": "gleam",
        "kind": ELEMENTWISE,
        "formula": "x / (1 + k*abs(x))",
        "shape": same_shape,
        "dtype": FLOATING,
        "numpy": lambda x, *, k: x / (1 + k * np.abs(x)),
        "lower": USE_NUMPY,
        "batch": ALIGNED,
        "vjp": (lambda g, x, k: g / (1 + k * abs(x)) ** 2,),
        "jvp": DIAGONAL,
        "d": "1 / (1 + k*abs(x))**2",
        "why": "quotient rule",
        "samples": [sample(floats(0.1, 3), k=2.0)],
    }
    fields |= changed
    return primitive(fields.pop("name"), **fields)


def test_a_complete_entry_is_taken_and_passes_the_checks(table: dict[str, Primitive]) -> None:
    op = register()
    assert table["gleam"] is op
    for check in (
        check_gradient,
        check_second,
        check_jvp,
        check_text,
        check_rows_gradient,
        check_rows_traced,
    ):
        passes(op, check)


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"name": "exp"}, "primitive 'exp': it is already in the table"),
    (
        {"kind": "pointwise"},
        "primitive 'gleam': kind 'pointwise' is none of elementwise, reduction, scan, view, movement, "
        "contraction, decomposition, random",
    ),
    ({"formula": ""}, "primitive 'gleam': formula is empty"),
    ({"why": ""}, "primitive 'gleam': why is empty"),
    ({"lower": None}, "primitive 'gleam': lower is None, neither a rule nor USE_NUMPY"),
    ({"lower": LINEAR}, "primitive 'gleam': lower is LINEAR, neither a rule nor USE_NUMPY"),
    ({"batch": None}, "primitive 'gleam': batch is None, neither a rule nor NOT_BATCHED"),
    ({"batch": LINEAR}, "primitive 'gleam': batch is LINEAR, neither a rule nor NOT_BATCHED"),
    (
        {"kind": VIEW, "jvp": LINEAR, "batch": ALIGNED},
        "primitive 'gleam': batch of a view must be Viewed(...)",
    ),
    ({"samples": []}, "primitive 'gleam': there are no samples, so nothing would test it"),
    (
        {"samples": [sample(floats(), k=1.0), sample(floats(), floats(), k=1.0)]},
        "primitive 'gleam': sample 1 has 2 arrays for 1 inputs",
    ),
    ({"samples": [sample(k=1.0)]}, "primitive 'gleam': sample 0 has 0 arrays for 1 inputs"),
    (
        {"jvp": NOT_DIFFERENTIABLE},
        "primitive 'gleam': vjp and jvp disagree about whether there is a derivative",
    ),
    (
        {"vjp": NOT_DIFFERENTIABLE},
        "primitive 'gleam': vjp and jvp disagree about whether there is a derivative",
    ),
    (
        {"vjp": NOT_DIFFERENTIABLE, "jvp": NOT_DIFFERENTIABLE},
        "primitive 'gleam': d is given, but there is no derivative",
    ),
    ({"outputs": 2}, "primitive 'gleam': an op with several outputs cannot be differentiable"),
    ({"kind": REDUCTION}, "primitive 'gleam': jvp=DIAGONAL is for elementwise ops"),
    (
        {"vjp": (lambda g: g, lambda g: g)},
        "primitive 'gleam': 1 inputs, 2 gradient rules",
    ),
    ({"d": ()}, "primitive 'gleam': 1 gradient rules, 0 texts in d"),
    ({"d": ("1", "2")}, "primitive 'gleam': 1 gradient rules, 2 texts in d"),
    ({"d": ""}, "primitive 'gleam': d[0] is '', but there is a gradient rule for that input"),
    ({"d": (None,)}, "primitive 'gleam': d[0] is None, but there is a gradient rule for that input"),
    (
        {"vjp": (None,), "d": "1"},
        "primitive 'gleam': d[0] is '1', but there is no gradient rule for that input",
    ),
    (
        {"vjp": (lambda g, speed: g * speed,)},
        "primitive 'gleam': a gradient rule reads 'speed', which is no input, and no setting of every sample",
    ),
    (
        {"vjp": each(lambda g, i, speed: g), "inputs": "*xs"},
        "primitive 'gleam': a gradient rule reads 'speed', which is no input, and no setting of every sample",
    ),
]


@pytest.mark.parametrize(("changed", "message"), REFUSED, ids=[m.partition(": ")[2][:40] for _, m in REFUSED])
def test_a_forgotten_or_contradictory_field(
    table: dict[str, Primitive], changed: dict[str, Any], message: str
) -> None:
    names = set(table)
    with pytest.raises(ValueError) as caught:
        register(**changed)
    assert str(caught.value) == message
    assert set(table) == names


def test_a_gradient_rule_whose_first_parameter_is_not_g(table: dict[str, Primitive]) -> None:
    with pytest.raises(TypeError) as caught:
        register(vjp=(lambda x: x,))
    assert str(caught.value) == "primitive 'gleam': a gradient rule's first parameter is g, not ('x',)"


def test_fields_without_a_default_cannot_be_forgotten(table: dict[str, Primitive]) -> None:
    with pytest.raises(TypeError, match=r"missing 10 required keyword-only arguments: 'formula', 'shape'"):
        primitive("gleam", kind=ELEMENTWISE)  # type: ignore[call-arg]


def test_an_input_beside_others_that_gets_no_gradient_has_no_text(table: dict[str, Primitive]) -> None:
    op = register(
        inputs="x y",
        shape=broadcast,
        vjp=(lambda g: g, None),
        d=("1", None),
        samples=[sample(floats(), floats(), k=1.0)],
    )
    assert table["gleam"] is op
