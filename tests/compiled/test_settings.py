"""`CHAINRULE_CHECK` and `CHAINRULE_COMPILE` for compiled functions, and what happens without llvmlite."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import chainrule as torch
from chainrule import nn
from chainrule.compiler import CompileError
from chainrule.core import settings
from chainrule.executors.checked import CheckedProgram
from chainrule.executors.cpu.program import Program
from chainrule.graph.errors import GraphError
from chainrule.ops.primitive import TABLE
from chainrule.training.step import Stepper


@pytest.fixture
def checks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("CHAINRULE_CHECK", "1")
    settings.check.cache_clear()
    yield
    monkeypatch.undo()
    settings.check.cache_clear()


@pytest.fixture
def wrong_tanh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Native code in which tanh(x) is x, in a cache of its own."""
    monkeypatch.setenv("CHAINRULE_CACHE", "0")
    settings.cache_folder.cache_clear()
    op, right = TABLE["tanh"], TABLE["tanh"].lower
    object.__setattr__(op, "lower", lambda b, x: b.mul(x, 1.0))
    yield
    object.__setattr__(op, "lower", right)
    monkeypatch.undo()
    settings.cache_folder.cache_clear()


def line_of(f: Any, text: str) -> str:
    """Where a text stands in a function, as error messages write it."""
    lines, first = inspect.getsourcelines(f)
    number = next(i for i, line in enumerate(lines, first) if text in line)
    return f"{os.path.relpath(__file__)}:{number}"


def program(f: Any) -> Any:
    return f._signatures[0].program


def test_checked_runs_give_native_results(checks: None) -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Dropout(0.5), nn.Linear(8, 3))
    opt = torch.optim.Adam(model.parameters(), lr=0.01)

    def step(x: Any, y: Any) -> Any:
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        opt.step()
        return loss

    run = torch.compile(step)
    x, y = torch.randn(9, 4), torch.randint(0, 3, (9,))
    losses = [run(x, y).item() for _ in range(5)]
    assert isinstance(program(run), CheckedProgram)
    assert len(set(losses)) == 5
    assert "define" in run.show("ir")


def test_the_first_difference_is_named(checks: None, wrong_tanh: None) -> None:
    total = torch.zeros(())

    def f(x: Any) -> Any:
        y = x * 3
        z = torch.tanh(y)
        total.add_(z.sum())
        return z.exp()

    with pytest.raises(GraphError) as caught:
        torch.compile(f)(torch.ones(2, 3))
    assert str(caught.value) == (
        "checking tanh(x) got 3.0 natively and 0.9950547814369202 with NumPy, "
        "at (0, 0) of its result (2, 3)\n"
        "  native code and NumPy must agree within rounding\n"
        "  try: CHAINRULE_COMPILE=0 for right results; please report it\n"
        f"  at {line_of(f, 'torch.tanh')}"
    )
    assert total.item() == 0  # nothing was written


def test_a_difference_inside_a_loop_is_named_by_the_loop(checks: None, wrong_tanh: None) -> None:
    data = torch.utils.data.TensorDataset(torch.ones(6, 2))
    loader = torch.utils.data.DataLoader(data, batch_size=2)

    def epoch() -> Any:
        total = torch.zeros(())
        for (x,) in loader:
            total += (x * 3).tanh().sum()
        return total

    with pytest.raises(GraphError, match=r"checking a loop over batches got 36\.0 natively and 11\.94"):
        torch.compile(epoch)()


def test_the_first_nan_is_named(checks: None) -> None:
    def f(x: Any) -> Any:
        return torch.log(x * 0) * 2

    with pytest.raises(GraphError) as caught:
        torch.compile(f)(torch.ones(3))
    assert str(caught.value).startswith("checking log(x) got (3,), and its result (3,) has an infinity\n")
    assert str(caught.value).endswith(f"  at {line_of(f, 'torch.log')}")


def test_what_jumps_may_differ(checks: None, wrong_tanh: None) -> None:
    """An argmax of numbers that are equal within rounding is right either way."""

    def f(x: Any) -> Any:
        return torch.stack([x, x.tanh() + 0.0]).argmax(0)

    x = torch.full((3,), 1e-3)  # tanh(x) is a little less than x; natively it is x here
    assert torch.compile(f)(x).tolist() == [0, 0, 0]
    assert torch.compile(lambda x: (x.tanh() < x).float().sum())(x).item() == 0.0


