"""`matplotlib_inline.backend_inline` outside of a notebook, where pictures are not put into pages."""

from __future__ import annotations

__all__ = ["set_matplotlib_formats"]


def set_matplotlib_formats(*formats: str, **options: object) -> None:
    """The formats of pictures in a notebook: there is none, so nothing to do.

    >>> set_matplotlib_formats("svg")
    """
