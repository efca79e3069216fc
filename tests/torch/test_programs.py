"""Random programs of ten to twenty steps, run on both sides: all values and gradients agree.

A program is text, one statement a line, about tensors a, b, c, ...: functions, operators, reductions, views,
indexing, joining, and writes in place, to results and through views. Statements that either side refuses are
left out of the program. At the end a random functional of all tensors is differentiated.
"""

from __future__ import annotations

import random
import re
import warnings
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

import chainrule
from tests.torch.both import Refused, same, same_refusal, weighted

# What a statement may do with the tensors {x}, {y}; weights keep programs varied.
STEPS = [
    # elementwise; the values stay small
    (6, "{x} + {y}"), (4, "{x} * {y}"), (4, "{x} - {y}"), (3, "{x} / ({y}.abs() + 1)"), (2, "{x}.tanh()"),
    (2, "{x}.sin()"), (2, "{x}.abs()"), (2, "{x}.relu()"), (1, "({x} * 0.1).exp()"),
    (1, "({x}.abs() + 0.5).log()"), (1, "({x} ** 2 + 1).sqrt()"), (2, "{x}.sigmoid()"),
    (1, "{x}.clamp(-1, 1)"), (1, "T.maximum({x}, {y})"), (1, "T.where({x} > {y}, {x}, {y} * 2)"),
    (2, "{x} * {k}"), (1, "{k} - {x}"), (1, "{x}.neg()"), (1, "{x}.masked_fill({x} > 0.5, {k})"),
    (1, "T.lerp({x}, {y}, 0.3)"), (1, "{x} ** 3 * 0.1"), (1, "{x} % 2"),
    # reductions
    (2, "{x}.sum({d})"), (2, "{x}.mean({d}, True)"), (1, "{x}.amax({d})"),
    (1, "{x}.var({d}, correction=0)"), (1, "{x}.logsumexp({d})"), (1, "{x}.softmax({d})"),
    (1, "{x}.cumsum({d})"), (1, "{x}.norm(dim={d})"), (1, "{x}.max({d}).values"),
    (1, "{x}.prod({d}) * 0.1"), (1, "{x}.sum()"), (1, "{x}.sort(dim={d}, stable=True)[0].contiguous()"),
    # views
    (3, "{x}.T"), (2, "{x}.reshape(-1)"), (2, "{x}.unsqueeze({d})"), (2, "{x}.squeeze()"),
    (1, "{x}.transpose(0, {d})"), (2, "{x}[{i}]"), (2, "{x}[:, {i}]"), (2, "{x}[::2]"), (2, "{x}[{i}:]"),
    (1, "{x}.expand(2, *{x}.shape)"), (1, "{x}.flatten()"), (1, "{x}.diagonal()"),
    (1, "{x}.narrow({d}, 0, 1)"), (1, "{x}.view(-1)"), (1, "{x}.mT"), (1, "{x}.movedim(0, -1)"),
    (1, "{x}.detach() * 2"), (1, "{x}.detach()"),
    # selection and joining
    (1, "{x}[[0, {i}, 0]]"), (1, "{x}[{x} > 0]"), (1, "{x}.flip({d})"), (1, "T.cat(({x}, {y}), {d})"),
    (1, "T.stack(({x}, {y}))"), (1, "{x}.repeat(2, 1)"), (1, "{x}.roll(1, {d})"), (1, "{x}.tril()"),
    (1, "{x}.gather({d}, T.zeros_like({x}, dtype=T.int64))"), (1, "T.nn.functional.pad({x}, (1, 0))"),
    # products
    (2, "{x} @ {y}"), (1, "{x} @ {y}.T"), (1, "T.outer({x}.flatten(), {y}.flatten())[:3, :3]"),
    (1, "T.einsum('...i,...i->...', {x}, {y}).contiguous()"),
    # copies
    (1, "{x}.clone()"), (1, "{x}.contiguous()"), (1, "{x}.double()"), (1, "{x}.float()"),
]  # fmt: skip

WRITES = [
    (4, "{x}.mul_({k})"), (4, "{x}.add_({y})"), (3, "{x} += {y}"), (2, "{x} *= {k}"), (2, "{x}.copy_({y})"),
    (2, "{x}[{i}] = {k}"), (2, "{x}[{i}] = {y}"), (2, "{x}[:, {i}] = {k}"), (2, "{x}[::2] = {y}"),
    (1, "{x}.zero_()"), (1, "{x}[{x} > 0] = {k}"), (1, "{x}[[0, {i}]] = {k}"),
    (1, "{x}.sub_({y}, alpha=2)"), (1, "{x}.tanh_()"), (1, "{x}.clamp_(-1, 1)"), (1, "{x}[{i}] += {y}"),
    (1, "{x}.T.mul_({k})"), (1, "{x}[0].add_({k})"), (1, "{x} -= {x}.mean()"), (1, "{x}.div_({k})"),
    (1, "{x}.masked_fill_({y} > 0, {k})"), (1, "{x}.neg_()"), (1, "{x}.fill_({k})"),
    (1, "{x}.index_add_(0, T.tensor([0]), {x}[:1].clone())"), (1, "{x}.detach().mul_({k})"),
]  # fmt: skip

