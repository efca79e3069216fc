"""Print the tables of `chainrule.executors.cpu.vmath.pieces`, as the module that holds them:

    python tools/fit_pieces.py > src/chainrule/executors/cpu/vmath/piece_tables.py

Each function is cut into 16 pieces, which are short where it bends: u = t + offset runs from the offset to 16
times that, and a piece is what lies between two numbers u with two bits after the first one, such as 1, 1.25,
1.5, 1.75, 2, 2.5, ... On each the function is a polynomial of degree 5 in t - centre.

The polynomial passes through the function at the zeros of a Chebyshev polynomial, which is the best one up to
a small factor. The centre lies at one of the two zeros in the middle, or rather next to it, where the
function is, by luck, almost a float32: that value then has no rounding error, and the result has hardly more
than the rounding of the last addition. The first piece has its centre at 0 and the exact slope there, so that
small results are as exact as others.

Values are computed by mpmath with 40 digits.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, Final, NamedTuple

import mpmath as mp
import numpy as np

Number = Any  # mpmath's mpf; the library has no types

BITS: Final = 2  # of u after the first one which tell pieces apart
PIECES: Final = 16
DEGREE: Final = 5
CANDIDATES: Final = 400  # for a centre


class Odd(NamedTuple):
    """An odd function: its name, its values for t > 0, its slope at 0, from where on it is 1, and the offset.

    The offset has two bits after the first one, too, and 15 times it is more than the limit.
    """

    name: str
    value: Callable[[Number], Number]
    slope: Number
    limit: float
    offset: float


def functions() -> list[Odd]:
    """The functions that have tables."""
    return [Odd("TANH", mp.tanh, mp.mpf(1), 9.02, 0.625), Odd("ERF", mp.erf, 2 / mp.sqrt(mp.pi), 4.1, 0.3125)]


def borders(offset: float) -> list[Number]:
    """Where pieces begin, and the last one ends, in terms of u."""
    found = [mp.mpf(offset)]
    while len(found) <= PIECES:
        found.append(found[-1] + mp.ldexp(1, int(mp.floor(mp.log(found[-1], 2))) - BITS))
    return found


def place(u: Number) -> int:
    """Where the piece that begins there stands in a table: the last four bits that tell pieces apart."""
    return int(np.float32(float(u)).view(np.int32)) >> (23 - BITS) & (PIECES - 1)


def single(x: Number) -> Number:
    """The nearest float32."""
    return mp.mpf(float(np.float32(float(x))))


def centre(f: Odd, near: Number, width: Number) -> Number:
    """Of the float32 numbers next to one, the one at which the function is closest to a float32."""
    step = width / 100 / CANDIDATES
    found = [single(near + step * k) for k in range(-CANDIDATES // 2, CANDIDATES // 2)]
    return min(found, key=lambda c: abs(f.value(c) - single(f.value(c))))


def piece(f: Odd, low: Number, high: Number) -> list[Number]:
    """Centre and coefficients, constant first, of the polynomial in t - centre for low <= t <= high."""
    if low == 0:
        # r times the error of the rest is what counts, so one of the zeros is at 0.
        *zeros, last = chebyshev(DEGREE)
        nodes = [(z - last) / (1 - last) * high for z in zeros]
        rest = solved(nodes, [(f.value(r) / r - f.slope) / r for r in nodes])
        return [mp.mpf(0), mp.mpf(0), f.slope, *rest]
    nodes = [(low + high) / 2 + (high - low) / 2 * z for z in chebyshev(DEGREE + 1)]
    c = centre(f, nodes.pop(DEGREE // 2), high - low)
    value, lacks = f.value(c), f.slope - single(f.slope)
    nodes = [t - c for t in nodes]
    return [c, value, *solved(nodes, [(f.value(c + r) - value) / r - lacks for r in nodes])]


def chebyshev(count: int) -> list[Number]:
    """The zeros of a Chebyshev polynomial, largest first."""
    return [mp.cos(mp.pi * (2 * j + 1) / (2 * count)) for j in range(count)]


def solved(nodes: list[Number], values: list[Number]) -> list[Number]:
    """Coefficients of the polynomial with these values, constant first."""
    matrix = mp.matrix([[x**k for k in range(len(nodes))] for x in nodes])
    return list(mp.lu_solve(matrix, mp.matrix(values)))


def table(f: Odd) -> list[list[np.float32]]:
    """The rows: centres, then coefficients, constant first; each in the order of places."""
    edges = borders(f.offset)
    rows = [[np.float32(0)] * PIECES for _ in range(DEGREE + 2)]
    for low, high in pairwise(edges):
        found = piece(f, low - f.offset, high - f.offset)
        for row, number in zip(rows, found, strict=True):
            row[place(low)] = np.float32(float(number))
    return rows


HEAD: Final = '''"""Functions of float32 in pieces, for `pieces.py`.

Written by tools/fit_pieces.py, which says how they were found.
"""

from typing import Final, NamedTuple


class Pieces(NamedTuple):
    """A function of t >= 0 that is 1 from `limit` on.

    offset:        the first bits of u = t + offset say which piece t is in: its exponent and BITS more.
    rest:          what the coefficients of t - centre lack, all the same: the slope at 0 is no float32.
    centres:       one number per piece, in the order of the last four of these bits.
    coefficients:  of t - centre, constant first; each as the centres.
    """

    limit: float
    offset: float
    rest: float
    centres: tuple[float, ...]
    coefficients: tuple[tuple[float, ...], ...]


'''


def module() -> str:
    """The text of `piece_tables.py`."""
    lines = [f"BITS: Final = {BITS}"]
    with mp.workdps(40):
        for f in functions():
            centres, *coefficients = table(f)
            rest = np.float32(float(f.slope - single(f.slope)))
            lines += ["", f"{f.name}: Final = Pieces("]
            lines += [f"    limit={f.limit!r},", f"    offset={f.offset!r},", f"    rest={rest!s},"]
            lines += ["    centres=(", *numbers(centres, 8), "    ),", "    coefficients=("]
            for row in coefficients:
                lines += ["        (", *numbers(row, 12), "        ),"]
            lines += ["    ),", ")  # fmt: skip"]
    return HEAD + "\n".join(lines) + "\n"


def numbers(row: list[np.float32], indent: int) -> list[str]:
    """Lines with four numbers each."""
    words = [f"{x!s}," for x in row]
    return [" " * indent + " ".join(words[k : k + 4]) for k in range(0, len(words), 4)]


if __name__ == "__main__":
    print(module(), end="")
