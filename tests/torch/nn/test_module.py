"""Module and containers against PyTorch: names, orders, repr, hooks, and the attribute rules."""

from __future__ import annotations

import copy
from collections import OrderedDict

import numpy as np
import pytest
import torch

import chainrule
from chainrule import nn
from tests.torch.nn.both import agree, copy_state

SIDES = {"chainrule": (chainrule, nn), "torch": (torch, torch.nn)}


def block(t, nn):
    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.first = nn.Linear(3, 4)
            self.register_buffer("offset", t.ones(4))
            self.register_buffer("scratch", t.zeros(2), persistent=False)
            self.scale = nn.Parameter(t.ones(4))
            self.register_parameter("nothing", None)
            self.act = nn.ReLU()
            self.again = self.first  # the same module under a second name

        def forward(self, x):
            return self.act(self.first(x)) * self.scale + self.offset

        def extra_repr(self):
            return "a block\nof two lines"

    return Block()


def model(t, nn):
    net = nn.Sequential(
        OrderedDict(head=nn.Linear(3, 3), body=block(t, nn), tail=nn.ModuleList([nn.Identity()]))
    )
    net.add_module("extra", nn.ModuleDict({"a": nn.Dropout(), "b": nn.Sequential()}))
    return net


def names(net):
    return {
        "parameters": [n for n, _ in net.named_parameters()],
        "own": [n for n, _ in net.named_parameters(recurse=False)],
        "prefixed": [n for n, _ in net.named_parameters(prefix="m")],
        "repeated": [n for n, _ in net.named_parameters(remove_duplicate=False)],
        "buffers": [n for n, _ in net.named_buffers()],
        "modules": [n for n, _ in net.named_modules()],
        "all modules": [n for n, _ in net.named_modules(remove_duplicate=False)],
        "children": [n for n, _ in net.named_children()],
        "state": list(net.state_dict()),
        "prefixed state": list(net.state_dict(prefix="m.")),
        "counts": [len(list(x)) for x in (net.modules(), net.children(), net.parameters(), net.buffers())],
        "repr": repr(net),
    }


def test_names_and_orders():
    mine, its = (names(model(*side)) for side in SIDES.values())
    assert mine == its


def order_of_apply(side):
    seen = []
    model(*side).apply(lambda m: seen.append(type(m).__name__))
    return seen


def test_apply_goes_children_first():
    assert order_of_apply(SIDES["chainrule"]) == order_of_apply(SIDES["torch"])


def trace_of_hooks(t, nn):
    """What each kind of hook gets and in which order, with changes made on the way."""
    seen = []
    net = nn.Sequential(nn.Linear(2, 2), nn.Tanh())
    with t.no_grad():
        net[0].weight.copy_(t.tensor([[1.0, 2.0], [3.0, 4.0]]))
        net[0].bias.copy_(t.tensor([0.5, -0.5]))

    def note(word):
        def hook(module, *args):
            seen.append((word, type(module).__name__))

        return hook

    def doubled_output(module, args, output):
        seen.append(("double", args[0].tolist(), output.tolist()))
        return output * 2

    def shifted_input(module, args):
        return (args[0] + 1,)

    def backward(module, grad_input, grad_output):
        seen.append(("backward", [g.tolist() for g in grad_input], [g.tolist() for g in grad_output]))
        return tuple(g * 3 for g in grad_input)

    def backward_pre(module, grad_output):
        seen.append(("backward pre", [g.tolist() for g in grad_output]))
        return tuple(g * 2 for g in grad_output)

    net.register_forward_pre_hook(note("pre"))
    net.register_forward_pre_hook(shifted_input)
    net.register_forward_pre_hook(note("pre prepended"), prepend=True)
    net[0].register_forward_hook(doubled_output)
    net.register_forward_hook(note("after"))
    net.register_full_backward_hook(backward)
    net[0].register_full_backward_hook(note("inner backward"))
    net.register_full_backward_pre_hook(backward_pre)
    handle = net.register_forward_hook(note("removed"))
    handle.remove()
    x = t.tensor([[-1.25, -0.5]], requires_grad=True)
    out = net(x)
    out.sum().backward()
    return seen, out.tolist(), x.grad.tolist(), net[0].weight.grad.tolist()


def flatten(value):
    if isinstance(value, list | tuple):
        return [x for v in value for x in flatten(v)]
    return [value]


