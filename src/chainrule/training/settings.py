"""The choices of a run: one table with their defaults, limits and help, and `Settings`, which keeps to it.

The command line makes its options from the same table, so a limit is written once and both say the same about
it. What None ("chosen for the table") comes to is decided in `models.py`, when the table is known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any


class SettingError(ValueError):
    """A choice outside its limits; its text names it as in Python, `name` and `problem` are its parts."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name} {problem}")
        self.name = name
        self.problem = problem


@dataclass(frozen=True)
class Rule:
    """What a choice must be: how text is read, which values are allowed, and how a message says so."""

    read: Callable[[str], Any]
    allowed: Callable[[Any], bool]
    must: str
    help: str
    metavar: str


def _one_of(*words: str, help: str) -> Rule:
    return Rule(
        str, lambda value: value in words, f"must be one of {', '.join(words)}", help, "|".join(words)
    )


def _whole(least: int, help: str) -> Rule:
    def allowed(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and least <= value < 2**63

    return Rule(int, allowed, f"must be a whole number from {least}", help, "N")


def _number(allowed: Callable[[float], bool], must: str, help: str) -> Rule:
    def finite(value: Any) -> bool:
        return (
            isinstance(value, int | float)
            and not isinstance(value, bool)
            and math.isfinite(value)
            and allowed(value)
        )

    return Rule(float, finite, f"must be {must}", help, "X")


def _widths(text: str) -> tuple[int, ...]:
    return tuple(int(word) for word in text.split(","))


def _are_widths(value: Any) -> bool:
    return (
        isinstance(value, tuple)
        and len(value) > 0
        and all(isinstance(n, int) and 1 <= n < 2**31 for n in value)
    )


RULES: dict[str, Rule] = {
    "task": _one_of(
        "auto", "regression", "classification", help="what the target is (default: decided by its values)"
    ),
    "model": _one_of(
        "auto", "linear", "softmax", "mlp", help="the model (default: decided by the task and the rows)"
    ),
    "hidden": Rule(
        _widths,
        _are_widths,
        "must be whole numbers from 1, as in 64,64",
        "widths of the mlp's hidden layers (for labels 256, for numbers 64,64)",
        "N,N",
    ),
    "dropout": _number(
        lambda x: 0 <= x < 1,
        "a number from 0 to below 1",
        "share of hidden units dropped in a step (for labels 0.3, for numbers 0)",
    ),
    "optimizer": _one_of("adamw", "adam", "sgd", "rmsprop", help="the optimizer (adamw)"),
    "lr": _number(
        lambda x: x > 0, "a number above 0", "learning rate (mlp 0.002, others 0.005; with sgd 0.01)"
    ),
    "weight_decay": _number(
        lambda x: x >= 0,
        "a number from 0",
        "how hard weights are pulled to zero (0.01; mlp 0.1, for labels 0.5; without adamw 0.0001)",
    ),
    "batch_size": _whole(1, "rows in a step (32; fewer in a small table, more in a large one)"),
    "epochs": _whole(1, "at most so many passes over the training rows (200)"),
    "patience": _whole(1, "stop after so many epochs without a better validation loss (20)"),
    "seed": _whole(0, "of the split, the first weights and the order of rows (0)"),
    "test_size": _number(
        lambda x: 0 <= x < 1, "a number from 0 to below 1", "share of the rows for the test (0.2)"
    ),
    "val_size": _number(
        lambda x: 0 <= x < 1, "a number from 0 to below 1", "share of the rows for validation (0.15)"
    ),
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The choices of a run. None, and "auto", are decided when the table is known; the run remembers to what.

    Raises:  SettingError: a value outside its limits, or sizes that leave no training rows.

    >>> Settings(lr=-1)
    Traceback (most recent call last):
        ...
    chainrule.training.settings.SettingError: lr must be a number above 0, not -1
    """

    target: str | None = None
    task: str = "auto"
    model: str = "auto"
    hidden: tuple[int, ...] | None = None
    dropout: float | None = None
    optimizer: str = "adamw"
    lr: float | None = None
    weight_decay: float | None = None
    batch_size: int | None = None
    epochs: int = 200
    patience: int = 20
    seed: int = 0
    test_size: float = 0.2
    val_size: float = 0.15
    drop: tuple[str, ...] = ()
    categorical: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.target is not None and not isinstance(self.target, str):
            raise SettingError("target", f"must be the name of a column, as text, not {self.target!r}")
        for name in ("hidden", "drop", "categorical"):  # lists will do as well
            value = getattr(self, name)
            if isinstance(value, str):
                raise SettingError(name, f"must be a list, not {value!r}")
            object.__setattr__(self, name, tuple(value) if isinstance(value, list) else value)
        defaults = {field.name: field.default for field in fields(self)}
        for name, rule in RULES.items():
            value = getattr(self, name)
            if value != defaults[name] and not rule.allowed(value):
                raise SettingError(name, f"{rule.must}, not {value!r}")
        if self.test_size + self.val_size >= 1:
            raise SettingError(
                "test_size",
                "must leave rows to train on, but with the validation rows "
                f"it takes {self.test_size + self.val_size:g} of all",
            )


def read_setting(name: str, text: str) -> Any:
    """The value of a choice that is written as text, checked. Raises SettingError.

    >>> read_setting("hidden", "64,32")
    (64, 32)
    """
    rule = RULES[name]
    try:
        value = rule.read(text)
    except ValueError:
        raise SettingError(name, f"{rule.must}, not {text!r}") from None
    if not rule.allowed(value):
        raise SettingError(name, f"{rule.must}, not {text!r}")
    return value