# What one side refuses and the other rightly does: the program ends there, because the two go apart.
THEIRS_ALONE = re.compile(
    "refer to a single memory location"  # ours copies first where what is read overlaps what is written
    "|a leaf Variable that requires grad"  # a view of a constant that a later write has made differentiable
    "|modified by an inplace operation"  # ours keeps the old value of what an in-place operation needs
)
OURS_ALONE = re.compile(
    "whose memory cannot be written"  # PyTorch lets some writes to expanded tensors pass
    "|backward through x @ y .* in a changed state"  # its products copy some factors before they keep them
)

SHAPES = [(3,), (2, 3), (3, 3), (1, 3), (), (2, 1, 3)]


@dataclass
class Side:
    """One library running the program."""

    T: Any
    names: dict[str, Any] = field(default_factory=dict)

    def run(self, statement: str) -> Refused | None:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(statement, {"T": self.T}, self.names)
        except Exception as error:
            return Refused(error)
        return None


def picked(rng: random.Random, steps: list[tuple[int, str]]) -> str:
    return rng.choices([text for _, text in steps], [weight for weight, _ in steps])[0]


def statement(rng: random.Random, names: list[str]) -> str:
    """A line about the tensors there are; new ones get the next letter."""
    write = rng.random() < 0.3
    text = picked(rng, WRITES if write else STEPS).format(
        x=rng.choice(names),
        y=rng.choice(names),
        k=round(rng.uniform(-2, 2), 2),
        d=rng.choice([0, -1, 1]),
        i=rng.randint(0, 2),
    )
    return text if write else f"{chr(ord('a') + len(names))} = {text}"


def apart(ours: Refused | None, theirs: Refused | None) -> bool:
    """Whether one side refuses what the other may do."""
    if ours is None and theirs is not None:
        return bool(THEIRS_ALONE.search(str(theirs)))
    return ours is not None and theirs is None and bool(OURS_ALONE.search(str(ours)))


def rehearsed(line: str, its: Side) -> Side | None:
    """PyTorch with copies of its tensors after the line; None if it refuses it, perhaps half done."""
    copies = Side(torch, {name: x.detach().contiguous().clone() for name, x in its.names.items()})
    return copies if copies.run(line) is None else None


def exactness(lines: list[str]) -> str:
    return "float32" if any(".float()" in line for line in lines) else "float64"


def program(seed: int) -> tuple[list[str], Side, Side] | None:
    """Write a program while running it, so that most of its lines fit what there is."""
    rng = random.Random(seed)
    data = np.random.default_rng(seed)
    mine, its = Side(chainrule), Side(torch)
    lines: list[str] = []
    for name, wants in zip("abc", (True, True, False), strict=True):
        values = data.normal(size=rng.choice(SHAPES))
        for side in (mine, its):
            side.names[name] = side.T.tensor(values, requires_grad=wants)
        lines.append(
            f"{name} = T.tensor({np.asarray(values).tolist()}, dtype=T.float64, requires_grad={wants})"
        )
    wanted = rng.randint(10, 20)
    for _ in range(60):
        if len(lines) - 3 == wanted:
            break
        names = sorted(its.names)
        line = statement(rng, names)
        copies = rehearsed(line, its)
        if copies is None:
            continue
        ours, theirs = mine.run(line), its.run(line)
        lines.append(line)
        if apart(ours, theirs):
            return None  # what follows would differ
        if theirs is None and not torch.equal(its.names[line[0]], copies.names[line[0]]):
            return None  # PyTorch read elements that it had overwritten already; ours copies first
        try:
            refused = same_refusal(ours, theirs)
            new = line[0] if line[1:4] == " = " else ""
            if not refused and new:
                same(mine.names[new], its.names[new], new, exactness(lines))
        except AssertionError as err:
            raise AssertionError("\n".join([*lines, f"# {err}"])) from err
        if refused:
            lines.pop()
        elif new and not 0 < its.names[new].numel() <= 200:
            lines.pop()
            for side in (mine, its):
                del side.names[new]
    return lines, mine, its


def run(seed: int) -> None:
    made = program(seed)
    if made is None:
        return
    lines, mine, its = made
    text = "\n".join(lines)
    try:
        for name, theirs in its.names.items():
            same(mine.names[name], theirs, name, exactness(lines))
        last = [n for n in sorted(its.names) if its.names[n].requires_grad]
        results = []
        for side in (mine, its):
            side.names["total"] = weighted
            side.names["last"] = [side.names[n] for n in last]
            results.append(side.run("total(T, last).backward()"))
        if not apart(*results) and not same_refusal(*results):
            for name in "ab":
                same(mine.names[name].grad, its.names[name].grad, f"{name}.grad", exactness(lines))
    except AssertionError as err:
        raise AssertionError(f"seed {seed}\n{text}\n# {err}") from err


@pytest.mark.parametrize("block", range(20))
def test_random_programs(block: int) -> None:
    for seed in range(25 * block, 25 * block + 25):
        run(seed)
