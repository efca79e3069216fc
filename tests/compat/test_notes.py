"""The code of the course notes, top to bottom, as script and notebook, by `python -m chainrule.compat`.

The blocks stand in `documents/` as they are in the notes. Some cannot run anywhere: `SLIPS` says which,
why, what happens, and what was meant; the rest of a document then runs with that. What the results must be
is tested in `tests/notes`.
"""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chainrule.compat.command import main
from chainrule.compat.program import cell_of

DOCUMENTS = Path(__file__).parent / "documents"


class Slip(NamedTuple):
    """A block that cannot run: why, the error (its first line), and the block as it was meant."""

    why: str
    error: str
    meant: str


# Names that a document uses and never imports: its reader has imported them for an earlier chapter.
HEADERS = {
    "000": "import torch",
    "001": "import torch",
    "002": "import torch\nfrom torch.distributions import multinomial",
    "003": "import torch",
    "004": "import math\nimport numpy as np\nimport torch",
}

# (document, block, both from the top) -> slip. Block 0 is the first.
SLIPS = {
    ("001", 1): Slip(
        "arange is a function of torch",
        "NameError: name 'arange' is not defined",
        "a = torch.arange(12)\nb = a.reshape(3,4)\nb[:] = 2\nprint(a)\nid(a),id(b)",
    ),
    ("001", 17): Slip(
        "reshape returns a new tensor; X still has one axis, so there is no axis 1 to sum over",
        "IndexingError: sum got dim=1 for a tensor with 1 axis",
        "X = torch.arange(20,dtype=torch.float32).reshape(4,5)\n"
        "sum1=X.sum()\nsum2=X.sum(axis=0)\nsum3=X.sum(axis=1)\nsum4=X.sum(axis=[0,1])\n"
        "sum5=X.sum(axis=1,keepdim=True)\nA.mean(axis=1)\nA.cumsum(axis=0)",
    ),
    ("001", 19): Slip(
        "dot takes two vectors of one type, and arange(4) has whole numbers",
        "DTypeError: torch.dot got x of type int64 (4,) and y of type float32 (4,)",
        "x = torch.arange(4, dtype=torch.float32)\ny = torch.ones(4)\nx,y,torch.dot(x,y)",
    ),
    ("001", 20): Slip(
        "mv takes a matrix and a vector of one type",
        "DTypeError: torch.mv got A of type int64 (5, 4) and x of type float32 (4,)",
        "A = torch.arange(20,dtype=torch.float32).reshape(5,4)\nx = torch.arange(4,dtype=torch.float32)\n"
        "A.shape, x.shape, torch.mv(A, x)",
    ),
    ("001", 21): Slip(
        "both matrices are (5, 4): the columns of the first must be as many as the rows of the second",
        "ShapeError: x @ y got shapes (5, 4) and (5, 4)",
        "torch.mm(A,B.T)",
    ),
    ("001", 23): Slip(
        "another framework, shown for comparison",
        "ModuleNotFoundError: No module named 'mxnet'",
        "",
    ),
    ("001", 24): Slip(
        "another framework, shown for comparison",
        "ModuleNotFoundError: No module named 'mxnet'",
        "",
    ),
    ("003", 8): Slip("there is no B", "NameError: name 'B' is not defined", "B = A.clone()\nA*B"),
    ("003", 13): Slip(
        "mv takes a matrix and a vector of one type, and arange(20) has whole numbers",
        "DTypeError: torch.mv got A of type int64 (5, 4) and x of type float32 (4,)",
        "A = A.float()\ntorch.mv(A,x)",
    ),
    ("004", 1): Slip(
        "the body of a function is indented",
        "IndentationError: expected an indented block after function definition on line 1",
        "def normal(x, mu, sigma):\n    p = 1 / math.sqrt(2 * math.pi * sigma**2)\n"
        "    return p * np.exp(-0.5 / sigma**2 * (x - mu)**2)\nnormal(np.array([0.0, 1.0]), 0, 1)",
    ),
    ("004", 3): Slip(
        "the body of a function is indented, its docstring too",
        "IndentationError: expected an indented block after function definition on line 1",
        "def sgd(params, lr, batch_size):\n    with torch.no_grad():\n        for param in params:\n"
        "            param -= lr * param.grad / batch_size\n            param.grad.zero_()",
    ),
}

