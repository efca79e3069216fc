"""`chainrule explain EXPR --at x1=2,x2=5`: how the value and the gradient of a function come about.

The expression and the values are read in `explain/expression.py` and `explain/expression_values.py`, which
evaluate no text; the derivation is made by `explain`. Here: which value belongs to which variable, and files.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from ..core.dtypes import float64
from ..core.errors import ChainruleError
from ..core.files import atomic_write
from ..creation import tensor
from ..data import DataError
from ..explain import Derivation, explain
from ..explain.api import MODES
from ..explain.expression import Expression
from ..explain.expression_values import read_values
from ..explain.formula import FormulaError
from ..explain.formula.error import pointed
from ..explain.matrix import DENOMINATOR, NUMERATOR
from .options import Parser, UsageError, suggestion
from .output import Output

HELP = "derive the gradient of a formula, step by step"
DESCRIPTION = (
    "Show how the value and the gradient of a formula come about: what is computed step by step, forward "
    "mode, reverse mode, and whether both agree with central differences."
)
LAYOUTS = (NUMERATOR, DENOMINATOR)
LONGEST_TITLE = 100  # letters


def add(parser: Parser) -> None:
    """Describe the options."""
    parser.usage = "%(prog)s EXPRESSION --at NAME=VALUE,... [more options]"
    parser.add_argument("expression", metavar="EXPRESSION", help='such as "log(x1) + x1*x2 - sin(x2)"')
    parser.add_argument(
        "--at",
        metavar="NAME=VALUE,...",
        action="append",
        default=[],
        help="where: a number or a list for each variable, as x1=2,x2=5 or w=[[1,2],[3,4]] (repeatable)",
    )
    parser.add_argument("--mode", metavar="|".join(MODES), default="both", help="which tables to show (both)")
    parser.add_argument(
        "--layout",
        metavar="|".join(LAYOUTS),
        default="numerator",
        help="of derivatives by vectors and matrices (numerator)",
    )
    parser.add_argument("--html", metavar="FILE.html", help="write a page for a browser, too")
    parser.add_argument("--markdown", metavar="FILE.md", help="write Markdown with LaTeX, too")
    parser.add_argument("--quiet", action="store_true", help="only write the files")
    parser.set_defaults(run=run, parser=parser)


def guarded(arguments: list[str]) -> list[str]:
    """The arguments, so that an expression that begins with a minus is not taken for an option.

    >>> guarded(["explain", "-x**2", "--at", "x=1"])
    ['explain', ' -x**2', '--at', 'x=1']
    """
    return [
        f" {text}" if text[:1] == "-" and text[:2] != "--" and text not in ("-", "-h") else text
        for text in arguments
    ]


def run(options: argparse.Namespace) -> int:
    """Read, derive, show, write."""
    _one_of("--mode", options.mode, MODES)
    _one_of("--layout", options.layout, LAYOUTS)
    _file("--html", options.html, (".html", ".htm"))
    _file("--markdown", options.markdown, (".md",))
    expression = _expression(options.expression)
    values = _values(expression, options.at)
    derivation = _derivation(expression, values, options.mode, options.layout)
    output = Output(sys.stdout, quiet=options.quiet)
    for note in expression.notes:
        output.note(note)
    output.document(derivation.text(), derivation)
    for path, text in ((options.html, derivation.html), (options.markdown, derivation.markdown)):
        if path is not None:
            _write(path, text())
            output.line("Written", path, wrap=False)
    return 0


def _one_of(option: str, given: str, valid: tuple[str, ...]) -> None:
    if given not in valid:
        close = suggestion(given, list(valid))
        raise UsageError(f"{option} must be one of {', '.join(valid)}, not {given!r}{close}")


def _file(option: str, path: str | None, endings: tuple[str, ...]) -> None:
    if path is not None and Path(path).suffix.lower() not in endings:
        raise UsageError(f"{option} must name a {endings[0]} file, not {path!r}")


def _expression(text: str) -> Expression:
    try:
        return Expression(text)
    except FormulaError as err:
        raise _unreadable("the expression cannot be read", err) from None


def _unreadable(what: str, err: FormulaError) -> UsageError:
    hint = f"; try: {err.hint}" if err.hint else ""
    return UsageError(f"{what}: {err.problem}{hint}", excerpt=err.excerpt)


def _values(expression: Expression, texts: list[str]) -> dict[str, Any]:
    """What is given for each variable; refuses names that are missing, unknown or given twice."""
    wanted = expression.parameters
    if not texts:
        example = ",".join(f"{name}={n}" for n, name in enumerate(wanted, start=1))
        raise UsageError(
            f"the values of {_listed(wanted)} are missing: where to explain it? as in --at {example}"
        )
    values: dict[str, Any] = {}
    for text in texts:
        try:
            found = read_values(text)
        except FormulaError as err:
            raise _unreadable("--at cannot be read", err) from None
        except ChainruleError as err:
            raise UsageError(f"--at {text}: {_one_line(err)}") from None
        for name in found:
            if name in values:
                raise UsageError(f"--at gives {name} twice")
        values |= found
    for name in values:
        if name not in wanted:
            hint = suggestion(name, [n for n in wanted if n not in values])
            raise UsageError(f"--at gives {name}, but the variables are {_listed(wanted)}{hint}")
    missing = [name for name in wanted if name not in values]
    if missing:
        raise UsageError(f"--at gives no value for {_listed(missing)}")
    return {name: values[name] for name in wanted}


def _listed(names: list[str] | tuple[str, ...]) -> str:
    """`x, y and z`."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _derivation(expression: Expression, values: dict[str, Any], mode: str, layout: str) -> Derivation:
    try:
        inputs = [tensor(value, dtype=float64) for value in values.values()]
        derivation = explain(expression, *inputs, mode=mode, layout=layout)
    except ChainruleError as err:
        place = vars(err).get("place")
        raise UsageError(_one_line(err), excerpt=pointed(expression.source, place) if place else "") from None
    # The title says which function, if there is room for it.
    call = f"{expression.__name__}({', '.join(expression.parameters)})"
    title = derivation.title.replace(call, f"{call} = {expression.formula.text(unicode=True)}", 1)
    if len(title) <= LONGEST_TITLE:
        derivation.title = title
    return derivation


def _one_line(err: ChainruleError) -> str:
    """The facts of an error in a line: what was given; what must hold; what to try."""
    return "; ".join(line.strip() for line in err.summary.splitlines())


def _write(path: str, text: str) -> None:
    try:
        with atomic_write(path) as file:
            file.write(text.encode())
    except OSError as problem:
        raise DataError(f"cannot write '{path}': {problem.strerror or problem}") from problem
