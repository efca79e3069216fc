"""`IPython`, where it is not installed: `from IPython import display`, and no shell. Next: `display.py`."""

from __future__ import annotations

from . import display

__all__ = ["display", "get_ipython", "version_info"]

version_info = (9, 0, 0, "")  # matplotlib asks; with a recent one it leaves the rest to `get_ipython`


def get_ipython() -> None:
    """The running shell: there is none.

    >>> get_ipython() is None
    True
    """
