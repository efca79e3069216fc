"""`python -m benchmarks [overhead|models|import ...] [--json FILE]`: chainrule beside PyTorch, in one run.

Prints one line per workload: median and best of both sides, and the ratio of the medians with the limit it
should keep. Without PyTorch it prints our side alone. Both sides get the same number of threads.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import platform
import sys
import time

THREADS = 2

if __name__ == "__main__":
    # Read when a library starts its threads, so it has to stand before NumPy's first import.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(THREADS)

from importlib.metadata import version  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

import chainrule  # noqa: E402

from . import models, overhead  # noqa: E402
from .measure import Timing, block, calls_per_block, compare  # noqa: E402

KINDS = ("import", "overhead", "models")
IMPORT_LIMIT = 0.150  # seconds on top of `import numpy`


def main(arguments: list[str] | None = None) -> int:
    """Run the kinds asked for; all of them if none is named."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("kinds", nargs="*", metavar="KIND", help=f"{', '.join(KINDS)}; default: all")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all numbers to FILE as well")
    options = parser.parse_args(arguments)
    unknown = [kind for kind in options.kinds if kind not in KINDS]
    if unknown:
        parser.error(f"there is no kind {unknown[0]!r}; there are: {', '.join(KINDS)}")
    kinds = options.kinds or KINDS

    results: list[dict[str, Any]] = []
    controls = [time_control()]
    if "import" in kinds:
        results += import_time()
    modules = load()
    print(describe(modules), end="\n\n")
    for kind, cases in (("overhead", overhead.CASES), ("models", models.CASES)):
        if kind in kinds:
            print(f"{kind:24}" + "".join(f"{side + ', median (best)':>28}" for side in modules))
            for case in cases:
                timings = compare(case.workload, modules)
                results.append(row(kind, case.name, case.what, timings, case.limit))
                controls.append(time_control())
            print()
    spread = max(controls) / min(controls)
    print(
        f"control (no code of either side): {show(min(controls))} at best, {spread:.2f} times that at worst"
    )
    if spread > 1.3:
        print("  the machine was not steady; a ratio of this run may be off by as much")
    if options.json:
        facts = {"machine": describe(modules), "control": controls, "results": results}
        options.json.write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")
    return 0


def load() -> dict[str, Any]:
    """The two sides; PyTorch only if it is installed."""
    modules: dict[str, Any] = {"chainrule": chainrule}
    if importlib.util.find_spec("torch") is not None:
        import torch

        torch.set_num_threads(THREADS)
        modules["PyTorch"] = torch
    return modules


def describe(modules: dict[str, Any]) -> str:
    """The machine and the versions, in one line."""
    versions = [f"chainrule {chainrule.__version__}", f"NumPy {version('numpy')}"]
    if "PyTorch" in modules:
        versions.append(f"PyTorch {version('torch')}")
    return (
        f"{', '.join(versions)}, Python {platform.python_version()} on {platform.machine()} with "
        f"{os.cpu_count()} cores, {THREADS} threads, {time.strftime('%Y-%m-%d')}"
    )


def row(kind: str, name: str, what: str, timings: dict[str, Timing], limit: float | None) -> dict[str, Any]:
    """Print one workload, and return its numbers."""
    cells = [f"{show(t.median)} ({show(t.best)})" for t in timings.values()]
    result: dict[str, Any] = {"kind": kind, "name": name, "what": what, "limit": limit}
    result["seconds"] = {side: {"median": t.median, "best": t.best} for side, t in timings.items()}
    line = f"{name:24}" + "".join(f"{cell:>28}" for cell in cells)
    if "PyTorch" in timings:
        result["ratio"] = timings["chainrule"].median / timings["PyTorch"].median
        result["ratio_best"] = timings["chainrule"].best / timings["PyTorch"].best
        line += f"   {result['ratio']:5.2f} x"
        if limit is not None:
            line += f"  limit {limit:.1f}" + ("" if result["ratio"] <= limit else "  MISSED")
    print(f"{line}\n    {what}", flush=True)
    return result


def import_time() -> list[dict[str, Any]]:
    """The time of the import, on top of NumPy's."""
    print("import, on top of `import numpy` (median)")
    names = ["chainrule"] + (["torch"] if importlib.util.find_spec("torch") is not None else [])
    results = []
    for name in names:
        seconds = overhead.import_median(name)
        limit = IMPORT_LIMIT if name == "chainrule" else None
        missed = limit is not None and seconds > limit
        note = "" if limit is None else f"   limit {show(limit)}" + ("  MISSED" if missed else "")
        print(f"{name:24}{show(seconds):>14}{note}", flush=True)
        results.append({"kind": "import", "name": name, "seconds": seconds, "limit": limit})
    print()
    return results


def time_control() -> float:
    """The best of five blocks of the control."""
    run = models.control()
    calls = calls_per_block(run)
    return min(block(run, calls) for _ in range(5))


def show(seconds: float) -> str:
    """A time with three digits and its unit."""
    for unit, scale in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} µs"


if __name__ == "__main__":
    sys.exit(main())
