"""What a compiled function or module was made of: its operations can be watched one by one.

Nothing here watches. Next: `recording.py`.
"""

from __future__ import annotations

from typing import Any


def as_written(model: Any) -> Any:
    """The function or module that a compiled one was made of; anything else as it is."""
    inside = getattr(model, "_inside", None)  # what `compile` makes has it
    return model if inside is None else inside()
