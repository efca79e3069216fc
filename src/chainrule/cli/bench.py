"""`chainrule bench`: how fast this version is here, beside PyTorch and JAX where they are installed.

The benchmarks themselves are in `chainrule.benchmarks`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .options import Parser, UsageError, suggestion

HELP = "measure the speed beside PyTorch and JAX"
DESCRIPTION = (
    "Train small networks and evaluate large arrays with chainrule, and with PyTorch and JAX where they are "
    "installed. Check that all end at the same loss; print times, ratios, and shares of the machine's limit."
)


def add(parser: Parser) -> None:
    """Describe the options."""
    parser.usage = "%(prog)s [KIND ...] [--out FOLDER] [more options]"
    parser.add_argument("kinds", nargs="*", metavar="KIND", help="compiled, eager or start; default: all")
    parser.add_argument("--out", metavar="FOLDER", help="write benchmarks.json, .md and .png there")
    parser.add_argument("--only", metavar="NAMES", help="only these workloads, separated by commas")
    parser.add_argument("--sides", metavar="NAMES", help="only these sides, separated by commas")
    parser.add_argument("--rounds", type=int, default=None, metavar="N", help="measurements of each (9)")
    parser.add_argument(
        "--quick", action="store_true", help="tiny sizes and two rounds: whether it works, not how fast it is"
    )
    parser.set_defaults(run=run, parser=parser)


def run(options: argparse.Namespace) -> int:
    """Check the options and run."""
    from ..benchmarks import command, sides

    rounds = options.rounds if options.rounds is not None else 2 if options.quick else 9
    if rounds < 1:
        raise UsageError(f"--rounds must be at least 1, not {rounds}")
    request = command.Request(
        kinds=_known("kind", options.kinds, command.KINDS),
        only=_known("workload", _parts(options.only), tuple(sides.WORK)),
        sides=_known("side", _parts(options.sides), sides.SIDES),
        rounds=rounds,
        quick=options.quick,
        out=Path(options.out) if options.out else None,
    )
    return command.run(request, sys.stdout)


def _parts(text: str | None) -> list[str]:
    return [part.strip() for part in text.split(",")] if text else []


def _known(what: str, asked: list[str], valid: tuple[str, ...]) -> tuple[str, ...]:
    for name in asked:
        if name not in valid:
            hint = suggestion(name, list(valid)) or f"; there are: {', '.join(valid)}"
            raise UsageError(f"there is no {what} {name!r}{hint}")
    return tuple(asked)
