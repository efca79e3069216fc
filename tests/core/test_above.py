"""Methods that ask what stands above them."""

from __future__ import annotations

import subprocess
import sys

from chainrule.core.above import above, provide


def test_what_is_provided_is_loaded_when_asked_for() -> None:
    loaded = []

    def load() -> object:
        loaded.append(1)
        return len

    provide("length", load)  # type: ignore[arg-type]
    assert not loaded
    assert above("length")([1, 2]) == 2
    assert loaded == [1]


def test_graphs_do_not_load_what_draws_them() -> None:
    code = (
        "import sys; from chainrule.graph import symbol, graph_of; g = graph_of((symbol('a') * 2).sum()); "
        "before = 'chainrule.explain.drawing' in sys.modules; d = g.draw(); "
        "print(before, type(d).__name__, 'matplotlib' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "Drawing", "False"]
