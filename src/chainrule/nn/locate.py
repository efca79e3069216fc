"""Which layer failed: errors that pass through a model get the layer's path on the way out.

`Module.__call__` hands a passing error to `annotate`. The innermost layer says its facts, if it knows better
than the operation that failed (`Module.explain_error`); each module further out makes the path longer. On a
call without errors nothing here runs. Next: `module.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from ..core.errors import ChainruleError, compose

if TYPE_CHECKING:
    from .module import Module


class Facts(NamedTuple):
    """What a layer knows about a failure: what it got, what must hold, what to try."""

    given: str
    must: str = ""
    hint: str = ""


class _Place(NamedTuple):
    """The failing layer, its facts, and the text of the error before any module had touched it."""

    layer: Module
    facts: Facts | None
    summary: str
    tail: str


def annotate(err: ChainruleError, module: Module, args: tuple[Any, ...]) -> None:
    """Write into `err` where in `module` it happened: `Linear 'encoder.fc1' got ...`."""
    place: _Place | None = getattr(err, "_place", None)
    if place is None:
        text, summary = str(err), err.summary or str(err)
        tail = text[len(summary) :] if text.startswith(summary) else ""
        place = _Place(module, module.explain_error(err, *args), summary, tail)
        err._place = place  # type: ignore[attr-defined]  # read only here
    path = _path(module, place.layer)
    if path is None:
        return  # the layer is not part of this module: it was called through a closure or a global name
    name = f"{type(place.layer).__name__} {path!r}" if path else type(place.layer).__name__
    if place.facts is not None:
        summary = compose(name, *place.facts, None)
    elif path:
        summary = f"{place.summary}\n  in {name}"
    else:
        return
    err.summary = summary
    err.args = (summary + place.tail,)


def _path(module: Module, layer: Module) -> str | None:
    for name, inner in module.named_modules():
        if inner is layer:
            return name
    return None


def shape_text(x: Any) -> str:
    """`(32, 784)` for a tensor, for use in facts; the type's name for anything else."""
    shape = getattr(x, "shape", None)
    return f"a {type(x).__name__}" if shape is None else str(tuple(shape))
