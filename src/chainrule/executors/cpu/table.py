"""The table of addresses that native code is given: what it calls, then where everything lies.

POOL:     the function that runs pieces on threads (`pool.py`).
CALLBACK: what computes a value with NumPy, and OWNER, which it is told.
ARENA:    memory for what lives during one run.
ERROR:    an int64, 0; code that meets an index that names nothing puts the number of the value there.
CLOCK:    int64 numbers of timed code: the counter at the start and at the end, then for each kernel, loops'
          bodies included, a sum of cycles that it adds to; else 0.

From FIRST on: the arguments of the graph, its results, its constants.
"""

from __future__ import annotations

from typing import Final

POOL: Final = 0
CALLBACK: Final = 1
OWNER: Final = 2
ARENA: Final = 3
ERROR: Final = 4
CLOCK: Final = 5
FIRST: Final = 6
