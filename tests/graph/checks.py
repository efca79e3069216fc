"""What the tests of graphs have in common: a program is run eagerly, traced, simplified and read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from chainrule.base import TensorBase, wrap
from chainrule.graph import Graph, parse, simplify, trace, verify


def flat(result: Any) -> list[Any]:
    """The tensors of a result, in order."""
    if isinstance(result, TensorBase):
        return [result]
    if isinstance(result, dict):
        return [x for part in result.values() for x in flat(part)]
    return [] if result is None else [x for part in result for x in flat(part)]


def assert_same_bits(got: Any, wanted: Any, what: str) -> None:
    """Equal types, shapes and bits; any NaN equals any other: the payload depends on the machine."""
    got, wanted = flat(got), flat(wanted)
    assert len(got) == len(wanted), what
    for x, y in zip(got, wanted, strict=True):
        a, b = x._a, y._a
        assert (a.shape, a.dtype) == (b.shape, b.dtype), what
        if a.dtype.kind == "f":
            nan = np.isnan(a)
            assert np.array_equal(nan, np.isnan(b)), what
            a, b = np.where(nan, 0, a), np.where(nan, 0, b)
        assert a.tobytes() == b.tobytes(), f"{what}: {a} instead of {b}"


def copies(arrays: list[Any]) -> list[Any]:
    return [wrap(np.array(a)) for a in arrays]


def graphs(function: Callable[..., Any], inputs: list[Any]) -> dict[str, Graph]:
    """The traced graph, the simplified one and both read back from text, all verified."""
    traced = trace(function, *inputs)
    simple = verify(simplify(traced))
    found = {"traced": traced, "simplified": simple}
    for name in list(found):
        text = str(found[name])
        back = verify(parse(text))
        assert str(back) == text
        found[name + " and read back"] = back
    return found


def check(function: Callable[..., Any], arrays: list[Any]) -> dict[str, Graph]:
    """Eager = traced = simplified = read back, results and changed inputs, bit for bit."""
    eager_inputs = copies(arrays)
    wanted = function(*eager_inputs)
    found = graphs(function, copies(arrays))
    for name, graph in found.items():
        inputs = copies(arrays)
        given = {
            v.name: known.data for v, known in zip(graph.captures, found["traced"].captures, strict=False)
        }
        got = graph(*inputs, **({} if "back" not in name else given))
        assert_same_bits(got, wanted, name)
        assert_same_bits(inputs, eager_inputs, f"{name}: inputs")
    return found
