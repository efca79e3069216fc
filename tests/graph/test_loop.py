"""Loops as values: text, reading back, verification, running, and what simplify leaves of them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule.core import settings
from chainrule.core.dtypes import float32, float64
from chainrule.graph import Graph, GraphError, Value, parse, simplify, verify
from chainrule.graph.loop import Loop, loop_value, part
from chainrule.graph.values import CAPTURE, INPUT, OP
from chainrule.ops.arithmetic import ADD, MUL
from tests.graph.checks import assert_same_bits

HEAD = "def f(x: float32[2], rows: float32[8, 2], scale: float32[()]):\n"
BODY = (
    "    def body(total: float32[2], *, row: float32[2]):\n"
    "        v1: float32[2] = mul(row, scale)\n"
    "        v2: float32[2] = add(total, v1)\n"
    "        return v2\n"
)
CALL = "    v3: (float32[2],) = loop(body, x, row=rows, trips=8)\n"
END = "    v4: float32[2] = v3[0]\n    return v4"
SUM = HEAD + BODY + CALL + END

ROWS = torch.arange(16.0).reshape(8, 2)


def test_text_is_read_back_and_runs() -> None:
    graph = parse(SUM)
    assert str(graph) == SUM
    assert graph([1.0, 2.0], ROWS, 0.5).tolist() == [1.0 + 28.0, 2.0 + 32.0]
    assert str(simplify(graph)) == SUM


def test_no_iteration() -> None:
    graph = parse(SUM.replace("8", "0"))
    assert graph([1.0, 2.0], torch.ones(0, 2), 0.5).tolist() == [1.0, 2.0]


def test_check_looks_into_the_body(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "check", lambda: True)
    graph = parse(SUM)
    assert simplify(graph)([1.0, 2.0], ROWS, 0.5).tolist() == [29.0, 34.0]
    with pytest.raises(GraphError) as caught:
        graph([1.0, 2.0], ROWS, 3e38)
    assert str(caught.value) == (
        "checking x * y got (2,) and (), and its result (2,) has an infinity\n"
        "  CHAINRULE_CHECK=1 stops at the first value that is not finite\n"
        "  try: look for log or division at 0, an overflow, or a learning rate that is too large"
    )


NESTED = """
def f(x: float32[()], rows: float32[2, 3]):
    def body(v1: float32[()], *, row: float32[3]):
        v2: float32[3] = mul(row, x)
        def body_2(v3: float32[()], *, number: float32[()]):
            v4: float32[()] = add(v3, number)
            v5: float32[()] = mul(v4, x)
            return v5
        v6: (float32[()],) = loop(body_2, v1, number=v2, trips=3)
        v7: float32[()] = v6[0]
        return v7
    v8: (float32[()],) = loop(body, x, row=rows, trips=2)
    v9: float32[()] = v8[0]
    return v9
