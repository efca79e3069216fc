"""What the tests of the command line share: tables, runs trained once, and a way to call a command."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from chainrule.cli import main


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it printed."""

    status: int
    out: str
    err: str


Call = Callable[..., Result]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of a test, so that messages name files as a user does."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("COLUMNS", raising=False)
    return tmp_path


@pytest.fixture
def call(folder: Path, capfd: pytest.CaptureFixture[str]) -> Call:
    """Run `chainrule` with some arguments in this process."""

    def run(*arguments: str) -> Result:
        capfd.readouterr()
        status = main(arguments)
        printed = capfd.readouterr()
        return Result(status, printed.out, printed.err)

    return run


def houses(rows: int = 80) -> pd.DataFrame:
    """Prices that are a sum of rooms and a good address, with a little noise and one gap."""
    rng = np.random.default_rng(0)
    rooms = rng.integers(1, 9, rows).astype(float)
    alley = rng.choice(["Pave", "Grvl"], rows)
    price = 20_000.5 * rooms + 7_000 * (alley == "Pave") + rng.normal(0, 500, rows).round(1)
    rooms[3] = np.nan
    return pd.DataFrame({"rooms": rooms, "alley": alley, "price": price})


def birds(rows: int = 80) -> pd.DataFrame:
    """Hens are heavier than ducks here; the last column is the label."""
    rng = np.random.default_rng(1)
    hen = rng.random(rows) < 0.6
    return pd.DataFrame({"weight": rng.normal(2, 0.3, rows) + hen, "bird": np.where(hen, "hen", "duck")})


@pytest.fixture(scope="session")
def stock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tables and runs that are made once: houses.csv, birds.csv, run-houses, run-birds."""
    stock = tmp_path_factory.mktemp("stock")
    houses().to_csv(stock / "houses.csv", index=False)
    birds().to_csv(stock / "birds.csv", index=False)
    for name in ("houses", "birds"):
        out = ("--out", str(stock / f"run-{name}"))
        assert (
            main(["train", str(stock / f"{name}.csv"), *out, "--quiet", "--epochs", "60", "--lr", "0.05"])
            == 0
        )
    return stock


@pytest.fixture
def ready(stock: Path, folder: Path) -> Path:
    """The working directory with copies of what is in stock."""
    shutil.copytree(stock, folder, dirs_exist_ok=True)
    return folder


def listing(folder: Path) -> list[str]:
    """All files and folders below a folder, hidden ones too."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))
