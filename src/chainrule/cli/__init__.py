"""The command line: `chainrule COMMAND ...`, also as `python -m chainrule`.

One file for each command (`train.py`, `predict.py`, `explain.py`, `bench.py`): `add` describes its options,
`run` does it by calling the library, which has every function of its own; a new command is a new file and a
line in `COMMANDS`. `output.py` is everything that is printed. Here: finding the command, and turning what
goes wrong into one line and an exit status:

    0    done
    1    the data, a run or a file cannot be used as it is
    2    the command line itself is wrong
    130  ended by Ctrl-C
"""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Sequence

from .. import __version__
from ..data import DataError
from ..training import Diverged, SettingError
from . import bench, explain, predict, train
from .options import Parser, UsageError, suggestion
from .output import printable

COMMANDS = {"train": train, "predict": predict, "explain": explain, "bench": bench}

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status; without arguments, those of the program.

    >>> main(["train", "no-such-file.csv"])  # prints the reason on standard error
    1
    """
    try:
        status = _run(list(sys.argv[1:] if arguments is None else arguments))
        sys.stdout.flush()
    except UsageError as problem:
        return _fail(str(problem), 2, problem.excerpt)
    except SettingError as problem:
        return _fail(f"--{problem.name.replace('_', '-')} {problem.problem}", 2)
    except (DataError, Diverged) as problem:
        return _fail(str(problem), 1)
    except ModuleNotFoundError as problem:
        if problem.name not in ("pandas", "pyarrow", "matplotlib", "rich", "safetensors"):
            raise
        return _fail(f"this needs the package {problem.name}: pip install {problem.name}", 1)
    except MemoryError:
        return _fail("there is not enough memory for this table", 1)
    except KeyboardInterrupt:
        return _fail("interrupted; nothing was written", 130)
    except BrokenPipeError:
        _discard_output()  # the reader (`| head`) has seen enough
        return 1
    except OSError as problem:
        _discard_output()
        return _fail(f"cannot write the output: {problem.strerror or problem}", 1)
    return status


def _discard_output() -> None:
    """What could not be written is dropped: Python would try again when it ends, fail, and exit with 120."""
    with contextlib.suppress(OSError, ValueError):  # an output of a test has no descriptor
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(arguments: list[str]) -> int:
    parser = Parser(prog="chainrule", description="Deep learning you can see through.")
    parser.add_argument("--version", action="version", version=f"chainrule {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", parser_class=Parser)
    for name, command in COMMANDS.items():
        command.add(commands.add_parser(name, help=command.HELP, description=command.DESCRIPTION))
    if not arguments:
        parser.print_help()
        return 2
    if not arguments[0].startswith("-") and arguments[0] not in COMMANDS:
        hint = suggestion(arguments[0], list(COMMANDS)) or f"; there are: {', '.join(COMMANDS)}"
        raise UsageError(f"there is no command {arguments[0]!r}{hint}")
    if arguments[0] == "explain":  # the only command whose first word may begin with a minus
        arguments = explain.guarded(arguments)
    try:
        options, extra = parser.parse_known_args(arguments)
    except SystemExit as finished:  # --help and --version have printed what they were asked for
        return int(finished.code or 0)
    if extra:
        command_parser: Parser = options.parser
        if extra[0].startswith("-"):
            name = extra[0].split("=")[0]
            raise UsageError(f"there is no option {name}{suggestion(name, command_parser.names)}")
        raise UsageError(f"{command_parser.prog} does not take {extra[0]!r} as well")
    status: int = options.run(options)
    return status


def _fail(message: str, status: int, excerpt: str = "") -> int:
    line = printable(" ".join(message.split()))
    sys.stderr.write(f"chainrule: error: {line}\n")
    for shown in excerpt.splitlines():
        sys.stderr.write(f"  {printable(shown)}\n")
    return status
