"""What the first moments of a program cost, each in a new interpreter: the import and the first call.

The first call of a compiled training step is cold with an empty folder for what has been compiled, and warm
with the folder that the cold one left behind.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from typing import Final

from .measure import Timing
from .sides import PACKAGES, absent
from .worker import THREAD_VARIABLES, limit_cores

IMPORT_LIMIT: Final = 0.150  # seconds on top of `import numpy`
FIRST_LIMITS: Final = {"cold": 0.4, "from the cache": 0.1}
COMPILERS: Final = ("chainrule", "torch.compile", "JAX")
CACHES: Final = {  # where each side keeps what it compiled
    "chainrule": {"CHAINRULE_CACHE": "{folder}"},
    "torch.compile": {"TORCHINDUCTOR_CACHE_DIR": "{folder}"},
    "JAX": {
        "JAX_COMPILATION_CACHE_DIR": "{folder}",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    },
}


@dataclass(frozen=True)
class Start:
    """Seconds of one thing on one side, with the limit that it should keep."""

    what: str
    side: str
    timing: Timing
    limit: float | None

    @property
    def kept(self) -> bool:
        return self.limit is None or self.timing.median <= self.limit


def imports(chosen: tuple[str, ...], rounds: int) -> list[Start]:
    """The import of each package."""
    packages = dict.fromkeys(PACKAGES[side] for side in chosen)
    return [
        Start(
            "import, on top of NumPy's",
            package,
            Timing(import_seconds(package, rounds=rounds)),
            IMPORT_LIMIT if package == "chainrule" else None,
        )
        for package in packages
    ]


def import_seconds(module: str, *, rounds: int = 7) -> list[float]:
    """What `import module` adds to `import numpy`, in fresh interpreters, as `-X importtime` counts it."""
    command = [sys.executable, "-X", "importtime", "-c", f"import numpy, {module}"]
    line = re.compile(rf"import time:\s+\d+ \|\s+(\d+) \| {re.escape(module)}$", re.MULTILINE)
    seconds = []
    for _ in range(rounds + 1):
        report = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ).stderr
        found = line.findall(report)
        if len(found) != 1:
            raise RuntimeError(f"-X importtime has {len(found)} lines for {module}, expected one")
        seconds.append(int(found[0]) * 1e-6)
    return seconds[1:]  # the first one fills the file cache


def first_calls(chosen: tuple[str, ...], rounds: int, threads: int) -> tuple[list[Start], list[str]]:
    """The first call of the compiled training step of an MLP 784-256-10 at batch 256; and what went wrong."""
    sides = [side for side in COMPILERS if side in chosen and absent(side) is None]
    timings = {(side, state): Timing() for side in sides for state in FIRST_LIMITS}
    problems: list[str] = []
    for _ in range(rounds):
        for side in sides:
            if any(line.startswith(side) for line in problems):
                continue
            with tempfile.TemporaryDirectory() as folder:
                for state in FIRST_LIMITS:
                    try:
                        timings[side, state].seconds.append(first_call(side, folder, threads))
                    except subprocess.CalledProcessError as problem:
                        said = problem.stderr.strip().splitlines()
                        problems.append(f"{side}, first call: {said[-1] if said else problem}")
                        break
    starts = [
        Start(f"first call, {state}", side, timing, FIRST_LIMITS[state] if side == "chainrule" else None)
        for (side, state), timing in timings.items()
        if timing.seconds
    ]
    return starts, problems


def first_call(side: str, folder: str, threads: int) -> float:
    """Seconds of the first call in a new interpreter that keeps what it compiles in `folder`."""
    cache = {name: value.format(folder=folder) for name, value in CACHES[side].items()}
    done = subprocess.run(
        [sys.executable, "-m", "chainrule.benchmarks.first_call", side, str(threads)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads)), **cache},
        preexec_fn=limit_cores(threads),
    )
    return float(json.loads(done.stdout.splitlines()[-1])["seconds"])
