"""The package as a whole: what importing it loads, and what is installed with it."""

from __future__ import annotations

import importlib.resources
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import chainrule

PROJECT = tomllib.loads((Path(__file__).resolve().parent.parent / "pyproject.toml").read_text("utf-8"))[
    "project"
]


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def test_import_loads_numpy_and_nothing_else() -> None:
    # Everything heavy loads when it is first used. Of NumPy more parts load: its random streams.
    code = """
import sys, numpy
before = set(sys.modules)
import chainrule
new = {name.partition(".")[0] for name in set(sys.modules) - before}
compiled = {name for name in new if "cython" in name}  # made by numpy.random
print(sorted(new - set(sys.stdlib_module_names) - compiled))
"""
    assert run(code) == "['chainrule', 'numpy']\n"


def test_import_loads_few_modules_of_the_standard_library() -> None:
    # The slow ones among them: each costs milliseconds, and none is needed to make a tensor.
    code = """
import sys, numpy
before = set(sys.modules)
import chainrule
slow = "asyncio concurrent.futures email http multiprocessing sqlite3 ssl unittest urllib.request xml"
print(sorted(set(slow.split()) & (set(sys.modules) - before)))
"""
    assert run(code) == "[]\n"


def test_star_import_gives_what_all_lists() -> None:
    code = """
import chainrule
from chainrule import *
print([name for name in chainrule.__all__ if name not in globals()])
"""
    assert run(code) == "[]\n"


def test_version_is_that_of_the_metadata() -> None:
    assert chainrule.__version__ == PROJECT["version"]


def test_types_are_part_of_the_package() -> None:
    assert importlib.resources.files("chainrule").joinpath("py.typed").is_file()


def test_console_script_is_the_command_line() -> None:
    (script,) = PROJECT["scripts"].items()
    assert script == ("chainrule", "chainrule.cli:main")
    assert callable(pkgutil.resolve_name(script[1]))
