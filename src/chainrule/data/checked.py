"""Read settings back from JSON that may have been edited: every value is checked, and a wrong one is named.

A run directory is data, not code: what is not the expected number, word or list is refused with its place in
the file.
"""

from __future__ import annotations

import math
from typing import Any

from .problems import DataError, shown

_WORDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


class Fields:
    """An object read from JSON, and where in the file it stands.

    >>> Fields({"mean": "x"}, "columns[0]").number("mean")
    Traceback (most recent call last):
        ...
    chainrule.data.problems.DataError: columns[0].mean must be a number, not 'x'
    """

    def __init__(self, data: object, place: str = "") -> None:
        if not isinstance(data, dict):
            raise DataError(f"{place or 'the file'} must be an object, not {shown(data)}")
        self.data: dict[str, Any] = data
        self.place = place

    def text(self, key: str) -> str:
        """A text."""
        return str(self._get(key, str))

    def flag(self, key: str) -> bool:
        """True or false."""
        return bool(self._get(key, bool))

    def whole(self, key: str, *, least: int = 0) -> int:
        """A whole number that is not below `least`."""
        value = int(self._get(key, int))
        if value < least:
            raise DataError(f"{self.where(key)} must be at least {least}, not {value}")
        return value

    def number(self, key: str, *, least: float = -math.inf) -> float:
        """A finite number that is not below `least`."""
        value = float(self._get(key, float))
        if not math.isfinite(value) or value < least:
            raise DataError(f"{self.where(key)} must be {_bound(least)}, not {value}")
        return value

    def items(self, key: str) -> list[Any]:
        """A list of anything."""
        return list(self._get(key, list))

    def texts(self, key: str) -> list[str]:
        """A list of texts."""
        for index, item in enumerate(self.items(key)):
            if not isinstance(item, str):
                raise DataError(f"{self.where(key)}[{index}] must be text, not {shown(item)}")
        return self.items(key)

    def wholes(self, key: str) -> list[int]:
        """A list of whole numbers from 1."""
        for index, item in enumerate(self.items(key)):
            if not isinstance(item, int) or isinstance(item, bool) or item < 1:
                raise DataError(
                    f"{self.where(key)}[{index}] must be a whole number from 1, not {shown(item)}"
                )
        return self.items(key)

    def choice(self, key: str, valid: tuple[str, ...]) -> str:
        """One of several words."""
        value = self.text(key)
        if value not in valid:
            raise DataError(f"{self.where(key)} must be one of {', '.join(valid)}, not {value!r}")
        return value

    def object(self, key: str) -> Fields:
        """An object inside this one."""
        return Fields(self._get(key, dict), self.where(key))

    def objects(self, key: str) -> list[Fields]:
        """A list of objects."""
        return [Fields(item, f"{self.where(key)}[{index}]") for index, item in enumerate(self.items(key))]

    def where(self, key: str) -> str:
        """The place of a key in the file, as a message names it."""
        return f"{self.place}.{key}" if self.place else key

    def _get(self, key: str, kind: type) -> Any:
        if key not in self.data:
            raise DataError(f"{self.where(key)} is missing")
        value = self.data[key]
        accepted = (int, float) if kind is float else kind
        if not isinstance(value, accepted) or (isinstance(value, bool) and kind is not bool):
            raise DataError(f"{self.where(key)} must be {_WORDS[kind]}, not {shown(value)}")
        return value


def _bound(least: float) -> str:
    return "a finite number" if least == -math.inf else f"a finite number from {least:g}"
