"""Where a tensor lives. There is one place, the CPU; the class is here so that course code runs."""

from __future__ import annotations

from typing import Any

from .errors import ArgumentError


class device:
    """`device("cpu")`. Other devices are refused with a hint.

    >>> device("cpu")
    device(type='cpu')
    """

    __slots__ = ("index", "type")

    def __init__(self, type: Any, index: int | None = None) -> None:
        name, _, number = str(type).partition(":")  # another device is written as its name
        if name != "cpu" or number not in ("", "0"):
            raise ArgumentError.of(
                "device", given=f"{str(type)!r}", must="the device must be 'cpu'", hint="device('cpu')"
            )
        self.type = "cpu"
        self.index = index

    def __repr__(self) -> str:
        return "device(type='cpu')"

    def __str__(self) -> str:
        return "cpu"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device)

    def __hash__(self) -> int:
        return hash("cpu")


CPU = device("cpu")
