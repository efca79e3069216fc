"""What the rules of the table say about one value of a graph. Used by `verify.py` and `debug.py`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..core.errors import ChainruleError
from ..core.shapes import BroadcastMismatch
from .errors import GraphError
from .values import Value, output_type


def ruled(v: Value) -> tuple[Any, Any]:
    """Shape and type that the rules of its op give a value; a refusal of theirs becomes a GraphError."""
    assert v.op is not None
    shapes = [x.shape if isinstance(x, Value) else () for x in v.inputs]
    try:
        shape = v.op.shape(*shapes, **v.settings)
        kind = output_type(v.op, v.inputs, v.settings)
    except BroadcastMismatch as err:
        raise _refused(v, err.to_error(v.op.formula).summary) from None
    except ChainruleError as err:
        raise _refused(v, err.summary) from None
    except (TypeError, KeyError, IndexError, ValueError, AttributeError, StopIteration) as err:
        raise _refused(v, f"{type(err).__name__}: {err}") from None
    rule = v.op.dtype
    bad = {
        x.dtype
        for x in v.inputs[rule.first : rule.leading]
        if isinstance(x, Value) and not rule.takes(x.dtype)
    }
    if bad:
        wanted = rule.wanted or ("floating point" if rule.floating else "not bool")
        raise _refused(v, f"the type must be {wanted}, not {_listed(bad)}")
    if v.op.dtype.unify:
        kinds = {x.dtype for x in list(v.inputs)[v.op.dtype.first :] if isinstance(x, Value)}
        if len(kinds) > 1:
            raise _refused(v, f"its inputs must have one type, not {_listed(kinds)}")
    return shape, kind


def _listed(kinds: Any) -> str:
    names: Sequence[str] = sorted(k.name for k in kinds)
    return " and ".join(names)


def _refused(v: Value, why: str) -> GraphError:
    assert v.op is not None
    return GraphError.of(
        f"graph value {v.op.name}",
        given="inputs that its rules refuse",
        must=why,
        site=v.site,
        at=v.site is not None,
    )
