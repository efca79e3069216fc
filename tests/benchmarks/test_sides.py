"""Every workload runs on our side, and nobody imports a peer who need not."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

import chainrule
from chainrule.benchmarks import sides
from chainrule.benchmarks.measure import Case
from chainrule.benchmarks.sides import WORK, absent, forms, sides_for
from chainrule.benchmarks.workloads import WORKLOADS, Workload


@pytest.mark.parametrize("work", WORKLOADS, ids=lambda work: work.name)
@pytest.mark.parametrize("side", ["chainrule", "chainrule eager"])
def test_every_workload_runs(side: str, work: Workload) -> None:
    if reason := absent(side):
        assert side == "chainrule"
        assert reason == "this version does not compile"
        assert not hasattr(chainrule, "compile")
        return
    for form in forms(side, work.quick(), 2).values():
        program = form()
        program.run()
        program.run()
        assert program.steps >= 1
        assert len(program.result()) >= 1


@pytest.mark.parametrize(
    "work", [w for w in WORK.values() if isinstance(w, Case)], ids=lambda work: work.name
)
def test_every_case_of_eager_mode_runs(work: Case) -> None:
    run = work.workload(chainrule)
    run()
    run()
    assert work.what
    assert work.limit is None or work.limit > 0


def test_names_are_unique() -> None:
    assert len(WORK) == len(sides.CASES) + len(WORKLOADS)


def test_who_takes_part() -> None:
    assert sides_for(WORK["add"]) == ("chainrule eager", "PyTorch")
    assert sides_for(WORK["mlp"]) == sides.SIDES


def test_why_a_side_is_absent(monkeypatch: pytest.MonkeyPatch) -> None:
    assert absent("chainrule eager") is None
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert absent("PyTorch") == "torch is not installed"
    assert absent("JAX") == "jax is not installed"
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: object())
    monkeypatch.setattr(sides, "compiler", lambda: None)
    assert absent("torch.compile") == "there is no C++ compiler"
    assert absent("PyTorch") is None


def test_no_peer_is_imported() -> None:
    code = """
import sys, pkgutil, importlib
import chainrule.benchmarks as package
for module in pkgutil.iter_modules(package.__path__):
    if module.name != "__main__":
        importlib.import_module(f"chainrule.benchmarks.{module.name}")
print(sorted({"torch", "jax", "matplotlib", "rich"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
