"""`verify` finds every kind of planted error, and says where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.core.dtypes import float32, float64, int64
from chainrule.graph import Graph, GraphError, Value, parse, trace, verify
from chainrule.graph.values import CAPTURE, CONSTANT, INPUT, OP, PART
from chainrule.ops.arithmetic import ADD
from chainrule.ops.primitive import TABLE

EXP = TABLE["exp"]


def value(kind: str, *inputs: Any, shape: Any = (3,), of: Any = float32, **fields: Any) -> Value:
    return Value(kind, shape, of, inputs=inputs, **fields)


def refused(graph: Graph) -> str:
    with pytest.raises(GraphError) as caught:
        verify(graph)
    return str(caught.value)


def of(result: Value, *inputs: Value, **fields: Any) -> Graph:
    return Graph("f", inputs, [result], **fields)


X = value(INPUT, name="x")


def test_sound_graphs_pass() -> None:
    g = trace(lambda x: torch.linalg.slogdet(x @ x), torch.eye(3))
    assert verify(g) is g


@pytest.mark.parametrize(
    ("v", "text"),
    [
        (
            value(OP, X, op=EXP, shape=(4,)),
            "graph got the line `v1: float32[4] = exp(x)`\n  by its rules the result is float32[3]",
        ),
        (
            value(OP, X, op=EXP, of=float64),
            "graph got the line `v1: float64[3] = exp(x)`\n  by its rules the result is float32[3]",
        ),
        (
            value(OP, X, op=ADD),
            "graph got the line `v1: float32[3] = add(x)`\n  add takes 2 inputs, not 1",
        ),
        (
            value(OP, X, X, op=EXP),
            "graph got the line `v1: float32[3] = exp(x, x)`\n  exp takes 1 inputs, not 2",
        ),
        (
            value(CONSTANT, data=np.zeros(4, np.float32)),
            "graph got the line `v1: float32[3] = constant([0.0, 0.0, 0.0, 0.0])`\n  the constant is "
            "float32[4]",
        ),
        (
            value(CONSTANT, data=np.zeros(3)),
            "graph got the line `v1: float32[3] = constant([0.0, 0.0, 0.0])`\n  the constant is float64[3]",
        ),
        (
            value(PART, X, index=1),
            "graph got the line `v1: float32[3] = x[1]`\n  x has no result 1",
        ),
        (
            value("wish"),
            "graph got the line `v1: float32[3]`\n  a value of kind 'wish' cannot be computed",
        ),
        (
            value(OP, value(INPUT, name="y"), op=EXP),
            "graph got the line `v1: float32[3] = exp(undefined)`\n  one of its inputs is used before it "
            "is defined",
        ),
    ],
)
def test_planted_error(v: Value, text: str) -> None:
    assert refused(of(v, X)) == text


def test_result_of_several() -> None:
    m = value(INPUT, shape=(2, 2), name="m")
    svd = value(OP, m, op=TABLE["qr"], settings=qr_settings(), shape=((2, 2), (2, 2)), of=(float32, float32))
    assert refused(of(value(PART, svd, index=1, shape=(2,)), m)) == (
        "graph got the line `v2: float32[2] = v1[1]`\n  result 1 is float32[2, 2]"
    )
    assert refused(of(value(PART, svd, index=7, shape=(2,)), m)) == (
        "graph got the line `v2: float32[2] = v1[7]`\n  v1 has no result 7"
    )
    wrong = value(OP, m, op=TABLE["qr"], settings=qr_settings(), shape=((2, 2), (2,)), of=(float32, float32))
    assert refused(of(value(PART, wrong, index=0, shape=(2, 2)), m)).endswith(
        "\n  by its rules the result is float32[2, 2], float32[2, 2]"
    )


def qr_settings() -> dict[str, Any]:
    op = TABLE["qr"]
    arrays = op.samples[0].arrays(np.random.default_rng(0))
    return op.samples[0].settings_for(arrays)


def test_inputs_that_the_rules_refuse() -> None:
    y = value(INPUT, shape=(4,), name="y")
    assert refused(of(value(OP, X, y, op=ADD), X, y)) == (
        "graph value add got inputs that its rules refuse\n"
        "  x + y got shapes (3,) and (4,)\n"
        "  read from the right, sizes must be equal or 1; the last axis has 3 and 4\n"
        "  try: reshape or unsqueeze one of them so that the axes line up"
    )
    z = value(INPUT, of=float64, name="z")
    assert refused(of(value(OP, X, z, op=ADD), X, z)) == (
        "graph value add got inputs that its rules refuse\n  its inputs must have one type, not float32 "
        "and float64"
    )
    i = value(INPUT, of=int64, name="i")
    assert refused(of(value(OP, i, op=EXP), i)) == (
        "graph value exp got inputs that its rules refuse\n  the type must be floating point, not int64"
    )
    assert refused(of(value(OP, X, op=TABLE["reshape"], settings={"form": (3,)}), X)).startswith(
        "graph value reshape got inputs that its rules refuse\n  TypeError: "
    )
    assert refused(of(value(OP, X, op=TABLE["permute"], settings={"dims": (0, 1)}), X)) == (
        "graph value permute got inputs that its rules refuse\n  IndexError: tuple index out of range"
    )


def test_order() -> None:
    late = value(OP, X, op=EXP)
    g = of(value(OP, late, op=EXP), X)
    g.values.reverse()
    assert refused(g) == "graph got the line `v1: float32[3] = exp(v2)`\n  v2 is used before it is defined"


def test_inputs_outputs_and_writes() -> None:
    e = value(OP, X, op=EXP)
    assert refused(of(e, X, value(OP, X, op=EXP))) == (
        "graph got the line `v1: float32[3] = exp(x)`\n  an input must be of kind input or capture"
    )
    g = of(e, X)
    g.outputs.append(value(INPUT, name="y"))
    assert refused(g) == "graph got the line `?: float32[3]`\n  an output is never defined"
    c = value(CAPTURE, name="c", shape=(2,))
    assert refused(Graph("f", [X], [], [c], [(c, e)])) == (
        "graph got the line `v1: float32[3] = exp(x)`\n  what is written to c must be defined and of type "
        "float32[2]"
    )
    g = Graph("f", [X], [], [], [(e, e)])
    assert (
        refused(g)
        == "graph got the line `v1: float32[3] = exp(x)`\n  only inputs and captured tensors can be written"
    )


def test_the_users_line_is_named() -> None:
    g = trace(lambda x: x.exp(), torch.ones(3))
    line = test_the_users_line_is_named.__code__.co_firstlineno + 1
    g.values[0].shape = (4,)
    assert refused(g) == (
        f"graph (traced at tests/graph/test_verify.py:{line}) got the line `v1: float32[4] = exp(x)`\n"
        "  by its rules the result is float32[3]"
    )


def test_reading_verifies() -> None:
    with pytest.raises(GraphError) as caught:
        parse("def f(x: float32[3]):\n    y: float32[2] = exp(x)\n    return y")
    assert str(caught.value) == (
        "graph got the line `y: float32[2] = exp(x)`\n  by its rules the result is float32[3]"
    )
