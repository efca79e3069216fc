"""Course programs, written for PyTorch, give on chainrule what they give on PyTorch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from chainrule import compat
from tests.compat.courses import PROGRAMS, results

# float32 sums are added up in another order, and some hundred steps of training carry that on.
RTOL, ATOL = 2e-4, 2e-5


# The book writes float(l.sum()) and the like, which PyTorch warns of.
@pytest.mark.filterwarnings("ignore:Converting a tensor with requires_grad=True")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_gives_the_same_results(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    expected = results(name, monkeypatch)
    compat.install(shadow=True)
    try:
        found = results(name, monkeypatch)
    finally:
        compat.uninstall()
    assert list(found) == list(expected)
    for key in expected:
        assert found[key].dtype == expected[key].dtype, key
        np.testing.assert_allclose(found[key], expected[key], rtol=RTOL, atol=ATOL, err_msg=key)
