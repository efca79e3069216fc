"""Write the graph texts that the tests compare with. Run it, then review the diff like code."""

from __future__ import annotations

import runpy
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "graph" / "golden"


def main() -> None:
    """One text for each program of `tests/graph/golden/programs.py`."""
    programs = runpy.run_path(str(FOLDER / "programs.py"))["PROGRAMS"]
    for name, make in programs.items():
        (FOLDER / f"{name}.txt").write_text(f"{make()}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
