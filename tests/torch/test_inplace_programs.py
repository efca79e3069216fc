"""Random programs of views, in-place writes and arithmetic: same values, gradients and versions as PyTorch.

A program is a list of steps on a growing list of tensors. Both sides run it step by step; where PyTorch
refuses a step or the backward, ours must refuse the same, or be able to do more: an in-place operation keeps
its own result for backward, so that changing the tensor afterwards does no harm.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch as reference

import chainrule

# Refusals of PyTorch that ours need not share. No leaf that needs a gradient is ever written to here: the
# second is about a view of a constant that a later write has made differentiable.
QUIRKS = (
    "was created in no_grad mode",  # theirs counts writes of any kind, ours those that a gradient must follow
    "a leaf Variable that requires grad is being used in an in-place operation",
)
SHAPES = [(4,), (2, 3), (3, 2, 2)]


class Program:
    """Random steps that make sense for the tensors made so far."""

    def __init__(self, seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.shape = SHAPES[seed % len(SHAPES)]
        self.values = [self.rng.uniform(0.5, 1.5, self.shape) for _ in range(3)]

    def pick(self, choices: list[Any]) -> Any:
        return choices[self.rng.integers(len(choices))]

    def view(self, x: Any) -> Any:
        """A view as (name, function), of something with the shape of x."""
        rank, shape = x.ndim, tuple(x.shape)
        options: list[Any] = [("all", lambda t: t[...])]
        if rank:
            i = int(self.rng.integers(shape[0])) if shape[0] else 0
            if shape[0]:
                options += [(f"[{i}]", lambda t: t[i]), (f"[{i}:]", lambda t: t[i:])]
            options += [("[::2]", lambda t: t[::2]), ("unsqueeze", lambda t: t.unsqueeze(0))]
            options += [("flat", lambda t: t.reshape(-1))]
        if rank >= 2:
            options += [("transpose", lambda t: t.transpose(0, 1)), ("column", lambda t: t[:, 0])]
        options += [("detach", lambda t: t.detach())]
        if rank:
            options += [("no_grad view", None)]
        return self.pick(options)


def write(program: Program, x: Any) -> Any:
    """An in-place step on something with the shape of x: (name, f(x, other))."""
    k = float(program.rng.uniform(0.5, 1.5))
    options = [
        ("add_ number", lambda x, y, lib: x.add_(k)),
        ("mul_ number", lambda x, y, lib: x.mul_(k)),
        ("mul_ tensor", lambda x, y, lib: x.mul_(y)),
        ("add_ tensor", lambda x, y, lib: x.add_(y)),
        ("copy_", lambda x, y, lib: x.copy_(y)),
        ("fill_", lambda x, y, lib: x.fill_(k)),
        ("sin_", lambda x, y, lib: x.sin_()),
        ("exp_", lambda x, y, lib: x.mul_(0.1).exp_()),
        ("square_", lambda x, y, lib: x.square_()),
        ("setitem", lambda x, y, lib: x.__setitem__(Ellipsis, y * k)),
        ("+=", lambda x, y, lib: x.__iadd__(y)),
        ("no_grad mul_", None),
    ]
    return program.pick(options)


def steps(seed: int) -> list[Any]:
    """The program as data, made on plain arrays that follow the shapes."""
    program = Program(seed)
    shadows = [reference.tensor(v) for v in program.values]  # only for shapes
    result = []
    for _ in range(int(program.rng.integers(3, 10))):
        i = int(program.rng.integers(len(shadows)))
        kind = program.pick(["view", "view", "write", "write", "write", "compute"])
        if kind == "view":
            name, f = program.view(shadows[i])
            result.append(("view", i, name, f))
            shadows.append((f or (lambda t: t[..., :1]))(shadows[i]).clone())
        elif kind == "write":
            name, f = write(program, shadows[i])
            fitting = [j for j, s in enumerate(shadows) if s.shape == shadows[i].shape]
            result.append(("write", i, name, f, program.pick(fitting)))
        else:
            fitting = [j for j, s in enumerate(shadows) if s.shape == shadows[i].shape]
            j = program.pick(fitting)
            name = program.pick(["sin", "exp", "mul", "add"])
            result.append(("compute", i, name, None, j))
            shadows.append(shadows[i].clone())
    return result


def run(lib: Any, seed: int, program: list[Any]) -> tuple[str, list[np.ndarray[Any, Any]], list[int]]:
    """(what happened, values and gradients, versions)."""
    values = Program(seed).values
    leaves = [lib.tensor(v, requires_grad=i < 2) for i, v in enumerate(values)]
    tensors = [leaves[0] * 1.0, leaves[1] * 1.0, leaves[2]]
    done = []
    try:
        for step in program:
            x = tensors[step[1]]
            done.append(step[2])
            if step[0] == "view":
                if step[3] is None:
                    with lib.no_grad():
                        tensors.append(x[..., :1])
                else:
                    tensors.append(step[3](x))
            elif step[0] == "write":
                if step[3] is None:
                    with lib.no_grad():
                        x.mul_(1.25)
                else:
                    step[3](x, tensors[step[4]], lib)
            elif step[2] in ("sin", "exp"):
                tensors.append(getattr(lib, step[2])(x * 0.3))
            else:
                y = tensors[step[4]]
                tensors.append(x * y if step[2] == "mul" else x + y)
        total = sum((t * (k + 1)).sum() for k, t in enumerate(tensors))
        done.append("backward")
        total.backward()
    except RuntimeError as err:
        return f"refused at step {len(done)}, {done[-1]}: {str(err).splitlines()[0]}", [], []
    arrays = [t.detach().numpy() for t in tensors]
    arrays += [x.grad.numpy() if x.grad is not None else np.zeros(1) for x in leaves[:2]]
    return "done", arrays, [t._version for t in tensors]


@pytest.mark.parametrize("block", range(20))
def test_random_programs(block: int) -> None:
    refused = 0
    for seed in range(100 * block, 100 * (block + 1)):
        program = steps(seed)
        theirs, wanted, their_versions = run(reference, seed, program)
        ours, got, our_versions = run(chainrule, seed, program)
        text = f"seed {seed}: {[s[1:3] + s[4:] for s in program]}\ntheirs {theirs}\nours   {ours}"
        if theirs.startswith("refused"):
            refused += 1
            if any(quirk in theirs for quirk in QUIRKS):
                continue
            if ours.startswith("refused"):
                assert ours.split(":")[0] == theirs.split(":")[0], text
            else:
                assert "modified by an inplace operation" in theirs, text
            continue
        assert ours == "done", text
        assert our_versions == their_versions, text
        for k, (x, y) in enumerate(zip(got, wanted, strict=True)):
            np.testing.assert_allclose(x, y, rtol=1e-9, atol=1e-12, err_msg=f"array {k}, {text}")
    assert refused < 90
