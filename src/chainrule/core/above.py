"""Methods that need what stands above them: `graph.draw()` asks the layer of explanations for a picture.

Imports point downward, so the method asks here by name, and the root of the package, which stands above all,
has said how to load the answer. Nothing is loaded before it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_loaders: dict[str, Callable[[], Callable[..., Any]]] = {}


def provide(name: str, load: Callable[[], Callable[..., Any]]) -> None:
    """`load()` gives the function of this name."""
    _loaders[name] = load


def above(name: str) -> Callable[..., Any]:
    """The function of this name, loaded now if it was not before."""
    return _loaders[name]()