def test_hooks_see_the_same_in_the_same_order():
    mine, its = (flatten(trace_of_hooks(*side)) for side in SIDES.values())
    assert [x for x in mine if isinstance(x, str)] == [x for x in its if isinstance(x, str)]
    np.testing.assert_allclose(
        [x for x in mine if not isinstance(x, str)], [x for x in its if not isinstance(x, str)], rtol=1e-5
    )


def trace_with_kwargs(t, nn):
    class Scale(nn.Module):
        def forward(self, x, by=1):
            return x * by

    seen = []
    layer = Scale()
    layer.register_forward_pre_hook(
        lambda m, args, kwargs: (args, {"by": kwargs["by"] + 1}), with_kwargs=True
    )
    layer.register_forward_hook(lambda m, args, kwargs, out: seen.append(kwargs), with_kwargs=True)
    return layer(t.tensor([2.0]), by=3).tolist(), seen


def test_hooks_with_keyword_arguments():
    assert (
        trace_with_kwargs(*SIDES["chainrule"]) == trace_with_kwargs(*SIDES["torch"]) == ([8.0], [{"by": 4}])
    )


def computed(t, nn):
    """A Parameter that is not a leaf any more: something that wants a gradient was added in place."""
    param = nn.Parameter(t.ones(2), requires_grad=False)
    return param.add_(t.ones(2, requires_grad=True))


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)
def test_attribute_rules(side):
    t, nn = side
    net = block(t, nn)
    with pytest.raises(TypeError, match="as parameter 'scale'"):
        net.scale = t.ones(4)
    with pytest.raises(TypeError, match="as child module 'act'"):
        net.act = 3
    with pytest.raises(TypeError, match="as buffer 'offset'"):
        net.offset = 3
    with pytest.raises(KeyError, match="exists"):
        net.register_buffer("act", t.ones(1))
    with pytest.raises(KeyError, match=r"can.*t contain"):
        net.add_module("a.b", nn.ReLU())
    with pytest.raises(KeyError, match="empty"):
        net.register_parameter("", None)
    with pytest.raises(TypeError, match="Module subclass"):
        net.add_module("f", 3)
    with pytest.raises(TypeError, match="string"):
        net.register_buffer(3, t.ones(1))
    with pytest.raises(TypeError, match="object to parameter"):
        net.register_parameter("w", t.ones(1))
    with pytest.raises(ValueError, match=r"(non-leaf|computed)"):
        net.register_parameter("w", computed(t, nn))
    net.scale = None  # leaves the name, without a value
    assert "scale" not in dict(net.named_parameters())
    net.act = nn.Parameter(t.ones(1))  # a parameter takes a module's name over
    assert "act" in dict(net.named_parameters())
    assert "act" not in dict(net.named_children())
    del net.act
    with pytest.raises(AttributeError, match="has no attribute 'act'"):
        _ = net.act


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)
def test_assigning_before_init(side):
    t, nn = side

    class Early(nn.Module):
        def __init__(self, value):
            self.value = value

    with pytest.raises(AttributeError, match=r"cannot assign module before Module.__init__\(\) call"):
        Early(nn.ReLU())
    with pytest.raises(AttributeError, match=r"cannot assign parameters before Module.__init__\(\) call"):
        Early(nn.Parameter(t.ones(1)))


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)
def test_modes_and_gradients(side):
    t, nn = side
    net = model(t, nn)
    assert net.eval() is net
    assert not any(m.training for m in net.modules())
    net.body.train()
    assert net.body.first.training
    assert not net.training
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    net.requires_grad_(True)
    net.body(t.ones(2, 3)).sum().backward()
    grad = net.body.scale.grad
    net.zero_grad(set_to_none=False)
    assert net.body.scale.grad is grad
    assert grad.tolist() == [0.0] * 4
    net.zero_grad()
    assert net.body.scale.grad is None


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)
def test_conversion_keeps_the_objects(side):
    t, nn = side
    net = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    before = [id(p) for p in net.parameters()]
    net(t.ones(3, 2)).sum().backward()
    assert net.double() is net
    assert [id(p) for p in net.parameters()] == before
    assert {str(p.dtype) for p in net.parameters()} == {"torch.float64"}
    assert {str(p.grad.dtype) for p in net.parameters()} == {"torch.float64"}
    assert [str(b.dtype) for b in net.buffers()] == ["torch.float64", "torch.float64", "torch.int64"]
    assert str(net.to(t.float16)[0].weight.dtype) == "torch.float16"
    assert str(net.to(t.ones(1))[0].weight.dtype) == "torch.float32"
    assert str(net.half().float()[1].running_mean.dtype) == "torch.float32"
    assert net.to("cpu") is net
    assert all(p.is_leaf and p.requires_grad for p in net.parameters())


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)
def test_deep_copy(side):
    t, nn = side
    net = model(t, nn)
    other = copy.deepcopy(net)
    assert repr(other) == repr(net)
    assert other.body.first is other.body.again  # shared before, shared after
    with t.no_grad():
        net.head.weight.fill_(7.0)
    assert not (other.head.weight == 7.0).any()
    assert all(p.requires_grad and p.is_leaf for p in other.parameters())


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)
def test_state_dict_shares_memory_and_loads(side):
    t, nn = side
    net = model(t, nn)
    state = net.state_dict()
    assert not state["head.weight"].requires_grad
    assert net.state_dict(keep_vars=True)["head.weight"] is net.head.weight
    state["head.weight"].fill_(2.0)
    assert net.head.weight.tolist() == [[2.0] * 3] * 3
    other = model(t, nn)
    weight = other.head.weight
    result = other.load_state_dict(state)
    assert repr(result) == "<All keys matched successfully>"
    assert other.head.weight is weight
    assert other.head.weight.tolist() == net.head.weight.tolist()
    smaller = {k: v for k, v in state.items() if k != "body.offset"} | {"new": t.ones(1)}
    result = other.load_state_dict(smaller, strict=False)
    assert (result.missing_keys, result.unexpected_keys) == (["body.offset"], ["new"])
    assert repr(result) == "_IncompatibleKeys(missing_keys=['body.offset'], unexpected_keys=['new'])"
    for broken in (smaller, state | {"head.weight": t.ones(2, 2)}):
        with pytest.raises(RuntimeError):
            other.load_state_dict(broken)
    with pytest.raises(TypeError, match="dict-like"):
        other.load_state_dict([1, 2])
    other.load_state_dict(state, assign=True)
    assert isinstance(other.head.weight, nn.Parameter)


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)
def test_paths(side):
    t, nn = side
    net = model(t, nn)
    assert net.get_submodule("body.first") is net.body.first
    assert net.get_submodule("") is net
    assert net.get_parameter("body.first.weight") is net.body.first.weight
    assert net.get_buffer("body.offset") is net.body.offset
    for path in ("body.second", "body.scale.x", "missing"):
        with pytest.raises(AttributeError):
            net.get_submodule(path)
    for path in ("body.offset", "body.w"):
        with pytest.raises(AttributeError):
            net.get_parameter(path)
    net.set_submodule("body.act", nn.Tanh())
    assert isinstance(net.body.act, nn.Tanh)
    with pytest.raises(AttributeError):
        net.set_submodule("body.other", nn.Tanh(), strict=True)


