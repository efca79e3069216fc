"""The process of one side: answers the requests of `worker.py`, each a line of JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import Any

import numpy as np

from . import limits, sides
from .measure import Case, calls_per_block, warm_block
from .programs import Forms, Program
from .workloads import Workload

Answer = dict[str, Any]


class Server:
    """Holds the programs of the current workload; its public methods are the requests."""

    def __init__(self, side: str, threads: int) -> None:
        self._side, self._threads = side, threads
        self._work: Workload | Case | None = None
        self._forms: Forms = {}
        self._programs: dict[str, Program] = {}

    def open(self, work: str, quick: bool) -> Answer:
        """Turn to a workload, and forget the last one. Answers the names of its forms."""
        chosen = sides.WORK[work]
        if quick and not isinstance(chosen, Case):
            chosen = chosen.quick()
        self._work, self._programs = chosen, {}
        self._forms = sides.forms(self._side, chosen, self._threads)
        return {"forms": list(self._forms)}

    def build(self, form: str) -> Answer:
        """Prepare a form of it, from the starting weights."""
        self._programs[form] = program = self._forms[form]()
        return {"steps": program.steps}

    def train(self, form: str, runs: int, file: str) -> Answer:
        """Run it some times, and write the results to a file. Answers the seconds of the first run."""
        program = self._programs[form]
        start = time.perf_counter()
        program.run()
        first = time.perf_counter() - start
        for _ in range(runs - 1):
            program.run()
        np.savez(file, *program.result())
        return {"first": first}

    def warm(self, form: str) -> Answer:
        """Answers how many calls make a block."""
        return {"calls": calls_per_block(self._programs[form].run)}

    def time(self, form: str, calls: int) -> Answer:
        """One measurement: seconds of a run."""
        return {"seconds": warm_block(self._programs[form].run, calls)}

    def machine(self) -> Answer:
        """What the machine can do at this moment, without any side's code."""
        rates = {"products": limits.products(self._threads), "copy": limits.copy(self._threads)}
        return {**rates, "control": limits.control()}


def main(side: str, threads: int) -> None:
    """Answer until the parent closes the pipe."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what a library prints is not an answer
    server = Server(side, threads)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(server, request.pop("do"))(**request)
        except Exception as problem:  # whatever happens on one side is reported, and the others go on
            answer = {"error": f"{type(problem).__name__}: {problem}".strip()}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
