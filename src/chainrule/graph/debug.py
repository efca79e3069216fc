"""What `CHAINRULE_CHECK` and `CHAINRULE_SHOW` (`../core/settings.py`) do with graphs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..core import settings
from .errors import GraphError
from .rules import ruled
from .values import Value


def show(kind: str, graph: Any) -> None:
    """Print a graph to standard error, if graphs of this kind (`graph`, `simplified`) are asked for."""
    if kind in settings.show():
        print(f"# {kind}\n{graph}", file=sys.stderr)


def check_result(v: Value, inputs: Sequence[Any], result: Any) -> None:
    """Raise unless a result is what the rules of its op say, and finite where all inputs are."""
    assert v.op is not None
    shape, kind = ruled(v)
    one = v.op.outputs == 1
    for a, wanted in zip((result,) if one else result, (shape,) if one else shape, strict=True):
        if (a.shape, a.dtype) != (wanted, kind.numpy):
            raise GraphError.of(
                f"checking {v.op.formula}",
                given=f"a result {a.dtype}{list(a.shape)}",
                must=f"by the rules for shape and type it is {kind.name}{list(wanted)}",
                site=v.site,
                at=v.site is not None,
            )
        if not _finite(a) and all(map(_finite, inputs)):
            raise GraphError.of(
                f"checking {v.op.formula}",
                given=" and ".join(str(np.shape(x)) for x in inputs)
                + f", and its result {a.shape} has {'NaN' if np.isnan(a).any() else 'an infinity'}",
                must="CHAINRULE_CHECK=1 stops at the first value that is not finite",
                hint="look for log or division at 0, an overflow, or a learning rate that is too large",
                site=v.site,
                at=v.site is not None,
            )


def _finite(a: Any) -> bool:
    return np.asarray(a).dtype.kind != "f" or bool(np.isfinite(a).all())
