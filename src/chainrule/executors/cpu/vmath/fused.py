"""x y + z with one rounding, for processors that have no instruction for it: `Math(has_fma=False)`.

float32 products are exact in float64, and the sum there has 29 bits to spare. float64 takes Dekker's product
and Knuth's sum, each exact as two floats; what is rounded in between is far below the last place, but the
product of numbers beyond 2^990 is only x y + z with two roundings. Next: `registry.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ....core.dtypes import float32, float64
from .registry import define

if TYPE_CHECKING:
    from ..emit import Emitter
    from ..values import V


@define()
def fma(b: Emitter, x: V, y: V, z: V) -> V:
    """x * y + z."""
    if x.dtype is float32:
        x, y, z = (b.cast(v, float64) for v in (x, y, z))
        return b.cast(b.add(b.mul(x, y), z), float32)
    product = b.mul(x, y)
    (xh, xl), (yh, yl) = _halves(b, x), _halves(b, y)
    lost = b.sub(b.mul(xh, yh), product)
    lost = b.add(b.mul(xl, yl), b.add(b.add(lost, b.mul(xh, yl)), b.mul(xl, yh)))
    total = b.add(product, z)
    shifted = b.sub(total, product)
    rest = b.add(b.sub(product, b.sub(total, shifted)), b.sub(z, shifted))
    out = b.add(total, b.add(rest, lost))
    return b.select(b.isfinite(out), out, total)


def _halves(b: Emitter, x: V) -> tuple[V, V]:
    """x as the sum of two floats of half the bits."""
    wide = b.mul(x, 2.0**27 + 1)
    high = b.sub(wide, b.sub(wide, x))
    return high, b.sub(x, high)
