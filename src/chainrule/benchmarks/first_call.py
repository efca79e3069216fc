"""The first call of a compiled training step: `python -m chainrule.benchmarks.first_call SIDE THREADS`.

The step is that of the MLP 784-256-10 with SGD at batch 256, with everything around it prepared. `fresh.py`
starts this in a new interpreter.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import replace
from typing import cast

from . import jax_code, sides, torch_code
from .programs import Program
from .workloads import Training


def prepared(side: str, threads: int) -> Program:
    """One step on one batch."""
    work = next(w for w in sides.WORK.values() if w.name == "mlp")
    work = replace(cast(Training, work), rows=256, shuffle=False)
    if side == "JAX":
        return jax_code.training(work, whole=False, count=1)
    ours = cast(torch_code.Side, side)
    return torch_code.training(torch_code.library(ours, threads), ours, work, count=1)


def main(side: str, threads: int) -> None:
    program = prepared(side, threads)
    start = time.perf_counter()
    program.run()
    print(json.dumps({"seconds": time.perf_counter() - start}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
