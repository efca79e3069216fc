"""Everything about this checkout that needs more than Python: `python3 dev.py COMMAND`.

    train   train a model on a table of this repository     (or: train ARGUMENTS OF `chainrule train`)
    test    run the tests                                    (or: test ARGUMENTS OF pytest)
    lint    check style and formatting with ruff
    types   check the types with mypy
    torch   compare with PyTorch                             (or: torch ARGUMENTS OF pytest)

Each command first makes the virtual environment it needs and installs the package there; when nothing has
changed since the last time, it starts at once. This file uses the standard library only. It knows nothing of
the package itself: what `train` does is in `src/chainrule/cli`, how the tests are set up in `pyproject.toml`.
"""

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)

# An older Python can read this file down to here, and might not from the next `def` on: so what it says is
# this line, not a traceback.
if sys.version_info < OLDEST:
    sys.exit(
        f"chainrule needs Python {OLDEST[0]}.{OLDEST[1]} or later; this is {sys.version.split()[0]}\n"
        f"try: python{OLDEST[0]}.{OLDEST[1]} {' '.join(sys.argv)}, or any later one"
    )

ROOT = Path(__file__).resolve().parent
TORCH = "torch==2.13.0"  # the version whose names, values and refusals the comparisons pin
JAX = "jax==0.10.2"  # the benchmarks train the same there


class Stop(Exception):
    """A problem that the user can solve; its text is all they need to see."""


def main(arguments: list[str]) -> int:
    """Run one command and return its exit status."""
    commands = {"train": train, "test": test, "lint": lint, "types": types, "torch": torch}
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(__doc__)
        return 0 if arguments else 2
    if arguments[0] not in commands:
        raise Stop(f"there is no command {arguments[0]!r}; there are: {', '.join(commands)}")
    return commands[arguments[0]](arguments[1:])


def train(arguments: list[str]) -> int:
    """Install the package alone, train, and end with the score on rows that the training never saw."""
    python = environment(".venv", "-e", ".")
    return run(python.with_name("chainrule"), "train", *(arguments or ["examples/data/breast_cancer.csv"]))


def test(arguments: list[str]) -> int:
    """Run all tests but the comparisons with PyTorch."""
    python = environment(".venv", "-e", ".[dev]")
    return pytest(python, "--ignore=tests/torch", *arguments)


def lint(arguments: list[str]) -> int:
    """Style, import order and formatting."""
    python = environment(".venv", "-e", ".[dev]")
    paths = arguments or ["."]
    return run(python, "-m", "ruff", "check", *paths) or run(
        python, "-m", "ruff", "format", "--check", *paths
    )


def types(arguments: list[str]) -> int:
    """The strict type check; `pyproject.toml` says what it covers."""
    python = environment(".venv", "-e", ".[dev]")
    return run(python, "-m", "mypy", *arguments)


def torch(arguments: list[str]) -> int:
    """Run the comparisons, in an environment of their own: no other test can then lean on PyTorch."""
    python = environment(".venv-torch", "-e", ".[dev]", TORCH, JAX)
    return pytest(python, *(arguments or ["tests/torch"]))


def pytest(python: Path, *arguments: str) -> int:
    """Run pytest with one worker for each core that this process may use, up to eight."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    # Workers that each start a BLAS thread for every core would only get in each other's way.
    single = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return run(python, "-m", "pytest", "-n", str(min(cores, 8)), *arguments, settings=single)


def run(program: Path, *arguments: str, settings: dict[str, str] | None = None) -> int:
    """Run a program in the repository's root and return its exit status; the user's settings come first."""
    command = [os.fspath(program), *arguments]
    with subprocess.Popen(command, cwd=ROOT, env={**(settings or {}), **os.environ}) as process:
        while True:
            # Ctrl-C reaches the program as well. It may have something to save: it decides when to end.
            with contextlib.suppress(KeyboardInterrupt):
                return process.wait()


# ---------------------------------------------------------------------------------------------------------
# The virtual environment.


def environment(name: str, *wanted: str) -> Path:
    """Make the virtual environment `name` with `wanted` installed, unless it is there; return its Python."""
    folder = ROOT / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    if not folder.exists():
        make(folder)
    elif not works(python):
        raise Stop(
            f"'{name}' is there, but has no working Python {OLDEST[0]}.{OLDEST[1]} or later with pip\n"
            f"try: delete the folder '{folder}', and run this again"
        )
    stamp = folder / f"installed-{digest(' '.join(wanted).encode())[:12]}"
    if not stamp.exists() or stamp.read_text(encoding="utf-8") != fingerprint():
        install(python, name, *wanted)
        stamp.write_text(fingerprint(), encoding="utf-8")
    return python


def fingerprint() -> str:
    """What an installation depends on: the package's metadata, and where the checkout is."""
    return digest((ROOT / "pyproject.toml").read_bytes() + os.fsencode(ROOT))


def digest(content: bytes) -> str:
    """A short name for some bytes."""
    return hashlib.sha256(content).hexdigest()


def make(folder: Path) -> None:
    """Make an empty virtual environment, or nothing at all: half a one would stop every later run."""
    if importlib.util.find_spec("venv") is None or importlib.util.find_spec("ensurepip") is None:
        raise Stop(
            f"this Python ({sys.executable}) comes without venv or ensurepip\n"
            "try: sudo apt install python3-venv (on Debian and Ubuntu), or a Python from python.org"
        )
    print(f"making the virtual environment '{folder.name}'", flush=True)
    try:
        done = captured(sys.executable, "-m", "venv", os.fspath(folder))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if done.returncode != 0:
        shutil.rmtree(folder, ignore_errors=True)
        raise Stop(f"{done.stdout}\npython -m venv could not make '{folder}'; its lines above say why")


def works(python: Path) -> bool:
    """Whether there is a Python that is new enough and has pip."""
    check = f"import sys, pip; sys.exit(sys.version_info < {OLDEST})"
    with contextlib.suppress(OSError):
        return captured(os.fspath(python), "-c", check).returncode == 0
    return False


def install(python: Path, name: str, *wanted: str) -> None:
    """Install `wanted` with pip, whose output is shown only when it fails."""
    what = " ".join(word for word in wanted if word != "-e")
    print(f"installing into '{name}': {what} (minutes, the first time)", flush=True)
    pip = (os.fspath(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    done = captured(*pip, *wanted)
    if done.returncode != 0:
        raise Stop(
            f"{done.stdout}\npip could not install {what} into '{name}'; its lines above say why\n"
            "try: look at the network connection (or its proxy), and run this again"
        )


def captured(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the repository's root; what it prints, errors included, is in `stdout`."""
    return subprocess.run(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except Stop as problem:
        sys.exit(str(problem))
    except KeyboardInterrupt:
        sys.exit(130)
