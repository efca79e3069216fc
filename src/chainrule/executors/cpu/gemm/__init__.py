"""Matrix products as generated code: register tiles, packing, and a callback for every finished piece.

    plan = gemm.plan(m, n, k, "float32", a_layout, b_layout, host)
    for phase in plan.phases:                    # one after the other
        for index in range(phase.count):         # in any order, in parallel
            phase.emit(builder, index, a, b, scratch, store)

What is added to what, and in which order, follows from the shape and the host alone. Read `plan.py` next.
"""

from __future__ import annotations

from .draft import Phase, Plan
from .layout import Host, Layout, Operand
from .plan import plan

__all__ = ["Host", "Layout", "Operand", "Phase", "Plan", "plan"]
