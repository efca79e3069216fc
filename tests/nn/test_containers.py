"""Sequential, ModuleList and ModuleDict: order, names, edits, printing, errors."""

from __future__ import annotations

from collections import OrderedDict

import pytest

import chainrule as torch
from chainrule import nn


def test_sequential_runs_in_order():
    class Add(nn.Module):
        def __init__(self, n):
            super().__init__()
            self.n = n

        def forward(self, x):
            return x * 10 + self.n

    assert nn.Sequential(Add(1), Add(2), Add(3))(torch.tensor(0.0)).item() == 123.0
    assert nn.Sequential()(torch.tensor(4.0)).item() == 4.0


def test_sequential_with_names():
    net = nn.Sequential(OrderedDict(first=nn.Linear(2, 3), act=nn.ReLU()))
    assert [n for n, _ in net.named_children()] == ["first", "act"]
    assert isinstance(net.act, nn.ReLU)
    assert net[1] is net.act
    part = net[:1]
    assert list(part.state_dict()) == ["first.weight", "first.bias"]
    assert part.first is net.first  # a slice shares its modules


def test_sequential_edits():
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    net = nn.Sequential(a, b)
    net.append(c).insert(1, nn.Identity())
    assert [type(m).__name__ for m in net] == ["ReLU", "Identity", "Tanh", "Sigmoid"]
    del net[1]
    net[-1] = a
    assert list(net) == [a, b, a]
    assert net.pop(1) is b
    assert [n for n, _ in net.named_children()] == ["0"]  # the same module twice is one child
    assert list(net._modules) == ["0", "1"]
    net += nn.Sequential(b)
    assert list(net + nn.Sequential(c)) == [a, a, b, c]
    assert len(net * 2) == len(2 * net) == 6
    net *= 2
    assert len(net) == 6
    del net[::2]
    assert list(net) == [a, a, b]


def test_module_list_edits():
    a, b, c = nn.ReLU(), nn.Tanh(), nn.Sigmoid()
    row = nn.ModuleList([a])
    row.extend([b]).append(c)
    assert list(row) == [a, b, c]
    assert list(row[1:]) == [b, c]
    assert isinstance(row[1:], nn.ModuleList)
    assert list(row + [a]) == [a, b, c, a]
    row += row
    assert len(row) == 6
    row.insert(-1, b)
    assert list(row)[-2:] == [b, c]
    assert row.pop(0) is a


def test_modules_of_a_list_belong_to_the_model():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 1)])
            self.heads = nn.ModuleDict({"a": nn.Linear(2, 3)})
            self.weights = nn.ParameterList([torch.zeros(2), torch.zeros(3)])
            self.parts = nn.ParameterDict({"w": torch.zeros(1)})

        def forward(self, x):
            for layer in self.layers:
                x = layer(x)
            return x

    net = Net()
    assert [n for n, _ in net.named_parameters()] == [
        "layers.0.weight", "layers.0.bias", "layers.1.weight", "layers.1.bias", "heads.a.weight",
        "heads.a.bias", "weights.0", "weights.1", "parts.w",
    ]  # fmt: skip
    assert net(torch.ones(3, 2)).shape == (3, 1)


def test_module_dict_acts_like_a_dict():
    d = nn.ModuleDict({"a": nn.ReLU()})
    d["b"] = nn.Tanh()
    d.update({"a": nn.Sigmoid()})
    assert list(d) == list(d.keys()) == ["a", "b"]
    assert [type(m).__name__ for m in d.values()] == ["Sigmoid", "Tanh"]
    assert "b" in d
    assert len(d) == 2
    d.pop("a")
    del d["b"]
    d["c"] = nn.ReLU()
    d.clear()
    assert len(d) == 0


def test_repr_of_repeated_modules():
    row = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Sequential(nn.Tanh()), nn.ReLU()])
    assert repr(row) == (
        "ModuleList(\n  (0-1): 2 x ReLU()\n  (2): Sequential(\n    (0): Tanh()\n  )\n  (3): ReLU()\n)"
    )


ERRORS = [
    (lambda: nn.Sequential(nn.ReLU())[1], IndexError, "index 1 is out of range"),
    (lambda: nn.ModuleList([nn.ReLU()])[-2], IndexError, "index -2 is out of range"),
    (lambda: nn.ParameterList([torch.ones(1)])[1], IndexError, "index 1 is out of range"),
    (lambda: nn.Sequential().insert(1, nn.ReLU()), IndexError, "Index out of range: 1"),
    (lambda: nn.Sequential().insert(0, 3), TypeError, "int is not a Module subclass"),
    (lambda: nn.Sequential(3), TypeError, "int is not a Module subclass"),
    (
        lambda: nn.Sequential() + nn.ModuleList(), ValueError,
        "a Sequential can only be added to a Sequential, but a ModuleList is given",
    ),
    (
        lambda: nn.Sequential() * 1.5, TypeError,
        "a Sequential is repeated a whole number of times, but 1.5 is given",
    ),
    (
        lambda: nn.Sequential() * 0, ValueError,
        "a Sequential is repeated a positive number of times, but 0 is given",
    ),
    (
        lambda: nn.ModuleList(3), TypeError,
        "ModuleList.extend should be called with an iterable, but got int",
    ),
    (
        lambda: nn.ModuleDict().update(3), TypeError,
        "ModuleDict.update should be called with an iterable of pairs, but got int",
    ),
    (lambda: nn.ModuleDict()["a"], KeyError, "'a'"),
    (
        lambda: nn.ParameterList(torch.ones(2)), TypeError,
        "ParameterList.extend should be called with an iterable, but got Tensor",
    ),
    (
        lambda: nn.ParameterDict(3), TypeError,
        "ParameterDict.update should be called with an iterable of pairs, but got int",
    ),
    (lambda: nn.ParameterDict({1: 2.0}), TypeError, "a key of ParameterDict is a string, but got 1"),
    (lambda: nn.ParameterDict()["a"], KeyError, "'a'"),
    (lambda: nn.ParameterList()(), RuntimeError, "ParameterList should not be called."),
    (
        lambda: nn.ModuleList()(1), NotImplementedError,
        'Module [ModuleList] is missing the required "forward" function',
    ),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "text"), ERRORS)
def test_error_texts(call, error, text):
    with pytest.raises(error) as caught:
        call()
    assert str(caught.value) == text


def test_parameter_list_keeps_other_values():
    row = nn.ParameterList([torch.ones(2), 3, nn.ReLU()])
    assert isinstance(row[0], nn.Parameter)
    assert row[1] == 3
    assert isinstance(row[-1], nn.ReLU)
    row[0] = torch.zeros(5)
    assert [tuple(p.shape) for p in row.parameters()] == [(5,)]
    assert len(row[:2]) == 2
