"""What a bad table is answered with, and the small pieces of text that such answers share.

It says nothing about where the text goes: the command line prints it after `chainrule: error: `. The checks
themselves are in `table.py`, `columns.py`, `target.py` and `preparation.py`.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence


class DataError(ValueError):
    """A table that cannot be used as it is. Its text is one line that the user can act on."""


def listing(items: Iterable[object], *, most: int = 5) -> str:
    """`'a', 'b' and 'c'`; of a long list the first few and the number of the others.

    >>> listing(["age", "bmi"])
    "'age' and 'bmi'"
    >>> listing(range(9), most=2)
    '0, 1 and 7 more'
    """
    words = [repr(item) for item in items]
    if len(words) > most + 1:
        words = [*words[:most], f"{len(words) - most} more"]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


def nearest(name: str, valid: Sequence[str]) -> str | None:
    """The valid name that looks most like the given one, if any comes close; case does not matter.

    >>> nearest("Prise", ["rooms", "price"])
    'price'
    """
    by_lower = {word.lower(): word for word in valid}
    close = difflib.get_close_matches(name.lower(), list(by_lower), n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def count(number: int, thing: str) -> str:
    """`1 row`, `2 rows`, `1,797 rows`, `2 categories`."""
    if number == 1:
        return f"1 {thing}"
    plural = thing[:-1] + "ies" if thing.endswith("y") else thing + ("es" if thing.endswith("s") else "s")
    return f"{number:,} {plural}"


def shown(value: object, *, most: int = 40) -> str:
    """A value from a table as it appears in a message: `'text'` or `1.5`, never more than a line's worth.

    >>> shown("x" * 100)
    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'"
    """
    item = getattr(value, "item", None)  # a NumPy scalar: np.float64(1.5) is for programmers
    value = item() if callable(item) else value
    if isinstance(value, str):
        return repr(value if len(value) <= most else value[: most - 3] + "...")
    text = str(value)
    return text if len(text) <= most else text[: most - 3] + "..."
