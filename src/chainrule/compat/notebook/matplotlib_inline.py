"""`matplotlib_inline`, where it is not installed. Next: `backend_inline.py`."""

from __future__ import annotations

from . import backend_inline

__all__ = ["backend_inline"]
