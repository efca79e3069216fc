"""What a program needs that is not there, by reading it."""

from __future__ import annotations

from pathlib import Path

import pytest

from chainrule.compat.missing import needs
from chainrule.compat.program import Program, cell_of

FOUND = {
    # ways to say the same name
    "import torch\ntorch.nn.Conv2d": ["torch.nn.Conv2d"],
    "import torch as t\nt.nn.Conv2d(1)": ["torch.nn.Conv2d"],
    "import torch.nn as nn\nnn.Conv2d": ["torch.nn.Conv2d"],
    "from torch import nn\nnn.Conv2d": ["torch.nn.Conv2d"],
    "from torch.nn import Conv2d as C\nC()": ["torch.nn.Conv2d"],
    "import torch\nnn = torch.nn\nlayers = nn\nlayers.Conv2d": ["torch.nn.Conv2d"],
    "import torch\nnn: object = torch.nn\nnn.Conv2d": ["torch.nn.Conv2d"],
    "import torch\n(nn := torch.nn).x\nnn.Conv2d": ["torch.nn.Conv2d"],
    "from torch.nn import functional as F\nF.conv2d": ["torch.nn.functional.conv2d"],
    "import torch.nn.functional as F\nF.conv2d": ["torch.nn.functional.conv2d"],
    "import torch.nn.functional\ntorch.nn.functional.conv2d": ["torch.nn.functional.conv2d"],
    "from d2l import torch as d2l\nd2l.train_ch6": ["d2l.torch.train_ch6"],
    "import d2l.torch as d2l\nd2l.train_ch6": ["d2l.torch.train_ch6"],
    "import torch.cuda.amp as amp\namp.autocast()": ["torch.cuda.amp"],
    "from torch.cuda.amp import autocast\nautocast()": ["torch.cuda.amp"],
    "from torch import *\nzeros(3)": [],
    # attributes of classes and of values
    "import torch\ntorch.Tensor.no_such": ["torch.Tensor.no_such"],
    "from torch import nn\nnn.Module.parameters": [],
    "import torch\ntorch.zeros(3).no_such().shape": [],
    "import torch\ntorch.float32.itemsize": [],
    # where a name means something else
    "from torch.utils import data\ndata = open('x')\ndata.no_such": [],
    "import torch\ndef f(torch):\n    return torch.no_such": [],
    "import torch\ndef f(x, *, torch=1):\n    return torch.no_such\ntorch.also_not": ["torch.also_not"],
    "import torch\nfor torch in []:\n    torch.no_such": [],
    "import torch\n[torch.no_such for torch in []]": [],
    "import torch\n[torch.no_such for x in []]": ["torch.no_such"],
    "import torch\nwith open('x') as torch:\n    torch.no_such": [],
    "import torch\na, (torch, *b) = 1, (2, 3)\ntorch.no_such": [],
    "import torch\nclass torch:\n    pass\ntorch.no_such": [],
    "import torch\nf = lambda torch: torch.no_such": [],
    "def f():\n    import torch\n    torch.no_such1\ntorch.no_such2": ["torch.no_such1"],
    # where names may stand
    "import torch\nclass Net(torch.nn.Modul):\n    x: torch.Tenso = torch.zero": [
        "torch.nn.Modul", "torch.Tenso", "torch.zero",
    ],
    "import torch\n@torch.jit.script\ndef f(x: torch.Tenso = torch.zero) -> torch.Size: ...": [
        "torch.jit", "torch.zero", "torch.Tenso",
    ],
    "import torch\nasync def f():\n    async with torch.a as x:\n        async for y in torch.b: torch.c": [
        "torch.a", "torch.b", "torch.c",
    ],
    "import torch\n{torch.a: torch.b for x in torch.c}\nf'{torch.d}'\ny[torch.ee] = 1\ndel torch.f": [
        "torch.c", "torch.a", "torch.b", "torch.d", "torch.ee",
    ],
    # other packages
    "import no_such_package.sub as x, numpy, os.path": ["no_such_package"],
    "from no_such_package.sub import a, b\nfrom numpy import zeros": ["no_such_package"],
    "from . import x\nfrom .y import z": [],
    "from IPython import display\nfrom matplotlib_inline import backend_inline": [],
    "import beside, folder.part": [],
}  # fmt: skip


@pytest.mark.parametrize("source", FOUND)
def test_names_are_found(source: str, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "folder").mkdir()
    program = Program(tmp_path / "train.py", [cell_of(source, "train.py")], False)
    assert [need.name for need in needs(program)] == FOUND[source]


def test_places_and_near_names(tmp_path: Path) -> None:
    cells = [
        cell_of("import torch\nimport gym_of_nobody\ntorch.softmin\n", "a.ipynb, cell 1"),
        cell_of("torch.nn.Linaer\ntorch.nn.Linaer\n\ntorch.softmin; torch.nn.Conv2d", "a.ipynb, cell 2"),
    ]
    found = needs(Program(tmp_path / "a.ipynb", cells, True))
    assert [str(need) for need in found] == [
        "a.ipynb, cell 1, line 2: gym_of_nobody (this package is not installed)",
        "a.ipynb, cell 1, line 3: torch.softmin (there is torch.nn.functional.softmin), and 1 more",
        "a.ipynb, cell 2, line 1: torch.nn.Linaer (did you mean torch.nn.Linear?), and 1 more",
        "a.ipynb, cell 2, line 4: torch.nn.Conv2d",
    ]
