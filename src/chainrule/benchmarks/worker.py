"""The parent's end of a side's process: starts it, asks for one thing at a time, ends it.

Three frameworks in one process have three pools of threads, which wait by spinning and take the cores from
each other. So each side lives in a process of its own, which is kept alive, and idle while another one is
measured. What can be asked for is in `serving.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from typing import Any

THREAD_VARIABLES = ("CHAINRULE_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class SideError(Exception):
    """A side could not do what it was asked for."""


class Worker:
    """A process for one side and number of threads."""

    def __init__(self, side: str, threads: int) -> None:
        self.side, self.threads = side, threads
        self._stderr = tempfile.TemporaryFile()  # noqa: SIM115 - open as long as the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "chainrule.benchmarks.serving", side, str(threads)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            encoding="utf-8",
            # Both before the first import: JAX has no setting, it starts a thread for each core it may use.
            env={**os.environ, **dict.fromkeys(THREAD_VARIABLES, str(threads))},
            preexec_fn=limit_cores(threads),
        )

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """One request and its answer.

        Raises: SideError with the side's own message, or with the end of its error output if it is gone.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self._process.wait()
            self._stderr.seek(0)
            said = self._stderr.read().decode("utf-8", "replace").strip().splitlines()
            raise SideError(f"the process of {self.side} ended: {said[-1] if said else 'it said nothing'}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise SideError(answer["error"])
        return answer

    @property
    def ended(self) -> bool:
        """Whether the process is gone, and with it all that was prepared in it."""
        return self._process.poll() is not None

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.communicate()
        self._stderr.close()


def limit_cores(threads: int) -> Any:
    """What the new process does first, where the system can keep it to some cores."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    cores = sorted(os.sched_getaffinity(0))[:threads]
    return lambda: os.sched_setaffinity(0, cores)


class Workers:
    """All processes of a run, started when they are first needed and ended with the block."""

    def __init__(self) -> None:
        self._workers: dict[tuple[str, int], Worker] = {}
        self._stack = ExitStack()

    def of(self, side: str, threads: int) -> Worker:
        """The process of a side; one that has ended is started again."""
        key = side, threads
        if key not in self._workers or self._workers[key].ended:
            self._workers[key] = worker = Worker(side, threads)
            self._stack.callback(worker.close)
        return self._workers[key]

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()
