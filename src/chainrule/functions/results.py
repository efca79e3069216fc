"""Results with several named parts, such as (values, indices), that print as PyTorch's do."""

from __future__ import annotations

from collections import namedtuple
from typing import Any


def result_type(name: str, *fields: str) -> Any:
    """A named tuple for the results of one function.

    >>> print(result_type("aminmax", "min", "max")(1, 2))
    torch.return_types.aminmax(
    min=1,
    max=2)
    """
    plain = namedtuple(name, fields)  # type: ignore[misc]

    def show(self: Any) -> str:
        parts = ",\n".join(f"{field}={getattr(self, field)!r}" for field in fields)
        return f"torch.return_types.{name}(\n{parts})"

    return type(name, (plain,), {"__repr__": show, "__slots__": ()})