""".strip()


def test_loops_in_loops_have_names_of_their_own() -> None:
    graph = parse(NESTED)
    total = x = 0.5
    for number in [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]:
        total = (total + number * x) * x
    assert graph(x, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]).item() == total
    text = str(graph)
    assert str(verify(parse(text))) == text
    assert str(simplify(graph)) == text


REFUSED = {
    HEAD + BODY + "    v3: (float32[2],) = loop(bodi, x, row=rows, trips=8)\n" + END: (
        "parse got line 6: 'v3: (float32[2],) = loop(bodi, x, row=rows, trips=8)'\n"
        "  a loop is loop(body, ...), with `def body(...)` before this line"
    ),
    HEAD + BODY + "    v3: (float32[2],) = loop(body, row=rows, trips=8)\n" + END: (
        "parse got line 6: 'v3: (float32[2],) = loop(body, row=rows, trips=8)'\n"
        "  it must be loop(body, start 1, row=sequence, trips=number)"
    ),
    HEAD + BODY + "    v3: (float32[2],) = loop(body, x, row=rows)\n" + END: (
        "parse got line 6: 'v3: (float32[2],) = loop(body, x, row=rows)'\n"
        "  it must be loop(body, start 1, row=sequence, trips=number)"
    ),
    HEAD + BODY + "    v3: (float32[2],) = loop(body, x, line=rows, trips=8)\n" + END: (
        "parse got line 6: 'v3: (float32[2],) = loop(body, x, line=rows, trips=8)'\n"
        "  it must be loop(body, start 1, row=sequence, trips=number)"
    ),
    HEAD + BODY.replace("return v2", "x[...] = v2\n        return v2") + CALL + END: (
        "parse got line 2: 'def body(total: float32[2], *, row: float32[2]):'\n"
        "  the body of a loop has no writes"
    ),
    HEAD + BODY.replace("v1", "x") + CALL + END: (
        "parse got line 3: 'x: float32[2] = mul(row, scale)'\n  x is defined twice"
    ),
    HEAD + BODY.replace("scale", "scael") + CALL + END: (
        "parse got line 3: 'v1: float32[2] = mul(row, scael)'\n"
        "  scael is not defined before this line (did you mean 'scale'?)"
    ),
    HEAD + BODY + CALL.replace("trips=8", "trips=7") + END: (
        "graph got the line `v3: (float32[2],) = loop(body, x, row=rows, trips=7)`\n"
        "  row in the body is a row of a sequence float32[7, 2]"
    ),
    HEAD + BODY + CALL.replace("(float32[2],)", "(float32[2], float32[2])") + END: (
        "graph got the line `v3: (float32[2], float32[2]) = loop(body, x, row=rows, trips=8)`\n"
        "  the results of its body are (float32[2])"
    ),
    HEAD + BODY + CALL.replace("body, x", "body, scale") + END: (
        "graph got the line `v3: (float32[2],) = loop(body, scale, row=rows, trips=8)`\n"
        "  total in the body is float32[2], and outside float32[()]"
    ),
    HEAD + BODY.replace("return v2", "return scale") + CALL + END: (
        "graph got the line `v3: (float32[2],) = loop(body, x, row=rows, trips=8)`\n"
        "  total must keep its type float32[2] from iteration to iteration"
    ),
    HEAD + BODY.replace("v1: float32[2]", "v1: float32[3]") + CALL + END: (
        "graph got the line `v1: float32[3] = mul(row, scale)`\n  by its rules the result is float32[2]"
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", REFUSED, ids=range(len(REFUSED)))
def test_refused(text: str) -> None:
    with pytest.raises(GraphError) as caught:
        parse(text)
    assert str(caught.value) == REFUSED[text]


def planted(body: Graph, inputs: list[Value], **changes: Any) -> str:
    v = loop_value(Loop(body, 3, changes.pop("sequences", 0)), inputs)
    for name, x in changes.items():
        setattr(v, name, x)
    with pytest.raises(GraphError) as caught:
        verify(Graph("f", inputs, [part(v, 0)]))
    return str(caught.value)


def test_planted_errors() -> None:
    x, p = Value(INPUT, (2,), float32, name="x"), Value(INPUT, (2,), float32, name="p")
    q = Value(INPUT, (2,), float64, name="q")
    c = Value(CAPTURE, (2,), float32, name="c")
    total = Value(OP, (2,), float32, op=ADD, inputs=(p, p))
    assert planted(Graph("body", [p, c], [total]), [x, x]).endswith(
        "\n  the body of a loop has inputs and results, nothing else"
    )
    assert planted(Graph("body", [p], [total], writes=[(p, total)]), [x]).endswith(
        "\n  the body of a loop has inputs and results, nothing else"
    )
    assert planted(Graph("body", [p, q], [total]), [x]).endswith("\n  its body takes 2 inputs, not 1")
    assert planted(Graph("body", [p], [total]), [x], sequences=1).endswith(
        "\n  its body takes 1 inputs, not 1"
    )
    assert planted(Graph("body", [p], [total]), [x], dtype=(float64,)) == (
        "graph got the line `v2: (float64[2],) = loop(body, x, trips=3)`\n"
        "  the results of its body are (float32[2])"
    )
    outside = Value(OP, (2,), float32, op=ADD, inputs=(p, x))
    assert planted(Graph("body", [p], [outside]), [x]) == (
        "graph got the line `v1: float32[2] = add(p, x)`\n  x is used before it is defined"
    )


LARGE = """
def f(x: float32[()], rows: float32[4, 2], w: float32[()], z: float32[2]):
    v1: float32[()] = constant(2.0)
    v2: float32[2] = expand(v1, shape=(2,))
    v3: float32[()] = mul(x, 1.0)
    def body(a: float32[()], b: float32[()], c: float32[2], d: float32[()], *, r: float32[2], s: float32[2]):
        v4: float32[2] = mul(r, v2)
        v5: float32[()] = sum(v4, dim=(0,), keepdim=False)
        v6: float32[()] = add(a, v5)
        v7: float32[()] = mul(v6, x)
        v8: float32[()] = mul(v7, v3)
        v9: float32[()] = mul(v8, b)
        v10: float32[2] = add(c, s)
        v11: float32[()] = copy(b)
        v12: float32[()] = add(d, v1)
        return v9, v11, v10, v12
    v13: (float32[()], float32[()], float32[2], float32[()]) = loop(body, x, w, z, x, r=rows, s=rows, trips=4)
    v14: float32[()] = v13[0]
    v15: float32[()] = v13[1]
    v16: float32[()] = v13[3]
    return v14, v15, v16
