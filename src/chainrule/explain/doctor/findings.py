"""A finding, and which finding explains which: one fault shows in many places, and is told once.

`CAUSES` says what follows from what. A planted zero layer has dead units, a vanished gradient and a loss that
does not see the input; only the layer is worth telling. Next: `checks/` for what is looked for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["serious", "warning"]


@dataclass(frozen=True)
class Finding:
    """One fault, in plain words.

    kind:     one word for programs; `KINDS` has all of them.
    severity: "serious": the model, or part of it, will not learn; "warning": it learns worse than it could.
    where:    the path of the layer or the name of the parameter; empty for the model as a whole.
    text:     what was seen, with its numbers.
    hint:     what to try.
    """

    kind: str
    severity: Severity
    where: str
    text: str
    hint: str

    def __str__(self) -> str:
        at = f" {self.where}" if self.where else ""
        return f"{KINDS[self.kind]}{at}: {self.text}; try {self.hint}"


# Every kind with the heading that people read.
KINDS: Final = {
    "not finite": "NaN or infinity",
    "labels": "labels out of range",
    "no gradient": "no gradient",
    "not in optimizer": "not in the optimizer",
    "zero weights": "zero weights",
    "symmetric": "equal units",
    "dead": "dead units",
    "saturated": "saturated units",
    "vanishing": "vanishing gradient",
    "exploding": "exploding gradient",
    "variance": "variance not kept",
    "input ignored": "input ignored",
    "input scale": "input scale",
    "shapes": "prediction and target do not line up",
    "softmax twice": "softmax twice",
    "sigmoid twice": "sigmoid twice",
    "not log-probabilities": "not log-probabilities",
    "learning rate 0": "learning rate 0",
    "learning rate too large": "learning rate too large",
    "learning rate too small": "learning rate too small",
}

_OF_FLOW = ("dead", "saturated", "vanishing", "exploding", "variance")
_OF_RATE = ("learning rate too large", "learning rate too small")

# What follows from a fault, and so is not told beside it.
CAUSES: Final[dict[str, tuple[str, ...]]] = {
    # Numbers that are no numbers, or a loss that cannot be computed, say nothing about anything.
    "not finite": tuple(KINDS),
    "labels": tuple(KINDS),
    # Inputs that are a thousand times too large overdrive every layer and the loss.
    "input scale": (*_OF_FLOW, *_OF_RATE),
    # No signal and no gradient passes a layer of zeros.
    "zero weights": ("symmetric", *_OF_FLOW, "input ignored", "no gradient", *_OF_RATE),
    # Equal units add up instead of cancelling, and one of them would do.
    "symmetric": (*_OF_FLOW, "input ignored", "no gradient", *_OF_RATE),
    # What is cut off gets no gradient; what is left cannot do its part.
    "no gradient": ("vanishing", "exploding", "variance", "input ignored", *_OF_RATE),
    "input ignored": ("variance", *_OF_RATE),
    # A signal that explodes overdrives what comes after it; one that vanishes leaves nothing to learn from.
    "exploding": ("saturated", "variance", *_OF_RATE),
    "dead": ("vanishing", "variance", "input ignored", "no gradient", *_OF_RATE),
    "saturated": ("vanishing", "variance", "input ignored", *_OF_RATE),
    "vanishing": ("variance", "input ignored", *_OF_RATE),
    "variance": _OF_RATE,
    # Predictions that are compared with the wrong thing have gradients of the wrong size.
    "shapes": _OF_RATE,
    "softmax twice": ("learning rate too small", "vanishing"),
    "not log-probabilities": _OF_RATE,
    "learning rate 0": ("learning rate too small",),
    # Steps do less than they should if they do not reach all parameters.
    "not in optimizer": _OF_RATE,
}


def root_causes(findings: Iterable[Finding]) -> list[Finding]:
    """The findings that no other one explains, serious ones first.

    A warning explains no serious finding, or a few dead units would hide a gradient that has vanished; except
    for one about the scale of the input, which is a warning because it can be lived with, at a price.

    >>> low = Finding("dead", "serious", "1", "...", "...")
    >>> high = Finding("vanishing", "serious", "0", "...", "...")
    >>> [finding.kind for finding in root_causes([high, low])]
    ['dead']
    """
    found = list(findings)
    kept = [finding for finding in found if not any(_explains(other, finding) for other in found)]
    return sorted(kept, key=lambda finding: finding.severity != "serious")


def _explains(cause: Finding, effect: Finding) -> bool:
    if cause.kind == effect.kind or effect.kind not in CAUSES.get(cause.kind, ()):
        return False
    return cause.severity == "serious" or effect.severity == "warning" or cause.kind == "input scale"
