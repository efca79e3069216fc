"""The modules that stand in: which names they have, and the one line about those they have not."""

from __future__ import annotations

import importlib
import inspect
import pickle
import sys
from typing import Any

import pytest

import chainrule
from chainrule.compat.standins import MissingModule, MissingName, Standin, lookup, names_of, public

pytestmark = pytest.mark.usefixtures("standing_in")

SAME = {
    "torch.nn": "nn",
    "torch.nn.functional": "nn.functional",
    "torch.nn.init": "nn.init",
    "torch.nn.utils": "nn.utils",
    "torch.optim": "optim",
    "torch.optim.lr_scheduler": "optim.lr_scheduler",
    "torch.utils.data": "utils.data",
    "torch.distributions": "distributions",
    "torch.func": "func",
    "torch.autograd": "autograd",
    "torch.autograd.forward_ad": "autograd.forward_ad",
    "torch.linalg": "linalg",
}


@pytest.mark.parametrize("name", SAME)
def test_a_module_has_the_names_of_its_counterpart(name: str) -> None:
    module, target = importlib.import_module(name), importlib.import_module(f"chainrule.{SAME[name]}")
    assert isinstance(module, Standin)
    assert module.__name__ == name
    for each in public(target):
        value = getattr(target, each)
        if not inspect.ismodule(value):
            assert getattr(module, each) is value


def test_every_way_to_import_gives_the_same() -> None:
    names: dict[str, Any] = {}
    exec(
        "import torch, torch.nn, torch.nn as nn1, torch.nn.functional as F1\n"
        "from torch import nn as nn2, Tensor\n"
        "from torch.nn import functional as F2, Linear\n"
        "from torch.nn.functional import relu\n"
        "from torch.utils.data import DataLoader\n"
        "from torch.nn.parameter import Parameter\n"
        "from torch.optim.sgd import SGD\n"
        "from torch.distributions.multinomial import Multinomial\n"
        "from d2l import torch as d2l\n"
        "import d2l.torch as d2l2\n",
        names,
    )
    assert names["nn1"] is names["nn2"] is names["torch"].nn is names["nn1"]
    assert names["F1"] is names["F2"] is names["torch"].nn.functional
    assert names["Tensor"] is chainrule.Tensor
    assert names["Linear"] is chainrule.nn.Linear
    assert names["relu"] is chainrule.nn.functional.relu
    assert names["DataLoader"] is chainrule.utils.data.DataLoader
    assert names["Parameter"] is chainrule.nn.Parameter
    assert names["SGD"] is chainrule.optim.SGD
    assert names["Multinomial"] is chainrule.distributions.Multinomial
    assert names["d2l"] is names["d2l2"]
    assert names["d2l"].torch is chainrule


def test_a_star_import_gives_all_names() -> None:
    names: dict[str, Any] = {}
    exec("from torch.nn import *", names)
    assert set(names) - {"__builtins__"} == {*chainrule.nn.__all__, "parameter"}


def test_what_a_module_says_of_itself() -> None:
    torch: Any = importlib.import_module("torch")
    assert repr(torch.nn) == "<module 'torch.nn': chainrule.nn stands in>"
    assert torch.__version__ == chainrule.__version__
    assert {"zeros", "nn", "cuda"} <= set(dir(torch))
    assert set(dir(torch)) - {"cuda"} == set(chainrule.__all__)
    assert not hasattr(torch, "__file__")


def test_a_second_use_of_a_name_is_an_ordinary_attribute() -> None:
    torch: Any = importlib.import_module("torch")
    assert torch.exp is chainrule.exp
    assert "exp" in vars(torch)


def test_what_is_saved_does_not_depend_on_the_stand_in() -> None:
    torch: Any = importlib.import_module("torch")
    assert b"torch.nn" not in pickle.dumps(torch.nn.Linear).replace(b"chainrule.nn", b"")


def test_a_gpu_is_asked_for_in_vain() -> None:
    torch: Any = importlib.import_module("torch")
    cuda = importlib.import_module("torch.cuda")
    assert cuda is torch.cuda
    assert torch.device("cuda" if torch.cuda.is_available() else "cpu").type == "cpu"
    assert torch.cuda.device_count() == 0
    for nothing in (cuda.synchronize, cuda.empty_cache):
        assert nothing() is None
    assert cuda.manual_seed(1) is cuda.manual_seed_all(1) is None


MISSING = {
    "import torch\ntorch.nn.Conv2d": "chainrule has no torch.nn.Conv2d",
    "import torch\ntorch.nn.softmax": "chainrule has no torch.nn.softmax (there is torch.softmax)",
    "import torch\ntorch.nn.linear": (
        "chainrule has no torch.nn.linear (there is torch.nn.functional.linear)"
    ),
    "import torch\ntorch.nn.CrossEntropyLos": (
        "chainrule has no torch.nn.CrossEntropyLos (did you mean torch.nn.CrossEntropyLoss?)"
    ),
    "import torch\ntorch.nn.mseLoss": "chainrule has no torch.nn.mseLoss (did you mean torch.nn.MSELoss?)",
    "import torch\ntorch._C": "chainrule has no torch._C",
    "import torch\ntorch.tape": "chainrule has no torch.tape (did you mean torch.take?)",
    "from torch.nn import Conv2d": "chainrule has no torch.nn.Conv2d",
    "from torch import nnn": "chainrule has no torch.nnn (did you mean torch.nn?)",
    "import torch.cuda.amp": "chainrule has no torch.cuda.amp",
    "from torch.cuda.amp import autocast": "chainrule has no torch.cuda.amp",
    "from d2l import mxnet as d2l": "chainrule has no d2l.mxnet",
    "from d2l import torch as d2l\nd2l.plots": (
        "chainrule has no d2l.torch.plots (did you mean d2l.torch.plot?)"
    ),
    "from d2l import torch as d2l\nd2l.Linear": (
        "chainrule has no d2l.torch.Linear (there is torch.nn.Linear)"
    ),
    "import torchvision\ntorchvision.models": "chainrule has no torchvision.models",
    "from torchvision import transform": (
        "chainrule has no torchvision.transform (did you mean torchvision.transforms?)"
    ),
}


@pytest.mark.parametrize("program", MISSING)
def test_a_missing_name_is_one_line(program: str) -> None:
    with pytest.raises((MissingName, MissingModule)) as caught:
        exec(program, {})
    assert str(caught.value) == MISSING[program]
    assert isinstance(caught.value, ImportError if "\n" not in program else AttributeError)


def test_programs_can_ask_whether_a_name_is_there() -> None:
    torch: Any = importlib.import_module("torch")
    assert hasattr(torch, "zeros")
    assert not hasattr(torch, "no_such_thing")
    assert getattr(torch, "mps", None) is None
    with pytest.raises(ImportError):
        importlib.import_module("torch.no_such_module")
    assert "torch.no_such_module" not in sys.modules


@pytest.mark.parametrize(
    ("name", "there"),
    [
        ("torch", True), ("torch.nn.Module.parameters", True), ("torch.nn.Module.no_such", False),
        ("torch.Tensor.backward", True), ("torch.cuda.is_available", True), ("torch.cuda.amp", False),
        ("torch.float32", True), ("d2l.torch.plt", True), ("d2l.torch.Animator.add", True),
        ("d2l.torch.x", False),
        ("torch.__version__", True), ("numpy.zeros", False), ("torch.nn.functional.relu", True),
    ],
)  # fmt: skip
def test_lookup(name: str, there: bool) -> None:
    assert lookup(name) is there


def test_names_of_a_module_that_is_not_there() -> None:
    assert names_of("torch.no_such") == []