@pytest.mark.parametrize("value", ["0", "1"])
def test_with_and_without_native_code(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("CHAINRULE_COMPILE", value)
    settings.native.cache_clear()
    try:
        f = torch.compile(lambda x: x.tanh().sum(0))
        x = torch.randn(5, 3)
        np.testing.assert_allclose(f(x).numpy(), x.tanh().sum(0).numpy(), rtol=1e-5)
        assert isinstance(program(f), Program) == (value == "1")
    finally:
        monkeypatch.undo()
        settings.native.cache_clear()


# -- llvmlite ---------------------------------------------------------------------------------------------


def python(code: str, **environment: str) -> str:
    """What a new process prints."""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"CHAINRULE_CACHE": "0"} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


MISSING = "import sys; sys.modules['llvmlite'] = None\n"
BROKEN = """
import sys
class Broken:
    def find_spec(self, name, path=None, target=None):
        if name == "llvmlite.binding":
            raise OSError("Could not find/load shared object file: libllvmlite.so")
sys.meta_path.insert(0, Broken())
"""
CALL = """
import chainrule as torch
try:
    torch.compile(lambda x: x + 1)(torch.ones(2))
except RuntimeError as err:
    print(type(err).__name__)
    print(err.summary)
"""


@pytest.mark.parametrize(
    ("how", "reason"),
    [
        (MISSING, "ModuleNotFoundError: import of llvmlite halted; None in sys.modules"),
        (BROKEN, "OSError: Could not find/load shared object file: libllvmlite.so"),
    ],
)
def test_no_llvmlite(how: str, reason: str) -> None:
    assert python(how + CALL) == (
        "CompileError\n"
        f"chainrule.compile got no working llvmlite ({reason})\n"
        "  llvmlite makes the native code\n"
        "  try: pip install --force-reinstall llvmlite; or CHAINRULE_COMPILE=0, which runs it with NumPy\n"
    )


def test_without_llvmlite_programs_run_with_numpy_if_asked() -> None:
    code = MISSING + "import chainrule as torch; print(torch.compile(lambda x: x + 1)(torch.ones(2)))"
    assert python(code, CHAINRULE_COMPILE="0") == "tensor([2., 2.])\n"


def test_importing_chainrule_does_not_import_llvmlite() -> None:
    code = "import sys, chainrule; chainrule.compile(lambda x: x); print('llvmlite' in sys.modules)"
    assert python(code) == "False\n"


def broken_compiler(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*args: Any) -> None:
        raise error

    monkeypatch.setattr(Program, "__init__", fail)


def test_a_mistake_of_the_compiler_is_an_error_that_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    broken_compiler(monkeypatch, KeyError("v1"))
    with pytest.raises(CompileError) as caught:
        torch.compile(lambda x: x + 1)(torch.ones(2))
    assert caught.value.summary == (
        "chainrule.compile got an error of its own while it made native code (KeyError: 'v1')\n"
        "  every graph can be made native; this is a mistake in chainrule, please report it\n"
        "  try: CHAINRULE_COMPILE=0, which runs it with NumPy"
    )
    assert isinstance(caught.value.__cause__, KeyError)


@pytest.mark.parametrize("error", [ImportError("no llvmlite"), KeyError("v1")])
def test_training_goes_on_as_written(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def trained(note: Callable[[str], None]) -> Any:
        torch.manual_seed(1)
        model = nn.Linear(3, 1)
        opt = torch.optim.Adam(model.parameters(), lr=0.1)
        step = Stepper(model, nn.MSELoss(), opt, note)
        batch = torch.ones(4, 3), torch.ones(4, 1)
        return [step(batch).item() for _ in range(4)]

    wanted = trained(lambda text: None)
    broken_compiler(monkeypatch, error)
    notes: list[str] = []
    np.testing.assert_allclose(trained(notes.append), wanted, rtol=1e-5)
    assert len(notes) == 1
    assert notes[0].startswith("training is not compiled, which makes it slower: chainrule.compile got ")
