"""The command line: `python -m chainrule.compat [--shadow] [--missing] FILE [ARGUMENTS]`.

Exit status, with --missing: 0 nothing is missing, 1 something is, 2 the file cannot be read. Without: that
of the program; 1 if it ended in an error, 2 if it was not started.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ..core.errors import nearest
from .finder import install, real
from .missing import needs
from .program import Program, Unreadable, read
from .running import run

USAGE = """\
usage: python -m chainrule.compat [--shadow] FILE [ARGUMENTS]   run a program written for PyTorch
       python -m chainrule.compat --missing FILE                list what it needs that is not there

FILE is a script (.py) or a notebook (.ipynb), which needs no Jupyter.
  --shadow    run on chainrule although PyTorch is installed here
  --missing   do not run it
"""
OPTIONS = ["--help", "--missing", "--shadow"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a program, or list what it lacks, and return the exit status."""
    rest = list(sys.argv[1:] if arguments is None else arguments)
    options = set()
    while rest and rest[0].startswith("-"):
        option = rest.pop(0)
        if option in ("-h", "--help"):
            print(USAGE, end="")
            return 0
        if option not in OPTIONS:
            return _fail(f"there is no option {option}{nearest(option, OPTIONS)}")
        options.add(option)
    if not rest:
        sys.stderr.write(USAGE)
        return 2
    path, rest = Path(rest[0]), rest[1:]
    try:
        program = read(path)
        if "--missing" in options:
            if rest:
                return _fail(f"--missing takes one file, and then not {rest[0]!r}")
            return _list_missing(program)
    except Unreadable as err:
        return _fail(str(err))
    except SyntaxError as err:
        return _fail(f"{err.filename}:{err.lineno}: this is not Python: {err.msg}")
    there = real("torch")
    if there and "--shadow" not in options:
        return _fail(
            f"{there} is installed here and is not shadowed unless asked: --shadow runs {path} on chainrule"
        )
    install(shadow=True)
    return run(program, rest)


def _list_missing(program: Program) -> int:
    found = needs(program)
    lines = [str(need) for need in found]
    if not found:
        lines = [f"{program.path}: every name that can be told without running it is there"]
    try:
        print("\n".join(lines), flush=True)
    except BrokenPipeError:  # the reader (`| head`) has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not found:
        return 0
    sys.stderr.write(f"{len(found)} name{'s' * (len(found) > 1)} missing in {program.path}\n")
    return 1


def _fail(text: str) -> int:
    sys.stderr.write(f"chainrule.compat: error: {text}\n")
    return 2
