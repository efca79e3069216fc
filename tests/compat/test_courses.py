"""Course programs on chainrule: nothing is missing for them, and they learn what there is to learn.

That they compute what they compute on PyTorch is tested in `tests/torch/compat`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from chainrule.compat.missing import needs
from chainrule.compat.program import read
from tests.compat.courses import FOLDER, PROGRAMS, Results, results

LEARNED: dict[str, Callable[[Results], bool]] = {
    "dropout": lambda r: bool(r["losses"][-1] < r["losses"][0] / 2),
    "house_prices": lambda r: bool((r["valid"] < 0.1).all() and r["columns"] == 6),
    "linear_concise": lambda r: bool(np.allclose(r["weight"], [[2.0, -3.4]], atol=0.01)),
    "linear_scratch": lambda r: bool(np.allclose(r["w"].ravel(), [1.5, -2.0, 0.7], atol=0.02)),
    "mlp_concise": lambda r: bool(all(r[name][-1] < r[name][0] for name in ("relu", "tanh", "sigmoid"))),
    "mlp_scratch": lambda r: bool(r["losses"][-1] < r["losses"][0] / 2),
    "polynomial": lambda r: bool(r["right losses"][1] < r["low losses"][1] / 5),
    "softmax_concise": lambda r: bool(r["history"][-1, 1] > 0.9),
    "softmax_scratch": lambda r: bool((r["history"][-1, 1:] > 0.9).all()),
    "weight_decay": lambda r: bool(r["norms"][1] < r["norms"][0] / 1.2),
}


def test_every_program_is_looked_at() -> None:
    assert sorted(LEARNED) == PROGRAMS


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_learns(name: str, standing_in: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert LEARNED[name](results(name, monkeypatch))


@pytest.mark.parametrize("name", PROGRAMS)
def test_nothing_is_missing(name: str) -> None:
    assert needs(read(FOLDER / f"{name}.py")) == []
