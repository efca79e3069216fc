"""The environment variables of the package: each declared here, once, with choices, default and help.

A setting is read when it is first asked for and then kept, so the environment may still be changed after the
import, but not halfway through a program. `docs/settings.md` is made from `describe()` by
`tools/write_settings_page.py`. Nothing here acts on a setting; look for its function's name to see who does.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Final, Literal, NamedTuple, cast

from .errors import ArgumentError, nearest


class Setting(NamedTuple):
    """One environment variable: its name, the values it may have, the default, and a line of help."""

    name: str
    choices: tuple[str, ...]
    default: str
    help: str


_TRACEBACK: Final = Setting(
    name="CHAINRULE_TRACEBACK",
    choices=("short", "full"),
    default="short",
    help="Whether the trace of an error leaves out chainrule's own frames (short) or shows them (full).",
)


def describe() -> list[Setting]:
    """All settings, in the order of their names."""
    return [_TRACEBACK]


@cache
def traceback() -> Literal["short", "full"]:
    """`CHAINRULE_TRACEBACK`: whether error traces leave out chainrule's own frames.

    Raises: ValueError if the variable has a value that is not among the choices.
    """
    return cast(Literal["short", "full"], _read(_TRACEBACK))


def _read(setting: Setting) -> str:
    """The value in the environment, or the default where it is not set or empty."""
    value = os.environ.get(setting.name) or setting.default
    if value not in setting.choices:
        raise ArgumentError.of(
            f"environment variable {setting.name}",
            given=f"{value!r}{nearest(value, list(setting.choices))}",
            must=f"it must be one of {', '.join(map(repr, setting.choices))}",
            hint=f"{setting.name}={setting.default}, which is the default",
            at=False,  # the variable was set outside of the program
        )
    return value
