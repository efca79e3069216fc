"""These tests are about the way to a program, not about native code: programs run with NumPy, bit for bit."""

from __future__ import annotations

import pytest

from chainrule.compiler import compiled
from chainrule.executors.reference import ReferenceProgram


@pytest.fixture(autouse=True)
def reference_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every compiled function of a test gets a reference program."""
    monkeypatch.setattr(compiled, "build", ReferenceProgram)
