"""Warnings are about the line of the user, however deep inside the package they arise."""

from __future__ import annotations

import warnings

import pytest

import chainrule as torch
from chainrule.core.warn import warn


def here(action: str) -> warnings.WarningMessage:
    """What an action warns of, run as a file of its own."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec(compile(f"\n{action}", "program.py", "exec"), {"torch": torch, "warn": warn})
    (found,) = caught
    assert found.category is UserWarning
    return found


@pytest.mark.parametrize(
    "action", ["warn('careful')", "torch.ones(1).var()", "torch.nn.functional.softmax(torch.ones(2))"]
)
def test_it_is_about_the_line_that_called_the_package(action: str) -> None:
    found = here(action)
    assert (found.filename, found.lineno) == ("program.py", 2)


def test_the_text_is_the_users() -> None:
    assert str(here("warn('careful')").message) == "careful"


@pytest.mark.parametrize("name", ["var", "std"])
def test_a_variance_without_freedom_warns(name: str) -> None:
    assert str(here(f"torch.ones(1).{name}()").message) == (
        f"{name} of 1 element with correction=1: "
        "there is nothing left to divide by, and the result is infinite or NaN"
    )