# A few of the values that a notebook shows below its cells: what the notes print, where they do.
SHOWN = {
    "000": ["tensor([[ 6.],\n        [15.]])"],
    "001": [
        "tensor([2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2])",
        "tensor([ 4, 10, 18])",
        "[0.2500, 0.4000, 0.5000]",
        "tensor([4, 2, 2])",
        "tensor([127500., 106000., 178100., 140000.], dtype=torch.float64)",
        "tensor([ 0.,  4.,  8., 12.])\ntensor([True, True, True, True])",
        "tensor([ 14.,  38.,  62.,  86., 110.])",
    ],
    "002": ["tensor(["],
    "003": ["tensor([[ 4,  5,  6,  7],\n        [16, 17, 18, 19]])", "tensor(7.)"],
    "004": ["tensor(5.)", "array([0.39894228, 0.24197072])"],
}


def blocks(document: str) -> list[str]:
    text = (DOCUMENTS / f"{document}.md").read_text(encoding="utf-8")
    return re.findall(r"^```python\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def as_meant(document: str) -> list[str]:
    found = [
        SLIPS[document, i].meant if (document, i) in SLIPS else code
        for i, code in enumerate(blocks(document))
    ]
    return [HEADERS[document], *found]


def test_the_documents_have_all_their_blocks() -> None:
    assert {name: len(blocks(name)) for name in HEADERS} == {
        "000": 2,
        "001": 30,
        "002": 1,
        "003": 17,
        "004": 4,
    }


@pytest.mark.parametrize("document", HEADERS)
def test_a_document_runs_as_a_script(document: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "notes.py").write_text("\n".join(as_meant(document)), encoding="utf-8")
    status = run("--shadow", "notes.py")
    out, err = capsys.readouterr()
    assert status == 0, err
    if document == "001":
        assert "notes.py:" in err
        assert "skipped %matplotlib inline" in err
        assert out.count("the picture is in") == 1
        assert (folder / "plot.png").stat().st_size > 5000


@pytest.mark.parametrize("document", HEADERS)
def test_a_document_runs_as_a_notebook(
    document: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cells = [
        {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": code}
        for code in as_meant(document)
    ]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (folder / "notes.ipynb").write_text(json.dumps(notebook), encoding="utf-8")
    status = run("--shadow", "notes.ipynb")
    out, err = capsys.readouterr()
    assert status == 0, err
    for shown in SHOWN[document]:
        assert shown in out


@pytest.mark.parametrize(("document", "block"), SLIPS)
def test_a_slip_is_what_it_is_said_to_be(document: str, block: int, standing_in: None, folder: Path) -> None:
    names: dict[str, Any] = {}
    with contextlib.redirect_stdout(None):
        for code in as_meant(document)[: block + 1]:
            exec(compile(cell_of(code, "notes").source, "notes", "exec"), names)
        with pytest.raises(Exception) as caught:
            exec(compile(cell_of(blocks(document)[block], "notes").source, "notes", "exec"), names)
    first = re.sub(r" \(notes, line \d+\)$", "", str(caught.value).splitlines()[0])
    assert f"{caught.type.__name__}: {first}" == SLIPS[document, block].error


@pytest.mark.parametrize("document", HEADERS)
def test_nothing_is_missing(document: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "notes.py").write_text("\n".join(as_meant(document)), encoding="utf-8")
    assert main(["--missing", "notes.py"]) == 0


def run(*arguments: str) -> int:
    """The command in this process, which is left as it was."""
    from chainrule import compat

    try:
        return main(arguments)
    finally:
        compat.uninstall()
