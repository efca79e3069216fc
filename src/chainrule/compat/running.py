"""Runs the cells of a program as `python FILE` and Jupyter would, and says what went wrong.

A notebook runs in its own folder, as in Jupyter; the value of the last line of a cell is shown. A trace
begins in the program, not here; a name that chainrule lacks is one line. Imports are prepared by
`finder.py`.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import linecache
import os
import sys
import traceback
import warnings
from collections.abc import Iterator
from types import ModuleType, TracebackType

from ..core.errors import shorten
from . import pictures
from .notebook.display import display
from .program import Cell, Program
from .standins import MissingModule, MissingName

# pandas 3 has a type of its own for text. Course programs tell numbers from text by `dtypes != "object"`.
_PANDAS = "PANDAS_FUTURE_INFER_STRING"


def run(program: Program, arguments: list[str]) -> int:
    """Run a program with these arguments and return its exit status.

    0: it ended; 1: an error, which is printed; 130: ended by Ctrl-C; or what it gave to sys.exit.
    """
    main = ModuleType("__main__")
    main.__dict__.update(__builtins__=builtins, __file__=str(program.path))
    if program.is_notebook:
        main.__dict__["display"] = display
    with _as_main(program, main, arguments):
        for cell in program.cells:
            for line, text in cell.skipped:
                print(f"chainrule.compat: {_line(cell.name, line)}: skipped {text}", file=sys.stderr)
            status = _run_cell(cell, main, program)
            if status is not None:
                return status
    return 0


def _run_cell(cell: Cell, main: ModuleType, program: Program) -> int | None:
    """Run one cell; the exit status of the program if it ended there."""
    if program.is_notebook:  # a script is where traces look for it
        linecache.cache[cell.name] = len(cell.source), None, cell.source.splitlines(True), cell.name
    try:
        _execute(cell, main, show_last=program.is_notebook)
    except SystemExit as end:
        return _status(end)
    except (MissingName, MissingModule) as err:
        where = _first_in(err.__traceback__, program, last=True)
        place = f"{_line(where.tb_frame.f_code.co_filename, where.tb_lineno)}: " if where else ""
        print(f"{place}{err}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as err:
        _report(err, program)
        return 130
    except BaseException as err:
        _report(err, program)
        return 1
    finally:
        pictures.show_all()
    return None


def _execute(cell: Cell, main: ModuleType, *, show_last: bool) -> None:
    tree = ast.parse(cell.source, cell.name)
    last = tree.body[-1] if tree.body else None
    quiet = cell.source.rstrip().endswith(";")
    if not show_last or quiet or not isinstance(last, ast.Expr):
        exec(compile(tree, cell.name, "exec"), main.__dict__)
        return
    tree.body.pop()
    exec(compile(tree, cell.name, "exec"), main.__dict__)
    value = eval(compile(ast.Expression(last.value), cell.name, "eval"), main.__dict__)
    if value is not None:
        main.__dict__["_"] = value
        if isinstance(value, str):
            print(repr(value))
        else:
            display(value)


@contextlib.contextmanager
def _as_main(program: Program, main: ModuleType, arguments: list[str]) -> Iterator[None]:
    """What a program finds around it: its name, arguments, folder, and pictures that need no screen."""
    before = sys.modules["__main__"], sys.argv, sys.path[:], os.getcwd()
    chosen = _PANDAS in os.environ
    os.environ.setdefault(_PANDAS, "0")
    folder = program.path.resolve().parent
    sys.modules["__main__"], sys.argv = main, [str(program.path), *arguments]
    sys.path.insert(0, str(folder))
    if program.is_notebook:
        os.chdir(folder)
    try:
        with warnings.catch_warnings():
            # Without a screen `plt.show()` warns and does nothing; here the pictures are written to files.
            warnings.filterwarnings("ignore", message="FigureCanvasAgg is non-interactive")
            yield
    finally:
        sys.modules["__main__"], sys.argv, sys.path[:] = before[:3]
        os.chdir(before[3])
        if not chosen:
            del os.environ[_PANDAS]


def _status(end: SystemExit) -> int:
    if end.code is None or isinstance(end.code, int):
        return end.code or 0
    print(end.code, file=sys.stderr)
    return 1


def _report(err: BaseException, program: Program) -> None:
    """Print an error as Python does, from the program's first line on, with the lines of cells."""
    shown = _first_in(err.__traceback__, program)
    if shown is None:  # it never began: the text says where it cannot be read
        sys.stderr.write("".join(traceback.format_exception_only(err)))
        return
    err.__traceback__ = shown
    shorten(err, shown)
    traceback.print_exception(err)  # unlike Python's hook, it knows the lines of cells


def _first_in(tb: TracebackType | None, program: Program, *, last: bool = False) -> TracebackType | None:
    """The first (or last) step of a trace that is a line of the program."""
    names = {cell.name for cell in program.cells}
    found = None
    while tb is not None:
        if tb.tb_frame.f_code.co_filename in names:
            found = tb
            if not last:
                break
        tb = tb.tb_next
    return found


def _line(name: str, line: int) -> str:
    """`train.py:3`, `lesson.ipynb, cell 2, line 3`."""
    return f"{name}, line {line}" if ", cell " in name else f"{name}:{line}"
