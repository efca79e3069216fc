"""Functions that give values only: backward through them is refused, not silently zero."""

from __future__ import annotations

from typing import Any

import pytest

import chainrule as torch
from chainrule import GradError
from tests.sites import line


def matrix() -> torch.Tensor:
    return torch.tensor([[2.0, 1.0], [1.0, 3.0]], requires_grad=True)


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda a: torch.linalg.svd(a)[1], "linalg.svd"),
        (lambda a: torch.linalg.qr(a)[0], "linalg.qr"),
        (lambda a: torch.linalg.eigh(a)[0], "linalg.eigh"),
    ],
)
def test_backward_is_refused(call: Any, name: str) -> None:
    a = matrix()
    y = call(a)
    assert y.requires_grad
    with pytest.raises(GradError) as err:
        y.sum().backward()
    first, *rest = err.value.summary.splitlines()
    assert first.startswith(f"backward through {name} (recorded at tests/")
    assert rest == [
        "  it gives values only: a gradient exists, but there is no rule for it",
        f"  try: {name}(x.detach()), if no gradient is meant to flow through it",
    ]
    assert a.grad is None


def test_the_line_is_the_users() -> None:
    values = torch.linalg.svdvals(matrix())
    recorded = line(1)
    with pytest.raises(GradError, match=rf"linalg.svd \(recorded at {recorded}\)"):
        values.sum().backward()


def test_values_without_gradient() -> None:
    with torch.no_grad():
        assert not torch.linalg.svd(matrix())[1].requires_grad
    assert not torch.linalg.eigh(matrix().detach())[0].requires_grad