def sequence(nn, width):
    return nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 2), nn.Tanh())


def edits(nn):
    """A Sequential through all its list operations; what it looks like after each."""
    seen = []
    net = sequence(nn, 3)
    seen += [repr(net[1]), repr(net[-1]), repr(net[1:3]), repr(net[::2]), len(net)]
    net.append(nn.Sigmoid())
    net.insert(1, nn.Identity())
    seen.append(repr(net))
    net[0] = nn.GELU()
    del net[2]
    seen.append(repr(net))
    seen.append(repr(net.pop(0)))
    del net[0:2]
    seen.append(repr(net))
    net.extend([nn.ReLU(), nn.ELU()])
    seen.append(repr(net + nn.Sequential(nn.Mish())))
    net += nn.Sequential(nn.SiLU())
    seen += [repr(net), repr(net * 2), repr(2 * net)]
    net *= 2
    seen += [repr(net), [type(m).__name__ for m in net]]
    for wrong in (9, -9):
        try:
            net[wrong]
        except IndexError as err:
            seen.append(str(err))
    return seen


def test_sequential_edits():
    assert edits(nn) == edits(torch.nn)


def list_edits(nn):
    seen = []
    row = nn.ModuleList([nn.ReLU(), nn.ReLU(), nn.Tanh(), nn.Linear(2, 2), nn.Linear(2, 2), nn.Linear(2, 3)])
    seen += [repr(row), repr(row[1:4]), repr(row[-1]), len(row)]
    row.append(nn.Linear(2, 3)).extend([nn.GELU()])
    row.insert(0, nn.Identity())
    row[1] = nn.ELU()
    del row[2]
    seen += [repr(row), repr(row.pop(-1)), repr(row + [nn.SiLU()])]
    del row[::2]
    row += [nn.Mish()]
    seen += [repr(row), [n for n, _ in row.named_parameters()], repr(nn.ModuleList())]
    return seen


