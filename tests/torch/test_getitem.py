"""`x[key]` and `x[key] = value` against PyTorch: a table of keys, and keys drawn at random.

Keys are lines of Python about `T`, so that a failure can be copied into a session.
"""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

import chainrule
from tests.torch.both import (
    Refused,
    array,
    compare,
    evaluate,
    leaves,
    same,
    same_gradients,
    same_refusal,
)

# -- a table of keys -------------------------------------------------------------------------------------

KEYS = """
    0; -1; 1, 2; -1, -1; :; ...; None; (); 0, ...; ..., 0; ..., None; None, 0; :, None; 0, None, 1; ...,;
    0:1; 1:; :-1; ::2; 1::2; -2:; 0:0; 5:; :9; 2:1; ::3, 1:; True; False; True, 0; 0, True; None, True; [0];
    [0, 1]; [-1, 0, 0]; [[0, 1], [1, 0]]; [0, 1], [1, 0]; [0, 1], 1; 1, [0, 1]; :, [0, 2]; [0], :;
    [0, 1], None; None, [0, 1]; [0, 1], None, [0, 1]; ..., [0, 1]; [],; []; [], 0; [True, False];
    [True, False], 1; [True, False], [0]; :, [True, False, True];
    [[True, False, True], [False, True, False]]; T.tensor(1); T.tensor(-1), 0; T.tensor([0, 1]);
    T.tensor([[0, 1], [1, 1]]); T.tensor([0, 1]), T.tensor([2, 0]); T.tensor([0, 1], dtype=T.int32);
    T.tensor([0, 1], dtype=T.uint8); T.tensor(1, dtype=T.uint8); T.tensor([0], dtype=T.int8);
    T.tensor([0], dtype=T.int16); T.tensor(1, dtype=T.int16); T.tensor([0]), T.tensor([[1], [2]]);
    T.tensor([0, 1]), T.tensor([0, 1, 2]); T.tensor([0, 1]), :, None; T.tensor(True); T.tensor(False), 0;
    T.tensor([True, False]); T.tensor([True, False, True]);
    T.tensor([[True, False, True], [False, False, False]]); T.zeros(0, dtype=T.bool);
    T.zeros(0, dtype=T.int64); T.zeros(2, 0, dtype=T.int64); x > 0; x[0] > 0; :, x[0] > 0; x > 100;
    T.tensor([2, 0, 1]), T.tensor([0, 0, 0]); np.int64(1); np.array([1, 0]); np.array([True, False]);
    np.array(1); np.array([[0, 1]]), 0; range(2); T.tensor(0):T.tensor(1); True:2; 5; -3; 0, 3; 0, 0, 0;
    ..., ...; ::-1; ::0; 1.0; 'a'; T.tensor(1.0); T.tensor([1.0]); [0.5]; [0, 5]; [0, -3]; :, [3]; 0:1.5;
    {0}; [None]; [slice(None), 0]; T.tensor([5]); T.tensor([-3]); [[True, False]]; T.tensor([[True]]);
    :, T.tensor([True]); 0, T.tensor([True, False, True]); [0, True]
"""


def keys(text: str) -> list[str]:
    return [k.strip() for k in text.replace("\n", " ").split(";") if k.strip()]


# PyTorch takes fractions in a list towards 0, and for a text it looks at the number of axes first.
STRANGE = {"[0.5]", "'a'"}


@pytest.mark.parametrize("key", [k for k in keys(KEYS) if k not in STRANGE])
@pytest.mark.parametrize("shape", ["2x3", "3", "()", "2x3x4", "0x3", "3x2t"])
def test_reading(key: str, shape: str) -> None:
    read(key, {"x": array(shape, "float64")})


def read(key: str, arrays: dict[str, np.ndarray]) -> None:
    """Compare x[key], unless an index that is not there takes nothing: PyTorch does not look at it then."""
    taken = evaluate(torch, f"x[{key}].numel()", {"x": torch.from_numpy(arrays["x"].copy())})
    ours = evaluate(chainrule, f"x[{key}]", {"x": chainrule.from_numpy(arrays["x"].copy())})
    if not (taken == 0 and isinstance(ours, Refused) and isinstance(ours.error, chainrule.IndexingError)):
        compare(f"x[{key}]", arrays)


VALUES = ["7", "2.5", "True", "T.tensor(1.5)", "T.tensor([1.0, 2.0, 3.0], dtype=T.float64)", "y", "y[0]"]


