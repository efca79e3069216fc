"""Write the tables of `examples/data/` again: `python tools/make_example_data.py [FOLDER]`.

Three of them come from the files inside the installed scikit-learn package, number by number as they are
written there; only a header line with names is new. The fourth is the small table of the course notes.
Nothing is downloaded, and the package itself never reads scikit-learn. Sources and licences:
`examples/data/README.md`.
"""

from __future__ import annotations

import csv
import gzip
import importlib.resources
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

MEASURES = [
    "radius",
    "texture",
    "perimeter",
    "area",
    "smoothness",
    "compactness",
    "concavity",
    "concave_points",
    "symmetry",
    "fractal_dimension",
]
# The three groups of ten in the source: the mean over the nuclei of an image, its standard error, and the
# mean of the three largest.
CANCER_COLUMNS = [f"{kind}_{name}" for kind in ("mean", "error", "worst") for name in MEASURES]
DIABETES_COLUMNS = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6"]
DIGITS_COLUMNS = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]

HOUSE_TINY = "NumRooms,Alley,Price\nNA,Pave,127500\n2,NA,106000\n4,NA,178100\nNA,NA,140000\n"


def main(arguments: list[str]) -> int:
    """Write the four tables into a folder and print what was written."""
    folder = Path(arguments[0]) if arguments else ROOT / "examples" / "data"
    folder.mkdir(parents=True, exist_ok=True)
    tables = {
        "breast_cancer.csv": table([*CANCER_COLUMNS, "diagnosis"], breast_cancer()),
        "diabetes.csv": table([*DIABETES_COLUMNS, "progression"], diabetes()),
        "digits.csv": table([*DIGITS_COLUMNS, "digit"], digits()),
        "house_tiny.csv": HOUSE_TINY,
    }
    for name, text in tables.items():
        (folder / name).write_text(text, encoding="utf-8", newline="")
        print(f"{folder / name}: {text.count(chr(10)) - 1} rows, {len(text):,} bytes")
    return 0


def table(header: list[str], rows: Iterable[list[str]]) -> str:
    """The text of a CSV file, each row checked against the header."""
    lines = [header, *rows]
    wrong = [number for number, line in enumerate(lines) if len(line) != len(header)]
    if wrong:
        raise SystemExit(
            f"row {wrong[0]} does not have {len(header)} fields; this scikit-learn has other files"
        )
    return "".join(",".join(line) + "\n" for line in lines)


def breast_cancer() -> Iterator[list[str]]:
    """569 rows; the source's first line counts rows and columns, then names the classes 0 and 1."""
    (_, _, *classes), *rows = csv.reader(source("breast_cancer.csv").splitlines())
    for *numbers, label in rows:
        yield [*numbers, classes[int(label)]]


def diabetes() -> Iterator[list[str]]:
    """442 rows in their original units; the target, a whole number, is in a file of its own."""
    rows = source("diabetes_data_raw.csv.gz").splitlines()
    for row, target in zip(rows, source("diabetes_target.csv.gz").split(), strict=True):
        yield [*(shorter(word) for word in row.split()), shorter(target)]


def digits() -> Iterator[list[str]]:
    """1,797 images of 8 x 8 pixels from 0 to 16, and the digit."""
    for row in csv.reader(source("digits.csv.gz").splitlines()):
        yield [shorter(word) for word in row]


def source(name: str) -> str:
    """The text of a data file inside scikit-learn."""
    content = importlib.resources.files("sklearn.datasets.data").joinpath(name).read_bytes()
    return (gzip.decompress(content) if name.endswith(".gz") else content).decode()


def shorter(number: str) -> str:
    """The same number in fewer characters: `1.51e+02` is `151`."""
    return f"{float(number):.12g}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
