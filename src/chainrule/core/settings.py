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
    """One environment variable: its name, the values it may have, the default, and a line of help.

    several: whether it may have several of the values, separated by commas.
    other:   what else than one of the choices it may be, in words.
    """

    name: str
    choices: tuple[str, ...]
    default: str
    help: str
    several: bool = False
    other: str = ""


_CACHE: Final = Setting(
    name="CHAINRULE_CACHE",
    choices=("0", "1"),
    default="1",
    help="Where compiled functions are kept between programs: nowhere (0, or set and empty), in the user's "
    "cache folder (1), or in this folder.",
    other="the full path of a folder",
)

_CHECK: Final = Setting(
    name="CHAINRULE_CHECK",
    choices=("0", "1"),
    default="0",
    help="With 1 a graph is verified after each rewrite, and a compiled function runs with NumPy and "
    "natively: the first NaN or infinity, and the first value that differs, is an error that names the "
    "operation and your line.",
)

_COMPILE: Final = Setting(
    name="CHAINRULE_COMPILE",
    choices=("0", "1"),
    default="1",
    help="With 0 compiled functions run with NumPy, value by value, instead of as native code; llvmlite is "
    "not needed then.",
)

_SHOW: Final = Setting(
    name="CHAINRULE_SHOW",
    choices=("none", "graph", "simplified"),
    default="none",
    help="Which graphs are printed to standard error when they are made: as traced, as simplified.",
    several=True,
)

_TRACEBACK: Final = Setting(
    name="CHAINRULE_TRACEBACK",
    choices=("short", "full"),
    default="short",
    help="Whether the trace of an error leaves out chainrule's own frames (short) or shows them (full).",
)

_THREADS: Final = Setting(
    name="CHAINRULE_THREADS",
    choices=("all",),
    default="all",
    help="How many threads a compiled function uses; all means as many as this process has processors.",
    other="a whole number from 1 to 1024",
)


def describe() -> list[Setting]:
    """All settings, in the order of their names."""
    return [_CACHE, _CHECK, _COMPILE, _SHOW, _THREADS, _TRACEBACK]


@cache
def cache_folder() -> str | None:
    """`CHAINRULE_CACHE`: the folder for compiled functions, "" for the user's cache folder, None for nowhere.

    Raises: ValueError if the variable is neither 0 nor 1 nor a full path.
    """
    if os.environ.get(_CACHE.name) == "":
        return None
    text = os.path.expanduser(os.environ.get(_CACHE.name, _CACHE.default))
    if os.path.isabs(text):
        return text
    return {"0": None, "1": ""}[_read(_CACHE)[0]]


@cache
def check() -> bool:
    """`CHAINRULE_CHECK`: whether graphs and their runs are checked.

    Raises: ValueError if the variable has a value that is not among the choices.
    """
    return _read(_CHECK) == ["1"]


@cache
def native() -> bool:
    """`CHAINRULE_COMPILE`: whether compiled functions become native code.

    Raises: ValueError if the variable has a value that is not among the choices.
    """
    return _read(_COMPILE) == ["1"]


@cache
def show() -> frozenset[str]:
    """`CHAINRULE_SHOW`: which graphs are printed when they are made.

    Raises: ValueError if the variable has a value that is not among the choices.
    """
    return frozenset(_read(_SHOW)) - {"none"}


@cache
def threads() -> int | None:
    """`CHAINRULE_THREADS`: how many threads a compiled function uses; None for one per processor.

    Raises: ValueError if the variable is neither "all" nor a whole number in its range.
    """
    text = os.environ.get(_THREADS.name, "").strip()
    if text.isdecimal() and 1 <= int(text) <= 1024:
        return int(text)
    _read(_THREADS)
    return None


@cache
def traceback() -> Literal["short", "full"]:
    """`CHAINRULE_TRACEBACK`: whether error traces leave out chainrule's own frames.

    Raises: ValueError if the variable has a value that is not among the choices.
    """
    return cast(Literal["short", "full"], _read(_TRACEBACK)[0])


def _read(setting: Setting) -> list[str]:
    """The values in the environment, or the default where it is not set or empty."""
    text = os.environ.get(setting.name) or setting.default
    values = [part.strip() for part in text.split(",")] if setting.several else [text]
    for value in values:
        if value not in setting.choices:
            must = "each part must be" if setting.several else "it must be"
            other = f" or {setting.other}" if setting.other else ""
            among = " one of" if len(setting.choices) > 1 else ""
            raise ArgumentError.of(
                f"environment variable {setting.name}",
                given=f"{value!r}{nearest(value, list(setting.choices))}",
                must=f"{must}{among} {', '.join(map(repr, setting.choices))}{other}",
                hint=f"{setting.name}={setting.default}, which is the default",
                at=False,  # the variable was set outside of the program
            )
    return values
