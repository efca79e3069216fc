"""Runs graphs natively and with NumPy, and compares. Used by the tests of this folder."""

from __future__ import annotations

from typing import Any

import numpy as np

from chainrule.executors.cpu.program import Program
from chainrule.graph import Graph
from chainrule.graph.evaluate import evaluate
from chainrule.graph.host import Host

# How far native results may be from NumPy's, by type: a few roundings of each function and each order of a
# sum, relative to the largest element of a result. A test that compares exactly says so.
TOLERANCE = {np.dtype(np.float16): 2e-3, np.dtype(np.float32): 2e-6, np.dtype(np.float64): 1e-14}


def memory_of(graph: Graph, inputs: Any) -> dict[Any, Any]:
    """Row-major arrays for inputs and captures, copies that may be changed."""
    known = {v: np.array(x, v.dtype.numpy, order="C") for v, x in zip(graph.inputs, inputs, strict=True)}
    for c in graph.captures:
        held = c.data.value() if isinstance(c.data, Host) else c.data.detach().numpy()
        known[c] = np.array(held, c.dtype.numpy, order="C")
    return known


def run_native(graph: Graph, *inputs: Any) -> tuple[list[Any], list[Any]]:
    """(outputs, written values) of the native program."""
    known = memory_of(graph, inputs)
    program = Program(graph)
    outputs = program.run([known[v].ctypes.data for v in (*graph.inputs, *graph.captures)])
    return outputs, [known[c] for c, _ in graph.writes]


def run_numpy(graph: Graph, *inputs: Any) -> tuple[list[Any], list[Any]]:
    """The same by the reference evaluator."""
    return evaluate(graph, memory_of(graph, inputs))


def assert_close(got: Any, want: Any, factor: float = 1.0, least: Any = None) -> None:
    """Equal types and shapes; integers and truth values equal, floats within the tolerance of their type.

    least: the type of the intermediate values with the fewest digits, whose tolerance is used; results that
    are small because large numbers cancel are then allowed the rounding of numbers around 1.
    """
    want = np.asarray(want)
    assert got.dtype == want.dtype
    assert got.shape == want.shape
    if want.dtype.kind != "f":
        np.testing.assert_array_equal(got, want)
        return
    finite = np.abs(want[np.isfinite(want)])
    scale = float(finite.max()) if finite.size else 0.0
    t = TOLERANCE[want.dtype if least is None else min(least, want.dtype, key=lambda d: d.itemsize)] * factor
    scale = scale if least is None else max(scale, 1.0)
    np.testing.assert_allclose(got, want, rtol=10 * t, atol=t * scale, equal_nan=True)


def assert_same(graph: Graph, *inputs: Any, factor: float = 1.0, least: Any = None) -> None:
    """Native and NumPy give the same outputs and write the same."""
    native, expected = run_native(graph, *inputs), run_numpy(graph, *inputs)
    for got, want in zip(
        [x for part in native for x in part], [x for part in expected for x in part], strict=True
    ):
        assert_close(got, want, factor, least)