def assign(key: str, value: str, arrays: dict[str, np.ndarray]) -> None:
    """`z = x * 1; z[key] = value` on both sides: z, x and their gradients."""
    mine, its = leaves(chainrule, arrays, grad=True), leaves(torch, arrays, grad=True)
    statement = f"(z.__setitem__(np.s_[{key}], {value}), z)[1]"
    ours = evaluate(chainrule, statement, {**mine, "z": mine["x"] * 1})
    theirs = evaluate(torch, statement, {**its, "z": its["x"] * 1})
    place = evaluate(torch, f"x[{key}].numel()", its)
    if place == 0 and isinstance(ours, Refused) and isinstance(ours.error, chainrule.IndexingError):
        return  # an index that is not there, and nothing to write: PyTorch does not look
    if not same_refusal(ours, theirs):
        same(ours, theirs)
        same_gradients(mine, its, ours, theirs)


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("key", [k for k in keys(KEYS) if k not in STRANGE and "uint8" not in k])
def test_writing(key: str, value: str) -> None:
    """Not for masks of uint8, which PyTorch takes for reading but not for writing."""
    assign(key, value, {"x": array("2x3", "float64"), "y": array("2x3", "float64", seed=1)})


NUMBERS = """
    7; 2.7; -1; True; 300; 1e10; nan; T.tensor(2); T.tensor(2.5); T.tensor([2.5]); [1]; None; 'a';
    np.float64(2.5); np.ones(3)
"""


@pytest.mark.parametrize("dtype", ["float32", "int64", "int32", "uint8", "bool"])
@pytest.mark.parametrize("value", keys(NUMBERS))
@pytest.mark.parametrize("key", ["0", "0, 1", ":", "[0, 1]", "x > 0", "T.tensor([0])", "T.tensor([0]), 1"])
def test_conversion_of_what_is_written(key: str, value: str, dtype: str) -> None:
    assign(key, value, {"x": array("2x3", dtype)})


# -- random keys -------------------------------------------------------------------------------------------


def _slice(rng: random.Random, n: int) -> str:
    start, stop = (rng.choice(["", str(rng.randint(-n - 1, n + 1))]) for _ in range(2))
    return f"{start}:{stop}" + rng.choice(["", "", f":{rng.randint(1, 3)}"])


def _integers(rng: random.Random, n: int, shape: list[int]) -> str:
    if not shape:
        return str(rng.randint(-n, n - 1)) if n else "0"
    return "[" + ", ".join(_integers(rng, n, shape[1:]) for _ in range(shape[0])) + "]"


def _bools(rng: random.Random, shape: list[int]) -> str:
    if not shape:
        return rng.choice(["True", "False"])
    return "[" + ", ".join(_bools(rng, shape[1:]) for _ in range(shape[0])) + "]"


def random_key(rng: random.Random, shape: list[int]) -> str:
    """A key that mostly fits, and sometimes does not."""
    items: list[str] = []
    axis = 0
    common = [
        rng.randint(1, 3) for _ in range(rng.randint(1, 2))
    ]  # index arrays broadcast against each other
    while axis < len(shape) and rng.random() < 0.8:
        n = shape[axis] if rng.random() < 0.95 else shape[axis] + 2
        kind = rng.choices(
            ["int", "slice", "array", "mask", "none", "dots", "bool"], [4, 5, 5, 2, 2, 1, 0.5]
        )[0]
        if kind == "int":
            items.append(_integers(rng, n, []))
        elif kind == "slice":
            items.append(_slice(rng, n))
        elif kind == "array":
            picked = common if rng.random() < 0.7 else [rng.choice([1, k]) for k in common]
            items.append(f"T.tensor({_integers(rng, n, picked)})" if n else "T.zeros(0, dtype=T.int64)")
        elif kind == "mask":
            rank = rng.randint(1, min(2, len(shape) - axis))
            sizes = shape[axis : axis + rank] if rng.random() < 0.95 else [2] * rank
            items.append(f"T.tensor({_bools(rng, sizes)}, dtype=T.bool).reshape({sizes})")
            axis += rank - 1
        elif kind == "none":
            items.append("None")
            continue
        elif kind == "dots" and "..." not in items:
            items.append("...")
            axis = max(axis, rng.randint(axis, len(shape))) - 1
        elif kind == "bool":
            items.append(rng.choice(["True", "False"]))
            continue
        axis += 1
    return ", ".join(items) + ("," if len(items) == 1 else "") if items else "..."


SHAPES = [[5], [3, 4], [2, 3, 4], [1, 3], [0, 3], [2, 3, 2, 2], []]


@pytest.mark.parametrize("seed", range(40))
def test_random_keys(seed: int) -> None:
    """Ten keys per seed, read and written (a number, a value of the right shape, one to be broadcast)."""
    rng = random.Random(seed)
    for _ in range(10):
        shape = rng.choice(SHAPES)
        text = "x".join(map(str, shape)) or "()"
        key = random_key(rng, shape)
        x = array(text, "float64", seed=seed)
        read(key, {"x": x})
        assign(key, "2.0", {"x": x})
        place = evaluate(torch, f"tuple(x[{key}].shape)", {"x": torch.from_numpy(x.copy())})
        if isinstance(place, tuple):
            wide = [n if rng.random() < 0.8 else 1 for n in place][rng.choice([0, 0, 1]) :]
            y = np.asarray(np.random.default_rng(seed).normal(size=wide))
            assign(key, "y", {"x": x, "y": y})
