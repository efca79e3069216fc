"""Scripts and notebooks as cells: what is left out, and files that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from chainrule.compat.program import Unreadable, cell_of, read


def notebook(path: Path, *cells: Any, **metadata: Any) -> Path:
    made = [{"cell_type": "code", "source": source} for source in cells]
    path.write_text(json.dumps({"cells": made, "metadata": metadata, "nbformat": 4}), encoding="utf-8")
    return path


SKIPPED = {
    "%matplotlib inline\nx = 1": [(1, "%matplotlib inline")],
    "!pip install d2l==0.17 | tail\nx = 1": [(1, "!pip install d2l==0.17 | tail")],
    "x = 1\nx?": [(2, "x?")],
    "?x\nx = 1": [(1, "?x")],
    "torch.ones??": [(1, "torch.ones??")],
    "files = !ls\nt = %timeit -o f()": [(1, "files = !ls"), (2, "t = %timeit -o f()")],
    "if x:\n    %time f()\nelse:\n    !ls": [(2, "%time f()"), (4, "!ls")],
    "%%time\nx = 1": [(1, "%%time")],
    "%%bash\nls -l": [(1, "%%bash and the lines below it")],
    "\n\n%%writefile a.txt\nhello there": [(3, "%%writefile a.txt and the lines below it")],
}


@pytest.mark.parametrize("source", SKIPPED)
def test_lines_for_jupyter_are_left_out(source: str) -> None:
    cell = cell_of(source, "name")
    assert cell.skipped == SKIPPED[source]
    compile(cell.source, "name", "exec")
    if "%%bash" not in source and "%%write" not in source:
        for number, line in enumerate(source.splitlines(), 1):  # the others stay where they were
            if number not in [at for at, _ in cell.skipped]:
                assert cell.source.splitlines()[number - 1] == line


@pytest.mark.parametrize(
    "source",
    [
        "x = (7\n% 3)\n",
        "y = '''\n%matplotlib inline\n!ls\n'''\n",
        "print('what?')\n",
        "x = 7 \\\n  % 2\n",
        "",
    ],
)
def test_python_is_not_touched(source: str) -> None:
    cell = cell_of(source, "name")
    assert cell.skipped == []
    assert cell.source.rstrip("\n") == source.rstrip("\n")


def test_what_is_no_python_stays_for_python_to_say() -> None:
    cell = cell_of("%matplotlib inline\nx = = 1\n", "name")
    assert cell.source == "pass\nx = = 1\n"


def test_a_script_is_one_cell(tmp_path: Path) -> None:
    path = tmp_path / "train.py"
    path.write_bytes("# coding: latin-1\nname = 'é'\n".encode("latin-1"))
    program = read(path)
    assert not program.is_notebook
    assert [(cell.name, cell.source) for cell in program.cells] == [
        (str(path), "# coding: latin-1\nname = 'é'\n")
    ]


def test_code_cells_are_counted_from_one(tmp_path: Path) -> None:
    path = tmp_path / "lesson.ipynb"
    cells = [
        {"cell_type": "markdown", "source": "# Title"},
        {"cell_type": "code", "source": ["x = 1\n", "y = 2"]},
        {"cell_type": "raw", "source": "nothing"},
        {"cell_type": "code", "source": "z = 3"},
    ]
    path.write_text(json.dumps({"cells": cells}), encoding="utf-8")
    program = read(path)
    assert program.is_notebook
    assert [(cell.name, cell.source) for cell in program.cells] == [
        (f"{path}, cell 1", "x = 1\ny = 2\n"),
        (f"{path}, cell 2", "z = 3\n"),
    ]


def test_notebooks_of_the_format_before(tmp_path: Path) -> None:
    path = tmp_path / "old.ipynb"
    cells = [{"cell_type": "code", "input": ["x = 1"]}]
    path.write_text(json.dumps({"worksheets": [{"cells": cells}], "nbformat": 3}), encoding="utf-8")
    assert [cell.source for cell in read(path).cells] == ["x = 1\n"]


def test_what_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "broken.ipynb").write_text("{", encoding="utf-8")
    (tmp_path / "list.ipynb").write_text("[1]", encoding="utf-8")
    (tmp_path / "bytes.py").write_bytes(b"\xff\xfe\x00")
    julia = notebook(tmp_path / "julia.ipynb", "x", kernelspec={"language": "julia"})
    for path, text in {
        tmp_path / "no.py": f"cannot read {tmp_path}/no.py: No such file or directory",
        tmp_path: f"cannot read {tmp_path}: Is a directory",
        tmp_path / "broken.ipynb": (
            f"{tmp_path}/broken.ipynb is not a notebook: it is not the JSON that Jupyter writes"
        ),
        tmp_path / "list.ipynb": (
            f"{tmp_path}/list.ipynb is not a notebook: it is not the JSON that Jupyter writes"
        ),
        tmp_path / "bytes.py": (
            f"{tmp_path}/bytes.py is not a text in UTF-8, nor in an encoding that it declares"
        ),
        julia: f"{julia} is a notebook of julia, not of Python",
    }.items():
        with pytest.raises(Unreadable) as caught:
            read(path)
        assert str(caught.value) == text
