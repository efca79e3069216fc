"""`CHAINRULE_CHECK` and `CHAINRULE_SHOW`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

import chainrule as torch
from chainrule.core import settings
from chainrule.graph import GraphError, simplify, trace
from chainrule.ops.primitive import TABLE


@pytest.fixture(autouse=True)
def _fresh() -> Iterator[None]:
    settings.check.cache_clear()
    settings.show.cache_clear()
    yield
    settings.check.cache_clear()
    settings.show.cache_clear()


def test_show(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("CHAINRULE_SHOW", "graph,simplified")
    g = trace(lambda x: x * 1 + 2, torch.ones(2))
    traced = (
        "# graph\n"
        "def graph(x: float32[2]):\n"
        "    v1: float32[2] = mul(x, 1.0)\n"
        "    v2: float32[2] = add(v1, 2.0)\n"
        "    return v2\n"
    )
    assert capsys.readouterr() == ("", traced)
    simplify(g)
    assert capsys.readouterr().err == (
        "# simplified\ndef graph(x: float32[2]):\n    v1: float32[2] = add(x, 2.0)\n    return v1\n"
    )


def test_nothing_is_shown_by_default(capsys: pytest.CaptureFixture[str]) -> None:
    simplify(trace(lambda x: x * 1 + 2, torch.ones(2)))
    assert capsys.readouterr() == ("", "")


def test_check_stops_at_the_first_value_that_is_not_finite(monkeypatch: pytest.MonkeyPatch) -> None:
    g = trace(lambda x: (x.log() * 0).sum(), torch.ones(2))
    assert np.isnan(g(torch.tensor([0.0, 1.0])).item())
    settings.check.cache_clear()
    monkeypatch.setenv("CHAINRULE_CHECK", "1")
    assert g(torch.ones(2)).item() == 0.0
    with pytest.raises(GraphError) as caught:
        g(torch.tensor([0.0, 1.0]))
    line = test_check_stops_at_the_first_value_that_is_not_finite.__code__.co_firstlineno + 1
    assert str(caught.value) == (
        "checking log(x) got (2,), and its result (2,) has an infinity\n"
        "  CHAINRULE_CHECK=1 stops at the first value that is not finite\n"
        "  try: look for log or division at 0, an overflow, or a learning rate that is too large\n"
        f"  at tests/graph/test_debug.py:{line}"
    )
    assert np.isnan(trace(lambda x: x + 1, 1.0)(float("nan")).item())  # it came in like that


def test_check_compares_with_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    g = trace(lambda x: x.exp(), torch.ones(2))
    g.values[0].op = replace(TABLE["exp"], numpy=lambda x: np.exp(x.astype(np.float64)))
    assert g(torch.ones(2)).dtype is torch.float64
    settings.check.cache_clear()
    monkeypatch.setenv("CHAINRULE_CHECK", "1")
    with pytest.raises(GraphError) as caught:
        g(torch.ones(2))
    assert caught.value.summary == (
        "checking exp(x) got a result float64[2]\n  by the rules for shape and type it is float32[2]"
    )


def test_check_verifies_after_a_rewrite(monkeypatch: pytest.MonkeyPatch) -> None:
    g = trace(lambda x: (x * 1).exp().sum(), torch.ones(2))
    g.values[2].shape = (5,)
    monkeypatch.setenv("CHAINRULE_CHECK", "1")
    with pytest.raises(GraphError, match=r"by its rules the result is float32\[\(\)\]"):
        simplify(g)
