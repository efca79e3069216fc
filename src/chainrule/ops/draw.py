"""Entries: random numbers. Next: `../core/draws.py`, which defines them word by word.

A draw is a pure function of its place in a stream: the seed and the number of its first block, both 0-d, as
integers modulo 2**64 (an int64 stands for its bits). The settings say the rest: `shape`, `dtype`, and the
limits of integers. `blocks` says how many blocks it takes; the next draw of the stream begins after them.
Eager mode asks a `Generator` for the same numbers; graphs have these entries, and the place as values
(`../graph/host.py`).
"""

from __future__ import annotations

from math import prod
from typing import Any, Final

from ..core import draws, dtypes
from ..core.draws import Rule
from ..core.dtypes import dtype
from ..core.errors import ArgumentError, DTypeError, ShapeError
from ..core.random import blocks_for, drawn
from ..core.shapes import Shape
from .lowering import Draw, Shuffle
from .primitive import NOT_BATCHED, NOT_DIFFERENTIABLE, RANDOM, USE_NUMPY, Primitive, primitive, sample
from .rules import DRAWN, DRAWN_WHOLE
from .samples import at

_WHY = "random numbers do not depend on their place in a stream in any smooth way"
_FLOATS: Final = {"uniform": draws.UNIFORM, "normal": draws.NORMAL, "exponential": draws.EXPONENTIAL}


def _at_place(seed: Shape, block: Shape) -> None:
    if seed or block:
        raise ShapeError.of("a draw", given=f"a seed {seed} and a block {block}", must="both must be 0-d")


def _shape(seed: Shape, block: Shape, *, shape: Shape, **settings: Any) -> Shape:
    _at_place(seed, block)
    return shape


def _vector(seed: Shape, block: Shape, *, n: int) -> Shape:
    _at_place(seed, block)
    return (n,)


def _rule(name: str, settings: dict[str, Any]) -> Rule:
    """What the numbers of this draw are made of."""
    if name in _FLOATS:
        kind: dtype = settings["dtype"]
        if kind.numpy not in _FLOATS[name]:
            raise DTypeError.of(f"{name} numbers", given=f"{kind}", must="the type must be floating point")
        return _FLOATS[name][kind.numpy]
    if name == "integers":
        low, high = settings["low"], settings["high"]
        if not -(1 << 63) <= low < high <= 1 << 63:
            raise ArgumentError.of(
                "randint",
                given=f"low {low} and high {high}",
                must="low must be less than high, and both within the range of int64",
            )
        return draws.integers(low, high)
    return draws.BITS64


def _numbers(name: str, seed: Any, block: Any, shape: Shape, **settings: Any) -> Any:
    kind = settings.get("dtype", dtypes.int64).numpy
    place = int(seed) % (1 << 64), int(block) % (1 << 64)
    return drawn(*place, shape, kind, _rule(name, settings))


def blocks(op: Primitive, settings: dict[str, Any]) -> int:
    """How many blocks of the stream a draw takes."""
    n = settings["n"] if op is PERMUTATION else prod(settings["shape"])
    return blocks_for(n, _rule(op.name.removeprefix("random_"), settings))


def _floats(name: str, formula: str, lower: Any = USE_NUMPY) -> Primitive:
    return primitive(
        f"random_{name}", kind=RANDOM, inputs="seed block", formula=formula, shape=_shape, dtype=DRAWN,
        numpy=lambda seed, block, *, shape, dtype: _numbers(name, seed, block, shape, dtype=dtype),
        lower=lower, batch=NOT_BATCHED,
        vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why=_WHY,
        samples=[
            sample(at(7), at(0), shape=(2, 5), dtype=dtypes.float64),
            sample(at(-3), at(2), shape=(9,), dtype=dtypes.float32),
            sample(at(5), at(-1), shape=(), dtype=dtypes.float16),
            sample(at(1), at(1), shape=(3, 0), dtype=dtypes.float32),
        ],
    )  # fmt: skip


def _uniform_lower(b: Any, words: Any, dtype: dtype) -> Any:
    """Uniform numbers from words, 32-bit ones for float32 and 64-bit ones for float64."""
    if dtype is dtypes.float32:
        return b.mul(b.cast(b.unsigned_shr(words, 8), dtype), 2.0**-24)
    return b.mul(b.cast(b.unsigned_shr(words, 11), dtype), 2.0**-53)


UNIFORM: Final = _floats("uniform", "uniform(seed, block)", Draw(_uniform_lower))
NORMAL: Final = _floats("normal", "normal(seed, block)")
EXPONENTIAL: Final = _floats("exponential", "exponential(seed, block)")

INTEGERS: Final = primitive(
    "random_integers", kind=RANDOM, inputs="seed block", formula="integers(seed, block)",
    shape=_shape, dtype=DRAWN_WHOLE,
    numpy=lambda seed, block, *, shape, **limits: _numbers("integers", seed, block, shape, **limits),
    lower=USE_NUMPY, batch=NOT_BATCHED,
    vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why=_WHY,
    samples=[
        sample(at(7), at(0), shape=(2, 5), low=-3, high=4),
        sample(at(-3), at(2), shape=(), low=-(1 << 63), high=1 << 63),
    ],
)  # fmt: skip


def _permutation(seed: Any, block: Any, *, n: int) -> Any:
    return draws.order(drawn(int(seed) % (1 << 64), int(block) % (1 << 64), (n,), "u8", draws.BITS64))


PERMUTATION: Final = primitive(
    "random_permutation", kind=RANDOM, inputs="seed block", formula="permutation(seed, block)",
    shape=_vector, dtype=DRAWN_WHOLE, numpy=_permutation, lower=Shuffle(), batch=NOT_BATCHED,
    vjp=NOT_DIFFERENTIABLE, jvp=NOT_DIFFERENTIABLE, why=_WHY,
    samples=[sample(at(7), at(0), n=9), sample(at(-3), at(2), n=0)],
)  # fmt: skip
