"""What the tests of loops that are refused have in common."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import chainrule as torch
from chainrule import eager
from chainrule.graph import TraceError, trace
from chainrule.ops.primitive import tracing
from chainrule.utils.data import DataLoader, TensorDataset

X, Y = torch.arange(46.0).reshape(23, 2), torch.arange(23)


def loader(rows: int = 23, **options: Any) -> DataLoader[Any]:
    return DataLoader(TensorDataset(X[:rows], Y[:rows]), **{"batch_size": 5, **options})


def message(function: Any) -> str:
    """The refusal without the user's lines, which are checked to be in the file of the function."""
    file = Path(function.__code__.co_filename).name
    special = eager.special
    with pytest.raises(TraceError) as caught:
        trace(function)
    assert (tracing.tracer, eager.special) == (None, special)
    text, _, where = str(caught.value).rpartition("\n  at ")
    assert f"{file}:" in where or "loops.py:" in where  # what is returned is looked at after the function
    assert text == caught.value.summary
    first, _, rest = text.partition(", at ")
    if rest:
        place, _, rest = rest.partition(", ")
        assert f"{file}:" in place
        return f"{first}, at PLACE, {rest}"
    return text


ANOTHER = (
    "  the loop is recorded once, so it must do the same for every batch\n"
    "  try: what changes from batch to batch has to be a tensor from before the loop that each of them "
    "changes in place"
)


def gone(shape: str = "()") -> str:
    return (
        f"for batch in loader got a tensor {shape} that was made inside the loop, at PLACE, and is used "
        "after it or for another batch\n"
        "  the loop is recorded once: what is made for one batch is gone after it, and only changes in place "
        "of tensors from before the loop stay\n"
        "  try: total += loss, or last.copy_(loss), with a tensor that is made before the loop; for an "
        "optimizer, which makes its state in its first step, take that one before"
    )