""".strip()

SMALL = """
def f(x: float32[()], rows: float32[4, 2], w: float32[()], z: float32[2]):
    def body(a: float32[()], d: float32[()], *, r: float32[2]):
        v1: float32[()] = constant(2.0)
        v2: float32[2] = expand(v1, shape=(2,))
        v4: float32[2] = mul(r, v2)
        v5: float32[()] = sum(v4, dim=(0,), keepdim=False)
        v6: float32[()] = add(a, v5)
        v7: float32[()] = mul(v6, x)
        v12: float32[()] = add(d, v1)
        v8: float32[()] = mul(v7, x)
        v9: float32[()] = mul(v8, w)
        return v9, v12
    v3: (float32[()], float32[()]) = loop(body, x, x, r=rows, trips=4)
    v10: float32[()] = v3[0]
    v11: float32[()] = v3[1]
    return v10, w, v11
""".strip()


def test_simplify_moves_constants_in_and_leaves_out_the_rest() -> None:
    graph = parse(LARGE)
    simple = verify(simplify(graph))
    assert str(simple) == SMALL
    inputs = [0.5, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0], [7.0, 8.0]], 0.25, [1.0, 1.0]]
    assert_same_bits(simple(*inputs), graph(*inputs), "simplified")


def test_values_that_depend_on_each_other_stay() -> None:
    text = """
def f(x: float32[()]):
    def body(a: float32[()], b: float32[()], c: float32[()]):
        v1: float32[()] = add(a, b)
        v2: float32[()] = mul(b, 2.0)
        return b, v1, v2
    v3: (float32[()], float32[()], float32[()]) = loop(body, x, x, x, trips=10)
    v4: float32[()] = v3[0]
    return v4
""".strip()
    simple = simplify(parse(text))
    assert len(simple.values[0].data.body.outputs) == 2
    assert simple(1.0).item() == parse(text)(1.0).item() == 89.0


def test_a_loop_whose_results_never_change_goes() -> None:
    text = """
def f(x: float32[()]):
    def body(a: float32[()]):
        v1: float32[()] = mul(a, 1.0)
        return v1
    v2: (float32[()],) = loop(body, x, trips=10)
    v3: float32[()] = v2[0]
    return v3
""".strip()
    assert str(simplify(parse(text))) == "def f(x: float32[()]):\n    return x"


def test_two_loops_are_not_taken_for_one() -> None:
    x, p = Value(INPUT, (), float32, name="x"), Value(INPUT, (), float32)
    q = Value(INPUT, (), float32)
    add = Graph("body", [p], [Value(OP, (), float32, op=ADD, inputs=(p, 1.0))])
    double = Graph("body", [q], [Value(OP, (), float32, op=MUL, inputs=(q, 2.0))])
    parts = [part(loop_value(Loop(body, 3, 0), [x]), 0) for body in (add, double)]
    graph = simplify(verify(Graph("f", [x], parts)))
    assert [y.item() for y in graph(1.0)] == [4.0, 8.0]
    text = str(graph)
    assert "def body(" in text
    assert str(parse(text)) == text


def test_inputs_may_lie_in_any_order_in_memory() -> None:
    """NumPy sums in the order of memory: a view of a loop's input must give what it gives eagerly."""
    text = """
def f(x: float32[3, 2], rows: float32[4, 3, 2]):
    v1: float32[2, 3] = permute(x, dims=(1, 0))
    v2: float32[4, 2, 3] = permute(rows, dims=(0, 2, 1))
    def body(total: float32[()], *, row: float32[2, 3]):
        v3: float32[2, 3] = mul(row, v1)
        v4: float32[2, 3] = copy(v3)
        v5: float32[()] = sum(v4, dim=(0, 1), keepdim=False)
        v6: float32[()] = add(total, v5)
        return v6
    v7: float32[()] = constant(0.0)
    v8: (float32[()],) = loop(body, v7, row=v2, trips=4)
    v9: float32[()] = v8[0]
    return v9
""".strip()
    rng = np.random.default_rng(0)
    x, rows = rng.normal(size=(3, 2)).astype(np.float32), rng.normal(size=(4, 3, 2)).astype(np.float32)
    graph = parse(text)
    assert_same_bits(simplify(graph)(x, rows), graph(x, rows), "order in memory")
    total = np.float32(0)
    for row in rows:
        total += np.array(row.T * x.T, order="C").sum()
    assert abs(graph(x, rows).item() - total) < 1e-5