def test_module_list_edits():
    assert list_edits(nn) == list_edits(torch.nn)


def dict_edits(nn):
    seen = []
    d = nn.ModuleDict({"a": nn.ReLU(), "b": nn.Linear(2, 2)})
    d["c"] = nn.Tanh()
    d.update({"a": nn.GELU(), "z": nn.Identity()})
    d.update([("pair", nn.ELU())])
    seen += [repr(d), list(d), list(d.keys()), len(d), "b" in d, "q" in d, [repr(v) for v in d.values()]]
    seen += [repr(d.pop("b")), [k for k, _ in d.items()]]
    del d["z"]
    seen.append(repr(d))
    d.clear()
    seen.append(repr(d))
    return seen


def test_module_dict_edits():
    assert dict_edits(nn) == dict_edits(torch.nn)


def parameter_edits(t, nn):
    seen = []
    row = nn.ParameterList([t.zeros(2, 3), nn.Parameter(t.ones(1))])
    seen += [repr(row), len(row), type(row[0]).__name__, [n for n, _ in row.named_parameters()]]
    row.append(t.zeros(4)).extend([t.zeros(1), 5])
    row += [t.zeros(2)]
    row[0] = t.ones(7)
    seen += [repr(row), repr(row[1:3]), row[-2], [tuple(p.shape) for p in row.parameters()]]
    seen += [repr(nn.ParameterList()), repr(nn.ParameterList([t.zeros(2)]))]
    return seen


def test_parameter_list_edits():
    assert parameter_edits(*SIDES["chainrule"]) == parameter_edits(*SIDES["torch"])


def parameter_dict_edits(t, nn):
    seen = []
    d = nn.ParameterDict({"a": t.zeros(2), "b": 3})
    d["c"] = t.zeros(2, 3)
    d.update([("d", t.ones(1))])
    seen += [
        repr(d),
        repr(nn.ParameterDict({"a": t.zeros(2).double()})),
        list(d),
        len(d),
        "a" in d,
        d["b"],
        d.get("q", 7),
        list(d.keys()),
        [k for k, _ in d.items()],
    ]
    seen += [tuple(d.pop("c").shape), [n for n, _ in d.named_parameters()], len(list(d.values()))]
    del d["d"]
    seen.append(list(d))
    d.clear()
    return [*seen, len(d)]


def test_parameter_dict_edits():
    assert parameter_dict_edits(*SIDES["chainrule"]) == parameter_dict_edits(*SIDES["torch"])


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)
def test_parameter(side):
    t, nn = side
    data = t.ones(2)
    p = nn.Parameter(data)
    assert p.requires_grad
    assert p.is_leaf
    data[0] = 5.0
    assert p.tolist() == [5.0, 1.0]  # shares memory
    assert repr(p) == "Parameter containing:\ntensor([5., 1.], requires_grad=True)"
    assert repr(nn.Parameter(data, requires_grad=False)) == "Parameter containing:\ntensor([5., 1.])"
    assert isinstance(p, t.Tensor)
    assert not isinstance(data, nn.Parameter)
    assert type(p * 2) is t.Tensor
    assert type(p.detach()) is t.Tensor
    assert type(p.data) is t.Tensor
    q = copy.deepcopy(p)
    assert type(q) is nn.Parameter
    assert q.requires_grad
    assert q.data_ptr() != p.data_ptr()
    with pytest.raises(RuntimeError):
        nn.Parameter(t.tensor([1, 2]))
    assert not nn.Parameter(t.tensor([1, 2]), requires_grad=False).requires_grad


@pytest.mark.parametrize("side", SIDES.values(), ids=SIDES)
def test_buffer(side):
    t, nn = side
    net = nn.Module()
    net.kept = nn.Buffer(t.ones(1))
    net.left_out = nn.Buffer(t.ones(1), persistent=False)
    assert list(net.state_dict()) == ["kept"]
    assert [n for n, _ in net.named_buffers()] == ["kept", "left_out"]
    net.kept = t.zeros(3)
    assert net.state_dict()["kept"].tolist() == [0.0, 0.0, 0.0]


def test_both_sides_agree_after_copying_state():
    mine, its = model(*SIDES["chainrule"]), model(*SIDES["torch"])
    copy_state(mine, its)
    x = np.ones((2, 3), dtype=np.float32)
    agree(mine.body(chainrule.tensor(x)), its.body(torch.tensor(x)))
