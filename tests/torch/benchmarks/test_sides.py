"""The peers do the same work: without shuffling and dropout all sides end at the same weights."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from chainrule.benchmarks import sides
from chainrule.benchmarks.problems import Array
from chainrule.benchmarks.workloads import WORKLOADS, Training, Workload

TRAININGS = [work for work in WORKLOADS if isinstance(work, Training)]


def weights(side: str, form: str, work: Training) -> list[Array]:
    program = sides.forms(side, work, 2)[form]()
    for _ in range(work.steps // program.steps):
        program.run()
    return [np.array(w) for w in program.result()]


@pytest.mark.parametrize("work", TRAININGS, ids=lambda work: work.name)
@pytest.mark.parametrize("side", ["PyTorch", "JAX"])
def test_all_sides_end_at_the_same_weights(side: str, work: Training) -> None:
    pytest.importorskip(sides.PACKAGES[side])
    work = replace(work.quick(), shuffle=False, dropout=0.0)
    ours = weights("chainrule eager", "eager", work)
    for form in sides.forms(side, work, 2):
        theirs = weights(side, form, work)
        assert [w.shape for w in theirs] == [w.shape for w in ours]
        for a, b in zip(ours, theirs, strict=True):
            # Adam divides by the root of a small average: of a tiny gradient only the sign counts.
            tolerance = 1e-3 if work.optimizer == "Adam" else 1e-5
            np.testing.assert_allclose(b, a, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("work", WORKLOADS, ids=lambda work: work.name)
@pytest.mark.parametrize("side", ["PyTorch", "JAX"])
def test_every_workload_runs(side: str, work: Workload) -> None:
    pytest.importorskip(sides.PACKAGES[side])
    for form in sides.forms(side, work.quick(), 2).values():
        program = form()
        program.run()
        assert len(program.result()) >= 1
